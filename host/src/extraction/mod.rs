//! From inputs to observations: inputs are read, given to a parser in chunks on
//! all cores, and the batches handed to a [`Sink`].
//!
//! The workers hold an instance of the parser each, and read what they parse, one
//! at a time. Whatever happens to a chunk, its lines are counted: `lines = records +
//! ignored + rejected` holds for every input.

mod choice;
mod counts;
mod duplicates;
mod lines;
mod queue;
mod recognition;
mod second_chance;
mod source;
mod work;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use crate::input::{Input, ReadProgress, UnpackLimits};
use crate::interrupt::Interrupt;
use crate::observation::LogPosition;
use crate::plugin::Batch;

pub use choice::{Choice, Parsers};
pub use counts::{Failure, InputCounts, InputFacts, InputSummary, Outcome, Reason};
pub use lines::{ChunkText, LineTexts};

use source::Source;
use work::Buffers;
use worker::Worker;

/// How an extraction runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads that parse.
    pub workers: usize,
    /// The size of a chunk.
    pub chunk_bytes: usize,
    /// The zone of time stamps that name none.
    pub utc_offset_minutes: i16,
    /// The modification time that standard input gets, in microseconds.
    pub now_us: i64,
    /// Bounds for decompression and archives.
    pub unpacking: UnpackLimits,
    /// Whether content that was read before is read again.
    pub keeps_duplicates: bool,
    /// What is folded takes no more memory; the rest goes to the disk.
    pub max_memory_bytes: usize,
    /// Counts what is read.
    pub progress: Arc<ReadProgress>,
}

/// Room for some ten million distinct URLs.
pub const DEFAULT_MAX_MEMORY_BYTES: usize = 2 << 30;

/// Large enough that a call into the parser costs nothing and that each table of
/// a fold gets many observations at once; small enough that the chunk, the
/// parser's copy of it and what it gives are still near the processor.
pub const DEFAULT_CHUNK_BYTES: usize = 512 << 10;

/// Takes what the parsers give. Each worker has one.
pub trait Sink: Send {
    /// Takes a batch. Chunks of one input may come in any order, from any
    /// worker, but for a sink that asks for [`Order::AsRead`].
    ///
    /// # Errors
    ///
    /// When an output cannot be written; it ends the extraction.
    fn take(&mut self, from: &ChunkInfo<'_>, batch: &Batch) -> std::io::Result<()>;
}

/// Whether a sink needs the chunks in the order in which they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Any order: nothing waits for it.
    Any,
    /// In the order of the inputs and their lines.
    AsRead,
}

/// The chunk that a batch was parsed from.
pub struct ChunkInfo<'a> {
    /// The input's number, from 0.
    pub input: u32,
    /// The input's name.
    pub name: &'a str,
    /// The chunk's lines; none for what a parser gives at the end of an input.
    pub text: ChunkText<'a>,
}

impl<'a> ChunkInfo<'a> {
    /// The bytes that were parsed, which the spans of the batch refer to.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.text.bytes()
    }

    /// Where a parsed line is in the input. `line` counts from 0 in the chunk.
    #[must_use]
    pub fn place(&self, line: u32) -> LogPosition {
        LogPosition::new(self.input, self.text.input_line(line))
    }

    /// Finds the text of lines as the input has it.
    #[must_use]
    pub fn lines(&self) -> LineTexts<'a> {
        self.text.texts()
    }
}

/// Where the time of an extraction went, added up over its threads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Reading and cutting into lines.
    pub reading: Duration,
    /// In calls of the parser: its own work, copying the chunk in, lifting and
    /// checking the batch.
    pub parsing: Duration,
    /// In the sink.
    pub taking: Duration,
}

impl Times {
    fn add(&mut self, other: Self) {
        self.reading += other.reading;
        self.parsing += other.parsing;
        self.taking += other.taking;
    }
}

/// What an extraction did.
#[derive(Debug, Default)]
pub struct Extraction {
    /// What became of each input, in their order.
    pub inputs: Vec<InputSummary>,
    /// Where the time went.
    pub times: Times,
}

/// Why an extraction ended before its inputs did.
#[derive(Debug, thiserror::Error)]
pub enum ExtractionError {
    /// The run was interrupted.
    #[error("interrupted")]
    Interrupted,
    /// A sink could not write.
    #[error("cannot write the output")]
    Output(#[source] std::io::Error),
}

/// Runs the inputs through the parsers into the sinks, one for each worker.
///
/// # Errors
///
/// When interrupted or when a sink fails. What happens to a single input is no
/// error but part of its summary.
pub fn extract<S: Sink>(
    inputs: &[Input],
    parsers: &Parsers,
    options: &Options,
    interrupt: &Interrupt,
    order: Order,
    sinks: &mut [S],
) -> Result<Extraction, ExtractionError> {
    let buffers = Buffers::default();
    let parsers = &parsers.with_reuse();
    let source = Source::new(inputs, parsers, options, interrupt, &buffers, order);
    let shared = worker::Shared::new(source, parsers, &buffers, interrupt, order);
    let results: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = sinks
            .iter_mut()
            .map(|sink| scope.spawn(|| Worker::new(&shared, sink).run()))
            .collect();
        let ends = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        ends.collect()
    });
    let mut extraction = shared.into_source().into_extraction();
    for result in results {
        let done = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        extraction.times.add(done.times);
        for (input, counts) in done.counts {
            extraction.inputs[input as usize].counts.add(counts);
        }
    }
    for input in &mut extraction.inputs {
        if let Some(reason) = input.counts.cut_short.take() {
            input.outcome = Outcome::CutShort(reason);
        }
    }
    if interrupt.is_raised() {
        return Err(ExtractionError::Interrupted);
    }
    Ok(extraction)
}
