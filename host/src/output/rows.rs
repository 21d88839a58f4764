//! Rows of JSON Lines: observations, and the sightings of one indicator. Absent values are left
//! out, never null.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::text::rfc3339;
use super::timestamps::TimestampWriter;
use crate::indicator::Indicator;
use crate::observation::Observation;
use crate::sightings::{SightingCounts, Sightings};

/// One observation, as `vthost extract` and `vthost evidence` print it.
#[derive(Serialize)]
pub struct ObservationRow<'a> {
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

impl<'a> ObservationRow<'a> {
    /// The row of an observation on a line of an input; lines count from 1.
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

    /// Adds the value as the log has it, if that differs from the canonical value.
    #[must_use]
    pub fn with_written(self, raw: &[u8]) -> Self {
        let is_other = raw != self.value.as_bytes();
        Self {
            written: is_other.then(|| String::from_utf8_lossy(raw).into_owned()),
            ..self
        }
    }

    /// Adds the log line.
    #[must_use]
    pub fn with_text(self, line: &[u8]) -> Self {
        Self {
            text: Some(String::from_utf8_lossy(line).into_owned()),
            ..self
        }
    }

    /// Appends the row as a line.
    pub fn push_to(&self, lines: &mut Vec<u8>) {
        push(lines, self);
    }
}

/// Formats the rows of `vthost extract --unique`. There are millions of them, so they are not
/// serialised by serde; a row equals a [`SightingsRow`].
#[derive(Debug, Default)]
pub struct UniqueRows {
    /// The rows so far.
    pub rows: Vec<u8>,
    timestamps: TimestampWriter,
}

impl UniqueRows {
    /// Appends the row of one indicator.
    pub fn push(&mut self, counted: &SightingCounts<'_>) {
        let row = &mut self.rows;
        row.extend_from_slice(b"{\"kind\":\"");
        row.extend_from_slice(counted.kind.as_str().as_bytes());
        row.extend_from_slice(b"\",\"value\":");
        push_text(row, &counted.value);
        push_number(row, b",\"count\":", counted.count);
        push_time(
            row,
            &mut self.timestamps,
            b",\"first\":\"",
            counted.first_us,
        );
        push_time(row, &mut self.timestamps, b",\"last\":\"", counted.last_us);
        push_number(row, b",\"clients\":", counted.clients.into());
        push_number(row, b",\"allowed\":", counted.allowed);
        push_number(row, b",\"blocked\":", counted.blocked);
        row.extend_from_slice(b"}\n");
    }
}

fn push_text(row: &mut Vec<u8>, text: &str) {
    // No early exit: the loop is vectorised.
    let is_escaped = text.bytes().fold(false, |is_escaped, byte| {
        is_escaped | (byte < b' ') | (byte == b'"') | (byte == b'\\')
    });
    if is_escaped {
        // A string always serialises, and writing to a Vec cannot fail.
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

fn push_time(
    row: &mut Vec<u8>,
    timestamps: &mut TimestampWriter,
    before: &[u8],
    time_us: Option<i64>,
) {
    let start = row.len();
    row.extend_from_slice(before);
    match time_us {
        Some(time_us) if timestamps.push(time_us, row) => row.push(b'"'),
        _ => row.truncate(start),
    }
}

/// The sightings of one indicator.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SightingsRow<'a> {
    pub(crate) kind: Cow<'a, str>,
    pub(crate) value: Cow<'a, str>,
    pub(crate) count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<String>,
    pub(crate) clients: u32,
    pub(crate) allowed: u64,
    pub(crate) blocked: u64,
}

impl<'a> SightingsRow<'a> {
    pub(super) fn new(sightings: &'a Sightings, clients: u32) -> Self {
        Self {
            kind: sightings.indicator.kind().as_str().into(),
            value: sightings.indicator.value().into(),
            count: sightings.count,
            first: sightings.first_us.and_then(rfc3339),
            last: sightings.last_us.and_then(rfc3339),
            clients,
            allowed: sightings.allowed,
            blocked: sightings.blocked,
        }
    }
}

/// Appends a row as a line.
pub(super) fn push<T: Serialize>(lines: &mut Vec<u8>, row: &T) {
    // Structs of strings and numbers always serialise, and writing to a Vec cannot fail.
    let _ = serde_json::to_writer(&mut *lines, row);
    lines.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Kind;
    use crate::observation::LogPosition;

    #[test]
    fn unique_rows_equal_serialised_sightings_rows() {
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
                first_seen: LogPosition::new(0, 0),
            };
            let mut expected = Vec::new();
            push(&mut expected, &SightingsRow::new(&seen, 3));
            let mut rows = UniqueRows::default();
            rows.push(&SightingCounts {
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
