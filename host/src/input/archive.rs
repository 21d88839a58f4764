//! Archives: their members are inputs of their own. Read on a thread of its own,
//! one member after the other; nothing is written to disk.

use std::fs::File;
use std::io::{self, BufReader};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::ahead::{Pump, pair};
use super::unpack::Unpacking;
use super::{Opened, Reader};

/// The members of an archive, in its order.
pub struct Members {
    found: Receiver<Result<Member, Unreadable>>,
    /// Until it has ended.
    thread: Option<JoinHandle<()>>,
}

/// A file in an archive.
pub struct Member {
    /// Its path in the archive.
    pub path: String,
    /// Its content, as it is in the archive.
    pub opened: Opened,
}

/// A member, or the rest of the archive, that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The member's path; empty for the archive.
    pub path: String,
    /// Why.
    pub error: io::Error,
}

impl Iterator for Members {
    type Item = Result<Member, Unreadable>;

    /// The next member, once the one before is read or dropped.
    fn next(&mut self) -> Option<Self::Item> {
        self.found.recv().ok().or_else(|| {
            let failure = self.thread.take()?.join().err();
            failure.map(|_| {
                Err(Unreadable {
                    path: String::new(),
                    error: io::Error::other("what reads the archive has failed"),
                })
            })
        })
    }
}

/// Whether bytes that begin like this are a tar archive (POSIX.1 `ustar`).
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// Whether bytes that begin like this are a zip archive.
pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// The members of a tar archive.
///
/// # Errors
///
/// When there can be no thread.
pub(super) fn tar(archive: Reader) -> io::Result<Members> {
    start(move |members| {
        let mut archive = tar::Archive::new(archive);
        let ended = archive
            .entries()
            .and_then(|mut entries| entries.try_for_each(|entry| send_tar(entry?, members)));
        if let Err(error) = ended
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            let error = io::Error::other(format!("the archive is damaged or cut off ({error})"));
            members.failed(String::new(), error);
        }
    })
}

fn send_tar(mut entry: tar::Entry<'_, Reader>, members: &Sender) -> io::Result<()> {
    // Directories and links have no content.
    if !entry.header().entry_type().is_file() {
        return Ok(());
    }
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let modified_s = entry.header().mtime().ok();
    let pump = members
        .begin(path, modified_s)
        .ok_or(io::ErrorKind::BrokenPipe)?;
    pump.run(&mut entry);
    Ok(())
}

/// The members of a zip archive, which together unpack to `max_bytes` at most.
///
/// # Errors
///
/// When it is none, or there can be no thread.
pub(super) fn zip(file: File, max_bytes: u64) -> io::Result<Members> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(io::Error::other)?;
    start(move |members| {
        let mut left = max_bytes;
        for index in 0..archive.len() {
            let path = match archive.name_for_index(index) {
                Some(Ok(path)) => path.into_owned(),
                _ => format!("member {}", index + 1),
            };
            let member = match archive.by_index(index) {
                Ok(member) => member,
                Err(error) => {
                    members.failed(path, io::Error::other(error));
                    continue;
                }
            };
            if !member.is_file() {
                continue;
            }
            let Some(pump) = members.begin(path, None) else {
                return;
            };
            let mut unpacking = Unpacking::new("zip", member, left);
            pump.run(&mut unpacking);
            left = unpacking.left();
        }
    })
}

/// Where the members go.
struct Sender(SyncSender<Result<Member, Unreadable>>);

impl Sender {
    /// Hands out a member; none when nobody wants any more. Its content comes
    /// through the pump.
    fn begin(&self, path: String, modified_s: Option<u64>) -> Option<Pump> {
        let (pump, ahead) = pair();
        let modified_us = modified_s.and_then(|s| i64::try_from(s).ok()?.checked_mul(1_000_000));
        let opened = Opened {
            reader: Box::new(ahead),
            modified_us,
            packing: None,
        };
        self.0.send(Ok(Member { path, opened })).ok()?;
        Some(pump)
    }

    fn failed(&self, path: String, error: io::Error) {
        // Whoever does not take it has stopped reading.
        let _not_taken = self.0.send(Err(Unreadable { path, error }));
    }
}

fn start(read: impl FnOnce(&Sender) + Send + 'static) -> io::Result<Members> {
    let (sender, found) = sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("archive".into())
        .spawn(move || read(&Sender(sender)))?;
    Ok(Members {
        found,
        thread: Some(thread),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_fails_is_no_end_of_the_archive() {
        let mut members = start(|members| {
            members
                .begin("a.log".into(), None)
                .unwrap()
                .run(io::empty());
            panic!("a reader of archives has a bug");
        })
        .unwrap();
        let first = members.next().unwrap().unwrap();
        assert_eq!(io::read_to_string(first.opened.reader).unwrap(), "");
        let failure = members.next().unwrap().err().unwrap();
        assert_eq!(
            failure.error.to_string(),
            "what reads the archive has failed"
        );
        assert!(members.next().is_none());
    }
}
