//! How values from outside are shown: defanged, with secrets masked, shortened, and with hidden
//! characters made visible.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::indicator::secrets;
use crate::output::text::visible;

/// The most characters of an indicator in a table.
const MAX_INDICATOR_CHARS: usize = 160;

/// The most characters of another text in a table.
const MAX_TEXT_CHARS: usize = 120;

/// The most characters of a log line.
const MAX_LINE_CHARS: usize = 600;

/// An indicator that no program takes for a link: `hxxp://evil[.]example[.]org/a`. Secrets are
/// masked.
pub(super) fn defanged(kind: &str, value: &str) -> String {
    let masked = secrets::masked(value);
    let defanged = match masked.split_once("://") {
        Some((scheme, rest)) if kind == "url" => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(end);
            let scheme = scheme.replacen("http", "hxxp", 1);
            format!("{scheme}://{}{path}", defanged_host(host))
        }
        _ => defanged_host(&masked),
    };
    shortened(&defanged, MAX_INDICATOR_CHARS)
}

/// A host whose dots, or colons of an IPv6 address, are in brackets.
fn defanged_host(host: &str) -> String {
    match host.contains('.') {
        true => host.replace('.', "[.]"),
        false => host.replace(':', "[:]"),
    }
}

/// Another text from outside.
pub(super) fn text(text: &str) -> String {
    shortened(text, MAX_TEXT_CHARS)
}

/// A command, whole: it is copied.
pub(super) fn command(command: &str) -> String {
    visible(command).into_owned()
}

/// A log line, with secrets masked.
pub(super) fn line(line: &str) -> String {
    shortened(&secrets::masked(line), MAX_LINE_CHARS)
}

fn shortened(text: &str, max_chars: usize) -> String {
    let end = text.char_indices().nth(max_chars).map(|(end, _)| end);
    let (shown, rest) = text.split_at(end.unwrap_or(text.len()));
    let shown = visible(shown);
    if rest.is_empty() {
        return shown.into_owned();
    }
    format!("{shown}… (+{})", rest.chars().count())
}

/// A time of a row as people read it, in UTC, to the second.
pub(super) fn time(rfc3339: Option<&str>) -> String {
    let parsed: Option<Timestamp> = rfc3339.and_then(|time| time.parse().ok());
    parsed.map_or_else(String::new, |time| {
        time.strftime("%Y-%m-%d %H:%M:%S").to_string()
    })
}

/// The whole days between two times of rows.
pub(super) fn days_between(earlier: Option<&str>, later: Option<&str>) -> Option<i64> {
    let second = |time: Option<&str>| Some(time?.parse::<Timestamp>().ok()?.as_second());
    let seconds = second(later)?.saturating_sub(second(earlier)?);
    (seconds >= 0).then_some(seconds / 86_400)
}

/// VirusTotal's page on the subject of a report, or on an indicator. None for a value that is not
/// plain enough to be part of a link.
pub(super) fn virustotal_page(kind: &str, value: &str) -> Option<String> {
    const GUI: &str = "https://www.virustotal.com/gui";
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_address = |byte: u8| byte.is_ascii_hexdigit() || b".:".contains(&byte);
    match kind {
        "domain" if value.bytes().all(is_name) => Some(format!("{GUI}/domain/{value}")),
        "ip" if value.bytes().all(is_address) => Some(format!("{GUI}/ip-address/{value}")),
        "url" => {
            let sha256 = Sha256::digest(value.as_bytes());
            let hex = sha256.iter().map(|byte| format!("{byte:02x}"));
            Some(format!("{GUI}/url/{}", hex.collect::<String>()))
        }
        _ => None,
    }
}

/// A size for people.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{size:.1} {}", UNITS[unit]),
    }
}

/// A number with commas between thousands.
pub(super) fn number(number: u64) -> String {
    grouped(&number.to_string())
}

/// The digits of a number with commas between thousands.
pub(super) fn grouped(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
