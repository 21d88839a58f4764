//! The LZW of `compress` (`.Z`), which differs from that of GIF and TIFF: codes are written
//! in groups of eight of one width, and the width changes only between groups.
//!
//! Format: <https://github.com/vapier/ncompress/blob/main/compress42.c>. After the signature
//! comes a byte with the largest width (bits 0 to 4) and the block mode (bit 7), in which
//! code 256 clears the table.
//!
//! ```text
//! codes of 9 bits, least significant bit first, eight codes in nine bytes:
//! byte 0  aaaaaaaa   byte 1  bbbbbbba   byte 2  ccccccbb   …
//! ```

use std::io::{self, Read};

const MIN_WIDTH: u32 = 9;
const MAX_WIDTH: u32 = 16;
const CLEAR: usize = 256;
const CODES_PER_GROUP: usize = 8;

/// Decodes what `compress` wrote.
pub(super) struct LzwReader<R> {
    source: R,
    max_width: u32,
    has_clear: bool,
    /// For each code its last byte and the code of what comes before.
    suffixes: Vec<u8>,
    prefixes: Vec<u16>,
    width: u32,
    previous: Option<usize>,
    /// The first byte of the previous code's text.
    first: u8,
    /// Codes of the current group, last first.
    codes: Vec<usize>,
    /// Decoded bytes, last first.
    stack: Vec<u8>,
}

impl<R: Read> LzwReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// When the source cannot be read, or the largest width is not between 9 and 16.
    pub(super) fn new(mut source: R) -> io::Result<Self> {
        let mut header = [0; 3];
        source.read_exact(&mut header)?;
        let max_width = u32::from(header[2] & 0x1f);
        if !(MIN_WIDTH..=MAX_WIDTH).contains(&max_width) {
            return Err(invalid("an unknown code width"));
        }
        let has_clear = header[2] & 0x80 != 0;
        let mut reader = Self {
            source,
            max_width,
            has_clear,
            suffixes: (0..=255).collect(),
            prefixes: vec![0; 256],
            width: MIN_WIDTH,
            previous: None,
            first: 0,
            codes: Vec::new(),
            stack: Vec::new(),
        };
        reader.clear();
        Ok(reader)
    }

    fn clear(&mut self) {
        let len = 256 + usize::from(self.has_clear);
        self.suffixes.resize(len, 0);
        self.prefixes.resize(len, 0);
        self.suffixes.truncate(len);
        self.prefixes.truncate(len);
        self.width = MIN_WIDTH;
        self.previous = None;
    }

    /// Reads a group of codes; false at the end.
    fn next_group(&mut self) -> io::Result<bool> {
        let mut bytes = [0; MAX_WIDTH as usize];
        let group = &mut bytes[..self.width as usize];
        let (len, failure) = super::ahead::read_full(&mut self.source, group);
        if let Some(error) = failure {
            return Err(error);
        }
        let code_count = (len * 8 / self.width as usize).min(CODES_PER_GROUP);
        let bits = u128::from_le_bytes(bytes);
        let mask = (1 << self.width) - 1;
        let code = |at: usize| (bits >> (at * self.width as usize)) as usize & mask;
        self.codes.clear();
        self.codes.extend((0..code_count).rev().map(code));
        Ok(code_count > 0)
    }

    /// Decodes one code onto the stack.
    fn decode(&mut self, code: usize) -> io::Result<()> {
        if self.has_clear && code == CLEAR {
            self.clear();
            self.codes.clear();
            return Ok(());
        }
        let next = self.suffixes.len();
        let known = match self.previous {
            None if code > 255 => return Err(invalid("a code before its text")),
            // The text of a code that is only now being defined ends as it begins.
            Some(previous) if code == next => {
                self.stack.push(self.first);
                previous
            }
            _ if code >= next => return Err(invalid("an unknown code")),
            _ => code,
        };
        self.unwind(known);
        if let Some(previous) = self.previous
            && next < 1 << self.max_width
        {
            self.suffixes.push(self.first);
            self.prefixes.push(previous as u16);
            self.widen();
        }
        self.previous = Some(code);
        Ok(())
    }

    /// Pushes a code's text, last byte first.
    fn unwind(&mut self, mut code: usize) {
        while code > 255 {
            self.stack.push(self.suffixes[code]);
            code = usize::from(self.prefixes[code]);
        }
        self.first = code as u8;
        self.stack.push(self.first);
    }

    /// Takes the next width when the table is full for this one. The rest of the group is
    /// padding.
    fn widen(&mut self) {
        if self.suffixes.len() >= 1 << self.width && self.width < self.max_width {
            self.width += 1;
            self.codes.clear();
        }
    }
}

impl<R: Read> Read for LzwReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut len = 0;
        while len < buffer.len() {
            if let Some(byte) = self.stack.pop() {
                buffer[len] = byte;
                len += 1;
            } else if let Some(code) = self.codes.pop() {
                self.decode(code)?;
            } else if !self.next_group()? {
                break;
            }
        }
        Ok(len)
    }
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_nine_bits_are_read_least_significant_bit_first() {
        // `printf aaa | compress`: the codes 97 and 257, in block mode with 16 bits.
        let packed = [0x1f, 0x9d, 0x90, 0x61, 0x02, 0x02];
        let mut text = String::new();
        let mut reader = LzwReader::new(&packed[..]).unwrap();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "aaa");
    }

    #[test]
    fn an_unknown_code_is_an_error() {
        let packed = [0x1f, 0x9d, 0x90, 0x61, 0xfe, 0x03];
        let mut reader = LzwReader::new(&packed[..]).unwrap();
        assert!(reader.read_to_end(&mut Vec::new()).is_err());
        assert!(LzwReader::new(&[0x1f, 0x9d, 0x88][..]).is_err());
    }
}
