//! Sightings past the memory limit.
//!
//! Tables of the fold are written to partitions, by the hash of the canonical value. When all
//! are written, one partition after the other is folded in a table, because one fits in memory,
//! and written again in the order in which the indicators were first seen. Reading merges the
//! partitions. See `docs/decisions/spill-by-partitions.md`.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::path::Path;

use foldhash::fast::RandomState;
use zerocopy::{FromZeros as _, IntoBytes as _};

use super::block_file::{BlockFile, BlockReader, BlockStream};
use super::entry::Entry;
use super::hash::{hash_of, shard_of};
use super::invalid::InvalidTally;
use super::sighting::SightingCounts;
use super::table::Table;
use crate::indicator::{Indicator, Kind};
use crate::input::cannot_store;
use crate::observation::LogPosition;

/// Partitions: as many that one of a thousand million indicators fits in memory. A power of
/// two.
const PARTITIONS: usize = 256;

/// Sightings in a temporary file.
pub(super) struct Spill {
    file: BlockFile,
    hasher: RandomState,
    partitions: Vec<BlockStream>,
    /// A row that is being written.
    row: Vec<u8>,
}

/// Sightings could not be stored or read.
#[derive(Debug, thiserror::Error)]
#[error("sightings past --max-memory: {0}")]
pub struct SpillError(String);

impl SpillError {
    /// An error of the temporary file in this folder.
    pub(super) fn new(folder: &Path, error: &std::io::Error) -> Self {
        Self(cannot_store(folder, error))
    }
}

/// The sightings of one indicator, as a spill returns them.
#[derive(Debug)]
pub struct SpilledSighting {
    entry: Entry,
    value: Vec<u8>,
    /// The indicator as the log wrote it first; empty if that is its canonical form.
    written: Vec<u8>,
    /// The numbers of the clients, in ascending order.
    pub(super) clients: Vec<u32>,
}

impl Spill {
    /// An empty spill.
    ///
    /// # Errors
    ///
    /// If the temporary file cannot be created.
    pub(super) fn new() -> Result<Self, SpillError> {
        Ok(Self {
            file: BlockFile::new()?,
            hasher: RandomState::default(),
            partitions: empty_streams(),
            row: Vec::new(),
        })
    }

    /// The folder of the temporary file.
    pub(super) fn folder(&self) -> &Path {
        self.file.folder()
    }

    /// Writes the entries of a table under their canonical values. Invalid values are added to
    /// `invalid`.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn add(
        &mut self,
        table: &Table,
        invalid: &mut InvalidTally,
    ) -> Result<(), SpillError> {
        let mut unverified = table.unverified().iter().copied().peekable();
        for id in table.ids() {
            let (entry, (kind, written)) = (table.entry(id), table.value(id));
            while unverified.next_if(|other| *other < id).is_some() {}
            if unverified.next_if_eq(&id).is_none() {
                self.write(entry, written, &[], &table.clients(entry))?;
                continue;
            }
            let indicator = match Indicator::parse(kind, written) {
                Ok(indicator) => indicator,
                Err(reason) => {
                    invalid.add(reason, entry, written);
                    continue;
                }
            };
            let value = indicator.value().as_bytes();
            let is_canonical = indicator.kind() == kind && value == written;
            let written = if is_canonical { &[] } else { written };
            let entry_of_value = entry.renamed(indicator.kind(), value.len());
            self.write(&entry_of_value, value, written, &table.clients(entry))?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        entry: &Entry,
        value: &[u8],
        written: &[u8],
        clients: &[u32],
    ) -> Result<(), SpillError> {
        let hash = hash_of(&self.hasher, value);
        push_row(&mut self.row, entry, value, written, clients);
        self.partitions[shard_of(hash, PARTITIONS)].push(&self.row, &mut self.file)
    }

    /// All sightings, in the order in which the indicators were first seen, those of one line
    /// by their values.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written.
    pub(super) fn into_rows(mut self) -> Result<SpilledRows, SpillError> {
        let partitions = std::mem::take(&mut self.partitions);
        let mut rows = SpilledRows {
            file: self.file,
            runs: Vec::new(),
            heads: BinaryHeap::new(),
        };
        for partition in partitions {
            let run = sorted(partition, &self.hasher, &mut rows.file, &mut self.row)?;
            rows.runs.push(run.into_reader());
        }
        for run in 0..rows.runs.len() {
            if let Some(row) = next_row(&mut rows.runs[run], &mut rows.file)? {
                rows.heads.push(Head { row, run });
            }
        }
        Ok(rows)
    }
}

fn empty_streams() -> Vec<BlockStream> {
    std::iter::repeat_with(BlockStream::default)
        .take(PARTITIONS)
        .collect()
}

/// Folds a partition and writes it in order.
fn sorted(
    partition: BlockStream,
    hasher: &RandomState,
    file: &mut BlockFile,
    text: &mut Vec<u8>,
) -> Result<BlockStream, SpillError> {
    let mut table = Table::default();
    let mut written: HashMap<u32, Vec<u8>> = HashMap::new();
    let mut rows = partition.into_reader();
    while let Some(row) = next_row(&mut rows, file)? {
        let (hash, entry) = (hash_of(hasher, &row.value), &row.entry);
        let id = table.merge(entry.kind(), &row.value, hash, entry, &row.clients);
        // The form that was seen first is displayed.
        if table.entry(id).first_seen() == entry.first_seen() {
            match row.written.is_empty() {
                true => drop(written.remove(&id)),
                false => drop(written.insert(id, row.written)),
            }
        }
    }
    let mut ids: Vec<u32> = table.ids().collect();
    let key = |id: u32| (table.entry(id).first_seen(), table.value(id));
    ids.sort_unstable_by(|one, other| key(*one).cmp(&key(*other)));
    let mut run = BlockStream::default();
    for id in ids {
        let (entry, value) = table.entry_and_value(id);
        let written = written.get(&id).map_or(&[][..], Vec::as_slice);
        push_row(text, entry, value, written, &table.clients(entry));
        run.push(text, file)?;
    }
    Ok(run)
}

/// The sightings of a spill, in order.
pub struct SpilledRows {
    file: BlockFile,
    runs: Vec<BlockReader>,
    heads: BinaryHeap<Head>,
}

/// The next row of a run. The greatest is the one that was seen first.
struct Head {
    row: SpilledSighting,
    run: usize,
}

impl Iterator for SpilledRows {
    type Item = Result<SpilledSighting, SpillError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut head = self.heads.peek_mut()?;
        match next_row(&mut self.runs[head.run], &mut self.file) {
            Ok(Some(row)) => Some(Ok(std::mem::replace(&mut head.row, row))),
            Ok(None) => Some(Ok(PeekMut::pop(head).row)),
            Err(error) => Some(Err(error)),
        }
    }
}

impl Head {
    fn key(&self) -> (LogPosition, Kind, &[u8]) {
        let SpilledSighting { entry, value, .. } = &self.row;
        (entry.first_seen(), entry.kind(), value)
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

impl SpilledSighting {
    /// The counts of the indicator.
    #[must_use]
    pub fn counts(&self) -> SightingCounts<'_> {
        let clients = u32::try_from(self.clients.len()).unwrap_or(u32::MAX);
        SightingCounts::new(&self.entry, &self.value, clients)
    }

    /// The indicator as the log wrote it first, if that is not its canonical form.
    pub(super) fn written(&self) -> Option<String> {
        (!self.written.is_empty()).then(|| String::from_utf8_lossy(&self.written).into_owned())
    }

    pub(super) fn first_seen(&self) -> LogPosition {
        self.entry.first_seen()
    }
}

/// The lengths of a row's parts after its entry: of the written form in bytes, and of the
/// clients in numbers.
type Lengths = [u32; 2];

/// Replaces `row` by the row of these sightings: the entry, the lengths, value, written form and
/// clients. A written form is shorter than 4 GiB, and so are lists of clients.
fn push_row(row: &mut Vec<u8>, entry: &Entry, value: &[u8], written: &[u8], clients: &[u32]) {
    let lengths: Lengths = [written.len() as u32, clients.len() as u32];
    row.clear();
    for part in [
        entry.as_bytes(),
        lengths.as_bytes(),
        value,
        written,
        clients.as_bytes(),
    ] {
        row.extend_from_slice(part);
    }
}

/// Reads a row; none at the end.
fn next_row(
    run: &mut BlockReader,
    file: &mut BlockFile,
) -> Result<Option<SpilledSighting>, SpillError> {
    if run.is_at_end() {
        return Ok(None);
    }
    let mut entry = Entry::new_zeroed();
    run.read(entry.as_mut_bytes(), file)?;
    let mut lengths = Lengths::default();
    run.read(lengths.as_mut_bytes(), file)?;
    let [written_len, clients_len] = lengths.map(|len| len as usize);
    let mut row = SpilledSighting {
        value: vec![0; entry.value_len()],
        written: vec![0; written_len],
        clients: vec![0; clients_len],
        entry,
    };
    run.read(&mut row.value, file)?;
    run.read(&mut row.written, file)?;
    run.read(row.clients.as_mut_bytes(), file)?;
    Ok(Some(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with this value, seen at a line by a client.
    fn table(kind: Kind, value: &str, line: u64, client: u32) -> Table {
        let mut entry = Entry::new(kind, value.len(), LogPosition::new(0, line));
        entry.count = 2;
        let mut table = Table::default();
        let hash = hash_of(&RandomState::default(), value.as_bytes());
        table.merge(kind, value.as_bytes(), hash, &entry, &[client]);
        table
    }

    #[test]
    fn sightings_of_one_indicator_are_added_and_come_in_the_order_of_first_seen() {
        let mut spill = Spill::new().unwrap();
        let mut invalid = InvalidTally::default();
        for table in [
            table(Kind::Url, "http://example.com/", 9, 7),
            table(Kind::Url, "HTTP://Example.com", 4, 1),
            table(Kind::Domain, "example.com", 5, 3),
            table(Kind::Domain, "not a name", 6, 3),
            table(Kind::Domain, "example.net", 5, 3),
            table(Kind::Url, "http://example.com/", 8, 7),
        ] {
            spill.add(&table, &mut invalid).unwrap();
        }
        let rows: Result<Vec<_>, _> = spill.into_rows().unwrap().collect();
        let rows = rows.unwrap();
        let shown = rows.iter().map(|row| {
            let counts = row.counts();
            (counts.value.into_owned(), counts.count, row.clients.clone())
        });
        let expected = [
            ("http://example.com/", 6, vec![1, 7]),
            ("example.com", 2, vec![3]),
            ("example.net", 2, vec![3]),
        ];
        let expected = expected.map(|(value, count, clients)| (value.to_owned(), count, clients));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert_eq!(rows[0].written().as_deref(), Some("HTTP://Example.com"));
        let first = LogPosition::new(0, 4);
        assert_eq!((rows[0].first_seen(), rows[1].written()), (first, None));
        assert_eq!(invalid.by_reason().values().next().unwrap().count, 2);
    }
}
