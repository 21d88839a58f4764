//! What an output is, and what it gets.

use std::io;
use std::path::{Path, PathBuf};

use super::summary::Summary;
use crate::triage::Finding;

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

/// An output file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct OutputError {
    path: PathBuf,
    source: io::Error,
}

impl OutputError {
    pub(super) fn new(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            source,
        }
    }
}
