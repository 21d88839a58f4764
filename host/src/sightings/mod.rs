//! Sightings: all observations of one indicator, folded.
//!
//! A worker folds what it parses into a [`Table`] keyed by the bytes of the
//! log; [`merge`] makes the values canonical, once for each distinct one, and
//! gives one [`Folded`]. Memory grows with the distinct indicators, clients and
//! pairs of them, not with the size of the logs.

mod arena;
mod table;

use std::collections::BTreeMap;

use crate::extraction::Place;
use crate::indicator::{Indicator, Invalid, Kind};

pub use table::{FoldBy, Table};

/// All observations of one indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sightings {
    /// What was contacted.
    pub indicator: Indicator,
    /// The indicator as the log wrote it first, where that is not its canonical
    /// form.
    pub written: Option<String>,
    /// How many observations.
    pub count: u64,
    /// Of these: let through.
    pub allowed: u64,
    /// Of these: stopped.
    pub blocked: u64,
    /// The earliest time, in microseconds since 1970.
    pub first_us: Option<i64>,
    /// The latest time.
    pub last_us: Option<i64>,
    /// The different clients, in the order of their text.
    pub clients: Vec<String>,
    /// Where it was seen first.
    pub place: Place,
}

impl Sightings {
    /// The indicator for people: a URL as the first log line wrote it, a host
    /// without the port that a proxy's log adds.
    #[must_use]
    pub fn display(&self) -> &str {
        match self.indicator.kind() {
            Kind::Url => self.written.as_deref().unwrap_or(self.indicator.value()),
            Kind::Domain | Kind::Ip => self.indicator.value(),
        }
    }
}

/// What all workers folded, with canonical indicators.
#[derive(Debug, Default)]
pub struct Folded {
    table: Table,
    indicators: Vec<(Indicator, Option<String>)>,
    /// Values that are no indicator, by the reason: how many observations, and
    /// one such value.
    pub invalid: BTreeMap<Invalid, InvalidValues>,
}

/// Observations whose value is no indicator, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidValues {
    /// How many observations.
    pub count: u64,
    /// One of the values: the one seen first.
    pub sample: String,
    place: Place,
}

/// Merges the tables of all workers.
#[must_use]
pub fn merge(tables: Vec<Table>) -> Folded {
    let mut folded = Folded::default();
    for table in tables {
        folded.absorb(&table);
    }
    folded
}

impl Folded {
    /// How many distinct indicators.
    #[must_use]
    pub fn len(&self) -> usize {
        self.indicators.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indicators.is_empty()
    }

    /// The number of each indicator's clients, without their names.
    #[must_use]
    pub fn client_counts(&self) -> Vec<u32> {
        self.table.client_counts()
    }

    /// The sightings in the order in which the indicators were first seen, with
    /// the names of the clients.
    #[must_use]
    pub fn sightings(&self) -> Vec<Sightings> {
        let mut clients = self.table.clients_of_each();
        let mut all: Vec<Sightings> = (0..self.indicators.len())
            .map(|id| self.one(id, std::mem::take(&mut clients[id])))
            .collect();
        all.sort_by_key(|sightings| sightings.place);
        all
    }

    /// The ids of [`Folded::one`] in the order in which the indicators were
    /// first seen.
    #[must_use]
    pub fn ids_as_seen(&self) -> Vec<usize> {
        let mut ids: Vec<usize> = (0..self.indicators.len()).collect();
        ids.sort_by_key(|id| self.table.entry(*id).place);
        ids
    }

    /// One indicator's sightings; its clients' names are handed in.
    #[must_use]
    pub fn one(&self, id: usize, clients: Vec<String>) -> Sightings {
        let (indicator, written) = self.indicators[id].clone();
        let entry = self.table.entry(id);
        Sightings {
            indicator,
            written,
            count: entry.count,
            allowed: entry.allowed,
            blocked: entry.blocked,
            first_us: entry.first_us(),
            last_us: entry.last_us(),
            clients,
            place: entry.place,
        }
    }

    /// Adds a worker's table.
    fn absorb(&mut self, table: &Table) {
        let mut ids = Vec::with_capacity(table.len());
        for entry in table.entries() {
            let raw = table.value(entry);
            match Indicator::parse(entry.kind, raw) {
                Ok(indicator) => ids.push(Some(self.add(indicator, raw, entry))),
                Err(reason) => {
                    self.refuse(reason, raw, entry);
                    ids.push(None);
                }
            }
        }
        self.table.add_pairs(table, &ids);
    }

    fn add(&mut self, indicator: Indicator, raw: &[u8], entry: &table::Entry) -> u32 {
        let written = (indicator.value().as_bytes() != raw)
            .then(|| String::from_utf8_lossy(raw).into_owned());
        let before = self.table.entries().get(
            self.table
                .find(indicator.kind(), indicator.value().as_bytes())
                .map_or(usize::MAX, |id| id as usize),
        );
        let is_first = before.is_none_or(|before| entry.place < before.place);
        let id = self
            .table
            .add_entry(indicator.kind(), indicator.value().as_bytes(), entry);
        if id as usize == self.indicators.len() {
            self.indicators.push((indicator, written));
        } else if is_first {
            self.indicators[id as usize].1 = written;
        }
        id
    }

    fn refuse(&mut self, reason: Invalid, raw: &[u8], entry: &table::Entry) {
        let sample = || String::from_utf8_lossy(raw).into_owned();
        self.invalid
            .entry(reason)
            .and_modify(|values| {
                values.count += entry.count;
                if entry.place < values.place {
                    values.place = entry.place;
                    values.sample = sample();
                }
            })
            .or_insert_with(|| InvalidValues {
                count: entry.count,
                sample: sample(),
                place: entry.place,
            });
    }
}
