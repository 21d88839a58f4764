//! What the names of the fields do not describe: formats with values in other
//! encodings, in sentences or in tuples.

use vthost_plugin::contact::{Contact, NOTHING_CONTACTED, action_of, split_scheme};
use vthost_plugin::dialect::Record;
use vthost_plugin::parser::{Action, Line, Observations};
use vthost_plugin::split::{after, until};
use vthost_plugin::time::{DateOrder, Stamps};

/// Azure Firewall: the contact is in fields, or in a sentence.
pub(crate) fn azure_firewall(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let contact = record.contact;
    if contact.host.is_empty() && contact.address.is_empty() {
        return of_sentence(contact).push(found);
    }
    contact.push(found)
}

/// AdGuard Home: `"Result":{"IsFiltered":true,"Reason":3}`. A query that safe search
/// rewrote (reason 7) is filtered, and not blocked. Quotes within strings are escaped.
pub(crate) fn adguard(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let has = |member: &[u8]| after(record.body, member).is_some();
    let is_blocked =
        has(b"\"IsFiltered\":true") && !has(b"\"Reason\":7,") && !has(b"\"Reason\":7}");
    let action = match is_blocked {
        true => Action::Blocked,
        false => record.contact.action,
    };
    Contact {
        action,
        ..record.contact
    }
    .push(found)
}

/// Caddy's console encoder: time, level, logger and message between tabs, and then the
/// object, which has no time.
pub(crate) fn caddy(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let written = || {
        let time = until(record.line, b"\t");
        record.stamps.any(time, DateOrder::MonthFirst)
    };
    Contact {
        time_us: record.contact.time_us.or_else(written),
        ..record.contact
    }
    .push(found)
}

/// Zscaler: the URL may be in base64, in the field of the path.
pub(crate) fn zscaler(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let contact = record.contact;
    if !contact.url.is_empty() {
        return contact.push(found);
    }
    let url = from_base64(contact.path).unwrap_or_default();
    let path = &b""[..];
    Contact {
        url: &url,
        path,
        ..contact
    }
    .push(found)
}

/// A web server, or a forward proxy if the request has a whole URL.
pub(crate) fn of_server_or_proxy(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let contact = record.contact;
    if split_scheme(contact.url).is_some() {
        return contact.push(found);
    }
    Contact {
        address: contact.client,
        time_us: contact.time_us,
        ..Contact::default()
    }
    .push(found)
}

/// Squid: of its results those that deny have a word for it, and others went through.
pub(crate) fn squid(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let contact = record.contact;
    let action = match contact.action {
        Action::Unstated => Action::Allowed,
        stated => stated,
    };
    Contact { action, ..contact }.push(found)
}

/// SentinelOne: a name may follow the type of the query: `type: 1 www.example.com`.
pub(crate) fn sentinelone(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let contact = record.contact;
    let name = contact.name.rsplit(|byte| *byte == b' ').next();
    let name = name.unwrap_or_default();
    Contact { name, ..contact }.push(found)
}

/// Cloudflare Gateway: a record without a URL is a network session, whose host
/// is the name that the client sent.
pub(crate) fn cloudflare_gateway(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let contact = record.contact;
    match contact.url {
        b"" => contact.push_with_address(found),
        _ => contact.push(found),
    }
}

/// Azure flow logs: each flow is a string
/// `1714564800,10.0.0.5,192.0.2.10,51000,443,T,O,A`.
pub(crate) fn azure_flow(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let mut read = Line::Ignored(NOTHING_CONTACTED);
    for string in record.body.split(|byte| *byte == b'"') {
        if let Some(flow) = of_tuple(record.contact, string, record.stamps)
            && flow.push(found) == Line::Record
        {
            read = Line::Record;
        }
    }
    read
}

/// The contact of `TCP request from 10.0.0.5:51000 to 192.0.2.10:443. Action:
/// Deny.`, which is in the field of the path.
fn of_sentence(contact: Contact<'_>) -> Contact<'_> {
    let sentence = contact.path;
    let word_after = |mark: &[u8]| {
        let value = until(after(sentence, mark)?, b" ,");
        Some(value.strip_suffix(b".").unwrap_or(value))
    };
    let query = || {
        let words = sentence.strip_prefix(b"DNS Request: ")?;
        let mut words = words.split(|byte| *byte == b' ');
        let client = words.next()?;
        Some((client, words.nth(4)?))
    };
    if let Some((client, host)) = query() {
        return Contact {
            host,
            client,
            path: b"",
            ..contact
        };
    }
    Contact {
        url: word_after(b"Url: ").unwrap_or_default(),
        host: word_after(b" to ").unwrap_or_default(),
        client: word_after(b" from ").unwrap_or_default(),
        action: action_of(word_after(b"Action: ").unwrap_or_default()),
        path: b"",
        ..contact
    }
}

fn of_tuple<'a>(contact: Contact<'a>, tuple: &'a [u8], stamps: Stamps) -> Option<Contact<'a>> {
    /// More fields are for bytes and packets.
    const FIELDS: usize = 8;
    let mut fields: [&[u8]; FIELDS] = [b""; FIELDS];
    let mut count = 0;
    for (field, text) in fields.iter_mut().zip(tuple.split(|byte| *byte == b',')) {
        *field = text;
        count += 1;
    }
    let [
        time,
        client,
        address,
        _from,
        _to,
        _protocol,
        _direction,
        decision,
    ] = fields;
    let is_flow = count == FIELDS && !time.is_empty() && time.iter().all(u8::is_ascii_digit);
    is_flow.then(|| Contact {
        client,
        address,
        time_us: stamps.any(time, DateOrder::MonthFirst).or(contact.time_us),
        action: match decision {
            b"D" => Action::Blocked,
            _ => Action::Allowed,
        },
        ..contact
    })
}

/// Decodes base64 in either alphabet (RFC 4648). Bytes after the padding are
/// skipped.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let value = |byte: u8| {
        Some(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in until(text, b"=") {
        bits = bits << 6 | u32::from(value(*byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
