//! `vthost.toml`: the plugin files that may run, by digest or by signature.
//!
//! ```toml
//! [plugins]
//! "our-policy.wasm" = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//!
//! [trust]
//! minisign = ["RWQtTV7Qd/NfOQFlZ4fXLtF+uJ6zxkX+iOxZKIy2zinZyo2xXiJC4Mtx"]
//! ```
//!
//! If the current directory contains this file, and it has more than options of the command
//! line, every plugin file must be pinned in it, or have a minisign signature by one of its keys
//! in `our-policy.wasm.minisig`.
//! A pin takes precedence over a signature. Built-in plugins are always admitted.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use minisign_verify::{PublicKey, Signature};
use serde::Deserialize;
use toml_edit::DocumentMut;

use super::error::LoadError;
use super::limits::PluginLimits;
use super::source::{PluginSource, digest_of};

const FILE: &str = "vthost.toml";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The plugin files that may run.
#[derive(Debug, Default)]
pub struct Pins {
    /// None if there is no `vthost.toml`, or one with options only: then every plugin is admitted.
    document: Option<PinDocument>,
    path: PathBuf,
}

/// The tables of `vthost.toml` about plugins. The other ones are checked by the command line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PinDocument {
    plugins: BTreeMap<String, String>,
    trust: TrustedKeys,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TrustedKeys {
    minisign: Vec<String>,
}

/// Why a plugin was not admitted, or `vthost.toml` not used.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// `vthost.toml` or a signature could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// `vthost.toml` could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file or key is not in its format.
    #[error("`{name}` is not {what}")]
    Malformed {
        /// The file or key.
        name: String,
        /// The format.
        what: &'static str,
        /// What is wrong with it.
        source: BoxError,
    },
    /// The file is pinned to another digest.
    #[error(
        "`{}` is {found}, but `{}` pins it to {pinned}; the plugin was not run. Use the pinned file, or change the pin", file.display(), pins.display()
    )]
    OtherDigest {
        /// The plugin.
        file: PathBuf,
        /// The pin file.
        pins: PathBuf,
        /// The plugin's digest.
        found: String,
        /// The pinned digest.
        pinned: String,
    },
    /// The file has no pin, and no key is trusted.
    #[error(
        "`{}` is not pinned in `{}`; the plugin was not run. If you trust it, add: \"{}\" = \"{found}\"", file.display(), pins.display(), name_of(file)
    )]
    NotPinned {
        /// The plugin.
        file: PathBuf,
        /// The pin file.
        pins: PathBuf,
        /// The plugin's digest.
        found: String,
    },
    /// The file has no pin, and its signature is missing or not usable.
    #[error(
        "`{}` is neither pinned in `{}` nor signed with one of its keys; the plugin was not run", file.display(), pins.display()
    )]
    NotSigned {
        /// The plugin.
        file: PathBuf,
        /// The pin file.
        pins: PathBuf,
        /// What is wrong with the signature.
        source: Box<PinError>,
    },
    /// The signature is valid, but none of the trusted keys made it.
    #[error("`{}` was not made with a trusted key", path.display())]
    UntrustedSignature {
        /// The signature file.
        path: PathBuf,
    },
    /// The plugin file could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Pins {
    /// Reads `vthost.toml` in a directory, if it exists.
    ///
    /// # Errors
    ///
    /// [`PinError::Read`] and [`PinError::Malformed`].
    pub fn read(directory: &Path) -> Result<Self, PinError> {
        let path = directory.join(FILE);
        let document = match read_if_exists(&path)? {
            Some(text) => pins_of(&text).map_err(|error| not_toml(&path, error))?,
            None => None,
        };
        Ok(Self { document, path })
    }

    /// Reads a plugin file and checks its pin or its signature, before any of it
    /// runs. Returns the bytes that were checked, so that a later change of the
    /// file has no effect.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not admitted.
    pub fn admit(
        &self,
        source: PluginSource,
        limits: &PluginLimits,
    ) -> Result<PluginSource, PinError> {
        let source = source.read(limits)?;
        if let (Some(document), PluginSource::Read { path, bytes }) = (&self.document, &source) {
            self.check(&document.trust, path, bytes)?;
        }
        Ok(source)
    }

    fn check(&self, trust: &TrustedKeys, file: &Path, bytes: &[u8]) -> Result<(), PinError> {
        let found = format!("sha256:{}", digest_of(bytes));
        if self.pinned_digest(file).is_some() {
            return self.check_digest(file, &found);
        }
        let (file, pins) = (file.to_owned(), self.path.clone());
        if trust.minisign.is_empty() {
            return Err(PinError::NotPinned { file, pins, found });
        }
        check_signature(&trust.minisign, &file, bytes).map_err(|error| PinError::NotSigned {
            file,
            pins,
            source: Box::new(error),
        })
    }

    /// The digest that a file is pinned to. The file's name counts, not its folder.
    #[must_use]
    pub fn pinned_digest(&self, file: &Path) -> Option<&str> {
        let plugins = &self.document.as_ref()?.plugins;
        plugins.get(&name_of(file)).map(String::as_str)
    }

    /// Checks a digest against the file's pin, if it has one.
    ///
    /// # Errors
    ///
    /// [`PinError::OtherDigest`].
    pub fn check_digest(&self, file: &Path, found: &str) -> Result<(), PinError> {
        match self.pinned_digest(file) {
            Some(pinned) if pinned != found => Err(PinError::OtherDigest {
                file: file.to_owned(),
                pins: self.path.clone(),
                found: found.to_owned(),
                pinned: pinned.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Writes a file's digest to `vthost.toml`, keeping its comments and layout, and
    /// returns the path of `vthost.toml`.
    ///
    /// # Errors
    ///
    /// [`PinError::Read`], [`PinError::Malformed`] and [`PinError::Write`].
    pub fn record(&self, file: &Path, digest: &str) -> Result<&Path, PinError> {
        let path = &self.path;
        let text = read_if_exists(path)?.unwrap_or_default();
        let text =
            with_pin(&text, &name_of(file), digest).map_err(|error| not_toml(path, error))?;
        std::fs::write(path, text).map_err(|source| PinError::Write {
            path: path.clone(),
            source,
        })?;
        Ok(path)
    }
}

/// The pins of a document. None if it has only options of the command line.
fn pins_of(text: &str) -> Result<Option<PinDocument>, BoxError> {
    let pins: PinDocument = toml::from_str(text)?;
    let mut document: toml::Table = toml::from_str(text)?;
    // The options of `vthost plugin` are in a table for each of its commands.
    let misspelt = document.get("plugin").and_then(toml::Value::as_table);
    if misspelt.is_some_and(|plugin| !plugin.values().any(toml::Value::is_table)) {
        return Err("pins are in the table `plugins`, not `plugin`".into());
    }
    let is_empty = document.is_empty();
    document.retain(|name, _| ["plugins", "trust"].contains(&name));
    Ok((is_empty || !document.is_empty()).then_some(pins))
}

fn malformed(what: &'static str, name: impl fmt::Display, error: impl Into<BoxError>) -> PinError {
    PinError::Malformed {
        what,
        name: name.to_string(),
        source: error.into(),
    }
}

fn not_toml(path: &Path, error: impl Into<BoxError>) -> PinError {
    malformed("a valid pin file", path.display(), error)
}

fn read_if_exists(path: &Path) -> Result<Option<String>, PinError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PinError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The document with a pin added to its table `plugins`.
fn with_pin(text: &str, name: &str, digest: &str) -> Result<String, BoxError> {
    let mut document: DocumentMut = text.parse()?;
    let plugins = document.entry("plugins").or_insert(toml_edit::table());
    let plugins = plugins
        .as_table_like_mut()
        .ok_or("`plugins` is not a table")?;
    plugins.insert(name, toml_edit::value(digest));
    Ok(document.to_string())
}

fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Checks the signature in `FILE.minisig` against the trusted keys.
fn check_signature(keys: &[String], file: &Path, bytes: &[u8]) -> Result<(), PinError> {
    let mut path = file.as_os_str().to_owned();
    path.push(".minisig");
    let path = PathBuf::from(path);
    let signature = std::fs::read_to_string(&path).map_err(|source| PinError::Read {
        path: path.clone(),
        source,
    })?;
    let signature = Signature::decode(&signature)
        .map_err(|error| malformed("a minisign signature", path.display(), error))?;
    for key in keys {
        let key = PublicKey::from_base64(key)
            .map_err(|error| malformed("a minisign public key", key, error))?;
        if key.verify(bytes, &signature, false).is_ok() {
            return Ok(());
        }
    }
    Err(PinError::UntrustedSignature { path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::survey;
    use std::error::Error as _;

    // FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// `abc` signed by minisign 0.11, and the public key.
    const KEY: &str = "RWQtTV7Qd/NfOQFlZ4fXLtF+uJ6zxkX+iOxZKIy2zinZyo2xXiJC4Mtx";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key\n\
        RUQtTV7Qd/NfOSMQ4eV1VfwNywZOJiGSkZ642Rxl3kmD8uqpyJ3KlWakkyaj/fnLeO9QkVrNtY+j5LHcMSDPPq0KSxY2yo8prwI=\n\
        trusted comment: a test\n\
        5WZWgFPgyueaHd/W1HEJr94OQHZ8Ob1uqxf5p6ueXOQ+pVy1LrmefdKWaW7GQ7TVS7j0k6bNnNwAD/vmPGBvCA==\n";

    /// Admits `ours.wasm` with this content under this `vthost.toml`. The error has
    /// its causes.
    fn admit(content: &str, pins: Option<&str>, signature: Option<&str>) -> Result<(), String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ours.wasm");
        std::fs::write(&path, content).unwrap();
        if let Some(pins) = pins {
            std::fs::write(directory.path().join(FILE), pins).unwrap();
        }
        if let Some(signature) = signature {
            std::fs::write(directory.path().join("ours.wasm.minisig"), signature).unwrap();
        }
        let pins = Pins::read(directory.path()).map_err(with_causes)?;
        let limits = PluginLimits::default();
        let built_in = PluginSource::BuiltIn("strict".into());
        assert_eq!(pins.admit(built_in.clone(), &limits).unwrap(), built_in);
        let admitted = pins.admit(PluginSource::File(path), &limits);
        admitted.map(|_| ()).map_err(with_causes)
    }

    fn with_causes(error: PinError) -> String {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    #[test]
    fn options_alone_pin_nothing() {
        let options = "share = \"host\"\n[extract]\nthreads = 2\n";
        assert_eq!(admit("abc", Some(options), None), Ok(()));
        let with_pins = format!("{options}[plugins]\n");
        assert!(admit("abc", Some(&with_pins), None).is_err());
        assert!(admit("abc", Some(""), None).is_err());
    }

    #[track_caller]
    fn refused(result: Result<(), String>, words: &str) {
        let error = result.unwrap_err();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn unpinned_plugin_is_refused() {
        let pin = |name: &str| format!("[plugins]\n\"{name}\" = \"sha256:{ABC}\"\n");
        assert_eq!(admit("abc", None, None), Ok(()));
        assert_eq!(admit("abc", Some(&pin("ours.wasm")), None), Ok(()));
        let changed = admit("abd", Some(&pin("ours.wasm")), None);
        refused(changed, "pins it to sha256:ba7816bf");
        let other = admit("abc", Some(&pin("other.wasm")), None);
        refused(other, &format!("\"ours.wasm\" = \"sha256:{ABC}\""));
        refused(
            admit("abc", Some("[plugin]"), None),
            "is not a valid pin file",
        );
    }

    #[test]
    fn unsigned_plugin_is_refused() {
        let trust = format!("[trust]\nminisign = [\"{KEY}\"]\n");
        let trust = Some(trust.as_str());
        assert_eq!(admit("abc", trust, Some(SIGNATURE)), Ok(()));
        refused(
            admit("abd", trust, Some(SIGNATURE)),
            "was not made with a trusted key",
        );
        refused(
            admit("abc", trust, Some("mine")),
            "is not a minisign signature",
        );
        refused(admit("abc", trust, None), "neither pinned in");
        let no_key = Some("[trust]\nminisign = [\"mine\"]\n");
        refused(
            admit("abc", no_key, Some(SIGNATURE)),
            "`mine` is not a minisign public key",
        );
        // A pin takes precedence over a signature.
        let both =
            format!("[plugins]\n\"ours.wasm\" = \"sha256:00\"\n[trust]\nminisign = [\"{KEY}\"]\n");
        refused(admit("abc", Some(&both), Some(SIGNATURE)), "to sha256:00");
    }

    #[test]
    fn file_changed_after_the_check_has_no_effect() {
        let component = wat::parse_str(
            "(component (instance $none) (export \"vthost:policy/judging@0.1.0\" (instance $none)))",
        )
        .unwrap();
        let digest = digest_of(&component);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ours.wasm");
        std::fs::write(&path, &component).unwrap();
        let pins = Pins::read(directory.path()).unwrap();
        pins.record(&path, &format!("sha256:{digest}")).unwrap();
        let pins = Pins::read(directory.path()).unwrap();
        let limits = PluginLimits::default();
        let admitted = pins.admit(PluginSource::File(path.clone()), &limits);
        let admitted = admitted.unwrap();
        std::fs::write(&path, "another one").unwrap();
        assert_eq!(survey(&admitted, &limits).unwrap().digest, digest);
        assert!(pins.admit(PluginSource::File(path), &limits).is_err());
    }

    #[test]
    fn recording_a_pin_keeps_comments_and_layout() {
        let check = |before: &str, after: &str| {
            assert_eq!(with_pin(before, "a.wasm", "b").unwrap(), after);
        };
        check("", "[plugins]\n\"a.wasm\" = \"b\"\n");
        check(
            "[plugins] # ours\n\n# from the team\n\"c\"   = 'd'\n",
            "[plugins] # ours\n\n# from the team\n\"c\"   = 'd'\n\"a.wasm\" = \"b\"\n",
        );
        check(
            "[ plugins ]\n\"c\" = \"d\"\n\n[trust]\nminisign = []\n",
            "[ plugins ]\n\"c\" = \"d\"\n\"a.wasm\" = \"b\"\n\n[trust]\nminisign = []\n",
        );
        check(
            "# keys\n[trust]\nminisign = []\n",
            "# keys\n[trust]\nminisign = []\n\n[plugins]\n\"a.wasm\" = \"b\"\n",
        );
        for malformed in ["plugins = 1\n", "[plugins\n"] {
            assert!(with_pin(malformed, "a.wasm", "b").is_err(), "{malformed}");
        }
    }

    #[test]
    fn recorded_pins_are_found_by_file_name() {
        let directory = tempfile::tempdir().unwrap();
        let pins = Pins::read(directory.path()).unwrap();
        for name in ["x/one.wasm", "two.wasm"] {
            pins.record(Path::new(name), "sha256:00").unwrap();
        }
        let pins = Pins::read(directory.path()).unwrap();
        assert_eq!(pins.pinned_digest(Path::new("one.wasm")), Some("sha256:00"));
        assert_eq!(
            pins.pinned_digest(Path::new("y/two.wasm")),
            Some("sha256:00")
        );
    }
}
