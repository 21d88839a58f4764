//! The run: asks VirusTotal, one request after the other, within the quota,
//! and keeps every answer before the next request goes out.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::judge::{self, Judge};
use super::ladder::{Action, Answers, Ladder, Progress};
use super::plan::Planned;
use super::{Cause, Finding};
use crate::clock::{Clock, UnixMs};
use crate::indicator::{Indicator, Kind, vt_id};
use crate::quota::{Limits, Slot};
use crate::store::{Store, StoreError, StoredAnswer, SubmissionState, Taken};
use crate::virustotal::report::Report;
use crate::virustotal::{AnalysisStatus, Client, Fault, Lookup, Question};

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
    pub ladder: Ladder,
    /// When an analysis is first asked for; each time after that waits twice as
    /// long as the one before.
    pub first_poll: Duration,
    /// Told what happens.
    pub reporter: &'a dyn Reporter,
}

/// Told how a run goes on.
pub trait Reporter: Send + Sync {
    /// A verdict has fallen; `left` indicators have none yet.
    fn found(&self, finding: &Finding, left: usize);
    /// The next request goes out at `until_ms`; `left` indicators wait.
    fn waiting(&self, until_ms: UnixMs, left: usize);
    /// A request failed and is tried again.
    fn retrying(&self, reason: &str);
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
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
}

/// What a run gave.
#[derive(Debug)]
pub struct Done {
    /// A finding for every indicator, in the order of the plan.
    pub findings: Vec<Finding>,
    /// How it ended.
    pub ended: Ended,
    /// Requests sent.
    pub requests: u64,
}

/// Ends when the run is to end early.
pub type Cancelled<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A request is tried this often before its indicator is given up.
const MAX_TRIES: u32 = 5;
/// The wait before the second try; it doubles from try to try.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// How often an analysis is asked for in one run.
const MAX_POLLS: u32 = 4;
/// The wait after VirusTotal says that the quota is used up, unless it says how
/// long.
const QUOTA_PAUSE: Duration = Duration::from_secs(60);
/// The longest wait that a `Retry-After` can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// After so many refusals for the quota in a row the run ends: our ledger does
/// not know of what else uses the key.
const MAX_QUOTA_REFUSALS: u32 = 3;
/// VirusTotal's clock may be behind ours by this much.
const CLOCK_SKEW_S: i64 = 60;

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
        mut cancelled: Cancelled<'_>,
    ) -> Result<Done, StoreError> {
        let mut run = Run::new(self, planned, judge);
        run.settle_what_is_stored()?;
        let ended = loop {
            let next = run.next()?;
            let step = async {
                match next {
                    None => Ok(Some(Ended::Done)),
                    Some(Next::Wait(until_ms)) => run.wait_until(until_ms).await,
                    Some(Next::Work(index, action)) => run.work(index, action).await,
                }
            };
            tokio::select! {
                biased;
                () = &mut cancelled => break Ended::Interrupted,
                ended = step => if let Some(ended) = ended? {
                    break ended;
                },
            }
        };
        Ok(run.finish(ended))
    }
}

impl Answers for Store {
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
    ladder: &Ladder,
    store: &Store,
    judge: &mut dyn Judge,
) -> Result<Vec<Option<Finding>>, StoreError> {
    planned
        .iter()
        .map(|planned| match planned.kept() {
            Some(kept) => Ok(Some(kept)),
            None => settled(planned, ladder, store, judge),
        })
        .collect()
}

fn settled(
    planned: &Planned,
    ladder: &Ladder,
    store: &Store,
    judge: &mut dyn Judge,
) -> Result<Option<Finding>, StoreError> {
    let sightings = || planned.sightings.clone();
    Ok(
        match ladder.progress(&planned.sightings.indicator, store)? {
            Progress::Answered(answer) => Some(judge::find(judge, sightings(), &answer)),
            Progress::Exhausted(words) => {
                Some(Finding::unknown(sightings(), Cause::NoReport, words))
            }
            Progress::Next(_) => None,
        },
    )
}

/// What to do next.
enum Next {
    Wait(UnixMs),
    Work(usize, Action),
}

/// An indicator without a verdict.
#[derive(Default)]
struct Open {
    /// Its next action is not before this.
    not_before_ms: UnixMs,
    tries: u32,
}

struct Run<'a, 'b> {
    with: &'a Triage<'a>,
    planned: Arc<[Planned]>,
    judge: &'b mut dyn Judge,
    findings: Vec<Option<Finding>>,
    /// By the place in the plan. Taken from the front, mostly.
    open: std::collections::BTreeMap<usize, Open>,
    /// The actions of the open ones that wait for an analysis.
    waiting: HashMap<usize, UnixMs>,
    quota_refusals: u32,
    requests: u64,
}

type Step = Result<Option<Ended>, StoreError>;

impl<'a, 'b> Run<'a, 'b> {
    fn new(with: &'a Triage<'a>, planned: Vec<Planned>, judge: &'b mut dyn Judge) -> Self {
        Self {
            with,
            findings: planned.iter().map(|_| None).collect(),
            planned: planned.into(),
            judge,
            open: std::collections::BTreeMap::new(),
            waiting: HashMap::new(),
            quota_refusals: 0,
            requests: 0,
        }
    }

    fn settle_what_is_stored(&mut self) -> Result<(), StoreError> {
        let planned = Arc::clone(&self.planned);
        let settled = judge_stored(&planned, &self.with.ladder, self.with.store, self.judge)?;
        for (index, _) in settled
            .iter()
            .enumerate()
            .filter(|(_, found)| found.is_none())
        {
            self.open.insert(index, Open::default());
        }
        for (index, finding) in settled.into_iter().enumerate() {
            if let Some(finding) = finding {
                self.settle(index, finding);
            }
        }
        Ok(())
    }

    /// The most valuable thing that can be done now; analyses that are due come
    /// first. None when nothing is open.
    fn next(&mut self) -> Result<Option<Next>, StoreError> {
        let now = self.with.clock.now_ms();
        let due = self.waiting.iter().filter(|(_, due)| **due <= now);
        let due = due
            .min_by_key(|(index, due)| (**due, **index))
            .map(|(index, _)| *index);
        let ready = due.or_else(|| {
            let mut open = self.open.iter();
            open.find(|(index, open)| {
                open.not_before_ms <= now && !self.waiting.contains_key(index)
            })
            .map(|(index, _)| *index)
        });
        let Some(index) = ready else {
            let retries = self
                .open
                .iter()
                .filter(|(index, _)| !self.waiting.contains_key(index));
            let times = retries.map(|(_, open)| open.not_before_ms);
            let soonest = times.chain(self.waiting.values().copied()).min();
            return Ok(soonest.map(Next::Wait));
        };
        // Another one's answer may have settled it meanwhile; then the next
        // round finds the next.
        let action = self.progress(index)?;
        Ok(Some(action.map_or(Next::Wait(now), |action| {
            Next::Work(index, action)
        })))
    }

    /// The next action for an indicator; none when it was settled just now.
    fn progress(&mut self, index: usize) -> Result<Option<Action>, StoreError> {
        let planned = Arc::clone(&self.planned);
        let indicator = &planned[index].sightings.indicator;
        let progress = self.with.ladder.progress(indicator, self.with.store)?;
        let sightings = || planned[index].sightings.clone();
        match progress {
            Progress::Next(action) => return Ok(Some(action)),
            Progress::Answered(answer) => {
                let finding = judge::find(self.judge, sightings(), &answer);
                self.settle(index, finding);
            }
            Progress::Exhausted(words) => {
                let finding = Finding::unknown(sightings(), Cause::NoReport, words);
                self.settle(index, finding);
            }
        }
        Ok(None)
    }

    async fn wait_until(&self, until_ms: UnixMs) -> Step {
        let missing = u64::try_from(until_ms - self.with.clock.now_ms()).unwrap_or(0);
        if missing > 0 {
            self.with.reporter.waiting(until_ms, self.open.len());
            self.with.clock.sleep(Duration::from_millis(missing)).await;
        }
        Ok(None)
    }

    /// Does what an indicator needs next, with a slot.
    async fn work(&mut self, index: usize, action: Action) -> Step {
        if let Some(due_ms) = due_of(&action)
            && due_ms > self.with.clock.now_ms()
        {
            self.waiting.insert(index, due_ms);
            return Ok(None);
        }
        if polls_of(&action) >= MAX_POLLS {
            return self.give_up_waiting(index, &action);
        }
        let now = self.with.clock.now_ms();
        let charge = match self
            .with
            .store
            .take_slot(self.with.account, &self.with.limits, now)?
        {
            Taken::Charged(charge) => charge,
            Taken::NotYet(slot) => return self.no_slot(slot).await,
        };
        self.requests += 1;
        let sent = self.send(index, action).await;
        self.with.store.settle(charge, self.with.clock.now_ms())?;
        match sent? {
            Ok(()) => {
                self.quota_refusals = 0;
                if self.open.contains_key(&index) && !self.waiting.contains_key(&index) {
                    self.progress(index)?;
                }
                Ok(None)
            }
            Err(fault) => Ok(self.fail(index, &fault)),
        }
    }

    async fn no_slot(&mut self, slot: Slot) -> Step {
        let spent = |resumes_ms, which: &str| {
            Ok(Some(Ended::QuotaSpent {
                resumes_ms,
                reason: format!("the {which}'s quota is spent"),
            }))
        };
        match slot {
            Slot::Now => Ok(None),
            Slot::At(at) => self.wait_until(at).await,
            Slot::DaySpent { resumes_ms } => spent(resumes_ms, "day"),
            Slot::MonthSpent { resumes_ms } => spent(resumes_ms, "month"),
        }
    }

    /// Makes one request and keeps what it gave.
    async fn send(
        &mut self,
        index: usize,
        action: Action,
    ) -> Result<Result<(), Fault>, StoreError> {
        match action {
            Action::Ask(question) => self.ask(&question).await,
            Action::Submit(url) => self.submit(index, &url).await,
            Action::Poll {
                url,
                analysis_id,
                polls,
                ..
            } => self.poll(index, &url, &analysis_id, polls).await,
            Action::Recover {
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
        store.intend(url, clock.now_ms(), clock.now_ms() + self.poll_wait_ms(0))?;
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
                    store.abandon(url)?;
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

    /// Leaves an analysis for the next run.
    fn give_up_waiting(&mut self, index: usize, action: &Action) -> Step {
        let reason = match action {
            Action::Recover { url, .. } => {
                self.with.store.abandon(url)?;
                "it was handed in, but VirusTotal does not show it; run again to hand it in again"
            }
            Action::Poll { url, .. } => {
                // The next run asks for it at once, and as patiently.
                let now = self.with.clock.now_ms();
                self.with.store.polled(url, 0, now)?;
                "VirusTotal has not finished the analysis; run again to ask for it"
            }
            Action::Ask(_) | Action::Submit(_) => "it was not answered",
        };
        let sightings = self.planned[index].sightings.clone();
        self.settle(
            index,
            Finding::unknown(sightings, Cause::Pending, reason.to_owned()),
        );
        Ok(None)
    }

    /// Decides after a fault: again later, give the indicator up, or end.
    fn fail(&mut self, index: usize, fault: &Fault) -> Option<Ended> {
        let now = self.with.clock.now_ms();
        match fault {
            Fault::WrongKey(message) => return Some(Ended::WrongKey(message.clone())),
            Fault::QuotaExceeded { retry_after_s, .. } => {
                return self.quota_refused(*retry_after_s, fault, now);
            }
            _ => {}
        }
        let open = self.open.entry(index).or_default();
        open.tries += 1;
        if fault.is_retryable() && open.tries < MAX_TRIES {
            let wait = FIRST_RETRY * (1 << (open.tries - 1));
            open.not_before_ms = now + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            if let Some(due) = self.waiting.get_mut(&index) {
                *due = (*due).max(open.not_before_ms);
            }
            self.with.reporter.retrying(&fault.to_string());
            return None;
        }
        let sightings = self.planned[index].sightings.clone();
        self.settle(
            index,
            Finding::unknown(sightings, Cause::Failed, fault.to_string()),
        );
        None
    }

    /// VirusTotal says that the quota is used up although the ledger has a slot.
    /// The indicator keeps its place; everything waits.
    fn quota_refused(
        &mut self,
        retry_after_s: Option<u64>,
        fault: &Fault,
        now: UnixMs,
    ) -> Option<Ended> {
        self.quota_refusals += 1;
        let pause = retry_after_s
            .map_or(QUOTA_PAUSE, Duration::from_secs)
            .clamp(Duration::from_secs(1), MAX_RETRY_AFTER);
        let resumes_ms = now + i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        if self.quota_refusals >= MAX_QUOTA_REFUSALS {
            return Some(Ended::QuotaSpent {
                resumes_ms: crate::quota::next_day(now),
                reason: format!("{fault}; something else uses this key"),
            });
        }
        for open in self.open.values_mut() {
            open.not_before_ms = open.not_before_ms.max(resumes_ms);
        }
        for due in self.waiting.values_mut() {
            *due = (*due).max(resumes_ms);
        }
        self.with.reporter.retrying(&fault.to_string());
        None
    }

    fn settle(&mut self, index: usize, finding: Finding) {
        self.open.remove(&index);
        self.waiting.remove(&index);
        self.with.reporter.found(&finding, self.open.len());
        self.findings[index] = Some(finding);
    }

    fn finish(self, ended: Ended) -> Done {
        let left = "the run ended before its turn";
        let findings = self.findings.into_iter().zip(self.planned.iter());
        Done {
            findings: findings
                .map(|(finding, planned)| {
                    finding.unwrap_or_else(|| {
                        let sightings = planned.sightings.clone();
                        Finding::unknown(sightings, Cause::NotAsked, left.to_owned())
                    })
                })
                .collect(),
            ended,
            requests: self.requests,
        }
    }
}

fn due_of(action: &Action) -> Option<UnixMs> {
    match action {
        Action::Poll { due_ms, .. } | Action::Recover { due_ms, .. } => Some(*due_ms),
        Action::Ask(_) | Action::Submit(_) => None,
    }
}

fn polls_of(action: &Action) -> u32 {
    match action {
        Action::Poll { polls, .. } | Action::Recover { polls, .. } => *polls,
        Action::Ask(_) | Action::Submit(_) => 0,
    }
}

/// The question for a URL that was handed in, and so is no secret any more.
fn question_of(url: &str) -> Question {
    match Indicator::parse(Kind::Url, url.as_bytes()) {
        Ok(url) => vt_id::plain_sha256(&url).map_or_else(
            || Question::UrlByBase64(vt_id::base64_id(&url)),
            Question::UrlBySha256,
        ),
        Err(_) => Question::UrlByBase64(url.to_owned()),
    }
}
