//! The reading side: opens the inputs one after the other, finds each its
//! parser, and hands out work.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::choice::{Choice, Parsers};
use super::counts::{InputCounts, InputSummary, Outcome};
use super::work::{Buffers, OpenInput, What, Work};
use super::{Extraction, Options};
use crate::input::{Chunk, Chunks, Input, not_text};
use crate::plugin::{InputInfo, Interrupt, Reading};

/// A parser is shown this much of an input before it is read.
const HEAD_BYTES: usize = 64 << 10;

pub(super) struct Feeder<'a> {
    inputs: &'a [Input],
    parsers: &'a Parsers,
    options: &'a Options,
    interrupt: &'a Interrupt,
    buffers: &'a Buffers,
    turn: u64,
    reading: Duration,
}

impl<'a> Feeder<'a> {
    pub(super) fn new(
        inputs: &'a [Input],
        parsers: &'a Parsers,
        options: &'a Options,
        interrupt: &'a Interrupt,
        buffers: &'a Buffers,
    ) -> Self {
        Self {
            inputs,
            parsers,
            options,
            interrupt,
            buffers,
            turn: 0,
            reading: Duration::ZERO,
        }
    }

    /// Hands out all inputs; ends early when interrupted or when no worker is
    /// left to take anything.
    pub(super) fn run(mut self, queue: SyncSender<Work>) -> Extraction {
        let mut extraction = Extraction::default();
        for (index, input) in self.inputs.iter().enumerate() {
            let mut summary = InputSummary {
                name: input.name(),
                parser: None,
                confidence: None,
                outcome: Outcome::Read,
                counts: InputCounts::default(),
            };
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            if !self.interrupt.is_raised()
                && let Err(outcome) = self.feed(index, input, &mut summary, &queue)
            {
                summary.outcome = outcome;
            }
            extraction.inputs.push(summary);
        }
        extraction.times.reading = self.reading;
        extraction
    }

    fn feed(
        &mut self,
        index: u32,
        input: &Input,
        summary: &mut InputSummary,
        queue: &SyncSender<Work>,
    ) -> Result<(), Outcome> {
        let opened = input
            .open(self.options.max_unpacked_bytes)
            .map_err(|error| Outcome::Skipped(error.to_string()))?;
        let mut chunks = Chunks::new(opened.reader, self.options.chunk_bytes);
        let first = self
            .next(&mut chunks)
            .map_err(Outcome::Skipped)?
            .ok_or(Outcome::Empty)?;
        let head = &first.bytes[..first.bytes.len().min(HEAD_BYTES)];
        if let Some(what) = not_text(head) {
            return Err(Outcome::Skipped(what.to_owned()));
        }
        let info = InputInfo {
            name: input.file_name(),
            head: head.to_vec(),
            utc_offset_minutes: self.options.utc_offset_minutes,
            reference_time_us: opened.modified_us.unwrap_or(self.options.now_us),
        };
        let input = Arc::new(self.choose(index, info, summary)?);
        if input.reading != Reading::IndependentLines {
            self.hand_out(queue, &input, What::All(first, chunks));
            return Ok(());
        }
        self.hand_out(queue, &input, What::Chunk(first));
        while let Some(chunk) = self.next(&mut chunks).map_err(Outcome::CutShort)? {
            if self.interrupt.is_raised() || !self.hand_out(queue, &input, What::Chunk(chunk)) {
                break;
            }
        }
        Ok(())
    }

    /// Finds the parser for an input and asks it how it wants to read.
    fn choose(
        &self,
        index: u32,
        info: InputInfo,
        summary: &mut InputSummary,
    ) -> Result<OpenInput, Outcome> {
        let skipped = |reason: String| Outcome::Skipped(reason);
        let Choice { parser, confidence } = self
            .parsers
            .choose(&info)
            .map_err(|error| skipped(error.to_string()))?;
        summary.parser = Some(parser.id().clone());
        summary.confidence = confidence;
        let session = parser
            .open(&info)
            .map_err(|stop| skipped(format!("{} {stop}", parser.id())))?;
        Ok(OpenInput {
            index,
            name: summary.name.clone(),
            reading: session.reading(),
            parser,
            info,
            failures: AtomicU32::new(0),
        })
    }

    fn next(&mut self, chunks: &mut Chunks<Box<dyn Read + Send>>) -> Result<Option<Chunk>, String> {
        let started = Instant::now();
        let chunk = chunks.next(self.buffers.take());
        self.reading += started.elapsed();
        chunk.map_err(|error| error.to_string())
    }

    /// Gives work to the next free worker; false when there is none any more.
    fn hand_out(&mut self, queue: &SyncSender<Work>, input: &Arc<OpenInput>, what: What) -> bool {
        let turn = self.turn;
        self.turn += 1;
        let work = Work {
            turn,
            input: Arc::clone(input),
            what,
        };
        queue.send(work).is_ok()
    }
}
