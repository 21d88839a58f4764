//! The positions of certain bytes in a line, as bit masks.

use crate::block::{Block, WIDTH};

/// Bytes of a line whose bits share a word.
pub(super) const WORD: usize = 64;

/// The bytes of one kind: those that are `is` once the bits of `or` are set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    or: u8,
    is: u8,
}

impl Kind {
    /// This byte alone.
    pub(super) const fn byte(is: u8) -> Self {
        Self { or: 0, is }
    }

    /// Whether a byte is of this kind.
    pub(super) fn is(self, byte: u8) -> bool {
        byte | self.or == self.is
    }

    /// Two bytes that differ in the bit 0x20, as `[` and `{` do; the larger one
    /// is given.
    pub(super) const fn with_twin(is: u8) -> Self {
        Self { or: 0x20, is }
    }
}

/// The positions of bytes of `K` kinds in a line.
#[derive(Debug)]
pub(super) struct Marks<const K: usize> {
    kinds: [Kind; K],
    /// For each 64 bytes of the line a word for each kind, the first byte in
    /// the lowest bit.
    words: Vec<[u64; K]>,
    len: usize,
}

impl<const K: usize> Marks<K> {
    pub(super) fn new(kinds: [Kind; K]) -> Self {
        Self {
            kinds,
            words: Vec::new(),
            len: 0,
        }
    }

    /// Reads a line; what was known of another is forgotten.
    #[inline]
    pub(super) fn read(&mut self, line: &[u8]) {
        self.words.clear();
        self.len = line.len();
        for from in (0..line.len()).step_by(WORD) {
            self.words.push(words_at(line, from, &self.kinds));
        }
    }

    /// The masks of each 64 bytes, and where these begin.
    #[inline(always)]
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, &[u64; K])> {
        (0..).step_by(WORD).zip(&self.words)
    }

    /// The first byte of a kind at `from` or after it; the line's length
    /// without one.
    #[inline]
    pub(super) fn next(&self, kind: usize, from: usize) -> usize {
        self.next_where(from, |word| word[kind])
    }

    /// The first byte at `from` or after it whose bit is set in what `choose`
    /// makes of the kinds' words.
    #[inline]
    pub(super) fn next_where(&self, from: usize, choose: impl Fn(&[u64; K]) -> u64) -> usize {
        let mut index = from / WORD;
        let mut keep = u64::MAX << (from % WORD);
        while let Some(word) = self.words.get(index) {
            let bits = choose(word) & keep;
            if bits != 0 {
                return index * WORD + bits.trailing_zeros() as usize;
            }
            keep = u64::MAX;
            index += 1;
        }
        self.len
    }

    /// The last byte of a kind in `from..to`. `to` is at most the length of the line.
    #[inline]
    pub(super) fn last(&self, kind: usize, from: usize, to: usize) -> Option<usize> {
        let mut index = to / WORD;
        let mut keep = !(u64::MAX << (to % WORD));
        loop {
            let bits = self.words.get(index).map_or(0, |word| word[kind]) & keep;
            if bits != 0 {
                let place = index * WORD + (WORD - 1) - bits.leading_zeros() as usize;
                return (place >= from).then_some(place);
            }
            if index * WORD <= from {
                return None;
            }
            keep = u64::MAX;
            index -= 1;
        }
    }

    /// How many bytes of a kind a line has from `from` to before `to`.
    #[cfg(test)]
    fn count(&self, kind: usize, from: usize, to: usize) -> usize {
        let mut count = 0;
        let mut at = self.next(kind, from);
        while at < to.min(self.len) {
            count += 1;
            at = self.next(kind, at + 1);
        }
        count
    }
}

/// Positions in ascending order.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The first `len` are positions.
    places: Vec<usize>,
    len: usize,
}

impl Places {
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds the positions of the bits of a word that begins at `from`.
    #[inline(always)]
    pub(super) fn add(&mut self, from: usize, bits: u64) {
        // Few words have more than one; each may have one for every bit.
        if self.places.len() < self.len + WORD {
            self.places.resize(2 * self.len + WORD, 0);
        }
        let Some(spare) = self.places[self.len..].first_chunk_mut::<WORD>() else {
            return;
        };
        write_places(spare, from, bits);
        self.len += bits.count_ones() as usize;
    }

    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[usize] {
        &self.places[..self.len]
    }
}

/// The places of a byte, in order.
#[must_use]
pub(crate) fn places_of(wanted: u8, bytes: &[u8]) -> Vec<usize> {
    let kind = [Kind::byte(wanted)];
    let (whole, rest) = bytes.as_chunks();
    let mut places = Vec::new();
    let (mut read, mut len) = (0, 0);
    loop {
        // Few words have more than one; the next needs room for all it may have.
        places.resize(len + whole.len() - read + WORD, 0);
        if read == whole.len() {
            break;
        }
        (read, len) = add_places(whole, read, &kind, &mut places, len);
    }
    if !rest.is_empty() {
        let [mut bits] = last_words(bytes, read * WORD, &kind);
        while bits != 0 {
            places[len] = read * WORD + bits.trailing_zeros() as usize;
            len += 1;
            bits &= bits - 1;
        }
    }
    places.truncate(len);
    places
}

/// Adds the places in the words from `read` on while there is room for those of
/// a whole word; gives how many words are read then, and how many places there
/// are.
///
/// As it makes no list longer, its loop calls nothing: what it knows stays in
/// registers.
fn add_places(
    whole: &[[u8; WORD]],
    read: usize,
    kind: &[Kind; 1],
    places: &mut [usize],
    mut len: usize,
) -> (usize, usize) {
    let mut from = read * WORD;
    for word in &whole[read..] {
        let Some(spare) = places[len..].first_chunk_mut::<WORD>() else {
            break;
        };
        let [bits] = words(word, kind);
        write_places(spare, from, bits);
        len += bits.count_ones() as usize;
        from += WORD;
    }
    (from / WORD, len)
}

/// Writes the positions of the bits of a word that begins at `from`.
#[inline(always)]
fn write_places(spare: &mut [usize; WORD], from: usize, bits: u64) {
    // Whether a word has one is unpredictable: a place is written
    // without asking, and not counted where there is none.
    spare[0] = from + bits.trailing_zeros() as usize;
    let mut more = bits & bits.wrapping_sub(1);
    for place in &mut spare[1..] {
        if more == 0 {
            break;
        }
        *place = from + more.trailing_zeros() as usize;
        more &= more - 1;
    }
}

/// The masks of the 64 bytes of a line at `from`, one for each kind, the first byte in the lowest bit.
/// Bits past the end of the line are not set.
#[inline(always)]
pub(super) fn words_at<const K: usize>(line: &[u8], from: usize, kinds: &[Kind; K]) -> [u64; K] {
    match line[from..].first_chunk() {
        Some(whole) => words(whole, kinds),
        None => last_words(line, from, kinds),
    }
}

/// The same where the line has less than 64 bytes from `from` on.
#[inline(always)]
pub(super) fn last_words<const K: usize>(line: &[u8], from: usize, kinds: &[Kind; K]) -> [u64; K] {
    let rest = &line[from..];
    match line.last_chunk() {
        // The last 64 bytes of the line, without those before `from`: all of
        // them where the line ends there, and a shift by 64 does not exist.
        Some(last) => words(last, kinds).map(|word| word >> 1 >> (WORD - 1 - rest.len())),
        None => words_of_short(rest, kinds),
    }
}

/// For 64 bytes a word for each kind.
#[inline(always)]
pub(super) fn words<const K: usize>(bytes: &[u8; WORD], kinds: &[Kind; K]) -> [u64; K] {
    let mut words = [0; K];
    // No `map` over the four: as a call it would cost more than all the rest.
    if let ([a, b, c, d], []) = bytes.as_chunks::<WIDTH>() {
        let (a, b, c, d) = (
            Block::new(*a),
            Block::new(*b),
            Block::new(*c),
            Block::new(*d),
        );
        for (word, kind) in words.iter_mut().zip(kinds) {
            let bits = |block: Block| u64::from(block.mask(kind.or, kind.is));
            *word = bits(a) | bits(b) << WIDTH | bits(c) << (2 * WIDTH) | bits(d) << (3 * WIDTH);
        }
    }
    words
}

fn words_of_short<const K: usize>(bytes: &[u8], kinds: &[Kind; K]) -> [u64; K] {
    let mut words = [0; K];
    for (part, bytes) in bytes.chunks(WIDTH).enumerate() {
        let block = Block::of(bytes);
        for (word, kind) in words.iter_mut().zip(kinds) {
            let bits = block.mask(kind.or, kind.is) & (u32::MAX >> (32 - bytes.len()));
            *word |= u64::from(bits) << (part * WIDTH);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_wherever_they_stand() {
        for len in [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 200] {
            for place in 0..len {
                let mut line = vec![b'x'; len];
                line[place] = b'{';
                let mut marks = Marks::new([Kind::byte(b'{'), Kind::with_twin(b'{')]);
                marks.read(&line);
                assert_eq!(marks.next(0, 0), place);
                assert_eq!(marks.next(1, place), place);
                assert_eq!(marks.next(0, place + 1), len);
                assert_eq!(marks.last(0, 0, len), Some(place));
                assert_eq!(marks.last(0, place, place + 1), Some(place));
                assert_eq!(marks.last(0, 0, place), None);
                assert_eq!(marks.last(0, place + 1, len), None);
                line[place] = b'[';
                marks.read(&line);
                assert_eq!((marks.next(0, 0), marks.next(1, 0)), (len, place));
            }
        }
    }

    #[test]
    fn all_of_them_are_found_in_order() {
        let line = b"a,b,,c,".repeat(30);
        let mut marks = Marks::new([Kind::byte(b',')]);
        marks.read(&line);
        assert_eq!(marks.count(0, 0, line.len()), 120);
        assert_eq!(marks.count(0, 1, 4), 2);
        let mut at = 0;
        for (place, _) in line.iter().enumerate().filter(|(_, byte)| **byte == b',') {
            assert_eq!(marks.next(0, at), place);
            at = place + 1;
        }
    }

    #[test]
    fn places_are_those_of_a_plain_search() {
        for (len, step) in [
            (0, 1),
            (1, 1),
            (64, 1),
            (64, 63),
            (65, 64),
            (200, 7),
            (500, 129),
            (640, 64),
            (4096, 1),
            (5000, 3),
        ] {
            let bytes: Vec<u8> = (0..len)
                .map(|place| if place % step == 0 { b'\n' } else { b'x' })
                .collect();
            let expected: Vec<usize> = (0..len).step_by(step).collect();
            assert_eq!(places_of(b'\n', &bytes), expected, "{len} by {step}");
        }
    }
}
