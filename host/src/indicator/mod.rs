//! Indicators: what VirusTotal can be asked about, in one canonical form.
//!
//! Pure: nothing here does I/O. [`Indicator::parse`] reads a log's text;
//! [`scope`] decides what never leaves the machine; [`secrets`] finds what a URL
//! should not show; [`redaction`] shows what is cut from it.

mod host;
pub mod redaction;
pub mod scope;
pub mod secrets;
mod url_form;

use std::fmt;

use serde::Deserialize;

pub use url_form::{is_plain_name, raw_host};

/// The kinds of indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An absolute URL.
    Url,
    /// A domain name.
    Domain,
    /// An IPv4 or IPv6 address.
    Ip,
}

impl Kind {
    /// `url`, `domain` or `ip`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Domain => "domain",
            Self::Ip => "ip",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A URL, domain name or address in canonical form: two spellings of the same
/// thing are equal.
///
/// URLs: scheme and host in lower case, the host in its ASCII form (UTS 46),
/// no user-info, no default port, no fragment, no final dot of the host, `/`
/// for an empty path; path and query are kept, `//` too. Domains: lower case,
/// ASCII form, no final dot. Addresses: RFC 5952, IPv4-mapped IPv6 as IPv4.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Indicator {
    kind: Kind,
    value: String,
}

/// Why a value is no indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Invalid {
    /// Nothing there.
    #[error("empty")]
    Empty,
    /// A URL without a host, such as `mailto:` or `urn:`.
    #[error("a URL without a host")]
    NoHost,
    /// The URL parser refuses it.
    #[error("not a URL")]
    NotAUrl,
    /// Neither a domain name nor an address.
    #[error("not a domain name")]
    NotADomain,
    /// Not an address, or an ambiguous one (`010.0.0.1`).
    #[error("not an address")]
    NotAnAddress,
}

impl Indicator {
    /// Reads a value as a log has it.
    ///
    /// A URL without a scheme is read as `http://`. A domain that is really an
    /// address becomes one. Ports, brackets and zones of hosts are dropped.
    ///
    /// # Errors
    ///
    /// [`Invalid`], when it is none.
    pub fn parse(kind: Kind, raw: &[u8]) -> Result<Self, Invalid> {
        let raw = raw.trim_ascii();
        if raw.is_empty() {
            return Err(Invalid::Empty);
        }
        match kind {
            Kind::Url => url_form::canonical(raw).map(|value| Self { kind, value }),
            Kind::Domain => host::parse(raw).ok_or(Invalid::NotADomain),
            Kind::Ip => host::parse_address(raw).ok_or(Invalid::NotAnAddress),
        }
    }

    /// Whether a value surely is in canonical form already: then it need not be
    /// parsed. It may be false for one that is.
    #[must_use]
    pub fn is_canonical(kind: Kind, raw: &[u8]) -> bool {
        match kind {
            Kind::Url => url_form::is_canonical(raw),
            Kind::Domain => host::is_domain(raw),
            Kind::Ip => host::is_canonical_address(raw),
        }
    }

    /// An indicator from its canonical form.
    pub(crate) fn from_canonical(kind: Kind, value: String) -> Self {
        Self { kind, value }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The canonical form.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The domain or address that it belongs to: a URL's host, else itself.
    #[must_use]
    pub fn host(&self) -> Self {
        match self.kind {
            Kind::Domain | Kind::Ip => self.clone(),
            Kind::Url => raw_host(Kind::Url, self.value.as_bytes())
                .and_then(host::parse)
                // A canonical URL has a host that parses; it is kept as it is
                // rather than lost should that ever be wrong.
                .unwrap_or_else(|| self.clone()),
        }
    }

    /// Whether VirusTotal can be asked about the URL itself. Of other schemes
    /// (`ftp`, `ws`) only the host is looked up.
    #[must_use]
    pub fn is_http(&self) -> bool {
        self.kind == Kind::Url
            && (self.value.starts_with("http://") || self.value.starts_with("https://"))
    }

    fn domain(value: String) -> Self {
        Self {
            kind: Kind::Domain,
            value,
        }
    }

    fn address(address: std::net::IpAddr) -> Self {
        Self {
            kind: Kind::Ip,
            value: address.to_canonical().to_string(),
        }
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(kind: Kind, raw: &str, expected: Result<(Kind, &str), Invalid>) {
        let parsed = Indicator::parse(kind, raw.as_bytes());
        let parsed = parsed.as_ref().map(|i| (i.kind, i.value.as_str()));
        assert_eq!(parsed, expected.as_ref().map(|ok| *ok), "{raw}");
    }

    #[test]
    fn urls_become_canonical() {
        let check = |raw, expected| check(Kind::Url, raw, Ok((Kind::Url, expected)));
        check("http://example.com", "http://example.com/");
        check("HTTP://Example.COM/Path?Q=A", "http://example.com/Path?Q=A");
        check("example.com/a", "http://example.com/a");
        check("example.com:8080/a", "http://example.com:8080/a");
        check("http://example.com:80/", "http://example.com/");
        check("https://example.com:443/", "https://example.com/");
        check("https://example.com:80/", "https://example.com:80/");
        check("http://user:pw@example.com/a#frag", "http://example.com/a");
        check("http://example.com./a", "http://example.com/a");
        check("http://example.com//test", "http://example.com//test");
        check("http://example.com?q=1", "http://example.com/?q=1");
        check("http://example.com/?b=1&a=2", "http://example.com/?b=1&a=2");
        check(
            "http://münchen.example.com/x",
            "http://xn--mnchen-3ya.example.com/x",
        );
        check("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/");
        check("http://192.0.2.1/a b", "http://192.0.2.1/a%20b");
        check("http://3221225985/", "http://192.0.2.1/");
        check("ftp://example.com/f", "ftp://example.com/f");
        check("tunnel://Example.com:443/", "tunnel://example.com:443/");
        check("  http://example.com/  ", "http://example.com/");
        check(
            "https://123:microsoft.com@user.example/foo.txt",
            "https://user.example/foo.txt",
        );
    }

    #[test]
    fn what_is_no_url_says_why() {
        let check = |raw, expected| check(Kind::Url, raw, Err(expected));
        check("", Invalid::Empty);
        check("mailto:a@example.com", Invalid::NoHost);
        check("urn:isbn:0451450523", Invalid::NoHost);
        check("http:///index.html", Invalid::NoHost);
        check("http://", Invalid::NotAUrl);
        check("http://exa mple.com/", Invalid::NotAUrl);
        check("http://example.com:99999/", Invalid::NotAUrl);
        check("http://-a.example.com/", Invalid::NotAUrl);
    }

    #[test]
    fn hosts_become_canonical() {
        use Kind::{Domain, Ip};
        let check = |raw, kind, expected| check(Domain, raw, Ok((kind, expected)));
        check("Example.COM.", Domain, "example.com");
        check(
            "_jabber._tcp.example.com",
            Domain,
            "_jabber._tcp.example.com",
        );
        check("example.com:443", Domain, "example.com");
        check("localhost", Domain, "localhost");
        check("192.0.2.1", Ip, "192.0.2.1");
        check("192.0.2.1:443", Ip, "192.0.2.1");
        check("[2001:db8::1]:443", Ip, "2001:db8::1");
        check("fe80::1%eth0", Ip, "fe80::1");
        check("::ffff:192.0.2.128", Ip, "192.0.2.128");
        check("bücher.example.com", Domain, "xn--bcher-kva.example.com");
        check("1.1.1.1.example.com:443", Domain, "1.1.1.1.example.com");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let check = |raw: &str| check(Kind::Domain, raw, Err(Invalid::NotADomain));
        check("a b.example.com");
        check("-a.example.com");
        check("a-.example.com");
        check("a..example.com");
        check("*.example.com");
        check("example.com/a");
        check("192.0.2.256");
        check("018.12.15.14");
        check(&format!("{}.example.com", "a".repeat(64)));
        check(&format!("{}com", "a.".repeat(130)));
    }

    #[test]
    fn addresses_are_strict() {
        check(Kind::Ip, "192.0.2.1", Ok((Kind::Ip, "192.0.2.1")));
        check(Kind::Ip, "2001:DB8:0::1", Ok((Kind::Ip, "2001:db8::1")));
        for raw in ["192.0.2.01", "example.com", "192.0.2.0/24", "192.0.2.1.5"] {
            check(Kind::Ip, raw, Err(Invalid::NotAnAddress));
        }
    }

    #[test]
    fn every_indicator_has_a_host() {
        let check = |kind, raw: &str, expected: (Kind, &str)| {
            let host = Indicator::parse(kind, raw.as_bytes()).unwrap().host();
            assert_eq!((host.kind(), host.value()), expected);
        };
        check(
            Kind::Url,
            "http://Example.com:8080/a",
            (Kind::Domain, "example.com"),
        );
        check(
            Kind::Url,
            "https://[2001:db8::1]:8443/",
            (Kind::Ip, "2001:db8::1"),
        );
        check(Kind::Url, "http://192.0.2.1/", (Kind::Ip, "192.0.2.1"));
        check(Kind::Domain, "example.com", (Kind::Domain, "example.com"));
    }

    fn url_like() -> impl Strategy<Value = String> {
        "(https?://)?[a-zA-Z0-9_.@:-]{0,30}[/?#]?[ -~]{0,30}"
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_idempotent(raw in prop::collection::vec(any::<u8>(), 0..60), like in url_like()) {
            for kind in [Kind::Url, Kind::Domain, Kind::Ip] {
                for bytes in [raw.as_slice(), like.as_bytes()] {
                    if let Ok(once) = Indicator::parse(kind, bytes) {
                        let again = Indicator::parse(once.kind(), once.value().as_bytes());
                        prop_assert_eq!(again.as_ref(), Ok(&once));
                        prop_assert!(once.host().kind() != Kind::Url);
                    }
                }
            }
        }
    }
}
