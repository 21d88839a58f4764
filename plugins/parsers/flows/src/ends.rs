//! The two ends of a flow.

use vthost_plugin::contact::{Contact, plausible_address, plausible_name};
use vthost_plugin::scan::is_valid_ipv6;

use crate::Report;

/// An address and its port, a number or a name; empty if there is none.
#[derive(Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) address: &'a [u8],
    pub(crate) port: &'a [u8],
}

impl<'a> End<'a> {
    /// Reads an end as each of these tools writes it: `10.0.0.5:443`, `10.0.0.5.443`,
    /// `10.0.0.5.https`, `2001:db8::5.443`, `192.0.2.10:8.0` (type and code of ICMP),
    /// or an address alone.
    pub(crate) fn of(text: &'a [u8]) -> Option<Self> {
        let text = text.strip_suffix(b":").unwrap_or(text);
        let colons = text.iter().filter(|byte| **byte == b':').count();
        let end = match colons {
            0 | 1 => end_of_ipv4(text)?,
            _ => text
                .iter()
                .position(|byte| *byte == b'.')
                .unwrap_or(text.len()),
        };
        let (address, port) = text.split_at(end);
        let is_address = colons < 2 || is_valid_ipv6(address);
        plausible_address(address).filter(|found| is_address && found.len() == address.len())?;
        let port = port.get(1..).unwrap_or_default();
        Some(Self { address, port })
    }

    /// Reads an end of a packet of tcpdump, which without `-n` writes hosts by name:
    /// `www.example.com.https`.
    pub(crate) fn of_packet(text: &'a [u8]) -> Option<Self> {
        Self::of(text).or_else(|| {
            let dot = text.iter().rposition(|byte| *byte == b'.')?;
            let (address, port) = (&text[..dot], &text[dot + 1..]);
            let is_name = plausible_name(address).is_some() && !address.contains(&b' ');
            (is_name && !port.is_empty()).then_some(Self { address, port })
        })
    }

    /// Reads an end whose port has its own column.
    pub(crate) fn with_port(address: &'a [u8], port: &'a [u8]) -> Option<Self> {
        match port {
            b"" => Self::of(address),
            _ => Some(Self {
                port,
                ..Self::of(address)?
            }),
        }
    }

    /// The number of the port. Names are of services, below 1024.
    fn number(self) -> Option<u32> {
        let number = || str::from_utf8(self.port).ok()?.parse().ok();
        match self.port.first()? {
            b'0'..=b'9' => number(),
            _ => Some(1),
        }
    }

    pub(crate) fn is_resolver(self) -> bool {
        matches!(self.port, b"53" | b"domain" | b"5353" | b"mdns")
    }
}

/// Whether a text is an address and nothing else.
pub(crate) fn is_address(text: &[u8]) -> bool {
    plausible_address(text).is_some_and(|address| address.len() == text.len())
}

/// Where the four numbers of an IPv4 address end.
fn end_of_ipv4(text: &[u8]) -> Option<usize> {
    let mut dots = 0;
    let end = text.iter().position(|byte| {
        dots += usize::from(*byte == b'.');
        dots == 4 || !(byte.is_ascii_digit() || *byte == b'.')
    });
    (dots >= 3).then_some(end.unwrap_or(text.len()))
}

/// Whether a tool cut an address in the middle: `2001:db..def0.443` (nfdump),
/// `2001:db8:0:1234:5*.https` (ra).
pub(crate) fn is_cut(end: &[u8]) -> bool {
    let has_two_dots = end.windows(2).any(|pair| pair == b"..");
    end.contains(&b':') && (has_two_dots || end.contains(&b'*'))
}

/// Reads both ends of a flow and decides which of them made the contact. Each
/// direction of a connection is a flow: from a service's port to a high one it is an
/// answer, and the contact was made by the other end.
pub(crate) fn flow<'a>(
    source: &'a [u8],
    destination: &'a [u8],
    time_us: Option<i64>,
) -> Option<Report<'a>> {
    if is_cut(source) || is_cut(destination) {
        return Some(Report::NoContact("an address that was cut (nfdump: -6)"));
    }
    Some(between(End::of(source)?, End::of(destination)?, time_us).into())
}

pub(crate) fn between<'a>(
    source: End<'a>,
    destination: End<'a>,
    time_us: Option<i64>,
) -> Contact<'a> {
    let (client, server) = match is_answer(source, destination) {
        true => (destination, source),
        false => (source, destination),
    };
    Contact {
        client: client.address,
        address: server.address,
        time_us,
        ..Contact::default()
    }
}

/// Ports below this are of services on all systems, and from 32768 on (Linux; others:
/// 49152) they are chosen for clients.
const SERVICES: u32 = 1024;
const CLIENTS: u32 = 32768;

pub(crate) fn is_answer(source: End<'_>, destination: End<'_>) -> bool {
    match (source.number(), destination.number()) {
        (Some(from @ 1..), Some(to)) => {
            from < SERVICES && to >= SERVICES || from < CLIENTS && to >= CLIENTS
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_come_in_many_forms() {
        for (text, address, port) in [
            ("10.0.0.5:443", "10.0.0.5", "443"),
            ("10.0.0.5.443", "10.0.0.5", "443"),
            ("10.0.0.5.https:", "10.0.0.5", "https"),
            ("10.0.0.5", "10.0.0.5", ""),
            ("192.0.2.10:8.0", "192.0.2.10", "8.0"),
            ("2001:db8::5.443", "2001:db8::5", "443"),
            ("2001:db8::5", "2001:db8::5", ""),
        ] {
            let end = End::of(text.as_bytes()).unwrap();
            assert_eq!(
                (end.address, end.port),
                (address.as_bytes(), port.as_bytes()),
                "{text}"
            );
        }
        for text in ["", "10.0.0", "www.example.com:443", "0.0.0.0:0", "12:00:00"] {
            assert!(End::of(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_service_that_writes_to_a_high_port_answers() {
        for (source, destination, expected) in [
            ("192.0.2.10:443", "10.0.0.5:51000", true),
            ("192.0.2.10.https", "10.0.0.5.51000", true),
            ("192.0.2.10:8080", "10.0.0.5:51000", true),
            ("10.0.0.5:51000", "192.0.2.10:443", false),
            ("10.0.0.5:123", "192.0.2.10:123", false),
            ("10.0.0.5:0", "192.0.2.10:8.0", false),
        ] {
            let end = |text: &'static str| End::of(text.as_bytes()).unwrap();
            assert_eq!(
                is_answer(end(source), end(destination)),
                expected,
                "{source}"
            );
        }
    }
}
