//! Query logs of name servers: BIND (also Infoblox and other appliances built
//! on it), Unbound, dnsmasq and Pi-hole, CoreDNS, Route 53 hosted zones, and
//! the debug log of Windows DNS.

use std::borrow::Cow;

use vthost_plugin::contact::Contact;
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct Dns {
    stamps: Stamps,
    /// Which of the [`KINDS`] the line before was: most inputs have one.
    kind: usize,
}

vthost_plugin::export_parser!(Dns);

impl LineParser for Dns {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "dns",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Query logs of BIND, Infoblox, Unbound, dnsmasq, CoreDNS, Route 53, Windows DNS",
            formats: &[
                (
                    "bind",
                    "BIND and Infoblox query log",
                    "May  1 12:00:00 ns named[1]: client @0x7f0000000000 10.0.0.5#51000 (www.example.com): query: www.example.com IN A +E(0)K (10.0.0.53)",
                ),
                (
                    "unbound",
                    "Unbound query log",
                    "May  1 12:00:00 ns unbound[1]: [1:0] info: 10.0.0.5 www.example.com. A IN",
                ),
                (
                    "dnsmasq",
                    "dnsmasq and Pi-hole query log",
                    "May  1 12:00:00 dnsmasq[1]: query[A] www.example.com from 10.0.0.5",
                ),
                (
                    "coredns",
                    "CoreDNS log plugin",
                    "[INFO] 10.0.0.5:51000 - 1 \"A IN www.example.com. udp 40 false 512\" NOERROR qr,rd,ra 100 0.001s",
                ),
                (
                    "route53",
                    "Amazon Route 53 hosted zone query log",
                    "1.0 2024-05-01T12:00:00.000Z Z1 www.example.com A NOERROR UDP FRA6 10.0.0.5 -",
                ),
                (
                    "windows-dns",
                    "Windows DNS debug log",
                    "5/1/2024 12:00:00 PM 0AB4 PACKET  000000 UDP Rcv 10.0.0.5 0001   Q [0001   D   NOERROR] A      (3)www(7)example(3)com(0)",
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let stamps = Stamps::of(input);
        let mut kind = 0;
        input.confidence(88, |line| match () {
            () if line.trim_ascii().is_empty() => Fit::Neutral,
            () => Fit::from(query(line, stamps, &mut kind).map_or_else(is_of_server, |_| true)),
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
            kind: 0,
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let query = match query(line, self.stamps, &mut self.kind) {
            Ok(query) => query,
            Err(program) if program.is_empty() || is_of_server(program) => {
                return Line::Ignored("not a query");
            }
            Err(_) => return Line::Rejected("of another program"),
        };
        Contact {
            name: &query.name,
            client: query.client,
            time_us: query.time_us,
            action: Action::Unstated,
            ..Contact::default()
        }
        .push(found)
    }
}

/// A client that asks for a name.
struct Query<'a> {
    name: Cow<'a, [u8]>,
    client: &'a [u8],
    time_us: Option<i64>,
}

/// The programs whose messages these are, also those that are no queries; BIND's
/// own files have its categories in that place.
fn is_of_server(program: &[u8]) -> bool {
    const PROGRAMS: [&str; 6] = [
        "named",
        "unbound",
        "dnsmasq",
        "coredns",
        "pihole-FTL",
        "dhcpd",
    ];
    const CATEGORIES: [&str; 24] = [
        "client",
        "config",
        "database",
        "default",
        "dispatch",
        "dnssec",
        "edns-disabled",
        "general",
        "lame-servers",
        "network",
        "notify",
        "queries",
        "query-errors",
        "rate-limit",
        "resolver",
        "rpz",
        "security",
        "serve-stale",
        "unmatched",
        "update",
        "update-security",
        "xfer-in",
        "xfer-out",
        "zoneload",
    ];
    let mut known = PROGRAMS.iter().chain(&CATEGORIES);
    known.any(|known| known.as_bytes() == program)
}

/// Reads what one server writes of a query: the name and the client.
type Said = for<'a> fn(&'a [u8]) -> Option<(&'a [u8], &'a [u8])>;

/// What is read behind the envelope.
const KINDS: [Said; 4] = [bind, dnsmasq, unbound, coredns];

/// Reads a line, of a program that is not known as the one before was read if
/// that does.
///
/// # Errors
///
/// The program, where the line is no query.
fn query<'a>(line: &'a [u8], stamps: Stamps, kind: &mut usize) -> Result<Query<'a>, &'a [u8]> {
    if let Some(query) = route53(line, stamps).or_else(|| windows(line, stamps)) {
        return Ok(query);
    }
    let syslog = Syslog::of(line, stamps);
    let message = syslog.message;
    let said = match syslog.program {
        b"dnsmasq" | b"pihole-FTL" => dnsmasq(message),
        b"unbound" => unbound(message),
        b"coredns" => coredns(message),
        _ => (0..KINDS.len()).find_map(|step| {
            let index = (*kind + step) % KINDS.len();
            let said = KINDS[index](message)?;
            *kind = index;
            Some(said)
        }),
    };
    let (name, client) = said.ok_or(syslog.program)?;
    Ok(Query {
        name: name.into(),
        client,
        time_us: own_stamp(message, stamps).or(syslog.time_us),
    })
}

/// The stamp that `named` itself writes (`print-time`), which has a year:
/// `07-Apr-2022 08:08:10.043 client …`.
fn own_stamp(message: &[u8], stamps: Stamps) -> Option<i64> {
    if !message.first()?.is_ascii_digit() {
        return None;
    }
    let mut blanks = message
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b' ');
    let (end, _) = blanks.nth(1)?;
    stamps.any(&message[..end], DateOrder::DayFirst)
}

/// `client @0x… 10.0.0.5#51000 (name): query: name IN A`, `answer: name IN A`,
/// `query failed (…) for name/IN/A`, `… resolving 'name/A/IN'`, `validating
/// name/A: …`, `updating zone 'name/IN'`, the lines of BIND's response policies,
/// and `transfer of 'name/IN'`.
fn bind(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let client = after(message, b"client ").map(|rest| {
        let rest = if rest.starts_with(b"@") {
            after(rest, b" ").unwrap_or(rest)
        } else {
            rest
        };
        let client = until(rest, b"# ");
        client.strip_suffix(b":").unwrap_or(client)
    });
    let matched = || after(message, b"List Matched ").map(|rest| until(rest, b"#"));
    let client = client.or_else(matched);
    if let Some(name) = after(message, b"query: ").or_else(|| after(message, b"answer: "))
        && let Some(client) = client
    {
        return Some((until(name, b" "), client));
    }
    if let Some(zone) = after(message, b"updating zone '") {
        return Some((until(zone, b"/'"), client.unwrap_or(b"")));
    }
    if let Some(zone) = after(message, b"transfer of '") {
        return transfer(until(zone, b"/'"), message, client);
    }
    if let Some(name) = after(message, b"query failed").and_then(|rest| after(rest, b" for "))
        && let Some(client) = client
    {
        return Some((until(name, b"/ "), client));
    }
    if let Some(name) = after(message, b" rewrite ")
        && let Some(client) = client
    {
        return Some((until(name, b"/ "), client));
    }
    if let Some(name) = after(message, b"DNS format error ").and_then(|r| after(r, b"resolving ")) {
        let client = after(name, b" for ").map(|rest| until(rest, b"#"));
        return Some((until(name, b"/"), client.unwrap_or(b"")));
    }
    let name = after(message, b"resolving '")
        .or_else(|| after(message, b"validating "))
        .or_else(|| message.strip_prefix(b"resolving '"))
        .or_else(|| message.strip_prefix(b"validating "))?;
    Some((until(name, b"/'"), b""))
}

/// A transfer of a zone that a client began, or that ended: what happens between
/// is the servers' own affair, and so are reverse zones.
fn transfer<'a>(
    zone: &'a [u8],
    message: &'a [u8],
    client: Option<&'a [u8]>,
) -> Option<(&'a [u8], &'a [u8])> {
    if zone.ends_with(b".arpa") {
        return None;
    }
    let ended = || {
        after(message, b": Transfer status: ")?;
        after(message, b"' from ").map(|rest| until(rest, b"#"))
    };
    Some((zone, client.or_else(ended)?))
}

/// `query[A] name from 10.0.0.5`.
fn dnsmasq(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = after(message, b"query[")?;
    let name = after(rest, b"] ")?;
    Some((until(name, b" "), until(after(name, b" from ")?, b" ")))
}

/// `[1:0] info: 10.0.0.5 name. A IN`.
fn unbound(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = message.strip_prefix(b"[")?;
    let rest = after(rest, b"] ")?;
    let rest = [&b"info: "[..], b"query: ", b"reply: "]
        .iter()
        .find_map(|kind| rest.strip_prefix(*kind))?;
    let mut words = rest.split(|byte| *byte == b' ');
    let (client, name, _kind, class) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_class = matches!(class, b"IN" | b"CH" | b"HS");
    (is_class && client.iter().any(|byte| matches!(byte, b'.' | b':'))).then_some((name, client))
}

/// `10.0.0.5:51000 - 1 "A IN name. udp 40 false 512" NOERROR`.
fn coredns(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let behind = after(line, b" - ")?;
    let before = &line[..line.len() - behind.len() - 3];
    let start = before
        .iter()
        .rposition(|byte| *byte == b' ')
        .map_or(0, |blank| blank + 1);
    let mut words = after(behind, b"\"")?.split(|byte| *byte == b' ');
    let (_kind, class, name) = (words.next()?, words.next()?, words.next()?);
    matches!(class, b"IN" | b"CH" | b"ANY").then_some((name, &before[start..]))
}

/// `1.0 TIME ZONE NAME TYPE RCODE PROTOCOL EDGE RESOLVER SUBNET`.
fn route53(line: &[u8], stamps: Stamps) -> Option<Query<'_>> {
    line.starts_with(b"1.0 ").then_some(())?;
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').take(11).collect();
    let [
        _version,
        time,
        _zone,
        name,
        _kind,
        _code,
        protocol,
        _edge,
        client,
        _subnet,
    ] = *words.as_slice()
    else {
        return None;
    };
    let is_it = matches!(protocol, b"UDP" | b"TCP");
    is_it.then(|| Query {
        name: name.into(),
        client,
        time_us: stamps.iso8601(time),
    })
}

/// `… UDP Rcv 10.0.0.5 0001   Q [0001   D   NOERROR] A      (3)www(7)example(3)com(0)`.
fn windows(line: &[u8], stamps: Stamps) -> Option<Query<'_>> {
    let (before, packet) = split_once(line, b" PACKET ")?;
    let received = after(packet, b"Rcv ")?;
    let rest = after(received, b"]")?;
    let start = rest.iter().position(|byte| *byte == b'(')?;
    let mut name = Vec::new();
    for label in rest[start..]
        .trim_ascii_end()
        .split(|byte| *byte == b'(')
        .skip(1)
    {
        let end = label.iter().position(|byte| *byte == b')')?;
        let text = &label[end + 1..];
        if !text.is_empty() {
            name.extend_from_slice(text);
            name.push(b'.');
        }
    }
    // The thread's number stands between the time and PACKET.
    let before = before.trim_ascii_end();
    let end = before
        .iter()
        .rposition(|byte| *byte == b' ')
        .unwrap_or(before.len());
    Some(Query {
        name: name.into(),
        client: until(received, b" "),
        time_us: stamps.any(&before[..end], DateOrder::MonthFirst),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    #[test]
    fn every_example_names_the_client_and_what_it_asked_for() {
        for (name, _, example) in Dns::describe().formats {
            let parsed = testing::parse::<Dns>(example.as_bytes(), "{}").unwrap();
            let observed = &parsed.observations[0];
            let value = observed.value.trim_end_matches('.');
            assert_eq!(
                (observed.kind, value),
                ("domain", "www.example.com"),
                "{name}"
            );
            assert_eq!(observed.client, "10.0.0.5", "{name}");
            assert_eq!(testing::detect::<Dns>(example.as_bytes()), 88, "{name}");
        }
    }

    #[test]
    fn answers_and_other_messages_are_no_queries() {
        let check = |line: &str| {
            let parsed = testing::parse::<Dns>(line.as_bytes(), "{}").unwrap();
            assert!(parsed.observations.is_empty(), "{line}");
            assert_eq!(parsed.rejected, [], "{line}");
        };
        check("May  1 12:00:00 dnsmasq[1]: reply www.example.com is 192.0.2.10");
        check("May  1 12:00:00 dnsmasq[1]: forwarded www.example.com to 192.0.2.53");
        check("May  1 12:00:00 ns named[1]: zone example.com/IN: loaded serial 1");
    }

    #[test]
    fn lines_of_other_programs_are_rejected() {
        let line = b"May  1 12:00:00 gw filterlog[1]: 4,,,1,igb0,match,block,out,4";
        let parsed = testing::parse::<Dns>(line, "{}").unwrap();
        assert_eq!(parsed.rejected, [("of another program".to_owned(), 1)]);
    }

    #[test]
    fn names_in_other_messages_of_bind_were_asked_for_too() {
        let check = |message: &str, client: &str| {
            let line = format!("May  1 12:00:00 ns named[1]: {message}");
            let parsed = testing::parse::<Dns>(line.as_bytes(), "{}").unwrap();
            let seen = &parsed.observations[0];
            let found = (seen.value.as_str(), seen.client.as_str());
            assert_eq!(found, ("www.example.com", client), "{message}");
        };
        let at = "client @0x7f00 10.0.0.5#51000";
        check(
            "network unreachable resolving 'www.example.com/A/IN': 192.0.2.53#53",
            "",
        );
        check(
            "validating www.example.com/DNSKEY: no valid signature found",
            "",
        );
        check(
            &format!("{at} (www.example.com): answer: www.example.com IN A (10.0.0.53) -> NOERROR"),
            "10.0.0.5",
        );
        check(
            &format!("{at}: updating zone 'www.example.com/IN': adding an RR"),
            "10.0.0.5",
        );
        check(
            &format!("{at} (www.example.com): transfer of 'www.example.com/IN': AXFR started"),
            "10.0.0.5",
        );
        check(
            "transfer of 'www.example.com/IN' from 192.0.2.53#53: Transfer status: success",
            "192.0.2.53",
        );
        check(
            "List Matched 10.0.0.5#51000: query: www.example.com IN A (10.0.0.53)",
            "10.0.0.5",
        );
        check(
            "DNS format error from 192.0.2.53#53 resolving www.example.com/A for 10.0.0.5#51000: bad",
            "10.0.0.5",
        );
    }

    #[test]
    fn the_stamp_of_named_has_a_year() {
        let line = "May  3 12:00:00 ns named[1]: 01-May-2024 12:00:00.250 client 10.0.0.5#51000 UDP: query: www.example.com IN A response: NOERROR";
        let parsed = testing::parse::<Dns>(line.as_bytes(), "{}").unwrap();
        // 2024-05-01T12:00:00.250Z.
        let expected = Some(1_714_564_800_250_000);
        assert_eq!(parsed.observations[0].time_us, expected);
    }
}
