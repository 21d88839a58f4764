//! Cases: files that a person writes by hand.
//!
//! A parser's case is a log `NAME.log` beside `NAME.jsonl`, which holds a row
//! for each observation as `vthost plugin run` prints it, and the counts as the
//! last row. A policy's case is `NAME.json`; see [`PolicyCase`].

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Check;
use crate::cli::commands::plugin::trial::{self, Said, Seen};
use crate::cli::commands::plugin::{AnyPlugin, load};
use crate::extraction::DEFAULT_CHUNK_BYTES;
use crate::plugin::{Engine, Parser};

/// Stamps without a year lie before this instant, so that cases stay true:
/// 2025-01-01T00:00:00Z, in microseconds.
const REFERENCE_US: i64 = 1_735_689_600_000_000;

/// Where the cases are, and what they are for.
pub(super) struct Cases<'a> {
    pub(super) engine: &'a Engine,
    /// As the user named it, to load it again under a case's settings.
    pub(super) plugin: &'a str,
    pub(super) config: &'a [String],
    pub(super) folder: &'a Path,
    /// Whether to write what the plugin says as what is expected.
    pub(super) update: bool,
}

/// What a policy is shown, and what it is to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyCase {
    /// A URL, a domain or an address.
    indicator: String,
    /// What the logs showed of it.
    #[serde(default)]
    sightings: Seen,
    /// VirusTotal's answer, or the attributes in it alone.
    report: Value,
    /// Settings, instead of those of the command line.
    settings: Option<Map<String, Value>>,
    /// The time of the run, in seconds since 1970.
    #[serde(default)]
    now: i64,
    /// `verdict`, `reason`, `screen`, …: what is not named is not compared.
    expect: Map<String, Value>,
}

impl Cases<'_> {
    fn files(&self, extension: &str) -> anyhow::Result<Vec<PathBuf>> {
        let unreadable = || format!("cannot read the cases `{}`", self.folder.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.folder).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
        if files.is_empty() {
            bail!(
                "`{}` has no case: no file *.{extension}",
                self.folder.display()
            );
        }
        files.sort();
        Ok(files)
    }

    /// A check for each log.
    pub(super) fn of_parser(&self, parser: &Parser) -> anyhow::Result<Vec<Check>> {
        let check = |log: PathBuf| {
            let name = log.file_name().unwrap_or_default().to_string_lossy();
            let result = self.parse(parser, &log, &name)?;
            Ok(Check::of(format!("case {name}"), result))
        };
        self.files("log")?.into_iter().map(check).collect()
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
                "cannot read `{}`; write it by hand, or with --update and read it with care",
                path.display()
            )
        })?;
        let (expected, got) = (rows(&expected, &path)?, rows(&got, &path)?);
        Ok(same(&expected, &got))
    }

    /// A check for each JSON file.
    pub(super) fn of_policy(&self) -> anyhow::Result<Vec<Check>> {
        let check = |path: PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let result = self
                .judge(&path)
                .with_context(|| format!("the case `{}`", path.display()))?;
            Ok(Check::of(format!("case {name}"), result))
        };
        self.files("json")?.into_iter().map(check).collect()
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
            bail!("a parser has no cases of this kind");
        };
        let sightings = case.sightings.sightings(&case.indicator)?;
        let report = trial::report_of(case.report);
        let (screening, judgement) = match trial::judge(&policy, &sightings, &report, case.now) {
            Ok(said) => said,
            Err(stop) => return Ok(Err(stop.to_string())),
        };
        let said = serde_json::to_value(Said::new(&screening, &judgement))?;
        if self.update {
            if let Some(expect) = document.get_mut("expect") {
                *expect = said;
            }
            let text = serde_json::to_string_pretty(&document)?;
            std::fs::write(path, format!("{text}\n"))?;
            return Ok(Ok(()));
        }
        let (mut expected, mut got) = (Vec::new(), Vec::new());
        for (key, value) in &case.expect {
            let shown = |value: Option<&Value>| match value {
                Some(value) => format!("{key}: {value}"),
                None => format!("{key}: nothing"),
            };
            expected.push(shown(Some(value)));
            got.push(shown(said.get(key)));
        }
        Ok(same(&expected, &got))
    }
}

/// The rows of a file of JSON Lines in one writing.
fn rows(text: &str, path: &Path) -> anyhow::Result<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let row: Value = serde_json::from_str(line)
                .with_context(|| format!("`{}` has a line that is no JSON", path.display()))?;
            Ok(row.to_string())
        })
        .collect()
}

/// The lines that differ: `-` is expected and missing, `+` is not expected.
fn same(expected: &[String], got: &[String]) -> Result<(), String> {
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
        text.push("the same rows in another order".to_owned());
    }
    Err(text.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_is_missing_and_what_is_extra() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(same(&lines("a b"), &lines("a b")), Ok(()));
        assert_eq!(
            same(&lines("a b b"), &lines("a c b")),
            Err("- b\n+ c".to_owned())
        );
        let order = "the same rows in another order".to_owned();
        assert_eq!(same(&lines("a b"), &lines("b a")), Err(order));
    }
}
