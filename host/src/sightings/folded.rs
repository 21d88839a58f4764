//! The result of a fold: sightings with canonical indicators.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::entry::Entry;
use super::hash::{hash_of, shard_of};
use super::interner::Interner;
use super::invalid::{InvalidTally, InvalidValues};
use super::order::{FirstSeenOrder, SightingId};
use super::sighting::{SightingCounts, Sightings};
use super::spill::{Spill, SpillError, SpilledRows, SpilledSighting};
use super::table::Table;
use crate::indicator::{Indicator, Invalid};

/// All sightings, with canonical indicators. They are in memory, or in a [`Spill`] if they
/// exceeded the memory limit.
pub struct Folded {
    /// The shards of the fold, all empty if the sightings were spilled.
    tables: Vec<Table>,
    clients: Interner,
    hasher: RandomState,
    /// The first written form of indicators for which it is not the canonical form.
    written: HashMap<SightingId, String>,
    spill: Option<Spill>,
    invalid: InvalidTally,
}

/// A value that is not canonical, with its observations, removed from its table.
struct NonCanonical {
    entry: Entry,
    clients: Vec<u32>,
    written: Vec<u8>,
    indicator: Result<Indicator, Invalid>,
}

impl Folded {
    /// Makes the values of all tables canonical, each distinct value once, and merges the
    /// entries that are equal then.
    pub(super) fn new(
        mut tables: Vec<Table>,
        clients: Interner,
        hasher: RandomState,
        spill: Option<Spill>,
        invalid: InvalidTally,
    ) -> Self {
        let non_canonical: Vec<_> = tables.par_iter_mut().map(take_non_canonical).collect();
        let mut folded = Self {
            tables,
            clients,
            hasher,
            written: HashMap::new(),
            spill,
            invalid,
        };
        for value in non_canonical.into_iter().flatten() {
            folded.merge(&value);
        }
        folded
    }

    /// Values that are not indicators, by the reason.
    #[must_use]
    pub fn invalid(&self) -> &BTreeMap<Invalid, InvalidValues> {
        self.invalid.by_reason()
    }

    /// Takes all sightings, if they exceeded the memory limit. [`Folded::first_seen_order`] is
    /// empty then.
    ///
    /// # Errors
    ///
    /// If the spill cannot be read.
    pub fn take_spilled(&mut self) -> Result<Option<SpilledRows>, SpillError> {
        self.spill.take().map(Spill::into_rows).transpose()
    }

    /// Takes all sightings, in the order in which the indicators were first seen.
    ///
    /// # Errors
    ///
    /// If the spill cannot be read.
    pub fn sightings(&mut self) -> Result<Vec<Sightings>, SpillError> {
        let Some(spilled) = self.take_spilled()? else {
            let order = self.first_seen_order();
            return Ok(order.ids().map(|id| self.one(id)).collect());
        };
        let sighting = |row: SpilledSighting| {
            let clients = names_of(&self.clients, &row.clients);
            Sightings::new(row.counts(), row.written(), clients, row.first_seen())
        };
        spilled.map(|row| row.map(sighting)).collect()
    }

    /// The indicators in the order in which they were first seen, those of one line by their
    /// values.
    #[must_use]
    pub fn first_seen_order(&self) -> FirstSeenOrder<'_> {
        FirstSeenOrder::new(&self.tables)
    }

    /// The counts of one indicator.
    #[must_use]
    pub fn counts(&self, id: SightingId) -> SightingCounts<'_> {
        let table = &self.tables[id.table as usize];
        let (entry, value) = table.entry_and_value(id.entry);
        SightingCounts::new(entry, value, entry.clients.len())
    }

    fn one(&self, id: SightingId) -> Sightings {
        let table = &self.tables[id.table as usize];
        let entry = table.entry(id.entry);
        Sightings::new(
            self.counts(id),
            self.written.get(&id).cloned(),
            names_of(&self.clients, &table.clients(entry)),
            entry.first_seen(),
        )
    }

    /// Adds observations to the entry of their canonical value, or to the invalid values.
    fn merge(&mut self, added: &NonCanonical) {
        let (kind, value) = match &added.indicator {
            Ok(indicator) => (indicator.kind(), indicator.value().as_bytes()),
            Err(reason) => return self.invalid.add(*reason, &added.entry, &added.written),
        };
        let hash = hash_of(&self.hasher, value);
        let number = shard_of(hash, self.tables.len());
        let table = &mut self.tables[number];
        let entry = table.merge(kind, value, hash, &added.entry, &added.clients);
        let id = SightingId {
            table: number as u32,
            entry,
        };
        // The form that was seen first is displayed.
        if table.entry(entry).first_seen() == added.entry.first_seen() {
            if value == added.written {
                self.written.remove(&id);
            } else {
                let written = String::from_utf8_lossy(&added.written).into_owned();
                self.written.insert(id, written);
            }
        }
    }
}

/// The names of some clients, in ascending order.
fn names_of(clients: &Interner, numbers: &[u32]) -> Vec<String> {
    let name = |number: &u32| String::from_utf8_lossy(clients.name(*number)).into_owned();
    let mut names: Vec<String> = numbers.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Removes the observations of all values that are not canonical.
fn take_non_canonical(table: &mut Table) -> Vec<NonCanonical> {
    let as_indicator = |id: &u32| {
        let (kind, written) = table.value(*id);
        let indicator = Indicator::parse(kind, written);
        let is_canonical = indicator.as_ref().is_ok_and(|indicator| {
            indicator.kind() == kind && indicator.value().as_bytes() == written
        });
        (!is_canonical).then_some((*id, indicator))
    };
    let found: Vec<_> = table.unverified().iter().filter_map(as_indicator).collect();
    let taken = found.into_iter().map(|(id, indicator)| {
        let (entry, clients) = table.take(id);
        let (_, written) = table.value(id);
        NonCanonical {
            indicator,
            written: written.to_owned(),
            entry,
            clients,
        }
    });
    taken.collect()
}
