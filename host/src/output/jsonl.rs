//! `results.jsonl`: the findings for programs, with a stable schema.
//!
//! There is one row for each finding; the last row is the summary. Absent values are left out,
//! never null. Nothing in the file depends on how often the run was interrupted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::api::{Output, OutputError, Results};
use super::atomic::replace;
use super::rows::{SightingsRow, push};
use super::summary::Summary;
use super::text::rfc3339;
use crate::extraction::{InputSummary, Outcome, Reason};
use crate::plugin::PluginId;
use crate::triage::Finding;

/// `results.jsonl`.
pub(super) struct JsonLines {
    path: PathBuf,
}

impl JsonLines {
    /// The file in a directory. Nothing is written yet.
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            path: directory.join("results.jsonl"),
        }
    }
}

impl Output for JsonLines {
    fn checkpoint(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        self.finish(results)
    }

    fn finish(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        let mut lines = Vec::new();
        for finding in results.findings {
            push(&mut lines, &FindingRow::new(finding, results.summary));
        }
        push(&mut lines, &SummaryRow::new(results.summary));
        replace(&self.path, &lines)
    }
}

#[derive(Serialize)]
struct FindingRow<'a> {
    r#type: &'static str,
    verdict: &'static str,
    cause: &'static str,
    reason: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<StatsRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    analysed: Option<String>,
    #[serde(flatten)]
    seen: SightingsRow<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<&'a str>,
    contacted_by: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    first_input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_line: Option<u64>,
}

#[derive(Serialize)]
struct StatsRow {
    harmless: u32,
    malicious: u32,
    suspicious: u32,
    undetected: u32,
    timeout: u32,
}

impl<'a> FindingRow<'a> {
    fn new(finding: &'a Finding, summary: &'a Summary) -> Self {
        let seen = &finding.sightings;
        let evidence = finding.evidence.as_ref();
        let input = summary.inputs.get(seen.first_seen.input());
        let clients = u32::try_from(seen.clients.len()).unwrap_or(u32::MAX);
        Self {
            r#type: "indicator",
            verdict: finding.verdict.as_str(),
            cause: finding.cause.as_str(),
            reason: &finding.reason,
            tags: &finding.tags,
            score: finding.score,
            scope: evidence.map(|evidence| evidence.scope.as_str()),
            subject: evidence.map(|evidence| evidence.subject.as_str()),
            stats: evidence
                .and_then(|evidence| evidence.stats)
                .map(|stats| StatsRow {
                    harmless: stats.harmless,
                    malicious: stats.malicious,
                    suspicious: stats.suspicious,
                    undetected: stats.undetected,
                    timeout: stats.timeout,
                }),
            analysed: evidence
                .and_then(|evidence| evidence.analysed_s)
                .and_then(|seconds| rfc3339(seconds.saturating_mul(1_000_000))),
            seen: SightingsRow::new(seen, clients),
            written: seen.written.as_deref(),
            contacted_by: &seen.clients,
            first_input: input.map(|input| input.name.as_str()),
            first_line: input.map(|_| seen.first_seen.line()),
        }
    }
}

#[derive(Serialize)]
struct SummaryRow<'a> {
    r#type: &'static str,
    vthost: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<PluginRow<'a>>,
    bad: u64,
    good: u64,
    unknown: u64,
    unknown_by: BTreeMap<&'static str, u64>,
    #[serde(rename = "kept_back_by", skip_serializing_if = "BTreeMap::is_empty")]
    withheld_by: &'a BTreeMap<String, u64>,
    with_secrets: u64,
    inputs: Vec<InputRow<'a>>,
    not_read: Vec<NotReadRow<'a>>,
    not_indicators: Vec<InvalidRow<'a>>,
}

#[derive(Serialize)]
struct PluginRow<'a> {
    name: &'a str,
    version: &'a str,
    digest: String,
}

#[derive(Serialize)]
struct InputRow<'a> {
    input: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parser: Option<PluginRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<u8>,
    lines: u64,
    records: u64,
    ignored: u64,
    rejected: u64,
    observations: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ignored_by: BTreeMap<&'a str, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    rejected_by: BTreeMap<&'a str, u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailureRow>,
}

#[derive(Serialize)]
struct FailureRow {
    plugin: String,
    start: u64,
    end: u64,
    problem: String,
}

#[derive(Serialize)]
struct NotReadRow<'a> {
    path: &'a str,
    problem: &'a str,
}

#[derive(Serialize)]
struct InvalidRow<'a> {
    reason: &'a str,
    count: u64,
    sample: &'a str,
}

impl<'a> SummaryRow<'a> {
    fn new(summary: &'a Summary) -> Self {
        let unknown_by = summary.unknown_by.iter();
        let not_read = summary.skipped.iter();
        let invalid = summary.invalid.iter();
        Self {
            r#type: "summary",
            vthost: env!("CARGO_PKG_VERSION"),
            policies: summary.policies.iter().map(PluginRow::new).collect(),
            bad: summary.verdicts.bad,
            good: summary.verdicts.good,
            unknown: summary.verdicts.unknown,
            unknown_by: unknown_by
                .map(|(cause, count)| (cause.as_str(), *count))
                .collect(),
            withheld_by: &summary.withheld_by,
            with_secrets: summary.with_secrets,
            inputs: summary.inputs.iter().map(InputRow::new).collect(),
            not_read: not_read
                .map(|(path, problem)| NotReadRow { path, problem })
                .collect(),
            not_indicators: invalid
                .map(|(reason, count, sample)| InvalidRow {
                    reason,
                    count: *count,
                    sample,
                })
                .collect(),
        }
    }
}

impl<'a> PluginRow<'a> {
    fn new(plugin: &'a PluginId) -> Self {
        Self {
            name: &plugin.name,
            version: &plugin.version,
            digest: format!("sha256:{}", plugin.digest),
        }
    }
}

impl<'a> InputRow<'a> {
    fn new(input: &'a InputSummary) -> Self {
        let counts = &input.counts;
        let (outcome, problem) = match &input.outcome {
            Outcome::Read => ("read", None),
            Outcome::Empty => ("empty", None),
            Outcome::Copy => ("copy", None),
            Outcome::NoLog(kind) => ("no_log", Some(*kind)),
            Outcome::Skipped(problem) => ("skipped", Some(problem.as_str())),
            Outcome::CutShort(problem) => ("cut-short", Some(problem.as_str())),
        };
        Self {
            input: &input.name,
            outcome,
            problem,
            copy_of: input.copy_of.as_deref(),
            parser: input.parser.as_ref().map(PluginRow::new),
            confidence: input.confidence,
            lines: counts.lines,
            records: counts.records,
            ignored: counts.ignored_lines(),
            rejected: counts.rejected_lines(),
            observations: counts.observations,
            ignored_by: by_reason(&counts.ignored),
            rejected_by: by_reason(&counts.rejected),
            failures: counts
                .failures
                .iter()
                .map(|failure| FailureRow {
                    plugin: failure.plugin.to_string(),
                    start: failure.start,
                    end: failure.end,
                    problem: failure.stop.to_string(),
                })
                .collect(),
        }
    }
}

fn by_reason(reasons: &BTreeMap<String, Reason>) -> BTreeMap<&str, u64> {
    let reasons = reasons.iter();
    reasons
        .map(|(name, reason)| (name.as_str(), reason.count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::not_asked;
    use super::*;

    #[test]
    fn checkpoint_writes_the_results_so_far() {
        let directory = tempfile::tempdir().unwrap();
        let findings = [not_asked("a.example.com"), not_asked("b.example.com")];
        let mut summary = Summary::default();
        summary.count(&findings);
        let results = Results {
            findings: &findings,
            summary: &summary,
        };
        JsonLines::new(directory.path())
            .checkpoint(&results)
            .unwrap();
        let written = std::fs::read_to_string(directory.path().join("results.jsonl")).unwrap();
        assert_eq!(written.matches("\"cause\":\"not-asked\"").count(), 2);
        assert!(written.contains("\"unknown\":2"), "{written}");
    }
}
