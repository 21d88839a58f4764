//! The results of a previous run with all that an export needs, read back from its
//! `results.jsonl`: of this schema version or the one before, which differs only in that its
//! summary names no version.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::Error as _;

use crate::extraction::{InputCounts, InputFacts, InputSummary, Outcome};
use crate::indicator::{Indicator, Kind};
use crate::observation::LogPosition;
use crate::output::finding_row::ContactRow;
use crate::output::previous::contacts;
use crate::output::summary::Summary;
use crate::output::summary_row::SCHEMA_VERSION;
use crate::plugin::{PluginId, PluginKind};
use crate::sightings::Sightings;
use crate::triage::{Cause, Evidence, Finding};
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Stats;

/// The results of a previous run.
#[derive(Debug)]
pub struct PreviousResults {
    /// The findings, in the order of their lines.
    pub findings: Vec<Finding>,
    /// The policies, and the names of the inputs; the findings are
    /// counted.
    pub summary: Summary,
}

/// Why results cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadExportError {
    /// The file cannot be read.
    #[error(
        "cannot read the results `{}`; name the `results.jsonl` of a run",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A line is not a JSON object of the expected form.
    #[error("line {line} of `{}` is not a line that vthost wrote", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// The parse error.
        source: serde_json::Error,
    },
    /// A newer version of the program wrote the file.
    #[error(
        "`{}` has schema version {version}, and this vthost reads up to {SCHEMA_VERSION}; use the vthost that wrote it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

/// A line of the file. Lines of other types are additions that this program does not need.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum ReadLine {
    Indicator(Box<ReadIndicator>),
    Summary(ReadSummary),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct ReadIndicator {
    verdict: Verdict,
    cause: Cause,
    reason: String,
    #[serde(default)]
    tags: Vec<String>,
    score: Option<u8>,
    scope: Option<Scope>,
    subject: Option<String>,
    stats: Option<Stats>,
    analysed: Option<ReadTime>,
    kind: Kind,
    value: String,
    written: Option<String>,
    count: u64,
    allowed: u64,
    blocked: u64,
    first: Option<ReadTime>,
    last: Option<ReadTime>,
    contacted_by: Vec<String>,
    first_input: Option<String>,
    first_line: Option<u64>,
    owner: Option<String>,
    #[serde(default)]
    contacts: Vec<ContactRow<'static>>,
}

/// A time in RFC 3339.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ReadTime(Timestamp);

impl TryFrom<String> for ReadTime {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

/// The summary, the last line.
#[derive(Default, Deserialize)]
struct ReadSummary {
    #[serde(default = "version_without_number")]
    schema: u32,
    #[serde(default)]
    policies: Vec<ReadPolicy>,
    #[serde(default)]
    inputs: Vec<ReadInput>,
}

fn version_without_number() -> u32 {
    1
}

#[derive(Deserialize)]
struct ReadPolicy {
    name: String,
    version: String,
    digest: String,
}

#[derive(Deserialize)]
struct ReadInput {
    input: String,
}

/// Reads `results.jsonl`.
///
/// # Errors
///
/// [`ReadExportError`].
pub fn read_for_export(path: &Path) -> Result<PreviousResults, ReadExportError> {
    let unreadable = |source| ReadExportError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let (mut rows, mut summary) = (Vec::new(), ReadSummary::default());
    for (text, line) in BufReader::new(file).lines().zip(1..) {
        let text = text.map_err(unreadable)?;
        let malformed = |source| ReadExportError::Line {
            path: path.to_owned(),
            line,
            source,
        };
        match serde_json::from_str(&text).map_err(malformed)? {
            ReadLine::Indicator(row) => rows.push((row.indicator().map_err(malformed)?, row)),
            ReadLine::Summary(row) => summary = row,
            ReadLine::Other => {}
        }
    }
    if summary.schema > SCHEMA_VERSION {
        return Err(ReadExportError::Newer {
            path: path.to_owned(),
            version: summary.schema,
        });
    }
    Ok(previous_results(rows, summary))
}

fn previous_results(
    rows: Vec<(Indicator, Box<ReadIndicator>)>,
    summary: ReadSummary,
) -> PreviousResults {
    let names = summary.inputs.iter().map(|row| row.input.clone());
    let inputs: HashMap<String, u32> = names.zip(0..).collect();
    let findings: Vec<Finding> = rows
        .into_iter()
        .zip(0..)
        .map(|((indicator, row), index)| row.finding(indicator, &inputs, index))
        .collect();
    let mut summary = Summary {
        policies: summary.policies.into_iter().map(ReadPolicy::id).collect(),
        inputs: summary.inputs.into_iter().map(ReadInput::input).collect(),
        ..Summary::default()
    };
    summary.count(&findings);
    PreviousResults { findings, summary }
}

impl ReadIndicator {
    fn indicator(&self) -> Result<Indicator, serde_json::Error> {
        Indicator::parse(self.kind, self.value.as_bytes()).map_err(serde_json::Error::custom)
    }

    /// The finding of the row with this index. `inputs` has the number of each input.
    fn finding(self, indicator: Indicator, inputs: &HashMap<String, u32>, index: u64) -> Finding {
        let input = self.first_input.and_then(|name| inputs.get(&name));
        let place = match (input, self.first_line) {
            (Some(input), Some(line)) => LogPosition::new(*input, line.saturating_sub(1)),
            _ => LogPosition::new(u32::MAX, index),
        };
        let evidence = self
            .scope
            .zip(self.subject)
            .map(|(scope, subject)| Evidence {
                scope,
                subject,
                stats: self.stats,
                analysed_s: self.analysed.map(|time| time.0.as_second()),
                accusers: Vec::new(),
                owner: self.owner,
            });
        let sightings = Sightings {
            indicator,
            written: self.written,
            count: self.count,
            allowed: self.allowed,
            blocked: self.blocked,
            first_us: self.first.map(|time| time.0.as_microsecond()),
            last_us: self.last.map(|time| time.0.as_microsecond()),
            clients: self.contacted_by,
            first_seen: place,
        };
        Finding {
            verdict: self.verdict,
            tags: self.tags,
            score: self.score,
            evidence,
            contacts: contacts(self.contacts, Vec::new()),
            ..Finding::unknown(sightings, self.cause, self.reason)
        }
    }
}

impl ReadPolicy {
    fn id(self) -> PluginId {
        let digest = self.digest.strip_prefix("sha256:").unwrap_or(&self.digest);
        PluginId {
            kind: PluginKind::Policy,
            digest: digest.to_owned(),
            name: self.name,
            version: self.version,
        }
    }
}

impl ReadInput {
    fn input(self) -> InputSummary {
        InputSummary {
            name: self.input,
            parser: None,
            confidence: None,
            envelopes: Vec::new(),
            copy_of: None,
            outcome: Outcome::Read,
            counts: InputCounts::default(),
            facts: InputFacts::default(),
        }
    }
}
