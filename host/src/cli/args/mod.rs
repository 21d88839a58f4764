//! The arguments as clap reads them. Only [`settings`](super::settings) uses these types.

mod configured;
mod examples;
mod export;
mod generated;
mod global;
mod parsing;
mod plugin;
mod shared;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::output::ReportLanguage;
use crate::store::Location;

pub(super) use configured::problem;
pub use configured::{ConfiguredOption, OptionSource, ShownOption, shown_options};
pub use export::ExportArgs;
pub use generated::{CompletionsArgs, ManArgs};
pub(super) use generated::{completions, write_man_pages};
pub use global::{ColorWhen, GlobalArgs};
pub(super) use parsing::early_value;
pub use plugin::{
    Language, NewKind, PluginArgs, PluginBenchArgs, PluginCommand, PluginRunArgs, PluginTestArgs,
};
pub use shared::{AccountArgs, OutputArgs, PolicyArgs, ReadArgs, StoreArgs};
pub use values::{MaxAge, ProxyUrl};
pub(super) use values::{milliseconds, utc_offset_minutes, utc_offset_text};

/// Finds malicious URLs, domains and addresses in proxy, firewall and DNS logs. Sandboxed parsers
/// read the logs, VirusTotal is queried within its quota, and a sandboxed policy decides.
#[derive(Debug, Parser)]
#[command(
    name = "vthost",
    version,
    subcommand_negates_reqs = true,
    max_term_width = 100
)]
#[command(help_template = examples::TEMPLATE, before_help = examples::TRIAGE)]
#[command(override_usage = "vthost [OPTIONS] <INPUT>...\n       vthost <COMMAND> [OPTIONS]")]
pub struct Arguments {
    /// A command other than the triage of logs.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The triage of logs.
    #[command(flatten)]
    pub triage: TriageArgs,
    /// Options that every command has.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// The commands other than the triage of logs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the observations in logs as JSON Lines; no network
    Extract(ExtractArgs),
    /// Print the log lines of a run's bad indicators as JSON Lines; no network
    Evidence(EvidenceArgs),
    /// Apply a policy to stored reports; no request
    Judge(JudgeArgs),
    /// Write the report of an earlier run as HTML; no network
    Report(Box<ReportArgs>),
    /// Convert results for other programs: tables, threat intelligence, block lists; no network
    Export(Box<ExportArgs>),
    /// Try everything on bundled logs and a simulated VirusTotal; no key, no network
    Demo(DemoArgs),
    /// Show what is left of VirusTotal's quota
    Quota(QuotaArgs),
    /// Show what the store contains and which analyses are pending
    Status(StatusArgs),
    /// Check the key, network, clock, quota, store and plugins
    Doctor(DoctorArgs),
    /// List the log formats of the built-in parsers, with an example of each
    Formats,
    /// Explain the verdict on an indicator from stored reports; no request
    Explain(ExplainArgs),
    /// Create, run, test and measure plugins; list or export the built-in ones
    Plugin(PluginArgs),
    /// Show the value of each option and where it comes from
    Config(ConfigArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Write man pages
    Man(ManArgs),
}

/// `vthost config`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::CONFIG)]
#[command(after_help = examples::AFTER_CONFIG)]
pub struct ConfigArgs {
    /// The command.
    #[command(subcommand)]
    pub command: ConfigCommand,
    /// The words after `show`.
    #[arg(skip)]
    pub line: Vec<OsString>,
}

/// The commands of `vthost config`.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Print each option with its value, and whether that is the default, or from a file, the
    /// environment or the command line
    Show {
        /// A command with options, as after `vthost` [default: the triage of logs]
        #[arg(
            value_name = "COMMAND LINE",
            trailing_var_arg = true,
            allow_hyphen_values = true
        )]
        line: Vec<OsString>,
    },
}

/// The triage of logs.
#[derive(Debug, Args)]
pub struct TriageArgs {
    /// The logs.
    #[command(flatten)]
    pub read: ReadArgs,
    /// The policies.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The results.
    #[command(flatten)]
    pub output: OutputArgs,
    /// With `--share submit`: submit every indicator for a new scan, even if VirusTotal has a
    /// report
    #[arg(long, help_heading = "The run")]
    pub rescan: bool,
    /// The delay before an analysis is first polled; it doubles with each poll
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = milliseconds)]
    #[arg(help_heading = "The run")]
    pub poll_after: i64,
    /// When the quota of the day or month is spent, wait until it renews and continue
    #[arg(long, help_heading = "The run")]
    pub wait: bool,
    /// Print the requests of a run in their order and how long they would take; send nothing
    #[arg(long, help_heading = "The run")]
    pub dry_run: bool,
    /// Exit with status 1 if an indicator has this verdict
    #[arg(long, help_heading = "The run", value_name = "VERDICT")]
    pub fail_on: Option<FailOn>,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The account.
    #[command(flatten)]
    pub account: AccountArgs,
}

/// The verdicts that `--fail-on` accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A bad indicator.
    Bad,
}

/// `vthost extract`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::EXTRACT)]
pub struct ExtractArgs {
    /// The logs.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Print one line for each indicator, or for each host, with counts
    #[arg(long, value_name = "BY", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "url")]
    pub unique: Option<UniqueBy>,
    /// Add the value as the log has it, if it is not canonical
    #[arg(long, conflicts_with = "unique")]
    pub written: bool,
    /// Print the time spent reading, parsing and folding to standard error
    #[arg(long)]
    pub times: bool,
}

/// What `--unique` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UniqueBy {
    /// Each indicator.
    Url,
    /// Each domain or address, with all URLs on it.
    Host,
}

/// `vthost evidence`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::EVIDENCE)]
pub struct EvidenceArgs {
    /// The logs.
    #[command(flatten)]
    pub read: ReadArgs,
    /// The results of the run
    #[arg(long, value_name = "FILE", default_value = "results.jsonl")]
    pub results: PathBuf,
    /// Print the lines of indicators with this verdict
    #[arg(long, value_name = "VERDICT", default_value = "bad")]
    pub verdict: EvidenceOf,
}

/// The verdicts whose log lines can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EvidenceOf {
    /// Bad indicators.
    Bad,
    /// Good indicators.
    Good,
    /// Unknown indicators.
    Unknown,
}

/// `vthost judge`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::JUDGE)]
pub struct JudgeArgs {
    /// Logs whose indicators are judged [default: all stored indicators]
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Judge the indicators of an earlier run, and print the verdicts that change
    #[arg(long, value_name = "FILE", conflicts_with = "inputs")]
    pub results: Option<PathBuf>,
    /// A built-in parser's name, a .wasm file, or `auto`
    #[arg(long, value_name = "NAME|FILE", default_value = "auto")]
    pub parser: String,
    /// The results.
    #[command(flatten)]
    pub output: OutputArgs,
    /// The policies.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// `vthost report`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::REPORT)]
pub struct ReportArgs {
    /// The results of a run: `results.jsonl`, or the folder that contains it
    #[arg(value_name = "RESULTS", default_value = ".")]
    pub results: PathBuf,
    /// Report what the policy decides on the reports in the store, instead of the results of a run
    #[arg(long, conflicts_with = "results", requires = "out")]
    pub from_store: bool,
    /// The file to write, or `-` for standard output [default: report.html beside the results,
    /// which is replaced]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace an existing file that --out names
    #[arg(long, requires = "out")]
    pub force: bool,
    /// The language of the report
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub lang: ReportLanguage,
    /// The policies.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// `vthost demo`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::DEMO)]
pub struct DemoArgs {
    /// Logs to use instead of the bundled ones
    #[arg(value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// The folder for the logs and the results
    #[arg(long, value_name = "DIR", default_value = "vthost-demo")]
    pub out: PathBuf,
    /// The policies.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// `vthost quota`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::QUOTA)]
pub struct QuotaArgs {
    /// The file or database with the quota's ledger [default: a file in the user's data directory]
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
    /// The account.
    #[command(flatten)]
    pub account: AccountArgs,
}

/// `vthost status`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::STATUS)]
pub struct StatusArgs {
    /// The file or database with the answers [default: a file in the user's data directory]
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
}

/// `vthost doctor`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::DOCTOR)]
pub struct DoctorArgs {
    /// The file or database with the quota's ledger [default: a file in the user's data directory]
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
    /// The account.
    #[command(flatten)]
    pub account: AccountArgs,
}

/// `vthost explain`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::EXPLAIN)]
pub struct ExplainArgs {
    /// A URL, a domain or an address
    #[arg(value_name = "INDICATOR")]
    pub indicator: String,
    /// The file or database with the answers [default: a file in the user's data directory]
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
    /// The policies.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn clap_accepts_the_definition() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn triage_is_the_command_without_a_name() {
        let line = [
            "vthost",
            "--parser",
            "squid.wasm",
            "--policy",
            "strict.wasm",
            "logs/",
        ];
        let arguments = Arguments::try_parse_from(line).unwrap();
        assert!(arguments.command.is_none());
        assert_eq!(arguments.triage.read.parser, "squid.wasm");
        assert_eq!(arguments.triage.read.inputs, [PathBuf::from("logs/")]);
    }

    #[test]
    fn triage_needs_an_input() {
        assert!(Arguments::try_parse_from(["vthost"]).is_err());
    }
}
