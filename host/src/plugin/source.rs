//! Where a plugin's bytes come from: the program itself, or a file.

use std::borrow::Cow;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::PluginKind;
use super::builtin;
use super::error::LoadError;
use super::limits::PluginLimits;

/// A built-in plugin or a component file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginSource {
    /// The name of a built-in plugin.
    BuiltIn(String),
    /// A component file.
    File(PathBuf),
    /// A component file whose bytes have been read. A later change of the file has
    /// no effect, so the bytes that were checked are the bytes that run.
    Read {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        bytes: Arc<[u8]>,
    },
}

impl PluginSource {
    /// Interprets a command-line argument: a path if it contains a directory
    /// separator or ends in `.wasm`, else the name of a built-in plugin.
    #[must_use]
    pub fn named(text: &str) -> Self {
        let looks_like_path = text.contains(['/', '\\'])
            || Path::new(text)
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("wasm"));
        if looks_like_path {
            Self::File(PathBuf::from(text))
        } else {
            Self::BuiltIn(text.to_owned())
        }
    }

    /// Reads the file of [`PluginSource::File`]; other sources are returned as they
    /// are.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is larger than `limits` allow.
    pub fn read(self, limits: &PluginLimits) -> Result<Self, LoadError> {
        match self {
            Self::File(path) => Ok(Self::Read {
                bytes: read_file(&path, limits)?.into(),
                path,
            }),
            source => Ok(source),
        }
    }

    /// The plugin's name for messages, and its bytes. `kind` is the kind that a
    /// built-in plugin must have.
    pub(super) fn bytes(
        &self,
        kind: PluginKind,
        limits: &PluginLimits,
    ) -> Result<(String, Cow<'_, [u8]>), LoadError> {
        match self {
            Self::BuiltIn(name) => {
                let found = builtin::find(kind, name).ok_or_else(|| LoadError::Unknown {
                    kind,
                    name: name.clone(),
                    known: builtin::names(kind).join(", "),
                })?;
                Ok((format!("built-in {name}"), found.bytes.into()))
            }
            Self::File(path) => Ok((quoted(path), read_file(path, limits)?.into())),
            Self::Read { path, bytes } => Ok((quoted(path), Cow::Borrowed(bytes))),
        }
    }
}

fn quoted(path: &Path) -> String {
    format!("`{}`", path.display())
}

fn read_file(path: &Path, limits: &PluginLimits) -> Result<Vec<u8>, LoadError> {
    let io = |source| LoadError::Read {
        path: path.to_owned(),
        source,
    };
    let check_size = |bytes: u64| match bytes > limits.file_bytes {
        true => Err(LoadError::TooLarge {
            source_name: quoted(path),
            bytes,
            limit_bytes: limits.file_bytes,
        }),
        false => Ok(()),
    };
    let file = std::fs::File::open(path).map_err(io)?;
    check_size(file.metadata().map_err(io)?.len())?;
    let mut bytes = Vec::new();
    // The file may grow while it is read, and a pipe has no length.
    let mut file = file.take(limits.file_bytes.saturating_add(1));
    file.read_to_end(&mut bytes).map_err(io)?;
    check_size(bytes.len() as u64)?;
    Ok(bytes)
}

/// The SHA-256 of a plugin's bytes in hexadecimal.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_files_and_names_are_built_in() {
        let check = |text: &str, expected: PluginSource| {
            assert_eq!(PluginSource::named(text), expected, "{text}");
        };
        check("squid", PluginSource::BuiltIn("squid".into()));
        check("squid.wasm", PluginSource::File("squid.wasm".into()));
        check("./squid", PluginSource::File("./squid".into()));
        check("org/own.WASM", PluginSource::File("org/own.WASM".into()));
    }
}
