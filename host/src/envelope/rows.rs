//! Rows that are JSON arrays: search results whose columns are named once.
//!
//! Splunk (`json_rows`) and Azure Monitor write an array of cells for each record, CloudWatch
//! Insights (`get-query-results`) an array of fields and values. The heading is not part of a
//! row, so that the columns are recognised by what is in them.

use super::json::{Elements, Raw, at_path, unescape};
use super::lines::{Lines, Unwrapped};
use super::{Layer, LayerKind, most, time};

/// Where the line and the time are in each row.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowLayer {
    text: usize,
    time: usize,
}

/// Rows with a time and, in another column, the text that is the longest.
pub(super) fn recognise(head: &[u8]) -> Option<Layer> {
    let lines = || Lines::of_chunk(head).map(|(_, line)| line);
    let first = lines().find(|line| !line.trim_ascii().is_empty())?;
    if !first.trim_ascii_start().starts_with(b"[") {
        return None;
    }
    let is_time = |text: &[u8]| time::parse(text).is_some();
    let time = cells(first).position(|cell| cell.is_some_and(is_time))?;
    let others = cells(first)
        .enumerate()
        .filter(|(column, _)| *column != time);
    let (text, _) = others.max_by_key(|(_, cell)| cell.map_or(0, <[u8]>::len))?;
    let layer = RowLayer { text, time };
    most(lines(), |line| layer.find(line).is_some()).then_some(Layer {
        name: "json rows",
        is_certain: false,
        kind: LayerKind::Rows(layer),
    })
}

/// The cells of a row, still escaped; none for what is no text.
fn cells(row: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    Elements::of(row).map(|cell| match cell {
        Raw::String(text) => Some(text),
        Raw::Object(field) => match at_path(field, &["value"]) {
            Some(Raw::String(text)) => Some(text),
            _ => None,
        },
        Raw::Array(_) | Raw::Scalar(_) => None,
    })
}

impl RowLayer {
    /// The time and the text of a row.
    fn find(self, row: &[u8]) -> Option<(i64, &[u8])> {
        let time = time::parse(cells(row).nth(self.time)??)?;
        Some((time, cells(row).nth(self.text)??))
    }

    pub(super) fn unwrap(self, lines: Lines<'_>, into: &mut Unwrapped) {
        for (origin, line) in lines {
            match self.find(line) {
                Some((time_us, text)) => {
                    into.push_with(origin.at(Some(time_us)), |bytes| unescape(text, bytes));
                }
                None => into.push(origin, line),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;

    const LOG_LINE: &str = r#"May  1 12:00:00 gw squid: GET "http://www.example.com/""#;

    /// The text and the times of the lines of an envelope of rows.
    fn unwrapped(head: &str) -> Option<(String, Vec<Option<i64>>)> {
        let envelope = Envelope::default().with(recognise(head.as_bytes())?);
        assert_eq!(envelope.names().collect::<Vec<_>>(), ["json rows"]);
        let lines = envelope.unwrap(head.as_bytes());
        let times = lines.origins().iter().map(|origin| origin.time_us);
        let times = times.collect();
        Some((String::from_utf8(lines.bytes().to_vec()).unwrap(), times))
    }

    #[test]
    fn longest_cell_beside_the_time_is_the_line() {
        let text = serde_json::json!(LOG_LINE);
        for row in [
            format!(r#"["2024-05-01T12:00:01Z","gw",{text},6,null]"#),
            format!(r#"[{text},"2024-05-01T12:00:01Z"]"#),
            // CloudWatch Insights.
            format!(
                r#"[{{"field":"@timestamp","value":"2024-05-01 12:00:01.000"}},{{"field":"@message","value":{text}}},{{"field":"@ptr","value":"x"}}]"#
            ),
        ] {
            // 2024-05-01T12:00:01Z.
            let expected = (format!("{LOG_LINE}\n"), vec![Some(1_714_564_801_000_000)]);
            assert_eq!(unwrapped(&format!("{row}\n")), Some(expected), "{row}");
        }
    }

    #[test]
    fn rows_without_the_columns_stay_as_they_are() {
        let row = r#"["2024-05-01T12:00:01Z","a line of a log"]"#;
        let (text, times) = unwrapped(&format!("{row}\n{row}\n{row}\n[\"end\"]\n")).unwrap();
        assert!(text.ends_with("a line of a log\n[\"end\"]\n"), "{text}");
        assert_eq!(times.last(), Some(&None));
    }

    #[test]
    fn other_heads_have_no_rows() {
        for head in [
            "",
            "10.0.0.5 GET http://www.example.com/\n",
            "{\"time\":\"2024-05-01T12:00:01Z\"}\n",
            "[\"a\",\"b\"]\n",
            "[01/May/2024:12:00:00 +0000] \"GET /\"\n",
        ] {
            assert_eq!(unwrapped(head), None, "{head}");
        }
    }
}
