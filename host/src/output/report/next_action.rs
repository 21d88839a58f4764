//! The next action of a reader: what is left to ask, or whom to visit first.

use std::collections::BTreeSet;

use super::affected::Affected;
use super::language::{Words, fill};
use super::lists::Group;
use super::shown;
use crate::output::run_facts::{RunEnding, RunFacts};
use crate::output::summary_row::SummaryRow;

/// A sentence, and the command that it ends with.
pub(super) struct NextAction {
    pub(super) sentence: String,
    pub(super) command: String,
}

/// What to do next, the most urgent first.
pub(super) fn next_actions(
    summary: &SummaryRow<'_>,
    affected: &[&Affected],
    run: &RunFacts,
    words: &Words,
) -> Vec<NextAction> {
    let actions = [
        respond(affected, words),
        ask_the_rest(summary, run, words),
        ask_again(summary, run, words),
    ];
    let mut actions: Vec<NextAction> = actions.into_iter().flatten().collect();
    if actions.is_empty() || summary.bad == 0 && affected.is_empty() {
        let sentence = match summary.unknown {
            _ if summary.bad > 0 => return actions,
            0 => words.next_all_clear,
            _ => words.next_clear,
        };
        actions.push(NextAction {
            sentence: sentence.to_owned(),
            command: String::new(),
        });
    }
    actions
}

fn respond(affected: &[&Affected], words: &Words) -> Option<NextAction> {
    if affected.is_empty() {
        return None;
    }
    let clients = |is_counted: fn(&Affected) -> bool| {
        let counted = affected.iter().filter(|one| is_counted(one));
        let names: BTreeSet<&str> = counted.map(|one| one.client.as_str()).collect();
        shown::grouped(&names.len().to_string())
    };
    let all = clients(|one| !one.client.is_empty());
    let allowed = clients(|one| !one.client.is_empty() && one.allowed > 0);
    Some(NextAction {
        sentence: fill(words.next_affected, &[&all, &allowed]),
        command: "vthost evidence --results results.jsonl LOGS".to_owned(),
    })
}

fn ask_the_rest(summary: &SummaryRow<'_>, run: &RunFacts, words: &Words) -> Option<NextAction> {
    let left = Group::NotAsked.total(summary);
    if left == 0 {
        return None;
    }
    let resumes = run.resumes.as_deref();
    let why = match run.ending {
        RunEnding::QuotaSpent => fill(words.next_resumes, &[&shown::time(resumes)]),
        RunEnding::Interrupted => words.next_interrupted.to_owned(),
        RunEnding::Unreachable => words.next_unreachable.to_owned(),
        RunEnding::WrongKey => words.next_key.to_owned(),
        RunEnding::PolicyFailed => words.next_policy.to_owned(),
        RunEnding::Waiting => words.next_waiting.to_owned(),
        RunEnding::Judged => words.next_judged.to_owned(),
        RunEnding::Done | RunEnding::Unstated => String::new(),
    };
    Some(NextAction {
        sentence: fill(words.next_left, &[&shown::number(left), &why]),
        command: command(run),
    })
}

fn ask_again(summary: &SummaryRow<'_>, run: &RunFacts, words: &Words) -> Option<NextAction> {
    let causes = summary.unknown_by.iter();
    let unanswered: u64 = causes
        .filter(|(cause, _)| matches!(cause.as_ref(), "failed" | "pending"))
        .map(|(_, count)| count)
        .sum();
    (unanswered > 0).then(|| NextAction {
        sentence: fill(words.next_pending, &[&shown::number(unanswered)]),
        command: command(run),
    })
}

/// The command that asks what is left.
fn command(run: &RunFacts) -> String {
    match run.command.as_str() {
        "" => "vthost --out RESULTS LOGS".to_owned(),
        command => shown::command(command),
    }
}
