//! Every line is counted, whatever it is made of.

use serde_json::Value;
use vthost_simulator::Simulator;

use crate::support::{Home, Ran, patient, serve};

const LINE: &str = "1714564800.123    161 10.0.0.5 TCP_MISS/200 4310 GET http://www.example.com/ - HIER_DIRECT/203.0.113.10 text/html";

fn extract(bytes: &[u8]) -> Ran {
    let home = Home::new();
    let log = home.write("access.log", bytes);
    home.run(&["extract", "--parser", "squid", &log])
}

/// Records, ignored and rejected lines of `N lines = …`.
fn counts(stderr: &str) -> [u64; 4] {
    let numbers = stderr
        .lines()
        .find(|line| line.contains(" lines = "))
        .unwrap();
    let (_, numbers) = numbers.rsplit_once(": ").unwrap();
    let numbers: Vec<u64> = numbers
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    numbers.try_into().unwrap()
}

#[test]
fn lines_add_up_whatever_they_are() {
    let check = |bytes: &[u8], expected: [u64; 4]| {
        let ran = extract(bytes);
        assert_eq!(counts(&ran.stderr), expected, "{}", ran.stderr);
        let [lines, records, ignored, rejected] = expected;
        assert_eq!(lines, records + ignored + rejected);
        assert_eq!(ran.stdout.lines().count() as u64, records);
    };
    check(format!("{LINE}\n{LINE}\n").as_bytes(), [2, 2, 0, 0]);
    check(format!("{LINE}\n{LINE}").as_bytes(), [2, 2, 0, 0]);
    check(format!("{LINE}\r\n\r\n{LINE}\r\n").as_bytes(), [3, 2, 1, 0]);
    check(b"\xff\xfd\n\0\0\0\n\n", [3, 0, 1, 2]);
    let mut long = format!("{LINE}\n").into_bytes();
    long.resize(long.len() + (10 << 20), b'x');
    long.extend_from_slice(format!("\n{LINE}\n").as_bytes());
    check(&long, [3, 2, 0, 1]);
    let latin1 = LINE.replace("www.example.com/", "www.example.com/caf\u{e9}");
    let latin1: Vec<u8> = latin1.chars().map(|c| c as u8).collect();
    check(&latin1, [1, 1, 0, 0]);
}

#[test]
fn a_line_beyond_all_bounds_is_counted_and_its_neighbours_are_read() {
    let mut log = format!("{LINE}\n").into_bytes();
    log.resize(log.len() + (17 << 20), b'x');
    log.extend_from_slice(format!("\n{LINE}\n").as_bytes());
    let ran = extract(&log);
    assert_eq!(counts(&ran.stderr), [3, 2, 0, 1]);
    assert!(
        ran.stderr
            .contains("rejected 1: longer than 16 MiB (line 2)"),
        "{}",
        ran.stderr
    );
    let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["line"], 3);
}

#[test]
fn an_input_of_which_nothing_is_understood_makes_the_run_partial() {
    let home = Home::new();
    let log = home.write(
        "unknown.log",
        "May  1 12:00:00 gw named[1]: an unknown sentence\n",
    );
    for parser in ["auto", "squid", "dns"] {
        let ran = home.run(&["extract", "--parser", parser, &log]);
        assert_eq!(ran.status, Some(4), "{parser}: {}", ran.stderr);
        let warning = "warning: nothing in it was understood";
        assert!(ran.stderr.contains(warning), "{parser}: {}", ran.stderr);
    }
    // Blank lines are known to hold no contact.
    let blank = home.write("blank.log", "\n\n");
    let ran = home.run(&["extract", "--parser", "squid", &blank]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let warning = "warning: no line holds a contact";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
}

#[test]
fn an_empty_file_is_no_failure() {
    let ran = extract(b"");
    assert_eq!(ran.status, Some(0));
    assert!(ran.stderr.contains("access.log: empty"), "{}", ran.stderr);
}

#[test]
fn many_chunks_keep_their_line_numbers_and_order() {
    let mut log = String::new();
    for number in 0..40_000 {
        let line = LINE.replace("www.example.com/", &format!("www.example.com/{number}"));
        log.push_str(&line);
        log.push('\n');
    }
    let ran = extract(log.as_bytes());
    assert_eq!(counts(&ran.stderr), [40_000, 40_000, 0, 0]);
    for (number, row) in ran.stdout.lines().enumerate() {
        let row: Value = serde_json::from_str(row).unwrap();
        assert_eq!(row["line"], number as u64 + 1);
        assert_eq!(row["value"], format!("http://www.example.com/{number}"));
    }
}

#[test]
fn the_closing_record_adds_up_too() {
    let home = Home::new();
    home.write("logs/a.log", format!("{LINE}\nodd\n\n"));
    home.write("logs/b.log", "");
    home.write("logs/c.log.gz", b"\x1f\x8b\x08\0\0\0\0\0");
    let server = serve(Simulator::new(patient()));
    let ran = home.run(&[
        "--parser",
        "squid",
        "--vt-url",
        &server.url(),
        "--out",
        "out",
        "logs",
    ]);
    assert_eq!(ran.status, Some(4), "{}", ran.stderr);
    let results = home.read("out/results.jsonl");
    let summary: Value = serde_json::from_str(results.lines().last().unwrap()).unwrap();
    assert_eq!(summary["type"], "summary");
    let inputs = summary["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 3);
    for input in inputs {
        let number = |name: &str| input[name].as_u64().unwrap();
        assert_eq!(
            number("lines"),
            number("records") + number("ignored") + number("rejected")
        );
    }
    assert_eq!(inputs[0]["lines"], 3);
    assert_eq!(inputs[1]["outcome"], "empty");
    assert_eq!(inputs[2]["outcome"], "skipped");
}

/// The component splits with vector instructions, which no native test runs:
/// fields of every length, at every place in a vector.
#[test]
fn fields_of_every_length_are_found() {
    let mut log = String::new();
    let mut expected = Vec::new();
    for padding in 0..18 {
        for length in 1..50 {
            let (blanks, path) = (" ".repeat(padding), "x".repeat(length));
            let url = format!("http://www.example.com/{path}");
            log.push_str(&format!(
                "1714564800.123 {blanks}161 10.0.0.5 TCP_MISS/200 4310 GET {url} {path} HIER_DIRECT/203.0.113.10 text/html\n"
            ));
            expected.push((url, path));
        }
    }
    let ran = extract(log.as_bytes());
    let rows: Vec<Value> = ran
        .stdout
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    assert_eq!(rows.len(), expected.len(), "{}", ran.stderr);
    for (row, (url, user)) in rows.iter().zip(expected) {
        assert_eq!((&row["value"], &row["user"]), (&url.into(), &user.into()));
    }
}
