//! The open indicators of a run, and which of them has its turn.

use std::collections::{BTreeMap, BTreeSet};

use super::request::Tier;
use crate::clock::UnixMs;

/// The open indicators, each in exactly one state: queued for a request, or awaiting an analysis.
/// Indicators are named by their index in the plan.
pub(super) struct Queue {
    /// The rank of each indicator's host.
    host_ranks: Vec<usize>,
    /// The state of each indicator; `None` when it is settled.
    states: Vec<Option<OpenState>>,
    /// The queued indicators in the order of their turns, with the earliest time of each.
    queued: BTreeMap<Position, UnixMs>,
    /// The awaiting indicators in the order in which they are due.
    awaiting: BTreeSet<(UnixMs, usize)>,
    held_until_ms: UnixMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenState {
    Queued(Position, UnixMs),
    Awaiting(UnixMs),
}

/// The order of queued indicators: by tier, then by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    tier: Tier,
    rank: usize,
    index: usize,
}

/// What a run does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Work on this indicator.
    Take(usize),
    /// Wait until this time.
    WaitUntil(UnixMs),
    /// Nothing is open.
    Done,
}

impl Queue {
    /// An empty queue over a plan, given the rank of each indicator's host.
    pub(super) fn new(host_ranks: Vec<usize>) -> Self {
        Self {
            states: vec![None; host_ranks.len()],
            host_ranks,
            queued: BTreeMap::new(),
            awaiting: BTreeSet::new(),
            held_until_ms: UnixMs::MIN,
        }
    }

    /// The number of open indicators.
    pub(super) fn len(&self) -> usize {
        self.queued.len() + self.awaiting.len()
    }

    /// Whether an analysis is awaited.
    pub(super) fn has_awaiting(&self) -> bool {
        !self.awaiting.is_empty()
    }

    /// Queues an indicator for a request of this tier.
    pub(super) fn ready(&mut self, index: usize, tier: Tier) {
        let rank = match tier {
            Tier::Host => self.host_ranks[index],
            Tier::Url | Tier::Submission => index,
        };
        let position = Position { tier, rank, index };
        self.set(index, Some(OpenState::Queued(position, UnixMs::MIN)));
    }

    /// Lets an indicator wait for an analysis that is polled at this time.
    pub(super) fn await_analysis(&mut self, index: usize, due_ms: UnixMs) {
        self.set(index, Some(OpenState::Awaiting(due_ms)));
    }

    /// Delays an open indicator until this time, unless it waits longer already.
    pub(super) fn defer(&mut self, index: usize, not_before_ms: UnixMs) {
        let deferred = self.states[index].map(|state| match state {
            OpenState::Queued(position, ms) => OpenState::Queued(position, ms.max(not_before_ms)),
            OpenState::Awaiting(due_ms) => OpenState::Awaiting(due_ms.max(not_before_ms)),
        });
        self.set(index, deferred);
    }

    /// Removes an indicator.
    pub(super) fn settle(&mut self, index: usize) {
        self.set(index, None);
    }

    /// Holds the queued indicators until this time, as long as an analysis is awaited.
    pub(super) fn hold_queued(&mut self, until_ms: UnixMs) {
        self.held_until_ms = until_ms;
    }

    /// The next turn: analyses that are due come first.
    pub(super) fn next(&self, now: UnixMs) -> Turn {
        let due = self.awaiting.first();
        if let Some((due_ms, index)) = due
            && *due_ms <= now
        {
            return Turn::Take(*index);
        }
        let held_until_ms = match due {
            Some(_) => self.held_until_ms,
            None => UnixMs::MIN,
        };
        let mut queued = self.queued.iter();
        let ready = queued.find(|(_, not_before_ms)| held_until_ms.max(**not_before_ms) <= now);
        if let Some((position, _)) = ready {
            return Turn::Take(position.index);
        }
        let queued = self.queued.values().map(|ms| held_until_ms.max(*ms));
        let times = queued.chain(due.map(|(due_ms, _)| *due_ms));
        times.min().map_or(Turn::Done, Turn::WaitUntil)
    }

    /// The one place that changes a state.
    fn set(&mut self, index: usize, state: Option<OpenState>) {
        match std::mem::replace(&mut self.states[index], state) {
            Some(OpenState::Queued(position, _)) => drop(self.queued.remove(&position)),
            Some(OpenState::Awaiting(due_ms)) => drop(self.awaiting.remove(&(due_ms, index))),
            None => {}
        }
        match state {
            Some(OpenState::Queued(position, not_before_ms)) => {
                self.queued.insert(position, not_before_ms);
            }
            Some(OpenState::Awaiting(due_ms)) => drop(self.awaiting.insert((due_ms, index))),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three indicators; the host of the last ranks first.
    fn queue() -> Queue {
        Queue::new(vec![2, 1, 0])
    }

    /// Settles one indicator after the other, as far as nothing has to wait.
    fn drain(queue: &mut Queue, now: UnixMs) -> Vec<usize> {
        let mut taken = Vec::new();
        while let Turn::Take(index) = queue.next(now) {
            taken.push(index);
            queue.settle(index);
        }
        taken
    }

    #[test]
    fn tiers_come_in_order_and_hosts_by_rank() {
        let mut queue = queue();
        for index in 0..3 {
            queue.ready(index, Tier::Host);
        }
        assert_eq!(drain(&mut queue, 0), [2, 1, 0]);
        queue.ready(0, Tier::Submission);
        queue.ready(2, Tier::Url);
        queue.ready(1, Tier::Url);
        assert_eq!(queue.len(), 3);
        assert_eq!(drain(&mut queue, 0), [1, 2, 0]);
        assert_eq!((queue.len(), queue.next(0)), (0, Turn::Done));
    }

    #[test]
    fn a_due_analysis_comes_first() {
        let mut queue = queue();
        queue.ready(0, Tier::Host);
        queue.await_analysis(1, 20);
        queue.await_analysis(2, 10);
        assert_eq!(queue.next(9), Turn::Take(0));
        assert_eq!(queue.next(10), Turn::Take(2));
        assert_eq!(drain(&mut queue, 20), [2, 1, 0]);
    }

    #[test]
    fn a_deferred_indicator_leaves_its_turn_to_others() {
        let mut queue = queue();
        queue.ready(0, Tier::Host);
        queue.ready(1, Tier::Url);
        queue.defer(0, 100);
        queue.defer(0, 50);
        assert_eq!(queue.next(99), Turn::Take(1));
        queue.settle(1);
        assert_eq!(queue.next(99), Turn::WaitUntil(100));
        assert_eq!(queue.next(100), Turn::Take(0));
        queue.await_analysis(0, 10);
        queue.defer(0, 200);
        assert_eq!(queue.next(100), Turn::WaitUntil(200));
    }

    #[test]
    fn an_indicator_is_in_one_state_at_a_time() {
        let mut queue = queue();
        queue.ready(0, Tier::Host);
        queue.ready(0, Tier::Url);
        queue.await_analysis(0, 10);
        queue.await_analysis(0, 30);
        assert_eq!((queue.len(), queue.next(29)), (1, Turn::WaitUntil(30)));
        queue.ready(0, Tier::Submission);
        assert!(!queue.has_awaiting());
        queue.settle(0);
        queue.settle(0);
        queue.defer(0, 5);
        assert_eq!((queue.len(), queue.next(29)), (0, Turn::Done));
    }

    #[test]
    fn held_indicators_wait_only_while_an_analysis_is_awaited() {
        let mut queue = queue();
        queue.ready(0, Tier::Host);
        queue.await_analysis(1, 40);
        queue.hold_queued(1_000);
        assert_eq!(queue.next(0), Turn::WaitUntil(40));
        assert_eq!(queue.next(40), Turn::Take(1));
        queue.settle(1);
        assert_eq!(queue.next(40), Turn::Take(0));
    }
}
