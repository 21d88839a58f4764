//! VirusTotal's identifiers of URLs.
//!
//! A URL's identifier is the SHA-256 of the URL in VirusTotal's own canonical
//! form (<https://docs.virustotal.com/reference/url>), or its unpadded base64url
//! form, which the server makes canonical itself. Only for plain URLs is it
//! proven that our canonical form is VirusTotal's.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::indicator::Indicator;

/// The SHA-256 identifier of a URL, if the URL is plain: http or https, a host
/// of letters and digits, and nothing in path and query that the two canonical
/// forms could treat differently (no escapes, no dot segments).
#[must_use]
pub fn plain_sha256(url: &Indicator) -> Option<String> {
    let value = url.value();
    let (_, rest) = value.split_once("://")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/?=&._-~:+,;@".contains(&byte);
    if !url.is_http() || rest.starts_with('[') || !rest.bytes().all(is_plain) {
        return None;
    }
    let digest = Sha256::digest(value.as_bytes());
    Some(digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

/// The base64url identifier of a URL (RFC 4648 section 5, no padding). It shows
/// VirusTotal the URL.
#[must_use]
pub fn base64_id(url: &Indicator) -> String {
    URL_SAFE_NO_PAD.encode(url.value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Kind;

    fn url(text: &str) -> Indicator {
        Indicator::parse(Kind::Url, text.as_bytes()).unwrap()
    }

    /// Identifiers that VirusTotal or its staff published.
    #[test]
    fn identifiers_are_virustotals() {
        let check = |text: &str, expected: &str| {
            assert_eq!(
                plain_sha256(&url(text)).as_deref(),
                Some(expected),
                "{text}"
            );
        };
        check(
            "https://www.google.com/",
            "d0e196a0c25d35dd0a84593cbae0f38333aa58529936444ea26453eab28dfc86",
        );
        check(
            "http://www.virustotal.com",
            "1db0ad7dbcec0676710ea0eaacd35d5e471d3e11944d53bcbd31f0cbd11bce31",
        );
    }

    #[test]
    fn only_plain_urls_are_hashed() {
        for text in [
            "http://example.com/a%20b",
            "http://example.com/a!b",
            "ftp://example.com/",
            "http://[2001:db8::1]/",
        ] {
            assert_eq!(plain_sha256(&url(text)), None, "{text}");
        }
        assert!(plain_sha256(&url("http://example.com:8080/a?b=c;d")).is_some());
    }

    #[test]
    fn base64_has_the_url_alphabet_and_no_padding() {
        let check = |text: &str, expected: &str| {
            assert!(base64_id(&url(text)).ends_with(expected), "{text}");
        };
        check("http://example.com/?q=~~~", "Lz9xPX5-fg");
        check(
            "http://www.virustotal.com/",
            "aHR0cDovL3d3dy52aXJ1c3RvdGFsLmNvbS8",
        );
        check("https://www.google.com/", "aHR0cHM6Ly93d3cuZ29vZ2xlLmNvbS8");
    }
}
