//! Memory for the entries of a table and their values.
//!
//! Each [`Entry`] is followed by its value, because a look-up reads both. Entries never
//! move, so growing copies nothing.
//!
//! ```text
//! block 0 (1 MiB)
//! word  0        8            15       23
//!      ┌────────┬────────────┬────────┬─────────┬──
//!      │ Entry  │ value, 50  │ Entry  │ value   │ …
//!      │ 64 B   │ bytes, pad │ 64 B   │         │
//!      └────────┴────────────┴────────┴─────────┴──
//! ID   block << 17 | word: the second entry has the ID 15, the first of block 1 has 131072
//! ```

use zerocopy::{FromBytes, IntoBytes};

use super::entry::Entry;
use super::prefetch::prefetch;
use crate::indicator::Kind;
use crate::observation::LogPosition;

/// How many bits of an ID are the entry's first word within its block.
const WORD_BITS: u32 = 17;

/// The size of a block in words: 1 MiB.
const BLOCK_WORDS: usize = 1 << WORD_BITS;

/// The longest value in bytes. Parsers return values of at most a sixteenth of it.
const MAX_VALUE_LEN: usize = BLOCK_WORDS * size_of::<u64>() - size_of::<Entry>();

/// Blocks of entries and their values.
#[derive(Debug, Default)]
pub(super) struct EntryArena(Vec<Vec<u64>>);

impl EntryArena {
    /// How many bytes the IDs can address: 32 GiB.
    pub(super) const MAX_BYTES: usize = (u32::MAX as usize).saturating_mul(size_of::<u64>());

    /// Adds an entry without observations and returns its ID. A value longer than
    /// [`MAX_VALUE_LEN`] is truncated.
    pub(super) fn add(&mut self, kind: Kind, value: &[u8], first_seen: LogPosition) -> u32 {
        let value = &value[..value.len().min(MAX_VALUE_LEN)];
        let entry = Entry::new(kind, value.len(), first_seen);
        let room = self.0.last().map(|block| BLOCK_WORDS - block.len());
        if room.is_none_or(|room| room < words_of(&entry)) {
            self.0.push(Vec::with_capacity(BLOCK_WORDS));
        }
        let index = self.0.len() - 1;
        let block = &mut self.0[index];
        let word = block.len();
        block.resize(word + words_of(&entry), 0);
        let (head, rest) = block[word..]
            .as_mut_bytes()
            .split_at_mut(size_of::<Entry>());
        head.copy_from_slice(entry.as_bytes());
        rest[..value.len()].copy_from_slice(value);
        id_of(index, word)
    }

    /// The IDs of all entries, in ascending order.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.0.iter().enumerate().flat_map(move |(index, block)| {
            let mut word = 0;
            std::iter::from_fn(move || {
                let id = (word < block.len()).then(|| id_of(index, word))?;
                word += words_of(self.get(id).0);
                Some(id)
            })
        })
    }

    /// An entry and its value.
    #[inline]
    pub(super) fn get(&self, id: u32) -> (&Entry, &[u8]) {
        let (block, word) = block_and_word(id);
        match Entry::ref_from_prefix(self.0[block][word..].as_bytes()) {
            Ok((entry, rest)) => (entry, &rest[..entry.value_len()]),
            Err(error) => unreachable!("no entry {id}: {error}"),
        }
    }

    /// An entry to be changed.
    #[inline]
    pub(super) fn entry_mut(&mut self, id: u32) -> &mut Entry {
        let (block, word) = block_and_word(id);
        match Entry::mut_from_prefix(self.0[block][word..].as_mut_bytes()) {
            Ok((entry, _)) => entry,
            Err(error) => unreachable!("no entry {id}: {error}"),
        }
    }

    /// Prefetches an entry whose value has about this length, three cache lines in most
    /// cases. Does nothing for an ID that was not added.
    #[inline]
    pub(super) fn prefetch(&self, id: u32, value_len: usize) {
        let (block, word) = block_and_word(id);
        let words = self.0.get(block).and_then(|block| block.get(word..));
        let bytes = words.unwrap_or_default().as_bytes();
        let value = size_of::<Entry>();
        for byte in [0, value, value + value_len - 1] {
            prefetch(bytes.get(byte));
        }
    }

    /// The size of what was added. Words of a block that were never used take no memory.
    pub(super) fn memory_bytes(&self) -> usize {
        let words = self
            .0
            .split_last()
            .map_or(0, |(last, full)| full.len() * BLOCK_WORDS + last.len());
        words * size_of::<u64>()
    }
}

/// How many words an entry takes together with its value.
fn words_of(entry: &Entry) -> usize {
    (size_of::<Entry>() + entry.value_len()).div_ceil(size_of::<u64>())
}

fn id_of(block: usize, word: usize) -> u32 {
    (block << WORD_BITS | word) as u32
}

#[inline]
fn block_and_word(id: u32) -> (usize, usize) {
    let word = id & ((1 << WORD_BITS) - 1);
    ((id >> WORD_BITS) as usize, word as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_values_and_counts() {
        let long = vec![b'x'; MAX_VALUE_LEN];
        let values: [&[u8]; 7] = [b"a", b"", &long, b"eight by", b"nine byte", &long, b"b"];
        let mut arena = EntryArena::default();
        let ids: Vec<u32> = (0..)
            .zip(values)
            .map(|(line, value)| arena.add(Kind::Url, value, LogPosition::new(0, line)))
            .collect();
        for id in &ids {
            arena.entry_mut(*id).count = u64::from(*id) + 1;
        }
        assert!(arena.ids().eq(ids.iter().copied()));
        for ((line, value), id) in (0..).zip(values).zip(ids) {
            let (entry, stored) = arena.get(id);
            assert!(stored == value, "{} bytes", value.len());
            assert_eq!(entry.first_seen(), LogPosition::new(0, line));
            assert_eq!(entry.count, u64::from(id) + 1);
        }
    }

    #[test]
    fn values_past_the_longest_are_truncated() {
        let mut arena = EntryArena::default();
        let longer = vec![b'x'; MAX_VALUE_LEN + 1];
        let id = arena.add(Kind::Domain, &longer, LogPosition::new(0, 0));
        let (entry, stored) = arena.get(id);
        assert_eq!(entry.kind(), Kind::Domain);
        assert!(stored == &longer[..MAX_VALUE_LEN]);
    }
}
