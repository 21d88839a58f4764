//! The order of rotated files: `access.log.10`, `access.log.2.gz`, `access.log.1`,
//! `access.log`; or `access.log-20240501.gz`, `access.log`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Input;

/// What `logrotate` and its like call a file, from the oldest to the newest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// By a date or a time that is part of the name.
    Date(String),
    /// By a number: the larger, the older.
    Number(Reverse<u32>),
    /// The file that is written to.
    Current,
}

/// The endings of compressed files.
const COMPRESSED: [&str; 10] = [
    ".gz", ".bz2", ".xz", ".zst", ".lz4", ".lz", ".lzma", ".Z", ".sz", ".br",
];

/// Puts rotated files of the same log in the order of time, at the place of the first of them.
pub(super) fn in_order_of_time(inputs: Vec<Input>) -> Vec<Input> {
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    let mut keyed: Vec<_> = inputs
        .into_iter()
        .enumerate()
        .map(|(place, input)| {
            let Input::File(path) = &input else {
                return ((place, Age::Current), input);
            };
            let (log, age) = log_and_age(path);
            let place = *places.entry(log).or_insert(place);
            ((place, age), input)
        })
        .collect();
    // The sort is stable: equal names keep their order.
    keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
    keyed.into_iter().map(|(_, input)| input).collect()
}

/// The path of the log that a file is rotated from, and the file's age.
fn log_and_age(path: &Path) -> (PathBuf, Age) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut unpacked = COMPRESSED
        .iter()
        .filter_map(|ending| name.strip_suffix(ending));
    let name = unpacked.next().unwrap_or(&name);
    let is_date_or_number = |c: char| c.is_ascii_digit() || c == '-' || c == '_';
    let log = name.trim_end_matches(is_date_or_number);
    let log = log.strip_suffix('.').unwrap_or(log);
    let age = name.get(log.len() + 1..).and_then(age);
    match age {
        Some(age) if !log.is_empty() => (path.with_file_name(log), age),
        _ => (path.with_file_name(name), Age::Current),
    }
}

/// The age by the end of a name: a number of up to three digits, or a date (`20240501`,
/// `2024-05-01`) or longer.
fn age(end: &str) -> Option<Age> {
    const DATE_DIGITS: usize = 8;
    const MAX_NUMBER_DIGITS: usize = 3;
    let digits: String = end.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= DATE_DIGITS {
        return Some(Age::Date(digits));
    }
    let is_number = digits.len() == end.len() && digits.len() <= MAX_NUMBER_DIGITS;
    let number = is_number.then(|| end.parse().ok()).flatten()?;
    Some(Age::Number(Reverse(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], expected: &[&str]) {
        let inputs = names.iter().map(|name| Input::File(name.into())).collect();
        let ordered = in_order_of_time(inputs);
        let ordered: Vec<String> = ordered.iter().map(Input::name).collect();
        assert_eq!(ordered, expected);
    }

    #[test]
    fn rotated_files_are_read_from_the_oldest_to_the_current_one() {
        check(
            &[
                "a/x.log",
                "a/x.log.1",
                "a/x.log.10.gz",
                "a/x.log.2.gz",
                "b/x.log",
            ],
            &[
                "a/x.log.10.gz",
                "a/x.log.2.gz",
                "a/x.log.1",
                "a/x.log",
                "b/x.log",
            ],
        );
        check(
            &["x.log", "x.log-20240502", "x.log-20240501.gz"],
            &["x.log-20240501.gz", "x.log-20240502", "x.log"],
        );
        check(
            &["x.log", "x.log.1714608001", "x.log.1714608000"],
            &["x.log.1714608000", "x.log.1714608001", "x.log"],
        );
    }

    #[test]
    fn files_that_are_not_rotated_keep_their_order() {
        let names = ["2.log", "10.log", "1", "b-2024.csv", "a.log", "", "日本.1x"];
        check(&names, &names);
    }
}
