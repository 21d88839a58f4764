//! Compressed bytes before a decoder.

use std::io::{self, BufRead, BufReader, Read};

use super::Reader;

/// The buffer of compressed bytes before a decoder.
pub(super) const PACKED_BLOCK_BYTES: usize = 256 << 10;

/// A source of compressed bytes.
pub(super) type BufferedReader = BufReader<Reader>;

/// Copies the next bytes without taking them, and returns how many there are.
///
/// A buffer that ends within them is refilled: `BufReader` cannot look past its end, so
/// they are put before the rest.
pub(super) fn peek(source: &mut BufferedReader, head: &mut [u8]) -> io::Result<usize> {
    let bytes = source.fill_buf()?;
    let len = bytes.len().min(head.len());
    head[..len].copy_from_slice(&bytes[..len]);
    if len == head.len() || len == 0 {
        return Ok(len);
    }
    source.consume(len);
    let mut whole = len;
    whole += super::ahead::read_full(source, &mut head[len..]).0;
    let rest = std::mem::replace(source, BufReader::new(Box::new(io::empty())));
    let pushed_back = io::Cursor::new(head[..whole].to_vec());
    *source = BufReader::with_capacity(PACKED_BLOCK_BYTES, Box::new(pushed_back.chain(rest)));
    Ok(whole)
}
