//! Calls policies. Each policy component runs in a separate thread.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::breaker::Breaker;
use crate::indicator::Indicator;
use crate::plugin::{Judgement, Policy, PolicySession, Screening, Stop};
use crate::sightings::Sightings;
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Report;

/// Screens indicators and judges reports.
pub trait Judge: Send {
    /// Whether a request is worth spending.
    ///
    /// # Errors
    ///
    /// [`Failed`], when there is no answer.
    fn screen(&mut self, sightings: &Sightings) -> Result<Screening, PolicyFailure>;

    /// What a report means.
    ///
    /// # Errors
    ///
    /// [`Failed`], when there is no answer.
    fn judge(
        &mut self,
        sightings: &Sightings,
        subject: &Indicator,
        scope: Scope,
        report: &Report,
    ) -> Result<Judgement, PolicyFailure>;

    /// Why there will be no more answers, if a policy has failed too often.
    fn gave_up(&self) -> Option<&str> {
        None
    }
}

/// Why a policy returned no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyFailure(pub String);

/// A policy component. It runs in its own thread: its calls block, and what it
/// writes to standard error must not be awaited inside the host's runtime.
pub struct PolicyJudge {
    calls: Sender<Call>,
    thread: Option<thread::JoinHandle<()>>,
    name: String,
    screenings: Breaker,
    judgements: Breaker,
    gave_up: Option<String>,
}

type Screened = Result<Screening, Stop>;
type JudgeResult = Result<Judgement, Stop>;

enum Call {
    Screen(Box<Sightings>, Sender<Screened>),
    Judge(Box<Case>, Sender<JudgeResult>),
}

struct Case {
    sightings: Sightings,
    subject: Indicator,
    scope: Scope,
    report: Report,
}

impl PolicyJudge {
    /// Starts the policy. `now_s` is the time of the run, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread.
    pub fn start(policy: &Policy, now_s: i64) -> std::io::Result<Self> {
        let name = policy.id().to_string();
        let (calls, queue) = channel();
        let policy = policy.clone();
        let thread = thread::Builder::new()
            .name("policy".into())
            .spawn(move || serve(&policy, now_s, &queue))?;
        Ok(Self {
            calls,
            thread: Some(thread),
            name,
            screenings: Breaker::default(),
            judgements: Breaker::default(),
            gave_up: None,
        })
    }

    /// Calls the policy, unless it was given up. `breaker` counts the failures of the function.
    fn ask<R>(
        &mut self,
        breaker: fn(&mut Self) -> &mut Breaker,
        call: impl FnOnce(Sender<Result<R, Stop>>) -> Call,
    ) -> Result<R, PolicyFailure> {
        if let Some(reason) = &self.gave_up {
            return Err(PolicyFailure(reason.clone()));
        }
        let (reply, replies) = channel();
        let answer = match self.calls.send(call(reply)) {
            Ok(()) => replies.recv().ok(),
            Err(_) => None,
        };
        match answer {
            Some(Ok(answer)) => {
                breaker(self).answered();
                Ok(answer)
            }
            Some(Err(stop)) => {
                let failure = format!("{} {stop}", self.name);
                if let Some(failures) = breaker(self).failed(&stop) {
                    self.gave_up = Some(format!(
                        "the policy failed {failures} times in a row and is not called again; the last time: {failure}"
                    ));
                }
                Err(PolicyFailure(failure))
            }
            None => Err(PolicyFailure(format!("{} has stopped", self.name))),
        }
    }
}

impl Drop for PolicyJudge {
    fn drop(&mut self) {
        let (closed, _) = channel();
        self.calls = closed;
        if let Some(thread) = self.thread.take() {
            // After a panic, the call has already failed.
            let _ = thread.join();
        }
    }
}

impl Judge for PolicyJudge {
    fn screen(&mut self, sightings: &Sightings) -> Result<Screening, PolicyFailure> {
        self.ask(
            |judge| &mut judge.screenings,
            |reply| Call::Screen(Box::new(sightings.clone()), reply),
        )
    }

    fn judge(
        &mut self,
        sightings: &Sightings,
        subject: &Indicator,
        scope: Scope,
        report: &Report,
    ) -> Result<Judgement, PolicyFailure> {
        let case = Case {
            sightings: sightings.clone(),
            subject: subject.clone(),
            scope,
            report: report.clone(),
        };
        self.ask(
            |judge| &mut judge.judgements,
            |reply| Call::Judge(Box::new(case), reply),
        )
    }

    fn gave_up(&self) -> Option<&str> {
        self.gave_up.as_deref()
    }
}

/// Several policies in their order, each with its name. An indicator is skipped if one of them
/// skips it, and has the highest of their priorities. The first verdict that is not `unknown`
/// applies.
pub struct PolicyChain(Vec<(String, PolicyJudge)>);

impl PolicyChain {
    /// Starts the policies, at least one, in their order.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread.
    pub fn start(policies: &[Policy], now_s: i64) -> std::io::Result<Self> {
        let started = policies.iter().map(|policy| {
            let judge = PolicyJudge::start(policy, now_s)?;
            Ok((policy.id().name.clone(), judge))
        });
        started.collect::<Result<_, _>>().map(Self)
    }

    /// Prefixes a reason with the policy's name if there are several.
    fn named(&self, name: &str, reason: String) -> String {
        match self.0.len() {
            1 => reason,
            _ => format!("{name}: {reason}"),
        }
    }
}

impl Judge for PolicyChain {
    fn screen(&mut self, sightings: &Sightings) -> Result<Screening, PolicyFailure> {
        let mut most = i32::MIN;
        for index in 0..self.0.len() {
            let (name, judge) = &mut self.0[index];
            match judge.screen(sightings)? {
                Screening::Ask { priority } => most = most.max(priority),
                Screening::Skip { reason } => {
                    let name = name.clone();
                    let reason = self.named(&name, reason);
                    return Ok(Screening::Skip { reason });
                }
            }
        }
        Ok(Screening::Ask { priority: most })
    }

    fn judge(
        &mut self,
        sightings: &Sightings,
        subject: &Indicator,
        scope: Scope,
        report: &Report,
    ) -> Result<Judgement, PolicyFailure> {
        let mut undecided: Option<Judgement> = None;
        for index in 0..self.0.len() {
            let (name, judge) = &mut self.0[index];
            let name = name.clone();
            let mut judgement = judge.judge(sightings, subject, scope, report)?;
            judgement.reason = self.named(&name, judgement.reason);
            if judgement.verdict != Verdict::Unknown {
                return Ok(judgement);
            }
            match &mut undecided {
                None => undecided = Some(judgement),
                Some(before) => before.reason = format!("{}; {}", before.reason, judgement.reason),
            }
        }
        undecided.ok_or_else(|| PolicyFailure("there is no policy".to_owned()))
    }

    fn gave_up(&self) -> Option<&str> {
        self.0.iter().find_map(|(_, judge)| judge.gave_up())
    }
}

/// The deadline after a call that exceeded its own, until a call succeeds: a policy that always
/// loops costs its whole deadline once.
const SUSPECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A policy and the instance that is in use.
struct Served<'a> {
    policy: &'a Policy,
    session: Option<PolicySession>,
    /// Whether the last call exceeded its deadline.
    is_suspect: bool,
}

impl Served<'_> {
    /// Calls the policy. A new instance replaces one that was stopped, because a trap must not
    /// affect later calls.
    fn call<R>(
        &mut self,
        call: impl FnOnce(&mut PolicySession) -> Result<R, Stop>,
    ) -> Result<R, Stop> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.policy.open()?,
        };
        if self.is_suspect {
            session.limit_calls(SUSPECT_TIMEOUT);
        }
        let answer = call(&mut session);
        self.is_suspect = matches!(answer, Err(Stop::Deadline { .. }));
        let answer = answer?;
        session.reset_limit();
        self.session = Some(session);
        Ok(answer)
    }
}

/// Answers calls until the caller is dropped.
fn serve(policy: &Policy, now_s: i64, queue: &Receiver<Call>) {
    let mut served = Served {
        policy,
        session: None,
        is_suspect: false,
    };
    for call in queue {
        match call {
            Call::Screen(sightings, reply) => {
                let answer = served.call(|session| session.screen(&sightings));
                send_reply(&reply, answer);
            }
            Call::Judge(case, reply) => {
                let answer = served.call(|session| {
                    session.judge(
                        &case.sightings,
                        &case.subject,
                        case.scope,
                        &case.report,
                        now_s,
                    )
                });
                send_reply(&reply, answer);
            }
        }
    }
}

fn send_reply<T>(reply: &Sender<T>, value: T) {
    // The caller is gone if the run has ended meanwhile.
    let _ = reply.send(value);
}
