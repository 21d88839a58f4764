//! Decoders of one frame each, which return the source at the frame's end.

use std::io::{self, BufRead as _, Read};

use super::buffered::{BufferedReader, peek};

/// The content of one frame.
pub(super) trait Frame: Read + Send {
    /// The source after the frame; none if the decoder has read it to its end.
    fn end(self: Box<Self>) -> Option<BufferedReader>;
}

impl Frame for flate2::bufread::GzDecoder<BufferedReader> {
    fn end(self: Box<Self>) -> Option<BufferedReader> {
        Some(self.into_inner())
    }
}

impl Frame for bzip2::bufread::BzDecoder<BufferedReader> {
    fn end(self: Box<Self>) -> Option<BufferedReader> {
        Some(self.into_inner())
    }
}

impl Frame for zstd::Decoder<'static, BufferedReader> {
    fn end(self: Box<Self>) -> Option<BufferedReader> {
        Some(self.finish())
    }
}

/// A decoder that reads everything to the end of the source.
pub(super) struct ToTheEnd<R>(pub(super) R);

impl<R: Read> Read for ToTheEnd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read + Send> Frame for ToTheEnd<R> {
    fn end(self: Box<Self>) -> Option<BufferedReader> {
        None
    }
}

/// Members of lzip, and zeros after them. `LzipReader` takes zeros for a damaged member.
pub(super) struct Lzip(Option<lzma_rust2::LzipReader<BufferedReader>>);

impl Lzip {
    /// Decodes `source`, unless its first member needs a dictionary of more than `max_bytes`.
    pub(super) fn new(mut source: BufferedReader, max_bytes: u64) -> io::Result<Self> {
        let mut header = [0; 6];
        peek(&mut source, &mut header)?;
        if dictionary_bytes(header[5]) > max_bytes {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        Ok(Self(Some(lzma_rust2::LzipReader::new(source))))
    }
}

/// The size of a dictionary: a power of two, less some sixteenths of it
/// (<https://www.nongnu.org/lzip/manual/lzip_manual.html#File-format>).
fn dictionary_bytes(code: u8) -> u64 {
    let base = 1_u64 << (code & 0x1f);
    base - base / 16 * u64::from(code >> 5)
}

impl Read for Lzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(reader) = &mut self.0 else {
            return Ok(0);
        };
        let read = reader.read(buffer);
        // These are errors of a header, so that the members before it are whole.
        let is_at_header = |error: &io::Error| {
            let text = error.to_string();
            text.contains("LZIP magic") || text.contains("LZIP member header")
        };
        if !read.as_ref().is_err_and(is_at_header) {
            return read;
        }
        let Some((mut rest, padding)) = self.0.take().map(lzma_rust2::LzipReader::into_parts)
        else {
            return read;
        };
        super::packing::skip_zeros(&mut rest)?;
        let is_padding = padding.iter().all(|byte| *byte == 0) && rest.fill_buf()?.is_empty();
        if is_padding { Ok(0) } else { read }
    }
}

impl Frame for Lzip {
    fn end(self: Box<Self>) -> Option<BufferedReader> {
        None
    }
}

/// A frame of LZ4. `lz4_flex` takes a source that ends between two blocks for the end of
/// the frame; here that is an error.
pub(super) struct Lz4Frame(lz4_flex::frame::FrameDecoder<EndWatch>);

impl Lz4Frame {
    pub(super) fn new(source: BufferedReader) -> Self {
        Self(lz4_flex::frame::FrameDecoder::new(EndWatch {
            source,
            has_ended: false,
        }))
    }
}

impl Read for Lz4Frame {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        // A whole frame ends with its own mark, before the source does.
        if read == 0 && self.0.get_ref().has_ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(read)
    }
}

impl Frame for Lz4Frame {
    fn end(self: Box<Self>) -> Option<BufferedReader> {
        Some(self.0.into_inner().source)
    }
}

/// Notices when a read reached the end of the source.
struct EndWatch {
    source: BufferedReader,
    has_ended: bool,
}

impl Read for EndWatch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.has_ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

/// A legacy frame of LZ4, as `lz4 -l` and the Linux kernel's tools write it: blocks that
/// unpack to 8 MiB, each after its length. It has no end mark: it ends with the source or
/// before another frame's signature
/// (<https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md#legacy-frame>).
pub(super) struct LegacyLz4 {
    source: BufferedReader,
    block: Vec<u8>,
    at: usize,
}

const LEGACY_BLOCK_BYTES: usize = 8 << 20;

impl LegacyLz4 {
    /// A frame of which the source has the signature next.
    pub(super) fn new(mut source: BufferedReader) -> io::Result<Self> {
        source.read_exact(&mut [0; 4])?;
        Ok(Self {
            source,
            block: Vec::new(),
            at: 0,
        })
    }

    /// Decodes the next block; false at the end of the frame.
    fn next_block(&mut self) -> io::Result<bool> {
        let mut len = [0; 4];
        if peek(&mut self.source, &mut len)? == 0 || is_signature(len) {
            return Ok(false);
        }
        self.source.read_exact(&mut len)?;
        let len = u32::from_le_bytes(len) as usize;
        let longest = lz4_flex::block::get_maximum_output_size(LEGACY_BLOCK_BYTES);
        if len > longest {
            return Err(io::Error::other("a block is too long"));
        }
        let mut packed = vec![0; len];
        self.source.read_exact(&mut packed)?;
        self.block.resize(LEGACY_BLOCK_BYTES, 0);
        let unpacked =
            lz4_flex::block::decompress_into(&packed, &mut self.block).map_err(io::Error::other)?;
        self.block.truncate(unpacked);
        self.at = 0;
        Ok(true)
    }
}

/// Longer than any block: the signature of another frame.
fn is_signature(len: [u8; 4]) -> bool {
    matches!(len, [0x04, 0x22, 0x4d, 0x18] | [0x02, 0x21, 0x4c, 0x18])
        || matches!(len, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

impl Read for LegacyLz4 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let len = buffer.len().min(self.block.len() - self.at);
        buffer[..len].copy_from_slice(&self.block[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

impl Frame for LegacyLz4 {
    fn end(self: Box<Self>) -> Option<BufferedReader> {
        Some(self.source)
    }
}
