//! The main job: logs in, verdicts out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::{Read, interrupt_on_ctrl_c, read};
use crate::cli::args::{FailOn, TriageArgs};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::progress::{Progress, clock_time};
use crate::cli::settings::{self, Environment};
use crate::clock::{Clock as _, SystemClock, UnixMs};
use crate::extraction::ExtractionError;
use crate::indicator::scope::InternalSuffixes;
use crate::output::{Summary, TextFiles, write_all};
use crate::plugin::Interrupt;
use crate::quota::{self, Limits, Usage};
use crate::sightings::FoldBy;
use crate::store::Store;
use crate::triage::ladder::{Progress as Reached, Step};
use crate::triage::plan::plan;
use crate::triage::run::{Done, Ended, Triage};
use crate::triage::{Cause, Decision, Ladder, Planned, PolicyJudge};
use crate::virustotal::{ApiKey, Client, Question, ReqwestTransport, TransportOptions};

pub(in crate::cli) fn run(
    args: &TriageArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let now = SystemClock.now_ms();
    let ladder = settings::ladder(args, now)?;
    let store = environment.store(args.store.store.as_ref())?;
    let job = Job {
        args,
        environment,
        printer,
        ladder,
        now,
        store: &store,
    };
    if args.dry_run {
        return job.run(None);
    }
    let key = environment.key(&args.quota)?;
    job.run(Some(&key))
}

/// The time for one request in all.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// One run of the main job.
pub(super) struct Job<'a> {
    pub(super) args: &'a TriageArgs,
    pub(super) environment: &'a Environment,
    pub(super) printer: &'a Printer,
    pub(super) ladder: Ladder,
    pub(super) now: UnixMs,
    pub(super) store: &'a Store,
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
        let policy = settings::policy(&engine, &self.args.policy)?;
        let reading = &self.args.read;
        let parsers = settings::parsers(&engine, &reading.parser, &reading.parser_config)?;
        let client = key.map(|key| self.client(key)).transpose()?;
        let options = settings::reading(reading);
        let read = read(
            &reading.inputs,
            &parsers,
            &options,
            &interrupt,
            FoldBy::Indicator,
        );
        let Read {
            folded,
            mut summary,
            ..
        } = match read {
            Err(ExtractionError::Interrupted) => return Ok(ExitStatus::Interrupted),
            read => read?,
        };
        let mut judge = PolicyJudge::start(&policy, self.now.div_euclid(1000))?;
        let own = InternalSuffixes::new(&self.args.store.internal_suffix);
        let planned = plan(folded.sightings(), &own, &mut judge);
        let (Some(key), Some(client)) = (key, client) else {
            return self.dry_run(&planned, &summary);
        };
        let files = TextFiles::create(&self.args.out)?;
        let progress = Progress::new(planned.len(), self.limits(), files);
        let account = key.fingerprint();
        let triage = Triage {
            client: &client,
            account: &account,
            store: self.store,
            clock: &SystemClock,
            limits: self.limits(),
            ladder: self.ladder,
            first_poll: Duration::from_millis(u64::try_from(self.args.poll_after).unwrap_or(0)),
            reporter: &progress,
        };
        let cancelled = Box::pin(raised(&interrupt));
        let done = runtime.block_on(triage.run(planned, &mut judge, cancelled))?;
        progress.finish()?;
        summary.policy = Some(policy.id().clone());
        summary.count(&done.findings);
        write_all(&self.args.out, &done.findings, &summary)?;
        self.tell(&done, &summary)
    }

    fn limits(&self) -> Limits {
        settings::limits(&self.args.quota)
    }

    fn client(&self, key: &ApiKey) -> anyhow::Result<Client> {
        let options = TransportOptions {
            base: self.args.quota.vt_url.clone(),
            ca_file: self.args.quota.ca_file.clone(),
            timeout: REQUEST_TIMEOUT,
        };
        let transport = ReqwestTransport::new(key, &options)?;
        Ok(Client::new(Arc::new(transport)))
    }

    /// Says how it ended, and what to do next.
    fn tell(&self, done: &Done, summary: &Summary) -> anyhow::Result<ExitStatus> {
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
            Ended::Done => {}
            Ended::QuotaSpent { resumes_ms, reason } => {
                printer.say(&format!(
                    "{reason}: {left} indicators are left; the same command goes on from {}",
                    clock_time(*resumes_ms)
                ));
                return Ok(ExitStatus::Partial);
            }
            Ended::Interrupted => {
                printer.say(&format!(
                    "interrupted: {left} indicators are left; the same command goes on"
                ));
                return Ok(ExitStatus::Interrupted);
            }
            Ended::WrongKey(message) => {
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

    /// Prints what would be sent, in the order in which it would be.
    fn dry_run(&self, planned: &[Planned], summary: &Summary) -> anyhow::Result<ExitStatus> {
        let mut lines = String::new();
        let (mut open, mut most) = (0_u64, 0_u64);
        for planned in planned {
            let indicator = &planned.sightings.indicator;
            let steps: Vec<Step> = match &planned.decision {
                Decision::Keep { .. } => Vec::new(),
                Decision::Ask { .. } => match self.ladder.progress(indicator, self.store)? {
                    Reached::Next(_) => self.ladder.steps(indicator),
                    Reached::Answered(_) | Reached::Exhausted(_) => Vec::new(),
                },
            };
            open += u64::from(!steps.is_empty());
            most += steps.len() as u64;
            lines.extend(requests(&steps).map(|request| request + "\n"));
        }
        self.printer
            .data(unique_lines(&lines).as_bytes())
            .context("cannot print the plan")?;
        self.printer.say(&summary.to_string());
        let limits = self.limits();
        let at_best = quota::finish_ms(open, &Usage::default(), self.now, &limits);
        let at_worst = quota::finish_ms(most, &Usage::default(), self.now, &limits);
        self.printer.say(&format!(
            "{} indicators, {open} to be asked, with {open} to {most} requests at {}; done between {} and {}. Nothing was sent.",
            planned.len(),
            limits.rate,
            clock_time(at_best),
            clock_time(at_worst)
        ));
        let is_partial = summary.is_partial();
        Ok(if is_partial {
            ExitStatus::Partial
        } else {
            ExitStatus::Done
        })
    }
}

/// The requests of some steps as VirusTotal would see them. A step that is a
/// fallback of the one before is marked.
fn requests(steps: &[Step]) -> impl Iterator<Item = String> {
    steps.iter().enumerate().map(|(place, step)| {
        let request = match step {
            Step::Ask(question, _) => format!("GET /api/v3{}", Question::path(question)),
            Step::Submit(url) => format!("POST /api/v3/urls url={url}"),
        };
        match place {
            0 => request,
            _ => format!("{request}  (if that is not known)"),
        }
    })
}

/// Each line once: many URLs share a host.
fn unique_lines(lines: &str) -> String {
    let mut seen = std::collections::HashSet::new();
    let unique = lines.lines().filter(|line| seen.insert(*line));
    unique.map(|line| format!("{line}\n")).collect()
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
