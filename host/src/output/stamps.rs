//! Times as text, millions of them.

use super::text::rfc3339;

const US_PER_DAY: i64 = 86_400_000_000;

/// Writes times as [`rfc3339`] does. Rows lie close together in time, so the
/// date is made only where it is another than before.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    day: Option<i64>,
    /// `2024-05-01T`.
    date: String,
}

impl Stamps {
    /// Adds a time to a row; false where it has no text (years past 9999).
    pub(super) fn push(&mut self, time_us: i64, row: &mut Vec<u8>) -> bool {
        let day = time_us.div_euclid(US_PER_DAY);
        if self.day != Some(day) {
            let Some(midnight) = rfc3339(day * US_PER_DAY) else {
                return false;
            };
            self.date = midnight.trim_end_matches("00:00:00Z").to_owned();
            self.day = Some(day);
        }
        row.extend_from_slice(self.date.as_bytes());
        let us = time_us.rem_euclid(US_PER_DAY);
        let seconds = us / 1_000_000;
        push_two(seconds / 3600, row);
        row.push(b':');
        push_two(seconds / 60 % 60, row);
        row.push(b':');
        push_two(seconds % 60, row);
        push_fraction(us % 1_000_000, row);
        row.push(b'Z');
        true
    }
}

/// The last two digits of a number.
fn push_two(number: i64, row: &mut Vec<u8>) {
    row.extend([number / 10 % 10, number % 10].map(digit));
}

/// Microseconds as decimals, without the zeros at their end.
fn push_fraction(us: i64, row: &mut Vec<u8>) {
    if us > 0 {
        row.push(b'.');
        let powers = [100_000, 10_000, 1_000, 100, 10, 1];
        let digits = powers.map(|power| digit(us / power % 10));
        let len = digits.iter().rposition(|digit| *digit != b'0');
        row.extend(&digits[..len.map_or(0, |last| last + 1)]);
    }
}

fn digit(number: i64) -> u8 {
    b'0' + (number % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn times_are_written_as_one_by_one(
            times in prop::collection::vec(prop_oneof![
                -62_135_596_800_000_000..253_402_207_200_000_000_i64,
                1_714_521_600_000_000..1_714_694_400_000_000_i64,
                (0..200_000_i64).prop_map(|s| s * 1_000_000),
            ], 1..20),
        ) {
            let mut stamps = Stamps::default();
            for time_us in times {
                let mut row = Vec::new();
                prop_assert!(stamps.push(time_us, &mut row));
                prop_assert_eq!(String::from_utf8(row).ok(), rfc3339(time_us));
            }
        }
    }
}
