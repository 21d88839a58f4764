//! Linux's netfilter: conntrack and ulogd2.

use vthost_plugin::contact::{Contact, action_of_rule};
use vthost_plugin::parser::Action;
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::time::{DateOrder, Stamps, epoch};

use crate::Report;
use crate::ends::End;

/// `[1714564800.250000]⇥ [NEW] ipv4 2 tcp 6 120 SYN_SENT src=10.0.0.5 dst=192.0.2.10 …`.
/// The first pair is the connection, the second its answer's (after NAT).
pub(crate) fn conntrack(line: &[u8], _stamps: Stamps) -> Option<Report<'_>> {
    let (before, rest) = split_once(line, b" src=")?;
    let is_event = ["[NEW]", "[UPDATE]", "[DESTROY]", "ipv4 ", "ipv6 "]
        .iter()
        .any(|mark| after(before, mark.as_bytes()).is_some());
    let (client, rest) = split_once(rest, b" dst=").filter(|_| is_event)?;
    let time = line.strip_prefix(b"[").map(|rest| until(rest, b"]"));
    Some(
        Contact {
            client: End::of(client)?.address,
            address: End::of(until(rest, b" "))?.address,
            time_us: time.and_then(epoch),
            ..Contact::default()
        }
        .into(),
    )
}

/// `EPOCH⇥PROTOCOL⇥SOURCE⇥PORT⇥DESTINATION⇥PORT⇥PACKETS⇥BYTES`.
pub(crate) fn nacct(line: &[u8], _stamps: Stamps) -> Option<Report<'_>> {
    let columns: Vec<&[u8]> = line.split(|byte| *byte == b'\t').take(9).collect();
    let [time, protocol, source, _, destination, _, _, _] = *columns.as_slice() else {
        return None;
    };
    let is_row = time.len() == 10 && protocol.iter().all(u8::is_ascii_digit);
    Some(
        Contact {
            client: End::of(source).filter(|_| is_row)?.address,
            address: End::of(destination)?.address,
            time_us: Some(epoch(time)?),
            ..Contact::default()
        }
        .into(),
    )
}

/// `timestamp=…,oob.prefix=FW-DROP ,oob.time.sec=1714564800,…,ip.saddr.str=10.0.0.5,…`.
/// The rule's prefix is all that states the action; `ip.saddr` is wrong for IPv6.
pub(crate) fn gprint(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    let field = |key: &[u8]| after(line, key).map(|rest| until(rest, b","));
    let client = field(b",ip.saddr.str=").or_else(|| field(b",ip.saddr="))?;
    let address = field(b",ip.daddr.str=").or_else(|| field(b",ip.daddr="))?;
    let seconds = field(b",oob.time.sec=").and_then(epoch);
    let written = || stamps.any(field(b"timestamp=")?, DateOrder::MonthFirst);
    Some(
        Contact {
            client: End::of(client)?.address,
            address: End::of(address)?.address,
            time_us: seconds.or_else(written),
            action: field(b",oob.prefix=").map_or(Action::Unstated, action_of_rule),
            ..Contact::default()
        }
        .into(),
    )
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::{self, Allowed, Blocked, Unstated};

    use crate::tests::{check, seen};

    #[test]
    fn the_first_pair_of_conntrack_counts() {
        let pairs = "src=10.0.0.5 dst=192.0.2.10 sport=1 dport=80 src=192.0.2.10 dst=198.51.100.1 sport=80 dport=1";
        for before in [
            "[1714564800.250000]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT ",
            "    [NEW] tcp      6 120 SYN_SENT ",
            "ipv4     2 tcp      6 115 TIME_WAIT ",
        ] {
            check(&format!("{before}{pairs}"), &["192.0.2.10"], "10.0.0.5");
        }
    }

    #[test]
    fn the_prefix_states_the_action() {
        let check = |prefix: &str, action: Action| {
            let line = format!(
                "timestamp=2024/05/01-12:00:00,oob.prefix={prefix},ip.saddr.str=2001:db8::5,ip.daddr.str=2001:db8:2::10"
            );
            assert_eq!(seen(&line)[0].3, action, "{prefix}");
        };
        check("FW-ACCEPT ", Allowed);
        check("[FW-DROP] ", Blocked);
        check("FORWARD_DROP: ", Blocked);
        check("FORWARD ", Unstated);
    }
}
