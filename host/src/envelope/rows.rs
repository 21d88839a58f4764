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
