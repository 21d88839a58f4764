//! Timesketch's JSON Lines: `message`, `datetime`, `timestamp_desc`, and fields to search by.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::read::ReadExportError;
use super::{Exported, LeftOut, bad};
use crate::indicator::{Indicator, Kind};
use crate::output::api::Results;
use crate::output::rows::push;
use crate::output::text::rfc3339;
use crate::triage::Finding;

const NO_TIME: &str = "a contact without a time, which a timeline needs";

/// A contact, as `vthost evidence` prints it.
#[derive(Debug, Clone, Deserialize)]
pub struct ContactEvent {
    input: String,
    line: u64,
    kind: Kind,
    value: String,
    client: Option<String>,
    user: Option<String>,
    time: Option<String>,
    action: Option<String>,
    text: Option<String>,
}

/// Reads what `vthost evidence` printed.
///
/// # Errors
///
/// If the file cannot be read, or has a line of another form.
pub fn read_evidence(path: &Path) -> Result<Vec<ContactEvent>, ReadExportError> {
    let unreadable = |source| ReadExportError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut events = Vec::new();
    for (text, line) in BufReader::new(file).lines().zip(1..) {
        let event = serde_json::from_str(&text.map_err(unreadable)?);
        events.push(event.map_err(|source| ReadExportError::Line {
            path: path.to_owned(),
            line,
            source,
        })?);
    }
    Ok(events)
}

/// The contacts with bad indicators, in the order of their time: all that are given, else the
/// first and the last one of each indicator.
pub(super) fn timeline(results: &Results<'_>, events: Option<&[ContactEvent]>) -> Exported {
    let bad = bad(results.findings);
    let (mut rows, left_out) = match events {
        Some(events) => rows_of_events(&bad, events),
        None => (
            bad.iter()
                .flat_map(|finding| ends(finding, results))
                .collect(),
            Vec::new(),
        ),
    };
    rows.sort_by_key(|(time, _)| *time);
    let mut exported = Exported {
        bytes: Vec::new(),
        left_out,
    };
    for (_, row) in rows {
        push(&mut exported.bytes, &row);
    }
    exported
}

/// A row with its time for sorting.
type TimedRow = (jiff::Timestamp, Value);

fn rows_of_events(bad: &[&Finding], events: &[ContactEvent]) -> (Vec<TimedRow>, Vec<LeftOut>) {
    let findings: HashMap<&Indicator, &Finding> = bad
        .iter()
        .map(|finding| (&finding.sightings.indicator, *finding))
        .collect();
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for event in events {
        let indicator = Indicator::parse(event.kind, event.value.as_bytes());
        let Some(finding) = indicator.ok().and_then(|i| findings.get(&i).copied()) else {
            continue;
        };
        match event.time.as_ref().and_then(|time| time.parse().ok()) {
            Some(time) => rows.push((time, row_of_event(finding, event))),
            None => left_out.push(LeftOut::new(&event.value, NO_TIME)),
        }
    }
    (rows, left_out)
}

fn row_of_event(finding: &Finding, event: &ContactEvent) -> Value {
    let client = event.client.as_deref().unwrap_or("a client");
    let mut row = row(finding, &format!("{client} contacted"), "Contact");
    row["datetime"] = json!(event.time);
    row["source_file"] = json!(event.input);
    row["source_line"] = json!(event.line);
    let texts = [
        ("client", &event.client),
        ("user", &event.user),
        ("action", &event.action),
        ("log_line", &event.text),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            row[name] = json!(value);
        }
    }
    row
}

/// The first and the last contact.
fn ends(finding: &Finding, results: &Results<'_>) -> Vec<TimedRow> {
    let seen = &finding.sightings;
    let ends = [
        (
            seen.first_us,
            "First contact of clients with",
            "First Contact",
        ),
        (seen.last_us, "Last contact of clients with", "Last Contact"),
    ];
    let input = results.summary.inputs.get(seen.first_seen.input());
    let rows = ends.into_iter().filter_map(|(time_us, what, description)| {
        let time = jiff::Timestamp::from_microsecond(time_us?).ok()?;
        let mut row = row(finding, what, description);
        row["datetime"] = json!(rfc3339(time_us?));
        row["clients"] = json!(seen.clients);
        row["contacts"] = json!(seen.count);
        if let Some(input) = input {
            row["source_file"] = json!(input.name);
            row["source_line"] = json!(seen.first_seen.line());
        }
        Some((time, row))
    });
    rows.collect()
}

/// The fields that both kinds of rows have. The caller replaces `datetime`.
fn row(finding: &Finding, what: &str, description: &str) -> Value {
    let indicator = &finding.sightings.indicator;
    json!({
        "message": format!("{what} {indicator}, which is bad: {}", finding.reason),
        "datetime": "",
        "timestamp_desc": description,
        "data_type": "vthost:contact",
        "verdict": finding.verdict.as_str(),
        "reason": finding.reason,
        "indicator_kind": indicator.kind().as_str(),
        "indicator": indicator.value(),
        "host": indicator.host().value(),
    })
}
