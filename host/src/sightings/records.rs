//! The records of a table: what is counted of an indicator, and behind that its
//! value. Whoever looks for one needs the other: they lie in neighbouring lines of
//! the processor's cache. A record never moves, so that growing costs no copy.

use zerocopy::{FromBytes, IntoBytes};

use super::entry::Entry;
use super::prefetch::prefetch;
use crate::indicator::Kind;
use crate::observation::LogPosition;

/// The bits of a record's place within its block, in words.
const START_BITS: u32 = 17;

/// A block's size in words: 1 MiB.
const BLOCK: usize = 1 << START_BITS;

/// The longest value. The host's limit on one is a sixteenth of a block.
const MAX_LEN: usize = BLOCK * size_of::<u64>() - size_of::<Entry>();

/// Records in blocks of words. The number of one tells where it is: its block,
/// and its place there.
#[derive(Debug, Default)]
pub(super) struct EntryArena(Vec<Vec<u64>>);

impl EntryArena {
    /// The most bytes of records that can be numbered: 32 GiB.
    pub(super) const MAX_BYTES: usize = (u32::MAX as usize).saturating_mul(size_of::<u64>());

    /// Adds a record with nothing counted; of a value that is longer than any can
    /// be, its beginning.
    pub(super) fn add(&mut self, kind: Kind, value: &[u8], place: LogPosition) -> u32 {
        let value = &value[..value.len().min(MAX_LEN)];
        let entry = Entry::new(kind, value.len(), place);
        let room = self.0.last().map(|block| BLOCK - block.len());
        if room.is_none_or(|room| room < words_of(&entry)) {
            self.0.push(Vec::with_capacity(BLOCK));
        }
        let index = self.0.len() - 1;
        let block = &mut self.0[index];
        let start = block.len();
        block.resize(start + words_of(&entry), 0);
        let (head, rest) = block[start..]
            .as_mut_bytes()
            .split_at_mut(size_of::<Entry>());
        head.copy_from_slice(entry.as_bytes());
        rest[..value.len()].copy_from_slice(value);
        number(index, start)
    }

    /// The numbers of all records.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.0.iter().enumerate().flat_map(move |(index, block)| {
            let mut start = 0;
            std::iter::from_fn(move || {
                let id = (start < block.len()).then(|| number(index, start))?;
                start += words_of(self.at(id).0);
                Some(id)
            })
        })
    }

    /// A record's counts and its value.
    #[inline]
    pub(super) fn at(&self, id: u32) -> (&Entry, &[u8]) {
        let (block, start) = place_of(id);
        match Entry::ref_from_prefix(self.0[block][start..].as_bytes()) {
            Ok((entry, rest)) => (entry, &rest[..entry.value_len()]),
            Err(error) => unreachable!("no record {id}: {error}"),
        }
    }

    /// A record's counts, to be changed.
    #[inline]
    pub(super) fn entry_mut(&mut self, id: u32) -> &mut Entry {
        let (block, start) = place_of(id);
        match Entry::mut_from_prefix(self.0[block][start..].as_mut_bytes()) {
            Ok((entry, _)) => entry,
            Err(error) => unreachable!("no record {id}: {error}"),
        }
    }

    /// Asks the memory for a record with a value of this length.
    #[inline]
    pub(super) fn prefetch(&self, id: u32, value_len: usize) {
        let (block, start) = place_of(id);
        let words = self.0.get(block).and_then(|block| block.get(start..));
        let record = words.unwrap_or_default().as_bytes();
        let value = size_of::<Entry>();
        for byte in [0, value, value + value_len - 1] {
            prefetch(record.get(byte));
        }
    }

    /// How many bytes of memory were touched.
    pub(super) fn memory_bytes(&self) -> usize {
        let (last, full) = match self.0.split_last() {
            Some((last, full)) => (last.len(), full.len()),
            None => (0, 0),
        };
        (full * BLOCK + last) * size_of::<u64>()
    }
}

/// How many words a record takes.
fn words_of(entry: &Entry) -> usize {
    (size_of::<Entry>() + entry.value_len()).div_ceil(size_of::<u64>())
}

fn number(block: usize, start: usize) -> u32 {
    (block << START_BITS | start) as u32
}

/// A record's block, and at which word of it the record begins.
#[inline]
fn place_of(id: u32) -> (usize, usize) {
    let start = id & ((1 << START_BITS) - 1);
    ((id >> START_BITS) as usize, start as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_went_in() {
        let long = vec![b'x'; MAX_LEN];
        let values: [&[u8]; 7] = [b"a", b"", &long, b"eight by", b"nine byte", &long, b"b"];
        let mut records = EntryArena::default();
        let ids: Vec<u32> = (0..)
            .zip(values)
            .map(|(line, value)| records.add(Kind::Url, value, LogPosition::new(0, line)))
            .collect();
        for id in &ids {
            records.entry_mut(*id).count = u64::from(*id) + 1;
        }
        assert!(records.ids().eq(ids.iter().copied()));
        for ((line, value), id) in (0..).zip(values).zip(ids) {
            let (entry, kept) = records.at(id);
            assert!(kept == value, "{} bytes", value.len());
            assert_eq!(entry.place(), LogPosition::new(0, line));
            assert_eq!(entry.count, u64::from(id) + 1);
        }
    }

    #[test]
    fn a_value_longer_than_any_keeps_its_beginning() {
        let mut records = EntryArena::default();
        let longer = vec![b'x'; MAX_LEN + 1];
        let id = records.add(Kind::Domain, &longer, LogPosition::new(0, 0));
        let (entry, kept) = records.at(id);
        assert_eq!(entry.kind(), Kind::Domain);
        assert!(kept == &longer[..MAX_LEN]);
    }
}
