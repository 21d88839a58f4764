//! The one value that every output takes its totals from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use crate::extraction::{InputSummary, Outcome};
use crate::input::Skipped;
use crate::plugin::PluginId;
use crate::sightings::InvalidValues;
use crate::triage::{Cause, Finding};
use crate::verdict::Verdict;

use super::text::visible;

/// What a run did, in numbers.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// What became of each input.
    pub inputs: Vec<InputSummary>,
    /// What was never opened: the path, and why.
    pub skipped: Vec<(String, String)>,
    /// Values that are no indicator: the reason, how many observations, and one
    /// of them.
    pub invalid: Vec<(String, u64, String)>,
    /// The policies, where any were asked, in their order.
    pub policies: Vec<PluginId>,
    /// Bad, good and unknown indicators.
    pub verdicts: VerdictCounts,
    /// The unknown ones by cause.
    pub unknown_by: BTreeMap<Cause, u64>,
}

/// How many indicators have which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    /// Bad.
    pub bad: u64,
    /// Good.
    pub good: u64,
    /// Unknown.
    pub unknown: u64,
}

impl Summary {
    /// Begins with what was read.
    #[must_use]
    pub fn of_inputs(inputs: Vec<InputSummary>, skipped: &[Skipped]) -> Self {
        let skipped = skipped.iter();
        Self {
            inputs,
            skipped: skipped
                .map(|skipped| {
                    (
                        skipped.path.display().to_string(),
                        skipped.error.to_string(),
                    )
                })
                .collect(),
            ..Self::default()
        }
    }

    /// Adds values that are no indicator.
    pub fn add_invalid<'a, R: fmt::Display + 'a>(
        &mut self,
        invalid: impl IntoIterator<Item = (&'a R, &'a InvalidValues)>,
    ) {
        let invalid = invalid.into_iter();
        self.invalid.extend(
            invalid
                .map(|(reason, values)| (reason.to_string(), values.count, values.sample.clone())),
        );
    }

    /// Counts the findings, in the place of any before.
    pub fn count(&mut self, findings: &[Finding]) {
        self.verdicts = VerdictCounts::default();
        self.unknown_by.clear();
        for finding in findings {
            match finding.verdict {
                Verdict::Bad => self.verdicts.bad += 1,
                Verdict::Good => self.verdicts.good += 1,
                Verdict::Unknown => {
                    self.verdicts.unknown += 1;
                    *self.unknown_by.entry(finding.cause).or_default() += 1;
                }
            }
        }
    }

    /// The parsers that were chosen for inputs, `name@version`, with their digests.
    fn parsers(&self) -> BTreeSet<(String, &str)> {
        let parsers = self.inputs.iter().filter_map(|input| input.parser.as_ref());
        parsers
            .map(|id| (format!("{}@{}", id.name, id.version), id.digest.as_str()))
            .collect()
    }

    /// Whether something that the user named was not read, or not in full.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let is_whole = |input: &InputSummary| {
            matches!(input.outcome, Outcome::Read | Outcome::Empty)
                && input.counts.failure_count == 0
        };
        !self.skipped.is_empty() || !self.inputs.iter().all(is_whole)
    }

    /// How many indicators there are.
    #[must_use]
    pub fn indicators(&self) -> u64 {
        self.verdicts.bad + self.verdicts.good + self.verdicts.unknown
    }
}

/// For people, without what concerns the verdicts when there are none.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for input in &self.inputs {
            write_input(f, input)?;
        }
        for (path, reason) in &self.skipped {
            writeln!(f, "{}: not read: {}", visible(path), visible(reason))?;
        }
        for (reason, count, sample) in &self.invalid {
            let sample: String = sample.chars().take(80).collect();
            writeln!(
                f,
                "{count} observations name {reason}, such as `{}`",
                visible(&sample)
            )?;
        }
        for (parser, digest) in self.parsers() {
            writeln!(f, "parsed by {parser} (sha256:{digest})")?;
        }
        if !self.policies.is_empty() {
            let VerdictCounts { bad, good, unknown } = self.verdicts;
            let all = self.indicators();
            write!(
                f,
                "{all} indicators: {bad} bad, {good} good, {unknown} unknown"
            )?;
            let causes = self.unknown_by.iter();
            let causes: Vec<String> = causes
                .map(|(cause, count)| format!("{count} {}", cause.as_str()))
                .collect();
            if !causes.is_empty() {
                write!(f, " ({})", causes.join(", "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A parser that is no surer than this takes what it can find in any text.
const GUESSED: u8 = 10;

/// Where a parser that was chosen by itself rejects one line in so many, the
/// file holds more than one format.
const FOREIGN_LINES: u64 = 10;

fn write_input(f: &mut fmt::Formatter<'_>, input: &InputSummary) -> fmt::Result {
    let counts = &input.counts;
    write!(f, "{}: ", visible(&input.name))?;
    match &input.outcome {
        Outcome::Skipped(reason) => return writeln!(f, "not read: {}", visible(reason)),
        Outcome::Empty => return writeln!(f, "empty"),
        Outcome::Read | Outcome::CutShort(_) => {}
    }
    if let Some(parser) = &input.parser {
        write!(f, "{}", parser.name)?;
        if let Some(sure) = input.confidence {
            write!(f, " ({sure} % sure)")?;
        }
        f.write_str(": ")?;
    }
    writeln!(
        f,
        "{} lines = {} records + {} ignored + {} rejected",
        counts.lines,
        counts.records,
        counts.ignored_lines(),
        counts.rejected_lines()
    )?;
    if input.confidence.is_some_and(|sure| sure <= GUESSED) {
        f.write_str("  no format is recognised: what looks like a URL, a name or an address was taken; name the parser with --parser if there is one\n")?;
    }
    let is_chosen = input.confidence.is_some_and(|sure| sure > GUESSED);
    if is_chosen && counts.rejected_lines() * FOREIGN_LINES >= counts.lines {
        f.write_str("  many lines are of another format: a file is read by one parser, the one that knows most of its first lines; read it again with --parser for the others\n")?;
    }
    for (reason, lines) in &counts.rejected {
        write!(f, "  rejected {}: {}", lines.count, visible(reason))?;
        if let Some((line, text)) = lines.samples.first() {
            let text: String = text.chars().take(80).collect();
            let mut shown = String::new();
            if !text.is_empty() {
                write!(shown, ": {}", visible(&text))?;
            }
            write!(f, " (line {line}{shown})")?;
        }
        writeln!(f)?;
    }
    for failure in &counts.failures {
        let stop = failure.stop.to_string();
        let (start, end) = (failure.start, failure.end);
        let (plugin, name) = (&failure.plugin, visible(&input.name));
        writeln!(
            f,
            "  {plugin} {} on {name} bytes {start}..{end}",
            visible(&stop)
        )?;
    }
    if let Outcome::CutShort(reason) = &input.outcome {
        writeln!(f, "  reading failed before the end: {}", visible(reason))?;
    }
    Ok(())
}
