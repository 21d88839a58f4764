//! Squid's other logs.

use vthost_plugin::contact::split_scheme;
use vthost_plugin::parser::{Line, Observation, Observations};
use vthost_plugin::split::after;
use vthost_plugin::{scan, split, time};

use crate::row::{Row, present};

/// A line of another log.
pub(crate) enum Other<'a> {
    /// A request, without what Squid did with it.
    Request {
        time_us: i64,
        client: &'a [u8],
        target: &'a [u8],
    },
    /// A line that holds no contact.
    Nothing(&'static str),
}

impl<'a> Other<'a> {
    pub(crate) fn of(line: &'a [u8]) -> Option<Self> {
        referrer(line)
            .or_else(|| stored(line))
            .or_else(|| icap(line))
            .or_else(|| user_agent(line))
    }

    pub(crate) fn push(&self, found: &mut Observations<'_>) -> Line {
        let (time_us, client, target) = match *self {
            Self::Nothing(reason) => return Line::Ignored(reason),
            Self::Request {
                time_us,
                client,
                target,
            } => (time_us, client, target),
        };
        let observation = match split_scheme(target) {
            Some(_) => Observation::url(target),
            None => Observation::host(target),
        };
        found.push(observation.client(client).at(Some(time_us)));
        Line::Record
    }
}

/// `referrer`: time, client, the page that had the link, what was asked for.
fn referrer(line: &[u8]) -> Option<Other<'_>> {
    let mut words = split::blanks(line);
    let (time, client, page, target) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_page = page == b"-" || split_scheme(page).is_some();
    (is_page && is_target(target) && words.next().is_none()).then_some(())?;
    Some(Other::Request {
        time_us: time::epoch(time)?,
        client: present(client),
        target,
    })
}

fn is_target(text: &[u8]) -> bool {
    let port = || {
        text.rsplit(|byte| *byte == b':')
            .next()
            .is_some_and(scan::is_digits)
    };
    split_scheme(text).is_some() || scan::find(text, b':').is_some() && port()
}

/// `store.log`: `1714564800.123 SWAPOUT 00 00000001 0123..  200 1714564800 -1 -1
/// text/html 6/6 GET http://www.example.com/`. It does not name the client.
fn stored(line: &[u8]) -> Option<Other<'_>> {
    let mut words = split::blanks(line);
    let (time, action) = (words.next()?, words.next()?);
    matches!(
        action,
        b"SWAPOUT" | b"SWAPIN" | b"RELEASE" | b"SO_FAIL" | b"CREATE"
    )
    .then_some(())?;
    let time_us = time::epoch(time)?;
    let target = words.last()?;
    Some(match split_scheme(target) {
        Some(_) => Other::Request {
            time_us,
            client: b"",
            target,
        },
        None => Other::Nothing("an object without a URL"),
    })
}

/// `icap_log`: the URL is that of the ICAP service, which belongs to the proxy.
fn icap(line: &[u8]) -> Option<Other<'_>> {
    let first = split::blanks(line).next()?;
    let is_icap = after(line, b" icap://").is_some() && after(line, b" ICAP_").is_some();
    (is_icap && time::epoch(first).is_some())
        .then_some(Other::Nothing("a request to an ICAP service"))
}

/// `useragent`: `10.0.0.5 [01/May/2024:12:00:00 +0000] "curl/8.0"`.
fn user_agent(line: &[u8]) -> Option<Other<'_>> {
    let (client, rest) = split::split_once(line, b" [")?;
    let (time, agent) = split::split_once(rest, b"] \"")?;
    let is_time = time.len() == 26 && time[2] == b'/' && time[6] == b'/';
    // A row of the common format has a method and a target there.
    let is_request = || after(agent, b" HTTP/").is_some();
    (is_time && !client.contains(&b' ') && agent.ends_with(b"\"") && !is_request())
        .then_some(Other::Nothing("a user agent"))
}

/// A record ends at this length, whatever its format.
const MAX_RECORD: usize = 8_191;

/// The records in a line with one that was cut, and whether the first is. Of the
/// formats `squid`, `common` and `combined` the line feed is lost with the rest:
///
/// ```text
/// 1714564800.123 .. GET http://www.example.com/aaaa\0 1714564801.456 .. GET ..\n
/// |                  8,191 bytes                     |
/// ```
pub(crate) fn cut_records(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if line.len() + 2 < MAX_RECORD {
        return None;
    }
    let end = scan::find(line, 0).unwrap_or(line.len());
    Some((&line[..end], line.get(end + 1..).unwrap_or_default()))
}

/// The contact of a record that was cut: its host, because the URL is not whole.
pub(crate) fn push_cut(row: &Row<'_>, found: &mut Observations<'_>) -> Line {
    let rest = split_scheme(row.target).map_or(row.target, |(_, rest)| rest);
    let Some(end) = scan::find_any(rest, b"/?#") else {
        return Line::Rejected("a record that was cut before the end of the host");
    };
    let (target, method) = (&rest[..end], &b"CONNECT"[..]);
    Row {
        target,
        method,
        ..*row
    }
    .push(found)
}
