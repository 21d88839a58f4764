//! What a run finds out about an indicator.

use serde::Deserialize;

use crate::contacts::IndicatorContacts;
use crate::sightings::Sightings;
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Stats;

/// How an indicator came to its verdict. The summary counts by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The policy judged a report.
    Judged,
    /// It never leaves the machine.
    Internal,
    /// The policy skipped it.
    Skipped,
    /// VirusTotal has no report with engine results.
    NoReport,
    /// VirusTotal or the policy returned no usable answer.
    Failed,
    /// An analysis had not finished.
    Pending,
    /// The run ended before its turn.
    NotAsked,
}

impl Cause {
    /// The cause as the outputs write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Internal => "internal",
            Self::Skipped => "skipped",
            Self::NoReport => "no-report",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::NotAsked => "not-asked",
        }
    }
}

/// An indicator with its sightings and its verdict.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What the logs showed.
    pub sightings: Sightings,
    /// Bad, good or unknown.
    pub verdict: Verdict,
    /// How it came to the verdict.
    pub cause: Cause,
    /// The reason, in one line.
    pub reason: String,
    /// The policy's tags.
    pub tags: Vec<String>,
    /// The policy's score, from 0 to 100.
    pub score: Option<u8>,
    /// The report that the verdict rests on.
    pub evidence: Option<Evidence>,
    /// Who contacted it; known of bad indicators whose logs were read again.
    pub contacts: Option<Box<IndicatorContacts>>,
}

/// The report that a verdict rests on, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Whether it is the indicator's report or its host's.
    pub scope: Scope,
    /// The subject of the report.
    pub subject: String,
    /// The number of engines by result.
    pub stats: Option<Stats>,
    /// The time of the analysis, in seconds since 1970.
    pub analysed_s: Option<i64>,
    /// The engines that accuse the subject: malicious, then suspicious, each by name.
    pub accusers: Vec<Accuser>,
    /// The owner of the address's network, if VirusTotal reports it.
    pub owner: Option<String>,
}

/// An engine that accuses an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accuser {
    /// The engine's name.
    pub engine: String,
    /// `malicious` or `suspicious`.
    pub category: String,
    /// The engine's name for the threat; may be empty.
    pub label: String,
}

impl Finding {
    /// An indicator that no policy has judged.
    #[must_use]
    pub fn unknown(sightings: Sightings, cause: Cause, reason: String) -> Self {
        Self {
            sightings,
            verdict: Verdict::Unknown,
            cause,
            reason,
            tags: Vec::new(),
            score: None,
            evidence: None,
            contacts: None,
        }
    }
}
