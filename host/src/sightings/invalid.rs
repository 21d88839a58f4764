//! Values in the logs that are not indicators.

use std::collections::BTreeMap;

use super::entry::Entry;
use crate::indicator::Invalid;
use crate::observation::LogPosition;

/// Observations whose value is not an indicator, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidValues {
    /// The number of observations.
    pub count: u64,
    /// The value that was seen first.
    pub sample: String,
    first_seen: LogPosition,
}

/// Invalid values by the reason.
#[derive(Debug, Default)]
pub(super) struct InvalidTally(BTreeMap<Invalid, InvalidValues>);

impl InvalidTally {
    /// Adds the observations of an invalid value.
    pub(super) fn add(&mut self, reason: Invalid, entry: &Entry, value: &[u8]) {
        let sample = || String::from_utf8_lossy(value).into_owned();
        self.0
            .entry(reason)
            .and_modify(|values| {
                values.count += entry.count;
                if entry.first_seen() < values.first_seen {
                    values.first_seen = entry.first_seen();
                    values.sample = sample();
                }
            })
            .or_insert_with(|| InvalidValues {
                count: entry.count,
                sample: sample(),
                first_seen: entry.first_seen(),
            });
    }

    pub(super) fn by_reason(&self) -> &BTreeMap<Invalid, InvalidValues> {
        &self.0
    }
}
