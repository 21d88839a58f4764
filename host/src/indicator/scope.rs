//! What never leaves the machine, whatever the tier: addresses that mean
//! something only inside, and names that only an organisation's own resolver
//! knows. A question about them would reveal the internal network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Indicator, Kind};

/// Domain suffixes that are the organisation's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InternalSuffixes(Vec<String>);

impl InternalSuffixes {
    /// From what the user wrote: `corp.example.com`, with or without a dot in
    /// front, in any case.
    #[must_use]
    pub fn new(suffixes: &[String]) -> Self {
        let canonical = |suffix: &String| {
            suffix
                .trim_matches(|c: char| c == '.' || c == '*' || c.is_whitespace())
                .to_lowercase()
        };
        Self(
            suffixes
                .iter()
                .map(canonical)
                .filter(|suffix| !suffix.is_empty())
                .collect(),
        )
    }
}

/// Why an indicator never leaves the machine, if it does not.
#[must_use]
pub fn internal(indicator: &Indicator, own: &InternalSuffixes) -> Option<&'static str> {
    let host = indicator.host();
    match (host.kind(), host.value().parse::<IpAddr>()) {
        (Kind::Ip, Ok(IpAddr::V4(address))) => special_v4(address),
        (Kind::Ip, Ok(IpAddr::V6(address))) => special_v6(address),
        _ => special_name(host.value(), own),
    }
}

/// IPv4 ranges that are not globally reachable, by the IANA registry of
/// special-purpose addresses (RFC 6890 and its updates).
fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    Some(match (a, b, c) {
        (0, ..) => "an unspecified address (RFC 1122)",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "a private address (RFC 1918)",
        (100, 64..=127, _) => "a carrier's shared address (RFC 6598)",
        (127, ..) => "a loopback address (RFC 1122)",
        (169, 254, _) => "a link-local address (RFC 3927)",
        (192, 0, 0) => "a protocol assignment (RFC 6890)",
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "a documentation address (RFC 5737)",
        (198, 18..=19, _) => "a benchmarking address (RFC 2544)",
        (224..=239, ..) => "a multicast address (RFC 5771)",
        (240..=255, ..) if address.is_broadcast() => "the broadcast address (RFC 919)",
        (240..=255, ..) => "a reserved address (RFC 1112)",
        _ => return None,
    })
}

/// IPv6 ranges, and IPv4 addresses wrapped in IPv6 ones.
fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(inner) = wrapped_v4(address) {
        return special_v4(inner);
    }
    let segments = address.segments();
    Some(match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => "an unspecified address (RFC 4291)",
        [0, 0, 0, 0, 0, 0, 0, 1] => "a loopback address (RFC 4291)",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => {
            "a documentation address (RFC 3849, RFC 9637)"
        }
        [0x2001, 0x2, 0, ..] => "a benchmarking address (RFC 5180)",
        [0x100, 0, 0, 0, ..] => "a discard-only address (RFC 6666)",
        [0xfc00..=0xfdff, ..] => "a private address (RFC 4193)",
        [0xfe80..=0xfebf, ..] => "a link-local address (RFC 4291)",
        [0xfec0..=0xfeff, ..] => "a site-local address (RFC 3879)",
        [0xff00..=0xffff, ..] => "a multicast address (RFC 4291)",
        _ => return None,
    })
}

/// The IPv4 address inside of a mapped (RFC 4291), NAT64 (RFC 6052) or 6to4
/// (RFC 3056) address.
fn wrapped_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(join(high, low))
        }
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

/// Names that the public DNS does not have: special-use names (RFC 6761,
/// RFC 6762, RFC 7686, RFC 8375, RFC 9476 and ICANN's reservation of
/// `internal`), and those that organisations use although they were never assigned.
const SPECIAL_SUFFIXES: [&str; 18] = [
    "alt",
    "arpa",
    "corp",
    "domain",
    "example",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "test",
    "workgroup",
];

fn special_name(name: &str, own: &InternalSuffixes) -> Option<&'static str> {
    let ends_in = |suffix: &str| {
        name.strip_suffix(suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if own.0.iter().any(|suffix| ends_in(suffix)) {
        return Some("an internal name (--internal-suffix)");
    }
    if SPECIAL_SUFFIXES.into_iter().any(ends_in) {
        return Some("a name outside the public DNS");
    }
    (!name.contains('.')).then_some("a name of a single label")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: Option<&str>) {
        let own = InternalSuffixes::new(&[".Corp.Example.COM".into(), " ".into()]);
        let kind = if raw.contains("://") {
            Kind::Url
        } else {
            Kind::Domain
        };
        let indicator = Indicator::parse(kind, raw.as_bytes()).unwrap();
        let reason = internal(&indicator, &own);
        match expected {
            None => assert_eq!(reason, None, "{raw}"),
            Some(words) => assert!(
                reason.is_some_and(|r| r.contains(words)),
                "{raw}: {reason:?}"
            ),
        }
    }

    #[test]
    fn special_addresses_never_leave() {
        for (raw, words) in [
            ("0.1.2.3", "unspecified"),
            ("10.0.0.1", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "shared"),
            ("100.127.255.255", "shared"),
            ("127.0.0.1", "loopback"),
            ("169.254.1.1", "link-local"),
            ("192.0.0.8", "protocol"),
            ("192.0.2.1", "documentation"),
            ("198.51.100.1", "documentation"),
            ("203.0.113.9", "documentation"),
            ("198.18.0.1", "benchmarking"),
            ("198.19.255.255", "benchmarking"),
            ("224.0.0.1", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("fc00::1", "private"),
            ("fd12:3456::1", "private"),
            ("fe80::1%eth0", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
            ("2001:db8::1", "documentation"),
            ("3fff::1", "documentation"),
            ("100::1", "discard"),
            ("2001:2::1", "benchmarking"),
            ("::ffff:10.0.0.1", "private"),
            ("64:ff9b::10.0.0.1", "private"),
            ("2002:a00:1::1", "private"),
            ("http://10.0.0.1:8080/", "private"),
            ("http://[fd00::1]/", "private"),
        ] {
            check(raw, Some(words));
        }
    }

    #[test]
    fn public_addresses_may_leave() {
        for raw in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
        ] {
            check(raw, None);
        }
    }

    #[test]
    fn names_of_the_inside_never_leave() {
        for raw in [
            "intranet",
            "printer.local",
            "a.b.lan",
            "x.home.arpa",
            "4.3.2.1.in-addr.arpa",
            "hidden.onion",
            "db.internal",
            "www.example",
            "http://wiki/",
            "corp.example.com",
            "db.corp.example.com",
            "http://DB.corp.example.com/x",
        ] {
            check(raw, Some("name"));
        }
        for raw in [
            "example.com",
            "notcorp.example.com",
            "mylocal.com",
            "lan.example.org",
        ] {
            check(raw, None);
        }
    }
}
