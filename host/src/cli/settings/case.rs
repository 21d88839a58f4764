//! What makes a case: results are replaced only by a run with the same inputs and the same settings
//! of what is decided.

use std::path::{Path, PathBuf};

use crate::output::{ExistingResults, RunFacts, check_replaceable};

/// Options on which verdicts and counts depend. Others, such as the quota, may change from one run
/// of a case to the next.
const DECISIVE: [&str; 9] = [
    "--parser",
    "--parser-config",
    "--utc-offset",
    "--keep-duplicates",
    "--policy",
    "--policy-config",
    "--internal-suffix",
    "--share",
    "--max-unpacked",
];

/// What the results of a run depend on, and whether they may replace others.
pub(in crate::cli) struct Case {
    /// The inputs and the decisive options.
    pub(in crate::cli) facts: Vec<(String, String)>,
    is_forced: bool,
}

impl Case {
    /// The case of these inputs with these options.
    pub(super) fn new(subject: &[PathBuf], options: &[(String, String)], is_forced: bool) -> Self {
        let inputs = subject
            .iter()
            .map(|path| ("input".to_owned(), absolute(path)));
        let is_decisive = |(name, _): &&(String, String)| DECISIVE.contains(&name.as_str());
        let options = options.iter().filter(is_decisive).cloned();
        Self {
            facts: inputs.chain(options).collect(),
            is_forced,
        }
    }

    /// The same case without its options: the demo is repeated with other policies.
    pub(super) fn of_inputs(self) -> Self {
        let mut facts = self.facts;
        facts.retain(|(name, _)| name == "input");
        Self { facts, ..self }
    }

    /// Checks that the results may be written to a folder.
    ///
    /// # Errors
    ///
    /// If it has the results of another case, unless they may be replaced.
    pub(in crate::cli) fn check(&self, directory: &Path) -> Result<(), ExistingResults> {
        if self.is_forced {
            return Ok(());
        }
        let run = RunFacts {
            case: self.facts.clone(),
            ..RunFacts::default()
        };
        check_replaceable(directory, &run)
    }
}

/// An input as it is compared: its absolute path, or `-`.
fn absolute(path: &Path) -> String {
    let absolute = match path.as_os_str() == "-" {
        true => None,
        false => std::path::absolute(path).ok(),
    };
    let components = absolute.as_deref().unwrap_or(path).components();
    components.collect::<PathBuf>().display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_depends_on_inputs_and_on_what_is_decided() {
        let case = |input: &str, options: &[(&str, &str)]| {
            let options = options.iter();
            let options: Vec<_> = options
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect();
            Case::new(&[PathBuf::from(input)], &options, false).facts
        };
        let strict = ("--policy", "strict");
        let first = case("logs", &[strict, ("--per-day", "9")]);
        assert_eq!(first, case("./logs/", &[strict, ("--wait", "yes")]));
        assert_ne!(first, case("logs", &[("--policy", "threshold")]));
        assert_ne!(first, case("other", &[strict]));
        assert_eq!(case("-", &[]), [("input".to_owned(), "-".to_owned())]);
    }
}
