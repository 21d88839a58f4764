//! The settings of `vthost plugin`.

use std::path::PathBuf;

use crate::cli::args;
use crate::plugin::PluginKind;
use crate::registry::OciReference;
use crate::store::Location;

pub(in crate::cli) use crate::cli::args::Language;

/// What to do with plugins.
pub(in crate::cli) enum PluginTask {
    /// Create a folder for a plugin.
    New {
        kind: PluginKind,
        name: String,
        language: Language,
    },
    /// Write C bindings.
    Bindings {
        kind: PluginKind,
        directory: PathBuf,
    },
    /// Make a component of a core module.
    Componentize { core: PathBuf, file: PathBuf },
    /// Test a plugin.
    Test(PluginTest),
    /// Run a plugin on a file.
    Run(PluginRun),
    /// Print a sample report.
    Report { indicator: String },
    /// Measure a plugin.
    Bench(PluginBench),
    /// Print what a plugin is.
    Inspect { plugin: String, with_wit: bool },
    /// Check whether plugins can run.
    Check { plugins: Vec<String> },
    /// Fetch a plugin from a registry.
    Pull {
        place: OciReference,
        out: Option<PathBuf>,
        digest: Option<String>,
    },
    /// Publish a plugin in a registry.
    Push { file: PathBuf, place: OciReference },
    /// List the built-in plugins.
    List,
    /// Write the built-in plugins as files.
    Export { directory: PathBuf },
}

/// The settings of `vthost plugin test`.
pub(in crate::cli) struct PluginTest {
    /// A file, or a built-in plugin's name.
    pub(in crate::cli) plugin: String,
    /// The folder of the cases.
    pub(in crate::cli) cases: Option<PathBuf>,
    /// `KEY=VALUE` and `@FILE` items.
    pub(in crate::cli) config: Vec<String>,
    /// Whether to replace the expected results.
    pub(in crate::cli) update: bool,
    /// The file for a JUnit report.
    pub(in crate::cli) junit: Option<PathBuf>,
}

/// The settings of `vthost plugin run`.
pub(in crate::cli) struct PluginRun {
    /// A file, or a built-in plugin's name.
    pub(in crate::cli) plugin: String,
    /// A log or a report; `-` for standard input.
    pub(in crate::cli) input: Option<PathBuf>,
    /// `KEY=VALUE` and `@FILE` items.
    pub(in crate::cli) config: Vec<String>,
    /// The maximum number of rows to print.
    pub(in crate::cli) limit: Option<usize>,
    /// Whether to print rejected lines instead of observations.
    pub(in crate::cli) rejects: bool,
    /// The indicator of the report.
    pub(in crate::cli) indicator: Option<String>,
    /// The location of the store, if one is named.
    pub(in crate::cli) store: Option<Location>,
}

/// The settings of `vthost plugin bench`.
pub(in crate::cli) struct PluginBench {
    /// A file, or a built-in plugin's name.
    pub(in crate::cli) plugin: String,
    /// A log, for a parser.
    pub(in crate::cli) input: Option<PathBuf>,
    /// `KEY=VALUE` and `@FILE` items.
    pub(in crate::cli) config: Vec<String>,
}

impl From<args::PluginCommand> for PluginTask {
    fn from(command: args::PluginCommand) -> Self {
        use args::PluginCommand as C;
        match command {
            C::New { kind, name, lang } => Self::New {
                kind: kind.into(),
                name,
                language: lang,
            },
            C::Bindings { kind, directory } => Self::Bindings {
                kind: kind.into(),
                directory,
            },
            C::Componentize { core, file } => Self::Componentize { core, file },
            C::Test(args) => Self::Test(PluginTest {
                plugin: args.plugin,
                cases: args.cases,
                config: args.config,
                update: args.update,
                junit: args.junit,
            }),
            C::Run(args) => Self::Run(PluginRun {
                plugin: args.plugin,
                input: args.input,
                config: args.config,
                limit: args.limit,
                rejects: args.rejects,
                indicator: args.indicator,
                store: args.store,
            }),
            C::Report { indicator } => Self::Report { indicator },
            C::Bench(args) => Self::Bench(PluginBench {
                plugin: args.plugin,
                input: args.input,
                config: args.config,
            }),
            C::Inspect { plugin, wit } => Self::Inspect {
                plugin,
                with_wit: wit,
            },
            C::Check { plugins } => Self::Check { plugins },
            C::Pull { place, out, digest } => Self::Pull { place, out, digest },
            C::Push { file, place } => Self::Push { file, place },
            C::List => Self::List,
            C::Export { directory } => Self::Export { directory },
        }
    }
}
