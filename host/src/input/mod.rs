//! Inputs: log files, directories of them, and standard input.
//!
//! [`find`] turns what the user named into a list of inputs in a fixed order;
//! [`Chunks`] reads one of them in pieces of whole lines.

mod chunks;
mod walk;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

pub use chunks::{Chunk, Chunks, MAX_LINE_BYTES};
pub use walk::{Found, Skipped, find};

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input, written `-`.
    Stdin,
}

/// An input being read, and what is known of it.
pub struct Opened {
    /// The bytes.
    pub reader: Box<dyn Read + Send>,
    /// When the file was last written, in microseconds since 1970.
    pub modified_us: Option<i64>,
}

impl Input {
    /// The name for messages and outputs: the path as given, or `-`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::Stdin => "-".to_owned(),
        }
    }

    /// The file's name without directories; empty for standard input.
    #[must_use]
    pub fn file_name(&self) -> String {
        match self {
            Self::File(path) => path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            Self::Stdin => String::new(),
        }
    }

    /// Opens the input.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub fn open(&self) -> std::io::Result<Opened> {
        match self {
            Self::File(path) => {
                let file = File::open(path)?;
                let modified = file.metadata().and_then(|metadata| metadata.modified());
                let since_epoch = modified
                    .ok()
                    .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
                Ok(Opened {
                    modified_us: since_epoch.and_then(|t| i64::try_from(t.as_micros()).ok()),
                    reader: Box::new(file),
                })
            }
            Self::Stdin => Ok(Opened {
                reader: Box::new(std::io::stdin()),
                modified_us: None,
            }),
        }
    }
}

/// Why bytes that begin like this are no text to parse, if they are not:
/// compressed or an archive, by its magic number.
#[must_use]
pub fn not_text(head: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 7] = [
        (b"\x1f\x8b", "gzip data"),
        (b"\x28\xb5\x2f\xfd", "zstd data"),
        (b"BZh", "bzip2 data"),
        (b"\xfd7zXZ\0", "xz data"),
        (b"\x04\x22\x4d\x18", "lz4 data"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\0asm", "a WebAssembly file"),
    ];
    MAGIC
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_data_is_told_from_text() {
        let check = |head: &[u8], expected| assert_eq!(not_text(head), expected);
        check(b"\x1f\x8b\x08\0", Some("gzip data"));
        check(b"PK\x03\x04..", Some("a zip archive"));
        check(b"1157689312.049   5006 10.0.0.1", None);
        check(b"", None);
    }
}
