//! Sample logs through the parsers as components: `tests/logs/FORMAT/NAME.log`
//! and, written by hand, `NAME.expected.jsonl`.

use std::path::Path;

use serde_json::Value;

use crate::support::Home;

fn rows(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn samples_give_what_is_expected() {
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

/// The parser that is named and the one that is detected must both give it.
fn check(parser: &str, log: &Path, expected: &str) {
    let home = Home::new();
    let folder = log.parent().unwrap();
    let name = log.file_name().unwrap().to_str().unwrap();
    for parser in [parser, "auto"] {
        let output = home
            .vthost(&["extract", "--parser", parser, name])
            .current_dir(folder)
            .output()
            .unwrap();
        let found = rows(std::str::from_utf8(&output.stdout).unwrap());
        let expected = rows(expected);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(found.len(), expected.len(), "{name}");
    }
}
