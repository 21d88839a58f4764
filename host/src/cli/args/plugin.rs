//! `vthost plugin` and its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::plugin::PluginKind;
use crate::registry::OciReference;
use crate::store::Location;

/// `vthost plugin`.
#[derive(Debug, Args)]
pub struct PluginArgs {
    /// The command.
    #[command(subcommand)]
    pub command: PluginCommand,
}

/// The commands of `vthost plugin`.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Create a folder with a plugin that builds, with tests and cases
    New {
        /// The kind of plugin
        kind: NewKind,
        /// The name of the plugin and of the folder: a-z, 0-9 and -
        name: String,
        /// The language to write it in
        #[arg(long, value_enum, default_value_t = Language::Rust)]
        lang: Language,
    },
    /// Write C bindings for the contract: a header, its code, and the component's type
    Bindings {
        /// The contract
        kind: NewKind,
        /// The folder for the files
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Make a component from a core module, such as a C compiler or Go builds for wasip1
    Componentize {
        /// The core module
        #[arg(value_name = "CORE")]
        core: PathBuf,
        /// The component to write
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Test a plugin against what every plugin must handle, and against cases
    Test(PluginTestArgs),
    /// Run one plugin on one file: a parser on a log, a policy on a report
    Run(PluginRunArgs),
    /// Print a sample of VirusTotal's report, to start a case or to try a policy
    Report {
        /// The URL, domain or IP address that the report is about
        #[arg(value_name = "INDICATOR", default_value = "example.com")]
        indicator: String,
    },
    /// Measure a plugin and compare it with a built-in one of its kind
    Bench(PluginBenchArgs),
    /// Print a plugin's imports, exports, digest and description
    Inspect {
        /// A .wasm file, or a built-in plugin's name
        #[arg(value_name = "NAME|FILE")]
        plugin: String,
        /// Print the contract too
        #[arg(long)]
        wit: bool,
    },
    /// Check whether this host can run plugins, and if not, why
    Check {
        /// .wasm files, or built-in plugins' names
        #[arg(value_name = "NAME|FILE", required = true)]
        plugins: Vec<String>,
    },
    /// Fetch a plugin from an OCI registry and record its digest in vthost.toml
    Pull {
        /// REGISTRY/PATH:TAG, or REGISTRY/PATH@sha256:DIGEST
        place: OciReference,
        /// The file to write [default: the last part of the path, with .wasm]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Accept only a component with this digest
        #[arg(long, value_name = "sha256:DIGEST")]
        digest: Option<String>,
    },
    /// Publish a plugin in an OCI registry
    Push {
        /// A .wasm file
        file: PathBuf,
        /// REGISTRY/PATH:TAG
        place: OciReference,
    },
    /// List the built-in plugins
    List,
    /// Write the built-in plugins as .wasm files
    Export {
        /// The folder for the files
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

/// The kinds of plugin that can be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NewKind {
    /// Decides what VirusTotal's reports mean.
    Policy,
    /// Reads a log format.
    Parser,
}

impl From<NewKind> for PluginKind {
    fn from(kind: NewKind) -> Self {
        match kind {
            NewKind::Policy => Self::Policy,
            NewKind::Parser => Self::Parser,
        }
    }
}

/// The languages of `vthost plugin new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust
    Rust,
    /// Python, with componentize-py
    Python,
    /// JavaScript, with componentize-qjs
    Js,
    /// C, with clang and wasi-libc
    C,
    /// Go, without other modules
    Go,
    /// Zig, with the C bindings
    Zig,
}

impl Language {
    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Js => "js",
            Self::C => "c",
            Self::Go => "go",
            Self::Zig => "zig",
        }
    }
}

/// `vthost plugin test`.
#[derive(Debug, Args)]
pub struct PluginTestArgs {
    /// A .wasm file, or a built-in plugin's name
    #[arg(value_name = "NAME|FILE")]
    pub plugin: String,
    /// A case or a folder of cases: NAME.log with NAME.jsonl for a parser, NAME.json for a policy
    #[arg(value_name = "CASES")]
    pub cases: Option<PathBuf>,
    /// A setting of the plugin, or a JSON file with settings
    #[arg(long, value_name = "KEY=VALUE|@FILE")]
    pub config: Vec<String>,
    /// Replace the expected results of the cases with the actual ones
    #[arg(long, requires = "cases")]
    pub update: bool,
    /// Write the results also as a JUnit report
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// `vthost plugin run`.
#[derive(Debug, Args)]
pub struct PluginRunArgs {
    /// A .wasm file, or a built-in plugin's name
    #[arg(value_name = "NAME|FILE")]
    pub plugin: String,
    /// A log, or VirusTotal's report in JSON; `-` for standard input
    #[arg(value_name = "INPUT")]
    pub input: Option<PathBuf>,
    /// A setting of the plugin, or a JSON file with settings
    #[arg(long, value_name = "KEY=VALUE|@FILE")]
    pub config: Vec<String>,
    /// Print at most this many rows
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// For a parser: print samples of the rejected lines instead, a few for each reason
    #[arg(long)]
    pub rejects: bool,
    /// The indicator of the report; without an INPUT, its stored reports are used
    #[arg(long, value_name = "INDICATOR")]
    pub indicator: Option<String>,
    /// The file or database with the answers [default: a file in the user's data directory]
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
}

/// `vthost plugin bench`.
#[derive(Debug, Args)]
pub struct PluginBenchArgs {
    /// A .wasm file, or a built-in plugin's name
    #[arg(value_name = "NAME|FILE")]
    pub plugin: String,
    /// A log, for a parser
    #[arg(value_name = "LOG")]
    pub input: Option<PathBuf>,
    /// A setting of the plugin, or a JSON file with settings
    #[arg(long, value_name = "KEY=VALUE|@FILE")]
    pub config: Vec<String>,
}
