//! Values by their keys: `srcip=10.0.0.5 hostname="www.example.com"`.

use std::ops::RangeInclusive;

use super::is_escaped;
use super::keys::Keys;
use super::marks::{Kind, Marks};
use super::names::Names;
use crate::scan;

const ASSIGN: usize = 0;
const SEPARATOR: usize = 1;
const QUOTE: usize = 2;

/// Picks values out of lines of `key=value` and `key="quoted value"`.
///
/// In a quoted value `\"` does not end it, nor does a quote that neither the next
/// pair nor the end of the line follows: some devices write what was asked for as it
/// came, with its quotes. Words without a key are passed over, so that text before
/// the first pair does no harm. Of a key that comes twice the first value counts; one
/// that does not come is empty.
#[derive(Debug)]
pub struct Pairs<const N: usize> {
    /// Assignments, separators, quotes and backslashes.
    kinds: [Kind; 4],
    keys: Keys,
    marks: Marks<3>,
    names: Names,
    values: Values,
    /// Whether a backslash before a separator makes it part of the value.
    escapes_separator: bool,
}

/// Where a value without quotes ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    /// At the next separator, or at the closing quote.
    OneWord,
    /// Before the next word that is a key. Quotes are part of such a value, except a
    /// pair around all of it.
    ManyWords,
}

impl<const N: usize> Pairs<N> {
    /// The values of these keys, separated by blanks.
    #[must_use]
    pub fn new(keys: [&str; N]) -> Self {
        Self::with(b'=', b' ', Values::OneWord, keys)
    }

    /// The same, with these bytes after a key and between pairs: `b':'` and
    /// `b';'` for `key:"value"; key:"value"`. A bar between pairs may be part of a
    /// value after a backslash.
    #[must_use]
    pub fn separated(assign: u8, separator: u8, keys: [&str; N]) -> Self {
        Self::with(assign, separator, Values::OneWord, keys)
    }

    /// The values of these keys where a value continues up to the next word that is
    /// a key, as in CEF: `msg=some words src=10.0.0.5`. Keys may hold commas and
    /// brackets after their first byte (`ad.field[0]`, `ad.Error_,Code`), which some
    /// products write although CEF does not allow it.
    #[must_use]
    pub fn of_many_words(keys: [&str; N]) -> Self {
        Self::with(b'=', b' ', Values::ManyWords, keys)
    }

    fn with(assign: u8, separator: u8, values: Values, keys: [&str; N]) -> Self {
        let numbered = keys.iter().zip(0..).filter(|(key, _)| !key.is_empty());
        let kinds = [assign, separator, b'"', b'\\'].map(Kind::byte);
        let [assigns, separators, quotes, _] = kinds;
        Self {
            kinds,
            keys: Keys::default(),
            escapes_separator: separator == b'|',
            marks: Marks::new([assigns, separators, quotes]),
            names: Names::new(numbered.map(|(key, number)| (0, key.as_bytes().to_vec(), number))),
            values,
        }
    }

    /// The values in the order of the keys, without quotes around them.
    #[inline]
    pub fn pick<'a>(&mut self, line: &'a [u8]) -> [&'a [u8]; N] {
        let is_regular = self.values == Values::OneWord
            && self.keys.read(line, &self.kinds, self.escapes_separator);
        is_regular
            .then(|| self.pick_regular(line))
            .flatten()
            .unwrap_or_else(|| self.pick_any(line))
    }

    /// The values of a line that [`Keys::read`] found to be regular, unless a key is empty.
    #[inline]
    fn pick_regular<'a>(&self, line: &'a [u8]) -> Option<[&'a [u8]; N]> {
        let mut values: [&[u8]; N] = [b""; N];
        let mut has_empty_key = false;
        self.keys.each(|start, assign| {
            let key = without_glued(&line[start..assign]);
            match key.last() {
                None | Some(b' ') => has_empty_key = true,
                _ => {}
            }
            let Some(number) = self.names.find(0, key) else {
                return;
            };
            if let Some(slot) = values.get_mut(usize::from(number))
                && slot.is_empty()
            {
                let end = self.keys.end(assign + 1, line.len());
                *slot = match &line[assign + 1..end] {
                    [b'"', inside @ .., b'"'] => inside,
                    value => value,
                };
            }
        });
        (!has_empty_key).then_some(values)
    }

    /// The values of any line.
    #[inline(never)]
    fn pick_any<'a>(&mut self, line: &'a [u8]) -> [&'a [u8]; N] {
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
        without_glued(&line[start..to])
    }

    /// The value that begins at `start`, and where the search for the next continues.
    #[inline]
    fn value<'a>(&self, line: &'a [u8], start: usize) -> (&'a [u8], usize) {
        if self.values == Values::ManyWords {
            let end = self.before_next_key(line, start);
            return (without_quotes(&line[start..end]), end);
        }
        if line.get(start) == Some(&b'"') {
            let end = self.closing_quote(line, start + 1);
            return (&line[start + 1..end], (end + 1).min(line.len()));
        }
        let mut end = self.marks.next(SEPARATOR, start);
        while line.get(end) == Some(&b'|') && is_escaped(&line[start..end]) {
            end = self.marks.next(SEPARATOR, end + 1);
        }
        (&line[start..end], end)
    }

    /// The quote that ends the value that begins at `from`: the first that is not
    /// escaped, if a pair or nothing follows it.
    #[inline]
    fn closing_quote(&self, line: &[u8], from: usize) -> usize {
        let first = self.next_quote(line, from);
        match self.is_before_pair(line, first + 1) {
            true => first,
            false => self.unusual_closing_quote(line, from, first),
        }
    }

    /// Of a value after whose first quote no pair follows: the first quote before a
    /// pair, unless another value begins earlier; then the first that words or brackets
    /// follow; then a quote that is escaped although it ends the value, as devices
    /// write a path that ends in a backslash; else the first.
    #[cold]
    fn unusual_closing_quote(&self, line: &[u8], from: usize, first: usize) -> usize {
        /// Quotes that are examined, so that the time stays linear in the line.
        const MOST_QUOTES: usize = 256;
        let mut before_word = None;
        let mut quote = first;
        for _ in 0..MOST_QUOTES {
            if quote >= line.len() || self.opens(line, quote) {
                break;
            }
            if self.is_before_pair(line, quote + 1) {
                return quote;
            }
            let ends_word = line
                .get(quote + 1)
                .is_none_or(|next| b" ])},;\"".contains(next));
            before_word = before_word.or(ends_word.then_some(quote));
            quote = self.next_quote(line, quote + 1);
        }
        let of_escaped = || {
            let mut quote = self.marks.next(QUOTE, from);
            while quote < first && !self.is_before_pair(line, quote + 1) {
                quote = self.marks.next(QUOTE, quote + 1);
            }
            let is_opened = first < line.len() && self.opens(line, first);
            (quote < first && is_opened).then_some(quote)
        };
        before_word.or_else(of_escaped).unwrap_or(first)
    }

    /// The next quote that is not escaped; the line's length without one.
    #[inline]
    fn next_quote(&self, line: &[u8], from: usize) -> usize {
        let mut quote = self.marks.next(QUOTE, from);
        while quote < line.len() && is_escaped(&line[from..quote]) {
            quote = self.marks.next(QUOTE, quote + 1);
        }
        quote
    }

    /// Whether the next pair, or the end of the line, follows a quoted value.
    #[inline]
    fn is_before_pair(&self, line: &[u8], at: usize) -> bool {
        if at >= line.len() {
            return true;
        }
        let separator = self.marks.next(SEPARATOR, at);
        if separator != at {
            return false;
        }
        let mut key = at + 1;
        while line.get(key) == Some(&b' ') {
            key += 1;
        }
        let (assign, next) = (
            self.marks.next(ASSIGN, key),
            self.marks.next(SEPARATOR, key),
        );
        key >= line.len() || (assign < next && assign > key)
    }

    /// Whether a quote begins the value of a key.
    fn opens(&self, line: &[u8], quote: usize) -> bool {
        let Some(assign) = quote.checked_sub(1) else {
            return false;
        };
        if self.marks.next(ASSIGN, assign) != assign {
            return false;
        }
        const LONGEST_KEY: usize = 128;
        let from = assign.saturating_sub(LONGEST_KEY);
        let separator = self.marks.last(SEPARATOR, from, assign);
        let start = separator.map_or(from, |at| at + 1);
        let key = line[start..assign].trim_ascii_start();
        !key.is_empty() && scan::is_all(key, KEY)
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
            let is_key =
                key_start > start && line.get(key_start - 1) == Some(&b' ') && is_key_of_words(key);
            if is_key {
                return start + line[start..key_start].trim_ascii_end().len();
            }
            from = assign + 1;
        }
    }
}

/// Which of some bytes separates the pairs `key=value` of a line: the one after the first
/// pair, which devices write by themselves. What was asked for comes later.
///
/// ```
/// use vthost_plugin::split::separator_of_pairs;
/// assert_eq!(separator_of_pairs(br#"a="1 2",b=3 c=4"#, b" ,"), Some(b','));
/// ```
#[must_use]
pub fn separator_of_pairs(line: &[u8], separators: &[u8]) -> Option<u8> {
    let value = &line[scan::find(line, b'=')? + 1..];
    let end = match value.strip_prefix(b"\"") {
        Some(inside) => scan::find(inside, b'"')? + 2,
        None => scan::find_any(value, separators)?,
    };
    value
        .get(end)
        .copied()
        .filter(|byte| separators.contains(byte))
}

/// The bytes of keys.
const KEY: [RangeInclusive<u8>; 5] = [
    b'a'..=b'z',
    b'A'..=b'Z',
    b'0'..=b'9',
    b'-'..=b'.',
    b'_'..=b'_',
];

/// A key without blanks before it and without what is joined to it: `<189>date`.
#[inline(always)]
fn without_glued(word: &[u8]) -> &[u8] {
    match word.first() {
        Some(first) if !is_key_byte(first) => after_glued(word),
        _ => word,
    }
}

#[cold]
fn after_glued(word: &[u8]) -> &[u8] {
    let word = word.trim_ascii_start();
    match word.first() {
        Some(first) if !is_key_byte(first) => {
            let glued = word.iter().rposition(|byte| !is_key_byte(byte));
            &word[glued.map_or(0, |end| end + 1)..]
        }
        _ => word,
    }
}

/// Whether a word is a key where values may have many words.
fn is_key_of_words(word: &[u8]) -> bool {
    let is_inner = |byte: &u8| is_key_byte(byte) || matches!(byte, b',' | b'[' | b']');
    let is_first = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    word.first().is_some_and(is_first) && (scan::is_all(word, KEY) || word.iter().all(is_inner))
}

/// A value without a pair of quotes around all of it.
fn without_quotes(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inside @ .., b'"'] | [b'\'', inside @ .., b'\''] => inside,
        _ => value,
    }
}

#[inline(always)]
fn is_key_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
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
        check(
            "request=http://x/a ad.list[0]=b src=1",
            ["1", "http://x/a", ""],
        );
        check(
            "request=http://x/a ad.Error_,Code=3 src=1",
            ["1", "http://x/a", ""],
        );
        check(
            "request=http://x/a b&c\\=d src=1",
            ["1", "http://x/a b&c\\=d", ""],
        );
        check(r#"msg="a b" src='1'"#, ["1", "", "a b"]);
        check(r#"msg="open src=1"#, ["1", "", "\"open"]);
    }

    #[test]
    fn quoted_value_ends_before_the_next_pair() {
        let mut pairs = Pairs::new(["src", "host", "msg"]);
        let mut check = |line, expected| check(&mut pairs, line, expected);
        check(
            r#"msg="alert("x"),'t'" src=1 host="y""#,
            ["1", "y", r#"alert("x"),'t'"#],
        );
        check(
            r#"msg="say "a b" to c" src=1"#,
            ["1", "", r#"say "a b" to c"#],
        );
        check(r#"msg="a" Deny host="b" src=1"#, ["1", "b", "a"]);
        check(r#"[id msg="a" host="b"] [id src="1"]"#, ["1", "b", "a"]);
        check(
            r#"msg="C:\Users\" src=1 host="y""#,
            ["1", "y", r"C:\Users\"],
        );
    }

    #[test]
    fn escaped_bar_is_part_of_a_value() {
        check(
            &mut Pairs::separated(b'=', b'|', ["src", "host", "msg"]),
            r"msg=a\|b\=c|src=1|host=x y|",
            ["1", "x y", r"a\|b\=c"],
        );
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

    /// All lines of five bytes of these kinds, across the end of a word of the masks.
    #[test]
    fn regular_lines_are_read_as_any_line_is() {
        const KINDS: [&str; 6] = ["a", "b", "=", "S", "\"", "\\"];
        for separator in [" ", ",", "|"] {
            let mut pairs = Pairs::separated(b'=', separator.as_bytes()[0], ["a", "bb", ""]);
            for number in 0..6_usize.pow(5) {
                let kinds = (0..5).map(|place| KINDS[number / 6_usize.pow(place) % 6]);
                let text = kinds.collect::<String>().replace('S', separator);
                for before in ["", &"x".repeat(58), "a=\"", "bb=\"x y\""] {
                    let line = format!("{before}{text}{separator}bb=\"b\"");
                    let line = line.as_bytes();
                    let regular = pairs.pick(line);
                    assert_eq!(regular, pairs.pick_any(line), "{}", line.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn usual_lines_are_regular() {
        let mut pairs = Pairs::new(["a"]);
        for line in [
            "<189>a=1 b=\"x = y\" c=d=e f=\"\"",
            "May 1 12:00:00 fw b=\"x y\" a=1 ",
            "",
        ] {
            let is_regular = pairs.keys.read(line.as_bytes(), &pairs.kinds, false);
            assert!(is_regular, "{line}");
        }
    }
}
