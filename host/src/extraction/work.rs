//! What the reading side hands to the parsing side.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::envelope::Envelope;
use crate::input::{Chunk, Chunks, Reader};
use crate::plugin::{InputInfo, Parser, ParserSession, Reading};

/// An input under way.
pub(super) struct OpenInput {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) parser: Parser,
    /// The parsers that are offered what it rejects.
    pub(super) others: Vec<Parser>,
    pub(super) info: InputInfo,
    /// What is removed from the lines, if they have envelopes.
    pub(super) envelope: Option<Envelope>,
    pub(super) reading: Reading,
    /// The session that was asked how it reads, for the first worker.
    pub(super) session: Mutex<Option<ParserSession>>,
    /// Failures of the parser on this input, over all workers.
    pub(super) failures: AtomicU32,
}

/// Something for a worker to do.
pub(super) struct Work {
    /// The place in the order in which work was handed out.
    pub(super) turn: u64,
    pub(super) input: Arc<OpenInput>,
    pub(super) what: What,
}

pub(super) enum What {
    /// One of the independent chunks of an input.
    Chunk(Chunk),
    /// A whole input in order: its first chunk, and the rest.
    All(Chunk, Chunks<Reader>),
}

/// Chunk buffers, used again.
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

/// Nothing that holds one of these locks can leave its data half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
