//! Files that are replaced in one step.

use std::io::{self, Write as _};
use std::path::Path;

use super::api::OutputError;

/// Writes a whole file in one step: a reader sees the old content or the new one, also after a
/// crash. A file that has this content already is not touched.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    write_and_rename(path, bytes).map_err(|source| OutputError::new(path, source))
}

fn write_and_rename(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
