//! Calls of one plugin on one input, for the commands `run`, `test` and `bench`.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::AnyPlugin;
use crate::duration;
use crate::extraction::DEFAULT_CHUNK_BYTES;
use crate::indicator::{Indicator, Kind};
use crate::input::{Chunk, Chunks};
use crate::output::ObservationRow;
use crate::plugin::{
    Batch, InputInfo, Judgement, Parser, ParserSession, Policy, Reading, Screening, Stop, Tally,
    digest_of,
};
use crate::sightings::Sightings;
use crate::verdict::Scope;
use crate::virustotal::report::Report;

/// The attributes of a complete report.
pub(super) const SAMPLE_REPORT: &str = include_str!("report.json");

/// The time of tests, so that their results do not depend on the date: 2025-01-01T00:00:00Z
/// in seconds.
pub(super) const SAMPLE_NOW_S: i64 = 1_735_689_600;

/// The result of parsing an input, as JSON Lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    /// One row for each observation.
    pub(super) rows: Vec<u8>,
    /// One row for each sample of a rejected line.
    pub(super) rejects: Vec<u8>,
    /// The counts of lines.
    pub(super) counts: Counts,
}

/// `lines = records + ignored + rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) lines: u64,
    pub(super) records: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) ignored: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) rejected: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct RejectRow<'a> {
    rejected: &'a str,
    line: u64,
    text: String,
}

/// Describes an input to a parser. Stamps without a year are not later than
/// `reference_time_us`.
pub(super) fn input(name: &str, bytes: &[u8], reference_time_us: i64) -> InputInfo {
    const HEAD_BYTES: usize = 64 << 10;
    InputInfo {
        name: name.to_owned(),
        head: bytes.get(..HEAD_BYTES).unwrap_or(bytes).to_vec(),
        utc_offset_minutes: 0,
        reference_time_us,
    }
}

/// Parses an input in chunks of about `chunk_bytes`. If lines are independent, each
/// chunk gets a new session, so that the result shows whether they are.
pub(super) fn parse(
    parser: &Parser,
    info: &InputInfo,
    bytes: &[u8],
    chunk_bytes: usize,
) -> Result<Parsed, Stop> {
    let mut parsed = Parsed::default();
    let mut session = parser.open(info)?;
    each_chunk(bytes, chunk_bytes, |chunk| {
        if session.reading() == Reading::IndependentLines && chunk.first_line > 0 {
            session = parser.open(info)?;
        }
        let batch = session.parse(&chunk.bytes, chunk.lines)?;
        parsed.add(&info.name, chunk, &batch);
        Ok(())
    })?;
    finish(&mut session, &mut parsed, &info.name)?;
    Ok(parsed)
}

fn finish(session: &mut ParserSession, parsed: &mut Parsed, name: &str) -> Result<(), Stop> {
    if session.reading() != Reading::IndependentLines {
        let batch = session.finish()?;
        parsed.add(name, &Chunk::default(), &batch);
    }
    Ok(())
}

/// Divides an input at line ends, as the host does with files.
pub(super) fn each_chunk(
    bytes: &[u8],
    chunk_bytes: usize,
    mut take: impl FnMut(&Chunk) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut chunks = Chunks::new(bytes, chunk_bytes);
    // Reading from memory cannot fail.
    while let Ok(Some(chunk)) = chunks.next(Vec::new()) {
        take(&chunk)?;
    }
    Ok(())
}

/// Rejected lines shown for each reason and chunk.
const MAX_SHOWN: usize = 3;

impl Parsed {
    fn add(&mut self, name: &str, chunk: &Chunk, batch: &Batch) {
        for observation in batch.observations(&chunk.bytes) {
            let line = chunk.first_line + u64::from(observation.line) + 1;
            match Indicator::parse(observation.kind, observation.value) {
                Ok(indicator) => ObservationRow::new(name, line, &indicator, &observation)
                    .push_to(&mut self.rows),
                Err(reason) => {
                    let text = String::from_utf8_lossy(observation.value).into_owned();
                    self.reject(&format!("not an indicator: {reason}"), line, text);
                }
            }
        }
        let counts = &mut self.counts;
        counts.lines += chunk.lines;
        counts.records += batch.records;
        for Tally { reason, count, .. } in &batch.ignored {
            *counts.ignored.entry(reason.clone()).or_default() += count;
        }
        for Tally {
            reason,
            count,
            samples,
        } in &batch.rejected
        {
            *self.counts.rejected.entry(reason.clone()).or_default() += count;
            for sample in samples.iter().take(MAX_SHOWN) {
                let text = chunk
                    .bytes
                    .split(|byte| *byte == b'\n')
                    .nth(*sample as usize);
                let text = String::from_utf8_lossy(text.unwrap_or_default()).into_owned();
                self.reject(reason, chunk.first_line + u64::from(*sample) + 1, text);
            }
        }
    }

    fn reject(&mut self, reason: &str, line: u64, text: String) {
        let row = RejectRow {
            rejected: reason,
            line,
            text,
        };
        self.rejects
            .extend(serde_json::to_vec(&row).unwrap_or_default());
        self.rejects.push(b'\n');
    }
}

/// The sightings of an indicator, as a case file contains them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CaseSightings {
    count: u64,
    allowed: u64,
    blocked: u64,
    clients: Vec<String>,
    first: Option<Value>,
    last: Option<Value>,
}

impl CaseSightings {
    /// The sightings with their indicator. Times may be relative to `now_s`.
    pub(super) fn sightings(&self, indicator: &str, now_s: i64) -> anyhow::Result<Sightings> {
        let time_us = |value: &Option<Value>| -> anyhow::Result<Option<i64>> {
            let seconds = value.as_ref().map(|value| time_s(value, now_s));
            Ok(seconds.transpose()?.map(|s| s.saturating_mul(1_000_000)))
        };
        Ok(Sightings {
            first_us: time_us(&self.first)?,
            last_us: time_us(&self.last)?,
            count: self.count,
            allowed: self.allowed,
            blocked: self.blocked,
            clients: self.clients.clone(),
            ..Sightings::unseen(parse_indicator(indicator)?)
        })
    }
}

/// Parses a URL, a domain or an IP address.
pub(in crate::cli::commands) fn parse_indicator(text: &str) -> anyhow::Result<Indicator> {
    let kind = if text.contains('/') {
        Kind::Url
    } else {
        Kind::Domain
    };
    Indicator::parse(kind, text.as_bytes())
        .with_context(|| format!("`{text}` is not a URL, domain or IP address"))
}

/// A report with its subject.
pub(super) struct Subject {
    /// The indicator that the report states, if it states one.
    pub(super) stated: Option<Indicator>,
    pub(super) report: Report,
}

impl Subject {
    /// Reads VirusTotal's answer, its `data`, or its attributes. Dates in the attributes may be
    /// relative to `now_s`, such as `30d ago`.
    pub(super) fn read(json: Value, now_s: i64) -> anyhow::Result<Self> {
        let mut object = json;
        if let Some(data) = object.get_mut("data").map(Value::take) {
            object = data;
        }
        let stated = stated_indicator(&object)?;
        let mut attributes = match object.get_mut("attributes").map(Value::take) {
            Some(attributes) => attributes,
            None => object,
        };
        resolve_dates(&mut attributes, now_s)?;
        let report = Report::from_attributes(&attributes.to_string());
        if report.stats.is_none() {
            bail!(
                "this is not a report of VirusTotal: it has no `last_analysis_stats`; `vthost plugin report` prints a sample"
            );
        }
        Ok(Self { stated, report })
    }

    /// The report, if it is about this indicator or does not state what it is about.
    pub(super) fn about(self, indicator: &Indicator) -> anyhow::Result<Report> {
        match &self.stated {
            Some(stated) if stated != indicator => bail!(
                "the report is about `{}` and not about `{}`",
                stated.value(),
                indicator.value()
            ),
            _ => Ok(self.report),
        }
    }
}

/// The indicator that an object of VirusTotal's API is about. `None` if it has no type.
fn stated_indicator(object: &Value) -> anyhow::Result<Option<Indicator>> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let attributes = object.get("attributes");
    let named = match object.get("type").and_then(Value::as_str) {
        Some("domain" | "ip_address") => text(object.get("id")),
        Some("url") => text(attributes.and_then(|attributes| attributes.get("url"))),
        _ => None,
    };
    named.map(|named| parse_indicator(&named)).transpose()
}

/// Replaces relative times in the attributes that are dates.
fn resolve_dates(attributes: &mut Value, now_s: i64) -> anyhow::Result<()> {
    let Some(attributes) = attributes.as_object_mut() else {
        return Ok(());
    };
    for (name, value) in attributes {
        if name.ends_with("_date") && value.is_string() {
            let seconds = time_s(value, now_s).with_context(|| format!("`{name}`"))?;
            *value = seconds.into();
        }
    }
    Ok(())
}

/// A time in seconds since 1970: a number, or relative to `now_s` such as `30d ago`.
pub(super) fn time_s(value: &Value, now_s: i64) -> anyhow::Result<i64> {
    let relative = || {
        let ago = value.as_str()?.strip_suffix("ago")?.trim_end();
        now_s.checked_sub(duration::parse_ms(ago)? / 1000)
    };
    let seconds = value.as_i64().or_else(relative);
    seconds.with_context(|| {
        format!("{value} is not a time: write seconds since 1970, or for example \"30d ago\"")
    })
}

/// Calls a policy with a report, in a new instance.
pub(super) fn judge(
    policy: &Policy,
    sightings: &Sightings,
    report: &Report,
    now_s: i64,
) -> Result<(Screening, Judgement), Stop> {
    let mut session = policy.open()?;
    let screening = session.screen(sightings)?;
    let subject = &sightings.indicator;
    let judgement = session.judge(sightings, subject, Scope::Exact, report, now_s)?;
    Ok((screening, judgement))
}

/// The sample report as VirusTotal's answer on this indicator.
pub(super) fn sample_report(indicator: &Indicator) -> anyhow::Result<Value> {
    let mut attributes: Map<String, Value> = serde_json::from_str(SAMPLE_REPORT)?;
    let value = indicator.value();
    let (kind, id) = match indicator.kind() {
        Kind::Domain => ("domain", value.to_owned()),
        Kind::Ip => ("ip_address", value.to_owned()),
        Kind::Url => {
            attributes.insert("url".to_owned(), value.into());
            ("url", digest_of(value.as_bytes()))
        }
    };
    Ok(json!({ "data": { "id": id, "type": kind, "attributes": attributes } }))
}

/// Calls a plugin once: a policy with a complete report, a parser with its examples.
pub(super) fn once(plugin: &AnyPlugin) -> anyhow::Result<()> {
    let result = match plugin {
        AnyPlugin::Policy(policy) => {
            let report = Report::from_attributes(SAMPLE_REPORT);
            let sightings = CaseSightings::default().sightings("example.com", SAMPLE_NOW_S)?;
            judge(policy, &sightings, &report, SAMPLE_NOW_S).err()
        }
        AnyPlugin::Parser(parser) => {
            let formats = &parser.description().formats;
            let log: String = formats
                .iter()
                .map(|format| format!("{}\n", format.example))
                .collect();
            let info = input("some.log", log.as_bytes(), SAMPLE_NOW_S * 1_000_000);
            parse(parser, &info, log.as_bytes(), DEFAULT_CHUNK_BYTES).err()
        }
    };
    match result {
        Some(stop) => Err(anyhow::anyhow!("a call with a sample {stop}")),
        None => Ok(()),
    }
}

/// A policy's answers as JSON.
#[derive(Debug, Serialize)]
pub(super) struct PolicyResult<'a> {
    screen: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_reason: Option<&'a str>,
    verdict: &'static str,
    reason: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settles: Option<bool>,
}

impl<'a> PolicyResult<'a> {
    pub(super) fn new(screening: &'a Screening, judgement: &'a Judgement) -> Self {
        let (screen, priority, skip_reason) = match screening {
            Screening::Ask { priority: 0 } => ("ask", None, None),
            Screening::Ask { priority } => ("ask", Some(*priority), None),
            Screening::Skip { reason } => ("skip", None, Some(reason.as_str())),
        };
        Self {
            screen,
            priority,
            skip_reason,
            verdict: judgement.verdict.as_str(),
            reason: &judgement.reason,
            tags: &judgement.tags,
            score: judgement.score,
            settles: judgement.settles,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_relative() {
        assert_eq!(time_s(&json!(5), 1000).unwrap(), 5);
        assert_eq!(time_s(&json!("30d ago"), 10_000_000).unwrap(), 7_408_000);
        assert_eq!(time_s(&json!("2 hours ago"), 10_000).unwrap(), 2_800);
        for wrong in [json!("30d"), json!("tomorrow"), json!(null), json!(1.5)] {
            let error = time_s(&wrong, 0).unwrap_err().to_string();
            assert!(error.contains("is not a time"), "{error}");
        }
    }

    #[test]
    fn text_without_results_of_engines_is_not_a_report() {
        let error = |json: Value| Subject::read(json, 0).err().map(|error| error.to_string());
        for wrong in [
            json!({}),
            json!([]),
            json!({"error": {"code": "NotFoundError"}}),
            json!({"data": {"id": "example.com", "type": "domain", "attributes": {}}}),
        ] {
            let said = error(wrong).unwrap();
            assert!(said.contains("no `last_analysis_stats`"), "{said}");
        }
        assert_eq!(error(json!({"last_analysis_stats": {"harmless": 1}})), None);
    }

    #[test]
    fn report_on_another_indicator_is_refused() {
        let read = |kind: &str, id: &str| {
            let attributes = json!({"url": id, "last_analysis_stats": {"harmless": 1}});
            let data = json!({"data": {"id": id, "type": kind, "attributes": attributes}});
            Subject::read(data, 0).unwrap()
        };
        let asked = parse_indicator("www.example.com").unwrap();
        assert!(read("domain", "www.example.com").about(&asked).is_ok());
        let error = read("domain", "www.example.net").about(&asked).unwrap_err();
        let expected = "the report is about `www.example.net` and not about `www.example.com`";
        assert_eq!(error.to_string(), expected);
        let url = parse_indicator("http://www.example.com/").unwrap();
        assert!(read("url", "http://www.example.com/").about(&url).is_ok());
        assert!(read("url", "http://www.example.com/a").about(&url).is_err());
    }
}
