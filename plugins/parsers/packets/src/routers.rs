//! Routers' filters.

use vthost_plugin::contact::{Contact, action_of, plausible_address};
use vthost_plugin::parser::Action;
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

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

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
