//! Whether a run may replace the results that are in its folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::report::REPORT_FILE;
use super::run_facts::{RUN_FILE, RunFacts};

/// A folder has results of another run.
#[derive(Debug, thiserror::Error)]
#[error("`{}` has the results of another run: {difference}", directory.display())]
pub struct ExistingResults {
    directory: PathBuf,
    difference: String,
}

/// The files of a run.
const FILES: [&str; 5] = [
    "results.jsonl",
    REPORT_FILE,
    "bad-domain.txt",
    "good-domain.txt",
    "unknown-domain.txt",
];

/// Checks that a run may write its results to a folder: there are none, or they belong to the
/// same case.
///
/// # Errors
///
/// [`ExistingResults`].
pub fn check_replaceable(directory: &Path, run: &RunFacts) -> Result<(), ExistingResults> {
    let has_content = |path: PathBuf| fs::metadata(path).is_ok_and(|file| file.len() > 0);
    let mut files = FILES.iter().map(|name| directory.join(name));
    let difference = match facts_in(directory) {
        Some(existing) => difference(&existing.case, &run.case),
        None if files.any(has_content) => Some(format!("it has no usable {RUN_FILE}")),
        None => None,
    };
    match difference {
        None => Ok(()),
        Some(difference) => Err(ExistingResults {
            directory: directory.to_owned(),
            difference,
        }),
    }
}

fn facts_in(directory: &Path) -> Option<RunFacts> {
    let json = fs::read(directory.join(RUN_FILE)).ok()?;
    serde_json::from_slice(&json).ok()
}

/// How two cases differ, if they do.
fn difference(existing: &[(String, String)], new: &[(String, String)]) -> Option<String> {
    let value = |case: &[(String, String)], name: &str| -> Option<String> {
        let values = case.iter().filter(|(other, _)| other == name);
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    let shown = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    let names = existing.iter().chain(new).map(|(name, _)| name);
    names
        .map(|name| (name, value(existing, name), value(new, name)))
        .find(|(_, existing, new)| existing != new)
        .map(|(name, existing, new)| format!("{name} was {}, now {}", shown(existing), shown(new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(case: &[(&str, &str)]) -> RunFacts {
        let case = case.iter();
        RunFacts {
            case: case
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            ..RunFacts::default()
        }
    }

    #[test]
    fn only_results_of_the_same_case_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let run = facts(&[("input", "/logs"), ("--policy", "strict")]);
        let check = |run: &RunFacts| check_replaceable(path, run).map_err(|e| e.to_string());
        assert_eq!(check(&run), Ok(()));
        // Files that a run has just created.
        fs::write(path.join("bad-domain.txt"), "").unwrap();
        assert_eq!(check(&run), Ok(()));
        // Files of an unknown run.
        fs::write(path.join("results.jsonl"), "{}\n").unwrap();
        assert!(check(&run).unwrap_err().contains("no usable run.json"));
        fs::write(path.join(RUN_FILE), serde_json::to_vec(&run).unwrap()).unwrap();
        assert_eq!(check(&run), Ok(()));
        let other = facts(&[
            ("input", "/logs"),
            ("--policy", "strict"),
            ("--policy", "own"),
        ]);
        let refused = check(&other).unwrap_err();
        assert!(
            refused.contains("--policy was strict, now strict, own"),
            "{refused}"
        );
        let other = facts(&[("--policy", "strict")]);
        let refused = check(&other).unwrap_err();
        assert!(refused.contains("input was /logs, now none"), "{refused}");
    }
}
