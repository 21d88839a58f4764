//! What was folded, in canonical form.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::as_seen::FirstSeenOrder;
use super::entry::Entry;
use super::fold::table_of;
use super::names::Interner;
use super::overflow::{Spill, SpillError, SpilledSighting};
use super::table::Table;
use super::{Sightings, hash_of};
use crate::indicator::{Indicator, Invalid, Kind};
use crate::observation::LogPosition;

/// All sightings, with canonical indicators.
pub struct Folded {
    pub(super) tables: Vec<Table>,
    clients: Interner,
    hasher: RandomState,
    /// The indicators that the log wrote in another form first.
    written: HashMap<Id, String>,
    /// All sightings, where memory had no room for them.
    overflow: Option<Box<dyn Spill>>,
    refused: InvalidTally,
}

/// Values that are no indicator, by the reason.
#[derive(Debug, Default)]
pub(super) struct InvalidTally(BTreeMap<Invalid, InvalidValues>);

/// One indicator's place in a [`Folded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id {
    pub(super) table: u32,
    pub(super) entry: u32,
}

/// The counts of one indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SightingCounts<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its canonical form.
    pub value: Cow<'a, str>,
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
    /// How many different clients.
    pub clients: u32,
}

/// Observations whose value is no indicator, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidValues {
    /// How many observations.
    pub count: u64,
    /// One of the values: the one seen first.
    pub sample: String,
    place: LogPosition,
}

/// An entry that was taken out of its table, as its value is not canonical.
struct NonCanonical {
    entry: Entry,
    clients: Vec<u32>,
    raw: Vec<u8>,
    indicator: Result<Indicator, Invalid>,
}

impl Folded {
    /// Makes what the workers folded canonical: each distinct value once.
    pub(super) fn new(
        mut tables: Vec<Table>,
        clients: Interner,
        hasher: RandomState,
        overflow: Option<Box<dyn Spill>>,
        refused: InvalidTally,
    ) -> Self {
        let non_canonical: Vec<Vec<NonCanonical>> =
            tables.par_iter_mut().map(take_non_canonical).collect();
        let mut folded = Self {
            tables,
            clients,
            hasher,
            written: HashMap::new(),
            overflow,
            refused,
        };
        for non_canonical in non_canonical.into_iter().flatten() {
            folded.add(non_canonical);
        }
        folded
    }

    /// Values that are no indicator, by the reason.
    #[must_use]
    pub fn invalid(&self) -> &BTreeMap<Invalid, InvalidValues> {
        &self.refused.0
    }

    /// What memory had no room for: then it holds all, and
    /// [`Folded::as_seen`] knows none.
    pub fn overflow(&mut self) -> Option<&mut Box<dyn Spill>> {
        self.overflow.as_mut()
    }

    /// The sightings in the order in which the indicators were first seen, with
    /// the names of the clients.
    ///
    /// # Errors
    ///
    /// When what memory had no room for cannot be read.
    pub fn sightings(&mut self) -> Result<Vec<Sightings>, SpillError> {
        let Some(overflow) = &mut self.overflow else {
            let as_seen = self.as_seen();
            return Ok(as_seen.ids().map(|id| self.one(id)).collect());
        };
        let mut sightings = Vec::new();
        overflow.each(&mut |kept| {
            sightings.push(Sightings {
                clients: names_of(&self.clients, &kept.clients),
                indicator: Indicator::from_canonical(kept.kind, kept.value),
                written: kept.written,
                count: kept.count,
                allowed: kept.allowed,
                blocked: kept.blocked,
                first_us: kept.first_us,
                last_us: kept.last_us,
                place: kept.place,
            });
        })?;
        Ok(sightings)
    }

    /// The indicators in the order in which they were first seen; those of one
    /// line by their values.
    #[must_use]
    pub fn as_seen(&self) -> FirstSeenOrder<'_> {
        FirstSeenOrder::new(self)
    }

    /// One indicator's counts.
    #[must_use]
    pub fn counted(&self, id: Id) -> SightingCounts<'_> {
        let table = &self.tables[id.table as usize];
        let entry = table.entry(id.entry);
        let (kind, value) = table.value(id.entry);
        SightingCounts {
            kind,
            // Sooner told than what `from_utf8_lossy` finds out.
            value: str::from_utf8(value).map_or_else(|_| String::from_utf8_lossy(value), Cow::from),
            count: entry.count,
            allowed: entry.allowed,
            blocked: entry.blocked,
            first_us: entry.first_us(),
            last_us: entry.last_us(),
            clients: entry.clients.len(),
        }
    }

    fn one(&self, id: Id) -> Sightings {
        let counted = self.counted(id);
        let table = &self.tables[id.table as usize];
        let entry = table.entry(id.entry);
        Sightings {
            indicator: Indicator::from_canonical(counted.kind, counted.value.into_owned()),
            written: self.written.get(&id).cloned(),
            count: counted.count,
            allowed: counted.allowed,
            blocked: counted.blocked,
            first_us: counted.first_us,
            last_us: counted.last_us,
            clients: names_of(&self.clients, &table.clients(entry)),
            place: entry.place(),
        }
    }

    /// Adds an entry under its canonical value, if there is one.
    fn add(&mut self, non_canonical: NonCanonical) {
        let (kind, value) = match &non_canonical.indicator {
            Ok(indicator) => (indicator.kind(), indicator.value().as_bytes()),
            Err(reason) => {
                return self
                    .refused
                    .add(*reason, &non_canonical.entry, &non_canonical.raw);
            }
        };
        let hash = hash_of(&self.hasher, value);
        let table = table_of(hash, self.tables.len());
        let kept = &mut self.tables[table];
        let entry = kept.add_entry(
            kind,
            value,
            hash,
            &non_canonical.entry,
            &non_canonical.clients,
        );
        let id = Id {
            table: table as u32,
            entry,
        };
        // The form that was seen first is the one that is shown.
        if kept.entry(entry).place() == non_canonical.entry.place() {
            if value == non_canonical.raw {
                self.written.remove(&id);
            } else {
                let written = String::from_utf8_lossy(&non_canonical.raw).into_owned();
                self.written.insert(id, written);
            }
        }
    }
}

impl InvalidTally {
    fn add(&mut self, reason: Invalid, entry: &Entry, raw: &[u8]) {
        let sample = || String::from_utf8_lossy(raw).into_owned();
        self.0
            .entry(reason)
            .and_modify(|values| {
                values.count += entry.count;
                if entry.place() < values.place {
                    values.place = entry.place();
                    values.sample = sample();
                }
            })
            .or_insert_with(|| InvalidValues {
                count: entry.count,
                sample: sample(),
                place: entry.place(),
            });
    }
}

/// The clients under some numbers, in the order of their names.
fn names_of(clients: &Interner, numbers: &[u32]) -> Vec<String> {
    let name = |number: &u32| String::from_utf8_lossy(clients.name(*number)).into_owned();
    let mut names: Vec<String> = numbers.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Handed over together when a table is emptied.
const ROWS_TOGETHER: usize = 4 << 10;

/// A table's entries under their canonical values, in the order of these: the
/// neighbours of an index lie together on a disk.
pub(super) fn taken_apart(
    table: &Table,
    refused: &mut InvalidTally,
) -> impl Iterator<Item = Vec<SpilledSighting>> {
    let mut ids: Vec<u32> = table.ids().collect();
    ids.sort_unstable_by_key(|id| table.value(*id));
    let mut ids = ids.into_iter();
    std::iter::from_fn(move || {
        let some: Vec<u32> = ids.by_ref().take(ROWS_TOGETHER).collect();
        let kept = some.iter().filter_map(|id| kept(table, *id, refused));
        (!some.is_empty()).then(|| kept.collect())
    })
}

fn kept(table: &Table, id: u32, refused: &mut InvalidTally) -> Option<SpilledSighting> {
    let entry = table.entry(id);
    let (kind, raw) = table.value(id);
    let indicator = Indicator::parse(kind, raw)
        .map_err(|reason| refused.add(reason, entry, raw))
        .ok()?;
    let is_other = indicator.value().as_bytes() != raw;
    Some(SpilledSighting {
        kind: indicator.kind(),
        value: indicator.value().to_owned(),
        written: is_other.then(|| String::from_utf8_lossy(raw).into_owned()),
        count: entry.count,
        allowed: entry.allowed,
        blocked: entry.blocked,
        first_us: entry.first_us(),
        last_us: entry.last_us(),
        place: entry.place(),
        clients: table.clients(entry),
    })
}

/// Takes out what is not canonical.
fn take_non_canonical(table: &mut Table) -> Vec<NonCanonical> {
    let as_indicator = |id: &u32| {
        let (kind, raw) = table.value(*id);
        let indicator = Indicator::parse(kind, raw);
        let is_same = indicator
            .as_ref()
            .is_ok_and(|indicator| indicator.kind() == kind && indicator.value().as_bytes() == raw);
        (!is_same).then_some((*id, indicator))
    };
    let non_canonical: Vec<_> = table
        .maybe_non_canonical()
        .iter()
        .filter_map(as_indicator)
        .collect();
    let taken = non_canonical.into_iter().map(|(id, indicator)| {
        let (entry, clients) = table.take_out(id);
        let (_, raw) = table.value(id);
        NonCanonical {
            indicator,
            raw: raw.to_owned(),
            entry,
            clients,
        }
    });
    taken.collect()
}
