//! Rows with more or fewer columns than their header names.
//!
//! ProxySG and TMG write values with bare blanks (a referrer, a user agent, a name), and
//! each blank moves all columns after it. The value with the blanks is found by the form
//! of the other columns: addresses, numbers, methods, hosts, paths.

use std::ops::Range;

use vthost_plugin::contact::{plausible_address, plausible_host};

/// A row whose columns are those of the header.
pub(crate) struct Aligned<'a, 'n> {
    columns: Vec<&'a [u8]>,
    names: &'n [Vec<u8>],
    /// The column whose value has the blanks.
    place: usize,
}

const OTHER_COLUMNS: &str = "other columns than the header names";

impl<'a, 'n> Aligned<'a, 'n> {
    /// The columns of a row, which are in these ranges. The values with blanks are
    /// expected first in what clients send, then in names, then anywhere.
    ///
    /// # Errors
    ///
    /// The reason, if no value can be joined so that each column has its form, or if
    /// several can and the rows that they make differ: a client could have arranged that.
    pub(crate) fn of(
        row: &'a [u8],
        ranges: &[Range<usize>],
        names: &'n [Vec<u8>],
    ) -> Result<Self, &'static str> {
        let kinds: [fn(&[u8]) -> bool; 3] = [is_sent_by_client, is_name_of_user, |_| true];
        for is_of_kind in kinds {
            let places = (0..names.len()).filter(|place| is_of_kind(&names[*place]));
            let joined = places.map(|place| Self::joined(row, ranges, names, place));
            let mut fitting = joined.filter(Self::fits);
            if let Some(first) = fitting.next() {
                let agree = fitting.all(|other| first.agrees(&other));
                return agree.then_some(first).ok_or(OTHER_COLUMNS);
            }
        }
        Err(OTHER_COLUMNS)
    }

    /// The row with the surplus columns joined to the one at this place.
    fn joined(row: &'a [u8], ranges: &[Range<usize>], names: &'n [Vec<u8>], place: usize) -> Self {
        let surplus = ranges.len().saturating_sub(names.len());
        let column = |number: usize| {
            let (first, last) = match number.cmp(&place) {
                std::cmp::Ordering::Less => (number, number),
                std::cmp::Ordering::Equal => (number, number + surplus),
                std::cmp::Ordering::Greater => (number + surplus, number + surplus),
            };
            match (ranges.get(first), ranges.get(last)) {
                (Some(first), Some(last)) => &row[first.start..last.end],
                _ => b"",
            }
        };
        Self {
            columns: (0..names.len()).map(column).collect(),
            names,
            place,
        }
    }

    /// The column of this name, with its quotes.
    pub(crate) fn column(&self, name: &str) -> Option<&'a [u8]> {
        let place = self
            .names
            .iter()
            .position(|known| known == name.as_bytes())?;
        self.columns.get(place).copied()
    }

    /// Whether each column has the form of its name. A missing one has.
    fn fits(&self) -> bool {
        let mut columns = self.names.iter().zip(&self.columns);
        self.is_one_value()
            && columns.all(|(name, value)| {
                let value = without_quotes(value);
                matches!(value, b"" | b"-") || has_form(name, value)
            })
    }

    /// Whether the joined columns can be one value: neither an absent one nor a quoted
    /// one is among them.
    fn is_one_value(&self) -> bool {
        let value = self.columns.get(self.place).copied().unwrap_or_default();
        let mut words = value.split(|byte| matches!(byte, b' ' | b'\t'));
        let first = words.next().unwrap_or_default();
        value == first
            || without_quotes(value) != value
            || (first != b"-" && !words.any(|word| word.starts_with(b"\"")))
    }

    /// Whether the columns that are no free text are the same.
    fn agrees(&self, other: &Self) -> bool {
        let mut columns = self
            .names
            .iter()
            .zip(self.columns.iter().zip(&other.columns));
        columns.all(|(name, (one, other))| {
            one == other || is_sent_by_client(name) || is_name_of_user(name)
        })
    }
}

fn without_quotes(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inside @ .., b'"'] if !inside.contains(&b'"') => inside,
        _ => value,
    }
}

/// Whether a column holds text that a client or a server sends and that may have blanks.
/// The parts of a URL may not.
fn is_sent_by_client(name: &[u8]) -> bool {
    matches!(
        name,
        b"cs(Referer)" | b"cs(User-Agent)" | b"cs(Cookie)" | b"cs-categories" | b"rs(Content-Type)"
    )
}

/// Whether a column holds a name of a user, a group or an agent.
fn is_name_of_user(name: &[u8]) -> bool {
    name.windows(4)
        .any(|part| part == b"user" || part == b"User")
        || name.windows(5).any(|part| part == b"group")
        || name
            .windows(5)
            .any(|part| part == b"agent" || part == b"Agent")
}

/// Whether a value can be of a column, by the column's name in the W3C draft and in
/// ProxySG's and IIS's lists of fields.
fn has_form(name: &[u8], value: &[u8]) -> bool {
    match name {
        b"date" => is_of(value, b"-") && value.len() == 10,
        b"time" => is_of(value, b":.") && value.len() >= 8,
        b"cs-method" => value
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || *byte == b'_'),
        b"cs-uri-scheme" => value.iter().all(|byte| byte.is_ascii_alphanumeric()),
        b"cs-host" | b"cs-uri-host" | b"r-host" => {
            plausible_host(value).is_some() || value.iter().all(u8::is_ascii_alphabetic)
        }
        b"cs-uri-path" | b"cs-uri-stem" => matches!(value.first(), Some(b'/' | b'*')),
        b"cs-version" => value.starts_with(b"HTTP"),
        b"s-action" | b"sc-filter-result" => value
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b'_'),
        _ if name.ends_with(b"-ip") => plausible_address(value) == Some(value),
        _ if is_number(name) => is_of(value, b"."),
        _ => true,
    }
}

fn is_number(name: &[u8]) -> bool {
    const ENDS: [&[u8]; 5] = [
        b"-port",
        b"-status",
        b"-bytes",
        b"time-taken",
        b"-substatus",
    ];
    ENDS.iter().any(|end| name.ends_with(end))
}

/// Digits and some other bytes.
fn is_of(value: &[u8], others: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| byte.is_ascii_digit() || others.contains(byte))
}
