//! Archives. Their members are inputs, read one after the other on a separate thread;
//! nothing is extracted to disk.

pub(super) mod cpio;
mod rows;
pub(super) mod seven_zip;
mod sqlite;
pub(super) mod tar;
mod workbook;
pub(super) mod zip;

use std::fs::File;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::ahead::{Pump, pair};
use super::packing::Unpacking;
use super::{Opened, Reader, UnpackLimits, temporary};

/// A format of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// POSIX.1, GNU and old tar.
    Tar,
    /// PKWARE's zip.
    Zip,
    /// cpio in the "new" ASCII format.
    Cpio,
    /// 7-Zip's 7z.
    SevenZip,
    /// An SQLite database, whose tables are the members.
    Sqlite,
}

/// The members of an archive, in its order.
pub struct Members {
    members: Receiver<Result<Member, Unreadable>>,
    /// The thread that reads the archive, until it has ended.
    thread: Option<JoinHandle<()>>,
    /// How many archives this one is inside of.
    depth: u32,
}

/// A file in an archive.
pub struct Member {
    /// Its path in the archive.
    pub path: String,
    /// Its content, as it is in the archive.
    pub(super) opened: Opened,
    /// How many archives it is inside of.
    pub(super) depth: u32,
}

/// A member, or the rest of the archive, that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The member's path; empty for the archive.
    pub path: String,
    /// Why.
    pub error: io::Error,
}

/// Where an archive's bytes come from.
pub(super) enum Bytes {
    /// A regular file, in which can be sought.
    File(File),
    /// A pipe, or what a decoder gives.
    Stream(Reader),
}

impl Bytes {
    fn stream(self) -> Reader {
        match self {
            Self::File(file) => Box::new(file),
            Self::Stream(reader) => reader,
        }
    }

    /// A file to seek in: formats with their directory at the end are copied to a
    /// temporary file first if they come as a stream.
    fn file(self) -> io::Result<File> {
        let mut reader = match self {
            Self::File(file) => return Ok(file),
            Self::Stream(reader) => reader,
        };
        temporary::copied(&mut reader)
    }
}

/// Opens an archive that is inside of `depth` others.
///
/// # Errors
///
/// When it cannot be read at all, or no thread can be started.
pub(super) fn open(
    format: Format,
    bytes: Bytes,
    limits: &UnpackLimits,
    depth: u32,
) -> io::Result<Members> {
    let members = match format {
        Format::Tar => tar::members(bytes.stream(), limits)?,
        Format::Cpio => cpio::members(bytes.stream())?,
        Format::Zip => zip::members(bytes.file()?, limits)?,
        Format::SevenZip => seven_zip::members(bytes.file()?, limits)?,
        Format::Sqlite => sqlite::members(bytes.file()?, limits)?,
    };
    Ok(Members { depth, ..members })
}

impl Iterator for Members {
    type Item = Result<Member, Unreadable>;

    /// The next member, after the one before was read or dropped.
    fn next(&mut self) -> Option<Self::Item> {
        let failed = |error| {
            Err(Unreadable {
                path: String::new(),
                error,
            })
        };
        match self.members.recv() {
            Ok(Ok(member)) => Some(Ok(Member {
                depth: self.depth + 1,
                ..member
            })),
            Ok(unreadable) => Some(unreadable),
            Err(_) => {
                let panicked = self.thread.take()?.join().is_err();
                panicked.then(|| failed(io::Error::other("the reader of the archive failed")))
            }
        }
    }
}

/// Sends members to the one that reads them.
struct Sender(SyncSender<Result<Member, Unreadable>>);

impl Sender {
    /// Sends a member and its content. Returns false if no more members are wanted.
    fn send(&self, path: String, modified_us: Option<i64>, content: impl Read) -> bool {
        let (pump, ahead) = pair();
        let opened = Opened {
            reader: Box::new(ahead),
            modified_us,
            packing: None,
            is_rereadable: false,
        };
        let member = Member {
            path,
            opened,
            depth: 0,
        };
        let is_wanted = self.0.send(Ok(member)).is_ok();
        if is_wanted {
            Pump::run(pump, content);
        }
        is_wanted
    }

    /// Reports a member that cannot be read, or with an empty path the rest of the archive.
    fn fail(&self, path: String, error: io::Error) {
        // Fails only when the receiver has stopped reading.
        let _not_wanted = self.0.send(Err(Unreadable { path, error }));
    }

    fn fail_archive(&self, error: &dyn std::error::Error) {
        let text = format!("the archive is damaged or cut off ({error})");
        self.fail(String::new(), io::Error::other(text));
    }
}

/// Reads an archive on a separate thread.
fn start(read: impl FnOnce(&Sender) + Send + 'static) -> io::Result<Members> {
    let (sender, members) = sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("archive".into())
        .spawn(move || read(&Sender(sender)))?;
    Ok(Members {
        members,
        thread: Some(thread),
        depth: 0,
    })
}

/// Seconds since 1970 in microseconds; none where they are out of range.
fn microseconds(seconds: impl TryInto<i64>) -> Option<i64> {
    seconds.try_into().ok()?.checked_mul(1_000_000)
}

/// A member's name: UTF-8, or the Shift_JIS of Japanese Windows; none for other encodings.
fn decode_name(bytes: &[u8]) -> Option<String> {
    let shift_jis = || {
        let text =
            encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes);
        text.map(std::borrow::Cow::into_owned)
    };
    match str::from_utf8(bytes) {
        Ok(name) => Some(name.to_owned()),
        Err(_) => shift_jis(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_an_archive_is_read_is_reported() {
        let mut members = start(|members| {
            assert!(members.send("a.log".into(), None, io::empty()));
            panic!("a reader of archives has a bug");
        })
        .unwrap();
        let first = members.next().unwrap().unwrap();
        assert_eq!(io::read_to_string(first.opened.reader).unwrap(), "");
        let failure = members.next().unwrap().err().unwrap();
        assert_eq!(
            failure.error.to_string(),
            "the reader of the archive failed"
        );
        assert!(members.next().is_none());
    }

    #[test]
    fn names_are_utf_8_or_shift_jis() {
        assert_eq!(decode_name("ログ.log".as_bytes()).unwrap(), "ログ.log");
        assert_eq!(decode_name(b"\x83\x8d\x83\x4f.log").unwrap(), "ログ.log");
        assert_eq!(decode_name(b"\xff\xfe.log"), None);
    }
}
