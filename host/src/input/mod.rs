//! Inputs: log files, directories of them, and standard input.
//!
//! [`find`] turns what the user named into a list of inputs in a fixed order;
//! [`Chunks`] reads one of them in pieces of whole lines.

mod ahead;
mod archive;
mod chunks;
mod text;
mod unpack;
mod walk;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

pub use archive::{Member, Members, Unreadable};
pub use chunks::{Chunk, Chunks, MAX_LINE_BYTES};
pub use unpack::Packing;
pub use walk::{Found, Skipped, find};

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input, written `-`.
    Stdin,
}

/// The bytes of an input.
pub type Reader = Box<dyn Read + Send>;

/// What an input turned out to be.
pub enum Content {
    /// One log.
    One(Opened),
    /// An archive of them.
    Archive(Members),
}

/// An input being read, and what is known of it.
pub struct Opened {
    /// The bytes.
    pub reader: Reader,
    /// When the file was last written, in microseconds since 1970.
    pub modified_us: Option<i64>,
    /// How it is compressed, which makes reading cost as much as parsing.
    pub packing: Option<Packing>,
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

    /// Opens the input: an archive, or a log, which is unpacked where it is
    /// compressed and made UTF-8 where it is UTF-16, all by its first bytes.
    /// What unpacks to more than `max_unpacked_bytes` ends there with an error.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or its first bytes not be read.
    pub fn open(&self, max_unpacked_bytes: u64) -> std::io::Result<Content> {
        let opened = self.open_as_it_is()?;
        let (head, whole) = peek(opened.reader, 4)?;
        if let (true, Self::File(path)) = (archive::is_zip(&head), self) {
            let members = archive::zip(File::open(path)?, max_unpacked_bytes)?;
            return Ok(Content::Archive(members));
        }
        let (unpacked, packing) = unpack::unpack(whole, max_unpacked_bytes)?;
        let (head, whole) = peek(unpacked, 512)?;
        if archive::is_tar(&head) {
            return Ok(Content::Archive(archive::tar(whole)?));
        }
        Ok(Content::One(Opened {
            reader: text::utf8(whole)?,
            packing,
            ..opened
        }))
    }

    fn open_as_it_is(&self) -> std::io::Result<Opened> {
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
                    packing: None,
                })
            }
            Self::Stdin => Ok(Opened {
                reader: Box::new(std::io::stdin()),
                modified_us: None,
                packing: None,
            }),
        }
    }
}

impl Member {
    /// The member's content as a log: unpacked and in UTF-8, as
    /// [`Input::open`] does it. An archive in an archive is not entered.
    ///
    /// # Errors
    ///
    /// When its first bytes cannot be read.
    pub fn open(self, max_unpacked_bytes: u64) -> std::io::Result<Opened> {
        let (unpacked, packing) = unpack::unpack(self.opened.reader, max_unpacked_bytes)?;
        Ok(Opened {
            reader: text::utf8(unpacked)?,
            packing,
            ..self.opened
        })
    }
}

/// The first bytes of something to read, and all of it.
fn peek(mut reader: Reader, bytes: usize) -> std::io::Result<(Vec<u8>, Reader)> {
    let mut head = Vec::with_capacity(bytes);
    reader.by_ref().take(bytes as u64).read_to_end(&mut head)?;
    let whole = std::io::Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

/// Why bytes that begin like this are no text to parse, if they are not.
#[must_use]
pub fn not_text(head: &[u8]) -> Option<&'static str> {
    const MAGIC: [(usize, &[u8], &str); 10] = [
        (
            0,
            b"PK\x03\x04",
            "a zip archive in an archive or a pipe; unpack it first",
        ),
        (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
        (
            257,
            b"ustar",
            "a tar archive in an archive; unpack it first",
        ),
        (0, b"\0asm", "a WebAssembly file"),
        (0, b"ElfFile\0", "a Windows event log; export it as text"),
        (0, b"SQLite format 3\0", "an SQLite database"),
        (0, b"\x7fELF", "a program"),
        (0, b"\xd4\xc3\xb2\xa1", "captured packets (pcap)"),
        (0, b"\xa1\xb2\xc3\xd4", "captured packets (pcap)"),
        (0, b"\x0a\x0d\x0d\x0a", "captured packets (pcapng)"),
    ];
    MAGIC
        .iter()
        .find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
        .map(|(_, _, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_told_from_text() {
        let check = |head: &[u8], expected| assert_eq!(not_text(head), expected);
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        check(&tar, Some("a tar archive in an archive; unpack it first"));
        check(b"7z\xbc\xaf\x27\x1c", Some("a 7z archive; unpack it first"));
        check(b"1157689312.049   5006 10.0.0.1", None);
        check(b"", None);
    }
}
