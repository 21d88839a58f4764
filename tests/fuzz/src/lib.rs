//! The fuzz target of the plugin SDK as a plain function, so that its seeds also
//! run as ordinary tests. See README.md for the targets of the parsers.

use vthost_plugin::parser::Input;
use vthost_plugin::split::{Columns, Json, Pairs, blanks, undoubled, unescaped};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::testing;
use vthost_plugin::time::{DateOrder, Stamps};

/// Reads bytes with everything in the SDK that reads lines.
///
/// # Panics
///
/// If a result is not within the line.
pub fn fuzz(bytes: &[u8]) {
    splitters(bytes);
    envelope(bytes);
}

/// Splits a line with every splitter.
fn splitters(line: &[u8]) {
    let is_within = |part: &[u8]| {
        let range = line.as_ptr_range();
        part.is_empty() || (range.contains(&part.as_ptr()) && part.as_ptr_range().end <= range.end)
    };
    let check = |parts: &[&[u8]]| assert!(parts.iter().all(|part| is_within(part)));
    let keys = ["a", "src", "url", "time"];
    check(&Pairs::new(keys).pick(line));
    check(&Pairs::of_many_words(keys).pick(line));
    check(&Pairs::separated(b':', b';', keys).pick(line));
    let places = [Some(0), Some(2), Some(1), None];
    for separator in *b",\t| " {
        check(&Columns::at(separator, places).pick(line));
    }
    if let Ok(values) = Json::new(["a", "a/b", "src", "url"]).pick(line) {
        check(&values);
    }
    check(&blanks(line).collect::<Vec<_>>());
    assert!(unescaped(line).len() <= line.len() * 3);
    assert!(undoubled(line).len() <= line.len());
}

/// Reads a line as a syslog message, and as a time.
fn envelope(line: &[u8]) {
    let input: Input = testing::input(line);
    let stamps = Stamps::of(&input);
    let syslog = Syslog::of(line, stamps);
    assert!(line.ends_with(syslog.message) || syslog.message.is_empty());
    for order in [DateOrder::MonthFirst, DateOrder::DayFirst] {
        let _time = stamps.any(line, order);
        let (date, clock) = line.split_at(line.len() / 2);
        let _time = stamps.of_fields(date, clock, b"+01:00", order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The samples of all formats, whole and line by line.
    fn seeds() -> Vec<Vec<u8>> {
        let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../logs");
        let mut seeds = vec![Vec::new(), b"\n".to_vec(), b"\0\xff\r\n".to_vec()];
        for format in std::fs::read_dir(logs).unwrap() {
            for log in std::fs::read_dir(format.unwrap().path()).unwrap() {
                seeds.push(std::fs::read(log.unwrap().path()).unwrap());
            }
        }
        assert!(seeds.len() > 10);
        seeds
    }

    /// Each seed, and each of its lines cut at a few places.
    fn each(check: impl Fn(&[u8])) {
        for seed in seeds() {
            check(&seed);
            for line in seed.split(|byte| *byte == b'\n').take(20) {
                for part in 1..8 {
                    check(&line[..line.len() * part / 7]);
                }
            }
        }
    }

    #[test]
    fn seeds_are_read() {
        each(fuzz);
    }

    /// The time is proportional to the length of a line: with long lines of each
    /// byte that has a meaning, this test would otherwise take hours.
    #[test]
    fn no_line_takes_quadratic_time() {
        for byte in *b" \"\\=:,;|.[({<%/@-" {
            fuzz(&vec![byte; 1 << 18]);
        }
    }
}
