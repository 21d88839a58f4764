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
use crate::input::{Chunk, Chunks, Content, Input, Opened, Unreadable, not_text};
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
        for input in self.inputs {
            let name = input.name();
            if self.interrupt.is_raised() {
                break;
            }
            let limit = self.options.max_unpacked_bytes;
            match input.open(limit) {
                Ok(Content::One(opened)) => {
                    self.log(name, input.file_name(), Ok(opened), &queue, &mut extraction);
                }
                Ok(Content::Archive(members)) => {
                    for member in members {
                        let (path, opened) = match member {
                            Ok(member) => (member.path.clone(), member.open(limit)),
                            Err(Unreadable { path, error }) => (path, Err(error)),
                        };
                        let name = match path.as_str() {
                            "" => name.clone(),
                            path => format!("{name}/{path}"),
                        };
                        let file_name = path.rsplit('/').next().unwrap_or_default().to_owned();
                        self.log(name, file_name, opened, &queue, &mut extraction);
                        if self.interrupt.is_raised() {
                            break;
                        }
                    }
                }
                Err(error) => {
                    self.log(name, String::new(), Err(error), &queue, &mut extraction);
                }
            }
        }
        extraction.times.reading = self.reading;
        extraction
    }

    /// Hands out one log, and keeps what is known of it by then.
    fn log(
        &mut self,
        name: String,
        file_name: String,
        opened: std::io::Result<Opened>,
        queue: &SyncSender<Work>,
        extraction: &mut Extraction,
    ) {
        let mut summary = InputSummary {
            name,
            parser: None,
            confidence: None,
            outcome: Outcome::Read,
            counts: InputCounts::default(),
        };
        let index = u32::try_from(extraction.inputs.len()).unwrap_or(u32::MAX);
        let fed = match opened {
            Ok(opened) => self.feed(index, file_name, opened, &mut summary, queue),
            Err(error) => Err(Outcome::Skipped(error.to_string())),
        };
        if let Err(outcome) = fed {
            summary.outcome = outcome;
        }
        extraction.inputs.push(summary);
    }

    fn feed(
        &mut self,
        index: u32,
        file_name: String,
        opened: Opened,
        summary: &mut InputSummary,
        queue: &SyncSender<Work>,
    ) -> Result<(), Outcome> {
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
            name: file_name,
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
