//! Fields between runs of blanks.

use super::marks::{WIDTH, mask};

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
    let mut found = 0;
    // Where the field at hand began, if one did.
    let mut start = None;
    let mut before = 1_u32;
    let mut base = 0;
    while base < line.len() {
        let blank = mask_at(line, base, b' ');
        // A set bit is a place where blanks end or begin.
        let mut edges = (blank ^ (blank << 1 | before)) & 0xffff;
        before = blank >> (WIDTH - 1) & 1;
        while edges != 0 {
            let place = base + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            match start.take() {
                None => start = Some(place),
                Some(begin) => {
                    let Some(field) = fields.get_mut(found) else {
                        return found;
                    };
                    *field = &line[begin..place.min(line.len())];
                    found += 1;
                }
            }
        }
        if found == N {
            return found;
        }
        base += WIDTH;
    }
    if let (Some(begin), Some(field)) = (start, fields.get_mut(found))
        && begin < line.len()
    {
        *field = &line[begin..];
        found += 1;
    }
    found
}

/// Which of the sixteen bytes from `base` on are `wanted`; beyond the end of
/// the line all count as wanted.
#[inline]
fn mask_at(line: &[u8], base: usize, wanted: u8) -> u32 {
    match line.get(base..base + WIDTH) {
        Some(block) => {
            let mut bytes = [0; WIDTH];
            bytes.copy_from_slice(block);
            mask(bytes, wanted)
        }
        None => {
            let mut bytes = [wanted; WIDTH];
            let rest = &line[base..];
            bytes[..rest.len()].copy_from_slice(rest);
            mask(bytes, wanted)
        }
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
        check(&b" ".repeat(40));
        check(&b"x".repeat(40));
    }

    /// Every way to put blanks into lines of up to 18 bytes: all cases around
    /// the width of a mask.
    #[test]
    fn every_arrangement_agrees_with_the_plain_way() {
        for length in 0..=18_usize {
            for pattern in 0..1_u32 << length {
                let line: Vec<u8> = (0..length)
                    .map(|place| {
                        if pattern >> place & 1 == 1 {
                            b' '
                        } else {
                            b'x'
                        }
                    })
                    .collect();
                check(&line);
            }
        }
    }
}
