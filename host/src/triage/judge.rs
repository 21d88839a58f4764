//! Calls policies. Each policy component runs in a separate thread.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

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
}

type Screened = Result<Screening, Stop>;
type Judged = Result<Judgement, Stop>;

enum Call {
    Screen(Box<Sightings>, Sender<Screened>),
    Judge(Box<Case>, Sender<Judged>),
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
        })
    }

    fn ask<R>(
        &self,
        call: impl FnOnce(Sender<Result<R, Stop>>) -> Call,
    ) -> Result<R, PolicyFailure> {
        let (reply, replies) = channel();
        let answer = match self.calls.send(call(reply)) {
            Ok(()) => replies.recv().ok(),
            Err(_) => None,
        };
        match answer {
            Some(answer) => answer.map_err(|stop| PolicyFailure(format!("{} {stop}", self.name))),
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
        self.ask(|reply| Call::Screen(Box::new(sightings.clone()), reply))
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
        self.ask(|reply| Call::Judge(Box::new(case), reply))
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
}

/// Answers calls until the caller is dropped. A new instance replaces one that was stopped, because
/// a trap must not affect later calls.
fn serve(policy: &Policy, now_s: i64, queue: &Receiver<Call>) {
    let mut session: Option<PolicySession> = None;
    for call in queue {
        match call {
            Call::Screen(sightings, reply) => {
                let answer = with(policy, &mut session, |session| session.screen(&sightings));
                send_reply(&reply, answer);
            }
            Call::Judge(case, reply) => {
                let answer = with(policy, &mut session, |session| {
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

fn with<R>(
    policy: &Policy,
    kept: &mut Option<PolicySession>,
    call: impl FnOnce(&mut PolicySession) -> Result<R, Stop>,
) -> Result<R, Stop> {
    let mut session = match kept.take() {
        Some(session) => session,
        None => policy.open()?,
    };
    let answer = call(&mut session)?;
    *kept = Some(session);
    Ok(answer)
}

fn send_reply<T>(reply: &Sender<T>, value: T) {
    // The caller is gone if the run has ended meanwhile.
    let _ = reply.send(value);
}
