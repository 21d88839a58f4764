//! Groups of options that several commands share.

use std::path::PathBuf;

use clap::Args;
use clap::builder::Resettable;

use super::values::{MaxAge, ProxyUrl, milliseconds, utc_offset_minutes};
use crate::output::ReportLanguage;
use crate::quota::Rate;
use crate::store::Location;
use crate::triage::Share;

/// The logs and how they are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading logs")]
pub struct ReadArgs {
    /// Log files, directories, or `-` for standard input
    #[arg(value_name = "INPUT", required = true, help_heading = Resettable::Reset)]
    pub inputs: Vec<PathBuf>,
    /// A built-in parser's name, a .wasm file, or `auto`: for each input the parser with the
    /// highest confidence
    #[arg(long, value_name = "NAME|FILE", default_value = "auto")]
    pub parser: String,
    /// A setting of the parser, or a JSON file with settings
    #[arg(long, value_name = "KEY=VALUE|@FILE")]
    pub parser_config: Vec<String>,
    /// The zone of timestamps that have none
    #[arg(
        long,
        value_name = "±HH:MM",
        default_value = "+00:00",
        allow_hyphen_values = true
    )]
    #[arg(value_parser = utc_offset_minutes)]
    pub utc_offset: i16,
    /// The largest size of an unpacked input; the rest is not read, and the run is partial
    #[arg(long, value_name = "GIB", default_value_t = 256)]
    pub max_unpacked: u64,
    /// The memory for the window or dictionary of a compressed input; an input that needs more is
    /// not read
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub max_window: u64,
    /// A file with the password of encrypted zip and 7z archives
    #[arg(long, value_name = "FILE")]
    pub archive_password_file: Option<PathBuf>,
    /// Read content again that another input has, too. Otherwise copies of a log, and the lines of
    /// a rotated log that a later one contains from its start, are counted once
    #[arg(long)]
    pub keep_duplicates: bool,
    /// The memory for distinct indicators and their clients; above it they are kept in a file in
    /// TMPDIR
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub max_memory: usize,
    /// Threads that parse [default: one for each core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// Where the results are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
pub struct OutputArgs {
    /// The folder for the results. Results in it are replaced only by a run with the same inputs
    /// and the same settings of what is decided, such as one that is resumed
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Replace the results of another run
    #[arg(long)]
    pub force: bool,
    /// The language of `report.html`
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub lang: ReportLanguage,
}

/// The policies and their settings.
#[derive(Debug, Args)]
#[command(next_help_heading = "Verdicts")]
pub struct PolicyArgs {
    /// A built-in policy's name, or a .wasm file. Several policies are asked in their order: an
    /// indicator is skipped if one of them skips it, and the first verdict other than unknown
    /// counts
    #[arg(long, value_name = "NAME|FILE", default_value = "strict")]
    pub policy: Vec<String>,
    /// A setting of the policy, or a JSON file with settings; KEY=@FILE takes the value from a file
    /// with JSON or a list of lines. With several policies, prefix it with the policy's name:
    /// `threshold:min_engines=3`
    #[arg(long, value_name = "[NAME:]KEY=VALUE|@FILE")]
    pub policy_config: Vec<String>,
}

/// The VirusTotal account, its quota, and the connection.
#[derive(Debug, Args)]
#[command(next_help_heading = "Quota of VirusTotal")]
pub struct AccountArgs {
    /// Requests in any window of this length
    #[arg(long, value_name = "N/DURATION", default_value = "4/min")]
    pub rate: Rate,
    /// Requests in a day of UTC [default: what VirusTotal reports, else 500]
    #[arg(long, value_name = "N")]
    pub per_day: Option<u32>,
    /// Requests in a month of UTC [default: what VirusTotal reports, else 15500]
    #[arg(long, value_name = "N")]
    pub per_month: Option<u32>,
    /// Requests of each day to leave for others that use the key
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub reserve: u32,
    /// The key's user name at VirusTotal: with it, VirusTotal is asked what is left of the quota,
    /// free of charge. (The key itself would work too, but would appear in proxy logs.)
    #[arg(long, value_name = "NAME")]
    pub vt_user: Option<String>,
    /// A file with the API key [default: VT_API_KEY, VTCLI_APIKEY or ~/.vt.toml]
    #[arg(help_heading = "Connection to VirusTotal")]
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// The address of VirusTotal
    #[arg(help_heading = "Connection to VirusTotal")]
    #[arg(long, value_name = "URL", default_value = "https://www.virustotal.com")]
    pub vt_url: url::Url,
    /// Certificates to trust in addition to the system's, in PEM form
    #[arg(help_heading = "Connection to VirusTotal")]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The proxy to VirusTotal, optionally as http://USER:PASSWORD@HOST:PORT [default: from
    /// HTTPS_PROXY, HTTP_PROXY and NO_PROXY]
    #[arg(help_heading = "Connection to VirusTotal")]
    #[arg(long, value_name = "URL")]
    pub proxy: Option<ProxyUrl>,
    /// The timeout of a request, from connecting to the last byte of the answer
    #[arg(help_heading = "Connection to VirusTotal")]
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = milliseconds)]
    pub timeout: i64,
    /// Use HTTP/1.1 only, for proxies that break HTTP/2
    #[arg(help_heading = "Connection to VirusTotal")]
    #[arg(long)]
    pub http1: bool,
}

/// The store, and what may be sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stored answers")]
pub struct StoreArgs {
    /// The file with answers and the quota's ledger [default: in the user's data directory]; or
    /// postgres://USER@HOST/DATABASE, which several machines may share, with the password in
    /// PGPASSWORD
    #[arg(long, value_name = "FILE|URL")]
    pub store: Option<Location>,
    /// Look up again what was answered longer ago than this; for each outcome with
    /// `bad=30d,good=7d,unknown=1d`, where an outcome that is not named has 7d
    #[arg(long, value_name = "DURATION|OUTCOME=DURATION,…", default_value = "7d")]
    pub max_age: MaxAge,
    /// A domain of your organisation: it and all names under it are never sent
    #[arg(help_heading = "Privacy")]
    #[arg(long, value_name = "SUFFIX")]
    pub internal_suffix: Vec<String>,
    /// What VirusTotal may see
    #[arg(long, value_name = "LEVEL", default_value_t = Share::Hash)]
    #[arg(help = SHARE_HELP, help_heading = "Privacy")]
    pub share: Share,
}

const SHARE_HELP: &str = "What VirusTotal may see: `host` domains and addresses; `hash` also the \
     SHA-256 of URLs; `url` also the URLs; `submit` also submits URLs for a public scan";
