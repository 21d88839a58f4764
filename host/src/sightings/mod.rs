//! Sightings: all observations of one indicator, folded.
//!
//! Workers fold what they parse into one [`Fold`] keyed by the bytes of the log;
//! its end makes the values canonical, once for each distinct one, and gives a
//! [`Folded`]. Memory grows with the distinct indicators, clients and pairs of
//! them, not with the size of the logs.

mod as_seen;
mod clients;
mod entry;
mod fold;
mod folded;
mod index;
mod names;
mod overflow;
mod prefetch;
mod records;
mod table;

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::indicator::{Indicator, Kind};
use crate::observation::LogPosition;

pub use as_seen::FirstSeenOrder;
pub use fold::{Fold, FoldBy, FoldWriter, MemoryLimit};
pub use folded::{Folded, Id, InvalidValues, SightingCounts};
pub use overflow::{Spill, SpillError, SpilledSighting};

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
    pub place: LogPosition,
}

impl Sightings {
    /// The sightings of an indicator that appears in no log.
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
            place: LogPosition::new(0, 0),
        }
    }

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

/// Seeded anew in every process: whoever writes the logs cannot choose values
/// that collide. The order of a table reaches no output.
#[inline]
fn hash_of(hasher: &RandomState, bytes: &[u8]) -> u32 {
    let hash = hasher.hash_one(bytes);
    (hash ^ hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Action, Observation};
    use crate::store::SqliteSpill;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Values of all kinds: canonical, in another form, and none at all.
    const VALUES: [(Kind, &str); 13] = [
        (Kind::Url, "http://example.com/a"),
        (Kind::Url, "HTTP://Example.com:80/a"),
        (Kind::Url, "example.com/a"),
        (Kind::Url, "http://example.com"),
        (Kind::Url, "http://example.com/"),
        // Canonical, which only the parser finds out.
        (Kind::Url, "http://192.0.2.7/"),
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
        allowed: u64,
        blocked: u64,
        first_us: Option<i64>,
        last_us: Option<i64>,
        clients: BTreeSet<String>,
        place: Option<LogPosition>,
        written: String,
    }

    /// Some are let through, some stopped, and of some nothing is said.
    fn action_at(time_us: Option<i64>) -> Action {
        match time_us {
            None => Action::Unstated,
            Some(time_us) if time_us % 2 == 0 => Action::Allowed,
            Some(_) => Action::Blocked,
        }
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
            match action_at(*time_us) {
                Action::Allowed => plain.allowed += 1,
                Action::Blocked => plain.blocked += 1,
                Action::Unstated => {}
            }
            plain.first_us = plain.first_us.into_iter().chain(*time_us).min();
            plain.last_us = plain.last_us.max(*time_us);
            if *client > 0 {
                plain.clients.insert(format!("10.0.0.{client}"));
            }
            if plain.place.is_none() {
                plain.place = Some(LogPosition::new(0, line as u64));
                plain.written = raw.to_owned();
            }
        }
        (all, invalid)
    }

    /// No room for anything: all goes to the disk again and again.
    fn no_memory() -> MemoryLimit {
        MemoryLimit {
            bytes: 0,
            overflow: Box::new(SqliteSpill::new().unwrap()),
        }
    }

    fn folded(seen: &[Seen], workers: usize, limit: Option<MemoryLimit>) -> Folded {
        let fold = Fold::new(FoldBy::Indicator, workers, limit);
        let mut folders: Vec<FoldWriter<'_>> = (0..workers).map(|_| fold.writer()).collect();
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
            folders[line % workers]
                .observe([observation].into_iter(), |_| place)
                .unwrap();
        }
        drop(folders);
        fold.finish().unwrap()
    }

    #[test]
    fn turns_give_the_order_in_which_indicators_were_seen() {
        // Two in each line, the later by its value first, and the lines mixed up.
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
            let as_seen = folded.as_seen();
            assert!(as_seen.turns() > 10, "{} turns", as_seen.turns());
            let values = as_seen.ids().map(|id| folded.counted(id).value);
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
        fn folding_gives_what_the_plain_way_gives(
            seen in prop::collection::vec((0..VALUES.len(), 0..5_usize, prop::option::of(0..9_i64)), 0..120),
            workers in 1..4_usize,
            limited in any::<bool>(),
        ) {
            let (expected, invalid) = plainly(&seen);
            let mut folded = folded(&seen, workers, limited.then(no_memory));
            for id in folded.as_seen().ids() {
                let counted = folded.counted(id);
                let indicator = Indicator::from_canonical(counted.kind, counted.value.into_owned());
                prop_assert_eq!(counted.clients as usize, expected[&indicator].clients.len());
            }
            let sightings = folded.sightings().unwrap();
            prop_assert_eq!(sightings.len(), expected.len());
            for sighting in sightings {
                let found = Plain {
                    count: sighting.count,
                    allowed: sighting.allowed,
                    blocked: sighting.blocked,
                    first_us: sighting.first_us,
                    last_us: sighting.last_us,
                    clients: sighting.clients.iter().cloned().collect(),
                    place: Some(sighting.place),
                    written: sighting.written.clone().unwrap_or(sighting.indicator.value().to_owned()),
                };
                prop_assert_eq!(&found, &expected[&sighting.indicator]);
            }
            let refused: u64 = folded.invalid().values().map(|values| values.count).sum();
            prop_assert_eq!(refused, invalid);
        }
    }
}
