//! Triage: what to ask VirusTotal, in which order, and what the answers mean.
//!
//! [`plan`](plan::plan) puts the sightings in order and keeps back what never
//! leaves the machine; [`lookup`] says for one indicator what to ask next,
//! from nothing but what is stored; [`run`](run::run) asks within the quota;
//! a [`Judge`] gives the verdict. All that was learned is in the store before
//! the next request goes out, so a run that is ended anywhere goes on there.

pub mod estimate;
mod judge;
pub mod lookup;
pub mod plan;
mod retry;
pub mod run;
#[cfg(test)]
mod testing;

use crate::sightings::Sightings;
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Stats;

pub use judge::{Judge, PolicyChain, PolicyFailure, PolicyJudge};
pub use lookup::{LookupPlan, Rescan, Share};
pub use plan::{Decision, Planned};

/// Why an indicator is unknown; the summary counts by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// It has a verdict of the policy's.
    Judged,
    /// It never leaves the machine.
    Internal,
    /// The policy did not want it asked.
    Skipped,
    /// VirusTotal has no report with engine results.
    NoReport,
    /// VirusTotal was asked and gave no usable answer.
    Failed,
    /// An analysis had not finished.
    Pending,
    /// The run ended before its turn.
    NotAsked,
}

impl Cause {
    /// A word for outputs.
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

/// One indicator with its verdict.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What the logs showed.
    pub sightings: Sightings,
    /// Bad, good or unknown.
    pub verdict: Verdict,
    /// Why it is unknown, if it is for another reason than the policy's.
    pub cause: Cause,
    /// Why, in one line.
    pub reason: String,
    /// The policy's words to sort by.
    pub tags: Vec<String>,
    /// The policy's grade from 0 to 100.
    pub score: Option<u8>,
    /// The report that the verdict rests on.
    pub evidence: Option<Evidence>,
}

/// The report that a verdict rests on, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Whose report.
    pub scope: Scope,
    /// What the report is on.
    pub subject: String,
    /// How many engines said what.
    pub stats: Option<Stats>,
    /// When the engines were asked, in seconds since 1970.
    pub analysed_s: Option<i64>,
}

impl Finding {
    /// An indicator that the policy was not asked about.
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
        }
    }
}
