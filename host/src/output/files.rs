//! The files of a run. The text files grow while verdicts fall, so that a
//! person can watch them; at the end all files are put in the order of the plan
//! by writing beside and renaming.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::results::results;
use super::summary::Summary;
use super::text;
use crate::triage::Finding;
use crate::verdict::Verdict;

const VERDICTS: [Verdict; 3] = [Verdict::Bad, Verdict::Good, Verdict::Unknown];

/// An output that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct OutputError {
    path: PathBuf,
    source: std::io::Error,
}

/// `bad-domain.txt`, `good-domain.txt` and `unknown-domain.txt`, growing.
pub struct TextFiles {
    files: [(PathBuf, File); 3],
}

impl TextFiles {
    /// Begins empty files in a directory, which is made where there is none.
    ///
    /// # Errors
    ///
    /// When one cannot be made.
    pub fn create(directory: &Path) -> Result<Self, OutputError> {
        std::fs::create_dir_all(directory).map_err(|source| OutputError {
            path: directory.to_owned(),
            source,
        })?;
        let create = |verdict| {
            let path = path_of(directory, verdict);
            let file = File::create(&path).map_err(|source| OutputError {
                path: path.clone(),
                source,
            })?;
            Ok((path, file))
        };
        let [bad, good, unknown] = VERDICTS;
        Ok(Self {
            files: [create(bad)?, create(good)?, create(unknown)?],
        })
    }

    /// Adds a finding's line.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn append(&mut self, finding: &Finding) -> Result<(), OutputError> {
        let index = VERDICTS
            .iter()
            .position(|verdict| *verdict == finding.verdict);
        let (path, file) = &mut self.files[index.unwrap_or(2)];
        let line = text::line(finding) + "\n";
        file.write_all(line.as_bytes())
            .map_err(|source| OutputError {
                path: path.clone(),
                source,
            })
    }
}

/// Writes all files of a finished run, in the order of the plan.
///
/// # Errors
///
/// When one cannot be written; the others are as they were.
pub fn write_all(
    directory: &Path,
    findings: &[Finding],
    summary: &Summary,
) -> Result<(), OutputError> {
    for verdict in VERDICTS {
        let lines: String = findings
            .iter()
            .filter(|finding| finding.verdict == verdict)
            .map(|finding| text::line(finding) + "\n")
            .collect();
        replace(&path_of(directory, verdict), lines.as_bytes())?;
    }
    write_results(directory, findings, summary)
}

/// Writes `results.jsonl` alone: while a run waits, the text files grow still.
///
/// # Errors
///
/// When it cannot be written; it is then as it was.
pub fn write_results(
    directory: &Path,
    findings: &[Finding],
    summary: &Summary,
) -> Result<(), OutputError> {
    replace(
        &directory.join("results.jsonl"),
        &results(findings, summary),
    )
}

fn path_of(directory: &Path, verdict: Verdict) -> PathBuf {
    directory.join(format!("{verdict}-domain.txt"))
}

/// Puts a whole file in the place of another, or of none, at once.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let write = || {
        if std::fs::read(path).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut beside = tempfile::Builder::new();
        #[cfg(unix)]
        beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = beside.tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    };
    write().map_err(|source| OutputError {
        path: path.to_owned(),
        source,
    })
}
