//! Lines that the chosen parser rejected are offered to the others.
//!
//! A syslog file holds the lines of many devices. Each rejected line is offered to the parser
//! that is most confident of the rejected lines, what that one rejects to the next, and finally
//! to the one that finds indicators in any text.

use super::choice::{Choice, is_last_resort, rank};
use super::lines::ChunkText;
use crate::plugin::{Batch, InputInfo, Parser, ParserSession, Reading};

/// The sessions of a worker for the lines that an input's parser rejects.
pub(super) struct SecondChance {
    /// The number of the input.
    pub(super) input: u32,
    sessions: Vec<(String, ParserSession)>,
}

/// The records that a parser found in rejected lines.
pub(super) struct Taken {
    /// The parser's name.
    pub(super) parser: String,
    /// Lines that gave observations.
    pub(super) records: u64,
}

/// A parser is shown this much of the rejected lines.
const HEAD_BYTES: usize = 64 << 10;

impl SecondChance {
    pub(super) fn new(input: u32) -> Self {
        Self {
            input,
            sessions: Vec::new(),
        }
    }

    /// Ends the sessions.
    pub(super) fn close(self) {
        for (_, session) in self.sessions {
            session.close();
        }
    }

    /// Offers rejected lines that begin with padding to their own parser again, without it.
    pub(super) fn offer_without_padding(
        &mut self,
        text: ChunkText<'_>,
        batch: &mut Batch,
        info: &InputInfo,
        own: &Parser,
    ) {
        let rejected = batch.rejected_lines().unwrap_or_default();
        let bytes = text_of(text.bytes(), &rejected);
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').zip(rejected);
        let padded: Vec<(&[u8], u32)> = lines
            .map(|(line, number)| (without_padding(line), number, line.len()))
            .filter(|(line, _, len)| line.len() < *len && line.len() > 1)
            .map(|(line, number, _)| (line, number))
            .collect();
        if padded.is_empty() {
            return;
        }
        let bytes: Vec<u8> = padded.iter().flat_map(|(line, _)| line.to_vec()).collect();
        let numbers: Vec<u32> = padded.iter().map(|(_, number)| *number).collect();
        if let Some(given) = self.parse(own, info, &bytes, numbers.len() as u64) {
            batch.absorb(text.bytes(), &given, &bytes, &numbers, true);
        }
    }

    /// Offers the rejected lines of `batch` to `others`, and adds what they give. Returns
    /// which took how many.
    pub(super) fn offer(
        &mut self,
        text: ChunkText<'_>,
        batch: &mut Batch,
        info: &InputInfo,
        mut others: Vec<Parser>,
    ) -> Vec<Taken> {
        let mut taken = Vec::new();
        let mut lines = batch.rejected_lines().unwrap_or_default();
        while !lines.is_empty() && !others.is_empty() {
            let bytes = text_of(text.bytes(), &lines);
            let info = InputInfo {
                head: bytes[..bytes.len().min(HEAD_BYTES)].to_vec(),
                ..info.clone()
            };
            let Some(parser) = next(&mut others, &info) else {
                break;
            };
            let Some(given) = self.parse(&parser, &info, &bytes, lines.len() as u64) else {
                continue;
            };
            let takes_ignored = !is_last_resort(&parser);
            lines = batch.absorb(text.bytes(), &given, &bytes, &lines, takes_ignored);
            if given.records > 0 {
                taken.push(Taken {
                    parser: parser.id().name.clone(),
                    records: given.records,
                });
            }
        }
        taken
    }

    /// What a parser gives for the lines; nothing where it fails or needs whole documents.
    fn parse(
        &mut self,
        parser: &Parser,
        info: &InputInfo,
        bytes: &[u8],
        lines: u64,
    ) -> Option<Batch> {
        let name = &parser.id().name;
        let known = self.sessions.iter().position(|(known, _)| known == name);
        let index = match known {
            Some(index) => index,
            None => {
                let session = parser.open(info).ok()?;
                self.sessions.push((name.clone(), session));
                self.sessions.len() - 1
            }
        };
        let (_, session) = self.sessions.get_mut(index)?;
        let is_lines = session.reading() != Reading::WholeDocument;
        let given = is_lines.then(|| session.parse(bytes, lines).ok()).flatten();
        if given.is_none() {
            self.sessions.remove(index);
        }
        given
    }
}

/// A line without NULs at its beginning, which a power cut or `copytruncate` leaves, and
/// without the byte order mark of a file that was appended to another.
fn without_padding(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|byte| *byte != 0).unwrap_or(0);
    let line = &line[start..];
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// Removes the parser that is most confident of the lines; the last resort comes last.
fn next(others: &mut Vec<Parser>, info: &InputInfo) -> Option<Parser> {
    let ranked = rank(others, info).ok()?;
    let is_specific = |choice: &&Choice| {
        !is_last_resort(&choice.parser) && choice.confidence >= Some(MIN_CONFIDENCE)
    };
    let specific = ranked.iter().find(is_specific);
    let chosen =
        specific.or_else(|| ranked.iter().find(|choice| is_last_resort(&choice.parser)))?;
    let name = chosen.parser.id().name.clone();
    let index = others.iter().position(|parser| parser.id().name == name)?;
    Some(others.remove(index))
}

/// A parser with less confidence is not offered the lines: it may accept any line.
const MIN_CONFIDENCE: u8 = 5;

/// The lines of `bytes` with these numbers, each with a line feed.
fn text_of(bytes: &[u8], lines: &[u32]) -> Vec<u8> {
    let mut wanted = lines.iter().copied().peekable();
    let mut text = Vec::new();
    let (mut start, mut line) = (0, 0_u32);
    while let (Some(next), true) = (wanted.peek(), start < bytes.len()) {
        let rest = &bytes[start..];
        let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        if *next == line {
            text.extend_from_slice(&rest[..len]);
            text.push(b'\n');
            wanted.next();
        }
        start += len + 1;
        line += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_before_a_line_is_nul_or_a_byte_order_mark() {
        assert_eq!(without_padding(b"\0\0line\n"), b"line\n");
        assert_eq!(without_padding(b"\xef\xbb\xbfline\n"), b"line\n");
        assert_eq!(without_padding(b"li\0ne\n"), b"li\0ne\n");
    }

    #[test]
    fn rejected_lines_are_copied_in_their_order() {
        assert_eq!(text_of(b"one\ntwo\n\nfour", &[1, 2, 3]), b"two\n\nfour\n");
        assert_eq!(text_of(b"one\n", &[]), b"");
    }
}
