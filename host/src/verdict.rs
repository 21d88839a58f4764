//! Verdicts, and whose report they rest on.

use std::fmt;

/// What becomes of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// By the policy.
    Bad,
    /// By the policy, from a report with engine results.
    Good,
    /// Not asked, not answered, or not decided. Never filed as good.
    Unknown,
}

impl Verdict {
    /// `bad`, `good` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Good => "good",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose report a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The indicator's own.
    Exact,
    /// That of a URL's host.
    Host,
}

impl Scope {
    /// `exact` or `host`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Host => "host",
        }
    }
}
