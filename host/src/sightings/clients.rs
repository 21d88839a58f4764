//! Which clients contacted an indicator: small sets of numbers, millions of
//! them.
//!
//! A set is one word. A single client is in the word itself; a few are a sorted
//! list, and many a bit for each client, whichever is smaller. Lists and bits
//! lie in pools of the powers of two, where what a set has outgrown is used by
//! the next.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::prefetch::prefetch;

/// A set of client numbers. It means something together with its [`Sets`] only.
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(super) struct Set {
    /// The place in its pool; of a single client its number.
    at: u32,
    /// How many clients, and the pool in the highest bits.
    len_and_pool: u32,
}

/// What many sets lie in.
#[derive(Debug, Default)]
pub(super) struct Sets {
    /// By the logarithm of the size in words.
    pools: [Pool; POOLS],
}

/// Stretches of words of one size.
#[derive(Debug, Default)]
struct Pool {
    words: Vec<u32>,
    unused: Vec<u32>,
}

/// Up to 2^26 words for a set: two thousand million clients as bits.
const POOLS: usize = 27;
const LEN_BITS: u32 = 26;
const MAX_LEN: u32 = (1 << LEN_BITS) - 1;
/// Set for bits, unset for a list; the pool's number is below it.
const IS_BITS: u32 = 1 << 5;

impl Set {
    /// How many clients are in it.
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

    fn is_bits(self) -> bool {
        self.form() & IS_BITS != 0
    }

    fn pool(self) -> usize {
        (self.form() & (IS_BITS - 1)) as usize
    }

    fn longer_by_one(self) -> Self {
        Self::new(self.at, self.len() + 1, self.form())
    }
}

impl Sets {
    /// Adds a client, if it is not there.
    #[inline]
    pub(super) fn add(&mut self, set: &mut Set, client: u32) {
        match set.len() {
            0 => *set = Set::new(client, 1, 0),
            1 if set.at == client => {}
            1 => *set = self.list_of(&[set.at.min(client), set.at.max(client)]),
            _ if set.is_bits() => self.add_bit(set, client),
            _ => self.add_to_list(set, client),
        }
    }

    /// Asks the memory for where a client is looked for.
    #[inline]
    pub(super) fn prefetch(&self, set: Set, client: u32) {
        let place = if set.is_bits() {
            client as usize / 32
        } else {
            0
        };
        if set.len() > 1 {
            prefetch(self.words(set).get(place));
        }
    }

    /// The clients of a set, in order.
    pub(super) fn clients(&self, set: Set) -> Vec<u32> {
        match set.len() {
            0 => Vec::new(),
            1 => vec![set.at],
            len if !set.is_bits() => self.words(set)[..len as usize].to_vec(),
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

    /// Gives the room of a set back.
    pub(super) fn forget(&mut self, set: &mut Set) {
        if set.len() > 1 {
            self.pools[set.pool()].unused.push(set.at);
        }
        *set = Set::default();
    }

    /// How many bytes the pools take.
    pub(super) fn memory_bytes(&self) -> usize {
        let words = |pool: &Pool| pool.words.len() + pool.unused.len();
        self.pools.iter().map(words).sum::<usize>() * size_of::<u32>()
    }

    #[inline]
    fn add_bit(&mut self, set: &mut Set, client: u32) {
        let (word, bit) = (client as usize / 32, 1 << (client % 32));
        if word >= 1 << set.pool() {
            self.widen(set, word + 1);
        }
        let place = &mut self.words_mut(*set)[word];
        if *place & bit == 0 {
            *place |= bit;
            *set = set.longer_by_one();
        }
    }

    #[inline]
    fn add_to_list(&mut self, set: &mut Set, client: u32) {
        let len = set.len() as usize;
        let list = &self.words(*set)[..len];
        let Err(place) = list.binary_search(&client) else {
            return;
        };
        if len == 1 << set.pool() {
            self.outgrow(set, client);
            return self.add(set, client);
        }
        let words = self.words_mut(*set);
        words.copy_within(place..len, place + 1);
        words[place] = client;
        *set = set.longer_by_one();
    }

    /// A list that is full becomes one of twice its size, or bits where these
    /// take no more.
    fn outgrow(&mut self, set: &mut Set, client: u32) {
        let clients = self.clients(*set);
        let largest = clients.last().copied().unwrap_or(0).max(client);
        let words = largest as usize / 32 + 1;
        self.forget(set);
        *set = if words <= clients.len() * 2 {
            self.bits_of(&clients, words)
        } else {
            self.list_of(&clients)
        };
    }

    fn widen(&mut self, set: &mut Set, words: usize) {
        let clients = self.clients(*set);
        self.forget(set);
        *set = self.bits_of(&clients, words);
    }

    /// A list with room for at least one more.
    fn list_of(&mut self, clients: &[u32]) -> Set {
        let pool = pool_of(clients.len() + 1);
        let set = Set::new(self.take(pool), clients.len() as u32, pool as u32);
        self.words_mut(set)[..clients.len()].copy_from_slice(clients);
        set
    }

    fn bits_of(&mut self, clients: &[u32], words: usize) -> Set {
        let pool = pool_of(words);
        let form = IS_BITS | pool as u32;
        let set = Set::new(self.take(pool), clients.len() as u32, form);
        let words = self.words_mut(set);
        words.fill(0);
        for client in clients {
            words[*client as usize / 32] |= 1 << (client % 32);
        }
        set
    }

    fn take(&mut self, pool: usize) -> u32 {
        let size = 1 << pool;
        let pool = &mut self.pools[pool];
        pool.unused.pop().unwrap_or_else(|| {
            let at = pool.words.len() / size;
            pool.words.resize(pool.words.len() + size, 0);
            at as u32
        })
    }

    #[inline]
    fn words(&self, set: Set) -> &[u32] {
        let pool = set.pool();
        let start = (set.at as usize) << pool;
        &self.pools[pool].words[start..start + (1 << pool)]
    }

    #[inline]
    fn words_mut(&mut self, set: Set) -> &mut [u32] {
        let pool = set.pool();
        let start = (set.at as usize) << pool;
        &mut self.pools[pool].words[start..start + (1 << pool)]
    }
}

/// The pool whose stretches have room for so many words.
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
        fn sets_hold_what_was_put_in(
            // Few and many clients, close together and far apart.
            added in prop::collection::vec((0..6_usize, prop_oneof![0..40_u32, 0..3_000_u32, 0..5_000_000_u32]), 0..600),
        ) {
            let mut sets = Sets::default();
            let mut all = [Set::default(); 6];
            let mut expected = vec![BTreeSet::new(); 6];
            for (which, client) in added {
                sets.add(&mut all[which], client);
                expected[which].insert(client);
            }
            sets.forget(&mut all[0]);
            expected[0].clear();
            for (set, expected) in all.iter().zip(&expected) {
                prop_assert_eq!(set.len() as usize, expected.len());
                let expected: Vec<u32> = expected.iter().copied().collect();
                prop_assert_eq!(sets.clients(*set), expected);
            }
        }
    }

    #[test]
    fn many_clients_of_few_take_a_bit_each() {
        let mut sets = Sets::default();
        let mut set = Set::default();
        for client in 0..1_000 {
            sets.add(&mut set, client * 7 % 1_000);
        }
        assert_eq!(set.len(), 1_000);
        // 1,000 bits are 32 words; the lists on the way there were smaller.
        assert!(sets.memory_bytes() < 1_000, "{}", sets.memory_bytes());
    }
}
