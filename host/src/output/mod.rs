//! Outputs: what a person or a program reads of a run.
//!
//! An output is a type that implements [`Output`], in its own file, and one line in
//! [`outputs`]. Every output gets the same findings and the same [`Summary`]; none counts
//! anything itself. Text from logs, plugins and VirusTotal passes through [`visible`] before it
//! becomes part of a line of text.

mod api;
mod atomic;
mod brief;
mod existing;
pub mod export;
mod finding_row;
mod input_lines;
mod jsonl;
mod previous;
mod report;
mod rows;
mod run_facts;
mod summary;
mod summary_row;
#[cfg(test)]
mod testing;
mod text;
mod timestamps;
mod verdict_files;

use std::path::PathBuf;

use crate::triage::Finding;

pub use api::{Output, OutputError, Results};
pub use existing::{ExistingResults, check_replaceable};
pub use previous::{PreviousFinding, ReadResultsError, read_results};
pub use report::{REPORT_FILE, ReportLanguage, report_of, write_report};
pub use rows::{ObservationRow, UniqueRows};
pub use run_facts::{RunEnding, RunFacts, begin_run};
pub use summary::{Summary, VerdictCounts};
pub use text::{counted, rfc3339, utc_time, visible};

/// What the outputs of a run are made from.
#[derive(Debug, Clone)]
pub struct OutputSettings {
    /// The directory of the files. It is created if it does not exist.
    pub directory: PathBuf,
    /// The language of the report.
    pub language: ReportLanguage,
}

/// Opens every output of a run.
///
/// # Errors
///
/// If the directory or a file in it cannot be created.
pub fn outputs(settings: &OutputSettings) -> Result<OutputList, OutputError> {
    let directory = &settings.directory;
    std::fs::create_dir_all(directory).map_err(|source| OutputError::new(directory, source))?;
    Ok(OutputList(vec![
        Box::new(verdict_files::VerdictFiles::create(directory)?),
        Box::new(jsonl::JsonLines::new(directory)),
        Box::new(run_facts::RunFile::new(directory)),
        Box::new(report::HtmlReport::new(directory, settings.language)),
    ]))
}

/// Several outputs as one. An error of one output does not keep the call from the others; the
/// first error is returned.
pub struct OutputList(Vec<Box<dyn Output>>);

impl OutputList {
    fn each(
        &mut self,
        call: impl FnMut(&mut Box<dyn Output>) -> Result<(), OutputError>,
    ) -> Result<(), OutputError> {
        let results: Vec<_> = self.0.iter_mut().map(call).collect();
        results.into_iter().collect()
    }
}

impl Output for OutputList {
    fn found(&mut self, finding: &Finding) -> Result<(), OutputError> {
        self.each(|output| output.found(finding))
    }

    fn checkpoint(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        self.each(|output| output.checkpoint(results))
    }

    fn finish(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        self.each(|output| output.finish(results))
    }
}

#[cfg(test)]
mod tests {
    use super::testing::not_asked;
    use super::*;
    use std::io;
    use std::path::Path;

    /// Fails in every call.
    struct FailingOutput;

    impl Output for FailingOutput {
        fn finish(&mut self, _results: &Results<'_>) -> Result<(), OutputError> {
            Err(OutputError::new(
                Path::new("full"),
                io::ErrorKind::StorageFull.into(),
            ))
        }
    }

    #[test]
    fn failing_output_does_not_keep_the_others_from_being_written() {
        let directory = tempfile::tempdir().unwrap();
        let results_file = jsonl::JsonLines::new(directory.path());
        let mut list = OutputList(vec![Box::new(FailingOutput), Box::new(results_file)]);
        let summary = Summary::default();
        let results = Results {
            findings: &[not_asked("example.com")],
            summary: &summary,
        };
        let error = list.finish(&results).unwrap_err();
        assert_eq!(error.to_string(), "cannot write `full`");
        assert!(directory.path().join("results.jsonl").exists());
    }

    #[test]
    fn outputs_create_their_directory() {
        let directory = tempfile::tempdir().unwrap();
        let settings = OutputSettings {
            directory: directory.path().join("a/b"),
            language: ReportLanguage::En,
        };
        let summary = Summary::default();
        let results = Results {
            findings: &[],
            summary: &summary,
        };
        outputs(&settings).unwrap().finish(&results).unwrap();
        for name in [
            "bad-domain.txt",
            "good-domain.txt",
            "unknown-domain.txt",
            "results.jsonl",
            "run.json",
            "report.html",
        ] {
            assert!(settings.directory.join(name).exists(), "{name}");
        }
    }
}
