//! The run: asks VirusTotal, one request after the other, within the quota,
//! and keeps every answer before the next request goes out.
//!
//! Hosts come first, then URLs that their host's report does not settle, then
//! submissions; analyses that are due come before all. Several runs may share a
//! store: each claims what it is at work on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::judge::{self, Judge};
use super::lookup::{LookupPlan, LookupStatus, Opinion, Request, StoredAnswers, Tier};
use super::plan::Planned;
use super::retry::{Advice, RetryPolicy};
use super::{Cause, Finding};
use crate::clock::{Clock, UnixMs};
use crate::indicator::{Indicator, Kind};
use crate::quota::{Limits, Slot, day_name, next_slot};
use crate::store::{
    AccountQuota, Claimant, PollsUsed, Purpose, SlotOutcome, Store, StoreError, StoredAnswer,
    StoredKeys, SubmissionState, polls_since,
};
use crate::verdict::Verdict;
use crate::virustotal::report::Report;
use crate::virustotal::{AnalysisStatus, Client, Fault, Lookup, Question, url_id};

/// What a run needs.
pub struct Triage<'a> {
    /// VirusTotal.
    pub client: &'a Client,
    /// Whose quota: the key's fingerprint.
    pub account: &'a str,
    /// What was learned before, and the ledger.
    pub store: &'a Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The quota.
    pub limits: Limits,
    /// What may be asked.
    pub lookup: LookupPlan,
    /// When an analysis is first asked for; each time after that waits twice as
    /// long as the one before.
    pub first_poll: Duration,
    /// Who this run is among those that share the store.
    pub claimant: Claimant,
    /// The key's user, if VirusTotal is to be asked what is left.
    pub user: Option<&'a str>,
    /// Whether to wait for the next day when the day's quota is spent.
    pub when_spent: WhenSpent,
    /// Notified of what happens.
    pub reporter: &'a dyn Reporter,
}

/// What a run does when the quota of the day or the month is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenSpent {
    /// It ends.
    #[default]
    End,
    /// It waits until there is more, and goes on.
    Wait,
}

/// Notified of a run's progress.
pub trait Reporter: Send + Sync {
    /// A verdict has fallen; `left` indicators have none yet.
    fn found(&self, finding: &Finding, left: usize);
    /// The next request goes out at `until_ms`; `left` indicators wait.
    fn waiting(&self, until_ms: UnixMs, left: usize);
    /// A request failed and is tried again.
    fn retrying(&self, reason: &str);
    /// A quota is spent, and the run waits; this is what it has so far, in the
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
        /// When it can go on.
        resumes_ms: UnixMs,
        /// In words.
        reason: String,
    },
    /// The user ended it.
    Interrupted,
    /// VirusTotal does not take the key.
    WrongKey(String),
    /// Request after request failed; this is the last one's fault.
    Unreachable(String),
}

/// What a run gave.
#[derive(Debug)]
pub struct TriageOutcome {
    /// A finding for every indicator, in the order of the plan.
    pub findings: Vec<Finding>,
    /// How it ended.
    pub ended: RunEnd,
    /// Requests sent.
    pub requests: u64,
}

/// Ends when the run is to end early.
pub type Cancellation<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// How often an analysis is asked for in one run.
const MAX_POLLS: u32 = 4;
/// After so many refusals for the quota in a row the run ends: our ledger does
/// not know of what else uses the key.
const MAX_QUOTA_REFUSALS: u32 = 3;
/// VirusTotal's clock may be behind ours by this much.
const CLOCK_SKEW_S: i64 = 60;
/// When to ask again while VirusTotal refuses for no reason that we know.
const LOOK_AGAIN_MS: i64 = 3_600_000;
/// How often to look whether another run has finished what it claims.
const CLAIMED_PAUSE_MS: i64 = 1_000;
/// The longest sleep at a stretch: the machine may sleep, or its clock be set,
/// meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Triage<'_> {
    /// Runs until every indicator has a verdict, the quota is spent, or
    /// `cancelled`.
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
        let mut run = Run::new(self, planned, judge);
        run.settle_what_is_stored()?;
        let ended = loop {
            let next = run.next()?;
            let step = async {
                match next {
                    None => Ok(Some(RunEnd::Done)),
                    Some(Next::Wait(until_ms)) => run.wait_until(until_ms).await,
                    Some(Next::Work(index, action)) => run.work(index, action).await,
                }
            };
            tokio::select! {
                biased;
                () = &mut cancelled => break RunEnd::Interrupted,
                ended = step => if let Some(ended) = ended? {
                    break ended;
                },
            }
        };
        // A request that was cut off holds its claim still.
        self.store.release_all(&self.claimant)?;
        Ok(run.finish(ended))
    }
}

/// What was stored when the run began: what was not there is not asked for.
pub struct StoreSnapshot<'a> {
    store: &'a Store,
    contents: StoredKeys,
}

impl<'a> StoreSnapshot<'a> {
    /// Looks at what is stored.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn of(store: &'a Store) -> Result<Self, StoreError> {
        let contents = store.stored_keys()?;
        Ok(Self { store, contents })
    }
}

impl StoredAnswers for StoreSnapshot<'_> {
    fn answer(&self, question: &Question) -> Result<Option<StoredAnswer>, StoreError> {
        if !self.contents.questions.contains(&question.to_string()) {
            return Ok(None);
        }
        self.store.answer(question)
    }

    fn submission(&self, url: &str) -> Result<Option<SubmissionState>, StoreError> {
        if !self.contents.urls.contains(url) {
            return Ok(None);
        }
        self.store.submission(url)
    }
}

impl StoredAnswers for Store {
    fn answer(&self, question: &Question) -> Result<Option<StoredAnswer>, StoreError> {
        Self::answer(self, question)
    }

    fn submission(&self, url: &str) -> Result<Option<SubmissionState>, StoreError> {
        Self::submission(self, url)
    }
}

/// Gives every indicator that is kept back, or has its answer in the store, its
/// finding; none for what would have to be asked.
///
/// # Errors
///
/// When the store cannot be read.
pub fn judge_stored(
    planned: &[Planned],
    lookup: &LookupPlan,
    store: &Store,
    judge: &mut dyn Judge,
) -> Result<Vec<Option<Finding>>, StoreError> {
    let stored = StoreSnapshot::of(store)?;
    planned
        .iter()
        .map(|planned| {
            Ok(match resolve(planned, lookup, &stored, judge)? {
                Resolution::Settled(finding) => Some(*finding),
                Resolution::Open(_) => None,
            })
        })
        .collect()
}

/// How an indicator stands.
#[derive(Debug)]
pub enum Resolution {
    /// It is kept back, or its answer is in the store.
    Settled(Box<Finding>),
    /// This is to be done next.
    Open(Request),
}

/// Says how an indicator stands, by what is stored.
///
/// # Errors
///
/// When the store cannot be read.
pub fn resolve(
    planned: &Planned,
    lookup: &LookupPlan,
    stored: &dyn StoredAnswers,
    judge: &mut dyn Judge,
) -> Result<Resolution, StoreError> {
    if let Some(kept) = planned.kept() {
        return Ok(Resolution::Settled(Box::new(kept)));
    }
    let sightings = &planned.sightings;
    let mut ask = |answer: &super::lookup::ScopedReport| {
        let judged = judge.judge(sightings, &answer.subject, answer.scope, &answer.report);
        judged.as_ref().map_or(NO_OPINION, Opinion::from)
    };
    let finding = match lookup.progress(&sightings.indicator, stored, &mut ask)? {
        LookupStatus::Next(action) => return Ok(Resolution::Open(action)),
        LookupStatus::Answered(answer) => judge::find(judge, sightings.clone(), &answer),
        LookupStatus::Exhausted(words) => {
            Finding::unknown(sightings.clone(), Cause::NoReport, words)
        }
    };
    Ok(Resolution::Settled(Box::new(finding)))
}

/// Of a policy that failed; the finding will say so.
const NO_OPINION: Opinion = Opinion {
    verdict: Verdict::Unknown,
    settles: false,
};

/// What to do next.
enum Next {
    Wait(UnixMs),
    Work(usize, Request),
}

/// When an open indicator has its turn: by tier, then by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    tier: Tier,
    value: usize,
    index: usize,
}

struct Run<'a, 'b> {
    with: &'a Triage<'a>,
    limits: Limits,
    planned: Arc<[Planned]>,
    judge: &'b mut dyn Judge,
    /// By the place in the plan.
    findings: Vec<Option<Finding>>,
    /// The open ones, and when they may be looked at again.
    open: BTreeMap<Turn, UnixMs>,
    /// The turns of the open ones, by the place in the plan.
    turns: HashMap<usize, Turn>,
    /// The open ones that wait for an analysis, and when it is due.
    waiting: HashMap<usize, UnixMs>,
    /// Those whose submission never arrived.
    handed_in_again: HashSet<usize>,
    /// Nothing is asked before.
    paused_until_ms: UnixMs,
    /// Nothing is asked before but for analyses, which are free of charge.
    questions_from_ms: UnixMs,
    retry: RetryPolicy,
    requests: u64,
}

type Step = Result<Option<RunEnd>, StoreError>;

/// What came of working on a claimed action.
enum Worked {
    Done,
    Ended(RunEnd),
    /// It was not sent.
    NoSlot(Slot),
}

impl<'a, 'b> Run<'a, 'b> {
    fn new(with: &'a Triage<'a>, planned: Vec<Planned>, judge: &'b mut dyn Judge) -> Self {
        Self {
            with,
            limits: with.limits,
            findings: planned.iter().map(|_| None).collect(),
            planned: planned.into(),
            judge,
            open: BTreeMap::new(),
            turns: HashMap::new(),
            waiting: HashMap::new(),
            handed_in_again: HashSet::new(),
            paused_until_ms: UnixMs::MIN,
            questions_from_ms: UnixMs::MIN,
            retry: RetryPolicy::default(),
            requests: 0,
        }
    }

    fn now(&self) -> UnixMs {
        self.with.clock.now_ms()
    }

    fn settle_what_is_stored(&mut self) -> Result<(), StoreError> {
        let planned = Arc::clone(&self.planned);
        let stored = StoreSnapshot::of(self.with.store)?;
        let mut settled = Vec::new();
        for (index, planned) in planned.iter().enumerate() {
            match resolve(planned, &self.with.lookup, &stored, self.judge)? {
                Resolution::Settled(finding) => settled.push((index, finding)),
                Resolution::Open(action) => self.queue(index, action.tier(), UnixMs::MIN),
            }
        }
        for (index, finding) in settled {
            self.settle(index, *finding);
        }
        Ok(())
    }

    /// Gives an open indicator its turn.
    fn queue(&mut self, index: usize, tier: Tier, not_before_ms: UnixMs) {
        let value = match tier {
            Tier::Host => self.planned[index].host_rank,
            Tier::Url | Tier::Submission => index,
        };
        let turn = Turn { tier, value, index };
        if let Some(old) = self.turns.insert(index, turn) {
            self.open.remove(&old);
        }
        self.open.insert(turn, not_before_ms);
    }

    /// The most valuable thing that can be done now; analyses that are due come
    /// first. None when nothing is open.
    fn next(&mut self) -> Result<Option<Next>, StoreError> {
        let now = self.now();
        if self.open.is_empty() {
            return Ok(None);
        }
        if self.paused_until_ms > now {
            return Ok(Some(Next::Wait(self.paused_until_ms)));
        }
        let due = self.waiting.iter().filter(|(_, due)| **due <= now);
        let due = due
            .min_by_key(|(index, due)| (**due, **index))
            .map(|(index, _)| *index);
        let is_waiting = |turn: &Turn| self.waiting.contains_key(&turn.index);
        // Once no analysis is awaited, a question learns that the day is spent.
        let from_ms = match self.waiting.is_empty() {
            true => UnixMs::MIN,
            false => self.questions_from_ms,
        };
        let ready = due.or_else(|| {
            let mut open = self.open.iter();
            open.find(|(turn, not_before)| from_ms.max(**not_before) <= now && !is_waiting(turn))
                .map(|(turn, _)| turn.index)
        });
        let Some(index) = ready else {
            let others = self.open.iter().filter(|(turn, _)| !is_waiting(turn));
            let times = others.map(|(_, not_before)| from_ms.max(*not_before));
            let soonest = times.chain(self.waiting.values().copied()).min();
            return Ok(soonest.map(Next::Wait));
        };
        let Some(action) = self.progress(index)? else {
            // Another one's answer has settled it; the next round finds the next.
            return Ok(Some(Next::Wait(now)));
        };
        let name = action.name();
        if let Some(fault) = self.retry.gave_up(&name) {
            let sightings = self.planned[index].sightings.clone();
            let finding = Finding::unknown(sightings, Cause::Failed, fault.to_owned());
            self.settle(index, finding);
            return Ok(Some(Next::Wait(now)));
        }
        let not_before = self.retry.not_before(&name).unwrap_or(now);
        let tier = action.tier();
        if not_before > now || self.turns.get(&index).is_some_and(|turn| turn.tier != tier) {
            self.queue(index, tier, not_before);
            if let Some(due) = self.waiting.get_mut(&index) {
                *due = (*due).max(not_before);
            }
            return Ok(Some(Next::Wait(now)));
        }
        Ok(Some(Next::Work(index, action)))
    }

    /// The next action for an indicator; none when it was settled just now.
    fn progress(&mut self, index: usize) -> Result<Option<Request>, StoreError> {
        let planned = Arc::clone(&self.planned);
        let lookup = &self.with.lookup;
        match resolve(&planned[index], lookup, self.with.store, self.judge)? {
            Resolution::Open(action) => Ok(Some(action)),
            Resolution::Settled(finding) => {
                self.settle(index, *finding);
                Ok(None)
            }
        }
    }

    async fn wait_until(&self, until_ms: UnixMs) -> Step {
        let missing = u64::try_from(until_ms - self.now()).unwrap_or(0);
        if missing > 0 {
            self.with.reporter.waiting(until_ms, self.open.len());
            let sleep = Duration::from_millis(missing).min(LONGEST_SLEEP);
            self.with.clock.sleep(sleep).await;
        }
        Ok(None)
    }

    /// Does what an indicator needs next, with a slot.
    async fn work(&mut self, index: usize, action: Request) -> Step {
        if let Some(due_ms) = due_of(&action)
            && due_ms > self.now()
        {
            self.waiting.insert(index, due_ms);
            return Ok(None);
        }
        if polls_of(&action) >= MAX_POLLS {
            return self.give_up_waiting(index, &action);
        }
        let (store, claimant) = (self.with.store, &self.with.claimant);
        let name = action.name();
        if !store.claim(claimant, &name, self.now())? {
            let later = self.now() + CLAIMED_PAUSE_MS;
            self.queue(index, action.tier(), later);
            if let Some(due) = self.waiting.get_mut(&index) {
                *due = later;
            }
            return Ok(None);
        }
        let is_awaited = due_of(&action).is_some();
        let done = self.work_claimed(index, action, &name).await;
        store.release(claimant, &name)?;
        match done? {
            Worked::Done => Ok(None),
            Worked::Ended(ended) => Ok(Some(ended)),
            Worked::NoSlot(Slot::DaySpent { resumes_ms } | Slot::MonthSpent { resumes_ms })
                if !is_awaited && self.has_free_polls()? =>
            {
                self.questions_from_ms = resumes_ms;
                Ok(None)
            }
            Worked::NoSlot(slot) => self.no_slot(slot).await,
        }
    }

    async fn work_claimed(
        &mut self,
        index: usize,
        action: Request,
        name: &str,
    ) -> Result<Worked, StoreError> {
        // Another run may have had the answer just before.
        if self.progress(index)?.as_ref() != Some(&action) {
            return Ok(Worked::Done);
        }
        let (store, account) = (self.with.store, self.with.account);
        let purpose = purpose_of(&action);
        let charge = match store.take_slot(account, &self.limits, purpose, self.now())? {
            SlotOutcome::Charged(charge) => charge,
            SlotOutcome::NotYet(slot) => return Ok(Worked::NoSlot(slot)),
        };
        self.requests += 1;
        let sent = self.send(index, action).await;
        store.settle(charge, self.now())?;
        match sent? {
            Ok(()) => {
                self.retry.answered(name);
                if self.turns.contains_key(&index) && !self.waiting.contains_key(&index) {
                    self.progress(index)?;
                }
                Ok(Worked::Done)
            }
            Err(fault) => Ok(match self.fail(name, fault).await? {
                Some(ended) => Worked::Ended(ended),
                None => Worked::Done,
            }),
        }
    }

    /// Whether there are analyses to wait for that cost nothing to ask for.
    fn has_free_polls(&self) -> Result<bool, StoreError> {
        Ok(!self.waiting.is_empty() && self.with.store.polls_are_free(self.with.account)?)
    }

    async fn no_slot(&mut self, slot: Slot) -> Step {
        let (resumes_ms, which) = match slot {
            Slot::Now => return Ok(None),
            Slot::At(at) => return self.wait_until(at).await,
            Slot::DaySpent { resumes_ms } => (resumes_ms, "day"),
            Slot::MonthSpent { resumes_ms } => (resumes_ms, "month"),
        };
        self.spent(resumes_ms, format!("the {which}'s quota is spent"))
    }

    fn spent(&mut self, resumes_ms: UnixMs, reason: String) -> Step {
        match self.with.when_spent {
            WhenSpent::End => Ok(Some(RunEnd::QuotaSpent { resumes_ms, reason })),
            WhenSpent::Wait => {
                self.paused_until_ms = resumes_ms;
                let so_far = findings(&self.findings, &self.planned);
                self.with.reporter.spent(&reason, &so_far);
                Ok(None)
            }
        }
    }

    /// Makes one request and keeps what it gave.
    async fn send(
        &mut self,
        index: usize,
        action: Request,
    ) -> Result<Result<(), Fault>, StoreError> {
        match action {
            Request::Ask(question) => self.ask(&question).await,
            Request::Submit(url) => self.submit(index, &url).await,
            Request::Poll {
                url,
                analysis_id,
                polls,
                ..
            } => self.poll(index, &url, &analysis_id, polls).await,
            Request::Recover {
                url,
                sent_ms,
                polls,
                ..
            } => self.recover(index, &url, sent_ms, polls).await,
        }
    }

    async fn ask(&self, question: &Question) -> Result<Result<(), Fault>, StoreError> {
        let lookup = match self.with.client.report(question).await {
            Ok(lookup) => lookup,
            Err(fault) => return Ok(Err(fault)),
        };
        let now = self.with.clock.now_ms();
        self.with.store.record_answer(question, &lookup, now)?;
        Ok(Ok(()))
    }

    async fn submit(&mut self, index: usize, url: &str) -> Result<Result<(), Fault>, StoreError> {
        let (store, clock) = (self.with.store, self.with.clock);
        let intended_ms = clock.now_ms();
        store.intend(url, intended_ms, intended_ms + self.poll_wait_ms(0))?;
        match self.with.client.submit(url).await {
            Ok(submission) => {
                let due_ms = clock.now_ms() + self.poll_wait_ms(0);
                store.submitted(url, &submission.analysis_id, due_ms)?;
                self.waiting.insert(index, due_ms);
                Ok(Ok(()))
            }
            Err(fault) => {
                // What may have arrived is looked for later, not sent again.
                if !fault.may_have_arrived() {
                    store.abandon(url, intended_ms)?;
                }
                Ok(Err(fault))
            }
        }
    }

    async fn poll(
        &mut self,
        index: usize,
        url: &str,
        analysis_id: &str,
        polls: u32,
    ) -> Result<Result<(), Fault>, StoreError> {
        let analysis = match self.with.client.analysis(analysis_id).await {
            Ok(analysis) => analysis,
            Err(fault) => return Ok(Err(fault)),
        };
        match analysis {
            Some(analysis) if analysis.status == AnalysisStatus::Completed => {
                self.complete(index, url, &analysis.attributes_json)?;
            }
            _ => self.wait_for_analysis(index, url, polls + 1)?,
        }
        Ok(Ok(()))
    }

    /// Looks for the result of a submission whose answer was lost.
    async fn recover(
        &mut self,
        index: usize,
        url: &str,
        sent_ms: UnixMs,
        polls: u32,
    ) -> Result<Result<(), Fault>, StoreError> {
        let lookup = match self.with.client.report(&question_of(url)).await {
            Ok(lookup) => lookup,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Lookup::Found {
            attributes_json, ..
        } = lookup
        {
            let analysed_s = Report::from_attributes(&attributes_json).last_analysis;
            if analysed_s.is_some_and(|at| at >= sent_ms.div_euclid(1000) - CLOCK_SKEW_S) {
                self.complete(index, url, &attributes_json)?;
                return Ok(Ok(()));
            }
        }
        self.wait_for_analysis(index, url, polls + 1)?;
        Ok(Ok(()))
    }

    fn complete(&mut self, index: usize, url: &str, json: &str) -> Result<(), StoreError> {
        self.waiting.remove(&index);
        self.with
            .store
            .complete(url, json, self.with.clock.now_ms())
    }

    fn wait_for_analysis(&mut self, index: usize, url: &str, polls: u32) -> Result<(), StoreError> {
        let due_ms = self.with.clock.now_ms() + self.poll_wait_ms(polls);
        self.with.store.polled(url, polls, due_ms)?;
        self.waiting.insert(index, due_ms);
        Ok(())
    }

    /// The wait before an analysis is asked for again.
    fn poll_wait_ms(&self, polls: u32) -> i64 {
        let first_ms = i64::try_from(self.with.first_poll.as_millis()).unwrap_or(i64::MAX);
        first_ms.saturating_mul(1 << polls.min(MAX_POLLS))
    }

    /// Leaves an analysis for the next run. What never arrived is handed in
    /// again, once.
    fn give_up_waiting(&mut self, index: usize, action: &Request) -> Step {
        let reason = match action {
            Request::Recover { url, sent_ms, .. } => {
                // Another run may have seen the same, and handed it in since.
                let has_changed = !self.with.store.abandon(url, *sent_ms)?;
                if has_changed || self.handed_in_again.insert(index) {
                    self.waiting.remove(&index);
                    return Ok(None);
                }
                "it was handed in, but VirusTotal does not show it; run again to hand it in again"
            }
            Request::Poll { url, .. } => {
                // The next run asks for it at once, and as patiently.
                let now = self.with.clock.now_ms();
                self.with.store.polled(url, 0, now)?;
                "VirusTotal has not finished the analysis; run again to ask for it"
            }
            Request::Ask(_) | Request::Submit(_) => "it was not answered",
        };
        let sightings = self.planned[index].sightings.clone();
        self.settle(
            index,
            Finding::unknown(sightings, Cause::Pending, reason.to_owned()),
        );
        Ok(None)
    }

    /// Decides after a fault: again later, give the action up, or end.
    async fn fail(&mut self, name: &str, fault: Fault) -> Step {
        match &fault {
            Fault::WrongKey(message) => return Ok(Some(RunEnd::WrongKey(message.clone()))),
            Fault::QuotaExceeded { retry_after_s, .. } => {
                return self.quota_refused(*retry_after_s, &fault).await;
            }
            _ => {}
        }
        match self.retry.failed(name, &fault, self.now()) {
            Advice::Again(_) => self.with.reporter.retrying(&fault.to_string()),
            Advice::GiveUp => {}
            Advice::Break => return Ok(Some(RunEnd::Unreachable(fault.to_string()))),
        }
        Ok(None)
    }

    /// VirusTotal says that the quota is used up although the ledger has a slot.
    /// The indicator keeps its place; everything waits.
    async fn quota_refused(&mut self, retry_after_s: Option<u64>, fault: &Fault) -> Step {
        let now = self.now();
        let (refusals, resumes_ms) = self.retry.quota_refused(retry_after_s, now);
        if refusals == 1 {
            self.paused_until_ms = resumes_ms;
            self.with.reporter.retrying(&fault.to_string());
            return Ok(None);
        }
        let store = self.with.store;
        if let Some(user) = self.with.user {
            match reconcile(self.with.client, user, store, self.with.account, now).await? {
                Ok(told) => {
                    self.limits = self.limits.at_most(told.day_allowed, told.month_allowed);
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
            // Whoever waits looks again before long: our clock may be fast.
            let resumes_ms = match self.with.when_spent {
                WhenSpent::End => crate::quota::next_day(now),
                WhenSpent::Wait => now + LOOK_AGAIN_MS,
            };
            return self.spent(resumes_ms, reason);
        }
        self.paused_until_ms = resumes_ms;
        self.with.reporter.retrying(&known);
        Ok(None)
    }

    /// What the ledger knows where VirusTotal was not asked.
    fn charged_so_far(&self, now: UnixMs) -> Result<String, StoreError> {
        let (store, account) = (self.with.store, self.with.account);
        let usage = store.usage(account, &self.limits, now)?;
        let Limits {
            per_day, per_month, ..
        } = self.limits;
        Ok(format!(
            "the ledger has {} of {per_day} requests of the day and {} of {per_month} of the month; with --vt-user VirusTotal says which limit it is",
            usage.today, usage.this_month
        ))
    }

    fn settle(&mut self, index: usize, finding: Finding) {
        if let Some(turn) = self.turns.remove(&index) {
            self.open.remove(&turn);
        }
        self.waiting.remove(&index);
        self.with.reporter.found(&finding, self.open.len());
        self.findings[index] = Some(finding);
    }

    fn finish(self, ended: RunEnd) -> TriageOutcome {
        TriageOutcome {
            findings: findings(&self.findings, &self.planned),
            ended,
            requests: self.requests,
        }
    }
}

/// A finding for everything that is planned.
fn findings(found: &[Option<Finding>], planned: &[Planned]) -> Vec<Finding> {
    let left = "the run ended before its turn";
    let findings = found.iter().zip(planned);
    findings
        .map(|(finding, planned)| {
            finding.clone().unwrap_or_else(|| {
                let sightings = planned.sightings.clone();
                Finding::unknown(sightings, Cause::NotAsked, left.to_owned())
            })
        })
        .collect()
}

/// Asks VirusTotal what an account has used, free of charge, and keeps it.
///
/// # Errors
///
/// When the store fails; a fault is a value.
pub async fn reconcile(
    client: &Client,
    user: &str,
    store: &Store,
    account: &str,
    now: UnixMs,
) -> Result<Result<AccountQuota, Fault>, StoreError> {
    let quotas = match client.overall_quotas(user).await {
        Ok(quotas) => quotas,
        Err(fault) => return Ok(Err(fault)),
    };
    let find = |name: &str| {
        let mut quotas = quotas.iter();
        quotas
            .find(|(quota, _)| quota == name)
            .map(|(_, quota)| *quota)
    };
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let (day, month) = (find("api_requests_daily"), find("api_requests_monthly"));
    // What cannot be learned leaves things as they are.
    let (first, last) = (day_name(polls_since(now)), day_name(now));
    let polls = client.analyses_asked(user, &first, &last).await.ok();
    let told = AccountQuota {
        day_allowed: day.map(|quota| small(quota.allowed)),
        day_used: day.map(|quota| small(quota.used)),
        month_allowed: month.map(|quota| small(quota.allowed)),
        month_used: month.map(|quota| small(quota.used)),
        polls: polls.map(|(charged, free)| PollsUsed { charged, free }),
    };
    store.reconcile(account, &told, now)?;
    Ok(Ok(told))
}

fn purpose_of(action: &Request) -> Purpose {
    match action {
        Request::Poll { .. } => Purpose::Poll,
        Request::Ask(_) | Request::Submit(_) | Request::Recover { .. } => Purpose::Question,
    }
}

fn due_of(action: &Request) -> Option<UnixMs> {
    match action {
        Request::Poll { due_ms, .. } | Request::Recover { due_ms, .. } => Some(*due_ms),
        Request::Ask(_) | Request::Submit(_) => None,
    }
}

fn polls_of(action: &Request) -> u32 {
    match action {
        Request::Poll { polls, .. } | Request::Recover { polls, .. } => *polls,
        Request::Ask(_) | Request::Submit(_) => 0,
    }
}

/// The question for a URL that was handed in, and so is no secret any more.
fn question_of(url: &str) -> Question {
    match Indicator::parse(Kind::Url, url.as_bytes()) {
        Ok(url) => url_id::plain_sha256(&url).map_or_else(
            || Question::UrlByBase64(url_id::base64_id(&url)),
            Question::UrlBySha256,
        ),
        Err(_) => Question::UrlByBase64(url.to_owned()),
    }
}
