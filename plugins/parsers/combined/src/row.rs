//! Rows of the common and combined log formats, wherever in a line they begin.

use vthost_plugin::contact::{Contact, plausible_address};
use vthost_plugin::parser::Action;
use vthost_plugin::scan;
use vthost_plugin::split::{after, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

use crate::find_from;

/// The parts of a row that are needed.
pub(crate) struct Row<'a> {
    pub(crate) client: &'a [u8],
    pub(crate) user: &'a [u8],
    pub(crate) time: &'a [u8],
    pub(crate) method: &'a [u8],
    /// As it is written, with escapes.
    pub(crate) target: &'a [u8],
    status: &'a [u8],
    /// Squid's `TCP_MISS` of `TCP_MISS:HIER_DIRECT`, the last word.
    result: &'a [u8],
    /// Whether it has HAProxy's columns after the size (`option httplog clf`).
    pub(crate) is_load_balancer: bool,
}

impl<'a> Row<'a> {
    /// Reads `client ident user [time] "request" status size ..`. A header of syslog,
    /// a virtual host or a list of forwarders may come before.
    pub(crate) fn read(line: &'a [u8], stamps: Stamps) -> Option<Self> {
        let (open, close) = time_of(line)?;
        let rest = line[close + 1..].trim_ascii_start().strip_prefix(b"\"")?;
        let end = end_of_request(rest)?;
        let (request, after) = (&rest[..end], rest[end + 1..].trim_ascii_start());
        let (client, user) = head(line, open, stamps)?;
        let (method, target) = match scan::find(request, b' ') {
            Some(blank) => (&request[..blank], without_version(&request[blank + 1..])),
            None => (request, &b""[..]),
        };
        Some(Self {
            client,
            user,
            time: &line[open + 1..close],
            method,
            target,
            status: until(after, b" "),
            result: result_of(after),
            is_load_balancer: is_haproxy_clf(after),
        })
    }

    /// The contact of a web server: with the remote side, by address or by name.
    pub(crate) fn remote(&self, time_us: Option<i64>) -> Contact<'a> {
        Contact {
            host: self.client,
            time_us,
            ..Contact::default()
        }
    }

    /// What a proxy did. Squid's result decides, and never a word elsewhere in the
    /// line; without one 403 may be the proxy's or the site's.
    pub(crate) fn action(&self) -> Action {
        let is_denied = after(self.result, b"DENIED").is_some()
            || self.result.starts_with(b"TCP_REDIRECT")
            || matches!(self.result, b"NONE_NONE" | b"NONE") && self.status == b"403";
        match (is_denied, self.result, self.status) {
            (true, ..) | (false, b"", b"407") => Action::Blocked,
            (false, b"", b"403") => Action::Unstated,
            _ => Action::Allowed,
        }
    }
}

/// Where the brackets of the time are: not those of `squid[1]:` in a header.
fn time_of(line: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let open = find_from(line, from, b'[')?;
        let close = find_from(line, open, b']')?;
        let time = &line[open + 1..close];
        if time.len() >= 17 && time.iter().filter(|byte| **byte == b'/').count() == 2 {
            return Some((open, close));
        }
        from = open + 1;
    }
}

/// Where a request ends: at the quote before a status. Squid and Privoxy escape no
/// quotes, so that others may be inside:
///
/// ```text
/// GET http://www.example.com/a"b?c="d" HTTP/1.1" 200 259 ..
///                             |    | |         | this one
/// ```
fn end_of_request(text: &[u8]) -> Option<usize> {
    let quotes = || quotes_in(text);
    let is_before_status = |quote: &usize| {
        let status = until(text.get(quote + 2..).unwrap_or_default(), b" ");
        text.get(quote + 1) == Some(&b' ')
            && (status == b"-" || matches!(status.len(), 1..=3) && scan::is_digits(status))
    };
    quotes().find(is_before_status).or_else(|| quotes().next())
}

/// The quotes that no backslash escapes.
fn quotes_in(text: &[u8]) -> impl Iterator<Item = usize> {
    let mut is_escaped = false;
    (0..text.len()).filter(move |at| {
        let is_quote = text[*at] == b'"' && !is_escaped;
        is_escaped = text[*at] == b'\\' && !is_escaped;
        is_quote
    })
}

/// A target without the version after it. The target may have blanks.
fn without_version(text: &[u8]) -> &[u8] {
    let Some(blank) = text.iter().rposition(|byte| *byte == b' ') else {
        return text;
    };
    let is_version = [&b"HTTP/"[..], b"NONE/"]
        .iter()
        .any(|version| text[blank + 1..].starts_with(version));
    if is_version { &text[..blank] } else { text }
}

/// The result that the formats of Squid (`TCP_MISS:HIER_DIRECT`) and of Traffic Server
/// (`extended2`: `ERR_PROXY_DENIED`) end with.
fn result_of(rest: &[u8]) -> &[u8] {
    let last = rest.trim_ascii_end().rsplit(|byte| *byte == b' ').next();
    let last = last.unwrap_or_default();
    let result = until(last, b":/");
    let is_prefixed = [&b"TCP_"[..], b"ERR_"]
        .iter()
        .any(|prefix| result.starts_with(prefix));
    let is_result = result.contains(&b'_') && (last.len() > result.len() || is_prefixed)
        || matches!(result, b"NONE" | b"DENIED");
    let is_word = scan::is_all(result, [b'A'..=b'Z', b'_'..=b'_']);
    if is_result && is_word { result } else { b"" }
}

/// `200 99 "" "" 40001 120 "frontend" ..`: two cookies, the client's port, a fraction.
fn is_haproxy_clf(rest: &[u8]) -> bool {
    let Some(extras) = after(rest, b" \"\" \"\" ") else {
        return false;
    };
    let mut words = extras.split(|byte| *byte == b' ');
    let mut is_number = || words.next().is_some_and(scan::is_digits);
    is_number() && is_number()
}

/// The client and the user, before the time.
///
/// ```text
/// 10.0.0.5 - jane                              client, ident, user
/// www.example.org:80 192.0.2.10 - -            with a virtual host
/// www.example.org "192.0.2.10, 10.0.0.1" 10.2.1.1 - -   the first of the list
/// Nov 29 01:01:10 gw squid: 10.0.0.5 - jane    with a header of syslog
/// ```
fn head(line: &[u8], open: usize, stamps: Stamps) -> Option<(&[u8], &[u8])> {
    let before = &line[..open];
    let syslog = Syslog::of(before, stamps);
    let row = match syslog.time_us {
        Some(_) => syslog.message,
        None if syslog.program.is_empty() => before,
        None => syslog.message,
    };
    let words: Vec<&[u8]> = row
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty())
        .collect();
    let before_user = words.len().checked_sub(2);
    let ident = match before_user {
        None => return Some((trimmed(words.first()?), b"")),
        Some(last) => (1..=last)
            .find(|at| words[*at] == b"-")
            .unwrap_or(last.max(1)),
    };
    let clients = &words[..ident];
    let listed = clients
        .iter()
        .find(|word| word.ends_with(b",") || word.starts_with(b"\""));
    let client = match listed {
        Some(_) => clients
            .iter()
            .map(|word| trimmed(word))
            .find(|word| plausible_address(word).is_some()),
        None => clients.last().copied(),
    };
    Some((client?, user_of(&words[ident.min(words.len() - 1)..], row)))
}

/// The user after the ident: all words, but for a hardware address that pfSense
/// adds.
fn user_of<'a>(words: &[&'a [u8]], row: &'a [u8]) -> &'a [u8] {
    let mut words = words.iter().skip(1);
    let is_hardware_address =
        |word: &&&[u8]| word.len() == 17 && word.iter().filter(|byte| **byte == b':').count() == 5;
    let first = match words.next() {
        Some(first) if is_hardware_address(&first) => words.next(),
        first => first,
    };
    match first {
        Some(first) => {
            let start = first.as_ptr() as usize - row.as_ptr() as usize;
            row[start..].trim_ascii_end()
        }
        None => b"",
    }
}

/// Without the quotes and commas of a list.
fn trimmed(word: &[u8]) -> &[u8] {
    let word = word.strip_prefix(b"\"").unwrap_or(word);
    let word = word.strip_suffix(b",").unwrap_or(word);
    word.strip_suffix(b"\"").unwrap_or(word)
}
