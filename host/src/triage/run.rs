//! The run: sends one request after the other, within the quota, and stores every answer before
//! the next request.
//!
//! Polls that are due come first, then hosts, then URLs that their host's report does not settle,
//! then submissions. Several runs may share a store: each claims what it works on.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Duration;

use super::account::reconcile;
use super::finding::{Cause, Finding};
use super::judge::Judge;
use super::lookup::LookupPlan;
use super::outcome::{Cancellation, Reporter, RunEnd, TriageOutcome, WhenSpent};
use super::plan::Planned;
use super::queue::{Queue, Turn};
use super::request::{Request, RequestError};
use super::resolve::{Resolution, resolve};
use super::retry::{Advice, RetryPolicy};
use super::stored::{StoreSnapshot, StoredAnswers};
use super::submissions::{MAX_POLLS, Submissions};
use crate::clock::{Clock, UnixMs};
use crate::quota::{Limits, Slot, next_day, next_slot};
use crate::store::{Claimant, SlotOutcome, Store, StoreError};
use crate::virustotal::{Client, Fault};

/// What a run needs.
pub struct Triage<'a> {
    /// VirusTotal.
    pub client: &'a Client,
    /// The name of the account in the store: the key's fingerprint.
    pub account: &'a str,
    /// Earlier answers, and the ledger.
    pub store: &'a Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The quota.
    pub limits: Limits,
    /// What may be asked.
    pub lookup: LookupPlan,
    /// The delay before an analysis is first polled. It doubles with each poll.
    pub first_poll: Duration,
    /// This run among those that share the store.
    pub claimant: Claimant,
    /// The key's user, if VirusTotal may be asked what is left of the quota.
    pub user: Option<&'a str>,
    /// What to do when the quota of the day or the month is spent.
    pub when_spent: WhenSpent,
    /// Is notified of the progress.
    pub reporter: &'a dyn Reporter,
}

/// Refusals for the quota in a row after which the run ends: something that is not in the ledger
/// uses the key.
const MAX_QUOTA_REFUSALS: u32 = 3;
/// The pause after refusals for an unknown reason, if the run waits.
const REFUSED_PAUSE_MS: i64 = 3_600_000;
/// The pause before checking again what another run has claimed.
const CLAIMED_PAUSE_MS: i64 = 1_000;
/// The longest sleep without reading the clock: the machine may be suspended or its clock set.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Triage<'_> {
    /// Runs until every indicator has a verdict, the quota is spent, or `cancelled` completes.
    ///
    /// # Errors
    ///
    /// When the store fails: without it nothing may be asked.
    pub async fn run(
        &self,
        planned: Vec<Planned>,
        judge: &mut dyn Judge,
        mut cancelled: Cancellation<'_>,
    ) -> Result<TriageOutcome, StoreError> {
        let mut run = Run::new(self, &planned, judge);
        run.start()?;
        let ended = loop {
            if let Some(reason) = run.judge.gave_up() {
                break RunEnd::PolicyFailed(reason.to_owned());
            }
            tokio::select! {
                biased;
                () = &mut cancelled => break RunEnd::Interrupted,
                step = run.step() => if let ControlFlow::Break(ended) = step? {
                    break ended;
                },
            }
        };
        // A request that was cut off still holds its claim.
        self.store.release_all(&self.claimant)?;
        Ok(TriageOutcome {
            findings: run.findings(),
            ended,
            requests: run.requests,
        })
    }

    fn submissions(&self) -> Submissions<'_> {
        Submissions {
            client: self.client,
            store: self.store,
            clock: self.clock,
            first_poll: self.first_poll,
        }
    }
}

struct Run<'a, 'b> {
    with: &'a Triage<'a>,
    limits: Limits,
    planned: &'a [Planned],
    judge: &'b mut dyn Judge,
    /// By index in the plan.
    findings: Vec<Option<Finding>>,
    queue: Queue,
    /// Indicators whose submission did not arrive and was repeated.
    resubmitted: HashSet<usize>,
    /// No request is sent before.
    paused_until_ms: UnixMs,
    retry: RetryPolicy,
    requests: u64,
}

/// Whether the run continues.
type Step = Result<ControlFlow<RunEnd>, StoreError>;

const CONTINUE: Step = Ok(ControlFlow::Continue(()));

/// What came of a claimed request.
enum Attempt {
    /// It was sent, or no longer needed.
    Finished(ControlFlow<RunEnd>),
    /// It was not sent.
    NoSlot(Slot),
}

impl<'a, 'b> Run<'a, 'b> {
    fn new(with: &'a Triage<'a>, planned: &'a [Planned], judge: &'b mut dyn Judge) -> Self {
        Self {
            with,
            limits: with.limits,
            planned,
            judge,
            findings: vec![None; planned.len()],
            queue: Queue::new(planned.iter().map(|planned| planned.host_rank).collect()),
            resubmitted: HashSet::new(),
            paused_until_ms: UnixMs::MIN,
            retry: RetryPolicy::default(),
            requests: 0,
        }
    }

    fn now(&self) -> UnixMs {
        self.with.clock.now_ms()
    }

    /// Settles what the store answers, and queues the rest.
    fn start(&mut self) -> Result<(), StoreError> {
        let stored = StoreSnapshot::of(self.with.store)?;
        let mut settled = Vec::new();
        for index in 0..self.planned.len() {
            match self.resolve(index, &stored)? {
                Resolution::Settled(finding) => settled.push((index, finding)),
                Resolution::Open(request) => self.enqueue(index, &request),
            }
        }
        for (index, finding) in settled {
            self.settle(index, *finding);
        }
        Ok(())
    }

    fn resolve(
        &mut self,
        index: usize,
        stored: &dyn StoredAnswers,
    ) -> Result<Resolution, StoreError> {
        resolve(&self.planned[index], &self.with.lookup, stored, self.judge)
    }

    /// Reads what is stored, and settles the indicator or queues it for its next request.
    fn update(&mut self, index: usize) -> Result<Option<Request>, StoreError> {
        match self.resolve(index, self.with.store)? {
            Resolution::Settled(finding) => {
                self.settle(index, *finding);
                Ok(None)
            }
            Resolution::Open(request) => {
                self.enqueue(index, &request);
                Ok(Some(request))
            }
        }
    }

    fn enqueue(&mut self, index: usize, request: &Request) {
        match request.due_ms() {
            Some(due_ms) => self.queue.await_analysis(index, due_ms),
            None => self.queue.ready(index, request.tier()),
        }
        if let Some(not_before_ms) = self.retry.not_before(&request.key()) {
            self.queue.defer(index, not_before_ms);
        }
    }

    fn settle(&mut self, index: usize, finding: Finding) {
        self.queue.settle(index);
        self.with.reporter.found(&finding, self.queue.len());
        self.findings[index] = Some(finding);
    }

    fn settle_unknown(&mut self, index: usize, cause: Cause, reason: &str) {
        let sightings = self.planned[index].sightings.clone();
        self.settle(index, Finding::unknown(sightings, cause, reason.to_owned()));
    }

    /// Works on the indicator that has its turn, or waits for it.
    async fn step(&mut self) -> Step {
        let now = self.now();
        match self.queue.next(now) {
            Turn::Done => Ok(ControlFlow::Break(RunEnd::Done)),
            _ if self.paused_until_ms > now => self.wait_until(self.paused_until_ms).await,
            Turn::WaitUntil(until_ms) => self.wait_until(until_ms).await,
            Turn::Take(index) => self.take(index).await,
        }
    }

    async fn wait_until(&self, until_ms: UnixMs) -> Step {
        let missing = u64::try_from(until_ms - self.now()).unwrap_or(0);
        if missing > 0 {
            self.with.reporter.waiting(until_ms, self.queue.len());
            let sleep = Duration::from_millis(missing).min(LONGEST_SLEEP);
            self.with.clock.sleep(sleep).await;
        }
        CONTINUE
    }

    /// Sends an indicator's next request, if there is a slot.
    async fn take(&mut self, index: usize) -> Step {
        // The answer to another indicator's request may have changed this one's.
        let Some(request) = self.update(index)? else {
            return CONTINUE;
        };
        let key = request.key();
        if let Some(fault) = self.retry.gave_up(&key).map(str::to_owned) {
            self.settle_unknown(index, Cause::Failed, &fault);
            return CONTINUE;
        }
        let now = self.now();
        if self.queue.next(now) != Turn::Take(index) {
            return CONTINUE;
        }
        if request.polls() >= MAX_POLLS {
            return self.give_up(index, &request);
        }
        let (store, claimant) = (self.with.store, &self.with.claimant);
        if !store.claim(claimant, &key, now)? {
            self.queue.defer(index, now + CLAIMED_PAUSE_MS);
            return CONTINUE;
        }
        let attempt = self.send_claimed(index, &request, &key).await;
        store.release(claimant, &key)?;
        match attempt? {
            Attempt::Finished(step) => Ok(step),
            Attempt::NoSlot(Slot::DaySpent { resumes_ms } | Slot::MonthSpent { resumes_ms })
                if request.due_ms().is_none() && self.has_free_polls()? =>
            {
                self.queue.hold_queued(resumes_ms);
                CONTINUE
            }
            Attempt::NoSlot(slot) => self.no_slot(slot).await,
        }
    }

    async fn send_claimed(
        &mut self,
        index: usize,
        request: &Request,
        key: &str,
    ) -> Result<Attempt, StoreError> {
        let (store, account) = (self.with.store, self.with.account);
        // Another run may have sent it before the claim.
        if !request.is_open(store)? {
            return Ok(Attempt::Finished(ControlFlow::Continue(())));
        }
        let charge = match store.take_slot(account, &self.limits, request.purpose(), self.now())? {
            SlotOutcome::Charged(charge) => charge,
            SlotOutcome::NotYet(slot) => return Ok(Attempt::NoSlot(slot)),
        };
        self.requests += 1;
        let sent = self.send(request).await;
        store.settle(charge, self.now())?;
        let step = match sent {
            Ok(()) => {
                self.retry.answered(key);
                self.update(index)?;
                ControlFlow::Continue(())
            }
            Err(RequestError::Fault(fault)) => self.fail(key, fault).await?,
            Err(RequestError::Store(error)) => return Err(error),
        };
        Ok(Attempt::Finished(step))
    }

    /// Sends a request and stores the answer.
    async fn send(&self, request: &Request) -> Result<(), RequestError> {
        let submissions = self.with.submissions();
        match request {
            Request::Ask { question, .. } => {
                let lookup = self.with.client.report(question).await?;
                let now = self.now();
                self.with.store.record_answer(question, &lookup, now)?;
                Ok(())
            }
            Request::Submit { url, .. } => submissions.submit(url).await,
            Request::Poll {
                url,
                analysis_id,
                polls,
                ..
            } => submissions.poll(url, analysis_id, *polls).await,
            Request::Recover {
                url,
                sent_ms,
                polls,
                ..
            } => submissions.recover(url, *sent_ms, *polls).await,
        }
    }

    /// Leaves an analysis to the next run. A submission that did not arrive is repeated once.
    fn give_up(&mut self, index: usize, request: &Request) -> Step {
        let store = self.with.store;
        let reason = match request {
            Request::Recover { url, sent_ms, .. } => {
                // Another run may have found the same, and submitted it again.
                let has_changed = !store.abandon(url, *sent_ms)?;
                if has_changed || self.resubmitted.insert(index) {
                    self.update(index)?;
                    return CONTINUE;
                }
                "the URL was submitted, but VirusTotal does not show it; run again to submit it again"
            }
            Request::Poll { url, .. } => {
                // The next run polls at once, and as often.
                store.polled(url, 0, self.now())?;
                "VirusTotal has not finished the analysis; run again to poll it"
            }
            Request::Ask { .. } | Request::Submit { .. } => "VirusTotal has not answered",
        };
        self.settle_unknown(index, Cause::Pending, reason);
        CONTINUE
    }

    /// Whether analyses are awaited whose polls are free of charge.
    fn has_free_polls(&self) -> Result<bool, StoreError> {
        Ok(self.queue.has_awaiting() && self.with.store.polls_are_free(self.with.account)?)
    }

    async fn no_slot(&mut self, slot: Slot) -> Step {
        let (resumes_ms, which) = match slot {
            Slot::Now => return CONTINUE,
            Slot::At(at) => return self.wait_until(at).await,
            Slot::DaySpent { resumes_ms } => (resumes_ms, "day"),
            Slot::MonthSpent { resumes_ms } => (resumes_ms, "month"),
        };
        self.spent(resumes_ms, format!("the {which}'s quota is spent"))
    }

    fn spent(&mut self, resumes_ms: UnixMs, reason: String) -> Step {
        match self.with.when_spent {
            WhenSpent::End => Ok(ControlFlow::Break(RunEnd::QuotaSpent {
                resumes_ms,
                reason,
            })),
            WhenSpent::Wait => {
                self.paused_until_ms = resumes_ms;
                self.with.reporter.spent(&reason, &self.findings());
                CONTINUE
            }
        }
    }

    /// Decides after a fault: repeat the request later, give it up, or end the run.
    async fn fail(&mut self, name: &str, fault: Fault) -> Step {
        match &fault {
            Fault::WrongKey(message) => {
                return Ok(ControlFlow::Break(RunEnd::WrongKey(message.clone())));
            }
            Fault::QuotaExceeded { retry_after_s, .. } => {
                return self.quota_refused(*retry_after_s, &fault).await;
            }
            _ => {}
        }
        match self.retry.failed(name, &fault, self.now()) {
            Advice::Again(_) => self.with.reporter.retrying(&fault.to_string()),
            Advice::GiveUp => {}
            Advice::Break => return Ok(ControlFlow::Break(RunEnd::Unreachable(fault.to_string()))),
        }
        CONTINUE
    }

    /// Handles a refusal for the quota although the ledger has a slot. The indicator keeps its
    /// turn, and the run pauses.
    async fn quota_refused(&mut self, retry_after_s: Option<u64>, fault: &Fault) -> Step {
        let now = self.now();
        let (refusals, resumes_ms) = self.retry.quota_refused(retry_after_s, now);
        if refusals == 1 {
            self.paused_until_ms = resumes_ms;
            self.with.reporter.retrying(&fault.to_string());
            return CONTINUE;
        }
        let store = self.with.store;
        if let Some(user) = self.with.user {
            match reconcile(self.with.client, user, store, self.with.account, now).await? {
                Ok(reported) => {
                    self.limits = self
                        .limits
                        .at_most(reported.day_allowed, reported.month_allowed);
                }
                Err(fault) => self.with.reporter.retrying(&fault.to_string()),
            }
            let usage = store.usage(self.with.account, &self.limits, now)?;
            match next_slot(&usage, now, &self.limits) {
                Slot::Now | Slot::At(_) => {}
                slot => return self.no_slot(slot).await,
            }
        }
        let known = match self.with.user {
            Some(_) => fault.to_string(),
            None => format!("{fault}; {}", self.charged_so_far(now)?),
        };
        if refusals >= MAX_QUOTA_REFUSALS {
            let reason = format!("{known}; something else uses this key or this network");
            // A run that waits asks again within an hour, because the clock may be fast.
            let resumes_ms = match self.with.when_spent {
                WhenSpent::End => next_day(now),
                WhenSpent::Wait => now + REFUSED_PAUSE_MS,
            };
            return self.spent(resumes_ms, reason);
        }
        self.paused_until_ms = resumes_ms;
        self.with.reporter.retrying(&known);
        CONTINUE
    }

    /// The ledger's counts, for a run that cannot ask VirusTotal.
    fn charged_so_far(&self, now: UnixMs) -> Result<String, StoreError> {
        let (store, account) = (self.with.store, self.with.account);
        let usage = store.usage(account, &self.limits, now)?;
        let Limits {
            per_day, per_month, ..
        } = self.limits;
        Ok(format!(
            "the ledger has {} of {per_day} requests of the day and {} of {per_month} of the month; use --vt-user to learn which limit is reached",
            usage.today, usage.this_month
        ))
    }

    /// A finding for every indicator, in the order of the plan.
    fn findings(&self) -> Vec<Finding> {
        let findings = self.findings.iter().zip(self.planned);
        findings
            .map(|(finding, planned)| {
                finding.clone().unwrap_or_else(|| {
                    let reason = "the run ended before its turn".to_owned();
                    Finding::unknown(planned.sightings.clone(), Cause::NotAsked, reason)
                })
            })
            .collect()
    }
}
