//! Outputs: what a person or a program reads of a run.
//!
//! An output is a type that implements [`Output`], in its own file, and one line in
//! [`outputs`]. Every output gets the same findings and the same [`Summary`]; none counts
//! anything itself. Text from logs, plugins and VirusTotal passes through [`visible`] before it
//! becomes part of a line of text.

mod atomic;
mod jsonl;
mod previous;
mod rows;
mod summary;
mod text;
mod timestamps;
mod verdict_files;

use std::io;
use std::path::{Path, PathBuf};

use crate::triage::Finding;

pub use previous::{PreviousFinding, ReadResultsError, read_results};
pub use rows::{ObservationRow, UniqueRows};
pub use summary::{Summary, VerdictCounts};
pub use text::{counted, rfc3339, utc_time, visible};

/// One way in which a run's findings are written.
///
/// The calls come in this order: [`found`](Self::found) for each finding and
/// [`checkpoint`](Self::checkpoint) any number of times, then [`finish`](Self::finish) once. A
/// command that has all findings at once calls `finish` only.
pub trait Output: Send {
    /// Takes a finding as soon as its verdict is known. The order is that of the verdicts, not
    /// that of the plan.
    ///
    /// # Errors
    ///
    /// If it cannot be written. The run continues, and reports the first error at its end.
    fn found(&mut self, _finding: &Finding) -> Result<(), OutputError> {
        Ok(())
    }

    /// Writes the results so far. It is called before a wait of hours or days, in which the
    /// process may be killed. Indicators without a verdict are unknown, with the cause
    /// [`NotAsked`](crate::triage::Cause::NotAsked).
    ///
    /// # Errors
    ///
    /// As for [`found`](Self::found).
    fn checkpoint(&mut self, _results: &Results<'_>) -> Result<(), OutputError> {
        Ok(())
    }

    /// Writes the results of the finished run.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    fn finish(&mut self, results: &Results<'_>) -> Result<(), OutputError>;
}

/// What an output writes.
#[derive(Debug, Clone, Copy)]
pub struct Results<'a> {
    /// One finding for every indicator, in the order of the plan.
    pub findings: &'a [Finding],
    /// The totals.
    pub summary: &'a Summary,
}

/// What the outputs of a run are made from.
#[derive(Debug, Clone)]
pub struct OutputSettings {
    /// The directory of the files. It is created if it does not exist.
    pub directory: PathBuf,
}

/// An output file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct OutputError {
    path: PathBuf,
    source: io::Error,
}

impl OutputError {
    fn new(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            source,
        }
    }
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
    use super::*;
    use crate::indicator::{Indicator, Kind};
    use crate::sightings::Sightings;
    use crate::triage::Cause;

    /// An unknown finding on a domain that was not asked about.
    pub(super) fn not_asked(name: &str) -> Finding {
        let indicator = Indicator::parse(Kind::Domain, name.as_bytes()).unwrap();
        let reason = "no slot".to_owned();
        Finding::unknown(Sightings::unseen(indicator), Cause::NotAsked, reason)
    }

    /// Fails in every call.
    struct Failing;

    impl Output for Failing {
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
        let mut list = OutputList(vec![Box::new(Failing), Box::new(results_file)]);
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
        ] {
            assert!(settings.directory.join(name).exists(), "{name}");
        }
    }
}
