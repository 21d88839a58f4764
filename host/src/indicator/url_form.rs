//! The canonical form of URLs, and a URL's host by looking at bytes alone.

use std::borrow::Cow;
use std::fmt::Write as _;

use url::{Host, Url};

use super::{Invalid, Kind, host};

/// The canonical form of a URL.
pub(super) fn canonical(raw: &[u8]) -> Result<String, Invalid> {
    if is_canonical(raw)
        && let Ok(text) = std::str::from_utf8(raw)
    {
        return Ok(text.to_owned());
    }
    slowly(&readable(raw))
}

/// The host of a raw value, found by scanning: without scheme, user-info, port,
/// brackets and path. None where there is none.
#[must_use]
pub fn raw_host(kind: Kind, raw: &[u8]) -> Option<&[u8]> {
    let (rest, is_url) = match kind {
        Kind::Domain | Kind::Ip => (raw, false),
        Kind::Url => (behind_scheme(raw), true),
    };
    let host = match rest.iter().position(|byte| IS_MARK[usize::from(*byte)]) {
        // Most hosts are a name followed by nothing but a path.
        None => rest,
        Some(mark) if is_url && ends_authority(rest[mark]) => &rest[..mark],
        Some(_) => host_of(if is_url { authority(rest) } else { rest })?,
    };
    let host = host.strip_suffix(b".").unwrap_or(host);
    (!host.is_empty()).then_some(host)
}

/// Bytes that are of no name: what begins a port, brackets or a path, or ends the
/// user-info.
const IS_MARK: [bool; 256] = {
    let mut is_mark = [false; 256];
    let mut marks: &[u8] = b"/?#\\:@[";
    while let [mark, rest @ ..] = marks {
        is_mark[*mark as usize] = true;
        marks = rest;
    }
    is_mark
};

/// The host of an authority without user-info.
fn host_of(authority: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = authority.strip_prefix(b"[") {
        return Some(&rest[..memchr::memchr(b']', rest)?]);
    }
    let mut colons = memchr::memchr_iter(b':', authority);
    Some(match (colons.next(), colons.next()) {
        // One colon begins a port; two are in an IPv6 address.
        (Some(colon), None) => &authority[..colon],
        _ => authority,
    })
}

/// What follows `://`, if a scheme precedes it.
fn behind_scheme(url: &[u8]) -> &[u8] {
    let usual = url
        .strip_prefix(b"http://")
        .or_else(|| url.strip_prefix(b"https://"));
    usual.unwrap_or_else(|| match memchr::memchr(b':', url) {
        Some(colon) if url[colon..].starts_with(b"://") => &url[colon + 3..],
        _ => url,
    })
}

/// The part before the path, without user-info.
fn authority(rest: &[u8]) -> &[u8] {
    let end = rest
        .iter()
        .position(|byte| ends_authority(*byte))
        .unwrap_or(rest.len());
    let authority = &rest[..end];
    match memchr::memrchr(b'@', authority) {
        Some(at) => &authority[at + 1..],
        None => authority,
    }
}

fn ends_authority(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#' | b'\\')
}

/// Whether a URL is canonical already, as most in a proxy's log are. `true` only
/// for URLs that [`slowly`] returns unchanged; it may be `false` for others of them.
pub(super) fn is_canonical(raw: &[u8]) -> bool {
    let Some(rest) = raw
        .strip_prefix(b"http://")
        .or_else(|| raw.strip_prefix(b"https://"))
    else {
        return false;
    };
    let Some(slash) = memchr::memchr(b'/', rest) else {
        return false;
    };
    let (authority, path) = rest.split_at(slash);
    let name = match memchr::memchr(b':', authority) {
        Some(colon) if is_plain_port(&authority[colon + 1..]) => &authority[..colon],
        _ => authority,
    };
    let ends_in_letter = name.last().is_some_and(u8::is_ascii_lowercase);
    ends_in_letter && is_plain_name(name) && is_plain_path(path)
}

/// A port that the URL parser leaves as it is, whatever the scheme.
fn is_plain_port(port: &[u8]) -> bool {
    matches!(port, [b'1'..=b'9', rest @ ..] if rest.len() < 4 && rest.iter().all(u8::is_ascii_digit))
        && !matches!(port, b"80" | b"443")
}

/// A short domain name that needs neither IDNA nor a look at whether it is a
/// number (`0x7f.1` is an address): a host of these bytes is canonical, alone
/// and in a URL.
#[must_use]
pub fn is_plain_name(name: &[u8]) -> bool {
    // Every label of Punycode begins with `xn--`; a label that is empty, or has
    // a hyphen at an end, has a dot beside another mark.
    let is_mark = |byte| (byte == b'.') | (byte == b'-');
    let is_of_name = |byte: u8| {
        byte.is_ascii_lowercase() | byte.is_ascii_digit() | is_mark(byte) | (byte == b'_')
    };
    let ends = name.first().zip(name.last());
    let last_label = memchr::memrchr(b'.', name).map_or(name, |dot| &name[dot + 1..]);
    name.len() <= host::MAX_LABEL_BYTES
        && ends.is_some_and(|(first, last)| !is_mark(*first) && !is_mark(*last))
        && all(name, is_of_name)
        && !has_pair(name, |first, second| is_mark(first) & is_mark(second))
        && !last_label.iter().any(u8::is_ascii_digit)
}

/// A path and query that the URL parser leaves as they are.
fn is_plain_path(path_and_query: &[u8]) -> bool {
    let query = memchr::memchr(b'?', path_and_query);
    let path = &path_and_query[..query.unwrap_or(path_and_query.len())];
    // A segment that begins with a dot may be `..`; `%2e` is a dot.
    let is_dotted = |first, second| (first == b'/') & ((second == b'.') | (second == b'%'));
    all(path_and_query, is_plain) && !has_pair(path, is_dotted)
}

fn is_plain(byte: u8) -> bool {
    let is_mark = [b'!', b'$', b'%', b'&', b'=', b'_', b'~']
        .iter()
        .fold(false, |is_mark, mark| is_mark | (byte == *mark));
    is_mark
        | (b'('..=b';').contains(&byte)
        | (b'?'..=b'Z').contains(&byte)
        | byte.is_ascii_lowercase()
}

/// Whether all bytes are of a kind. All are looked at, whatever the first is:
/// that way many of them are looked at together.
fn all(bytes: &[u8], is: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, byte| all & is(*byte))
}

/// Whether two neighbouring bytes are of a kind.
fn has_pair(bytes: &[u8], is: impl Fn(u8, u8) -> bool) -> bool {
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    pairs.fold(false, |has, (first, second)| has | is(*first, *second))
}

/// Text for the URL parser: bytes that are not UTF-8 as percent-escapes.
fn readable(raw: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(raw) {
        return text.into();
    }
    let mut text = String::with_capacity(raw.len() * 2);
    for chunk in raw.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text.into()
}

/// The canonical form by way of the WHATWG URL parser.
fn slowly(text: &str) -> Result<String, Invalid> {
    let (scheme, rest) = split_scheme(text)?;
    if rest.starts_with(['/', '\\']) {
        return Err(Invalid::NoHost);
    }
    let scheme = scheme.to_ascii_lowercase();
    // The parser normalises hosts only of the schemes that it knows.
    let known = ["http", "https", "ftp", "ws", "wss"].contains(&scheme.as_str());
    let parsed_as = if known { scheme.as_str() } else { "http" };
    let url = Url::parse(&format!("{parsed_as}://{rest}")).map_err(|_| Invalid::NotAUrl)?;
    let mut canonical = format!("{scheme}://{}", canonical_host(&url)?);
    if let Some(port) = url.port() {
        // Writing to a String cannot fail.
        let _ = write!(canonical, ":{port}");
    }
    canonical.push_str(url.path());
    if let Some(query) = url.query() {
        canonical.push('?');
        canonical.push_str(query);
    }
    Ok(canonical)
}

/// `https`, `example.com/a` of `https://example.com/a`; a missing scheme is
/// `http`. `example.com:443` has a port and no scheme, `mailto:x` no host.
fn split_scheme(text: &str) -> Result<(&str, &str), Invalid> {
    let Some((before, after)) = text.split_once(':') else {
        return Ok(("http", text));
    };
    let is_scheme = before.starts_with(|c: char| c.is_ascii_alphabetic())
        && before
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    match after.strip_prefix("//") {
        Some(rest) if is_scheme => Ok((before, rest)),
        _ if is_scheme && !after.starts_with(|c: char| c.is_ascii_digit()) => Err(Invalid::NoHost),
        _ => Ok(("http", text)),
    }
}

fn canonical_host(url: &Url) -> Result<String, Invalid> {
    match url.host().ok_or(Invalid::NoHost)? {
        Host::Ipv4(address) => Ok(address.to_string()),
        Host::Ipv6(address) => Ok(host::bracketed(address)),
        Host::Domain(name) => host::domain(name).ok_or(Invalid::NotAUrl),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_host_is_found_by_scanning() {
        let check = |kind, raw: &str, expected: Option<&str>| {
            let host = raw_host(kind, raw.as_bytes());
            assert_eq!(host, expected.map(str::as_bytes), "{raw}");
        };
        check(
            Kind::Url,
            "http://u:p@example.com:80/a@b",
            Some("example.com"),
        );
        check(Kind::Url, "example.com/a:b", Some("example.com"));
        check(Kind::Url, "http://[2001:db8::1]:80/", Some("2001:db8::1"));
        check(Kind::Url, "http:///a", None);
        check(Kind::Url, "http://example.com?a:b@c", Some("example.com"));
        check(Kind::Url, "https://example.com#a", Some("example.com"));
        check(Kind::Url, "http://example.com\\a@b", Some("example.com"));
        check(Kind::Url, "HTTP://example.com:80?a", Some("example.com"));
        check(Kind::Url, "ftp://u@[2001:db8::1", None);
        check(Kind::Url, "http://example.com", Some("example.com"));
        check(Kind::Domain, "example.com/a", Some("example.com/a"));
        check(Kind::Domain, "[2001:db8::1]", Some("2001:db8::1"));
        check(Kind::Domain, "example.com:443", Some("example.com"));
        check(Kind::Domain, "example.com.", Some("example.com"));
        check(Kind::Ip, "2001:db8::1", Some("2001:db8::1"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_escaped() {
        let url = canonical(b"http://example.com/caf\xe9").unwrap();
        assert_eq!(url, "http://example.com/caf%E9");
    }

    proptest! {
        #[test]
        fn the_fast_way_agrees_with_the_slow_one(
            url in "https?://[a-z0-9._-]{1,20}(:[0-9]{0,5})?(/[a-zA-Z0-9.%/~:+,;@!$*()-]{0,20})?([?][a-z=&%./?]{0,9})?"
        ) {
            if is_canonical(url.as_bytes()) {
                prop_assert_eq!(slowly(&url), Ok(url.clone()));
            }
        }
    }
}
