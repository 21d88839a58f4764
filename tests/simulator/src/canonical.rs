//! VirusTotal's canonical form of a URL, as far as it is known, and its
//! identifier.

use sha2::{Digest, Sha256};

/// VirusTotal cannot make the URL canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CannotCanonicalize;

/// `http://` where the scheme is missing, scheme and host in lower case, `/`
/// for an empty path; path and query as they are.
///
/// # Errors
///
/// For other schemes than http and https, and for a host without a dot.
pub fn canonical_url(text: &str) -> Result<String, CannotCanonicalize> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(CannotCanonicalize);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.to_ascii_lowercase();
    let is_host = authority.contains('.') || authority.starts_with('[');
    if !is_host || authority.contains(char::is_whitespace) {
        return Err(CannotCanonicalize);
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(format!("{scheme}://{authority}{slash}{path}"))
}

/// The identifier of a canonical URL: its SHA-256 in hexadecimal digits.
#[must_use]
pub fn url_id(canonical: &str) -> String {
    let digest = Sha256::digest(canonical.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Identifiers that VirusTotal or its staff published.
    #[test]
    fn identifiers_are_virustotals() {
        let check = |submitted: &str, id: &str| {
            assert_eq!(
                url_id(&canonical_url(submitted).unwrap()),
                id,
                "{submitted}"
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
    fn forms() {
        let check = |text, expected: Option<&str>| {
            assert_eq!(canonical_url(text).ok().as_deref(), expected, "{text}");
        };
        check("example.com", Some("http://example.com/"));
        check(
            "HTTPS://Example.com/A?b=C",
            Some("https://example.com/A?b=C"),
        );
        check("http://example.com?q", Some("http://example.com/?q"));
        check("ftp://example.com/", None);
        check("nothing", None);
        check("", None);
    }
}
