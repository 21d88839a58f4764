//! `vthost report`: the report of an earlier run or of the store, without network.

use std::path::Path;

use anyhow::Context as _;

use super::judged_store;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, ExportSubject, ReportSettings};
use crate::output::{
    Output as _, OutputSettings, REPORT_FILE, ReportLanguage, outputs, report_of, write_report,
};
use crate::pipeline::Judged;

pub(in crate::cli) fn run(
    settings: &ReportSettings,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let report = match &settings.subject {
        ExportSubject::Results(results) => report_of(results, settings.language)?,
        ExportSubject::Store(policies, lookup) => report_on(
            &judged_store(policies, lookup, environment)?,
            settings.language,
        )?,
    };
    match &settings.out {
        Some(path) => {
            write_report(path, &report)?;
            printer.say(&format!("report in {}", path.display()));
        }
        None => printer.data(report.as_bytes())?,
    }
    Ok(ExitStatus::Done)
}

/// The report on findings that are in no folder.
fn report_on(judged: &Judged, language: ReportLanguage) -> anyhow::Result<String> {
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let settings = OutputSettings {
        directory: folder.path().to_owned(),
        language,
    };
    outputs(&settings)?.finish(&judged.results())?;
    read(&folder.path().join(REPORT_FILE))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}
