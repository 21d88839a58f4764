//! The clients' names, each kept once and numbered over all threads.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use super::hash_of;
use super::index::HashIndex;

/// Different names.
#[derive(Debug, Default)]
pub(super) struct Interner {
    /// All names, one behind the other.
    text: Vec<u8>,
    /// Where each is.
    places: Vec<Range<usize>>,
    index: HashIndex,
}

/// The numbers of names for all threads.
#[derive(Debug, Default)]
pub(super) struct SharedInterner(Mutex<Interner>);

/// What one thread knows of the shared numbers: it asks for each name once.
#[derive(Debug, Default)]
pub(super) struct InternerCache {
    names: Interner,
    numbers: Vec<u32>,
}

impl Interner {
    /// The number of a name, and whether it is a new one.
    #[inline]
    fn number_of(&mut self, hasher: &RandomState, name: &[u8]) -> (u32, bool) {
        let hash = hash_of(hasher, name);
        let is_it = |id: u32| self.text[self.places[id as usize].clone()] == *name;
        if let Some(id) = self.index.find(hash, is_it) {
            return (id, false);
        }
        // Different clients number less than 2^32: they would not fit into memory.
        let id = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let start = self.text.len();
        self.text.extend_from_slice(name);
        self.places.push(start..self.text.len());
        self.index.add(hash, id);
        (id, true)
    }

    /// The name under a number.
    pub(super) fn name(&self, number: u32) -> &[u8] {
        let place = self.places.get(number as usize).cloned();
        place.map(|place| &self.text[place]).unwrap_or_default()
    }
}

impl SharedInterner {
    pub(super) fn lock(&self) -> MutexGuard<'_, Interner> {
        // A name is added by one push; no panic leaves half of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (known, is_new) = self.names.number_of(hasher, name);
        if is_new {
            let (number, _) = shared.lock().number_of(hasher, name);
            self.numbers.push(number);
        }
        self.numbers[known as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_number_names_alike() {
        let (shared, hasher) = (SharedInterner::default(), RandomState::default());
        let mut threads = [InternerCache::default(), InternerCache::default()];
        for (thread, name, expected) in [
            (0, "10.0.0.1", 0),
            (1, "10.0.0.2", 1),
            (1, "10.0.0.1", 0),
            (0, "10.0.0.2", 1),
            (0, "10.0.0.1", 0),
        ] {
            let known: &mut InternerCache = &mut threads[thread];
            assert_eq!(known.number_of(&shared, &hasher, name.as_bytes()), expected);
        }
        let names = shared.into_inner();
        assert_eq!(names.name(1), b"10.0.0.2");
        assert_eq!(names.name(2), b"");
    }
}
