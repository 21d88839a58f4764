//! What fuzzing runs, as plain functions, so that its seeds run as ordinary
//! tests too. The targets of cargo-fuzz in `fuzz/` call these; see its
//! README.md.

use vthost_plugin::parser::Input;
use vthost_plugin::split::{Columns, Json, Pairs, blanks, undoubled, unescaped};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::testing::{self, Parsed};
use vthost_plugin::time::{DateOrder, Stamps};

/// A parser, run natively.
type Parse = fn(&[u8], &str) -> Result<Parsed, String>;

/// How sure a parser is of an input.
type Detect = fn(&[u8]) -> u8;

/// The built-in parsers by name.
pub const PARSERS: [(&str, Detect, Parse); 20] = [
    (
        "cef",
        parser_cef::detect_natively,
        parser_cef::parse_natively,
    ),
    (
        "checkpoint",
        parser_checkpoint::detect_natively,
        parser_checkpoint::parse_natively,
    ),
    (
        "cisco",
        parser_cisco::detect_natively,
        parser_cisco::parse_natively,
    ),
    (
        "combined",
        parser_combined::detect_natively,
        parser_combined::parse_natively,
    ),
    (
        "csv",
        parser_csv::detect_natively,
        parser_csv::parse_natively,
    ),
    (
        "dns",
        parser_dns::detect_natively,
        parser_dns::parse_natively,
    ),
    (
        "fortigate",
        parser_fortigate::detect_natively,
        parser_fortigate::parse_natively,
    ),
    (
        "json",
        parser_json::detect_natively,
        parser_json::parse_natively,
    ),
    (
        "keyvalue",
        parser_keyvalue::detect_natively,
        parser_keyvalue::parse_natively,
    ),
    (
        "list",
        parser_list::detect_natively,
        parser_list::parse_natively,
    ),
    (
        "packets",
        parser_packets::detect_natively,
        parser_packets::parse_natively,
    ),
    (
        "paloalto",
        parser_paloalto::detect_natively,
        parser_paloalto::parse_natively,
    ),
    (
        "rows",
        parser_rows::detect_natively,
        parser_rows::parse_natively,
    ),
    (
        "squid",
        parser_squid::detect_natively,
        parser_squid::parse_natively,
    ),
    (
        "suricata",
        parser_suricata::detect_natively,
        parser_suricata::parse_natively,
    ),
    (
        "text",
        parser_text::detect_natively,
        parser_text::parse_natively,
    ),
    (
        "umbrella",
        parser_umbrella::detect_natively,
        parser_umbrella::parse_natively,
    ),
    (
        "w3c",
        parser_w3c::detect_natively,
        parser_w3c::parse_natively,
    ),
    (
        "watchguard",
        parser_watchguard::detect_natively,
        parser_watchguard::parse_natively,
    ),
    (
        "zeek",
        parser_zeek::detect_natively,
        parser_zeek::parse_natively,
    ),
];

/// Reads bytes with a parser and checks that what it says keeps the contract.
///
/// # Panics
///
/// Where it does not, which is what fuzzing looks for.
pub fn parser(name: &str, bytes: &[u8]) {
    let known = PARSERS.iter().find(|(known, ..)| *known == name);
    let Some((_, detect, parse)) = known else {
        panic!("no parser is called {name}");
    };
    assert!(detect(bytes) <= 100, "{name}");
    // An input that it cannot open is none of its business.
    let Ok(parsed) = parse(bytes, "{}") else {
        return;
    };
    let lines = bytes.split(|byte| *byte == b'\n').count()
        - usize::from(bytes.ends_with(b"\n") || bytes.is_empty());
    let sum = |counts: &[(String, u32)]| {
        counts
            .iter()
            .map(|(_, count)| *count as usize)
            .sum::<usize>()
    };
    let counted = parsed.records as usize + sum(&parsed.ignored) + sum(&parsed.rejected);
    assert_eq!(
        counted, lines,
        "{name}: lines = records + ignored + rejected"
    );
    for observed in &parsed.observations {
        assert!(!observed.value.is_empty(), "{name}: {observed:?}");
        assert!(
            (1..=lines).contains(&(observed.line as usize)),
            "{name}: {observed:?}"
        );
    }
}

/// Takes a line apart with every splitter. What they give lies in the line.
///
/// # Panics
///
/// Where a splitter gives something else.
pub fn splitters(line: &[u8]) {
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

/// Reads bytes as what syslog puts in front, and as a time.
///
/// # Panics
///
/// Where the message does not lie in the line.
pub fn envelope(line: &[u8]) {
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
    fn parsers_take_every_seed() {
        for (name, ..) in PARSERS {
            each(|bytes| parser(name, bytes));
        }
    }

    #[test]
    fn splitters_take_every_seed() {
        each(splitters);
        each(envelope);
    }

    /// No line takes longer than its length says: a long one of each byte that
    /// means something would end this test in hours, were it not so.
    #[test]
    fn no_line_is_quadratic() {
        for byte in *b" \"\\=:,;|.[({<%/@-" {
            let line = vec![byte; 1 << 18];
            splitters(&line);
            envelope(&line);
            for (name, ..) in PARSERS {
                parser(name, &line);
            }
        }
    }
}
