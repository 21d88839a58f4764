//! One part of the fold: the indicators whose hashes fall to it. One small
//! entry for each distinct indicator, a word or less for each of its clients.

use super::arena::{Text, Values};
use super::blocks::Blocks;
use super::clients::{Set, Sets};
use super::index::Index;
use super::prefetch::prefetch;
use crate::indicator::{Indicator, Kind};
use crate::observation::{Action, Place};

/// Indicators by the bytes that the log has.
#[derive(Debug, Default)]
pub(super) struct Table {
    values: Values,
    entries: Blocks<Entry>,
    index: Index,
    sets: Sets,
    /// The entries whose values may not be canonical: found out while a value is
    /// in the processor's cache.
    maybe_odd: Vec<u32>,
}

/// The counts of one indicator; a line of the processor's cache.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(super) struct Entry {
    value: Text,
    clients: Set,
    pub(super) count: u64,
    pub(super) allowed: u64,
    pub(super) blocked: u64,
    first_us: i64,
    last_us: i64,
    pub(super) place: Place,
}

/// An observation on its way into a table.
pub(super) struct Pending<'a> {
    pub(super) kind: Kind,
    pub(super) value: &'a [u8],
    pub(super) hash: u32,
    pub(super) client: Option<u32>,
    pub(super) action: Action,
    pub(super) time_us: Option<i64>,
    pub(super) place: Place,
}

/// Each step of a look-up is taken for so many observations before the next is
/// for the first of them: by then the memory has answered.
const AHEAD: usize = 16;

impl Entry {
    fn new(value: Text, place: Place) -> Self {
        Self {
            value,
            clients: Set::default(),
            count: 0,
            allowed: 0,
            blocked: 0,
            first_us: i64::MAX,
            last_us: i64::MIN,
            place,
        }
    }

    pub(super) fn first_us(&self) -> Option<i64> {
        (self.first_us != i64::MAX).then_some(self.first_us)
    }

    pub(super) fn last_us(&self) -> Option<i64> {
        (self.last_us != i64::MIN).then_some(self.last_us)
    }

    /// How many different clients.
    pub(super) fn clients(&self) -> u32 {
        self.clients.len()
    }

    #[inline]
    fn observe(&mut self, pending: &Pending<'_>) {
        self.count += 1;
        match pending.action {
            Action::Allowed => self.allowed += 1,
            Action::Blocked => self.blocked += 1,
            Action::Unstated => {}
        }
        if let Some(time_us) = pending.time_us {
            self.first_us = self.first_us.min(time_us);
            self.last_us = self.last_us.max(time_us);
        }
        self.place = self.place.min(pending.place);
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.allowed += other.allowed;
        self.blocked += other.blocked;
        self.first_us = self.first_us.min(other.first_us);
        self.last_us = self.last_us.max(other.last_us);
        self.place = self.place.min(other.place);
    }
}

impl Table {
    /// Folds observations in.
    ///
    /// What one is folded into lies in five places, each known from the one
    /// before, and most are in no cache. So a look-up goes in steps, and each
    /// step asks the memory for what the next one reads.
    pub(super) fn observe(&mut self, pending: &[Pending<'_>]) {
        let mut ids = [u32::MAX; 2 * AHEAD];
        for turn in 0..pending.len() + 3 * AHEAD {
            let ahead = |steps: usize| {
                let place = turn.checked_sub(steps * AHEAD)?;
                pending.get(place).map(|one| (one, place % (2 * AHEAD)))
            };
            if let Some((one, place)) = ahead(3) {
                self.observe_one(ids[place], one);
            }
            if let Some((one, place)) = ahead(2)
                && let Some(entry) = self.entries.get(ids[place] as usize)
            {
                self.values.prefetch(entry.value);
                if let Some(client) = one.client {
                    self.sets.prefetch(entry.clients, client);
                }
            }
            if let Some((one, place)) = ahead(1) {
                ids[place] = self.index.likely(one.hash).unwrap_or(u32::MAX);
                prefetch(self.entries.get(ids[place] as usize));
            }
            if let Some((one, _)) = ahead(0) {
                self.index.prefetch(one.hash);
            }
        }
    }

    /// Folds an observation in, most likely into this entry.
    #[inline]
    fn observe_one(&mut self, likely: u32, one: &Pending<'_>) {
        let id = if self.is_value(likely, one.kind, one.value) {
            likely
        } else {
            self.id_of(one.kind, one.value, one.hash, one.place)
        };
        let entry = &mut self.entries[id as usize];
        entry.observe(one);
        if let Some(client) = one.client {
            self.sets.add(&mut entry.clients, client);
        }
    }

    /// How many entries there are, those that are taken out among them.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The numbers of the entries that are not taken out.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        let entries = (0..).zip(self.entries.iter());
        entries
            .filter(|(_, entry)| entry.count > 0)
            .map(|(id, _)| id)
    }

    /// The numbers of the entries whose values may not be canonical.
    pub(super) fn maybe_odd(&self) -> &[u32] {
        &self.maybe_odd
    }

    pub(super) fn entry(&self, id: u32) -> &Entry {
        &self.entries[id as usize]
    }

    pub(super) fn value(&self, entry: &Entry) -> (Kind, &[u8]) {
        self.values.of(entry.value)
    }

    /// The numbers of an entry's clients.
    pub(super) fn clients(&self, entry: &Entry) -> Vec<u32> {
        self.sets.clients(entry.clients)
    }

    /// Takes an entry out; only its value stays where it is.
    pub(super) fn take_out(&mut self, id: u32) -> (Entry, Vec<u32>) {
        let entry = &mut self.entries[id as usize];
        let clients = self.sets.clients(entry.clients);
        self.sets.forget(&mut entry.clients);
        let empty = Entry::new(entry.value, entry.place);
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
        let id = self.id_of(kind, value, hash, entry.place);
        let kept = &mut self.entries[id as usize];
        kept.add(entry);
        for client in clients {
            self.sets.add(&mut kept.clients, *client);
        }
        id
    }

    /// How many bytes the table takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.values.memory_bytes()
            + self.entries.memory_bytes()
            + self.index.memory_bytes()
            + self.sets.memory_bytes()
            + self.maybe_odd.len() * size_of::<u32>()
    }

    /// Whether an entry is that of a value.
    #[inline]
    fn is_value(&self, id: u32, kind: Kind, value: &[u8]) -> bool {
        let entry = self.entries.get(id as usize);
        entry.is_some_and(|entry| self.values.is(entry.value, kind, value))
    }

    fn id_of(&mut self, kind: Kind, value: &[u8], hash: u32, place: Place) -> u32 {
        let is_it = |id: u32| self.is_value(id, kind, value);
        if let Some(id) = self.index.find(hash, is_it) {
            return id;
        }
        // Distinct indicators number less than 2^32: they would not fit into
        // memory.
        let id = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        if !Indicator::is_canonical(kind, value) {
            self.maybe_odd.push(id);
        }
        let value = self.values.add(kind, value);
        self.entries.push(Entry::new(value, place));
        self.index.add(hash, id);
        id
    }
}
