//! `vthost plugin new`: creates a folder with the source of a plugin, its tests and
//! cases.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::Language;
use crate::plugin::PluginKind;

include!(concat!(env!("OUT_DIR"), "/scaffold.rs"));

/// The folder for the contract and the SDK in a plugin in Rust.
const VENDORED: &str = "vthost";

/// The tables of `[workspace]` that the SDK's manifest inherits from.
const INHERITED: [&str; 3] = ["package", "dependencies", "lints"];

pub(super) fn run(
    kind: PluginKind,
    name: &str,
    language: Language,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
        bail!("`{name}` is not a plugin name: use a-z, 0-9 and -, and begin with a letter");
    }
    let folder = Path::new(name);
    if folder.exists() {
        bail!("`{name}` already exists; nothing was written");
    }
    let template = format!("plugins/templates/{}-{}/", language.as_str(), kind);
    let of_both_kinds = format!("plugins/templates/{}/", language.as_str());
    for (path, text) in FILES {
        let in_template = path.strip_prefix(&template);
        if let Some(path) = in_template.or_else(|| path.strip_prefix(&of_both_kinds)) {
            write(&folder.join(path), &filled_in(path, text, name)?)?;
        } else if let Some(path) = vendored(path, kind, language) {
            write(&folder.join(path), text)?;
        }
    }
    let readme = std::fs::read_to_string(folder.join("README.md"))?;
    printer.say(&format!(
        "created {name}/. Next:\n    cd {name}\n{}",
        commands(&readme)
    ));
    Ok(ExitStatus::Done)
}

/// A template's file with the plugin's name filled in.
fn filled_in(path: &str, text: &str, name: &str) -> anyhow::Result<String> {
    let text = text
        .replace("our-plugin", name)
        .replace("our_plugin", &name.replace('-', "_"));
    Ok(match path {
        "Cargo.toml" => text + &workspace()?,
        _ => text,
    })
}

/// The path in the new folder of a file of this repository, if it is copied: for
/// Rust the contracts and the SDK, else only the contract.
fn vendored(path: &str, kind: PluginKind, language: Language) -> Option<PathBuf> {
    if path.starts_with("plugins/templates/") {
        return None;
    }
    if language == Language::Rust {
        return Some(Path::new(VENDORED).join(path));
    }
    let contract = Path::new(path).strip_prefix(format!("wit/{kind}/0.1"));
    Some(Path::new("wit").join(contract.ok()?))
}

/// The commands in a README: its first block of indented lines.
fn commands(readme: &str) -> String {
    let is_command = |line: &&str| line.starts_with("    ");
    let lines = readme.lines().skip_while(|line| !is_command(line));
    lines.take_while(is_command).collect::<Vec<_>>().join("\n")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(path, text)
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))
}

/// The workspace manifest that the SDK needs, derived from this repository's.
fn workspace() -> anyhow::Result<String> {
    let root: toml::Table = WORKSPACE.parse()?;
    let sdk: toml::Table = SDK_MANIFEST.parse()?;
    let mut kept = toml::Table::new();
    let own = root.get("workspace").and_then(toml::Value::as_table);
    for name in INHERITED {
        if let Some(table) = own.and_then(|own| own.get(name)) {
            kept.insert(name.to_owned(), table.clone());
        }
    }
    let needed = sdk.get("dependencies").and_then(toml::Value::as_table);
    if let Some(dependencies) = kept
        .get_mut("dependencies")
        .and_then(toml::Value::as_table_mut)
    {
        dependencies.retain(|name, _| needed.is_some_and(|needed| needed.contains_key(name)));
    }
    kept.insert(
        "members".to_owned(),
        vec![format!("{VENDORED}/plugins/sdk")].into(),
    );
    let mut document = toml::Table::new();
    document.insert("workspace".to_owned(), kept.into());
    Ok(format!("\n{}", toml::to_string(&document)?))
}
