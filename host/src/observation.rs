//! What one log record says: this client contacted this indicator then, and
//! was allowed or blocked; and where in the logs it says so.

use crate::indicator::Kind;

/// An observation as a parser gave it: bytes out of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation<'a> {
    /// The line within the chunk, from 0.
    pub line: u32,
    /// What the value is.
    pub kind: Kind,
    /// URL, domain or address; never empty.
    pub value: &'a [u8],
    /// The client; empty when the record has none.
    pub client: &'a [u8],
    /// The user; empty when the record has none.
    pub user: &'a [u8],
    /// Microseconds since 1970, when the record has a time.
    pub time_us: Option<i64>,
    /// What the device did.
    pub action: Action,
}

/// What the logging device did with a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Action {
    /// The record does not say.
    #[default]
    Unstated,
    /// Let through.
    Allowed,
    /// Stopped.
    Blocked,
}

impl Action {
    /// `allowed`, `blocked`, or nothing.
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unstated => None,
            Self::Allowed => Some("allowed"),
            Self::Blocked => Some("blocked"),
        }
    }
}

/// An input and a line in it, ordered as they were read. It takes eight bytes:
/// one is kept for each distinct indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition(u64);

/// Lines of one input are numbered in 40 bits (a trillion), inputs in 24.
const LINE_BITS: u32 = 40;
const MAX_LINE: u64 = (1 << LINE_BITS) - 1;

impl LogPosition {
    /// Line `line` (from 0) of input number `input` (from 0).
    #[must_use]
    pub fn new(input: u32, line: u64) -> Self {
        Self(u64::from(input) << LINE_BITS | line.min(MAX_LINE))
    }

    /// The place as a number of the same order.
    #[must_use]
    pub fn as_number(self) -> u64 {
        self.0
    }

    /// The place that [`LogPosition::as_number`] gave as this.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number of the input, from 0.
    #[must_use]
    pub fn input(self) -> usize {
        (self.0 >> LINE_BITS) as usize
    }

    /// The line, from 1 as people count.
    #[must_use]
    pub fn line(self) -> u64 {
        (self.0 & MAX_LINE) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ordered_as_read() {
        let place = LogPosition::new(2, 41);
        assert_eq!((place.input(), place.line()), (2, 42));
        assert!(LogPosition::new(0, 1_000_000) < LogPosition::new(1, 0));
        assert!(LogPosition::new(1, 0) < LogPosition::new(1, 1));
    }
}
