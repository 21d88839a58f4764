//! From paths to sightings: find, extract, fold.

use std::path::PathBuf;
use std::sync::Arc;

use crate::extraction::{
    ChunkInfo, ExtractionError, Options, Order, Parsers, Sink, Times, extract,
};
use crate::input::find;
use crate::interrupt::Interrupt;
use crate::output::Summary;
use crate::plugin::Batch;
use crate::sightings::{Fold, FoldBy, FoldWriter, Folded, MemoryLimit, SpillError};

/// The logs of a run, and how they are read.
#[derive(Clone, Copy)]
pub struct Logs<'a> {
    /// Files, directories, or `-` for standard input.
    pub paths: &'a [PathBuf],
    /// The parsers to choose from.
    pub parsers: &'a Parsers,
    /// Threads, limits and the zone of timestamps.
    pub options: &'a Options,
    /// Ends the extraction when raised.
    pub interrupt: &'a Interrupt,
}

/// What an extraction did.
pub struct Extracted {
    /// The inputs with their counts.
    pub summary: Summary,
    /// Where the time went.
    pub times: Times,
}

/// The observations of all logs, folded.
pub struct FoldedLogs {
    /// The sightings.
    pub folded: Folded,
    /// The inputs with their counts, and the values that are not indicators.
    pub summary: Summary,
    /// Where the time went.
    pub times: Times,
}

impl Logs<'_> {
    /// Reads all inputs into sinks, one for each worker.
    ///
    /// # Errors
    ///
    /// If interrupted, or if a sink fails. An input that cannot be read is part of the summary.
    pub fn extract<S: Sink>(
        &self,
        order: Order,
        new_sink: impl FnMut() -> S,
    ) -> Result<Extracted, ExtractionError> {
        let found = find(self.paths);
        let mut sinks: Vec<S> = std::iter::repeat_with(new_sink)
            .take(self.options.workers)
            .collect();
        self.options.progress.begin(found.bytes);
        let extraction = extract(
            &found.inputs,
            self.parsers,
            self.options,
            self.interrupt,
            order,
            &mut sinks,
        )?;
        Ok(Extracted {
            summary: Summary::of_inputs(extraction.inputs, &found),
            times: extraction.times,
        })
    }

    /// Reads all inputs and folds their observations. Sightings that exceed the memory limit of
    /// the options are kept in a temporary file.
    ///
    /// # Errors
    ///
    /// If interrupted, or if the temporary file cannot be written.
    pub fn fold(&self, by: FoldBy) -> Result<FoldedLogs, ExtractionError> {
        let max_bytes = self.options.max_memory_bytes;
        let progress = Arc::clone(&self.options.progress);
        let limit = MemoryLimit {
            bytes: max_bytes,
            notify: Box::new(move |folder| {
                progress.notify(format!(
                    "the sightings take more than {} MiB (--max-memory): the rest is stored in a \
                     temporary file in `{}` (TMPDIR)",
                    max_bytes >> 20,
                    folder.display()
                ));
            }),
        };
        let fold = Fold::new(by, self.options.workers, Some(limit));
        let Extracted { mut summary, times } =
            self.extract(Order::Any, || FoldingSink(fold.writer()))?;
        let folded = fold.finish().map_err(spill_failed)?;
        summary.add_invalid(folded.invalid());
        Ok(FoldedLogs {
            folded,
            summary,
            times,
        })
    }
}

/// Folds each batch into the shared tables.
struct FoldingSink<'f>(FoldWriter<'f>);

impl Sink for FoldingSink<'_> {
    fn take(&mut self, from: &ChunkInfo<'_>, batch: &Batch) -> std::io::Result<()> {
        let observations = batch.observations(from.bytes());
        self.0
            .observe(observations, |line| from.place(line))
            .map_err(std::io::Error::other)
    }
}

fn spill_failed(error: SpillError) -> ExtractionError {
    ExtractionError::Output(std::io::Error::other(error))
}
