//! Workers: each has an instance of the parser and a sink.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::choice::Parsers;
use super::counts::{Failure, InputCounts};
use super::duplicates::COPIED_LINES;
use super::lines::ChunkText;
use super::queue::WorkQueue;
use super::second_chance::SecondChance;
use super::source::Source;
use super::work::{Buffers, OpenInput, What, Work, lock};
use super::{ChunkInfo, ExtractionError, Order, Sink, Times};
use crate::envelope::Unwrapped;
use crate::input::{Chunk, Chunks, Reader};
use crate::interrupt::Interrupt;
use crate::plugin::{Batch, ParserSession, Reading, Stop};

/// After this many failures, the parser is not called again for the input: otherwise an endless loop
/// would cost the deadline for every chunk.
const FAILURES_BEFORE_GIVING_UP: u32 = 3;

/// What the workers of an extraction share.
pub(super) struct Shared<'a> {
    queue: WorkQueue<'a>,
    parsers: &'a Parsers,
    interrupt: &'a Interrupt,
    turns: Turns,
    buffers: &'a Buffers,
    abort: AtomicBool,
}

/// Orders the output of the workers by the number of their work.
struct Turns {
    order: Order,
    next: Mutex<u64>,
    changed: Condvar,
}

pub(super) struct Worker<'a, 's, S> {
    shared: &'a Shared<'s>,
    sink: &'a mut S,
    session: Option<(u32, ParserSession)>,
    second_chance: Option<SecondChance>,
    done: Done,
}

/// The result of a worker.
#[derive(Default)]
pub(super) struct Done {
    pub(super) counts: BTreeMap<u32, InputCounts>,
    pub(super) times: Times,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        source: Source<'a>,
        parsers: &'a Parsers,
        buffers: &'a Buffers,
        interrupt: &'a Interrupt,
        order: Order,
    ) -> Self {
        Self {
            queue: WorkQueue::new(source),
            parsers,
            interrupt,
            turns: Turns {
                order,
                next: Mutex::new(0),
                changed: Condvar::new(),
            },
            buffers,
            abort: AtomicBool::new(false),
        }
    }

    pub(super) fn into_source(self) -> Source<'a> {
        self.queue.into_source()
    }

    /// Ends the run for all workers.
    fn abort(&self) {
        self.abort.store(true, Ordering::Relaxed);
        self.queue.wake();
    }

    fn is_over(&self) -> bool {
        self.interrupt.is_raised() || self.abort.load(Ordering::Relaxed)
    }
}

impl Turns {
    /// Waits until all work before `turn` is finished, if the order matters. Work is taken in the
    /// order of turns, so that every earlier one has a worker that will finish it.
    fn wait_for(&self, turn: u64) {
        if self.order == Order::AsRead {
            let next = lock(&self.next);
            let guard = self.changed.wait_while(next, |next| *next < turn);
            drop(guard.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn finish(&self, turn: u64) {
        if self.order == Order::AsRead {
            self.wait_for(turn);
            *lock(&self.next) = turn + 1;
            self.changed.notify_all();
        }
    }
}

impl<'a, 's, S: Sink> Worker<'a, 's, S> {
    pub(super) fn new(shared: &'a Shared<'s>, sink: &'a mut S) -> Self {
        Self {
            shared,
            sink,
            session: None,
            second_chance: None,
            done: Done::default(),
        }
    }

    /// Works until no work is left.
    pub(super) fn run(mut self) -> Result<Done, ExtractionError> {
        let mut result = Ok(());
        while let Some(work) = self.next() {
            let turn = work.turn;
            if let Err(error) = self.work(work) {
                self.shared.abort();
                result = Err(error);
            }
            self.shared.turns.finish(turn);
        }
        result.map(|()| std::mem::take(&mut self.done))
    }

    fn next(&self) -> Option<Work> {
        let own = self.session.as_ref().map(|(input, _)| *input);
        self.shared.queue.next(own, || self.shared.is_over())
    }

    fn work(&mut self, work: Work) -> Result<(), ExtractionError> {
        match work.what {
            What::Chunk(chunk) => self.chunk(&work.input, work.turn, chunk),
            What::All(first, rest) => self.all(&work.input, work.turn, first, rest),
        }
    }

    /// Processes an independent chunk.
    fn chunk(
        &mut self,
        input: &Arc<OpenInput>,
        turn: u64,
        chunk: Chunk,
    ) -> Result<(), ExtractionError> {
        let started = Instant::now();
        let unwrapped = input.envelope.as_ref().map(|it| it.unwrap(&chunk.bytes));
        self.done.times.reading += started.elapsed();
        let text = ChunkText {
            chunk: &chunk,
            unwrapped: unwrapped.as_ref(),
        };
        self.count_lines(input, text);
        if let Some(batch) = self.parse(input, text)? {
            self.take(input, turn, text, &batch)?;
        }
        self.shared.buffers.give_back(chunk.bytes);
        Ok(())
    }

    /// Processes an input that is read in order.
    fn all(
        &mut self,
        input: &Arc<OpenInput>,
        turn: u64,
        first: Chunk,
        mut rest: Chunks<Reader>,
    ) -> Result<(), ExtractionError> {
        let mut next = Some(first);
        while let Some(chunk) = next {
            if self.shared.is_over() {
                return Ok(());
            }
            self.chunk(input, turn, chunk)?;
            next = match rest.next(self.shared.buffers.take()) {
                Ok(chunk) => chunk,
                Err(error) => {
                    self.counts(input).cut_short = Some(error.to_string());
                    None
                }
            };
        }
        self.finish(input, turn)
    }

    fn finish(&mut self, input: &Arc<OpenInput>, turn: u64) -> Result<(), ExtractionError> {
        let end = Chunk::default();
        let end = ChunkText {
            chunk: &end,
            unwrapped: None,
        };
        if let Some((_, mut session)) = self.session.take() {
            match session.finish() {
                Ok(batch) => {
                    self.counts(input).add_batch(end, &batch);
                    self.take(input, turn, end, &batch)?;
                }
                Err(stop) => self.fail(input, end.chunk, stop)?,
            }
            session.close();
        }
        let counts = self.counts(input);
        if input.reading == Reading::WholeDocument {
            counts.lines = counts.records + counts.ignored_lines() + counts.rejected_lines();
        } else if let Some(detail) = counts.reconcile() {
            self.fail(input, end.chunk, Stop::BadValue { detail })?;
        }
        Ok(())
    }

    fn count_lines(&mut self, input: &OpenInput, text: ChunkText<'_>) {
        let counts = self.counts(input);
        counts.lines += text.lines() + text.chunk.overlong;
        counts.add_overlong(text.chunk);
        counts.add_structure(text.unwrapped.map_or(0, Unwrapped::structure));
    }

    /// Parses a chunk. Returns none after a failure, which is counted.
    fn parse(
        &mut self,
        input: &Arc<OpenInput>,
        text: ChunkText<'_>,
    ) -> Result<Option<Batch>, ExtractionError> {
        if input.failures.load(Ordering::Relaxed) >= FAILURES_BEFORE_GIVING_UP {
            self.reject_chunk(
                input,
                text,
                "not parsed after repeated failures of the parser",
            );
            return Ok(None);
        }
        let started = Instant::now();
        let parsed = match text.chunk.is_copied {
            true => self.pass_over(input, text),
            false => self
                .session(input)
                .and_then(|session| session.parse(text.bytes(), text.lines())),
        };
        self.done.times.parsing += started.elapsed();
        match parsed {
            Ok(mut batch) => {
                self.offer_rejected(input, text, &mut batch);
                if text.unwrapped.is_some() {
                    batch.set_missing_times(|line| text.time_us(line));
                }
                self.counts(input).add_batch(text, &batch);
                Ok(Some(batch))
            }
            Err(stop) => {
                self.session = None;
                self.reject_chunk(input, text, &format!("the parser {}", in_short(&stop)));
                self.fail(input, text.chunk, stop)?;
                Ok(None)
            }
        }
    }

    /// Ignores lines that another input has. A parser that reads in order gets them for what
    /// follows.
    fn pass_over(&mut self, input: &Arc<OpenInput>, text: ChunkText<'_>) -> Result<Batch, Stop> {
        let lines = match input.reading {
            Reading::IndependentLines => text.lines(),
            Reading::OrderedLines | Reading::WholeDocument => {
                let session = self.session(input)?;
                session.parse(text.bytes(), text.lines())?.lines()
            }
        };
        Ok(Batch::of_ignored(COPIED_LINES, lines))
    }

    /// Offers the lines that the parser rejected to the others.
    fn offer_rejected(&mut self, input: &OpenInput, text: ChunkText<'_>, batch: &mut Batch) {
        if batch.rejected.is_empty() {
            return;
        }
        let started = Instant::now();
        let mut chance = match self.second_chance.take() {
            Some(chance) if chance.input == input.index => chance,
            earlier => {
                if let Some(earlier) = earlier {
                    earlier.close();
                }
                SecondChance::new(input.index)
            }
        };
        chance.offer_without_padding(text, batch, &input.info, &input.parser);
        let others = self.shared.parsers.others(&input.parser);
        for taken in chance.offer(text, batch, &input.info, others) {
            let counts = self.counts(input);
            *counts.taken_by_others.entry(taken.parser).or_default() += taken.records;
        }
        self.second_chance = Some(chance);
        self.done.times.parsing += started.elapsed();
    }

    /// The session for this input, which is opened if there is none.
    fn session(&mut self, input: &OpenInput) -> Result<&mut ParserSession, Stop> {
        let session = match self.session.take() {
            Some(open) if open.0 == input.index => open,
            earlier => {
                if let Some((_, earlier)) = earlier {
                    earlier.close();
                }
                let unused = lock(&input.session).take();
                let session = match unused {
                    Some(session) => session,
                    None => input.parser.open(&input.info)?,
                };
                (input.index, session)
            }
        };
        Ok(&mut self.session.insert(session).1)
    }

    fn reject_chunk(&mut self, input: &OpenInput, text: ChunkText<'_>, reason: &str) {
        let sample = (text.chunk.first_line + 1, String::new());
        self.counts(input)
            .reject(reason, text.lines(), Some(sample));
    }

    fn fail(
        &mut self,
        input: &OpenInput,
        chunk: &Chunk,
        stop: Stop,
    ) -> Result<(), ExtractionError> {
        if stop == Stop::Interrupted {
            return Err(ExtractionError::Interrupted);
        }
        // A refusal ends the input, and an input that is read in order cannot continue after a gap.
        let gives_up = stop.is_refusal() || input.reading != Reading::IndependentLines;
        let failures = if gives_up {
            FAILURES_BEFORE_GIVING_UP
        } else {
            1
        };
        input.failures.fetch_add(failures, Ordering::Relaxed);
        let failure = Failure {
            plugin: input.parser.id().clone(),
            start: chunk.offset,
            end: chunk.offset + chunk.bytes.len() as u64,
            stop,
        };
        self.counts(input).fail(failure);
        Ok(())
    }

    fn take(
        &mut self,
        input: &OpenInput,
        turn: u64,
        text: ChunkText<'_>,
        batch: &Batch,
    ) -> Result<(), ExtractionError> {
        self.shared.turns.wait_for(turn);
        let from = ChunkInfo {
            input: input.index,
            name: &input.name,
            text,
        };
        let started = Instant::now();
        let taken = self.sink.take(&from, batch);
        self.done.times.taking += started.elapsed();
        taken.map_err(ExtractionError::Output)
    }

    fn counts(&mut self, input: &OpenInput) -> &mut InputCounts {
        self.done.counts.entry(input.index).or_default()
    }
}

impl<S> Drop for Worker<'_, '_, S> {
    /// After a panic, no other worker waits for this one.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.abort();
        }
    }
}

/// A reason for rejected lines, the same for many chunks.
fn in_short(stop: &Stop) -> &'static str {
    match stop {
        Stop::Trap { .. } | Stop::Denied { .. } => "stopped",
        Stop::Deadline { .. } => "exceeded its deadline",
        Stop::Memory { .. } | Stop::Table { .. } => "exceeded its memory limit",
        Stop::Result { .. } | Stop::BadValue { .. } => "returned an invalid result",
        Stop::Refused { .. } => "refused the input",
        Stop::Interrupted => "was interrupted",
    }
}
