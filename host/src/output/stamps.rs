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
        let us = time_us.rem_euclid(US_PER_DAY) as u64;
        let seconds = (us / 1_000_000) as u32;
        let [h, m, s] = [seconds / 3600, seconds / 60 % 60, seconds % 60].map(two_digits);
        row.extend_from_slice(&[h[0], h[1], b':', m[0], m[1], b':', s[0], s[1]]);
        push_fraction((us % 1_000_000) as u32, row);
        row.push(b'Z');
        true
    }
}

/// Microseconds as decimals, without the zeros at their end.
fn push_fraction(us: u32, row: &mut Vec<u8>) {
    let decimals = [us / 10_000, us / 100 % 100, us % 100].map(two_digits);
    let decimals = decimals.as_flattened();
    if let Some(last) = decimals.iter().rposition(|digit| *digit != b'0') {
        row.push(b'.');
        row.extend_from_slice(&decimals[..=last]);
    }
}

/// A number below 100.
fn two_digits(number: u32) -> [u8; 2] {
    [number / 10, number % 10].map(|digit| b'0' + digit as u8)
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
