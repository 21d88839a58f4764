//! What was read: each input, and the lines that gave no observation.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::language::{Words, fill};
use super::shown;
use crate::output::finding_row::LogLineRow;
use crate::output::summary_row::{InputRow, PluginRow, SummaryRow};

/// The rows of the table of inputs.
pub(super) const MAX_INPUTS: usize = 1_000;

/// The rows of the table of ignored and rejected lines.
pub(super) const MAX_REASONS: usize = 1_000;

/// The samples of one reason.
const MAX_SAMPLES: usize = 2;

/// An input as a report shows it.
pub(super) struct ShownInput {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) size: String,
    pub(super) format: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) lines: u64,
    pub(super) records: u64,
    pub(super) ignored: u64,
    pub(super) rejected: u64,
    pub(super) outcome: String,
    pub(super) problem: String,
}

/// Lines of an input that gave no observation, for one reason.
pub(super) struct ShownReason {
    pub(super) input: String,
    pub(super) is_rejected: bool,
    pub(super) reason: String,
    pub(super) count: u64,
    pub(super) samples: Vec<(u64, String)>,
}

/// A plugin as a report shows it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ShownPlugin {
    pub(super) is_policy: bool,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) digest: String,
}

impl ShownInput {
    pub(super) fn new(row: &InputRow<'_>, words: &Words) -> Self {
        let failures = row.failures.iter().map(|failure| {
            let range = format!("{}..{}", failure.start, failure.end);
            format!("{} {} ({range})", failure.plugin, failure.problem)
        });
        let problem = row.problem.as_deref().map(str::to_owned);
        let problems: Vec<String> = problem.into_iter().chain(failures).collect();
        Self {
            name: shown::text(&row.input),
            sha256: row.sha256.as_deref().map(shown::text).unwrap_or_default(),
            size: row.bytes.map(shown::bytes).unwrap_or_default(),
            format: format_of(row),
            first: shown::time(row.first.as_deref()),
            last: shown::time(row.last.as_deref()),
            lines: row.lines,
            records: row.records,
            ignored: row.ignored,
            rejected: row.rejected,
            outcome: outcome(row, words),
            problem: shown::text(&problems.join("; ")),
        }
    }
}

fn outcome(row: &InputRow<'_>, words: &Words) -> String {
    let original = row.copy_of.as_deref().map(shown::text);
    let text = match row.outcome.as_ref() {
        "read" => words.outcome_read,
        "empty" => words.outcome_empty,
        "copy" => words.outcome_copy,
        "no_log" => words.outcome_no_log,
        "cut-short" => words.outcome_cut_short,
        _ => words.outcome_skipped,
    };
    fill(text, &[&original.unwrap_or_default()])
}

/// The envelopes, the outermost first, and the parser.
fn format_of(row: &InputRow<'_>) -> String {
    let Some(parser) = &row.parser else {
        return String::new();
    };
    let mut format: String = row
        .envelopes
        .iter()
        .map(|envelope| format!("{envelope} → "))
        .collect();
    format.push_str(&parser.name);
    if let Some(confidence) = row.confidence {
        format.push_str(&format!(" ({confidence} %)"));
    }
    shown::text(&format)
}

/// The lines without an observation, by input and reason.
pub(super) fn reasons(summary: &SummaryRow<'_>) -> Vec<ShownReason> {
    let mut shown = Vec::new();
    for input in &summary.inputs {
        let kinds = [
            (true, &input.rejected_by, &input.rejected_samples),
            (false, &input.ignored_by, &input.ignored_samples),
        ];
        for (is_rejected, counts, samples) in kinds {
            for (reason, count) in counts {
                shown.push(ShownReason {
                    input: shown::text(&input.input),
                    is_rejected,
                    reason: shown::text(reason),
                    count: *count,
                    samples: shown_samples(samples, reason),
                });
            }
        }
    }
    shown
}

fn shown_samples(
    samples: &BTreeMap<Cow<'_, str>, Vec<LogLineRow<'_>>>,
    reason: &str,
) -> Vec<(u64, String)> {
    let samples = samples.get(reason).into_iter().flatten().take(MAX_SAMPLES);
    samples
        .map(|sample| (sample.line, shown::line(&sample.text)))
        .collect()
}

/// The policies and parsers of the run.
pub(super) fn plugins(summary: &SummaryRow<'_>) -> Vec<ShownPlugin> {
    let shown = |is_policy: bool, plugin: &PluginRow<'_>| ShownPlugin {
        is_policy,
        name: shown::text(&plugin.name),
        version: shown::text(&plugin.version),
        digest: shown::text(plugin.digest.trim_start_matches("sha256:")),
    };
    let parsers = summary
        .inputs
        .iter()
        .filter_map(|input| input.parser.as_ref());
    let parsers: BTreeSet<ShownPlugin> = parsers.map(|plugin| shown(false, plugin)).collect();
    let policies = summary.policies.iter().map(|plugin| shown(true, plugin));
    policies.chain(parsers).collect()
}
