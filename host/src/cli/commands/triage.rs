//! The main job: logs in, verdicts out.

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::dry_run::DryRun;
use super::{Read, interrupt_on_ctrl_c, read};
use crate::cli::args::{FailOn, TriageArgs};
use crate::cli::command_line::command_line;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::progress::{Progress, Results, clock_time};
use crate::cli::settings::{self, Environment};
use crate::clock::{Clock, UnixMs};
use crate::extraction::ExtractionError;
use crate::indicator::scope::InternalSuffixes;
use crate::output::{Summary, TextFiles, write_all};
use crate::plugin::Interrupt;
use crate::quota::{Limits, Usage};
use crate::sightings::FoldBy;
use crate::store::{AccountQuota, Claimant, Store};
use crate::triage::estimate::{Budget, estimate};
use crate::triage::plan::plan;
use crate::triage::run::{RunEnd, Triage, TriageOutcome, WhenSpent, reconcile};
use crate::triage::{Cause, LookupPlan, Planned, PolicyChain};
use crate::virustotal::{ApiKey, Client};

pub(in crate::cli) fn run(
    args: &TriageArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let store = environment.store(args.store.store.as_ref())?;
    let clock = store.clock();
    let now = clock.now_ms();
    let lookup = settings::lookup(args, now)?;
    let job = Job {
        args,
        environment,
        printer,
        lookup,
        now,
        store: &store,
        clock: &*clock,
    };
    if args.dry_run {
        return job.run(None);
    }
    let key = environment.key(&args.quota)?;
    job.run(Some(&key))
}

/// For what comes after a request: keeping the answer.
const CLAIM_GRACE: Duration = Duration::from_secs(1);

/// One run of the main job.
pub(super) struct Job<'a> {
    pub(super) args: &'a TriageArgs,
    pub(super) environment: &'a Environment,
    pub(super) printer: &'a Printer,
    pub(super) lookup: LookupPlan,
    pub(super) now: UnixMs,
    pub(super) store: &'a Store,
    pub(super) clock: &'a dyn Clock,
}

/// Whom to ask, and by what means.
struct Asking<'a> {
    client: &'a Client,
    account: String,
    runtime: &'a tokio::runtime::Runtime,
    interrupt: &'a Interrupt,
}

impl Job<'_> {
    /// Reads, asks and writes; without a key only says what would be asked.
    pub(super) fn run(&self, key: Option<&ApiKey>) -> anyhow::Result<ExitStatus> {
        let engine = self.environment.engine()?;
        let interrupt = engine.interrupt();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        interrupt_on_ctrl_c(&runtime, &interrupt);
        let pins = self.environment.pins()?;
        let policies = settings::policies(&engine, &self.args.policy, &pins)?;
        let reading = &self.args.read;
        let parsers = settings::parsers(&engine, &reading.parser, &reading.parser_config, &pins)?;
        let client = key
            .map(|key| settings::client(&self.args.quota, key))
            .transpose()?;
        let options = settings::reading(reading);
        let read = read(
            &reading.inputs,
            &parsers,
            &options,
            &interrupt,
            FoldBy::Indicator,
        );
        let Read {
            mut folded,
            mut summary,
            ..
        } = match read {
            Err(ExtractionError::Interrupted) => return Ok(ExitStatus::Interrupted),
            read => read?,
        };
        let mut judge = PolicyChain::start(&policies, self.now.div_euclid(1000))?;
        let own = InternalSuffixes::new(&self.args.store.internal_suffix);
        let planned = plan(folded.sightings()?, &own, &mut judge);
        let (Some(key), Some(client)) = (key, client) else {
            return self.dry_run(&planned, &mut judge, &summary);
        };
        summary.policies = policies.iter().map(|policy| policy.id().clone()).collect();
        let asking = Asking {
            client: &client,
            account: key.fingerprint(),
            runtime: &runtime,
            interrupt: &interrupt,
        };
        let done = self.ask(&asking, planned, &mut judge, &summary)?;
        summary.count(&done.findings);
        write_all(&self.args.out, &done.findings, &summary)?;
        self.tell(&done, &summary)
    }

    /// Asks VirusTotal, while the outputs grow.
    fn ask(
        &self,
        asking: &Asking<'_>,
        planned: Vec<Planned>,
        judge: &mut PolicyChain,
        summary: &Summary,
    ) -> anyhow::Result<TriageOutcome> {
        let Asking {
            client,
            account,
            runtime,
            interrupt,
        } = asking;
        let files = TextFiles::create(&self.args.out)?;
        runtime.block_on(self.reconcile(client, account))?;
        let limits = self.limits(account)?;
        let results = Results {
            directory: self.args.out.clone(),
            summary: summary.clone(),
        };
        let progress = Progress::new(planned.len(), limits, files, results);
        let triage = Triage {
            client,
            account,
            store: self.store,
            clock: self.clock,
            limits,
            lookup: self.lookup,
            first_poll: Duration::from_millis(u64::try_from(self.args.poll_after).unwrap_or(0)),
            claimant: self.claimant(),
            user: self.args.quota.vt_user.as_deref(),
            when_spent: if self.args.wait {
                WhenSpent::Wait
            } else {
                WhenSpent::End
            },
            reporter: &progress,
        };
        let cancelled = Box::pin(raised(interrupt));
        let done = runtime.block_on(triage.run(planned, judge, cancelled))?;
        progress.finish()?;
        runtime.block_on(self.reconcile(client, account))?;
        Ok(done)
    }

    /// A name that no other run has, and claims that outlast a request.
    fn claimant(&self) -> Claimant {
        let lease = settings::timeout(&self.args.quota) + CLAIM_GRACE;
        Claimant {
            id: RandomState::new()
                .hash_one(std::process::id())
                .cast_signed(),
            lease_ms: i64::try_from(lease.as_millis()).unwrap_or(i64::MAX),
        }
    }

    fn limits(&self, account: &str) -> anyhow::Result<Limits> {
        let told = self.store.allowed(account)?;
        Ok(settings::limits(&self.args.quota, &told))
    }

    /// Asks VirusTotal what is left, where it may be asked.
    async fn reconcile(&self, client: &Client, account: &str) -> anyhow::Result<()> {
        if let Some(user) = &self.args.quota.vt_user {
            let now = self.clock.now_ms();
            if let Err(fault) = reconcile(client, user, self.store, account, now).await? {
                let text = format!("what is left of the quota is not known: {fault}");
                self.printer.say(&text);
            }
        }
        Ok(())
    }

    /// Says how it ended, and what to do next.
    fn tell(&self, done: &TriageOutcome, summary: &Summary) -> anyhow::Result<ExitStatus> {
        let printer = self.printer;
        printer.say(&summary.to_string());
        printer.say(&format!(
            "{} requests sent; results in {}",
            done.requests,
            shown(&self.args.out)
        ));
        let left = done
            .findings
            .iter()
            .filter(|f| f.cause == Cause::NotAsked)
            .count();
        match &done.ended {
            RunEnd::Done => {}
            RunEnd::QuotaSpent { resumes_ms, reason } => {
                printer.say(&format!(
                    "{reason}: {left} indicators are left; from {} on go on with",
                    clock_time(*resumes_ms)
                ));
                self.tell_command();
                return Ok(ExitStatus::Partial);
            }
            RunEnd::Interrupted => {
                printer.say(&format!(
                    "interrupted: {left} indicators are left; go on with"
                ));
                self.tell_command();
                return Ok(ExitStatus::Interrupted);
            }
            RunEnd::Unreachable(fault) => {
                printer.say(&format!(
                    "vthost: request after request failed, so no more are spent: {fault}; {left} indicators are left; `vthost doctor` says more; go on with"
                ));
                self.tell_command();
                return Ok(if summary.verdicts.bad + summary.verdicts.good == 0 {
                    ExitStatus::CouldNotRun
                } else {
                    ExitStatus::Partial
                });
            }
            RunEnd::WrongKey(message) => {
                printer.say(&format!(
                    "vthost: VirusTotal does not accept the API key ({message}): check VT_API_KEY, --api-key-file or ~/.vt.toml"
                ));
                return Ok(ExitStatus::CouldNotRun);
            }
        }
        let is_unanswered = |cause: &Cause| matches!(cause, Cause::Failed | Cause::Pending);
        let is_partial = summary.is_partial() || summary.unknown_by.keys().any(is_unanswered);
        let has_bad = summary.verdicts.bad > 0;
        Ok(match self.args.fail_on {
            Some(FailOn::Bad) if has_bad => ExitStatus::Bad,
            _ if is_partial => ExitStatus::Partial,
            _ => ExitStatus::Done,
        })
    }

    /// Prints the command that goes on where this run ended.
    fn tell_command(&self) {
        self.printer.say(&format!("  {}", command_line(self.args)));
    }

    /// What may be asked; without a key nothing is known of what is left.
    fn budget(&self) -> anyhow::Result<Budget> {
        let Ok(key) = self.environment.key(&self.args.quota) else {
            return Ok(Budget {
                limits: settings::limits(&self.args.quota, &AccountQuota::default()),
                usage: Usage::default(),
                polls_are_free: false,
                now_ms: self.now,
            });
        };
        let account = key.fingerprint();
        let limits = self.limits(&account)?;
        Ok(Budget {
            limits,
            usage: self.store.usage(&account, &limits, self.now)?,
            polls_are_free: self.store.polls_are_free(&account)?,
            now_ms: self.now,
        })
    }

    /// Prints what would be sent, in the order in which it would be.
    fn dry_run(
        &self,
        planned: &[Planned],
        judge: &mut PolicyChain,
        summary: &Summary,
    ) -> anyhow::Result<ExitStatus> {
        let dry_run = DryRun {
            estimate: estimate(planned, &self.lookup, self.store, judge)?,
            share: self.lookup.share,
            budget: self.budget()?,
        };
        self.printer
            .data(dry_run.requests().as_bytes())
            .context("cannot print the plan")?;
        self.printer.say(&summary.to_string());
        self.printer.say(&dry_run.to_string());
        Ok(if summary.is_partial() {
            ExitStatus::Partial
        } else {
            ExitStatus::Done
        })
    }
}

/// Ends when the interrupt is raised.
async fn raised(interrupt: &Interrupt) {
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    while !interrupt.is_raised() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn shown(directory: &Path) -> String {
    directory
        .join("{bad,good,unknown}-domain.txt")
        .display()
        .to_string()
        + " and results.jsonl"
}
