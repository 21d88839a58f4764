//! `vthost.toml`: which plugins from files a run may use, by the digests of their
//! files or by whose signature they bear.
//!
//! ```toml
//! [plugins]
//! "our-policy.wasm" = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//!
//! [trust]
//! minisign = ["RWQtTV7Qd/NfOQFlZ4fXLtF+uJ6zxkX+iOxZKIy2zinZyo2xXiJC4Mtx"]
//! ```
//!
//! Where the file exists in the current directory, every plugin from a file must
//! be pinned in it, or a signature of one of the keys must lie beside it
//! (`our-policy.wasm.minisig`). Built-in plugins are part of the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use minisign_verify::{PublicKey, Signature};
use serde::Deserialize;

use crate::plugin::{PluginLimits, PluginSource, digest_of};

/// The file's name.
pub(super) const FILE: &str = "vthost.toml";

/// What may run.
#[derive(Debug, Default)]
pub(super) struct Pins {
    /// None where there is no file: then anything may.
    document: Option<Document>,
    path: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    plugins: BTreeMap<String, String>,
    trust: Trust,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Trust {
    minisign: Vec<String>,
}

impl Pins {
    /// Reads the file of this directory, if there is one.
    pub(super) fn read(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join(FILE);
        let document = match std::fs::read_to_string(&path) {
            Ok(text) => Some(
                toml::from_str(&text)
                    .with_context(|| format!("`{}` makes no sense", path.display()))?,
            ),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
            }
        };
        Ok(Self { document, path })
    }

    /// Refuses a plugin from a file that is neither pinned nor signed, or pinned
    /// to another content; nothing of it has run by then. Gives the bytes that
    /// were looked at, so that nothing else is run in their name.
    pub(super) fn admit(
        &self,
        source: PluginSource,
        limits: &PluginLimits,
    ) -> anyhow::Result<PluginSource> {
        let source = source.read(limits)?;
        if let (Some(document), PluginSource::Read { path, bytes }) = (&self.document, &source) {
            self.check(document, path, bytes)?;
        }
        Ok(source)
    }

    fn check(&self, document: &Document, file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let found = format!("sha256:{}", digest_of(bytes));
        if self.digest_of(file).is_some() {
            return self.agree(file, &found);
        }
        if document.trust.minisign.is_empty() {
            bail!(
                "`{}` is not pinned in `{}`; nothing was run. Once you trust it, add: \"{}\" = \"{found}\"",
                file.display(),
                self.path.display(),
                name_of(file)
            );
        }
        check_signature(&document.trust.minisign, file, bytes).with_context(|| {
            format!(
                "`{}` is neither pinned in `{}` nor signed by a key in it; nothing was run",
                file.display(),
                self.path.display()
            )
        })
    }

    /// The digest that a file is pinned to.
    pub(super) fn digest_of(&self, file: &Path) -> Option<&str> {
        let plugins = &self.document.as_ref()?.plugins;
        plugins.get(&name_of(file)).map(String::as_str)
    }

    /// Refuses another digest than the one that the file is pinned to, if it is.
    pub(super) fn agree(&self, file: &Path, found: &str) -> anyhow::Result<()> {
        match self.digest_of(file) {
            Some(pinned) if pinned != found => bail!(
                "`{}` is {found}, but `{}` pins {} to {pinned}; nothing was run. Take the pinned file, or pin this one",
                file.display(),
                self.path.display(),
                name_of(file)
            ),
            _ => Ok(()),
        }
    }
}

/// Pins a plugin in the file of this directory, and gives the file. What else is in
/// it stays as it is.
pub(super) fn record(directory: &Path, file: &Path, digest: &str) -> anyhow::Result<PathBuf> {
    let path = directory.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
        }
    };
    let name = toml::Value::String(name_of(file));
    let text = with_line(&text, &format!("{name} = \"{digest}\""));
    std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}

/// The document with a line more in its table of plugins.
fn with_line(text: &str, line: &str) -> String {
    const TABLE: &str = "[plugins]";
    let mut lines: Vec<&str> = text.lines().collect();
    match lines.iter().position(|line| line.trim() == TABLE) {
        Some(place) => lines.insert(place + 1, line),
        None => lines.extend([TABLE, line]),
    }
    lines.join("\n") + "\n"
}

fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Looks for a signature beside the file, by one of these keys.
fn check_signature(keys: &[String], file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut path = file.as_os_str().to_owned();
    path.push(".minisig");
    let path = PathBuf::from(path);
    let signature = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    let signature = Signature::decode(&signature)
        .with_context(|| format!("`{}` is no signature of minisign", path.display()))?;
    for key in keys {
        let key = PublicKey::from_base64(key)
            .with_context(|| format!("`{key}` is no public key of minisign"))?;
        if key.verify(bytes, &signature, false).is_ok() {
            return Ok(());
        }
    }
    bail!("`{}` fits none of the keys", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::survey;

    // FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// `abc` signed by minisign 0.11, and the public key.
    const KEY: &str = "RWQtTV7Qd/NfOQFlZ4fXLtF+uJ6zxkX+iOxZKIy2zinZyo2xXiJC4Mtx";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key\n\
        RUQtTV7Qd/NfOSMQ4eV1VfwNywZOJiGSkZ642Rxl3kmD8uqpyJ3KlWakkyaj/fnLeO9QkVrNtY+j5LHcMSDPPq0KSxY2yo8prwI=\n\
        trusted comment: a test\n\
        5WZWgFPgyueaHd/W1HEJr94OQHZ8Ob1uqxf5p6ueXOQ+pVy1LrmefdKWaW7GQ7TVS7j0k6bNnNwAD/vmPGBvCA==\n";

    /// What is said to `ours.wasm` of this content under this `vthost.toml`.
    fn said(content: &str, pins: Option<&str>, signature: Option<&str>) -> Result<(), String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ours.wasm");
        std::fs::write(&path, content).unwrap();
        if let Some(pins) = pins {
            std::fs::write(directory.path().join(FILE), pins).unwrap();
        }
        if let Some(signature) = signature {
            std::fs::write(directory.path().join("ours.wasm.minisig"), signature).unwrap();
        }
        let pins = Pins::read(directory.path()).map_err(|error| format!("{error:#}"))?;
        let limits = PluginLimits::default();
        let built_in = PluginSource::BuiltIn("strict".into());
        assert_eq!(pins.admit(built_in.clone(), &limits).unwrap(), built_in);
        let admitted = pins.admit(PluginSource::File(path), &limits);
        admitted.map(|_| ()).map_err(|error| format!("{error:#}"))
    }

    #[track_caller]
    fn refused(said: Result<(), String>, words: &str) {
        let said = said.unwrap_err();
        assert!(said.contains(words), "{said}");
    }

    #[test]
    fn only_what_is_pinned_runs() {
        let pin = |name: &str| format!("[plugins]\n\"{name}\" = \"sha256:{ABC}\"\n");
        assert_eq!(said("abc", None, None), Ok(()));
        assert_eq!(said("abc", Some(&pin("ours.wasm")), None), Ok(()));
        let changed = said("abd", Some(&pin("ours.wasm")), None);
        refused(changed, "pins ours.wasm to sha256:ba7816bf");
        let other = said("abc", Some(&pin("other.wasm")), None);
        refused(other, &format!("\"ours.wasm\" = \"sha256:{ABC}\""));
        refused(said("abc", Some("[plugin]"), None), "makes no sense");
    }

    #[test]
    fn or_what_is_signed() {
        let trust = format!("[trust]\nminisign = [\"{KEY}\"]\n");
        let trust = Some(trust.as_str());
        assert_eq!(said("abc", trust, Some(SIGNATURE)), Ok(()));
        refused(said("abd", trust, Some(SIGNATURE)), "fits none of the keys");
        refused(said("abc", trust, Some("mine")), "no signature of minisign");
        refused(said("abc", trust, None), "neither pinned in");
        let no_key = Some("[trust]\nminisign = [\"mine\"]\n");
        refused(said("abc", no_key, Some(SIGNATURE)), "no public key");
        // A pin goes before a signature.
        let both =
            format!("[plugins]\n\"ours.wasm\" = \"sha256:00\"\n[trust]\nminisign = [\"{KEY}\"]\n");
        refused(said("abc", Some(&both), Some(SIGNATURE)), "to sha256:00");
    }

    #[test]
    fn what_was_checked_is_what_runs() {
        let component = wat::parse_str(
            "(component (instance $none) (export \"vthost:policy/judging@0.1.0\" (instance $none)))",
        )
        .unwrap();
        let digest = digest_of(&component);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ours.wasm");
        std::fs::write(&path, &component).unwrap();
        record(directory.path(), &path, &format!("sha256:{digest}")).unwrap();
        let pins = Pins::read(directory.path()).unwrap();
        let limits = PluginLimits::default();
        let admitted = pins.admit(PluginSource::File(path.clone()), &limits);
        let admitted = admitted.unwrap();
        std::fs::write(&path, "another one").unwrap();
        assert_eq!(survey(&admitted, &limits).unwrap().digest, digest);
        assert!(pins.admit(PluginSource::File(path), &limits).is_err());
    }

    #[test]
    fn a_pin_is_recorded_beside_what_is_there() {
        let check = |before: &str, after: &str| {
            assert_eq!(with_line(before, "\"a\" = \"b\""), after);
        };
        check("", "[plugins]\n\"a\" = \"b\"\n");
        check(
            "# ours\n[plugins]\n\"c\" = \"d\"\n",
            "# ours\n[plugins]\n\"a\" = \"b\"\n\"c\" = \"d\"\n",
        );
        check(
            "[trust]\nminisign = []\n",
            "[trust]\nminisign = []\n[plugins]\n\"a\" = \"b\"\n",
        );
        let directory = tempfile::tempdir().unwrap();
        for name in ["x/one.wasm", "two.wasm"] {
            record(directory.path(), Path::new(name), "sha256:00").unwrap();
        }
        let pins = Pins::read(directory.path()).unwrap();
        assert_eq!(pins.digest_of(Path::new("one.wasm")), Some("sha256:00"));
        assert_eq!(pins.digest_of(Path::new("y/two.wasm")), Some("sha256:00"));
    }
}
