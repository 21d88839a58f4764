//! Options that every command has: messages, the time zone, and the files beside them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::zone::DisplayZone;

/// Options that every command has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages and settings")]
pub struct GlobalArgs {
    /// Print errors and requested data only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print each request and each input as it is read, and the whole summary
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Whether messages have colours; `auto`: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
    /// Show no progress bar
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// The zone of the times that are shown: UTC, `local`, a name such as Asia/Tokyo, or an offset
    /// such as +09:00. Files of results are always in UTC
    #[arg(long, global = true, value_name = "ZONE", default_value = "UTC")]
    #[arg(allow_hyphen_values = true)]
    pub tz: DisplayZone,
    /// Append messages, requests and inputs with their times to this file; it never contains the
    /// API key
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Read this file instead of vthost.toml in the current folder and in the user's configuration
    /// folder
    #[arg(long, global = true, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
}

/// When messages have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
