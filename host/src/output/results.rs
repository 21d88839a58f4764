//! Results for programs: JSON Lines with a stable schema. What is absent is
//! left out, never null.

use std::collections::BTreeMap;

use serde::Serialize;

use super::stamps::Stamps;
use super::summary::Summary;
use super::text::rfc3339;
use crate::extraction::{InputSummary, Outcome, Reason};
use crate::indicator::Indicator;
use crate::observation::Observation;
use crate::plugin::PluginId;
use crate::sightings::{Counted, Sightings};
use crate::triage::Finding;

/// `results.jsonl`: a record for each finding, and the summary as the last.
/// Nothing in it depends on how often the run was interrupted.
#[must_use]
pub fn results(findings: &[Finding], summary: &Summary) -> Vec<u8> {
    let mut lines = Vec::new();
    for finding in findings {
        push(&mut lines, &FindingRow::new(finding, summary));
    }
    push(&mut lines, &SummaryRow::new(summary));
    lines
}

/// One observation, for `vthost extract` and `vthost evidence`.
#[derive(Serialize)]
pub struct ExtractRow<'a> {
    input: &'a str,
    line: u64,
    kind: &'static str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl<'a> ExtractRow<'a> {
    /// A row for an observation on a line (from 1) of an input.
    #[must_use]
    pub fn new(
        input: &'a str,
        line: u64,
        indicator: &'a Indicator,
        observation: &Observation<'_>,
    ) -> Self {
        let text =
            |bytes: &[u8]| (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned());
        Self {
            input,
            line,
            kind: indicator.kind().as_str(),
            value: indicator.value(),
            client: text(observation.client),
            user: text(observation.user),
            time: observation.time_us.and_then(rfc3339),
            action: observation.action.as_str(),
            written: None,
            text: None,
        }
    }

    /// The row with the value as the log writes it, where that is another.
    #[must_use]
    pub fn with_written(self, raw: &[u8]) -> Self {
        let is_other = raw != self.value.as_bytes();
        Self {
            written: is_other.then(|| String::from_utf8_lossy(raw).into_owned()),
            ..self
        }
    }

    /// The row with the line itself.
    #[must_use]
    pub fn with_text(self, line: &[u8]) -> Self {
        Self {
            text: Some(String::from_utf8_lossy(line).into_owned()),
            ..self
        }
    }

    /// Adds the row as a line.
    pub fn push_to(&self, lines: &mut Vec<u8>) {
        push(lines, self);
    }
}

/// Writes the rows of `vthost extract --unique`, millions of them: the fields
/// of a finding that tell what was seen.
#[derive(Debug, Default)]
pub struct UniqueRows {
    /// The rows so far.
    pub rows: Vec<u8>,
    stamps: Stamps,
}

impl UniqueRows {
    /// Adds the row of one indicator.
    pub fn push(&mut self, counted: &Counted<'_>) {
        let row = &mut self.rows;
        row.extend_from_slice(b"{\"kind\":\"");
        row.extend_from_slice(counted.kind.as_str().as_bytes());
        row.extend_from_slice(b"\",\"value\":");
        push_text(row, &counted.value);
        push_number(row, b",\"count\":", counted.count);
        push_time(row, &mut self.stamps, b",\"first\":\"", counted.first_us);
        push_time(row, &mut self.stamps, b",\"last\":\"", counted.last_us);
        push_number(row, b",\"clients\":", counted.clients.into());
        push_number(row, b",\"allowed\":", counted.allowed);
        push_number(row, b",\"blocked\":", counted.blocked);
        row.extend_from_slice(b"}\n");
    }
}

fn push_text(row: &mut Vec<u8>, text: &str) {
    // Not left at the first: that way many bytes are looked at together.
    let is_escaped = text.bytes().fold(false, |is_escaped, byte| {
        is_escaped | (byte < b' ') | (byte == b'"') | (byte == b'\\')
    });
    if is_escaped {
        // A string always serialises, and a Vec takes every byte.
        let _ = serde_json::to_writer(row, text);
    } else {
        row.push(b'"');
        row.extend_from_slice(text.as_bytes());
        row.push(b'"');
    }
}

fn push_number(row: &mut Vec<u8>, before: &[u8], number: u64) {
    row.extend_from_slice(before);
    row.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn push_time(row: &mut Vec<u8>, stamps: &mut Stamps, before: &[u8], time_us: Option<i64>) {
    let start = row.len();
    row.extend_from_slice(before);
    match time_us {
        Some(time_us) if stamps.push(time_us, row) => row.push(b'"'),
        _ => row.truncate(start),
    }
}

/// The sightings of one indicator.
#[derive(Serialize)]
struct UniqueRow<'a> {
    kind: &'static str,
    value: &'a str,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    clients: u32,
    allowed: u64,
    blocked: u64,
}

impl<'a> UniqueRow<'a> {
    fn new(sightings: &'a Sightings, clients: u32) -> Self {
        Self {
            kind: sightings.indicator.kind().as_str(),
            value: sightings.indicator.value(),
            count: sightings.count,
            first: sightings.first_us.and_then(rfc3339),
            last: sightings.last_us.and_then(rfc3339),
            clients,
            allowed: sightings.allowed,
            blocked: sightings.blocked,
        }
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
    seen: UniqueRow<'a>,
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
        let input = summary.inputs.get(seen.place.input());
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
            seen: UniqueRow::new(seen, clients),
            written: seen.written.as_deref(),
            contacted_by: &seen.clients,
            first_input: input.map(|input| input.name.as_str()),
            first_line: input.map(|_| seen.place.line()),
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
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    kept_back_by: &'a BTreeMap<String, u64>,
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
            kept_back_by: &summary.kept_back_by,
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
            Outcome::Skipped(problem) => ("skipped", Some(problem.as_str())),
            Outcome::CutShort(problem) => ("cut-short", Some(problem.as_str())),
        };
        Self {
            input: &input.name,
            outcome,
            problem,
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

fn push<T: Serialize>(lines: &mut Vec<u8>, row: &T) {
    // Plain structs of strings and numbers always serialise, and a Vec takes
    // every byte.
    let _ = serde_json::to_writer(&mut *lines, row);
    lines.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Kind;
    use crate::observation::Place;

    #[test]
    fn unique_rows_have_the_fields_of_findings() {
        let check = |value: &str, first_us, allowed| {
            let seen = Sightings {
                indicator: Indicator::from_canonical(Kind::Url, value.to_owned()),
                written: None,
                count: 7,
                allowed,
                blocked: 1,
                first_us,
                last_us: first_us.map(|first: i64| first + 86_400_500_000),
                clients: Vec::new(),
                place: Place::new(0, 0),
            };
            let mut expected = Vec::new();
            push(&mut expected, &UniqueRow::new(&seen, 3));
            let mut rows = UniqueRows::default();
            rows.push(&Counted {
                kind: Kind::Url,
                value: value.into(),
                count: seen.count,
                allowed,
                blocked: seen.blocked,
                first_us: seen.first_us,
                last_us: seen.last_us,
                clients: 3,
            });
            assert_eq!(
                String::from_utf8_lossy(&rows.rows),
                String::from_utf8_lossy(&expected)
            );
        };
        check("http://www.example.com/", Some(1_714_564_800_123_000), 6);
        check("http://www.example.com/\"\\\u{1}é", None, 0);
        check("http://www.example.com/", Some(300_000_000_000_000_000), 6);
    }
}
