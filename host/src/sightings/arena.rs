//! Byte strings kept once, in blocks that never move: growing costs no copy of
//! what is there.

/// A block's size. A string that is longer gets a block of its own.
const BLOCK_BYTES: usize = 1 << 20;

/// Where a string lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Text {
    block: u32,
    start: u32,
    len: u32,
}

/// Byte strings in blocks.
#[derive(Debug, Default)]
pub(super) struct Arena {
    blocks: Vec<Vec<u8>>,
}

impl Arena {
    /// Keeps a string.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Text {
        let has_room = self
            .blocks
            .last()
            .is_some_and(|block| block.capacity() - block.len() >= bytes.len());
        if !has_room {
            self.blocks
                .push(Vec::with_capacity(BLOCK_BYTES.max(bytes.len())));
        }
        let index = self.blocks.len() - 1;
        let block = &mut self.blocks[index];
        let text = Text {
            block: narrow(index),
            start: narrow(block.len()),
            len: narrow(bytes.len()),
        };
        block.extend_from_slice(bytes);
        text
    }

    /// The string; nothing where nothing was kept yet.
    pub(super) fn bytes(&self, text: Text) -> &[u8] {
        let start = text.start as usize;
        let block = self.blocks.get(text.block as usize);
        block.map_or(&[], |block| &block[start..start + text.len as usize])
    }
}

/// Blocks number less than 2^32 (4 PiB of text) and strings are far shorter
/// than 4 GiB: the host's limit on a value is 64 KiB.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_as_they_went_in() {
        let mut arena = Arena::default();
        let long = vec![b'x'; BLOCK_BYTES + 1];
        let kept: Vec<(Text, &[u8])> = [b"a".as_slice(), b"", &long, b"bc"]
            .into_iter()
            .map(|bytes| (arena.add(bytes), bytes))
            .collect();
        for (text, bytes) in kept {
            assert_eq!(arena.bytes(text), bytes);
        }
    }
}
