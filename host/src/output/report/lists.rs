//! The indicators that are not bad, in groups that are never mixed: what was not asked, what has
//! no verdict, what was not sent, and what is good.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::model::engine_counts;
use super::shown;
use crate::output::finding_row::FindingRow;
use crate::output::summary_row::SummaryRow;

/// The rows of each list.
const MAX_ROWS: usize = 500;

/// The indicators that are not bad.
#[derive(Default)]
pub(super) struct Lists {
    rows: BTreeMap<Group, Vec<Listed>>,
    causes: BTreeMap<String, u64>,
}

/// The groups, in the order of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Not looked up yet.
    NotAsked,
    /// Looked up, without a usable answer.
    NoAnswer,
    /// Never sent.
    NotSent,
    /// Judged good.
    Good,
}

/// An indicator that is not bad.
pub(super) struct Listed {
    pub(super) kind: String,
    pub(super) shown: String,
    pub(super) engines: Option<(u32, u32)>,
    pub(super) reason: String,
    pub(super) count: u64,
    pub(super) clients: u32,
    pub(super) last: String,
}

impl Group {
    /// All groups.
    pub(super) const ALL: [Self; 4] = [Self::NotAsked, Self::NoAnswer, Self::NotSent, Self::Good];

    /// The group of an unknown indicator, by its cause.
    fn of_cause(cause: &str) -> Self {
        match cause {
            "internal" | "skipped" => Self::NotSent,
            "no-report" | "failed" | "pending" | "judged" => Self::NoAnswer,
            _ => Self::NotAsked,
        }
    }

    /// The indicators of the group, by the summary.
    pub(super) fn total(self, summary: &SummaryRow<'_>) -> u64 {
        if self == Self::Good {
            return summary.good;
        }
        let causes = summary.unknown_by.iter();
        causes
            .filter(|(cause, _)| Self::of_cause(cause) == self)
            .map(|(_, count)| count)
            .sum()
    }
}

impl Lists {
    /// Adds an indicator that is not bad.
    pub(super) fn add(&mut self, row: &FindingRow<'_>) {
        let group = match row.verdict.as_ref() {
            "good" => Group::Good,
            _ => {
                *self.causes.entry(row.cause.to_string()).or_default() += 1;
                Group::of_cause(&row.cause)
            }
        };
        let rows = self.rows.entry(group).or_default();
        if rows.len() < MAX_ROWS {
            rows.push(Listed::new(row));
        }
    }

    /// The first rows of a group.
    pub(super) fn rows(&self, group: Group) -> &[Listed] {
        self.rows.get(&group).map_or(&[], Vec::as_slice)
    }

    /// The unknown indicators by cause.
    pub(super) fn unknown_by(&self) -> BTreeMap<Cow<'static, str>, u64> {
        let causes = self.causes.iter();
        causes
            .map(|(cause, count)| (cause.clone().into(), *count))
            .collect()
    }
}

impl Listed {
    fn new(row: &FindingRow<'_>) -> Self {
        Self {
            kind: shown::text(&row.seen.kind),
            shown: shown::defanged(&row.seen.kind, &row.seen.value),
            engines: row.stats.map(engine_counts),
            reason: shown::text(&row.reason),
            count: row.seen.count,
            clients: row.seen.clients,
            last: shown::time(row.seen.last.as_deref()),
        }
    }
}
