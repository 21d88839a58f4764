//! What the text of a cell is, and what the cells of a column are.

use std::borrow::Cow;

use vthost_plugin::contact::{action_of, plausible_address, plausible_host, present, split_scheme};
use vthost_plugin::parser::{Action, host_of, is_address};
use vthost_plugin::scan;
use vthost_plugin::split::undoubled;
use vthost_plugin::time::{DateOrder, Stamps};

/// How many cells of a column are of which form.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Profile {
    /// Cells with a value.
    pub(crate) filled: usize,
    pub(crate) urls: usize,
    /// Addresses with or without a port.
    pub(crate) addresses: usize,
    /// Of these, the ones of private networks.
    pub(crate) private: usize,
    /// Names with a dot, or addresses, or URLs without a scheme.
    pub(crate) hosts: usize,
    /// Names whose last label is a usual top-level domain.
    pub(crate) names: usize,
    /// Dates with a time, not as a bare number.
    pub(crate) stamps: usize,
    /// Seconds or smaller units since 1970.
    pub(crate) epochs: usize,
    pub(crate) days: usize,
    pub(crate) clocks: usize,
    pub(crate) numbers: usize,
    /// Words for what a device did.
    pub(crate) actions: usize,
    /// Dates that have the day first, and those that have the month first.
    pub(crate) day_first: usize,
    pub(crate) month_first: usize,
}

impl Profile {
    /// Counts a cell.
    pub(crate) fn add(&mut self, cell: &[u8], stamps: Stamps) {
        let cell = plain(cell);
        let cell = present(&cell);
        if cell.is_empty() {
            return;
        }
        let count = |counter: &mut usize, fits: bool| *counter += usize::from(fits);
        self.filled += 1;
        count(&mut self.urls, is_url(cell));
        count(&mut self.addresses, is_strict_address(cell));
        count(&mut self.private, is_private(cell));
        count(&mut self.hosts, is_host_or_url(cell));
        count(&mut self.names, is_usual_name(cell));
        count(&mut self.numbers, is_number(cell));
        count(&mut self.actions, action(cell) != Action::Unstated);
        self.add_time(cell, stamps);
    }

    fn add_time(&mut self, cell: &[u8], stamps: Stamps) {
        let text = plain_time(cell);
        let any = |order| stamps.any(&text, order).is_some();
        let is_stamp = any(DateOrder::DayFirst) || any(DateOrder::MonthFirst);
        if is_number(cell) {
            self.epochs += usize::from(is_stamp);
            return;
        }
        let with = |day: &[u8], clock: &[u8]| {
            stamps
                .of_fields(day, clock, b"", DateOrder::DayFirst)
                .is_some()
        };
        let is_day = !is_stamp && with(&text, b"12:00:00");
        self.stamps += usize::from(is_stamp);
        self.days += usize::from(is_day);
        self.clocks += usize::from(!is_stamp && !is_day && with(b"2024-05-01", &text));
        if is_stamp || is_day {
            match first_numbers(&text) {
                Some((13..=31, 1..=12)) => self.day_first += 1,
                Some((1..=12, 13..=31)) => self.month_first += 1,
                // Dots are written where the day comes first.
                Some(_) if text.contains(&b'.') && !text.contains(&b'-') => self.day_first += 1,
                _ => {}
            }
        }
    }

    /// Whether most cells with a value are of a form.
    pub(crate) fn is_mostly(&self, form: usize) -> bool {
        form > 0 && form * 10 >= self.filled * 6
    }

    /// Whether the values do not contradict the name of the column.
    pub(crate) fn allows(&self, form: usize) -> bool {
        form * 4 >= self.filled
    }

    /// Whether the column holds values of a fixed form, without free text.
    pub(crate) fn is_typed(&self) -> bool {
        let forms = [
            self.addresses,
            self.names,
            self.stamps,
            self.days,
            self.clocks,
            self.numbers,
            self.actions,
        ];
        forms.contains(&self.filled)
    }
}

/// The first two numbers of a date like `31/12/2024`.
fn first_numbers(text: &[u8]) -> Option<(u64, u64)> {
    let mut numbers = text
        .split(|byte| !byte.is_ascii_digit())
        .take(2)
        .map(|digits| match digits.len() {
            1 | 2 => scan::number(digits),
            _ => None,
        });
    Some((numbers.next()??, numbers.next()??))
}

/// The text of a cell: quotes are single, and there is no `="…"` around it, which keeps Excel
/// from reading numbers.
pub(crate) fn plain(cell: &[u8]) -> Cow<'_, [u8]> {
    let text = undoubled(cell);
    let bare = |text: &[u8]| -> Option<std::ops::Range<usize>> {
        let inside = text.strip_prefix(b"=\"")?.strip_suffix(b"\"")?;
        Some(2..2 + inside.len())
    };
    match (bare(&text), text) {
        (None, text) => text,
        (Some(range), Cow::Borrowed(text)) => Cow::Borrowed(&text[range]),
        (Some(range), Cow::Owned(text)) => Cow::Owned(text[range].to_vec()),
    }
}

/// A URL of a cell: `http://…` alone or as the target of `GET http://… HTTP/1.1`.
pub(crate) fn url_of(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    let is_request = cell.first().is_some_and(u8::is_ascii_uppercase)
        && scan::find(cell, b' ')
            .is_some_and(|blank| cell[..blank].iter().all(u8::is_ascii_uppercase));
    match is_request {
        true => vthost_plugin::dialect::target_of(cell),
        false => cell,
    }
}

fn is_url(cell: &[u8]) -> bool {
    split_scheme(url_of(cell)).is_some_and(|(_, rest)| !rest.is_empty())
}

/// A host, an address, or a URL with or without its scheme.
fn is_host_or_url(cell: &[u8]) -> bool {
    let rest = split_scheme(cell).map_or(cell, |(_, rest)| rest);
    let end = memchr::memchr3(b'/', b'?', b'#', rest).unwrap_or(rest.len());
    plausible_host(&rest[..end]).is_some()
}

fn is_strict_address(cell: &[u8]) -> bool {
    let host = host_of(cell);
    plausible_address(cell).is_some() && (scan::is_valid_ipv4(host) || scan::is_valid_ipv6(host))
}

/// An address of a private, link-local or loopback network.
fn is_private(cell: &[u8]) -> bool {
    let Some(host) = is_strict_address(cell).then(|| host_of(cell)) else {
        return false;
    };
    let mut parts = host.splitn(3, |byte| *byte == b'.');
    let mut part = || parts.next().and_then(scan::number);
    match (part(), part()) {
        (Some(10 | 127), Some(_)) | (Some(192), Some(168)) | (Some(169), Some(254)) => true,
        (Some(172), Some(16..=31)) | (Some(100), Some(64..=127)) => true,
        _ => {
            matches!(
                host,
                [b'f' | b'F', b'c' | b'd' | b'C' | b'D' | b'e' | b'E', ..]
            ) && host.contains(&b':')
        }
    }
}

/// A name that few other texts with a dot resemble: `jane.doe` and `setup.exe` are none.
fn is_usual_name(cell: &[u8]) -> bool {
    const GENERIC: [&[u8]; 16] = [
        b"com", b"net", b"org", b"info", b"biz", b"edu", b"gov", b"mil", b"arpa", b"app", b"dev",
        b"cloud", b"online", b"site", b"xyz", b"example",
    ];
    let host = host_of(cell);
    let host = host.strip_suffix(b".").unwrap_or(host);
    if is_address(host) || plausible_host(host).is_none() {
        return false;
    }
    let last = host.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_country = last.len() == 2 && last.iter().all(u8::is_ascii_alphabetic);
    is_country
        || last.starts_with(b"xn--")
        || GENERIC.iter().any(|known| last.eq_ignore_ascii_case(known))
}

fn is_number(cell: &[u8]) -> bool {
    cell.iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        && memchr::memchr_iter(b'.', cell).count() < 2
}

/// A time with the separators that [`Stamps`] reads: `2024年5月1日 12時00分` has others.
pub(crate) fn plain_time(cell: &[u8]) -> Cow<'_, [u8]> {
    if cell.is_ascii() {
        return Cow::Borrowed(cell);
    }
    let text = String::from_utf8_lossy(cell);
    let mut plain = text
        .replace(['年', '月'], "/")
        .replace('日', " ")
        .replace("分", ":")
        .replace("時", ":")
        .replace('秒', "");
    for (word, mark) in [("午前", " AM"), ("午後", " PM")] {
        if plain.contains(word) {
            plain = plain.replace(word, "") + mark;
        }
    }
    // `12時00分` has no seconds.
    Cow::Owned(plain.trim_end_matches(':').as_bytes().to_vec())
}

/// What the words of a device mean; see [`action_of`]. The words of other languages are added,
/// those that block first: `未許可` has the word of `許可`.
pub(crate) fn action(cell: &[u8]) -> Action {
    const BLOCKED: [&str; 20] = [
        "不許可",
        "未許可",
        "非許可",
        "遮断",
        "拒否",
        "ブロック",
        "禁止",
        "破棄",
        "規制",
        "blockiert",
        "gesperrt",
        "abgelehnt",
        "verweigert",
        "verworfen",
        "bloqu",
        "refus",
        "rejet",
        "deneg",
        "rechaz",
        "interdit",
    ];
    const ALLOWED: [&str; 10] = [
        "許可",
        "通過",
        "検知",
        "成功",
        "erlaubt",
        "zugelassen",
        "autoris",
        "permis",
        "permitid",
        "acept",
    ];
    const NOT: [&str; 3] = ["nicht ", "no ", "non "];
    if cell.is_empty() || is_number(cell) {
        return Action::Unstated;
    }
    let text = String::from_utf8_lossy(&cell[..cell.len().min(LONGEST_ACTION)]).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let is_negated = NOT.iter().any(|not| text.starts_with(not));
    match () {
        () if has(&BLOCKED) && !is_negated || has(&ALLOWED) && is_negated => Action::Blocked,
        () if has(&BLOCKED) || has(&ALLOWED) => Action::Allowed,
        () => action_of(cell),
    }
}

/// Longer texts are messages.
const LONGEST_ACTION: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_in_several_languages() {
        let check = |words: &[&str], expected| {
            for word in words {
                assert_eq!(action(word.as_bytes()), expected, "{word}");
            }
        };
        check(
            &[
                "許可",
                "erlaubt",
                "Zugelassen",
                "autorisé",
                "Permitido",
                "allowed",
            ],
            Action::Allowed,
        );
        check(
            &[
                "遮断",
                "不許可",
                "gesperrt",
                "nicht erlaubt",
                "bloqué",
                "Denegado",
                "no permitido",
                "DENY",
            ],
            Action::Blocked,
        );
        check(&["", "200", "-", "jane", "備考"], Action::Unstated);
    }

    #[test]
    fn names_are_told_from_users_files_and_numbers() {
        let check =
            |cell: &str, expected| assert_eq!(is_usual_name(cell.as_bytes()), expected, "{cell}");
        check("www.example.com", true);
        check("login.example.co.jp:443", true);
        check("jane.doe", false);
        check("setup.exe", false);
        check("192.0.2.1", false);
        check("1.5", false);
    }

    #[test]
    fn private_addresses_are_known() {
        let check =
            |cell: &str, expected| assert_eq!(is_private(cell.as_bytes()), expected, "{cell}");
        check("10.0.0.5", true);
        check("172.16.0.1:443", true);
        check("fd00::1", true);
        check("198.51.100.1", false);
        check("2001:db8::1", false);
        check("10.example.com", false);
    }

    #[test]
    fn japanese_times_are_written_with_usual_separators() {
        let check = |cell: &str, expected: &str| {
            assert_eq!(plain_time(cell.as_bytes()), expected.as_bytes(), "{cell}");
        };
        check("2024年5月1日 12時00分30秒", "2024/5/1  12:00:30");
        check("2024年5月1日 午後1:00", "2024/5/1  1:00 PM");
    }
}
