//! One shard of the fold: an entry for each distinct value, with a set of its clients.
//!
//! # Cost model
//!
//! An observation reads and writes three places: the bucket of the [`HashIndex`] (one cache
//! line), the entry with its value (mostly three lines) and, if the indicator has more than
//! one client, the slice of its [`ClientSet`](super::clients::ClientSet) (one line). The
//! address of each is known only after the one before was read, and in a large log most are
//! in no cache. A look-up that waits for each of them costs three memory latencies.
//!
//! [`Table::observe`] is therefore a software pipeline. It takes each stage for [`STAGE`]
//! observations before the next stage of the first of them, and each stage prefetches what
//! the next one reads:
//!
//! ```text
//! observation          0..16            16..32           32..48           48..64
//! step  0..16    prefetch bucket
//! step 16..32    read bucket,     prefetch bucket
//!                prefetch entry
//! step 32..48    read entry,      read bucket,     prefetch bucket
//!                prefetch set     prefetch entry
//! step 48..64    compare, count,  read entry,      read bucket,     prefetch bucket
//!                add client       prefetch set     prefetch entry
//! ```
//!
//! The second stage guesses: it takes the first ID under the hash without comparing the
//! value. The last stage compares; it looks the value up again if the guess was wrong, or if
//! an observation in the pipeline added the value since.
//!
//! Figures and alternatives: `docs/decisions/staged-lookups.md`.

use super::arena::EntryArena;
use super::clients::ClientSets;
use super::entry::Entry;
use super::index::HashIndex;
use crate::indicator::{Indicator, Kind};
use crate::observation::{Action, LogPosition};

/// Entries by their values as they are written in the logs.
#[derive(Debug, Default)]
pub(super) struct Table {
    arena: EntryArena,
    index: HashIndex,
    sets: ClientSets,
    /// The entries whose values may not be canonical, in ascending order. A value is checked
    /// when it is added, while it is in the cache.
    unverified: Vec<u32>,
}

/// An observation with the key that it is folded by.
pub(super) struct KeyedObservation<'a> {
    pub(super) kind: Kind,
    pub(super) value: &'a [u8],
    /// The hash of the value.
    pub(super) hash: u32,
    pub(super) client: Option<u32>,
    pub(super) action: Action,
    pub(super) time_us: Option<i64>,
    pub(super) position: LogPosition,
}

/// How many observations are in each stage of a look-up.
const STAGE: usize = 16;

/// No entry.
const NONE: u32 = u32::MAX;

impl Table {
    /// The largest table.
    pub(super) const MAX_BYTES: usize = EntryArena::MAX_BYTES;

    /// Folds observations into the table.
    pub(super) fn observe(&mut self, observations: &[KeyedObservation<'_>]) {
        // The guessed IDs of the observations between the second and the last stage.
        let mut ids = [NONE; 2 * STAGE];
        for step in 0..observations.len() + 3 * STAGE {
            let in_stage = |stage: usize| {
                let number = step.checked_sub(stage * STAGE)?;
                let observation = observations.get(number)?;
                Some((observation, number % (2 * STAGE)))
            };
            if let Some((observation, slot)) = in_stage(3) {
                self.observe_one(ids[slot], observation);
            }
            if let Some((observation, slot)) = in_stage(2)
                && let Some(client) = observation.client
                && ids[slot] != NONE
            {
                let (entry, _) = self.arena.get(ids[slot]);
                self.sets.prefetch(entry.clients, client);
            }
            if let Some((observation, slot)) = in_stage(1) {
                ids[slot] = self.index.first(observation.hash).unwrap_or(NONE);
                self.arena.prefetch(ids[slot], observation.value.len());
            }
            if let Some((observation, _)) = in_stage(0) {
                self.index.prefetch(observation.hash);
            }
        }
    }

    /// Folds one observation into the table, given a guess of its entry.
    #[inline]
    fn observe_one(&mut self, guess: u32, observation: &KeyedObservation<'_>) {
        let KeyedObservation {
            kind,
            value,
            hash,
            position,
            ..
        } = *observation;
        let id = if guess != NONE && self.is_value(guess, kind, value) {
            guess
        } else {
            self.id_of(kind, value, hash, position)
        };
        let entry = self.arena.entry_mut(id);
        entry.observe(observation.action, observation.time_us, position);
        if let Some(client) = observation.client {
            self.sets.add(&mut entry.clients, client);
        }
    }

    /// The IDs of all entries with observations, in ascending order.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.arena.ids().filter(|id| self.entry(*id).count > 0)
    }

    /// The IDs of the entries whose values may not be canonical, in ascending order.
    pub(super) fn unverified(&self) -> &[u32] {
        &self.unverified
    }

    pub(super) fn entry(&self, id: u32) -> &Entry {
        self.arena.get(id).0
    }

    pub(super) fn entry_and_value(&self, id: u32) -> (&Entry, &[u8]) {
        self.arena.get(id)
    }

    /// An entry's kind and value.
    pub(super) fn value(&self, id: u32) -> (Kind, &[u8]) {
        let (entry, value) = self.arena.get(id);
        (entry.kind(), value)
    }

    /// The numbers of an entry's clients, in ascending order.
    pub(super) fn clients(&self, entry: &Entry) -> Vec<u32> {
        self.sets.clients(entry.clients)
    }

    /// Removes an entry's observations and returns them with its clients. The value remains
    /// stored.
    pub(super) fn take(&mut self, id: u32) -> (Entry, Vec<u32>) {
        let entry = self.arena.entry_mut(id);
        let clients = self.sets.clients(entry.clients);
        self.sets.clear(&mut entry.clients);
        let empty = Entry::new(entry.kind(), entry.value_len(), entry.first_seen());
        (std::mem::replace(entry, empty), clients)
    }

    /// Adds the counts of an entry and its clients to the entry of this value, and returns
    /// the ID of that.
    pub(super) fn merge(
        &mut self,
        kind: Kind,
        value: &[u8],
        hash: u32,
        other: &Entry,
        clients: &[u32],
    ) -> u32 {
        let id = self.id_of(kind, value, hash, other.first_seen());
        let entry = self.arena.entry_mut(id);
        entry.add(other);
        for client in clients {
            self.sets.add(&mut entry.clients, *client);
        }
        id
    }

    /// How much memory the table takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.arena.memory_bytes()
            + self.index.memory_bytes()
            + self.sets.memory_bytes()
            + self.unverified.len() * size_of::<u32>()
    }

    #[inline]
    fn is_value(&self, id: u32, kind: Kind, value: &[u8]) -> bool {
        let (entry, stored) = self.arena.get(id);
        entry.kind() == kind && stored == value
    }

    /// The ID of a value's entry, which is added if there is none.
    fn id_of(&mut self, kind: Kind, value: &[u8], hash: u32, first_seen: LogPosition) -> u32 {
        let is_match = |id: u32| self.is_value(id, kind, value);
        if let Some(id) = self.index.find(hash, is_match) {
            return id;
        }
        let id = self.arena.add(kind, value, first_seen);
        if !Indicator::is_canonical(kind, value) {
            self.unverified.push(id);
        }
        self.index.add(hash, id);
        id
    }
}
