//! An open-addressing hash table with prefetch.
//!
//! It maps hashes to IDs. The values with these IDs are stored elsewhere, so the
//! caller compares them. Collisions are resolved by linear probing. There is no removal.
//!
//! ```text
//! 8 buckets (mask 7); IDs 0 to 3 were added under the hashes 0x2a, 0x13, 0x1a, 0x2a
//!
//! bucket     0        1        2        3        4        5        6        7
//!         ┌────────┬────────┬────────┬────────┬────────┬────────┬────────┬────────┐
//! hash    │        │        │  0x2a  │  0x13  │  0x1a  │  0x2a  │        │        │
//! id      │  free  │  free  │   0    │   1    │   2    │   3    │  free  │  free  │
//!         └────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┘
//!                               │ 0x2a & 7 = 2: the caller compares ID 0, no match
//!                               └───▶ 3, 4: other hashes ──▶ 5: the caller compares ID 3
//! ```

use super::prefetch::prefetch;

/// IDs by the hash of their value.
#[derive(Debug, Default)]
pub(super) struct HashIndex {
    /// None, or a power of two of them.
    buckets: Vec<Bucket>,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    hash: u32,
    id: u32,
}

const FREE: Bucket = Bucket {
    hash: 0,
    id: u32::MAX,
};
const FIRST_BUCKETS: usize = 1 << 10;

impl HashIndex {
    /// The first ID under this hash for which `is_match` holds.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_match: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.buckets.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let bucket = self.buckets[at];
            if bucket.id == FREE.id {
                return None;
            }
            if bucket.hash == hash && is_match(bucket.id) {
                return Some(bucket.id);
            }
            at = (at + 1) & mask;
        }
    }

    /// The first ID under this hash. It is nearly always the one that is looked up, if that
    /// was added at all.
    #[inline]
    pub(super) fn first(&self, hash: u32) -> Option<u32> {
        self.find(hash, |_| true)
    }

    /// Adds an ID other than `u32::MAX` that was not added before. Doubles the buckets when
    /// three quarters are in use.
    pub(super) fn add(&mut self, hash: u32, id: u32) {
        if self.len * 4 >= self.buckets.len() * 3 {
            let larger = vec![FREE; (self.buckets.len() * 2).max(FIRST_BUCKETS)];
            let old = std::mem::replace(&mut self.buckets, larger);
            for bucket in old.into_iter().filter(|bucket| bucket.id != FREE.id) {
                self.put(bucket);
            }
        }
        self.put(Bucket { hash, id });
        self.len += 1;
    }

    /// Prefetches the first bucket of a hash.
    #[inline]
    pub(super) fn prefetch(&self, hash: u32) {
        let mask = self.buckets.len().wrapping_sub(1);
        prefetch(self.buckets.get(hash as usize & mask));
    }

    /// The size of the buckets.
    pub(super) fn memory_bytes(&self) -> usize {
        self.buckets.len() * size_of::<Bucket>()
    }

    fn put(&mut self, bucket: Bucket) {
        let mask = self.buckets.len() - 1;
        let mut at = bucket.hash as usize & mask;
        while self.buckets[at].id != FREE.id {
            at = (at + 1) & mask;
        }
        self.buckets[at] = bucket;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_among_colliding_hashes() {
        let names: Vec<u32> = (0..2_000_u32)
            .map(|n| n.wrapping_mul(2_654_435_761))
            .collect();
        let hash = |name: u32| name % 977;
        let mut index = HashIndex::default();
        assert_eq!(index.find(0, |_| true), None);
        for (id, name) in (0..).zip(&names) {
            let is_match = |id: u32| names[id as usize] == *name;
            assert_eq!(index.find(hash(*name), is_match), None);
            index.add(hash(*name), id);
        }
        for (id, name) in (0..).zip(&names) {
            let is_match = |id: u32| names[id as usize] == *name;
            assert_eq!(index.find(hash(*name), is_match), Some(id));
        }
    }
}
