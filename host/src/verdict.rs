//! Verdicts, and the scope of the reports that they rest on.

use std::fmt;

use serde::Deserialize;

/// The verdict on an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Bad, by the policy.
    Bad,
    /// Good, by the policy, from a report with engine results.
    Good,
    /// Not looked up, not answered, or not decided. Never treated as good.
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

/// The subject of the report that a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The indicator.
    Exact,
    /// The host of the URL.
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
