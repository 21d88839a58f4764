//! Units of work, from reading to parsing.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::envelope::Envelope;
use crate::input::{Chunk, Chunks, Reader};
use crate::plugin::{InputInfo, Parser, ParserSession, Reading};

/// An input that is being read.
pub(super) struct OpenInput {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) parser: Parser,
    pub(super) info: InputInfo,
    /// What is removed from the lines, if they have envelopes.
    pub(super) envelope: Option<Envelope>,
    pub(super) reading: Reading,
    /// The session that was asked how it reads, for the first worker.
    pub(super) session: Mutex<Option<ParserSession>>,
    /// The number of failures of the parser on this input, of all workers.
    pub(super) failures: AtomicU32,
}

/// A unit of work.
pub(super) struct Work {
    /// The number of the unit, in the order of the logs.
    pub(super) turn: u64,
    pub(super) input: Arc<OpenInput>,
    pub(super) what: What,
}

pub(super) enum What {
    /// An independent chunk of an input.
    Chunk(Chunk),
    /// A whole input that is read in order: its first chunk, and the rest.
    All(Chunk, Chunks<Reader>),
}

/// Buffers of chunks for reuse.
#[derive(Default)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    pub(super) fn take(&self) -> Vec<u8> {
        lock(&self.0).pop().unwrap_or_default()
    }

    pub(super) fn give_back(&self, buffer: Vec<u8>) {
        lock(&self.0).push(buffer);
    }
}

/// Code with one of these locks does not panic between two changes.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
