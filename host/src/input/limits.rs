//! What unpacking may cost, and what it needs.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Bounds and secrets for unpacking.
#[derive(Debug, Clone)]
pub struct UnpackLimits {
    /// A compressed input or an archive that holds more is read up to there.
    pub max_unpacked_bytes: u64,
    /// A decoder whose window or dictionary needs more memory is not started.
    pub max_window_bytes: u64,
    /// For encrypted archives.
    pub archive_password: Option<Password>,
}

/// Larger than any log, and what a bomb costs in time at most; it costs no memory.
pub const DEFAULT_MAX_UNPACKED_BYTES: u64 = 256 << 30;

/// The largest window of `zstd --long=31`. Memory is taken only as far as content comes.
pub const DEFAULT_MAX_WINDOW_BYTES: u64 = 2 << 30;

impl Default for UnpackLimits {
    fn default() -> Self {
        Self {
            max_unpacked_bytes: DEFAULT_MAX_UNPACKED_BYTES,
            max_window_bytes: DEFAULT_MAX_WINDOW_BYTES,
            archive_password: None,
        }
    }
}

/// The password of encrypted archives. It is printed nowhere.
#[derive(Clone)]
pub struct Password(Arc<[u8]>);

impl Password {
    /// Reads a password from a file; a line end after it does not belong to it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn from_file(path: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let password = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let password = password.strip_suffix(b"\r").unwrap_or(password);
        Ok(Self(password.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The password as text, as 7z needs it.
    pub(super) fn as_text(&self) -> io::Result<&str> {
        str::from_utf8(&self.0)
            .map_err(|_| io::Error::other("the password for a 7z archive must be UTF-8"))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_file_without_its_line_end_and_is_not_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "secret \r\n").unwrap();
        let password = Password::from_file(&path).unwrap();
        assert_eq!(password.as_bytes(), b"secret ");
        assert_eq!(format!("{password:?}"), "Password(…)");
    }
}
