//! What an earlier run found: its `results.jsonl` read back.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use crate::indicator::{Indicator, Kind};
use crate::observation::Place;
use crate::sightings::Sightings;
use crate::verdict::Verdict;

/// An indicator of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// What the logs showed.
    pub sightings: Sightings,
    /// Its verdict then.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// Why results cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EarlierError {
    /// The file cannot be read.
    #[error(
        "cannot read the results `{}`; a run of vthost writes them, --results names them", path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is none of ours.
    #[error("line {line} of `{}` is no result of vthost", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The parts of a record that make it up again.
#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    value: String,
    written: Option<String>,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    allowed: u64,
    #[serde(default)]
    blocked: u64,
    first: Option<String>,
    last: Option<String>,
    #[serde(default)]
    contacted_by: Vec<String>,
}

/// Reads `results.jsonl`, in its order.
///
/// # Errors
///
/// [`EarlierError`].
pub fn read_results(path: &Path) -> Result<Vec<Earlier>, EarlierError> {
    let unreadable = |source| EarlierError::Read {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut all = Vec::new();
    for (text, line) in BufReader::new(file).lines().zip(1..) {
        let text = text.map_err(unreadable)?;
        let row = serde_json::from_str(&text).map_err(|source| EarlierError::Line {
            path: path.to_owned(),
            line,
            source,
        })?;
        // The summary names no indicator.
        all.extend(earlier(row, line));
    }
    Ok(all)
}

fn earlier(row: Row, line: u64) -> Option<Earlier> {
    let named = |kind: &Kind| kind.as_str() == row.kind;
    let kind = [Kind::Url, Kind::Domain, Kind::Ip]
        .into_iter()
        .find(named)?;
    let verdicts = [Verdict::Bad, Verdict::Good, Verdict::Unknown];
    let verdict = verdicts.into_iter().find(|v| v.as_str() == row.verdict)?;
    let us = |time: Option<String>| {
        let time: Timestamp = time?.parse().ok()?;
        Some(time.as_microsecond())
    };
    Some(Earlier {
        sightings: Sightings {
            indicator: Indicator::parse(kind, row.value.as_bytes()).ok()?,
            written: row.written,
            count: row.count,
            allowed: row.allowed,
            blocked: row.blocked,
            first_us: us(row.first),
            last_us: us(row.last),
            clients: row.contacted_by,
            place: Place::new(u32::MAX, line),
        },
        verdict,
        reason: row.reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Summary, results};
    use crate::triage::{Cause, Finding};

    #[test]
    fn what_was_written_is_read() {
        let sightings = Sightings {
            indicator: Indicator::parse(Kind::Url, b"http://example.com/a").unwrap(),
            written: Some("http://Example.com/a".into()),
            count: 3,
            allowed: 2,
            blocked: 1,
            first_us: Some(1_000_000),
            last_us: None,
            clients: vec!["192.0.2.1".into()],
            place: Place::new(u32::MAX, 1),
        };
        let finding = Finding::unknown(sightings.clone(), Cause::NoReport, "never seen".into());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results.jsonl");
        std::fs::write(&path, results(&[finding], &Summary::default())).unwrap();
        let expected = Earlier {
            sightings,
            verdict: Verdict::Unknown,
            reason: "never seen".into(),
        };
        assert_eq!(read_results(&path).unwrap(), [expected]);
        std::fs::write(&path, "{}\nnothing\n").unwrap();
        let error = read_results(&path).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
