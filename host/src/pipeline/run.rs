//! A run that asks VirusTotal.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use super::account::Account;
use super::logs::Logs;
use super::recorder::{Recorder, RunListener};
use super::worklist::{Judged, Worklist};
use crate::clock::Clock;
use crate::output::{Output, OutputError, RunEnding, RunFacts, Summary, rfc3339};
use crate::store::{Claimant, Store, StoreError};
use crate::triage::outcome::{Cancellation, RunEnd, TriageOutcome, WhenSpent};
use crate::triage::run::Triage;
use crate::triage::{Judge as _, LookupPlan};

/// Whom a run asks, what, and when.
#[derive(Clone, Copy)]
pub struct Lookups<'a> {
    /// The account that is charged.
    pub account: Account<'a>,
    /// Earlier answers, and the ledger.
    pub store: &'a Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The logs, which are read again to find out who contacted what is bad.
    pub logs: Option<Logs<'a>>,
    /// What may be asked.
    pub plan: LookupPlan,
    /// The delay before an analysis is first polled; it doubles with each poll.
    pub first_poll: Duration,
    /// What to do when the quota of the day or the month is spent.
    pub when_spent: WhenSpent,
    /// The timeout of one request.
    pub timeout: Duration,
}

/// What a run gave.
#[derive(Debug)]
pub struct RunResult {
    /// The findings and their totals.
    pub judged: Judged,
    /// How it ended.
    pub ended: RunEnd,
    /// Requests sent.
    pub requests: u64,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Added to the timeout for the life of a claim: the time to store the answer.
const CLAIM_GRACE: Duration = Duration::from_secs(1);

impl Lookups<'_> {
    /// Asks VirusTotal what is left of the quota. If the request fails, the run continues.
    async fn reconcile(&self, listener: &dyn RunListener) -> Result<(), StoreError> {
        let now = self.clock.now_ms();
        if let Err(fault) = self.account.reconcile(self.store, now).await? {
            listener.notice(&format!(
                "cannot find out what is left of the quota: {fault}"
            ));
        }
        Ok(())
    }

    /// This run among those that share the store. A claim outlasts one request.
    fn claimant(&self) -> Claimant {
        let lease = self.timeout + CLAIM_GRACE;
        Claimant {
            id: RandomState::new()
                .hash_one(std::process::id())
                .cast_signed(),
            lease_ms: i64::try_from(lease.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// States how a run ended.
fn state_end(run: &mut RunFacts, ended: &RunEnd) {
    let (ending, problem) = match ended {
        RunEnd::Done => (RunEnding::Done, None),
        RunEnd::QuotaSpent { resumes_ms, reason } => {
            run.resumes = rfc3339(resumes_ms.saturating_mul(1000));
            (RunEnding::QuotaSpent, Some(reason))
        }
        RunEnd::Interrupted => (RunEnding::Interrupted, None),
        RunEnd::WrongKey(message) => (RunEnding::WrongKey, Some(message)),
        RunEnd::Unreachable(fault) => (RunEnding::Unreachable, Some(fault)),
        RunEnd::PolicyFailed(reason) => (RunEnding::PolicyFailed, Some(reason)),
    };
    run.ending = ending;
    run.problem = problem.cloned();
}

impl Worklist {
    /// Looks every indicator up until all have a verdict, the quota is spent, or `cancelled`
    /// ends. The outputs get each finding as it is known, and all of them at the end.
    ///
    /// # Errors
    ///
    /// If the store or an output fails. What VirusTotal does is part of the result.
    pub async fn look_up(
        self,
        lookups: &Lookups<'_>,
        outputs: &mut dyn Output,
        listener: &dyn RunListener,
        cancelled: Cancellation<'_>,
    ) -> Result<RunResult, RunError> {
        let Self {
            planned,
            mut judge,
            read,
            policies,
        } = self;
        let summary = Summary { policies, ..read };
        if judge.gave_up().is_none() {
            lookups.reconcile(listener).await?;
        }
        let limits = lookups.account.limits(lookups.store)?;
        let recorder = Recorder::new(outputs, listener, summary.clone(), limits, lookups);
        let triage = Triage {
            client: lookups.account.client,
            account: lookups.account.id,
            store: lookups.store,
            clock: lookups.clock,
            limits,
            lookup: lookups.plan,
            first_poll: lookups.first_poll,
            claimant: lookups.claimant(),
            user: lookups.account.user,
            when_spent: lookups.when_spent,
            reporter: &recorder,
        };
        let TriageOutcome {
            findings,
            ended,
            requests,
        } = triage.run(planned, &mut judge, cancelled).await?;
        let recorded = recorder.finish();
        let mut judged = Judged::new(findings, summary).traced(lookups.logs);
        let run = &mut judged.summary.run;
        run.written = rfc3339(lookups.clock.now_ms().saturating_mul(1000));
        run.requests = Some(requests);
        state_end(run, &ended);
        let finished = outputs.finish(&judged.results());
        recorded.and(finished)?;
        lookups.reconcile(listener).await?;
        Ok(RunResult {
            judged,
            ended,
            requests,
        })
    }
}
