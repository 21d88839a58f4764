//! `vthost report`: the report of an earlier run, without network and store.

use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::ReportSettings;
use crate::output::{report_of, write_report};

pub(in crate::cli) fn run(
    settings: &ReportSettings,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let report = report_of(&settings.results, settings.language)?;
    match &settings.out {
        Some(path) => {
            write_report(path, &report)?;
            printer.say(&format!("report in {}", path.display()));
        }
        None => printer.data(report.as_bytes())?,
    }
    Ok(ExitStatus::Done)
}
