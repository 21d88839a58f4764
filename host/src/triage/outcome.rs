//! How a run reports its progress and its end.

use std::future::Future;
use std::pin::Pin;

use super::finding::Finding;
use crate::clock::UnixMs;

/// What a run does when the quota of the day or the month is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenSpent {
    /// It ends.
    #[default]
    End,
    /// It waits for the next day or month.
    Wait,
}

/// Is notified of a run's progress.
pub trait Reporter: Send + Sync {
    /// An indicator has its verdict; `left` indicators have none yet.
    fn found(&self, finding: &Finding, left: usize);
    /// The next request is sent at `until_ms`; `left` indicators are open.
    fn waiting(&self, until_ms: UnixMs, left: usize);
    /// A request failed and is repeated.
    fn retrying(&self, reason: &str);
    /// A quota is spent and the run waits. `so_far` has a finding for every indicator, in the
    /// order of the plan.
    fn spent(&self, reason: &str, so_far: &[Finding]);
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// Every indicator has its verdict.
    Done,
    /// The quota of the day or the month is spent.
    QuotaSpent {
        /// When a run can resume.
        resumes_ms: UnixMs,
        /// The reason.
        reason: String,
    },
    /// The user interrupted it.
    Interrupted,
    /// VirusTotal does not accept the key.
    WrongKey(String),
    /// A policy failed too often; the reason.
    PolicyFailed(String),
    /// Too many requests in a row failed; this is the last fault.
    Unreachable(String),
}

/// The result of a run.
#[derive(Debug)]
pub struct TriageOutcome {
    /// A finding for every indicator, in the order of the plan.
    pub findings: Vec<Finding>,
    /// How it ended.
    pub ended: RunEnd,
    /// Requests sent.
    pub requests: u64,
}

/// Completes when the run is to end early.
pub type Cancellation<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
