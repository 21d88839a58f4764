//! Rows of other columns than the native ones, as a `logformat` line describes
//! them. See <https://www.squid-cache.org/Doc/config/logformat/>.

use std::borrow::Cow;

use vthost_plugin::contact::plausible_address;
use vthost_plugin::parser::Input;
use vthost_plugin::scan;
use vthost_plugin::template::Template;
use vthost_plugin::time::{DateOrder, Stamps};

use crate::row::{Row, present};

/// What a column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A time with its zone, or in the input's.
    Time,
    /// A time in UTC, without a zone in the text (`%tg`).
    TimeUtc,
    Client,
    ClientPort,
    User,
    /// `TCP_MISS`.
    Result,
    Status,
    Method,
    Url,
    Scheme,
    Host,
    Port,
    Path,
    /// The server name of TLS.
    Sni,
    /// What Squid does with a TLS connection: `splice`, `terminate`.
    BumpMode,
    /// `HIER_DIRECT/192.0.2.10` or the word alone.
    Hierarchy,
    /// A number that is not needed.
    Number,
    /// Anything else that is not needed.
    Other,
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) role: Role,
    /// Whether it is in quotes, where Squid writes `\"` and `\\`.
    pub(crate) is_quoted: bool,
}

/// The columns of a log in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    template: Template,
    columns: Vec<Column>,
}

/// How an input writes times.
#[derive(Clone, Copy)]
pub(crate) struct Zones {
    /// Times without a zone.
    own: Stamps,
    /// Times in UTC.
    utc: Stamps,
}

impl Zones {
    pub(crate) fn of(input: &Input) -> Self {
        let utc = Input {
            name: String::new(),
            head: Vec::new(),
            utc_offset_minutes: 0,
            reference_time_us: input.reference_time_us,
        };
        Self {
            own: Stamps::of(input),
            utc: Stamps::of(&utc),
        }
    }

    pub(crate) fn own(self) -> Stamps {
        self.own
    }

    fn read(self, role: Role, text: &[u8]) -> Option<i64> {
        let stamps = match role {
            Role::TimeUtc => self.utc,
            _ => self.own,
        };
        stamps.any(text, DateOrder::MonthFirst)
    }
}

impl Layout {
    /// Adds a column, and the text before it.
    pub(crate) fn push(&mut self, before: &[u8], role: Role) {
        self.columns.push(Column {
            role,
            is_quoted: before.ends_with(b"\""),
        });
        self.template.push(before);
    }

    /// Sets the text after the last column.
    pub(crate) fn set_end(&mut self, end: &[u8]) {
        self.template.set_end(end);
    }

    /// Whether there is no column.
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether the client has a port, as `%>a:%>p` writes it. Of IPv6 addresses the
    /// native reader cannot know: `2001:db8::5:4711` is an address, too.
    pub(crate) fn has_client_port(&self) -> bool {
        let is_client_port = |pair: &[Column]| {
            matches!(pair, [client, port]
                if client.role == Role::Client && port.role == Role::ClientPort)
        };
        self.columns.windows(2).any(is_client_port)
    }

    /// Whether the URL is in quotes, which the native reader takes for a part of it.
    pub(crate) fn has_quoted_url(&self) -> bool {
        let is_quoted_url = |column: &Column| column.role == Role::Url && column.is_quoted;
        self.columns.iter().any(is_quoted_url)
    }

    /// Whether it has the server name of TLS or the bump mode, which the native reader does
    /// not see.
    pub(crate) fn has_tls(&self) -> bool {
        self.has(Role::Sni) || self.has(Role::BumpMode)
    }

    /// Whether a column has this meaning.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.columns.iter().any(|column| column.role == role)
    }

    /// The values of a row. `log_mime_hdrs` adds headers in brackets to any
    /// layout; they are left out.
    pub(crate) fn read<'a>(&self, line: &'a [u8], zones: Zones) -> Option<Found<'a>> {
        let without_headers = || {
            let start = line.windows(2).position(|pair| pair == b" [")?;
            line.ends_with(b"]").then_some(&line[..start])
        };
        let read = |line: &'a [u8]| {
            self.template.read(line, &|number, value| {
                accepts(self.columns[number].role, value, zones)
            })
        };
        let values = read(line).or_else(|| read(without_headers()?))?;
        Some(self.found(&values, zones))
    }

    fn found<'a>(&self, values: &[&'a [u8]], zones: Zones) -> Found<'a> {
        let mut found = Found::default();
        let mut parts = Parts::default();
        for (column, value) in self.columns.iter().zip(values) {
            let text = match column.is_quoted {
                true => unescaped(value),
                false => Cow::Borrowed(*value),
            };
            let slot = match column.role {
                Role::Time | Role::TimeUtc => {
                    let time_us = zones.read(column.role, value);
                    found.time_us = found.time_us.or(time_us);
                    continue;
                }
                Role::Client => &mut found.client,
                Role::User => &mut found.user,
                Role::BumpMode => {
                    found.is_terminated |= *value == b"terminate";
                    continue;
                }
                Role::Result => &mut found.result,
                Role::Status => &mut found.status,
                Role::Method => &mut found.method,
                Role::Url => &mut found.target,
                Role::Sni => &mut found.sni,
                Role::Hierarchy => &mut found.hierarchy,
                Role::Scheme => &mut parts.scheme,
                Role::Host => &mut parts.host,
                Role::Port => &mut parts.port,
                Role::Path => &mut parts.path,
                Role::ClientPort | Role::Number | Role::Other => continue,
            };
            if present(slot).is_empty() {
                *slot = text;
            }
        }
        if found.target.is_empty() {
            found.target = parts.target(&found.method).into();
        }
        found
    }
}

/// The values of a row.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) time_us: Option<i64>,
    client: Cow<'a, [u8]>,
    user: Cow<'a, [u8]>,
    result: Cow<'a, [u8]>,
    status: Cow<'a, [u8]>,
    method: Cow<'a, [u8]>,
    target: Cow<'a, [u8]>,
    sni: Cow<'a, [u8]>,
    hierarchy: Cow<'a, [u8]>,
    is_terminated: bool,
}

impl Found<'_> {
    pub(crate) fn row(&self) -> Row<'_> {
        Row {
            time_us: self.time_us,
            client: plausible_address(&self.client).unwrap_or(&self.client),
            result: &self.result,
            status: &self.status,
            method: &self.method,
            target: &self.target,
            user: &self.user,
            hierarchy: &self.hierarchy,
            sni: present(&self.sni),
            is_terminated: self.is_terminated,
        }
    }
}

/// The URL in parts, as `%>rs`, `%>rd`, `%>rP` and `%>rp` write it.
#[derive(Default)]
struct Parts<'a> {
    scheme: Cow<'a, [u8]>,
    host: Cow<'a, [u8]>,
    port: Cow<'a, [u8]>,
    path: Cow<'a, [u8]>,
}

impl Parts<'_> {
    fn target(&self, method: &[u8]) -> Vec<u8> {
        let [host, port, path] = [&self.host, &self.port, &self.path].map(|part| present(part));
        if host.is_empty() {
            return Vec::new();
        }
        if method == b"CONNECT" {
            return host.to_vec();
        }
        let scheme = match present(&self.scheme) {
            b"" => b"http",
            scheme => scheme,
        };
        let colon: &[u8] = match (scheme, port) {
            (_, b"") | (b"http", b"80") | (b"https", b"443") => b"",
            _ => b":",
        };
        let port = if colon.is_empty() { b"" } else { port };
        [scheme, b"://", host, colon, port, path].concat()
    }
}

/// Whether a column can have this value; `-` is nothing, in any column.
fn accepts(role: Role, value: &[u8], zones: Zones) -> bool {
    if value == b"-" {
        return true;
    }
    match role {
        Role::Time | Role::TimeUtc => zones.read(role, value).is_some(),
        Role::ClientPort => scan::is_digits(value),
        Role::Number => is_number(value.trim_ascii()),
        Role::Status => matches!(value.len(), 1..=3) && scan::is_digits(value),
        Role::Result => is_result(value),
        Role::Hierarchy | Role::Method | Role::Scheme | Role::Port | Role::BumpMode => {
            is_word(value)
        }
        Role::Client => is_word(value) && !value.contains(&b'/'),
        Role::Url => !value.is_empty() && value[0] != b' ',
        Role::User | Role::Host | Role::Path | Role::Sni | Role::Other => true,
    }
}

/// Whether a value is one word: neither empty nor with blanks or quotes.
fn is_word(value: &[u8]) -> bool {
    !value.is_empty() && scan::find_any(value, b" \t\"").is_none()
}

/// `161`, `-1`, `374.156`.
pub(crate) fn is_number(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let dots = digits.iter().filter(|byte| **byte == b'.').count();
    !digits.is_empty() && dots <= 1 && scan::is_all(digits, [b'0'..=b'9', b'.'..=b'.'])
}

/// What Squid did: `TCP_MISS`, `NONE_NONE`, `UDP_HIT`; in Traffic Server's words
/// also `ERR_PROXY_DENIED`.
pub(crate) fn is_result(value: &[u8]) -> bool {
    let has_prefix = [&b"TCP_"[..], b"UDP_", b"NONE_", b"TAG_", b"ERR_", b"ICAP_"]
        .iter()
        .any(|prefix| value.starts_with(prefix));
    let is_word = || scan::is_all(value, [b'A'..=b'Z', b'_'..=b'_', b'0'..=b'9']);
    (has_prefix || matches!(value, b"NONE" | b"DENIED")) && is_word()
}

/// A value in quotes without the backslashes before `"` and `\`.
fn unescaped(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\\') {
        return value.into();
    }
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'\\', [escaped @ (b'"' | b'\\' | b'/'), after @ ..]) => {
                text.push(*escaped);
                rest = after;
            }
            _ => {
                text.push(byte);
                rest = after;
            }
        }
    }
    text.into()
}
