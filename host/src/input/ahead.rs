//! Reads on a separate thread, so that unpacking and parsing run at the same time.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// The size of a block that is passed between the threads.
const BLOCK_BYTES: usize = 512 << 10;

/// Blocks that wait to be taken: enough for either side to never be idle while
/// the other works, and what the memory of this costs at most.
const BLOCKS_AHEAD: usize = 4;

/// What a thread reads ahead.
pub(super) struct Ahead {
    filled: Receiver<io::Result<Vec<u8>>>,
    used: SyncSender<Vec<u8>>,
    block: Vec<u8>,
    at: usize,
    /// No more is to come: the last block was not full, or there was an error.
    is_last: bool,
}

/// The other side: what puts blocks in.
pub(super) struct Pump {
    fill: SyncSender<io::Result<Vec<u8>>>,
    reuse: Receiver<Vec<u8>>,
}

/// The two sides of a stream of blocks.
pub(super) fn pair() -> (Pump, Ahead) {
    let (fill, filled) = sync_channel(BLOCKS_AHEAD);
    let (used, reuse) = sync_channel(BLOCKS_AHEAD + 2);
    let ahead = Ahead {
        filled,
        used,
        block: Vec::new(),
        at: 0,
        is_last: false,
    };
    (Pump { fill, reuse }, ahead)
}

/// Begins to read. The thread ends at the end of what it reads, or when no one takes
/// its blocks any more.
///
/// # Errors
///
/// When there can be no thread.
pub(super) fn read_ahead(from: impl Read + Send + 'static) -> io::Result<Ahead> {
    let (pump, ahead) = pair();
    std::thread::Builder::new()
        .name("unpack".into())
        .spawn(move || pump.run(from))?;
    Ok(ahead)
}

impl Pump {
    /// Reads all there is, as long as somebody takes it.
    pub(super) fn run(self, mut from: impl Read) {
        loop {
            let mut block = self.reuse.try_recv().unwrap_or_default();
            block.resize(BLOCK_BYTES, 0);
            let (len, failure) = read_full(&mut from, &mut block);
            block.truncate(len);
            let is_last = len < BLOCK_BYTES;
            if self.fill.send(Ok(block)).is_err() {
                return;
            }
            if let Some(error) = failure {
                // An error means that the reader was dropped.
                let _not_taken = self.fill.send(Err(error));
            }
            if is_last {
                return;
            }
        }
    }
}

/// Fills a buffer up to the end of the input, a failure or a pause. Returns how far it is
/// filled, and the failure; see [`is_pause`](super::live::is_pause).
pub(super) fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut len = 0;
    while len < buffer.len() {
        match from.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (len, Some(error)),
        }
    }
    (len, None)
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            let next = match self.filled.recv() {
                Ok(next) => next,
                Err(_) if self.is_last => return Ok(0),
                Err(_) => return Err(io::Error::other("what reads it has failed")),
            };
            self.is_last = !matches!(&next, Ok(block) if block.len() == BLOCK_BYTES);
            let block = std::mem::replace(&mut self.block, next?);
            self.at = 0;
            // Full only when the thread is gone: then it is not needed.
            let _kept = self.used.try_send(block);
        }
        let rest = &self.block[self.at..];
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_in_order() {
        for len in [
            0,
            1,
            BLOCK_BYTES - 1,
            BLOCK_BYTES,
            BLOCK_BYTES + 1,
            7 * BLOCK_BYTES + 5,
        ] {
            let bytes: Vec<u8> = (0..len).map(|place| (place % 251) as u8).collect();
            let mut read = Vec::new();
            let mut ahead = read_ahead(io::Cursor::new(bytes.clone())).unwrap();
            ahead.read_to_end(&mut read).unwrap();
            assert!(read == bytes, "{len}");
        }
    }

    #[test]
    fn an_error_comes_after_what_was_read() {
        struct FailingAfter(usize);
        impl Read for FailingAfter {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::Error::other("broken"));
                }
                let len = self.0.min(buffer.len());
                buffer[..len].fill(b'x');
                self.0 -= len;
                Ok(len)
            }
        }
        let mut read = Vec::new();
        let mut ahead = read_ahead(FailingAfter(BLOCK_BYTES + 3)).unwrap();
        let error = ahead.read_to_end(&mut read).unwrap_err();
        assert_eq!(
            (read.len(), error.to_string()),
            (BLOCK_BYTES + 3, "broken".to_owned())
        );
        assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn a_thread_that_fails_is_no_end_of_the_input() {
        struct Panicking(usize);
        impl Read for Panicking {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(self.0 > 0, "a decoder has a bug");
                let len = self.0.min(buffer.len());
                self.0 -= len;
                Ok(len)
            }
        }
        for len in [0, BLOCK_BYTES, BLOCK_BYTES + 3] {
            let mut ahead = read_ahead(Panicking(len)).unwrap();
            let error = ahead.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), "what reads it has failed", "{len}");
        }
    }

    #[test]
    fn the_thread_ends_when_nobody_reads() {
        let mut ahead = read_ahead(io::repeat(b'x')).unwrap();
        assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 8);
    }
}
