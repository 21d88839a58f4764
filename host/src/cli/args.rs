//! The arguments as clap reads them; nothing beyond `settings` sees them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::duration;
use crate::plugin::PluginKind;
use crate::quota::Rate;
use crate::registry::Place;
use crate::store::Location;
use crate::triage::Share;

/// Finds what is bad in proxy, firewall and DNS logs: sandboxed parsers read
/// them, VirusTotal is asked within its quota, a sandboxed policy decides.
#[derive(Debug, Parser)]
#[command(name = "vthost", version, args_conflicts_with_subcommands = true)]
#[command(subcommand_negates_reqs = true, max_term_width = 100)]
pub struct Arguments {
    /// Another command than the main job.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The main job.
    #[command(flatten)]
    pub triage: TriageArgs,
}

/// The commands beside the main job.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print what the logs say, as JSON Lines; no network
    Extract(ExtractArgs),
    /// Print the log lines behind the verdicts of a run, as JSON Lines; no network
    Evidence(EvidenceArgs),
    /// Apply a policy to what is stored; no request
    Judge(JudgeArgs),
    /// Try it: no key, no network, the whole pipeline on bundled logs
    Demo(DemoArgs),
    /// Show what is left of VirusTotal's quota
    Quota(QuotaArgs),
    /// Show what the store holds, and which analyses are still to be asked for
    Status(StatusArgs),
    /// Check key, network, clock, quota, store and plugins; says what to mend
    Doctor(DoctorArgs),
    /// List the log formats that the built-in parsers read, with an example each
    Formats,
    /// Say why an indicator has its verdict, from what is stored; no request
    Explain(ExplainArgs),
    /// Make, try, test and measure plugins; list or export the built-in ones
    Plugin(PluginArgs),
}

/// What is read, and by which parser.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// Log files, directories, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// A built-in parser's name, a .wasm file, or `auto`: the one that is most
    /// sure of each input
    #[arg(long, value_name = "NAME|FILE", default_value = "auto")]
    pub parser: String,
    /// A setting of the parser, or a JSON file of them
    #[arg(long, value_name = "KEY=VALUE|@FILE")]
    pub parser_config: Vec<String>,
    /// The zone of time stamps that name none
    #[arg(
        long,
        value_name = "±HH:MM",
        default_value = "+00:00",
        allow_hyphen_values = true
    )]
    #[arg(value_parser = utc_offset_minutes)]
    pub utc_offset: i16,
    /// What a compressed input may unpack to; past it the input ends there, and
    /// the run is partial
    #[arg(long, value_name = "GIB", default_value_t = 256)]
    pub max_unpacked: u64,
    /// What the distinct indicators and their clients may take in memory; past it
    /// they go to a file in TMPDIR
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub max_memory: usize,
    /// Threads that parse [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// Which policy decides.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// A built-in policy's name, or a .wasm file. Several are asked in their
    /// order: the first that keeps an indicator back does, and the first verdict
    /// that is not unknown holds
    #[arg(long, value_name = "NAME|FILE", default_value = "strict")]
    pub policy: Vec<String>,
    /// A setting of the policy, or a JSON file of them. Where there are several,
    /// the policy's name stands in front: `threshold:min_engines=3`
    #[arg(long, value_name = "[NAME:]KEY=VALUE|@FILE")]
    pub policy_config: Vec<String>,
}

/// Whose key, and what it may be used for.
#[derive(Debug, Args)]
pub struct QuotaLimitArgs {
    /// Requests in any window of time
    #[arg(long, value_name = "N/DURATION", default_value = "4/min")]
    pub rate: Rate,
    /// Requests in a day of UTC [default: what VirusTotal allows, else 500]
    #[arg(long, value_name = "N")]
    pub per_day: Option<u32>,
    /// Requests in a month of UTC [default: what VirusTotal allows, else 15500]
    #[arg(long, value_name = "N")]
    pub per_month: Option<u32>,
    /// Requests of each day to leave for others who use the key
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub reserve: u32,
    /// The key's user at VirusTotal: then it is asked, free of charge, what is
    /// left. (It can be asked by the key too, but proxies write down URLs.)
    #[arg(long, value_name = "NAME")]
    pub vt_user: Option<String>,
    /// A file with the API key; else VT_API_KEY, VTCLI_APIKEY or ~/.vt.toml
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Where VirusTotal is
    #[arg(long, value_name = "URL", default_value = "https://www.virustotal.com")]
    pub vt_url: url::Url,
    /// Certificates to trust beside the system's, in PEM form
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The proxy to VirusTotal, perhaps as http://USER:PASSWORD@HOST:PORT [default:
    /// as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say]
    #[arg(long, value_name = "URL")]
    pub proxy: Option<ProxyUrl>,
    /// The time for one request in all
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = milliseconds)]
    pub timeout: i64,
    /// Speak HTTP/1.1 only, for proxies that break HTTP/2
    #[arg(long)]
    pub http1: bool,
}

/// Where answers are kept.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// The file that keeps answers and the quota's ledger [default: in the
    /// user's data directory]; or postgres://USER@HOST/DATABASE, which several
    /// machines may share, with the password in PGPASSWORD
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
    /// Answers older than this are asked for again; by outcome with
    /// `bad=30d,good=7d,unknown=1d`, what is not named being 7d
    #[arg(long, value_name = "DURATION|OUTCOME=DURATION,…", default_value = "7d")]
    pub max_age: MaxAge,
    /// A domain that never leaves this machine, with all below it
    #[arg(long, value_name = "SUFFIX")]
    pub internal_suffix: Vec<String>,
    /// How much of an indicator VirusTotal may see
    #[arg(long, value_name = "TIER", default_value_t = Share::Hash)]
    #[arg(help = SHARE_HELP)]
    pub share: Share,
}

const SHARE_HELP: &str = "How much VirusTotal may see: `host` domains and addresses; `hash` also \
     the SHA-256 of URLs; `url` the URLs themselves; `submit` also hands them in for a public scan";

/// The main job.
#[derive(Debug, Args)]
pub struct TriageArgs {
    /// What is read.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Who decides.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The folder for the results
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// With `--share submit`: hand in every indicator for a new scan, known or
    /// not
    #[arg(long)]
    pub rescan: bool,
    /// When an analysis is first asked for; then after twice as long, and so on
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = milliseconds)]
    pub poll_after: i64,
    /// When the day's quota is spent, wait for the next day and go on
    #[arg(long)]
    pub wait: bool,
    /// Print what would be sent, in which order and until when, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// End with status 1 when something is bad
    #[arg(long, value_name = "VERDICT")]
    pub fail_on: Option<FailOn>,
    /// Answers.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The quota.
    #[command(flatten)]
    pub quota: QuotaLimitArgs,
}

/// What makes the exit status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A bad indicator.
    Bad,
}

/// `vthost extract`.
#[derive(Debug, Args)]
pub struct ExtractArgs {
    /// What is read.
    #[command(flatten)]
    pub read: ReadArgs,
    /// One line for each indicator, or for each host, with counts
    #[arg(long, value_name = "BY", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "url")]
    pub unique: Option<UniqueBy>,
    /// Add each value as the log writes it, where it is not canonical
    #[arg(long, conflicts_with = "unique")]
    pub written: bool,
    /// Say on standard error where the time went
    #[arg(long)]
    pub times: bool,
}

/// What `--unique` folds by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UniqueBy {
    /// The indicator itself.
    Url,
    /// The domain or address that it belongs to.
    Host,
}

/// `vthost evidence`.
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    /// What is read.
    #[command(flatten)]
    pub read: ReadArgs,
    /// The results of the run
    #[arg(long, value_name = "FILE", default_value = "results.jsonl")]
    pub results: PathBuf,
    /// Whose lines: those of indicators with this verdict
    #[arg(long, value_name = "VERDICT", default_value = "bad")]
    pub verdict: EvidenceOf,
}

/// The verdicts that lines can be printed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EvidenceOf {
    /// What is bad.
    Bad,
    /// What is good.
    Good,
    /// What is unknown.
    Unknown,
}

/// `vthost judge`.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// Logs whose indicators are judged [default: everything stored]
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Judge what an earlier run found, and print what changes
    #[arg(long, value_name = "FILE", conflicts_with = "inputs")]
    pub results: Option<PathBuf>,
    /// A built-in parser's name, a .wasm file, or `auto`
    #[arg(long, value_name = "NAME|FILE", default_value = "auto")]
    pub parser: String,
    /// The folder for the results
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Who decides.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Answers.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// `vthost demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The folder for the logs and the results
    #[arg(long, value_name = "DIR", default_value = "vthost-demo")]
    pub out: PathBuf,
    /// Who decides.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// `vthost quota`.
#[derive(Debug, Args)]
pub struct QuotaArgs {
    /// The file or the database that keeps the ledger [default: a file in the
    /// user's data directory]
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
    /// The quota.
    #[command(flatten)]
    pub limits: QuotaLimitArgs,
}

/// `vthost status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The file or the database that keeps answers [default: a file in the user's
    /// data directory]
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
}

/// `vthost doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The file or the database that keeps the ledger [default: a file in the
    /// user's data directory]
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
    /// The quota.
    #[command(flatten)]
    pub limits: QuotaLimitArgs,
}

/// `vthost plugin`.
#[derive(Debug, Args)]
pub struct PluginArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PluginCommand,
}

/// The languages of `vthost plugin new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust
    Rust,
    /// Python, by componentize-py
    Python,
    /// JavaScript, by componentize-qjs
    Js,
    /// C, by clang and wasi-libc
    C,
}

/// What can be done with plugins.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Make a folder with a plugin that builds, with tests and cases
    New {
        /// What to make
        kind: NewKind,
        /// Its name, and the folder's: a-z, 0-9 and -
        name: String,
        /// The language to write it in
        #[arg(long, value_enum, default_value_t = Language::Rust)]
        lang: Language,
    },
    /// Write the contract as C: a header, its code, and the component's type
    Bindings {
        /// Which contract
        kind: NewKind,
        /// The folder for them
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Make a component of what a C compiler has built with those bindings
    Componentize {
        /// The core module
        #[arg(value_name = "CORE")]
        core: PathBuf,
        /// The component
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Test a plugin against what all must bear, and against cases
    Test(PluginTestArgs),
    /// Run one plugin on one file: a parser on a log, a policy on a report
    Run(PluginRunArgs),
    /// Measure a plugin beside the built-in one of its kind
    Bench(PluginBenchArgs),
    /// Show what a plugin is, imports and says of itself
    Inspect {
        /// A .wasm file, or a built-in plugin's name
        #[arg(value_name = "NAME|FILE")]
        plugin: String,
        /// Print the contract too
        #[arg(long)]
        wit: bool,
    },
    /// Say whether this host would run plugins, and if not, why
    Check {
        /// .wasm files, or built-in plugins' names
        #[arg(value_name = "NAME|FILE", required = true)]
        plugins: Vec<String>,
    },
    /// Fetch a plugin from an OCI registry and record its digest in vthost.toml
    Pull {
        /// Where it is: REGISTRY/PATH:TAG, or REGISTRY/PATH@sha256:DIGEST
        place: Place,
        /// Where to write it [default: the path's last part, and .wasm]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Take only the component of this digest
        #[arg(long, value_name = "sha256:DIGEST")]
        digest: Option<String>,
    },
    /// Put a plugin into an OCI registry
    Push {
        /// A .wasm file
        file: PathBuf,
        /// Where to put it: REGISTRY/PATH:TAG
        place: Place,
    },
    /// List the built-in plugins
    List,
    /// Write the built-in plugins as .wasm files
    Export {
        /// The folder for them
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

/// How long answers count, by outcome, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxAge {
    /// What the policy calls bad.
    pub bad_ms: i64,
    /// What it calls good.
    pub good_ms: i64,
    /// All else.
    pub unknown_ms: i64,
}

impl FromStr for MaxAge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const USUAL_MS: i64 = 7 * 86_400_000;
        if !text.contains('=') {
            let ms = milliseconds(text)?;
            return Ok(Self {
                bad_ms: ms,
                good_ms: ms,
                unknown_ms: ms,
            });
        }
        let mut ages = Self {
            bad_ms: USUAL_MS,
            good_ms: USUAL_MS,
            unknown_ms: USUAL_MS,
        };
        for part in text.split(',') {
            let (outcome, age) = part.split_once('=').unwrap_or((part, ""));
            *match outcome.trim() {
                "bad" => &mut ages.bad_ms,
                "good" => &mut ages.good_ms,
                "unknown" => &mut ages.unknown_ms,
                other => return Err(format!("`{other}` is none of bad, good, unknown")),
            } = milliseconds(age.trim())?;
        }
        Ok(ages)
    }
}

/// As it is read.
impl fmt::Display for MaxAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [bad, good, unknown] =
            [self.bad_ms, self.good_ms, self.unknown_ms].map(duration::format_ms);
        if bad == good && good == unknown {
            return f.write_str(&bad);
        }
        write!(f, "bad={bad},good={good},unknown={unknown}")
    }
}

/// A proxy. Its password is shown nowhere.
#[derive(Clone)]
pub struct ProxyUrl(url::Url);

impl ProxyUrl {
    /// With user and password, for the connection.
    #[must_use]
    pub fn secret(&self) -> &url::Url {
        &self.0
    }

    /// The URL with words in the place of user and password.
    #[must_use]
    pub fn template(&self) -> String {
        let shown = self.to_string();
        if self.0.username().is_empty() && self.0.password().is_none() {
            return shown;
        }
        shown.replacen("://", "://USER:PASSWORD@", 1)
    }
}

impl FromStr for ProxyUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = url::Url::parse(text).ok();
        url.filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .map(Self)
            .ok_or_else(|| "write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT".to_owned())
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme())?;
        match self.0.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The kinds of plugin that can be made.
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

/// `vthost plugin test`.
#[derive(Debug, Args)]
pub struct PluginTestArgs {
    /// A .wasm file, or a built-in plugin's name
    #[arg(value_name = "NAME|FILE")]
    pub plugin: String,
    /// A folder of cases: for a parser NAME.log with NAME.jsonl, for a policy
    /// NAME.json
    #[arg(value_name = "CASES")]
    pub cases: Option<PathBuf>,
    /// A setting of the plugin, or a JSON file of them
    #[arg(long, value_name = "KEY=VALUE|@FILE")]
    pub config: Vec<String>,
    /// Write what the plugin says now as what the cases expect
    #[arg(long, requires = "cases")]
    pub update: bool,
    /// Write the checks as a JUnit report too
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
    /// A setting of the plugin, or a JSON file of them
    #[arg(long, value_name = "KEY=VALUE|@FILE")]
    pub config: Vec<String>,
    /// Print no more rows than this
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Of a log print the lines that were rejected, a few for each reason
    #[arg(long)]
    pub rejects: bool,
    /// What the report is on; without an INPUT, the reports that are stored on it
    #[arg(long, value_name = "INDICATOR")]
    pub indicator: Option<String>,
    /// The file or the database that keeps answers [default: a file in the user's
    /// data directory]
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
    /// A setting of the plugin, or a JSON file of them
    #[arg(long, value_name = "KEY=VALUE|@FILE")]
    pub config: Vec<String>,
}

/// `vthost explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A URL, a domain or an address
    #[arg(value_name = "INDICATOR")]
    pub indicator: String,
    /// The file or the database that keeps answers [default: a file in the user's
    /// data directory]
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
    /// Who decides.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

fn milliseconds(text: &str) -> Result<i64, String> {
    duration::parse_ms(text)
        .ok_or_else(|| "write a number and a unit, such as 90s, 12h or 7d".to_owned())
}

/// Minutes east of UTC as `+09:00`.
pub(super) fn utc_offset_text(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Minutes east of UTC of `+09:00`.
fn utc_offset_minutes(text: &str) -> Result<i16, String> {
    let bad = || "write hours and minutes east of UTC, such as +09:00 or -05:30".to_owned();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(bad)?;
    let number = |text: &str, most: i16| text.parse().ok().filter(|n| (0..=most).contains(n));
    let hours: i16 = number(hours, 18).ok_or_else(bad)?;
    let minutes: i16 = number(minutes, 59).ok_or_else(bad)?;
    Ok(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_command_line_of_the_mission_is_read() {
        let line = [
            "vthost",
            "--parser",
            "squid.wasm",
            "--policy",
            "strict.wasm",
            "logs/",
        ];
        let arguments = Arguments::try_parse_from(line).unwrap();
        assert_eq!(arguments.triage.read.parser, "squid.wasm");
        assert_eq!(arguments.triage.read.inputs, [PathBuf::from("logs/")]);
        assert!(Arguments::try_parse_from(["vthost"]).is_err());
    }

    #[test]
    fn ages_are_read_by_outcome() {
        const DAY: i64 = 86_400_000;
        let check = |text: &str, expected: Option<(i64, i64, i64)>| {
            let ages = text.parse::<MaxAge>().ok();
            let ages = ages.map(|ages| (ages.bad_ms, ages.good_ms, ages.unknown_ms));
            assert_eq!(ages, expected, "{text}");
        };
        check("2d", Some((2 * DAY, 2 * DAY, 2 * DAY)));
        check(
            "bad=30d,good=7d, unknown=1d",
            Some((30 * DAY, 7 * DAY, DAY)),
        );
        check("unknown=12h", Some((7 * DAY, 7 * DAY, DAY / 2)));
        check("evil=1d", None);
        check("bad=", None);
        for text in ["12h", "bad=30d,good=7d,unknown=1d"] {
            assert_eq!(text.parse::<MaxAge>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_proxys_password_is_not_shown() {
        let proxy: ProxyUrl = "http://user:hunter2@proxy.example.com:3128"
            .parse()
            .unwrap();
        assert_eq!(proxy.to_string(), "http://proxy.example.com:3128");
        assert_eq!(
            proxy.template(),
            "http://USER:PASSWORD@proxy.example.com:3128"
        );
        assert!(!format!("{proxy:?}").contains("hunter2"));
        let error = "hunter2@proxy".parse::<ProxyUrl>().unwrap_err();
        assert!(!error.contains("hunter2"));
    }

    #[test]
    fn offsets_are_read() {
        let check = |text, expected| assert_eq!(utc_offset_minutes(text).ok(), expected, "{text}");
        check("+09:00", Some(540));
        check("-05:30", Some(-330));
        check("00:00", Some(0));
        check("+9", None);
        check("+19:00", None);
        for text in ["+09:00", "-05:30", "+00:00"] {
            assert_eq!(utc_offset_text(utc_offset_minutes(text).unwrap()), text);
        }
    }
}
