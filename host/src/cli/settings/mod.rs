//! Settings: the arguments and the environment, resolved into what the commands need. Commands
//! see these types and never those of clap.

mod account;
mod case;
mod command_line;
mod config;
mod environment;
mod export;
mod plugin;
mod plugins;
mod read;
mod triage;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

pub(super) use account::AccountSettings;
pub(super) use config::ConfigError;
pub(super) use environment::Environment;
pub(super) use export::{ExportSubject, ExportTask};
pub(super) use plugin::{Language, PluginBench, PluginRun, PluginTask, PluginTest};
pub(super) use plugins::{PolicySettings, parsers, plugin_settings};
pub(super) use read::ReadSettings;
pub(super) use triage::{
    DemoSettings, JudgeSettings, JudgeSubject, LookupSettings, TriageSettings,
};

use super::args::{
    Arguments, Command, ConfiguredOption, EvidenceArgs, EvidenceOf, ExplainArgs, ExtractArgs,
    ReportArgs, UniqueBy, completions, shown_options, write_man_pages,
};
pub(super) use super::args::{OptionSource, ShownOption};
use crate::clock::UnixMs;
use crate::output::{REPORT_FILE, ReportLanguage};
use crate::sightings::FoldBy;
use crate::store::Location;
use crate::triage::Rescan;
use crate::verdict::Verdict;

/// What the program is to do.
pub(super) enum Task {
    /// The triage of logs.
    Triage(Box<TriageSettings>),
    /// `vthost extract`.
    Extract(ExtractSettings),
    /// `vthost evidence`.
    Evidence(EvidenceSettings),
    /// `vthost judge`.
    Judge(JudgeSettings),
    /// `vthost report`.
    Report(Box<ReportSettings>),
    /// `vthost export`.
    Export(Box<ExportTask>),
    /// `vthost demo`.
    Demo(DemoSettings),
    /// `vthost quota`.
    Quota(AccountTask),
    /// `vthost status`.
    Status(Option<Location>),
    /// `vthost doctor`.
    Doctor(AccountTask),
    /// `vthost formats`.
    Formats,
    /// `vthost explain`.
    Explain(ExplainSettings),
    /// `vthost plugin`.
    Plugin(PluginTask),
    /// `vthost config show`.
    ConfigShow(ConfigShow),
    /// `vthost completions`: the script.
    Completions(Vec<u8>),
    /// `vthost man`: the folder for the pages.
    Man(PathBuf),
}

/// The options of a command with the sources of their values.
pub(super) struct ConfigShow {
    /// The command, such as `["plugin", "run"]`; empty for the triage of logs.
    pub(super) command: Vec<String>,
    /// Its options.
    pub(super) options: Vec<ShownOption>,
}

impl ConfigShow {
    fn new(line: &[OsString], configured: &[ConfiguredOption]) -> Result<Self, clap::Error> {
        let line = line.iter().map(|word| word.to_string_lossy().into_owned());
        let line: Vec<String> = line.collect();
        let (command, options) = shown_options(&line, configured)?;
        Ok(Self { command, options })
    }
}

/// Writes a man page for each command to a folder.
pub(super) fn write_manual(directory: &Path) -> anyhow::Result<()> {
    let cannot_write = || format!("cannot write man pages to `{}`", directory.display());
    write_man_pages(directory).with_context(cannot_write)
}

/// The settings of `vthost quota` and `vthost doctor`.
pub(super) struct AccountTask {
    /// The location of the store, if one is named.
    pub(super) store: Option<Location>,
    /// The account.
    pub(super) account: AccountSettings,
}

/// The settings of `vthost extract`.
pub(super) struct ExtractSettings {
    /// The logs.
    pub(super) read: ReadSettings,
    /// What a printed row is.
    pub(super) rows: ExtractedRows,
    /// Whether to print where the time went.
    pub(super) with_times: bool,
}

/// What `vthost extract` prints a row for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExtractedRows {
    /// Each observation.
    Observations,
    /// Each observation, with the value as the log has it.
    ObservationsAsWritten,
    /// Each indicator or host, with counts.
    Unique(FoldBy),
}

/// The settings of `vthost evidence`.
pub(super) struct EvidenceSettings {
    /// The logs.
    pub(super) read: ReadSettings,
    /// The `results.jsonl` of a run.
    pub(super) results: PathBuf,
    /// The verdict of the indicators whose lines are printed.
    pub(super) verdict: Verdict,
}

/// The settings of `vthost report`.
pub(super) struct ReportSettings {
    /// What is reported.
    pub(super) subject: ExportSubject,
    /// The file to write; none for standard output.
    pub(super) out: Option<PathBuf>,
    /// The language.
    pub(super) language: ReportLanguage,
}

/// The settings of `vthost explain`.
pub(super) struct ExplainSettings {
    /// A URL, a domain or an address.
    pub(super) indicator: String,
    /// The location of the store, if one is named.
    pub(super) store: Option<Location>,
    /// The policies.
    pub(super) policies: PolicySettings,
}

impl Task {
    /// Resolves the arguments.
    ///
    /// # Errors
    ///
    /// If options contradict each other in a way that clap does not detect.
    pub(super) fn new(
        arguments: Arguments,
        configured: &[ConfiguredOption],
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let now_ms = environment.clock().now_ms();
        Ok(match arguments.command {
            None => Self::Triage(Box::new(TriageSettings::new(arguments.triage, now_ms)?)),
            Some(Command::Extract(args)) => Self::Extract(extract(args, now_ms)?),
            Some(Command::Evidence(args)) => Self::Evidence(evidence(args, now_ms)?),
            Some(Command::Judge(args)) => Self::Judge(JudgeSettings::new(args, now_ms)),
            Some(Command::Report(args)) => Self::Report(Box::new(report(*args)?)),
            Some(Command::Export(args)) => Self::Export(Box::new(ExportTask::new(*args)?)),
            Some(Command::Demo(args)) => Self::Demo(DemoSettings::new(args)),
            Some(Command::Quota(args)) => Self::Quota(AccountTask {
                store: args.store,
                account: AccountSettings::new(args.account),
            }),
            Some(Command::Status(args)) => Self::Status(args.store),
            Some(Command::Doctor(args)) => Self::Doctor(AccountTask {
                store: args.store,
                account: AccountSettings::new(args.account),
            }),
            Some(Command::Formats) => Self::Formats,
            Some(Command::Explain(args)) => Self::Explain(explain(args)),
            Some(Command::Plugin(args)) => Self::Plugin(args.command.into()),
            Some(Command::Config(args)) => {
                Self::ConfigShow(ConfigShow::new(&args.line, configured)?)
            }
            Some(Command::Completions(args)) => Self::Completions(completions(args.shell)),
            Some(Command::Man(args)) => Self::Man(args.directory),
        })
    }
}

fn extract(args: ExtractArgs, now_ms: UnixMs) -> anyhow::Result<ExtractSettings> {
    let rows = match args.unique {
        Some(UniqueBy::Url) => ExtractedRows::Unique(FoldBy::Indicator),
        Some(UniqueBy::Host) => ExtractedRows::Unique(FoldBy::Host),
        None if args.written => ExtractedRows::ObservationsAsWritten,
        None => ExtractedRows::Observations,
    };
    Ok(ExtractSettings {
        read: ReadSettings::new(args.read, now_ms)?,
        rows,
        with_times: args.times,
    })
}

fn evidence(args: EvidenceArgs, now_ms: UnixMs) -> anyhow::Result<EvidenceSettings> {
    Ok(EvidenceSettings {
        read: ReadSettings::new(args.read, now_ms)?,
        results: args.results,
        verdict: match args.verdict {
            EvidenceOf::Bad => Verdict::Bad,
            EvidenceOf::Good => Verdict::Good,
            EvidenceOf::Unknown => Verdict::Unknown,
        },
    })
}

fn report(args: ReportArgs) -> anyhow::Result<ReportSettings> {
    if let Some(out) = &args.out
        && !args.force
        && out.exists()
    {
        bail!("`{}` exists; replace it with --force", out.display());
    }
    let results = match args.results.is_dir() {
        true => args.results.join("results.jsonl"),
        false => args.results,
    };
    let beside = results.with_file_name(REPORT_FILE);
    Ok(ReportSettings {
        out: Some(args.out.unwrap_or(beside)).filter(|out| out.as_os_str() != "-"),
        subject: match args.from_store {
            true => ExportSubject::Store(
                PolicySettings::new(args.policy),
                LookupSettings::new(args.store, Rescan::No),
            ),
            false => ExportSubject::Results(results),
        },
        language: args.lang,
    })
}

fn explain(args: ExplainArgs) -> ExplainSettings {
    ExplainSettings {
        indicator: args.indicator,
        store: args.store,
        policies: PolicySettings::new(args.policy),
    }
}
