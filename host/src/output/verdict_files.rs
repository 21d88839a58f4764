//! `bad-domain.txt`, `good-domain.txt` and `unknown-domain.txt`: one line for each indicator.
//!
//! The lines have the format of the script that vthost replaces:
//!
//! ```text
//! 2022-09-29T23:40:55 http://027.ru {'harmless': 77, 'malicious': 0, 'suspicious': 1, 'undetected': 10, 'timeout': 0}
//! ```

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::Offset;

use super::api::{Output, OutputError, Results};
use super::atomic::replace;
use super::text::visible;
use crate::triage::Finding;
use crate::verdict::Verdict;
use crate::virustotal::report::Stats;

/// A text file for each verdict. The files grow during a run, so that a person can follow them;
/// at its end they are sorted into the order of the plan.
pub(super) struct VerdictFiles {
    files: [VerdictFile; 3],
}

struct VerdictFile {
    verdict: Verdict,
    path: PathBuf,
    file: File,
}

impl VerdictFiles {
    /// Creates empty files in a directory.
    pub(super) fn create(directory: &Path) -> Result<Self, OutputError> {
        let create = |verdict| {
            let path = directory.join(format!("{verdict}-domain.txt"));
            match File::create(&path) {
                Ok(file) => Ok(VerdictFile {
                    verdict,
                    path,
                    file,
                }),
                Err(source) => Err(OutputError::new(&path, source)),
            }
        };
        Ok(Self {
            files: [
                create(Verdict::Bad)?,
                create(Verdict::Good)?,
                create(Verdict::Unknown)?,
            ],
        })
    }
}

impl Output for VerdictFiles {
    fn found(&mut self, finding: &Finding) -> Result<(), OutputError> {
        let mut files = self.files.iter_mut();
        let Some(to) = files.find(|file| file.verdict == finding.verdict) else {
            return Ok(());
        };
        let written = to.file.write_all(line(finding).as_bytes());
        written.map_err(|source| OutputError::new(&to.path, source))
    }

    fn finish(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        for VerdictFile { verdict, path, .. } in &self.files {
            let findings = results.findings.iter();
            let lines: String = findings
                .filter(|finding| finding.verdict == *verdict)
                .map(line)
                .collect();
            replace(path, lines.as_bytes())?;
        }
        Ok(())
    }
}

/// A finding's line: the time of VirusTotal's analysis in UTC, the indicator as the log wrote
/// it, and the engines' counts; for an unknown indicator the reason instead of the counts.
fn line(finding: &Finding) -> String {
    let evidence = finding.evidence.as_ref();
    let time = evidence
        .and_then(|evidence| evidence.analysed_s)
        .and_then(analysis_time)
        .unwrap_or_else(|| "-".to_owned());
    let name = visible(finding.sightings.display());
    match evidence.and_then(|evidence| evidence.stats) {
        Some(stats) if finding.verdict != Verdict::Unknown => {
            format!("{time} {name} {}\n", python_stats(&stats))
        }
        _ => format!("{time} {name} {}\n", visible(&finding.reason)),
    }
}

/// The counts as Python prints a dictionary, in the order of the replaced script.
fn python_stats(stats: &Stats) -> String {
    format!(
        "{{'harmless': {}, 'malicious': {}, 'suspicious': {}, 'undetected': {}, 'timeout': {}}}",
        stats.harmless, stats.malicious, stats.suspicious, stats.undetected, stats.timeout
    )
}

/// A time in UTC as Python's `datetime.isoformat` prints it without a zone.
fn analysis_time(time_s: i64) -> Option<String> {
    let time = Timestamp::from_second(time_s).ok()?;
    let time = Offset::UTC.to_datetime(time);
    Some(time.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::super::testing::not_asked;
    use super::*;
    use crate::output::summary::Summary;

    #[test]
    fn counts_are_printed_like_a_python_dictionary() {
        let stats = Stats {
            harmless: 77,
            malicious: 0,
            suspicious: 1,
            undetected: 10,
            timeout: 0,
        };
        assert_eq!(
            python_stats(&stats),
            "{'harmless': 77, 'malicious': 0, 'suspicious': 1, 'undetected': 10, 'timeout': 0}"
        );
        // date -u -d @1664494855
        let expected = Some("2022-09-29T23:40:55".to_owned());
        assert_eq!(analysis_time(1_664_494_855), expected);
    }

    #[test]
    fn files_grow_and_are_sorted_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = VerdictFiles::create(directory.path()).unwrap();
        let unknown = || std::fs::read_to_string(directory.path().join("unknown-domain.txt"));
        let findings = [not_asked("a.example.com"), not_asked("b.example.com")];
        for finding in findings.iter().rev() {
            files.found(finding).unwrap();
        }
        let (a, b) = ("- a.example.com no slot\n", "- b.example.com no slot\n");
        assert_eq!(unknown().unwrap(), format!("{b}{a}"));
        let results = Results {
            findings: &findings,
            summary: &Summary::default(),
        };
        files.finish(&results).unwrap();
        assert_eq!(unknown().unwrap(), format!("{a}{b}"));
    }
}
