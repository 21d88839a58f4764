//! The last row of `results.jsonl`: the totals of a run, and what was read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding_row::LogLineRow;
use super::summary::Summary;
use super::text::rfc3339;
use crate::contacts::Timeline;
use crate::extraction::{InputSummary, Outcome, Reason};
use crate::plugin::PluginId;

/// The version of the file's schema, `docs/results.schema.json`. An addition keeps the version;
/// a change that breaks readers increases it, and the program reads the version before too.
pub(super) const SCHEMA_VERSION: u32 = 2;

/// The totals of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SummaryRow<'a> {
    pub(crate) r#type: Cow<'a, str>,
    pub(crate) schema: u32,
    pub(crate) vthost: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) policies: Vec<PluginRow<'a>>,
    pub(crate) bad: u64,
    pub(crate) good: u64,
    pub(crate) unknown: u64,
    pub(crate) unknown_by: BTreeMap<Cow<'a, str>, u64>,
    #[serde(rename = "kept_back_by", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) withheld_by: BTreeMap<Cow<'a, str>, u64>,
    pub(crate) with_secrets: u64,
    pub(crate) inputs: Vec<InputRow<'a>>,
    pub(crate) not_read: Vec<NotReadRow<'a>>,
    pub(crate) not_indicators: Vec<InvalidRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeline: Option<TimelineRow>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) not_traced: Cow<'a, [String]>,
}

/// A plugin.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PluginRow<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) version: Cow<'a, str>,
    pub(crate) digest: String,
}

/// An input that was opened.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct InputRow<'a> {
    pub(crate) input: Cow<'a, str>,
    pub(crate) outcome: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy_of: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parser: Option<PluginRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confidence: Option<u8>,
    pub(crate) lines: u64,
    pub(crate) records: u64,
    pub(crate) ignored: u64,
    pub(crate) rejected: u64,
    pub(crate) observations: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) ignored_by: BTreeMap<Cow<'a, str>, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) rejected_by: BTreeMap<Cow<'a, str>, u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) failures: Vec<FailureRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) envelopes: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) ignored_samples: BTreeMap<Cow<'a, str>, Vec<LogLineRow<'a>>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) rejected_samples: BTreeMap<Cow<'a, str>, Vec<LogLineRow<'a>>>,
}

/// A failure of a parser.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FailureRow {
    pub(crate) plugin: String,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) problem: String,
}

/// A path that was not opened.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NotReadRow<'a> {
    pub(crate) path: Cow<'a, str>,
    pub(crate) problem: Cow<'a, str>,
}

/// Values that are no indicators.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct InvalidRow<'a> {
    pub(crate) reason: Cow<'a, str>,
    pub(crate) count: u64,
    pub(crate) sample: Cow<'a, str>,
}

/// The number of observations by verdict, in intervals of equal length.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TimelineRow {
    pub(crate) start: String,
    pub(crate) step_seconds: i64,
    pub(crate) bad: Vec<u64>,
    pub(crate) good: Vec<u64>,
    pub(crate) unknown: Vec<u64>,
    pub(crate) without_time: u64,
}

impl<'a> SummaryRow<'a> {
    pub(crate) fn new(summary: &'a Summary) -> Self {
        let not_read = summary.skipped.iter();
        let invalid = summary.invalid.iter();
        Self {
            r#type: "summary".into(),
            schema: SCHEMA_VERSION,
            vthost: env!("CARGO_PKG_VERSION").into(),
            policies: summary.policies.iter().map(PluginRow::new).collect(),
            bad: summary.verdicts.bad,
            good: summary.verdicts.good,
            unknown: summary.verdicts.unknown,
            unknown_by: summary
                .unknown_by
                .iter()
                .map(|(cause, count)| (cause.as_str().into(), *count))
                .collect(),
            withheld_by: summary
                .withheld_by
                .iter()
                .map(|(reason, count)| (reason.as_str().into(), *count))
                .collect(),
            with_secrets: summary.with_secrets,
            inputs: summary.inputs.iter().map(InputRow::new).collect(),
            not_read: not_read
                .map(|(path, problem)| NotReadRow {
                    path: path.into(),
                    problem: problem.into(),
                })
                .collect(),
            not_indicators: invalid
                .map(|(reason, count, sample)| InvalidRow {
                    reason: reason.into(),
                    count: *count,
                    sample: sample.into(),
                })
                .collect(),
            timeline: summary.timeline.as_ref().and_then(TimelineRow::new),
            not_traced: summary.not_traced.as_slice().into(),
        }
    }
}

impl<'a> PluginRow<'a> {
    fn new(plugin: &'a PluginId) -> Self {
        Self {
            name: plugin.name.as_str().into(),
            version: plugin.version.as_str().into(),
            digest: format!("sha256:{}", plugin.digest),
        }
    }
}

impl<'a> InputRow<'a> {
    fn new(input: &'a InputSummary) -> Self {
        let (counts, facts) = (&input.counts, &input.facts);
        let (outcome, problem) = outcome(&input.outcome);
        let envelopes = input.envelopes.iter().copied();
        Self {
            input: input.name.as_str().into(),
            outcome: outcome.into(),
            problem: problem.map(Into::into),
            copy_of: input.copy_of.as_deref().map(Into::into),
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
            envelopes: envelopes.map(Into::into).collect(),
            bytes: facts.bytes,
            sha256: facts.sha256.as_deref().map(Into::into),
            first: facts.first_us.and_then(rfc3339),
            last: facts.last_us.and_then(rfc3339),
            ignored_samples: samples(&counts.ignored),
            rejected_samples: samples(&counts.rejected),
        }
    }
}

fn outcome(outcome: &Outcome) -> (&'static str, Option<&str>) {
    match outcome {
        Outcome::Read => ("read", None),
        Outcome::Empty => ("empty", None),
        Outcome::Copy => ("copy", None),
        Outcome::NoLog(kind) => ("no_log", Some(*kind)),
        Outcome::Skipped(problem) => ("skipped", Some(problem.as_str())),
        Outcome::CutShort(problem) => ("cut-short", Some(problem.as_str())),
    }
}

fn by_reason(reasons: &BTreeMap<String, Reason>) -> BTreeMap<Cow<'_, str>, u64> {
    let reasons = reasons.iter();
    reasons
        .map(|(name, reason)| (name.as_str().into(), reason.count))
        .collect()
}

fn samples(reasons: &BTreeMap<String, Reason>) -> BTreeMap<Cow<'_, str>, Vec<LogLineRow<'_>>> {
    let sampled = reasons
        .iter()
        .filter(|(_, reason)| !reason.samples.is_empty());
    sampled
        .map(|(name, reason)| {
            let samples = reason.samples.iter().map(|(line, text)| LogLineRow {
                input: Cow::default(),
                line: *line,
                text: text.into(),
            });
            (name.as_str().into(), samples.collect())
        })
        .collect()
}

impl TimelineRow {
    fn new(timeline: &Timeline) -> Option<Self> {
        let of = |verdict: usize| {
            timeline
                .counts
                .iter()
                .map(|counts| counts[verdict])
                .collect()
        };
        Some(Self {
            start: rfc3339(timeline.start_us)?,
            step_seconds: timeline.step_us / 1_000_000,
            bad: of(0),
            good: of(1),
            unknown: of(2),
            without_time: timeline.without_time,
        })
    }
}
