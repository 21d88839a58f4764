//! A hand-written list: one URL, domain or address a line, with or without a
//! scheme, also defanged (`hxxp://example[.]com`).

use std::borrow::Cow;

use vthost_plugin::parser::{
    Description, Input, Line, LineParser, NoSettings, Observation, Observations, is_address,
};

struct List;

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
                fit += u32::from(observation(&refanged(&text)).is_ok());
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
        Ok(Self)
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let text = text_of(line);
        if let Some(reason) = is_empty_or_comment(&text) {
            return Line::Ignored(reason);
        }
        match observation(&refanged(&text)) {
            Ok(observation) => {
                found.push(observation);
                Line::Record
            }
            Err(reason) => Line::Rejected(reason),
        }
    }
}

/// What stands on a line: without byte order mark, a comment behind a blank,
/// and what people put around.
fn text_of(line: &[u8]) -> Cow<'_, str> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let comment = line
        .windows(2)
        .position(|pair| pair[0].is_ascii_whitespace() && pair[1] == b'#');
    let line = &line[..comment.unwrap_or(line.len())];
    match String::from_utf8_lossy(line) {
        Cow::Borrowed(text) => Cow::Borrowed(bare(text)),
        Cow::Owned(text) => Cow::Owned(bare(&text).to_owned()),
    }
}

fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ',')
    })
}

fn is_empty_or_comment(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("blank")
    } else if text.starts_with(['#', ';']) || text.starts_with("//") {
        Some("a comment")
    } else {
        None
    }
}

/// What the text names, or why it names nothing that can be looked up.
fn observation(text: &str) -> Result<Observation<'_>, &'static str> {
    if text.contains(char::is_whitespace) {
        return Err("more than one word");
    }
    if text.contains("://") {
        return Ok(Observation::url(text.as_bytes()));
    }
    if let Some((host, length)) = text.split_once('/') {
        let is_length = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        return match host {
            _ if is_address(host.as_bytes()) && is_length && length.len() <= 3 => {
                Err("a network, not an address")
            }
            _ if looks_like_host(host) => Ok(Observation::url(text.as_bytes())),
            _ => Err("no host before the path"),
        };
    }
    if text.contains('@') {
        return Err("a mail address");
    }
    if text.contains('*') {
        return Err("a pattern, not a name");
    }
    if looks_like_host(text) || is_address(text.as_bytes()) {
        return Ok(Observation::host(text.as_bytes()));
    }
    Err("not a URL, domain or address")
}

/// A name of letters, digits, `-`, `_` and dots, perhaps with a port; not of
/// the form of a file's path or an option.
fn looks_like_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, ""));
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    is_address(text.as_bytes())
        || (name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && name.chars().all(is_name)
            && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Marks that a person put in so that nobody clicks, and what they stand for.
const MARKS: [(&str, &str); 18] = [
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
fn refanged(text: &str) -> String {
    let mut text = text.to_owned();
    for (scheme, stands_for) in SCHEMES {
        let is_it = text
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        let rest = text.get(scheme.len()..).unwrap_or_default();
        if is_it && rest.starts_with([':', '[', '(', '_']) {
            text = format!("{stands_for}{rest}");
            break;
        }
    }
    for (mark, stands_for) in MARKS {
        while let Some(place) = text.to_ascii_lowercase().find(mark) {
            text.replace_range(place..place + mark.len(), stands_for);
        }
    }
    text
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
        check("example.com/a#b", "url", "example.com/a#b");
        check("example.com:8080", "domain", "example.com:8080");
        check("[2001:db8::1]:443", "ip", "[2001:db8::1]:443");
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
        check("hxxp.example.com", "hxxp.example.com");
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
        check("", 0);
    }
}
