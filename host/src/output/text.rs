//! Lines of text, in the format of the script that vthost replaces:
//!
//! ```text
//! 2022-09-29T23:40:55 http://027.ru {'harmless': 77, 'malicious': 0, 'suspicious': 1, 'undetected': 10, 'timeout': 0}
//! ```

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::triage::Finding;
use crate::verdict::Verdict;
use crate::virustotal::report::Stats;

/// A finding's line, without the line feed: the time of VirusTotal's analysis
/// (UTC), the indicator as the log wrote it, and the stats; for an unknown one
/// the reason instead of the stats.
#[must_use]
pub fn line(finding: &Finding) -> String {
    let analysed_s = finding
        .evidence
        .as_ref()
        .and_then(|evidence| evidence.analysed_s);
    let time = analysed_s.map_or_else(|| "-".to_owned(), analysis_time);
    let name = visible(finding.sightings.display());
    let stats = finding
        .evidence
        .as_ref()
        .and_then(|evidence| evidence.stats);
    match (finding.verdict, stats) {
        (Verdict::Bad | Verdict::Good, Some(stats)) => {
            format!("{time} {name} {}", python_stats(&stats))
        }
        _ => format!("{time} {name} {}", visible(&finding.reason)),
    }
}

/// Stats as Python prints them, in the order of the original script.
#[must_use]
pub fn python_stats(stats: &Stats) -> String {
    format!(
        "{{'harmless': {}, 'malicious': {}, 'suspicious': {}, 'undetected': {}, 'timeout': {}}}",
        stats.harmless, stats.malicious, stats.suspicious, stats.undetected, stats.timeout
    )
}

/// A time as RFC 3339 in UTC, as short as its precision allows.
#[must_use]
pub fn rfc3339(time_us: i64) -> Option<String> {
    Timestamp::from_microsecond(time_us)
        .ok()
        .map(|time| time.to_string())
}

/// Text from outside as one line that a terminal cannot be hurt by: control
/// characters, and characters that turn the direction of writing, become
/// escapes that can be seen.
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

/// `2022-09-29T23:40:55`, as Python's `datetime.isoformat` without a zone.
fn analysis_time(time_s: i64) -> String {
    Timestamp::from_second(time_s).map_or_else(
        |_| "-".to_owned(),
        |time| {
            Offset::UTC
                .to_datetime(time)
                .strftime("%Y-%m-%dT%H:%M:%S")
                .to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stats_are_written_as_the_original_script_did() {
        let stats = Stats {
            harmless: 77,
            malicious: 0,
            suspicious: 1,
            undetected: 10,
            timeout: 0,
        };
        assert_eq!(
            python_stats(&stats),
            "{'harmless': 77, 'malicious': 0, 'suspicious': 1, 'undetected': 10, 'timeout': 0}"
        );
        // date -u -d @1664494855
        assert_eq!(analysis_time(1_664_494_855), "2022-09-29T23:40:55");
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(
            rfc3339(1_714_564_800_123_000).as_deref(),
            Some("2024-05-01T12:00:00.123Z")
        );
        assert_eq!(rfc3339(0).as_deref(), Some("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn hostile_text_becomes_visible() {
        let check = |text: &str, expected: &str| assert_eq!(visible(text), expected);
        check("plain 日本語 text", "plain 日本語 text");
        check("a\nb", "a\\nb");
        check("\u{1b}[2J", "\\u{1b}[2J");
        check("x\u{202e}gpj.exe", "x\\u{202e}gpj.exe");
    }
}
