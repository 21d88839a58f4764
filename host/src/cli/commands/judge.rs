//! `vthost judge`: policies applied to stored reports, without a request.

use std::collections::HashMap;
use std::path::Path;

use anyhow::bail;

use super::status_of;
use super::triage::status_without_answers;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, JudgeSettings, JudgeSubject, ReadSettings};
use crate::indicator::Indicator;
use crate::output::{Output as _, PreviousFinding, Summary, outputs, read_results, visible};
use crate::pipeline::{FoldedLogs, Rules, Worklist, stored_sightings};
use crate::plugin::{Engine, Pins};
use crate::sightings::{FoldBy, Sightings};
use crate::triage::Finding;

pub(in crate::cli) fn run(
    settings: &JudgeSettings,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let store = environment.store(settings.lookup.store.as_ref())?;
    let now_ms = store.clock().now_ms();
    let engine = environment.engine()?;
    let pins = environment.pins()?;
    let policies = settings.policies.load(&engine, &pins)?;
    let previous = match &settings.subject {
        JudgeSubject::Results(path) => {
            previous_findings(path, &settings.outputs.directory.join("results.jsonl"))?
        }
        JudgeSubject::Store | JudgeSubject::Logs(_) => Vec::new(),
    };
    let (sightings, summary) = match &settings.subject {
        JudgeSubject::Store => (stored_sightings(&store)?, Summary::default()),
        JudgeSubject::Logs(read) => from_logs(read, &engine, &pins)?,
        JudgeSubject::Results(_) => {
            let sightings = previous.iter().map(|finding| finding.sightings.clone());
            (sightings.collect(), Summary::default())
        }
    };
    let rules = Rules {
        policies: &policies,
        internal: &settings.lookup.internal,
        now_ms,
    };
    let judged = Worklist::new(sightings, summary, rules)?
        .judge_stored(&settings.lookup.plan(now_ms), &store)?;
    outputs(&settings.outputs)?.finish(&judged.results())?;
    printer.data(changes(&previous, &judged.findings).as_bytes())?;
    printer.say(&judged.summary.to_string());
    if let Some(reason) = &judged.gave_up {
        printer.say(&format!("vthost: {reason}"));
        return Ok(status_without_answers(&judged.summary));
    }
    Ok(if judged.summary.is_unanswered() {
        ExitStatus::Partial
    } else {
        status_of(&judged.summary)
    })
}

/// The findings of an earlier run, unless the outputs would overwrite them.
fn previous_findings(path: &Path, written: &Path) -> anyhow::Result<Vec<PreviousFinding>> {
    if is_same_file(path, written) {
        bail!(
            "`{}` would be overwritten; choose another folder with --out",
            path.display()
        );
    }
    Ok(read_results(path)?)
}

/// Whether both paths name the same existing file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let (one, other) = (one.canonicalize(), other.canonicalize());
    one.is_ok_and(|one| other.is_ok_and(|other| one == other))
}

fn from_logs(
    read: &ReadSettings,
    engine: &Engine,
    pins: &Pins,
) -> anyhow::Result<(Vec<Sightings>, Summary)> {
    let parsers = read.parsers(engine, pins)?;
    let interrupt = engine.interrupt();
    let FoldedLogs {
        mut folded,
        summary,
        ..
    } = read.logs(&parsers, &interrupt).fold(FoldBy::Indicator)?;
    Ok((folded.sightings()?, summary))
}

/// A line for each indicator whose verdict has changed.
fn changes(previous: &[PreviousFinding], findings: &[Finding]) -> String {
    let now: HashMap<&Indicator, &Finding> = findings
        .iter()
        .map(|finding| (&finding.sightings.indicator, finding))
        .collect();
    let mut text = String::new();
    for before in previous {
        let Some(after) = now.get(&before.sightings.indicator) else {
            continue;
        };
        if after.verdict != before.verdict {
            let line = format!(
                "{} -> {}  {}  ({}; before: {})",
                before.verdict,
                after.verdict,
                before.sightings.display(),
                after.reason,
                before.reason
            );
            text.push_str(&visible(&line));
            text.push('\n');
        }
    }
    text
}
