//! How the program ends, chosen in one place.

use std::process::ExitCode;

/// The exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: all was done.
    Done,
    /// 1: something is bad, and `--fail-on bad` was given.
    Bad,
    /// 2: the arguments make no sense.
    Usage,
    /// 3: it could not run: no key, a plugin that does not load.
    CouldNotRun,
    /// 4: done in part: the quota ended, an input was not read, or an answer did
    /// not come.
    Partial,
    /// 130: interrupted; all that was learned is kept.
    Interrupted,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Done => 0,
            ExitStatus::Bad => 1,
            ExitStatus::Usage => 2,
            ExitStatus::CouldNotRun => 3,
            ExitStatus::Partial => 4,
            ExitStatus::Interrupted => 130,
        })
    }
}
