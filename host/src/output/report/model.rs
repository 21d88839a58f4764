//! What a report shows of the findings. It keeps at most so many rows of each table; their totals
//! come from the summary.

use std::collections::HashMap;

use super::affected::AffectedTable;
use super::lists::Lists;
use super::shown;
use crate::output::finding_row::{ContactRow, EngineRow, FindingRow, LogLineRow, StatsRow};
use crate::output::summary_row::SummaryRow;

/// The rows of the table of bad indicators.
pub(super) const MAX_BAD: usize = 2_000;

/// The bad indicators with details.
pub(super) const MAX_DETAILS: usize = 200;

/// The contacts in the details of one indicator.
pub(super) const MAX_DETAIL_CONTACTS: usize = 25;

/// The engines in the details of one indicator.
const MAX_DETAIL_ENGINES: usize = 20;

/// The labels in the table of bad indicators.
const MAX_LABELS: usize = 3;

/// An indicator that so many engines accuse, or fewer, may be a false alarm.
const FEW_ENGINES: u32 = 2;

/// What a report shows of the findings.
#[derive(Default)]
pub(super) struct ReportModel {
    /// The first bad indicators, in the order of the plan.
    pub(super) bad: Vec<BadIndicator>,
    /// Who contacted bad indicators.
    pub(super) affected: AffectedTable,
    /// The other indicators.
    pub(super) lists: Lists,
    counts: HashMap<String, u64>,
}

/// A bad indicator as a report shows it.
pub(super) struct BadIndicator {
    pub(super) kind: String,
    pub(super) shown: String,
    pub(super) page: Option<String>,
    pub(super) owner: String,
    pub(super) is_of_host: bool,
    pub(super) engines: Option<(u32, u32)>,
    pub(super) labels: String,
    pub(super) reason: String,
    pub(super) tags: Vec<String>,
    pub(super) analysed: Option<String>,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) count: u64,
    pub(super) allowed: u64,
    pub(super) blocked: u64,
    pub(super) clients: u32,
    pub(super) details: Option<Details>,
}

/// What a report shows of one bad indicator besides its row.
pub(super) struct Details {
    pub(super) engines: Vec<DetailEngine>,
    pub(super) contacts: Vec<DetailContact>,
    pub(super) more_contacts: usize,
    pub(super) samples: Vec<DetailLine>,
}

pub(super) struct DetailEngine {
    pub(super) name: String,
    pub(super) category: String,
    pub(super) label: String,
}

pub(super) struct DetailContact {
    pub(super) client: String,
    pub(super) user: String,
    pub(super) count: u64,
    pub(super) allowed: u64,
    pub(super) blocked: u64,
    pub(super) first: String,
    pub(super) last: String,
}

pub(super) struct DetailLine {
    pub(super) place: String,
    pub(super) text: String,
}

impl ReportModel {
    /// Adds a finding. The order of the calls is that of the tables.
    pub(super) fn add(&mut self, row: &FindingRow<'_>) {
        let verdict = row.verdict.as_ref();
        if let Some(count) = self.counts.get_mut(verdict) {
            *count += 1;
        } else {
            self.counts.insert(verdict.to_owned(), 1);
        }
        match verdict {
            "bad" => {
                self.affected.add(row);
                if self.bad.len() < MAX_BAD {
                    let mut bad = BadIndicator::new(row);
                    bad.details = (self.bad.len() < MAX_DETAILS).then(|| Details::new(row));
                    self.bad.push(bad);
                }
            }
            "good" | "unknown" => self.lists.add(row),
            _ => {}
        }
    }

    /// The totals of results without a summary, which an interrupted copy may lack.
    pub(super) fn summary(&self) -> SummaryRow<'static> {
        let count = |verdict: &str| self.counts.get(verdict).copied().unwrap_or(0);
        SummaryRow {
            bad: count("bad"),
            good: count("good"),
            unknown: count("unknown"),
            unknown_by: self.lists.unknown_by(),
            ..SummaryRow::default()
        }
    }
}

impl BadIndicator {
    fn new(row: &FindingRow<'_>) -> Self {
        let seen = &row.seen;
        let subject = row.subject.as_deref().unwrap_or(&seen.value);
        let is_of_host = row.scope.as_deref() == Some("host");
        let kind = match is_of_host {
            true if subject.parse::<std::net::IpAddr>().is_ok() => "ip",
            true => "domain",
            false => &seen.kind,
        };
        Self {
            kind: shown::text(&seen.kind),
            shown: shown::defanged(&seen.kind, &seen.value),
            page: shown::virustotal_page(kind, subject),
            owner: row.owner.as_deref().map(shown::text).unwrap_or_default(),
            is_of_host,
            engines: row.stats.map(engine_counts),
            labels: labels(&row.engines),
            reason: shown::text(&row.reason),
            tags: row
                .tags
                .iter()
                .take(8)
                .map(|tag| shown::text(tag))
                .collect(),
            analysed: row.analysed.clone(),
            first: shown::time(seen.first.as_deref()),
            last: shown::time(seen.last.as_deref()),
            count: seen.count,
            allowed: seen.allowed,
            blocked: seen.blocked,
            clients: seen.clients,
            details: None,
        }
    }

    /// Whether only few engines accuse it.
    pub(super) fn has_few_engines(&self) -> bool {
        self.engines
            .is_some_and(|(accusing, _)| (1..=FEW_ENGINES).contains(&accusing))
    }
}

/// The engines that accuse, and all engines.
pub(super) fn engine_counts(stats: StatsRow) -> (u32, u32) {
    let accusing = stats.malicious.saturating_add(stats.suspicious);
    let others = [stats.harmless, stats.undetected, stats.timeout];
    let all = others.into_iter().fold(accusing, u32::saturating_add);
    (accusing, all)
}

/// The most frequent labels of the engines, with the number of engines.
fn labels(engines: &[EngineRow<'_>]) -> String {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for engine in engines {
        let label = match engine.label.as_ref() {
            "" => engine.category.as_ref(),
            label => label,
        };
        match counted.iter_mut().find(|(known, _)| *known == label) {
            Some((_, count)) => *count += 1,
            None => counted.push((label, 1)),
        }
    }
    counted.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    let more = counted.len().saturating_sub(MAX_LABELS);
    let shown = counted.iter().take(MAX_LABELS);
    let mut shown: Vec<String> = shown
        .map(|(label, count)| format!("{} ({count})", shown::text(label)))
        .collect();
    if more > 0 {
        shown.push(format!("+{more}"));
    }
    shown.join(", ")
}

impl Details {
    fn new(row: &FindingRow<'_>) -> Self {
        let engines = row.engines.iter().take(MAX_DETAIL_ENGINES);
        let contacts = row.contacts.iter().take(MAX_DETAIL_CONTACTS);
        Self {
            engines: engines.map(DetailEngine::new).collect(),
            contacts: contacts.map(DetailContact::new).collect(),
            more_contacts: row.contacts.len().saturating_sub(MAX_DETAIL_CONTACTS),
            samples: row.samples.iter().map(DetailLine::new).collect(),
        }
    }
}

impl DetailEngine {
    fn new(row: &EngineRow<'_>) -> Self {
        Self {
            name: shown::text(&row.name),
            category: shown::text(&row.category),
            label: shown::text(&row.label),
        }
    }
}

impl DetailContact {
    fn new(row: &ContactRow<'_>) -> Self {
        Self {
            client: shown::text(&row.client),
            user: shown::text(&row.user),
            count: row.count,
            allowed: row.allowed,
            blocked: row.blocked,
            first: shown::time(row.first.as_deref()),
            last: shown::time(row.last.as_deref()),
        }
    }
}

impl DetailLine {
    fn new(row: &LogLineRow<'_>) -> Self {
        Self {
            place: format!("{}:{}", shown::text(&row.input), row.line),
            text: shown::line(&row.text),
        }
    }
}
