//! From a field's name to its number among those that are wanted.

use crate::block::is_same;

/// Names, each with a number.
#[derive(Debug)]
pub(super) struct Names {
    /// Places in `names` and one more, by hash; 0 is free.
    table: Vec<u16>,
    /// How far a hash is shifted to be a place in `table`.
    shift: u32,
    names: Vec<Name>,
}

#[derive(Debug)]
struct Name {
    /// Distinguishes names with the same text, such as the same key in two objects.
    scope: u16,
    text: Vec<u8>,
    number: u16,
}

impl Names {
    pub(super) fn new(names: impl Iterator<Item = (u16, Vec<u8>, u16)>) -> Self {
        let names: Vec<Name> = names
            .map(|(scope, text, number)| Name {
                scope,
                text,
                number,
            })
            .collect();
        // At most an eighth full: most other names miss at the first probe.
        let mut table = vec![0; (names.len() * 8).next_power_of_two().max(8)];
        let shift = u32::BITS - table.len().trailing_zeros();
        for (index, name) in names.iter().enumerate() {
            let mut place = (hash(name.scope, &name.text) >> shift) as usize;
            while table[place] != 0 {
                place = (place + 1) & (table.len() - 1);
            }
            table[place] = u16::try_from(index + 1).unwrap_or(0);
        }
        Self {
            table,
            shift,
            names,
        }
    }

    /// The number of a name.
    #[inline(always)]
    pub(super) fn find(&self, scope: u16, text: &[u8]) -> Option<u16> {
        let mut place = (hash(scope, text) >> self.shift) as usize;
        loop {
            let name = match self.table[place] {
                0 => return None,
                index => &self.names[usize::from(index) - 1],
            };
            if name.scope == scope && is_same(&name.text, text) {
                return Some(name.number);
            }
            place = (place + 1) & (self.table.len() - 1);
        }
    }
}

/// Of the length, the first and the last byte: field names of one log rarely share all of them.
#[inline(always)]
fn hash(scope: u16, text: &[u8]) -> u32 {
    let (first, last) = match text {
        [first, .., last] => (*first, *last),
        [only] => (*only, *only),
        [] => (0, 0),
    };
    let bytes = u32::from(first) | u32::from(last) << 8 | (text.len() as u32) << 16;
    (bytes ^ u32::from(scope) << 24).wrapping_mul(0x9e37_79b1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_number_they_were_given() {
        let words = ["a", "ab", "abc", "srcip", "dstip", "srcport", "host", ""];
        let given = words
            .iter()
            .enumerate()
            .map(|(number, word)| (7, word.as_bytes().to_vec(), number as u16));
        let names = Names::new(given);
        for (number, word) in words.iter().enumerate() {
            assert_eq!(names.find(7, word.as_bytes()), Some(number as u16));
            assert_eq!(names.find(8, word.as_bytes()), None);
        }
        assert_eq!(names.find(7, b"other"), None);
        assert_eq!(Names::new(std::iter::empty()).find(0, b"x"), None);
    }
}
