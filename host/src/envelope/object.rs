//! Envelopes that are a JSON object on each line.

use super::json::{self, Elements, Raw, at_path, unescape};
use super::lines::{Lines, Origin, Unwrapped};
use super::table::{OBJECTS, ObjectEntry};
use super::{Layer, LayerKind, most, time};
use crate::input::RecordEnd;

/// Where the line and the time are in each object.
#[derive(Debug, Clone)]
pub(super) struct ObjectLayer {
    text: &'static [&'static str],
    time: Option<&'static [&'static str]>,
    parts: Parts,
    /// Whether a text begins with the blank after the header, as rsyslog's `%msg%` does.
    trims: bool,
}

/// How Docker writes lines that are longer than its buffer of 16 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// Each object has a whole line.
    Whole,
    /// A line ends with the object whose text ends with a line feed.
    UpToFeed,
}

/// The entries of the table that most lines of `head` fit.
pub(super) fn recognise(head: &[u8]) -> Vec<Layer> {
    let mut layers = Vec::new();
    if !most(lines_of(head), is_object) {
        layers.extend(pairs(head));
        return layers;
    }
    for entry in OBJECTS {
        for text in entry.texts.iter().copied() {
            if most(lines_of(head), |line| fits(entry, text, line)) {
                layers.push(layer(entry, text, head));
            }
        }
    }
    layers
}

fn layer(entry: &ObjectEntry, text: &'static [&'static str], head: &[u8]) -> Layer {
    let has_time = |path: &&'static [&'static str]| {
        most(lines_of(head), |line| {
            at_path(line, path).and_then(time::time_of).is_some()
        })
    };
    let ends_in_feed =
        |line| matches!(at_path(line, text), Some(Raw::String(text)) if text.ends_with(b"\\n"));
    // Docker's texts end with the line feed; others may, by chance.
    let parts = match text == ["log"] && entry.is_certain && lines_of(head).any(ends_in_feed) {
        true => Parts::UpToFeed,
        false => Parts::Whole,
    };
    Layer {
        name: entry.name,
        is_certain: entry.is_certain,
        kind: LayerKind::Object(ObjectLayer {
            text,
            time: entry.times.iter().copied().find(has_time),
            parts,
            trims: matches!(entry.name, "rsyslog json" | "json"),
        }),
    }
}

fn fits(entry: &ObjectEntry, text: &[&str], line: &[u8]) -> bool {
    let has_text = match at_path(line, text) {
        Some(Raw::String(text)) => !text.is_empty(),
        // Any device may nest its own objects; these keys are those of collectors.
        Some(Raw::Object(_) | Raw::Array(_)) => !entry.markers.is_empty() || entry.is_certain,
        Some(Raw::Scalar(_)) | None => false,
    };
    let has = |marker: &&str| at_path(line, &[marker]).is_some();
    has_text && (entry.markers.is_empty() || entry.markers.iter().any(has))
}

/// Loki's pairs of a time and a line: `["1714564800000000000","line"]`.
fn pairs(head: &[u8]) -> Option<Layer> {
    let is_pair = most(lines_of(head), |line| {
        line.starts_with(b"[\"") && pair(line).is_some()
    });
    is_pair.then_some(Layer {
        name: "loki json",
        is_certain: true,
        kind: LayerKind::Object(ObjectLayer {
            text: &[],
            time: None,
            parts: Parts::Whole,
            trims: false,
        }),
    })
}

/// Time and line of such a pair.
fn pair(line: &[u8]) -> Option<(i64, &[u8])> {
    let mut elements = Elements::of(line);
    match (elements.next()?, elements.next()?) {
        (Raw::String(time), Raw::String(text)) => Some((time::parse(time)?, text)),
        _ => None,
    }
}

fn is_object(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{")
}

/// The whole lines of a head.
fn lines_of(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    Lines::of_chunk(head).map(|(_, line)| line)
}

impl ObjectLayer {
    pub(super) fn record_end(&self) -> Option<RecordEnd> {
        (self.parts == Parts::UpToFeed).then_some(docker_end)
    }

    pub(super) fn unwrap(&self, lines: Lines<'_>, into: &mut Unwrapped) {
        // A line in parts, without its last.
        let mut pending: Option<(Origin, Vec<u8>)> = None;
        for (origin, line) in lines {
            let Some((time_us, text)) = self.find(line) else {
                flush(&mut pending, into);
                into.push(origin, line);
                continue;
            };
            let origin = origin.at(time_us);
            if self.parts == Parts::UpToFeed {
                let is_last = !matches!(text, Raw::String(text) if !text.ends_with(b"\\n"));
                if !is_last || pending.is_some() {
                    let (first, so_far) = pending.get_or_insert_with(|| (origin, Vec::new()));
                    *first = first.to(origin);
                    write(text, so_far);
                    match is_last {
                        true => flush(&mut pending, into),
                        false => into.structure += 1,
                    }
                    continue;
                }
            }
            let text = match text {
                Raw::String(text) if self.trims => {
                    Raw::String(text.strip_prefix(b" ").unwrap_or(text))
                }
                other => other,
            };
            into.push_with(origin, |bytes| write(text, bytes));
        }
        flush(&mut pending, into);
    }

    /// The time and the line of an object, in one pass over its members where both are
    /// members of the object itself.
    #[inline]
    fn find<'a>(&self, line: &'a [u8]) -> Option<(Option<i64>, Raw<'a>)> {
        let (text_key, time_key) = match (self.text, self.time) {
            ([], _) => {
                let (time_us, text) = pair(line)?;
                return Some((Some(time_us), Raw::String(text)));
            }
            ([text], None) => (*text, None),
            ([text], Some([time])) => (*text, Some(*time)),
            (text, time) => {
                let time_us = time.and_then(|path| time::time_of(at_path(line, path)?));
                return Some((time_us, at_path(line, text)?));
            }
        };
        let (mut text, mut time_us) = (None, None);
        for (key, value) in json::ObjectMembers::of(line) {
            if text.is_none() && key == text_key.as_bytes() {
                text = Some(value);
            } else if time_us.is_none() && time_key.is_some_and(|time| time.as_bytes() == key) {
                time_us = time::time_of(value);
            }
            if text.is_some() && (time_us.is_some() || time_key.is_none()) {
                break;
            }
        }
        Some((time_us, text?))
    }
}

/// Adds a line that came in parts. Where the last part is missing, what there is of it.
fn flush(pending: &mut Option<(Origin, Vec<u8>)>, into: &mut Unwrapped) {
    if let Some((origin, line)) = pending.take() {
        into.push(origin, &line);
    }
}

/// Appends a value as a line of a log.
fn write(value: Raw<'_>, into: &mut Vec<u8>) {
    match value {
        Raw::String(text) => unescape(text, into),
        Raw::Object(text) => into.extend_from_slice(text),
        Raw::Array(text) => write_array(text, into),
        Raw::Scalar(b"null") => {}
        Raw::Scalar(text) => into.extend_from_slice(text),
    }
}

/// Journald writes text that is not UTF-8 as an array of its bytes, Elasticsearch any field
/// as an array of values.
fn write_array(text: &[u8], into: &mut Vec<u8>) {
    for element in Elements::of(text) {
        match element {
            Raw::Scalar(number) => {
                let number = std::str::from_utf8(number).unwrap_or_default();
                into.extend(number.parse::<u8>());
            }
            other => {
                write(other, into);
                into.push(b'\n');
            }
        }
    }
}

/// The end of the last line that is not continued by the next.
fn docker_end(bytes: &[u8]) -> Option<usize> {
    let mut end = memchr::memrchr(b'\n', bytes)? + 1;
    while end > 0 {
        let start = memchr::memrchr(b'\n', &bytes[..end - 1]).map_or(0, |feed| feed + 1);
        let line = &bytes[start..end];
        match at_path(line, &["log"]) {
            Some(Raw::String(text)) if !text.ends_with(b"\\n") => end = start,
            _ => return Some(end),
        }
    }
    None
}
