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
use crate::sightings::{Fold, FoldBy, Folded, Folder, MemoryLimit, OverflowError};
use crate::store::DiskOverflow;

/// Folds what the parsers give.
struct Folding<'f>(Folder<'f>);

impl Sink for Folding<'_> {
    fn take(&mut self, from: &ChunkInfo<'_>, batch: &Batch) -> std::io::Result<()> {
        let observations = batch.observations(from.bytes());
        self.0
            .observe(observations, |line| from.place(line))
            .map_err(std::io::Error::other)
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
    let limit = MemoryLimit {
        bytes: options.max_memory_bytes,
        overflow: Box::new(DiskOverflow::new().map_err(out_of_room)?),
    };
    let fold = Fold::new(fold_by, options.workers, Some(limit));
    let folders = (0..options.workers).map(|_| Folding(fold.folder()));
    let mut sinks: Vec<Folding<'_>> = folders.collect();
    let mut extraction = extract(&inputs, parsers, options, interrupt, Order::Any, &mut sinks)?;
    drop(sinks);
    let folded = fold.finish().map_err(out_of_room)?;
    let mut summary = Summary::of_inputs(std::mem::take(&mut extraction.inputs), &skipped);
    summary.add_invalid(folded.invalid());
    Ok(Read {
        folded,
        summary,
        extraction,
    })
}

fn out_of_room(error: OverflowError) -> ExtractionError {
    ExtractionError::Output(std::io::Error::other(error))
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
