//! Fields between runs of blanks.

use super::marks::{Kind, WORD, words, words_at};

/// The fields of a line between runs of blanks. Leading and trailing blanks are skipped.
///
/// ```
/// let mut fields = vthost_plugin::split::blanks(b"  161 10.0.0.5   GET");
/// let (Some(elapsed), Some(client)) = (fields.next(), fields.next()) else {
///     panic!("too few fields");
/// };
/// assert_eq!((elapsed, client), (&b"161"[..], &b"10.0.0.5"[..]));
/// assert_eq!(fields.next(), Some(&b"GET"[..]));
/// assert_eq!(fields.next(), None);
/// ```
#[inline(always)]
#[must_use]
pub fn blanks(line: &[u8]) -> Blanks<'_> {
    let (first, second) = match line.split_first_chunk::<WORD>() {
        Some((first, rest)) => {
            let [first] = words(first, &BLANK);
            // The second word, or as many bytes that end with the line. Which of
            // them it is is unpredictable, so there is no branch for it.
            let start = rest.len().min(WORD);
            let [second] = line[start..]
                .first_chunk()
                .map_or([0], |word| words(word, &BLANK));
            let before = (WORD - start) as u32;
            let behind = 1_u64.checked_shl(start as u32).unwrap_or(0);
            (first, second.checked_shr(before).unwrap_or(0) | behind)
        }
        None => (blanks_at(line, 0), 0),
    };
    Blanks {
        line,
        from: 0,
        second,
        blank: first,
        begin: 0,
    }
}

/// What [`blanks`] gives. Nothing in it is a list and it is inlined wherever the
/// next field is asked for, so that a component keeps it in registers.
#[derive(Debug, Clone)]
pub struct Blanks<'a> {
    line: &'a [u8],
    /// Where the word begins that is being read.
    from: usize,
    /// The mask of blanks in the second word. It is computed with the first, so that fields need not
    /// check for it.
    second: u64,
    /// The mask of blanks in the current word, without those already read.
    blank: u64,
    /// The position after the last blank that was read.
    begin: usize,
}

impl Blanks<'_> {
    /// Reads the next blank: between which places a field ends with it. There is
    /// no such field where it follows another blank.
    #[inline(always)]
    fn read_blank(&mut self) -> Option<(usize, usize)> {
        while self.blank == 0 {
            if self.line.len() - self.from < WORD {
                return None;
            }
            self.from += WORD;
            self.blank = match self.from {
                WORD => self.second,
                from => blanks_at(self.line, from),
            };
        }
        let end = self.from + take_first(&mut self.blank);
        let begin = std::mem::replace(&mut self.begin, end + 1);
        Some((begin, end))
    }
}

impl<'a> Iterator for Blanks<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (mut begin, mut end) = self.read_blank()?;
        while begin >= end {
            (begin, end) = self.read_blank()?;
        }
        Some(&self.line[begin..end])
    }
}

/// The place of the lowest bit, which is then no longer set.
#[inline(always)]
fn take_first(bits: &mut u64) -> usize {
    let place = bits.trailing_zeros() as usize;
    *bits &= bits.wrapping_sub(1);
    place
}

const BLANK: [Kind; 1] = [Kind::byte(b' ')];

/// The mask of blanks in the 64 bytes at `from`, with one after the end of the line.
///
/// It is not inlined: there are too many callers for its size.
#[inline(never)]
fn blanks_at(line: &[u8], from: usize) -> u64 {
    let [blank] = words_at(line, from, &BLANK);
    match line.len() - from {
        left @ 0..WORD => blank | 1 << left,
        _ => blank,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8]) {
        let expected: Vec<&[u8]> = line
            .split(|byte| *byte == b' ')
            .filter(|field| !field.is_empty())
            .collect();
        let mut fields = blanks(line);
        let found: Vec<&[u8]> = fields.by_ref().collect();
        assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(line));
        assert_eq!(fields.next(), None);
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

    /// Every way to put blanks into lines of up to 10 bytes, with up to three words
    /// before them: all cases around the ends of blocks and words.
    #[test]
    fn every_arrangement_agrees_with_the_plain_way() {
        let befores = [0, 10, 57, 64, 121, 128, 186].map(|len| {
            let before = " xx ".repeat(len / 4);
            before + &"x".repeat(len % 4)
        });
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
