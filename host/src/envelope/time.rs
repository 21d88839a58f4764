//! The times of envelopes.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::Offset;

use super::json::Raw;

/// Reads an envelope's time, in microseconds since 1970. A time without a zone is in UTC:
/// collectors write it so.
pub(super) fn time_of(raw: Raw<'_>) -> Option<i64> {
    match raw {
        Raw::String(text) | Raw::Scalar(text) => parse(text),
        Raw::Object(_) | Raw::Array(_) => None,
    }
}

/// Reads a time as text: ISO 8601, seconds to nanoseconds since 1970, and the forms of
/// Kibana and Azure.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    iso8601(text, 0)
        .or_else(|| since_epoch(text))
        .or_else(|| by_format(std::str::from_utf8(text).ok()?))
}

/// Reads an ISO 8601 time that may have no zone; then it is this one.
pub(super) fn parse_in(text: &[u8], utc_offset_minutes: i16) -> Option<i64> {
    iso8601(text, i32::from(utc_offset_minutes) * 60)
}

/// `2024-05-01T12:00:00.123456789+02:00`; the `T` may be a blank, the zone may be `Z`,
/// ` UTC`, `+0200` or missing, which is `missing_zone` in seconds.
fn iso8601(text: &[u8], missing_zone: i32) -> Option<i64> {
    let (clock, rest) = text.split_at_checked(19)?;
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T' | b't' | b' ',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = clock
    else {
        return None;
    };
    let (fraction, zone) = split_fraction(rest);
    let local = DateTime::new(
        i16::from(pair(y1, y2)?) * 100 + i16::from(pair(y3, y4)?),
        pair(m1, m2)?,
        pair(d1, d2)?,
        pair(h1, h2)?,
        pair(n1, n2)?,
        pair(s1, s2)?.min(59),
        0,
    );
    let zone = match zone {
        b"" => missing_zone,
        zone => zone_seconds(zone)?,
    };
    let zone = Offset::from_seconds(zone).ok()?;
    let seconds = zone.to_timestamp(local.ok()?).ok()?.as_second();
    Some(seconds * 1_000_000 + micros(fraction))
}

/// `123` and `+09:00` of `.123+09:00`.
pub(super) fn split_fraction(rest: &[u8]) -> (&[u8], &[u8]) {
    match rest {
        [b'.' | b',', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest.split_at(digits)
        }
        _ => (b"", rest),
    }
}

/// Decimals of a second as microseconds.
pub(super) fn micros(digits: &[u8]) -> i64 {
    let six = digits.iter().chain(std::iter::repeat(&b'0')).take(6);
    six.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

fn zone_seconds(zone: &[u8]) -> Option<i32> {
    let zone = zone.trim_ascii_start();
    let (sign, digits) = match zone {
        b"" | b"Z" | b"z" | b"UTC" | b"GMT" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match *digits {
        [h1, h2] => (pair(h1, h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (pair(h1, h2)?, pair(m1, m2)?),
        _ => return None,
    };
    Some(sign * (i32::from(hours) * 60 + i32::from(minutes)) * 60)
}

fn pair(tens: u8, ones: u8) -> Option<i8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| (tens * 10 + ones) as i8)
}

/// Seconds since 1970 with or without decimals; milli-, micro- and nanoseconds by their
/// number of digits.
fn since_epoch(text: &[u8]) -> Option<i64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(digits);
    let (fraction, tail) = split_fraction(rest);
    let number: i64 = std::str::from_utf8(whole).ok()?.parse().ok()?;
    match digits {
        9 | 10 if tail.is_empty() => Some(number * 1_000_000 + micros(fraction)),
        13 => Some(number * 1_000 + micros(fraction) / 1_000),
        16 if rest.is_empty() => Some(number),
        19 if rest.is_empty() => Some(number / 1_000),
        _ => None,
    }
}

/// Times without a zone as people read them.
const FORMATS: [&str; 5] = [
    "%b %d, %Y @ %H:%M:%S%.f",
    "%m/%d/%Y, %I:%M:%S%.f %p",
    "%m/%d/%Y %I:%M:%S%.f %p",
    "%m/%d/%Y, %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
];

fn by_format(text: &str) -> Option<i64> {
    FORMATS.iter().find_map(|format| {
        let local = strtime::parse(format, text).ok()?.to_datetime().ok()?;
        let instant = Offset::UTC.to_timestamp(local).ok()?;
        Some(instant.as_microsecond())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_forms_of_collectors() {
        // date -u -d 2024-05-01T12:00:00Z +%s
        const NOON: i64 = 1_714_564_800_000_000;
        for (text, expected) in [
            ("2024-05-01T12:00:00Z", Some(NOON)),
            ("2024-05-01T12:00:00.123456789Z", Some(NOON + 123_456)),
            ("2024-05-01T14:00:00.5+02:00", Some(NOON + 500_000)),
            ("2024-05-01T14:00:00+0200", Some(NOON)),
            ("2024-05-01 12:00:00.000 UTC", Some(NOON)),
            ("2024-05-01 12:00:00", Some(NOON)),
            ("1714564800", Some(NOON)),
            ("1714564800.25", Some(NOON + 250_000)),
            ("1714564800123", Some(NOON + 123_000)),
            ("1714564800123456", Some(NOON + 123_456)),
            ("1714564800123456789", Some(NOON + 123_456)),
            ("May 1, 2024 @ 12:00:00.250", Some(NOON + 250_000)),
            ("5/1/2024, 12:00:00.000 PM", Some(NOON)),
            ("05/01/2024, 12:00:00.000 AM", Some(NOON - 43_200_000_000)),
            ("2024-13-01T12:00:00Z", None),
            ("10.0.0.1", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }
}
