//! The fold: observations of all threads are added to shared tables.
//!
//! The tables are shards: an indicator is stored in the one that its hash selects, so it is
//! stored once and nothing is merged at the end. A writer sorts the observations of a chunk
//! by shard and takes a shard's lock once for all of them. Shards that are free are taken
//! first.
//!
//! When the shards exceed the memory limit, a writer moves some of them to a [`Spill`], a
//! temporary file.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use foldhash::fast::RandomState;

use super::folded::Folded;
use super::hash::{hash_of, shard_of};
use super::interner::{InternerCache, SharedInterner};
use super::invalid::InvalidTally;
use super::spill::{Spill, SpillError};
use super::table::{KeyedObservation, Table};
use crate::indicator::{Kind, raw_host};
use crate::observation::{LogPosition, Observation};

/// The key that observations are folded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FoldBy {
    /// The indicator.
    #[default]
    Indicator,
    /// The domain or address of the indicator.
    Host,
}

/// Takes the folder in which sightings are stored past the memory limit.
pub(super) type SpillListener = Box<dyn Fn(&Path) + Send + Sync>;

/// The memory that a fold may use, and what happens past that.
pub struct MemoryLimit {
    /// The limit for all tables together.
    pub bytes: usize,
    /// Called before the first sightings are stored elsewhere, with the folder.
    pub notify: SpillListener,
}

/// All observations so far, by their values as they are written in the logs.
pub struct Fold {
    fold_by: FoldBy,
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
    clients: SharedInterner,
    /// The size of all shards together.
    bytes: AtomicUsize,
    limit_bytes: usize,
    spill: Mutex<SpillState>,
}

/// Adds the observations of one thread to a [`Fold`].
pub struct FoldWriter<'f> {
    fold: &'f Fold,
    clients: InternerCache,
}

#[derive(Default)]
struct Shard {
    table: Table,
    /// The part of [`Fold::bytes`] that is this table's.
    counted_bytes: usize,
}

struct SpillState {
    /// None without a memory limit.
    notify: Option<SpillListener>,
    /// None while all sightings are in memory.
    spill: Option<Spill>,
    /// The next shard to spill.
    next: usize,
    invalid: InvalidTally,
}

/// With this many shards for each thread, a thread nearly always finds a free one.
const SHARDS_PER_THREAD: usize = 4;

/// With more shards, a chunk has too few observations for each.
const MAX_SHARDS: usize = 64;

impl Fold {
    /// An empty fold for this many threads.
    #[must_use]
    pub fn new(fold_by: FoldBy, threads: usize, limit: Option<MemoryLimit>) -> Self {
        let shards = match threads {
            0 | 1 => 1,
            _ => (threads * SHARDS_PER_THREAD).next_power_of_two(),
        };
        let shards = shards.min(MAX_SHARDS);
        // The rest is for the buffers of the spill, and for what is in neither.
        let (limit_bytes, notify) = match limit {
            Some(limit) => (limit.bytes / 4 * 3, Some(limit.notify)),
            None => (usize::MAX, None),
        };
        Self {
            fold_by,
            hasher: RandomState::default(),
            shards: std::iter::repeat_with(Mutex::default)
                .take(shards)
                .collect(),
            clients: SharedInterner::default(),
            bytes: AtomicUsize::new(0),
            // Shards grow evenly, as hashes do; half is the margin for those that do not.
            limit_bytes: limit_bytes.min((Table::MAX_BYTES / 2).saturating_mul(shards)),
            spill: Mutex::new(SpillState {
                notify,
                spill: None,
                next: 0,
                invalid: InvalidTally::default(),
            }),
        }
    }

    /// A writer for one thread.
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
    /// If the spill cannot be written.
    pub fn finish(self) -> Result<Folded, SpillError> {
        let mut state = lock(&self.spill);
        if state.spill.is_some() {
            self.spill_down_to(0, &mut state)?;
        }
        drop(state);
        let state = self.spill.into_inner();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let tables = self.shards.into_iter().map(|shard| {
            let shard = shard.into_inner().unwrap_or_else(PoisonError::into_inner);
            shard.table
        });
        Ok(Folded::new(
            tables.collect(),
            self.clients.into_inner(),
            self.hasher,
            state.spill,
            state.invalid,
        ))
    }

    /// Spills shards if they exceed the limit. Writers that reach the limit meanwhile wait.
    fn keep_to_limit(&self) -> Result<(), SpillError> {
        if self.bytes.load(Ordering::Relaxed) <= self.limit_bytes {
            return Ok(());
        }
        let mut state = lock(&self.spill);
        if self.bytes.load(Ordering::Relaxed) > self.limit_bytes {
            self.spill_down_to(self.limit_bytes / 2, &mut state)?;
        }
        Ok(())
    }

    fn spill_down_to(&self, bytes: usize, state: &mut SpillState) -> Result<(), SpillError> {
        let Some(notify) = &state.notify else {
            return Ok(());
        };
        let spill = match &mut state.spill {
            Some(spill) => spill,
            none => {
                let spill = Spill::new()?;
                notify(spill.folder());
                none.insert(spill)
            }
        };
        for _ in 0..self.shards.len() {
            if self.bytes.load(Ordering::Relaxed) <= bytes {
                break;
            }
            let shard = std::mem::take(&mut *lock(&self.shards[state.next]));
            state.next = (state.next + 1) % self.shards.len();
            self.bytes.fetch_sub(shard.counted_bytes, Ordering::Relaxed);
            spill.add(&shard.table, &mut state.invalid)?;
        }
        Ok(())
    }

    /// Updates the size of all shards with that of one.
    fn count_bytes(&self, shard: &mut Shard) {
        let now = shard.table.memory_bytes();
        // A table may also have shrunk: wrapping arithmetic subtracts then.
        let more = now.wrapping_sub(shard.counted_bytes);
        self.bytes.fetch_add(more, Ordering::Relaxed);
        shard.counted_bytes = now;
    }
}

impl FoldWriter<'_> {
    /// Adds the observations of a chunk; `position` maps a line of the chunk to its position
    /// in the logs.
    ///
    /// A value without a host is kept unchanged when folding by host, and counted as invalid
    /// when the fold finishes.
    ///
    /// # Errors
    ///
    /// If the spill cannot be written.
    pub fn observe<'a>(
        &mut self,
        observations: impl Iterator<Item = Observation<'a>>,
        position: impl Fn(u32) -> LogPosition,
    ) -> Result<(), SpillError> {
        let shards = self.fold.shards.len();
        let capacity = observations.size_hint().0 / shards * 5 / 4;
        let mut shares: Vec<Vec<KeyedObservation<'_>>> =
            (0..shards).map(|_| Vec::with_capacity(capacity)).collect();
        for observation in observations {
            let keyed = self.keyed(&observation, position(observation.line));
            shares[shard_of(keyed.hash, shards)].push(keyed);
        }
        self.add_shares(&mut shares);
        self.fold.keep_to_limit()
    }

    #[inline]
    fn keyed<'a>(
        &mut self,
        observation: &Observation<'a>,
        position: LogPosition,
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
            position,
        }
    }

    /// Adds each share to its shard: first to the shards that are free, then to the others.
    fn add_shares(&self, shares: &mut [Vec<KeyedObservation<'_>>]) {
        let add = |mut shard: MutexGuard<'_, Shard>, share: &mut Vec<KeyedObservation<'_>>| {
            shard.table.observe(share);
            share.clear();
            self.fold.count_bytes(&mut shard);
        };
        let shards = &self.fold.shards;
        for (shard, share) in shards.iter().zip(&mut *shares) {
            match shard.try_lock() {
                Ok(shard) => add(shard, share),
                Err(TryLockError::Poisoned(shard)) => add(shard.into_inner(), share),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        for (shard, share) in shards.iter().zip(shares) {
            if !share.is_empty() {
                add(lock(shard), share);
            }
        }
    }
}

/// A panic of another thread ends the run, so what it leaves in a table is not used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
