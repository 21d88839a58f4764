//! The last resort: URLs, domains and addresses in any text, also defanged
//! (`hxxp://www[.]example[.]com`). It knows neither who made a contact nor
//! whether there was one, and says so by how sure it is.

#[cfg(test)]
mod cases;
mod tlds;

use std::borrow::Cow;

use vthost_plugin::contact::{plausible_address, split_scheme};
use vthost_plugin::parser::{
    Description, Fit, Input, Line, LineParser, NoSettings, Observation, Observations, host_of,
};
use vthost_plugin::split::after;
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

struct Text {
    stamps: Stamps,
}

vthost_plugin::export_parser!(Text);

impl LineParser for Text {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "text",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Any text: the URLs, domains and addresses in it, also defanged",
            formats: &[(
                "text",
                "Any text, as a last resort",
                "The host called hxxps://www[.]example[.]com/a and then 192.0.2[.]10.",
            )],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let is_binary = input.head.iter().take(512).any(|byte| *byte == 0);
        if is_binary {
            return 0;
        }
        // One line that names something is enough to be worth reading.
        let some = input.confidence(10, |line| {
            Fit::from(words(line).any(|word| indicator(&refanged(word)).is_some()))
        });
        some.min(5)
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let mut time_us = None;
        let mut has_any = false;
        for word in words(line) {
            let word = refanged(word);
            let Some(observation) = indicator(&word) else {
                continue;
            };
            if !has_any {
                time_us = Syslog::of(line, self.stamps).time_us;
                has_any = true;
            }
            found.push(observation.at(time_us));
        }
        if has_any {
            Line::Record
        } else {
            Line::Ignored("names no URL, domain or address")
        }
    }
}

/// What may be an indicator: parts of a line without the punctuation around
/// them. A URL goes on to the next blank, quote or angle bracket.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    Split { rest: line }
        .flat_map(|(part, marks)| match url_start(part, marks) {
            Some(start) => Parts::Url(std::iter::once(&part[start..])),
            None => Parts::Others(part.split(is_between as fn(&u8) -> bool)),
        })
        .map(trimmed)
        .filter(|word| word.len() >= 4)
}

/// Bytes that tell something of the part that they stand in.
mod mark {
    /// It ends there.
    pub(super) const END: u8 = 1;
    /// It may be a name or an address.
    pub(super) const DOT: u8 = 2;
    /// It may be an address, or have a scheme.
    pub(super) const COLON: u8 = 4;
    /// It may be defanged.
    pub(super) const OPEN: u8 = 8;
    /// It may be a URL.
    pub(super) const SLASH: u8 = 16;
}

/// The marks of each byte.
const MARKS: [u8; 256] = {
    let mut marks = [0; 256];
    let ends = b" \t\r\n\x0b\x0c\"'<>`|\0";
    let mut index = 0;
    while index < ends.len() {
        marks[ends[index] as usize] = mark::END;
        index += 1;
    }
    marks[b'.' as usize] = mark::DOT;
    marks[b':' as usize] = mark::COLON;
    marks[b'[' as usize] = mark::OPEN;
    marks[b'(' as usize] = mark::OPEN;
    marks[b'{' as usize] = mark::OPEN;
    marks[b'/' as usize] = mark::SLASH;
    marks
};

/// The parts of a line between blanks and quotes that may name something, and
/// the marks of each.
struct Split<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Split<'a> {
    type Item = (&'a [u8], u8);

    fn next(&mut self) -> Option<(&'a [u8], u8)> {
        while !self.rest.is_empty() {
            let mut marks = 0;
            let mut len = 0;
            for byte in self.rest {
                let mark = MARKS[usize::from(*byte)];
                if mark == mark::END {
                    break;
                }
                marks |= mark;
                len += 1;
            }
            let part = &self.rest[..len];
            self.rest = self.rest.get(len + 1..).unwrap_or_default();
            if marks & (mark::DOT | mark::COLON | mark::OPEN) != 0 {
                return Some((part, marks));
            }
        }
        None
    }
}

/// The pieces of a part: the URL in it, or what stands between separators.
enum Parts<'a> {
    Url(std::iter::Once<&'a [u8]>),
    Others(std::slice::Split<'a, u8, fn(&u8) -> bool>),
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match self {
            Self::Url(url) => url.next(),
            Self::Others(others) => others.next(),
        }
    }
}

fn is_between(byte: &u8) -> bool {
    matches!(byte, b'=' | b',' | b';' | b'{' | b'}')
}

/// Where a URL begins in a part that has one: at its scheme.
fn url_start(part: &[u8], marks: u8) -> Option<usize> {
    // What all of them have in common, and few parts have.
    let needed = mark::COLON | mark::SLASH;
    (marks & needed == needed).then_some(())?;
    let find = |mark: &[u8]| after(part, mark).map(|rest| part.len() - rest.len() - mark.len());
    let is_defanged = marks & mark::OPEN != 0;
    let mark = find(b"://").or_else(|| {
        let written = [&b"[://]"[..], b"[:]//", b":[//]"];
        written.into_iter().filter(|_| is_defanged).find_map(find)
    })?;
    let scheme = part[..mark]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    (scheme >= 2).then_some(mark - scheme)
}

fn trimmed(word: &[u8]) -> &[u8] {
    // `[2001:db8::1]:443` keeps its brackets.
    let is_open = |byte: &u8| match byte {
        b'[' => !word.contains(&b']'),
        byte => matches!(byte, b'(' | b'.' | b',' | b':' | b';' | b'*' | b'@'),
    };
    let is_end = |byte: &u8| matches!(byte, b'.' | b',' | b':' | b';' | b'!' | b'?' | b'*' | b'\\');
    let start = word
        .iter()
        .position(|byte| !is_open(byte))
        .unwrap_or(word.len());
    let mut word = &word[start..];
    loop {
        let rest = match word {
            // A bracket that was opened within belongs to the word.
            [rest @ .., b')'] if count(rest, b'(') <= count(rest, b')') => rest,
            [rest @ .., b']'] if count(rest, b'[') <= count(rest, b']') => rest,
            [rest @ .., last] if is_end(last) => rest,
            _ => return word,
        };
        word = rest;
    }
}

fn count(word: &[u8], wanted: u8) -> usize {
    word.iter().filter(|byte| **byte == wanted).count()
}

/// What people write so that nobody follows it by accident, as it was.
fn refanged(word: &[u8]) -> Cow<'_, [u8]> {
    const WRITTEN: [(&[u8], &[u8]); 9] = [
        (b"[.]", b"."),
        (b"(.)", b"."),
        (b"{.}", b"."),
        (b"[dot]", b"."),
        (b"(dot)", b"."),
        (b"[:]", b":"),
        (b"[://]", b"://"),
        (b"[//]", b"//"),
        (b"[/]", b"/"),
    ];
    let is_hxxp = word
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"hxxp"));
    if !is_hxxp && !word.iter().any(|byte| matches!(byte, b'[' | b'(' | b'{')) {
        return word.into();
    }
    let mut text = Vec::with_capacity(word.len());
    let mut rest = word;
    if is_hxxp {
        text.extend_from_slice(b"http");
        rest = &word[4..];
    }
    while let Some((first, after)) = rest.split_first() {
        let known = match first {
            b'[' | b'(' | b'{' => WRITTEN
                .iter()
                .find(|(written, _)| rest.starts_with(written)),
            _ => None,
        };
        match known {
            Some((written, meant)) => {
                text.extend_from_slice(meant);
                rest = &rest[written.len()..];
            }
            None => {
                text.push(*first);
                rest = after;
            }
        }
    }
    text.into()
}

fn indicator(word: &[u8]) -> Option<Observation<'_>> {
    if let Some((scheme, rest)) = split_scheme(word) {
        const WEB: [&[u8]; 5] = [b"http", b"https", b"ftp", b"ws", b"wss"];
        let is_web = WEB.iter().any(|web| web.eq_ignore_ascii_case(scheme));
        let host = rest
            .split(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .next()?;
        return (is_web && is_host(host)).then(|| Observation::url(word));
    }
    let end = word
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
        .unwrap_or(word.len());
    let (authority, path) = word.split_at(end);
    // Of `jane@example.com` the domain was not contacted, but it is named.
    let authority = authority.rsplit(|byte| *byte == b'@').next()?;
    if !is_host(authority) {
        return None;
    }
    let is_network = path.len() <= 4 && path.iter().skip(1).all(u8::is_ascii_digit);
    Some(if path.len() > 1 && !is_network {
        Observation::url(word)
    } else {
        Observation::host(authority)
    })
}

fn is_host(authority: &[u8]) -> bool {
    let host = host_of(authority);
    match plausible_address(host) {
        Some(_) => is_written_as_address(host),
        None => tlds::is_domain(host),
    }
}

/// Whether people write it as an address: `1.2.3.4` is one, `12:30:59` is not,
/// and `a::b` is one that nobody means.
fn is_written_as_address(host: &[u8]) -> bool {
    let begins = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    let host = match host.first().is_some_and(begins) {
        true => str::from_utf8(host).unwrap_or_default(),
        false => return false,
    };
    match host.parse() {
        Ok(std::net::IpAddr::V4(_)) => true,
        Ok(std::net::IpAddr::V6(_)) => host.matches(':').count() >= 3,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    fn check(line: &str, expected: &[&str]) {
        let parsed = testing::parse::<Text>(line.as_bytes(), "{}").unwrap();
        let found: Vec<&str> = parsed
            .observations
            .iter()
            .map(|o| o.value.as_str())
            .collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn indicators_are_found_in_prose() {
        check(
            Text::describe().formats[0].2,
            &["https://www.example.com/a", "192.0.2.10"],
        );
        check(
            "see (http://www.example.com/a_(b)), then www.example.org.",
            &["http://www.example.com/a_(b)", "www.example.org"],
        );
        check(
            "url=http://www.example.com/?a=b&c=d;e host=mail.example.net:25",
            &["http://www.example.com/?a=b&c=d;e", "mail.example.net"],
        );
        check(
            "[2001:db8::1]:443 and 2001:db8::2",
            &["2001:db8::1", "2001:db8::2"],
        );
        check(
            "www.example.com/a/b \"192.0.2.0/24\"",
            &["www.example.com/a/b", "192.0.2.0"],
        );
        check(
            "hxxp[://]bad(.)example[dot]org/x",
            &["http://bad.example.org/x"],
        );
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for line in [
            "at 12:30:59 in main.rs and setup.exe",
            "version 1.2.3",
            "a::b",
            "e.g. this",
            "999.1.1.1",
            "file:///etc/passwd",
            "Name.Space.Class",
            "",
        ] {
            check(line, &[]);
        }
    }

    #[test]
    fn it_is_never_surer_than_a_parser_that_knows_its_format() {
        assert_eq!(testing::detect::<Text>(b"www.example.com\n"), 5);
        assert_eq!(testing::detect::<Text>(b"nothing here\n"), 0);
    }
}
