//! The same log twice is counted once.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{Home, Ran};

/// Lines of Squid's native log, with a host each.
fn lines(numbers: std::ops::Range<u32>) -> String {
    numbers.fold(String::new(), |mut lines, number| {
        writeln!(
            lines,
            "17145648{:02}.000     10 10.0.0.1 TCP_MISS/200 1 GET http://host{number}.example.com/ - \
             HIER_DIRECT/192.0.2.1 -",
            number % 100
        )
        .unwrap();
        lines
    })
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

/// Extracts, and checks that this many observations were printed and that nothing was lost.
fn extract(home: &Home, inputs: &[&str], observations: u32) -> Ran {
    let ran = home.run(&[&["extract"], inputs].concat());
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let printed = ran.stdout.lines().count();
    assert_eq!(printed, observations as usize, "{}", ran.stderr);
    ran
}

/// A small log, and one that is longer than what is compared by its lines alone.
const COUNTS: [u32; 2] = [20, 2_000];

#[test]
fn copies_of_a_log_are_left_out_and_named() {
    for count in COUNTS {
        let home = Home::new();
        let log = lines(0..count);
        home.write("logs/access.log", &log);
        home.write("logs/copy.log.gz", gzip(&log));
        std::fs::hard_link(home.path("logs/access.log"), home.path("logs/link.log")).unwrap();
        let ran = extract(&home, &["logs", "logs/access.log"], count);
        let copies = ran.stderr.matches("left out: a copy of logs/access.log");
        assert_eq!(copies.count(), 3, "{}", ran.stderr);
        extract(
            &home,
            &["--keep-duplicates", "logs", "logs/access.log"],
            4 * count,
        );
    }
}

#[test]
fn rotated_copy_that_a_log_contains_from_its_start_is_counted_once() {
    for count in COUNTS {
        let home = Home::new();
        home.write("a.log", lines(0..count));
        home.write("b.log", lines(0..count + 5));
        let ran = extract(&home, &["b.log", "a.log"], count + 5);
        assert!(
            ran.stderr.contains("a.log: left out: a copy of b.log"),
            "{}",
            ran.stderr
        );
        let ran = extract(&home, &["a.log", "b.log"], count + 5);
        let expected = format!(
            "{} lines = 5 records + {count} ignored + 0 rejected",
            count + 5
        );
        assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
        let expected = format!("{count} of the ignored are a copy of a.log");
        assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
    }
}

#[test]
fn copies_in_archives_are_left_out() {
    for count in COUNTS {
        let home = Home::new();
        let (log, longer) = (lines(0..count), lines(0..count + 5));
        let members: [(&str, &[u8]); 3] = [
            ("a.log", log.as_bytes()),
            ("b.log.gz", &gzip(&log)),
            ("longer.log", longer.as_bytes()),
        ];
        home.write("logs.tar", tar(&members));
        home.write("z.log", &longer);
        let ran = extract(&home, &["logs.tar", "z.log"], count + 5);
        let expected = "logs.tar/b.log.gz: left out: a copy of logs.tar/a.log";
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        let expected = "z.log: left out: a copy of logs.tar/longer.log";
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        extract(&home, &["z.log", "logs.tar"], count + 5);
    }
}

#[test]
fn logs_that_only_begin_alike_are_both_read() {
    let home = Home::new();
    let log = lines(0..2_000);
    home.write("a.log", format!("{log}{}", lines(3_000..3_010)));
    home.write("b.log", format!("{log}{}", lines(4_000..4_010)));
    extract(&home, &["a.log", "b.log"], 4_020);
}

#[test]
fn parser_that_needs_the_first_lines_gets_them() {
    let home = Home::new();
    let head = "#Software: SGOS 6.7.5.3\n#Version: 1.0\n\
        #Fields: date time c-ip cs-method cs-uri-scheme cs-host cs-uri-path sc-status\n";
    let row = |number: u32| {
        format!("2024-05-01 12:00:{number:02} 10.0.0.1 GET http host{number}.example.com /a 200\n")
    };
    let rows = |count| (0..count).map(row).collect::<String>();
    home.write("a.log", format!("{head}{}", rows(10)));
    home.write("b.log", format!("{head}{}", rows(15)));
    let arguments = ["--parser", "w3c", "a.log", "b.log"];
    let ran = home.run(&[&["extract"], &arguments[..]].concat());
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 15, "{}", ran.stderr);
}

#[test]
fn results_name_what_was_left_out() {
    let home = Home::new();
    home.write("a.log", lines(0..3));
    home.write("b.log", lines(0..3));
    let ran = home.run(&["judge", "--out", "out", "a.log", "b.log"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let results = home.read("out/results.jsonl");
    let summary: serde_json::Value = serde_json::from_str(results.lines().last().unwrap()).unwrap();
    assert_eq!(summary["inputs"][1]["outcome"], "copy");
    assert_eq!(summary["inputs"][1]["copy_of"], "a.log");
}

#[test]
fn link_in_a_directory_is_passed_over_with_a_word() {
    let home = Home::new();
    home.write("logs/a.log", lines(0..3));
    #[cfg(unix)]
    std::os::unix::fs::symlink("a.log", home.path("logs/current")).unwrap();
    let ran = extract(&home, &["logs"], 3);
    #[cfg(unix)]
    assert!(
        ran.stderr
            .contains("logs/current: passed over: a symbolic link"),
        "{}",
        ran.stderr
    );
    drop(ran);
}
