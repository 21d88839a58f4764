//! `vthost plugin inspect` and `check`: the facts about a plugin, and whether this
//! host can run it.

use std::fmt::Write as _;

use super::load;
use super::trial;
use super::watch::GuestWatch;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::output::visible;
use crate::plugin::{PluginKind, PluginLimits, PluginSource, survey};

/// The text of the contract for a kind of plugin.
pub(super) fn contract(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Parser => include_str!("../../../../../wit/parser/0.1/parser.wit"),
        PluginKind::Policy => include_str!("../../../../../wit/policy/0.1/policy.wit"),
    }
}

/// Prints a plugin's digest, imports and exports, and its description if it loads.
pub(super) fn inspect(
    plugin: &str,
    with_wit: bool,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let survey = survey(&PluginSource::named(plugin), &PluginLimits::default())?;
    let mut text = String::new();
    writeln!(text, "kind: {}", survey.kind)?;
    writeln!(text, "contract: vthost:{}@{}", survey.kind, survey.contract)?;
    writeln!(text, "size: {} bytes", survey.bytes)?;
    writeln!(text, "digest: sha256:{}", survey.digest)?;
    for import in &survey.imports {
        let (import, grant) = (import.display(), import.grant());
        writeln!(text, "import: {} ({grant})", visible(&import))?;
    }
    for export in &survey.exports {
        writeln!(text, "export: {}", visible(export))?;
    }
    let loaded = load(&environment.engine()?, plugin, &[]);
    match &loaded {
        Ok(loaded) => {
            let description = loaded.description();
            writeln!(text, "name: {}", description.id.name)?;
            writeln!(text, "version: {}", description.id.version)?;
            writeln!(text, "licence: {}", visible(&description.licence))?;
            writeln!(text, "summary: {}", visible(&description.summary))?;
            for format in &description.formats {
                let (name, title) = (visible(&format.name), visible(&format.title));
                writeln!(text, "format: {name}: {title}")?;
            }
            match description.settings_schema.trim() {
                "" => writeln!(text, "settings: none")?,
                schema => writeln!(text, "settings: {}", visible(schema))?,
            }
        }
        Err(error) => writeln!(text, "cannot run: {}", visible(&format!("{error:#}")))?,
    }
    if with_wit {
        text.push_str(contract(survey.kind));
    }
    printer.data(text.as_bytes())?;
    Ok(if loaded.is_ok() {
        ExitStatus::Done
    } else {
        ExitStatus::CouldNotRun
    })
}

/// Prints for each plugin whether this host can run it, and if not, why.
pub(super) fn check(
    plugins: &[String],
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let engine = environment.engine()?;
    let mut text = String::new();
    let mut status = ExitStatus::Done;
    for plugin in plugins {
        let (engine, watch) = GuestWatch::of(engine.clone());
        let shown = visible(plugin);
        match load(&engine, plugin, &[]) {
            Ok(loaded) => {
                writeln!(text, "ok  {shown}: {}", loaded.id())?;
                if let Err(error) = trial::once(&loaded) {
                    writeln!(text, "    warning: {}", visible(&format!("{error:#}")))?;
                }
                for warning in watch.warnings() {
                    writeln!(text, "    {warning}")?;
                }
            }
            Err(error) => {
                status = ExitStatus::CouldNotRun;
                writeln!(text, "FAILED  {shown}: {}", visible(&format!("{error:#}")))?;
            }
        }
    }
    printer.data(text.as_bytes())?;
    Ok(status)
}
