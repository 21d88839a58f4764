//! The text of a chunk's lines.

/// Finds lines of a chunk by number. Ascending numbers cost one pass over the bytes.
pub struct LineTexts<'a> {
    bytes: &'a [u8],
    line: u32,
    start: usize,
}

impl<'a> LineTexts<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            line: 0,
            start: 0,
        }
    }

    /// A line without its end. `line` counts from 0 in the chunk; past the last line the
    /// text is empty.
    pub fn text(&mut self, line: u32) -> &'a [u8] {
        if line < self.line {
            (self.line, self.start) = (0, 0);
        }
        while self.line < line {
            let Some(feed) = memchr::memchr(b'\n', &self.bytes[self.start..]) else {
                return b"";
            };
            self.start += feed + 1;
            self.line += 1;
        }
        let rest = &self.bytes[self.start..];
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_in_any_order() {
        let mut texts = LineTexts::new(b"one\r\n\nthree\nfour");
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
