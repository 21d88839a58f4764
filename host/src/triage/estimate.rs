//! What a run would send, in which order, and how long that would take. Sends nothing.

use std::collections::{BTreeMap, HashSet};

use super::finding::Cause;
use super::judge::Judge;
use super::lookup::LookupPlan;
use super::plan::Planned;
use super::request::{LookupStep, Tier};
use super::resolve::{Resolution, resolve};
use super::share::Share;
use super::stored::StoreSnapshot;
use crate::clock::UnixMs;
use crate::indicator::{Indicator, Kind, redaction, secrets};
use crate::quota::{self, Limits, Usage};
use crate::sightings::Sightings;
use crate::store::{Store, StoreError};

/// What a run would do.
#[derive(Debug, Clone, Default)]
pub struct Estimate {
    /// The number of indicators in the plan.
    pub indicators: u64,
    /// The number of indicators that are not looked up, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// The number of indicators that the store answers.
    pub answered: u64,
    /// The requests, each once, in the order in which they would be sent.
    pub requests: Vec<EstimatedRequest>,
    /// The number of requests for each value of `--share`.
    pub counts: Vec<(Share, RequestCounts)>,
    /// URLs that are not sent in full, with the reasons why they may hold a secret.
    pub sensitive: Vec<(String, Vec<String>)>,
    /// URLs as logged, without passwords, and the shorter form that is sent.
    pub redacted: Vec<(String, String)>,
}

/// A request that may be needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EstimatedRequest {
    /// The request.
    pub step: LookupStep,
    /// The first indicator that needs it.
    pub indicator: String,
}

/// The largest number of requests, by tier. Fewer URLs and submissions are needed where a
/// host's report settles them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Look-ups of domains and addresses.
    pub hosts: u64,
    /// Look-ups of URLs.
    pub urls: u64,
    /// Submissions.
    pub submissions: u64,
}

/// The quota that a run would have, at the time of the estimate.
#[derive(Debug, Clone)]
pub struct Budget {
    /// The limits.
    pub limits: Limits,
    /// The requests sent before.
    pub usage: Usage,
    /// Whether polling an analysis is free of charge.
    pub polls_are_free: bool,
    /// The time of the estimate.
    pub now_ms: UnixMs,
}

impl Budget {
    /// When this many requests can have been sent, at the earliest.
    #[must_use]
    pub fn finish_ms(&self, requests: u64) -> UnixMs {
        quota::finish_ms(requests, &self.usage, self.now_ms, &self.limits)
    }

    /// A submission and at least one poll.
    fn requests_per_submission(&self) -> u64 {
        if self.polls_are_free { 1 } else { 2 }
    }
}

impl RequestCounts {
    /// The requests if every host's report settles its URLs.
    #[must_use]
    pub fn least(&self, budget: &Budget) -> u64 {
        if self.hosts == 0 && self.urls == 0 {
            self.most(budget)
        } else {
            self.hosts
        }
    }

    /// The requests if nothing is settled before its last tier.
    #[must_use]
    pub fn most(&self, budget: &Budget) -> u64 {
        self.hosts + self.urls + self.submissions * budget.requests_per_submission()
    }

    fn add(&mut self, tier: Tier) {
        match tier {
            Tier::Host => self.hosts += 1,
            Tier::Url => self.urls += 1,
            Tier::Submission => self.submissions += 1,
        }
    }
}

/// Estimates the requests for everything that is planned, given what is stored.
///
/// # Errors
///
/// When the store cannot be read.
pub fn estimate(
    planned: &[Planned],
    lookup: &LookupPlan,
    store: &Store,
    judge: &mut dyn Judge,
) -> Result<Estimate, StoreError> {
    let stored = StoreSnapshot::of(store)?;
    let mut estimate = Estimate {
        indicators: planned.len() as u64,
        ..Estimate::default()
    };
    for share in Share::ALL {
        let at_tier = LookupPlan { share, ..*lookup };
        let mut open = Vec::new();
        for (index, planned) in planned.iter().enumerate() {
            match resolve(planned, &at_tier, &stored, judge)? {
                Resolution::Open(request) => {
                    open.push(OpenIndicator::new(index, planned, &at_tier, request.tier()));
                }
                Resolution::Settled(finding) if share == lookup.share => match finding.cause {
                    Cause::Internal | Cause::Skipped | Cause::Failed => {
                        *estimate.skipped.entry(finding.reason).or_default() += 1;
                    }
                    _ => estimate.answered += 1,
                },
                Resolution::Settled(_) => {}
            }
        }
        let requests = requests(&open);
        let mut counts = RequestCounts::default();
        for request in &requests {
            counts.add(request.step.tier());
        }
        estimate.counts.push((share, counts));
        if share == lookup.share {
            estimate.requests = requests;
        }
        if share == Share::Submit {
            let sightings = || open.iter().map(|open| &open.planned.sightings);
            estimate.sensitive = sightings().filter_map(sensitive).collect();
            estimate.redacted = sightings().filter_map(redacted).collect();
        }
    }
    Ok(estimate)
}

/// An indicator without an answer, and all steps that may be needed.
struct OpenIndicator<'a> {
    index: usize,
    planned: &'a Planned,
    steps: Vec<LookupStep>,
}

impl<'a> OpenIndicator<'a> {
    fn new(index: usize, planned: &'a Planned, lookup: &LookupPlan, first: Tier) -> Self {
        let mut steps = lookup.steps(&planned.sightings.indicator);
        steps.retain(|step| step.tier() >= first);
        Self {
            index,
            planned,
            steps,
        }
    }

    /// The order of a request within its tier.
    fn rank(&self, tier: Tier) -> usize {
        match tier {
            Tier::Host => self.planned.host_rank,
            Tier::Url | Tier::Submission => self.index,
        }
    }
}

/// Each request once, for many URLs share a host.
fn requests(open: &[OpenIndicator<'_>]) -> Vec<EstimatedRequest> {
    let mut steps: Vec<(Tier, usize, &LookupStep, &Indicator)> = open
        .iter()
        .flat_map(|open| {
            let indicator = &open.planned.sightings.indicator;
            open.steps
                .iter()
                .map(move |step| (step.tier(), open.rank(step.tier()), step, indicator))
        })
        .collect();
    steps.sort_by_key(|(tier, rank, ..)| (*tier, *rank));
    let mut seen = HashSet::new();
    steps.retain(|(_, _, step, _)| seen.insert(key(step)));
    steps
        .into_iter()
        .map(|(_, _, step, indicator)| EstimatedRequest {
            step: step.clone(),
            indicator: indicator.value().to_owned(),
        })
        .collect()
}

/// Equal for two steps that are one request.
fn key(step: &LookupStep) -> String {
    match step {
        LookupStep::Ask(question, _) => question.to_string(),
        LookupStep::Submit(url) => format!("submission of {url}"),
    }
}

fn sensitive(sightings: &Sightings) -> Option<(String, Vec<String>)> {
    let reasons = secrets::sensitive(&sightings.indicator);
    (!reasons.is_empty()).then(|| (sightings.indicator.value().to_owned(), reasons))
}

fn redacted(sightings: &Sightings) -> Option<(String, String)> {
    let is_url = sightings.indicator.kind() == Kind::Url;
    let written = sightings.written.as_deref().filter(|_| is_url)?;
    let logged = redaction::before_cut(written)?;
    Some((logged, sightings.indicator.value().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::scope::InternalSuffixes;
    use crate::triage::lookup::FreshSince;
    use crate::triage::plan::plan;
    use crate::triage::share::Rescan;
    use crate::triage::testing::{MaliciousCount, sightings};
    use crate::virustotal::{Lookup, Question};

    const VALUES: [&str; 5] = [
        "b.example.com",
        "http://a.example.com/1",
        "http://a.example.com/2",
        "a.example.com",
        "10.0.0.1",
    ];

    fn estimated(store: &Store, share: Share, rescan: Rescan) -> Estimate {
        let values = VALUES.iter().enumerate();
        let sightings = values.map(|(line, value)| sightings(value, line as u64));
        let own = InternalSuffixes::new(&[]);
        let planned = plan(sightings.collect(), &own, &mut MaliciousCount);
        let lookup = LookupPlan {
            share,
            rescan,
            fresh_since: FreshSince::all(0),
        };
        estimate(&planned, &lookup, store, &mut MaliciousCount).unwrap()
    }

    fn budget(polls_are_free: bool) -> Budget {
        Budget {
            limits: Limits::default(),
            usage: Usage::default(),
            polls_are_free,
            now_ms: 0,
        }
    }

    #[test]
    fn each_request_is_counted_once_by_tier() {
        let store = Store::in_memory().unwrap();
        let estimate = estimated(&store, Share::Submit, Rescan::No);
        let counts = |hosts, urls, submissions| RequestCounts {
            hosts,
            urls,
            submissions,
        };
        let expected = [
            (Share::Host, counts(2, 0, 0)),
            (Share::Hash, counts(2, 2, 0)),
            (Share::Url, counts(2, 2, 0)),
            (Share::Submit, counts(2, 2, 4)),
        ];
        assert_eq!(estimate.counts, expected);
        assert_eq!((estimate.indicators, estimate.answered), (5, 0));
        assert_eq!(
            estimate.skipped.values().sum::<u64>(),
            1,
            "the private address"
        );
    }

    #[test]
    fn a_submission_is_two_requests_unless_polls_are_free() {
        let store = Store::in_memory().unwrap();
        let range = |rescan, polls_are_free| {
            let estimate = estimated(&store, Share::Submit, rescan);
            let (_, counts) = estimate.counts[3];
            let budget = budget(polls_are_free);
            (counts.least(&budget), counts.most(&budget))
        };
        assert_eq!(range(Rescan::No, false), (2, 2 + 2 + 4 * 2));
        assert_eq!(range(Rescan::No, true), (2, 2 + 2 + 4));
        // Every indicator is submitted, so nothing can be settled before.
        assert_eq!(range(Rescan::Yes, false), (8, 8));
    }

    #[test]
    fn requests_are_in_the_order_of_tiers_and_hosts() {
        let store = Store::in_memory().unwrap();
        let estimate = estimated(&store, Share::Url, Rescan::No);
        let indicators: Vec<&str> = estimate
            .requests
            .iter()
            .map(|request| request.indicator.as_str())
            .collect();
        // The host with less traffic is rarer, and goes first.
        let expected = [
            "b.example.com",
            "http://a.example.com/1",
            "http://a.example.com/1",
            "http://a.example.com/2",
        ];
        assert_eq!(indicators, expected);
        let tiers: Vec<Tier> = estimate.requests.iter().map(|r| r.step.tier()).collect();
        assert_eq!(tiers, [Tier::Host, Tier::Host, Tier::Url, Tier::Url]);
    }

    #[test]
    fn stored_answers_need_no_request() {
        let store = Store::in_memory().unwrap();
        let question = Question::Domain("b.example.com".into());
        let found = Lookup::Found {
            id: "b.example.com".into(),
            attributes_json: r#"{"last_analysis_stats":{"harmless":70}}"#.into(),
        };
        store.record_answer(&question, &found, 1).unwrap();
        let estimate = estimated(&store, Share::Host, Rescan::No);
        assert_eq!(estimate.answered, 1);
        assert_eq!(estimate.requests.len(), 1);
    }

    #[test]
    fn a_day_that_is_spent_moves_the_finish_to_the_next() {
        let mut budget = budget(false);
        budget.usage.today = budget.limits.per_day;
        assert_eq!(budget.finish_ms(1), 86_400_000);
    }
}
