//! The fold itself: one hash for each observation, one small entry for each
//! distinct indicator, eight bytes for each pair of indicator and client.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::arena::{Arena, Text};
use crate::extraction::Place;
use crate::indicator::{Kind, raw_host};
use crate::observation::Action;
use crate::plugin::RawObservation;

/// What observations are folded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FoldBy {
    /// By the indicator itself.
    #[default]
    Indicator,
    /// By the domain or address that it belongs to.
    Host,
}

/// The sightings of one worker, keyed by the bytes that the log has.
#[derive(Debug, Default)]
pub struct Table {
    fold_by: FoldBy,
    hasher: RandomState,
    values: Arena,
    entries: Vec<Entry>,
    index: HashTable<u32>,
    clients: Names,
    pairs: HashTable<u64>,
}

/// The counts of one indicator.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    value: Text,
    pub(super) kind: Kind,
    pub(super) count: u64,
    pub(super) allowed: u64,
    pub(super) blocked: u64,
    first_us: i64,
    last_us: i64,
    pub(super) place: Place,
}

/// Different names, each kept once and numbered.
#[derive(Debug, Default)]
struct Names {
    texts: Arena,
    all: Vec<Text>,
    index: HashTable<u32>,
}

impl Entry {
    fn new(value: Text, kind: Kind, place: Place) -> Self {
        Self {
            value,
            kind,
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

    fn observe(&mut self, observation: &RawObservation<'_>) {
        self.count += 1;
        match observation.action {
            Action::Allowed => self.allowed += 1,
            Action::Blocked => self.blocked += 1,
            Action::Unstated => {}
        }
        if let Some(time_us) = observation.time_us {
            self.first_us = self.first_us.min(time_us);
            self.last_us = self.last_us.max(time_us);
        }
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
    /// An empty table.
    #[must_use]
    pub fn new(fold_by: FoldBy) -> Self {
        Self {
            fold_by,
            ..Self::default()
        }
    }

    /// Folds an observation in. One whose value has no host is kept as it is
    /// when folding by host: the merge counts it as invalid.
    pub fn observe(&mut self, observation: &RawObservation<'_>, place: Place) {
        let (kind, value) = match self.fold_by {
            FoldBy::Indicator => (observation.kind, observation.value),
            FoldBy::Host => raw_host(observation.kind, observation.value)
                .map_or((observation.kind, observation.value), |host| {
                    (Kind::Domain, host)
                }),
        };
        let id = self.id_of(kind, value, place);
        let entry = &mut self.entries[id as usize];
        entry.observe(observation);
        entry.place = entry.place.min(place);
        if !observation.client.is_empty() {
            let client = self.clients.id_of(&self.hasher, observation.client);
            self.pair(id, client);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn entry(&self, id: usize) -> &Entry {
        &self.entries[id]
    }

    pub(super) fn value(&self, entry: &Entry) -> &[u8] {
        self.values.bytes(entry.value)
    }

    pub(super) fn find(&self, kind: Kind, value: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(value);
        let same = |id: &u32| {
            let entry = &self.entries[*id as usize];
            entry.kind == kind && self.values.bytes(entry.value) == value
        };
        self.index.find(hash, same).copied()
    }

    /// Adds the counts of another table's entry under this value.
    pub(super) fn add_entry(&mut self, kind: Kind, value: &[u8], entry: &Entry) -> u32 {
        let id = self.id_of(kind, value, entry.place);
        self.entries[id as usize].add(entry);
        id
    }

    /// Adds another table's pairs; `ids` are its entries' ids in this one.
    pub(super) fn add_pairs(&mut self, other: &Self, ids: &[Option<u32>]) {
        let clients: Vec<u32> = other
            .clients
            .all
            .iter()
            .map(|name| {
                self.clients
                    .id_of(&self.hasher, other.clients.texts.bytes(*name))
            })
            .collect();
        for (indicator, client) in other.pairs.iter().map(|pair| split(*pair)) {
            if let Some(id) = ids[indicator] {
                self.pair(id, clients[client]);
            }
        }
    }

    pub(super) fn client_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.entries.len()];
        for pair in &self.pairs {
            counts[split(*pair).0] += 1;
        }
        counts
    }

    pub(super) fn clients_of_each(&self) -> Vec<Vec<String>> {
        let mut clients = vec![Vec::new(); self.entries.len()];
        for (indicator, client) in self.pairs.iter().map(|pair| split(*pair)) {
            let name = self.clients.texts.bytes(self.clients.all[client]);
            clients[indicator].push(String::from_utf8_lossy(name).into_owned());
        }
        for names in &mut clients {
            names.sort_unstable();
            names.dedup();
        }
        clients
    }

    fn id_of(&mut self, kind: Kind, value: &[u8], place: Place) -> u32 {
        let hash = self.hasher.hash_one(value);
        let (entries, values, hasher) = (&self.entries, &self.values, &self.hasher);
        let same = |id: &u32| {
            let entry = &entries[*id as usize];
            entry.kind == kind && values.bytes(entry.value) == value
        };
        let rehash = |id: &u32| hasher.hash_one(values.bytes(entries[*id as usize].value));
        match self.index.entry(hash, same, rehash) {
            hashbrown::hash_table::Entry::Occupied(found) => *found.get(),
            hashbrown::hash_table::Entry::Vacant(free) => {
                let id = narrow(self.entries.len());
                free.insert(id);
                let value = self.values.add(value);
                self.entries.push(Entry::new(value, kind, place));
                id
            }
        }
    }

    fn pair(&mut self, indicator: u32, client: u32) {
        let pair = u64::from(indicator) << 32 | u64::from(client);
        let hasher = &self.hasher;
        self.pairs
            .entry(
                hasher.hash_one(pair),
                |other| *other == pair,
                |other| hasher.hash_one(*other),
            )
            .or_insert(pair);
    }
}

impl Names {
    fn id_of(&mut self, hasher: &RandomState, name: &[u8]) -> u32 {
        let (all, texts) = (&self.all, &self.texts);
        let same = |id: &u32| texts.bytes(all[*id as usize]) == name;
        let rehash = |id: &u32| hasher.hash_one(texts.bytes(all[*id as usize]));
        match self.index.entry(hasher.hash_one(name), same, rehash) {
            hashbrown::hash_table::Entry::Occupied(found) => *found.get(),
            hashbrown::hash_table::Entry::Vacant(free) => {
                let id = narrow(self.all.len());
                free.insert(id);
                self.all.push(self.texts.add(name));
                id
            }
        }
    }
}

/// A pair's indicator and client.
fn split(pair: u64) -> (usize, usize) {
    ((pair >> 32) as usize, (pair & u64::from(u32::MAX)) as usize)
}

/// Distinct indicators and clients number less than 2^32: they would not fit
/// into memory.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
