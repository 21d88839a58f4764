//! `vthost export`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::examples;
use super::shared::{PolicyArgs, StoreArgs};
use crate::output::export::ExportFormat;

/// `vthost export`.
#[derive(Debug, Args)]
#[command(help_template = examples::TEMPLATE, before_help = examples::EXPORT)]
#[command(after_help = examples::AFTER_EXPORT)]
pub struct ExportArgs {
    /// The results of a run: its folder, or its results.jsonl [default: what the policy decides on
    /// the reports in the store]
    #[arg(value_name = "RESULTS", conflicts_with_all = ["store", "policy", "policy_config"])]
    pub results: Option<PathBuf>,
    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    pub format: ExportFormat,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Begin CSV with a byte order mark, for Excel
    #[arg(long)]
    pub csv_bom: bool,
    /// For `rpz`: the name of the zone that the file is loaded as, which counts in the length of
    /// its names
    #[arg(long, value_name = "NAME", default_value = "rpz.example.com")]
    pub rpz_zone: String,
    /// For `timesketch`: what `vthost evidence` printed, for a row of each contact
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
    /// The policies.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Reads a format's name; the help describes each.
fn format_parser() -> impl TypedValueParser<Value = ExportFormat> {
    let values = ExportFormat::ALL.map(|(_, name, about)| PossibleValue::new(name).help(about));
    PossibleValuesParser::new(values).try_map(|name| name.parse())
}
