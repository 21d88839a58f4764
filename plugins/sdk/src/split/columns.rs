//! Columns between tabs, commas or other separators.

use std::borrow::Cow;
use std::ops::Range;

use super::keys::parities;
use super::marks::{Kind, Marks, Places, WORD, words_at};

const SEPARATOR: usize = 0;
const QUOTE: usize = 1;

/// Picks columns out of rows like `a,"b, c",d`.
///
/// A field that begins with a quote, perhaps after a blank, ends with the next
/// quote that is not doubled; [`undoubled`] gives its text. A column that a row does not have
/// is empty.
///
/// ```
/// use vthost_plugin::split::Columns;
/// let mut columns = Columns::at(b',', [Some(0), Some(2), None]);
/// assert_eq!(columns.pick(br#"a,"b, c",d"#), [&b"a"[..], b"d", b""]);
/// ```
#[derive(Debug)]
pub struct Columns<const N: usize> {
    /// Separators and quotes.
    kinds: [Kind; 2],
    marks: Marks<2>,
    /// The separators of the row that is read, if all of its quotes are regular.
    ends: Places,
    quotes: Quotes,
    /// Column and field, in the order of the columns.
    wanted: Vec<(usize, usize)>,
}

/// Whether a quote at the beginning of a field means anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Enclose,
    EncloseBehindBlank,
    AreText,
}

impl<const N: usize> Columns<N> {
    /// Columns by their places, from 0, in the order in which they are to be
    /// given. No column is twice among them.
    #[must_use]
    pub fn at(separator: u8, places: [Option<usize>; N]) -> Self {
        let mut wanted: Vec<(usize, usize)> = places
            .iter()
            .enumerate()
            .filter_map(|(field, place)| place.map(|place| (place, field)))
            .collect();
        wanted.sort_unstable();
        let kinds = [separator, b'"'].map(Kind::byte);
        Self {
            kinds,
            marks: Marks::new(kinds),
            ends: Places::default(),
            quotes: match separator {
                b' ' => Quotes::Enclose,
                _ => Quotes::EncloseBehindBlank,
            },
            wanted,
        }
    }

    /// Columns by their names in a header row.
    #[must_use]
    pub fn named<'h>(
        separator: u8,
        header: impl Iterator<Item = &'h [u8]> + Clone,
        names: [&str; N],
    ) -> Self {
        let place = |name: &str| {
            let mut columns = header.clone();
            columns.position(|column| column == name.as_bytes() && !name.is_empty())
        };
        Self::at(separator, names.map(place))
    }

    /// Columns by their names in the header of a format without quotes.
    #[must_use]
    pub fn unquoted<'h>(
        separator: u8,
        header: impl Iterator<Item = &'h [u8]> + Clone,
        names: [&str; N],
    ) -> Self {
        Self::named(separator, header, names).with_quotes_as_text()
    }

    /// The same columns where quotes enclose nothing.
    #[must_use]
    pub fn with_quotes_as_text(self) -> Self {
        Self {
            quotes: Quotes::AreText,
            ..self
        }
    }

    /// The wanted columns of a row, without the quotes around them.
    #[inline]
    pub fn pick<'a>(&mut self, row: &'a [u8]) -> [&'a [u8]; N] {
        let last = self.wanted.last().map_or(0, |(column, _)| *column);
        match self.read(row, last) {
            true => self.regular_fields(row),
            false => self.pick_to(row).0,
        }
    }

    /// The wanted columns of a row, and how many it has.
    #[inline]
    pub fn pick_counted<'a>(&mut self, row: &'a [u8]) -> ([&'a [u8]; N], usize) {
        if self.read(row, usize::MAX) {
            return (self.regular_fields(row), self.ends.as_slice().len() + 1);
        }
        let (fields, mut end, mut column) = self.pick_to(row);
        while end < row.len() {
            end = self.end_of_field(row, end + 1);
            column += 1;
        }
        (fields, column + 1)
    }

    /// The columns of a row by their places in it, quotes included.
    pub fn ranges(&mut self, row: &[u8]) -> Vec<Range<usize>> {
        self.marks.read(row);
        let mut start = 0;
        let mut ranges = Vec::new();
        loop {
            let end = self.end_of_field(row, start);
            ranges.push(start..end);
            if end == row.len() {
                return ranges;
            }
            start = end + 1;
        }
    }

    /// The value of a column as [`Self::pick`] returns it.
    #[must_use]
    pub fn value<'a>(&self, field: &'a [u8]) -> &'a [u8] {
        self.without_quotes(field)
    }

    /// Finds the separators of a row, at least up to the end of the column `last`.
    ///
    /// Returns whether they are those between fields: each quote begins a field, ends one or is
    /// doubled.
    #[inline(always)]
    fn read(&mut self, row: &[u8], last: usize) -> bool {
        self.ends.clear();
        if self.quotes != Quotes::AreText {
            return self.read_quoted(row, last);
        }
        let [separator, _] = self.kinds;
        for from in (0..row.len()).step_by(WORD) {
            let [separators] = words_at(row, from, &[separator]);
            self.ends.add(from, separators);
            if self.ends.as_slice().len() > last {
                break;
            }
        }
        true
    }

    /// One word of the masks, for `a,"b,""c""",d`:
    ///
    /// ```text
    /// row         a,"b,""c""",d
    /// quotes      ..1..11.111..
    /// inside      ..111.11.1...   parity of the quotes so far
    /// ends        .1.........1.   separators that are not inside
    /// opens       ..1...1..1...   quotes that are inside
    /// may_open    1.1...1..1.11   the start, and the byte after an end or after a closing quote
    /// ```
    #[inline(always)]
    fn read_quoted(&mut self, row: &[u8], last: usize) -> bool {
        let mut was_inside = 0_u64;
        let mut may_open_first = 1;
        for from in (0..row.len()).step_by(WORD) {
            let [separators, quotes] = words_at(row, from, &self.kinds);
            let inside = parities(quotes) ^ was_inside;
            let ends = separators & !inside;
            let (opens, before_open) = (quotes & inside, ends | quotes & !inside);
            let unusual = opens & !(before_open << 1 | may_open_first);
            if unusual != 0 && !self.are_after_blanks(row, from, unusual) {
                return false;
            }
            self.ends.add(from, ends);
            if self.ends.as_slice().len() > last {
                break;
            }
            was_inside = (inside >> (WORD - 1)).wrapping_neg();
            may_open_first = before_open >> (WORD - 1);
        }
        true
    }

    /// Whether a blank at the beginning of a field is before each of these quotes.
    #[cold]
    fn are_after_blanks(&self, row: &[u8], from: usize, mut quotes: u64) -> bool {
        while quotes != 0 {
            let quote = from + quotes.trailing_zeros() as usize;
            let is_first = match &row[..quote] {
                [.., before, b' '] => self.kinds[SEPARATOR].is(*before),
                [b' '] => true,
                _ => false,
            };
            if !is_first || self.quotes != Quotes::EncloseBehindBlank {
                return false;
            }
            quotes &= quotes - 1;
        }
        true
    }

    /// The wanted columns between the separators that were found.
    #[inline(always)]
    fn regular_fields<'a>(&self, row: &'a [u8]) -> [&'a [u8]; N] {
        let mut fields: [&[u8]; N] = [b""; N];
        let ends = self.ends.as_slice();
        for (column, field) in &self.wanted {
            let start = match column.checked_sub(1).map(|before| ends.get(before)) {
                None => 0,
                Some(Some(end)) => end + 1,
                Some(None) => break,
            };
            let end = ends.get(*column).copied().unwrap_or(row.len());
            fields[*field] = self.without_quotes(&row[start..end]);
        }
        fields
    }

    /// The wanted columns, and the end and the number of the last one that was read.
    #[inline(never)]
    fn pick_to<'a>(&mut self, row: &'a [u8]) -> ([&'a [u8]; N], usize, usize) {
        let mut fields: [&[u8]; N] = [b""; N];
        self.marks.read(row);
        let (mut start, mut column) = (0, 0);
        let mut end = self.end_of_field(row, start);
        for (wanted, field) in &self.wanted {
            while column < *wanted {
                if end == row.len() {
                    return (fields, end, column);
                }
                start = end + 1;
                end = self.end_of_field(row, start);
                column += 1;
            }
            fields[*field] = self.without_quotes(&row[start..end]);
        }
        (fields, end, column)
    }

    /// How many columns a row has.
    pub fn count(&mut self, row: &[u8]) -> usize {
        self.pick_counted(row).1
    }

    /// Where the field that begins at `start` ends: at a separator or at the
    /// row's end.
    #[inline]
    fn end_of_field(&self, row: &[u8], start: usize) -> usize {
        let start = match row.get(start) {
            Some(b'"') if self.quotes != Quotes::AreText => start,
            Some(b' ')
                if self.quotes == Quotes::EncloseBehindBlank
                    && row.get(start + 1) == Some(&b'"') =>
            {
                start + 1
            }
            _ => return self.marks.next(SEPARATOR, start),
        };
        let mut quote = self.marks.next(QUOTE, start + 1);
        while row.get(quote + 1) == Some(&b'"') {
            quote = self.marks.next(QUOTE, quote + 2);
        }
        self.marks.next(SEPARATOR, quote)
    }

    #[inline]
    fn without_quotes<'a>(&self, field: &'a [u8]) -> &'a [u8] {
        match field {
            [b'"', inside @ .., b'"'] | [b' ', b'"', inside @ .., b'"']
                if self.quotes != Quotes::AreText =>
            {
                inside
            }
            _ => field,
        }
    }
}

/// The text of a quoted field, whose quotes are doubled within.
///
/// ```
/// use vthost_plugin::split::undoubled;
/// assert_eq!(&*undoubled(br#"say ""hello"""#), br#"say "hello""#);
/// ```
#[must_use]
pub fn undoubled(field: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'"', field).is_none() {
        return field.into();
    }
    let mut text = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        text.extend_from_slice(&rest[..=quote]);
        rest = &rest[quote + 1..];
        rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    }
    text.extend_from_slice(rest);
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &str, places: [Option<usize>; 3], expected: [&str; 3]) {
        let picked = Columns::at(b',', places).pick(row.as_bytes());
        assert_eq!(picked, expected.map(str::as_bytes), "{row}");
    }

    #[test]
    fn columns_are_counted_from_nought() {
        check("a,b,c,d", [Some(0), Some(1), Some(3)], ["a", "b", "d"]);
        check("a,b,c,d", [Some(3), Some(0), None], ["d", "a", ""]);
        check("a,,", [Some(0), Some(1), Some(2)], ["a", "", ""]);
        check("", [Some(0), Some(1), None], ["", "", ""]);
        check("a", [Some(1), Some(0), Some(9)], ["", "a", ""]);
    }

    #[test]
    fn separators_in_quotes_separate_nothing() {
        check(
            r#""a,b",c,"d""#,
            [Some(0), Some(1), Some(2)],
            ["a,b", "c", "d"],
        );
        check(
            r#""a "","" b",c"#,
            [Some(0), Some(1), None],
            [r#"a "","" b"#, "c", ""],
        );
        check(r#""",b"#, [Some(0), Some(1), None], ["", "b", ""]);
        check(
            r#""a", "b, c", d"#,
            [Some(0), Some(1), Some(2)],
            ["a", "b, c", " d"],
        );
        check(r#"a"b,c"#, [Some(0), Some(1), None], ["a\"b", "c", ""]);
        check(
            r#"a,"open,b"#,
            [Some(0), Some(1), None],
            ["a", "\"open,b", ""],
        );
    }

    #[test]
    fn rows_longer_than_a_word_are_read() {
        let long = "x".repeat(100);
        let row = format!("{long},\"{long},{long}\",end");
        let picked = Columns::at(b',', [Some(2)]).pick(row.as_bytes());
        assert_eq!(picked, [b"end"]);
        assert_eq!(Columns::<0>::at(b',', []).count(row.as_bytes()), 3);
    }

    #[test]
    fn names_come_from_a_header() {
        let header = b"ts\tid.orig_h\thost".split(|byte| *byte == b'\t');
        let mut columns = Columns::named(b'\t', header, ["host", "uri", "ts"]);
        assert_eq!(columns.pick(b"1\t2\t3"), [&b"3"[..], b"", b"1"]);
    }

    /// All rows of seven bytes of these kinds, across the end of a word of the masks.
    #[test]
    fn regular_rows_are_read_as_any_row_is() {
        const KINDS: [u8; 4] = [b'a', b' ', b',', b'"'];
        let places = [Some(0), Some(2), Some(1)];
        for number in 0..4_usize.pow(7) {
            let byte = |place| KINDS[number / 4_usize.pow(place) % 4];
            for before in [&b""[..], &b"x,\"y\","[..], &[b'x'; 60]] {
                let row: Vec<u8> = before.iter().copied().chain((0..7).map(byte)).collect();
                for separator in [b',', b' '] {
                    let mut columns = Columns::at(separator, places);
                    let expected = columns.pick_to(&row).0;
                    assert_eq!(columns.pick(&row), expected, "{}", row.escape_ascii());
                    let count = columns.ranges(&row).len();
                    assert_eq!(columns.pick_counted(&row), (expected, count));
                }
            }
        }
    }
}
