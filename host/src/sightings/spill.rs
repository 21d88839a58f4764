//! Sightings past the memory limit.

use super::invalid::InvalidTally;
use super::sighting::SightingCounts;
use super::table::Table;
use crate::indicator::{Indicator, Kind};
use crate::observation::LogPosition;

/// Stores sightings outside memory and adds those of one indicator.
pub trait Spill: Send + Sync {
    /// Adds sightings.
    ///
    /// # Errors
    ///
    /// If they cannot be stored.
    fn add(&mut self, sightings: &[SpilledSighting]) -> Result<(), SpillError>;

    /// Calls `take` with all sightings, in the order in which the indicators were first seen.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    fn for_each(&mut self, take: &mut dyn FnMut(SpilledSighting)) -> Result<(), SpillError>;
}

/// The sightings of one indicator in a [`Spill`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpilledSighting {
    /// The kind of indicator.
    pub kind: Kind,
    /// Its canonical form.
    pub value: String,
    /// The indicator as the log wrote it first, if that is not its canonical form.
    pub written: Option<String>,
    /// The number of observations.
    pub count: u64,
    /// How many of these were let through.
    pub allowed: u64,
    /// How many of these were stopped.
    pub blocked: u64,
    /// The earliest time, in microseconds since 1970.
    pub first_us: Option<i64>,
    /// The latest time, in microseconds since 1970.
    pub last_us: Option<i64>,
    /// The position of the first observation in the logs.
    pub first_seen: LogPosition,
    /// The numbers of the clients, in ascending order.
    pub clients: Vec<u32>,
}

/// Sightings could not be stored or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the temporary file for sightings past the memory limit")]
pub struct SpillError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SpillError {
    /// An error with its cause.
    pub fn new(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(source))
    }
}

impl SpilledSighting {
    /// The counts without the clients' numbers.
    #[must_use]
    pub fn counts(&self) -> SightingCounts<'_> {
        SightingCounts {
            kind: self.kind,
            value: self.value.as_str().into(),
            count: self.count,
            allowed: self.allowed,
            blocked: self.blocked,
            first_us: self.first_us,
            last_us: self.last_us,
            clients: u32::try_from(self.clients.len()).unwrap_or(u32::MAX),
        }
    }

    /// An entry of a table under its canonical value. An invalid value is added to `invalid`.
    fn new(table: &Table, id: u32, invalid: &mut InvalidTally) -> Option<Self> {
        let entry = table.entry(id);
        let (kind, written) = table.value(id);
        let indicator = Indicator::parse(kind, written)
            .map_err(|reason| invalid.add(reason, entry, written))
            .ok()?;
        let is_canonical = indicator.value().as_bytes() == written;
        Some(Self {
            kind: indicator.kind(),
            value: indicator.value().to_owned(),
            written: (!is_canonical).then(|| String::from_utf8_lossy(written).into_owned()),
            count: entry.count,
            allowed: entry.allowed,
            blocked: entry.blocked,
            first_us: entry.first_us(),
            last_us: entry.last_us(),
            first_seen: entry.first_seen(),
            clients: table.clients(entry),
        })
    }
}

/// How many sightings are added in one call.
const BATCH: usize = 4 << 10;

/// The entries of a table in batches, in the order of their written values: an index on disk
/// then writes neighbouring pages. Invalid values are added to `invalid`.
pub(super) fn spill_batches(
    table: &Table,
    invalid: &mut InvalidTally,
) -> impl Iterator<Item = Vec<SpilledSighting>> {
    let mut ids: Vec<u32> = table.ids().collect();
    ids.sort_unstable_by_key(|id| table.value(*id));
    let mut ids = ids.into_iter();
    std::iter::from_fn(move || {
        let batch: Vec<u32> = ids.by_ref().take(BATCH).collect();
        let spilled = |id: &u32| SpilledSighting::new(table, *id, invalid);
        (!batch.is_empty()).then(|| batch.iter().filter_map(spilled).collect())
    })
}
