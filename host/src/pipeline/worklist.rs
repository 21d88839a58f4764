//! The indicators of a run in the order in which they are looked up.

use super::logs::Logs;
use crate::clock::UnixMs;
use crate::indicator::scope::InternalSuffixes;
use crate::output::{Results, Summary};
use crate::plugin::{PluginId, Policy};
use crate::sightings::Sightings;
use crate::store::{Store, StoreError};
use crate::triage::estimate::{Estimate, estimate};
use crate::triage::plan::plan;
use crate::triage::resolve::judge_stored;
use crate::triage::{Cause, Finding, Judge as _, LookupPlan, Planned, PolicyChain};

/// What decides about the indicators of a run.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The policies, at least one, in their order.
    pub policies: &'a [Policy],
    /// The organisation's domains, which are never sent.
    pub internal: &'a InternalSuffixes,
    /// The time of the run.
    pub now_ms: UnixMs,
}

/// The indicators of a run in the order in which they are looked up, and the policies that judge
/// them.
pub struct Worklist {
    pub(super) planned: Vec<Planned>,
    pub(super) judge: PolicyChain,
    /// What was read, without policies and findings.
    pub(super) read: Summary,
    pub(super) policies: Vec<PluginId>,
}

/// Findings and their totals.
#[derive(Debug)]
pub struct Judged {
    /// A finding for every indicator, in the order of the plan.
    pub findings: Vec<Finding>,
    /// The totals.
    pub summary: Summary,
    /// Why a policy was not called any more, if it failed too often.
    pub gave_up: Option<String>,
}

impl Judged {
    /// Counts the findings. `summary` states what was read and the policies.
    pub(super) fn new(findings: Vec<Finding>, mut summary: Summary) -> Self {
        summary.count(&findings);
        Self {
            findings,
            summary,
            gave_up: None,
        }
    }

    /// Adds what the logs show of the bad indicators, if there are logs.
    #[must_use]
    pub fn traced(mut self, logs: Option<Logs<'_>>) -> Self {
        if let Some(logs) = logs {
            logs.trace(&mut self.findings, &mut self.summary);
        }
        self
    }

    /// What the outputs write.
    #[must_use]
    pub fn results(&self) -> Results<'_> {
        Results {
            findings: &self.findings,
            summary: &self.summary,
        }
    }
}

impl Worklist {
    /// Asks the policies which indicators to look up and puts them in order. Indicators that never
    /// leave the machine are last. `read` states what was read.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread for a policy.
    pub fn new(
        sightings: Vec<Sightings>,
        read: Summary,
        rules: Rules<'_>,
    ) -> std::io::Result<Self> {
        let policies = rules.policies;
        let mut judge = PolicyChain::start(policies, rules.now_ms.div_euclid(1000))?;
        Ok(Self {
            planned: plan(sightings, rules.internal, &mut judge),
            judge,
            read,
            policies: policies.iter().map(|policy| policy.id().clone()).collect(),
        })
    }

    /// The number of indicators.
    #[must_use]
    pub fn indicators(&self) -> usize {
        self.planned.len()
    }

    /// Why a policy is not called any more, if it failed too often.
    #[must_use]
    pub fn gave_up(&self) -> Option<&str> {
        self.judge.gave_up()
    }

    /// What was read.
    #[must_use]
    pub fn read(&self) -> &Summary {
        &self.read
    }

    /// Estimates the requests of [`look_up`](Self::look_up), without sending any.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn estimate(&mut self, plan: &LookupPlan, store: &Store) -> Result<Estimate, StoreError> {
        estimate(&self.planned, plan, store, &mut self.judge)
    }

    /// Judges every indicator by the stored reports, without a request. An indicator without a
    /// report is unknown.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn judge_stored(mut self, plan: &LookupPlan, store: &Store) -> Result<Judged, StoreError> {
        let findings = judge_stored(&self.planned, plan, store, &mut self.judge)?;
        let findings = findings.into_iter().zip(self.planned);
        let findings = findings.map(|(finding, planned)| {
            finding.unwrap_or_else(|| {
                let reason = "no report is stored".to_owned();
                Finding::unknown(planned.sightings, Cause::NotAsked, reason)
            })
        });
        let summary = Summary {
            policies: self.policies,
            ..self.read
        };
        Ok(Judged {
            gave_up: self.judge.gave_up().map(str::to_owned),
            ..Judged::new(findings.collect(), summary)
        })
    }
}
