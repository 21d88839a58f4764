//! What the names of the fields do not describe: parts of a line outside its
//! pairs.

use vthost_plugin::contact::{Contact, action_of, action_of_rule};
use vthost_plugin::dialect::{Record, target_of};
use vthost_plugin::parser::{Action, Line, Observations};
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::syslog::Syslog;

/// Meraki: `… request: GET https://www.example.com/`, `flows allow src=…`. See "Syslog
/// Event Types and Log Samples" of Cisco Meraki's documentation.
pub(crate) fn meraki(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let message = Syslog::of(record.line, record.stamps).message;
    let mut contact = record.contact;
    if let Some(request) = after(message, b" request: ") {
        let url = target_of(request);
        // Dots replace the part of an encrypted request that Meraki cannot see.
        contact.url = url.strip_suffix(b"/...").unwrap_or(url);
    }
    if contact.action == Action::Unstated {
        contact.action = meraki_action(message);
    }
    contact.push(found)
}

/// The action of a flow: a word before the pairs, or the rule's pattern after them, which
/// begins with `allow`, `deny`, 0 (allowed) or 1.
fn meraki_action(message: &[u8]) -> Action {
    let words = split_once(message, b"src=").map_or(message, |(before, _)| before);
    let is_word = |wanted: &[u8]| words.split(|byte| *byte == b' ').any(|word| word == wanted);
    match after(message, b" pattern: ").map(|rest| until(rest, b" ")) {
        _ if is_word(b"allow") => Action::Allowed,
        _ if is_word(b"deny") => Action::Blocked,
        Some(b"allow" | b"0") => Action::Allowed,
        Some(b"deny" | b"1") => Action::Blocked,
        _ => Action::Unstated,
    }
}

/// Traffic Server's `welf`: the path has no slash in front, and only what was denied has
/// a result with a word for it. See "Log Formats" of its administrator's guide.
pub(crate) fn welf(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let is_tunnel = after(record.line, b" op=CONNECT ").is_some();
    let path = match is_tunnel {
        true => Vec::new(),
        false => [b"/", record.contact.path].concat(),
    };
    let action = match record.contact.action {
        Action::Unstated => Action::Allowed,
        stated => stated,
    };
    Contact {
        path: &path,
        action,
        ..record.contact
    }
    .push(found)
}

/// Linux: the prefix of a firewall rule, before `IN=`, names what was done. The
/// description that UniFi adds is free text. ulogd2 writes no program, so that a prefix
/// with a colon looks like one.
pub(crate) fn iptables(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let Syslog {
        message, program, ..
    } = Syslog::of(record.line, record.stamps);
    let before = |text, mark| split_once(text, mark).map_or(text, |(before, _)| before);
    let prefix = before(before(message, b"IN="), b"DESCR=");
    let action = match action_of_rule(prefix) {
        Action::Unstated => action_of_rule(program),
        stated => stated,
    };
    Contact {
        action,
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
