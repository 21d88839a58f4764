//! The export format of journald: `FIELD=value` lines, a blank line after each record.
//! See <https://systemd.io/JOURNAL_EXPORT_FORMATS/>.

use super::lines::{Lines, Origin, Unwrapped};
use super::{Layer, LayerKind, most, time};

/// Whether most lines of `head` are fields, and there are records of journald.
pub(super) fn recognise(head: &[u8]) -> Option<Layer> {
    let is_marked = memchr::memmem::find(head, b"__REALTIME_TIMESTAMP=").is_some();
    let lines = Lines::of_chunk(head).map(|(_, line)| line);
    (is_marked && most(lines, |line| field(line).is_some())).then_some(Layer {
        name: "journald export",
        is_certain: true,
        kind: LayerKind::Export,
    })
}

/// The end of the last blank line.
pub(super) fn record_end(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(bytes, b"\n\n").map(|at| at + 2)
}

pub(super) fn unwrap(mut lines: Lines<'_>, into: &mut Unwrapped) {
    let mut record = Record::default();
    while let Some((origin, line)) = lines.next() {
        into.structure += 1;
        record.first.get_or_insert(origin);
        if line.is_empty() {
            record.finish(into);
            record = Record::default();
            continue;
        }
        record.last = origin;
        match field(line) {
            Some((b"MESSAGE", text)) => record.message = Some(text),
            Some((b"__REALTIME_TIMESTAMP", text)) => record.time_us = time::parse(text),
            Some(_) => {}
            // A field with any bytes: its name, its length in eight bytes, its bytes.
            None => {
                let Some((text, size)) = binary(lines.rest()) else {
                    continue;
                };
                into.structure += memchr::memchr_iter(b'\n', &lines.rest()[..size]).count() as u64;
                lines.pass_over(size);
                if line == b"MESSAGE" {
                    record.message = Some(text);
                }
            }
        }
    }
    record.finish(into);
}

/// The fields of a record that are wanted.
#[derive(Default)]
struct Record<'a> {
    first: Option<Origin>,
    last: Origin,
    time_us: Option<i64>,
    message: Option<&'a [u8]>,
}

impl Record<'_> {
    fn finish(self, into: &mut Unwrapped) {
        if let (Some(first), Some(message)) = (self.first, self.message) {
            // One line of the record is counted as the log's line.
            into.structure -= 1;
            let before = into.origins.len();
            into.push(first.to(self.last).at(self.time_us), message);
            let more = into.origins.len() - before - 1;
            into.structure = into.structure.saturating_sub(more as u64);
        }
    }
}

/// Name and value of `NAME=value`.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr::memchr(b'=', line)?;
    let (name, value) = (&line[..equals], &line[equals + 1..]);
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    (!name.is_empty() && name.iter().all(is_name)).then_some((name, value))
}

/// The value of a field with any bytes, and how long it is with its length and line feed.
fn binary(rest: &[u8]) -> Option<(&[u8], usize)> {
    let (len, rest) = rest.split_first_chunk::<8>()?;
    let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
    let text = rest.get(..len)?;
    let feed = usize::from(rest.get(len) == Some(&b'\n'));
    Some((text, 8 + len + feed))
}
