//! The plan: which indicators are looked up, and in which order.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::finding::{Cause, Finding};
use super::judge::Judge;
use crate::indicator::Indicator;
use crate::indicator::scope::{self, InternalSuffixes};
use crate::observation::LogPosition;
use crate::plugin::Screening;
use crate::sightings::Sightings;

/// An indicator and whether it is looked up.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What the logs showed.
    pub sightings: Sightings,
    /// Whether it is asked.
    pub decision: Decision,
    /// The place of its host among the hosts, by the value of all that is on
    /// the host.
    pub host_rank: usize,
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
    Skip {
        /// Internal, skipped or failed.
        cause: Cause,
        /// In words.
        reason: String,
    },
}

/// The prefix of the reason with [`Cause::Internal`].
pub const NEVER_LEAVES: &str = "never leaves this machine: ";

/// The prefix of the reason with [`Cause::Skipped`].
pub const NOT_ASKED: &str = "not asked by the policy: ";

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
            host_rank: 0,
        })
        .collect();
    planned.sort_by_key(|planned| {
        let sightings = &planned.sightings;
        SortKey {
            priority: Reverse(priority(&planned.decision)),
            was_only_stopped: sightings.was_only_stopped(),
            clients: Reverse(sightings.clients.len()),
            count: sightings.count,
            first_seen: sightings.first_seen,
        }
    });
    rank_hosts(&mut planned);
    planned
}

/// The order of the plan; the least comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SortKey {
    priority: Reverse<Option<i32>>,
    was_only_stopped: bool,
    clients: Reverse<usize>,
    count: u64,
    first_seen: LogPosition,
}

/// Ranks the hosts by the value of all indicators on them, because a host's report serves them all.
fn rank_hosts(planned: &mut [Planned]) {
    struct Host<'a> {
        members: Vec<usize>,
        clients: HashSet<&'a str>,
        value: SortKey,
    }
    let mut hosts: HashMap<Indicator, Host<'_>> = HashMap::new();
    for (index, planned) in planned.iter().enumerate() {
        let sightings = &planned.sightings;
        let host = hosts
            .entry(sightings.indicator.host())
            .or_insert_with(|| Host {
                members: Vec::new(),
                clients: HashSet::new(),
                value: SortKey {
                    priority: Reverse(None),
                    was_only_stopped: true,
                    clients: Reverse(0),
                    count: 0,
                    first_seen: sightings.first_seen,
                },
            });
        host.members.push(index);
        host.clients
            .extend(sightings.clients.iter().map(String::as_str));
        let value = &mut host.value;
        value.priority = value.priority.min(Reverse(priority(&planned.decision)));
        value.was_only_stopped &= sightings.was_only_stopped();
        value.clients = Reverse(host.clients.len());
        value.count += sightings.count;
        value.first_seen = value.first_seen.min(sightings.first_seen);
    }
    let mut hosts: Vec<(SortKey, Vec<usize>)> = hosts
        .into_values()
        .map(|host| (host.value, host.members))
        .collect();
    hosts.sort();
    for (turn, (_, members)) in hosts.into_iter().enumerate() {
        for index in members {
            planned[index].host_rank = turn;
        }
    }
}

/// `None`, for an indicator that is not looked up, is less than every priority.
fn priority(decision: &Decision) -> Option<i32> {
    match decision {
        Decision::Ask { priority } => Some(*priority),
        Decision::Skip { .. } => None,
    }
}

fn decide(sightings: &Sightings, own: &InternalSuffixes, judge: &mut dyn Judge) -> Decision {
    if let Some(reason) = scope::internal(&sightings.indicator, own) {
        return Decision::Skip {
            cause: Cause::Internal,
            reason: format!("{NEVER_LEAVES}{reason}"),
        };
    }
    match judge.screen(sightings) {
        Ok(Screening::Ask { priority }) => Decision::Ask { priority },
        Ok(Screening::Skip { reason }) => Decision::Skip {
            cause: Cause::Skipped,
            reason: format!("{NOT_ASKED}{reason}"),
        },
        Err(failed) => Decision::Skip {
            cause: Cause::Failed,
            reason: failed.to_string(),
        },
    }
}

impl Planned {
    /// The finding, if the indicator is not looked up.
    pub(super) fn skipped(&self) -> Option<Finding> {
        match &self.decision {
            Decision::Ask { .. } => None,
            Decision::Skip { cause, reason } => Some(Finding::unknown(
                self.sightings.clone(),
                *cause,
                reason.clone(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Kind;
    use crate::plugin::Judgement;
    use crate::triage::judge::PolicyFailure;
    use crate::verdict::Scope;
    use crate::virustotal::report::Report;

    /// AsksAll all, `first.example.com` before all others.
    struct AsksAll;

    impl Judge for AsksAll {
        fn screen(&mut self, sightings: &Sightings) -> Result<Screening, PolicyFailure> {
            let is_first = sightings.indicator.value() == "first.example.com";
            Ok(Screening::Ask {
                priority: i32::from(is_first),
            })
        }

        fn judge(
            &mut self,
            _sightings: &Sightings,
            _subject: &Indicator,
            _scope: Scope,
            _report: &Report,
        ) -> Result<Judgement, PolicyFailure> {
            Err(PolicyFailure("not asked here".to_owned()))
        }
    }

    fn seen(value: &str, blocked: u64, clients: &[&str], line: u64) -> Sightings {
        let kind = if value.contains('/') {
            Kind::Url
        } else {
            Kind::Domain
        };
        Sightings {
            indicator: Indicator::parse(kind, value.as_bytes()).unwrap(),
            written: None,
            count: 2,
            allowed: 2 - blocked,
            blocked,
            first_us: None,
            last_us: None,
            clients: clients.iter().map(ToString::to_string).collect(),
            first_seen: LogPosition::new(0, line),
        }
    }

    #[test]
    fn a_host_ranks_by_the_sum_of_its_urls() {
        let planned = plan(
            vec![
                seen("http://one.example.com/", 0, &["192.0.2.1", "192.0.2.2"], 0),
                seen("http://many.example.com/a", 0, &["192.0.2.1"], 1),
                seen("http://many.example.com/b", 0, &["192.0.2.2"], 2),
                seen("http://many.example.com/c", 2, &["192.0.2.3"], 3),
                seen("stopped.example.com", 2, &["192.0.2.1"; 4], 4),
                seen("first.example.com", 2, &[], 5),
                seen("10.0.0.1", 0, &["192.0.2.1"; 9], 6),
            ],
            &InternalSuffixes::new(&[]),
            &mut AsksAll,
        );
        let order: Vec<(&str, usize)> = planned
            .iter()
            .map(|planned| (planned.sightings.indicator.value(), planned.host_rank))
            .collect();
        assert_eq!(
            order,
            [
                ("first.example.com", 0),
                ("http://one.example.com/", 2),
                ("http://many.example.com/a", 1),
                ("http://many.example.com/b", 1),
                ("stopped.example.com", 3),
                ("http://many.example.com/c", 1),
                ("10.0.0.1", 4),
            ]
        );
    }
}
