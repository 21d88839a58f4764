//! The fold itself: one hash for each observation, one small entry for each
//! distinct indicator, a word for each pair of indicator and client.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::arena::{Arena, Text};
use super::index::{Index, PairSet};
use crate::indicator::{Kind, raw_host};
use crate::observation::{Action, Observation, Place};

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
    index: Index,
    clients: Names,
    pairs: PairSet,
}

/// The counts of one indicator.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    value: Text,
    pub(super) hash: u32,
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
    index: Index,
}

/// An observation on its way into the table.
struct Pending<'a, 'b> {
    observation: &'b Observation<'a>,
    place: Place,
    kind: Kind,
    value: &'a [u8],
    hash: u32,
    id: u32,
    client: Option<u32>,
}

/// So many observations are looked up together: enough to keep the memory busy,
/// few enough to stay in the first cache.
const TOGETHER: usize = 64;

impl Entry {
    fn new(value: Text, hash: u32, kind: Kind, place: Place) -> Self {
        Self {
            value,
            hash,
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

    #[inline]
    fn observe(&mut self, observation: &Observation<'_>, place: Place) {
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
        self.place = self.place.min(place);
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
    /// Empty tables of the same kind, one for each worker; they can be merged
    /// without hashing anew.
    #[must_use]
    pub fn for_workers(fold_by: FoldBy, workers: usize) -> Vec<Self> {
        let hasher = RandomState::default();
        let table = || Self {
            fold_by,
            hasher: hasher.clone(),
            ..Self::default()
        };
        (0..workers).map(|_| table()).collect()
    }

    /// Folds the observations of a chunk in; `place` gives where one was seen.
    ///
    /// One whose value has no host is kept as it is when folding by host: the
    /// merge counts it as invalid.
    pub fn observe_all<'a>(
        &mut self,
        observations: impl Iterator<Item = Observation<'a>>,
        place: impl Fn(u32) -> Place,
    ) {
        let mut observations = observations.peekable();
        let mut together: Vec<Observation<'a>> = Vec::with_capacity(TOGETHER);
        while observations.peek().is_some() {
            together.clear();
            together.extend(observations.by_ref().take(TOGETHER));
            self.observe_together(&together, &place);
        }
    }

    fn observe_together(
        &mut self,
        observations: &[Observation<'_>],
        place: &impl Fn(u32) -> Place,
    ) {
        let mut pending: Vec<Pending<'_, '_>> = observations
            .iter()
            .map(|observation| self.pending(observation, place(observation.line)))
            .collect();
        self.warm(&pending);
        for one in &mut pending {
            one.id = self.id_of(one.kind, one.value, one.hash, one.place);
            self.entries[one.id as usize].observe(one.observation, one.place);
        }
        let pairs = || {
            pending
                .iter()
                .filter_map(|one| Some(pair(one.id, one.client?)))
        };
        let warmed = pairs().fold(0, |warmed, pair| warmed ^ self.pairs.warm(pair));
        std::hint::black_box(warmed);
        for pair in pairs() {
            self.pairs.add(pair);
        }
    }

    fn pending<'a, 'b>(
        &mut self,
        observation: &'b Observation<'a>,
        place: Place,
    ) -> Pending<'a, 'b> {
        let (kind, value) = match self.fold_by {
            FoldBy::Indicator => (observation.kind, observation.value),
            FoldBy::Host => raw_host(observation.kind, observation.value)
                .map_or((observation.kind, observation.value), |host| {
                    (Kind::Domain, host)
                }),
        };
        let client = observation.client;
        Pending {
            observation,
            place,
            kind,
            value,
            hash: hash_of(&self.hasher, value),
            id: 0,
            client: (!client.is_empty()).then(|| self.clients.id_of(&self.hasher, client)),
        }
    }

    /// Reads what the look-ups will need: first the places in the index, then
    /// the entries that they point to, then the texts. Each loop's reads wait
    /// for memory together.
    fn warm(&self, pending: &[Pending<'_, '_>]) {
        let mut ids = [u32::MAX; TOGETHER];
        for (id, one) in ids.iter_mut().zip(pending) {
            *id = self.index.warm(one.hash);
        }
        let mut texts = [Text::default(); TOGETHER];
        for (text, id) in texts.iter_mut().zip(&ids) {
            if let Some(entry) = self.entries.get(*id as usize) {
                *text = entry.value;
            }
        }
        let warmed = texts.iter().fold(0, |warmed, text| {
            warmed ^ self.values.bytes(*text).first().copied().unwrap_or(0)
        });
        std::hint::black_box(warmed);
    }

    /// How many entries there are, with the retired ones.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The numbers of the entries that are not retired.
    pub(super) fn ids(&self) -> impl Iterator<Item = usize> {
        let entries = self.entries.iter().enumerate();
        entries
            .filter(|(_, entry)| entry.count > 0)
            .map(|(id, _)| id)
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

    /// Takes an entry out, and gives it with its value.
    pub(super) fn retire(&mut self, id: usize) -> (Entry, Vec<u8>) {
        let emptied = &mut self.entries[id];
        let entry = emptied.clone();
        (emptied.count, emptied.allowed, emptied.blocked) = (0, 0, 0);
        let value = self.value(&entry).to_owned();
        (entry, value)
    }

    /// Gives the pairs of retired entries to those that took their place.
    pub(super) fn move_pairs(&mut self, moved: &HashMap<usize, Option<u32>>) {
        if moved.is_empty() {
            return;
        }
        let mut pairs = PairSet::default();
        pairs.make_room_for(&self.pairs);
        for old in self.pairs.iter() {
            let (indicator, client) = split(old);
            match moved.get(&indicator) {
                None => pairs.add(old),
                Some(Some(id)) => pairs.add(pair(*id, narrow(client))),
                Some(None) => {}
            }
        }
        self.pairs = pairs;
    }

    /// Adds the counts of an entry under this value. `hash` is the value's, if
    /// it is known: tables of one run hash alike.
    pub(super) fn add_entry(
        &mut self,
        kind: Kind,
        value: &[u8],
        hash: Option<u32>,
        entry: &Entry,
    ) -> u32 {
        let hash = hash.unwrap_or_else(|| hash_of(&self.hasher, value));
        let id = self.id_of(kind, value, hash, entry.place);
        self.entries[id as usize].add(entry);
        id
    }

    /// Adds a sibling's pairs; `ids` are its entries' ids in this table.
    pub(super) fn add_pairs(&mut self, sibling: &Self, ids: &[Option<u32>]) {
        let clients: Vec<u32> = sibling
            .clients
            .all
            .iter()
            .map(|name| {
                let name = sibling.clients.texts.bytes(*name);
                self.clients.id_of(&self.hasher, name)
            })
            .collect();
        self.pairs.make_room_for(&sibling.pairs);
        for (indicator, client) in sibling.pairs.iter().map(split) {
            if let Some(id) = ids[indicator] {
                self.pairs.add(pair(id, clients[client]));
            }
        }
    }

    pub(super) fn client_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.entries.len()];
        for (indicator, _) in self.pairs.iter().map(split) {
            counts[indicator] += 1;
        }
        counts
    }

    pub(super) fn clients_of_each(&self) -> Vec<Vec<String>> {
        let mut clients = vec![Vec::new(); self.entries.len()];
        for (indicator, client) in self.pairs.iter().map(split) {
            let name = self.clients.texts.bytes(self.clients.all[client]);
            clients[indicator].push(String::from_utf8_lossy(name).into_owned());
        }
        for names in &mut clients {
            names.sort_unstable();
            names.dedup();
        }
        clients
    }

    #[inline]
    fn find_id(&self, kind: Kind, value: &[u8], hash: u32) -> Option<u32> {
        self.index.find(hash, |id| {
            let entry = &self.entries[id as usize];
            entry.kind == kind && self.values.bytes(entry.value) == value
        })
    }

    #[inline]
    fn id_of(&mut self, kind: Kind, value: &[u8], hash: u32, place: Place) -> u32 {
        if let Some(id) = self.find_id(kind, value, hash) {
            return id;
        }
        let id = narrow(self.entries.len());
        let value = self.values.add(value);
        self.entries.push(Entry::new(value, hash, kind, place));
        self.index.add(hash, id);
        id
    }
}

impl Names {
    fn id_of(&mut self, hasher: &RandomState, name: &[u8]) -> u32 {
        let hash = hash_of(hasher, name);
        let known = |id: u32| self.texts.bytes(self.all[id as usize]) == name;
        if let Some(id) = self.index.find(hash, known) {
            return id;
        }
        let id = narrow(self.all.len());
        self.all.push(self.texts.add(name));
        self.index.add(hash, id);
        id
    }
}

/// Seeded anew in every process: whoever writes the logs cannot choose values
/// that collide. The order of a table reaches no output.
#[inline]
fn hash_of(hasher: &RandomState, bytes: &[u8]) -> u32 {
    let hash = hasher.hash_one(bytes);
    (hash ^ hash >> 32) as u32
}

fn pair(indicator: u32, client: u32) -> u64 {
    u64::from(indicator) << 32 | u64::from(client)
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
