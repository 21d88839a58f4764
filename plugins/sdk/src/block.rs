//! Sixteen bytes that are compared at once. On `wasm32` with `simd128` this is a vector, elsewhere
//! portable code with the same results.
//!
//! All functions are inlined, so that the byte that is searched for is a constant.

use std::ops::RangeInclusive;

/// The number of bytes of a block.
pub(crate) const WIDTH: usize = 16;

/// Sixteen bytes; those of a shorter slice are followed by zeros.
#[derive(Clone, Copy)]
#[must_use]
pub struct Block(Bytes);

impl Block {
    #[inline(always)]
    pub(crate) fn new(bytes: [u8; WIDTH]) -> Self {
        Self(load(bytes))
    }

    /// The first sixteen bytes of a slice.
    ///
    /// Short slices are read as two overlapping words: a copy of a variable length is a call out of
    /// the component.
    #[inline(always)]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if let Some(whole) = bytes.first_chunk() {
            return Self::new(*whole);
        }
        let (low, high) = two_words(bytes);
        Self(from_words(low, high))
    }

    /// The bytes that equal `is` after the bits of `or` are set. The first byte is the lowest bit.
    #[inline(always)]
    #[must_use]
    pub fn mask(self, or: u8, is: u8) -> u32 {
        equal(self.0, or, is)
    }

    /// The bytes that equal `is` where the same byte of another block equals `other_is`.
    #[inline(always)]
    pub(crate) fn mask_both(self, is: u8, other: Self, other_is: u8) -> u32 {
        both_equal(self.0, is, other.0, other_is)
    }

    /// The bytes in one of some inclusive ranges.
    #[inline(always)]
    pub(crate) fn within<const N: usize>(self, ranges: &[RangeInclusive<u8>; N]) -> u32 {
        in_ranges(self.0, ranges)
    }

    /// The bytes in an inclusive range.
    #[inline(always)]
    #[must_use]
    pub fn between(self, first: u8, last: u8) -> u32 {
        at_most(self.0, first, last.wrapping_sub(first))
    }
}

/// The first sixteen bytes of a slice, followed by zeros.
#[inline(always)]
pub(crate) fn padded(bytes: &[u8]) -> [u8; WIDTH] {
    match bytes.first_chunk() {
        Some(whole) => *whole,
        None => {
            let (low, high) = two_words(bytes);
            (u128::from(low) | u128::from(high) << 64).to_le_bytes()
        }
    }
}

/// Less than sixteen bytes as two words, the first byte in the lowest bits.
#[inline(always)]
fn two_words(bytes: &[u8]) -> (u64, u64) {
    match bytes.len() {
        len @ 8.. => (word(bytes, 0), shifted(word(bytes, len - 8), WIDTH - len)),
        _ => (first_word(bytes), 0),
    }
}

/// The first eight bytes of a slice as a word. The first byte is in the lowest bits.
#[inline(always)]
pub(crate) fn first_word(bytes: &[u8]) -> u64 {
    match bytes.len() {
        8.. => word(bytes, 0),
        len @ 4.. => {
            let first = u64::from(half_word(bytes, 0));
            let last = u64::from(half_word(bytes, len - 4));
            first | last << ((len - 4) * 8)
        }
        0 => 0,
        len => {
            let byte = |place: usize| u64::from(bytes[place]) << (place * 8);
            byte(0) | byte(len / 2) | byte(len - 1)
        }
    }
}

/// Whether two slices are equal. Short slices are compared as two overlapping words: a comparison of
/// a variable length is a loop in a component.
#[inline(always)]
pub(crate) fn is_same(bytes: &[u8], other: &[u8]) -> bool {
    if bytes.len() != other.len() {
        return false;
    }
    match bytes.len() {
        0..=8 => first_word(bytes) == first_word(other),
        len @ 9..=16 => {
            word(bytes, 0) == word(other, 0) && word(bytes, len - 8) == word(other, len - 8)
        }
        _ => bytes == other,
    }
}

/// `word` without its first `bytes` bytes, which belong to the previous word.
#[inline(always)]
fn shifted(word: u64, bytes: usize) -> u64 {
    // A shift by 64 bits overflows: no byte is left then.
    word.checked_shr((bytes * 8) as u32).unwrap_or(0)
}

#[inline(always)]
fn word(bytes: &[u8], from: usize) -> u64 {
    match bytes[from..from + 8] {
        [a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

#[inline(always)]
fn half_word(bytes: &[u8], from: usize) -> u32 {
    match bytes[from..from + 4] {
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use vector::{Bytes, at_most, both_equal, equal, from_words, in_ranges, load};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use core::arch::wasm32::{
        i8x16_bitmask, u8x16, u8x16_eq, u8x16_le, u8x16_splat, u8x16_sub, u64x2, v128, v128_and,
        v128_or,
    };
    use std::ops::RangeInclusive;

    pub(super) type Bytes = v128;

    #[inline(always)]
    pub(super) fn load(bytes: [u8; 16]) -> Bytes {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
        u8x16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    }

    #[inline(always)]
    pub(super) fn from_words(low: u64, high: u64) -> Bytes {
        u64x2(low, high)
    }

    #[inline(always)]
    pub(super) fn equal(bytes: Bytes, or: u8, is: u8) -> u32 {
        let bytes = v128_or(bytes, u8x16_splat(or));
        u32::from(i8x16_bitmask(u8x16_eq(bytes, u8x16_splat(is))))
    }

    #[inline(always)]
    pub(super) fn at_most(bytes: Bytes, first: u8, width: u8) -> u32 {
        let above = u8x16_sub(bytes, u8x16_splat(first));
        u32::from(i8x16_bitmask(u8x16_le(above, u8x16_splat(width))))
    }

    #[inline(always)]
    pub(super) fn both_equal(bytes: Bytes, is: u8, other: Bytes, other_is: u8) -> u32 {
        let equal = u8x16_eq(bytes, u8x16_splat(is));
        let other_equal = u8x16_eq(other, u8x16_splat(other_is));
        u32::from(i8x16_bitmask(v128_and(equal, other_equal)))
    }

    #[inline(always)]
    pub(super) fn in_ranges<const N: usize>(bytes: Bytes, ranges: &[RangeInclusive<u8>; N]) -> u32 {
        let within = ranges.iter().fold(u8x16_splat(0), |within, range| {
            let (first, last) = (*range.start(), *range.end());
            let above = u8x16_sub(bytes, u8x16_splat(first));
            v128_or(
                within,
                u8x16_le(above, u8x16_splat(last.wrapping_sub(first))),
            )
        });
        u32::from(i8x16_bitmask(within))
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use plain::{Bytes, at_most, both_equal, equal, from_words, in_ranges, load};

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod plain {
    use std::ops::RangeInclusive;

    pub(super) type Bytes = [u8; 16];

    #[inline(always)]
    pub(super) fn load(bytes: [u8; 16]) -> Bytes {
        bytes
    }

    #[inline(always)]
    pub(super) fn from_words(low: u64, high: u64) -> Bytes {
        (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
    }

    #[inline(always)]
    pub(super) fn equal(bytes: Bytes, or: u8, is: u8) -> u32 {
        bits(bytes, |byte| byte | or == is)
    }

    #[inline(always)]
    pub(super) fn at_most(bytes: Bytes, first: u8, width: u8) -> u32 {
        bits(bytes, |byte| byte.wrapping_sub(first) <= width)
    }

    #[inline(always)]
    pub(super) fn both_equal(bytes: Bytes, is: u8, other: Bytes, other_is: u8) -> u32 {
        bits(bytes, |byte| byte == is) & bits(other, |byte| byte == other_is)
    }

    #[inline(always)]
    pub(super) fn in_ranges<const N: usize>(bytes: Bytes, ranges: &[RangeInclusive<u8>; N]) -> u32 {
        bits(bytes, |byte| {
            ranges.iter().any(|range| range.contains(&byte))
        })
    }

    #[inline(always)]
    fn bits(bytes: Bytes, is_set: impl Fn(u8) -> bool) -> u32 {
        bytes.iter().enumerate().fold(0, |mask, (place, byte)| {
            mask | u32::from(is_set(*byte)) << place
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_the_bytes_of_a_slice_of_any_length() {
        let bytes: Vec<u8> = (1..=40).collect();
        for len in 0..=bytes.len() {
            let block = Block::of(&bytes[..len]);
            for place in 0..WIDTH {
                let expected = if place < len { place as u8 + 1 } else { 0 };
                assert_eq!(block.mask(0, expected) >> place & 1, 1, "{place} of {len}");
            }
        }
    }

    #[test]
    fn slices_are_the_same_or_differ_in_any_byte() {
        for len in 0..40 {
            let bytes: Vec<u8> = (1..=len).collect();
            assert!(is_same(&bytes, &bytes.clone()));
            assert!(!is_same(&bytes, &[&bytes[..], b"\0"].concat()));
            for place in 0..bytes.len() {
                let mut other = bytes.clone();
                other[place] ^= 0x80;
                assert!(!is_same(&bytes, &other), "{place} of {len}");
            }
        }
    }

    #[test]
    fn bytes_between_two_are_found() {
        let block = Block::of(b"/0159:aAzZ_\xff");
        assert_eq!(block.between(b'0', b'9'), 0b0000_0001_1110);
        assert_eq!(block.between(b'A', b'Z'), 0b0010_1000_0000);
        assert_eq!(block.between(0xff, 0xff), 0b1000_0000_0000);
    }
}
