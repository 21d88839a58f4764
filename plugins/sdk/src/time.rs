//! Time stamps of logs, as microseconds since 1970-01-01T00:00:00Z.

const US_PER_S: i64 = 1_000_000;
const S_PER_DAY: i64 = 86_400;

/// Reads seconds since 1970 with up to nine decimals, as `1157689312.049`.
/// Decimals after the sixth are dropped.
///
/// ```
/// use vthost_plugin::time::epoch;
/// assert_eq!(epoch(b"1157689312.049"), Some(1_157_689_312_049_000));
/// assert_eq!(epoch(b"12:00"), None);
/// ```
#[inline]
#[must_use]
pub fn epoch(text: &[u8]) -> Option<i64> {
    let dot = memchr::memchr(b'.', text);
    let seconds = number(&text[..dot.unwrap_or(text.len())], 12)?;
    let us = match dot {
        Some(dot) => fraction_us(&text[dot + 1..])?,
        None => 0,
    };
    Some(seconds * US_PER_S + us)
}

/// Reads a date and time of ISO 8601: `2024-05-01T12:00:00.123+09:00`. The `T`
/// may be a blank, the fraction may be missing (or follow a comma), the zone
/// may be `Z`, `+09:00`, `+0900`, `+09` or missing: then `utc_offset_minutes`
/// stands for it.
///
/// ```
/// use vthost_plugin::time::iso8601;
/// assert_eq!(iso8601(b"1970-01-01T09:00:01+09:00", 0), Some(1_000_000));
/// assert_eq!(iso8601(b"1970-01-01 00:00:01.5", 0), Some(1_500_000));
/// ```
#[must_use]
pub fn iso8601(text: &[u8], utc_offset_minutes: i16) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
        return None;
    };
    let rest = rest
        .strip_prefix(b"T")
        .or_else(|| rest.strip_prefix(b" "))?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let &[h1, h2, b':', n1, n2, b':', s1, s2] = clock else {
        return None;
    };
    let days = days(
        number(&[y1, y2, y3, y4], 4)?,
        number(&[m1, m2], 2)?,
        number(&[d1, d2], 2)?,
    )?;
    let (hour, minute, second) = (
        number(&[h1, h2], 2)?,
        number(&[n1, n2], 2)?,
        number(&[s1, s2], 2)?,
    );
    // 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = split_fraction(rest);
    let offset_minutes = zone_minutes(zone, utc_offset_minutes)?;
    let seconds = days * S_PER_DAY + hour * 3600 + (minute - offset_minutes) * 60 + second;
    Some(seconds * US_PER_S + fraction_us(fraction)?)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, if there is such
/// a day (Howard Hinnant, "chrono-compatible low-level date algorithms").
#[must_use]
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=in_month).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// A number of 1 to `most` digits.
#[inline]
fn number(digits: &[u8], most: usize) -> Option<i64> {
    if digits.is_empty() || digits.len() > most {
        return None;
    }
    digits.iter().try_fold(0_i64, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i64::from(digit - b'0'))
    })
}

/// Decimals as microseconds; none of them are none.
#[inline]
fn fraction_us(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() {
        return Some(0);
    }
    let kept = &digits[..digits.len().min(6)];
    let missing = 6 - kept.len() as u32;
    number(digits, 9)?;
    Some(number(kept, 6)? * 10_i64.pow(missing))
}

/// `123` and `+09:00` of `.123+09:00`.
fn split_fraction(rest: &[u8]) -> (&[u8], &[u8]) {
    match rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) {
        Some(rest) => {
            let end = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest.split_at(end)
        }
        None => (b"", rest),
    }
}

/// Minutes east of UTC.
fn zone_minutes(zone: &[u8], missing: i16) -> Option<i64> {
    let (sign, digits) = match zone {
        b"" => return Some(i64::from(missing)),
        b"Z" | b"z" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [h1, h2] => (number(&[*h1, *h2], 2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => {
            (number(&[*h1, *h2], 2)?, number(&[*m1, *m2], 2)?)
        }
        _ => return None,
    };
    (hours <= 18 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs() {
        let check = |text: &str, expected| assert_eq!(epoch(text.as_bytes()), expected, "{text}");
        check("0", Some(0));
        check("1157689312.049", Some(1_157_689_312_049_000));
        check("1157689312.049123456", Some(1_157_689_312_049_123));
        check("1157689312.", Some(1_157_689_312_000_000));
        for bad in ["", "-", "x", "1.x", "1.2.3", "-1", "9999999999999"] {
            check(bad, None);
        }
    }

    #[test]
    fn iso_dates() {
        let check =
            |text: &str, expected| assert_eq!(iso8601(text.as_bytes(), 60), expected, "{text}");
        // 2024-02-29T12:00:00Z is 1709208000 (date -u -d 2024-02-29T12:00:00Z +%s).
        let noon = 1_709_208_000_000_000;
        check("2024-02-29T12:00:00Z", Some(noon));
        check("2024-02-29T12:00:00.250Z", Some(noon + 250_000));
        check("2024-02-29 12:00:00,5Z", Some(noon + 500_000));
        check("2024-02-29T21:00:00+09:00", Some(noon));
        check("2024-02-29T21:00:00+0900", Some(noon));
        check("2024-02-29T07:30:00-0430", Some(noon));
        check("2024-02-29T13:00:00", Some(noon));
        for bad in [
            "",
            "2023-02-29T12:00:00Z",
            "2024-13-01T12:00:00Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29",
            "2024-02-29T12:00:00ZZ",
            "2024-02-29T12:00:00+9",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn days_agree_with_known_ones() {
        let check = |date: (i64, i64, i64), expected| {
            assert_eq!(days(date.0, date.1, date.2), expected, "{date:?}");
        };
        check((1970, 1, 1), Some(0));
        check((2000, 3, 1), Some(11_017));
        check((1969, 12, 31), Some(-1));
        check((2100, 2, 29), None);
        check((2024, 4, 31), None);
    }
}
