//! `report.html`: the findings for people, in one file without references to others.
//!
//! A report is made from the rows of `results.jsonl` and from `run.json`, whether a run has them
//! in memory or `vthost report` reads them, so that both give the same bytes. The page needs no
//! script to be read; its script only sorts and filters tables. Text from outside is escaped by
//! the template, and made visible by [`shown`].

mod affected;
mod chart;
mod inputs;
mod language;
mod lists;
mod model;
mod next_action;
mod page;
mod shown;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::api::{Output, OutputError, Results};
use super::atomic::replace;
use super::finding_row::FindingRow;
use super::previous::ReadResultsError;
use super::run_facts::{RUN_FILE, RunFacts};
use super::summary_row::SummaryRow;

pub use language::ReportLanguage;
use model::ReportModel;

/// The name of the file.
pub const REPORT_FILE: &str = "report.html";

/// Writes `report.html`.
pub(super) struct HtmlReport {
    path: PathBuf,
    language: ReportLanguage,
}

impl HtmlReport {
    /// The file in a directory. Nothing is written yet.
    pub(super) fn new(directory: &Path, language: ReportLanguage) -> Self {
        Self {
            path: directory.join(REPORT_FILE),
            language,
        }
    }
}

impl Output for HtmlReport {
    fn checkpoint(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        self.finish(results)
    }

    fn finish(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        let summary = SummaryRow::new(results.summary);
        let mut model = ReportModel::default();
        for finding in results.findings {
            model.add(&FindingRow::new(finding, results.summary));
        }
        let page = page::html(&model, &summary, &results.summary.run, self.language);
        replace(&self.path, page.as_bytes())
    }
}

/// The type of a row of `results.jsonl`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RowType {
    r#type: String,
}

/// The report of an earlier run. `results` is its `results.jsonl`; a `run.json` in the same
/// folder states how the results came about.
///
/// # Errors
///
/// If the results cannot be read.
pub fn report_of(results: &Path, language: ReportLanguage) -> Result<String, ReadResultsError> {
    let unreadable = |source| ReadResultsError::Read {
        path: results.to_owned(),
        source,
    };
    let file = File::open(results).map_err(unreadable)?;
    let mut model = ReportModel::default();
    let mut summary = None;
    for (text, line) in BufReader::new(file).lines().zip(1..) {
        let text = text.map_err(unreadable)?;
        let malformed = |source| ReadResultsError::Line {
            path: results.to_owned(),
            line,
            source,
        };
        let row: RowType = serde_json::from_str(&text).map_err(malformed)?;
        if row.r#type == "summary" {
            let row: SummaryRow<'static> = serde_json::from_str(&text).map_err(malformed)?;
            summary = Some(row);
        } else {
            let row: FindingRow<'_> = serde_json::from_str(&text).map_err(malformed)?;
            model.add(&row);
        }
    }
    let run = run_facts(&results.with_file_name(RUN_FILE));
    let summary = summary.unwrap_or_else(|| model.summary());
    Ok(page::html(&model, &summary, &run, language))
}

/// Writes a report in one step.
///
/// # Errors
///
/// If it cannot be written.
pub fn write_report(path: &Path, report: &str) -> Result<(), OutputError> {
    replace(path, report.as_bytes())
}

/// The facts of `run.json`; without a readable file nothing is known.
fn run_facts(path: &Path) -> RunFacts {
    let json = std::fs::read(path).unwrap_or_default();
    serde_json::from_slice(&json).unwrap_or_default()
}
