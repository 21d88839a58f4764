//! The one value that every output takes its totals from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use crate::extraction::{InputSummary, Outcome};
use crate::indicator::secrets;
use crate::input::Skipped;
use crate::plugin::PluginId;
use crate::sightings::InvalidValues;
use crate::triage::plan::NEVER_LEAVES;
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
    /// Those that never leave the machine, by what they are.
    pub kept_back_by: BTreeMap<String, u64>,
    /// How many of the others may hold a secret: no tier shows them in full.
    pub with_secrets: u64,
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
        self.kept_back_by.clear();
        self.with_secrets = 0;
        for finding in findings {
            if finding.cause == Cause::Internal {
                let reason = finding.reason.strip_prefix(NEVER_LEAVES);
                let reason = reason.unwrap_or(&finding.reason).to_owned();
                *self.kept_back_by.entry(reason).or_default() += 1;
            } else if !secrets::sensitive(&finding.sightings.indicator).is_empty() {
                self.with_secrets += 1;
            }
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
        write_kept_back(f, self)
    }
}

fn write_kept_back(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    let kept_back = summary.kept_back_by.iter();
    let kept_back: Vec<String> = kept_back
        .map(|(reason, count)| format!("{count} for {reason}"))
        .collect();
    if !kept_back.is_empty() {
        writeln!(f, "kept back: {}", visible(&kept_back.join(", ")))?;
    }
    if summary.with_secrets > 0 {
        let count = summary.with_secrets;
        writeln!(
            f,
            "never shown in full, for what may be a secret: {count} URLs"
        )?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::scope::InternalSuffixes;
    use crate::indicator::{Indicator, Kind};
    use crate::observation::Place;
    use crate::plugin::{Judgement, Screening};
    use crate::sightings::Sightings;
    use crate::triage::plan::plan;
    use crate::triage::{Decision, Judge, PolicyFailure};
    use crate::verdict::Scope;
    use crate::virustotal::report::Report;

    /// Wants all but `skipped.example.com`.
    struct Wants;

    impl Judge for Wants {
        fn screen(&mut self, sightings: &Sightings) -> Result<Screening, PolicyFailure> {
            Ok(match sightings.indicator.value() {
                "skipped.example.com" => Screening::Skip {
                    reason: "ours".to_owned(),
                },
                _ => Screening::Ask { priority: 0 },
            })
        }

        fn judge(
            &mut self,
            _sightings: &Sightings,
            _subject: &Indicator,
            _scope: Scope,
            _report: &Report,
        ) -> Result<Judgement, PolicyFailure> {
            Err(PolicyFailure("not asked here".to_owned()))
        }
    }

    fn seen(value: &str) -> Sightings {
        let kind = match value.contains("://") {
            true => Kind::Url,
            false => Kind::Domain,
        };
        Sightings {
            indicator: Indicator::parse(kind, value.as_bytes()).unwrap(),
            written: None,
            count: 1,
            allowed: 1,
            blocked: 0,
            first_us: None,
            last_us: None,
            clients: Vec::new(),
            place: Place::new(0, 0),
        }
    }

    /// The summary of a run that ended before it asked anything.
    fn summary(values: &[&str]) -> Summary {
        let own = InternalSuffixes::new(&["corp.example.com".into()]);
        let sightings = values.iter().map(|value| seen(value)).collect();
        let planned = plan(sightings, &own, &mut Wants).into_iter();
        let findings: Vec<Finding> = planned
            .map(|planned| match planned.decision {
                Decision::Ask { .. } => {
                    Finding::unknown(planned.sightings, Cause::NotAsked, String::new())
                }
                Decision::Skip { cause, reason } => {
                    Finding::unknown(planned.sightings, cause, reason)
                }
            })
            .collect();
        let mut summary = Summary::default();
        summary.count(&findings);
        // Counting again is not counting twice.
        summary.count(&findings);
        summary
    }

    #[test]
    fn what_never_leaves_is_counted_by_reason() {
        let summary = summary(&[
            "10.0.0.1",
            "http://10.0.0.1/?token=x",
            "192.168.1.1",
            "db.corp.example.com",
            "printer.local",
            "http://wiki/",
            "skipped.example.com",
            "www.example.com",
            "http://www.example.com/?token=x",
            "http://www.example.com/?password=x&code=y",
            "http://www.example.com/",
        ]);
        assert_eq!(summary.indicators(), 11);
        let internal = summary.unknown_by[&Cause::Internal];
        assert_eq!(internal, 6);
        assert_eq!(summary.kept_back_by.values().sum::<u64>(), internal);
        assert_eq!(
            summary.to_string(),
            "kept back: 1 for a name of a single label, 1 for a name outside the public DNS, \
             3 for a private address (RFC 1918), 1 for an internal name (--internal-suffix)\n\
             never shown in full, for what may be a secret: 2 URLs\n"
        );
    }

    #[test]
    fn where_nothing_is_kept_back_nothing_is_said() {
        assert_eq!(summary(&["www.example.com"]).to_string(), "");
    }
}
