//! Cisco ASA, FTD and IOS messages: connections built and torn down, access
//! lists, URLs, and the connection events of Firepower.
//!
//! See "Cisco Secure Firewall ASA Series Syslog Messages" and "Cisco Secure
//! Firewall Threat Defense Syslog Messages".

mod events;
mod users;

use vthost_plugin::contact::{Contact, plausible_address};
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations, host_of,
};
use vthost_plugin::split::{after, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct Cisco {
    stamps: Stamps,
    events: events::Events,
}

vthost_plugin::export_parser!(Cisco);

impl LineParser for Cisco {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "cisco",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Cisco ASA, FTD and IOS messages about connections",
            formats: vec![
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
        Ok(Self {
            stamps,
            events: events::Events::new(stamps),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let Some(Message { before, id, text }) = message(line) else {
            return Line::Rejected("no Cisco message id, as %ASA-6-302013:");
        };
        let time_us =
            own_stamp(before, self.stamps).or_else(|| Syslog::time_of(before, self.stamps));
        if id.starts_with(b"43000") {
            return self.events.contact(text, time_us).push(found);
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
/// parts. IOS XE wraps messages in others: then the inner one is meant.
fn message(line: &[u8]) -> Option<Message<'_>> {
    let outer = message_from(line, 0)?;
    let is_wrapper = outer.id == b"PLATFORM";
    let start = line.len() - outer.text.len();
    let inner = is_wrapper.then(|| message_from(line, start)).flatten();
    Some(match inner {
        Some(inner) => Message {
            before: outer.before,
            ..inner
        },
        None => outer,
    })
}

fn message_from(line: &[u8], from: usize) -> Option<Message<'_>> {
    let mut percents = line.get(from..)?.iter().zip(from..);
    percents.find_map(|(byte, at)| match byte {
        b'%' => message_at(line, at),
        _ => None,
    })
}

/// The message whose `%` is at this place. The level, a digit, is what an escape of a
/// URL (`%E4-b:`) does not have.
fn message_at(line: &[u8], at: usize) -> Option<Message<'_>> {
    /// The longest name of a message has 40 bytes.
    const LONGEST: usize = 64;
    let rest = &line[at + 1..];
    let mut bytes = rest.iter().take(LONGEST);
    let end = bytes.position(|byte| matches!(byte, b':' | b' '))?;
    let name = &rest[..end];
    let mut parts = name.split(|byte| *byte == b'-');
    let facility = parts.next()?;
    let is_facility = facility.first().is_some_and(u8::is_ascii_uppercase)
        && facility
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    let id = parts.next_back()?;
    let has_level = parts.any(|part| matches!(part, [b'0'..=b'7']));
    (is_facility && has_level && !id.is_empty()).then(|| Message {
        before: &line[..at],
        id,
        text: rest[end..]
            .strip_prefix(b":")
            .unwrap_or(&rest[end..])
            .trim_ascii_start(),
    })
}

/// The device's own time, right before the message: `352134: rtr: *Aug  3
/// 08:08:47.142 UTC: %…`.
fn own_stamp(before: &[u8], stamps: Stamps) -> Option<i64> {
    /// `Aug 12 2023 12:14:24.412 mdt` is the longest.
    const WORDS: usize = 5;
    let text = before.trim_ascii_end();
    let text = text.strip_suffix(b":")?;
    let last = text.rsplit(|byte| *byte == b' ').next()?;
    let is_zone = !last.is_empty() && last.iter().all(u8::is_ascii_alphabetic);
    if !is_zone && !last.contains(&b':') {
        return None;
    }
    let mut starts = text
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| **byte == b' ')
        .map(|(blank, _)| blank + 1)
        .chain([0])
        .take(WORDS + 1);
    starts.find_map(|start| {
        let stamp = text[start..].trim_ascii_start();
        let stamp = match stamp {
            // A clock that was not set, or is no longer in step.
            [b'*' | b'.', rest @ ..] => rest,
            stamp => stamp,
        };
        // A day or a time alone could be read as something else.
        let is_whole = matches!(
            stamp,
            [b'A'..=b'Z', ..] | [b'0'..=b'9', _, _, _, b' ' | b'-', ..]
        );
        is_whole.then(|| stamps.any(stamp, DateOrder::MonthFirst))?
    })
}

/// Who contacted whom, by the words between which the message names them.
fn of_text<'a>(id: &[u8], text: &'a [u8]) -> Option<Contact<'a>> {
    let is_access_list = id.starts_with(b"IPACCESSLOG")
        || id.starts_with(b"ACCESSLOG")
        || matches!(id, b"106100" | b"106102" | b"106103");
    let (client, server) = match id {
        b"304001" => return of_url(text),
        b"304002" => return of_denied_url(text),
        b"302013" | b"302014" | b"302015" | b"302016" | b"302017" | b"302018" | b"302303"
        | b"302304" => of_connection(text)?,
        b"313009" => between(text, b"for ", b" to ")?,
        b"302020" | b"302021" => of_icmp(text)?,
        b"313004" => between(text, b"laddr ", b" to ")?,
        // The packet that caused the error is the contact, not the error itself.
        b"313005" => between(after(text, b"payload: ").unwrap_or(text), b"src ", b" dst ")?,
        b"106010" | b"106011" | b"106014" | b"106023" | b"106027" | b"305013" | b"419002" => {
            between(text, b"src ", b" dst ")?
        }
        b"401004" => between(text, b"packet: ", b" ==> ")?,
        // The channel is for the first from the second.
        b"607001" => swapped(between(text, b" for ", b" to ")?),
        _ if is_access_list => arrow(text, b" -> ")?,
        b"106001" | b"106002" | b"106006" | b"106007" | b"106012" | b"106013" | b"106015"
        | b"106016" | b"106017" | b"106018" | b"106020" | b"106021" | b"106022" | b"201010"
        | b"313008" | b"402117" | b"410001" | b"419001" | b"420002" | b"434002" | b"434004"
        | b"500004" | b"507001" | b"507003" | b"710002" | b"710003" | b"710005" | b"733101" => {
            between(text, b"from ", b" to ")?
        }
        _ if id.starts_with(b"4000") => between(text, b"from ", b" to ")?,
        _ if id.starts_with(b"338") => between(text, b"from ", b" to ")?,
        _ if id.starts_with(b"SESS_AUDIT") => between(text, b"initiator (", b"responder (")?,
        _ if id.starts_with(b"DROP_PKT") => {
            arrow(text, b" => ").or_else(|| arrow(text, b" -> "))?
        }
        _ => return None,
    };
    Some(Contact {
        name: server,
        client,
        user: users::of_client(text, client),
        action: action(text),
        ..Contact::default()
    })
}

fn swapped<'a>((first, second): (&'a [u8], &'a [u8])) -> (&'a [u8], &'a [u8]) {
    (second, first)
}

/// `Built outbound TCP connection 1 for outside:A/443 (…) to inside:B/51000`:
/// the order of the ends depends on the direction, which a teardown does not state.
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

/// `jane@10.0.0.5(LOCAL\jane) Accessed URL 192.0.2.10:http://www.example.com/`.
fn of_url(text: &[u8]) -> Option<Contact<'_>> {
    let at = text.windows(4).position(|part| part == b"URL ")?;
    let (who, target) = (&text[..at], &text[at + 4..]);
    let mut names = until(who, b" (").rsplit(|byte| *byte == b'@');
    let client = names.next()?;
    let user = names
        .next()
        .unwrap_or_else(|| users::of_client(who, client));
    let colon = target.iter().position(|byte| *byte == b':')?;
    let (address, url) = (&target[..colon], &target[colon + 1..]);
    Some(Contact {
        url,
        host: address,
        client,
        user,
        action: Action::Allowed,
        ..Contact::default()
    })
}

/// `Access denied URL http://www.example.com/ SRC 10.0.0.5 DEST 192.0.2.10 on interface inside`.
fn of_denied_url(text: &[u8]) -> Option<Contact<'_>> {
    Some(Contact {
        url: until(after(text, b"URL ")?, b" "),
        client: end_point(after(text, b"SRC ")?)?,
        address: end_point(after(text, b"DEST ")?)?,
        action: Action::Blocked,
        ..Contact::default()
    })
}

fn between<'a>(text: &'a [u8], from: &[u8], to: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let rest = after(text, from)?;
    Some((end_point(rest)?, end_point(after(rest, to)?)?))
}

/// `denied tcp inside/10.0.0.5(51000) -> outside/192.0.2.10(443)`. With `log-input` the
/// interface and the hardware address are between: `10.0.0.5(51000) (Vlan5
/// 0000.5e00.5301) -> 192.0.2.10(443)`.
fn arrow<'a>(text: &'a [u8], arrow: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(arrow.len()).position(|part| part == arrow)?;
    let before = &text[..at];
    let origin = before.windows(2).rposition(|pair| pair == b" (");
    let before = &before[..origin.unwrap_or(at)];
    let start = before
        .iter()
        .rposition(|byte| *byte == b' ')
        .map_or(0, |blank| blank + 1);
    Some((
        end_point(&before[start..])?,
        end_point(&text[at + arrow.len()..])?,
    ))
}

/// The address or name in `outside:192.0.2.10/443`, `inside/10.0.0.5(51000)`,
/// `192.0.2.10(443)`, `(0.0.0.0)` and the like, at the beginning of a text.
fn end_point(text: &[u8]) -> Option<&[u8]> {
    // The one interface whose name has blanks is the device itself.
    let text = text.strip_prefix(b"NP Identity Ifc:").unwrap_or(text);
    let text = text.strip_prefix(b"(").unwrap_or(text);
    let text = until(text, b" ,();");
    let mut parts = text.split(|byte| *byte == b'/');
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

/// `192.0.2.10` of `outside:192.0.2.10`, and of `192.0.2.10:443`.
fn without_interface(text: &[u8]) -> &[u8] {
    let is_v6 = text
        .iter()
        .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
    match text.iter().position(|byte| *byte == b':') {
        Some(_) if is_v6 || plausible_address(text).is_some() => host_of(text),
        Some(colon) => &text[colon + 1..],
        None => text,
    }
}

/// What was done, by one of the first words: names of access lists are among
/// them, so that no part of a word counts.
fn action(text: &[u8]) -> Action {
    /// `access-list NAME permitted tcp …` is the longest.
    const WORDS: usize = 8;
    let mut words = text.split(|byte| *byte == b' ').take(WORDS);
    let said = words.find_map(|word| match word {
        b"Deny" | b"Denied" | b"denied" | b"deny" | b"Dropping" | b"dropped" | b"drop"
        | b"Discard" | b"discarded" | b"Shunned" => Some(Action::Blocked),
        b"Built" | b"Teardown" | b"permitted" | b"permit" | b"est-allowed" => Some(Action::Allowed),
        _ => None,
    });
    said.unwrap_or(Action::Unstated)
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
                "%SEC-6-IPACCESSLOGP: list IN denied tcp 10.0.0.5(51000) (Vlan5 0000.5e00.5301) -> 192.0.2.10(443), 1 packet",
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
    }

    #[test]
    fn messages_of_other_kinds_have_their_own_words() {
        let (allowed, blocked) = (Action::Allowed, Action::Blocked);
        check(
            "%ASA-5-106100: access-list deny_some permitted tcp inside/10.0.0.5(51000) -> outside/192.0.2.10(443) hit-cnt 1 first hit",
            ("ip", "192.0.2.10", allowed),
        );
        check(
            "%ASA-4-313004: Denied ICMP type=0, from laddr 10.0.0.5 on interface inside to 192.0.2.10: no matching session",
            ("ip", "192.0.2.10", blocked),
        );
        check(
            "%FTD-4-313005: No matching connection for ICMP error message: icmp src outside:192.0.2.10 dst inside:10.0.0.5 (type 3, code 3) on outside interface. Original IP payload: udp src 10.0.0.5/53 dst 192.0.2.10/60919.",
            ("ip", "192.0.2.10", Action::Unstated),
        );
        check(
            "%FTD-4-401004: Shunned packet: 10.0.0.5 ==> 192.0.2.10 on interface WAN",
            ("ip", "192.0.2.10", blocked),
        );
        check(
            "%ASA-6-607001: Pre-allocate SIP Via UDP secondary channel for out:192.0.2.10/5060 to in:10.0.0.5 from OPTIONS message",
            ("ip", "192.0.2.10", Action::Unstated),
        );
        check(
            "%ASA-5-304002: Access denied URL http://www.example.com/a SRC 10.0.0.5 DEST 192.0.2.10 on interface inside",
            ("url", "http://www.example.com/a", blocked),
        );
        check(
            "%ASA-6-302013: Built outbound TCP connection 1 for outside:mail_server/25 (mail_server/25) to inside:10.0.0.5/51000 (10.0.0.5/51000)",
            ("domain", "mail_server", allowed),
        );
        check(
            "%ASA-6-302015: Built inbound UDP connection 1 for identity:10.0.0.5/68 (10.0.0.5/68) to NP Identity Ifc:255.255.255.255/67 (255.255.255.255/67)",
            ("ip", "255.255.255.255", allowed),
        );
        check(
            "%IOSXE-6-PLATFORM: R0/0: cpp_cp: QFP:0.0 Thread:001 TS:1 %FW-6-DROP_PKT: Dropping tcp pkt from Gi1 10.0.0.5:53836 => 192.0.2.10:80(target:class)-(A:B) due to Policy drop",
            ("ip", "192.0.2.10", blocked),
        );
        check(
            "%FW-6-SESS_AUDIT_TRAIL: Stop dns session: initiator (10.0.0.5:33207) sent 48 bytes -- responder (192.0.2.10:53) sent 40 bytes",
            ("ip", "192.0.2.10", Action::Unstated),
        );
        check(
            "%ASA-5-304001: jane@10.0.0.5(LOCAL\\jane) Accessed URL 192.0.2.10:http://www.example.com/a",
            ("url", "http://www.example.com/a", allowed),
        );
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
    fn time_of_the_device_is_before_the_message() {
        let message =
            "%SEC-6-IPACCESSLOGP: list 101 denied tcp 10.0.0.5(51000) -> 192.0.2.10(443), 1 packet";
        let check = |before: &str, expected: i64| {
            let line = format!("{before} {message}");
            let parsed = testing::parse::<Cisco>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].time_us, Some(expected), "{before}");
        };
        // 2024-05-01T12:00:00.142Z.
        const NOON: i64 = 1_714_564_800_142_000;
        check("<166>352134: rtr: May 1 2024 12:00:00.142:", NOON);
        check("<190>: *May  1 2024 12:00:00.142:", NOON);
        check("<190>1: 2: May 1 2024 06:00:00.142 mdt:", NOON);
        check(
            "May  1 11:59:59 192.0.2.1 1: May  1 2024 12:00:00.142 UTC:",
            NOON,
        );
        // 1969-05-01: the latest before the reference time, 1970.
        check("May  1 12:00:00 rtr 1:", -21_124_800_000_000);
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
