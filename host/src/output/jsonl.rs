//! `results.jsonl`: the findings for programs, with a stable schema.
//!
//! There is one row for each finding; the last row is the summary. Absent values are left out,
//! never null. Nothing in the file depends on how often the run was interrupted.

use std::path::{Path, PathBuf};

use super::api::{Output, OutputError, Results};
use super::atomic::replace;
use super::finding_row::FindingRow;
use super::rows::push;
use super::summary_row::SummaryRow;

/// `results.jsonl`.
pub(super) struct JsonLines {
    path: PathBuf,
}

impl JsonLines {
    /// The file in a directory. Nothing is written yet.
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            path: directory.join("results.jsonl"),
        }
    }
}

impl Output for JsonLines {
    fn checkpoint(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        self.finish(results)
    }

    fn finish(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        let mut lines = Vec::new();
        for finding in results.findings {
            push(&mut lines, &FindingRow::new(finding, results.summary));
        }
        push(&mut lines, &SummaryRow::new(results.summary));
        replace(&self.path, &lines)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::not_asked;
    use super::*;
    use crate::output::summary::Summary;

    #[test]
    fn checkpoint_writes_the_results_so_far() {
        let directory = tempfile::tempdir().unwrap();
        let findings = [not_asked("a.example.com"), not_asked("b.example.com")];
        let mut summary = Summary::default();
        summary.count(&findings);
        let results = Results {
            findings: &findings,
            summary: &summary,
        };
        JsonLines::new(directory.path())
            .checkpoint(&results)
            .unwrap();
        let written = std::fs::read_to_string(directory.path().join("results.jsonl")).unwrap();
        assert_eq!(written.matches("\"cause\":\"not-asked\"").count(), 2);
        assert!(written.contains("\"unknown\":2"), "{written}");
    }
}
