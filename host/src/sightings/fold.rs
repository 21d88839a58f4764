//! The fold: all workers fold into the same tables.
//!
//! Each indicator belongs to one of several tables, by its hash. A worker sorts
//! the observations of a chunk by their tables first, and then takes one table
//! after the other for itself, whichever is free: a lock for hundreds of
//! observations, no indicator kept twice, and nothing to merge at the end.
//!
//! Past a limit of memory tables are emptied into an [`Spill`].

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use foldhash::fast::RandomState;

use super::folded::{Folded, InvalidTally, taken_apart};
use super::hash_of;
use super::names::{InternerCache, SharedInterner};
use super::overflow::{Spill, SpillError};
use super::table::{KeyedObservation, Table};
use crate::indicator::{Kind, raw_host};
use crate::observation::{LogPosition, Observation};

/// What observations are folded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FoldBy {
    /// By the indicator itself.
    #[default]
    Indicator,
    /// By the domain or address that it belongs to.
    Host,
}

/// How much memory a fold may take, and where to go with more.
pub struct MemoryLimit {
    /// In bytes, for all tables together.
    pub bytes: usize,
    /// What takes the rest.
    pub overflow: Box<dyn Spill>,
}

/// All observations so far, by the bytes that the log has.
pub struct Fold {
    fold_by: FoldBy,
    hasher: RandomState,
    tables: Vec<Mutex<Shard>>,
    clients: SharedInterner,
    bytes: AtomicUsize,
    limit_bytes: usize,
    spilled: Mutex<SpillState>,
}

/// One worker's way into a [`Fold`].
pub struct FoldWriter<'f> {
    fold: &'f Fold,
    clients: InternerCache,
}

/// A table, and how many of its bytes are counted already.
#[derive(Default)]
struct Shard {
    table: Table,
    counted_bytes: usize,
}

/// What memory had no room for.
struct SpillState {
    overflow: Option<Box<dyn Spill>>,
    is_used: bool,
    /// The table whose turn is next.
    next: usize,
    refused: InvalidTally,
}

/// So many tables for each worker that one that is free is easily found.
const TABLES_PER_WORKER: usize = 4;

/// Past this many tables a chunk has too few observations for each.
const MAX_TABLES: usize = 64;

impl Fold {
    /// A fold for so many workers.
    #[must_use]
    pub fn new(fold_by: FoldBy, workers: usize, limit: Option<MemoryLimit>) -> Self {
        let tables = match workers {
            0 | 1 => 1,
            _ => (workers * TABLES_PER_WORKER).next_power_of_two(),
        };
        let tables = tables.min(MAX_TABLES);
        let (limit_bytes, overflow) = match limit {
            Some(limit) => (limit.bytes, Some(limit.overflow)),
            None => (usize::MAX, None),
        };
        Self {
            fold_by,
            hasher: RandomState::default(),
            tables: std::iter::repeat_with(Mutex::default)
                .take(tables)
                .collect(),
            clients: SharedInterner::default(),
            bytes: AtomicUsize::new(0),
            // Hashes share indicators out evenly; half is left for what chance does.
            limit_bytes: limit_bytes.min((Table::MAX_BYTES / 2).saturating_mul(tables)),
            spilled: Mutex::new(SpillState {
                overflow,
                is_used: false,
                next: 0,
                refused: InvalidTally::default(),
            }),
        }
    }

    /// A worker's way into it.
    #[must_use]
    pub fn writer(&self) -> FoldWriter<'_> {
        FoldWriter {
            fold: self,
            clients: InternerCache::default(),
        }
    }

    /// Makes the values canonical.
    ///
    /// # Errors
    ///
    /// When memory had no room for all, and the rest could not be kept either.
    pub fn finish(self) -> Result<Folded, SpillError> {
        let mut spilled = lock(&self.spilled);
        if spilled.is_used {
            self.spill_down_to(0, &mut spilled)?;
        }
        drop(spilled);
        let spilled = self.spilled.into_inner();
        let spilled = spilled.unwrap_or_else(PoisonError::into_inner);
        let tables = self.tables.into_iter().map(|part| {
            let part = part.into_inner().unwrap_or_else(PoisonError::into_inner);
            part.table
        });
        Ok(Folded::new(
            tables.collect(),
            self.clients.into_inner(),
            self.hasher,
            spilled.overflow.filter(|_| spilled.is_used),
            spilled.refused,
        ))
    }

    /// Empties tables where they take more than the limit. Whoever comes here
    /// meanwhile waits, so that there is not ever more to empty.
    fn keep_to_limit(&self) -> Result<(), SpillError> {
        if self.bytes.load(Ordering::Relaxed) <= self.limit_bytes {
            return Ok(());
        }
        let mut spilled = lock(&self.spilled);
        if self.bytes.load(Ordering::Relaxed) > self.limit_bytes {
            self.spill_down_to(self.limit_bytes / 2, &mut spilled)?;
        }
        Ok(())
    }

    fn spill_down_to(&self, bytes: usize, spilled: &mut SpillState) -> Result<(), SpillError> {
        let Some(overflow) = &mut spilled.overflow else {
            return Ok(());
        };
        spilled.is_used = true;
        for _ in 0..self.tables.len() {
            if self.bytes.load(Ordering::Relaxed) <= bytes {
                break;
            }
            let part = std::mem::take(&mut *lock(&self.tables[spilled.next]));
            spilled.next = (spilled.next + 1) % self.tables.len();
            self.bytes.fetch_sub(part.counted_bytes, Ordering::Relaxed);
            for some in taken_apart(&part.table, &mut spilled.refused) {
                overflow.add(&some)?;
            }
        }
        Ok(())
    }

    /// Counts what a table takes now.
    fn count_bytes(&self, part: &mut Shard) {
        let now = part.table.memory_bytes();
        // Wrapping, as a table may take less than before.
        let more = now.wrapping_sub(part.counted_bytes);
        self.bytes.fetch_add(more, Ordering::Relaxed);
        part.counted_bytes = now;
    }
}

impl FoldWriter<'_> {
    /// Folds the observations of a chunk in; `place` gives where one was seen.
    ///
    /// One whose value has no host is kept as it is when folding by host: the
    /// end of the fold counts it as invalid.
    ///
    /// # Errors
    ///
    /// When memory has no room for more, and nothing else has either.
    pub fn observe<'a>(
        &mut self,
        observations: impl Iterator<Item = Observation<'a>>,
        place: impl Fn(u32) -> LogPosition,
    ) -> Result<(), SpillError> {
        let tables = self.fold.tables.len();
        let for_each = observations.size_hint().0 / tables * 5 / 4;
        let mut shares: Vec<Vec<KeyedObservation<'_>>> =
            (0..tables).map(|_| Vec::with_capacity(for_each)).collect();
        for observation in observations {
            let pending = self.pending(&observation, place(observation.line));
            shares[table_of(pending.hash, tables)].push(pending);
        }
        self.fold_shares(&mut shares);
        self.fold.keep_to_limit()
    }

    /// Finds out what an observation is folded under.
    #[inline]
    fn pending<'a>(
        &mut self,
        observation: &Observation<'a>,
        place: LogPosition,
    ) -> KeyedObservation<'a> {
        let fold = self.fold;
        let (kind, value) = match fold.fold_by {
            FoldBy::Indicator => (observation.kind, observation.value),
            FoldBy::Host => match raw_host(observation.kind, observation.value) {
                Some(host) => (Kind::Domain, host),
                None => (observation.kind, observation.value),
            },
        };
        let client = observation.client;
        KeyedObservation {
            kind,
            value,
            hash: hash_of(&fold.hasher, value),
            client: (!client.is_empty())
                .then(|| self.clients.number_of(&fold.clients, &fold.hasher, client)),
            action: observation.action,
            time_us: observation.time_us,
            place,
        }
    }

    /// Takes the tables that are free, and then waits for the others.
    fn fold_shares(&self, shares: &mut [Vec<KeyedObservation<'_>>]) {
        let fold = |mut part: MutexGuard<'_, Shard>, share: &mut Vec<KeyedObservation<'_>>| {
            part.table.observe(share);
            share.clear();
            self.fold.count_bytes(&mut part);
        };
        let tables = &self.fold.tables;
        for (table, share) in tables.iter().zip(&mut *shares) {
            match table.try_lock() {
                Ok(table) => fold(table, share),
                Err(TryLockError::Poisoned(table)) => fold(table.into_inner(), share),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        for (table, share) in tables.iter().zip(shares) {
            if !share.is_empty() {
                fold(lock(table), share);
            }
        }
    }
}

/// The table for a hash, of a power of two of them. By the hash's high bits: a
/// table's own index goes by the low ones.
#[inline]
pub(super) fn table_of(hash: u32, tables: usize) -> usize {
    ((u64::from(hash) * tables as u64) >> 32) as usize
}

/// A panic of another worker ends the run; until then its tables are as good as
/// they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
