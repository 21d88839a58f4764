//! Where in the logs something was seen.

/// An input and a line in it, ordered as they were read. It takes eight bytes:
/// one is kept for each distinct indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u64);

/// Lines of one input are numbered in 40 bits (a trillion), inputs in 24.
const LINE_BITS: u32 = 40;
const MAX_LINE: u64 = (1 << LINE_BITS) - 1;

impl Place {
    /// Line `line` (from 0) of input number `input` (from 0).
    #[must_use]
    pub fn new(input: u32, line: u64) -> Self {
        Self(u64::from(input) << LINE_BITS | line.min(MAX_LINE))
    }

    /// The number of the input, from 0.
    #[must_use]
    pub fn input(self) -> usize {
        (self.0 >> LINE_BITS) as usize
    }

    /// The line, from 1 as people count.
    #[must_use]
    pub fn line(self) -> u64 {
        (self.0 & MAX_LINE) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ordered_as_read() {
        let place = Place::new(2, 41);
        assert_eq!((place.input(), place.line()), (2, 42));
        assert!(Place::new(0, 1_000_000) < Place::new(1, 0));
        assert!(Place::new(1, 0) < Place::new(1, 1));
    }
}
