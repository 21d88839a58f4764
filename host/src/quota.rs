//! The quota's arithmetic: when the next request may go out. Pure.
//!
//! VirusTotal counts requests over *any* minute, over the UTC day and over the
//! UTC month (<https://docs.virustotal.com/docs/consumption-quotas-handled>).
//! A request counts here from the arrival of its answer, because VirusTotal saw it no later.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::clock::UnixMs;
use crate::duration;

/// A number of requests in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least one.
    pub requests: u32,
    /// The window's length; at least a millisecond.
    pub window_ms: i64,
}

/// All limits together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In any window.
    pub rate: Rate,
    /// In a day of UTC.
    pub per_day: u32,
    /// In a month of UTC.
    pub per_month: u32,
}

impl Default for Limits {
    /// The limits of a free account.
    fn default() -> Self {
        Self {
            rate: Rate {
                requests: 4,
                window_ms: 60_000,
            },
            per_day: 500,
            per_month: 15_500,
        }
    }
}

impl Limits {
    /// These, or lower ones where an account is allowed less.
    #[must_use]
    pub fn at_most(self, per_day: Option<u32>, per_month: Option<u32>) -> Self {
        Self {
            per_day: per_day.map_or(self.per_day, |most| self.per_day.min(most)),
            per_month: per_month.map_or(self.per_month, |most| self.per_month.min(most)),
            ..self
        }
    }
}

/// A request that was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// When it was sent.
    pub sent_ms: UnixMs,
    /// When its answer had arrived, or it had failed.
    pub settled_ms: Option<UnixMs>,
}

/// What was used so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// The charges that may still count in the window.
    pub recent: Vec<Charge>,
    /// Charges since 00:00 UTC.
    pub today: u32,
    /// Charges since 00:00 UTC on the first of the month.
    pub this_month: u32,
}

/// When the next request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Now.
    Now,
    /// Not before.
    At(UnixMs),
    /// Not before the next day.
    DaySpent {
        /// 00:00 UTC.
        resumes_ms: UnixMs,
    },
    /// Not before the next month.
    MonthSpent {
        /// 00:00 UTC on the first.
        resumes_ms: UnixMs,
    },
}

/// A request without an answer counts as if it arrived now, for this long. Its process may have been
/// killed, and a sent request arrives within this time or not at all.
pub const IN_FLIGHT_MS: i64 = 5_000;

impl Charge {
    /// When the request counts. A stamp from the future (the clock was set
    /// back) counts as now.
    fn effective_ms(&self, now: UnixMs) -> UnixMs {
        self.settled_ms
            .unwrap_or(self.sent_ms.saturating_add(IN_FLIGHT_MS))
            .min(now)
    }
}

/// When the next request may go out.
#[must_use]
pub fn next_slot(usage: &Usage, now: UnixMs, limits: &Limits) -> Slot {
    if usage.this_month >= limits.per_month {
        return Slot::MonthSpent {
            resumes_ms: next_month(now),
        };
    }
    if usage.today >= limits.per_day {
        return Slot::DaySpent {
            resumes_ms: next_day(now),
        };
    }
    next_free_slot(usage, now, limits)
}

/// When the next request may go out that is free of charge: it counts in the
/// window, and neither in the day nor in the month.
#[must_use]
pub fn next_free_slot(usage: &Usage, now: UnixMs, limits: &Limits) -> Slot {
    let mut times: Vec<UnixMs> = usage
        .recent
        .iter()
        .map(|charge| charge.effective_ms(now))
        .collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    let place = limits.rate.requests.max(1) as usize - 1;
    match times.get(place) {
        // Both ends of a window count: one millisecond more.
        Some(oldest) if now - oldest <= limits.rate.window_ms => {
            Slot::At(oldest + limits.rate.window_ms + 1)
        }
        _ => Slot::Now,
    }
}

/// When `requests` more will have gone out, at the earliest the quota allows.
#[must_use]
pub fn finish_ms(requests: u64, usage: &Usage, now: UnixMs, limits: &Limits) -> UnixMs {
    let mut remaining = requests;
    let mut from = now;
    let mut today = u64::from(limits.per_day.saturating_sub(usage.today));
    // With a limit of zero the loop would not end.
    let per_day = u64::from(limits.per_day.max(1));
    while remaining > today {
        remaining -= today;
        from = next_day(from);
        today = per_day;
    }
    let windows = remaining.saturating_sub(1) / u64::from(limits.rate.requests.max(1));
    let windows = i64::try_from(windows).unwrap_or(i64::MAX);
    from.saturating_add(windows.saturating_mul(limits.rate.window_ms))
}

/// 00:00 UTC of the day after.
#[must_use]
pub fn next_day(now: UnixMs) -> UnixMs {
    midnight(date(now).tomorrow())
}

/// 00:00 UTC of this day.
#[must_use]
pub fn this_day(now: UnixMs) -> UnixMs {
    midnight(Ok(date(now)))
}

/// 00:00 UTC of the first of this month.
#[must_use]
pub fn this_month(now: UnixMs) -> UnixMs {
    midnight(Ok(date(now).first_of_month()))
}

/// 00:00 UTC of the first of the month after.
#[must_use]
pub fn next_month(now: UnixMs) -> UnixMs {
    midnight(date(now).last_of_month().tomorrow())
}

/// A day of UTC as VirusTotal names it: `YYYYMMDD`.
#[must_use]
pub fn day_name(now: UnixMs) -> String {
    date(now).strftime("%Y%m%d").to_string()
}

fn date(now: UnixMs) -> Date {
    let now = Timestamp::from_millisecond(now).unwrap_or_default();
    Offset::UTC.to_datetime(now).date()
}

/// `UnixMs::MAX` at the end of the calendar.
fn midnight(date: Result<Date, jiff::Error>) -> UnixMs {
    date.and_then(|date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)))
        .map_or(UnixMs::MAX, |midnight| midnight.as_millisecond())
}

/// A text that is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rate; write requests per time, such as 4/min, 4/2s or 240/h")]
pub struct InvalidRate(String);

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let bad = || InvalidRate(text.to_owned());
        let (requests, window) = text.split_once('/').ok_or_else(bad)?;
        let requests: u32 = requests.trim().parse().map_err(|_| bad())?;
        let window_ms = duration::parse_ms(window.trim()).ok_or_else(bad)?;
        if requests == 0 || window_ms <= 0 {
            return Err(bad());
        }
        Ok(Self {
            requests,
            window_ms,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.window_ms {
            1_000 => return write!(f, "{}/s", self.requests),
            60_000 => return write!(f, "{}/min", self.requests),
            3_600_000 => return write!(f, "{}/h", self.requests),
            ms if ms % 1000 == 0 => (ms / 1000, "s"),
            ms => (ms, "ms"),
        };
        write!(f, "{}/{number}{unit}", self.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(text: &str) -> UnixMs {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn rates_are_parsed() {
        let check = |text: &str, requests, window_ms| {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(
                (rate.requests, rate.window_ms),
                (requests, window_ms),
                "{text}"
            );
        };
        check("4/min", 4, 60_000);
        check("4/2s", 4, 2_000);
        check("1/15s", 1, 15_000);
        check("240/h", 240, 3_600_000);
        check("4 / minute", 4, 60_000);
        check("10/250ms", 10, 250);
        for bad in [
            "4",
            "0/min",
            "4/0s",
            "/min",
            "-1/min",
            "4/fortnight",
            "4/min/h",
        ] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn formatted_rates_parse_to_the_same_value() {
        for text in ["4/min", "4/2s", "240/h", "10/250ms", "1000/s"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn days_and_months_end_at_midnight_utc() {
        let now = ms("2024-02-29T23:59:59.5Z");
        assert_eq!(next_day(now), ms("2024-03-01T00:00:00Z"));
        assert_eq!(next_month(now), ms("2024-03-01T00:00:00Z"));
        assert_eq!(day_name(now), "20240229");
        assert_eq!(this_day(now), ms("2024-02-29T00:00:00Z"));
        assert_eq!(this_month(now), ms("2024-02-01T00:00:00Z"));
        assert_eq!(
            next_month(ms("2024-12-31T00:00:00Z")),
            ms("2025-01-01T00:00:00Z")
        );
    }

    #[test]
    fn a_spent_day_or_month_has_its_end() {
        let now = ms("2024-05-31T12:00:00Z");
        let limits = Limits::default();
        let mut usage = Usage {
            today: 500,
            ..Usage::default()
        };
        let midnight = ms("2024-06-01T00:00:00Z");
        assert_eq!(
            next_slot(&usage, now, &limits),
            Slot::DaySpent {
                resumes_ms: midnight
            }
        );
        usage.this_month = 15_500;
        assert_eq!(
            next_slot(&usage, now, &limits),
            Slot::MonthSpent {
                resumes_ms: midnight
            }
        );
    }

    #[test]
    fn the_finish_is_the_earliest_possible() {
        let now = ms("2024-05-31T12:00:00Z");
        let check = |requests, expected: &str| {
            let finish = finish_ms(requests, &Usage::default(), now, &Limits::default());
            assert_eq!(finish, ms(expected), "{requests}");
        };
        check(0, "2024-05-31T12:00:00Z");
        check(4, "2024-05-31T12:00:00Z");
        check(5, "2024-05-31T12:01:00Z");
        check(500, "2024-05-31T14:04:00Z");
        check(501, "2024-06-01T00:00:00Z");
        check(1_004, "2024-06-02T00:00:00Z");
    }

    /// One request of a random schedule: how long the client idles before it
    /// asks for a slot, how long the request is on its way, how long the answer
    /// is, and how far the clock is set back before it.
    type SimulatedRequest = (u16, u16, u16, Option<u16>);

    /// Runs a schedule and returns, for each request, when the server saw it by true time.
    fn play(steps: &[SimulatedRequest], limits: &Limits) -> Vec<UnixMs> {
        let (mut truth, mut skew) = (0_i64, 0_i64);
        let mut usage = Usage::default();
        let mut seen = Vec::new();
        for (idle, there, back, set_back) in steps {
            truth += i64::from(*idle);
            skew -= set_back.map_or(0, i64::from);
            loop {
                match next_slot(&usage, truth + skew, limits) {
                    Slot::Now => break,
                    Slot::At(at) => truth += at - (truth + skew),
                    spent => panic!("{spent:?}"),
                }
            }
            let sent_ms = truth + skew;
            seen.push(truth + i64::from(*there));
            truth += i64::from(*there) + i64::from(*back);
            usage.recent.push(Charge {
                sent_ms,
                settled_ms: Some(truth + skew),
            });
        }
        seen
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_in_any_window(
            steps in prop::collection::vec((0..20_000_u16, 0..3_000_u16, 0..3_000_u16, prop::option::weighted(0.05, 0..60_000_u16)), 1..60),
            requests in 1..6_u32,
        ) {
            let limits = Limits { rate: Rate { requests, window_ms: 60_000 }, ..Limits::default() };
            let seen = play(&steps, &limits);
            for (index, end) in seen.iter().enumerate() {
                let in_window = seen[..=index].iter().filter(|time| end - **time <= 60_000).count();
                prop_assert!(in_window <= requests as usize, "{in_window} in the minute up to {end}");
            }
        }
    }
}
