//! What is known of a run from outside while it reads, and how it is ended.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::interrupt::Interrupt;

/// Ends the waits for inputs, and counts what is read of them. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Ends a wait for standard input or a pipe.
    pub interrupt: Interrupt,
    /// Counts the bytes.
    pub progress: Arc<ReadProgress>,
}

/// How much was read so far.
#[derive(Debug, Default)]
pub struct ReadProgress {
    read_bytes: AtomicU64,
    /// 0 if it is not known.
    total_bytes: AtomicU64,
    notices: Mutex<Vec<String>>,
}

impl ReadProgress {
    /// Begins to count anew, for inputs of this size.
    pub fn begin(&self, total_bytes: u64) {
        self.read_bytes.store(0, Ordering::Relaxed);
        self.total_bytes.store(total_bytes, Ordering::Relaxed);
    }

    /// Counts bytes as read.
    pub(super) fn add(&self, bytes: u64) {
        self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes that were read, as they are in the files, and the size of all files; 0 if that
    /// is not known.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        let read = self.read_bytes.load(Ordering::Relaxed);
        (read, self.total_bytes.load(Ordering::Relaxed))
    }

    /// Leaves a message for the user.
    pub fn notify(&self, text: String) {
        self.lock().push(text);
    }

    /// Takes the messages that were left.
    #[must_use]
    pub fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts what is read through it.
pub(super) struct Counted<R> {
    pub(super) reader: R,
    pub(super) progress: Arc<ReadProgress>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.progress.add(read as u64);
        Ok(read)
    }
}
