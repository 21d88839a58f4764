//! Fields out of lines, sixteen bytes at a time.
//!
//! A splitter for each family of grammars: [`blanks`], [`Columns`] (separated
//! by tabs, commas or another byte, with quotes), [`Pairs`] (`key=value`) and
//! [`Json`]. An author names the fields that the parser wants and gets their
//! values; where fields begin and end is found with bit masks, which on
//! `wasm32` with `simd128` come from vector instructions and elsewhere from
//! plain code of the same meaning.
//!
//! ```
//! use vthost_plugin::split::Pairs;
//! let mut fields = Pairs::new(["srcip", "hostname"]);
//! let [client, host] = fields.pick(br#"srcip=10.0.0.5 hostname="www.example.com""#);
//! assert_eq!((client, host), (&b"10.0.0.5"[..], &b"www.example.com"[..]));
//! ```

mod blanks;
mod columns;
mod json;
mod keys;
mod marks;
mod names;
mod pairs;

pub use blanks::{Blanks, blanks};
pub use columns::{Columns, undoubled};
pub use json::{Json, NotAnObject, unescaped};
pub use pairs::{Pairs, separator_of_pairs};

pub(crate) use marks::places_of;

use std::borrow::Cow;

use crate::block::{Block, WIDTH, is_same};
use crate::scan;

/// What follows the first occurrence of some bytes.
///
/// ```
/// use vthost_plugin::split::after;
/// assert_eq!(after(b"query[A] name", b"] "), Some(&b"name"[..]));
/// ```
#[inline]
#[must_use]
pub fn after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    Some(split_once(text, mark)?.1)
}

/// What comes before and after the first occurrence of some bytes.
///
/// ```
/// use vthost_plugin::split::split_once;
/// let ends = split_once(b"10.0.0.5 > 192.0.2.10", b" > ");
/// assert_eq!(ends, Some((&b"10.0.0.5"[..], &b"192.0.2.10"[..])));
/// ```
#[inline]
#[must_use]
pub fn split_once<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = find(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// Where some bytes first occur: where their first and their last one are as
/// far apart as they should, the rest is compared.
fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    let [first, .., last] = *mark else {
        return scan::find(text, *mark.first()?);
    };
    let starts = text.len().checked_sub(mark.len() - 1)?;
    let first_in = |from: usize, both: u32| {
        let mut both = both;
        while both != 0 {
            let start = from + both.trailing_zeros() as usize;
            if is_same(&text[start..start + mark.len()], mark) {
                return Some(start);
            }
            both &= both - 1;
        }
        None
    };
    let mut from = 0;
    while from < starts {
        // The last sixteen starts may overlap those before, where nothing was found.
        let at = from.min(starts.saturating_sub(WIDTH));
        let (block, end) = (&text[at..starts], &text[at + mark.len() - 1..]);
        let both = match (block.first_chunk(), end.first_chunk()) {
            (Some(block), Some(end)) => Block::new(*block).mask_both(first, Block::new(*end), last),
            _ => {
                let within = (1 << block.len()) - 1;
                Block::of(block).mask_both(first, Block::of(end), last) & within
            }
        };
        if both != 0
            && let Some(start) = first_in(at, both)
        {
            return Some(start);
        }
        from += WIDTH;
    }
    None
}

/// What comes before the first of some bytes; all of it without one.
///
/// ```
/// use vthost_plugin::split::until;
/// assert_eq!(until(b"10.0.0.5#53: query", b"#: "), b"10.0.0.5");
/// ```
#[inline]
#[must_use]
pub fn until<'a>(text: &'a [u8], ends: &[u8]) -> &'a [u8] {
    &text[..scan::find_any(text, ends).unwrap_or(text.len())]
}

/// A value without the backslashes before bytes that its format escapes. Any other
/// backslash is part of the value: many devices escape nothing.
///
/// ```
/// use vthost_plugin::split::without_escapes;
/// assert_eq!(&*without_escapes(br"CORP\jane\=\x", br"\="), br"CORP\jane=\x");
/// ```
#[must_use]
pub fn without_escapes<'a>(value: &'a [u8], escaped: &[u8]) -> Cow<'a, [u8]> {
    if scan::find(value, b'\\').is_none() {
        return value.into();
    }
    let mut text = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match bytes.as_slice().first() {
            Some(next) if *byte == b'\\' && escaped.contains(next) => {
                text.push(*next);
                bytes.next();
            }
            _ => text.push(*byte),
        }
    }
    text.into()
}

/// The records that a relay joined in one line: rsyslog writes a line feed inside a
/// message as `#012`. Such a mark separates records only if a syslog priority, a time,
/// or the beginning of a CEF, LEEF or `key=value` record follows it.
pub fn glued(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let (record, next) = match first_glue(line) {
            Some(at) => (&line[..at], Some(&line[at + GLUE.len()..])),
            None => (line, None),
        };
        rest = next;
        Some(record)
    })
}

/// A line feed, as rsyslog writes it.
const GLUE: &[u8] = b"#012";

fn first_glue(line: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        // Few lines have the first byte.
        let at = from + memchr::memchr(GLUE[0], &line[from..])?;
        let after = line[at..].strip_prefix(GLUE);
        if after.is_some_and(begins_record) {
            return Some(at);
        }
        from = at + after.map_or(1, |_| GLUE.len());
    }
}

fn begins_record(text: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 5] = [b"<", b"CEF:", b"LEEF:", b"date=", b"time="];
    let is_iso = || {
        matches!(
            text,
            [
                b'1'..=b'2',
                b'0'..=b'9',
                _,
                _,
                b'-',
                _,
                _,
                b'-',
                _,
                _,
                b'T' | b' ',
                ..
            ]
        )
    };
    let is_bsd = || {
        matches!(
            text,
            [
                b'A'..=b'Z',
                b'a'..=b'z',
                b'a'..=b'z',
                b' ',
                _,
                b'0'..=b'9',
                b' ',
                _,
                _,
                b':',
                ..
            ]
        )
    };
    BEGINNINGS
        .iter()
        .any(|beginning| text.starts_with(beginning))
        || is_iso()
        || is_bsd()
}

/// Whether the end is an odd number of backslashes.
#[inline(always)]
fn is_escaped(before: &[u8]) -> bool {
    before.last() == Some(&b'\\') && is_odd_at_end(before)
}

#[cold]
fn is_odd_at_end(before: &[u8]) -> bool {
    let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\');
    backslashes.count() % 2 == 1
}

/// A text without percent-encoding: `%20` is a blank. Other percent signs are kept.
#[must_use]
pub fn without_percent(text: &[u8]) -> Cow<'_, [u8]> {
    if scan::find(text, b'%').is_none() {
        return text.into();
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = match (byte, behind) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let (byte, taken) = match escaped {
            Some((high, low)) => (high << 4 | low, 3),
            None => (byte, 1),
        };
        decoded.push(byte);
        rest = &rest[taken..];
    }
    decoded.into()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glued_records_are_separated() {
        let check = |line: &str, expected: &[&str]| {
            let records: Vec<&[u8]> = glued(line.as_bytes()).collect();
            let expected: Vec<&[u8]> = expected.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(records, expected, "{line}");
        };
        check("a#012<14>b", &["a", "<14>b"]);
        check(
            "a #0122024-05-01T12:00:00Z b#012May  1 12:00:00 c",
            &["a ", "2024-05-01T12:00:00Z b", "May  1 12:00:00 c"],
        );
        check("CEF:0|a#012CEF:0|b", &["CEF:0|a", "CEF:0|b"]);
        check(
            "http://www.example.com/#012&b",
            &["http://www.example.com/#012&b"],
        );
    }

    #[test]
    fn marks_are_found_where_they_first_stand() {
        let check = |text: &str, mark: &str| {
            let found = find(text.as_bytes(), mark.as_bytes());
            assert_eq!(found, text.find(mark), "{mark} in {text}");
        };
        for mark in [
            "query[",
            " to ",
            "a",
            "  ",
            "x to y to z ",
            "[**]",
            "::",
            " => ",
            "aab",
            "client ",
        ] {
            for text in [
                "",
                "a",
                "query[A] a",
                "x to y to z",
                "[[**]**]",
                "a:::b",
                "aaab",
                "no client",
                "client @0x",
                " =  => ",
                "sixteen bytes on query[A] and [**] :: => in a long line, aab client 1",
                "0123456789abcd query[",
                "0123456789abcdef  ",
            ] {
                check(text, mark);
            }
        }
    }

    #[test]
    fn percent_signs_are_kept_where_no_digits_follow() {
        for (text, plain) in [
            ("EXAMPLE%5cJane%20Roe", "EXAMPLE\\Jane Roe"),
            ("100%", "100%"),
            ("%zz", "%zz"),
        ] {
            assert_eq!(&*without_percent(text.as_bytes()), plain.as_bytes());
        }
    }
}
