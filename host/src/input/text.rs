//! Text in other encodings than UTF-8, known by the mark that it begins with.

use std::io;

use encoding_rs_io::DecodeReaderBytesBuilder;

use super::{Reader, peek};

/// Text without a byte order mark; UTF-16, as Windows writes it, becomes UTF-8.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub(super) fn utf8(reader: Reader) -> io::Result<Reader> {
    let (head, whole) = peek(reader, HEAD_BYTES)?;
    if !head.starts_with(b"\xef\xbb\xbf") && !is_utf16(&head) {
        return Ok(whole);
    }
    let decoder = DecodeReaderBytesBuilder::new()
        .bom_override(true)
        .strip_bom(true)
        .build(whole);
    Ok(Box::new(decoder))
}

/// What is looked at; an even number.
const HEAD_BYTES: usize = 256;

/// Whether the mark of UTF-16 is there, and text behind it: text has no NUL, and
/// noise may begin with any two bytes.
fn is_utf16(head: &[u8]) -> bool {
    let (mark, text) = head.split_at(head.len().min(2));
    let is_marked = matches!(mark, b"\xff\xfe" | b"\xfe\xff");
    is_marked && !text.chunks_exact(2).any(|unit| unit == b"\0\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        let mut read = String::new();
        let mut reader = utf8(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap();
        io::Read::read_to_string(&mut reader, &mut read).unwrap();
        assert_eq!(read, expected);
    }

    #[test]
    fn marks_say_what_the_text_is() {
        let text = "größe\r\n日本 😀\n";
        let utf16 = |to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(to_bytes).collect()
        };
        check(text.as_bytes(), text);
        check(format!("\u{feff}{text}").as_bytes(), text);
        check(&utf16(u16::to_le_bytes), text);
        check(&utf16(u16::to_be_bytes), text);
        check(b"", "");
        check(b"x", "x");
    }

    #[test]
    fn what_is_not_marked_or_no_text_stays_as_it_is() {
        for bytes in [&b"\xe9\0\n"[..], b"\xff\xfea\0\0\0b\0\n"] {
            let mut read = Vec::new();
            let mut reader = utf8(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap();
            io::Read::read_to_end(&mut reader, &mut read).unwrap();
            assert_eq!(read, bytes);
        }
    }
}
