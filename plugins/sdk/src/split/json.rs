//! Values out of an object of JSON, by their paths.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::is_escaped;
use super::marks::{Kind, Marks, Places};
use super::names::Names;
use crate::scan;

const QUOTE: usize = 0;
const OPEN: usize = 1;
const CLOSE: usize = 2;
const BACKSLASH: usize = 3;

/// The bytes of numbers, `true`, `false` and `null`.
const WORD: [RangeInclusive<u8>; 5] = [
    b'a'..=b'z',
    b'A'..=b'Z',
    b'0'..=b'9',
    b'+'..=b'+',
    b'-'..=b'.',
];

/// Objects and arrays that are nested deeper are passed over unread.
const MAX_DEPTH: usize = 32;

/// Picks values out of lines that are objects of JSON (RFC 8259).
///
/// A path is the keys from the outermost inward, separated by `/`: `http/hostname`. Arrays are not
/// part of a path: `dns/queries/rrname` is found in the first element that has it. A value is
/// returned as it is written, a string without its quotes ([`unescaped`] decodes it). `null`, and a
/// path that leads to an object, are empty.
///
/// ```
/// use vthost_plugin::split::Json;
/// let mut json = Json::new(["src_ip", "http/hostname"]);
/// let picked = json.pick(br#"{"src_ip":"10.0.0.5","http":{"hostname":"example.com"}}"#);
/// assert_eq!(picked, Ok([&b"10.0.0.5"[..], b"example.com"]));
/// ```
#[derive(Debug)]
pub struct Json<const N: usize> {
    marks: Marks<4>,
    /// The quotes of the line that is read; empty if one of them is escaped.
    quotes: Places,
    /// Keys by the node that contains them; the numbers are nodes.
    keys: Names,
    /// For each node the field that its value is, and whether it has keys.
    nodes: Vec<Node>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Node {
    field: Option<u16>,
    has_keys: bool,
}

/// The line is no whole object of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnObject;

/// How far a line is read.
struct Reader<'a, 'j, const N: usize> {
    json: &'j Json<N>,
    line: &'a [u8],
    at: usize,
    /// The quotes at `at` and after it; empty where they have to be searched for.
    quotes: &'j [usize],
    fields: [&'a [u8]; N],
}

impl<const N: usize> Json<N> {
    /// The values at these paths.
    #[must_use]
    pub fn new(paths: [&str; N]) -> Self {
        let mut nodes = vec![Node::default()];
        let mut keys: Vec<(u16, Vec<u8>, u16)> = Vec::new();
        for (path, field) in paths.iter().zip(0..).filter(|(path, _)| !path.is_empty()) {
            let mut node = 0;
            for key in path.split('/') {
                let key = key.as_bytes();
                let known = keys.iter().find(|(at, name, _)| *at == node && name == key);
                let next = known.map_or(nodes.len() as u16, |(_, _, next)| *next);
                if usize::from(next) == nodes.len() {
                    nodes[usize::from(node)].has_keys = true;
                    nodes.push(Node::default());
                    keys.push((node, key.to_vec(), next));
                }
                node = next;
            }
            nodes[usize::from(node)].field = Some(field);
        }
        Self {
            marks: Marks::new([
                Kind::byte(b'"'),
                Kind::with_twin(b'{'),
                Kind::with_twin(b'}'),
                Kind::byte(b'\\'),
            ]),
            quotes: Places::default(),
            keys: Names::new(keys.into_iter()),
            nodes,
        }
    }

    /// The values in the order of the paths.
    ///
    /// # Errors
    ///
    /// [`NotAnObject`].
    #[inline]
    pub fn pick<'a>(&mut self, line: &'a [u8]) -> Result<[&'a [u8]; N], NotAnObject> {
        self.marks.read(line);
        self.find_quotes();
        let mut reader = Reader {
            json: self,
            line,
            at: 0,
            quotes: self.quotes.as_slice(),
            fields: [b""; N],
        };
        reader.skip_space();
        if reader.peek() != Some(b'{') {
            return Err(NotAnObject);
        }
        reader.value(0, 0).ok_or(NotAnObject)?;
        Ok(reader.fields)
    }

    /// Lists the quotes, which then begin and end a string in turn, unless a backslash is before one.
    #[inline]
    fn find_quotes(&mut self) {
        self.quotes.clear();
        let mut after_backslash = 0;
        for (from, word) in self.marks.words() {
            if word[QUOTE] & (word[BACKSLASH] << 1 | after_backslash) != 0 {
                return self.quotes.clear();
            }
            after_backslash = word[BACKSLASH] >> (u64::BITS - 1);
            self.quotes.add(from, word[QUOTE]);
        }
    }
}

impl<'a, const N: usize> Reader<'a, '_, N> {
    /// Reads the value of a node.
    fn value(&mut self, node: u16, depth: usize) -> Option<()> {
        self.skip_space_to(b'"');
        let Node { field, has_keys } = self.json.nodes[usize::from(node)];
        match self.peek()? {
            b'{' if has_keys && depth < MAX_DEPTH => self.object(node, depth),
            b'[' if depth < MAX_DEPTH => self.array(node, depth),
            b'{' | b'[' => self.skip_nested(),
            b'"' => {
                let text = self.string()?;
                self.keep(field, text);
                Some(())
            }
            _ => {
                let word = self.word()?;
                self.keep(field, if word == b"null" { b"" } else { word });
                Some(())
            }
        }
    }

    #[inline]
    fn keep(&mut self, field: Option<u16>, value: &'a [u8]) {
        if let Some(field) = field
            && let Some(slot) = self.fields.get_mut(usize::from(field))
            && slot.is_empty()
        {
            *slot = value;
        }
    }

    fn object(&mut self, node: u16, depth: usize) -> Option<()> {
        self.at += 1;
        self.skip_space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.skip_space_to(b'"');
            let key = self.string()?;
            self.skip_space_to(b':');
            if self.peek()? != b':' {
                return None;
            }
            self.at += 1;
            match self.json.keys.find(node, key) {
                Some(child) => self.value(child, depth + 1)?,
                None => self.skip_value()?,
            }
            self.skip_space_to(b',');
            match self.next_byte()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn array(&mut self, node: u16, depth: usize) -> Option<()> {
        self.at += 1;
        self.skip_space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(node, depth + 1)?;
            self.skip_space();
            match self.next_byte()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    #[inline]
    fn skip_value(&mut self) -> Option<()> {
        self.skip_space_to(b'"');
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' | b'[' => self.skip_nested(),
            _ => self.word().map(|_| ()),
        }
    }

    /// Passes an object or array, whatever is in it.
    fn skip_nested(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            let marks = &self.json.marks;
            let next = marks.next_where(self.at, |word| word[QUOTE] | word[OPEN] | word[CLOSE]);
            self.at = next;
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                _ => open -= 1,
            }
            self.at += 1;
            if open == 0 {
                return Some(());
            }
        }
    }

    /// The string that begins here, without its quotes.
    #[inline]
    fn string(&mut self) -> Option<&'a [u8]> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let quote = match self.quotes {
            [first, end, after @ ..] if *first == self.at => {
                self.quotes = after;
                *end
            }
            _ => self.closing_quote(start),
        };
        self.at = quote + 1;
        self.line
            .get(start..quote)
            .filter(|_| quote < self.line.len())
    }

    /// The first quote at `from` or after it that is not escaped, or the end of the line.
    #[inline(never)]
    fn closing_quote(&self, from: usize) -> usize {
        let marks = &self.json.marks;
        let mut quote = marks.next(QUOTE, from);
        while quote < self.line.len() && is_escaped(&self.line[from..quote]) {
            quote = marks.next(QUOTE, quote + 1);
        }
        quote
    }

    /// A number, `true`, `false` or `null`.
    #[inline]
    fn word(&mut self) -> Option<&'a [u8]> {
        let rest = &self.line[self.at..];
        let len = scan::find_other(rest, WORD).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).filter(|word| !word.is_empty())
    }

    /// Machines write no space where there need not be any: the loop is apart,
    /// since it costs something even where it has no turn.
    #[inline]
    fn skip_space(&mut self) {
        if self.is_at_space() {
            self.skip_spaces();
        }
    }

    /// The same where this byte is expected next, after which there is nothing else to check.
    #[inline(always)]
    fn skip_space_to(&mut self, expected: u8) {
        if self.peek() != Some(expected) {
            self.skip_space();
        }
    }

    #[cold]
    fn skip_spaces(&mut self) {
        while self.is_at_space() {
            self.at += 1;
        }
    }

    #[inline]
    fn is_at_space(&self) -> bool {
        matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n'))
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    #[inline]
    fn next_byte(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += 1;
        byte
    }
}

/// The text of a JSON string, given without its quotes. An invalid escape is unchanged.
///
/// ```
/// use vthost_plugin::split::unescaped;
/// assert_eq!(&*unescaped(br"a\/b\u0026c"), b"a/b&c");
/// ```
#[must_use]
pub fn unescaped(string: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', string).is_none() {
        return string.into();
    }
    let mut text = Vec::with_capacity(string.len());
    let mut rest = string;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..backslash]);
        rest = unescape(&rest[backslash + 1..], &mut text);
    }
    text.extend_from_slice(rest);
    text.into()
}

/// Decodes the escape after a backslash, and returns the part after it.
fn unescape<'a>(escape: &'a [u8], text: &mut Vec<u8>) -> &'a [u8] {
    let Some((first, rest)) = escape.split_first() else {
        text.push(b'\\');
        return escape;
    };
    let byte = match first {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'"' | b'\\' | b'/' => *first,
        b'u' => return unescape_unit(rest, text),
        _ => {
            text.push(b'\\');
            return escape;
        }
    };
    text.push(byte);
    rest
}

/// Adds the character of `XXXX`, or of `XXXX\uXXXX` where that is a pair.
fn unescape_unit<'a>(digits: &'a [u8], text: &mut Vec<u8>) -> &'a [u8] {
    let unit = |digits: &[u8]| {
        let digits = str::from_utf8(digits.get(..4)?).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(digits) else {
        text.extend_from_slice(b"\\u");
        return digits;
    };
    let rest = &digits[4..];
    let (units, rest) = match rest.strip_prefix(b"\\u").and_then(unit) {
        Some(second) if (0xd800..0xdc00).contains(&first) => (vec![first, second], &rest[6..]),
        _ => (vec![first], rest),
    };
    for character in char::decode_utf16(units) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [&str; 4] = ["a", "b/c", "b/d/e", "id.orig_h"];

    fn check(line: &str, expected: Option<[&str; 4]>) {
        let picked = Json::new(PATHS).pick(line.as_bytes()).ok();
        assert_eq!(picked, expected.map(|it| it.map(str::as_bytes)), "{line}");
    }

    #[test]
    fn values_are_found_by_their_paths() {
        check(r#"{"a":"x","b":{"c":1.5}}"#, Some(["x", "1.5", "", ""]));
        check(
            r#" { "b" : { "d" : { "e" : true } , "c" : null } , "a" : -1 } "#,
            Some(["-1", "", "true", ""]),
        );
        check(
            r#"{"id.orig_h":"10.0.0.5"}"#,
            Some(["", "", "", "10.0.0.5"]),
        );
        check(
            r#"{"b":[{"x":0},{"c":"1"},{"c":"2"}]}"#,
            Some(["", "1", "", ""]),
        );
        check(r#"{"a":["x","y"]}"#, Some(["x", "", "", ""]));
        check(r#"{"a":{"c":1},"b":"text"}"#, Some(["", "", "", ""]));
        check("{}", Some(["", "", "", ""]));
    }

    #[test]
    fn what_is_not_wanted_is_passed_over() {
        check(
            r#"{"z":{"a":"no","y":["]","}",{"a":"\"]}"}]},"a":"yes"}"#,
            Some(["yes", "", "", ""]),
        );
        check(r#"{"z":"\\","a":"\"q\\"}"#, Some([r#"\"q\\"#, "", "", ""]));
        check(r#"{"z":[],"y":{},"a":[]}"#, Some(["", "", "", ""]));
    }

    #[test]
    fn what_is_no_whole_object_is_refused() {
        for line in [
            "",
            "text",
            "[1]",
            "{",
            r#"{"a""#,
            r#"{"a":"#,
            r#"{"a":"x"#,
            r#"{"a":"x\""#,
            r#"{"a":"x""#,
            r#"{"a":1 "b":2}"#,
            r#"{a:1}"#,
            r#"{"z":{"y":[1}"#,
            r#"{"a":}"#,
        ] {
            check(line, None);
        }
    }

    #[test]
    fn deep_nesting_ends_no_program() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        check(
            &format!(r#"{{"a":{deep},"b":{{"c":1}}}}"#),
            Some(["", "1", "", ""]),
        );
    }

    #[test]
    fn strings_are_read_as_they_are_meant() {
        let check = |written: &str, expected: &str| {
            let read = unescaped(written.as_bytes());
            assert_eq!(read, expected.as_bytes(), "{written}");
        };
        check("plain", "plain");
        check(r"http:\/\/example.com\/\u0026\n", "http://example.com/&\n");
        check(r"\u00e9\ud83d\ude00", "é😀");
        check(r"\ud83d x", "\u{fffd} x");
        check(r"\q \u12 \", "\\q \\u12 \\");
        check(r#"\"\\"#, "\"\\");
    }

    #[test]
    fn escaped_quotes_end_no_string_wherever_they_are() {
        for len in 0..70 {
            let long = "x".repeat(len);
            let written = format!(r#"{{"z":"{long}\"","a":"{long}","b":{{"c":"\""}}}}"#);
            check(&written, Some([&long, r#"\""#, "", ""]));
            let plain = format!(r#"{{"z":"{long}\\","a":"{long}","b":{{"c":1}}}}"#);
            check(&plain, Some([&long, "1", "", ""]));
        }
    }
}
