//! Observations: a client contacted an indicator, when, and whether that was allowed; and the
//! position of the record in the logs.

use crate::indicator::Kind;

/// An observation as a parser returned it, with bytes of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation<'a> {
    /// The number of the line in the chunk, from 0.
    pub line: u32,
    /// The kind of the value.
    pub kind: Kind,
    /// A URL, domain or address; never empty.
    pub value: &'a [u8],
    /// The client; empty if the record has none.
    pub client: &'a [u8],
    /// The user; empty if the record has none.
    pub user: &'a [u8],
    /// The time in microseconds since 1970, if the record has one.
    pub time_us: Option<i64>,
    /// The action of the device.
    pub action: Action,
}

/// The action of the logging device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Action {
    /// The record has no action.
    #[default]
    Unstated,
    /// Let through.
    Allowed,
    /// Stopped.
    Blocked,
}

impl Action {
    /// `allowed` or `blocked`; none if the record has no action.
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unstated => None,
            Self::Allowed => Some("allowed"),
            Self::Blocked => Some("blocked"),
        }
    }
}

/// An input and a line in it, in the order of the logs. It takes eight bytes, because one is stored
/// for each distinct indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition(u64);

/// A line number takes 40 bits, an input number 24.
const LINE_BITS: u32 = 40;
const MAX_LINE: u64 = (1 << LINE_BITS) - 1;

impl LogPosition {
    /// Line `line` of input `input`, both from 0.
    #[must_use]
    pub fn new(input: u32, line: u64) -> Self {
        Self(u64::from(input) << LINE_BITS | line.min(MAX_LINE))
    }

    /// The position as a number with the same order.
    #[must_use]
    pub fn as_number(self) -> u64 {
        self.0
    }

    /// The position with this [`LogPosition::as_number`].
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number of the input, from 0.
    #[must_use]
    pub fn input(self) -> usize {
        (self.0 >> LINE_BITS) as usize
    }

    /// The number of the line, from 1.
    #[must_use]
    pub fn line(self) -> u64 {
        (self.0 & MAX_LINE) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_in_the_order_of_the_logs() {
        let position = LogPosition::new(2, 41);
        assert_eq!((position.input(), position.line()), (2, 42));
        assert!(LogPosition::new(0, 1_000_000) < LogPosition::new(1, 0));
        assert!(LogPosition::new(1, 0) < LogPosition::new(1, 1));
    }
}
