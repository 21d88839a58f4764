//! Hashes of folded values, and the shard that a hash selects.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

/// The 32-bit hash of a value or a name.
///
/// The seed is random for each process, so that a client which writes to the logs cannot
/// choose values that collide. No output depends on the order of hashes.
#[inline]
pub(super) fn hash_of(hasher: &RandomState, bytes: &[u8]) -> u32 {
    let hash = hasher.hash_one(bytes);
    (hash ^ hash >> 32) as u32
}

/// The shard that a hash selects among `shards`, a power of two. It depends on the high
/// bits of the hash; a shard's [`HashIndex`](super::index::HashIndex) uses the low bits.
#[inline]
pub(super) fn shard_of(hash: u32, shards: usize) -> usize {
    ((u64::from(hash) * shards as u64) >> 32) as usize
}
