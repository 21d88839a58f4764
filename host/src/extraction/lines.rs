//! The parsed lines of a chunk, and their positions in the input.

use crate::envelope::Unwrapped;
use crate::input::Chunk;

/// The lines of a chunk for a parser: the lines themselves, or those inside envelopes.
#[derive(Clone, Copy)]
pub struct ChunkText<'a> {
    /// The chunk as the input has it.
    pub chunk: &'a Chunk,
    /// The lines without their envelopes, if they have any.
    pub unwrapped: Option<&'a Unwrapped>,
}

impl<'a> ChunkText<'a> {
    /// The bytes to parse.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        match self.unwrapped {
            Some(unwrapped) => unwrapped.bytes(),
            None => &self.chunk.bytes,
        }
    }

    /// The number of lines to parse.
    #[must_use]
    pub fn lines(&self) -> u64 {
        match self.unwrapped {
            Some(unwrapped) => unwrapped.origins().len() as u64,
            None => self.chunk.lines,
        }
    }

    /// The line of the input, from 0, that a parsed line comes from. `line` counts from 0.
    #[must_use]
    pub fn input_line(&self, line: u32) -> u64 {
        let of_chunk = match self.unwrapped {
            Some(unwrapped) => unwrapped
                .origins()
                .get(line as usize)
                .map(|origin| origin.line),
            None => Some(line),
        };
        self.chunk.first_line + u64::from(of_chunk.unwrap_or(line))
    }

    /// The time of a line's envelope, in microseconds since 1970.
    #[must_use]
    pub fn time_us(&self, line: u32) -> Option<i64> {
        self.unwrapped?.origins().get(line as usize)?.time_us
    }

    /// The text of parsed lines as the input has them.
    #[must_use]
    pub fn texts(&self) -> LineTexts<'a> {
        LineTexts {
            text: *self,
            line: 0,
            start: 0,
        }
    }
}

/// Finds lines by number. Ascending numbers cost one pass over the bytes.
pub struct LineTexts<'a> {
    text: ChunkText<'a>,
    line: u32,
    start: usize,
}

impl<'a> LineTexts<'a> {
    /// The text of a parsed line in the input, with its envelope and without its end.
    /// `line` counts from 0; past the last line the text is empty.
    pub fn text(&mut self, line: u32) -> &'a [u8] {
        let bytes = &self.text.chunk.bytes;
        if let Some(unwrapped) = self.text.unwrapped {
            let origin = unwrapped.origins().get(line as usize);
            let bytes = origin.and_then(|it| bytes.get(it.start as usize..it.end as usize));
            return bytes.unwrap_or_default();
        }
        if line < self.line {
            (self.line, self.start) = (0, 0);
        }
        while self.line < line {
            let Some(feed) = memchr::memchr(b'\n', &bytes[self.start..]) else {
                return b"";
            };
            self.start += feed + 1;
            self.line += 1;
        }
        let rest = &bytes[self.start..];
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_in_any_order() {
        let chunk = Chunk {
            bytes: b"one\r\n\nthree\nfour".to_vec(),
            ..Chunk::default()
        };
        let text = ChunkText {
            chunk: &chunk,
            unwrapped: None,
        };
        let mut texts = text.texts();
        for (line, expected) in [
            (0, "one"),
            (2, "three"),
            (3, "four"),
            (1, ""),
            (3, "four"),
            (9, ""),
        ] {
            assert_eq!(texts.text(line), expected.as_bytes(), "{line}");
        }
    }
}
