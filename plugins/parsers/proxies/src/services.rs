//! Logs of a proxy's services.

use vthost_plugin::contact::{Contact, split_scheme};
use vthost_plugin::split::{split_once, until};
use vthost_plugin::time::{DateOrder, Stamps};

use crate::Read;

/// c-icap's access log: `dd/Mon/yyyy:hh:mm:ss +zone, PROXY SERVER METHOD service
/// status`. Both addresses are the proxy's own.
pub(crate) fn c_icap(line: &[u8], stamps: Stamps) -> Option<Read<'_>> {
    let (time, rest) = split_once(line, b", ")?;
    let method = rest.split(|byte| *byte == b' ').nth(2)?;
    let is_icap = matches!(method, b"OPTIONS" | b"REQMOD" | b"RESPMOD");
    let has_time = || stamps.any(time, DateOrder::DayFirst).is_some();
    (is_icap && has_time()).then_some(Read::Nothing("a request to an ICAP service"))
}

/// Traffic Server's `error.log`: `20240501.12h00m00s DNS Error: looking up URL`,
/// `CONNECT: could not connect to 192.0.2.10 for 'URL'`, without the client.
pub(crate) fn traffic_server(line: &[u8], stamps: Stamps) -> Option<Read<'_>> {
    let (time, text) = line.split_at_checked(18)?;
    let &[
        y1,
        y2,
        y3,
        y4,
        m1,
        m2,
        d1,
        d2,
        b'.',
        h1,
        h2,
        b'h',
        n1,
        n2,
        b'm',
        s1,
        s2,
        b's',
    ] = time
    else {
        return None;
    };
    let iso = [
        y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2,
    ];
    let time_us = Some(stamps.iso8601(&iso)?);
    let words = text.split(|byte| *byte == b' ');
    let mut urls = words.filter_map(|word| {
        let word = word.strip_prefix(b"'").unwrap_or(word);
        split_scheme(word).map(|_| word)
    });
    Some(match urls.next() {
        Some(url) => Read::Contact(Contact {
            url: until(url, b"'\""),
            time_us,
            ..Contact::default()
        }),
        None => Read::Nothing("an error without a URL"),
    })
}
