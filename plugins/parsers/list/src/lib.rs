//! A hand-written list: one URL, domain or address a line, with or without a
//! scheme, also defanged (`hxxp://example[.]com`).

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use vthost_plugin::parser::{
    Description, Fit, Input, Line, LineParser, NoSettings, Observation, Observations, host_of,
    is_address,
};
use vthost_plugin::scan;

struct List;

vthost_plugin::export_parser!(List);

impl LineParser for List {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "list",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "A list: one URL, domain or address a line, also defanged",
            formats: vec![("list", "List of indicators", "hxxp://www.example[.]com/a")],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let sure = input.confidence(60, |line| {
            let text = text_of(line);
            match blank_or_comment(&text) {
                Some(_) => Fit::Neutral,
                None => Fit::from(is_distinctive(&text)),
            }
        });
        // Prose with a few such lines is the `text` parser's.
        if sure < 40 { 0 } else { sure }
    }

    fn open(_input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if let Some(text) = plain(line) {
            return push(text, found);
        }
        let text = text_of(line);
        match blank_or_comment(&text) {
            Some(reason) => Line::Ignored(reason),
            None => push(&refanged(&text), found),
        }
    }
}

/// Whether a line is an indicator that few other files have as a whole line. Many have a
/// single label, also with a port, or a time that begins like one: `2024-05-01T12:00`. `{`,
/// `<` and `"` begin records of other formats.
fn is_distinctive(text: &str) -> bool {
    let plain = refanged(text);
    let has_mark = plain.contains("://") || host_of(plain.as_bytes()).iter().any(is_mark);
    has_mark && !text.starts_with(['{', '<', '"']) && observation(&plain).is_ok()
}

/// Whether a byte separates the labels of a name or the groups of an address.
fn is_mark(byte: &u8) -> bool {
    matches!(byte, b'.' | b':')
}

fn push(text: &str, found: &mut Observations<'_>) -> Line {
    match observation(text) {
        Ok(observation) => {
            found.push(observation);
            Line::Record
        }
        Err(reason) => Line::Rejected(reason),
    }
}

/// Bytes that no mark of [`MARKS`] has: `-./` and the digits up to `:` are one
/// range, as are `%&`.
const PLAIN: [RangeInclusive<u8>; 9] = [
    b'a'..=b'z',
    b'A'..=b'Z',
    b'-'..=b':',
    b'_'..=b'_',
    b'?'..=b'?',
    b'='..=b'=',
    b'%'..=b'&',
    b'+'..=b'+',
    b'~'..=b'~',
];

/// The fast path: a line that is one indicator, neither quoted nor defanged, as
/// most lines of long lists are.
fn plain(line: &[u8]) -> Option<&str> {
    let is_comment = line.starts_with(b"//");
    let may_be_defanged = matches!(line, [_, b'x' | b'X' | b'_' | b'0', ..]);
    if line.is_empty() || is_comment || may_be_defanged || !scan::is_all(line, PLAIN) {
        return None;
    }
    str::from_utf8(line).ok()
}

/// The text of a line without byte order mark, trailing comment, and the quotes,
/// brackets and commas that people put around an indicator.
fn text_of(line: &[u8]) -> Cow<'_, str> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let begins_comment = |rest: &[u8]| {
        rest[0].is_ascii_whitespace() && matches!(rest[1..], [b'#' | b';', ..] | [b'/', b'/', ..])
    };
    let comment = (0..line.len()).find(|place| begins_comment(&line[*place..]));
    let line = &line[..comment.unwrap_or(line.len())];
    match String::from_utf8_lossy(line) {
        Cow::Borrowed(text) => Cow::Borrowed(bare(text)),
        Cow::Owned(text) => Cow::Owned(bare(&text).to_owned()),
    }
}

fn bare(text: &str) -> &str {
    let is_around = |c: char| c.is_whitespace() || "\"'`<>,".contains(c);
    let text = text.trim_matches(is_around);
    let inside = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    inside.unwrap_or(text)
}

/// Why a line that names nothing is ignored.
fn blank_or_comment(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("blank"),
        _ if text.starts_with(['#', ';']) || text.starts_with("//") => Some("a comment"),
        _ => None,
    }
}

/// The indicator that a text names, or why it names none that can be looked up.
fn observation(text: &str) -> Result<Observation<'_>, &'static str> {
    if text.contains(char::is_whitespace) {
        return Err("more than one word");
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let has_host = !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']);
        return match (has_host, is_scheme(scheme)) {
            (true, true) => Ok(Observation::url(text.as_bytes())),
            (false, true) => Err("no host"),
            (_, false) => Err("other text before the URL"),
        };
    }
    if let Some((before, length)) = text.split_once('/') {
        let is_length = matches!(length.len(), 1..=3) && scan::is_digits(length.as_bytes());
        if is_length && is_ip(before.as_bytes()) {
            return Err("a network, not an address");
        }
        let url = host(before.as_bytes()).map(|_| Observation::url(text.as_bytes()));
        return url.map_err(|_| "no host before the path");
    }
    if text.contains('@') {
        return Err("a mail address");
    }
    if text.contains('*') {
        return Err("a pattern, not a name");
    }
    host(text.as_bytes())
}

/// Whether a text is a scheme (RFC 3986, section 3.1): `2024-05-01,http` is a row of a table.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// The address or domain of a text that may have a port. Dotted numbers that
/// are no address (`1.1.1.1.1`, `018.12.15.14`) are rejected.
fn host(text: &[u8]) -> Result<Observation<'_>, &'static str> {
    let host = host_of(text);
    if is_address(host) {
        let host = host.strip_suffix(b".").unwrap_or(host);
        let address = &host[..scan::find(host, b'%').unwrap_or(host.len())];
        return match is_ip(address) {
            true => Ok(Observation::ip(host)),
            false => Err("not a valid address"),
        };
    }
    match std::str::from_utf8(host) {
        Ok(name) if is_name(name) => Ok(Observation::domain(host)),
        _ => Err("not a URL, domain or address"),
    }
}

/// Whether the text is an address and nothing else.
fn is_ip(text: &[u8]) -> bool {
    scan::is_valid_ipv4(text)
        || scan::is_valid_ipv6(text)
        // `::ffff:192.0.2.1`, which the SDK's check leaves out.
        || str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

/// Whether the text consists of labels of letters, digits, `-` and `_` with
/// single dots between them, has a letter and does not begin like an option.
fn is_name(text: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && text.chars().all(in_name)
        && text.contains(char::is_alphabetic)
        && !text.contains("..")
}

/// How indicators are defanged, and what each mark replaces.
const MARKS: [(&str, &str); 19] = [
    ("[://]", "://"),
    ("[:]", ":"),
    ("(:)", ":"),
    ("[/]", "/"),
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    ("[@]", "@"),
    ("[at]", "@"),
    ("(at)", "@"),
    ("[.", "."),
    (".]", "."),
    ("(.", "."),
    (".)", "."),
    ("\\.", "."),
    (":\\\\", "://"),
];

/// Defanged schemes, and what each replaces.
const SCHEMES: [(&str, &str); 8] = [
    ("hxxps", "https"),
    ("hxxp", "http"),
    ("h__ps", "https"),
    ("h__p", "http"),
    ("h00ps", "https"),
    ("h00p", "http"),
    ("fxps", "ftps"),
    ("fxp", "ftp"),
];

/// The text with its marks undone; unchanged without a mark.
///
/// Marks count up to the path, where brackets are rather part of the URL. There
/// only `[.]` is undone, and only in a text that is defanged before it.
fn refanged(text: &str) -> Cow<'_, str> {
    let (scheme, rest) = refanged_scheme(text);
    let (head, path) = rest.split_at(path_start(rest));
    // Every mark has one of these.
    let may_have_marks = head.contains(['[', ']', '(', ')', '{', '\\']);
    let refanged = match may_have_marks {
        true => Cow::Owned(without_marks(head)),
        false => Cow::Borrowed(head),
    };
    if scheme.is_none() && refanged == head {
        return Cow::Borrowed(text);
    }
    let path = path.replace("[.]", ".");
    Cow::Owned(format!("{}{refanged}{path}", scheme.unwrap_or_default()))
}

/// The scheme that a defanged one replaces, and what follows it; the whole text
/// where it begins with none.
fn refanged_scheme(text: &str) -> (Option<&'static str>, &str) {
    for (written, scheme) in SCHEMES {
        if let Some((start, rest)) = text.split_at_checked(written.len())
            && start.eq_ignore_ascii_case(written)
            && rest.starts_with([':', '[', '('])
        {
            return (Some(scheme), rest);
        }
    }
    (None, text)
}

/// Where the path, query or fragment begins: at the first `/`, `?` or `#` that
/// is neither part of `//` nor a mark in brackets.
///
/// ```text
/// hxxp[:]//www[.]example[.]com/a    →  at the last `/`
/// hxxp[:][/][/]www.example.com/a    →  at the last `/`
/// ```
fn path_start(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(found) = text
        .get(place..)
        .and_then(|rest| rest.find(['/', '?', '#']))
    {
        place += found;
        let before = place.checked_sub(1).map(|at| bytes[at]);
        let after = bytes.get(place + 1);
        match (before, bytes[place], after) {
            (Some(b':'), b'/', Some(b'/')) => place += 2,
            (Some(b'['), b'/', Some(b']')) => place += 1,
            (_, b'/', _) if text.get(..place).is_some_and(|head| head.ends_with("[:]")) => {
                place += 1 + usize::from(after == Some(&b'/'));
            }
            _ => return place,
        }
    }
    text.len()
}

/// The text with its marks undone, in one pass: its time grows with the length
/// alone, however many marks there are.
fn without_marks(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(['[', '(', '{', '.', ':', '\\']) {
        let (before, tail) = rest.split_at(place);
        plain.push_str(before);
        // What may begin a mark is one byte long.
        let (replaced, after) = mark_at(tail).unwrap_or_else(|| tail.split_at(1));
        plain.push_str(replaced);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// What the mark at the start of a text replaces, and what follows it.
fn mark_at(text: &str) -> Option<(&'static str, &str)> {
    MARKS.iter().find_map(|(mark, replaced)| {
        let (start, after) = text.split_at_checked(mark.len())?;
        start
            .eq_ignore_ascii_case(mark)
            .then_some((*replaced, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    fn parse(list: &str) -> testing::Parsed {
        testing::parse::<List>(list.as_bytes(), "{}").unwrap()
    }

    #[test]
    fn every_line_is_one_indicator() {
        let check = |line: &str, kind: &str, value: &str| {
            let parsed = parse(line);
            let observed = &parsed.observations[0];
            assert_eq!(
                (observed.kind, observed.value.as_str()),
                (kind, value),
                "{line}"
            );
        };
        check(
            "milestone-of-se.nesuke.com",
            "domain",
            "milestone-of-se.nesuke.com",
        );
        check("http://027.ru", "url", "http://027.ru");
        check("1.1.1.1\r\n", "ip", "1.1.1.1");
        check("  103.9.36.172  # seen on Monday", "ip", "103.9.36.172");
        check("\u{feff}example.com", "domain", "example.com");
        check("example.com ; old", "domain", "example.com");
        check("198.51.100.4.", "ip", "198.51.100.4");
        check(
            "(http://example.com/a_(b))",
            "url",
            "http://example.com/a_(b)",
        );
        check("example.com/a#b", "url", "example.com/a#b");
        check("example.com:8080", "domain", "example.com");
        check("[2001:db8::1]:443", "ip", "2001:db8::1");
        check("2001:db8::1", "ip", "2001:db8::1");
        check("<http://example.com/>", "url", "http://example.com/");
        check("bücher.example.com", "domain", "bücher.example.com");
        check("_sip._tcp.example.com", "domain", "_sip._tcp.example.com");
        check("1.1.1.1.example.com", "domain", "1.1.1.1.example.com");
    }

    #[test]
    fn defanged_forms_are_refanged() {
        let check = |line: &str, expected: &str| {
            assert_eq!(parse(line).observations[0].value, expected, "{line}");
        };
        check("hxxp://www.example[.]com/a", "http://www.example.com/a");
        check("hXXps[://]www(.)example{.}com", "https://www.example.com");
        check("hxxp[:]//www[dot]example[DOT]com", "http://www.example.com");
        check("www[.example.]com", "www.example.com");
        check("192[.]0[.]2[.]1", "192.0.2.1");
        check("www\\.example\\.com", "www.example.com");
        check("hxxp:\\\\www.example.com", "http://www.example.com");
        check("hxxp[:][/][/]www.example.com/a", "http://www.example.com/a");
        check("h__p://www.example.com", "http://www.example.com");
        check("2001[:]db8[:][:]1", "2001:db8::1");
        check("hxxp://example[.]com/a[.]php", "http://example.com/a.php");
        check("hxxp.example.com", "hxxp.example.com");
    }

    #[test]
    fn paths_are_refanged_only_after_a_mark() {
        let check = |line: &str| assert_eq!(parse(line).observations[0].value, line);
        check("http://example.com/a(.)b");
        check("http://example.com/?q=[.x");
        check("http://example.com/a[.]b");
        check("http://[2001:db8::1]/x[1]");
        check("http://example.com/Set_(one)");
    }

    #[test]
    fn a_long_line_of_marks_takes_linear_time() {
        let list = format!("a{}com", "[.]".repeat(1 << 20));
        assert_eq!(parse(&list).rejected.len(), 1);
    }

    #[test]
    fn lines_of_single_labels_and_ports_are_not_detected() {
        for line in ["proxy", "proxy:8080", "2024-05-01T12:00", "app-1:"] {
            assert_eq!(testing::detect::<List>(line.as_bytes()), 0, "{line}");
        }
        for line in [
            "www.example.com:8080",
            "2001:db8::1",
            "http://proxy/",
            "hxxp[:]//proxy/a",
        ] {
            assert_eq!(testing::detect::<List>(line.as_bytes()), 60, "{line}");
        }
    }

    #[test]
    fn other_lines_are_rejected_with_a_reason() {
        let check = |line: &str, reason: &str| {
            assert_eq!(parse(line).rejected, [(reason.to_owned(), 1)], "{line}");
        };
        check("192.0.2.0/24", "a network, not an address");
        check("jane@example.com", "a mail address");
        check("*.example.com", "a pattern, not a name");
        check("two words", "more than one word");
        check(
            "2024-05-01,http://www.example.com/",
            "other text before the URL",
        );
        check("/etc/passwd", "no host before the path");
        check("=cmd", "not a URL, domain or address");
        check("1234", "not a URL, domain or address");
        check("a..example.com", "not a URL, domain or address");
        check("1.1.1.1.1", "not a valid address");
        check("1.1.1.1000", "not a valid address");
        check("018.12.15.14", "not a valid address");
        check("12:34:56", "not a valid address");
        check("http:///a", "no host");
        check("http://", "no host");
        check("jane[at]example[.]com", "a mail address");
    }

    #[test]
    fn comments_and_blank_lines_are_ignored() {
        let parsed = parse("# a list\r\n\r\n; old\n// old\nexample.com");
        assert_eq!(
            parsed.ignored,
            [("a comment".to_owned(), 3), ("blank".to_owned(), 1)]
        );
        assert_eq!((parsed.records, parsed.rejected.len()), (1, 0));
    }

    #[test]
    fn a_list_is_recognised() {
        let check = |list: &str, expected: u8| {
            assert_eq!(testing::detect::<List>(list.as_bytes()), expected)
        };
        check("# list\nexample.com\nhttp://example.org/\n192.0.2.1", 60);
        check("1714564800.123 161 10.0.0.5 TCP_MISS/200\n", 0);
        check("one\ntwo\nthree\n", 0);
        check("{\"url\":\"http://example.com/\"}\n", 0);
        check("", 0);
    }
}
