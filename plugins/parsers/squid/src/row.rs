//! One request: what it contacted, and what Squid did with it.

use vthost_plugin::contact::split_scheme;
use vthost_plugin::parser::{Action, Line, Observation, Observations};
use vthost_plugin::{scan, split};

/// The columns of a line, as far as they are needed. A `-` is nothing.
#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    pub(crate) time_us: Option<i64>,
    pub(crate) client: &'a [u8],
    /// `TCP_MISS` of `TCP_MISS/200`.
    pub(crate) result: &'a [u8],
    /// `200` of `TCP_MISS/200`.
    pub(crate) status: &'a [u8],
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) user: &'a [u8],
    /// `HIER_DIRECT/192.0.2.10`, where it was read.
    pub(crate) hierarchy: &'a [u8],
    /// The server name of TLS, where the log has a column for it.
    pub(crate) sni: &'a [u8],
    /// Whether `ssl_bump terminate` closed the connection, where the log has the bump mode.
    pub(crate) is_terminated: bool,
}

impl Row<'_> {
    /// Adds the contact of this request.
    #[inline(always)]
    pub(crate) fn push(&self, found: &mut Observations<'_>) -> Line {
        let observation = match self.observation() {
            Ok(observation) => observation,
            Err(reason) => return Line::Ignored(reason),
        };
        // Blanks and bytes outside ASCII are `%20` in user names.
        let user = split::without_percent(present(without_quotes(self.user)));
        let made = |observation: Observation<'_>, found: &mut Observations<'_>| {
            found.push(
                observation
                    .client(present(self.client))
                    .user(&user)
                    .at(self.time_us)
                    .action(self.action()),
            );
        };
        made(observation, found);
        if !self.sni.is_empty() && self.is_tunnel_to_address() && !self.names_sni() {
            made(Observation::domain(self.sni), found);
        }
        Line::Record
    }

    /// Whether the target has the name of the TLS client in it already.
    fn names_sni(&self) -> bool {
        split::after(self.target, self.sni).is_some()
    }

    /// What was contacted, or why nothing was that could be looked up.
    #[inline(always)]
    fn observation(&self) -> Result<Observation<'_>, &'static str> {
        let target = self.target;
        if self.method == b"CONNECT" {
            return match without_port(target) {
                // No address ends in a letter but for those with colons.
                Some(name) if name.last().is_some_and(u8::is_ascii_alphabetic) => {
                    named(name).map(Observation::domain)
                }
                Some(name) => Ok(Observation::host(name)),
                None => tunnel(target),
            };
        }
        let is_usual = is_usual_url(target);
        if is_usual && self.hierarchy.starts_with(b"HIER_DIRECT/") {
            return Ok(Observation::url(target));
        }
        match split::after(target, b"/squid-internal-") {
            Some(_) => Err(OWN_REQUEST),
            None if is_usual => Ok(Observation::url(target)),
            None => unusual(target),
        }
    }

    /// A tunnel that was denied after the TLS server name was read leaves
    /// `TCP_DENIED/200` and then, for the error page, `NONE_NONE/403`. The answer
    /// of a redirector (squidGuard) is `TCP_REDIRECT`, also for a tunnel. The
    /// status of a tunnel means nothing else: `TCP_TUNNEL/500` went through.
    #[inline(always)]
    fn action(&self) -> Action {
        if self.is_terminated {
            return Action::Blocked;
        }
        let is_blocked = match self.result {
            // Most results are so short that only one word follows.
            [b'T', b'C', b'P', b'_', done @ ..] if done.len() <= 8 => {
                matches!(done, b"DENIED" | b"REDIRECT")
            }
            result => {
                split::after(result, b"DENIED").is_some()
                    || matches!(result, b"NONE_NONE" | b"NONE" | b"TAG_NONE")
                        && matches!(self.status, b"403" | b"407")
            }
        };
        if is_blocked {
            Action::Blocked
        } else {
            Action::Allowed
        }
    }

    fn is_tunnel_to_address(&self) -> bool {
        let host = without_port(self.target).unwrap_or(self.target);
        self.method == b"CONNECT" && !host.last().is_some_and(u8::is_ascii_alphabetic)
    }
}

const OWN_REQUEST: &str = "a request to Squid itself";

/// The host of a tunnel: `[2001:db8::1]:443`, and as other programs that write
/// Squid's format have it: `https://www.example.com:443` (e2guardian),
/// `tunnel://www.example.com:443/` (Cisco), `www.example.com:443/` and
/// `%5B2001:db8::1%5D:443/` (Traffic Server).
fn tunnel(target: &[u8]) -> Result<Observation<'_>, &'static str> {
    let target = [&b"https://"[..], b"tunnel://"]
        .iter()
        .find_map(|scheme| target.strip_prefix(*scheme))
        .unwrap_or(target);
    match &target[..scan::find(target, b'/').unwrap_or(target.len())] {
        b"" | b"-" => Err("no target"),
        host if host.starts_with(b"error:") => Err("a request that Squid did not understand"),
        host if host.starts_with(b":") => Err("no host"),
        host => Ok(Observation::host(
            escaped_brackets(host).map_or(host, |(address, _)| address),
        )),
    }
}

/// The address in `%5B2001:db8::1%5D:443`, and what follows it.
fn escaped_brackets(authority: &[u8]) -> Option<(&[u8], &[u8])> {
    split::split_once(authority.strip_prefix(b"%5B")?, b"%5D")
}

/// The name of a tunnel. A redirector that answers with a URL instead of
/// `302:URL` leaves `CONNECT http:443`.
fn named(name: &[u8]) -> Result<&[u8], &'static str> {
    match name {
        b"http" | b"https" => Err("no host"),
        _ => Ok(name),
    }
}

/// The contact of a request whose target does not begin like most URLs.
fn unusual(target: &[u8]) -> Result<Observation<'_>, &'static str> {
    match () {
        () if matches!(target, b"" | b"-") => Err("no target"),
        () if target.starts_with(b"error:") => Err("a request that Squid did not understand"),
        () if target.starts_with(b"cache_object:") || target.starts_with(b"internal:") => {
            Err(OWN_REQUEST)
        }
        () if target.starts_with(b"icap://") || target.starts_with(b"icaps://") => {
            Err("a request to an ICAP service")
        }
        () => match split_scheme(target) {
            Some((_, rest)) if rest.is_empty() || rest.starts_with(b"/") => Err("no host"),
            // Cisco's `TCP_CONNECT`, of a connection that was intercepted.
            Some((b"tunnel", _)) => tunnel(target),
            Some((scheme, rest)) => Ok(match escaped_brackets(rest) {
                Some((address, path)) => Observation::url_of(scheme, address, path),
                None => Observation::url(target),
            }),
            None => Err("no absolute URL"),
        },
    }
}

/// `www.example.com` of `www.example.com:443`: what most tunnels lead to.
#[inline(always)]
fn without_port(target: &[u8]) -> Option<&[u8]> {
    if let Some(name) = target.strip_suffix(b":443")
        && !matches!(name, [] | [b'[', ..])
        && scan::find_any(name, b":/").is_none()
    {
        return Some(name);
    }
    let (name, port) = target.split_at(scan::find_any(target, b":/")?);
    let port = port.strip_prefix(b":")?;
    (!name.is_empty() && name[0] != b'[' && scan::is_digits(port)).then_some(name)
}

/// Whether it begins as most URLs do, and has a host.
#[inline(always)]
fn is_usual_url(target: &[u8]) -> bool {
    let rest = target
        .strip_prefix(b"http://")
        .or_else(|| target.strip_prefix(b"https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !matches!(rest[0], b'/' | b'%'))
}

/// Cisco's Secure Web Appliance has users in quotes, and so may a `logformat`.
#[inline(always)]
fn without_quotes(user: &[u8]) -> &[u8] {
    match user {
        [b'"', inside @ .., b'"'] => inside,
        _ => user,
    }
}

/// `-` means that there is none.
#[inline(always)]
pub(crate) fn present(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}
