//! The pairs of a line whose quotes all enclose values, from masks of 64 bytes at a time.
//!
//! One word of the masks, for `<9>a=1 b="x y=2" c=3` (the first byte on the left):
//!
//! ```text
//! line        <9>a=1 b="x y=2" c=3
//! assigns     ....=...=....=....=.
//! quotes      ........."....."....
//! inside      .........111111.....    parity of the quotes so far
//! ends        ......1.........1...    separators that are not inside
//! stops       ....1.1.1.......1.1.    assigns and ends that are not inside
//! starts      1......1.........1..    the line's start, and the byte after each end
//! sum         starts + !stops: each start is carried through its word to the word's first stop
//! keys        ....1...1.........1.    sum & stops & assigns
//! ```

use super::marks::{Kind, WORD, words_at};

/// The positions of the assignment after each key, and of the separators between pairs.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// For each 64 bytes of the line, and for its end.
    words: Vec<Word>,
}

#[derive(Debug, Clone, Copy)]
struct Word {
    keys: u64,
    ends: u64,
}

/// What a word's masks depend on in the words before it: bits that are carried to the lowest.
#[derive(Default)]
struct Carry {
    /// All bits are set inside of quotes.
    inside: u64,
    escape: u64,
    start: u64,
    key: u64,
    close: u64,
    after_quoted: u64,
    word_after_quoted: u64,
}

impl Keys {
    /// Reads a line. `kinds` are assignments, separators, quotes and backslashes.
    ///
    /// Returns whether the masks are those of the pairs: each quote opens a value right after an
    /// assignment, or closes it before a separator that a key or the end of the line follows, and none
    /// is escaped.
    #[inline(always)]
    pub(super) fn read(&mut self, line: &[u8], kinds: &[Kind; 4], escapes_separator: bool) -> bool {
        self.words.clear();
        let mut carry = Carry {
            start: 1,
            ..Carry::default()
        };
        let mut irregular = 0;
        // There is a word for the end of the line, even if it has no byte of the line.
        for from in (0..=line.len()).step_by(WORD) {
            let masks = words_at(line, from, kinds);
            let end_of_line = match line.len() - from {
                left @ 0..WORD => 1 << left,
                _ => 0,
            };
            let (word, errors) = carry.next(masks, end_of_line, escapes_separator);
            irregular |= errors;
            self.words.push(word);
        }
        irregular | carry.inside == 0
    }

    /// Calls `found` with the start of each key's word and the position of its assignment.
    #[inline(always)]
    pub(super) fn each(&self, mut found: impl FnMut(usize, usize)) {
        let mut start = 0;
        for (word, from) in self.words.iter().zip((0..).step_by(WORD)) {
            let mut keys = word.keys;
            while keys != 0 {
                let assign = keys.trailing_zeros() as usize;
                let before = word.ends & ((keys & keys.wrapping_neg()) - 1);
                let begin = match before {
                    0 => start,
                    _ => from + WORD - before.leading_zeros() as usize,
                };
                found(begin, from + assign);
                keys &= keys - 1;
            }
            if word.ends != 0 {
                start = from + WORD - word.ends.leading_zeros() as usize;
            }
        }
    }

    /// The first separator at `from` or after it, or the end of the line, `len`.
    #[inline(always)]
    pub(super) fn end(&self, from: usize, len: usize) -> usize {
        let mut index = from / WORD;
        let mut keep = u64::MAX << (from % WORD);
        while let Some(word) = self.words.get(index) {
            let ends = word.ends & keep;
            if ends != 0 {
                return index * WORD + ends.trailing_zeros() as usize;
            }
            keep = u64::MAX;
            index += 1;
        }
        len
    }
}

impl Carry {
    /// The masks of the next word, and bits of what is not regular in it.
    #[inline(always)]
    fn next(&mut self, masks: [u64; 4], end_of_line: u64, escapes_separator: bool) -> (Word, u64) {
        let [assigns, separators, quotes, backslashes] = masks;
        let inside = parities(quotes) ^ self.inside;
        let assigns = assigns & !inside;
        let ends = separators & !inside;
        let stops = assigns | ends;
        let (sum, overflow) = (ends << 1 | self.start).overflowing_add(!stops);
        let keys = sum & stops & assigns;

        let opens = quotes & inside;
        let closes = quotes & !inside;
        let not_after_key = opens & !(keys << 1 | self.key);
        let after_close = closes << 1 | self.close;
        let not_before_end = after_close & !(ends | end_of_line);
        // The words after quoted values, except an empty one at the end of the line.
        let after_quoted = (after_close & ends) << 1 | self.after_quoted;
        let (sum_quoted, overflow_quoted) = (after_quoted & !end_of_line | self.word_after_quoted)
            .overflowing_add(!(stops | end_of_line));
        let without_key = sum_quoted & (ends | end_of_line);
        let escapable = quotes | if escapes_separator { separators } else { 0 };
        let escaped = (backslashes << 1 | self.escape) & escapable;

        *self = Self {
            inside: (inside >> (WORD - 1)).wrapping_neg(),
            escape: backslashes >> (WORD - 1),
            start: ends >> (WORD - 1) | u64::from(overflow),
            key: keys >> (WORD - 1),
            close: closes >> (WORD - 1),
            after_quoted: (after_close & ends) >> (WORD - 1),
            word_after_quoted: u64::from(overflow_quoted),
        };
        let irregular = not_after_key | not_before_end | without_key | escaped;
        (Word { keys, ends }, irregular)
    }
}

/// For each bit whether an odd number of bits is set up to and including it.
#[inline(always)]
pub(super) fn parities(bits: u64) -> u64 {
    let bits = bits ^ bits << 1;
    let bits = bits ^ bits << 2;
    let bits = bits ^ bits << 4;
    let bits = bits ^ bits << 8;
    let bits = bits ^ bits << 16;
    bits ^ bits << 32
}
