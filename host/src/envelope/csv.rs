//! Envelopes that are a column of a CSV file.

use std::borrow::Cow;

use super::lines::{Lines, Unwrapped};
use super::table::{CSV_TIMES, CSVS};
use super::{Layer, LayerKind, most, time};

/// Where the line and the time are in each row.
#[derive(Debug, Clone)]
pub(super) struct CsvLayer {
    separator: u8,
    heading: Vec<u8>,
    text: usize,
    time: Option<usize>,
}

/// The entry of the table whose column most rows have, if the first line is a heading.
pub(super) fn recognise(head: &[u8]) -> Option<Layer> {
    let mut lines = Lines::of_chunk(head).map(|(_, line)| line);
    let heading = lines.find(|line| !line.trim_ascii().is_empty())?;
    if heading.starts_with(b"{") || heading.starts_with(b"[") {
        return None;
    }
    let separators = [b',', b'\t', b';'].into_iter();
    let (separator, names) = separators
        .map(|separator| (separator, cells(heading, separator).collect::<Vec<_>>()))
        .max_by_key(|(_, names)| names.len())?;
    let place = |name: &&str| names.iter().position(|cell| *cell == name.as_bytes());
    let has = |name: &&str| place(name).is_some();
    let (entry, text) = CSVS.iter().find_map(|entry| {
        let is_marked = entry.markers.is_empty() || entry.markers.iter().any(has);
        let text = entry.texts.iter().find_map(place)?;
        is_marked.then_some((entry, text))
    })?;
    if names.len() < 2 && entry.name == "csv" {
        return None;
    }
    let layer = CsvLayer {
        separator,
        heading: heading.to_vec(),
        text,
        time: CSV_TIMES
            .iter()
            .find_map(|name| names.iter().position(|cell| is_named(cell, name))),
    };
    let has_text = |line| layer.cell(line, text).is_some_and(|text| !text.is_empty());
    most(lines, has_text).then_some(Layer {
        name: entry.name,
        is_certain: false,
        kind: LayerKind::Csv(layer),
    })
}

/// Whether a heading has a name, perhaps followed by a zone: `TimeGenerated [UTC]`.
fn is_named(heading: &[u8], name: &str) -> bool {
    let rest = heading.strip_prefix(name.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" ["))
}

impl CsvLayer {
    fn cell<'a>(&self, row: &'a [u8], number: usize) -> Option<Cow<'a, [u8]>> {
        cells(row, self.separator).nth(number)
    }

    pub(super) fn unwrap(&self, mut lines: Lines<'_>, into: &mut Unwrapped) {
        while !lines.rest().is_empty() {
            let rest = lines.rest();
            let Some((origin, line)) = lines.next() else {
                return;
            };
            let (mut origin, mut row) = (origin, line);
            // A quoted cell may hold line ends.
            let mut is_open = is_open(line);
            while is_open {
                let Some((last, more)) = lines.next() else {
                    break;
                };
                is_open ^= self::is_open(more);
                origin = origin.to(last);
                row = &rest[..rest.len() - lines.rest().len()];
                into.structure += 1;
            }
            if row == self.heading.as_slice() {
                into.structure += 1;
                continue;
            }
            match self.cell(row, self.text) {
                Some(text) => {
                    let time = self.time.and_then(|number| self.cell(row, number));
                    let time_us = time.and_then(|time| time::parse(&time));
                    into.push(origin.at(time_us), &text);
                }
                None => into.push(origin, row.trim_ascii_end()),
            }
        }
    }
}

/// Whether a row goes on in the next line: it has an odd number of quotes.
fn is_open(line: &[u8]) -> bool {
    memchr::memchr_iter(b'"', line).count() % 2 == 1
}

/// The end of the last line that is not inside quotes.
pub(super) fn record_end(bytes: &[u8]) -> Option<usize> {
    let mut end = memchr::memrchr(b'\n', bytes)? + 1;
    let mut is_open = is_open(&bytes[..end]);
    while is_open {
        let start = memchr::memrchr(b'\n', &bytes[..end - 1])? + 1;
        is_open ^= self::is_open(&bytes[start..end]);
        end = start;
    }
    Some(end)
}

/// The cells of a row without their quotes (RFC 4180).
fn cells(row: &[u8], separator: u8) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut rest = Some(row);
    std::iter::from_fn(move || {
        let text = rest?;
        let (cell, after) = match text.strip_prefix(b"\"") {
            Some(inside) => quoted(inside),
            None => {
                let end = memchr::memchr(separator, text).unwrap_or(text.len());
                (Cow::Borrowed(&text[..end]), &text[end..])
            }
        };
        let next = memchr::memchr(separator, after);
        rest = next.map(|at| &after[at + 1..]);
        Some(cell)
    })
}

/// A quoted cell, after its first quote, and what follows it.
fn quoted(inside: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let mut cell = Cow::Borrowed(&inside[..0]);
    let mut start = 0;
    loop {
        let Some(quote) = memchr::memchr(b'"', &inside[start..]).map(|at| start + at) else {
            return (joined(cell, &inside[start..]), b"");
        };
        if inside.get(quote + 1) != Some(&b'"') {
            return (joined(cell, &inside[start..quote]), &inside[quote + 1..]);
        }
        cell = Cow::Owned(joined(cell, &inside[start..=quote]).into_owned());
        start = quote + 2;
    }
}

fn joined<'a>(cell: Cow<'a, [u8]>, more: &'a [u8]) -> Cow<'a, [u8]> {
    if cell.is_empty() {
        return Cow::Borrowed(more);
    }
    let mut cell = cell.into_owned();
    cell.extend_from_slice(more);
    Cow::Owned(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_rfc_4180_has_them() {
        let check = |row: &str, expected: &[&str]| {
            let cells: Vec<_> = cells(row.as_bytes(), b',').collect();
            let cells: Vec<_> = cells
                .iter()
                .map(|cell| str::from_utf8(cell).unwrap())
                .collect();
            assert_eq!(cells, expected, "{row}");
        };
        check("a,,b", &["a", "", "b"]);
        check(r#""a,b","c ""d"" e",f"#, &["a,b", r#"c "d" e"#, "f"]);
        check(r#""""a""""#, &[r#""a""#]);
        check("\"a\nb\",c", &["a\nb", "c"]);
        check(r#""cut off"#, &["cut off"]);
    }

    #[test]
    fn a_record_ends_outside_quotes() {
        assert_eq!(record_end(b"a,b\nc,\"d\n"), Some(4));
        assert_eq!(record_end(b"a,\"b\nc\"\nd"), Some(8));
        assert_eq!(record_end(b"a,\"b\nc\n"), None);
    }
}
