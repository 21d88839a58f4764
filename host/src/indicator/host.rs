//! Hosts: domain names and addresses.

use std::net::{IpAddr, Ipv6Addr};

use super::Indicator;

/// RFC 1035 section 2.3.4, in octets of the textual form without final dot.
const MAX_NAME_BYTES: usize = 253;
pub(super) const MAX_LABEL_BYTES: usize = 63;

/// Reads a domain name or an address, perhaps with a port, brackets or a zone.
pub(super) fn parse(raw: &[u8]) -> Option<Indicator> {
    if let Some(address) = parse_address(raw) {
        return Some(address);
    }
    let text = std::str::from_utf8(without_port(raw)).ok()?;
    domain(text).map(Indicator::domain)
}

/// Reads an address, perhaps with a port, brackets or a zone.
pub(super) fn parse_address(raw: &[u8]) -> Option<Indicator> {
    let text = std::str::from_utf8(raw).ok()?;
    let text = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').filter(|(_, port)| is_port(port))?.0,
        None => text,
    };
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    let address = text.parse::<IpAddr>().ok().or_else(|| {
        let (address, port) = text.split_once(':')?;
        let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        is_port
            .then(|| address.parse::<std::net::Ipv4Addr>().ok())?
            .map(IpAddr::V4)
    })?;
    Some(Indicator::address(address))
}

/// The canonical form of a domain name.
pub(super) fn domain(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let name = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(text).ok()?
    };
    is_domain(name.as_bytes()).then_some(name)
}

/// Whether an address is in canonical form.
pub(super) fn is_canonical_address(raw: &[u8]) -> bool {
    let text = std::str::from_utf8(raw).unwrap_or_default();
    match text.parse() {
        // There is one way to write an IPv4 address that the parser takes.
        Ok(IpAddr::V4(_)) => true,
        Ok(address) => address.to_canonical().to_string() == text,
        Err(_) => false,
    }
}

/// Whether a lower-case ASCII name is a domain name. Underscores occur in the
/// DNS and pass; a name whose last label is all digits would be a broken
/// address.
pub(super) fn is_domain(name: &[u8]) -> bool {
    let mut last: &[u8] = b"";
    for label in name.split(|byte| *byte == b'.') {
        if !is_label(label) {
            return false;
        }
        last = label;
    }
    name.len() <= MAX_NAME_BYTES && !last.iter().all(u8::is_ascii_digit)
}

/// The bytes of an IPv6 address in brackets, or none.
pub(super) fn bracketed(address: Ipv6Addr) -> String {
    format!("[{address}]")
}

fn is_label(label: &[u8]) -> bool {
    let plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    !label.is_empty()
        && label.len() <= MAX_LABEL_BYTES
        && label.first() != Some(&b'-')
        && label.last() != Some(&b'-')
        && label.iter().all(plain)
}

fn without_port(raw: &[u8]) -> &[u8] {
    match raw.iter().position(|byte| *byte == b':') {
        Some(colon) if raw.len() > colon + 1 && raw[colon + 1..].iter().all(u8::is_ascii_digit) => {
            &raw[..colon]
        }
        _ => raw,
    }
}

/// What follows a closing bracket: nothing, or `:443`.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}
