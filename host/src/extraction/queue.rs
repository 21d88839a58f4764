//! The queue of work for all workers.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use super::source::{Next, Source};
use super::work::{Work, lock};

/// A source for many workers. A worker reads its own chunk, which is then in the cache of its
/// processor, and no other thread has to be woken. See `docs/decisions/workers-read.md`.
pub(super) struct WorkQueue<'a> {
    state: Mutex<QueueState<'a>>,
    changed: Condvar,
}

struct QueueState<'a> {
    source: Source<'a>,
    /// Work that one worker read for another.
    ready: VecDeque<Work>,
    /// The number of workers that wait.
    waiting: usize,
}

impl QueueState<'_> {
    /// How many chunks a worker that unpacks reads for others before it parses one: a chunk for each
    /// waiting worker, and some more if there is no other input to read.
    fn wanted(&self) -> usize {
        const SPARE: usize = 2;
        self.waiting + if self.source.is_shared() { SPARE } else { 0 }
    }
}

impl<'a> WorkQueue<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            state: Mutex::new(QueueState {
                source,
                ready: VecDeque::new(),
                waiting: 0,
            }),
            changed: Condvar::new(),
        }
    }

    pub(super) fn into_source(self) -> Source<'a> {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).source
    }

    /// The next work of a worker that has a session for the input `own`; none when all work is done
    /// or the run is over.
    pub(super) fn next(&self, own: Option<u32>, is_over: impl Fn() -> bool) -> Option<Work> {
        let mut state = lock(&self.state);
        let mut work = state.ready.pop_front();
        while work.is_none() && !is_over() {
            match state.source.next(own) {
                Next::Work(read) => {
                    // Chunks that were read before come first.
                    state.ready.push_back(read);
                    work = state.ready.pop_front();
                }
                Next::Read(lent) => {
                    drop(state);
                    let returned = lent.read_on();
                    state = lock(&self.state);
                    let Some(read) = state.source.take_back(returned) else {
                        self.changed.notify_all();
                        continue;
                    };
                    state.ready.push_back(read);
                    if state.ready.len() > state.wanted() {
                        work = state.ready.pop_front();
                    } else {
                        drop(state);
                        self.changed.notify_one();
                        state = lock(&self.state);
                    }
                }
                Next::Wait | Next::End if !state.ready.is_empty() => {
                    work = state.ready.pop_front();
                }
                Next::Wait => {
                    state.waiting += 1;
                    let changed = self.changed.wait(state);
                    state = changed.unwrap_or_else(PoisonError::into_inner);
                    state.waiting -= 1;
                    work = state.ready.pop_front();
                }
                Next::End => break,
            }
        }
        if work.is_none() {
            // Waiting workers end too.
            self.changed.notify_all();
        }
        work
    }

    /// Wakes all waiting workers, so that they check whether the run is over.
    pub(super) fn wake(&self) {
        // With the lock, no worker is between that check and the wait.
        drop(lock(&self.state));
        self.changed.notify_all();
    }
}
