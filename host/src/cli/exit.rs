//! The exit status of the program.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: everything was done.
    #[default]
    Done,
    /// 1: an indicator is bad, and `--fail-on bad` was given.
    Bad,
    /// 2: invalid arguments.
    Usage,
    /// 3: the command could not run, for example without a key.
    CouldNotRun,
    /// 4: partly done: the quota is spent, an input was not read, or an answer is missing.
    Partial,
    /// 130: interrupted. Everything learned so far is stored.
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
