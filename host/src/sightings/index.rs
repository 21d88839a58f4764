//! A small hash table that can be told beforehand what will be asked.

use super::prefetch::prefetch;

/// Finds numbers (places in some list) by the hash of what they stand for.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: Vec<Slot>,
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

    /// Asks the memory for the place of a hash.
    #[inline]
    pub(super) fn prefetch(&self, hash: u32) {
        let mask = self.slots.len().wrapping_sub(1);
        prefetch(self.slots.get(hash as usize & mask));
    }

    /// The first number under a hash: nearly always the one that is looked for,
    /// if there is one.
    #[inline]
    pub(super) fn likely(&self, hash: u32) -> Option<u32> {
        self.find(hash, |_| true)
    }

    /// How many bytes the table takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
