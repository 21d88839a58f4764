//! Contacts: the fields of a record about one contact, reduced to an observation of the most specific
//! value.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::block::first_word;
use crate::parser::{Action, Line, Observation, Observations, host_of, is_address, is_bare_ipv6};
use crate::scan;

/// The fields of a record about one contact. Placeholders (`-`, `N/A`, `0.0.0.0`) are treated as
/// empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contact<'a> {
    /// A URL, absolute or not, with or without a scheme.
    pub url: &'a [u8],
    /// The scheme, if the record has a field for it. Text that is not a scheme is not used.
    pub scheme: &'a [u8],
    /// The contacted host, with or without a port.
    pub host: &'a [u8],
    /// The queried or contacted name, if the field has only names. Unlike a host, it may have a
    /// single label.
    pub name: &'a [u8],
    /// The port, if the record has a field for it.
    pub port: &'a [u8],
    /// The path and query, if the record has a field for them.
    pub path: &'a [u8],
    /// The query, if the record has a field for it.
    pub query: &'a [u8],
    /// The contacted address.
    pub address: &'a [u8],
    /// The client.
    pub client: &'a [u8],
    /// The user.
    pub user: &'a [u8],
    /// Microseconds since 1970.
    pub time_us: Option<i64>,
    /// The action of the device.
    pub action: Action,
}

/// The reason for a record without an observation.
pub const NOTHING_CONTACTED: &str = "names nothing that was contacted";

impl<'a> Contact<'a> {
    /// Adds one observation: of the URL, else the host, else the address.
    #[inline]
    pub fn push(&self, found: &mut Observations<'_>) -> Line {
        let Some(observation) = self.observation() else {
            return Line::Ignored(NOTHING_CONTACTED);
        };
        found.push(
            observation
                .client(client_of(self.client))
                .user(present(self.user))
                .at(self.time_us)
                .action(self.action),
        );
        Line::Record
    }

    /// Adds one observation as [`push`](Self::push) does, and one of the address if the first does
    /// not contain it. This is for records of connections, in which the address was contacted and
    /// the name was chosen by the client or taken from a table.
    #[inline]
    pub fn push_with_address(&self, found: &mut Observations<'_>) -> Line {
        let line = self.push(found);
        if let (Line::Record, Some(address)) = (line, plausible_address(self.address))
            && self
                .observation()
                .is_some_and(|observation| !observation.mentions(address))
        {
            let (url, host, name, path) = (&b""[..], &b""[..], &b""[..], &b""[..]);
            let of_address = Contact {
                url,
                host,
                name,
                path,
                ..*self
            };
            return of_address.push(found);
        }
        line
    }

    /// Calls `push` with the same contact, with decoded texts if the grammar has escapes. Only used
    /// fields are decoded.
    #[inline]
    pub fn decoded<R>(
        &self,
        decode: fn(&[u8]) -> Cow<'_, [u8]>,
        then: impl FnOnce(Contact<'_>) -> R,
    ) -> R {
        let url = decode(self.url);
        let host = decode(self.host);
        let path = decode(self.path);
        let query = decode(self.query);
        let user = decode(self.user);
        then(Contact {
            url: &url,
            host: &host,
            path: &path,
            query: &query,
            user: &user,
            ..*self
        })
    }

    /// The most specific value, without client and time.
    #[inline]
    #[must_use]
    pub fn observation(&self) -> Option<Observation<'a>> {
        self.of_url(present(self.url))
            .or_else(|| self.of_url(present(self.path)))
            .or_else(|| plausible_host(self.host).map(Observation::host))
            .or_else(|| plausible_name(self.name).map(Observation::host))
            .or_else(|| plausible_address(self.address).map(Observation::ip))
    }

    /// The URL composed of a field and the host.
    fn of_url(&self, url: &'a [u8]) -> Option<Observation<'a>> {
        if url.is_empty() {
            return None;
        }
        if let Some((scheme, rest)) = split_scheme(url) {
            let host_end = memchr::memchr3(b'/', b'?', b'#', rest).unwrap_or(rest.len());
            let authority = plausible_host(without_user(&rest[..host_end]))?;
            // A tunnel is a contact with a host, even if it is written as a URL.
            let is_tunnel = matches!(scheme, b"tunnel" | b"tcp" | b"ssl");
            return Some(if is_tunnel {
                Observation::host(authority)
            } else if is_bare_ipv6(authority) {
                Observation::url_of(scheme, authority, &rest[host_end..])
            } else {
                Observation::url(url)
            });
        }
        if url.starts_with(b"/") {
            return Some(self.composed(plausible_host(self.host)?, url));
        }
        let end = memchr::memchr3(b'/', b'?', b'#', url).unwrap_or(url.len());
        let authority = plausible_host(without_user(&url[..end]))?;
        if matches!(url.get(end..), None | Some(b"" | b"/")) {
            let path = present(self.path);
            let has_path = path.len() > 1 && path.starts_with(b"/");
            return Some(if has_path {
                self.composed(authority, path)
            } else {
                Observation::host(authority)
            });
        }
        Some(match self.known_scheme() {
            None => Observation::url(url),
            Some(scheme) => Observation::url_of(scheme, authority, &url[end..]),
        })
    }

    /// A URL composed of its parts, with the port unless it is the default of the scheme.
    fn composed(&self, authority: &'a [u8], path: &'a [u8]) -> Observation<'a> {
        let scheme = self.known_scheme().unwrap_or(b"http");
        let port = match (scheme, present(self.port)) {
            (b"http", b"80") | (b"https", b"443") | (b"ftp", b"21") | (_, b"0") => b"",
            (_, port) if host_of(authority).len() == authority.len() => port,
            _ => b"",
        };
        let query = present(self.query);
        let query = query.strip_prefix(b"?").unwrap_or(query);
        Observation::url_of(scheme, authority, path)
            .port(port)
            .query(query)
    }

    /// The scheme, if it is one: devices write the names of other services in this field
    /// too. SonicWall writes the transport before it, `tcp/https`.
    fn known_scheme(&self) -> Option<&'static [u8]> {
        const SCHEMES: [(&[u8], &[u8]); 5] = [
            (b"http", b"http"),
            (b"https", b"https"),
            (b"ssl", b"https"),
            (b"tls", b"https"),
            (b"ftp", b"ftp"),
        ];
        let service = self.scheme.strip_prefix(b"tcp/").unwrap_or(self.scheme);
        let known = SCHEMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(service));
        known.map(|(_, scheme)| *scheme)
    }
}

/// The value of a field; empty for a placeholder.
#[inline(always)]
#[must_use]
pub fn present(field: &[u8]) -> &[u8] {
    match field {
        [] => field,
        // A placeholder begins with another byte.
        [
            b'0'..=b'9'
            | b'a'..=b'm'
            | b'o'..=b't'
            | b'v'..=b'z'
            | b'A'..=b'M'
            | b'O'..=b'T'
            | b'V'..=b'Z'
            | b'/',
            ..,
            last,
        ] if !last.is_ascii_whitespace() => field,
        _ => unusual_present(field),
    }
}

fn unusual_present(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    match field.first() {
        Some(b'-' | b'*' | b'N' | b'n' | b'(' | b'U' | b'u') if is_absent(field) => b"",
        _ => field,
    }
}

/// Whether a field is a placeholder for a missing value.
fn is_absent(field: &[u8]) -> bool {
    match field.len() {
        1 => matches!(field, b"-" | b"*"),
        2 => matches!(field, b"NA" | b"--"),
        3 => field.eq_ignore_ascii_case(b"N/A"),
        4 => field.eq_ignore_ascii_case(b"none") || field.eq_ignore_ascii_case(b"null"),
        6 => field == b"(null)",
        7 => matches!(field, b"(empty)") || field.eq_ignore_ascii_case(b"unknown"),
        12 => field == b"NotAvailable",
        13 => field.eq_ignore_ascii_case(b"Not available"),
        _ => false,
    }
}

/// A host that can be looked up: a name with a dot, or an address. A name of one label in a host field
/// is mostly that of the device.
#[inline]
#[must_use]
pub fn plausible_host(authority: &[u8]) -> Option<&[u8]> {
    let authority = present(authority);
    if is_usual_name(authority) {
        return Some(authority);
    }
    let host = host_of(authority);
    let name = host.strip_suffix(b".").unwrap_or(host);
    if is_address(name) {
        return plausible_address(name).map(|_| authority);
    }
    let is_name = scan::find(name, b'.').is_some_and(|dot| dot > 0) && scan::is_all(name, NAME);
    is_name.then_some(authority)
}

/// Whether a text is a name of several labels, no address and without a port. Longer names than
/// [`PLACES`](scan::PLACES) are not recognised.
#[inline(always)]
fn is_usual_name(text: &[u8]) -> bool {
    if text.is_empty() || text.len() > scan::PLACES {
        return false;
    }
    let [names, dots, numbers] = scan::places(text, |block| {
        let dots = block.mask(0, b'.');
        [block.within(&NAME), dots, dots | block.between(b'0', b'9')]
    });
    let all = scan::first_bits(text.len());
    // A dot at the end separates no labels.
    let separates = dots & all >> 1 != 0 && dots & 1 == 0;
    separates && names == all && numbers != all
}

/// The bytes of names: letters, digits, dots, hyphens, underscores, and UTF-8.
pub const NAME: [RangeInclusive<u8>; 6] = [
    b'a'..=b'z',
    b'A'..=b'Z',
    b'0'..=b'9',
    b'-'..=b'.',
    b'_'..=b'_',
    0x80..=0xff,
];

/// The host after user-info (`jane@www.example.com`), in URLs. Elsewhere this is a mail address and not
/// a contact.
fn without_user(authority: &[u8]) -> &[u8] {
    match memchr::memrchr(b'@', authority) {
        Some(at) => &authority[at + 1..],
        None => authority,
    }
}

/// A name with any number of labels, or an address.
#[inline]
#[must_use]
pub fn plausible_name(name: &[u8]) -> Option<&[u8]> {
    let name = present(name);
    let host = name.strip_suffix(b".").unwrap_or(name);
    if is_address(host) {
        return plausible_address(host);
    }
    let is_name = !host.is_empty() && !scan::is_digits(host) && scan::is_all(host, NAME);
    is_name.then_some(name)
}

/// A valid address other than the unspecified one.
#[inline]
#[must_use]
pub fn plausible_address(address: &[u8]) -> Option<&[u8]> {
    let usual = without_appendix(address);
    if scan::is_ipv4(usual) {
        return (usual != b"0.0.0.0").then_some(usual);
    }
    let address = without_appendix(host_of(present(address)));
    let is_v6 = || {
        let digits = address
            .split(|byte| *byte == b'%')
            .next()
            .unwrap_or(address);
        memchr::memchr_iter(b':', digits).count() >= 2
            && digits
                .iter()
                .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
    };
    let is_nobody = matches!(address, b"0.0.0.0" | b"::" | b"::ffff:0");
    (!is_nobody && (scan::is_ipv4(address) || is_v6())).then_some(address)
}

/// `10.0.0.5` of `10.0.0.5:443:X1`, and of `10.0.0.5/443`.
fn without_appendix(address: &[u8]) -> &[u8] {
    let other = scan::find_other(address, [b'0'..=b'9', b'.'..=b'.']);
    let end = other.unwrap_or(address.len());
    match address.get(end) {
        Some(b':' | b'/') if scan::find(&address[..end], b'.').is_some() => &address[..end],
        _ => address,
    }
}

/// The client without a port.
fn client_of(client: &[u8]) -> &[u8] {
    let client = present(client);
    plausible_address(client).unwrap_or_else(|| without_appendix(client))
}

/// The scheme of an absolute URL, and the part after `://`.
#[inline]
#[must_use]
pub fn split_scheme(url: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = scan::find(&url[..url.len().min(MAX_SCHEME)], b':')?;
    let rest = url[colon + 1..].strip_prefix(b"//")?;
    let is_scheme = colon > 0 && scan::is_all(&url[..colon], SCHEME);
    is_scheme.then_some((&url[..colon], rest))
}

/// The bytes of schemes (RFC 3986, 3.1).
const SCHEME: [RangeInclusive<u8>; 5] = [
    b'a'..=b'z',
    b'A'..=b'Z',
    b'0'..=b'9',
    b'+'..=b'+',
    b'-'..=b'.',
];

/// The longest scheme. No scheme that a proxy handles is longer.
const MAX_SCHEME: usize = 16;

/// The action that the words of a device mean: `pass`, `Accept`, `ALLOWED`, `deny`, `blocked`,
/// `TCP_DENIED`, `reset-both`. Other words are unstated.
#[must_use]
pub fn action_of(words: &[u8]) -> Action {
    if words.is_empty() {
        return Action::Unstated;
    }
    usual_action(words).unwrap_or_else(|| action_in(words))
}

/// The action of the first words with one; a block takes precedence.
fn action_in(words: &[u8]) -> Action {
    if starts_with_not(words) {
        // `not blocked`, `Would Block`: the contact was let through.
        return Action::Allowed;
    }
    let mut said = Action::Unstated;
    for start in 0..words.len().min(MAX_ACTION) {
        match action_at(&words[start..]) {
            Action::Unstated => {}
            Action::Blocked => return Action::Blocked,
            allowed => said = allowed,
        }
    }
    said
}

/// The action, if the field is one of the most frequent values.
#[inline]
fn usual_action(word: &[u8]) -> Option<Action> {
    const ALLOWED: [u64; 8] = [
        small(b"accept"),
        small(b"allow"),
        small(b"allowed"),
        small(b"close"),
        small(b"detect"),
        small(b"pass"),
        small(b"passed"),
        small(b"permit"),
    ];
    const BLOCKED: [u64; 8] = [
        small(b"block"),
        small(b"blocked"),
        small(b"denied"),
        small(b"deny"),
        small(b"discard"),
        small(b"drop"),
        small(b"dropped"),
        small(b"reject"),
    ];
    if word.len() > 8 {
        return (word == b"passthrough").then_some(Action::Allowed);
    }
    let word = first_word(word) | SMALL;
    match () {
        () if ALLOWED.contains(&word) => Some(Action::Allowed),
        () if BLOCKED.contains(&word) => Some(Action::Blocked),
        () => None,
    }
}

/// The bit that is set in lower-case letters.
const SMALL: u64 = u64::from_ne_bytes([0x20; 8]);

/// At most eight letters in the order of [`first_word`], in lower case.
const fn small(text: &[u8]) -> u64 {
    let mut word = SMALL;
    let mut place = 0;
    while place < text.len() {
        word |= (text[place] as u64) << (place * 8);
        place += 1;
    }
    word
}

/// The part of a field in which the action is searched for: devices write it at the start.
const MAX_ACTION: usize = 64;

/// The action of a word, by its first letters.
#[inline]
fn action_at(text: &[u8]) -> Action {
    use Action::{Allowed, Blocked};
    let words: &[(&[u8], Action)] = match text.first().map(u8::to_ascii_lowercase) {
        Some(b'a') => &[
            (b"allow", Allowed),
            (b"accept", Allowed),
            (b"alert", Allowed),
        ],
        Some(b'b') => &[(b"block", Blocked), (b"bypass", Allowed)],
        Some(b'c') => &[(b"continue", Allowed), (b"close", Allowed)],
        Some(b'd') => &[
            (b"deny", Blocked),
            (b"denied", Blocked),
            (b"drop", Blocked),
            (b"discard", Blocked),
            (b"detect", Allowed),
        ],
        Some(b'e') => &[(b"established", Allowed), (b"exempt", Allowed)],
        Some(b'f') => &[(b"forbid", Blocked), (b"forward", Allowed)],
        Some(b'i') => &[(b"isolat", Allowed)],
        Some(b'l') => &[(b"log", Allowed)],
        Some(b'm') => &[(b"monitor", Allowed)],
        Some(b'o') => &[(b"observed", Allowed)],
        Some(b'p') => &[
            (b"prevent", Blocked),
            (b"prohibit", Blocked),
            (b"pass", Allowed),
            (b"permit", Allowed),
        ],
        Some(b'q') => &[(b"quarantine", Blocked)],
        Some(b'r') => &[
            (b"reject", Blocked),
            (b"reset", Blocked),
            (b"refused", Blocked),
        ],
        Some(b's') => &[
            (b"sinkhole", Blocked),
            (b"success", Allowed),
            (b"start", Allowed),
        ],
        _ => &[],
    };
    let known = words.iter().find(|(word, _)| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    });
    known.map_or(Action::Unstated, |(_, action)| *action)
}

/// What the name of a firewall rule states, the prefix of its log lines: `[UFW BLOCK]`,
/// `FORWARD_DROP: `, `Shorewall:net-fw:REJECT:`, `LOGDROP`. Only whole words count: the
/// chain `FORWARD` is no action, and `blocklist` blocks nothing. A word that blocks
/// prevails. UniFi and EdgeOS write a letter between dashes: `[WAN_LAN-D-10001]`,
/// `[WAN_IN-4000-D]`.
#[must_use]
pub fn action_of_rule(name: &[u8]) -> Action {
    let coded = action_of_code(name);
    if coded != Action::Unstated {
        return coded;
    }
    let mut stated = Action::Unstated;
    for word in name.split(|byte| !byte.is_ascii_alphabetic()) {
        match action_of_rule_word(&word.to_ascii_lowercase()) {
            Action::Unstated => {}
            Action::Blocked => return Action::Blocked,
            allowed => stated = allowed,
        }
    }
    stated
}

fn action_of_rule_word(word: &[u8]) -> Action {
    const BLOCKED: [&[u8]; 13] = [
        b"block",
        b"blocked",
        b"drop",
        b"dropped",
        b"drp",
        b"deny",
        b"denied",
        b"reject",
        b"rejected",
        b"discard",
        b"discarded",
        b"refused",
        b"blk",
    ];
    const ALLOWED: [&[u8]; 10] = [
        b"accept",
        b"accepted",
        b"allow",
        b"allowed",
        b"pass",
        b"passed",
        b"permit",
        b"permitted",
        b"permits",
        b"acc",
    ];
    // `LOGDROP`, `INREJECT`.
    let ends_in = |words: &[&[u8]]| words.iter().any(|end| end.len() > 3 && word.ends_with(end));
    match () {
        () if BLOCKED.contains(&word) || ends_in(&BLOCKED[..8]) => Action::Blocked,
        () if ALLOWED.contains(&word) || ends_in(&ALLOWED[..2]) => Action::Allowed,
        () => Action::Unstated,
    }
}

/// `A`, `D` or `R` as a part of its own between a rule set and a number, in any order.
fn action_of_code(name: &[u8]) -> Action {
    let mut codes = name.split(|byte| *byte == b'[').skip(1).map(|inside| {
        let end = scan::find(inside, b']').unwrap_or(inside.len());
        action_in_brackets(&inside[..end])
    });
    let stated = codes.find(|action| *action != Action::Unstated);
    stated.unwrap_or_default()
}

fn action_in_brackets(code: &[u8]) -> Action {
    let parts: Vec<&[u8]> = code.split(|byte| *byte == b'-').collect();
    let is_number = |part: &&[u8]| scan::is_digits(part) || **part == *b"default";
    match parts.as_slice() {
        [_, .., code, number] if is_number(number) => action_of_letter(code),
        [_, .., number, code] if is_number(number) => action_of_letter(code),
        _ => Action::Unstated,
    }
}

fn action_of_letter(code: &[u8]) -> Action {
    match code {
        b"D" | b"R" => Action::Blocked,
        b"A" => Action::Allowed,
        _ => Action::Unstated,
    }
}

fn starts_with_not(words: &[u8]) -> bool {
    [&b"not "[..], b"would "].iter().any(|prefix| {
        words
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::{Description, Input, LineParser, NoSettings};
    use crate::testing;

    /// Reads `url|scheme|host|path|address|name|port|query` and pushes that.
    struct Parts;

    impl LineParser for Parts {
        type Settings = NoSettings;

        fn describe() -> Description {
            Description {
                name: "parts",
                version: "1.0.0",
                licence: "MIT",
                summary: "For tests",
                formats: Vec::new(),
                settings_schema: "",
            }
        }

        fn detect(_input: &Input) -> u8 {
            0
        }

        fn open(_input: &Input, _settings: NoSettings) -> Result<Self, String> {
            Ok(Self)
        }

        fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
            let mut parts = line.split(|byte| *byte == b'|');
            let mut next = || parts.next().unwrap_or_default();
            Contact {
                url: next(),
                scheme: next(),
                host: next(),
                path: next(),
                address: next(),
                name: next(),
                port: next(),
                query: next(),
                client: b"10.0.0.5:4711",
                ..Contact::default()
            }
            .push_with_address(found)
        }
    }

    #[test]
    fn the_most_telling_value_is_observed() {
        let check = |line: &str, expected: Option<(&str, &str)>| {
            let parsed = testing::parse::<Parts>(line.as_bytes(), "{}").unwrap();
            let observed = parsed.observations.first();
            let value = observed.map(|observed| (observed.kind, observed.value.as_str()));
            assert_eq!(value, expected, "{line}");
            assert!(observed.is_none_or(|observed| observed.client == "10.0.0.5"));
        };
        let url = |value| Some(("url", value));
        check(
            "http://www.example.com/a||x.example|/b|192.0.2.1",
            url("http://www.example.com/a"),
        );
        check("/a?b||www.example.com||", url("http://www.example.com/a?b"));
        check(
            "/a|https|www.example.com:8443||",
            url("https://www.example.com:8443/a"),
        );
        check(
            "|https|www.example.com|/a|192.0.2.1",
            url("https://www.example.com/a"),
        );
        check("www.example.com/a||||", url("www.example.com/a"));
        check("www.example.com/||||", Some(("domain", "www.example.com")));
        check(
            "www.example.com:443||||",
            Some(("domain", "www.example.com")),
        );
        check(
            "tunnel://www.example.com:443/||||",
            Some(("domain", "www.example.com")),
        );
        check(
            "-||www.example.com||192.0.2.1",
            Some(("domain", "www.example.com")),
        );
        check("/a||FW-1||192.0.2.1", Some(("ip", "192.0.2.1")));
        check("||jane@example.com||192.0.2.1", Some(("ip", "192.0.2.1")));
        check(
            "http://jane@www.example.com/a||||",
            url("http://jane@www.example.com/a"),
        );
        check("/a||192.0.2.7||", url("http://192.0.2.7/a"));
        check("https://2001:db8::1/a||||", url("https://[2001:db8::1]/a"));
        check("N/A||N/A|-|[2001:db8::1]:443", Some(("ip", "2001:db8::1")));
        check("www.example.com|||/a|", url("http://www.example.com/a"));
        check(
            "||www.example.com|/a|||8080|b=c",
            url("http://www.example.com:8080/a?b=c"),
        );
        check(
            "|https|www.example.com|/a|||443|?b",
            url("https://www.example.com/a?b"),
        );
        check(
            "||www.example.com:81|/a|||82",
            url("http://www.example.com:81/a"),
        );
        check("|||||printer-3|", Some(("domain", "printer-3")));
        check("|||||1234|", None);
        check("||||0.0.0.0", None);
        check("||||", None);
        check("http:///a||||", None);
    }

    #[test]
    fn a_connection_has_an_address_beside_its_name() {
        let check = |line: &str, expected: &[&str]| {
            let parsed = testing::parse::<Parts>(line.as_bytes(), "{}").unwrap();
            let values = parsed.observations.iter().map(|seen| seen.value.as_str());
            assert_eq!(values.collect::<Vec<_>>(), expected, "{line}");
            assert_eq!(parsed.records, 1);
        };
        let (name, address) = ("www.example.com", "192.0.2.1");
        check("||www.example.com||192.0.2.1", &[name, address]);
        check("||www.example.com||", &[name]);
        check("||||192.0.2.1", &[address]);
        check("/a||192.0.2.1||192.0.2.1", &["http://192.0.2.1/a"]);
        check("http://192.0.2.1/a||||192.0.2.1", &["http://192.0.2.1/a"]);
        check("/a||2001:db8::1|||", &["http://[2001:db8::1]/a"]);
        check(
            "/a||[2001:db8::1]:8080|||",
            &["http://[2001:db8::1]:8080/a"],
        );
    }

    #[test]
    fn usual_words_mean_what_they_mean_among_others() {
        let (mut known, mut unknown) = (0, 0);
        for word in "accept Allow ALLOWED block Blocked close denied DENY detect discard drop \
                     Dropped pass Passed passthrough permit reject alert allowing dropping"
            .split_ascii_whitespace()
        {
            match usual_action(word.as_bytes()) {
                Some(action) => {
                    assert_eq!(action, action_in(word.as_bytes()), "{word}");
                    known += 1;
                }
                None => unknown += 1,
            }
        }
        assert_eq!((known, unknown), (17, 3));
    }

    #[test]
    fn only_whole_words_of_a_rule_name_state_the_action() {
        let check =
            |name: &str, expected| assert_eq!(action_of_rule(name.as_bytes()), expected, "{name}");
        for blocked in [
            "[UFW BLOCK] ",
            "FORWARD_DROP: ",
            "Shorewall:net-fw:REJECT:",
            "LOGDROP",
            "[WAN_LAN-D-10001] ",
            "[LAN_WAN-R-20002]",
            "[WAN_IN-4000-D]",
            "[WAN_LOCAL-default-D]",
            "FINAL_REJECT: ",
            "policy DROP: ",
            "Firewall: *TCP_IN Blocked* ",
        ] {
            check(blocked, Action::Blocked);
        }
        for allowed in [
            "[UFW ALLOW] ",
            "FW-ACCEPT ",
            "[LAN_WAN-A-2147483647]",
            "REJECTS-accepted",
        ] {
            check(allowed, Action::Allowed);
        }
        for unstated in [
            "FORWARD ",
            "forward",
            "fw_blocklist ",
            "[UFW AUDIT] ",
            "",
            "logging",
        ] {
            check(unstated, Action::Unstated);
        }
    }

    #[test]
    fn actions_by_the_words_of_devices() {
        let check =
            |words: &str, expected| assert_eq!(action_of(words.as_bytes()), expected, "{words}");
        for blocked in [
            "deny",
            "Blocked",
            "TCP_DENIED",
            "DROP",
            "reset-both",
            "block-url",
            "allow, then DROP",
        ] {
            check(blocked, Action::Blocked);
        }
        for allowed in [
            "pass",
            "Accept",
            "ALLOWED",
            "alert",
            "not blocked",
            "Would Block",
            "isolate",
        ] {
            check(allowed, Action::Allowed);
        }
        check("", Action::Unstated);
        check("query", Action::Unstated);
    }
}
