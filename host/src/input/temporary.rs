//! Temporary files, and what to do when there is no room for them.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// The content of `reader` in a file without a name.
///
/// # Errors
///
/// When the content cannot be read or not be stored.
pub(super) fn copied(reader: &mut dyn Read) -> io::Result<File> {
    let mut file = tempfile::tempfile().map_err(|error| no_room(&error))?;
    copy(reader, &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// The content of `reader` in a file with a name.
///
/// # Errors
///
/// When the content cannot be read or not be stored.
pub(super) fn copied_by_name(reader: &mut dyn Read) -> io::Result<(NamedTempFile, u64)> {
    let mut file = NamedTempFile::new().map_err(|error| no_room(&error))?;
    let bytes = copy(reader, &mut file)?;
    Ok((file, bytes))
}

/// As [`io::copy`]; an error of the file names the folder.
fn copy(reader: &mut dyn Read, file: &mut impl io::Write) -> io::Result<u64> {
    const BUFFER_BYTES: usize = 64 << 10;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut copied = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(len) => {
                let written = file.write_all(&buffer[..len]);
                written.map_err(|error| no_room(&error))?;
                copied += len as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// An error with the folder for temporary files, and what to do.
fn no_room(error: &io::Error) -> io::Error {
    io::Error::other(cannot_store(&std::env::temp_dir(), error))
}

/// The message for a temporary file in `folder` that cannot be written.
#[must_use]
pub fn cannot_store(folder: &Path, error: &dyn std::error::Error) -> String {
    format!(
        "cannot write a temporary file in `{}` ({error}); set TMPDIR to a folder with more room",
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_disk_is_reported_with_the_folder_and_the_remedy() {
        struct Full;
        impl io::Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = copy(&mut &b"content"[..], &mut Full)
            .unwrap_err()
            .to_string();
        let folder = std::env::temp_dir().display().to_string();
        assert!(
            error.contains(&folder) && error.contains("TMPDIR"),
            "{error}"
        );
    }
}
