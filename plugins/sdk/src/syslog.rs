//! What syslog puts in front of a message.
//!
//! Collectors write it in many forms, and often two in a row: with and without
//! a priority, with an octet count before it, as in RFC 3164 (`May  1 12:00:00
//! host program[1]: …`), as in RFC 5424 (`1 2024-05-01T12:00:00Z host …`), with
//! an ISO date or a year in the old form, with a blank or a colon after the
//! host.

use std::ops::RangeInclusive;

use crate::scan;
use crate::time::{DateOrder, Stamps, is_behind_clock};

/// A line taken apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Syslog<'a> {
    /// When the collector or the device wrote it, in microseconds since 1970.
    pub time_us: Option<i64>,
    /// The machine that sent it; empty where none is named.
    pub host: &'a [u8],
    /// The program, without process id and colon; empty where none is named.
    pub program: &'a [u8],
    /// The rest of the line, from the first byte that is no blank.
    pub message: &'a [u8],
}

impl<'a> Syslog<'a> {
    /// Takes the prefix off a line. A line without one is all message. Of two headers,
    /// as relays write them, the inner one is the device's.
    #[must_use]
    pub fn of(line: &'a [u8], stamps: Stamps) -> Self {
        let outer = Self::outer(line, stamps);
        match is_header(outer.message) {
            true => Self::inner(outer, stamps),
            false => outer,
        }
    }

    /// The header within a message, or the outer one if there is none.
    #[cold]
    fn inner(outer: Self, stamps: Stamps) -> Self {
        let inner = Self::outer(outer.message, stamps);
        let is_whole = inner.message.len() < outer.message.len() && !inner.host.is_empty();
        match (inner.time_us, outer.time_us) {
            (Some(_), Some(_)) if is_whole => inner,
            _ => outer,
        }
    }

    fn outer(line: &'a [u8], stamps: Stamps) -> Self {
        let (rest, is_5424) = without_priority(line);
        if is_5424 {
            return Self::rfc5424(rest, stamps).unwrap_or_else(|| Self::bare(rest));
        }
        match stamp(rest, stamps) {
            Some((time_us, rest)) => Self::rfc3164(time_us, rest),
            None => Self::program_only(rest),
        }
    }

    /// The time alone, for which nothing else is taken apart.
    #[must_use]
    pub fn time_of(line: &[u8], stamps: Stamps) -> Option<i64> {
        match without_priority(line) {
            (rest, true) => stamps.any(word(rest).0, DateOrder::MonthFirst),
            (rest, false) => stamp(rest, stamps).map(|(time_us, _)| time_us),
        }
    }

    fn bare(message: &'a [u8]) -> Self {
        Self {
            message: message.trim_ascii_start(),
            ..Self::default()
        }
    }

    /// `2024-05-01T12:00:00Z host program 1 - [data] message`, after the `1 `.
    fn rfc5424(rest: &'a [u8], stamps: Stamps) -> Option<Self> {
        let (time, rest) = word(rest);
        let time_us = stamps.any(time, DateOrder::MonthFirst);
        if time_us.is_none() && time != b"-" {
            return None;
        }
        let (host, rest) = word(rest);
        let (program, after) = word(rest);
        let (process, after) = word(after);
        let (id, after) = word(after);
        // Devices that know of the version and of nothing else go on with
        // their message after the host.
        let is_whole = !id.is_empty()
            && (process == b"-"
                || scan::is_all(
                    process,
                    [b'a'..=b'z', b'A'..=b'Z', b'0'..=b'9', b'_'..=b'_'],
                ));
        let is_whole = is_whole && matches!(after.first(), Some(b'-' | b'['));
        Some(Self {
            time_us,
            host: nil(host),
            program: if is_whole { nil(program) } else { b"" },
            message: if is_whole {
                after.strip_prefix(b"- ").unwrap_or(after)
            } else {
                rest
            }
            .trim_ascii_start(),
        })
    }

    /// `host program[1]: message`, after the time.
    fn rfc3164(time_us: i64, rest: &'a [u8]) -> Self {
        let (host, after) = word(rest);
        // Some devices leave out the host and go on with the program.
        if host.ends_with(b":") || scan::find(host, b'=').is_some() || host.first() == Some(&b'{') {
            return Self {
                time_us: Some(time_us),
                ..Self::program_only(rest)
            };
        }
        let after = after.strip_prefix(b": ").unwrap_or(after);
        Self {
            time_us: Some(time_us),
            host,
            ..Self::program_only(after)
        }
    }

    /// `program[1]: message`.
    fn program_only(rest: &'a [u8]) -> Self {
        let rest = rest.trim_ascii_start();
        let (tag, after) = word(rest);
        let Some(tag) = tag.strip_suffix(b":") else {
            return Self::bare(rest);
        };
        let name_end = scan::find(tag, b'[').unwrap_or(tag.len());
        let is_tag = name_end > 0 && scan::is_all(&tag[..name_end], TAG);
        if !is_tag {
            return Self::bare(rest);
        }
        Self {
            program: &tag[..name_end],
            ..Self::bare(after)
        }
    }
}

/// The bytes of a program's name.
const TAG: [RangeInclusive<u8>; 6] = [
    b'a'..=b'z',
    b'A'..=b'Z',
    b'0'..=b'9',
    b'-'..=b'/',
    b'_'..=b'_',
    b'('..=b')',
];

/// Whether a message begins like a header: with a priority, or with the time of RFC
/// 3164. A time in another form may be the record's.
fn is_header(message: &[u8]) -> bool {
    matches!(
        message,
        [b'<', b'0'..=b'9', ..]
            | [
                b'A'..=b'Z',
                b'a'..=b'z',
                b'a'..=b'z',
                b' ',
                _,
                _,
                b' ',
                _,
                _,
                b':',
                ..
            ]
    )
}

/// What follows an octet count and a priority, and whether the version of RFC
/// 5424 followed them.
fn without_priority(line: &[u8]) -> (&[u8], bool) {
    let rest = line.trim_ascii_start();
    let digits = scan::find_other(rest, [b'0'..=b'9']).unwrap_or(rest.len());
    let counted = match &rest[digits..] {
        [b' ', b'<', ..] if digits > 0 => &rest[digits + 1..],
        _ => rest,
    };
    let rest = match counted.strip_prefix(b"<") {
        Some(inside) => match scan::find_other(inside, [b'0'..=b'9']) {
            Some(end @ ..=3) if inside[end] == b'>' => &inside[end + 1..],
            _ => return (rest, false),
        },
        None => return (rest, false),
    };
    match rest.strip_prefix(b"1 ") {
        Some(rest) => (rest, true),
        None => (rest.trim_ascii_start(), false),
    }
}

/// The time at the beginning, and what follows it.
fn stamp(rest: &[u8], stamps: Stamps) -> Option<(i64, &[u8])> {
    let first = rest.first()?;
    if let Some((time_us, len)) = stamps.rfc3164(rest)
        && is_end_of_stamp(&rest[len..])
    {
        return Some((time_us, rest[len..].trim_ascii_start()));
    }
    let words: &[usize] = match first {
        // `May  1 12:00:00`, or with the year before or after the time.
        b'A'..=b'Z' if Stamps::may_begin(rest) => &[4, 3],
        // `2024-05-01T12:00:00Z` or `1714564800.123`.
        b'0'..=b'9' if !is_date(word(rest).0) => &[1],
        // `2024-05-01 12:00:00 +0900`, or without zone.
        b'0'..=b'9' => &[3, 2],
        _ => return None,
    };
    words.iter().find_map(|words| {
        let end = end_of_words(rest, *words)?;
        let text = rest[..end].strip_suffix(b":").unwrap_or(&rest[..end]);
        if *words == 3 && first.is_ascii_digit() && !ends_in_zone(text) {
            return None;
        }
        let time_us = stamps.any(text, DateOrder::MonthFirst)?;
        Some((time_us, rest[end..].trim_ascii_start()))
    })
}

/// Whether the last word may be a zone: a name, a number with a sign, or both.
fn ends_in_zone(text: &[u8]) -> bool {
    let word = text.rsplit(|byte| *byte == b' ').next().unwrap_or(text);
    match scan::find_other(word, [b'a'..=b'z', b'A'..=b'Z']) {
        Some(end) => matches!(word[end], b'+' | b'-'),
        None => is_behind_clock(word),
    }
}

/// Whether a word is a date alone: too short for a time, with separators.
fn is_date(word: &[u8]) -> bool {
    word.len() <= 11 && !scan::is_all(word, [b'0'..=b'9', b'.'..=b'.'])
}

/// Whether neither a fraction, a year nor a zone follows.
fn is_end_of_stamp(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b" ") else {
        return false;
    };
    let (next, _) = word(rest);
    let is_year = next.len() == 4 && scan::is_digits(next);
    !is_year && !is_behind_clock(next.strip_suffix(b":").unwrap_or(next))
}

/// Where the first few words end.
fn end_of_words(text: &[u8], words: usize) -> Option<usize> {
    let mut at = 0;
    for _ in 0..words {
        at += scan::find_other(&text[at..], [b' '..=b' '])?;
        let rest = &text[at..];
        at += scan::find(rest, b' ').unwrap_or(rest.len());
    }
    Some(at)
}

/// The first word, and what follows the blank after it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    match scan::find(text, b' ') {
        Some(blank) => (&text[..blank], text[blank..].trim_ascii_start()),
        None => (text, b""),
    }
}

/// `-` is how RFC 5424 writes nothing.
fn nil(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::Input;

    // 2024-05-01T12:00:00Z (date -u -d 2024-05-01T12:00:00Z +%s).
    const NOON: i64 = 1_714_564_800_000_000;

    fn check(line: &str, expected: (&str, &str, &str)) {
        let stamps = Stamps::of(&Input {
            name: String::new(),
            head: Vec::new(),
            utc_offset_minutes: 0,
            reference_time_us: NOON,
        });
        let read = Syslog::of(line.as_bytes(), stamps);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (host, program, message) = expected;
        assert_eq!(read.time_us, Some(NOON), "{line}");
        assert_eq!(
            Syslog::time_of(line.as_bytes(), stamps),
            Some(NOON),
            "{line}"
        );
        assert_eq!(
            (text(read.host), text(read.program), text(read.message)),
            (host.to_owned(), program.to_owned(), message.to_owned()),
            "{line}"
        );
    }

    #[test]
    fn prefixes_come_in_many_forms() {
        check(
            "<14>May  1 12:00:00 gw named[1]: query x",
            ("gw", "named", "query x"),
        );
        check(
            "May  1 12:00:00 gw kernel: IN=eth0",
            ("gw", "kernel", "IN=eth0"),
        );
        check(
            "May 01 2024 12:00:00 gw : %ASA-6-302013: Built",
            ("gw", "", "%ASA-6-302013: Built"),
        );
        check("May 1 12:00:00 filterlog[9]: 1,2", ("", "filterlog", "1,2"));
        check(
            "<14>1 2024-05-01T12:00:00Z gw prog 1 ID47 - text",
            ("gw", "prog", "text"),
        );
        check(
            "<14>1 2024-05-01T14:00:00+02:00 gw RT_FLOW - X [a b=\"c\"]",
            ("gw", "RT_FLOW", "[a b=\"c\"]"),
        );
        check(
            "62 <14>1 2024-05-01T12:00:00Z gw - - - - text",
            ("gw", "", "text"),
        );
        check(
            "<134>1 1714564800.000000000 MX84 flows allow src=10.0.0.1",
            ("MX84", "", "flows allow src=10.0.0.1"),
        );
        check("2024-05-01 21:00:00.000 +0900  gw text", ("gw", "", "text"));
        check(
            "2024-05-01T12:00:00.000Z gw date=2024-05-01",
            ("gw", "", "date=2024-05-01"),
        );
    }

    #[test]
    fn inner_of_two_headers_is_that_of_the_device() {
        let stamps = Stamps::of(&crate::testing::input(b""));
        for outer in [
            "May  1 12:00:01 relay ",
            "<14>1 2024-05-01T12:00:01Z relay - - - - ",
        ] {
            for inner in [
                "<14>May  1 12:00:00 gw kernel: IN=eth0",
                "May  1 12:00:00 gw kernel: IN=eth0",
            ] {
                let line = format!("{outer}{inner}");
                let read = Syslog::of(line.as_bytes(), stamps);
                let found = (read.host, read.program, read.message);
                assert_eq!(
                    found,
                    (&b"gw"[..], &b"kernel"[..], &b"IN=eth0"[..]),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn a_line_without_a_prefix_is_all_message() {
        let stamps = Stamps::of(&Input {
            name: String::new(),
            head: Vec::new(),
            utc_offset_minutes: 0,
            reference_time_us: NOON,
        });
        for line in ["date=2024-05-01 time=12:00:00", "", "<x", "{\"a\":1}"] {
            let read = Syslog::of(line.as_bytes(), stamps);
            assert_eq!(
                (read.time_us, read.message),
                (None, line.as_bytes()),
                "{line}"
            );
        }
    }
}
