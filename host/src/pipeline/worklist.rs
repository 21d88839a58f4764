//! The indicators of a run in the order in which they are looked up.

use crate::clock::UnixMs;
use crate::indicator::scope::InternalSuffixes;
use crate::output::{Results, Summary};
use crate::plugin::Policy;
use crate::sightings::Sightings;
use crate::store::{Store, StoreError};
use crate::triage::plan::plan;
use crate::triage::run::judge_stored;
use crate::triage::{Cause, Finding, LookupPlan, Planned, PolicyChain};

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
    /// The indicators with their place in the plan.
    pub planned: Vec<Planned>,
    /// The policies.
    pub judge: PolicyChain,
    /// What was read.
    pub summary: Summary,
}

/// Findings and their totals.
#[derive(Debug)]
pub struct Judged {
    /// A finding for every indicator, in the order of the plan.
    pub findings: Vec<Finding>,
    /// The totals.
    pub summary: Summary,
}

impl Judged {
    /// Counts the findings.
    pub(super) fn new(findings: Vec<Finding>, mut summary: Summary) -> Self {
        summary.count(&findings);
        Self { findings, summary }
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
    /// leave the machine are last. `summary` states what was read.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread for a policy.
    pub fn new(
        sightings: Vec<Sightings>,
        summary: Summary,
        rules: Rules<'_>,
    ) -> std::io::Result<Self> {
        let policies = rules.policies;
        let mut judge = PolicyChain::start(policies, rules.now_ms.div_euclid(1000))?;
        Ok(Self {
            planned: plan(sightings, rules.internal, &mut judge),
            judge,
            summary: Summary {
                policies: policies.iter().map(|policy| policy.id().clone()).collect(),
                ..summary
            },
        })
    }

    /// Judges every indicator by the stored reports, without a request. An indicator without a
    /// report is unknown.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn judge_stored(
        mut self,
        lookup: &LookupPlan,
        store: &Store,
    ) -> Result<Judged, StoreError> {
        let findings = judge_stored(&self.planned, lookup, store, &mut self.judge)?;
        let findings = findings.into_iter().zip(self.planned);
        let findings = findings.map(|(finding, planned)| {
            finding.unwrap_or_else(|| {
                let reason = "no report is stored".to_owned();
                Finding::unknown(planned.sightings, Cause::NotAsked, reason)
            })
        });
        Ok(Judged::new(findings.collect(), self.summary))
    }
}
