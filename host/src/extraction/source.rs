//! The reading side: opens the inputs one after the other, finds each its
//! parser, and gives out work to whoever asks.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Instant;

use super::choice::{Choice, Parsers};
use super::counts::{InputCounts, InputSummary, Outcome};
use super::work::{Buffers, OpenInput, What, Work};
use super::{Extraction, Options};
use crate::input::{Chunk, Chunks, Content, Input, Members, Opened, Reader, Unreadable, not_text};
use crate::plugin::{InputInfo, Interrupt, Reading};

/// A parser is shown this much of an input before it is read.
const HEAD_BYTES: usize = 64 << 10;

/// All inputs, as work.
pub(super) struct Source<'a> {
    inputs: std::slice::Iter<'a, Input>,
    /// The archive that is being read, by its name.
    archive: Option<(String, Members)>,
    /// The input of independent lines that is being read.
    current: Option<(Arc<OpenInput>, Chunks<Reader>)>,
    parsers: &'a Parsers,
    options: &'a Options,
    interrupt: &'a Interrupt,
    buffers: &'a Buffers,
    turn: u64,
    extraction: Extraction,
}

/// A file, or a member of an archive.
struct Log {
    name: String,
    /// Without directories.
    file_name: String,
    opened: std::io::Result<Opened>,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        inputs: &'a [Input],
        parsers: &'a Parsers,
        options: &'a Options,
        interrupt: &'a Interrupt,
        buffers: &'a Buffers,
    ) -> Self {
        Self {
            inputs: inputs.iter(),
            archive: None,
            current: None,
            parsers,
            options,
            interrupt,
            buffers,
            turn: 0,
            extraction: Extraction::default(),
        }
    }

    /// What is to be done next; none when all is given out, or the run is
    /// interrupted.
    pub(super) fn next(&mut self) -> Option<Work> {
        while !self.interrupt.is_raised() {
            if let Some(work) = self.next_chunk() {
                return Some(work);
            }
            let log = self.next_log()?;
            if let Some(work) = self.begin(log) {
                return Some(work);
            }
        }
        None
    }

    /// What became of the inputs that were begun.
    pub(super) fn into_extraction(self) -> Extraction {
        self.extraction
    }

    /// The next chunk of the input that is being read.
    fn next_chunk(&mut self) -> Option<Work> {
        let (input, mut chunks) = self.current.take()?;
        match self.read(&mut chunks) {
            Ok(Some(chunk)) => {
                let work = self.work(&input, What::Chunk(chunk));
                self.current = Some((input, chunks));
                Some(work)
            }
            Ok(None) => None,
            Err(error) => {
                self.extraction.inputs[input.index as usize].outcome = Outcome::CutShort(error);
                None
            }
        }
    }

    fn next_log(&mut self) -> Option<Log> {
        let limit = self.options.max_unpacked_bytes;
        loop {
            if let Some((archive, members)) = &mut self.archive {
                if let Some(member) = members.next() {
                    let (path, opened) = match member {
                        Ok(member) => (member.path.clone(), member.open(limit)),
                        Err(Unreadable { path, error }) => (path, Err(error)),
                    };
                    return Some(Log {
                        name: match path.as_str() {
                            "" => archive.clone(),
                            path => format!("{archive}/{path}"),
                        },
                        file_name: path.rsplit('/').next().unwrap_or_default().to_owned(),
                        opened,
                    });
                }
                self.archive = None;
            }
            let input = self.inputs.next()?;
            let opened = match input.open(limit) {
                Ok(Content::Archive(members)) => {
                    self.archive = Some((input.name(), members));
                    continue;
                }
                Ok(Content::One(opened)) => Ok(opened),
                Err(error) => Err(error),
            };
            return Some(Log {
                name: input.name(),
                file_name: input.file_name(),
                opened,
            });
        }
    }

    /// Begins a log, and gives the first work of it; what is known of one that
    /// cannot be read is kept.
    fn begin(&mut self, log: Log) -> Option<Work> {
        let mut summary = InputSummary {
            name: log.name,
            parser: None,
            confidence: None,
            outcome: Outcome::Read,
            counts: InputCounts::default(),
        };
        let begun = match log.opened {
            Ok(opened) => self.open(log.file_name, opened, &mut summary),
            Err(error) => Err(Outcome::Skipped(error.to_string())),
        };
        let work = begun.map_err(|outcome| summary.outcome = outcome).ok();
        self.extraction.inputs.push(summary);
        work
    }

    fn open(
        &mut self,
        file_name: String,
        opened: Opened,
        summary: &mut InputSummary,
    ) -> Result<Work, Outcome> {
        let mut chunks = Chunks::new(opened.reader, self.options.chunk_bytes);
        let first = self
            .read(&mut chunks)
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
        let index = u32::try_from(self.extraction.inputs.len()).unwrap_or(u32::MAX);
        let input = Arc::new(self.choose(index, info, summary)?);
        if input.reading != Reading::IndependentLines {
            return Ok(self.work(&input, What::All(first, chunks)));
        }
        let work = self.work(&input, What::Chunk(first));
        self.current = Some((input, chunks));
        Ok(work)
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

    fn read(&mut self, chunks: &mut Chunks<Reader>) -> Result<Option<Chunk>, String> {
        let started = Instant::now();
        let chunk = chunks.next(self.buffers.take());
        self.extraction.times.reading += started.elapsed();
        chunk.map_err(|error| error.to_string())
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
