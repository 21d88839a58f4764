//! Text for people: safe to print, with readable times and counts.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::clock::UnixMs;

/// A time as RFC 3339 in UTC, with as many decimals as it needs. None if the time is out of
/// range.
#[must_use]
pub fn rfc3339(time_us: i64) -> Option<String> {
    let time = Timestamp::from_microsecond(time_us).ok()?;
    Some(time.to_string())
}

/// A time for people: UTC, to the second.
#[must_use]
pub fn utc_time(time_ms: UnixMs) -> String {
    Timestamp::from_millisecond(time_ms).map_or_else(
        |_| "never".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// A count with its noun: `1 request`, `2 requests`.
#[must_use]
pub fn counted(count: u64, singular: &str, plural: &str) -> String {
    format!("{count} {}", if count == 1 { singular } else { plural })
}

/// Text from outside as one line that does no harm to a terminal: control characters, and
/// characters that change the direction of writing, become visible escapes.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_hidden(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown.into()
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(
            rfc3339(1_714_564_800_123_000).as_deref(),
            Some("2024-05-01T12:00:00.123Z")
        );
        assert_eq!(rfc3339(0).as_deref(), Some("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn times_for_people_end_with_the_second() {
        assert_eq!(utc_time(1_714_564_800_999), "2024-05-01 12:00:00 UTC");
    }

    #[test]
    fn control_and_direction_characters_are_escaped() {
        let check = |text: &str, expected: &str| assert_eq!(visible(text), expected);
        check("plain 日本語 text", "plain 日本語 text");
        check("a\nb", "a\\nb");
        check("\u{1b}[2J", "\\u{1b}[2J");
        check("x\u{202e}gpj.exe", "x\\u{202e}gpj.exe");
    }
}
