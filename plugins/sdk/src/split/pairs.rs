//! Values by their keys: `srcip=10.0.0.5 hostname="www.example.com"`.

use std::ops::RangeInclusive;

use super::is_escaped;
use super::marks::{Kind, Marks};
use super::names::Names;
use crate::scan;

const ASSIGN: usize = 0;
const SEPARATOR: usize = 1;
const QUOTE: usize = 2;

/// Picks values out of lines of `key=value` and `key="quoted value"`.
///
/// In a quoted value `\"` does not end it. Words without a key are passed over,
/// so that whatever stands before the first pair does no harm. Of a key that
/// comes twice the first value counts; one that does not come is empty.
#[derive(Debug)]
pub struct Pairs<const N: usize> {
    marks: Marks<3>,
    names: Names,
    values: Values,
}

/// Where a value without quotes ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    /// At the next separator.
    OneWord,
    /// Before the next word that is a key.
    ManyWords,
}

impl<const N: usize> Pairs<N> {
    /// The values of these keys, separated by blanks.
    #[must_use]
    pub fn new(keys: [&str; N]) -> Self {
        Self::with(b'=', b' ', Values::OneWord, keys)
    }

    /// The same, with these bytes after a key and between pairs: `b':'` and
    /// `b';'` for `key:"value"; key:"value"`.
    #[must_use]
    pub fn separated(assign: u8, separator: u8, keys: [&str; N]) -> Self {
        Self::with(assign, separator, Values::OneWord, keys)
    }

    /// The values of these keys where a value goes on to the next word that is
    /// a key, as in CEF: `msg=some words src=10.0.0.5`.
    #[must_use]
    pub fn of_many_words(keys: [&str; N]) -> Self {
        Self::with(b'=', b' ', Values::ManyWords, keys)
    }

    fn with(assign: u8, separator: u8, values: Values, keys: [&str; N]) -> Self {
        let numbered = keys.iter().zip(0..).filter(|(key, _)| !key.is_empty());
        Self {
            marks: Marks::new([Kind::byte(assign), Kind::byte(separator), Kind::byte(b'"')]),
            names: Names::new(numbered.map(|(key, number)| (0, key.as_bytes().to_vec(), number))),
            values,
        }
    }

    /// The values in the order of the keys, without quotes around them.
    #[inline]
    pub fn pick<'a>(&mut self, line: &'a [u8]) -> [&'a [u8]; N] {
        let mut values: [&[u8]; N] = [b""; N];
        self.marks.read(line);
        let mut at = 0;
        loop {
            let assign = self.marks.next(ASSIGN, at);
            if assign == line.len() {
                return values;
            }
            let key = self.last_word(line, at, assign);
            let (value, next) = self.value(line, assign + 1);
            if let Some(number) = self.names.find(0, key)
                && let Some(slot) = values.get_mut(usize::from(number))
                && slot.is_empty()
            {
                *slot = value;
            }
            at = next;
        }
    }

    /// The word right before `to`.
    #[inline(always)]
    fn last_word<'a>(&self, line: &'a [u8], from: usize, to: usize) -> &'a [u8] {
        let separator = self.marks.last(SEPARATOR, from, to);
        let start = separator.map_or(from, |place| place + 1);
        let word = line[start..to].trim_ascii_start();
        // `<189>date=`: what stands glued to the first key is no part of it.
        match word.first() {
            Some(first) if !is_key_byte(first) => {
                let glued = word.iter().rposition(|byte| !is_key_byte(byte));
                &word[glued.map_or(0, |end| end + 1)..]
            }
            _ => word,
        }
    }

    /// The value that begins at `start`, and where to go on.
    #[inline]
    fn value<'a>(&self, line: &'a [u8], start: usize) -> (&'a [u8], usize) {
        if line.get(start) == Some(&b'"') {
            let end = self.closing_quote(line, start + 1);
            return (&line[start + 1..end], (end + 1).min(line.len()));
        }
        let end = match self.values {
            Values::OneWord => self.marks.next(SEPARATOR, start),
            Values::ManyWords => self.before_next_key(line, start),
        };
        (&line[start..end], end)
    }

    #[inline]
    fn closing_quote(&self, line: &[u8], from: usize) -> usize {
        let mut quote = self.marks.next(QUOTE, from);
        while quote < line.len() && is_escaped(&line[from..quote]) {
            quote = self.marks.next(QUOTE, quote + 1);
        }
        quote
    }

    /// The end of the value that begins at `start` and whose words may be many.
    fn before_next_key(&self, line: &[u8], start: usize) -> usize {
        let mut from = start;
        loop {
            let assign = self.marks.next(ASSIGN, from);
            if assign == line.len() {
                return line.len();
            }
            let key = self.last_word(line, from, assign);
            let key_start = assign - key.len();
            let is_key = !key.is_empty()
                && key_start > start
                && line.get(key_start - 1) == Some(&b' ')
                && scan::is_all(key, KEY);
            if is_key {
                return start + line[start..key_start].trim_ascii_end().len();
            }
            from = assign + 1;
        }
    }
}

/// The bytes of keys.
const KEY: [RangeInclusive<u8>; 5] = [
    b'a'..=b'z',
    b'A'..=b'Z',
    b'0'..=b'9',
    b'-'..=b'.',
    b'_'..=b'_',
];

fn is_key_byte(byte: &u8) -> bool {
    KEY.iter().any(|range| range.contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &mut Pairs<3>, line: &str, expected: [&str; 3]) {
        assert_eq!(
            pairs.pick(line.as_bytes()),
            expected.map(str::as_bytes),
            "{line}"
        );
    }

    #[test]
    fn values_are_found_by_their_keys() {
        let mut pairs = Pairs::new(["src", "host", "msg"]);
        let mut check = |line, expected| check(&mut pairs, line, expected);
        check(
            "src=10.0.0.5 host=example.com",
            ["10.0.0.5", "example.com", ""],
        );
        check(
            r#"<14>May 1 fw: src=1 msg="a b=c" host=x"#,
            ["1", "x", "a b=c"],
        );
        check(
            r#"msg="say \"x\" src=2" src=1"#,
            ["1", "", r#"say \"x\" src=2"#],
        );
        check(r#"msg="ends \\" src=1"#, ["1", "", r"ends \\"]);
        check(r#"msg="open src=1"#, ["", "", "open src=1"]);
        check("src=1 src=2 host=", ["1", "", ""]);
        check(r#"msg="" src="""#, ["", "", ""]);
        check(
            "dsrc=1 src =2 host=http://x/?src=3",
            ["", "http://x/?src=3", ""],
        );
        check("<189>src=1 [host=x", ["1", "x", ""]);
        check("no pairs here", ["", "", ""]);
        check("", ["", "", ""]);
    }

    #[test]
    fn other_bytes_may_stand_between() {
        let mut pairs = Pairs::separated(b':', b';', ["src", "host", "msg"]);
        check(
            &mut pairs,
            r#"[src:"10.0.0.5"; host:"a;b"; msg:"x""#,
            ["10.0.0.5", "a;b", "x"],
        );
        check(&mut pairs, "src:10.0.0.5; host:x", ["10.0.0.5", "x", ""]);
    }

    #[test]
    fn values_of_many_words_end_before_a_key() {
        let mut pairs = Pairs::of_many_words(["src", "request", "msg"]);
        let mut check = |line, expected| check(&mut pairs, line, expected);
        check(
            "msg=two words src=10.0.0.5 request=http://x/?a=b&c=d e",
            ["10.0.0.5", "http://x/?a=b&c=d e", "two words"],
        );
        check("src= msg=x", ["", "", "x"]);
        check("msg=a \\= b  src=1", ["1", "", "a \\= b"]);
    }

    #[test]
    fn lines_longer_than_a_word_are_read() {
        let long = "x ".repeat(100);
        check(
            &mut Pairs::new(["src", "host", "msg"]),
            &format!("{long}msg=\"{long}\" src=1"),
            ["1", "", &long],
        );
    }
}
