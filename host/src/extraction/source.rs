//! The source of work: opens the inputs in their order, chooses their parsers, and gives chunks to
//! the workers.
//!
//! Plain files are read while a worker asks for work, which costs little. A compressed input is lent
//! to the worker that asks; the others read another input, or parse what that worker has read. Formats
//! that take longer to unpack than to parse are unpacked on a separate thread, which never pauses.
//! See `docs/decisions/workers-read.md`.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::choice::{Choice, HEAD_BYTES, Parsers};
use super::counts::{InputSummary, Outcome};
use super::duplicates::{Candidate, Copied, Known};
use super::recognition::{Recognised, recognise};
use super::work::{Buffers, OpenInput, What, Work};
use super::{Extraction, Options, Order};
use crate::envelope::DocumentReader;
use crate::input::{
    Chunk, Chunks, Content, Input, Member, Members, Opened, Packing, Reader, UnpackLimits,
    Unreadable, Watch, without_pauses,
};
use crate::interrupt::Interrupt;
use crate::plugin::{InputInfo, Reading};

/// All inputs, as work.
pub(super) struct Source<'a> {
    inputs: std::slice::Iter<'a, Input>,
    /// The content so far; none if duplicates are kept.
    known: Option<Known<'a>>,
    has_one_input: bool,
    /// The parser of the previous input, if that was in no envelope.
    previous: Option<Choice>,
    /// The archives that are being read, each with its name and inside of the one before.
    archives: Vec<OpenArchive>,
    /// The inputs of independent lines that are being read: one, where the order
    /// matters.
    current: Vec<Current>,
    order: Order,
    parsers: &'a Parsers,
    options: &'a Options,
    watch: Watch,
    buffers: &'a Buffers,
    turn: u64,
    extraction: Extraction,
}

/// An input that is being read.
struct Current {
    input: Arc<OpenInput>,
    /// None while they are lent to a worker.
    chunks: Option<Chunks<Reader>>,
    is_packed: bool,
    is_rereadable: bool,
}

/// What a worker does next.
pub(super) enum Next {
    /// It does this.
    Work(Work),
    /// It reads on, for itself or another.
    Read(Lent),
    /// It waits for those that read.
    Wait,
    /// Nothing: all is given out, or the run is interrupted.
    End,
}

/// The rest of an input, for one worker to read some more of it.
pub(super) struct Lent {
    input: Arc<OpenInput>,
    chunks: Chunks<Reader>,
    buffer: Vec<u8>,
}

/// The rest of an input after that, and what was read.
pub(super) struct Returned {
    input: Arc<OpenInput>,
    chunks: Chunks<Reader>,
    chunk: std::io::Result<Option<Chunk>>,
    took: Duration,
}

/// An archive that is being read.
struct OpenArchive {
    name: String,
    members: Members,
    is_empty: bool,
}

/// A file, or a member of an archive.
struct Log<'a> {
    name: String,
    /// The file, if it is one outside of archives.
    input: Option<&'a Input>,
    /// Without directories.
    file_name: String,
    opened: Result<Opened, Outcome>,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        inputs: &'a [Input],
        parsers: &'a Parsers,
        options: &'a Options,
        interrupt: &'a Interrupt,
        buffers: &'a Buffers,
        order: Order,
    ) -> Self {
        Self {
            inputs: inputs.iter(),
            has_one_input: inputs.len() == 1,
            previous: None,
            known: (!options.keeps_duplicates).then(Known::default),
            archives: Vec::new(),
            current: Vec::new(),
            order,
            parsers,
            options,
            watch: Watch {
                interrupt: interrupt.clone(),
                progress: Arc::clone(&options.progress),
            },
            buffers,
            turn: 0,
            extraction: Extraction::default(),
        }
    }

    /// What a worker does next; `own` is the input that it has a session for.
    pub(super) fn next(&mut self, own: Option<u32>) -> Next {
        while !self.watch.interrupt.is_raised() {
            if let Some((lent, is_packed)) = self.lend(own) {
                if is_packed {
                    return Next::Read(lent);
                }
                if let Some(work) = self.take_back(lent.read_on()) {
                    return Next::Work(work);
                }
                continue;
            }
            let log = if self.may_open() {
                self.next_log()
            } else {
                None
            };
            match log.map(|log| self.begin(log)) {
                Some(Some(work)) => return Next::Work(work),
                Some(None) => {}
                None if self.current.is_empty() => return Next::End,
                None => return Next::Wait,
            }
        }
        Next::End
    }

    /// Takes the rest of an input back. Gives what was read as work, or nothing
    /// where the input has ended.
    pub(super) fn take_back(&mut self, returned: Returned) -> Option<Work> {
        let Returned {
            input,
            chunks,
            chunk,
            took,
        } = returned;
        self.extraction.times.reading += took;
        let is_it = |current: &Current| current.input.index == input.index;
        let at = self.current.iter().position(is_it)?;
        let ended = match chunk {
            Ok(Some(chunk)) => {
                self.current[at].chunks = Some(chunks);
                return Some(self.work(&input, What::Chunk(chunk)));
            }
            Ok(None) => Outcome::Read,
            Err(error) => Outcome::CutShort(error.to_string()),
        };
        self.current.remove(at);
        self.extraction.inputs[input.index as usize].outcome = ended;
        None
    }

    /// What became of the inputs that were begun.
    pub(super) fn into_extraction(self) -> Extraction {
        self.extraction
    }

    /// Lends the rest of an input, `own` before others, and whether it is
    /// packed.
    fn lend(&mut self, own: Option<u32>) -> Option<(Lent, bool)> {
        let here = self.current.iter_mut().filter(|one| one.chunks.is_some());
        let current = here.min_by_key(|one| Some(one.input.index) != own)?;
        let lent = Lent {
            input: Arc::clone(&current.input),
            chunks: current.chunks.take()?,
            buffer: self.buffers.take(),
        };
        Some((lent, current.is_packed))
    }

    /// Whether one more input may be read at once. The members of an archive come
    /// one after the other. What cannot be read again is read to its end first: another input
    /// may have to be compared with it.
    fn may_open(&self) -> bool {
        let has_room = self.order == Order::Any
            && self.archives.is_empty()
            && self.current.iter().all(|one| one.is_rereadable)
            && self.current.len() < self.options.workers;
        self.current.is_empty() || has_room
    }

    /// Whether several workers are to have their work from one input.
    pub(super) fn is_shared(&self) -> bool {
        let no_other = !self.may_open() || self.inputs.as_slice().is_empty();
        self.options.workers > 1 && self.current.len() == 1 && no_other
    }

    /// The next file, or member of the archive that is being read.
    fn next_log(&mut self) -> Option<Log<'a>> {
        let limits = &self.options.unpacking;
        loop {
            let mut file = None;
            let (name, file_name, content) = match self.archives.last_mut() {
                None => {
                    let input = file.insert(self.inputs.next()?);
                    let content = input.open(limits, &self.watch);
                    (input.name(), input.file_name(), content)
                }
                Some(archive) => match archive.members.next() {
                    Some(member) => archive.open(member, limits),
                    None => {
                        let archive = self.archives.pop()?;
                        if archive.is_empty {
                            return Some(Log::without_content(archive.name, Outcome::Empty));
                        }
                        continue;
                    }
                },
            };
            let opened = match content {
                Ok(Content::One(opened)) => {
                    tracing::info!(input = ?name, "reading");
                    Ok(opened)
                }
                Ok(Content::NoLog(kind)) => Err(Outcome::NoLog(kind)),
                Ok(Content::Archive(members)) => {
                    let is_empty = true;
                    self.archives.push(OpenArchive {
                        name,
                        members,
                        is_empty,
                    });
                    continue;
                }
                Err(error) => Err(Outcome::Skipped(error.to_string())),
            };
            return Some(Log {
                name,
                input: file,
                file_name,
                opened,
            });
        }
    }

    /// Begins a log, and gives the first work of it; what is known of one that
    /// cannot be read is kept.
    fn begin(&mut self, log: Log<'a>) -> Option<Work> {
        let mut summary = InputSummary::without_content(log.name, Outcome::Read);
        let begun = match log.opened {
            Ok(opened) => self.open(log.input, log.file_name, opened, &mut summary),
            Err(outcome) => Err(outcome),
        };
        let work = begun.map_err(|outcome| summary.outcome = outcome).ok();
        self.extraction.inputs.push(summary);
        work
    }

    fn open(
        &mut self,
        file: Option<&'a Input>,
        file_name: String,
        opened: Opened,
        summary: &mut InputSummary,
    ) -> Result<Work, Outcome> {
        let started = Instant::now();
        let mut chunks = Chunks::new(opened.reader, self.options.chunk_bytes);
        let head = chunks.head(HEAD_BYTES).to_vec();
        if head.is_empty() {
            let nothing = chunks.next(self.buffers.take());
            return Err(nothing.map_or_else(|error| skipped(&error), |_| Outcome::Empty));
        }
        let file = file.filter(|_| opened.is_rereadable);
        let (mut chunks, copied_bytes) = self.left_out(file, &head, chunks, summary)?;
        let info = InputInfo {
            name: file_name,
            head,
            utc_offset_minutes: self.options.utc_offset_minutes,
            reference_time_us: opened.modified_us.unwrap_or(self.options.now_us),
        };
        let recognised = recognise(self.parsers, &info, self.previous.as_ref());
        let recognised = recognised.map_err(|error| skipped(&error))?;
        self.previous = recognised.is_plain().then(|| recognised.choice.clone());
        let (document, record_end) = (recognised.document, recognised.envelope.record_end());
        let index = u32::try_from(self.extraction.inputs.len()).unwrap_or(u32::MAX);
        let input = Arc::new(self.begin_parser(index, recognised, summary)?);
        match document {
            Some(document) => {
                let reader = DocumentReader::new(chunks.into_reader(), document);
                chunks = Chunks::new(Box::new(reader), self.options.chunk_bytes);
                summary.copy_of = None;
            }
            None if input.reading == Reading::WholeDocument => summary.copy_of = None,
            None => chunks.is_copied_to(copied_bytes),
        }
        if let Some(record_end) = record_end {
            chunks.end_at_records(record_end);
        }
        let first = chunks.next(self.buffers.take());
        self.extraction.times.reading += started.elapsed();
        let first = first
            .map_err(|error| skipped(&error))?
            .ok_or(Outcome::Empty)?;
        let is_shared = input.reading == Reading::IndependentLines;
        // Otherwise the workers unpack: with one thread more than processors the
        // system would give each of them less.
        let goes_ahead =
            |packing: Packing| packing.is_slow() || !is_shared || self.options.workers == 1;
        if opened.packing.is_some_and(goes_ahead) {
            chunks = chunks.ahead().map_err(|error| skipped(&error))?;
        }
        if !is_shared {
            return Ok(self.work(&input, What::All(first, chunks)));
        }
        let work = self.work(&input, What::Chunk(first));
        self.current.push(Current {
            input,
            chunks: Some(chunks),
            is_packed: opened.packing.is_some(),
            is_rereadable: opened.is_rereadable,
        });
        Ok(work)
    }

    /// Compares an input with those before. Returns its content and how much of it they have;
    /// if that is all of it, the outcome.
    fn left_out(
        &mut self,
        file: Option<&'a Input>,
        head: &[u8],
        chunks: Chunks<Reader>,
        summary: &mut InputSummary,
    ) -> Result<(Chunks<Reader>, u64), Outcome> {
        let is_single = self.has_one_input && self.archives.is_empty();
        let Some(known) = self.known.as_mut().filter(|_| !is_single) else {
            return Ok((chunks, 0));
        };
        let (is_all, has_failed) = chunks.has_ended();
        let candidate = Candidate {
            name: &summary.name,
            head,
            is_all,
            has_failed,
            file,
        };
        let content = without_pauses(chunks.into_reader());
        let compared = known.compare(&candidate, content, &self.options.unpacking);
        let (copied, content) = compared.map_err(|error| skipped(&error))?;
        let copied_bytes = match copied {
            Copied::No => 0,
            Copied::Beginning(bytes, of) => {
                summary.copy_of = Some(of);
                bytes
            }
            Copied::Whole(of) => {
                summary.copy_of = Some(of);
                return Err(Outcome::Copy);
            }
        };
        Ok((Chunks::new(content, self.options.chunk_bytes), copied_bytes))
    }

    /// Opens an input in its parser, and asks how that wants to read it.
    fn begin_parser(
        &self,
        index: u32,
        recognised: Recognised,
        summary: &mut InputSummary,
    ) -> Result<OpenInput, Outcome> {
        let Recognised {
            choice: Choice { parser, confidence },
            info,
            document,
            envelope,
            ..
        } = recognised;
        summary.parser = Some(parser.id().clone());
        summary.confidence = confidence;
        summary.envelopes.extend(document.map(|_| "json document"));
        summary.envelopes.extend(envelope.names());
        let session = parser
            .open(&info)
            .map_err(|stop| Outcome::Skipped(format!("{} {stop}", parser.id())))?;
        Ok(OpenInput {
            index,
            name: summary.name.clone(),
            reading: session.reading(),
            session: Mutex::new(Some(session)),
            parser,
            info,
            envelope: (envelope.depth() > 0).then_some(envelope),
            failures: AtomicU32::new(0),
        })
    }

    fn work(&mut self, input: &Arc<OpenInput>, what: What) -> Work {
        let turn = self.turn;
        self.turn += 1;
        Work {
            turn,
            input: Arc::clone(input),
            what,
        }
    }
}

impl OpenArchive {
    /// Opens a member: its name, its name without directories, and its content.
    fn open(
        &mut self,
        member: Result<Member, Unreadable>,
        limits: &UnpackLimits,
    ) -> (String, String, std::io::Result<Content>) {
        self.is_empty = false;
        let (path, content) = match member {
            Ok(member) => (member.path.clone(), member.open(limits)),
            Err(Unreadable { path, error }) => (path, Err(error)),
        };
        let name = match path.as_str() {
            "" => self.name.clone(),
            path => format!("{}/{path}", self.name),
        };
        let file_name = path.rsplit('/').next().unwrap_or_default().to_owned();
        (name, file_name, content)
    }
}

fn skipped(error: &dyn std::error::Error) -> Outcome {
    Outcome::Skipped(error.to_string())
}

impl Log<'_> {
    fn without_content(name: String, outcome: Outcome) -> Self {
        Self {
            name,
            input: None,
            file_name: String::new(),
            opened: Err(outcome),
        }
    }
}

impl Lent {
    /// Reads the next chunk.
    pub(super) fn read_on(mut self) -> Returned {
        let started = Instant::now();
        let chunk = self.chunks.next(self.buffer);
        Returned {
            input: self.input,
            chunks: self.chunks,
            chunk,
            took: started.elapsed(),
        }
    }
}
