//! How much of an indicator may be sent to VirusTotal.

use std::fmt;
use std::str::FromStr;

/// How much of an indicator may leave the machine. Each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Share {
    /// Domains and addresses.
    Host,
    /// The SHA-256 of URLs.
    #[default]
    Hash,
    /// URLs.
    Url,
    /// URLs, submitted for a public scan.
    Submit,
}

impl Share {
    /// From the least to the most.
    pub const ALL: [Self; 4] = [Self::Host, Self::Hash, Self::Url, Self::Submit];

    /// `host`, `hash`, `url` or `submit`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Hash => "hash",
            Self::Url => "url",
            Self::Submit => "submit",
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|share| share.as_str() == text)
            .ok_or_else(|| format!("`{text}` is none of host, hash, url, submit"))
    }
}

/// Whether a report that VirusTotal already has is sufficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rescan {
    /// It is.
    #[default]
    No,
    /// Every indicator is submitted for a new scan.
    Yes,
}
