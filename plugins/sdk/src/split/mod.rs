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
mod marks;
mod names;
mod pairs;

pub use blanks::blanks;
pub use columns::{Columns, undoubled};
pub use json::{Json, NotAnObject, unescaped};
pub use pairs::Pairs;

/// What follows the first occurrence of some bytes.
///
/// ```
/// use vthost_plugin::split::after;
/// assert_eq!(after(b"query[A] name", b"] "), Some(&b"name"[..]));
/// ```
#[inline]
#[must_use]
pub fn after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = find(text, mark)?;
    text.get(at + mark.len()..)
}

/// Where some bytes first occur. Lines are short: to look for the rarest of the
/// bytes costs less than to prepare a better search.
#[inline]
fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    let (offset, rarest) = rarest(mark);
    let mut from = offset;
    loop {
        let at = from + memchr::memchr(rarest, text.get(from..)?)?;
        let start = at - offset;
        if text[start..].starts_with(mark) {
            return Some(start);
        }
        from = at + 1;
    }
}

/// The byte of a mark that logs have least of, and where it stands in the mark.
#[inline]
fn rarest(mark: &[u8]) -> (usize, u8) {
    let rank = |byte: u8| match byte {
        b' ' | b'.' | b'0'..=b'9' | b'e' | b't' | b'a' | b'o' | b'i' | b's' | b'r' | b'n' => 3,
        b'a'..=b'z' => 2,
        b'"' | b',' | b':' | b'=' | b'-' | b'/' => 1,
        _ => 0,
    };
    let mut best = (0, mark.first().copied().unwrap_or_default());
    for (offset, byte) in mark.iter().enumerate() {
        if rank(*byte) < rank(best.1) {
            best = (offset, *byte);
        }
    }
    best
}

/// What stands before the first of some bytes; all of it without one.
///
/// ```
/// use vthost_plugin::split::until;
/// assert_eq!(until(b"10.0.0.5#53: query", b"#: "), b"10.0.0.5");
/// ```
#[inline]
#[must_use]
pub fn until<'a>(text: &'a [u8], ends: &[u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| ends.contains(byte));
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_where_they_first_stand() {
        let check = |text: &str, mark: &str| {
            let found = find(text.as_bytes(), mark.as_bytes());
            assert_eq!(found, text.find(mark), "{mark} in {text}");
        };
        for mark in [
            "query[", " to ", "a", "[**]", "::", " => ", "aab", "client ",
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
            ] {
                check(text, mark);
            }
        }
    }
}
