//! Compressed inputs, known by their content.

use std::io::{self, BufReader, Read};

use super::{Reader, peek};

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
    /// Frames of LZ4.
    Lz4,
}

/// Reading ahead of the decoder.
const PACKED_BLOCK_BYTES: usize = 256 << 10;

/// The content of something that is compressed, and how it was; what is not, as it
/// is. Where several compressed streams follow each other, as rotation and parallel
/// compressors write them, the contents follow each other.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub(super) fn unpack(
    reader: Reader,
    max_unpacked_bytes: u64,
) -> io::Result<(Reader, Option<Packing>)> {
    let (head, whole) = peek(reader, 8)?;
    let Some(packing) = Packing::of(&head) else {
        return Ok((whole, None));
    };
    let decoder = packing.decoder(whole)?;
    let unpacking = Unpacking::new(packing.name(), decoder, max_unpacked_bytes);
    Ok((Box::new(unpacking), Some(packing)))
}

impl Packing {
    /// Whether unpacking takes longer than parsing what comes out, with parsers
    /// as fast as the built-in ones.
    #[must_use]
    pub fn is_slow(self) -> bool {
        match self {
            Self::Gzip | Self::Bzip2 | Self::Xz => true,
            Self::Zstd | Self::Lz4 => false,
        }
    }

    fn of(head: &[u8]) -> Option<Self> {
        const MAGIC: [(&[u8], Packing); 5] = [
            (b"\x1f\x8b", Packing::Gzip),
            (b"\x28\xb5\x2f\xfd", Packing::Zstd),
            (b"BZh", Packing::Bzip2),
            (b"\xfd7zXZ\0", Packing::Xz),
            (b"\x04\x22\x4d\x18", Packing::Lz4),
        ];
        let known = MAGIC.iter().find(|(magic, _)| head.starts_with(magic));
        known.map(|(_, packing)| *packing)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
        }
    }

    fn decoder(self, packed: Reader) -> io::Result<Reader> {
        let packed = BufReader::with_capacity(PACKED_BLOCK_BYTES, packed);
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new(packed, true)),
            Self::Lz4 => Box::new(Lz4Frames(lz4_flex::frame::FrameDecoder::new(packed))),
        })
    }
}

/// The decoder says "nothing more" after each frame, and begins the next frame
/// when it is asked again.
struct Lz4Frames(lz4_flex::frame::FrameDecoder<BufReader<Reader>>);

impl Read for Lz4Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => self.0.read(buffer),
            read => Ok(read),
        }
    }
}

/// A decoder that says what is wrong, and that does not go on for ever: a few
/// kilobytes can unpack to terabytes.
pub(super) struct Unpacking<R> {
    name: &'static str,
    decoder: R,
    left: u64,
    max_bytes: u64,
}

impl<R> Unpacking<R> {
    /// A decoder of the data that `name` names.
    pub(super) fn new(name: &'static str, decoder: R, max_bytes: u64) -> Self {
        Self {
            name,
            decoder,
            left: max_bytes,
            max_bytes,
        }
    }

    /// How much more may come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer).map_err(|error| {
            let name = self.name;
            io::Error::new(
                error.kind(),
                format!("the {name} data is damaged or cut off ({error})"),
            )
        })?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!(
                "it unpacks to more than {} GiB; --max-unpacked allows more",
                self.max_bytes >> 30
            ))
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const MANY: u64 = 1 << 40;

    fn read(bytes: &[u8], max_unpacked_bytes: u64) -> (Vec<u8>, Option<String>) {
        let mut read = Vec::new();
        let (mut reader, _) = unpack(
            Box::new(io::Cursor::new(bytes.to_vec())),
            max_unpacked_bytes,
        )
        .unwrap();
        let result = reader.read_to_end(&mut read);
        (read, result.err().map(|error| error.to_string()))
    }

    fn text() -> Vec<u8> {
        (0..60_000)
            .flat_map(|line| format!("line {line} of the log\n").into_bytes())
            .collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn all(bytes: &[u8]) -> [(&'static str, Vec<u8>); 5] {
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(bytes).unwrap();
        let mut xz =
            lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
        xz.write_all(bytes).unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(bytes).unwrap();
        [
            ("gzip", gzip(bytes)),
            ("zstd", zstd::encode_all(bytes, 1).unwrap()),
            ("bzip2", bzip2.finish().unwrap()),
            ("xz", xz.finish().unwrap()),
            ("lz4", lz4.finish().unwrap()),
        ]
    }

    #[test]
    fn the_content_comes_out_of_one_stream_and_of_several() {
        let text = text();
        let (first, second) = text.split_at(text.len() / 3);
        for ((name, one), (_, rest)) in all(first).into_iter().zip(all(second)) {
            assert_eq!(read(&one, MANY), (first.to_vec(), None), "{name}");
            let both = [one, rest].concat();
            let (unpacked, error) = read(&both, MANY);
            assert!(unpacked == text && error.is_none(), "{name} {error:?}");
        }
        assert_eq!(read(&text, 1), (text.clone(), None));
        assert_eq!(read(b"", 0), (Vec::new(), None));
    }

    #[test]
    fn what_is_cut_off_gives_what_it_holds_and_an_error() {
        let text = text();
        for (name, packed) in all(&text) {
            let (unpacked, error) = read(&packed[..packed.len() * 3 / 4], MANY);
            assert!(text.starts_with(&unpacked), "{name}");
            let expected = format!("the {name} data is damaged or cut off");
            assert!(error.unwrap().starts_with(&expected), "{name}");
        }
        let (unpacked, _) = read(&gzip(&text)[..20_000], MANY);
        assert!(unpacked.len() > 10_000);
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let packed = gzip(&vec![b'x'; 3 << 20]);
        let (unpacked, error) = read(&packed, 1 << 20);
        assert!(unpacked.len() <= 1 << 20);
        assert_eq!(
            error.unwrap(),
            "it unpacks to more than 0 GiB; --max-unpacked allows more"
        );
    }
}
