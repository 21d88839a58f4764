//! `--dry-run`: what would be sent, in which order, and how long it would take.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Write as _};

use crate::clock::UnixMs;
use crate::indicator::{Indicator, Kind, redaction, secrets};
use crate::output::visible;
use crate::quota::{self, Limits, Usage};
use crate::sightings::Sightings;
use crate::store::{Store, StoreError};
use crate::triage::lookup::{LookupStep, Tier};
use crate::triage::run::{Resolution, StoreSnapshot, resolve};
use crate::triage::{Cause, Judge, LookupPlan, Planned, Share};

use crate::cli::progress::clock_time;

/// What a run would do.
pub(super) struct Plan {
    /// The requests as VirusTotal would see them, in their order, a line each.
    pub(super) requests: String,
    indicators: usize,
    kept: BTreeMap<String, u64>,
    settled: u64,
    /// What would go out at each tier of `--share`.
    costs: Vec<(Share, Cost)>,
    secret: Vec<(String, Vec<String>)>,
    /// URLs as the logs have them, without passwords, and what is left of them.
    cut: Vec<(String, String)>,
    chosen: Share,
    quota: Budget,
    now: UnixMs,
}

/// Requests by tier. Of URLs and submissions fewer may be needed: a host's
/// report may settle them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    hosts: u64,
    urls: u64,
    submissions: u64,
}

impl Cost {
    fn least(&self, quota: &Budget) -> u64 {
        if self.hosts == 0 && self.urls == 0 {
            self.submissions * quota.requests_a_submission()
        } else {
            self.hosts
        }
    }

    fn most(&self, quota: &Budget) -> u64 {
        self.hosts + self.urls + self.submissions * quota.requests_a_submission()
    }
}

/// What may be asked, and has been.
pub(super) struct Budget {
    pub(super) limits: Limits,
    pub(super) usage: Usage,
    pub(super) polls_are_free: bool,
}

impl Budget {
    /// Handing in, and asking for the analysis once.
    fn requests_a_submission(&self) -> u64 {
        if self.polls_are_free { 1 } else { 2 }
    }
}

impl Plan {
    /// Looks at everything that is planned, and sends nothing.
    pub(super) fn new(
        planned: &[Planned],
        lookup: &LookupPlan,
        store: &Store,
        judge: &mut dyn Judge,
        quota: Budget,
        now: UnixMs,
    ) -> Result<Self, StoreError> {
        let stored = StoreSnapshot::of(store)?;
        let mut plan = Self {
            requests: String::new(),
            indicators: planned.len(),
            kept: BTreeMap::new(),
            settled: 0,
            costs: Vec::new(),
            secret: Vec::new(),
            cut: Vec::new(),
            chosen: lookup.share,
            quota,
            now,
        };
        for planned in planned {
            if let Resolution::Settled(finding) = resolve(planned, lookup, &stored, judge)? {
                if matches!(
                    finding.cause,
                    Cause::Internal | Cause::Skipped | Cause::Failed
                ) {
                    *plan.kept.entry(finding.reason).or_default() += 1;
                } else {
                    plan.settled += 1;
                }
            }
        }
        for share in [Share::Host, Share::Hash, Share::Url, Share::Submit] {
            let lookup = LookupPlan { share, ..*lookup };
            let open = open(planned, &lookup, &stored, judge)?;
            plan.costs.push((share, cost(&open)));
            if share == plan.chosen {
                plan.requests = requests(&open);
            }
            if share == Share::Submit {
                plan.secret = open
                    .iter()
                    .map(|(planned, _)| &planned.sightings.indicator)
                    .filter_map(with_secrets)
                    .collect();
                let all = open.iter().map(|(planned, _)| &planned.sightings);
                plan.cut = all.filter_map(cut).collect();
            }
        }
        Ok(plan)
    }

    fn done_by(&self, requests: u64) -> String {
        let done_ms = quota::finish_ms(requests, &self.quota.usage, self.now, &self.quota.limits);
        clock_time(done_ms)
    }
}

fn with_secrets(indicator: &Indicator) -> Option<(String, Vec<String>)> {
    let reasons = secrets::sensitive(indicator);
    (!reasons.is_empty()).then(|| (indicator.value().to_owned(), reasons))
}

fn cut(sightings: &Sightings) -> Option<(String, String)> {
    let value = sightings.indicator.value().to_owned();
    let is_url = sightings.indicator.kind() == Kind::Url;
    let written = sightings.written.as_deref().filter(|_| is_url);
    Some((written.and_then(redaction::before_cut)?, value))
}

/// What would be asked, with all steps that may be needed.
fn open<'a>(
    planned: &'a [Planned],
    lookup: &LookupPlan,
    stored: &StoreSnapshot<'_>,
    judge: &mut dyn Judge,
) -> Result<Vec<(&'a Planned, Vec<LookupStep>)>, StoreError> {
    let mut open = Vec::new();
    for planned in planned {
        let Resolution::Open(action) = resolve(planned, lookup, stored, judge)? else {
            continue;
        };
        let mut steps = lookup.steps(&planned.sightings.indicator);
        steps.retain(|step| step.tier() >= action.tier());
        open.push((planned, steps));
    }
    Ok(open)
}

/// Each request once: many URLs share a host.
fn cost(open: &[(&Planned, Vec<LookupStep>)]) -> Cost {
    let mut seen = HashSet::new();
    let mut cost = Cost::default();
    for step in open.iter().flat_map(|(_, steps)| steps) {
        if seen.insert(request(step)) {
            *match step.tier() {
                Tier::Host => &mut cost.hosts,
                Tier::Url => &mut cost.urls,
                Tier::Submission => &mut cost.submissions,
            } += 1;
        }
    }
    cost
}

/// The requests in the order in which they would go out.
fn requests(open: &[(&Planned, Vec<LookupStep>)]) -> String {
    let mut turns: Vec<(Tier, usize, &Planned, &LookupStep)> = Vec::new();
    for (index, (planned, steps)) in open.iter().enumerate() {
        turns.extend(steps.iter().map(|step| match step.tier() {
            Tier::Host => (Tier::Host, planned.host_rank, *planned, step),
            tier => (tier, index, *planned, step),
        }));
    }
    turns.sort_by_key(|(tier, turn, ..)| (*tier, *turn));
    let mut seen = HashSet::new();
    let mut lines = String::new();
    for (tier, _, planned, step) in turns {
        let request = request(step);
        if !seen.insert(request.clone()) {
            continue;
        }
        lines.push_str(&request);
        let url = visible(planned.sightings.indicator.value());
        match tier {
            Tier::Host => {}
            Tier::Url => {
                lines.push_str(&format!(
                    "  ({url}, if its host's report does not settle it)"
                ));
            }
            Tier::Submission => lines.push_str("  (if VirusTotal has no report on it)"),
        }
        lines.push('\n');
    }
    lines
}

fn request(step: &LookupStep) -> String {
    match step {
        LookupStep::Ask(question, _) => format!("GET /api/v3{}", question.path()),
        LookupStep::Submit(url) => format!("POST /api/v3/urls url={url}"),
    }
}

/// For people.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.indicators as u64 - self.settled - self.kept.values().sum::<u64>();
        writeln!(
            f,
            "{} indicators: {open} to be asked, {} answered by the store",
            self.indicators, self.settled
        )?;
        for (reason, count) in &self.kept {
            writeln!(f, "  {count} not asked: {}", visible(reason))?;
        }
        for (share, cost) in &self.costs {
            let mark = if *share == self.chosen { "*" } else { " " };
            let mut parts = format!("{} hosts", cost.hosts);
            if *share >= Share::Hash {
                let how = if *share == Share::Hash {
                    "by SHA-256"
                } else {
                    "themselves"
                };
                write!(parts, ", up to {} URLs {how}", cost.urls)?;
            }
            if *share == Share::Submit {
                write!(parts, ", up to {} handed in", cost.submissions)?;
            }
            writeln!(
                f,
                "{mark} --share {share}: {parts}: {} to {} requests, done between {} and {}",
                cost.least(&self.quota),
                cost.most(&self.quota),
                self.done_by(cost.least(&self.quota)),
                self.done_by(cost.most(&self.quota))
            )?;
        }
        for (written, left) in self.cut.iter().take(URLS_SHOWN) {
            writeln!(
                f,
                "of {} no more than {} is sent",
                visible(written),
                visible(left)
            )?;
        }
        if let Some(more) = self.cut.len().checked_sub(URLS_SHOWN + 1) {
            writeln!(f, "and {} more URLs without user or fragment", more + 1)?;
        }
        for (url, reasons) in self.secret.iter().take(URLS_SHOWN) {
            let reasons = reasons.join(", ");
            writeln!(
                f,
                "never shown or handed in, for what may be a secret: {} ({})",
                visible(url),
                visible(&reasons)
            )?;
        }
        if let Some(more) = self.secret.len().checked_sub(URLS_SHOWN + 1) {
            writeln!(f, "and {} more URLs with what may be a secret", more + 1)?;
        }
        writeln!(
            f,
            "At {}, {} a day. Nothing was sent.",
            self.quota.limits.rate, self.quota.limits.per_day
        )
    }
}

/// URLs that are named one by one, of those with secrets and of those that are
/// cut.
const URLS_SHOWN: usize = 20;
