//! The time zone in which times are shown.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::clock::UnixMs;

/// The time zone in which times are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayZone {
    zone: TimeZone,
    name: String,
}

impl DisplayZone {
    /// A time for people, to the second, with its offset from UTC.
    #[must_use]
    pub fn time(&self, time_ms: UnixMs) -> String {
        let Ok(time) = Timestamp::from_millisecond(time_ms) else {
            return "never".to_owned();
        };
        let format = match self.zone == TimeZone::UTC {
            true => "%Y-%m-%d %H:%M:%S UTC",
            false => "%Y-%m-%d %H:%M:%S %:z",
        };
        time.to_zoned_datetime(self.zone.clone())
            .strftime(format)
            .to_string()
    }
}

impl Default for DisplayZone {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            name: "UTC".to_owned(),
        }
    }
}

impl FromStr for DisplayZone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || "write UTC, local, a name such as Asia/Tokyo, or +09:00".to_owned();
        let zone = match text {
            "UTC" | "utc" => TimeZone::UTC,
            "local" => TimeZone::system(),
            offset if offset.starts_with(['+', '-']) => {
                let minutes = super::args::utc_offset_minutes(offset).map_err(|_| unknown())?;
                let offset = Offset::from_seconds(i32::from(minutes) * 60);
                TimeZone::fixed(offset.map_err(|_| unknown())?)
            }
            name => TimeZone::get(name).map_err(|_| unknown())?,
        };
        Ok(Self {
            zone,
            name: text.to_owned(),
        })
    }
}

/// The form that [`FromStr`] reads.
impl fmt::Display for DisplayZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_the_zone() {
        let check = |zone: &str, expected: &str| {
            let zone: DisplayZone = zone.parse().unwrap();
            assert_eq!(zone.time(1_714_564_800_999), expected);
        };
        check("UTC", "2024-05-01 12:00:00 UTC");
        check("+09:00", "2024-05-01 21:00:00 +09:00");
        check("-05:30", "2024-05-01 06:30:00 -05:30");
        check("Asia/Tokyo", "2024-05-01 21:00:00 +09:00");
        // Summer time.
        check("Europe/Berlin", "2024-05-01 14:00:00 +02:00");
        assert!("local".parse::<DisplayZone>().is_ok());
        for unknown in ["Mars/Olympus", "+9", ""] {
            assert!(unknown.parse::<DisplayZone>().is_err(), "{unknown}");
        }
    }
}
