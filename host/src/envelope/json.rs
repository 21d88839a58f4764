//! Reads single values out of a JSON text without building a tree.
//!
//! Collectors write one object for each line, and only the log's line and the time are
//! wanted. Keys and values that are not wanted are skipped by searching for the bytes that
//! end them. A text that was cut off is read as far as it goes.

/// A value as the text has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw<'a> {
    /// What is between the quotes, still escaped.
    String(&'a [u8]),
    /// With its braces.
    Object(&'a [u8]),
    /// With its brackets.
    Array(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Scalar(&'a [u8]),
}

/// The members of an object, in their order.
pub(super) struct ObjectMembers<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The elements of an array, in their order.
pub(super) struct Elements<'a>(ObjectMembers<'a>);

impl<'a> ObjectMembers<'a> {
    /// Reads `text`, an object. Anything else has no members.
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self::inside(text, b'{')
    }

    fn inside(text: &'a [u8], open: u8) -> Self {
        let at = match skip_blanks(text, 0) {
            at if text.get(at) == Some(&open) => at + 1,
            _ => text.len(),
        };
        Self { bytes: text, at }
    }

    /// The bytes from the next member on.
    fn value(&mut self) -> Option<Raw<'a>> {
        self.at = skip_blanks(self.bytes, self.at);
        let (raw, end) = value_at(self.bytes, self.at)?;
        self.at = skip_blanks(self.bytes, end);
        if self.bytes.get(self.at) == Some(&b',') {
            self.at += 1;
        }
        Some(raw)
    }
}

impl<'a> Iterator for ObjectMembers<'a> {
    /// A key, still escaped, and its value.
    type Item = (&'a [u8], Raw<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let start = skip_blanks(self.bytes, self.at);
        if self.bytes.get(start) != Some(&b'"') {
            return None;
        }
        let end = string_end(self.bytes, start + 1);
        let key = &self.bytes[start + 1..end];
        let colon = skip_blanks(self.bytes, end + 1);
        // Fluent Bit prints `"key"=>"value"`.
        self.at = match self.bytes.get(colon..)? {
            [b':', ..] => colon + 1,
            [b'=', b'>', ..] => colon + 2,
            _ => return None,
        };
        Some((key, self.value()?))
    }
}

impl<'a> Elements<'a> {
    /// Reads `text`, an array. Anything else has no elements.
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self(ObjectMembers::inside(text, b'['))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        self.0.value()
    }
}

/// The value at the end of a path of keys.
pub(super) fn at_path<'a>(object: &'a [u8], path: &[&str]) -> Option<Raw<'a>> {
    let (first, rest) = path.split_first()?;
    let (_, value) = ObjectMembers::of(object).find(|(key, _)| *key == first.as_bytes())?;
    match (rest, value) {
        ([], value) => Some(value),
        (rest, Raw::Object(inner)) => at_path(inner, rest),
        _ => None,
    }
}

/// The value that begins at `at`, and where it ends.
fn value_at(bytes: &[u8], at: usize) -> Option<(Raw<'_>, usize)> {
    let rest = bytes.get(at..)?;
    match *rest.first()? {
        b'"' => {
            let end = string_end(bytes, at + 1);
            Some((Raw::String(&bytes[at + 1..end]), (end + 1).min(bytes.len())))
        }
        b'{' => nested_end(bytes, at).map(|end| (Raw::Object(&bytes[at..end]), end)),
        b'[' => nested_end(bytes, at).map(|end| (Raw::Array(&bytes[at..end]), end)),
        b'}' | b']' | b',' | b':' => None,
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']') || is_blank(*byte);
            let len = rest.iter().position(is_end).unwrap_or(rest.len());
            Some((Raw::Scalar(&rest[..len]), at + len))
        }
    }
}

/// Where the string that begins at `at` ends: the place of its closing quote, or the end of
/// a text that was cut off.
#[inline]
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

/// The place after the object or array that begins at `at`; the end of the text where it
/// was cut off.
fn nested_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_u32;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at + 1),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Some(bytes.len())
}

#[inline]
pub(super) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| is_blank(*byte)) {
        at += 1;
    }
    at
}

#[inline]
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Appends a string's text without its escapes. What is no escape of JSON stays as it is.
#[inline]
pub(super) fn unescape(mut text: &[u8], into: &mut Vec<u8>) {
    while let Some(at) = memchr::memchr(b'\\', text) {
        into.extend_from_slice(&text[..at]);
        let plain = match text.get(at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'u') => {
                text = &text[at + unescape_unicode(&text[at..], into)..];
                continue;
            }
            _ => {
                into.push(b'\\');
                text = &text[at + 1..];
                continue;
            }
        };
        into.push(plain);
        text = &text[at + 2..];
    }
    into.extend_from_slice(text);
}

/// Appends the character of `\uXXXX`, or of two of them that are a surrogate pair. Returns
/// how many bytes it took.
fn unescape_unicode(text: &[u8], into: &mut Vec<u8>) -> usize {
    let (code, len) = match (code_unit(text), text.get(6..).and_then(code_unit)) {
        (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
            (Some(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 12)
        }
        (Some(code), _) => (Some(code), 6),
        (None, _) => (None, 1),
    };
    match code {
        Some(code) => {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        None => into.push(b'\\'),
    }
    len
}

fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_in_order_and_skipped_whole() {
        let text = br#" {"a":"x\"}","b" : {"c":[1,"]"]}, "d":[{"e":"}"},2] ,"f":-1.5,"g":null}"#;
        let members: Vec<_> = ObjectMembers::of(text).collect();
        let expected: [(&[u8], Raw<'_>); 5] = [
            (b"a", Raw::String(br#"x\"}"#)),
            (b"b", Raw::Object(br#"{"c":[1,"]"]}"#)),
            (b"d", Raw::Array(br#"[{"e":"}"},2]"#)),
            (b"f", Raw::Scalar(b"-1.5")),
            (b"g", Raw::Scalar(b"null")),
        ];
        assert_eq!(members, expected);
    }

    #[test]
    fn a_text_that_was_cut_off_is_read_as_far_as_it_goes() {
        let check = |text: &'static str, expected: Option<Raw<'static>>| {
            assert_eq!(at_path(text.as_bytes(), &["log"]), expected, "{text}");
        };
        check(r#"{"log":"GET http"#, Some(Raw::String(b"GET http")));
        check(r#"{"log":"x\"#, Some(Raw::String(br"x\")));
        check(r#"{"log":{"a":"b"#, Some(Raw::Object(br#"{"a":"b"#)));
        check(r#"{"log":"#, None);
        check(r#"{"log""#, None);
        check(r#"{"lo"#, None);
        check("", None);
        check("[1]", None);
    }

    #[test]
    fn paths_lead_into_objects() {
        let text = br#"{"event":{"module":"x","original":"line"},"message":"m"}"#;
        assert_eq!(
            at_path(text, &["event", "original"]),
            Some(Raw::String(b"line"))
        );
        assert_eq!(at_path(text, &["message", "x"]), None);
        assert_eq!(at_path(text, &["event", "y"]), None);
    }

    #[test]
    fn elements_are_read_in_order() {
        let elements: Vec<_> = Elements::of(br#"[ "a", {"b":1},3 ]"#).collect();
        let expected = [
            Raw::String(b"a"),
            Raw::Object(br#"{"b":1}"#),
            Raw::Scalar(b"3"),
        ];
        assert_eq!(elements, expected);
    }

    #[test]
    fn escapes_are_undone_as_rfc_8259_has_them() {
        let check = |escaped: &str, expected: &str| {
            let mut text = Vec::new();
            unescape(escaped.as_bytes(), &mut text);
            assert_eq!(text, expected.as_bytes(), "{escaped}");
        };
        check("plain", "plain");
        check(r#"a\"b\\c\/d\n\t\r\b\f"#, "a\"b\\c/d\n\t\r\u{8}\u{c}");
        check(
            r"\u0041\u00e9\u65e5\ud83d\ude00",
            "A\u{e9}\u{65e5}\u{1f600}",
        );
        // A lone surrogate is no character.
        check(r"\ud83dx", "\u{fffd}x");
        // No escapes of JSON.
        check(r"\x41\", r"\x41\");
        check(r"\u12", r"\u12");
        check(r"\u+123", r"\u+123");
    }
}
