//! Time stamps of logs, as microseconds since 1970-01-01T00:00:00Z.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use crate::block::first_word;
use crate::scan;

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
#[inline(always)]
#[must_use]
pub fn epoch(text: &[u8]) -> Option<i64> {
    let usual = text.try_into().ok().and_then(milliseconds);
    usual.or_else(|| any_epoch(text))
}

fn any_epoch(text: &[u8]) -> Option<i64> {
    let dot = scan::find(text, b'.');
    let seconds = number(&text[..dot.unwrap_or(text.len())], 12)?;
    let us = match dot {
        Some(dot) => fraction_us(&text[dot + 1..])?,
        None => 0,
    };
    Some(seconds * US_PER_S + us)
}

/// The most frequent form: `1157689312.049`.
#[inline(always)]
fn milliseconds(text: &[u8; 14]) -> Option<i64> {
    let (high, _) = text.split_first_chunk()?;
    let (_, low) = text.split_last_chunk()?;
    let high = scan::eight_digits(u64::from_le_bytes(*high))?;
    // `9312.049`, which begins with the last two of the first eight digits.
    let low = u64::from_le_bytes(*low);
    if (low >> 32) as u8 != b'.' {
        return None;
    }
    let digits = u64::from(b'0') | (low & 0xffff_ffff) << 8 | low >> 40 << 40;
    let low = scan::eight_digits(digits)?;
    Some((i64::from(high / 100) * 10_000_000 + i64::from(low)) * 1_000)
}

/// Reads a date and time of ISO 8601: `2024-05-01T12:00:00.123+09:00`. The `T`
/// may be a blank, the fraction may be missing (or follow a comma), the zone
/// may be `Z`, `+09:00`, `+0900`, `+09` or missing: then `utc_offset_minutes`
/// is used.
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
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let days = days(year, pair(m1, m2)?, pair(d1, d2)?)?;
    let seconds_of_day = seconds_of_day(pair(h1, h2)?, pair(n1, n2)?, pair(s1, s2)?)?;
    let (fraction, zone) = split_fraction(rest);
    let offset_minutes = zone_minutes(zone, utc_offset_minutes)?;
    let seconds = days * S_PER_DAY + seconds_of_day - offset_minutes * 60;
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

/// Seconds since midnight, if there is such a time of day; 60 is a leap second.
#[inline]
fn seconds_of_day(hour: i64, minute: i64, second: i64) -> Option<i64> {
    let exists = hour <= 23 && minute <= 59 && second <= 60;
    exists.then_some(hour * 3600 + minute * 60 + second)
}

/// The number of two digits.
#[inline]
fn pair(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then_some(i64::from(tens) * 10 + i64::from(ones))
}

/// A number of 1 to `most` digits.
#[inline]
fn number(digits: &[u8], most: usize) -> Option<i64> {
    if digits.is_empty() || digits.len() > most {
        return None;
    }
    i64::try_from(scan::number(digits)?).ok()
}

/// The microseconds of the last digit of this many decimals.
const US_OF_DECIMAL: [i64; 7] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// Decimals as microseconds; zero for an empty text.
#[inline]
fn fraction_us(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() {
        return Some(0);
    }
    let kept = &digits[..digits.len().min(6)];
    if digits.len() > kept.len() {
        number(digits, 9)?;
    }
    Some(number(kept, 6)? * US_OF_DECIMAL[kept.len()])
}

/// `123` and `+09:00` of `.123+09:00`.
fn split_fraction(rest: &[u8]) -> (&[u8], &[u8]) {
    match rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) {
        Some(rest) => rest.split_at(count(rest, [b'0'..=b'9'])),
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
        [h1, h2] => (pair(*h1, *h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (pair(*h1, *h2)?, pair(*m1, *m2)?),
        _ => return None,
    };
    (hours <= 18 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Parses the time stamps of one input, with the zone of stamps without a zone, the reference for
/// stamps without a year, and the order of day and month, if the input shows it.
#[derive(Debug, Clone, Copy)]
pub struct Stamps {
    utc_offset_minutes: i16,
    reference_time_us: i64,
    order: Option<DateOrder>,
}

/// The order of day and month in a date that does not start with the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// `05/30/2024`.
    MonthFirst,
    /// `30/05/2024`.
    DayFirst,
}

impl DateOrder {
    /// The order that the dates in some lines show. Only the first date of a line is examined,
    /// because values from clients follow the time.
    ///
    /// Most of the dates with a number above 12 decide. If there are none, the number with more
    /// distinct values is the day.
    fn of<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let (mut days_first, mut months_first) = (0_u32, 0_u32);
        // A bit for each value of the first and of the second number.
        let (mut firsts, mut seconds) = (0_u32, 0_u32);
        for (first, second, separator) in lines.filter_map(numeric_date) {
            match () {
                () if first > 12 || separator == b'.' => days_first += 1,
                () if second > 12 => months_first += 1,
                () => {}
            }
            firsts |= 1 << first;
            seconds |= 1 << second;
        }
        let shown = days_first.cmp(&months_first);
        match shown.then(firsts.count_ones().cmp(&seconds.count_ones())) {
            Ordering::Greater => Some(Self::DayFirst),
            Ordering::Less => Some(Self::MonthFirst),
            Ordering::Equal => None,
        }
    }
}

/// The first two numbers of the first date in a line with the year at its end, and what
/// separates them: `13/05/2024`, `13.05.2024`, `5-13-2024`, `5/13/24`.
fn numeric_date(line: &[u8]) -> Option<(u32, u32, u8)> {
    let mut at = 0;
    while let Some(found) = scan::find_any(&line[at..], b"/.-") {
        at += found + 1;
        if let Some(date) = date_at(line, at - 1) {
            return Some(date);
        }
    }
    None
}

/// The date whose first separator is at `at`. It is no part of a path or of an address.
fn date_at(line: &[u8], at: usize) -> Option<(u32, u32, u8)> {
    let separator = line[at];
    let before = &line[..at];
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let (rest, first) = before.split_at(at - digits.take(3).count());
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-');
    if rest.last().is_some_and(is_inside) {
        return None;
    }
    let (second, rest) = leading_digits(&line[at + 1..]);
    let (year, rest) = leading_digits(rest.strip_prefix(&[separator])?);
    let is_year = match year {
        [b'1', b'9', _, _] | [b'2', b'0', _, _] => !matches!(rest, [b'/', ..] | [b'.', _, ..]),
        [_, _] => separator == b'/' && matches!(rest, [b' ' | b',', ..]),
        _ => false,
    };
    let value = |digits| number(digits, 2).and_then(|value| u32::try_from(value).ok());
    let (first, second) = (value(first)?, value(second)?);
    let is_date = (1..=31).contains(&first.max(second)) && (1..=12).contains(&first.min(second));
    (is_year && is_date).then_some((first, second, separator))
}

fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(count(text, [b'0'..=b'9']))
}

impl Stamps {
    /// The reader for an input.
    #[must_use]
    pub fn of(input: &crate::parser::Input) -> Self {
        Self {
            utc_offset_minutes: input.utc_offset_minutes,
            reference_time_us: input.reference_time_us,
            order: DateOrder::of(input.lines()),
        }
    }

    /// [`iso8601`] in this input's zone.
    #[must_use]
    pub fn iso8601(self, text: &[u8]) -> Option<i64> {
        iso8601(text, self.utc_offset_minutes)
    }

    /// Parses a date with a time in many forms, each part at most once:
    /// `2024-05-01T12:00:00.5Z`, `2024/05/01 12:00:00`, `Wed May  1 12:00:00
    /// 2024`, `01/May/2024:12:00:00 +0900`, `May 01 2024 12:00:00 UTC`,
    /// `2024:05:01-12:00:00`, `May  1 12:00:00` (the latest such time that the
    /// input can hold), and seconds, milli-, micro- or nanoseconds since 1970. `order` is for
    /// dates such as `05/01/2024`, unless other dates of the input show theirs.
    #[must_use]
    pub fn any(self, text: &[u8], order: DateOrder) -> Option<i64> {
        let text = text.trim_ascii();
        iso8601(text, self.utc_offset_minutes)
            .or_else(|| since_epoch(text))
            .or_else(|| self.usual(text))
            .or_else(|| self.tokens(text, order))
    }

    /// The most frequent forms, by fixed positions: `May 01 2024 12:00:00`, `01/May/2024:12:00:00` and
    /// `2024/05/01 12:00:00`, with or without a fraction and a zone. [`Stamps::tokens`] parses them
    /// too, but slower.
    fn usual(self, text: &[u8]) -> Option<i64> {
        let (year, month, day, rest) = match text {
            &[
                a,
                b,
                c,
                b' ',
                d1,
                d2,
                b' ',
                y1,
                y2,
                y3,
                y4,
                b' ',
                ref rest @ ..,
            ]
            | &[
                d1,
                d2,
                b'/' | b'-',
                a,
                b,
                c,
                b'/' | b'-',
                y1,
                y2,
                y3,
                y4,
                b':' | b' ',
                ref rest @ ..,
            ] => ([y1, y2, y3, y4], month(&[a, b, c])?, [d1, d2], rest),
            &[
                y1,
                y2,
                y3,
                y4,
                b'/',
                m1,
                m2,
                b'/',
                d1,
                d2,
                b' ',
                ref rest @ ..,
            ] => ([y1, y2, y3, y4], pair(m1, m2)?, [d1, d2], rest),
            _ => return None,
        };
        let &[h1, h2, b':', n1, n2, b':', s1, s2, ref rest @ ..] = rest else {
            return None;
        };
        let seconds_of_day = seconds_of_day(pair(h1, h2)?, pair(n1, n2)?, pair(s1, s2)?)?;
        let (fraction, zone) = split_fraction(rest);
        let zone = zone.trim_ascii_start();
        let offset_minutes =
            zone_minutes(zone, self.utc_offset_minutes).or_else(|| zone_name(zone))?;
        let year = pair(year[0], year[1])? * 100 + pair(year[2], year[3])?;
        let days = days(year, month, pair(day[0], day[1])?)?;
        let seconds = days * S_PER_DAY + seconds_of_day - offset_minutes * 60;
        Some(seconds * US_PER_S + fraction_us(fraction)?)
    }

    /// A date, a time and an optional zone in separate fields. For an ambiguous zone (`IST`, `BST`), the
    /// zone of the input is used.
    #[must_use]
    pub fn of_fields(self, date: &[u8], time: &[u8], zone: &[u8], order: DateOrder) -> Option<i64> {
        if date.is_empty() || time.is_empty() {
            return None;
        }
        let mut text = [b' '; 64];
        let zone_start = date.len() + 1 + time.len();
        let end = zone_start + zone.len();
        text.get_mut(..date.len())?.copy_from_slice(date);
        text.get_mut(date.len() + 1..zone_start)?
            .copy_from_slice(time);
        text.get_mut(zone_start..end)?.copy_from_slice(zone);
        let zoned = self.any(&text[..end], order);
        match zone {
            b"" => zoned,
            _ => zoned.or_else(|| self.any(&text[..zone_start], order)),
        }
    }

    /// Whether a text that starts with a letter may be a time for [`Self::any`]: a month, a weekday or
    /// a zone is first.
    pub(crate) fn may_begin(text: &[u8]) -> bool {
        let word = &text[..count(text, [b'a'..=b'z', b'A'..=b'Z'])];
        Parts::default().take_word(word).is_some()
    }

    /// `May  1 12:00:00`, the usual start of syslog: the time and its length.
    pub(crate) fn rfc3164(self, text: &[u8]) -> Option<(i64, usize)> {
        let (name, rest) = text.split_at_checked(3)?;
        let month = month(name)?;
        let (day, rest) = match rest {
            [b' ', b' ', day, b' ', rest @ ..] | [b' ', day, b' ', rest @ ..] => {
                (pair(b'0', *day)?, rest)
            }
            [b' ', tens, ones, b' ', rest @ ..] => (pair(*tens, *ones)?, rest),
            _ => return None,
        };
        let &[h1, h2, b':', n1, n2, b':', s1, s2, ..] = rest else {
            return None;
        };
        let seconds_of_day = seconds_of_day(pair(h1, h2)?, pair(n1, n2)?, pair(s1, s2)?)?;
        let offset = i64::from(self.utc_offset_minutes) * 60;
        let time_us = self.latest(|year| {
            let seconds = days(year, month, day)? * S_PER_DAY + seconds_of_day - offset;
            Some(seconds * US_PER_S)
        })?;
        Some((time_us, text.len() - rest.len() + 8))
    }

    fn tokens(self, text: &[u8], order: DateOrder) -> Option<i64> {
        let mut parts = Parts::default();
        let mut rest = text;
        while !rest.is_empty() {
            rest = parts.take(rest)?;
        }
        let (month, day) = match (parts.month, parts.numbers) {
            (Some(month), [Some(day), None]) => (month, day),
            (None, [Some(first), Some(second)]) => match self.order_of(&parts, order) {
                DateOrder::MonthFirst if first <= 12 => (first, second),
                DateOrder::DayFirst if second <= 12 => (second, first),
                DateOrder::MonthFirst => (second, first),
                DateOrder::DayFirst => (first, second),
            },
            _ => return None,
        };
        let seconds_of_day = parts.seconds_of_day?;
        let offset = parts
            .offset_minutes
            .unwrap_or(i64::from(self.utc_offset_minutes));
        let at = |year| {
            let seconds = days(year, month, day)? * S_PER_DAY + seconds_of_day - offset * 60;
            Some(seconds * US_PER_S + parts.fraction_us)
        };
        match parts.year {
            Some(year) => at(year),
            None => self.latest(at),
        }
    }

    /// The order of the numbers of a date: the input's if the date is like those that show it.
    fn order_of(self, parts: &Parts, default: DateOrder) -> DateOrder {
        match parts.year {
            Some(_) => self.order.unwrap_or(default),
            None => default,
        }
    }

    /// A time without a year: the latest that is at most a day after the reference, which allows for
    /// zones and wrong clocks.
    fn latest(self, at: impl Fn(i64) -> Option<i64>) -> Option<i64> {
        let limit = self.reference_time_us + US_PER_S * S_PER_DAY;
        // Because of leap days this may be too late at the end of a year, but never too early.
        let year = 1970 + limit.div_euclid(US_PER_S * S_PER_DAY * 365);
        // Nine years always contain a 29 February.
        (0..=9)
            .filter_map(|back| at(year - back))
            .find(|time| *time <= limit)
    }
}

/// Seconds since 1970 with or without decimals, or milli-, micro- or nanoseconds, depending on the
/// number of digits.
fn since_epoch(text: &[u8]) -> Option<i64> {
    match count(text, [b'0'..=b'9']) {
        9 | 10 => epoch(text),
        13 => Some(number(text.get(..13)?, 13)? * 1_000),
        16 if text.len() == 16 => number(text, 16),
        19 if text.len() == 19 => Some(number(text, 19)? / 1_000),
        _ => None,
    }
}

/// The parts of a date that were found so far.
#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    /// Day, or day and month.
    numbers: [Option<i64>; 2],
    seconds_of_day: Option<i64>,
    fraction_us: i64,
    offset_minutes: Option<i64>,
}

impl Parts {
    /// Removes the next part from the text; none if it is not part of a date.
    fn take<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let first = *text.first()?;
        if self.seconds_of_day.is_some() && matches!(first, b'+' | b'-') {
            let end = 1 + count(&text[1..], [b'0'..=b'9', b':'..=b':']);
            self.offset_minutes = Some(zone_minutes(&text[..end], 0)?);
            return Some(&text[end..]);
        }
        if first.is_ascii_digit() {
            return self.take_number(text);
        }
        if first.is_ascii_alphabetic() {
            let (word, rest) = text.split_at(count(text, [b'a'..=b'z', b'A'..=b'Z']));
            self.take_word(word)?;
            return Some(rest);
        }
        matches!(first, b' ' | b',' | b'/' | b'-' | b':' | b'.' | b'[' | b']').then(|| &text[1..])
    }

    fn take_word(&mut self, word: &[u8]) -> Option<()> {
        if self.month.is_none()
            && let Some(month) = month(word)
        {
            self.month = Some(month);
            return Some(());
        }
        if let Some(offset) = zone_name(word) {
            self.offset_minutes = Some(offset);
            return Some(());
        }
        match () {
            () if self.seconds_of_day.is_some() && is_ambiguous_zone(word) => {}
            () if is_weekday(word) || word == b"T" => {}
            () if word.eq_ignore_ascii_case(b"PM") => {
                self.seconds_of_day = afternoon(self.seconds_of_day?, 12)
            }
            () if word.eq_ignore_ascii_case(b"AM") => {
                self.seconds_of_day = afternoon(self.seconds_of_day?, 0)
            }
            () => return None,
        }
        Some(())
    }

    fn take_number<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let (digits, rest) = text.split_at(count(text, [b'0'..=b'9']));
        let value = number(digits, 4)?;
        let is_date_known = match self.numbers {
            [Some(_), second] => second.is_some() || self.month.is_some(),
            [None, _] => false,
        };
        let is_clock = is_date_known && digits.len() <= 2 && rest.first() == Some(&b':');
        if self.seconds_of_day.is_none() && is_clock {
            return self.take_clock(value, &rest[1..]);
        }
        match digits.len() {
            4 if self.year.is_none() => self.year = Some(value),
            1 | 2 if !is_date_known => match &mut self.numbers {
                [first @ None, _] => *first = Some(value),
                [_, second] => *second = Some(value),
            },
            // A year of two digits: 2000 to 2099.
            2 if self.year.is_none() && self.seconds_of_day.is_none() => {
                self.year = Some(2000 + value);
            }
            _ => return None,
        }
        Some(rest)
    }

    /// `00:00.123` of `12:00:00.123`; the seconds may be missing.
    fn take_clock<'a>(&mut self, hour: i64, rest: &'a [u8]) -> Option<&'a [u8]> {
        let (minute, rest) = two_digits(rest)?;
        let (second, rest) = match rest.strip_prefix(b":") {
            Some(rest) => two_digits(rest)?,
            None => (0, rest),
        };
        self.seconds_of_day = Some(seconds_of_day(hour, minute, second)?);
        let (fraction, rest) = split_fraction(rest);
        self.fraction_us = fraction_us(fraction)?;
        Some(rest)
    }
}

/// The number of leading bytes in one of the ranges.
#[inline]
fn count<const N: usize>(text: &[u8], ranges: [RangeInclusive<u8>; N]) -> usize {
    scan::find_other(text, ranges).unwrap_or(text.len())
}

fn two_digits(text: &[u8]) -> Option<(i64, &[u8])> {
    match text {
        [tens, ones, rest @ ..] => Some((pair(*tens, *ones)?, rest)),
        _ => None,
    }
}

/// Adds twelve hours for `PM`, except to 12 o'clock; with `AM`, 12 o'clock is 0.
fn afternoon(seconds: i64, hours_more: i64) -> Option<i64> {
    (seconds / 3600 <= 12).then_some(seconds % (12 * 3600) + hours_more * 3600)
}

/// `Jan` or `January`, in any case.
fn month(word: &[u8]) -> Option<i64> {
    let (start, rest) = word.split_at_checked(3)?;
    let &[first, second, third] = start else {
        return None;
    };
    let start = [first | 0x20, second | 0x20, third | 0x20];
    let (month, rest_of_name): (i64, &[u8]) = match &start {
        b"jan" => (1, b"uary"),
        b"feb" => (2, b"ruary"),
        b"mar" => (3, b"ch"),
        b"apr" => (4, b"il"),
        b"may" => (5, b""),
        b"jun" => (6, b"e"),
        b"jul" => (7, b"y"),
        b"aug" => (8, b"ust"),
        b"sep" => (9, b"tember"),
        b"oct" => (10, b"ober"),
        b"nov" => (11, b"ember"),
        b"dec" => (12, b"ember"),
        _ => return None,
    };
    (rest.is_empty() || rest.eq_ignore_ascii_case(rest_of_name)).then_some(month)
}

/// Whether a word starts like a day of the week, in upper or lower case.
fn is_weekday(word: &[u8]) -> bool {
    let start = word
        .first_chunk()
        .map(|start: &[u8; 3]| start.map(|byte| byte | 0x20));
    matches!(
        start.as_ref(),
        Some(b"mon" | b"tue" | b"wed" | b"thu" | b"fri" | b"sat" | b"sun")
    )
}

/// Minutes east of UTC of the zone names in logs that are unambiguous.
fn zone_name(word: &[u8]) -> Option<i64> {
    Some(match &capitals(word)? {
        b"Z\0\0\0" | b"UTC\0" | b"GMT\0" | b"WET\0" => 0,
        b"CET\0" | b"WEST" => 60,
        b"CEST" | b"EET\0" => 120,
        b"EEST" | b"MSK\0" => 180,
        b"HKT\0" | b"SGT\0" => 480,
        b"JST\0" | b"KST\0" => 540,
        b"AEST" => 600,
        b"AEDT" => 660,
        b"NZST" => 720,
        b"NZDT" => 780,
        b"EDT\0" => -240,
        b"EST\0" | b"CDT\0" => -300,
        b"MDT\0" => -360,
        b"MST\0" | b"PDT\0" => -420,
        b"PST\0" | b"AKDT" => -480,
        b"AKST" => -540,
        _ => return None,
    })
}

/// At most four letters in upper case, followed by zeros.
#[inline]
fn capitals(word: &[u8]) -> Option<[u8; 4]> {
    let word = (word.len() <= 4).then(|| first_word(word))?;
    Some((word as u32 & !0x2020_2020).to_le_bytes())
}

/// Whether a word of letters belongs to the time before it: a zone, `AM`, `PM`.
pub(crate) fn is_behind_clock(word: &[u8]) -> bool {
    zone_name(word).is_some()
        || is_ambiguous_zone(word)
        || [&b"AM"[..], b"PM"]
            .iter()
            .any(|half| half.eq_ignore_ascii_case(word))
}

/// Ambiguous names of zones: the zone of the input is used.
fn is_ambiguous_zone(word: &[u8]) -> bool {
    matches!(
        word,
        [b'A' | b'B' | b'C' | b'G' | b'I' | b'S', b'S', b'T'] | b"ADT"
    )
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
    fn usual_epochs_are_what_any_epoch_is() {
        for place in 0..14 {
            for byte in *b"/09:. x\xff" {
                let mut text = *b"1157689312.049";
                text[place] = byte;
                assert_eq!(epoch(&text), any_epoch(&text), "{byte} at {place}");
            }
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

    #[test]
    fn the_usual_forms_are_read_as_all_others() {
        let stamps = Stamps {
            utc_offset_minutes: 60,
            reference_time_us: 0,
            order: None,
        };
        let dates = "May 01 2024 |MAY 31 2024 |01/May/2024:|29-feb-2023 |2024/05/01 |2024/13/01 ";
        let clocks = "12:00:00|23:59:60|24:00:00|12:0x:00|12:00:00.25|12:00:00,123456|12:00:00.";
        let zones = "| +0900|-04:30| Z| UTC| CEST| IST| +9| x";
        let mut read = 0;
        for date in dates.split('|') {
            for clock in clocks.split('|') {
                for zone in zones.split('|') {
                    let text = format!("{date}{clock}{zone}");
                    let Some(usual) = stamps.usual(text.as_bytes()) else {
                        continue;
                    };
                    let tokens = stamps.tokens(text.as_bytes(), DateOrder::MonthFirst);
                    assert_eq!(tokens, Some(usual), "{text}");
                    read += 1;
                }
            }
        }
        // Four days, five times of day, six zones.
        assert_eq!(read, 4 * 5 * 6);
    }

    #[test]
    fn the_dates_of_an_input_show_the_order_of_day_and_month() {
        use DateOrder::{DayFirst, MonthFirst};
        let check = |lines: &[&str], expected| {
            let lines = lines.iter().map(|line| line.as_bytes());
            assert_eq!(DateOrder::of(lines.clone()), expected, "{:?}", lines.len());
        };
        check(
            &["01/05/2024 12:00:00", "13/05/2024 12:00:00"],
            Some(DayFirst),
        );
        check(
            &["05/01/2024 12:00:00", "05/13/2024 12:00:00"],
            Some(MonthFirst),
        );
        check(&["date=13-05-2024 time=12:00:00"], Some(DayFirst));
        check(&["5/13/24 12:00 PM"], Some(MonthFirst));
        check(&["[01.05.2024 12:00:00]"], Some(DayFirst));
        // Two days of one month rather than one day of two months.
        check(
            &["01/05/2024 23:59:00", "02/05/2024 00:00:00"],
            Some(DayFirst),
        );
        check(
            &["05/01/2024 23:59:00", "05/02/2024 00:00:00"],
            Some(MonthFirst),
        );
        // What was asked for follows the time.
        check(&["01/05/2024 12:00:00 /?from=05/13/2024"], None);
        for none in [
            "",
            "01/05/2024 12:00:00",
            "2024-05-13 12:00:00",
            "13/May/2024:12:00:00",
            "http://www.example.com/13/05/2024/a",
            "10.13.1.2024 1.2.2024.5",
            "30/30/2024",
            "05/13-12:00:00",
        ] {
            check(&[none], None);
        }
    }

    #[test]
    fn the_order_of_an_input_is_that_of_its_dates_with_a_year() {
        let stamps = Stamps {
            utc_offset_minutes: 0,
            reference_time_us: 1_714_568_400_000_000,
            order: Some(DateOrder::DayFirst),
        };
        // 2024-05-01T12:00:00Z.
        for same in [
            "01/05/2024 12:00:00",
            "05/01-12:00:00",
            "05/13/2023 12:00:00",
        ] {
            let read = stamps.any(same.as_bytes(), DateOrder::MonthFirst);
            let days = (1_714_564_800_000_000 - read.unwrap()) / 86_400_000_000;
            // 2024-05-01 is 354 days after 2023-05-13 in a leap year.
            assert_eq!(days, if same.contains("2023") { 354 } else { 0 }, "{same}");
        }
    }

    #[test]
    fn stamps_of_many_kinds() {
        // 2024-05-01T12:00:00Z (date -u -d 2024-05-01T12:00:00Z +%s).
        const NOON: i64 = 1_714_564_800_000_000;
        let stamps = Stamps {
            utc_offset_minutes: 0,
            reference_time_us: NOON + 3_600_000_000,
            order: None,
        };
        let check = |text: &str, expected| {
            let read = stamps.any(text.as_bytes(), DateOrder::MonthFirst);
            assert_eq!(read, expected, "{text}");
        };
        for same in [
            "2024-05-01T12:00:00Z",
            "2024/05/01 12:00:00",
            "2024:05:01-12:00:00",
            "2024 May 1 12:00:00",
            "Wed May  1 12:00:00 2024",
            "Wed, 01 May 2024 12:00:00 GMT",
            "01/May/2024:21:00:00 +0900",
            "[01/May/2024:12:00:00 +0000]",
            "May 01 2024 14:00:00 CEST",
            "May  1 12:00:00",
            "05/01-12:00:00.000000",
            "05/01/2024:12:00:00 GMT",
            "5/1/24 12:00",
            "05/01/2024 12:00:00 PM",
            "1714564800",
            "1714564800000",
            "1714564800000000",
            "1714564800000000000",
        ] {
            check(same, Some(NOON));
        }
        check("May  1 12:00:00.25", Some(NOON + 250_000));
        check("May  1 12:00:00 2024 IST", Some(NOON));
        check("1 MAY 2024 12:00:00", Some(NOON));
        check("Wednesday, May 1 2024 12:00:00", Some(NOON));
        check("13/05/2024 12:00:00", Some(NOON + 12 * 86_400_000_000));
        // A later day of the year was last year's: 2024 has a 29 February.
        check("May  3 12:00:00", Some(NOON - 364 * 86_400_000_000));
        for bad in [
            "",
            "-",
            "12:00:00",
            "May 1",
            "soon",
            "May 1 25:00:00",
            "12345",
            "May 1 12:00:00 x",
        ] {
            check(bad, None);
        }
        let day_first = stamps.any(b"01/05/2024 12:00:00", DateOrder::DayFirst);
        assert_eq!(day_first, Some(NOON));
        let of_zone = |zone: &str| {
            let (date, time) = (b"2024-05-01", b"12:00:00");
            stamps.of_fields(date, time, zone.as_bytes(), DateOrder::MonthFirst)
        };
        assert_eq!(of_zone("+0000"), Some(NOON));
        assert_eq!(of_zone("+01"), Some(NOON - 3_600_000_000));
        assert_eq!(of_zone("mdt"), Some(NOON + 6 * 3_600_000_000));
        // India's, Israel's or Ireland's: then the input's own.
        assert_eq!(of_zone("IST"), Some(NOON));
    }
}
