//! One part of the fold: the indicators whose hashes fall to it. A small entry
//! with each distinct value, and a word or less for each of its clients.

use super::clients::ClientSets;
use super::entry::Entry;
use super::index::HashIndex;
use super::records::EntryArena;
use crate::indicator::{Indicator, Kind};
use crate::observation::{Action, LogPosition};

/// Indicators by the bytes that the log has.
#[derive(Debug, Default)]
pub(super) struct Table {
    records: EntryArena,
    index: HashIndex,
    sets: ClientSets,
    /// The entries whose values may not be canonical: found out while a value is
    /// in the processor's cache.
    maybe_non_canonical: Vec<u32>,
}

/// An observation on its way into a table.
pub(super) struct KeyedObservation<'a> {
    pub(super) kind: Kind,
    pub(super) value: &'a [u8],
    pub(super) hash: u32,
    pub(super) client: Option<u32>,
    pub(super) action: Action,
    pub(super) time_us: Option<i64>,
    pub(super) place: LogPosition,
}

/// Each step of a look-up is taken for so many observations before the next is
/// for the first of them: by then the memory has answered.
const AHEAD: usize = 16;

/// No entry.
const NONE: u32 = u32::MAX;

impl Table {
    /// More cannot be numbered.
    pub(super) const MAX_BYTES: usize = EntryArena::MAX_BYTES;

    /// Folds observations in.
    ///
    /// What one is folded into lies in three places, each known from the one
    /// before, and most are in no cache: the index, a record, a set of clients. So
    /// a look-up goes in steps, and each step asks the memory for what the next
    /// one reads.
    pub(super) fn observe(&mut self, pending: &[KeyedObservation<'_>]) {
        let mut ids = [NONE; 2 * AHEAD];
        for turn in 0..pending.len() + 3 * AHEAD {
            let ahead = |steps: usize| {
                let place = turn.checked_sub(steps * AHEAD)?;
                pending.get(place).map(|one| (one, place % (2 * AHEAD)))
            };
            if let Some((one, place)) = ahead(3) {
                self.observe_one(ids[place], one);
            }
            if let Some((one, place)) = ahead(2)
                && let Some(client) = one.client
                && ids[place] != NONE
            {
                let (entry, _) = self.records.at(ids[place]);
                self.sets.prefetch(entry.clients, client);
            }
            if let Some((one, place)) = ahead(1) {
                ids[place] = self.index.first(one.hash).unwrap_or(NONE);
                self.records.prefetch(ids[place], one.value.len());
            }
            if let Some((one, _)) = ahead(0) {
                self.index.prefetch(one.hash);
            }
        }
    }

    /// Folds an observation in, most likely into this entry.
    #[inline]
    fn observe_one(&mut self, likely: u32, one: &KeyedObservation<'_>) {
        let id = if likely != NONE && self.is_value(likely, one.kind, one.value) {
            likely
        } else {
            self.id_of(one.kind, one.value, one.hash, one.place)
        };
        let entry = self.records.entry_mut(id);
        entry.observe(one);
        if let Some(client) = one.client {
            self.sets.add(&mut entry.clients, client);
        }
    }

    /// The numbers of the entries that are not taken out.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.records.ids().filter(|id| self.entry(*id).count > 0)
    }

    /// The numbers of the entries whose values may not be canonical.
    pub(super) fn maybe_non_canonical(&self) -> &[u32] {
        &self.maybe_non_canonical
    }

    pub(super) fn entry(&self, id: u32) -> &Entry {
        self.records.at(id).0
    }

    /// An entry's value, and what kind of indicator it is.
    pub(super) fn value(&self, id: u32) -> (Kind, &[u8]) {
        let (entry, value) = self.records.at(id);
        (entry.kind(), value)
    }

    /// The numbers of an entry's clients.
    pub(super) fn clients(&self, entry: &Entry) -> Vec<u32> {
        self.sets.clients(entry.clients)
    }

    /// Takes an entry out; only its value stays where it is.
    pub(super) fn take_out(&mut self, id: u32) -> (Entry, Vec<u32>) {
        let entry = self.records.entry_mut(id);
        let clients = self.sets.clients(entry.clients);
        self.sets.clear(&mut entry.clients);
        let empty = Entry::new(entry.kind(), entry.value_len(), entry.place());
        (std::mem::replace(entry, empty), clients)
    }

    /// Adds the counts of an entry and its clients under this value.
    pub(super) fn add_entry(
        &mut self,
        kind: Kind,
        value: &[u8],
        hash: u32,
        entry: &Entry,
        clients: &[u32],
    ) -> u32 {
        let id = self.id_of(kind, value, hash, entry.place());
        let kept = self.records.entry_mut(id);
        kept.add(entry);
        for client in clients {
            self.sets.add(&mut kept.clients, *client);
        }
        id
    }

    /// How many bytes the table takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.records.memory_bytes()
            + self.index.memory_bytes()
            + self.sets.memory_bytes()
            + self.maybe_non_canonical.len() * size_of::<u32>()
    }

    /// Whether an entry is that of a value.
    #[inline]
    fn is_value(&self, id: u32, kind: Kind, value: &[u8]) -> bool {
        let (entry, kept) = self.records.at(id);
        entry.kind() == kind && kept == value
    }

    fn id_of(&mut self, kind: Kind, value: &[u8], hash: u32, place: LogPosition) -> u32 {
        let is_it = |id: u32| self.is_value(id, kind, value);
        if let Some(id) = self.index.find(hash, is_it) {
            return id;
        }
        let id = self.records.add(kind, value, place);
        if !Indicator::is_canonical(kind, value) {
            self.maybe_non_canonical.push(id);
        }
        self.index.add(hash, id);
        id
    }
}
