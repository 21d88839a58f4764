//! Byte strings kept once, in blocks that never move: growing costs no copy of
//! what is there.

use super::prefetch::prefetch;
use crate::indicator::Kind;

/// The bits of a place within a block.
const START_BITS: u32 = 20;
/// The bits of a length.
const LEN_BITS: u32 = 18;

/// A block's size.
const BLOCK_BYTES: usize = 1 << START_BITS;
/// The longest string. The host's limit on a value is a quarter of it.
const MAX_LEN: usize = (1 << LEN_BITS) - 1;

/// Where a string lies, in one word: the block, the place in it, the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Text(u64);

/// Byte strings in blocks.
#[derive(Debug, Default)]
pub(super) struct Arena {
    blocks: Vec<Vec<u8>>,
}

/// Values of indicators, with their kind before them: both are compared in one
/// place of memory.
#[derive(Debug, Default)]
pub(super) struct Values(Arena);

impl Text {
    fn new(block: usize, start: usize, len: usize) -> Self {
        let at = (block as u64) << START_BITS | start as u64;
        Self(at << LEN_BITS | len as u64)
    }

    fn block(self) -> usize {
        (self.0 >> (START_BITS + LEN_BITS)) as usize
    }

    fn start(self) -> usize {
        (self.0 >> LEN_BITS) as usize & (BLOCK_BYTES - 1)
    }

    fn len(self) -> usize {
        self.0 as usize & MAX_LEN
    }
}

impl Arena {
    /// Keeps a string; of one that is longer than any value can be, its
    /// beginning.
    pub(super) fn add(&mut self, parts: [&[u8]; 2]) -> Text {
        let [first, second] = parts;
        let second = &second[..second.len().min(MAX_LEN - first.len())];
        let len = first.len() + second.len();
        let room = self.blocks.last().map(|block| BLOCK_BYTES - block.len());
        if room.is_none_or(|room| room < len) {
            self.blocks.push(Vec::with_capacity(BLOCK_BYTES));
        }
        let index = self.blocks.len() - 1;
        let block = &mut self.blocks[index];
        let text = Text::new(index, block.len(), len);
        block.extend_from_slice(first);
        block.extend_from_slice(second);
        text
    }

    /// The string; nothing where nothing was kept yet.
    #[inline]
    pub(super) fn bytes(&self, text: Text) -> &[u8] {
        let start = text.start();
        self.blocks
            .get(text.block())
            .and_then(|block| block.get(start..start + text.len()))
            .unwrap_or_default()
    }

    /// How many bytes of memory were touched.
    pub(super) fn memory_bytes(&self) -> usize {
        let (last, full) = match self.blocks.split_last() {
            Some((last, full)) => (last.len(), full.len()),
            None => (0, 0),
        };
        full * BLOCK_BYTES + last
    }
}

impl Values {
    pub(super) fn add(&mut self, kind: Kind, value: &[u8]) -> Text {
        self.0.add([&[tag(kind)], value])
    }

    #[inline]
    pub(super) fn is(&self, text: Text, kind: Kind, value: &[u8]) -> bool {
        let (first, kept) = self.split(text);
        first == tag(kind) && kept == value
    }

    /// A kept value, and what kind of indicator it is.
    pub(super) fn of(&self, text: Text) -> (Kind, &[u8]) {
        let (first, value) = self.split(text);
        let kind = match first {
            URL => Kind::Url,
            DOMAIN => Kind::Domain,
            _ => Kind::Ip,
        };
        (kind, value)
    }

    /// Asks the memory for a value: most lie in two lines of the processor's
    /// cache.
    #[inline]
    pub(super) fn prefetch(&self, text: Text) {
        let bytes = self.0.bytes(text);
        prefetch(bytes.first());
        prefetch(bytes.last());
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }

    #[inline]
    fn split(&self, text: Text) -> (u8, &[u8]) {
        match self.0.bytes(text) {
            [first, value @ ..] => (*first, value),
            [] => (0, &[]),
        }
    }
}

const URL: u8 = 1;
const DOMAIN: u8 = 2;
const IP: u8 = 3;

#[inline]
fn tag(kind: Kind) -> u8 {
    match kind {
        Kind::Url => URL,
        Kind::Domain => DOMAIN,
        Kind::Ip => IP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_as_they_went_in() {
        let mut arena = Arena::default();
        let long = vec![b'x'; MAX_LEN];
        let strings = [
            b"a".as_slice(),
            b"",
            &long,
            &long,
            b"bc",
            &long,
            &long,
            &long,
        ];
        let kept = strings.map(|bytes| (arena.add([bytes, b""]), bytes));
        for (text, bytes) in kept {
            assert!(arena.bytes(text) == bytes, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn a_value_is_told_from_the_same_of_another_kind() {
        let mut values = Values::default();
        for kind in [Kind::Url, Kind::Domain, Kind::Ip] {
            let text = values.add(kind, b"192.0.2.1");
            assert_eq!(values.of(text), (kind, b"192.0.2.1".as_slice()));
            for other in [Kind::Url, Kind::Domain, Kind::Ip] {
                assert_eq!(values.is(text, other, b"192.0.2.1"), kind == other);
            }
            assert!(!values.is(text, kind, b"192.0.2.10"));
        }
    }
}
