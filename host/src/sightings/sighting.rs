//! What the fold knows of one indicator.

use std::borrow::Cow;

use super::entry::Entry;
use crate::indicator::{Indicator, Kind};
use crate::observation::LogPosition;

/// All observations of one indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sightings {
    /// The indicator.
    pub indicator: Indicator,
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
    /// The distinct clients, in ascending order.
    pub clients: Vec<String>,
    /// The position of the first observation in the logs.
    pub first_seen: LogPosition,
}

/// The counts of one indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SightingCounts<'a> {
    /// The kind of indicator.
    pub kind: Kind,
    /// Its canonical form.
    pub value: Cow<'a, str>,
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
    /// The number of distinct clients.
    pub clients: u32,
}

impl Sightings {
    /// The sightings of an indicator that no log contains.
    #[must_use]
    pub fn unseen(indicator: Indicator) -> Self {
        Self {
            indicator,
            written: None,
            count: 0,
            allowed: 0,
            blocked: 0,
            first_us: None,
            last_us: None,
            clients: Vec::new(),
            first_seen: LogPosition::new(0, 0),
        }
    }

    /// Whether all observations were stopped.
    #[must_use]
    pub fn was_only_stopped(&self) -> bool {
        self.blocked > 0 && self.blocked == self.count
    }

    /// The indicator for display: a URL as the log wrote it first, a host without the port
    /// that a proxy adds.
    #[must_use]
    pub fn display(&self) -> &str {
        match self.indicator.kind() {
            Kind::Url => self.written.as_deref().unwrap_or(self.indicator.value()),
            Kind::Domain | Kind::Ip => self.indicator.value(),
        }
    }

    /// The sightings with these counts.
    pub(super) fn new(
        counts: SightingCounts<'_>,
        written: Option<String>,
        clients: Vec<String>,
        first_seen: LogPosition,
    ) -> Self {
        Self {
            indicator: Indicator::from_canonical(counts.kind, counts.value.into_owned()),
            written,
            count: counts.count,
            allowed: counts.allowed,
            blocked: counts.blocked,
            first_us: counts.first_us,
            last_us: counts.last_us,
            clients,
            first_seen,
        }
    }
}

impl<'a> SightingCounts<'a> {
    /// The counts of an entry whose value is canonical.
    pub(super) fn new(entry: &Entry, value: &'a [u8], clients: u32) -> Self {
        Self {
            kind: entry.kind(),
            // Faster than `from_utf8_lossy`, and values are nearly always UTF-8.
            value: str::from_utf8(value).map_or_else(|_| String::from_utf8_lossy(value), Cow::from),
            count: entry.count,
            allowed: entry.allowed,
            blocked: entry.blocked,
            first_us: entry.first_us(),
            last_us: entry.last_us(),
            clients,
        }
    }
}
