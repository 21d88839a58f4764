//! The settings of `vthost export`.

use std::path::PathBuf;

use anyhow::bail;

use super::plugins::PolicySettings;
use super::triage::LookupSettings;
use crate::cli::args::ExportArgs;
use crate::output::export::{ExportSettings, read_evidence};
use crate::triage::Rescan;

/// The settings of `vthost export`.
pub(in crate::cli) struct ExportTask {
    /// What is exported.
    pub(in crate::cli) subject: ExportSubject,
    /// The format and its options.
    pub(in crate::cli) export: ExportSettings,
    /// The file to write, if it is not standard output.
    pub(in crate::cli) out: Option<PathBuf>,
}

/// The findings that are exported or reported.
pub(in crate::cli) enum ExportSubject {
    /// Those of a run, by its `results.jsonl`.
    Results(PathBuf),
    /// Those of the policies on all reports in the store.
    Store(PolicySettings, LookupSettings),
}

impl ExportTask {
    /// The settings of these arguments.
    ///
    /// # Errors
    ///
    /// If the file to write exists and may not be replaced, or the evidence cannot be read.
    pub(super) fn new(args: ExportArgs) -> anyhow::Result<Self> {
        if let Some(out) = args.out.as_ref().filter(|out| out.exists() && !args.force) {
            bail!("`{}` exists; replace it with --force", out.display());
        }
        let subject = match args.results {
            Some(folder) if folder.is_dir() => ExportSubject::Results(folder.join("results.jsonl")),
            Some(file) => ExportSubject::Results(file),
            None => ExportSubject::Store(
                PolicySettings::new(args.policy),
                LookupSettings::new(args.store, Rescan::No),
            ),
        };
        Ok(Self {
            subject,
            export: ExportSettings {
                format: args.format,
                has_csv_bom: args.csv_bom,
                rpz_zone: args.rpz_zone.trim_end_matches('.').to_owned(),
                events: args.evidence.as_deref().map(read_evidence).transpose()?,
            },
            out: args.out,
        })
    }
}
