//! Headers of syslog, which relays and collectors put in front of a device's line.
//!
//! Parsers know the header that their device writes. This layer is for lines whose device
//! writes none, or that a relay gave a second one.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::time;

/// How stamps without year or zone are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamps {
    /// Stamps without a year are not later than this, in microseconds since 1970.
    pub reference_time_us: i64,
    /// The zone of stamps that contain none, in minutes east of UTC.
    pub utc_offset_minutes: i16,
}

/// What follows a header, and the header's time.
type Stripped<'a> = (Option<i64>, &'a [u8]);

/// `<30>May  1 12:00:05 gw app[77]: line`, `<30>1 2024-05-01T12:00:05Z gw app 77 - - line` and
/// their relatives.
pub(super) fn any(line: &[u8], stamps: Stamps) -> Option<Stripped<'_>> {
    let (rest, has_priority) = without_priority(line);
    let rfc5424 = rest.strip_prefix(b"1 ").filter(|_| has_priority);
    if let Some(stripped) = rfc5424.and_then(|rest| structured(rest, stamps)) {
        return Some(stripped);
    }
    let Some((time_us, rest)) = stamp(rest, stamps) else {
        return (has_priority && !rest.is_empty()).then_some((None, rest));
    };
    if begins_timed(rest, stamps) {
        return Some((Some(time_us), rest));
    }
    let (host, after) = word(rest)?;
    if !is_host(host) {
        return is_tag(host).then_some((Some(time_us), after));
    }
    if begins_timed(after, stamps) {
        return Some((Some(time_us), after));
    }
    let text = match word(after) {
        Some((tag, text)) if is_tag(tag) => text,
        _ => after,
    };
    (!text.is_empty()).then_some((Some(time_us), text))
}

/// A header of a relay: one before a text with its own header or time.
pub(super) fn relayed(line: &[u8], stamps: Stamps) -> Option<Stripped<'_>> {
    any(line, stamps).filter(|(time_us, rest)| time_us.is_some() && begins_timed(rest, stamps))
}

/// A priority alone: `<134>line`.
pub(super) fn priority(line: &[u8], _stamps: Stamps) -> Option<Stripped<'_>> {
    let (rest, has_priority) = without_priority(line);
    let is_alone = has_priority && !rest.is_empty() && !rest.starts_with(b"1 ");
    is_alone.then_some((None, rest))
}

/// A program's tag alone, as it remains of other headers: `app[77]: line`.
pub(super) fn tag(line: &[u8], _stamps: Stamps) -> Option<Stripped<'_>> {
    let (tag, text) = word(line)?;
    is_tag(tag).then_some((None, text))
}

/// Whether a text begins with a priority or a time.
fn begins_timed(text: &[u8], stamps: Stamps) -> bool {
    without_priority(text).1 || stamp(text, stamps).is_some() || begins_with_clock(text)
}

/// Whether a text begins with a time in another form: `2024/05/01 12:00:00`,
/// `05/01-12:00:00`, `12:00:00.25`, `[1714564800.25]`.
fn begins_with_clock(text: &[u8]) -> bool {
    let is_clock = |bytes: &[u8]| matches!(bytes, [b'0'..=b'2', _, b':', _, _, b':', _, _, ..]);
    let words = &text[..text.len().min(32)];
    let mut words = words.split(|byte| byte.is_ascii_whitespace());
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    let digits = |bytes: &[u8]| {
        bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    match first {
        [b'[', inside @ ..] => digits(inside) == 10,
        [b'0'..=b'9', ..] => {
            let ends = first.len().min(11);
            (0..=ends).any(|at| is_clock(&first[at..])) || second.is_some_and(is_clock)
        }
        _ => false,
    }
}

/// What follows the version of RFC 5424.
fn structured(rest: &[u8], stamps: Stamps) -> Option<Stripped<'_>> {
    let (stamp, rest) = word(rest)?;
    let time_us = time::parse_in(stamp, stamps.utc_offset_minutes);
    if time_us.is_none() && stamp != b"-" {
        return None;
    }
    let (_host, rest) = word(rest)?;
    let (_program, rest) = word(rest)?;
    let (_process, rest) = word(rest)?;
    let (_message_id, rest) = word(rest)?;
    let text = match rest.first()? {
        b'-' => rest.get(1..)?,
        b'[' => after_data(rest)?,
        _ => return None,
    };
    let text = text.strip_prefix(b" ")?;
    Some((time_us, text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)))
}

/// What follows elements of structured data: `[id name="value"][…]`.
fn after_data(mut rest: &[u8]) -> Option<&[u8]> {
    while rest.first() == Some(&b'[') {
        let mut at = 1;
        loop {
            match rest.get(at)? {
                b']' => break,
                b'"' => at = super::json::string_end(rest, at + 1) + 1,
                _ => at += 1,
            }
        }
        rest = rest.get(at + 1..)?;
    }
    Some(rest)
}

/// What follows `<134>`, and whether that was there.
fn without_priority(text: &[u8]) -> (&[u8], bool) {
    let digits = |inside: &[u8]| {
        inside
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    if let Some(inside) = text.strip_prefix(b"<") {
        let len = digits(inside);
        if (1..=3).contains(&len) && inside.get(len) == Some(&b'>') {
            return (&inside[len + 1..], true);
        }
    }
    (text, false)
}

/// The first word, and what follows the blank after it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = memchr::memchr(b' ', text)?;
    (blank > 0).then(|| (&text[..blank], &text[blank + 1..]))
}

/// Whether a word may be a host: a name or an address.
fn is_host(word: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(byte);
    word.iter().all(is_part) && !word.ends_with(b":")
}

/// Whether a word is a program's tag: `app:`, `app[77]:`.
fn is_tag(word: &[u8]) -> bool {
    let Some(tag) = word.strip_suffix(b":") else {
        return false;
    };
    let name = memchr::memchr(b'[', tag).map_or(tag, |bracket| &tag[..bracket]);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._/()@".contains(byte);
    !name.is_empty() && name.iter().all(is_part)
}

/// `May  1 12:00:05`, with a year before or after the clock, or an ISO 8601 time; and what
/// follows the blank after it.
fn stamp(text: &[u8], stamps: Stamps) -> Option<(i64, &[u8])> {
    if let Some((first, rest)) = word(text)
        && first.len() >= 19
    {
        let time_us = time::parse_in(first, stamps.utc_offset_minutes)?;
        return (first.get(10) == Some(&b'T')).then_some((time_us, rest));
    }
    let (month, rest) = word(text)?;
    let month = 1 + MONTHS.iter().position(|name| name.as_slice() == month)?;
    let (day, rest) = word(rest.trim_ascii_start())?;
    let (mut year, mut rest) = (None, rest);
    if let Some((digits, after)) = word(rest)
        && digits.len() == 4
    {
        (year, rest) = (Some(number(digits)?), after);
    }
    let (clock, rest) = word(rest)?;
    let local = Local {
        month: i8::try_from(month).ok()?,
        day: i8::try_from(number(day)?).ok()?,
        clock,
    };
    let time_us = match year {
        Some(year) => local.in_year(year, stamps)?,
        None => local.before_reference(stamps)?,
    };
    Some((time_us, rest))
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

fn number(digits: &[u8]) -> Option<i16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A stamp without its year.
#[derive(Clone, Copy)]
struct Local<'a> {
    month: i8,
    day: i8,
    /// `12:00:05.123`.
    clock: &'a [u8],
}

impl Local<'_> {
    fn in_year(self, year: i16, stamps: Stamps) -> Option<i64> {
        let (whole, fraction) = self.clock.split_at_checked(8)?;
        let [h1, h2, b':', m1, m2, b':', s1, s2] = *whole else {
            return None;
        };
        let two = |tens, ones| i8::try_from(number(&[tens, ones])?).ok();
        let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
        let local = DateTime::new(year, self.month, self.day, hour, minute, second.min(59), 0);
        let offset = Offset::from_seconds(i32::from(stamps.utc_offset_minutes) * 60).ok()?;
        let seconds = offset.to_timestamp(local.ok()?).ok()?.as_second();
        let (fraction, rest) = time::split_fraction(fraction);
        rest.is_empty()
            .then_some(seconds * 1_000_000 + time::micros(fraction))
    }

    /// The last such time that is not after the reference.
    fn before_reference(self, stamps: Stamps) -> Option<i64> {
        let reference = jiff::Timestamp::from_microsecond(stamps.reference_time_us).ok()?;
        let year = Offset::UTC.to_datetime(reference).year();
        // A day of tolerance for clocks and zones; 29 February exists every eight years.
        let latest = stamps.reference_time_us.saturating_add(86_400_000_000);
        let mut times = (year - 8..=year + 1)
            .rev()
            .filter_map(|year| self.in_year(year, stamps));
        times.find(|time_us| *time_us <= latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-05-01T12:00:05Z.
    const TIME_US: i64 = 1_714_564_805_000_000;

    #[test]
    fn headers_are_removed_with_their_tag() {
        let stamps = Stamps {
            reference_time_us: TIME_US + 1,
            utc_offset_minutes: 0,
        };
        let check = |line: &str, expected: Option<(Option<i64>, &str)>| {
            let stripped = any(line.as_bytes(), stamps);
            let stripped = stripped.map(|(time, text)| (time, str::from_utf8(text).unwrap()));
            assert_eq!(stripped, expected, "{line}");
        };
        let timed = Some((Some(TIME_US), "a: b"));
        check("<30>May  1 12:00:05 gw app[77]: a: b", timed);
        check("May  1 12:00:05 2001:db8::1 app: a: b", timed);
        check("May 01 2024 12:00:05 gw app: a: b", timed);
        check("May  1 12:00:05 app: a: b", timed);
        check("<30>1 2024-05-01T12:00:05Z gw app 77 - - a: b", timed);
        check(
            r#"<30>1 2024-05-01T12:00:05Z gw app 77 ID [x@1 a="\"]"][y@2] a: b"#,
            timed,
        );
        check("2024-05-01T14:00:05+02:00 gw app[77]: a: b", timed);
        check(
            "May  1 12:00:05 relay May  1 12:00:04 gw app: a",
            Some((Some(TIME_US), "May  1 12:00:04 gw app: a")),
        );
        check("<134>a: b", Some((None, "a: b")));
        let tagged = tag(b"app[77]: a: b", stamps);
        assert_eq!(tagged, Some((None, b"a: b".as_slice())));
        let relayed = |line: &str| relayed(line.as_bytes(), stamps).is_some();
        assert!(relayed("May  1 12:00:05 relay May  1 12:00:04 gw app: a"));
        assert!(relayed("May  1 12:00:05 gw app: 2024:05:01-12:00:04 a"));
        assert!(relayed("May  1 12:00:05 gw app: [1714564805:0] a"));
        assert!(!relayed("<134>a: b"));
        let alone = priority(b"<134>May  1 12:00:05 gw", stamps);
        assert_eq!(alone, Some((None, b"May  1 12:00:05 gw".as_slice())));
        assert!(!relayed("<134>May  1 12:00:05 gw app: a"));
        assert!(!relayed(
            "May  1 12:00:05 gw app: 10.0.0.5:51000 [01/May/2024:12:00:05] a"
        ));
        check("May  1 12:00:05 gw", None);
        check("1714564805.123 161 10.0.0.5 TCP_MISS/200", None);
        check("May be", None);
        check("", None);
    }

    #[test]
    fn a_year_that_is_missing_is_that_of_the_reference_or_an_earlier_one() {
        let check = |line: &str, reference: &str, expected: &str| {
            let time_us = |text: &str| time::parse(text.as_bytes()).unwrap();
            let stamps = Stamps {
                reference_time_us: time_us(reference),
                utc_offset_minutes: 0,
            };
            let (found, _) = any(line.as_bytes(), stamps).unwrap();
            assert_eq!(found, Some(time_us(expected)), "{line}");
        };
        let december = "Dec 31 23:59:59 gw app: x";
        check(december, "2024-01-02T00:00:00Z", "2023-12-31T23:59:59Z");
        check(december, "2024-12-31T23:00:00Z", "2024-12-31T23:59:59Z");
        check(
            "Feb 29 00:00:00 gw app: x",
            "2026-01-01T00:00:00Z",
            "2024-02-29T00:00:00Z",
        );
    }
}
