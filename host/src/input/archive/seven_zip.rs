//! 7z.

use std::fs::File;
use std::io;

use sevenz_rust2::{ArchiveReader, Error, Password};

use super::{Members, UnpackLimits, Unpacking, microseconds, start};

/// Seconds between 1601, from which NTFS counts, and 1970.
const NTFS_TO_UNIX_S: i64 = 11_644_473_600;

/// The members of a 7z archive, which together unpack to `limits.max_unpacked_bytes` at most.
///
/// # Errors
///
/// When its directory cannot be read, or no thread can be started.
pub(super) fn members(file: File, limits: &UnpackLimits) -> io::Result<Members> {
    let mut left = limits.max_unpacked_bytes;
    let memory_kib = usize::try_from(limits.max_window_bytes >> 10).unwrap_or(usize::MAX);
    let password = match &limits.archive_password {
        Some(password) => Password::from(password.as_text()?),
        None => Password::empty(),
    };
    let mut archive =
        ArchiveReader::new_with_memory_limit(file, password, memory_kib).map_err(explain)?;
    archive.set_thread_count(1);
    start(move |sender| {
        let read = archive.for_each_entries(|entry, content| {
            if entry.is_directory() {
                return Ok(true);
            }
            let modified = entry.has_last_modified_date.then(|| {
                let ticks = u64::from(entry.last_modified_date());
                i64::try_from(ticks / 10_000_000).map(|s| s - NTFS_TO_UNIX_S)
            });
            let modified_us = modified.and_then(Result::ok).and_then(microseconds);
            let mut content = Unpacking::new("7z", content, left);
            let is_wanted = sender.send(entry.name().to_owned(), modified_us, &mut content);
            left = content.left();
            Ok(is_wanted)
        });
        if let Err(error) = read {
            sender.fail_archive(&explain(error));
        }
    })
}

fn explain(error: Error) -> io::Error {
    match error {
        Error::PasswordRequired => {
            io::Error::other("it is encrypted; give the password with --archive-password-file")
        }
        Error::MaybeBadPassword(_) => io::Error::other(
            "it is damaged, or the password of --archive-password-file is wrong for it",
        ),
        error => io::Error::other(error),
    }
}
