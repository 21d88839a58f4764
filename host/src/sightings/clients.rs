//! The clients of each indicator: millions of small sets of client numbers.
//!
//! A set is two words. One client is stored in the set itself. A few are a sorted list, many
//! are a bitmap, whichever is smaller. Lists and bitmaps are stored in pools of slices of
//! equal size, a power of two; a slice that a set has outgrown is used by the next set.
//!
//! ```text
//! ClientSet   at: u32    len_and_pool: u32
//!                        bit 31     30..26    25..0
//!                        bitmap?    pool      length
//!
//! {7}         at 7       0          0         1        the client itself
//! {3, 7, 9}   at 1       0          2         3        slice 1 of pool 2: 3 7 9 _
//! 0..1000     at 0       1          5         1000     slice 0 of pool 5: 1024 bits
//!
//! pool 2      │ slice 0   │ slice 1   │ slice 2   │    slices of 2^2 words,
//!             │ 2 4 5 8   │ 3 7 9 _   │ …         │    slice 0 is another set's
//! ```

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::prefetch::prefetch;

/// A set of client numbers, stored in the [`ClientSets`] that it was added to.
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(super) struct ClientSet {
    /// The number of the slice in its pool, or the only client.
    at: u32,
    /// The number of clients, the pool and the representation.
    len_and_pool: u32,
}

/// The lists and bitmaps of many sets.
#[derive(Debug, Default)]
pub(super) struct ClientSets {
    /// By the binary logarithm of their slices' size in words.
    pools: [Pool; POOLS],
}

/// Slices of one size.
#[derive(Debug, Default)]
struct Pool {
    words: Vec<u32>,
    /// The numbers of the slices that can be used again.
    unused: Vec<u32>,
}

/// Slices of up to 2^26 words, bitmaps of two thousand million clients.
const POOLS: usize = 27;
const LEN_BITS: u32 = 26;
const MAX_LEN: u32 = (1 << LEN_BITS) - 1;
/// Marks a bitmap; the bits below are the pool's number.
const BITMAP: u32 = 1 << 5;

impl ClientSet {
    /// The number of clients.
    #[inline]
    pub(super) fn len(self) -> u32 {
        self.len_and_pool & MAX_LEN
    }

    fn new(at: u32, len: u32, form: u32) -> Self {
        Self {
            at,
            len_and_pool: form << LEN_BITS | len.min(MAX_LEN),
        }
    }

    fn form(self) -> u32 {
        self.len_and_pool >> LEN_BITS
    }

    fn is_bitmap(self) -> bool {
        self.form() & BITMAP != 0
    }

    fn pool(self) -> usize {
        (self.form() & (BITMAP - 1)) as usize
    }

    fn with_one_more(self) -> Self {
        Self::new(self.at, self.len() + 1, self.form())
    }
}

impl ClientSets {
    /// Adds a client to a set, unless it is a member.
    #[inline]
    pub(super) fn add(&mut self, set: &mut ClientSet, client: u32) {
        match set.len() {
            0 => *set = ClientSet::new(client, 1, 0),
            1 if set.at == client => {}
            1 => *set = self.new_list(&[set.at.min(client), set.at.max(client)]),
            _ if set.is_bitmap() => self.add_to_bitmap(set, client),
            _ => self.add_to_list(set, client),
        }
    }

    /// Prefetches the word of a bitmap that holds the client, or the start of a list.
    #[inline]
    pub(super) fn prefetch(&self, set: ClientSet, client: u32) {
        let word = if set.is_bitmap() {
            client as usize / 32
        } else {
            0
        };
        if set.len() > 1 {
            prefetch(self.words(set).get(word));
        }
    }

    /// The clients of a set, in ascending order.
    pub(super) fn clients(&self, set: ClientSet) -> Vec<u32> {
        match set.len() {
            0 => Vec::new(),
            1 => vec![set.at],
            len if !set.is_bitmap() => self.words(set)[..len as usize].to_vec(),
            _ => {
                let words = self.words(set).iter().zip((0..).step_by(32));
                words
                    .flat_map(|(word, base)| {
                        let is_set = move |bit: &u32| word >> bit & 1 == 1;
                        (0..32).filter(is_set).map(move |bit| base + bit)
                    })
                    .collect()
            }
        }
    }

    /// Empties a set.
    pub(super) fn clear(&mut self, set: &mut ClientSet) {
        if set.len() > 1 {
            self.pools[set.pool()].unused.push(set.at);
        }
        *set = ClientSet::default();
    }

    /// The size of all pools.
    pub(super) fn memory_bytes(&self) -> usize {
        let words = |pool: &Pool| pool.words.len() + pool.unused.len();
        self.pools.iter().map(words).sum::<usize>() * size_of::<u32>()
    }

    #[inline]
    fn add_to_bitmap(&mut self, set: &mut ClientSet, client: u32) {
        let (word, bit) = (client as usize / 32, 1 << (client % 32));
        if word >= 1 << set.pool() {
            self.widen(set, word + 1);
        }
        let bits = &mut self.words_mut(*set)[word];
        if *bits & bit == 0 {
            *bits |= bit;
            *set = set.with_one_more();
        }
    }

    #[inline]
    fn add_to_list(&mut self, set: &mut ClientSet, client: u32) {
        let len = set.len() as usize;
        let list = &self.words(*set)[..len];
        let Err(at) = list.binary_search(&client) else {
            return;
        };
        if len == 1 << set.pool() {
            self.outgrow(set, client);
            return self.add(set, client);
        }
        let words = self.words_mut(*set);
        words.copy_within(at..len, at + 1);
        words[at] = client;
        *set = set.with_one_more();
    }

    /// Moves a full list that is to take `client` to a list of twice its size, or to a
    /// bitmap if that is no larger.
    fn outgrow(&mut self, set: &mut ClientSet, client: u32) {
        let clients = self.clients(*set);
        let largest = clients.last().copied().unwrap_or(0).max(client);
        let words = largest as usize / 32 + 1;
        self.clear(set);
        *set = if words <= clients.len() * 2 {
            self.new_bitmap(&clients, words)
        } else {
            self.new_list(&clients)
        };
    }

    /// Moves a bitmap to one of at least `words` words.
    fn widen(&mut self, set: &mut ClientSet, words: usize) {
        let clients = self.clients(*set);
        self.clear(set);
        *set = self.new_bitmap(&clients, words);
    }

    /// A list with room for at least one more client.
    fn new_list(&mut self, clients: &[u32]) -> ClientSet {
        let pool = pool_of(clients.len() + 1);
        let set = ClientSet::new(self.allocate(pool), clients.len() as u32, pool as u32);
        self.words_mut(set)[..clients.len()].copy_from_slice(clients);
        set
    }

    fn new_bitmap(&mut self, clients: &[u32], words: usize) -> ClientSet {
        let pool = pool_of(words);
        let form = BITMAP | pool as u32;
        let set = ClientSet::new(self.allocate(pool), clients.len() as u32, form);
        let words = self.words_mut(set);
        words.fill(0);
        for client in clients {
            words[*client as usize / 32] |= 1 << (client % 32);
        }
        set
    }

    /// The number of a slice that no set uses.
    fn allocate(&mut self, pool: usize) -> u32 {
        let size = 1 << pool;
        let pool = &mut self.pools[pool];
        pool.unused.pop().unwrap_or_else(|| {
            let at = pool.words.len() / size;
            pool.words.resize(pool.words.len() + size, 0);
            at as u32
        })
    }

    #[inline]
    fn words(&self, set: ClientSet) -> &[u32] {
        let pool = set.pool();
        let start = (set.at as usize) << pool;
        &self.pools[pool].words[start..start + (1 << pool)]
    }

    #[inline]
    fn words_mut(&mut self, set: ClientSet) -> &mut [u32] {
        let pool = set.pool();
        let start = (set.at as usize) << pool;
        &mut self.pools[pool].words[start..start + (1 << pool)]
    }
}

/// The pool whose slices have room for this many words.
fn pool_of(words: usize) -> usize {
    words.next_power_of_two().trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn sets_have_the_clients_that_were_added(
            // Few and many clients, close together and far apart.
            added in prop::collection::vec((0..6_usize, prop_oneof![0..40_u32, 0..3_000_u32, 0..5_000_000_u32]), 0..600),
        ) {
            let mut sets = ClientSets::default();
            let mut all = [ClientSet::default(); 6];
            let mut expected = vec![BTreeSet::new(); 6];
            for (which, client) in added {
                sets.add(&mut all[which], client);
                expected[which].insert(client);
            }
            sets.clear(&mut all[0]);
            expected[0].clear();
            for (set, expected) in all.iter().zip(&expected) {
                prop_assert_eq!(set.len() as usize, expected.len());
                let expected: Vec<u32> = expected.iter().copied().collect();
                prop_assert_eq!(sets.clients(*set), expected);
            }
        }
    }

    #[test]
    fn dense_sets_become_bitmaps() {
        let mut sets = ClientSets::default();
        let mut set = ClientSet::default();
        for client in 0..1_000 {
            sets.add(&mut set, client * 7 % 1_000);
        }
        assert_eq!(set.len(), 1_000);
        // 1,000 bits are 32 words; the lists before it were smaller.
        assert!(sets.memory_bytes() < 1_000, "{}", sets.memory_bytes());
    }
}
