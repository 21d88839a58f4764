//! The triage of logs: logs in, verdicts out.

use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Runtime;

use super::closing::Closing;
use super::dry_run::DryRun;
use super::{interruptible_engine, status_of};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::progress::ProgressDisplay;
use crate::cli::read_progress::{ReadProgressDisplay, Stdout};
use crate::cli::settings::{Environment, TriageSettings};
use crate::clock::Clock;
use crate::extraction::ExtractionError;
use crate::interrupt::Interrupt;
use crate::output::{RunFacts, Summary, begin_run, outputs, rfc3339};
use crate::pipeline::{FoldedLogs, Logs, Lookups, Rules, RunResult, Worklist};
use crate::plugin::{Engine, Pins};
use crate::quota::Usage;
use crate::sightings::FoldBy;
use crate::store::{AccountQuota, Store};
use crate::triage::estimate::Budget;
use crate::triage::outcome::RunEnd;
use crate::triage::{Cause, Finding};
use crate::virustotal::ApiKey;

pub(in crate::cli) fn run(
    settings: &TriageSettings,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let store = environment.store(settings.lookup.store.as_ref())?;
    let clock = store.clock();
    let key = match settings.is_dry_run {
        true => None,
        false => Some(environment.key(&settings.account)?),
    };
    let job = Job {
        settings,
        environment,
        printer,
        store: &store,
        clock: &*clock,
    };
    job.run(key.as_ref())
}

/// One triage.
pub(super) struct Job<'a> {
    pub(super) settings: &'a TriageSettings,
    pub(super) environment: &'a Environment,
    pub(super) printer: &'a Printer,
    pub(super) store: &'a Store,
    pub(super) clock: &'a dyn Clock,
}

impl Job<'_> {
    /// Runs the pipeline. Without a key it prints the requests instead of sending them.
    pub(super) fn run(&self, key: Option<&ApiKey>) -> anyhow::Result<ExitStatus> {
        let (engine, runtime) = interruptible_engine(self.environment)?;
        let pins = self.environment.pins()?;
        let parsers = self.settings.read.parsers(&engine, &pins)?;
        let interrupt = engine.interrupt();
        let logs = self.settings.read.logs(&parsers, &interrupt);
        match self.worklist(&engine, &pins, &logs) {
            Ok(worklist) => match key {
                Some(key) => self.look_up(worklist, key, &runtime, logs),
                None => self.dry_run(worklist),
            },
            Err(error) if matches!(error.downcast_ref(), Some(ExtractionError::Interrupted)) => {
                Ok(ExitStatus::Interrupted)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the logs and plans the look-ups.
    fn worklist(&self, engine: &Engine, pins: &Pins, logs: &Logs<'_>) -> anyhow::Result<Worklist> {
        let settings = self.settings;
        let policies = settings.policies.load(engine, pins)?;
        if !settings.is_dry_run {
            settings.case.check(&settings.outputs.directory)?;
        }
        let now_ms = self.clock.now_ms();
        let display =
            ReadProgressDisplay::start(settings.read.progress(), Stdout::Unused, *self.printer);
        let FoldedLogs {
            mut folded,
            summary,
            ..
        } = logs.fold(FoldBy::Indicator)?;
        drop(display);
        let summary = Summary {
            run: RunFacts {
                command: settings.resume_command.clone(),
                case: settings.case.facts.clone(),
                settings: settings.options.clone(),
                started: rfc3339(now_ms.saturating_mul(1000)),
                ..RunFacts::default()
            },
            ..summary
        };
        let rules = Rules {
            policies: &policies,
            internal: &settings.lookup.internal,
            now_ms,
        };
        Ok(Worklist::new(folded.sightings()?, summary, rules)?)
    }

    /// Asks VirusTotal and prints how the run ended.
    fn look_up(
        &self,
        worklist: Worklist,
        key: &ApiKey,
        runtime: &Runtime,
        logs: Logs<'_>,
    ) -> anyhow::Result<ExitStatus> {
        let settings = self.settings;
        let client = settings.account.client(key)?;
        let id = key.fingerprint();
        let lookups = Lookups {
            account: settings.account.account(&client, &id),
            store: self.store,
            clock: self.clock,
            logs: Some(logs),
            plan: settings.lookup.plan(self.clock.now_ms()),
            first_poll: settings.first_poll,
            when_spent: settings.when_spent,
            timeout: settings.account.transport.timeout,
        };
        begin_run(&settings.outputs.directory, &worklist.read().run)?;
        let mut outputs = outputs(&settings.outputs)?;
        let display = ProgressDisplay::new(
            worklist.indicators(),
            self.clock,
            *self.printer,
            self.environment.zone(),
        );
        let cancelled = Box::pin(raised(logs.interrupt));
        let run = worklist.look_up(&lookups, &mut outputs, &display, cancelled);
        let result = runtime.block_on(run);
        display.finish();
        Ok(self.report(&result?))
    }

    /// Prints the summary of a run and what to do next. Returns the exit status.
    fn report(&self, result: &RunResult) -> ExitStatus {
        let summary = &result.judged.summary;
        let ending = ending(result, self.environment);
        let closing = Closing {
            summary,
            requests: result.requests,
            directory: &self.settings.outputs.directory,
            evidence_command: &self.settings.evidence_command,
        };
        self.printer.say(&closing.text(self.printer.is_verbose()));
        if let Some(notice) = &ending.notice {
            self.printer.say(notice);
        }
        if let Some(fault) = &ending.fault {
            self.printer.fault(fault);
        }
        if ending.can_resume {
            let command = &self.settings.resume_command;
            self.printer.say(&format!("  {command}"));
        }
        if ending.fault.is_some() {
            self.printer.hint(ending.hint);
        }
        match ending.status {
            ExitStatus::Done if self.settings.fail_on_bad && summary.verdicts.bad > 0 => {
                ExitStatus::Bad
            }
            ExitStatus::Done if summary.is_unanswered() => ExitStatus::Partial,
            ExitStatus::Done => status_of(summary),
            status => status,
        }
    }

    /// The quota for a dry run. Without a key nothing is known of what is left.
    fn budget(&self) -> anyhow::Result<Budget> {
        let account = &self.settings.account;
        let now_ms = self.clock.now_ms();
        let Ok(key) = self.environment.key(account) else {
            return Ok(Budget {
                limits: account.quota.limits(&AccountQuota::default()),
                usage: Usage::default(),
                polls_are_free: false,
                now_ms,
            });
        };
        let id = key.fingerprint();
        let limits = account.quota.limits(&self.store.account_quota(&id)?);
        Ok(Budget {
            limits,
            usage: self.store.usage(&id, &limits, now_ms)?,
            polls_are_free: self.store.polls_are_free(&id)?,
            now_ms,
        })
    }

    /// Prints the requests of a run in their order, and sends nothing.
    fn dry_run(&self, mut worklist: Worklist) -> anyhow::Result<ExitStatus> {
        let plan = self.settings.lookup.plan(self.clock.now_ms());
        let dry_run = DryRun {
            estimate: worklist.estimate(&plan, self.store)?,
            share: plan.share,
            budget: self.budget()?,
            zone: self.environment.zone(),
        };
        self.printer
            .data(dry_run.requests().as_bytes())
            .context("cannot print the requests")?;
        self.printer.say(&format!("{}{dry_run}", worklist.read()));
        if let Some(reason) = worklist.gave_up() {
            self.printer.problem(reason, POLICY_HINT);
            return Ok(ExitStatus::CouldNotRun);
        }
        Ok(status_of(worklist.read()))
    }
}

/// How a run ended.
#[derive(Default)]
struct Ending {
    status: ExitStatus,
    /// A message, if nothing failed.
    notice: Option<String>,
    /// What failed.
    fault: Option<String>,
    /// What to do about it.
    hint: &'static str,
    /// Whether the message ends with the command that resumes the run.
    can_resume: bool,
}

pub(super) const POLICY_HINT: &str =
    "`vthost plugin test FILE` tests a policy; `vthost judge` applies it without a request";

fn ending(result: &RunResult, environment: &Environment) -> Ending {
    let judged = &result.judged;
    let is_left = |finding: &&Finding| finding.cause == Cause::NotAsked;
    let left = judged.findings.iter().filter(is_left).count() as u64;
    let left = match left {
        1 => "1 indicator is left".to_owned(),
        left => format!("{left} indicators are left"),
    };
    match &result.ended {
        RunEnd::Done => Ending::default(),
        RunEnd::QuotaSpent { resumes_ms, reason } => Ending {
            status: ExitStatus::Partial,
            notice: Some(format!(
                "{reason}: {left}; resume at {} with",
                environment.time(*resumes_ms)
            )),
            can_resume: true,
            ..Ending::default()
        },
        RunEnd::Interrupted => Ending {
            status: ExitStatus::Interrupted,
            notice: Some(format!("interrupted: {left}; resume with")),
            can_resume: true,
            ..Ending::default()
        },
        RunEnd::Unreachable(fault) => Ending {
            status: status_without_answers(&judged.summary),
            fault: Some(format!(
                "stopped after several failed requests in a row: {fault}; {left}; check with `vthost doctor`, then resume with"
            )),
            hint: "`vthost doctor` checks the network, the proxy and the key",
            can_resume: true,
            ..Ending::default()
        },
        RunEnd::PolicyFailed(reason) => Ending {
            status: status_without_answers(&judged.summary),
            fault: Some(format!(
                "{reason}; {left}; fix the policy, then resume with"
            )),
            hint: POLICY_HINT,
            can_resume: true,
            ..Ending::default()
        },
        RunEnd::WrongKey(message) => Ending {
            status: ExitStatus::CouldNotRun,
            fault: Some(format!(
                "VirusTotal does not accept the API key ({message}): check VT_API_KEY, --api-key-file or ~/.vt.toml"
            )),
            hint: "`vthost doctor` checks the key",
            ..Ending::default()
        },
    }
}

/// The status of a run that ended before its work was done: partial if it has any verdict.
pub(super) fn status_without_answers(summary: &Summary) -> ExitStatus {
    if summary.verdicts.bad + summary.verdicts.good == 0 {
        ExitStatus::CouldNotRun
    } else {
        ExitStatus::Partial
    }
}

/// Ends when the interrupt is raised.
async fn raised(interrupt: &Interrupt) {
    const POLL_PAUSE: Duration = Duration::from_millis(50);
    while !interrupt.is_raised() {
        tokio::time::sleep(POLL_PAUSE).await;
    }
}
