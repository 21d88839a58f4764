//! A list that grows without moving what is in it, so that growing costs
//! neither time nor, for a moment, its size once more.

const BLOCK_BITS: u32 = 10;
const BLOCK: usize = 1 << BLOCK_BITS;

/// Values in blocks of 1,024.
#[derive(Debug)]
pub(super) struct Blocks<T>(Vec<Vec<T>>);

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Blocks<T> {
    pub(super) fn len(&self) -> usize {
        match self.0.split_last() {
            Some((last, full)) => full.len() * BLOCK + last.len(),
            None => 0,
        }
    }

    pub(super) fn push(&mut self, value: T) {
        if self.0.last().is_none_or(|block| block.len() == BLOCK) {
            self.0.push(Vec::with_capacity(BLOCK));
        }
        if let Some(block) = self.0.last_mut() {
            block.push(value);
        }
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.0.get(index >> BLOCK_BITS)?.get(index & (BLOCK - 1))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }

    /// How many bytes the blocks take.
    pub(super) fn memory_bytes(&self) -> usize {
        self.0.len() * BLOCK * size_of::<T>()
    }
}

impl<T> std::ops::Index<usize> for Blocks<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        &self.0[index >> BLOCK_BITS][index & (BLOCK - 1)]
    }
}

impl<T> std::ops::IndexMut<usize> for Blocks<T> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut self.0[index >> BLOCK_BITS][index & (BLOCK - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_in_order() {
        let mut blocks = Blocks::default();
        for value in 0..3 * BLOCK + 1 {
            assert_eq!(blocks.len(), value);
            assert_eq!(blocks.get(value), None);
            blocks.push(value);
        }
        blocks[BLOCK] = 0;
        assert_eq!((blocks[BLOCK - 1], blocks[BLOCK]), (BLOCK - 1, 0));
        assert!(
            blocks
                .iter()
                .copied()
                .eq((0..=3 * BLOCK).map(|n| if n == BLOCK { 0 } else { n }))
        );
    }
}
