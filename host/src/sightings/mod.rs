//! Sightings: all observations of one indicator, folded.
//!
//! A worker folds what it parses into a [`Table`] keyed by the bytes of the
//! log; [`merge`] makes the values canonical, once for each distinct one, and
//! gives one [`Folded`]. Memory grows with the distinct indicators, clients and
//! pairs of them, not with the size of the logs.

mod arena;
mod index;
mod table;

use std::collections::{BTreeMap, HashMap};

use crate::indicator::{Indicator, Invalid, Kind};
use crate::observation::Place;

use table::Entry;
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
    /// Its values are canonical.
    table: Table,
    /// The indicators, by their place in the table, that the log wrote in
    /// another form first.
    written: HashMap<u32, String>,
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

/// Merges the tables of all workers. They come from one call of
/// [`Table::for_workers`].
#[must_use]
pub fn merge(mut tables: Vec<Table>) -> Folded {
    // The largest takes the others in.
    tables.sort_by_key(Table::len);
    let mut folded = Folded {
        table: tables.pop().unwrap_or_default(),
        ..Folded::default()
    };
    folded.make_canonical();
    for table in &tables {
        folded.absorb(table);
    }
    folded
}

impl Folded {
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
        let ids = self.ids_as_seen().into_iter();
        ids.map(|id| self.one(id, std::mem::take(&mut clients[id])))
            .collect()
    }

    /// The ids of [`Folded::one`] in the order in which the indicators were
    /// first seen.
    #[must_use]
    pub fn ids_as_seen(&self) -> Vec<usize> {
        let mut ids: Vec<usize> = self.table.ids().collect();
        ids.sort_by_key(|id| self.table.entry(*id).place);
        ids
    }

    /// One indicator's sightings; its clients' names are handed in.
    #[must_use]
    pub fn one(&self, id: usize, clients: Vec<String>) -> Sightings {
        let entry = self.table.entry(id);
        let value = String::from_utf8_lossy(self.table.value(entry)).into_owned();
        let indicator = Indicator::from_canonical(entry.kind, value);
        let written = self.written.get(&(id as u32)).cloned();
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

    /// Puts the entries of the table that are not canonical where they belong.
    fn make_canonical(&mut self) {
        let odd: Vec<usize> = self
            .table
            .ids()
            .filter(|id| {
                let entry = self.table.entry(*id);
                !Indicator::is_canonical(entry.kind, self.table.value(entry))
            })
            .collect();
        let moved: HashMap<usize, Option<u32>> = odd
            .into_iter()
            .map(|id| {
                let (entry, raw) = self.table.retire(id);
                (id, self.add_odd(&entry, &raw))
            })
            .collect();
        self.table.move_pairs(&moved);
    }

    /// Adds another worker's table.
    fn absorb(&mut self, table: &Table) {
        let ids: Vec<Option<u32>> = table
            .entries()
            .iter()
            .map(|entry| {
                let raw = table.value(entry);
                if Indicator::is_canonical(entry.kind, raw) {
                    Some(self.add(entry.kind, raw, Some(entry.hash), entry))
                } else {
                    self.add_odd(entry, raw)
                }
            })
            .collect();
        self.table.add_pairs(table, &ids);
    }

    /// Adds an entry whose value is not canonical; none when it is no indicator.
    fn add_odd(&mut self, entry: &Entry, raw: &[u8]) -> Option<u32> {
        match Indicator::parse(entry.kind, raw) {
            Ok(indicator) => {
                let value = indicator.value().as_bytes();
                let id = self.add(indicator.kind(), value, None, entry);
                // The form that was seen first is the one that is shown.
                let is_first = self.table.entry(id as usize).place == entry.place;
                if is_first && value != raw {
                    let written = String::from_utf8_lossy(raw).into_owned();
                    self.written.insert(id, written);
                }
                Some(id)
            }
            Err(reason) => {
                self.refuse(reason, raw, entry);
                None
            }
        }
    }

    /// Adds an entry under its canonical value.
    fn add(&mut self, kind: Kind, value: &[u8], hash: Option<u32>, entry: &Entry) -> u32 {
        let id = self.table.add_entry(kind, value, hash, entry);
        if self.table.entry(id as usize).place == entry.place {
            self.written.remove(&id);
        }
        id
    }

    fn refuse(&mut self, reason: Invalid, raw: &[u8], entry: &Entry) {
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
