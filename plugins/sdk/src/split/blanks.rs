//! Fields between runs of blanks.

use super::marks::{Kind, WORD, words_at};

/// Splits a line at runs of blanks into `fields` and gives their number. What
/// stands behind the last of them is not looked at; blanks before the first
/// field are skipped.
///
/// ```
/// let mut fields: [&[u8]; 3] = [b""; 3];
/// let found = vthost_plugin::split::blanks(b"  161 10.0.0.5   GET rest", &mut fields);
/// assert_eq!(found, 3);
/// assert_eq!(fields, [&b"161"[..], b"10.0.0.5", b"GET"]);
/// ```
#[inline]
pub fn blanks<'a, const N: usize>(line: &'a [u8], fields: &mut [&'a [u8]; N]) -> usize {
    const { assert!(N > 0) };
    let mut found = 0;
    // Where a field began that goes on in the next word.
    let mut open = None;
    // As if a blank stood before the line.
    let mut before = 1;
    for from in (0..line.len()).step_by(WORD) {
        let blank = blanks_at(line, from);
        let behind_blank = blank << 1 | before;
        before = blank >> (WORD - 1);
        let mut begins = behind_blank & !blank;
        let mut ends = blank & !behind_blank;
        while ends != 0 {
            let begin = open
                .take()
                .unwrap_or_else(|| from + take_first(&mut begins));
            fields[found] = &line[begin..from + take_first(&mut ends)];
            found += 1;
            if found == N {
                return found;
            }
        }
        if begins != 0 {
            open = Some(from + take_first(&mut begins));
        }
    }
    if let Some(begin) = open {
        fields[found] = &line[begin..];
        found += 1;
    }
    found
}

/// The place of the lowest bit, which is then no longer set.
#[inline(always)]
fn take_first(bits: &mut u64) -> usize {
    let place = bits.trailing_zeros() as usize;
    *bits &= bits.wrapping_sub(1);
    place
}

/// Where blanks stand in the 64 bytes from `from` on. There are only blanks
/// behind the line.
///
/// A function of its own: a component has too few registers for it and what is
/// done with its result.
#[inline(never)]
fn blanks_at(line: &[u8], from: usize) -> u64 {
    let [blank] = words_at(line, from, &[Kind::byte(b' ')]);
    let rest = line.len() - from;
    if rest < WORD {
        blank | u64::MAX << rest
    } else {
        blank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8]) {
        let expected: Vec<&[u8]> = line
            .split(|byte| *byte == b' ')
            .filter(|field| !field.is_empty())
            .take(4)
            .collect();
        let mut fields: [&[u8]; 4] = [b""; 4];
        let found = blanks(line, &mut fields);
        assert_eq!(
            &fields[..found],
            expected,
            "{:?}",
            String::from_utf8_lossy(line)
        );
    }

    #[test]
    fn fields_are_what_stands_between_blanks() {
        for line in ["", " ", "a", " a", "a ", "a b c d e f", "  a   b  c   d"] {
            check(line.as_bytes());
        }
        for len in [15, 16, 17, 40, 63, 64, 65, 128] {
            check(&b" ".repeat(len));
            check(&b"x".repeat(len));
        }
    }

    /// Every way to put blanks into lines of up to 10 bytes, with up to a word
    /// before them: all cases around the ends of blocks and words.
    #[test]
    fn every_arrangement_agrees_with_the_plain_way() {
        let befores = [
            "",
            "xxxxxxxxxx",
            " xx xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ];
        for (before, length) in befores
            .iter()
            .flat_map(|b| (0..=10_usize).map(move |l| (b, l)))
        {
            for pattern in 0..1_u32 << length {
                let line: Vec<u8> = before
                    .bytes()
                    .chain((0..length).map(|place| {
                        if pattern >> place & 1 == 1 {
                            b' '
                        } else {
                            b'x'
                        }
                    }))
                    .collect();
                check(&line);
            }
        }
    }
}
