//! `vthost plugin inspect` and `check`: what a plugin is, and whether this host
//! would run it.

use std::fmt::Write as _;

use super::{AnyPlugin, load};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::output::visible;
use crate::plugin::{PluginKind, PluginLimits, PluginSource, survey};

/// The contract of a kind, as its plugins see it.
pub(super) fn contract(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Parser => include_str!("../../../../../wit/parser/0.1/parser.wit"),
        PluginKind::Policy => include_str!("../../../../../wit/policy/0.1/policy.wit"),
    }
}

/// Says what a plugin is and wants; of what it says of itself as much as can be
/// had.
pub(super) fn inspect(
    plugin: &str,
    with_wit: bool,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let seen = survey(&PluginSource::named(plugin), &PluginLimits::default())?;
    let mut text = String::new();
    writeln!(text, "kind: {}", seen.kind)?;
    writeln!(text, "contract: vthost:{}@{}", seen.kind, seen.contract)?;
    writeln!(text, "size: {} bytes", seen.bytes)?;
    writeln!(text, "digest: sha256:{}", seen.digest)?;
    for import in &seen.imports {
        writeln!(text, "import: {}", visible(import))?;
    }
    for export in &seen.exports {
        writeln!(text, "export: {}", visible(export))?;
    }
    let loaded = load(&environment.engine()?, plugin, &[]);
    match &loaded {
        Ok(loaded) => {
            let said = loaded.description();
            writeln!(text, "name: {}", said.id.name)?;
            writeln!(text, "version: {}", said.id.version)?;
            writeln!(text, "licence: {}", visible(&said.licence))?;
            writeln!(text, "summary: {}", visible(&said.summary))?;
            for format in &said.formats {
                let (name, title) = (visible(&format.name), visible(&format.title));
                writeln!(text, "format: {name}: {title}")?;
            }
            match said.settings_schema.trim() {
                "" => writeln!(text, "settings: none")?,
                schema => writeln!(text, "settings: {}", visible(schema))?,
            }
        }
        Err(error) => writeln!(text, "would not run: {}", visible(&format!("{error:#}")))?,
    }
    if with_wit {
        text.push_str(contract(seen.kind));
    }
    printer.data(text.as_bytes())?;
    Ok(if loaded.is_ok() {
        ExitStatus::Done
    } else {
        ExitStatus::CouldNotRun
    })
}

/// Says of each plugin whether this host would run it, and if not, why.
pub(super) fn check(
    plugins: &[String],
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let engine = environment.engine()?;
    let mut text = String::new();
    let mut status = ExitStatus::Done;
    for plugin in plugins {
        match load(&engine, plugin, &[]).as_ref().map(AnyPlugin::id) {
            Ok(id) => writeln!(text, "ok  {}: {id}", visible(plugin))?,
            Err(error) => {
                status = ExitStatus::CouldNotRun;
                writeln!(
                    text,
                    "no  {}: {}",
                    visible(plugin),
                    visible(&format!("{error:#}"))
                )?;
            }
        }
    }
    printer.data(text.as_bytes())?;
    Ok(status)
}
