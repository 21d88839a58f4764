//! Durations as text: `90s`, `15min`, `12h`, `7d`.

/// Formats a duration in milliseconds as [`parse_ms`] reads it, in the largest unit that
/// divides it.
#[must_use]
pub fn format_ms(ms: i64) -> String {
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
    ];
    let unit = units
        .iter()
        .find(|(unit_ms, _)| ms != 0 && ms % unit_ms == 0);
    let (unit_ms, name) = unit.copied().unwrap_or((1, "ms"));
    format!("{}{name}", ms / unit_ms)
}

/// Parses a number with a unit (`ms`, `s`, `min`, `h` or `d`, or their longer names) into
/// milliseconds. A unit without a number means one of it. Returns `None` for anything else.
#[must_use]
pub fn parse_ms(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: i64 = match number {
        "" => 1,
        number => number.parse().ok()?,
    };
    let unit_ms = match unit.trim() {
        "ms" => 1,
        "s" | "sec" | "second" | "seconds" => 1_000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatted_durations_parse_to_the_same_value() {
        let check = |ms, expected: &str| {
            assert_eq!(format_ms(ms), expected);
            assert_eq!(parse_ms(expected), Some(ms));
        };
        check(0, "0ms");
        check(1_500, "1500ms");
        check(90_000, "90s");
        check(60_000, "1min");
        check(43_200_000, "12h");
        check(7 * 86_400_000, "7d");
    }

    #[test]
    fn a_unit_alone_is_one_and_other_text_is_refused() {
        assert_eq!(parse_ms("h"), Some(3_600_000));
        assert_eq!(parse_ms("2 days"), Some(172_800_000));
        for text in [
            "",
            "5",
            "5 fortnights",
            "-1s",
            "1.5h",
            "9223372036854775807d",
        ] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
    }
}
