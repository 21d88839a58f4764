//! Decompression. A compressed file is a sequence of frames, as rotation and parallel
//! compressors write them; their contents follow each other.

use std::io::{self, BufRead, BufReader, Read};

use super::buffered::{BufferedReader, PACKED_BLOCK_BYTES, peek};
use super::frames::{Frame, LegacyLz4, Lz4Frame, Lzip, ToTheEnd};
use super::lzw::LzwReader;
use super::{Reader, UnpackLimits};

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// As `bzip2` writes it.
    Bzip2,
    /// As `xz` writes it.
    Xz,
    /// Frames of LZ4, with or without an end mark.
    Lz4,
    /// As `lzip` writes it.
    Lzip,
    /// The older format of `lzma` and `xz --format=lzma`.
    Lzma,
    /// As `compress` writes it.
    Compress,
    /// Snappy's framing format.
    Snappy,
    /// RFC 7932.
    Brotli,
}

/// The content of compressed bytes, limited in size.
///
/// # Errors
///
/// When the first bytes cannot be read or are no valid header.
pub(super) fn unpack(
    packing: Packing,
    packed: Reader,
    limits: &UnpackLimits,
) -> io::Result<Reader> {
    let source = BufReader::with_capacity(PACKED_BLOCK_BYTES, packed);
    let frames = Frames {
        packing,
        max_window_bytes: limits.max_window_bytes,
        state: State::Between(source),
    };
    Ok(Box::new(Unpacking::new(
        packing.name(),
        frames,
        limits.max_unpacked_bytes,
    )))
}

impl Packing {
    /// Whether decompression takes longer than parsing the content, with parsers as fast as
    /// the built-in ones.
    #[must_use]
    pub fn is_slow(self) -> bool {
        !matches!(self, Self::Zstd | Self::Lz4 | Self::Snappy)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
            Self::Lzip => "lzip",
            Self::Lzma => "lzma",
            Self::Compress => "compress",
            Self::Snappy => "snappy",
            Self::Brotli => "brotli",
        }
    }

    /// What begins at a frame's first bytes, in a file that began as `self`.
    fn next(self, head: &[u8]) -> Option<NextFrame> {
        let is = |magic: &[u8]| head.starts_with(magic);
        match self {
            Self::Gzip => is(b"\x1f\x8b").then_some(NextFrame::Gzip),
            Self::Bzip2 => is(b"BZh").then_some(NextFrame::Bzip2),
            // The two share the signature of skippable frames.
            Self::Zstd | Self::Lz4 => match head {
                [0x28, 0xb5, 0x2f, 0xfd] => Some(NextFrame::Zstd),
                [0x04, 0x22, 0x4d, 0x18] => Some(NextFrame::Lz4),
                [0x02, 0x21, 0x4c, 0x18] => Some(NextFrame::Lz4Legacy),
                [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(NextFrame::Skippable),
                _ => None,
            },
            Self::Xz | Self::Lzip | Self::Lzma | Self::Compress | Self::Snappy | Self::Brotli => {
                Some(NextFrame::Rest)
            }
        }
    }
}

/// What is at the source's position between two frames.
#[derive(Debug, Clone, Copy)]
enum NextFrame {
    Gzip,
    Zstd,
    Bzip2,
    Lz4,
    Lz4Legacy,
    Skippable,
    /// Everything to the end, for decoders that find their frames themselves.
    Rest,
}

/// The contents of frames, one after the other.
struct Frames {
    packing: Packing,
    max_window_bytes: u64,
    state: State,
}

enum State {
    Between(BufferedReader),
    Within(Box<dyn Frame>),
    Ended,
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(source) => self.begin(source)?,
                State::Within(mut frame) => match frame.read(buffer)? {
                    0 if buffer.is_empty() => return Ok(0),
                    0 => frame.end().map_or(State::Ended, State::Between),
                    read => {
                        self.state = State::Within(frame);
                        return Ok(read);
                    }
                },
            };
        }
    }
}

impl Frames {
    /// Begins the next frame. Zeros after a frame are padding, as tapes and block devices
    /// add it.
    fn begin(&self, mut source: BufferedReader) -> io::Result<State> {
        skip_zeros(&mut source)?;
        let mut head = [0; 4];
        let len = peek(&mut source, &mut head)?;
        if len == 0 {
            return Ok(State::Ended);
        }
        let next = self.packing.next(&head[..len]).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "other data follows the compressed data",
            )
        })?;
        let frame: Box<dyn Frame> = match next {
            NextFrame::Gzip => Box::new(flate2::bufread::GzDecoder::new(source)),
            NextFrame::Bzip2 => Box::new(bzip2::bufread::BzDecoder::new(source)),
            NextFrame::Zstd => Box::new(self.zstd(source)?),
            NextFrame::Lz4 => Box::new(Lz4Frame::new(source)),
            NextFrame::Lz4Legacy => Box::new(LegacyLz4::new(source)?),
            NextFrame::Skippable => return skip_frame(source).map(State::Between),
            NextFrame::Rest => self.rest(source)?,
        };
        Ok(State::Within(frame))
    }

    fn zstd(&self, source: BufferedReader) -> io::Result<zstd::Decoder<'static, BufferedReader>> {
        let mut decoder = zstd::Decoder::with_buffer(source)?.single_frame();
        decoder.window_log_max(self.max_window_bytes.max(1).ilog2())?;
        Ok(decoder)
    }

    fn rest(&self, source: BufferedReader) -> io::Result<Box<dyn Frame>> {
        let memory_kib = u32::try_from(self.max_window_bytes >> 10).unwrap_or(u32::MAX);
        Ok(match self.packing {
            Packing::Xz => Box::new(ToTheEnd(lzma_rust2::XzReader::new_mem_limit(
                source, true, memory_kib,
            ))),
            Packing::Lzip => Box::new(Lzip::new(source, self.max_window_bytes)?),
            Packing::Lzma => Box::new(ToTheEnd(lzma_rust2::LzmaReader::new_mem_limit(
                source, memory_kib, None,
            )?)),
            Packing::Compress => Box::new(ToTheEnd(LzwReader::new(source)?)),
            Packing::Snappy => Box::new(ToTheEnd(snap::read::FrameDecoder::new(source))),
            _ => Box::new(ToTheEnd(brotli_decompressor::Decompressor::new(
                source,
                PACKED_BLOCK_BYTES,
            ))),
        })
    }
}

/// Passes over zeros.
pub(super) fn skip_zeros(source: &mut BufferedReader) -> io::Result<()> {
    loop {
        let bytes = source.fill_buf()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let is_all = zeros == bytes.len() && zeros > 0;
        source.consume(zeros);
        if !is_all {
            return Ok(());
        }
    }
}

/// Passes over a skippable frame: signature, length, content.
fn skip_frame(mut source: BufferedReader) -> io::Result<BufferedReader> {
    let mut header = [0; 8];
    source.read_exact(&mut header)?;
    let [.., a, b, c, d] = header;
    let len = u64::from(u32::from_le_bytes([a, b, c, d]));
    let skipped = io::copy(&mut source.by_ref().take(len), &mut io::sink())?;
    if skipped < len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(source)
}

/// A decoder whose errors name the format, and whose output is limited: a few kilobytes can
/// unpack to terabytes.
pub(super) struct Unpacking<R> {
    name: &'static str,
    decoder: R,
    left: u64,
    max_bytes: u64,
}

/// One read of a decoder. What it decoded before an error within a read may be lost, so
/// reads are short.
const STEP_BYTES: usize = 16 << 10;

impl<R> Unpacking<R> {
    /// UnpackLimits a decoder of the format `name` to `max_bytes`.
    pub(super) fn new(name: &'static str, decoder: R, max_bytes: u64) -> Self {
        Self {
            name,
            decoder,
            left: max_bytes,
            max_bytes,
        }
    }

    /// How many bytes may still come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let step = buffer.len().min(STEP_BYTES);
        let read = self
            .decoder
            .read(&mut buffer[..step])
            .map_err(|error| self.explain(&error))?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!(
                "it unpacks to more than {} GiB; --max-unpacked allows more",
                self.max_bytes >> 30
            ))
        })?;
        Ok(read)
    }
}

impl<R> Unpacking<R> {
    fn explain(&self, error: &io::Error) -> io::Error {
        let name = self.name;
        let text = error.to_string();
        let needs_memory = error.kind() == io::ErrorKind::OutOfMemory
            || text.contains("requires too much memory")
            || text.contains("mem_limit_kb");
        io::Error::new(
            error.kind(),
            if needs_memory {
                format!(
                    "the {name} data needs a larger window than is allowed; --max-window allows more"
                )
            } else {
                format!("the {name} data is damaged or cut off ({text})")
            },
        )
    }
}

#[cfg(test)]
mod tests;
