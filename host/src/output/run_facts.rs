//! `run.json`: how the results came about. It is a separate file, because `results.jsonl` does
//! not depend on when a run took place or how often it was interrupted.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::api::{Output, OutputError, Results};
use super::atomic::replace;

/// How the results of a run came about. Fields that a command does not know are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFacts {
    /// The command, for a shell; it resumes a run that ended early. It contains no password.
    pub command: String,
    /// What the results depend on: inputs, and settings of what is decided. Results are replaced
    /// only by a run of the same case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub case: Vec<(String, String)>,
    /// The options by name, with defaults.
    pub settings: Vec<(String, String)>,
    /// When the run began, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// When these results were written, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// How the run ended.
    pub ending: RunEnding,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When it can be resumed, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
    /// The requests that it sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnding {
    /// It is not known.
    #[default]
    Unstated,
    /// Everything was asked.
    Done,
    /// Stored reports were judged, without a request.
    Judged,
    /// It waits for the quota, and then continues.
    Waiting,
    /// The quota of the day or the month was spent.
    QuotaSpent,
    /// The user interrupted it.
    Interrupted,
    /// VirusTotal could not be reached.
    Unreachable,
    /// VirusTotal did not accept the key.
    WrongKey,
    /// A policy failed too often.
    PolicyFailed,
}

/// The name of the file.
pub(super) const RUN_FILE: &str = "run.json";

/// Creates the folder of a run and writes `run.json` to it: if the run is killed, the next one
/// recognises the case.
///
/// # Errors
///
/// If the folder or the file cannot be written.
pub fn begin_run(directory: &Path, run: &RunFacts) -> Result<(), OutputError> {
    std::fs::create_dir_all(directory).map_err(|source| OutputError::new(directory, source))?;
    write(&directory.join(RUN_FILE), run)
}

fn write(path: &Path, run: &RunFacts) -> Result<(), OutputError> {
    // A struct of strings and numbers always serialises.
    let mut json = serde_json::to_vec_pretty(run).unwrap_or_default();
    json.push(b'\n');
    replace(path, &json)
}

/// Writes `run.json`.
pub(super) struct RunFile {
    path: PathBuf,
}

impl RunFile {
    /// The file in a directory. Nothing is written yet.
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            path: directory.join(RUN_FILE),
        }
    }
}

impl Output for RunFile {
    fn checkpoint(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        self.finish(results)
    }

    fn finish(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        write(&self.path, &results.summary.run)
    }
}
