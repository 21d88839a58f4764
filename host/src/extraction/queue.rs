//! Where the workers get their work.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use super::source::{Next, Source};
use super::work::{Work, lock};

/// A source for many workers. Whoever wants work reads it: the chunk is then in
/// the cache of the processor that parses it, and nobody has to be woken.
pub(super) struct Queue<'a> {
    state: Mutex<State<'a>>,
    changed: Condvar,
}

struct State<'a> {
    source: Source<'a>,
    /// Read by one worker for another.
    handed_over: VecDeque<Work>,
    /// How many workers wait for that.
    waiting: usize,
}

impl State<'_> {
    /// How much whoever unpacks reads for others before it takes what it read:
    /// as much as they wait for, and where they have nothing else to read, so
    /// much that they need not wait.
    fn wanted(&self) -> usize {
        const SPARE: usize = 2;
        self.waiting + if self.source.is_shared() { SPARE } else { 0 }
    }
}

impl<'a> Queue<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            state: Mutex::new(State {
                source,
                handed_over: VecDeque::new(),
                waiting: 0,
            }),
            changed: Condvar::new(),
        }
    }

    pub(super) fn into_source(self) -> Source<'a> {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).source
    }

    /// What is to be done next by a worker with a session for the input `own`;
    /// nothing when all is done or the run is over.
    pub(super) fn next(&self, own: Option<u32>, is_over: impl Fn() -> bool) -> Option<Work> {
        let mut state = lock(&self.state);
        let mut work = state.handed_over.pop_front();
        while work.is_none() && !is_over() {
            match state.source.next(own) {
                Next::Work(read) => {
                    // What was handed over before comes first.
                    state.handed_over.push_back(read);
                    work = state.handed_over.pop_front();
                }
                Next::Read(lent) => {
                    drop(state);
                    let returned = lent.read_on();
                    state = lock(&self.state);
                    let Some(read) = state.source.take_back(returned) else {
                        self.changed.notify_all();
                        continue;
                    };
                    state.handed_over.push_back(read);
                    if state.handed_over.len() > state.wanted() {
                        work = state.handed_over.pop_front();
                    } else {
                        drop(state);
                        self.changed.notify_one();
                        state = lock(&self.state);
                    }
                }
                Next::Wait | Next::End if !state.handed_over.is_empty() => {
                    work = state.handed_over.pop_front();
                }
                Next::Wait => {
                    state.waiting += 1;
                    let changed = self.changed.wait(state);
                    state = changed.unwrap_or_else(PoisonError::into_inner);
                    state.waiting -= 1;
                    work = state.handed_over.pop_front();
                }
                Next::End => break,
            }
        }
        if work.is_none() {
            // Whoever waits sees that too.
            self.changed.notify_all();
        }
        work
    }

    /// Lets all that wait see whether the run is over.
    pub(super) fn wake(&self) {
        // With the lock nobody is between that look and the wait.
        drop(lock(&self.state));
        self.changed.notify_all();
    }
}
