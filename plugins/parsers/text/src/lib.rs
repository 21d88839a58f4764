//! The last resort: URLs, domains and addresses in any text, also defanged
//! (`hxxp://www[.]example[.]com`). It cannot determine the client, nor whether there was a contact,
//! so its confidence is low.

#[cfg(test)]
mod cases;
mod tlds;

use vthost_plugin::contact::{NAME, plausible_address, split_scheme};
use vthost_plugin::parser::{
    Description, Fit, Input, Line, LineParser, NoSettings, Observation, Observations, host_of,
};
use vthost_plugin::scan::{self, Block, PLACES, first_bits, places};
use vthost_plugin::split::split_once;
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

struct Text {
    stamps: Stamps,
    /// The current word, where it was defanged.
    plain: Vec<u8>,
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
            formats: vec![(
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
            let mut names_any = false;
            each_indicator(line, &mut Vec::new(), |_| names_any = true);
            Fit::from(names_any)
        });
        some.min(5)
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
            plain: Vec::new(),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let mut time_us = None;
        let mut has_any = false;
        let message = without_device(line, self.stamps);
        each_indicator(message, &mut self.plain, |observation| {
            if !has_any {
                time_us = Syslog::time_of(line, self.stamps);
                has_any = true;
            }
            found.push(observation.at(time_us));
        });
        if has_any {
            Line::Record
        } else {
            Line::Ignored("names no URL, domain or address")
        }
    }
}

/// A line without the syslog header that names the device which wrote it. Without a
/// priority, only a header has a program after the host, a sentence with a date has none.
fn without_device(line: &[u8], stamps: Stamps) -> &[u8] {
    let has_priority = matches!(line, [b'<', b'0'..=b'9', ..]);
    if !has_priority && !begins_with_month(line) {
        return line;
    }
    let header = Syslog::of(line, stamps);
    let first = header.message.split(|byte| *byte == b' ').next();
    let names_program =
        !header.program.is_empty() || first.is_some_and(|word| word.ends_with(b":"));
    match has_priority || names_program {
        true => header.message,
        false => line,
    }
}

/// Whether a line begins with a date of RFC 3164, `May  1 12:00:00`.
fn begins_with_month(line: &[u8]) -> bool {
    matches!(
        line,
        [b'A'..=b'Z', b'a'..=b'z', b'a'..=b'z', b' ', ..] if line.get(9) == Some(&b':')
    )
}

/// Pushes the indicators in the words of a line; `plain` is memory for defanged ones.
#[inline(always)]
fn each_indicator(line: &[u8], plain: &mut Vec<u8>, mut found: impl FnMut(Observation<'_>)) {
    for part in Parts::of(line) {
        if let Some(name) = bare_name(part) {
            if let Some(observation) = host(without_joined_port(name)) {
                found(observation);
            }
            continue;
        }
        let before = &line[..part.as_ptr() as usize - line.as_ptr() as usize];
        for word in words(before, part) {
            if let Some(observation) = indicator(refanged(word, plain)) {
                found(observation);
            }
        }
    }
}

/// A part that has but the bytes of names, without the dots around it: nothing
/// else than a name or an IPv4 address, and not defanged.
#[inline(always)]
fn bare_name(part: &[u8]) -> Option<&[u8]> {
    if part.first() == Some(&b'.') || is_hxxp(part) || !scan::is_all(part, NAME) {
        return None;
    }
    let mut name = part;
    while let [rest @ .., b'.'] = name {
        name = rest;
    }
    (name.len() >= 4).then_some(name)
}

/// The parts of a line between blanks and quotes that may name something: a
/// name has a dot, perhaps written as a word, an address dots or colons.
struct Parts<'a> {
    line: &'a [u8],
    /// Where a part begins; the bits count from here.
    from: usize,
    /// Bytes that end a part, and the end of the line.
    ends: u64,
    /// Dots and what may be one, but for those that end a sentence.
    dots: u64,
    colons: u64,
}

/// An address that people mean has so many colons.
const COLONS: u32 = 3;

impl<'a> Parts<'a> {
    #[inline]
    fn of(line: &'a [u8]) -> Self {
        let mut parts = Self {
            line,
            from: 0,
            ends: 0,
            dots: 0,
            colons: 0,
        };
        parts.look(0);
        parts
    }

    /// Looks at the bytes from `from` on.
    #[inline(always)]
    fn look(&mut self, from: usize) {
        self.from = from;
        let rest = self.rest();
        let [ends, dots, colons, opens, ds] = places(rest, |block| {
            [
                ends_of_parts(block),
                block.mask(0, b'.'),
                block.mask(0, b':'),
                block.mask(0, b'[') | block.mask(0, b'('),
                block.mask(0, b'd'),
            ]
        });
        self.ends = match self.reaches_end() {
            true => ends | 1 << rest.len(),
            false => ends,
        };
        self.dots = dots & !(self.ends >> 1) | opens & ds >> 1;
        self.colons = colons;
    }

    fn rest(&self) -> &'a [u8] {
        &self.line[self.from..]
    }

    fn reaches_end(&self) -> bool {
        self.line.len() - self.from < PLACES
    }

    /// A part of more bytes than are looked at together.
    #[cold]
    fn long_part(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let blocks = rest.chunks(PLACES).zip((0..).step_by(PLACES));
        let mut ends = blocks.map(|(bytes, at)| {
            let [ends] = places(bytes, |block| [ends_of_parts(block)]);
            (ends != 0).then(|| at + ends.trailing_zeros() as usize)
        });
        let len = ends.find_map(|end| end).unwrap_or(rest.len());
        self.look(self.line.len().min(self.from + len + 1));
        &rest[..len]
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let signs = self.dots | self.colons;
            if signs == 0 && self.reaches_end() {
                return None;
            }
            // Without a sign the last part may still go on with one.
            let seen = first_bits(signs.trailing_zeros() as usize);
            let start = (u64::BITS - (self.ends & seen).leading_zeros()) as usize;
            let behind = self.ends & !seen;
            if behind == 0 {
                match start {
                    0 => return Some(self.long_part()),
                    _ => self.look(self.from + start),
                }
                continue;
            }
            let end = behind.trailing_zeros() as usize;
            let part = first_bits(end) & !first_bits(start);
            let may_name = self.dots & part != 0 || (self.colons & part).count_ones() >= COLONS;
            self.dots &= !part;
            self.colons &= !part;
            if may_name {
                return Some(&self.rest()[start..end]);
            }
        }
    }
}

/// Bytes that occur neither in an indicator nor between two in a list.
#[inline(always)]
fn ends_of_parts(block: Block) -> u32 {
    // A blank and `"` differ in a single bit, and so do `<` and `>`.
    block.between(b'\t', b'\r')
        | block.mask(0x02, b'"')
        | block.mask(0x02, b'>')
        | block.mask(0, b'\'')
        | block.mask(0, b'`')
        | block.mask(0, b'|')
        | block.mask(0, 0)
}

/// The candidates in a part: its URL, or the texts between separators, without surrounding
/// punctuation.
#[inline(always)]
fn words<'a>(before: &[u8], part: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let pieces = match url_start(part) {
        // `(compatible; +http://www.example.com/bot)`: who wrote the agent.
        Some(start) if part[..start].ends_with(b"+") => Pieces::None,
        Some(0) if names_referrer(before) => Pieces::None,
        Some(start) if names_referrer(&part[..start]) => Pieces::None,
        Some(start) => Pieces::Url(&part[start..]),
        None if is_path(part) => Pieces::Url(part),
        None => Pieces::Others(part),
    };
    pieces.map(trimmed).filter(|word| word.len() >= 4)
}

/// Whether the text before a URL ends with the key of a referrer: `referer=`, `Referer: `,
/// `"referer":"`.
fn names_referrer(before: &[u8]) -> bool {
    let is_between = |byte: &u8| b" \t\"':=".contains(byte);
    let end = before.iter().rposition(|byte| !is_between(byte));
    let (key, between) = before.split_at(end.map_or(0, |end| end + 1));
    let has_key = |name: &[u8]| {
        let start = key.len().checked_sub(name.len());
        start.is_some_and(|start| key[start..].eq_ignore_ascii_case(name))
    };
    let is_assigned = between.contains(&b':') || between.contains(&b'=');
    is_assigned && (has_key(b"referer") || has_key(b"referrer"))
}

/// Whether a part is a host and a path, whose `=` separates no key from a value.
fn is_path(part: &[u8]) -> bool {
    let end = scan::find_any(part, b"/?=,;{}").unwrap_or(part.len());
    matches!(part.get(end), Some(b'/')) && tlds::is_domain(host_of(&part[..end]))
}

/// The pieces of a part: its URL, or the texts between separators.
enum Pieces<'a> {
    Url(&'a [u8]),
    Others(&'a [u8]),
    None,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (piece, behind) = match *self {
            Self::Url(url) => (url, Self::None),
            Self::Others(rest) => match scan::find_any(rest, b"=,;{}") {
                Some(end) => (&rest[..end], Self::Others(&rest[end + 1..])),
                None => (rest, Self::None),
            },
            Self::None => return None,
        };
        *self = behind;
        Some(piece)
    }
}

/// Where a URL begins in a part that has one: at its scheme.
#[inline(always)]
fn url_start(part: &[u8]) -> Option<usize> {
    // What all of them have in common, and few parts have.
    scan::find(part, b':').and_then(|_| scan::find(part, b'/'))?;
    let before = |mark: &[u8]| split_once(part, mark).map(|(before, _)| before);
    let before = before(b"://").or_else(|| {
        scan::find(part, b'[')?;
        before(b"[:]//").or_else(|| before(b":[//]"))
    })?;
    let mark = before.len();
    // So many bytes are more than any scheme has.
    let before = &before[mark.saturating_sub(PLACES)..];
    let [letters_and_digits] = places(before, |block| {
        let letters = block.between(b'a', b'z') | block.between(b'A', b'Z');
        [letters | block.between(b'0', b'9')]
    });
    let others = !letters_and_digits & first_bits(before.len());
    let scheme = before.len() - (u64::BITS - others.leading_zeros()) as usize;
    (scheme >= 2).then_some(mark - scheme)
}

#[inline(always)]
fn trimmed(word: &[u8]) -> &[u8] {
    let mut word = word;
    // What is taken off has no `]`, so that it is looked for once.
    let mut has_closing = None;
    while let [first, rest @ ..] = word {
        let is_open = match first {
            // `[2001:db8::1]:443` keeps its brackets.
            b'[' => !*has_closing.get_or_insert_with(|| scan::find(rest, b']').is_some()),
            _ => matches!(first, b'(' | b'.' | b',' | b':' | b';' | b'*' | b'@'),
        };
        if !is_open {
            break;
        }
        word = rest;
    }
    let (mut round, mut square) = (None, None);
    while let [rest @ .., last] = word {
        let is_end = match last {
            b')' => is_unopened(&mut round, word, b'('),
            b']' => is_unopened(&mut square, word, b'['),
            _ => matches!(last, b'.' | b',' | b':' | b';' | b'!' | b'?' | b'*' | b'\\'),
        };
        if !is_end {
            break;
        }
        word = rest;
    }
    word
}

/// Whether the bracket that a word ends with was not opened within: one that was
/// belongs to the word. `left` is how many more are closed than opened, once
/// they are counted.
fn is_unopened(left: &mut Option<isize>, word: &[u8], opening: u8) -> bool {
    let closing = word.last().copied().unwrap_or_default();
    let unopened = left.get_or_insert_with(|| {
        word.iter().fold(0, |left, byte| match *byte {
            byte if byte == closing => left + 1,
            byte if byte == opening => left - 1,
            _ => left,
        })
    });
    *unopened -= 1;
    *unopened >= 0
}

/// A defanged text as it was before; put together in `plain` where it differs.
#[inline(always)]
fn refanged<'a>(word: &'a [u8], plain: &'a mut Vec<u8>) -> &'a [u8] {
    let is_hxxp = is_hxxp(word);
    if !is_hxxp && next_mark(word).is_none() {
        return word;
    }
    plain.clear();
    let mut rest = word;
    if is_hxxp {
        plain.extend_from_slice(b"http");
        rest = &word[4..];
    }
    while let Some(open) = next_mark(rest) {
        copy(plain, rest, open);
        rest = &rest[open..];
        // A copy of a few bytes is a call out of the component, one byte is none.
        let (meant, written) = match rest {
            [b'[', b'.', b']', ..] | [b'(', b'.', b')', ..] | [b'{', b'.', b'}', ..] => (b'.', 3),
            [b'[', b'd', b'o', b't', b']', ..] | [b'(', b'd', b'o', b't', b')', ..] => (b'.', 5),
            [b'[', b':', b']', ..] => (b':', 3),
            [b'[', b'/', b']', ..] => (b'/', 3),
            [b'[', b':', b'/', b'/', b']', ..] => {
                plain.extend_from_slice(b":/");
                (b'/', 5)
            }
            [b'[', b'/', b'/', b']', ..] => {
                plain.push(b'/');
                (b'/', 4)
            }
            _ => (rest[0], 1),
        };
        plain.push(meant);
        rest = &rest[written..];
    }
    plain.extend_from_slice(rest);
    plain
}

/// Where a mark may begin: at a bracket before one of the bytes that are in them.
#[inline(always)]
fn next_mark(text: &[u8]) -> Option<usize> {
    if text.len() > PLACES {
        return scan::find_any(text, b"[({");
    }
    let [opens, inner] = places(text, |block| {
        [
            block.mask(0x20, b'{') | block.mask(0, b'('),
            block.mask(0, b'.') | block.mask(0, b':') | block.mask(0, b'/') | block.mask(0, b'd'),
        ]
    });
    let marks = opens & inner >> 1;
    (marks != 0).then(|| marks.trailing_zeros() as usize)
}

/// Adds the first `len` bytes of a text: few of them as a block, for a copy of
/// so many as there happen to be is a call out of the component.
#[inline(always)]
fn copy(plain: &mut Vec<u8>, text: &[u8], len: usize) {
    match text.first_chunk::<16>() {
        Some(block) if len <= block.len() => {
            let end = plain.len() + len;
            plain.extend_from_slice(block);
            plain.truncate(end);
        }
        _ => plain.extend_from_slice(&text[..len]),
    }
}

fn is_hxxp(word: &[u8]) -> bool {
    matches!(
        word,
        [b'h' | b'H', b'x' | b'X', b'x' | b'X', b'p' | b'P', ..]
    )
}

#[inline]
fn indicator(word: &[u8]) -> Option<Observation<'_>> {
    let (scheme, rest) = split_scheme(word).unwrap_or((b"", word));
    let has_scheme = !scheme.is_empty();
    if has_scheme && !is_of_web(scheme) {
        return None;
    }
    let end = scan::find_any(rest, b"/?#").unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if has_scheme {
        let host_start = authority.iter().rposition(|byte| *byte == b'@');
        let authority = &authority[host_start.map_or(0, |at| at + 1)..];
        return host(authority).map(|_| Observation::url(word));
    }
    // The domain of `jane@example.com` was not contacted.
    if scan::find(authority, b'@').is_some() {
        return None;
    }
    // Ports as programs join them: `10.0.0.5#53` (BIND), `192.0.2.10.443` (tcpdump),
    // `10.0.0.5/51000->` (Juniper).
    let joined = without_joined_port(word);
    if joined.len() < word.len() {
        return host(joined);
    }
    let host = host(authority)?;
    let is_network = path.len() <= 4 && path.iter().skip(1).all(u8::is_ascii_digit);
    Some(if path.len() > 1 && !is_network {
        Observation::url(word)
    } else {
        host
    })
}

/// An address without the port that `#`, `/` or a dot joins to it; the whole word
/// if it is something else.
fn without_joined_port(word: &[u8]) -> &[u8] {
    let end = scan::find_other(word, [b'0'..=b'9', b'.'..=b'.', b'a'..=b'f', b':'..=b':']);
    let (address, rest) = word.split_at(end.unwrap_or(word.len()));
    let is_port = |text: &[u8]| {
        let port = str::from_utf8(text)
            .ok()
            .filter(|text| !text.starts_with('0'));
        port.is_some_and(|text| text.parse::<u16>().is_ok())
    };
    let is_address = |text: &[u8]| scan::is_valid_ipv4(text) || scan::is_valid_ipv6(text);
    match rest {
        [b'#' | b'/', port @ ..] if is_address(address) => {
            let end = scan::find_other(port, [b'0'..=b'9']).unwrap_or(port.len());
            let is_joined = is_port(&port[..end]) && (rest[0] == b'#' || end > 3);
            if is_joined { address } else { word }
        }
        [] => match address.iter().rposition(|byte| *byte == b'.') {
            // One digit is more likely that of a version: `1.2.3.4.5`.
            Some(dot)
                if dot + 2 < word.len()
                    && is_port(&word[dot + 1..])
                    && is_address(&word[..dot]) =>
            {
                &word[..dot]
            }
            _ => word,
        },
        _ => word,
    }
}

fn is_of_web(scheme: &[u8]) -> bool {
    let name = match scheme {
        [name @ .., b's' | b'S'] if scheme.len() != 2 => name,
        _ => scheme,
    };
    matches!(
        name,
        [b'h' | b'H', b't' | b'T', b't' | b'T', b'p' | b'P'] | [b'w' | b'W', b's' | b'S']
    ) || matches!(scheme, [b'f' | b'F', b't' | b'T', b'p' | b'P'])
}

/// The domain or the address of what may have a port.
#[inline]
fn host(authority: &[u8]) -> Option<Observation<'_>> {
    let host = host_of(authority);
    if scan::find(host, b':').is_none() {
        if tlds::is_domain(host) {
            return Some(Observation::domain(host));
        }
        // `0.0.0.0` is the unspecified address.
        let is_address = scan::is_valid_ipv4(host) && host != b"0.0.0.0";
        return is_address.then(|| Observation::ip(host));
    }
    if scan::is_valid_ipv6(host) {
        return (colons_in(host) >= COLONS && host != b"::ffff:0").then(|| Observation::ip(host));
    }
    let is_host = match plausible_address(host) {
        Some(_) => is_written_as_address(host),
        None => tlds::is_domain(host),
    };
    is_host.then(|| Observation::host(authority))
}

/// The colons of an address.
fn colons_in(host: &[u8]) -> u32 {
    let [colons] = places(host, |block| [block.mask(0, b':')]);
    colons.count_ones()
}

/// Whether people write it as an address: `1.2.3.4` is one, `12:30:59` is not,
/// and `a::b` is hardly meant as one.
fn is_written_as_address(host: &[u8]) -> bool {
    let begins = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    let host = match host.first().is_some_and(begins) {
        true => str::from_utf8(host).unwrap_or_default(),
        false => return false,
    };
    match host.parse() {
        Ok(std::net::IpAddr::V4(_)) => true,
        Ok(std::net::IpAddr::V6(_)) => host.matches(':').count() >= COLONS as usize,
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
    fn the_device_in_a_syslog_header_is_not_contacted() {
        check(
            "<13>1 2026-05-01T12:00:00Z fw.example.org /collect.py 7 - [meta sequenceId=\"3\"] www.example.com asked for",
            &["www.example.com"],
        );
        check(
            "<188>May  1 12:00:00 192.0.2.1 login from 198.51.100.7",
            &["198.51.100.7"],
        );
        check(
            "May  1 12:00:00 fw.example.org sshd[7]: connection to 198.51.100.7",
            &["198.51.100.7"],
        );
        check(
            "May  1 12:00:00 www.example.com was down",
            &["www.example.com"],
        );
    }

    #[test]
    fn brackets_without_end_are_counted_once() {
        let many = |bracket: &str| bracket.repeat(1 << 20);
        for line in [
            format!("{}www.example.com", many("[")),
            format!("www.example.com{}", many(")")),
            format!("www.example.com{}", many(").")),
            format!("{}www.example.com{}", many("("), many("]")),
        ] {
            let parsed = testing::parse::<Text>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].value, "www.example.com");
        }
        check(
            "http://www.example.com/(a)(b))))",
            &["http://www.example.com/(a)(b)"],
        );
        check(
            "(http://www.example.com/[a]]",
            &["http://www.example.com/[a]"],
        );
    }

    #[test]
    fn text_that_resembles_an_indicator_is_not_observed() {
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

    /// The parser without leaving out what can name nothing.
    struct Thorough;

    impl LineParser for Thorough {
        type Settings = NoSettings;

        fn describe() -> Description {
            Text::describe()
        }

        fn detect(input: &Input) -> u8 {
            Text::detect(input)
        }

        fn open(_input: &Input, _settings: NoSettings) -> Result<Self, String> {
            Ok(Self)
        }

        fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
            let mut line_is = Line::Ignored("names no URL, domain or address");
            let is_end = |byte: &u8| b" \t\r\x0b\x0c\"'<>`|\0".contains(byte);
            for word in line.split(is_end).flat_map(|part| words(b"", part)) {
                if let Some(observation) = indicator(refanged(word, &mut Vec::new())) {
                    found.push(observation);
                    line_is = Line::Record;
                }
            }
            line_is
        }
    }

    #[test]
    fn removed_text_is_not_observed() {
        const PIECES: &[u8] = b"|www.example.com|com|a|d|.|:|::|://|/|=|,|[.]|(dot)|[dot]|{.}|[:]|[|]|\
            (|)|-|@|hxxp|http|192.0.2.1|2001:db8:0|\xc3\xbc| |\"|\x0b|>|x-30-bytes-of-a-name-xxxxxxxxxx";
        let pieces = || PIECES.split(|byte| *byte == b'|');
        for first in pieces() {
            for second in pieces() {
                let lines = pieces().flat_map(|third| {
                    let line = [first, second, third].concat();
                    [&line[..], b"\n", &line, &line, b" ", &line, b"\n"].concat()
                });
                let lines: Vec<u8> = lines.collect();
                let all = testing::parse::<Thorough>(&lines, "{}").unwrap();
                let found = testing::parse::<Text>(&lines, "{}").unwrap();
                for (found, all) in found.observations.iter().zip(&all.observations) {
                    assert_eq!(found, all);
                }
                assert_eq!(found, all);
            }
        }
    }

    #[test]
    fn confidence_is_below_that_of_other_parsers() {
        assert_eq!(testing::detect::<Text>(b"www.example.com\n"), 5);
        assert_eq!(testing::detect::<Text>(b"nothing here\n"), 0);
    }
}
