//! The counts of an input's lines: each line is part of a record, ignored or rejected.

use std::collections::BTreeMap;

use super::duplicates::COPIED_LINES;
use super::lines::ChunkText;
use crate::input::{Chunk, MAX_LINE_BYTES};
use crate::plugin::{Batch, PluginId, Stop, Tally};

/// The result of one input.
#[derive(Debug, Clone)]
pub struct InputSummary {
    /// The name that is shown to the user.
    pub name: String,
    /// The parser that read it, if one did.
    pub parser: Option<PluginId>,
    /// The confidence of the parser; none if the user named it.
    pub confidence: Option<u8>,
    /// The envelopes around its lines, the outermost first.
    pub envelopes: Vec<&'static str>,
    /// The input of which it has all or the first lines, which are counted there.
    pub copy_of: Option<String>,
    /// Whether it was read.
    pub outcome: Outcome,
    /// Its lines.
    pub counts: InputCounts,
    /// What is known of it after a second reading.
    pub facts: InputFacts,
}

/// What a second reading finds out about an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputFacts {
    /// The earliest time of its records, in microseconds since 1970.
    pub first_us: Option<i64>,
    /// The latest time.
    pub last_us: Option<i64>,
    /// The size of the file; of the archive if the input is a member of one.
    pub bytes: Option<u64>,
    /// The SHA-256 of the same file, in hexadecimal.
    pub sha256: Option<String>,
}

impl InputSummary {
    /// The summary of an input of which nothing was read.
    #[must_use]
    pub fn without_content(name: String, outcome: Outcome) -> Self {
        Self {
            name,
            parser: None,
            confidence: None,
            envelopes: Vec::new(),
            copy_of: None,
            outcome,
            counts: InputCounts::default(),
            facts: InputFacts::default(),
        }
    }
}

/// Whether an input was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// To its end.
    Read,
    /// There was nothing in it.
    Empty,
    /// Another input has the same lines, and it was left out.
    Copy,
    /// It is a file of this kind, which contains no log.
    NoLog(&'static str),
    /// Not at all, for this reason.
    Skipped(String),
    /// In part, until reading failed for this reason.
    CutShort(String),
}

/// The lines of one input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputCounts {
    /// All lines.
    pub lines: u64,
    /// Lines that gave at least one observation.
    pub records: u64,
    /// Observations.
    pub observations: u64,
    /// Lines without a contact, by reason.
    pub ignored: BTreeMap<String, Reason>,
    /// Lines that were not understood, by reason.
    pub rejected: BTreeMap<String, Reason>,
    /// The first failures of the parser, in the order of the bytes.
    pub failures: Vec<Failure>,
    /// The number of failures.
    pub failure_count: u64,
    /// Records that other parsers found in the lines that the chosen one rejected, by the name of
    /// the parser.
    pub taken_by_others: BTreeMap<String, u64>,
    /// Why reading failed before the end, if it did.
    pub(super) cut_short: Option<String>,
}

/// Lines counted under one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// The number of lines.
    pub count: u64,
    /// The first lines: each with its number from 1 and its start.
    pub samples: Vec<(u64, String)>,
}

/// A failed call of the parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The parser.
    pub plugin: PluginId,
    /// The position of the chunk in the input.
    pub start: u64,
    /// The end of the chunk.
    pub end: u64,
    /// The cause.
    pub stop: Stop,
}

/// The failures that are stored for an input. Their number is controlled by the parser; further
/// failures are counted.
pub(super) const MAX_FAILURES_KEPT: usize = 16;

/// The distinct reasons that are stored for an input. They are controlled by the parser; further
/// reasons are counted together.
const MAX_REASONS: usize = 64;

const SAMPLES_PER_REASON: usize = 3;
const SAMPLE_BYTES: usize = 160;

impl InputSummary {
    /// Whether lines were rejected and none gave a record: then the parser is a wrong one.
    #[must_use]
    pub fn is_not_understood(&self) -> bool {
        self.is_without_records() && self.counts.rejected_lines() > 0
    }

    /// Whether all lines are of kinds that hold no contact.
    #[must_use]
    pub fn is_all_ignored(&self) -> bool {
        let is_copied = self.counts.copied_lines() > 0;
        self.is_without_records() && self.counts.rejected_lines() == 0 && !is_copied
    }

    fn is_without_records(&self) -> bool {
        let is_read = matches!(self.outcome, Outcome::Read | Outcome::CutShort(_));
        is_read && self.counts.lines > 0 && self.counts.records == 0
    }
}

impl InputCounts {
    /// Ignored lines.
    #[must_use]
    pub fn ignored_lines(&self) -> u64 {
        self.ignored.values().map(|reason| reason.count).sum()
    }

    /// Rejected lines.
    #[must_use]
    pub fn rejected_lines(&self) -> u64 {
        self.rejected.values().map(|reason| reason.count).sum()
    }

    /// Adds the batch of a chunk.
    pub(super) fn add_batch(&mut self, text: ChunkText<'_>, batch: &Batch) {
        self.records += batch.records;
        self.observations += batch.len() as u64;
        for tally in &batch.ignored {
            add_tally(&mut self.ignored, text, tally);
        }
        for tally in &batch.rejected {
            add_tally(&mut self.rejected, text, tally);
        }
    }

    /// Counts the lines that were too long to be parsed.
    pub(super) fn add_overlong(&mut self, chunk: &Chunk) {
        if chunk.overlong > 0 {
            let reason = format!("longer than {} MiB", MAX_LINE_BYTES >> 20);
            let sample = (chunk.first_line + chunk.lines + 1, String::new());
            self.reject(&reason, chunk.overlong, Some(sample));
        }
    }

    /// Counts the lines that belong to an envelope alone.
    pub(super) fn add_structure(&mut self, lines: u64) {
        if lines > 0 {
            self.lines += lines;
            let reason = Reason {
                count: lines,
                samples: Vec::new(),
            };
            add_reason(&mut self.ignored, "part of an envelope".to_owned(), reason);
        }
    }

    /// The lines that were left out because another input has them.
    #[must_use]
    pub fn copied_lines(&self) -> u64 {
        self.ignored
            .get(COPIED_LINES)
            .map_or(0, |reason| reason.count)
    }

    /// Counts `lines` as rejected.
    pub(super) fn reject(&mut self, name: &str, lines: u64, sample: Option<(u64, String)>) {
        let reason = Reason {
            count: lines,
            samples: sample.into_iter().collect(),
        };
        add_reason(&mut self.rejected, reason_of(name), reason);
    }

    /// Stores a failure.
    pub(super) fn fail(&mut self, failure: Failure) {
        self.failure_count += 1;
        self.failures.push(failure);
        self.trim_failures();
    }

    /// Adds other counts: those of another worker of the same input, or of another input.
    pub fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.records += other.records;
        self.observations += other.observations;
        for (name, reason) in other.ignored {
            add_reason(&mut self.ignored, name, reason);
        }
        for (name, reason) in other.rejected {
            add_reason(&mut self.rejected, name, reason);
        }
        for (parser, records) in other.taken_by_others {
            *self.taken_by_others.entry(parser).or_default() += records;
        }
        self.failure_count += other.failure_count;
        self.cut_short = self.cut_short.take().or(other.cut_short);
        self.failures.extend(other.failures);
        self.trim_failures();
    }

    /// Corrects the counts at the end of an input that was read in order, if those of the parser do
    /// not add up. Returns a description of the error.
    pub(super) fn reconcile(&mut self) -> Option<String> {
        let counted = self.records + self.ignored_lines() + self.rejected_lines();
        if counted == self.lines {
            return None;
        }
        let detail = format!(
            "it counted {counted} lines (records, ignored and rejected) in an input of {}",
            self.lines
        );
        self.ignored.clear();
        self.rejected.clear();
        self.records = self.records.min(self.lines);
        let missing = self.lines - self.records;
        if missing > 0 {
            self.reject("miscounted by the parser", missing, None);
        }
        Some(detail)
    }

    fn trim_failures(&mut self) {
        self.failures.sort_by_key(|failure| failure.start);
        self.failures.truncate(MAX_FAILURES_KEPT);
    }
}

fn add_tally(reasons: &mut BTreeMap<String, Reason>, text: ChunkText<'_>, tally: &Tally) {
    let samples = tally.samples.iter().take(SAMPLES_PER_REASON);
    let reason = Reason {
        count: tally.count,
        samples: samples.map(|line| sample(text, *line)).collect(),
    };
    add_reason(reasons, reason_of(&tally.reason), reason);
}

fn add_reason(reasons: &mut BTreeMap<String, Reason>, name: String, reason: Reason) {
    let name = if reasons.len() < MAX_REASONS || reasons.contains_key(&name) {
        name
    } else {
        "other reasons".to_owned()
    };
    let known = reasons.entry(name).or_default();
    known.count += reason.count;
    known.samples.extend(reason.samples);
    known.samples.sort_by_key(|(line, _)| *line);
    known.samples.truncate(SAMPLES_PER_REASON);
}

/// A reason of a plugin, with bounded length.
fn reason_of(text: &str) -> String {
    text.chars().take(SAMPLE_BYTES).collect()
}

/// The number of a line from 1, and its start.
fn sample(text: ChunkText<'_>, line: u32) -> (u64, String) {
    let shown = text.texts().text(line);
    let shown = shown[..shown.len().min(SAMPLE_BYTES)].trim_ascii_end();
    (
        text.input_line(line) + 1,
        String::from_utf8_lossy(shown).into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_is_the_start_of_the_line() {
        let chunk = Chunk {
            bytes: b"one\r\ntwo\n\nfour".to_vec(),
            lines: 4,
            first_line: 10,
            ..Chunk::default()
        };
        let check = |line, number, text: &str| {
            let chunk = ChunkText {
                chunk: &chunk,
                unwrapped: None,
            };
            assert_eq!(sample(chunk, line), (number, text.to_owned()));
        };
        check(0, 11, "one");
        check(1, 12, "two");
        check(2, 13, "");
        check(3, 14, "four");
        check(99, 110, "");
    }

    #[test]
    fn reasons_are_bounded_and_no_line_is_lost() {
        let mut counts = InputCounts::default();
        for number in 0..1000 {
            counts.reject(&format!("reason {number}"), 2, None);
        }
        assert_eq!(counts.rejected_lines(), 2000);
        assert!(counts.rejected.len() <= MAX_REASONS + 1);
    }

    #[test]
    fn wrong_counts_of_a_parser_are_corrected() {
        let check = |lines, records, expected_rejected| {
            let mut counts = InputCounts {
                lines,
                records,
                ..InputCounts::default()
            };
            counts.reconcile();
            let sum = counts.records + counts.ignored_lines() + counts.rejected_lines();
            assert_eq!((sum, counts.rejected_lines()), (lines, expected_rejected));
        };
        check(10, 10, 0);
        check(10, 3, 7);
        check(10, 12, 0);
    }
}
