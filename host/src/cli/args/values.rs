//! Values of options: ages, a proxy, a time zone.

use std::fmt;
use std::str::FromStr;

use crate::duration;

/// The age at which a stored answer expires, for each outcome, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxAge {
    /// Bad indicators.
    pub bad_ms: i64,
    /// Good indicators.
    pub good_ms: i64,
    /// Unknown indicators.
    pub unknown_ms: i64,
}

impl MaxAge {
    /// The age of an outcome that is not named.
    const DEFAULT_MS: i64 = 7 * 86_400_000;

    fn all(ms: i64) -> Self {
        Self {
            bad_ms: ms,
            good_ms: ms,
            unknown_ms: ms,
        }
    }
}

impl FromStr for MaxAge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains('=') {
            return milliseconds(text).map(Self::all);
        }
        let mut ages = Self::all(Self::DEFAULT_MS);
        for part in text.split(',') {
            let (outcome, age) = part.split_once('=').unwrap_or((part, ""));
            *match outcome.trim() {
                "bad" => &mut ages.bad_ms,
                "good" => &mut ages.good_ms,
                "unknown" => &mut ages.unknown_ms,
                other => return Err(format!("`{other}` is not bad, good or unknown")),
            } = milliseconds(age.trim())?;
        }
        Ok(ages)
    }
}

/// The form that [`FromStr`] reads.
impl fmt::Display for MaxAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [bad, good, unknown] =
            [self.bad_ms, self.good_ms, self.unknown_ms].map(duration::format_ms);
        if bad == good && good == unknown {
            return f.write_str(&bad);
        }
        write!(f, "bad={bad},good={good},unknown={unknown}")
    }
}

/// A proxy. `Display` and `Debug` leave out user and password.
#[derive(Clone)]
pub struct ProxyUrl(url::Url);

impl ProxyUrl {
    /// The URL with user and password, for the connection.
    #[must_use]
    pub fn secret(&self) -> &url::Url {
        &self.0
    }

    /// The URL with placeholders for user and password.
    #[must_use]
    pub fn template(&self) -> String {
        let shown = self.to_string();
        if self.0.username().is_empty() && self.0.password().is_none() {
            return shown;
        }
        shown.replacen("://", "://USER:PASSWORD@", 1)
    }
}

impl FromStr for ProxyUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = url::Url::parse(text).ok();
        url.filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .map(Self)
            .ok_or_else(|| "write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT".to_owned())
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme())?;
        match self.0.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Reads a duration, in milliseconds.
pub(in crate::cli) fn milliseconds(text: &str) -> Result<i64, String> {
    duration::parse_ms(text)
        .ok_or_else(|| "write a number and a unit, such as 90s, 12h or 7d".to_owned())
}

/// Prints minutes east of UTC as `+09:00`.
pub(in crate::cli) fn utc_offset_text(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Reads `+09:00` as minutes east of UTC.
pub(in crate::cli) fn utc_offset_minutes(text: &str) -> Result<i16, String> {
    let invalid = || "write hours and minutes east of UTC, such as +09:00 or -05:30".to_owned();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(invalid)?;
    let number = |text: &str, max: i16| text.parse().ok().filter(|n| (0..=max).contains(n));
    let hours: i16 = number(hours, 18).ok_or_else(invalid)?;
    let minutes: i16 = number(minutes, 59).ok_or_else(invalid)?;
    Ok(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_for_each_outcome() {
        const DAY: i64 = 86_400_000;
        let check = |text: &str, expected: Option<(i64, i64, i64)>| {
            let ages = text.parse::<MaxAge>().ok();
            let ages = ages.map(|ages| (ages.bad_ms, ages.good_ms, ages.unknown_ms));
            assert_eq!(ages, expected, "{text}");
        };
        check("2d", Some((2 * DAY, 2 * DAY, 2 * DAY)));
        check(
            "bad=30d,good=7d, unknown=1d",
            Some((30 * DAY, 7 * DAY, DAY)),
        );
        check("unknown=12h", Some((7 * DAY, 7 * DAY, DAY / 2)));
        check("evil=1d", None);
        check("bad=", None);
        for text in ["12h", "bad=30d,good=7d,unknown=1d"] {
            assert_eq!(text.parse::<MaxAge>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn proxy_password_is_not_printed() {
        let proxy: ProxyUrl = "http://user:hunter2@proxy.example.com:3128"
            .parse()
            .unwrap();
        assert_eq!(proxy.to_string(), "http://proxy.example.com:3128");
        assert_eq!(
            proxy.template(),
            "http://USER:PASSWORD@proxy.example.com:3128"
        );
        assert!(!format!("{proxy:?}").contains("hunter2"));
        let error = "hunter2@proxy".parse::<ProxyUrl>().unwrap_err();
        assert!(!error.contains("hunter2"));
    }

    #[test]
    fn utc_offsets_are_read_and_printed() {
        let check = |text, expected| assert_eq!(utc_offset_minutes(text).ok(), expected, "{text}");
        check("+09:00", Some(540));
        check("-05:30", Some(-330));
        check("00:00", Some(0));
        check("+9", None);
        check("+19:00", None);
        for text in ["+09:00", "-05:30", "+00:00"] {
            assert_eq!(utc_offset_text(utc_offset_minutes(text).unwrap()), text);
        }
    }
}
