//! The last resort: URLs, domains and addresses in any text, also defanged
//! (`hxxp://www[.]example[.]com`). It knows neither who made a contact nor
//! whether there was one, and says so by how sure it is.

mod tlds;

use std::borrow::Cow;

use vthost_plugin::contact::{plausible_address, split_scheme};
use vthost_plugin::parser::{
    Description, Fit, Input, Line, LineParser, NoSettings, Observation, Observations, host_of,
};
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
    line.split(|byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'|' | 0)
    })
    .flat_map(|part| match url_start(part) {
        Some(start) => Parts::Url(std::iter::once(&part[start..])),
        None => Parts::Others(part.split(is_between as fn(&u8) -> bool)),
    })
    .map(trimmed)
    .filter(|word| word.len() >= 4)
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
fn url_start(part: &[u8]) -> Option<usize> {
    // What all of the marks have in common, and few parts have.
    part.windows(2).find(|pair| pair == b"//")?;
    let mark = [&b"://"[..], b"[://]", b"[:]//", b":[//]"]
        .iter()
        .find_map(|mark| part.windows(mark.len()).position(|window| window == *mark))?;
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
        let known = WRITTEN
            .iter()
            .find(|(written, _)| rest.starts_with(written));
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
        let is_web = matches!(
            scheme.to_ascii_lowercase().as_slice(),
            b"http" | b"https" | b"ftp" | b"ws" | b"wss"
        );
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
    plausible_address(host).is_some() && is_written_as_address(host) || tlds::is_domain(host)
}

/// Whether people write it as an address: `1.2.3.4` is one, `12:30:59` is not,
/// and `a::b` is one that nobody means.
fn is_written_as_address(host: &[u8]) -> bool {
    let host = str::from_utf8(host).unwrap_or_default();
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
