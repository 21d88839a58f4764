//! Questions about short values, answered sixteen bytes at a time.
//!
//! In a component a loop over bytes costs more than elsewhere: at each turn it
//! asks whether it is to be interrupted. Most values of a log have less than
//! sixteen bytes, so that these functions have no turn at all.

use std::ops::RangeInclusive;

use crate::block::{Block, WIDTH, first_word};

/// The place of the first `wanted` byte.
///
/// ```
/// use vthost_plugin::scan::find;
/// assert_eq!(find(b"TCP_MISS/200", b'/'), Some(8));
/// assert_eq!(find(b"TCP_MISS", b'/'), None);
/// ```
#[inline]
#[must_use]
pub fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    first(bytes, |block| block.mask(0, wanted))
}

/// The place of the first byte that is one of a few.
///
/// ```
/// use vthost_plugin::scan::find_any;
/// assert_eq!(find_any(b"10.0.0.5#51000", b"# "), Some(8));
/// assert_eq!(find_any(b"10.0.0.5", b"# "), None);
/// ```
#[inline]
#[must_use]
pub fn find_any(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let any = |block: Block| {
        wanted
            .iter()
            .fold(0, |mask, byte| mask | block.mask(0, *byte))
    };
    first(bytes, any)
}

/// Whether all bytes are decimal digits, and there is one.
///
/// ```
/// use vthost_plugin::scan::is_digits;
/// assert!(is_digits(b"1714564800"));
/// assert!(!is_digits(b"-1"));
/// assert!(!is_digits(b""));
/// ```
#[inline]
#[must_use]
pub fn is_digits(bytes: &[u8]) -> bool {
    !bytes.is_empty() && is_all(bytes, [b'0'..=b'9'])
}

/// Whether each byte lies in one of the ranges.
///
/// ```
/// use vthost_plugin::scan::is_all;
/// assert!(is_all(b"HIER_DIRECT", [b'A'..=b'Z', b'_'..=b'_']));
/// assert!(is_all(b"", [b'A'..=b'Z']));
/// ```
#[inline]
#[must_use]
pub fn is_all<const N: usize>(bytes: &[u8], ranges: [RangeInclusive<u8>; N]) -> bool {
    find_other(bytes, ranges).is_none()
}

/// The place of the first byte that lies in none of the ranges.
///
/// ```
/// use vthost_plugin::scan::find_other;
/// assert_eq!(find_other(b"192.0.2.1:80", [b'0'..=b'9', b'.'..=b'.']), Some(9));
/// assert_eq!(find_other(b"192", [b'0'..=b'9']), None);
/// ```
#[inline]
#[must_use]
pub fn find_other<const N: usize>(bytes: &[u8], ranges: [RangeInclusive<u8>; N]) -> Option<usize> {
    let within = |block: Block| {
        ranges.iter().fold(0, |mask, range| {
            mask | block.between(*range.start(), *range.end())
        })
    };
    first(bytes, |block| !within(block))
}

/// Whether the text is an IPv4 address: four numbers of one to three digits with
/// dots between them. The numbers may be above 255.
///
/// ```
/// use vthost_plugin::scan::is_ipv4;
/// assert!(is_ipv4(b"192.0.2.10"));
/// assert!(!is_ipv4(b"192.0.2"));
/// assert!(!is_ipv4(b"www.example.com"));
/// ```
#[inline]
#[must_use]
pub fn is_ipv4(text: &[u8]) -> bool {
    if !(7..=15).contains(&text.len()) {
        return false;
    }
    let block = Block::of(text);
    let all = (1_u32 << text.len()) - 1;
    let mut dots = block.mask(0, b'.') & all;
    if dots | block.between(b'0', b'9') & all != all || dots.count_ones() != 3 {
        return false;
    }
    // A dot behind the last number makes all four alike.
    dots |= all + 1;
    let mut from = 0;
    while dots != 0 {
        let end = dots.trailing_zeros();
        if !(1..=3).contains(&(end - from)) {
            return false;
        }
        from = end + 1;
        dots &= dots - 1;
    }
    true
}

/// The number that 1 to 19 decimal digits write.
///
/// ```
/// use vthost_plugin::scan::number;
/// assert_eq!(number(b"1714564800"), Some(1_714_564_800));
/// assert_eq!(number(b"0x1f"), None);
/// ```
#[inline]
#[must_use]
pub fn number(digits: &[u8]) -> Option<u64> {
    match digits.len() {
        1..=8 => up_to_eight(digits),
        9..=16 => {
            let (high, low) = digits.split_at(digits.len() - 8);
            Some(up_to_eight(high)? * 100_000_000 + up_to_eight(low)?)
        }
        17..=19 => {
            let (high, low) = digits.split_at(digits.len() - 16);
            Some(up_to_eight(high)? * 10_000_000_000_000_000 + number(low)?)
        }
        _ => None,
    }
}

/// Neighbours are put together: digits to pairs, pairs to fours, these to eight.
#[inline(always)]
fn up_to_eight(digits: &[u8]) -> Option<u64> {
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    let missing = (8 - digits.len()) * 8;
    // As if zeros stood before, the first digit in the lowest byte.
    let text = first_word(digits) << missing | (ZEROS & ((1 << missing) - 1));
    let ones = text ^ ZEROS;
    let is_no_digit =
        (ones | ones.wrapping_add(u64::from_ne_bytes([6; 8]))) & u64::from_ne_bytes([0xf0; 8]);
    if is_no_digit != 0 {
        return None;
    }
    let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

/// The place of the first byte that `mask` marks.
#[inline(always)]
fn first(bytes: &[u8], mask: impl Fn(Block) -> u32) -> Option<usize> {
    let mut at = 0;
    while bytes.len() - at > WIDTH {
        let marked = mask(Block::of(&bytes[at..])) & 0xffff;
        if marked != 0 {
            return Some(at + marked.trailing_zeros() as usize);
        }
        at += WIDTH;
    }
    let rest = &bytes[at..];
    let marked = mask(Block::of(rest)) & ((1_u32 << rest.len()) - 1);
    (marked != 0).then(|| at + marked.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_wherever_they_stand() {
        for len in 0..70 {
            let mut bytes = vec![b'x'; len];
            assert_eq!(find(&bytes, b'/'), None);
            assert_eq!(find(&bytes, 0), None);
            for place in (0..len).rev() {
                bytes[place] = b'/';
                assert_eq!(find(&bytes, b'/'), Some(place));
            }
        }
    }

    #[test]
    fn numbers_are_what_their_digits_write() {
        for len in 1..=19 {
            let digits = &b"9081726354098765432"[..len];
            let text = str::from_utf8(digits).unwrap();
            assert_eq!(number(digits), Some(text.parse().unwrap()), "{text}");
            for place in 0..len {
                for other in [b'/', b':', b'\0', b' ', b'a', 0xb0, 0xff] {
                    let mut odd = digits.to_vec();
                    odd[place] = other;
                    assert_eq!(number(&odd), None, "{other} at {place} of {len}");
                }
            }
        }
        assert_eq!(number(b""), None);
        assert_eq!(number(b"12345678901234567890"), None);
    }

    #[test]
    fn addresses_have_four_numbers() {
        let is_part =
            |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let numbers = ["", "0", "22", "333", "4444", "5a", "-1"];
        let check = |text: &str| {
            let parts: Vec<&str> = text.split('.').collect();
            let expected = parts.len() == 4 && parts.iter().all(|part| is_part(part));
            assert_eq!(is_ipv4(text.as_bytes()), expected, "{text}");
        };
        for first in numbers {
            for second in numbers {
                check(first);
                check(&format!("{first}.{second}.1"));
                check(&format!("{first}.{second}.333.333"));
                check(&format!("1.222.{first}.{second}"));
                check(&format!("{first}.1.22.{second}"));
                check(&format!("{first}.1.2.3.{second}"));
            }
        }
    }

    #[test]
    fn a_byte_of_another_kind_is_seen_wherever_it_stands() {
        for len in 1..70 {
            let mut bytes = vec![b'7'; len];
            assert!(is_digits(&bytes));
            for place in 0..len {
                for other in [b'/', b':', 0, 0xff] {
                    bytes[place] = other;
                    assert!(!is_digits(&bytes), "{other} at {place} of {len}");
                }
                bytes[place] = b'7';
            }
        }
    }
}
