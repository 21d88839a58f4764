//! Timestamps as text, for millions of rows.

use super::text::rfc3339;

const US_PER_DAY: i64 = 86_400_000_000;

/// Writes timestamps in the format of [`rfc3339`]. Consecutive rows mostly share a day, so the
/// date is formatted only when it changes.
#[derive(Debug, Default)]
pub(super) struct TimestampWriter {
    day: Option<i64>,
    /// `2024-05-01`.
    date: [u8; 10],
}

impl TimestampWriter {
    /// Appends a timestamp to a row. Returns false, and appends nothing, if the year does not
    /// have four digits.
    pub(super) fn push(&mut self, time_us: i64, row: &mut Vec<u8>) -> bool {
        let day = time_us.div_euclid(US_PER_DAY);
        if self.day != Some(day) {
            let midnight = rfc3339(day * US_PER_DAY).unwrap_or_default();
            let date = midnight.strip_suffix("T00:00:00Z").unwrap_or_default();
            let Ok(date) = date.as_bytes().try_into() else {
                return false;
            };
            self.date = date;
            self.day = Some(day);
        }
        row.extend_from_slice(&self.date);
        let us = time_us.rem_euclid(US_PER_DAY) as u64;
        let seconds = (us / 1_000_000) as u32;
        let [h, hh] = two_digits(seconds / 3600);
        let [m, mm] = two_digits(seconds / 60 % 60);
        let [s, ss] = two_digits(seconds % 60);
        row.extend_from_slice(&[b'T', h, hh, b':', m, mm, b':', s, ss]);
        push_fraction((us % 1_000_000) as u32, row);
        row.push(b'Z');
        true
    }
}

/// Appends microseconds as decimals without trailing zeros. All digits are appended and the
/// zeros removed again: a copy of constant length needs no call.
fn push_fraction(us: u32, row: &mut Vec<u8>) {
    let [a, b] = two_digits(us / 10_000);
    let [c, d] = two_digits(us / 100 % 100);
    let [e, f] = two_digits(us % 100);
    let fraction = [b'.', a, b, c, d, e, f];
    row.extend_from_slice(&fraction);
    let zeros = fraction.iter().rev().take_while(|digit| **digit == b'0');
    let unwanted = match zeros.count() {
        6 => fraction.len(),
        zeros => zeros,
    };
    row.truncate(row.len() - unwanted);
}

/// The digits of a number below 100. Not with `map`, which compiles to a call for each digit.
#[inline]
fn two_digits(number: u32) -> [u8; 2] {
    let digit = |digit: u32| b'0' + digit as u8;
    [digit(number / 10), digit(number % 10)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn timestamps_are_written_like_rfc3339(
            times in prop::collection::vec(prop_oneof![
                -62_135_596_800_000_000..253_402_207_200_000_000_i64,
                1_714_521_600_000_000..1_714_694_400_000_000_i64,
                (0..200_000_i64).prop_map(|s| s * 1_000_000),
            ], 1..20),
        ) {
            let mut timestamps = TimestampWriter::default();
            for time_us in times {
                let mut row = Vec::new();
                prop_assert!(timestamps.push(time_us, &mut row));
                prop_assert_eq!(String::from_utf8(row).ok(), rfc3339(time_us));
            }
        }
    }
}
