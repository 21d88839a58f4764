//! The row of a finding in `results.jsonl`: written by a run, read by the commands that take its
//! results. Every field is optional when it is read, so that rows of earlier versions are
//! accepted.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::rows::SightingsRow;
use super::summary::Summary;
use super::text::rfc3339;
use crate::contacts::{Contact, LogLine};
use crate::triage::{Accuser, Finding};
use crate::virustotal::report::Stats;

/// One finding.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FindingRow<'a> {
    pub(crate) r#type: Cow<'a, str>,
    pub(crate) verdict: Cow<'a, str>,
    pub(crate) cause: Cow<'a, str>,
    pub(crate) reason: Cow<'a, str>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(crate) tags: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stats: Option<StatsRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) analysed: Option<String>,
    #[serde(flatten)]
    pub(crate) seen: SightingsRow<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) written: Option<Cow<'a, str>>,
    pub(crate) contacted_by: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_input: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_line: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) engines: Vec<EngineRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) contacts: Vec<ContactRow<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) samples: Vec<LogLineRow<'a>>,
}

/// The number of engines by result.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StatsRow {
    pub(crate) harmless: u32,
    pub(crate) malicious: u32,
    pub(crate) suspicious: u32,
    pub(crate) undetected: u32,
    pub(crate) timeout: u32,
}

/// An engine that accuses the indicator.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EngineRow<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) category: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) label: Cow<'a, str>,
}

/// The contacts of a client and a user with the indicator.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ContactRow<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) client: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) user: Cow<'a, str>,
    pub(crate) count: u64,
    pub(crate) allowed: u64,
    pub(crate) blocked: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<String>,
}

/// A line of a log.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LogLineRow<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) input: Cow<'a, str>,
    pub(crate) line: u64,
    pub(crate) text: Cow<'a, str>,
}

impl<'a> FindingRow<'a> {
    pub(crate) fn new(finding: &'a Finding, summary: &'a Summary) -> Self {
        let seen = &finding.sightings;
        let evidence = finding.evidence.as_ref();
        let input = summary.inputs.get(seen.first_seen.input());
        let clients = u32::try_from(seen.clients.len()).unwrap_or(u32::MAX);
        let contacts = finding.contacts.as_deref();
        Self {
            r#type: "indicator".into(),
            verdict: finding.verdict.as_str().into(),
            cause: finding.cause.as_str().into(),
            reason: finding.reason.as_str().into(),
            tags: finding.tags.as_slice().into(),
            score: finding.score,
            scope: evidence.map(|evidence| evidence.scope.as_str().into()),
            subject: evidence.map(|evidence| evidence.subject.as_str().into()),
            stats: evidence.and_then(|evidence| evidence.stats).map(Into::into),
            analysed: evidence
                .and_then(|evidence| evidence.analysed_s)
                .and_then(|seconds| rfc3339(seconds.saturating_mul(1_000_000))),
            seen: SightingsRow::new(seen, clients),
            written: seen.written.as_deref().map(Into::into),
            contacted_by: seen.clients.as_slice().into(),
            first_input: input.map(|input| input.name.as_str().into()),
            first_line: input.map(|_| seen.first_seen.line()),
            engines: evidence
                .map(|evidence| evidence.accusers.iter().map(EngineRow::new).collect())
                .unwrap_or_default(),
            owner: evidence.and_then(|evidence| evidence.owner.as_deref().map(Into::into)),
            contacts: contacts
                .map(|contacts| contacts.contacts.iter().map(ContactRow::new).collect())
                .unwrap_or_default(),
            samples: contacts
                .map(|contacts| contacts.samples.iter().map(LogLineRow::new).collect())
                .unwrap_or_default(),
        }
    }
}

impl From<Stats> for StatsRow {
    fn from(stats: Stats) -> Self {
        Self {
            harmless: stats.harmless,
            malicious: stats.malicious,
            suspicious: stats.suspicious,
            undetected: stats.undetected,
            timeout: stats.timeout,
        }
    }
}

impl<'a> EngineRow<'a> {
    fn new(accuser: &'a Accuser) -> Self {
        Self {
            name: accuser.engine.as_str().into(),
            category: accuser.category.as_str().into(),
            label: accuser.label.as_str().into(),
        }
    }
}

impl<'a> ContactRow<'a> {
    fn new(contact: &'a Contact) -> Self {
        let tally = &contact.tally;
        Self {
            client: contact.client.as_str().into(),
            user: contact.user.as_str().into(),
            count: tally.count,
            allowed: tally.allowed,
            blocked: tally.blocked,
            first: tally.first_us.and_then(rfc3339),
            last: tally.last_us.and_then(rfc3339),
        }
    }
}

impl<'a> LogLineRow<'a> {
    fn new(line: &'a LogLine) -> Self {
        Self {
            input: line.input.as_str().into(),
            line: line.line,
            text: line.text.as_str().into(),
        }
    }
}

fn is_empty(tags: &[String]) -> bool {
    tags.is_empty()
}
