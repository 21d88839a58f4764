//! A hand-written list: one URL, domain or address a line, with or without a
//! scheme, also defanged (`hxxp://example[.]com`).

mod short;

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use vthost_plugin::parser::{
    Description, Input, Line, LineParser, NoSettings, Observation, Observations, host_of,
    is_address,
};
use vthost_plugin::scan;

struct List {
    plain: short::Plain,
}

vthost_plugin::export_parser!(List);

/// Lines of the head that detection looks at.
const DETECTION_LINES: usize = 100;

impl LineParser for List {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "list",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "A list: one URL, domain or address a line, also defanged",
            formats: &[("list", "List of indicators", "hxxp://www.example[.]com/a")],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let (mut all, mut fit) = (0, 0);
        for line in input.lines().take(DETECTION_LINES) {
            let text = text_of(line);
            if is_empty_or_comment(&text).is_none() {
                all += 1;
                // A word alone is in many files.
                let names = text.contains(['.', ':'])
                    && !begins_like_a_record(&text)
                    && observation(&refanged(&text)).is_ok();
                fit += u32::from(names);
            }
        }
        match (fit, all) {
            (0, _) => 0,
            (fit, all) if fit * 10 >= all * 9 => 60,
            (fit, all) if fit * 2 >= all => 20,
            _ => 0,
        }
    }

    fn open(_input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            plain: short::Plain::new(),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        match short::read(line, &mut self.plain) {
            Some(Ok(observation)) => {
                found.push(observation);
                Line::Record
            }
            Some(Err(said)) => said,
            None => line_of_any_kind(line, found),
        }
    }
}

/// Reasons why a line names nothing that can be looked up.
const BLANK: &str = "blank";
const A_COMMENT: &str = "a comment";
const SEVERAL_WORDS: &str = "more than one word";
const NO_HOST: &str = "no host";
const NO_HOST_BEFORE: &str = "no host before the path";
const A_NETWORK: &str = "a network, not an address";
const A_MAIL_ADDRESS: &str = "a mail address";
const A_PATTERN: &str = "a pattern, not a name";
const NO_ADDRESS: &str = "not a valid address";
const NOTHING: &str = "not a URL, domain or address";

/// Reads a line, however long it is and whatever is in it.
fn line_of_any_kind(line: &[u8], found: &mut Observations<'_>) -> Line {
    if let Some(text) = plain(line) {
        return push(text, found);
    }
    let text = text_of(line);
    if let Some(reason) = is_empty_or_comment(&text) {
        return Line::Ignored(reason);
    }
    push(&refanged(&text), found)
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

/// Bytes that are part of no mark: `-./` and digits up to `:` in one range, and
/// `%&`.
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

/// A line that is an indicator and nothing else, as most are: nothing stands
/// around it and nothing in it can be a mark.
fn plain(line: &[u8]) -> Option<&str> {
    let begins_comment = line.starts_with(b"//");
    let is_defanged = matches!(line, [_, b'x' | b'X' | b'_' | b'0', ..]);
    if line.is_empty() || begins_comment || is_defanged || !scan::is_all(line, PLAIN) {
        return None;
    }
    str::from_utf8(line).ok()
}

/// What stands on a line: without byte order mark, a comment behind a blank,
/// and what people put around.
fn text_of(line: &[u8]) -> Cow<'_, str> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let begins_comment = |rest: &[u8]| matches!(rest, [blank, b'#' | b';', ..] | [blank, b'/', b'/', ..] if blank.is_ascii_whitespace());
    let mut blanks = (0..line.len()).filter(|place| line[*place].is_ascii_whitespace());
    let comment = blanks.find(|place| begins_comment(&line[*place..]));
    let line = &line[..comment.unwrap_or(line.len())];
    match String::from_utf8_lossy(line) {
        Cow::Borrowed(text) => Cow::Borrowed(bare(text)),
        Cow::Owned(text) => Cow::Owned(bare(&text).to_owned()),
    }
}

fn bare(text: &str) -> &str {
    let text = text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ',')
    });
    let inside = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    inside.unwrap_or(text)
}

fn is_empty_or_comment(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some(BLANK)
    } else if text.starts_with(['#', ';']) || text.starts_with("//") {
        Some(A_COMMENT)
    } else {
        None
    }
}

/// What the text names, or why it names nothing that can be looked up.
fn observation(text: &str) -> Result<Observation<'_>, &'static str> {
    if text.contains(char::is_whitespace) {
        return Err(SEVERAL_WORDS);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let has_host = !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']);
        return match has_host && !scheme.is_empty() {
            true => Ok(Observation::url(text.as_bytes())),
            false => Err(NO_HOST),
        };
    }
    if let Some((before, length)) = text.split_once('/') {
        let is_length = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        if is_length && length.len() <= 3 && is_ip(before.as_bytes()) {
            return Err(A_NETWORK);
        }
        let url = host(before.as_bytes()).map(|_| Observation::url(text.as_bytes()));
        return url.map_err(|_| NO_HOST_BEFORE);
    }
    if text.contains('@') {
        return Err(A_MAIL_ADDRESS);
    }
    if text.contains('*') {
        return Err(A_PATTERN);
    }
    host(text.as_bytes())
}

/// The address or domain of a text that may have a port. Dotted numbers that
/// are no address (`1.1.1.1.1`, `018.12.15.14`) are not taken for one.
fn host(text: &[u8]) -> Result<Observation<'_>, &'static str> {
    let host = host_of(text);
    if is_address(host) {
        let host = host.strip_suffix(b".").unwrap_or(host);
        let address = &host[..scan::find(host, b'%').unwrap_or(host.len())];
        return match is_ip(address) {
            true => Ok(Observation::ip(host)),
            false => Err(NO_ADDRESS),
        };
    }
    match std::str::from_utf8(host) {
        Ok(name) if is_name(name) => Ok(Observation::domain(host)),
        _ => Err(NOTHING),
    }
}

/// Whether the text is an address and nothing else.
fn is_ip(text: &[u8]) -> bool {
    let is_any = |text| str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok());
    scan::is_valid_ipv4(text)
        || scan::is_valid_ipv6(text)
        // Those that end like an IPv4 address.
        || scan::find(text, b':').is_some() && scan::find(text, b'.').is_some() && is_any(text)
}

/// Labels of letters, digits, `-` and `_` with a dot between, a letter among
/// them; not of the form of a file's path or an option.
fn is_name(text: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && text.chars().all(in_name)
        && text.contains(char::is_alphabetic)
        && !text.contains("..")
}

/// Marks that a person put in so that nobody clicks, and what they stand for.
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

/// Schemes that stand for another.
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

/// The text as it was before somebody defanged it; unchanged without a mark.
///
/// Marks count up to the path, where brackets are rather part of the URL; only
/// `[.]` is undone there too, and only in a text that is defanged before it.
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

/// What a defanged scheme stands for, and what follows it; the whole text where
/// it begins with none.
fn refanged_scheme(text: &str) -> (Option<&'static str>, &str) {
    for (scheme, stands_for) in SCHEMES {
        if let Some((start, rest)) = text.split_at_checked(scheme.len())
            && start.eq_ignore_ascii_case(scheme)
            && rest.starts_with([':', '[', '('])
        {
            return (Some(stands_for), rest);
        }
    }
    (None, text)
}

/// Where the path, query or fragment begins: at the first `/`, `?` or `#` that
/// is neither one of `//` nor in brackets of its own.
fn path_start(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(found) = text
        .get(place..)
        .and_then(|rest| rest.find(['/', '?', '#']))
    {
        place += found;
        let (before, after) = (
            place.checked_sub(1).map(|at| bytes[at]),
            bytes.get(place + 1),
        );
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

/// One pass, so that a long line of marks takes no longer than any other.
fn without_marks(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(['[', '(', '{', '.', ':', '\\']) {
        let (before, tail) = rest.split_at(place);
        plain.push_str(before);
        let begins = |mark: &str| mark.as_bytes().first() == tail.as_bytes().first();
        let mut marks = MARKS.iter().filter(|(mark, _)| begins(mark));
        let mark = marks.find_map(|(mark, stands_for)| {
            let (start, after) = tail.split_at_checked(mark.len())?;
            start
                .eq_ignore_ascii_case(mark)
                .then_some((*stands_for, after))
        });
        // What may begin a mark is one byte long.
        let (stands_for, after) = mark.unwrap_or_else(|| tail.split_at(1));
        plain.push_str(stands_for);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// Whether a line is rather a record of some log: JSON, a priority of syslog.
fn begins_like_a_record(text: &str) -> bool {
    text.starts_with(['{', '<', '"'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    fn parse(list: &str) -> testing::Parsed {
        testing::parse::<List>(list.as_bytes(), "{}").unwrap()
    }

    #[test]
    fn each_line_is_an_indicator() {
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
    fn paths_without_a_mark_before_them_stay() {
        let check = |line: &str| assert_eq!(parse(line).observations[0].value, line);
        check("http://example.com/a(.)b");
        check("http://example.com/?q=[.x");
        check("http://example.com/a[.]b");
        check("http://[2001:db8::1]/x[1]");
        check("http://example.com/Set_(one)");
    }

    #[test]
    fn a_long_line_of_marks_is_read_once() {
        let list = format!("a{}com", "[.]".repeat(1 << 20));
        assert_eq!(parse(&list).rejected.len(), 1);
    }

    #[test]
    fn what_is_none_is_rejected_with_a_reason() {
        let check = |line: &str, reason: &str| {
            assert_eq!(parse(line).rejected, [(reason.to_owned(), 1)], "{line}");
        };
        check("192.0.2.0/24", "a network, not an address");
        check("jane@example.com", "a mail address");
        check("*.example.com", "a pattern, not a name");
        check("two words", "more than one word");
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
