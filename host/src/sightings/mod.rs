//! Sightings: all observations of one indicator, folded.
//!
//! Workers fold what they parse into one [`Fold`], keyed by the bytes of the log. When it
//! finishes, it makes each distinct value canonical once and gives a [`Folded`]. Memory grows
//! with the distinct indicators, the clients and the pairs of them, not with the size of the
//! logs.

mod arena;
mod block_file;
mod clients;
mod entry;
mod fold;
mod folded;
mod hash;
mod index;
mod interner;
mod invalid;
mod order;
mod prefetch;
mod sighting;
mod spill;
mod table;

pub use fold::{Fold, FoldBy, FoldWriter, MemoryLimit};
pub use folded::Folded;
pub use invalid::InvalidValues;
pub use order::{FirstSeenOrder, SightingId};
pub use sighting::{SightingCounts, Sightings};
pub use spill::{SpillError, SpilledRows, SpilledSighting};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::{Indicator, Kind};
    use crate::observation::{Action, LogPosition, Observation};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Canonical values, values in another form, and invalid values.
    const VALUES: [(Kind, &str); 13] = [
        (Kind::Url, "http://example.com/a"),
        (Kind::Url, "HTTP://Example.com:80/a"),
        (Kind::Url, "example.com/a"),
        (Kind::Url, "http://example.com"),
        (Kind::Url, "http://example.com/"),
        // Canonical, although the quick check cannot decide it.
        (Kind::Url, "http://192.0.2.7/"),
        (Kind::Domain, "example.com"),
        (Kind::Domain, "EXAMPLE.com."),
        (Kind::Domain, "192.0.2.1"),
        (Kind::Ip, "192.0.2.1"),
        (Kind::Ip, "192.0.2.01"),
        (Kind::Domain, "not a name"),
        (Kind::Url, "mailto:x"),
    ];

    type SeenValue = (usize, usize, Option<i64>);

    /// The expected sightings of an indicator.
    #[derive(Debug, Default, PartialEq)]
    struct Expected {
        count: u64,
        allowed: u64,
        blocked: u64,
        first_us: Option<i64>,
        last_us: Option<i64>,
        clients: BTreeSet<String>,
        first_seen: Option<LogPosition>,
        written: String,
    }

    /// Gives all three actions.
    fn action_at(time_us: Option<i64>) -> Action {
        match time_us {
            None => Action::Unstated,
            Some(time_us) if time_us % 2 == 0 => Action::Allowed,
            Some(_) => Action::Blocked,
        }
    }

    /// Folds without shards, and counts the invalid values.
    fn folded_naively(seen: &[SeenValue]) -> (BTreeMap<Indicator, Expected>, u64) {
        let mut all: BTreeMap<Indicator, Expected> = BTreeMap::new();
        let mut invalid = 0;
        for (line, (value, client, time_us)) in seen.iter().enumerate() {
            let (kind, raw) = VALUES[*value];
            let Ok(indicator) = Indicator::parse(kind, raw.as_bytes()) else {
                invalid += 1;
                continue;
            };
            let expected = all.entry(indicator).or_default();
            expected.count += 1;
            match action_at(*time_us) {
                Action::Allowed => expected.allowed += 1,
                Action::Blocked => expected.blocked += 1,
                Action::Unstated => {}
            }
            expected.first_us = expected.first_us.into_iter().chain(*time_us).min();
            expected.last_us = expected.last_us.max(*time_us);
            if *client > 0 {
                expected.clients.insert(format!("10.0.0.{client}"));
            }
            if expected.first_seen.is_none() {
                expected.first_seen = Some(LogPosition::new(0, line as u64));
                expected.written = raw.to_owned();
            }
        }
        (all, invalid)
    }

    /// A limit that every batch exceeds.
    fn no_memory() -> MemoryLimit {
        MemoryLimit {
            bytes: 0,
            notify: Box::new(|_| {}),
        }
    }

    fn folded(seen: &[SeenValue], workers: usize, limit: Option<MemoryLimit>) -> Folded {
        let fold = Fold::new(FoldBy::Indicator, workers, limit);
        let mut writers: Vec<FoldWriter<'_>> = (0..workers).map(|_| fold.writer()).collect();
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
                action: action_at(*time_us),
            };
            let place = LogPosition::new(0, line as u64);
            writers[line % workers]
                .observe([observation].into_iter(), |_| place)
                .unwrap();
        }
        drop(writers);
        fold.finish().unwrap()
    }

    #[test]
    fn slices_are_in_the_order_in_which_indicators_were_first_seen() {
        // Two indicators in each line, and the lines in an arbitrary order.
        let seen: Vec<(u64, String)> = (0..20_000_u64)
            .map(|n| (n * 7_919 % 10_000, format!("{}.example.com", n / 10_000)))
            .map(|(line, host)| (line, format!("http://{host}/{line}")))
            .rev()
            .collect();
        for workers in [1, 2, 5] {
            let fold = Fold::new(FoldBy::Indicator, workers, None);
            for (line, url) in &seen {
                let observation = Observation {
                    line: 0,
                    kind: Kind::Url,
                    value: url.as_bytes(),
                    client: b"",
                    user: b"",
                    time_us: None,
                    action: Action::Unstated,
                };
                let place = LogPosition::new(0, *line);
                let one = [observation].into_iter();
                fold.writer().observe(one, |_| place).unwrap();
            }
            let folded = fold.finish().unwrap();
            let order = folded.first_seen_order();
            assert!(order.slices() > 10, "{} slices", order.slices());
            let values = order.ids().map(|id| folded.counts(id).value);
            let mut expected = seen.clone();
            expected.sort_unstable();
            assert!(
                values.eq(expected.iter().map(|(_, url)| url.as_str())),
                "{workers}"
            );
        }
    }

    proptest! {
        #[test]
        fn folding_agrees_with_a_naive_fold(
            seen in prop::collection::vec((0..VALUES.len(), 0..5_usize, prop::option::of(0..9_i64)), 0..120),
            workers in 1..4_usize,
            limited in any::<bool>(),
        ) {
            let (expected, invalid) = folded_naively(&seen);
            let mut folded = folded(&seen, workers, limited.then(no_memory));
            for id in folded.first_seen_order().ids() {
                let counts = folded.counts(id);
                let indicator = Indicator::from_canonical(counts.kind, counts.value.into_owned());
                prop_assert_eq!(counts.clients as usize, expected[&indicator].clients.len());
            }
            let sightings = folded.sightings().unwrap();
            prop_assert_eq!(sightings.len(), expected.len());
            for sighting in sightings {
                let found = Expected {
                    count: sighting.count,
                    allowed: sighting.allowed,
                    blocked: sighting.blocked,
                    first_us: sighting.first_us,
                    last_us: sighting.last_us,
                    clients: sighting.clients.iter().cloned().collect(),
                    first_seen: Some(sighting.first_seen),
                    written: sighting.written.clone().unwrap_or(sighting.indicator.value().to_owned()),
                };
                prop_assert_eq!(&found, &expected[&sighting.indicator]);
            }
            let invalid_values: u64 = folded.invalid().values().map(|values| values.count).sum();
            prop_assert_eq!(invalid_values, invalid);
        }
    }
}
