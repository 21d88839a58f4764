//! Reads an input in chunks of whole lines.

use std::io::{self, Read};

use super::Reader;
use super::ahead::{read_ahead, read_full};
use super::live::is_pause;

/// The longest line that is parsed. A longer one is counted as rejected and skipped. The length is
/// controlled by the log; a larger bound costs memory in host and guest (three times the line).
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// Some bytes of an input, and where they are in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Whole lines with their line feeds, but for a last line without one.
    pub bytes: Vec<u8>,
    /// How many lines.
    pub lines: u64,
    /// The number of the first line, from 0.
    pub first_line: u64,
    /// The offset of the first byte.
    pub offset: u64,
    /// Lines right after these that were longer than [`MAX_LINE_BYTES`] and are
    /// not among the bytes.
    pub overlong: u64,
    /// Whether another input has the same lines: see [`Chunks::is_copied_to`].
    pub is_copied: bool,
}

/// Finds the end of the last whole record in some lines.
pub type RecordEnd = fn(&[u8]) -> Option<usize>;

/// The chunks of one input.
pub struct Chunks<R> {
    reader: R,
    chunk_bytes: usize,
    /// The start of a line that is not complete yet.
    rest: Vec<u8>,
    record_end: Option<RecordEnd>,
    /// The first bytes that another input has, too.
    copied_bytes: u64,
    next_line: u64,
    next_offset: u64,
    ended: bool,
    failure: Option<io::Error>,
}

impl Chunks<Reader> {
    /// The same chunks, read on a separate thread from here on.
    ///
    /// # Errors
    ///
    /// When there can be no thread.
    pub fn ahead(self) -> io::Result<Self> {
        Ok(Self {
            reader: Box::new(read_ahead(self.reader)?),
            ..self
        })
    }
}

impl<R: Read + Send + 'static> Chunks<R> {
    /// All that was not returned yet, as something to read.
    pub fn into_reader(self) -> Reader {
        let rest = io::Cursor::new(self.rest);
        match (self.failure, self.ended) {
            (Some(failure), _) => Box::new(rest.chain(KeptFailure(Some(failure)))),
            (None, true) => Box::new(rest),
            (None, false) => Box::new(rest.chain(self.reader)),
        }
    }
}

/// Fails when it is read, once.
pub(super) struct KeptFailure(pub(super) Option<io::Error>);

impl Read for KeptFailure {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl<R: Read> Chunks<R> {
    /// Reads `reader` in chunks of about `chunk_bytes`.
    pub fn new(reader: R, chunk_bytes: usize) -> Self {
        Self {
            reader,
            chunk_bytes,
            rest: Vec::new(),
            record_end: None,
            copied_bytes: 0,
            next_line: 0,
            next_offset: 0,
            ended: false,
            failure: None,
        }
    }

    /// The first `len` bytes, or fewer if the input ends or pauses after a line. Nothing is
    /// taken: the first chunk begins with them.
    pub fn head(&mut self, len: usize) -> &[u8] {
        let mut rest = std::mem::take(&mut self.rest);
        while rest.len() < len && !self.ended {
            let start = rest.len();
            let read = self.read_more(&mut rest, start, len - start);
            rest.truncate(start + read);
            if start + read < len && rest.contains(&b'\n') {
                // The input pauses, or it has ended.
                break;
            }
        }
        self.rest = rest;
        &self.rest[..len.min(self.rest.len())]
    }

    /// Ends chunks where `record_end` finds the end of a record, which is the end of a line.
    /// Where it finds none, chunks end at a line's end.
    pub fn end_at_records(&mut self, record_end: RecordEnd) {
        self.record_end = Some(record_end);
    }

    /// States that the first `bytes`, which are whole lines, are those of another input. A chunk
    /// ends there.
    pub fn is_copied_to(&mut self, bytes: u64) {
        self.copied_bytes = bytes;
    }

    /// Whether all bytes have been read by [`Chunks::head`], and whether reading failed.
    #[must_use]
    pub fn has_ended(&self) -> (bool, bool) {
        (self.ended, self.failure.is_some())
    }

    /// Where a chunk of the next `len` bytes ends: no later than what is copied.
    fn cut(&self, len: usize) -> usize {
        match self.copied_bytes.checked_sub(self.next_offset) {
            Some(copied @ 1..) => len.min(usize::try_from(copied).unwrap_or(len)),
            _ => len,
        }
    }

    /// The next chunk in `buffer`'s memory; none at the end. What the buffer
    /// holds is written over: it is best one that a chunk came in.
    ///
    /// # Errors
    ///
    /// When reading fails. All that was read before has been sent by then.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> io::Result<Option<Chunk>> {
        let mut len = self.rest.len();
        buffer.resize(buffer.len().max(len), 0);
        buffer[..len].copy_from_slice(&self.rest);
        self.rest.clear();
        let mut searched = 0;
        loop {
            if !self.ended {
                len += self.fill(&mut buffer, len);
            }
            if self.ended {
                buffer.truncate(len);
                return self.last(buffer);
            }
            if let Some(feed) = memchr::memrchr(b'\n', &buffer[searched..len]) {
                let line_end = searched + feed + 1;
                let whole_records = self.record_end.and_then(|end| end(&buffer[..line_end]));
                let end = whole_records.filter(|end| *end > 0).unwrap_or(line_end);
                let end = self.cut(end);
                self.rest.extend_from_slice(&buffer[end..len]);
                buffer.truncate(end);
                return Ok(Some(self.chunk(buffer, 0)));
            }
            searched = len;
            if searched > MAX_LINE_BYTES {
                return Ok(Some(self.pass_over_line(buffer, len)));
            }
        }
    }

    /// Reads on after the first `len` bytes, to a full chunk and at least by half
    /// of one, and gives how much it was. A failure is kept for when all that was
    /// read is sent.
    fn fill(&mut self, buffer: &mut Vec<u8>, len: usize) -> usize {
        let wanted = self
            .chunk_bytes
            .saturating_sub(len)
            .max(self.chunk_bytes / 2)
            .max(1);
        self.read_more(buffer, len, wanted)
    }

    /// Reads `wanted` bytes after the first `len` of the buffer, or less at the end of the input
    /// and at a pause, and returns how many. A buffer is cleared before it is read to, and most
    /// files are small: the first bytes are read alone.
    fn read_more(&mut self, buffer: &mut Vec<u8>, len: usize, wanted: usize) -> usize {
        const FIRST_BYTES: usize = 16 << 10;
        let mut end = len;
        for part in [wanted.min(FIRST_BYTES), wanted.saturating_sub(FIRST_BYTES)] {
            buffer.resize(buffer.len().max(end + part), 0);
            let (read, failure) = read_full(&mut self.reader, &mut buffer[end..end + part]);
            end += read;
            if failure.as_ref().is_some_and(is_pause) {
                break;
            }
            self.ended = read < part;
            self.failure = failure;
            if self.ended {
                break;
            }
        }
        end - len
    }

    fn last(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Chunk>> {
        if !bytes.is_empty() {
            let end = self.cut(bytes.len());
            self.rest.extend_from_slice(&bytes[end..]);
            bytes.truncate(end);
            return Ok(Some(self.chunk(bytes, 0)));
        }
        self.failure.take().map_or(Ok(None), Err)
    }

    fn chunk(&mut self, bytes: Vec<u8>, overlong: u64) -> Chunk {
        let feeds = memchr::memchr_iter(b'\n', &bytes).count() as u64;
        let open = u64::from(bytes.last().is_some_and(|byte| *byte != b'\n'));
        let chunk = Chunk {
            lines: feeds + open,
            first_line: self.next_line,
            offset: self.next_offset,
            overlong,
            is_copied: self.next_offset + bytes.len() as u64 <= self.copied_bytes,
            bytes,
        };
        self.next_line += chunk.lines + overlong;
        self.next_offset += chunk.bytes.len() as u64;
        chunk
    }

    /// Drops an overlong line, whose beginning is the first `len` bytes.
    fn pass_over_line(&mut self, mut buffer: Vec<u8>, len: usize) -> Chunk {
        let mut passed = len as u64;
        loop {
            let len = self.fill(&mut buffer, 0);
            if let Some(feed) = memchr::memchr(b'\n', &buffer[..len]) {
                passed += feed as u64 + 1;
                self.rest.extend_from_slice(&buffer[feed + 1..len]);
                break;
            }
            passed += len as u64;
            if self.ended {
                break;
            }
        }
        buffer.clear();
        let chunk = self.chunk(buffer, 1);
        self.next_offset += passed;
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], chunk_bytes: usize) -> Vec<Chunk> {
        let mut chunks = Chunks::new(input, chunk_bytes);
        let used = b"of another chunk\n".repeat(300);
        std::iter::from_fn(|| chunks.next(used.clone()).unwrap()).collect()
    }

    #[test]
    fn chunks_are_whole_lines_that_add_up_to_the_input() {
        let check = |input: &[u8], lines: u64| {
            for chunk_bytes in [1, 2, 3, 7, 64, 4096] {
                let chunks = read(input, chunk_bytes);
                let bytes: Vec<u8> = chunks.iter().flat_map(|c| c.bytes.clone()).collect();
                assert_eq!(bytes, input);
                assert_eq!(chunks.iter().map(|c| c.lines).sum::<u64>(), lines);
                let (mut line, mut offset) = (0, 0);
                for (index, chunk) in chunks.iter().enumerate() {
                    assert_eq!((chunk.first_line, chunk.offset), (line, offset));
                    let is_last = index + 1 == chunks.len();
                    assert!(is_last || chunk.bytes.ends_with(b"\n"));
                    line += chunk.lines;
                    offset += chunk.bytes.len() as u64;
                }
            }
        };
        check(b"", 0);
        check(b"\n", 1);
        check(b"one", 1);
        check(b"one\ntwo", 2);
        check(b"one\r\n\r\nthree\n", 3);
        check(&b"a line of some length\n".repeat(50), 50);
    }

    #[test]
    fn an_overlong_line_is_counted_and_passed_over() {
        let mut input = b"before\n".to_vec();
        input.resize(input.len() + MAX_LINE_BYTES + (1 << 20), b'x');
        input.extend_from_slice(b"\nafter\nlast");
        let chunks = read(&input, 1 << 20);
        let kept: Vec<u8> = chunks.iter().flat_map(|c| c.bytes.clone()).collect();
        assert_eq!(kept, b"before\nafter\nlast");
        assert_eq!(chunks.iter().map(|c| c.overlong).sum::<u64>(), 1);
        let after = chunks
            .iter()
            .find(|c| c.bytes.starts_with(b"after"))
            .unwrap();
        assert_eq!(after.first_line, 2);
        assert_eq!(after.offset as usize, input.len() - b"after\nlast".len());
    }

    #[test]
    fn chunks_end_where_another_input_ended() {
        for chunk_bytes in [1, 7, 4096] {
            let mut chunks = Chunks::new(&b"one\ntwo\nthree\nfour"[..], chunk_bytes);
            chunks.is_copied_to(8);
            let chunks = std::iter::from_fn(|| chunks.next(Vec::new()).unwrap());
            let (copied, new): (Vec<_>, Vec<_>) = chunks.partition(|chunk| chunk.is_copied);
            let text = |chunks: Vec<Chunk>| chunks.into_iter().flat_map(|it| it.bytes).collect();
            let (copied, new): (Vec<u8>, Vec<u8>) = (text(copied), text(new));
            assert_eq!(
                (copied.as_slice(), new.as_slice()),
                (&b"one\ntwo\n"[..], &b"three\nfour"[..])
            );
        }
    }

    #[test]
    fn what_was_read_before_a_failure_is_handed_on() {
        struct Failing(&'static [u8]);
        impl Read for Failing {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0.is_empty() {
                    return Err(io::Error::other("the disk is gone"));
                }
                self.0.read(buffer)
            }
        }
        let mut chunks = Chunks::new(Failing(b"one\ntwo"), 1 << 10);
        let chunk = chunks.next(Vec::new()).unwrap().unwrap();
        assert_eq!(
            (chunk.bytes.as_slice(), chunk.lines),
            (b"one\ntwo".as_slice(), 2)
        );
        assert_eq!(
            chunks.next(Vec::new()).unwrap_err().to_string(),
            "the disk is gone"
        );
        assert_eq!(chunks.next(Vec::new()).unwrap(), None);
    }
}
