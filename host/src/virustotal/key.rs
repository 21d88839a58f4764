//! The API key. It can be sent and fingerprinted, but not printed.

use std::fmt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// An API key. It has no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// Where a key may come from, in the order in which they are tried.
#[derive(Debug, Default)]
pub struct KeySources {
    /// A file that the user named.
    pub file: Option<PathBuf>,
    /// The value of `VT_API_KEY`.
    pub vt_api_key: Option<String>,
    /// The value of `VTCLI_APIKEY`, which vt-cli reads.
    pub vtcli_apikey: Option<String>,
    /// The home directory: vt-cli keeps its key in `.vt.toml` there.
    pub home: Option<PathBuf>,
}

/// Why no key was found.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// None of the sources has one.
    #[error(
        "no VirusTotal API key: set VT_API_KEY, name a file with --api-key-file, or run `vt init` of vt-cli. Without a key: vthost demo"
    )]
    Missing,
    /// The file that the user named cannot be read.
    #[error("cannot read the API key from `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The text cannot be a key.
    #[error("the API key from {origin} is invalid: {problem}")]
    Malformed {
        /// The source of the text.
        origin: String,
        /// The problem, without the key.
        problem: &'static str,
    },
}

/// Finds the key.
///
/// # Errors
///
/// [`KeyError`]. A source with an invalid key is an error, even if a later one has a key.
pub fn find_key(sources: &KeySources) -> Result<ApiKey, KeyError> {
    if let Some(path) = &sources.file {
        let text = std::fs::read_to_string(path).map_err(|source| KeyError::Unreadable {
            path: path.clone(),
            source,
        })?;
        return ApiKey::new(&text, &format!("`{}`", path.display()));
    }
    let variables = [
        ("VT_API_KEY", &sources.vt_api_key),
        ("VTCLI_APIKEY", &sources.vtcli_apikey),
    ];
    for (name, value) in variables {
        if let Some(value) = value.as_deref().filter(|value| !value.trim().is_empty()) {
            return ApiKey::new(value, name);
        }
    }
    let config = sources.home.as_deref().map(|home| home.join(".vt.toml"));
    match config.as_deref().and_then(from_vt_toml) {
        Some(key) => ApiKey::new(&key, "~/.vt.toml"),
        None => Err(KeyError::Missing),
    }
}

impl ApiKey {
    /// Checks that a text can be a key. White space around it is ignored.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`], naming `origin`.
    pub fn new(text: &str, origin: &str) -> Result<Self, KeyError> {
        let key = text.trim();
        let problem = if key.is_empty() {
            "it is empty"
        } else if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            "it contains spaces or characters that no key contains"
        } else {
            return Ok(Self(key.to_owned()));
        };
        Err(KeyError::Malformed {
            origin: origin.to_owned(),
            problem,
        })
    }

    /// The first eight hexadecimal digits of the key's SHA-256. The ledger distinguishes keys by it,
    /// and the key cannot be derived from it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        digest
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The key itself, for the request's header.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// The key in vt-cli's configuration: a line `apikey="…"`.
fn from_vt_toml(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let table: toml::Table = text.parse().ok()?;
    table.get("apikey")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(sources: &KeySources) -> String {
        find_key(sources).unwrap().secret().to_owned()
    }

    #[test]
    fn the_first_source_with_a_key_is_used() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(".vt.toml"), "apikey=\"from-toml\"\n").unwrap();
        let file = home.path().join("key");
        std::fs::write(&file, "from-file\n").unwrap();
        let mut sources = KeySources {
            file: Some(file),
            vt_api_key: Some(" from-env ".into()),
            vtcli_apikey: Some("from-vtcli".into()),
            home: Some(home.path().to_owned()),
        };
        assert_eq!(key_of(&sources), "from-file");
        sources.file = None;
        assert_eq!(key_of(&sources), "from-env");
        sources.vt_api_key = None;
        assert_eq!(key_of(&sources), "from-vtcli");
        sources.vtcli_apikey = Some(String::new());
        assert_eq!(key_of(&sources), "from-toml");
        sources.home = None;
        assert!(matches!(find_key(&sources), Err(KeyError::Missing)));
    }

    #[test]
    fn the_key_is_in_no_debug_output_and_no_error() {
        let key = ApiKey::new("s3cret", "a test").unwrap();
        assert_eq!(format!("{key:?}"), "ApiKey(…)");
        let error = ApiKey::new("s3 cret", "VT_API_KEY").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("cret"));
        // SHA-256 of `s3cret` begins with these digits (sha256sum).
        assert_eq!(key.fingerprint(), "1ec1c26b");
    }
}
