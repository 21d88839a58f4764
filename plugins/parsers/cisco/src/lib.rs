//! Cisco ASA, FTD and IOS messages: connections built and torn down, access
//! lists, URLs, and the connection events of Firepower.
//!
//! See "Cisco Secure Firewall ASA Series Syslog Messages" and "Cisco Secure
//! Firewall Threat Defense Syslog Messages".

use vthost_plugin::contact::{Contact, plausible_address, plausible_host};
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, Roles};
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::split::{Pairs, after};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct Cisco {
    stamps: Stamps,
    events: Reader,
    pairs: Pairs<FIELDS>,
}

vthost_plugin::export_parser!(Cisco);

/// Connection, file and intrusion events of Firepower: `Key: Value, Key: Value`.
static EVENTS: Dialect = Dialect {
    name: "ftd-events",
    title: "Firepower events 430001 to 430005",
    example: "",
    marks: &[],
    roles: Roles {
        url: &["URL"],
        host: &["DNSQuery", "ReferencedHost"],
        address: &["DstIP"],
        client: &["SrcIP"],
        user: &["User"],
        stamp: &["FirstPacketSecond"],
        action: &["AccessControlRuleAction", "InlineResult", "FileAction"],
        ..Roles::NONE
    },
    order: DateOrder::MonthFirst,
};

impl LineParser for Cisco {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "cisco",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Cisco ASA, FTD and IOS messages about connections",
            formats: &[
                (
                    "cisco-asa",
                    "Cisco ASA",
                    "May 01 2024 12:00:00 fw : %ASA-6-302013: Built outbound TCP connection 1 for outside:192.0.2.10/443 (192.0.2.10/443) to inside:10.0.0.5/51000 (198.51.100.1/51000)",
                ),
                (
                    "cisco-ftd",
                    "Cisco Secure Firewall Threat Defense (FTD)",
                    "2024-05-01T12:00:00Z ftd  %FTD-1-430003: AccessControlRuleAction: Allow, SrcIP: 10.0.0.5, DstIP: 192.0.2.10, URL: https://www.example.com/",
                ),
                (
                    "cisco-ios",
                    "Cisco IOS access lists",
                    "May  1 12:00:00 rtr 1: May  1 12:00:00.000: %SEC-6-IPACCESSLOGP: list 101 denied tcp 10.0.0.5(51000) -> 192.0.2.10(443), 1 packet",
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        input.confidence(93, |line| Fit::from(message(line).is_some()))
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let stamps = Stamps::of(input);
        let events = Reader::new(&EVENTS, stamps);
        Ok(Self {
            stamps,
            pairs: Pairs::separated(b':', b',', events.names()),
            events,
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let Some(Message { before, id, text }) = message(line) else {
            return Line::Rejected("no Cisco message id, as %ASA-6-302013:");
        };
        let time_us = Syslog::of(before, self.stamps).time_us;
        if id.starts_with(b"43000") {
            let values = self.pairs.pick(text).map(<[u8]>::trim_ascii);
            return self.events.contact(&values, time_us).push(found);
        }
        let Some(contact) = of_text(id, text) else {
            return Line::Ignored("a message of another kind");
        };
        Contact { time_us, ..contact }.push(found)
    }
}

/// A message within a line.
struct Message<'a> {
    before: &'a [u8],
    /// `302013`, `IPACCESSLOGP`.
    id: &'a [u8],
    text: &'a [u8],
}

/// Finds `%FACILITY-LEVEL-ID:`, where the facility and the level may have more
/// parts.
fn message(line: &[u8]) -> Option<Message<'_>> {
    let percent = line
        .windows(2)
        .position(|pair| pair[0] == b'%' && pair[1].is_ascii_uppercase())?;
    let rest = &line[percent + 1..];
    let end = rest.iter().position(|byte| matches!(byte, b':' | b' '))?;
    let name = &rest[..end];
    let dash = name.iter().rposition(|byte| *byte == b'-')?;
    let facility = name.split(|byte| *byte == b'-').next()?;
    let is_facility = facility
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    is_facility.then(|| Message {
        before: &line[..percent],
        id: &name[dash + 1..],
        text: rest[end..]
            .strip_prefix(b":")
            .unwrap_or(&rest[end..])
            .trim_ascii_start(),
    })
}

/// Who contacted whom, by the words between which the message names them.
fn of_text<'a>(id: &[u8], text: &'a [u8]) -> Option<Contact<'a>> {
    let is_access_list = id.starts_with(b"IPACCESSLOG")
        || id.starts_with(b"ACCESSLOG")
        || matches!(id, b"106100" | b"106102" | b"106103");
    let (client, server) = match id {
        b"304001" | b"304002" => return of_url(text),
        b"302013" | b"302014" | b"302015" | b"302016" | b"302017" | b"302018" | b"302303"
        | b"302304" => of_connection(text)?,
        b"313009" => between(text, b"for ", b" to ")?,
        b"302020" | b"302021" => of_icmp(text)?,
        b"106023" | b"106014" | b"313004" | b"419002" => between(text, b"src ", b" dst ")?,
        b"313005" => between(text, b"src ", b" dst ")?,
        _ if is_access_list => arrow(text)?,
        b"106001" | b"106002" | b"106006" | b"106007" | b"106015" | b"106016" | b"106017"
        | b"106020" | b"106021" | b"106022" | b"710003" | b"710002" | b"710005" | b"500004"
        | b"733101" | b"607001" | b"400038" => between(text, b"from ", b" to ")?,
        _ if id.starts_with(b"338") => between(text, b"from ", b" to ")?,
        _ if id.starts_with(b"SESS_AUDIT") || id.starts_with(b"DROP_PKT") => arrow(text)?,
        _ => return None,
    };
    Some(Contact {
        host: plausible_host(server).unwrap_or_default(),
        client,
        action: action(text),
        ..Contact::default()
    })
}

/// `Built outbound TCP connection 1 for outside:A/443 (…) to inside:B/51000`:
/// who is named first depends on the direction; a teardown does not tell it.
fn of_connection(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, second) = between(text, b" for ", b" to ")?;
    let is_inbound = text.windows(9).any(|part| part == b" inbound ");
    Some(if is_inbound {
        (first, second)
    } else {
        (second, first)
    })
}

/// `… for faddr A/0 gaddr G/0 laddr B/0`: foreign, global and local.
fn of_icmp(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let foreign = end_point(after(text, b"faddr ")?)?;
    let local = end_point(after(text, b"laddr ").or_else(|| after(text, b"gaddr "))?)?;
    let is_inbound = text.windows(9).any(|part| part == b" inbound ");
    Some(if is_inbound {
        (foreign, local)
    } else {
        (local, foreign)
    })
}

/// `10.0.0.5 Accessed URL 192.0.2.10:http://www.example.com/`.
fn of_url(text: &[u8]) -> Option<Contact<'_>> {
    let at = text.windows(4).position(|part| part == b"URL ")?;
    let (who, target) = (&text[..at], &text[at + 4..]);
    let who = who.split(|byte| *byte == b' ').next()?;
    let client = who.rsplit(|byte| *byte == b'@').next()?;
    let colon = target.iter().position(|byte| *byte == b':')?;
    let (address, url) = (&target[..colon], &target[colon + 1..]);
    Some(Contact {
        url,
        host: address,
        client,
        action: if text[..at].ends_with(b"denied ") {
            Action::Blocked
        } else {
            Action::Allowed
        },
        ..Contact::default()
    })
}

fn between<'a>(text: &'a [u8], from: &[u8], to: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let rest = after(text, from)?;
    Some((end_point(rest)?, end_point(after(rest, to)?)?))
}

/// `denied tcp inside/10.0.0.5(51000) -> outside/192.0.2.10(443)`.
fn arrow(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.windows(4).position(|part| part == b" -> ")?;
    let before = &text[..at];
    let start = before
        .iter()
        .rposition(|byte| *byte == b' ')
        .map_or(0, |blank| blank + 1);
    Some((end_point(&before[start..])?, end_point(&text[at + 4..])?))
}

/// The address or name in `outside:192.0.2.10/443`, `inside/10.0.0.5(51000)`,
/// `192.0.2.10(443)` and the like, at the beginning of a text.
fn end_point(text: &[u8]) -> Option<&[u8]> {
    let end = text
        .iter()
        .position(|byte| matches!(byte, b' ' | b',' | b'(' | b';'))
        .unwrap_or(text.len());
    let mut parts = text[..end].split(|byte| *byte == b'/');
    let (first, second) = (parts.next()?, parts.next());
    let first = without_interface(first);
    let is_port = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let value = match second {
        Some(second) if plausible_address(first).is_none() && !is_port(second) => {
            without_interface(second)
        }
        _ => first,
    };
    (!value.is_empty()).then_some(value)
}

/// `192.0.2.10` of `outside:192.0.2.10`.
fn without_interface(text: &[u8]) -> &[u8] {
    match text.iter().position(|byte| *byte == b':') {
        Some(colon) if plausible_address(text).is_none() => &text[colon + 1..],
        _ => text,
    }
}

fn action(text: &[u8]) -> Action {
    let has = |word: &[u8]| {
        text.windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word))
    };
    if has(b"den") || has(b"drop") || has(b"discard") {
        Action::Blocked
    } else if has(b"built") || has(b"teardown") || has(b"permit") || has(b"est-allowed") {
        Action::Allowed
    } else {
        Action::Unstated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    fn check(line: &str, expected: (&str, &str, Action)) {
        let parsed = testing::parse::<Cisco>(line.as_bytes(), "{}").unwrap();
        let observed = &parsed.observations[0];
        let (kind, value, action) = expected;
        assert_eq!(
            (observed.kind, observed.value.as_str()),
            (kind, value),
            "{line}"
        );
        assert_eq!(
            (observed.client.as_str(), observed.action),
            ("10.0.0.5", action),
            "{line}"
        );
    }

    #[test]
    fn messages_name_who_contacted_whom() {
        let (allowed, blocked) = (Action::Allowed, Action::Blocked);
        let formats = Cisco::describe().formats;
        check(formats[0].2, ("ip", "192.0.2.10", allowed));
        check(formats[1].2, ("url", "https://www.example.com/", allowed));
        check(formats[2].2, ("ip", "192.0.2.10", blocked));
        for (text, expected) in [
            (
                "%ASA-6-302015: Built inbound UDP connection 1 for inside:10.0.0.5/51000 (10.0.0.5/51000) to dmz:192.0.2.10/53 (192.0.2.10/53)",
                allowed,
            ),
            (
                "%ASA-4-106023: Deny tcp src inside:10.0.0.5/51000 dst outside:192.0.2.10/443 by access-group \"x\" [0x0, 0x0]",
                blocked,
            ),
            (
                "%ASA-5-106100: access-list x denied tcp inside/10.0.0.5(51000) -> outside/192.0.2.10(443) hit-cnt 1 first hit",
                blocked,
            ),
            (
                "%ASA-2-106006: Deny inbound UDP from 10.0.0.5/137 to 192.0.2.10/137 on interface inside",
                blocked,
            ),
            (
                "%ASA-6-302020: Built outbound ICMP connection for faddr 192.0.2.10/0 gaddr 198.51.100.1/0 laddr 10.0.0.5/0",
                allowed,
            ),
        ] {
            check(text, ("ip", "192.0.2.10", expected));
        }
        check(
            "%ASA-5-304001: 10.0.0.5 Accessed URL 192.0.2.10:http://www.example.com/a",
            ("url", "http://www.example.com/a", allowed),
        );
        check(
            "%ASA-4-106023: Deny udp src inside:10.0.0.5/53 dst outside:2001:db8::1/53 by access-group \"x\"",
            ("ip", "2001:db8::1", blocked),
        );
    }

    #[test]
    fn other_lines_are_counted_by_reason() {
        let parsed =
            testing::parse::<Cisco>(b"%ASA-5-111008: User 'x' executed 'show'\n\nother\n", "{}")
                .unwrap();
        assert_eq!(parsed.ignored.len(), 2);
        assert_eq!(parsed.rejected.len(), 1);
    }
}
