//! Text as UTF-8 with line feeds: UTF-16 and the older encodings of exported tables are
//! decoded, carriage returns that end lines become line feeds.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::{Reader, peek, without_pauses};

/// How much is inspected; an even number.
const HEAD_BYTES: usize = 8 << 10;

/// The text of `reader`. What needs no change costs nothing.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub(super) fn utf8(reader: Reader) -> io::Result<Reader> {
    let (head, whole) = peek(reader, HEAD_BYTES)?;
    let is_marked_utf8 = head.starts_with(b"\xef\xbb\xbf");
    let encoding = encoding_of(&head);
    if encoding.is_none() && !is_marked_utf8 {
        return line_feeds(skip_nul(&head, whole));
    }
    let decoder = DecodeReaderBytesBuilder::new()
        .encoding(encoding)
        .bom_override(true)
        .strip_bom(true)
        .build(without_pauses(whole));
    line_feeds(Box::new(decoder))
}

/// The encoding of text that is not UTF-8, if that is certain.
fn encoding_of(head: &[u8]) -> Option<&'static Encoding> {
    marked_utf16(head)
        .or_else(|| unmarked_utf16(head))
        .or_else(|| legacy(head))
}

/// UTF-16 with a byte order mark and text after it. Text has no NUL; binary data may begin
/// with any two bytes.
fn marked_utf16(head: &[u8]) -> Option<&'static Encoding> {
    let (mark, text) = head.split_at_checked(2)?;
    let has_nul = || text.chunks_exact(2).any(|unit| unit == b"\0\0");
    match mark {
        b"\xff\xfe" if !has_nul() => Some(UTF_16LE),
        b"\xfe\xff" if !has_nul() => Some(UTF_16BE),
        _ => None,
    }
}

/// UTF-16 without a mark: most of a table's characters are ASCII, so one byte of most pairs
/// is NUL and the other is not.
fn unmarked_utf16(head: &[u8]) -> Option<&'static Encoding> {
    const FEWEST_PAIRS: usize = 8;
    let pairs = head.as_chunks::<2>().0;
    let count = |is_unit: fn(&[u8; 2]) -> bool| pairs.iter().filter(|pair| is_unit(pair)).count();
    let little = count(|pair| pair[0] != 0 && pair[1] == 0);
    let big = count(|pair| pair[0] == 0 && pair[1] != 0);
    let is_most = |units: usize| units >= FEWEST_PAIRS && units * 4 >= pairs.len() * 3;
    if is_most(little) {
        Some(UTF_16LE)
    } else if is_most(big) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// The encoding of a table whose first line, the header, is neither ASCII nor UTF-8: that
/// of a Windows code page or EUC-JP.
///
/// Other files are left as they are. Stray bytes in a log must not change its encoding:
/// the second byte of a character of Shift_JIS may be a letter.
fn legacy(head: &[u8]) -> Option<&'static Encoding> {
    let header = head.split(|byte| *byte == b'\n').next()?;
    if header.is_ascii() || str::from_utf8(header).is_ok() || header.contains(&0) {
        return None;
    }
    // A character may be cut at the head's end.
    let whole_lines = head
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap_or(head.len());
    let text = &head[..whole_lines];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(text, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(text);
    decoded.map(|_| encoding)
}

/// Leaves out NULs at the beginning, which `copytruncate` of logrotate leaves there.
fn skip_nul(head: &[u8], whole: Reader) -> Reader {
    if head.first() == Some(&0) {
        Box::new(SkipNul {
            reader: whole,
            has_begun: false,
        })
    } else {
        whole
    }
}

struct SkipNul {
    reader: Reader,
    has_begun: bool,
}

impl Read for SkipNul {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let len = self.reader.read(buffer)?;
            if self.has_begun || len == 0 {
                return Ok(len);
            }
            if let Some(start) = buffer[..len].iter().position(|byte| *byte != 0) {
                self.has_begun = true;
                buffer.copy_within(start..len, 0);
                return Ok(len - start);
            }
        }
    }
}

/// Text whose lines end in carriage returns, all or many of them, gets line feeds.
fn line_feeds(reader: Reader) -> io::Result<Reader> {
    let (head, whole) = peek(reader, HEAD_BYTES)?;
    let feeds = memchr::memchr_iter(b'\n', &head).count();
    let returns = memchr::memchr_iter(b'\r', &head);
    let alone = returns.filter(|at| !matches!(head.get(at + 1), None | Some(b'\n' | b'\r')));
    let is_line_end = alone.count() * 4 > feeds;
    Ok(if is_line_end && head.contains(&b'\r') {
        Box::new(LineFeeds {
            reader: whole,
            after_return: false,
        })
    } else {
        whole
    })
}

/// Turns CR LF and lone CR into LF. The count of lines stays that of the file.
struct LineFeeds {
    reader: Reader,
    /// The last byte was a carriage return, which was passed on as a line feed.
    after_return: bool,
}

impl Read for LineFeeds {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let len = self.reader.read(buffer)?;
            let mut kept = 0;
            for at in 0..len {
                let byte = buffer[at];
                let ends_pair = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if !ends_pair {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
            }
            if kept > 0 || len == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        let mut read = String::new();
        let mut reader = utf8(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, expected);
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_decides_and_is_removed() {
        let text = "größe\r\n日本 😀\n";
        let marked = format!("\u{feff}{text}");
        check(text.as_bytes(), text);
        check(marked.as_bytes(), text);
        check(&utf16(&marked, u16::to_le_bytes), text);
        check(&utf16(&marked, u16::to_be_bytes), text);
        check(b"", "");
        check(b"x", "x");
    }

    #[test]
    fn utf_16_without_a_mark_is_recognised_by_its_nuls() {
        let text = "time,client,url\r\n2024-05-01,10.0.0.5,http://www.example.com/日本\r\n";
        check(&utf16(text, u16::to_le_bytes), text);
        check(&utf16(text, u16::to_be_bytes), text);
    }

    #[test]
    fn a_header_in_an_older_encoding_is_decoded() {
        let text = "日時,クライアント,ユーザー名,接続先のアドレス\n2024-05-01,10.0.0.5,山田,www.example.com\n";
        for encoding in [encoding_rs::SHIFT_JIS, encoding_rs::EUC_JP] {
            check(&encoding.encode(text).0, text);
        }
        let text = "Uhrzeit,Gerät,Größe,Übertragung,Maßnahme\n12:00,10.0.0.5,1,größer,gesperrt\n";
        check(&encoding_rs::WINDOWS_1252.encode(text).0, text);
    }

    #[test]
    fn binary_data_and_stray_bytes_are_left_as_they_are() {
        for bytes in [
            &b"\xe9\0\n"[..],
            b"\xff\xfea\0\0\0b\0\n",
            b"GET http://www.example.com/\n\x83user\n",
        ] {
            let mut read = Vec::new();
            let mut reader = utf8(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap();
            reader.read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes);
        }
    }

    #[test]
    fn carriage_returns_that_end_lines_become_line_feeds() {
        check(b"one\rtwo\rthree", "one\ntwo\nthree");
        check(
            b"one\rtwo\r\nthree\nfour\r\rsix\r",
            "one\ntwo\nthree\nfour\n\nsix\n",
        );
        check(b"one\r\ntwo\r\n", "one\r\ntwo\r\n");
        let progress = format!("10 %\r20 %\n{}", "a line\n".repeat(20));
        check(progress.as_bytes(), &progress);
    }

    #[test]
    fn nuls_at_the_beginning_are_left_out() {
        check(b"\0\0\0\0one\ntwo\0\n", "one\ntwo\0\n");
        check(&[0; 3 * HEAD_BYTES], "");
    }
}
