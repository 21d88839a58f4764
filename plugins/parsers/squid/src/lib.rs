//! Squid's `access.log` in the native format:
//!
//! ```text
//! logformat squid %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt
//! ```
//!
//! with or without further columns behind (referer and agent in quotes), with
//! the time as an epoch or in ISO 8601; other formats that keep result, size,
//! method and URL together; and what Cisco's Secure Web Appliance writes beside.
//! See <https://www.squid-cache.org/Doc/config/logformat/>.

mod monitor;

use std::borrow::Cow;

use vthost_plugin::contact::plausible_address;
use vthost_plugin::parser::{
    Action, Description, Input, Line, LineParser, NoSettings, Observation, Observations,
};
use vthost_plugin::{scan, split, time};

struct Squid {
    utc_offset_minutes: i16,
    stamps: time::Stamps,
}

vthost_plugin::export_parser!(Squid);

/// The columns of a line, as far as they are needed.
struct Row<'a> {
    time_us: i64,
    client: &'a [u8],
    /// `TCP_MISS` of `TCP_MISS/200`.
    result: &'a [u8],
    method: &'a [u8],
    target: &'a [u8],
    user: &'a [u8],
}

/// Lines of the head that detection looks at.
const DETECTION_LINES: usize = 100;

impl LineParser for Squid {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "squid",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Squid's access.log in its native format",
            formats: &[(
                "squid",
                "Squid access.log (native)",
                "1714564800.123    161 10.0.0.5 TCP_MISS/200 4310 GET http://www.example.com/ - HIER_DIRECT/192.0.2.10 text/html",
            )],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let (mut all, mut fit) = (0, 0);
        for line in input
            .lines()
            .filter(|line| !line.is_empty())
            .take(DETECTION_LINES)
        {
            all += 1;
            fit += u32::from(Row::find(line, 0).is_ok() || monitor::is_message(line));
        }
        match (fit, all) {
            (0, _) => 0,
            (fit, all) if fit * 10 >= all * 8 => 95,
            (fit, all) if fit * 2 >= all => 60,
            _ => 10,
        }
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            utc_offset_minutes: input.utc_offset_minutes,
            stamps: time::Stamps::of(input),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let row = match Row::find(line, self.utc_offset_minutes) {
            Ok(row) => row,
            Err(_) if line.trim_ascii().is_empty() => return Line::Ignored("blank"),
            Err(_) if monitor::is_message(line) => return monitor::push(line, self.stamps, found),
            Err(reason) => return Line::Rejected(reason),
        };
        let observation = match row.observation() {
            Ok(observation) => observation,
            Err(reason) => return Line::Ignored(reason),
        };
        let user = decoded(present(row.user));
        found.push(
            observation
                .client(present(row.client))
                .user(&user)
                .at(Some(row.time_us))
                .action(row.action()),
        );
        Line::Record
    }
}

impl<'a> Row<'a> {
    /// Reads a line, wherever in it a row stands.
    #[inline(always)]
    fn find(line: &'a [u8], utc_offset_minutes: i16) -> Result<Self, &'static str> {
        Self::read(line, utc_offset_minutes)
            .or_else(|reason| Self::elsewhere(line, utc_offset_minutes, reason))
    }

    /// Reads what stands behind the prefix of a collector (pfSense and Cisco's
    /// appliance send rows through syslog), or a row of other columns.
    #[cold]
    fn elsewhere(
        line: &'a [u8],
        utc_offset_minutes: i16,
        reason: &'static str,
    ) -> Result<Self, &'static str> {
        let read = match behind_prefix(line) {
            Some(row) => Self::read(row, utc_offset_minutes),
            None => Err(reason),
        };
        match read {
            Err(NOT_NATIVE) => Self::custom(line, utc_offset_minutes).ok_or(NOT_NATIVE),
            read => read,
        }
    }

    /// Reads a line of another order of columns, in which `TCP_MISS/200 4310 GET
    /// http://www.example.com/` stand together: the time is the first word that
    /// is one, the client the last address before the result.
    fn custom(line: &'a [u8], utc_offset_minutes: i16) -> Option<Self> {
        let mut words = line
            .split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty());
        let (mut time_us, mut client) = (None, &b"-"[..]);
        let result = loop {
            let word = words.next()?;
            if let Some(result) = result_of(word) {
                break result;
            }
            if plausible_address(word).is_some() {
                client = word;
            }
            if time_us.is_none() && word.len() >= STAMP_LEN {
                time_us = stamp(word, utc_offset_minutes);
            }
        };
        let (size, method, target) = (words.next()?, words.next()?, words.next()?);
        let is_method = method.iter().all(u8::is_ascii_uppercase);
        let is_target = find_scheme(target).is_some() || method == b"CONNECT";
        (is_number(size) && is_method && is_target).then_some(Self {
            time_us: time_us?,
            client,
            result,
            method,
            target,
            user: b"-",
        })
    }

    #[inline(always)]
    fn read(line: &'a [u8], utc_offset_minutes: i16) -> Result<Self, &'static str> {
        let (time_us, rest) = match usual_head(line) {
            Some(read) => read,
            None => any_head(line, utc_offset_minutes)?,
        };
        let [client, result, _size, method, target, user, hierarchy] =
            columns(rest).ok_or(TOO_FEW)?;
        let result = without_status(result).ok_or(NOT_NATIVE)?;
        let mut row = Row {
            time_us,
            client,
            result,
            method,
            target,
            user,
        };
        if !is_hierarchy(hierarchy) {
            (row.target, row.user) = around_blanks(line, target)?;
        }
        Ok(row)
    }

    /// What was contacted, or why nothing was that could be looked up.
    #[inline(always)]
    fn observation(&self) -> Result<Observation<'a>, &'static str> {
        let target = self.target;
        if self.method == b"CONNECT" {
            if let Some(name) = without_port(target) {
                // No address ends in a letter but for those with colons.
                let is_name = name.last().is_some_and(u8::is_ascii_alphabetic);
                return Ok(if is_name {
                    Observation::domain(name)
                } else {
                    Observation::host(name)
                });
            }
            let target = [&b"https://"[..], b"tunnel://"]
                .iter()
                .find_map(|scheme| target.strip_prefix(*scheme))
                .unwrap_or(target);
            let host = &target[..scan::find(target, b'/').unwrap_or(target.len())];
            return match host {
                b"" | b"-" => Err("no target"),
                _ if host.starts_with(b"error:") => Err("a request that Squid did not understand"),
                _ if host.starts_with(b":") => Err("no host"),
                _ => Ok(Observation::host(host)),
            };
        }
        if is_usual_url(target) {
            return Ok(Observation::url(target));
        }
        if target == b"-" {
            return Err("no target");
        }
        if target.starts_with(b"error:") {
            return Err("a request that Squid did not understand");
        }
        if target.starts_with(b"cache_object:") || target.starts_with(b"internal:") {
            return Err("a request to Squid itself");
        }
        match find_scheme(target) {
            Some(rest) if rest.is_empty() || rest.starts_with(b"/") => Err("no host"),
            Some(_) => Ok(Observation::url(target)),
            None => Err("no absolute URL"),
        }
    }

    fn action(&self) -> Action {
        let is_denied = match self.result {
            // Most results are so short that only one word follows.
            [b'T', b'C', b'P', b'_', done @ ..] if done.len() <= 8 => done == b"DENIED",
            result => split::after(result, b"DENIED").is_some(),
        };
        if is_denied {
            Action::Blocked
        } else {
            Action::Allowed
        }
    }
}

/// The time and what follows the elapsed time, where both have the places that
/// `%ts.%03tu %6tr ` gives them: few requests take as long as 1,000 s.
#[inline(always)]
fn usual_head(line: &[u8]) -> Option<(i64, &[u8])> {
    let (head, rest) = line.split_first_chunk::<22>()?;
    let (time, elapsed) = head.split_at(14);
    // Of the eight bytes the first and the last are blanks, and between them
    // blanks are followed by digits.
    let [blanks, digits] = scan::places(elapsed, |block| {
        [block.mask(0, b' '), block.between(b'0', b'9')]
    });
    let lowest = digits & digits.wrapping_neg();
    let ends_in_digits = digits & 1 == 0 && digits + lowest == 0x80;
    if !ends_in_digits || blanks != 0xff ^ digits {
        return None;
    }
    Some((time::epoch(time)?, rest))
}

/// The same of a line with other widths or another time.
#[cold]
fn any_head(line: &[u8], utc_offset_minutes: i16) -> Result<(i64, &[u8]), &'static str> {
    let mut fields = split::blanks(line);
    let (Some(time), Some(elapsed), Some(_)) = (fields.next(), fields.next(), fields.nth(6)) else {
        return Err(TOO_FEW);
    };
    let time_us = stamp(time, utc_offset_minutes).ok_or("no time in the first column")?;
    if !is_number(elapsed) {
        return Err(NOT_NATIVE);
    }
    Ok((time_us, &line[end_of(elapsed, line)..]))
}

/// A line from the client on, up to and with the hierarchy; what stands behind
/// is not needed.
#[inline(always)]
fn columns(rest: &[u8]) -> Option<[&[u8]; 7]> {
    let mut fields = split::blanks(rest);
    let mut next = || fields.next();
    Some([
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
    ])
}

const TOO_FEW: &str = "too few columns";

const NOT_NATIVE: &str = "not the columns of Squid's native format";

/// No time since 2001 is shorter.
const STAMP_LEN: usize = 10;

/// `TCP_MISS` of `TCP_MISS/200`, and of what has another number behind.
#[inline(always)]
fn without_status(word: &[u8]) -> Option<&[u8]> {
    if let Some((result, [b'/', status @ ..])) = word.split_last_chunk::<4>()
        && scan::is_digits(status)
    {
        return Some(result);
    }
    let slash = scan::find(word, b'/')?;
    is_number(&word[slash + 1..]).then_some(&word[..slash])
}

/// `TCP_MISS` of `TCP_MISS/200`.
fn result_of(word: &[u8]) -> Option<&[u8]> {
    let slash = scan::find(word, b'/')?;
    let (result, status) = (&word[..slash], &word[slash + 1..]);
    let is_result = result.len() > 3
        && result
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    (is_result && status.len() == 3 && is_number(status)).then_some(result)
}

/// The line from the first `1714564800.123` on that is not its first word.
fn behind_prefix(line: &[u8]) -> Option<&[u8]> {
    /// The longest prefix has this many words.
    const WORDS: usize = 10;
    let mut at = 0;
    for _ in 0..WORDS {
        at += scan::find(&line[at..], b' ')? + 1;
        let word = line[at..].split(|byte| *byte == b' ').next()?;
        let is_epoch = word.len() == 14 && word[10] == b'.' && time::epoch(word).is_some();
        if is_epoch {
            return Some(&line[at..]);
        }
    }
    None
}

#[inline(always)]
fn stamp(field: &[u8], utc_offset_minutes: i16) -> Option<i64> {
    time::epoch(field).or_else(|| time::iso8601(field, utc_offset_minutes))
}

#[inline(always)]
fn is_number(field: &[u8]) -> bool {
    scan::is_digits(field.strip_prefix(b"-").unwrap_or(field))
}

/// `HIER_DIRECT/192.0.2.10`, `NONE/-`, `DIRECT/www.example.com`.
#[inline(always)]
fn is_hierarchy(field: &[u8]) -> bool {
    if field.starts_with(b"HIER_DIRECT/") {
        return true;
    }
    match scan::find(field, b'/') {
        Some(slash) if slash > 0 => {
            let words = [b'A'..=b'Z', b'_'..=b'_', b'0'..=b'9'];
            scan::is_all(&field[..slash], words)
        }
        _ => false,
    }
}

/// The target and the user of a line that has blanks in one of them, where it
/// is plain in which: the user is `-`, or a distinguished name
/// (`CN=Jane Doe,OU=lab`). A guess would look up a URL that nobody contacted.
#[cold]
fn around_blanks<'a>(
    line: &'a [u8],
    target: &'a [u8],
) -> Result<(&'a [u8], &'a [u8]), &'static str> {
    let start = target.as_ptr() as usize - line.as_ptr() as usize;
    let rest = &line[start..];
    let mut words = rest
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    let mut before: Vec<&[u8]> = Vec::new();
    loop {
        match words.next() {
            None => return Err("no hierarchy/peer in the ninth column"),
            Some(word) if is_hierarchy(word) => break,
            Some(word) => before.push(word),
        }
    }
    match before.as_slice() {
        [.., last, b"-"] => Ok((&rest[..end_of(last, rest)], b"-")),
        [target, name, .., last] if is_attribute(name) => {
            let user = end_of(name, rest) - name.len();
            Ok((target, &rest[user..end_of(last, rest)]))
        }
        _ => Err("blanks in the URL or in the user"),
    }
}

/// Where a part of a text ends in it.
fn end_of(part: &[u8], text: &[u8]) -> usize {
    part.as_ptr_range().end as usize - text.as_ptr() as usize
}

/// `CN=Jane`, as distinguished names begin.
fn is_attribute(word: &[u8]) -> bool {
    match scan::find(word, b'=') {
        Some(equals) => equals > 0 && scan::is_all(&word[..equals], [b'A'..=b'Z']),
        None => false,
    }
}

/// `www.example.com` of `www.example.com:443`: what most tunnels lead to.
#[inline(always)]
fn without_port(target: &[u8]) -> Option<&[u8]> {
    if let Some(name) = target.strip_suffix(b":443")
        && !matches!(name, [] | [b'[', ..])
        && scan::find_any(name, b":/").is_none()
    {
        return Some(name);
    }
    let (name, port) = target.split_at(scan::find_any(target, b":/")?);
    let port = port.strip_prefix(b":")?;
    (!name.is_empty() && name[0] != b'[' && scan::is_digits(port)).then_some(name)
}

/// Whether it begins as most URLs do, and has a host.
#[inline(always)]
fn is_usual_url(target: &[u8]) -> bool {
    let rest = target
        .strip_prefix(b"http://")
        .or_else(|| target.strip_prefix(b"https://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest[0] != b'/')
}

/// What follows the scheme of an absolute URL.
fn find_scheme(target: &[u8]) -> Option<&[u8]> {
    let colon = scan::find(target, b':')?;
    let alphanumeric = [b'a'..=b'z', b'A'..=b'Z', b'0'..=b'9'];
    let is_scheme = colon > 0 && scan::is_all(&target[..colon], alphanumeric);
    target[colon + 1..]
        .strip_prefix(b"//")
        .filter(|_| is_scheme)
}

/// `-` means that there is none.
fn present(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}

/// Squid writes blanks and other odd bytes of user names as `%20`.
fn decoded(user: &[u8]) -> Cow<'_, [u8]> {
    if user.is_empty() || scan::find(user, b'%').is_none() {
        return user.into();
    }
    let mut decoded = Vec::with_capacity(user.len());
    let mut rest = user;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                rest = &after[2..];
            }
            None => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    decoded.into()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    fn row(target: &str) -> String {
        format!(
            "1714564800.123    161 10.0.0.5 TCP_MISS/200 4310 {target} - HIER_DIRECT/192.0.2.10 text/html\n"
        )
    }

    fn parse(line: &str) -> testing::Parsed {
        testing::parse::<Squid>(line.as_bytes(), "{}").unwrap()
    }

    #[test]
    fn targets_become_indicators() {
        let check = |target: &str, kind: &str, value: &str| {
            let parsed = parse(&row(target));
            let observed = &parsed.observations[0];
            assert_eq!((observed.kind, observed.value.as_str()), (kind, value));
            assert_eq!(observed.client, "10.0.0.5");
            assert_eq!(observed.time_us, Some(1_714_564_800_123_000));
            assert_eq!(observed.action, Action::Allowed);
        };
        check(
            "GET http://www.example.com/a?b=c",
            "url",
            "http://www.example.com/a?b=c",
        );
        check(
            "GET http://www.example.com/a|b;c$d",
            "url",
            "http://www.example.com/a|b;c$d",
        );
        check(
            "GET http://www.example.com/a b c",
            "url",
            "http://www.example.com/a b c",
        );
        check(
            "GET ftp://ftp.example.com/f",
            "url",
            "ftp://ftp.example.com/f",
        );
        check("CONNECT www.example.com:443", "domain", "www.example.com");
        check("CONNECT 192.0.2.7:443", "ip", "192.0.2.7");
        check("CONNECT [2001:db8::1]:443", "ip", "2001:db8::1");
        check("CONNECT 2001:db8::1", "ip", "2001:db8::1");
        check(
            "GET ws://www.example.com/s",
            "url",
            "ws://www.example.com/s",
        );
        check(
            "CONNECT https://www.example.com:443",
            "domain",
            "www.example.com",
        );
    }

    #[test]
    fn what_names_nothing_is_ignored_with_a_reason() {
        let check = |target: &str, reason: &str| {
            assert_eq!(
                parse(&row(target)).ignored,
                [(reason.to_owned(), 1)],
                "{target}"
            );
        };
        check(
            "NONE error:transaction-end-before-headers",
            "a request that Squid did not understand",
        );
        check(
            "NONE error:invalid-request",
            "a request that Squid did not understand",
        );
        check(
            "GET cache_object://localhost/counters",
            "a request to Squid itself",
        );
        check("GET -", "no target");
        check("GET urn:x:y", "no absolute URL");
        check("GET /index.html", "no absolute URL");
        check("GET http:///index.html", "no host");
        check("CONNECT :443", "no host");
    }

    #[test]
    fn users_times_and_denials() {
        let line = "2024-05-01T12:00:00+02:00 5 2001:db8::5 TCP_DENIED/403 0 CONNECT x.example.com:443 CORP%5Cjane%20doe HIER_NONE/- text/html \"-\" \"curl/8.0 (x)\"";
        let parsed = parse(line);
        let observed = &parsed.observations[0];
        assert_eq!(observed.user, "CORP\\jane doe");
        assert_eq!(observed.client, "2001:db8::5");
        assert_eq!(observed.action, Action::Blocked);
        assert_eq!(observed.time_us, Some(1_714_557_600_000_000));
    }

    /// The columns have the same meaning whatever their widths are.
    #[test]
    fn heads_of_any_width_are_read() {
        let check = |head: &str, expected: Result<i64, &str>| {
            let line = row("GET http://www.example.com/");
            let parsed = parse(&line.replace("1714564800.123    161", head));
            let found = match parsed.observations.as_slice() {
                [seen] => {
                    assert_eq!(seen.client, "10.0.0.5", "{head}");
                    Ok(seen.time_us.unwrap())
                }
                _ => Err(parsed.rejected[0].0.as_str()),
            };
            assert_eq!(found, expected, "{head}");
        };
        // Where the columns stand otherwise, the client is the last address
        // before the result.
        for elapsed in [
            "     1", "    -1", "   161", "123456", "1234567", "161", "      9", "   1 1",
            "1   61", "   a61", "   16a", "      ",
        ] {
            let head = format!("1714564800.123 {elapsed}");
            check(&head, Ok(1_714_564_800_123_000));
        }
        check("1714564800.123456      1", Ok(1_714_564_800_123_456));
        check("1714564800.12       1", Ok(1_714_564_800_120_000));
        check("1714564800      1", Ok(1_714_564_800_000_000));
        check("1714564800.1231234567", Err("no time in the first column"));
        check("1714564800:123    161", Err("no time in the first column"));
        check("171456480a.123    161", Err("no time in the first column"));
    }

    #[test]
    fn blanks_go_where_they_belong() {
        let line = row("GET http://www.example.com/a");
        let parsed = parse(&line.replace(" - HIER", " CN=Jane Doe,OU=our lab HIER"));
        let observed = &parsed.observations[0];
        assert_eq!(observed.value, "http://www.example.com/a");
        assert_eq!(observed.user, "CN=Jane Doe,OU=our lab");
        let parsed = parse(&line.replace(" - HIER", " b c jane HIER"));
        let reason = "blanks in the URL or in the user".to_owned();
        assert_eq!(parsed.rejected, [(reason, 1)]);
    }

    #[test]
    fn denied_results_are_blocked() {
        let check = |result: &str, expected| {
            let parsed = parse(&row("GET http://www.example.com/").replace("TCP_MISS/200", result));
            assert_eq!(parsed.observations[0].action, expected, "{result}");
        };
        check("TCP_DENIED/403", Action::Blocked);
        check("TCP_DENIED/407", Action::Blocked);
        check("TCP_DENIED_REPLY/403", Action::Blocked);
        check("UDP_DENIED/000", Action::Blocked);
        check("TCP_CF_DENIED/403", Action::Blocked);
        check("NONE_DENIED/403", Action::Blocked);
        check("DENIED/403", Action::Blocked);
        check("TCP_MISS/403", Action::Allowed);
        check("TCP_TUNNEL/200", Action::Allowed);
        check("TCP_REFRESH_UNMODIFIED/304", Action::Allowed);
    }

    #[test]
    fn columns_may_stand_in_another_order() {
        let line = "<134>May  1 12:00:00 wsa 1714564800.123 374.156 - 10.0.0.5 TCP_DENIED/403 298 CONNECT tunnel://www.example.com:443/ - - - - X";
        let parsed = parse(line);
        let observed = &parsed.observations[0];
        assert_eq!(
            (observed.value.as_str(), observed.client.as_str()),
            ("www.example.com", "10.0.0.5")
        );
        assert_eq!(observed.action, Action::Blocked);
        assert_eq!(observed.time_us, Some(1_714_564_800_123_000));
        let line = "2024-05-01T12:00:00.123Z jane 10.0.0.5 200 NONE TCP_MISS/200 298 GET http://www.example.com/a x";
        assert_eq!(
            parse(line).observations[0].value,
            "http://www.example.com/a"
        );
    }

    #[test]
    fn other_lines_are_rejected() {
        let check = |line: &str, reason: &str| {
            assert_eq!(parse(line).rejected, [(reason.to_owned(), 1)], "{line}");
        };
        check("the rat the cat the dog chased killed", "too few columns");
        check(
            &row("GET http://example.com/").replace("1714564800.123", "yesterday"),
            "no time in the first column",
        );
        check(
            &row("GET http://example.com/").replace("HIER_DIRECT/", "direct "),
            "no hierarchy/peer in the ninth column",
        );
    }

    #[test]
    fn the_format_is_recognised() {
        let check = |log: &str, expected: u8| {
            assert_eq!(testing::detect::<Squid>(log.as_bytes()), expected)
        };
        let line = row("GET http://www.example.com/");
        check(&line, 95);
        check(&format!("cut off\n{}", line.repeat(9)), 95);
        check(
            "10.0.0.5 - - [01/May/2024:12:00:00 +0000] \"GET http://www.example.com/ HTTP/1.1\" 200 1 TCP_MISS:HIER_DIRECT\n",
            0,
        );
        check("", 0);
    }
}
