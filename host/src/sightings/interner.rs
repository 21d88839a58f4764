//! Client names as numbers: each name is stored once and has the same number in all threads.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use foldhash::fast::RandomState;

use super::hash::hash_of;
use super::index::HashIndex;

/// Distinct names, numbered from 0 in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Interner {
    /// All names, concatenated.
    text: Vec<u8>,
    /// Each name's range in `text`.
    ranges: Vec<Range<usize>>,
    index: HashIndex,
}

/// An interner for all threads.
#[derive(Debug, Default)]
pub(super) struct SharedInterner(Mutex<Interner>);

/// One thread's copy of the shared names that it has seen: it takes the lock of a
/// [`SharedInterner`] once for each name.
#[derive(Debug, Default)]
pub(super) struct InternerCache {
    names: Interner,
    /// The shared number of each name in `names`.
    shared: Vec<u32>,
}

impl Interner {
    /// The number of a name, and whether the name is new.
    #[inline]
    fn number_of(&mut self, hasher: &RandomState, name: &[u8]) -> (u32, bool) {
        let hash = hash_of(hasher, name);
        let is_match = |id: u32| self.text[self.ranges[id as usize].clone()] == *name;
        if let Some(id) = self.index.find(hash, is_match) {
            return (id, false);
        }
        // Memory ends long before there are 2^32 clients.
        let id = u32::try_from(self.ranges.len()).unwrap_or(u32::MAX);
        let start = self.text.len();
        self.text.extend_from_slice(name);
        self.ranges.push(start..self.text.len());
        self.index.add(hash, id);
        (id, true)
    }

    /// The name with this number; empty if there is none.
    pub(super) fn name(&self, number: u32) -> &[u8] {
        let range = self.ranges.get(number as usize).cloned();
        range.map(|range| &self.text[range]).unwrap_or_default()
    }
}

impl SharedInterner {
    /// A panic elsewhere does not leave half a name.
    fn number_of(&self, hasher: &RandomState, name: &[u8]) -> u32 {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.number_of(hasher, name).0
    }

    pub(super) fn into_inner(self) -> Interner {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InternerCache {
    /// The shared number of a name.
    #[inline]
    pub(super) fn number_of(
        &mut self,
        shared: &SharedInterner,
        hasher: &RandomState,
        name: &[u8],
    ) -> u32 {
        let (cached, is_new) = self.names.number_of(hasher, name);
        if is_new {
            self.shared.push(shared.number_of(hasher, name));
        }
        self.shared[cached as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_share_the_numbers_of_names() {
        let (shared, hasher) = (SharedInterner::default(), RandomState::default());
        let mut threads = [InternerCache::default(), InternerCache::default()];
        for (thread, name, expected) in [
            (0, "10.0.0.1", 0),
            (1, "10.0.0.2", 1),
            (1, "10.0.0.1", 0),
            (0, "10.0.0.2", 1),
            (0, "10.0.0.1", 0),
        ] {
            let cache: &mut InternerCache = &mut threads[thread];
            assert_eq!(cache.number_of(&shared, &hasher, name.as_bytes()), expected);
        }
        let names = shared.into_inner();
        assert_eq!(names.name(1), b"10.0.0.2");
        assert_eq!(names.name(2), b"");
    }
}
