//! Exports: a run's findings in the formats of other programs.
//!
//! [`Export`] is an [`Output`] with one of the [`ExportFormat`]s. An export is a pure function of
//! the results: it has no clock and no randomness, so the same results give the same bytes. What
//! a format or its consumer cannot take is left out and listed in [`Exported::left_out`]: one
//! malformed entry must not cost the whole file.
//!
//! Block lists and threat intelligence contain bad indicators only. The names of clients and
//! users are in `csv`, `affected`, `ocsf` and `timesketch`, and not in what is made to be shared.

mod affected;
mod block;
mod format;
mod list;
mod misp;
mod ocsf;
mod read;
mod spreadsheet;
mod stix;
mod timesketch;

use std::path::PathBuf;

use serde_json::Value;
use uuid::Uuid;

use super::api::{Output, OutputError, Results};
use super::atomic::replace;
use super::text::rfc3339;
use crate::indicator::{Indicator, Kind};
use crate::triage::Finding;
use crate::verdict::Verdict;
use crate::virustotal::url_id::plain_sha256;

pub use format::ExportFormat;
pub use read::{PreviousResults, ReadExportError, read_for_export};
pub use timesketch::{ContactEvent, read_evidence};

/// How findings are exported.
#[derive(Debug, Clone)]
pub struct ExportSettings {
    /// The format.
    pub format: ExportFormat,
    /// Whether CSV begins with a byte order mark, which makes Excel read it as UTF-8.
    pub has_csv_bom: bool,
    /// The name of the response policy zone, without final dot.
    pub rpz_zone: String,
    /// The contacts that `vthost evidence` printed, for `timesketch`. Without them it has the
    /// first and the last contact of each indicator.
    pub events: Option<Vec<ContactEvent>>,
}

/// An export, and what it does not contain.
#[derive(Debug, Default)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// Bad indicators that the file does not contain, or not whole.
    pub left_out: Vec<LeftOut>,
}

/// A value that an export does not contain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Why.
    pub reason: &'static str,
    /// The value.
    pub value: String,
}

impl LeftOut {
    fn new(value: &str, reason: &'static str) -> Self {
        Self {
            reason,
            value: value.to_owned(),
        }
    }
}

/// An output in one of the [`ExportFormat`]s.
#[derive(Debug)]
pub struct Export {
    settings: ExportSettings,
    path: Option<PathBuf>,
    exported: Exported,
}

impl Export {
    /// An export to a file, or without one to memory only.
    #[must_use]
    pub fn new(settings: ExportSettings, path: Option<PathBuf>) -> Self {
        Self {
            settings,
            path,
            exported: Exported::default(),
        }
    }

    /// What [`finish`](Output::finish) wrote.
    #[must_use]
    pub fn into_exported(self) -> Exported {
        self.exported
    }
}

impl Output for Export {
    fn finish(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        self.exported = rendered(&self.settings, results);
        match &self.path {
            Some(path) => replace(path, &self.exported.bytes),
            None => Ok(()),
        }
    }
}

fn rendered(settings: &ExportSettings, results: &Results<'_>) -> Exported {
    match settings.format {
        ExportFormat::Csv => spreadsheet::findings(results, settings.has_csv_bom),
        ExportFormat::Affected => affected::clients(results.findings, settings.has_csv_bom),
        ExportFormat::Stix => stix::bundle(results.findings),
        ExportFormat::Misp => misp::event(results.findings),
        ExportFormat::Timesketch => timesketch::timeline(results, settings.events.as_deref()),
        ExportFormat::Ocsf => ocsf::findings(results.findings),
        ExportFormat::Plain
        | ExportFormat::Squid
        | ExportFormat::Rpz
        | ExportFormat::Hosts
        | ExportFormat::Unbound
        | ExportFormat::Fortigate
        | ExportFormat::Panos => {
            list::block_list(settings.format, &settings.rpz_zone, results.findings)
        }
    }
}

/// The bad findings, in the order of their indicators, so that an export does not depend on the
/// order of a run.
fn bad(findings: &[Finding]) -> Vec<&Finding> {
    let mut bad: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Bad)
        .collect();
    bad.sort_by(|one, other| one.sightings.indicator.cmp(&other.sightings.indicator));
    bad.dedup_by(|one, other| one.sightings.indicator == other.sightings.indicator);
    bad
}

/// When a finding became known, in microseconds since 1970: VirusTotal's analysis, else the last
/// contact, else the beginning of 1970. Exports have no other clock.
fn known_us(finding: &Finding) -> i64 {
    let evidence = finding.evidence.as_ref();
    let analysed_s = evidence.and_then(|evidence| evidence.analysed_s);
    let analysed_us = analysed_s.map(|seconds| seconds.saturating_mul(1_000_000));
    let times = [analysed_us, finding.sightings.last_us];
    let mut known = times.into_iter().flatten().filter(|us| is_exportable(*us));
    known.next().unwrap_or(0)
}

/// Whether a time is in the years from 1970 to 9999, which every format can express.
fn is_exportable(time_us: i64) -> bool {
    (0..253_402_300_800_000_000).contains(&time_us)
}

/// A time with exactly three decimals, as STIX and MISP want it.
fn with_milliseconds(time_us: i64) -> Option<String> {
    let time_us = Some(time_us).filter(|us| is_exportable(*us))?;
    let whole = rfc3339(time_us.div_euclid(1_000_000) * 1_000_000)?;
    let ms = time_us.rem_euclid(1_000_000) / 1000;
    Some(format!("{}.{ms:03}Z", whole.strip_suffix('Z')?))
}

/// The first and the last contact, if both are known.
fn contact_span_us(finding: &Finding) -> Option<(i64, i64)> {
    let span = finding
        .sightings
        .first_us
        .zip(finding.sightings.last_us)
        .filter(|(first, last)| is_exportable(*first) && is_exportable(*last))?;
    Some((span.0.min(span.1), span.0.max(span.1)))
}

/// A stable identifier: version 5 of RFC 9562, in a namespace of vthost.
fn stable_id(name: &str) -> Uuid {
    /// `uuid.uuid5(uuid.NAMESPACE_DNS, "vthost")` of Python.
    const NAMESPACE: Uuid = Uuid::from_u128(0x3173_2225_8e78_5408_b3d6_cb2d_557a_46a2);
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// VirusTotal's page on the subject of a finding's report. None for a URL whose identifier is
/// not certain.
fn virustotal_page(finding: &Finding) -> Option<String> {
    const GUI: &str = "https://www.virustotal.com/gui";
    let indicator = &finding.sightings.indicator;
    let evidence = finding.evidence.as_ref()?;
    let is_own = evidence.subject == indicator.value();
    let subject = if is_own {
        indicator.clone()
    } else {
        Indicator::parse(Kind::Domain, evidence.subject.as_bytes()).ok()?
    };
    Some(match subject.kind() {
        Kind::Url => format!("{GUI}/url/{}", plain_sha256(&subject)?),
        Kind::Domain => format!("{GUI}/domain/{}", subject.value()),
        Kind::Ip => format!("{GUI}/ip-address/{}", subject.value()),
    })
}

/// A JSON document with indentation and a final line break.
fn pretty(document: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests;
