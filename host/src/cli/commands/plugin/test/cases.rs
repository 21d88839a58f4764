//! Test cases in files.
//!
//! A parser's case is a log `NAME.log` and the expected output of `vthost plugin run`
//! in `NAME.jsonl`: a row for each observation, and the counts as the last row. A
//! policy's case is `NAME.json`; see [`PolicyCase`].

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Check;
use crate::cli::commands::plugin::trial::{self, CaseSightings, PolicyResult, Subject};
use crate::cli::commands::plugin::{AnyPlugin, load};
use crate::extraction::DEFAULT_CHUNK_BYTES;
use crate::plugin::{Engine, Parser};

/// Stamps without a year are not later than this, in microseconds since 1970.
const REFERENCE_US: i64 = trial::SAMPLE_NOW_S * 1_000_000;

/// A folder of cases or a single one, and the plugin to test.
pub(super) struct Cases<'a> {
    pub(super) engine: &'a Engine,
    /// Its name or file, to load it with the settings of a case.
    pub(super) plugin: &'a str,
    pub(super) config: &'a [String],
    pub(super) folder: &'a Path,
    /// Whether to write the plugin's results as the expected ones.
    pub(super) update: bool,
}

/// A policy's input and expected output.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyCase {
    /// A URL, a domain or an IP address.
    indicator: String,
    /// Its sightings in the logs.
    #[serde(default)]
    sightings: CaseSightings,
    /// VirusTotal's answer, or its attributes.
    report: Value,
    /// Settings that replace those of the command line.
    settings: Option<Map<String, Value>>,
    /// The time of the run, in seconds since 1970 [default: 2025-01-01T00:00:00Z].
    now: Option<i64>,
    /// `verdict`, `reason`, `screen`, …: only these fields are compared.
    expect: Option<Map<String, Value>>,
}

impl Cases<'_> {
    fn files(&self, extension: &str) -> anyhow::Result<Vec<PathBuf>> {
        if self.folder.is_file() {
            return Ok(vec![self.folder.with_extension(extension)]);
        }
        let unreadable = || format!("cannot read the cases in `{}`", self.folder.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.folder).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
        if files.is_empty() {
            bail!(
                "`{}` contains no case (*.{extension})",
                self.folder.display()
            );
        }
        files.sort();
        Ok(files)
    }

    /// One check for each log.
    pub(super) fn of_parser(&self, parser: &Parser) -> anyhow::Result<Vec<Check>> {
        let check = |log: PathBuf| {
            let name = log.file_name().unwrap_or_default().to_string_lossy();
            let result = self.parse(parser, &log, &name);
            Check::of(format!("case {name}"), failed_alone(result))
        };
        Ok(self.files("log")?.into_iter().map(check).collect())
    }

    fn parse(&self, parser: &Parser, log: &Path, name: &str) -> anyhow::Result<Result<(), String>> {
        let bytes = std::fs::read(log)?;
        let info = trial::input(name, &bytes, REFERENCE_US);
        let parsed = match trial::parse(parser, &info, &bytes, DEFAULT_CHUNK_BYTES) {
            Ok(parsed) => parsed,
            Err(stop) => return Ok(Err(stop.to_string())),
        };
        let mut got = String::from_utf8(parsed.rows)?;
        got.push_str(&serde_json::to_string(&parsed.counts)?);
        got.push('\n');
        let path = log.with_extension("jsonl");
        if self.update {
            std::fs::write(&path, &got)?;
            return Ok(Ok(()));
        }
        let expected = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "cannot read `{}`; write it, or create it with --update and check it",
                path.display()
            )
        })?;
        let (expected, got) = (rows(&expected, &path)?, rows(&got, &path)?);
        Ok(compare(&expected, &got))
    }

    /// One check for each JSON file.
    pub(super) fn of_policy(&self) -> anyhow::Result<Vec<Check>> {
        let check = |path: PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Check::of(format!("case {name}"), failed_alone(self.judge(&path)))
        };
        Ok(self.files("json")?.into_iter().map(check).collect())
    }

    fn judge(&self, path: &Path) -> anyhow::Result<Result<(), String>> {
        let mut document: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let case: PolicyCase = serde_json::from_value(document.clone())?;
        let config = match &case.settings {
            None => self.config.to_vec(),
            Some(settings) => settings
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
        };
        let AnyPlugin::Policy(policy) = load(self.engine, self.plugin, &config)? else {
            bail!("`{}` is not a policy", self.plugin);
        };
        let now_s = case.now.unwrap_or(trial::SAMPLE_NOW_S);
        let sightings = case.sightings.sightings(&case.indicator, now_s)?;
        let report = Subject::read(case.report, now_s)?.about(&sightings.indicator)?;
        let (screening, judgement) = match trial::judge(&policy, &sightings, &report, now_s) {
            Ok(results) => results,
            Err(stop) => return Ok(Err(stop.to_string())),
        };
        let result = serde_json::to_value(PolicyResult::new(&screening, &judgement))?;
        if self.update {
            if let Some(case) = document.as_object_mut() {
                case.insert("expect".to_owned(), result);
            }
            let text = serde_json::to_string_pretty(&document)?;
            std::fs::write(path, format!("{text}\n"))?;
            return Ok(Ok(()));
        }
        let Some(expect) = &case.expect else {
            bail!("it has no `expect`; write it, or create it with --update and check it");
        };
        let (mut expected, mut got) = (Vec::new(), Vec::new());
        for (key, value) in expect {
            let shown = |value: Option<&Value>| match value {
                Some(value) => format!("{key}: {value}"),
                None => format!("{key}: none"),
            };
            expected.push(shown(Some(value)));
            got.push(shown(result.get(key)));
        }
        Ok(compare(&expected, &got))
    }
}

/// A case that cannot be read or run fails, and the others are run.
fn failed_alone(result: anyhow::Result<Result<(), String>>) -> Result<(), String> {
    result.unwrap_or_else(|error| Err(format!("{error:#}")))
}

/// The rows of a JSON Lines file in a normal form.
fn rows(text: &str, path: &Path) -> anyhow::Result<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let row: Value = serde_json::from_str(line)
                .with_context(|| format!("`{}` has a line that is not JSON", path.display()))?;
            Ok(row.to_string())
        })
        .collect()
}

/// Compares two lists of lines. The error lists missing lines with `-` and unexpected
/// ones with `+`.
fn compare(expected: &[String], got: &[String]) -> Result<(), String> {
    if expected == got {
        return Ok(());
    }
    let mut missing: Vec<&String> = expected.iter().collect();
    let mut extra = Vec::new();
    for line in got {
        match missing.iter().position(|other| *other == line) {
            Some(place) => {
                missing.remove(place);
            }
            None => extra.push(line),
        }
    }
    let mut text: Vec<String> = missing.iter().map(|line| format!("- {line}")).collect();
    text.extend(extra.iter().map(|line| format!("+ {line}")));
    if text.is_empty() {
        text.push("equal rows in a different order".to_owned());
    }
    Err(text.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_show_missing_and_unexpected_rows() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(compare(&lines("a b"), &lines("a b")), Ok(()));
        assert_eq!(
            compare(&lines("a b b"), &lines("a c b")),
            Err("- b\n+ c".to_owned())
        );
        let order = "equal rows in a different order".to_owned();
        assert_eq!(compare(&lines("a b"), &lines("b a")), Err(order));
    }
}
