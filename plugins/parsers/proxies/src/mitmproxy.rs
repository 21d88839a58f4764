//! What mitmdump prints: `client:port: METHOD URL`, the answer in the next line, and
//! events with a time of day and no date, `[hh:mm:ss.mmm][client:port] server connect
//! NAME:port (ADDRESS:port)`. It writes no date at all, so observations have no time.

use vthost_plugin::contact::{Contact, plausible_address, split_scheme};
use vthost_plugin::parser::host_of;
use vthost_plugin::scan;
use vthost_plugin::split::{split_once, until};
use vthost_plugin::time::Stamps;

use crate::Read;

pub(crate) fn read(line: &[u8], _stamps: Stamps) -> Option<Read<'_>> {
    if line.starts_with(b"     ") && line.trim_ascii_start().starts_with(b"<< ") {
        return Some(Read::Nothing("the answer to a request"));
    }
    event(line).or_else(|| request(line))
}

fn event(line: &[u8]) -> Option<Read<'_>> {
    let (time, rest) = split_once(line.strip_prefix(b"[")?, b"]")?;
    let is_time = time.len() == 12 && time[2] == b':' && time[5] == b':' && time[8] == b'.';
    is_time.then_some(())?;
    let connection = rest.strip_prefix(b"[").and_then(|rest| {
        let end = rest.windows(2).position(|pair| pair == b"] ")?;
        Some((&rest[..end], &rest[end + 2..]))
    });
    let target = connection
        .and_then(|(client, text)| Some((client, text.strip_prefix(b"server connect ")?)));
    Some(match target {
        Some((client, target)) => Read::Contact(Contact {
            host: until(target, b" "),
            client,
            ..Contact::default()
        }),
        None => Read::Nothing("an event without a target"),
    })
}

fn request(line: &[u8]) -> Option<Read<'_>> {
    let (client, rest) = split_once(line, b": ")?;
    let mut words = rest.split(|byte| *byte == b' ');
    let (method, url) = (words.next()?, words.next()?);
    let host = host_of(client);
    let is_request = host.len() < client.len()
        && plausible_address(host).is_some()
        && scan::is_all(method, [b'A'..=b'Z']);
    let (scheme, rest) = split_scheme(url).filter(|_| is_request)?;
    let end = scan::find_any(rest, b"/?#").unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let contact = Contact {
        client: host,
        ..Contact::default()
    };
    // A long URL is cut and ends in an ellipsis.
    let is_whole = !url.ends_with("\u{2026}".as_bytes());
    let is_bare_ipv6 =
        authority.iter().filter(|byte| **byte == b':').count() > 1 && !authority.starts_with(b"[");
    Some(Read::Contact(match (is_whole, is_bare_ipv6) {
        (false, _) => Contact {
            host: authority,
            ..contact
        },
        (true, false) => Contact { url, ..contact },
        (true, true) => Contact {
            scheme,
            host: authority,
            path,
            ..contact
        },
    }))
}
