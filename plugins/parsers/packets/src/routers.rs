//! Routers' filters.

use vthost_plugin::contact::{Contact, action_of, action_of_rule, plausible_address};
use vthost_plugin::parser::{Action, host_of};
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::time::{DateOrder, Stamps};

use crate::ends;

/// YAMAHA's filters: `[INSPECT] PP[01][out][200061] TCP 10.0.0.5:51000 >
/// 192.0.2.10:443 (2024/05/01 12:00:00)`, `LAN2 Rejected at IN(1012) filter: TCP
/// 192.0.2.10:4431 > 10.0.0.5:445`. See
/// <http://www.rtpro.yamaha.co.jp/RT/docs/firewall/index.html>.
pub(crate) fn yamaha(message: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let (packet, action) = match after(message, b"[INSPECT] ") {
        Some(rest) => (rest, Action::Allowed),
        None => {
            let verdict = rejected_or_passed(message)?;
            (after(message, b": ")?, verdict)
        }
    };
    let (before, behind) = split_once(packet, b" > ")?;
    let client = before.rsplit(|byte| *byte == b' ').next()?;
    let address = until(behind, b" ");
    plausible_address(address)?;
    let begun = after(packet, b" (").map(|rest| until(rest, b")"));
    Some(Contact {
        client,
        address,
        time_us: begun.and_then(|time| stamps.any(time, DateOrder::MonthFirst)),
        action,
        ..Contact::default()
    })
}

fn rejected_or_passed(message: &[u8]) -> Option<Action> {
    let (before, _) = split_once(message, b" at ")?;
    match () {
        () if before.ends_with(b"Rejected") => Some(Action::Blocked),
        () if before.ends_with(b"Passed") => Some(Action::Allowed),
        () => None,
    }
}

/// `#INFO# list WAN-IN denied udp 10.0.0.5:547-> 192.0.2.10:546 3 matches`.
pub(crate) fn oneos(message: &[u8]) -> Option<Contact<'_>> {
    let rest = after(message, b"list ")?;
    let mut words = rest.split(|byte| *byte == b' ');
    let (_name, action) = (words.next()?, action_of(words.next()?));
    if action == Action::Unstated {
        return None;
    }
    let (before, address) = ends(rest, b"-> ")?;
    let client = before.rsplit(|byte| *byte == b' ').next()?;
    plausible_address(address)?;
    Some(Contact {
        client,
        address,
        action,
        ..Contact::default()
    })
}

/// MikroTik RouterOS, by topics: `firewall` (packets), `web-proxy` (requests) and `dns`
/// (queries). Its own file has the time before the topics. See "Log" of its manual,
/// <https://help.mikrotik.com/docs/spaces/ROS/pages/328094/Log>.
pub(crate) fn mikrotik(message: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let contact = forwarded(message)
        .or_else(|| requested(message))
        .or_else(|| asked(message))?;
    Some(Contact {
        time_us: file_time_us(message, stamps),
        ..contact
    })
}

/// `mar/05/2026 05:02:14 firewall,info …`, from version 7.10 on `2026-03-05 05:02:14`.
fn file_time_us(message: &[u8], stamps: Stamps) -> Option<i64> {
    let stamp = message
        .get(..20)?
        .strip_suffix(b" ")
        .or(message.get(..19))?;
    match *stamp {
        [m1, m2, m3, b'/', d1, d2, b'/', y1, y2, y3, y4, b' ', ..] => {
            let date = [d1, d2, b'-', m1, m2, m3, b'-', y1, y2, y3, y4, b' '];
            let stamp = [&date, message.get(12..20)?].concat();
            stamps.any(&stamp, DateOrder::DayFirst)
        }
        _ => stamps.iso8601(stamp),
    }
}

/// `web-proxy,account 10.0.0.5 GET http://www.example.com/a action=allow cache=MISS`.
fn requested(message: &[u8]) -> Option<Contact<'_>> {
    let rest = after(message, b"web-proxy,account ")?;
    let mut words = rest.split(|byte| *byte == b' ');
    let (client, _method, url) = (words.next()?, words.next()?, words.next()?);
    let action = after(rest, b" action=").map_or(&b""[..], |rest| until(rest, b" "));
    Some(Contact {
        url,
        client: plausible_address(client)?,
        action: action_of(action),
        ..Contact::default()
    })
}

/// `dns query from 10.0.0.5: #4711 www.example.com. A`.
fn asked(message: &[u8]) -> Option<Contact<'_>> {
    let rest = after(message, b"query from ").filter(|_| after(message, b"dns").is_some())?;
    let (client, question) = split_once(rest, b": #")?;
    let (_, question) = split_once(question, b" ")?;
    Some(Contact {
        name: until(question, b" "),
        client: plausible_address(host_of(client))?,
        ..Contact::default()
    })
}

/// `drop-out forward: in:lan out:wan, … proto TCP, 10.0.0.5:51000->192.0.2.10:443, len 52`.
fn forwarded(message: &[u8]) -> Option<Contact<'_>> {
    let interface = message.windows(4).position(|part| part == b" in:")?;
    let proto = message.windows(7).position(|part| part == b" proto ")?;
    let rest = &message[proto..];
    let pair = rest
        .split(|byte| matches!(byte, b',' | b' '))
        .find(|part| part.windows(2).any(|two| two == b"->"))?;
    let (client, address) = ends(pair, b"->")?;
    Some(Contact {
        client,
        address,
        action: action_of_rule(prefix_of(&message[..interface])),
        ..Contact::default()
    })
}

/// `drop-out` of `firewall,info drop-out forward:`: the rule's prefix, between topics and
/// chain. Without a prefix nothing states the action: the chain is where a rule is.
fn prefix_of(rule: &[u8]) -> &[u8] {
    let prefix = || {
        let (_topics, rest) = split_once(rule, b" ")?;
        let chain = rest.iter().rposition(|byte| *byte == b' ')?;
        Some(&rest[..chain])
    };
    prefix().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    #[test]
    fn topics_of_mikrotik_are_read_with_the_time_of_the_file() {
        let packet = "in:bridge out:ether1, src-mac 00:00:5e:00:53:01, proto TCP (SYN), 10.0.0.5:51000->192.0.2.10:443, len 60";
        let noon = Some(1_714_564_800_000_000);
        for (line, expected) in [
            (
                format!("may/01/2024 12:00:00 firewall,info DROP: forward: {packet}"),
                ("192.0.2.10", Action::Blocked, noon),
            ),
            (
                format!("2024-05-01 12:00:00 firewall,info forward: {packet}"),
                ("192.0.2.10", Action::Unstated, noon),
            ),
            (
                format!("firewall,info drop-out forward: {packet}"),
                ("192.0.2.10", Action::Blocked, None),
            ),
            (
                "may/01/2024 12:00:00 web-proxy,account 10.0.0.5 GET http://www.example.com/a  action=allow cache=MISS".into(),
                ("http://www.example.com/a", Action::Allowed, noon),
            ),
            (
                "2024-05-01 12:00:00 dns query from 10.0.0.5: #4711 www.example.com. A".into(),
                ("www.example.com", Action::Unstated, noon),
            ),
        ] {
            let parsed = testing::parse::<crate::Packets>(line.as_bytes(), "{}").unwrap();
            let seen = &parsed.observations[0];
            let value = seen.value.trim_end_matches('.');
            assert_eq!((value, seen.action, seen.time_us), expected, "{line}");
            assert_eq!(seen.client, "10.0.0.5", "{line}");
        }
    }

    #[test]
    fn filters_give_the_action() {
        let check = |message: &str, expected: (&str, &str, Action)| {
            let line = format!("<190>May  1 12:00:00 rtr {message}");
            let parsed = testing::parse::<crate::Packets>(line.as_bytes(), "{}").unwrap();
            let seen = &parsed.observations[0];
            let found = (seen.value.as_str(), seen.client.as_str(), seen.action);
            assert_eq!(found, expected, "{message}");
        };
        let (inside, outside) = ("10.0.0.5", "192.0.2.10");
        check(
            "LAN2 Rejected at IN(1012) filter: TCP 192.0.2.10:4431 > 10.0.0.5:445",
            (inside, outside, Action::Blocked),
        );
        check(
            "PP[01] Passed at OUT(3000) filter: UDP 10.0.0.5:123 > 192.0.2.10:123",
            (outside, inside, Action::Allowed),
        );
        check(
            "[INSPECT] LAN2[out][101098] UDP 10.0.0.5:51000 > 192.0.2.10:53 (DNS)",
            (outside, inside, Action::Allowed),
        );
        check(
            ": #INFO# list WAN permitted proto 9 10.0.0.5:547-> 192.0.2.10:546 11 matches",
            (outside, inside, Action::Allowed),
        );
    }
}
