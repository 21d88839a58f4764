//! The totals of a run. Every output takes its numbers from here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::input_lines;
use super::run_facts::RunFacts;
use super::text::{counted, visible};
use crate::contacts::Timeline;
use crate::extraction::{InputSummary, Outcome};
use crate::indicator::secrets;
use crate::input::Found;
use crate::plugin::PluginId;
use crate::sightings::InvalidValues;
use crate::triage::plan::NEVER_LEAVES;
use crate::triage::{Cause, Finding};
use crate::verdict::Verdict;

/// The totals of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The inputs that were opened, in their order.
    pub inputs: Vec<InputSummary>,
    /// The paths that were not opened, each with the reason.
    pub skipped: Vec<(String, String)>,
    /// Values that are not indicators: the reason, the number of observations, and one value.
    pub invalid: Vec<(String, u64, String)>,
    /// The policies in their order; empty if the command applies none.
    pub policies: Vec<PluginId>,
    /// Indicators by verdict.
    pub verdicts: VerdictCounts,
    /// Unknown indicators by cause.
    pub unknown_by: BTreeMap<Cause, u64>,
    /// Indicators that never leave the machine, by the kind of address or name.
    pub withheld_by: BTreeMap<String, u64>,
    /// Other indicators that may contain a secret; they are never sent in full.
    pub with_secrets: u64,
    /// When indicators were contacted, by verdict; known if the logs were read again.
    pub timeline: Option<Timeline>,
    /// Why contacts are missing, if they are.
    pub not_traced: Vec<String>,
    /// How the results came about.
    pub run: RunFacts,
}

/// Indicators by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    /// Bad.
    pub bad: u64,
    /// Good.
    pub good: u64,
    /// Unknown.
    pub unknown: u64,
}

impl VerdictCounts {
    /// Counts one indicator.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Bad => &mut self.bad,
            Verdict::Good => &mut self.good,
            Verdict::Unknown => &mut self.unknown,
        } += 1;
    }

    /// All indicators.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.bad + self.good + self.unknown
    }
}

impl Summary {
    /// The summary of what was read, without findings.
    #[must_use]
    pub fn of_inputs(mut inputs: Vec<InputSummary>, found: &Found) -> Self {
        let links = found.links.iter();
        inputs.extend(links.map(|link| {
            let outcome = Outcome::NoLog("a symbolic link inside a directory");
            InputSummary::without_content(link.display().to_string(), outcome)
        }));
        let skipped = found.skipped.iter().map(|skipped| {
            (
                skipped.path.display().to_string(),
                skipped.error.to_string(),
            )
        });
        Self {
            inputs,
            skipped: skipped.collect(),
            ..Self::default()
        }
    }

    /// Adds values that are not indicators.
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

    /// Counts the findings. They replace the ones that were counted before.
    pub fn count(&mut self, findings: &[Finding]) {
        self.verdicts = VerdictCounts::default();
        self.unknown_by.clear();
        self.withheld_by.clear();
        self.with_secrets = 0;
        for finding in findings {
            self.verdicts.add(finding.verdict);
            if finding.verdict == Verdict::Unknown {
                *self.unknown_by.entry(finding.cause).or_default() += 1;
            }
            if finding.cause == Cause::Internal {
                let reason = finding.reason.strip_prefix(NEVER_LEAVES);
                let reason = reason.unwrap_or(&finding.reason).to_owned();
                *self.withheld_by.entry(reason).or_default() += 1;
            } else if !secrets::sensitive(&finding.sightings.indicator).is_empty() {
                self.with_secrets += 1;
            }
        }
    }

    /// The parsers that read the inputs: `name@version` and digest.
    fn parsers(&self) -> BTreeSet<(String, &str)> {
        let parsers = self.inputs.iter().filter_map(|input| input.parser.as_ref());
        parsers
            .map(|id| (format!("{}@{}", id.name, id.version), id.digest.as_str()))
            .collect()
    }

    /// Whether an input that the user named was not read to its end, or was not understood.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let is_whole = |input: &InputSummary| {
            matches!(
                input.outcome,
                Outcome::Read | Outcome::Empty | Outcome::Copy | Outcome::NoLog(_)
            ) && input.counts.failure_count == 0
                && !input.is_not_understood()
        };
        !self.skipped.is_empty() || !self.inputs.iter().all(is_whole)
    }

    /// Writes the verdicts, if a policy was applied, and what is never sent.
    pub(super) fn write_conclusion(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.policies.is_empty() {
            write_verdicts(f, self)?;
        }
        write_withheld(f, self)
    }

    /// Whether an indicator is unknown because its answer failed or is pending.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        let mut causes = self.unknown_by.keys();
        causes.any(|cause| matches!(cause, Cause::Failed | Cause::Pending))
    }
}

/// Text for people, several lines. The verdicts are left out if no policy was applied.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        input_lines::write_inputs(f, &self.inputs)?;
        for (path, reason) in &self.skipped {
            writeln!(f, "{}: not read: {}", visible(path), visible(reason))?;
        }
        for (reason, count, sample) in &self.invalid {
            let observations = counted(*count, "observation", "observations");
            let sample = input_lines::beginning(sample);
            writeln!(
                f,
                "{observations} with an invalid value: {reason}, such as `{sample}`"
            )?;
        }
        for (parser, digest) in self.parsers() {
            writeln!(f, "parsed by {parser} (sha256:{digest})")?;
        }
        self.write_conclusion(f)
    }
}

fn write_verdicts(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    let VerdictCounts { bad, good, unknown } = summary.verdicts;
    let all = counted(summary.verdicts.total(), "indicator", "indicators");
    write!(f, "{all}: {bad} bad, {good} good, {unknown} unknown")?;
    let causes = summary.unknown_by.iter();
    let causes: Vec<String> = causes
        .map(|(cause, count)| format!("{count} {}", cause.as_str()))
        .collect();
    if !causes.is_empty() {
        write!(f, " ({})", causes.join(", "))?;
    }
    writeln!(f)
}

fn write_withheld(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    let withheld = summary.withheld_by.iter();
    let withheld: Vec<String> = withheld
        .map(|(reason, count)| counted_kind(*count, reason))
        .collect();
    if !withheld.is_empty() {
        writeln!(f, "not sent: {}", visible(&withheld.join(", ")))?;
    }
    if summary.with_secrets > 0 {
        let urls = counted(summary.with_secrets, "URL", "URLs");
        writeln!(f, "never sent in full: {urls} that may contain a secret")?;
    }
    Ok(())
}

/// A count of a kind of name or address: `2` and `a name outside the public DNS` are
/// `2 names outside the public DNS`.
fn counted_kind(count: u64, kind: &str) -> String {
    let articles = ["a ", "an ", "the "];
    let mut without_article = articles
        .iter()
        .filter_map(|article| kind.strip_prefix(article));
    let kind = without_article.next().unwrap_or(kind);
    let nouns = [
        ("address", "addresses"),
        ("assignment", "assignments"),
        ("name", "names"),
    ];
    let noun = nouns.iter().find(|(singular, _)| kind.contains(singular));
    match noun {
        Some((singular, plural)) if count != 1 => {
            format!("{count} {}", kind.replacen(singular, plural, 1))
        }
        _ => format!("{count} {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::scope::InternalSuffixes;
    use crate::indicator::{Indicator, Kind};
    use crate::plugin::{Judgement, Screening};
    use crate::sightings::Sightings;
    use crate::triage::plan::plan;
    use crate::triage::{Decision, Judge, PolicyFailure};
    use crate::verdict::Scope;
    use crate::virustotal::report::Report;

    /// A policy that skips `skipped.example.com`.
    struct SkipsOne;

    impl Judge for SkipsOne {
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
        Sightings::unseen(Indicator::parse(kind, value.as_bytes()).unwrap())
    }

    /// The summary of a run that ended before its first request.
    fn summary(values: &[&str]) -> Summary {
        let own = InternalSuffixes::new(&["corp.example.com".into()]);
        let sightings = values.iter().map(|value| seen(value)).collect();
        let planned = plan(sightings, &own, &mut SkipsOne).into_iter();
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
        // A second count replaces the first.
        summary.count(&findings);
        summary
    }

    #[test]
    fn withheld_indicators_are_counted_by_kind() {
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
        assert_eq!(summary.verdicts.total(), 11);
        let internal = summary.unknown_by[&Cause::Internal];
        assert_eq!(internal, 6);
        assert_eq!(summary.withheld_by.values().sum::<u64>(), internal);
        assert_eq!(
            summary.to_string(),
            "not sent: 1 name of a single label, 1 name outside the public DNS, \
             3 private addresses (RFC 1918), 1 internal name (--internal-suffix)\n\
             never sent in full: 2 URLs that may contain a secret\n"
        );
    }

    #[test]
    fn nothing_withheld_prints_nothing() {
        assert_eq!(summary(&["www.example.com"]).to_string(), "");
    }

    #[test]
    fn kinds_are_counted_without_their_article() {
        let check = |count, kind, expected: &str| assert_eq!(counted_kind(count, kind), expected);
        check(1, "an internal name", "1 internal name");
        check(
            2,
            "a private address (RFC 1918)",
            "2 private addresses (RFC 1918)",
        );
        check(
            2,
            "a protocol assignment (RFC 6890)",
            "2 protocol assignments (RFC 6890)",
        );
        check(2, "something else", "2 something else");
    }
}
