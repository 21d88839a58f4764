//! `vthost plugin new`: a folder that builds, tests and ships a plugin.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cli::args::NewKind;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;

include!(concat!(env!("OUT_DIR"), "/scaffold.rs"));

/// Where the contract and the SDK are put in the new folder.
const VENDORED: &str = "vthost";

/// The tables of the workspace that the SDK inherits from.
const INHERITED: [&str; 3] = ["package", "dependencies", "lints"];

pub(super) fn run(kind: NewKind, name: &str, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
        bail!("`{name}` cannot be a plugin's name: it is made of a-z, 0-9 and -, a letter first");
    }
    let folder = Path::new(name);
    if folder.exists() {
        bail!("`{name}` exists already; nothing was written");
    }
    let template = match kind {
        NewKind::Policy => "plugins/templates/rust-policy/",
        NewKind::Parser => "plugins/templates/rust-parser/",
    };
    for (path, text) in FILES {
        if let Some(path) = path.strip_prefix(template) {
            let text = text
                .replace("our-plugin", name)
                .replace("our_plugin", &name.replace('-', "_"));
            let text = match path {
                "Cargo.toml" => text + &workspace()?,
                _ => text,
            };
            write(&folder.join(path), &text)?;
        } else if !path.starts_with("plugins/templates/") {
            write(&folder.join(VENDORED).join(path), text)?;
        }
    }
    let file = format!(
        "target/wasm32-wasip2/release/{}.wasm",
        name.replace('-', "_")
    );
    printer.say(&format!(
        "{name}/ is there. Next:\n\
         \x20 cd {name}\n\
         \x20 cargo test\n\
         \x20 rustup target add wasm32-wasip2\n\
         \x20 cargo build --release --target wasm32-wasip2\n\
         \x20 vthost plugin test {file} cases"
    ));
    Ok(ExitStatus::Done)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(path, text)
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))
}

/// What of this project's workspace the SDK needs around it.
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
