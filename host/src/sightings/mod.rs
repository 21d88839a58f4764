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
    /// Whether no contact was let through, as far as the logs say.
    #[must_use]
    pub fn was_only_stopped(&self) -> bool {
        self.blocked > 0 && self.blocked == self.count
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Action, Observation};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Values of all kinds: canonical, in another form, and none at all.
    const VALUES: [(Kind, &str); 12] = [
        (Kind::Url, "http://example.com/a"),
        (Kind::Url, "HTTP://Example.com:80/a"),
        (Kind::Url, "example.com/a"),
        (Kind::Url, "http://example.com"),
        (Kind::Url, "http://example.com/"),
        (Kind::Domain, "example.com"),
        (Kind::Domain, "EXAMPLE.com."),
        (Kind::Domain, "192.0.2.1"),
        (Kind::Ip, "192.0.2.1"),
        (Kind::Ip, "192.0.2.01"),
        (Kind::Domain, "not a name"),
        (Kind::Url, "mailto:x"),
    ];

    type Seen = (usize, usize, Option<i64>);

    /// What the fold must give, the plain way.
    #[derive(Debug, Default, PartialEq)]
    struct Plain {
        count: u64,
        blocked: u64,
        first_us: Option<i64>,
        last_us: Option<i64>,
        clients: BTreeSet<String>,
        place: Option<Place>,
        written: String,
    }

    fn plainly(seen: &[Seen]) -> (BTreeMap<Indicator, Plain>, u64) {
        let mut all: BTreeMap<Indicator, Plain> = BTreeMap::new();
        let mut invalid = 0;
        for (line, (value, client, time_us)) in seen.iter().enumerate() {
            let (kind, raw) = VALUES[*value];
            let Ok(indicator) = Indicator::parse(kind, raw.as_bytes()) else {
                invalid += 1;
                continue;
            };
            let plain = all.entry(indicator).or_default();
            plain.count += 1;
            plain.blocked += u64::from(time_us.is_some());
            plain.first_us = plain.first_us.into_iter().chain(*time_us).min();
            plain.last_us = plain.last_us.max(*time_us);
            if *client > 0 {
                plain.clients.insert(format!("10.0.0.{client}"));
            }
            if plain.place.is_none() {
                plain.place = Some(Place::new(0, line as u64));
                plain.written = raw.to_owned();
            }
        }
        (all, invalid)
    }

    fn folded(seen: &[Seen], workers: usize) -> Folded {
        let mut tables = Table::for_workers(FoldBy::Indicator, workers);
        for (line, (value, client, time_us)) in seen.iter().enumerate() {
            let (kind, raw) = VALUES[*value];
            let client = match client {
                0 => String::new(),
                client => format!("10.0.0.{client}"),
            };
            let observation = Observation {
                line: 0,
                kind,
                value: raw.as_bytes(),
                client: client.as_bytes(),
                user: b"",
                time_us: *time_us,
                action: if time_us.is_some() {
                    Action::Blocked
                } else {
                    Action::Unstated
                },
            };
            let place = Place::new(0, line as u64);
            tables[line % workers].observe_all([observation].into_iter(), |_| place);
        }
        merge(tables)
    }

    proptest! {
        #[test]
        fn merging_gives_what_the_plain_way_gives(
            seen in prop::collection::vec((0..VALUES.len(), 0..5_usize, prop::option::of(0..9_i64)), 0..120),
            workers in 1..4_usize,
        ) {
            let (expected, invalid) = plainly(&seen);
            let folded = folded(&seen, workers);
            let counts = folded.client_counts();
            for id in folded.ids_as_seen() {
                let one = folded.one(id, Vec::new());
                prop_assert_eq!(counts[id] as usize, expected[&one.indicator].clients.len());
            }
            let sightings = folded.sightings();
            prop_assert_eq!(sightings.len(), expected.len());
            for sighting in sightings {
                let found = Plain {
                    count: sighting.count,
                    blocked: sighting.blocked,
                    first_us: sighting.first_us,
                    last_us: sighting.last_us,
                    clients: sighting.clients.iter().cloned().collect(),
                    place: Some(sighting.place),
                    written: sighting.written.clone().unwrap_or(sighting.indicator.value().to_owned()),
                };
                prop_assert_eq!(&found, &expected[&sighting.indicator]);
            }
            let refused: u64 = folded.invalid.values().map(|values| values.count).sum();
            prop_assert_eq!(refused, invalid);
        }
    }
}
