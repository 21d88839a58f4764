//! The findings of a previous run, read back from its `results.jsonl`.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::finding_row::{ContactRow, FindingRow, LogLineRow};
use crate::contacts::{Contact, ContactTally, IndicatorContacts, LogLine};
use crate::indicator::{Indicator, Kind};
use crate::observation::LogPosition;
use crate::sightings::Sightings;
use crate::verdict::Verdict;

/// An indicator's finding in a previous run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousFinding {
    /// What the logs showed.
    pub sightings: Sightings,
    /// The verdict of that run.
    pub verdict: Verdict,
    /// The reason of the verdict.
    pub reason: String,
    /// Who contacted it, if that run found out.
    pub contacts: Option<Box<IndicatorContacts>>,
}

/// Why results cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadResultsError {
    /// The file cannot be read.
    #[error(
        "cannot read the results `{}`; name the `results.jsonl` of a run with --results",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A line is not a JSON object of the expected form.
    #[error("line {line} of `{}` is not a result of vthost", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// The parse error.
        source: serde_json::Error,
    },
}

/// Reads `results.jsonl`, in the order of its lines.
///
/// # Errors
///
/// [`ReadResultsError`].
pub fn read_results(path: &Path) -> Result<Vec<PreviousFinding>, ReadResultsError> {
    let unreadable = |source| ReadResultsError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut findings = Vec::new();
    for (text, line) in BufReader::new(file).lines().zip(1..) {
        let text = text.map_err(unreadable)?;
        let row = serde_json::from_str(&text).map_err(|source| ReadResultsError::Line {
            path: path.to_owned(),
            line,
            source,
        })?;
        // The summary row has no indicator.
        findings.extend(previous_finding(row, line));
    }
    Ok(findings)
}

fn previous_finding(row: FindingRow<'_>, line: u64) -> Option<PreviousFinding> {
    let seen = row.seen;
    let named = |kind: &Kind| kind.as_str() == seen.kind;
    let kind = [Kind::Url, Kind::Domain, Kind::Ip]
        .into_iter()
        .find(named)?;
    let verdicts = [Verdict::Bad, Verdict::Good, Verdict::Unknown];
    let verdict = verdicts.into_iter().find(|v| v.as_str() == row.verdict)?;
    let contacts = contacts(row.contacts, row.samples);
    Some(PreviousFinding {
        sightings: Sightings {
            indicator: Indicator::parse(kind, seen.value.as_bytes()).ok()?,
            written: row.written.map(Cow::into_owned),
            count: seen.count,
            allowed: seen.allowed,
            blocked: seen.blocked,
            first_us: us(seen.first),
            last_us: us(seen.last),
            clients: row.contacted_by.into_owned(),
            first_seen: LogPosition::new(u32::MAX, line),
        },
        verdict,
        reason: row.reason.into_owned(),
        contacts,
    })
}

/// The contacts of a row, if it has any.
pub(super) fn contacts(
    contacts: Vec<ContactRow<'_>>,
    samples: Vec<LogLineRow<'_>>,
) -> Option<Box<IndicatorContacts>> {
    if contacts.is_empty() && samples.is_empty() {
        return None;
    }
    let contacts = contacts.into_iter().map(|row| Contact {
        client: row.client.into_owned(),
        user: row.user.into_owned(),
        tally: ContactTally {
            count: row.count,
            allowed: row.allowed,
            blocked: row.blocked,
            first_us: us(row.first),
            last_us: us(row.last),
        },
    });
    let samples = samples.into_iter().map(|row| LogLine {
        input: row.input.into_owned(),
        line: row.line,
        text: row.text.into_owned(),
    });
    Some(Box::new(IndicatorContacts {
        contacts: contacts.collect(),
        samples: samples.collect(),
    }))
}

/// A time in microseconds since 1970.
fn us(time: Option<String>) -> Option<i64> {
    let time: Timestamp = time?.parse().ok()?;
    Some(time.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::api::{Output as _, Results};
    use crate::output::jsonl::JsonLines;
    use crate::output::summary::Summary;
    use crate::triage::{Cause, Finding};

    #[test]
    fn written_results_are_read_back() {
        let sightings = Sightings {
            indicator: Indicator::parse(Kind::Url, b"http://example.com/a").unwrap(),
            written: Some("http://Example.com/a".into()),
            count: 3,
            allowed: 2,
            blocked: 1,
            first_us: Some(1_000_000),
            last_us: None,
            clients: vec!["192.0.2.1".into()],
            first_seen: LogPosition::new(u32::MAX, 1),
        };
        let contacts = Some(Box::new(IndicatorContacts {
            contacts: vec![Contact {
                client: "192.0.2.1".into(),
                user: String::new(),
                tally: ContactTally {
                    count: 3,
                    allowed: 2,
                    blocked: 1,
                    first_us: Some(1_000_000),
                    last_us: None,
                },
            }],
            samples: vec![LogLine {
                input: "a.log".into(),
                line: 7,
                text: "a \"line\"".into(),
            }],
        }));
        let finding = Finding {
            contacts: contacts.clone(),
            ..Finding::unknown(sightings.clone(), Cause::NoReport, "not found".into())
        };
        let directory = tempfile::tempdir().unwrap();
        let results = Results {
            findings: &[finding],
            summary: &Summary::default(),
        };
        JsonLines::new(directory.path()).finish(&results).unwrap();
        let path = directory.path().join("results.jsonl");
        let expected = PreviousFinding {
            sightings,
            verdict: Verdict::Unknown,
            reason: "not found".into(),
            contacts,
        };
        assert_eq!(read_results(&path).unwrap(), [expected]);
    }

    #[test]
    fn malformed_line_is_reported_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results.jsonl");
        std::fs::write(&path, "{}\nnothing\n").unwrap();
        let error = read_results(&path).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
