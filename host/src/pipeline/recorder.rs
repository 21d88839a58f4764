//! Passes the findings of a running triage to the outputs and to a listener.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::logs::Logs;
use super::run::Lookups;
use super::worklist::Judged;
use crate::clock::{Clock, UnixMs};
use crate::output::{Output, OutputError, RunEnding, RunFacts, Summary, VerdictCounts, rfc3339};
use crate::quota::{Limits, Usage, finish_ms};
use crate::triage::Finding;
use crate::triage::outcome::Reporter;

/// Is notified of a run's progress. All numbers come with the call, so that a listener counts
/// nothing itself.
pub trait RunListener: Send + Sync {
    /// An indicator has its verdict. `totals` include it; `left` indicators have none yet.
    fn found(&self, finding: &Finding, totals: &VerdictCounts, left: usize);

    /// The next request has to wait for the quota.
    fn waiting(&self, waiting: &Waiting);

    /// Something happened that the user should know.
    fn notice(&self, text: &str);
}

/// A wait for the next slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The time of the next request.
    pub until_ms: UnixMs,
    /// The earliest time at which the run can be done.
    pub done_ms: UnixMs,
    /// The indicators so far, by verdict.
    pub totals: VerdictCounts,
    /// Indicators without a verdict.
    pub left: usize,
}

/// The triage's reporter: writes to the outputs and notifies the listener.
pub(super) struct Recorder<'a> {
    listener: &'a dyn RunListener,
    limits: Limits,
    state: Mutex<Recording<'a>>,
}

struct Recording<'a> {
    outputs: &'a mut dyn Output,
    /// What was read.
    summary: Summary,
    /// The logs, which are read again for each checkpoint.
    logs: Option<Logs<'a>>,
    clock: &'a dyn Clock,
    totals: VerdictCounts,
    /// The first error of an output.
    error: Option<OutputError>,
}

impl Recording<'_> {
    fn keep_error(&mut self, written: Result<(), OutputError>) {
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        outputs: &'a mut dyn Output,
        listener: &'a dyn RunListener,
        summary: Summary,
        limits: Limits,
        lookups: &Lookups<'a>,
    ) -> Self {
        Self {
            listener,
            limits,
            state: Mutex::new(Recording {
                outputs,
                summary,
                logs: lookups.logs,
                clock: lookups.clock,
                totals: VerdictCounts::default(),
                error: None,
            }),
        }
    }

    /// Ends the recording. Returns the first error that an output had meanwhile.
    pub(super) fn finish(self) -> Result<(), OutputError> {
        let state = self.state.into_inner();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        state.error.map_or(Ok(()), Err)
    }

    fn state(&self) -> MutexGuard<'_, Recording<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Recorder<'_> {
    fn found(&self, finding: &Finding, left: usize) {
        let mut state = self.state();
        let written = state.outputs.found(finding);
        state.keep_error(written);
        state.totals.add(finding.verdict);
        self.listener.found(finding, &state.totals, left);
    }

    fn waiting(&self, until_ms: UnixMs, left: usize) {
        self.listener.waiting(&Waiting {
            until_ms,
            done_ms: finish_ms(left as u64, &Usage::default(), until_ms, &self.limits),
            totals: self.state().totals,
            left,
        });
    }

    fn retrying(&self, reason: &str) {
        self.listener
            .notice(&format!("the request will be repeated: {reason}"));
    }

    fn spent(&self, reason: &str, so_far: &[Finding]) {
        let mut state = self.state();
        let mut judged = Judged::new(so_far.to_vec(), state.summary.clone()).traced(state.logs);
        judged.summary.run = RunFacts {
            written: rfc3339(state.clock.now_ms().saturating_mul(1000)),
            ending: RunEnding::Waiting,
            problem: Some(reason.to_owned()),
            ..judged.summary.run
        };
        let written = state.outputs.checkpoint(&judged.results());
        state.keep_error(written);
        self.listener.notice(reason);
    }
}
