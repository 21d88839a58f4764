//! The plan: what is asked at all, and in which order.

use std::cmp::Reverse;

use super::judge::Judge;
use super::{Cause, Finding};
use crate::indicator::scope::{self, InternalSuffixes};
use crate::plugin::Screening;
use crate::sightings::Sightings;

/// An indicator, and what is to be done with it.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What the logs showed.
    pub sightings: Sightings,
    /// Whether it is asked.
    pub decision: Decision,
}

/// Whether an indicator is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is, with the policy's priority.
    Ask {
        /// Higher is sooner.
        priority: i32,
    },
    /// It is not, and unknown for this reason.
    Keep {
        /// Internal, skipped or failed.
        cause: Cause,
        /// In words.
        reason: String,
    },
}

/// Decides for all, and orders by value: the policy's priority, then what was
/// let through before what was stopped, more clients, rarer, first seen. What
/// is not asked comes last.
pub fn plan(
    sightings: Vec<Sightings>,
    own: &InternalSuffixes,
    judge: &mut dyn Judge,
) -> Vec<Planned> {
    let mut planned: Vec<Planned> = sightings
        .into_iter()
        .map(|sightings| Planned {
            decision: decide(&sightings, own, judge),
            sightings,
        })
        .collect();
    planned.sort_by_key(|planned| {
        let sightings = &planned.sightings;
        let was_only_stopped = sightings.blocked > 0 && sightings.blocked == sightings.count;
        (
            Reverse(priority(&planned.decision)),
            was_only_stopped,
            Reverse(sightings.clients.len()),
            sightings.count,
            sightings.place,
        )
    });
    planned
}

/// None, for what is not asked, is less than every priority.
fn priority(decision: &Decision) -> Option<i32> {
    match decision {
        Decision::Ask { priority } => Some(*priority),
        Decision::Keep { .. } => None,
    }
}

fn decide(sightings: &Sightings, own: &InternalSuffixes, judge: &mut dyn Judge) -> Decision {
    if let Some(reason) = scope::internal(&sightings.indicator, own) {
        return Decision::Keep {
            cause: Cause::Internal,
            reason: format!("never leaves this machine: {reason}"),
        };
    }
    match judge.screen(sightings) {
        Ok(Screening::Ask { priority }) => Decision::Ask { priority },
        Ok(Screening::Skip { reason }) => Decision::Keep {
            cause: Cause::Skipped,
            reason: format!("not asked by the policy: {reason}"),
        },
        Err(failed) => Decision::Keep {
            cause: Cause::Failed,
            reason: failed.to_string(),
        },
    }
}

impl Planned {
    /// The finding for what is not asked.
    pub(super) fn kept(&self) -> Option<Finding> {
        match &self.decision {
            Decision::Ask { .. } => None,
            Decision::Keep { cause, reason } => Some(Finding::unknown(
                self.sightings.clone(),
                *cause,
                reason.clone(),
            )),
        }
    }
}
