//! `vthost judge`: policies applied to stored reports, without a request.

use std::collections::HashMap;
use std::path::Path;

use anyhow::bail;

use super::closing::summary_text;
use super::status_of;
use super::triage::{POLICY_HINT, status_without_answers};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::read_progress::{ReadProgressDisplay, Stdout};
use crate::cli::settings::{Environment, JudgeSettings, JudgeSubject};
use crate::indicator::Indicator;
use crate::output::{
    Output as _, PreviousFinding, RunEnding, RunFacts, Summary, outputs, read_results, rfc3339,
    visible,
};
use crate::pipeline::{FoldedLogs, Logs, Rules, Worklist, stored_sightings};
use crate::sightings::{FoldBy, Sightings};
use crate::triage::Finding;
use crate::verdict::Verdict;

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
    settings.case.check(&settings.outputs.directory)?;
    let previous = match &settings.subject {
        JudgeSubject::Results(path) => {
            previous_findings(path, &settings.outputs.directory.join("results.jsonl"))?
        }
        JudgeSubject::Store | JudgeSubject::Logs(_) => Vec::new(),
    };
    let interrupt = engine.interrupt();
    let read = match &settings.subject {
        JudgeSubject::Logs(read) => Some((read, read.parsers(&engine, &pins)?)),
        JudgeSubject::Store | JudgeSubject::Results(_) => None,
    };
    let logs = read
        .as_ref()
        .map(|(read, parsers)| read.logs(parsers, &interrupt));
    let (sightings, summary) = match (&settings.subject, &logs) {
        (JudgeSubject::Store, _) => (stored_sightings(&store)?, Summary::default()),
        (JudgeSubject::Logs(read), Some(logs)) => {
            let _display = ReadProgressDisplay::start(read.progress(), Stdout::Unused, *printer);
            from_logs(logs)?
        }
        _ => {
            let sightings = previous.iter().map(|finding| finding.sightings.clone());
            (sightings.collect(), Summary::default())
        }
    };
    let rules = Rules {
        policies: &policies,
        internal: &settings.lookup.internal,
        now_ms,
    };
    let mut judged = Worklist::new(sightings, summary, rules)?
        .judge_stored(&settings.lookup.plan(now_ms), &store)?
        .traced(logs);
    keep_contacts(&previous, &mut judged.findings);
    judged.summary.run = RunFacts {
        written: rfc3339(now_ms.saturating_mul(1000)),
        case: settings.case.facts.clone(),
        ending: RunEnding::Judged,
        ..RunFacts::default()
    };
    outputs(&settings.outputs)?.finish(&judged.results())?;
    printer.data(changes(&previous, &judged.findings).as_bytes())?;
    printer.say(&summary_text(&judged.summary, printer));
    if let Some(reason) = &judged.gave_up {
        printer.problem(reason, POLICY_HINT);
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

fn from_logs(logs: &Logs<'_>) -> anyhow::Result<(Vec<Sightings>, Summary)> {
    let FoldedLogs {
        mut folded,
        summary,
        ..
    } = logs.fold(FoldBy::Indicator)?;
    Ok((folded.sightings()?, summary))
}

/// Gives bad findings the contacts that an earlier run found.
fn keep_contacts(previous: &[PreviousFinding], findings: &mut [Finding]) {
    let known: HashMap<&Indicator, &PreviousFinding> = previous
        .iter()
        .map(|finding| (&finding.sightings.indicator, finding))
        .collect();
    for finding in findings {
        if finding.verdict == Verdict::Bad
            && let Some(before) = known.get(&finding.sightings.indicator)
        {
            finding.contacts.clone_from(&before.contacts);
        }
    }
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
