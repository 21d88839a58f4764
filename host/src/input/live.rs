//! Inputs that may pause: standard input, named pipes and devices. A thread reads them, so that
//! a wait can end.
//!
//! A [`LiveReader`] returns [`io::ErrorKind::WouldBlock`] whenever nothing has come for
//! [`PAUSE`]. [`read_full`](super::ahead::read_full) returns what came before the pause then, so
//! that a line is parsed when it comes. Readers that cannot continue after an error read through
//! [`without_pauses`].

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::Reader;
use super::watch::Watch;

/// What has come is passed on when nothing follows for this time. Several readers may each wait
/// for it before the first line is parsed.
const PAUSE: Duration = Duration::from_millis(50);

/// The size of a pipe's buffer on Linux.
const BLOCK_BYTES: usize = 64 << 10;

const BLOCKS_AHEAD: usize = 8;

/// Reads from a thread.
struct LiveReader {
    /// An empty block is the end.
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    at: usize,
    has_ended: bool,
    watch: Watch,
}

/// Opens and reads an input on a thread, which ends with the input.
///
/// # Errors
///
/// When no thread can be started.
pub(super) fn live<R: Read>(
    open: impl FnOnce() -> io::Result<R> + Send + 'static,
    watch: &Watch,
) -> io::Result<Reader> {
    let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
    std::thread::Builder::new()
        .name("live-input".into())
        .spawn(move || {
            let mut input = match open() {
                Ok(input) => input,
                Err(error) => return drop(sender.send(Err(error))),
            };
            loop {
                let block = next_block(&mut input);
                let is_last = block.as_ref().map_or(true, Vec::is_empty);
                if sender.send(block).is_err() || is_last {
                    return;
                }
            }
        })?;
    Ok(Box::new(LiveReader {
        blocks,
        block: Vec::new(),
        at: 0,
        has_ended: false,
        watch: watch.clone(),
    }))
}

fn next_block(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match input.read(&mut block) {
            Ok(len) => {
                block.truncate(len);
                return Ok(block);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Read for LiveReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() && !self.has_ended {
            self.block = match self.blocks.recv_timeout(PAUSE) {
                Ok(block) => block?,
                Err(RecvTimeoutError::Timeout) if self.watch.interrupt.is_raised() => {
                    return Err(io::Error::other("interrupted"));
                }
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::WouldBlock.into()),
                // The thread has sent an error before.
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
            };
            self.at = 0;
            self.has_ended = self.block.is_empty();
            self.watch.progress.add(self.block.len() as u64);
        }
        let rest = &self.block[self.at..];
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

/// Whether an error states that nothing has come for some time.
pub(super) fn is_pause(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Reads `reader` and waits through its pauses.
pub fn without_pauses(reader: Reader) -> Reader {
    Box::new(WithoutPauses(reader))
}

struct WithoutPauses(Reader);

impl Read for WithoutPauses {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if is_pause(&error) => {}
                read => return read,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::super::chunks::Chunks;
    use super::*;

    /// Reads what is sent.
    struct Sent(Receiver<&'static [u8]>);

    impl Read for Sent {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let sent = self.0.recv().unwrap_or_default();
            buffer[..sent.len()].copy_from_slice(sent);
            Ok(sent.len())
        }
    }

    fn reader() -> (Sender<&'static [u8]>, Reader, Watch) {
        let (sender, receiver) = channel();
        let watch = Watch::default();
        let reader = live(move || Ok(Sent(receiver)), &watch).unwrap();
        (sender, reader, watch)
    }

    #[test]
    fn whole_lines_are_passed_on_at_a_pause() {
        let (sender, reader, _watch) = reader();
        sender.send(b"one\ntw").unwrap();
        // It waits for the first bytes to choose the encoding.
        let text = crate::input::text::utf8(reader).unwrap();
        let mut chunks = Chunks::new(text, 1 << 20);
        assert_eq!(chunks.head(1 << 10), b"one\ntw");
        let mut next = || chunks.next(Vec::new()).unwrap().map(|chunk| chunk.bytes);
        assert_eq!(next().unwrap(), b"one\n");
        sender.send(b"o\nthree").unwrap();
        assert_eq!(next().unwrap(), b"two\n");
        drop(sender);
        assert_eq!(next().unwrap(), b"three");
        assert_eq!(next(), None);
    }

    #[test]
    fn wait_ends_when_the_run_is_interrupted() {
        let (_sender, reader, watch) = reader();
        watch.interrupt.raise();
        let error = without_pauses(reader).read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
    }

    #[test]
    fn failure_to_open_is_returned_by_the_first_read() {
        let failing = || io::Result::<io::Empty>::Err(io::Error::other("no such pipe"));
        let mut reader = live(failing, &Watch::default()).unwrap();
        let error = reader.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.to_string(), "no such pipe");
    }
}
