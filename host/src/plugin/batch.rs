//! What a parser returned for a chunk, checked against the contract.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;

use super::bindings::parser::exports::vthost::parser::parsing as wit;
use super::lifting::{self, Span};
use crate::observation::Observation;

/// The checked result of a chunk: every span is inside the chunk or `text`.
#[derive(Debug, Default)]
pub struct Batch {
    text: Vec<u8>,
    observations: Vec<lifting::RawObservation>,
    /// The number of lines that gave at least one observation.
    pub records: u64,
    /// Lines that cannot hold a contact, by reason.
    pub ignored: Vec<Tally>,
    /// Lines that the parser did not understand, by reason.
    pub rejected: Vec<Tally>,
}

/// The lines with one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The parser's text.
    pub reason: String,
    /// The number of lines.
    pub count: u64,
    /// The line numbers, from 0 in the chunk: all of them, or the first few.
    pub samples: Vec<u32>,
}

/// `observation.time-us` of a record without a time.
const NO_TIME: i64 = i64::MIN;

/// 0001-01-01 to the end of 2199 in microseconds. A device with a wrong clock can be
/// a century ahead: 32 bits of seconds end in 2106.
const TIMES_US: RangeInclusive<i64> = -62_135_596_800_000_000..=7_258_118_399_999_999;

impl Batch {
    /// Checks a parser's result. An observation that violates the contract is
    /// removed; if its line has no other, the line is counted as rejected.
    ///
    /// # Errors
    ///
    /// The reason, when an observation belongs to no line of the chunk.
    pub(super) fn checked(mut batch: lifting::RawBatch, bounds: &Bounds) -> Result<Self, String> {
        if !batch.observations.0.iter().all(|it| bounds.hold(it)) {
            reject_invalid(&mut batch, bounds)?;
        }
        let tally = |tally: wit::Tally| bounds.tally(tally);
        Ok(Self {
            text: batch.text,
            observations: batch.observations.0,
            records: batch.records.into(),
            ignored: batch.ignored.into_iter().map(tally).collect(),
            rejected: batch.rejected.into_iter().map(tally).collect(),
        })
    }

    /// A batch of nothing but lines that are ignored for one reason.
    #[must_use]
    pub fn of_ignored(reason: &str, lines: u64) -> Self {
        let tally = Tally {
            reason: reason.to_owned(),
            count: lines,
            samples: Vec::new(),
        };
        Self {
            ignored: vec![tally],
            ..Self::default()
        }
    }

    /// The sum of records, ignored and rejected lines.
    #[must_use]
    pub fn lines(&self) -> u64 {
        let sum = |tallies: &[Tally]| tallies.iter().map(|tally| tally.count).sum::<u64>();
        self.records + sum(&self.ignored) + sum(&self.rejected)
    }

    /// The observations in the order of the lines. `chunk` is the chunk that the
    /// batch was parsed from (empty for the batch of `finish`).
    pub fn observations<'a>(&'a self, chunk: &'a [u8]) -> impl Iterator<Item = Observation<'a>> {
        self.observations
            .iter()
            .map(move |observation| Observation {
                line: observation.line,
                kind: observation.kind,
                value: self.slice(chunk, observation.value),
                client: self.slice(chunk, observation.client),
                user: self.slice(chunk, observation.user),
                time_us: Some(observation.time_us).filter(|time| *time != NO_TIME),
                action: observation.action,
            })
    }

    /// The number of observations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.observations.len()
    }

    /// Whether there are no observations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.observations.is_empty()
    }

    /// Gives the observations without a time the one that `time_of` has for their line.
    pub fn set_missing_times(&mut self, time_of: impl Fn(u32) -> Option<i64>) {
        let without = |observation: &&mut lifting::RawObservation| observation.time_us == NO_TIME;
        for observation in self.observations.iter_mut().filter(without) {
            let time_us = time_of(observation.line).filter(|time_us| is_time(*time_us));
            observation.time_us = time_us.unwrap_or(NO_TIME);
        }
    }

    /// The rejected lines, in ascending order, if the parser listed all of them.
    #[must_use]
    pub fn rejected_lines(&self) -> Option<Vec<u32>> {
        let is_whole = |tally: &Tally| tally.samples.len() as u64 == tally.count;
        let mut lines: Vec<u32> = match self.rejected.as_slice() {
            tallies if !tallies.iter().all(is_whole) => return None,
            tallies => tallies
                .iter()
                .flat_map(|tally| &tally.samples)
                .copied()
                .collect(),
        };
        lines.sort_unstable();
        lines.dedup();
        Some(lines)
    }

    /// Adds what another parser gave for lines that this one rejected. `own` and `others` are
    /// the bytes that were parsed, and `lines` is the line of `own` for each line of
    /// `others`. Lines that the other ignored count as ignored where `takes_ignored`. Returns the
    /// lines that are still rejected.
    pub fn absorb(
        &mut self,
        own: &[u8],
        other: &Self,
        others: &[u8],
        lines: &[u32],
        takes_ignored: bool,
    ) -> Vec<u32> {
        let line_of = |line: &u32| lines.get(*line as usize).copied();
        let mut taken: Vec<u32> = Vec::new();
        for observation in &other.observations {
            let Some(line) = line_of(&observation.line) else {
                continue;
            };
            let mut copied = |span| self.copied(own.len(), other.slice(others, span));
            let (value, client, user) = (
                copied(observation.value),
                copied(observation.client),
                copied(observation.user),
            );
            self.observations.push(lifting::RawObservation {
                line,
                value,
                client,
                user,
                ..*observation
            });
            taken.push(line);
        }
        self.observations
            .sort_by_key(|observation| observation.line);
        taken.dedup();
        self.records += taken.len() as u64;
        if takes_ignored {
            for tally in &other.ignored {
                let samples: Vec<u32> = tally.samples.iter().filter_map(line_of).collect();
                taken.extend_from_slice(&samples);
                self.ignored.push(Tally {
                    reason: tally.reason.clone(),
                    count: samples.len() as u64,
                    samples,
                });
            }
        }
        taken.sort_unstable();
        let is_taken = |line: &u32| taken.binary_search(line).is_ok();
        for tally in &mut self.rejected {
            tally.samples.retain(|line| !is_taken(line));
            tally.count = tally.samples.len() as u64;
        }
        self.rejected.retain(|tally| tally.count > 0);
        lines
            .iter()
            .filter(|line| !is_taken(line))
            .copied()
            .collect()
    }

    /// Copies a value to the batch's text.
    fn copied(&mut self, chunk_len: usize, value: &[u8]) -> Span {
        let start = chunk_len + self.text.len();
        self.text.extend_from_slice(value);
        Span {
            start: u32::try_from(start).unwrap_or_default(),
            len: u32::try_from(value.len()).unwrap_or_default(),
        }
    }

    /// The bytes of a span that [`Bounds::check`] accepted.
    fn slice<'a>(&'a self, chunk: &'a [u8], span: Span) -> &'a [u8] {
        let start = span.start as usize;
        let (bytes, start) = if start < chunk.len() {
            (chunk, start)
        } else {
            (self.text.as_slice(), start - chunk.len())
        };
        bytes
            .get(start..start + span.len as usize)
            .unwrap_or_default()
    }
}

/// Removes the invalid observations, and counts the lines that have no others as
/// rejected.
fn reject_invalid(batch: &mut lifting::RawBatch, bounds: &Bounds) -> Result<(), String> {
    let mut invalid_lines: BTreeMap<u32, &'static str> = BTreeMap::new();
    let mut valid_lines = HashSet::new();
    let mut outside = None;
    batch
        .observations
        .0
        .retain(|observation| match bounds.check(observation) {
            Ok(()) => {
                valid_lines.insert(observation.line);
                true
            }
            Err(Violation::Line(reason)) => {
                invalid_lines.entry(observation.line).or_insert(reason);
                false
            }
            Err(Violation::Batch(detail)) => {
                outside.get_or_insert(detail);
                false
            }
        });
    if let Some(detail) = outside {
        return Err(detail);
    }
    let mut tallies: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (line, reason) in invalid_lines {
        if !valid_lines.contains(&line) {
            tallies.entry(reason).or_default().push(line);
        }
    }
    for (reason, samples) in tallies {
        let count = u32::try_from(samples.len()).unwrap_or(u32::MAX);
        batch.records = batch.records.saturating_sub(count);
        batch.rejected.push(wit::Tally {
            reason: reason.to_owned(),
            count,
            samples,
        });
    }
    Ok(())
}

/// What an invalid observation makes invalid.
enum Violation {
    /// Its line, for this reason.
    Line(&'static str),
    /// The whole batch, because the observation belongs to no line of the chunk.
    Batch(String),
}

/// The permitted spans, lines and sizes of one batch.
pub(super) struct Bounds {
    /// The length of the chunk in bytes.
    chunk: u64,
    /// The length of the chunk and of the batch's text in bytes.
    end: u64,
    value_bytes: usize,
    lines: u64,
}

impl Bounds {
    /// The bounds of a batch with `text_len` bytes of text from a chunk of
    /// `chunk_len` bytes and `lines` lines.
    pub(super) fn new(chunk_len: usize, text_len: usize, value_bytes: usize, lines: u64) -> Self {
        Self {
            chunk: chunk_len as u64,
            end: chunk_len as u64 + text_len as u64,
            value_bytes,
            lines,
        }
    }

    /// Whether [`Bounds::check`] accepts an observation. Nearly all are valid, so
    /// this test has as few branches as possible.
    #[inline]
    fn hold(&self, observation: &lifting::RawObservation) -> bool {
        let spans = [observation.value, observation.client, observation.user];
        let longest = spans.iter().fold(0, |longest, span| longest.max(span.len));
        let furthest = spans
            .iter()
            .fold(0, |furthest, span| furthest.max(span.end()));
        let are_inside = furthest <= self.chunk || spans.iter().all(|span| self.contains(*span));
        (u64::from(observation.line) < self.lines)
            & (observation.value.len != 0)
            & (longest as usize <= self.value_bytes)
            & are_inside
            & is_time(observation.time_us)
    }

    /// A tally without lines that the chunk does not have.
    fn tally(&self, tally: wit::Tally) -> Tally {
        let mut samples = tally.samples;
        samples.retain(|line| u64::from(*line) < self.lines);
        samples.truncate(tally.count as usize);
        Tally {
            reason: tally.reason,
            count: tally.count.into(),
            samples,
        }
    }

    fn check(&self, observation: &lifting::RawObservation) -> Result<(), Violation> {
        if u64::from(observation.line) >= self.lines {
            return Err(Violation::Batch(format!(
                "an observation on line {} is outside the chunk of {} lines",
                observation.line, self.lines
            )));
        }
        if observation.value.len == 0 {
            return Err(Violation::Line(
                "the parser returned an observation without a value",
            ));
        }
        for span in [observation.value, observation.client, observation.user] {
            if !self.contains(span) {
                return Err(Violation::Line(
                    "the parser returned a span outside the chunk and its text",
                ));
            }
            if span.len as usize > self.value_bytes {
                return Err(Violation::Line(
                    "the parser returned a value that is too long",
                ));
            }
        }
        if !is_time(observation.time_us) {
            return Err(Violation::Line(
                "the parser returned a time outside the years 1 to 2199",
            ));
        }
        Ok(())
    }

    /// Whether a span is inside the chunk or inside the text. An empty span may be
    /// anywhere.
    #[inline]
    fn contains(&self, span: Span) -> bool {
        let is_in_one = (u64::from(span.start) >= self.chunk) | (span.end() <= self.chunk);
        (span.len == 0) | (is_in_one & (span.end() <= self.end))
    }
}

/// Whether it is [`NO_TIME`] or a time that the contract allows.
#[inline]
fn is_time(time_us: i64) -> bool {
    (time_us == NO_TIME) | TIMES_US.contains(&time_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk of 10 bytes and 4 lines, and 5 bytes of text.
    const BOUNDS: Bounds = Bounds {
        chunk: 10,
        end: 15,
        value_bytes: 6,
        lines: 4,
    };

    fn observation(line: u32, span: (u32, u32), time_us: i64) -> lifting::RawObservation {
        let (start, len) = span;
        let span = Span { start, len };
        lifting::RawObservation {
            line,
            kind: crate::indicator::Kind::Url,
            action: crate::observation::Action::Unstated,
            value: span,
            client: span,
            user: span,
            time_us,
        }
    }

    #[test]
    fn bounds_hold_only_for_valid_observations() {
        let check = |observation: lifting::RawObservation, expected: bool| {
            assert_eq!(BOUNDS.hold(&observation), expected, "{observation:?}");
            assert_eq!(
                BOUNDS.check(&observation).is_ok(),
                expected,
                "{observation:?}"
            );
        };
        for (span, expected) in [
            ((0, 6), true),
            ((4, 6), true),
            ((10, 5), true),
            ((0, 7), false),
            ((9, 2), false),
            ((10, 6), false),
            ((u32::MAX, u32::MAX), false),
            ((0, 0), false),
        ] {
            check(observation(0, span, 0), expected);
            // An empty client or user is valid; an empty value is not.
            let is_valid = expected || span.1 == 0;
            let (start, len) = span;
            let span = Span { start, len };
            let valid = observation(3, (0, 1), NO_TIME);
            let client = lifting::RawObservation {
                client: span,
                ..valid
            };
            let user = lifting::RawObservation {
                user: span,
                ..valid
            };
            check(client, is_valid);
            check(user, is_valid);
        }
        check(observation(3, (0, 1), *TIMES_US.end()), true);
        check(observation(4, (0, 1), NO_TIME), false);
        check(observation(0, (0, 1), TIMES_US.end() + 1), false);
        check(observation(0, (0, 1), TIMES_US.start() - 1), false);
    }
}
