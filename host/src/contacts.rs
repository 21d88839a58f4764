//! Who contacted an indicator, how often and when, with sample lines, and when all indicators
//! were contacted.
//!
//! The sightings of a run keep counts and clients of millions of indicators. This module keeps
//! more of few: it is filled from a second reading of the logs, after the verdicts are known.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::observation::{Action, LogPosition, Observation};
use crate::verdict::Verdict;

/// The contacts of one indicator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndicatorContacts {
    /// By client and user, in the order of their text.
    pub contacts: Vec<Contact>,
    /// The first lines that show a contact, in the order of the logs.
    pub samples: Vec<LogLine>,
}

/// The contacts of a client and a user with one indicator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// The client; empty if the records have none.
    pub client: String,
    /// The user; empty if the records have none.
    pub user: String,
    /// The counts.
    pub tally: ContactTally,
}

/// Counts of contacts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContactTally {
    /// All observations.
    pub count: u64,
    /// Of these: allowed.
    pub allowed: u64,
    /// Of these: blocked.
    pub blocked: u64,
    /// The earliest time, in microseconds since 1970.
    pub first_us: Option<i64>,
    /// The latest time.
    pub last_us: Option<i64>,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The name of the input.
    pub input: String,
    /// The number of the line, from 1.
    pub line: u64,
    /// Its text, at most [`MAX_SAMPLE_BYTES`] of it.
    pub text: String,
}

/// The number of observations by verdict, in intervals of equal length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The start of the first interval, in microseconds since 1970.
    pub start_us: i64,
    /// The length of an interval.
    pub step_us: i64,
    /// The counts of each interval, by [`Verdict`]: bad, good, unknown.
    pub counts: Vec<[u64; 3]>,
    /// Observations without a time.
    pub without_time: u64,
}

/// The lines that are kept as samples of one indicator.
const MAX_SAMPLES: usize = 3;

/// The bytes that are kept of a sample. A log's author controls the length of its lines.
pub const MAX_SAMPLE_BYTES: usize = 600;

/// The bytes that are kept of the name of a client or a user.
const MAX_NAME_BYTES: usize = 256;

/// The pairs of client and user that one [`ContactTable`] keeps. Logs control their number; past
/// it, new pairs are counted as a contact without client and user.
const MAX_PAIRS: usize = 1 << 20;

/// The intervals of a timeline.
const MAX_INTERVALS: i64 = 120;

const SECOND_US: i64 = 1_000_000;

/// The lengths of intervals that people read easily, in seconds.
const STEPS_S: [i64; 15] = [
    1, 5, 15, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000,
    31_536_000,
];

impl ContactTally {
    fn observe(&mut self, observation: &Observation<'_>) {
        self.add(&Self {
            count: 1,
            allowed: u64::from(observation.action == Action::Allowed),
            blocked: u64::from(observation.action == Action::Blocked),
            first_us: observation.time_us,
            last_us: observation.time_us,
        });
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.allowed += other.allowed;
        self.blocked += other.blocked;
        let first_us = [self.first_us, other.first_us].into_iter().flatten().min();
        self.first_us = first_us;
        self.last_us = self.last_us.max(other.last_us);
    }
}

impl Timeline {
    /// An empty timeline from a first to a last time.
    #[must_use]
    pub fn spanning(first_us: i64, last_us: i64) -> Self {
        let span_s = last_us.saturating_sub(first_us).max(0) / SECOND_US;
        let fits = |step: &i64| span_s / step < MAX_INTERVALS - 1;
        let widest = span_s / (MAX_INTERVALS - 1) + 1;
        let step_us = STEPS_S.into_iter().find(fits).unwrap_or(widest) * SECOND_US;
        let start_us = first_us.div_euclid(step_us) * step_us;
        let intervals = last_us.saturating_sub(start_us).max(0) / step_us + 1;
        Self {
            start_us,
            step_us,
            counts: vec![[0; 3]; usize::try_from(intervals).unwrap_or(0)],
            without_time: 0,
        }
    }

    /// Counts an observation. Times outside the timeline count as having none.
    pub fn observe(&mut self, time_us: Option<i64>, verdict: Verdict) {
        let interval = time_us
            .and_then(|time_us| time_us.checked_sub(self.start_us))
            .filter(|since_us| *since_us >= 0)
            .and_then(|since_us| usize::try_from(since_us / self.step_us.max(1)).ok())
            .and_then(|interval| self.counts.get_mut(interval));
        match interval {
            Some(counts) => counts[verdict as usize] += 1,
            None => self.without_time += 1,
        }
    }

    /// Adds the counts of a timeline with the same intervals.
    pub fn add(&mut self, other: &Self) {
        for (counts, others) in self.counts.iter_mut().zip(&other.counts) {
            for (count, other) in counts.iter_mut().zip(others) {
                *count += other;
            }
        }
        self.without_time += other.without_time;
    }
}

/// Collects the contacts of numbered indicators. Memory grows with the different pairs of client
/// and user, not with the observations.
#[derive(Debug, Default)]
pub struct ContactTable {
    indicators: HashMap<u32, Collected, RandomState>,
    pairs: usize,
    pair: Vec<u8>,
}

#[derive(Debug, Default)]
struct Collected {
    /// By client, a NUL, and user.
    contacts: HashMap<Vec<u8>, ContactTally, RandomState>,
    samples: Vec<(LogPosition, LogLine)>,
}

impl ContactTable {
    /// Adds an observation of the indicator with this number. `sample` is called if the line is
    /// among the first ones that show the indicator.
    pub fn observe(
        &mut self,
        indicator: u32,
        observation: &Observation<'_>,
        place: LogPosition,
        sample: impl FnOnce() -> LogLine,
    ) {
        let collected = self.indicators.entry(indicator).or_default();
        self.pair.clear();
        self.pair.extend_from_slice(beginning(observation.client));
        self.pair.push(0);
        self.pair.extend_from_slice(beginning(observation.user));
        if let Some(tally) = collected.contacts.get_mut(&self.pair) {
            tally.observe(observation);
        } else {
            let pair = match self.pairs < MAX_PAIRS {
                true => self.pair.clone(),
                false => vec![0],
            };
            self.pairs += 1;
            let tally = collected.contacts.entry(pair).or_default();
            tally.observe(observation);
        }
        let is_first = collected.samples.len() < MAX_SAMPLES
            || collected.samples.last().is_some_and(|last| place < last.0);
        if is_first && collected.samples.iter().all(|(known, _)| *known != place) {
            collected.add_sample(place, sample());
        }
    }

    /// Adds what another table collected.
    pub fn add(&mut self, other: Self) {
        for (indicator, others) in other.indicators {
            let collected = self.indicators.entry(indicator).or_default();
            for (pair, tally) in others.contacts {
                collected.contacts.entry(pair).or_default().add(&tally);
            }
            for (place, line) in others.samples {
                collected.add_sample(place, line);
            }
        }
    }

    /// The contacts of each indicator that has any.
    pub fn into_contacts(self) -> impl Iterator<Item = (u32, IndicatorContacts)> {
        let indicators = self.indicators.into_iter();
        indicators.map(|(indicator, collected)| (indicator, collected.into_contacts()))
    }
}

impl Collected {
    fn add_sample(&mut self, place: LogPosition, line: LogLine) {
        self.samples.push((place, line));
        self.samples.sort_by_key(|(place, _)| *place);
        self.samples.truncate(MAX_SAMPLES);
    }

    fn into_contacts(self) -> IndicatorContacts {
        let contacts = self.contacts.into_iter().map(|(pair, tally)| {
            let end = pair.iter().position(|byte| *byte == 0);
            let (client, user) = pair.split_at(end.unwrap_or(pair.len()));
            Contact {
                client: String::from_utf8_lossy(client).into_owned(),
                user: String::from_utf8_lossy(user.get(1..).unwrap_or_default()).into_owned(),
                tally,
            }
        });
        let mut contacts: Vec<Contact> = contacts.collect();
        contacts.sort_by(|a, b| (&a.client, &a.user).cmp(&(&b.client, &b.user)));
        let samples = self.samples.into_iter().map(|(_, line)| line);
        IndicatorContacts {
            contacts,
            samples: samples.collect(),
        }
    }
}

/// The beginning of a name without NUL, which separates the names of a pair.
fn beginning(name: &[u8]) -> &[u8] {
    let name = name.get(..MAX_NAME_BYTES).unwrap_or(name);
    let end = name.iter().position(|byte| *byte == 0);
    name.get(..end.unwrap_or(name.len())).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Kind;

    fn observation<'a>(
        client: &'a str,
        user: &'a str,
        time_us: Option<i64>,
        action: Action,
    ) -> Observation<'a> {
        Observation {
            line: 0,
            kind: Kind::Domain,
            value: b"evil.example.com",
            client: client.as_bytes(),
            user: user.as_bytes(),
            time_us,
            action,
        }
    }

    fn line(number: u64) -> LogLine {
        LogLine {
            input: "a.log".into(),
            line: number,
            text: format!("line {number}"),
        }
    }

    fn contacts_of(table: ContactTable) -> IndicatorContacts {
        let mut all: Vec<(u32, IndicatorContacts)> = table.into_contacts().collect();
        assert_eq!(all.len(), 1);
        all.remove(0).1
    }

    #[test]
    fn contacts_are_counted_by_client_and_user() {
        let seen = [
            observation("10.0.0.2", "", Some(5), Action::Allowed),
            observation("10.0.0.1", "bob", Some(9), Action::Blocked),
            observation("10.0.0.1", "ann", None, Action::Unstated),
            observation("10.0.0.1", "bob", Some(7), Action::Allowed),
        ];
        let (mut one, mut other) = (ContactTable::default(), ContactTable::default());
        for (number, observation) in (0..).zip(&seen) {
            let table = if number % 2 == 0 {
                &mut one
            } else {
                &mut other
            };
            let place = LogPosition::new(0, number);
            table.observe(3, observation, place, || line(number + 1));
        }
        other.add(one);
        let contacts = contacts_of(other);
        let shown = contacts.contacts.iter().map(|contact| {
            let tally = contact.tally;
            let counts = (tally.count, tally.allowed, tally.blocked);
            (
                contact.client.as_str(),
                contact.user.as_str(),
                counts,
                tally.first_us,
                tally.last_us,
            )
        });
        let expected = [
            ("10.0.0.1", "ann", (1, 0, 0), None, None),
            ("10.0.0.1", "bob", (2, 1, 1), Some(7), Some(9)),
            ("10.0.0.2", "", (1, 1, 0), Some(5), Some(5)),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert_eq!(contacts.samples, [line(1), line(2), line(3)]);
    }

    #[test]
    fn each_line_is_one_sample() {
        let mut table = ContactTable::default();
        let seen = observation("10.0.0.1", "", None, Action::Unstated);
        for number in [4, 4, 2, 3, 1, 9] {
            table.observe(0, &seen, LogPosition::new(0, number), || line(number));
        }
        let contacts = contacts_of(table);
        assert_eq!(contacts.samples, [line(1), line(2), line(3)]);
        assert_eq!(contacts.contacts[0].tally.count, 6);
    }

    #[test]
    fn timelines_have_few_intervals_that_hold_all_times() {
        let check = |first_s: i64, last_s: i64, step_s: i64| {
            let (first_us, last_us) = (first_s * SECOND_US, last_s * SECOND_US);
            let mut timeline = Timeline::spanning(first_us, last_us);
            assert_eq!(timeline.step_us, step_s * SECOND_US, "{first_s}..{last_s}");
            assert!(timeline.counts.len() <= MAX_INTERVALS as usize);
            timeline.observe(Some(first_us), Verdict::Bad);
            timeline.observe(Some(last_us), Verdict::Unknown);
            assert_eq!(timeline.without_time, 0, "{first_s}..{last_s}");
            assert_eq!(timeline.counts.first().unwrap()[0], 1);
            assert_eq!(timeline.counts.last().unwrap()[2], 1);
            timeline.observe(Some(first_us - timeline.step_us), Verdict::Bad);
            timeline.observe(None, Verdict::Good);
            assert_eq!(timeline.without_time, 2);
        };
        check(1_714_564_800, 1_714_564_800, 1);
        check(1_714_564_801, 1_714_565_089, 5);
        check(1_714_564_801, 1_714_564_801 + 2 * 86_400, 1_800);
        check(0, 1_714_564_800, 31_536_000);
        check(-60_000_000_000, 7_000_000_000, 67_000_000_000 / 119 + 1);
    }
}
