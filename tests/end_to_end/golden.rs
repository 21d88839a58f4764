//! Sample logs, parsed by the components: `tests/logs/FORMAT/NAME.log` must give
//! `NAME.expected.jsonl`, which is written by hand.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::Home;

fn rows(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn samples_give_the_expected_observations() {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/logs");
    let mut checked = 0;
    for format in std::fs::read_dir(logs).unwrap() {
        let format = format.unwrap().path();
        for log in std::fs::read_dir(&format).unwrap() {
            let log = log.unwrap().path();
            let expected = log.with_extension("expected.jsonl");
            if log.extension().is_some_and(|extension| extension == "log") && expected.exists() {
                let parser = format.file_name().unwrap().to_str().unwrap();
                check(parser, &log, &std::fs::read_to_string(expected).unwrap());
                checked += 1;
            }
        }
    }
    assert!(checked >= 2, "{checked}");
}

/// Checks a log with the named parser and with detection. With detection, lines that the
/// parser rejects are offered to the others, so that they may give rows, too.
fn check(parser: &str, log: &Path, expected: &str) {
    let home = Home::new();
    let folder = log.parent().unwrap();
    let name = log.file_name().unwrap().to_str().unwrap();
    let extract = |parser: &str| {
        let mut command = home.vthost(&["extract", "--parser", parser, name]);
        let output = command.current_dir(folder).output().unwrap();
        let found = rows(std::str::from_utf8(&output.stdout).unwrap());
        (found, String::from_utf8(output.stderr).unwrap())
    };
    let expected = rows(expected);
    let (found, counts) = extract(parser);
    assert_rows(&found, &expected, name);
    let (found, _) = extract("auto");
    let is_expected = |row: &Value| expected.iter().any(|other| other["line"] == row["line"]);
    let (found, others): (Vec<Value>, Vec<Value>) = found.into_iter().partition(is_expected);
    assert_rows(&found, &expected, name);
    let other_lines: BTreeSet<u64> = others
        .iter()
        .filter_map(|row| row["line"].as_u64())
        .collect();
    assert!(
        other_lines.len() <= rejected_lines(&counts),
        "{name}: {others:?}"
    );
}

fn assert_rows(found: &[Value], expected: &[Value], name: &str) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(found.len(), expected.len(), "{name}");
}

/// The number of rejected lines in the summary of one input.
fn rejected_lines(summary: &str) -> usize {
    let (before, _) = summary.split_once(" rejected").unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

/// The examples that `vthost formats` prints, each with the name of its parser.
fn examples(home: &Home) -> Vec<(String, String)> {
    let formats = home.run(&["formats"]).stdout;
    let mut examples = Vec::new();
    for section in formats.split("\n## `--parser ").skip(1) {
        let (parser, rest) = section.split_once('`').unwrap();
        for example in rest.split("```text\n").skip(1) {
            let (example, _) = example.split_once("\n```").unwrap();
            examples.push((parser.to_owned(), example.to_owned()));
        }
    }
    assert!(examples.len() >= 60, "{}", examples.len());
    examples
}

/// Detection must choose the parser of the example, and extract its indicator.
#[test]
fn format_of_every_example_is_detected() {
    let home = Home::new();
    for (parser, example) in examples(&home) {
        // A header has no indicator; `list` and `text` accept any line.
        let is_header = example.starts_with('#') || parser == "csv";
        if is_header || matches!(parser.as_str(), "list" | "text") {
            continue;
        }
        let log = home.write("some.log", format!("{example}\n"));
        let ran = home.run(&["extract", &log]);
        // A time in front may be taken off as an envelope's.
        let is_detected = ["some.log:", "→"].iter().any(|before| {
            let detected = format!("{before} {parser} (");
            ran.stderr.contains(&detected)
        });
        assert!(is_detected, "{parser}: {example}\n{}", ran.stderr);
        let found = rows(&ran.stdout);
        let value = found[0]["value"].as_str().unwrap();
        let is_documentation = ["example.com", "example.org", "192.0.2.", "203.0.113."];
        assert!(
            is_documentation.iter().any(|part| value.contains(part)),
            "{parser}: {value}"
        );
    }
}

/// A row below the header that `vthost formats` shows for tables.
const TABLE_ROW: &str = "2024-05-01T12:00:00Z,10.0.0.5,jane,allowed,http://www.example.com/a,\
    www.example.com,192.0.2.10";

/// Parses each example truncated at every byte, and with bytes changed and moved.
#[test]
fn damaged_lines_do_not_stop_a_parser() {
    let home = Home::new();
    for (parser, example) in examples(&home) {
        // The example of a table is its header, and its columns are known by the rows below: the
        // damage is to a row, after as many sound ones as the parser looks at.
        let (head, example) = match parser.as_str() {
            "csv" => (
                format!("{example}\n{}", format!("{TABLE_ROW}\n").repeat(100)),
                TABLE_ROW.to_owned(),
            ),
            _ => (String::new(), example),
        };
        let whole = example.as_bytes();
        let mut log = [head.as_bytes(), whole, b"\n"].concat();
        for end in 0..whole.len() {
            log.extend_from_slice(&whole[..end]);
            log.push(b'\n');
        }
        // A Lehmer generator with a fixed seed.
        let mut state = 48_271_u64;
        let mut next = |below: usize| {
            state = state * 48_271 % 2_147_483_647;
            usize::try_from(state).unwrap() % below
        };
        for _ in 0..500 {
            let mut line = whole.to_vec();
            for _ in 0..1 + next(4) {
                let (to, from) = (next(line.len()), next(line.len()));
                line[to] = match next(3) {
                    0 => line[from],
                    1 => b" \"\\{}[]=:,;|()<>%#/.-\t"[next(22)],
                    _ => u8::try_from(next(256)).unwrap(),
                };
            }
            line.retain(|byte| *byte != b'\n');
            log.extend_from_slice(&line);
            log.push(b'\n');
        }
        let input = home.write("damaged.log", &log);
        let ran = home.run(&["extract", "--parser", &parser, &input]);
        assert!(!ran.stderr.contains("stopped"), "{parser}\n{}", ran.stderr);
        // Of the example of a header no record is left, and nothing is understood.
        let expected = if ran.stdout.is_empty() { 4 } else { 0 };
        assert_eq!(ran.status, Some(expected), "{parser}\n{}", ran.stderr);
    }
}
