//! The commands, one file each.

pub(super) mod demo;
pub(super) mod doctor;
mod dry_run;
pub(super) mod evidence;
pub(super) mod explain;
pub(super) mod extract;
pub(super) mod judge;
pub(super) mod plugin;
pub(super) mod quota;
pub(super) mod status;
pub(super) mod triage;

use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::extraction::{
    ChunkInfo, Extraction, ExtractionError, Options, Order, Parsers, Sink, extract,
};
use crate::input::{Found, find};
use crate::output::Summary;
use crate::plugin::{Batch, Interrupt};
use crate::sightings::{FoldBy, Folded, Table, merge};

/// Folds what the parsers give.
struct Folding(Table);

impl Sink for Folding {
    fn take(&mut self, from: &ChunkInfo<'_>, batch: &Batch) -> std::io::Result<()> {
        let observations = batch.observations(&from.chunk.bytes);
        self.0.observe_all(observations, |line| from.place(line));
        Ok(())
    }
}

/// What was read and folded.
struct Read {
    folded: Folded,
    summary: Summary,
    extraction: Extraction,
}

/// Reads all inputs and folds their observations.
fn read(
    names: &[std::path::PathBuf],
    parsers: &Parsers,
    options: &Options,
    interrupt: &Interrupt,
    fold_by: FoldBy,
) -> Result<Read, ExtractionError> {
    let Found { inputs, skipped } = find(names);
    let tables = Table::for_workers(fold_by, options.workers);
    let mut sinks: Vec<Folding> = tables.into_iter().map(Folding).collect();
    let mut extraction = extract(&inputs, parsers, options, interrupt, Order::Any, &mut sinks)?;
    let folded = merge(sinks.into_iter().map(|sink| sink.0).collect());
    let mut summary = Summary::of_inputs(std::mem::take(&mut extraction.inputs), &skipped);
    summary.add_invalid(&folded.invalid);
    Ok(Read {
        folded,
        summary,
        extraction,
    })
}

/// Ends a command that only reads: says what was read, and how it went.
fn finish(
    result: Result<Summary, ExtractionError>,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    match result {
        Ok(summary) => {
            printer.say(&summary.to_string());
            Ok(if summary.is_partial() {
                ExitStatus::Partial
            } else {
                ExitStatus::Done
            })
        }
        Err(ExtractionError::Interrupted) => Ok(ExitStatus::Interrupted),
        // Whoever reads our output has seen enough: `vthost extract … | head`.
        Err(ExtractionError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            Ok(ExitStatus::Done)
        }
        Err(error) => Err(error.into()),
    }
}

/// Raises the interrupt when the user presses Ctrl-C, also while a plugin spins
/// or a file is read.
fn interrupt_on_ctrl_c(runtime: &tokio::runtime::Runtime, interrupt: &Interrupt) {
    let interrupt = interrupt.clone();
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupt.raise();
        }
    });
}
