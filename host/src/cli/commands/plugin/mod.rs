//! `vthost plugin`: create, run, test and measure plugins, and list the built-in
//! ones.

mod bench;
mod c;
mod componentize;
mod inspect;
mod new;
mod registry;
mod run;
mod test;
mod trial;
mod watch;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, PluginTask, plugin_settings};
use crate::envelope;
use crate::plugin::{
    Description, Engine, Parser, PluginId, PluginKind, PluginSettings, PluginSource, Policy,
    builtin, survey,
};

pub(super) use trial::parse_indicator;

pub(in crate::cli) fn run(
    task: &PluginTask,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    match task {
        PluginTask::New {
            kind,
            name,
            language,
        } => return new::run(*kind, name, *language, printer),
        PluginTask::Bindings { kind, directory } => c::bindings(*kind, directory)?,
        PluginTask::Componentize { core, file } => componentize::componentize(core, file, printer)?,
        PluginTask::Test(settings) => return test::run(settings, environment, printer),
        PluginTask::Run(settings) => return run::run(settings, environment, printer),
        PluginTask::Report { indicator } => {
            let report = trial::sample_report(&trial::parse_indicator(indicator)?)?;
            printer.data(format!("{report:#}\n").as_bytes())?;
        }
        PluginTask::Bench(settings) => return bench::run(settings, environment, printer),
        PluginTask::Inspect { plugin, with_wit } => {
            return inspect::inspect(plugin, *with_wit, environment, printer);
        }
        PluginTask::Check { plugins } => return inspect::check(plugins, environment, printer),
        PluginTask::Pull { place, out, digest } => {
            return registry::pull(place, out.as_ref(), digest.as_deref(), environment, printer);
        }
        PluginTask::Push { file, place } => {
            return registry::push(file, place, environment, printer);
        }
        PluginTask::List => list(&environment.engine()?, printer)?,
        PluginTask::Export { directory } => export(directory, printer)?,
    }
    Ok(ExitStatus::Done)
}

/// A plugin of either kind.
enum AnyPlugin {
    Parser(Parser),
    Policy(Policy),
}

impl AnyPlugin {
    fn description(&self) -> &Description {
        match self {
            Self::Parser(parser) => parser.description(),
            Self::Policy(policy) => policy.description(),
        }
    }

    fn id(&self) -> &PluginId {
        &self.description().id
    }
}

/// Loads a plugin by its name or file, with settings.
fn load(engine: &Engine, plugin: &str, config: &[String]) -> anyhow::Result<AnyPlugin> {
    let source = PluginSource::named(plugin).read(engine.limits())?;
    let settings = plugin_settings(config)?;
    Ok(match survey(&source, engine.limits())?.kind {
        PluginKind::Parser => AnyPlugin::Parser(Parser::load(engine, &source, &settings)?),
        PluginKind::Policy => AnyPlugin::Policy(Policy::load(engine, &source, &settings)?),
    })
}

/// The head of the list of envelopes.
const ENVELOPES: &str = "
## Envelopes

A log line is often inside something else. These envelopes are removed before a parser
reads the line, up to four of them, one inside the other. They are recognised by their
structure, and removed if what is inside is understood better; the summary names them
(`docker json → squid`). Where a line has no time, it gets that of its envelope.

";

/// `vthost formats`: prints `docs/formats.md`, with a section for each parser.
pub(in crate::cli) fn formats(
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let engine = environment.engine()?;
    let mut text = String::from(include_str!("formats.md"));
    text.push_str(ENVELOPES);
    for (name, form) in envelope::list() {
        writeln!(text, "- **{name}**: {form}.")?;
    }
    let parsers = builtin::all()
        .iter()
        .filter(|plugin| plugin.kind == PluginKind::Parser);
    for plugin in parsers {
        let Description {
            summary, formats, ..
        } = describe_builtin(&engine, plugin.kind, plugin.name)?;
        writeln!(text, "\n## `--parser {}`\n\n{summary}.", plugin.name)?;
        for format in formats {
            writeln!(text, "\n**{}**: {}\n", format.name, format.title)?;
            writeln!(text, "```text\n{}\n```", format.example)?;
        }
    }
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::Done)
}

fn list(engine: &Engine, printer: &Printer) -> anyhow::Result<()> {
    let mut text = String::new();
    for plugin in builtin::all() {
        let Description {
            id,
            summary,
            formats,
            ..
        } = describe_builtin(engine, plugin.kind, plugin.name)?;
        writeln!(text, "{id}  {summary}")?;
        writeln!(text, "    sha256:{}", id.digest)?;
        for format in formats {
            writeln!(text, "    {}: {}", format.title, format.example)?;
        }
    }
    printer.data(text.as_bytes())?;
    Ok(())
}

/// The description of a built-in plugin.
pub(super) fn describe_builtin(
    engine: &Engine,
    kind: PluginKind,
    name: &str,
) -> anyhow::Result<Description> {
    describe(engine, kind, &PluginSource::BuiltIn(name.to_owned()))
}

fn describe(
    engine: &Engine,
    kind: PluginKind,
    source: &PluginSource,
) -> anyhow::Result<Description> {
    let settings = PluginSettings::default();
    Ok(match kind {
        PluginKind::Parser => Parser::load(engine, source, &settings)?
            .description()
            .clone(),
        PluginKind::Policy => Policy::load(engine, source, &settings)?
            .description()
            .clone(),
    })
}

fn export(directory: &Path, printer: &Printer) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot create `{}`", directory.display()))?;
    for plugin in builtin::all() {
        let path = directory.join(format!("{}.wasm", plugin.name));
        std::fs::write(&path, plugin.bytes)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        printer.say(&format!(
            "{} {}: {}",
            plugin.kind,
            plugin.name,
            path.display()
        ));
    }
    Ok(())
}
