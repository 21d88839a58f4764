//! Content that was read before: a log beside its rotated copy, hard links, a file that was
//! named twice, a log of which another contains all lines.
//!
//! [`Known`] has a digest at the end of each line of an input's beginning. They are all that is
//! computed of an input that begins like no other. One that begins like a file is compared
//! with it byte by byte; one that begins like an archive's member, which cannot be read again,
//! is compared by a digest of all bytes. See `docs/decisions/duplicates.md`.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use foldhash::quality::{FoldHasher, RandomState};

use crate::input::{Content, Input, Reader, UnpackLimits, Watch, cannot_store};

/// Digests are kept for the lines in this much of an input.
const BEGINNING_BYTES: usize = 8 << 10;

/// Of the inputs with the same beginning the latest are compared.
const MAX_COMPARED: usize = 8;

/// The reason with which the lines of a beginning are ignored.
pub(super) const COPIED_LINES: &str = "copy of lines of another input";

/// The inputs so far, by their content.
#[derive(Default)]
pub(super) struct Known<'a> {
    hash: RandomState,
    originals: Vec<Original<'a>>,
    /// By the digest at the end of a line: an input that begins with these lines.
    begins: HashMap<u64, usize>,
    /// By the digest of all lines: an input that is nothing but these.
    wholes: HashMap<u64, usize>,
    /// By the last digest of a beginning: the inputs that are longer.
    longer: HashMap<u64, Vec<usize>>,
}

struct Original<'a> {
    name: String,
    content: Rereading<'a>,
}

/// How an input's content is compared with another.
enum Rereading<'a> {
    /// The file is read again.
    File(&'a Input),
    /// A digest comes when the input has been read to its end.
    Awaited(Receiver<Digest>),
    Digest(Digest),
    Unknown,
}

/// What an input has in common with one that was read before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// Nothing that counts.
    No,
    /// These first bytes, which are whole lines, are all lines of the input of this name.
    Beginning(u64, String),
    /// All of it: the input of this name begins with the same lines.
    Whole(String),
}

/// An input before it is read.
pub(super) struct Candidate<'a, 'h> {
    pub(super) name: &'h str,
    /// The first bytes.
    pub(super) head: &'h [u8],
    /// Whether they are all bytes.
    pub(super) is_all: bool,
    /// Whether they are all bytes because reading failed.
    pub(super) has_failed: bool,
    /// The file, if it can be read again.
    pub(super) file: Option<&'a Input>,
}

/// Where a digest of lines ends, and the digest.
type LineDigest = (usize, u64);

impl<'a> Known<'a> {
    /// Compares an input with those so far, and adds it. `rest` is all that it contains.
    /// Returns what is copied, and all that it contains.
    ///
    /// # Errors
    ///
    /// If the content cannot be kept while it is compared.
    pub(super) fn compare(
        &mut self,
        input: &Candidate<'a, '_>,
        mut rest: Reader,
        limits: &UnpackLimits,
    ) -> io::Result<(Copied, Reader)> {
        let ends_early = input.is_all && input.head.len() <= BEGINNING_BYTES;
        let is_whole = ends_early && !input.has_failed;
        let lines = self.line_digests(input.head, is_whole);
        let Some(&(len, last)) = lines.last() else {
            return Ok((Copied::No, rest));
        };
        let mut copied = Copied::No;
        let is_line = |len: usize| input.head[..len].ends_with(b"\n");
        if let Some(known) = self.begins.get(&last).filter(|_| ends_early) {
            let name = self.originals[*known].name.clone();
            copied = match is_whole {
                true => Copied::Whole(name),
                false if is_line(len) => Copied::Beginning(len as u64, name),
                false => Copied::No,
            };
        } else if !ends_early {
            (copied, rest) = self.compare_longer(last, input, rest, limits)?;
        }
        if copied == Copied::No {
            let known = |(len, digest): &LineDigest| {
                let known = self.wholes.get(digest).filter(|_| is_line(*len))?;
                Some(Copied::Beginning(
                    *len as u64,
                    self.originals[*known].name.clone(),
                ))
            };
            copied = lines.iter().rev().find_map(known).unwrap_or(Copied::No);
        }
        if matches!(copied, Copied::Whole(_)) {
            return Ok((copied, rest));
        }
        rest = self.add(input, rest, &lines, ends_early);
        Ok((copied, rest))
    }

    fn add(
        &mut self,
        input: &Candidate<'a, '_>,
        mut rest: Reader,
        lines: &[LineDigest],
        ends_early: bool,
    ) -> Reader {
        let index = self.originals.len();
        for (_, digest) in lines {
            self.begins.entry(*digest).or_insert(index);
        }
        let mut content = input.file.map_or(Rereading::Unknown, Rereading::File);
        if let Some((_, last)) = lines.last() {
            if ends_early {
                self.wholes.insert(*last, index);
            } else {
                self.longer.entry(*last).or_default().push(index);
                if input.file.is_none() {
                    let (sender, receiver) = sync_channel(1);
                    content = Rereading::Awaited(receiver);
                    rest = Box::new(Digesting {
                        reader: rest,
                        digester: Digester::new(&self.hash),
                        sender,
                    });
                }
            }
        }
        let name = input.name.to_owned();
        self.originals.push(Original { name, content });
        rest
    }

    /// The digests at the ends of the first lines. A last line without a line feed counts if
    /// `is_whole`. If there is no line, the beginning is one.
    fn line_digests(&self, head: &[u8], is_whole: bool) -> Vec<LineDigest> {
        let head = &head[..head.len().min(BEGINNING_BYTES)];
        let mut hasher = self.hash.build_hasher();
        let mut digests = Vec::new();
        let mut start = 0;
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n");
            if text.is_none() && !is_whole && start > 0 {
                break;
            }
            hasher.write(text.unwrap_or(line));
            start += line.len();
            digests.push((start, hasher.clone().finish()));
        }
        digests
    }

    /// Compares with the inputs that begin with the same lines.
    fn compare_longer(
        &mut self,
        last: u64,
        input: &Candidate<'a, '_>,
        mut rest: Reader,
        limits: &UnpackLimits,
    ) -> io::Result<(Copied, Reader)> {
        let mut best = Copied::No;
        let known = self.longer.get(&last).map_or(&[][..], Vec::as_slice);
        for index in known.iter().rev().take(MAX_COMPARED) {
            let original = &mut self.originals[*index];
            let common = match (&mut original.content, input.file) {
                (Rereading::File(known), Some(file)) if is_same_file(known, file) => Common::all(),
                (content, Some(file)) => match reopen(file, limits) {
                    Some(mut again) => content.common(&mut again, limits, &self.hash),
                    None => Common::default(),
                },
                (content, None) => {
                    let mut kept = Keeping::new(rest);
                    let common = content.common(&mut kept, limits, &self.hash);
                    rest = kept.rewind()?;
                    common
                }
            };
            let copied = common.copied(&original.name);
            if matches!(copied, Copied::Whole(_)) {
                return Ok((copied, rest));
            }
            best = match (&best, &copied) {
                (Copied::Beginning(bytes, _), Copied::Beginning(more, _)) if more > bytes => copied,
                (Copied::No, _) => copied,
                _ => best,
            };
        }
        Ok((best, rest))
    }
}

/// The beginning that two contents have in common.
#[derive(Debug, Default, PartialEq, Eq)]
struct Common {
    /// How long it is, to the end of its last whole line.
    line_bytes: u64,
    /// Whether the input ended with it, at the end of a line of the other.
    is_whole: bool,
    /// Whether the input or the other ended in it or after it.
    is_ended: bool,
}

impl Common {
    fn all() -> Self {
        Self {
            is_whole: true,
            ..Self::default()
        }
    }

    fn copied(&self, name: &str) -> Copied {
        match self {
            Self { is_whole: true, .. } => Copied::Whole(name.to_owned()),
            Self {
                is_ended: true,
                line_bytes: bytes @ 1..,
                ..
            } => Copied::Beginning(*bytes, name.to_owned()),
            _ => Copied::No,
        }
    }
}

impl Rereading<'_> {
    fn common(
        &mut self,
        input: &mut dyn Read,
        limits: &UnpackLimits,
        hash: &RandomState,
    ) -> Common {
        if let Self::Awaited(digest) = self {
            *self = digest.recv().map_or(Self::Unknown, Self::Digest);
        }
        match self {
            Self::File(file) => match reopen(file, limits) {
                Some(known) => common_bytes(input, known),
                None => Common::default(),
            },
            Self::Digest(digest) => digest.common(input, hash),
            Self::Awaited(_) | Self::Unknown => Common::default(),
        }
    }
}

/// Opens an input again, if it is one log.
fn reopen(input: &Input, limits: &UnpackLimits) -> Option<Reader> {
    match input.open(limits, &Watch::default()) {
        Ok(Content::One(opened)) => Some(opened.reader),
        _ => None,
    }
}

fn is_same_file(one: &Input, other: &Input) -> bool {
    match (one, other) {
        (Input::File(one), Input::File(other)) => {
            same_file::is_same_file(one, other).unwrap_or(false)
        }
        _ => false,
    }
}

/// What of a reader comes next, and whether it ended because reading failed.
struct Side<R> {
    reader: BufReader<R>,
    has_failed: bool,
}

impl<R: Read> Side<R> {
    fn new(reader: R) -> Self {
        const BUFFER_BYTES: usize = 256 << 10;
        Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, reader),
            has_failed: false,
        }
    }

    /// The next bytes; none at the end.
    fn next(&mut self) -> &[u8] {
        // The borrow checker does not allow the buffer to be returned from the match.
        if self.has_failed || self.reader.fill_buf().is_err() {
            self.has_failed = true;
            return &[];
        }
        self.reader.buffer()
    }
}

/// Reads both to where they differ or one ends. A failure to read is an end.
fn common_bytes(input: impl Read, known: impl Read) -> Common {
    let (mut input, mut known) = (Side::new(input), Side::new(known));
    let mut common = Common::default();
    let mut bytes = 0;
    loop {
        let (left, right) = (input.next(), known.next());
        let len = left.len().min(right.len());
        let same = match left[..len] == right[..len] {
            true => len,
            false => left.iter().zip(right).take_while(|(a, b)| a == b).count(),
        };
        if let Some(feed) = memchr::memrchr(b'\n', &left[..same]) {
            common.line_bytes = bytes + feed as u64 + 1;
        }
        bytes += same as u64;
        input.reader.consume(same);
        known.reader.consume(same);
        if same < len || len == 0 {
            break;
        }
    }
    let (input_ended, known_ended) = (input.next().is_empty(), known.next().is_empty());
    let at_line_end = common.line_bytes == bytes || known_ended || known.next().starts_with(b"\n");
    common.is_whole = input_ended && !input.has_failed && at_line_end;
    common.is_ended = input_ended || known_ended;
    if known_ended && input.next().starts_with(b"\n") {
        // The known one has no line feed at its end.
        common.line_bytes = bytes + 1;
        input.reader.consume(1);
        common.is_whole = input.next().is_empty() && !input.has_failed;
    }
    common
}

/// The digest of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Digest {
    /// Its length without a last line feed.
    bytes: u64,
    value: u64,
}

impl Digest {
    fn common(self, input: &mut dyn Read, hash: &RandomState) -> Common {
        let mut digester = Digester::new(hash);
        let mut beginning = (&mut *input).take(self.bytes);
        if io::copy(&mut beginning, &mut digester).is_err() || digester.finish() != self {
            return Common::default();
        }
        let mut next = Vec::new();
        let read = input.take(2).read_to_end(&mut next);
        Common {
            line_bytes: self.bytes + 1,
            is_whole: read.is_ok() && (next.is_empty() || next == b"\n"),
            is_ended: next.first() == Some(&b'\n'),
        }
    }
}

/// Computes a digest that does not depend on how the bytes come.
struct Digester {
    hasher: FoldHasher<'static>,
    block: Vec<u8>,
    bytes: u64,
}

const BLOCK_BYTES: usize = 64 << 10;

impl Digester {
    fn new(hash: &RandomState) -> Self {
        Self {
            hasher: hash.build_hasher(),
            block: Vec::with_capacity(BLOCK_BYTES),
            bytes: 0,
        }
    }

    /// The digest of all bytes but a last line feed.
    fn finish(&mut self) -> Digest {
        let ends_line = self.block.last() == Some(&b'\n');
        let block = self.block.strip_suffix(b"\n").unwrap_or(&self.block);
        self.hasher.write(block);
        Digest {
            bytes: self.bytes - u64::from(ends_line),
            value: self.hasher.finish(),
        }
    }
}

impl io::Write for Digester {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK_BYTES {
            self.hasher.write(&self.block);
            self.block.clear();
        }
        let len = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..len]);
        self.bytes += len as u64;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends the digest of what is read through it, if that is read to the end.
struct Digesting {
    reader: Reader,
    digester: Digester,
    sender: SyncSender<Digest>,
}

impl Read for Digesting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            // Fails only at a second read at the end.
            let _sent_before = self.sender.try_send(self.digester.finish());
        }
        io::Write::write_all(&mut self.digester, &buffer[..read])?;
        Ok(read)
    }
}

/// Keeps what is read through it, so that it can be read again.
struct Keeping {
    reader: Reader,
    kept: tempfile::SpooledTempFile,
    failure: Option<io::Error>,
}

impl Keeping {
    fn new(reader: Reader) -> Self {
        const IN_MEMORY_BYTES: usize = 16 << 20;
        Self {
            reader,
            kept: tempfile::SpooledTempFile::new(IN_MEMORY_BYTES),
            failure: None,
        }
    }

    /// All that was read, and the rest.
    fn rewind(mut self) -> io::Result<Reader> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        self.kept.rewind()?;
        Ok(Box::new(self.kept.chain(self.reader)))
    }
}

impl Read for Keeping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if let Err(error) = io::Write::write_all(&mut self.kept, &buffer[..read]) {
            let text = format!(
                "{}, or use --keep-duplicates",
                cannot_store(&std::env::temp_dir(), &error)
            );
            self.failure = Some(io::Error::other(text));
            return Ok(0);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(input: &str, known: &str) -> Copied {
        common_bytes(input.as_bytes(), known.as_bytes()).copied("known")
    }

    /// As [`compare`], by the digest of `known`.
    fn compare_by_digest(input: &str, known: &str) -> Copied {
        let hash = RandomState::default();
        let mut digester = Digester::new(&hash);
        io::copy(&mut known.as_bytes(), &mut digester).unwrap();
        let digest = digester.finish();
        digest.common(&mut input.as_bytes(), &hash).copied("known")
    }

    /// As [`compare`], by the digests of lines.
    fn compare_by_lines(input: &str, known: &str) -> Copied {
        let mut contents = Known::default();
        let mut compare = |name, text: &str| {
            let input = Candidate {
                name,
                head: text.as_bytes(),
                is_all: true,
                has_failed: false,
                file: None,
            };
            let rest = Box::new(io::empty());
            contents
                .compare(&input, rest, &UnpackLimits::default())
                .unwrap()
                .0
        };
        assert_eq!(compare("known", known), Copied::No);
        compare("input", input)
    }

    #[test]
    fn equal_lines_are_a_copy_with_and_without_the_last_line_feed() {
        for compare in [compare, compare_by_digest, compare_by_lines] {
            for (input, known) in [("a\nb\n", "a\nb\n"), ("a\nb", "a\nb\n"), ("a\nb\n", "a\nb")] {
                assert_eq!(compare(input, known), Copied::Whole("known".to_owned()));
            }
        }
    }

    #[test]
    fn beginning_of_another_is_a_copy_up_to_the_end_of_a_line() {
        for compare in [compare, compare_by_lines] {
            let whole = Copied::Whole("known".to_owned());
            assert_eq!(compare("a\nb\n", "a\nb\nc\n"), whole);
            assert_eq!(compare("a\nb", "a\nb\nc\n"), whole);
        }
        let beginning = Copied::Beginning(2, "known".to_owned());
        assert_eq!(compare("a\nb", "a\nbc\n"), beginning);
        assert_eq!(compare_by_lines("a\nb", "a\nbc\n"), Copied::No);
    }

    #[test]
    fn input_that_contains_another_from_its_start_has_new_lines_after_it() {
        for compare in [compare, compare_by_digest, compare_by_lines] {
            let beginning = Copied::Beginning(4, "known".to_owned());
            assert_eq!(compare("a\nb\nc\n", "a\nb\n"), beginning);
            assert_eq!(compare("a\nb\nc\n", "a\nb"), beginning);
        }
        // The last line of the known one was cut.
        let beginning = Copied::Beginning(2, "known".to_owned());
        assert_eq!(compare("a\nbc\n", "a\nb"), beginning);
    }

    #[test]
    fn inputs_that_differ_are_no_copies() {
        for compare in [compare, compare_by_digest, compare_by_lines] {
            assert_eq!(compare("a\nb\n", "a\nc\n"), Copied::No);
            assert_eq!(compare("b\n", "a\n"), Copied::No);
        }
    }

    #[test]
    fn digest_does_not_depend_on_how_the_bytes_come() {
        let hash = RandomState::default();
        let bytes = vec![b'x'; BLOCK_BYTES * 2 + 1];
        let digest = |step| {
            let mut digester = Digester::new(&hash);
            for part in bytes.chunks(step) {
                io::Write::write_all(&mut digester, part).unwrap();
            }
            digester.finish()
        };
        assert_eq!(digest(7), digest(BLOCK_BYTES * 3));
    }

    #[test]
    fn kept_content_is_read_again_from_its_start() {
        let mut kept = Keeping::new(Box::new(&b"one two"[..]));
        kept.read_exact(&mut [0; 3]).unwrap();
        let again = io::read_to_string(kept.rewind().unwrap()).unwrap();
        assert_eq!(again, "one two");
    }
}
