//! What the names of the fields do not describe: parts of a line outside its
//! pairs.

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::dialect::{Record, target_of};
use vthost_plugin::parser::{Action, Line, Observations};
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::syslog::Syslog;

/// Meraki: `… request: GET https://www.example.com/`, `flows allow src=…`.
pub(crate) fn meraki(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let message = Syslog::of(record.line, record.stamps).message;
    let url = after(message, b"request: ")
        .map(target_of)
        .unwrap_or_default();
    let action = match () {
        () if after(message, b" allow ").is_some() => Action::Allowed,
        () if after(message, b" deny ").is_some() => Action::Blocked,
        () => Action::Unstated,
    };
    Contact {
        // Dots replace the part of an encrypted request that Meraki cannot see.
        url: url.strip_suffix(b"/...").unwrap_or(url),
        action,
        ..record.contact
    }
    .push(found)
}

/// Linux: the prefix of a firewall rule, before `IN=`, names what was done.
pub(crate) fn iptables(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let message = Syslog::of(record.line, record.stamps).message;
    let prefix = split_once(message, b"IN=").map_or(&b""[..], |(before, _)| before);
    Contact {
        action: action_of(prefix),
        ..record.contact
    }
    .push(found)
}

/// Juniper: `RT_FLOW_SESSION_DENY [junos@2636.1 …]`. The event's name states
/// what was done if no field does.
pub(crate) fn juniper(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let mut contact = record.contact;
    if contact.action == Action::Unstated {
        contact.action = action_of(last_word(until(record.line, b"[")));
    }
    contact.push(found)
}

fn last_word(text: &[u8]) -> &[u8] {
    let mut words = text.trim_ascii_end().rsplit(|byte| *byte == b' ');
    words.next().unwrap_or_default()
}

/// Zscaler: the time is the first column, without a key.
pub(crate) fn zscaler_nss(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let time_us = record.stamps.iso8601(until(record.line, b"\t"));
    Contact {
        time_us: time_us.or(record.contact.time_us),
        ..record.contact
    }
    .push(found)
}
