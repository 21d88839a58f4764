//! Dante: `(epoch.micro) danted[pid]: info: VERDICT(rule): tcp/COMMAND EDGE: ..`.
//! Ports are joined by a dot. EDGE is `[` when a session opens and `]` when it closes
//! or is blocked; closing lines have byte counts between the ends.
//!
//! ```text
//! pass(2): tcp/connect [: CLIENT PROXY -> PROXY TARGET
//! pass(2): tcp/connect ]: 9 -> CLIENT PROXY -> 8, 8 -> PROXY TARGET -> 9: reason
//! block(1): tcp/connect ]: CLIENT PROXY -> 0.0.0.0.0 TARGET
//! block(1): tcp/connect ]: CLIENT PROXY: could not resolve hostname "NAME": reason
//! pass(1): tcp/accept [: CLIENT PROXY
//! ```

use vthost_plugin::contact::Contact;
use vthost_plugin::parser::Action;
use vthost_plugin::scan;
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{Stamps, epoch};

use crate::Read;

pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Read<'_>> {
    let (head, event) = split_once(line, b"]: info: ")?;
    let is_session = event.starts_with(b"pass(") || event.starts_with(b"block(");
    let (what, ends) = match split_once(event, b" [: ").or_else(|| split_once(event, b" ]: ")) {
        Some(parts) if is_session => parts,
        _ => {
            let is_own = after(head, b"danted[").or_else(|| after(head, b"sockd["));
            return is_own.map(|_| Read::Nothing("a message of another kind"));
        }
    };
    if what.ends_with(b"/accept") || what.ends_with(b"/negotiate") {
        return Some(Read::Nothing("a connection to the proxy"));
    }
    let own_us = after(head, b" (").and_then(|text| epoch(until(text, b")")));
    let contact = Contact {
        time_us: own_us.or_else(|| Syslog::time_of(line, stamps)),
        ..Contact::default()
    };
    Some(session(ends, event.starts_with(b"block("), contact))
}

fn session<'a>(ends: &'a [u8], is_blocked: bool, contact: Contact<'a>) -> Read<'a> {
    let first = words(ends).find(|word| word.contains(&b'.'));
    let (user, client) = authenticated(first.unwrap_or_default());
    let client = without_port(client);
    let contact = Contact { user, ..contact };
    if let Some(name) = after(ends, b"could not resolve hostname \"") {
        return Read::Contact(Contact {
            name: until(name, b"\""),
            client,
            ..contact
        });
    }
    // Pairs of ends; the last is the outside of the proxy and the target.
    let end = after(ends, b": ").map_or(ends.len(), |reason| ends.len() - reason.len() - 2);
    let mut targets = words(&ends[..end]).filter(|word| word.contains(&b'.'));
    match targets.nth(3) {
        Some(target) => Read::Contact(Contact {
            host: without_port(target),
            client,
            action: if is_blocked {
                Action::Blocked
            } else {
                Action::Allowed
            },
            ..contact
        }),
        None => Read::Nothing("a session without a target"),
    }
}

/// The user and the client of `username%jane@10.0.0.5.51000`: before the user is the
/// method by which it was authenticated.
fn authenticated(client: &[u8]) -> (&[u8], &[u8]) {
    match client.iter().rposition(|byte| *byte == b'@') {
        Some(at) => {
            let user = &client[..at];
            (after(user, b"%").unwrap_or(user), &client[at + 1..])
        }
        None => (b"", client),
    }
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b' ' | b','))
}

/// `192.0.2.10` of `192.0.2.10.443`.
fn without_port(end: &[u8]) -> &[u8] {
    match end.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if scan::is_digits(&end[dot + 1..]) => &end[..dot],
        _ => end,
    }
}
