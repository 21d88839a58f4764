//! Small hash tables that can be warmed.
//!
//! A run's time goes into cache misses of its tables, one after the other. Told
//! beforehand what will be asked, a table reads the places in a plain loop, and
//! the processor waits for many of them at once.

/// Finds numbers (places in some list) by the hash of what they stand for.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: Vec<Slot>,
    len: usize,
}

/// A set of pairs, each in one word.
#[derive(Debug, Default)]
pub(super) struct PairSet {
    slots: Vec<u64>,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    id: u32,
}

const FREE: Slot = Slot {
    hash: 0,
    id: u32::MAX,
};
const FREE_PAIR: u64 = u64::MAX;
const FIRST_SLOTS: usize = 1 << 10;

impl Index {
    /// The number that `is_it` recognises, among those under this hash.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut place = hash as usize & mask;
        loop {
            let slot = self.slots[place];
            if slot.id == FREE.id {
                return None;
            }
            if slot.hash == hash && is_it(slot.id) {
                return Some(slot.id);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds a number that is not there.
    pub(super) fn add(&mut self, hash: u32, id: u32) {
        if self.len * 4 >= self.slots.len() * 3 {
            let larger = vec![FREE; (self.slots.len() * 2).max(FIRST_SLOTS)];
            let old = std::mem::replace(&mut self.slots, larger);
            for slot in old.into_iter().filter(|slot| slot.id != FREE.id) {
                self.put(slot);
            }
        }
        self.put(Slot { hash, id });
        self.len += 1;
    }

    /// Reads the place of a hash, and gives the number that is likely there.
    #[inline]
    pub(super) fn warm(&self, hash: u32) -> u32 {
        let mask = self.slots.len().wrapping_sub(1);
        self.slots
            .get(hash as usize & mask)
            .map_or(FREE.id, |slot| slot.id)
    }

    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut place = slot.hash as usize & mask;
        while self.slots[place].id != FREE.id {
            place = (place + 1) & mask;
        }
        self.slots[place] = slot;
    }
}

impl PairSet {
    /// Adds a pair, if it is not there.
    #[inline]
    pub(super) fn add(&mut self, pair: u64) {
        if self.len * 4 >= self.slots.len() * 3 {
            self.grow((self.slots.len() * 2).max(FIRST_SLOTS));
        }
        self.put(pair);
    }

    /// Makes room for all pairs of another set. They come in the order of their
    /// hashes: into a smaller set they would all go to its front, and each
    /// would have to pass those before it.
    pub(super) fn make_room_for(&mut self, other: &Self) {
        let wanted = ((self.len + other.len) * 3 / 2).next_power_of_two();
        if wanted > self.slots.len() {
            self.grow(wanted.max(FIRST_SLOTS));
        }
    }

    fn grow(&mut self, slots: usize) {
        let old = std::mem::replace(&mut self.slots, vec![FREE_PAIR; slots]);
        self.len = 0;
        for pair in old.into_iter().filter(|pair| *pair != FREE_PAIR) {
            self.put(pair);
        }
    }

    /// Reads the place of a pair.
    #[inline]
    pub(super) fn warm(&self, pair: u64) -> u64 {
        let mask = self.slots.len().wrapping_sub(1);
        self.slots
            .get(mixed(pair) & mask)
            .copied()
            .unwrap_or(FREE_PAIR)
    }

    /// All pairs, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().copied().filter(|pair| *pair != FREE_PAIR)
    }

    #[inline]
    fn put(&mut self, pair: u64) {
        let mask = self.slots.len() - 1;
        let mut place = mixed(pair) & mask;
        loop {
            match self.slots[place] {
                FREE_PAIR => {
                    self.slots[place] = pair;
                    self.len += 1;
                    return;
                }
                there if there == pair => return,
                _ => place = (place + 1) & mask,
            }
        }
    }
}

/// Spreads a pair over all bits (the finaliser of MurmurHash3, Appleby 2011).
/// Its numbers were given out in the order of what was seen, so nobody outside
/// chooses them.
#[inline]
fn mixed(pair: u64) -> usize {
    let mut hash = pair;
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (hash ^ hash >> 33) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_are_found_under_their_hash() {
        let names: Vec<u32> = (0..50_000)
            .map(|n: u32| n.wrapping_mul(2_654_435_761))
            .collect();
        // Hashes that collide a lot.
        let hash = |name: u32| name % 977;
        let mut index = Index::default();
        assert_eq!(index.find(0, |_| true), None);
        for (id, name) in names.iter().enumerate().take(2_000) {
            assert_eq!(
                index.find(hash(*name), |id| names[id as usize] == *name),
                None
            );
            index.add(hash(*name), u32::try_from(id).unwrap());
        }
        for (id, name) in names.iter().enumerate().take(2_000) {
            let found = index.find(hash(*name), |id| names[id as usize] == *name);
            assert_eq!(found, Some(u32::try_from(id).unwrap()));
        }
    }

    #[test]
    fn pairs_are_kept_once() {
        let mut pairs = PairSet::default();
        let mut expected = BTreeSet::new();
        for number in 0..20_000_u64 {
            let pair = ((number * 7 % 9_973) << 32) | (number % 13);
            pairs.add(pair);
            expected.insert(pair);
        }
        assert_eq!(pairs.iter().collect::<BTreeSet<_>>(), expected);
        assert_eq!(pairs.iter().count(), expected.len());
    }
}
