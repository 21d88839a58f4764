//! cpio in the "new" ASCII format (`cpio -o -H newc`, RPM, initramfs).

use std::io;

use super::{Members, Reader, Sender, microseconds, start};

/// The members of a cpio archive.
///
/// # Errors
///
/// When no thread can be started.
pub(super) fn members(archive: Reader) -> io::Result<Members> {
    start(move |sender| {
        if let Err(error) = read(archive, sender) {
            sender.fail_archive(&error);
        }
    })
}

fn read(mut archive: Reader, sender: &Sender) -> io::Result<()> {
    /// The type of a file in its mode (POSIX `S_IFMT`), and that of a regular file.
    const TYPE: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    loop {
        let mut member = cpio::NewcReader::new(archive)?;
        let entry = member.entry();
        if entry.is_trailer() {
            return Ok(());
        }
        if entry.mode() & TYPE == REGULAR {
            let path = entry.name().to_owned();
            let modified_us = microseconds(entry.mtime());
            if !sender.send(path, modified_us, &mut member) {
                return Ok(());
            }
        }
        archive = member.finish()?;
    }
}
