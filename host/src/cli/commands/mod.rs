//! The commands, one file each.

mod closing;
pub(super) mod config;
pub(super) mod demo;
pub(super) mod doctor;
mod dry_run;
pub(super) mod evidence;
pub(super) mod explain;
pub(super) mod export;
pub(super) mod extract;
pub(super) mod judge;
pub(super) mod plugin;
pub(super) mod quota;
pub(super) mod report;
pub(super) mod status;
pub(super) mod triage;

use std::io::ErrorKind;

use tokio::runtime::{Builder, Runtime};

use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, LookupSettings, PolicySettings};
use crate::extraction::ExtractionError;
use crate::interrupt::Interrupt;
use crate::output::Summary;
use crate::pipeline::{Judged, Rules, Worklist, stored_sightings};
use crate::plugin::Engine;

/// Prints what was read and returns the exit status of a command that only reads.
fn finish(
    result: Result<Summary, ExtractionError>,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    match result {
        Ok(summary) => {
            printer.say(&summary.to_string());
            Ok(status_of(&summary))
        }
        Err(ExtractionError::Interrupted) => Ok(ExitStatus::Interrupted),
        // The reader of the output has closed it: `vthost extract … | head`.
        Err(ExtractionError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {
            Ok(ExitStatus::Done)
        }
        Err(error) => Err(error.into()),
    }
}

/// The exit status by what was read.
fn status_of(summary: &Summary) -> ExitStatus {
    if summary.is_partial() {
        ExitStatus::Partial
    } else {
        ExitStatus::Done
    }
}

/// What policies decide on all reports in a store.
fn judged_store(
    policies: &PolicySettings,
    lookup: &LookupSettings,
    environment: &Environment,
) -> anyhow::Result<Judged> {
    let store = environment.store(lookup.store.as_ref())?;
    let now_ms = store.clock().now_ms();
    let engine = environment.engine()?;
    let policies = policies.load(&engine, &environment.pins()?)?;
    let rules = Rules {
        policies: &policies,
        internal: &lookup.internal,
        now_ms,
    };
    let worklist = Worklist::new(stored_sightings(&store)?, Summary::default(), rules)?;
    Ok(worklist.judge_stored(&lookup.plan(now_ms), &store)?)
}

/// An engine, and a runtime on which Ctrl-C raises its interrupt: also while a plugin runs or a
/// file is read.
fn interruptible_engine(environment: &Environment) -> anyhow::Result<(Engine, Runtime)> {
    let engine = environment.engine()?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let interrupt: Interrupt = engine.interrupt();
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupt.raise();
        }
    });
    Ok((engine, runtime))
}

/// A runtime for a few requests.
fn request_runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
