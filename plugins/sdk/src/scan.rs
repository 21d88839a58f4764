//! Searches and tests of short values, sixteen bytes at a time.
//!
//! # Cost model
//!
//! In a component, a loop checks at each iteration whether it is to be interrupted. Most values of a
//! log have fewer than sixteen bytes, for which these functions do not loop. See
//! `docs/decisions/no-byte-loops-in-guests.md`.

use std::ops::RangeInclusive;

use crate::block::{WIDTH, first_word};

pub use crate::block::Block;

/// The number of bytes that [`places`] reads.
pub const PLACES: usize = 64;

/// The positions of bytes of several kinds in the first [`PLACES`] bytes of a text: a mask for each
/// kind, the first byte in the lowest bit. `kinds` gives the masks of sixteen bytes. Bits past the end
/// of the text are not set.
///
/// ```
/// use vthost_plugin::scan::places;
/// let kinds = |block: vthost_plugin::scan::Block| [block.mask(0, b'.'), block.between(b'0', b'9')];
/// assert_eq!(places(b"1.22.a", kinds), [0b10010, 0b01101]);
/// ```
#[inline(always)]
pub fn places<const K: usize>(text: &[u8], kinds: impl Fn(Block) -> [u32; K]) -> [u64; K] {
    let text = &text[..text.len().min(PLACES)];
    let mut places = [0; K];
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let (block, before) = match (rest.first_chunk(), text.last_chunk()) {
            (Some(whole), _) => (Block::new(*whole), 0),
            // The last sixteen bytes, without those already read.
            (None, Some(last)) => (Block::new(*last), WIDTH - rest.len()),
            (None, None) => (Block::of(rest), 0),
        };
        let within = u32::MAX >> (u32::BITS as usize - rest.len().min(WIDTH));
        for (place, mask) in places.iter_mut().zip(kinds(block)) {
            *place |= u64::from(mask >> before & within) << at;
        }
        at += WIDTH;
    }
    places
}

/// The bits of the first `count` bytes of a text.
///
/// ```
/// use vthost_plugin::scan::first_bits;
/// assert_eq!((first_bits(0), first_bits(3), first_bits(64)), (0, 0b111, u64::MAX));
/// ```
#[inline(always)]
#[must_use]
pub fn first_bits(count: usize) -> u64 {
    match count {
        0..PLACES => !(u64::MAX << count),
        _ => u64::MAX,
    }
}

/// The position of the first `wanted` byte.
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

/// The position of the first byte that is one of a few.
///
/// ```
/// use vthost_plugin::scan::find_any;
/// assert_eq!(find_any(b"10.0.0.5#51000", b"# "), Some(8));
/// assert_eq!(find_any(b"10.0.0.5", b"# "), None);
/// ```
#[inline]
#[must_use]
pub fn find_any(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let is_any = |block: Block| {
        wanted
            .iter()
            .fold(0, |mask, byte| mask | block.mask(0, *byte))
    };
    first(bytes, is_any)
}

/// Whether a text is not empty and has only decimal digits.
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

/// Whether every byte is in one of the ranges.
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

/// The position of the first byte that is in none of the ranges.
///
/// ```
/// use vthost_plugin::scan::find_other;
/// assert_eq!(find_other(b"192.0.2.1:80", [b'0'..=b'9', b'.'..=b'.']), Some(9));
/// assert_eq!(find_other(b"192", [b'0'..=b'9']), None);
/// ```
#[inline]
#[must_use]
pub fn find_other<const N: usize>(bytes: &[u8], ranges: [RangeInclusive<u8>; N]) -> Option<usize> {
    first(bytes, |block| !block.within(&ranges))
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
    // With a dot after the last number, all four are handled alike.
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

/// Whether the text is an IPv4 address with numbers up to 255 without leading zeros, as the standard
/// library accepts it.
///
/// ```
/// use vthost_plugin::scan::is_valid_ipv4;
/// assert!(is_valid_ipv4(b"192.0.2.10"));
/// assert!(!is_valid_ipv4(b"192.0.2.256"));
/// assert!(!is_valid_ipv4(b"192.0.2.010"));
/// ```
#[inline]
#[must_use]
pub fn is_valid_ipv4(text: &[u8]) -> bool {
    if !(7..=15).contains(&text.len()) {
        return false;
    }
    let block = Block::of(text);
    let all = (1_u32 << text.len()) - 1;
    let dots = block.mask(0, b'.') & all;
    let digits = block.between(b'0', b'9') & all;
    if dots | digits != all || dots.count_ones() != 3 {
        return false;
    }
    // With a dot before the first number and after the last, all are handled alike.
    let before = dots << 1 | 1;
    let behind = dots | (all + 1);
    let first = digits & before;
    let second = first << 1 & digits;
    let third = second << 1 & digits;
    let zeros = block.mask(0, b'0') & first & !(behind >> 1);
    let are_numbers = first.count_ones() == 4 && third << 1 & digits == 0;
    are_numbers && zeros == 0 && !is_over_255(block, first, third)
}

/// Whether one of the numbers that begin at `first` and have a third digit at
/// `third` is over 255.
#[inline(always)]
fn is_over_255(block: Block, first: u32, third: u32) -> bool {
    let second = third >> 1;
    let of_three = first & second >> 1;
    let two = of_three & block.mask(0, b'2');
    let at_five = (two << 1) & block.mask(0, b'5');
    let over = of_three & block.between(b'3', b'9')
        | (two << 1) & block.between(b'6', b'9')
        | (at_five << 1) & block.between(b'6', b'9');
    over != 0
}

/// Whether the text is an IPv6 address of hexadecimal numbers, as the standard library accepts it,
/// except for those that end like an IPv4 address.
///
/// ```
/// use vthost_plugin::scan::is_valid_ipv6;
/// assert!(is_valid_ipv6(b"2001:db8::1"));
/// assert!(!is_valid_ipv6(b"12:34:56"));
/// assert!(!is_valid_ipv6(b"::ffff:192.0.2.10"));
/// ```
#[inline]
#[must_use]
pub fn is_valid_ipv6(text: &[u8]) -> bool {
    if !(2..=39).contains(&text.len()) {
        return false;
    }
    let [colons, digits] = places(text, |block| {
        let letters = block.between(b'a', b'f') | block.between(b'A', b'F');
        [block.mask(0, b':'), block.between(b'0', b'9') | letters]
    });
    let all = (1_u64 << text.len()) - 1;
    let long = digits & digits >> 1 & digits >> 2 & digits >> 3 & digits >> 4;
    if colons | digits != all || long != 0 {
        return false;
    }
    let numbers = (digits & !(digits << 1)).count_ones();
    let gaps = colons & colons >> 1;
    let begins = colons & 1 == 0 || gaps & 1 == 1;
    let last = text.len() - 1;
    let ends = colons >> last == 0 || gaps >> (last - 1) == 1;
    match gaps.count_ones() {
        0 => numbers == 8 && begins && ends,
        1 => numbers <= 7 && begins && ends,
        _ => false,
    }
}

/// The first eight bytes of a text as a number that sorts like the text. A shorter text is padded with
/// zeros.
///
/// ```
/// use vthost_plugin::scan::start;
/// assert_eq!(start(b"com"), 0x636f_6d00_0000_0000);
/// assert!(start(b"com") < start(b"community"));
/// ```
#[inline]
#[must_use]
pub fn start(text: &[u8]) -> u64 {
    first_word(text).swap_bytes()
}

/// The number of 1 to 19 decimal digits.
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

/// The number of at most eight digits.
#[inline(always)]
fn up_to_eight(digits: &[u8]) -> Option<u64> {
    let missing = (8 - digits.len()) * 8;
    // With leading zeros.
    let text = first_word(digits) << missing | (ZEROS & ((1 << missing) - 1));
    eight_digits(text).map(u64::from)
}

const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);

/// The number of eight digits, the first in the lowest byte. Adjacent digits are combined to pairs,
/// pairs to groups of four, these to eight.
#[inline(always)]
pub(crate) fn eight_digits(text: u64) -> Option<u32> {
    let ones = text ^ ZEROS;
    let is_no_digit =
        (ones | ones.wrapping_add(u64::from_ne_bytes([6; 8]))) & u64::from_ne_bytes([0xf0; 8]);
    if is_no_digit != 0 {
        return None;
    }
    let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) as u32)
}

/// The position of the first byte that `mask` marks.
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
    // The last sixteen bytes, which may overlap those before: no remainder is left.
    let (block, at) = match bytes.last_chunk() {
        Some(last) => (Block::new(*last), bytes.len() - WIDTH),
        None => (Block::of(bytes), 0),
    };
    let marked = mask(block) & ((1_u32 << (bytes.len() - at)) - 1);
    (marked != 0).then(|| at + marked.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

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
    fn valid_addresses_are_those_of_the_standard_library() {
        let check = |text: &str| {
            let bytes = text.as_bytes();
            let is_v4 = text.parse::<Ipv4Addr>().is_ok();
            let is_v6 = text.parse::<Ipv6Addr>().is_ok() && !text.contains('.');
            assert_eq!(is_valid_ipv4(bytes), is_v4, "{text}");
            assert_eq!(is_valid_ipv6(bytes), is_v6, "{text}");
        };
        let numbers = [
            "", "0", "00", "7", "10", "99", "010", "100", "199", "200", "249", "250", "255", "256",
            "260", "299", "300", "999", "1000", "2a",
        ];
        for first in numbers {
            for second in numbers {
                check(&format!("{first}.{second}.1"));
                check(&format!("{first}.{second}.255.256"));
                check(&format!("1.{first}.{second}.4"));
                check(&format!("12.255.{first}.{second}"));
                check(&format!("{first}.1.2.3.{second}"));
            }
        }
        let numbers = ["", "0", "db8", "FFFF", "12345", "g"];
        let of_base = |mut index: usize, len| {
            let parts: Vec<&str> = std::iter::repeat_with(|| {
                let part = numbers[index % numbers.len()];
                index /= numbers.len();
                part
            })
            .take(len)
            .collect();
            parts.join(":")
        };
        for len in 1..=5 {
            for index in 0..numbers.len().pow(len as u32) {
                let text = of_base(index, len);
                check(&text);
                check(&format!("1:2:3:4:{text}"));
                check(&format!("{text}:5:6:7:8"));
            }
        }
    }

    #[test]
    fn places_are_bits_wherever_a_byte_stands() {
        for len in 0..=PLACES + 3 {
            for place in 0..len {
                let mut text = vec![0; len];
                text[place] = b'/';
                let [slashes, zeros] =
                    places(&text, |block| [block.mask(0, b'/'), block.mask(0, 0)]);
                let seen = len.min(PLACES);
                let all = u64::MAX >> (PLACES - seen);
                let expected = if place < seen { 1 << place } else { 0 };
                assert_eq!(
                    (slashes, zeros),
                    (expected, all & !expected),
                    "{place} of {len}"
                );
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
