//! Fields between runs of blanks.

use super::marks::{Kind, WORD, last_words, words};

/// The fields of a line between runs of blanks. Blanks before the first and
/// behind the last belong to none.
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
    let mut fields = Blanks {
        line,
        from: 0,
        blank: 0,
        begins: 0,
        ends: 0,
        begin: 0,
    };
    // As if a blank stood before the line.
    fields.read_word(1);
    fields
}

/// What [`blanks`] gives. Nothing in it is a list and it is inlined wherever the
/// next field is asked for, so that a component keeps it in registers.
#[derive(Debug, Clone)]
pub struct Blanks<'a> {
    line: &'a [u8],
    /// Where the word begins that is being read.
    from: usize,
    /// Where blanks stand in it.
    blank: u64,
    /// Where fields begin and end in it that were not given yet.
    begins: u64,
    ends: u64,
    /// Where the next field begins, if there is another in this word, or one
    /// that goes on in the next.
    begin: usize,
}

impl Blanks<'_> {
    /// Reads the word at `from`; `behind` is 1 where it follows a blank, else 0.
    #[inline(always)]
    fn read_word(&mut self, behind: u64) {
        self.blank = match self.line[self.from..].first_chunk() {
            Some(whole) => {
                let [blank] = words(whole, &BLANK);
                blank
            }
            None => last_blanks(self.line, self.from),
        };
        let behind_blank = self.blank << 1 | behind;
        self.begins = behind_blank & !self.blank;
        self.ends = self.blank & !behind_blank;
        if behind == 1 {
            self.begin = self.from + take_first(&mut self.begins);
        }
    }
}

impl<'a> Iterator for Blanks<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        while self.ends == 0 {
            if self.line.len() - self.from < WORD {
                return None;
            }
            self.from += WORD;
            self.read_word(self.blank >> (WORD - 1));
        }
        let field = &self.line[self.begin..self.from + take_first(&mut self.ends)];
        self.begin = self.from + take_first(&mut self.begins);
        Some(field)
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

/// Where blanks stand in the less than 64 bytes from `from` on. There are only
/// blanks behind the line.
///
/// A function of its own: inlined as often as the rest, it would be too much.
#[inline(never)]
fn last_blanks(line: &[u8], from: usize) -> u64 {
    let [blank] = last_words(line, from, &BLANK);
    blank | u64::MAX << (line.len() - from)
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
