//! `vthost.toml`: which plugins a run may use, by the digests of their files.
//!
//! ```toml
//! [plugins]
//! "our-policy.wasm" = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//! ```
//!
//! Where the file exists in the current directory, every plugin from a file must
//! be in it. Built-in plugins are part of the program and need no pin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::plugin::{PluginSource, digest_of};

/// The file's name.
pub(super) const FILE: &str = "vthost.toml";

/// What may run.
#[derive(Debug, Default)]
pub(super) struct Pins {
    /// None where there is no file: then anything may.
    plugins: Option<BTreeMap<String, String>>,
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    plugins: BTreeMap<String, String>,
}

impl Pins {
    /// Reads the file of this directory, if there is one.
    pub(super) fn read(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
            }
        };
        let document: Document = toml::from_str(&text)
            .with_context(|| format!("`{}` makes no sense", path.display()))?;
        Ok(Self {
            plugins: Some(document.plugins),
            path,
        })
    }

    /// Refuses a plugin from a file that is not pinned, or pinned to another
    /// content. Nothing of it has run by then.
    pub(super) fn check(&self, source: &PluginSource) -> anyhow::Result<()> {
        let (Some(plugins), PluginSource::File(file)) = (&self.plugins, source) else {
            return Ok(());
        };
        let (name, pins) = (
            file.file_name().unwrap_or_default().to_string_lossy(),
            self.path.display(),
        );
        let bytes =
            std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let found = format!("sha256:{}", digest_of(&bytes));
        match plugins.get(name.as_ref()) {
            Some(pinned) if *pinned == found => Ok(()),
            Some(pinned) => bail!(
                "`{}` is {found}, but `{pins}` pins {name} to {pinned}; nothing was run. Take the pinned file, or pin this one",
                file.display()
            ),
            None => bail!(
                "`{}` is not pinned in `{pins}`; nothing was run. Once you trust it, add: \"{name}\" = \"{found}\"",
                file.display()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_pinned_runs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ours.wasm");
        std::fs::write(&path, "abc").unwrap();
        let file = PluginSource::File(path.clone());
        let pinned = || Pins::read(directory.path()).unwrap().check(&file);
        assert!(pinned().is_ok(), "there is no vthost.toml");
        // FIPS 180-2, appendix B.1.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let pin = |name: &str| {
            let text = format!("[plugins]\n\"{name}\" = \"sha256:{digest}\"\n");
            std::fs::write(directory.path().join(FILE), text).unwrap();
        };
        pin("ours.wasm");
        assert!(pinned().is_ok());
        std::fs::write(&path, "abd").unwrap();
        let error = pinned().unwrap_err().to_string();
        assert!(
            error.contains("pins ours.wasm to sha256:ba7816bf"),
            "{error}"
        );
        std::fs::write(&path, "abc").unwrap();
        pin("other.wasm");
        let error = pinned().unwrap_err().to_string();
        assert!(
            error.contains(&format!("\"ours.wasm\" = \"sha256:{digest}\"")),
            "{error}"
        );
        let pins = Pins::read(directory.path()).unwrap();
        assert!(pins.check(&PluginSource::BuiltIn("strict".into())).is_ok());
        std::fs::write(directory.path().join(FILE), "[plugin]").unwrap();
        assert!(Pins::read(directory.path()).is_err());
    }
}
