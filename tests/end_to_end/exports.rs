//! `vthost export`: each format with hostile values, checked by what reads it. A check whose
//! program is missing is skipped with a note, or fails in continuous integration.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use vthost::output::export::ExportFormat;

use crate::hostile_values::{indicators, texts};
use crate::python;
use crate::support::{Home, Ran};

/// A row of `results.jsonl` for a bad indicator with these texts in its other fields.
fn row(kind: &str, value: &str, text: &str) -> Value {
    json!({
        "type": "indicator", "verdict": "bad", "cause": "judged", "reason": text,
        "tags": [text], "score": 90, "scope": "exact", "subject": value,
        "stats": {"harmless": 60, "malicious": 12, "suspicious": 1, "undetected": 20, "timeout": 0},
        "analysed": "2024-05-01T12:00:00Z", "kind": kind, "value": value, "count": 3,
        "first": "2024-05-01T10:00:00.123456Z", "last": "2024-05-01T11:00:00Z", "clients": 2,
        "allowed": 2, "blocked": 1, "written": text, "contacted_by": ["10.0.0.5", text],
        "first_input": "logs/access.log", "first_line": 7,
    })
}

/// Results with every hostile value, a good and an unknown host, and the summary.
fn results() -> String {
    let texts = texts();
    let mut rows: Vec<Value> = indicators()
        .iter()
        .zip(texts.iter().cycle())
        .map(|((kind, value), text)| row(kind, value, text))
        .collect();
    for (number, text) in texts.iter().enumerate() {
        rows.push(row("domain", &format!("text-{number}.example.net"), text));
    }
    for (verdict, name) in [
        ("good", "good.example.org"),
        ("unknown", "unknown.example.org"),
    ] {
        let mut row = row("domain", name, "");
        row["verdict"] = verdict.into();
        rows.push(row);
    }
    rows.push(json!({
        "type": "summary", "schema": 2, "vthost": "0.1.0", "bad": 0, "good": 0, "unknown": 0,
        "unknown_by": {}, "with_secrets": 0, "not_read": [], "not_indicators": [],
        "inputs": [{
            "input": "logs/access.log", "outcome": "read", "lines": 9, "records": 9,
            "ignored": 0, "rejected": 0, "observations": 9,
        }],
    }));
    rows.iter().map(|row| format!("{row}\n")).collect()
}

fn exported(home: &Home, format: &str, more: &[&str]) -> Ran {
    let args = ["export", "--format", format, "results.jsonl"];
    let ran = home.run(&[args.as_slice(), more].concat());
    assert_eq!(ran.status, Some(0), "{format}: {}", ran.stderr);
    ran
}

fn home_with_results() -> Home {
    let home = Home::new();
    home.write("results.jsonl", results());
    home
}

#[test]
fn exports_are_the_same_bytes_each_time_and_contain_only_what_is_bad() {
    let home = home_with_results();
    for (_, name, _) in ExportFormat::ALL {
        let first = exported(&home, name, &[]);
        for _ in 0..2 {
            assert!(exported(&home, name, &[]).stdout == first.stdout, "{name}");
        }
        let has_all = name == "csv";
        for other in ["good.example.org", "unknown.example.org"] {
            assert_eq!(first.stdout.contains(other), has_all, "{name}: {other}");
        }
        // What a block list prints is safe for a terminal.
        assert!(!first.stderr.contains(['\u{1b}', '\u{202e}']), "{name}");
    }
}

#[test]
fn block_lists_list_what_they_leave_out() {
    let home = home_with_results();
    let ran = exported(&home, "squid", &[]);
    assert!(
        ran.stderr.contains("left out 3 values: an address"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("198.51.100.7"), "{}", ran.stderr);
    let ran = exported(&home, "rpz", &[]);
    assert!(
        ran.stderr.contains("left out 2 values: too long a name"),
        "{}",
        ran.stderr
    );
    // A shorter zone leaves room for the longer of the two names that are not the longest.
    let ran = exported(&home, "rpz", &["--rpz-zone", "rpz.test."]);
    assert!(
        ran.stderr.contains("left out 1 value: too long a name"),
        "{}",
        ran.stderr
    );
}

#[test]
fn existing_file_is_replaced_only_with_force() {
    let home = home_with_results();
    let run = |more: &[&str]| {
        let args = [
            "export",
            "--format",
            "plain",
            "--out",
            "list.txt",
            "results.jsonl",
        ];
        home.run(&[args.as_slice(), more].concat())
    };
    assert_eq!(run(&[]).status, Some(0));
    let list = home.read("list.txt");
    home.write("list.txt", "mine");
    let ran = run(&[]);
    assert_eq!(ran.status, Some(3));
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(home.read("list.txt"), "mine");
    assert_eq!(run(&["--force"]).status, Some(0));
    assert_eq!(home.read("list.txt"), list);
}

#[test]
fn byte_order_mark_precedes_a_table_on_demand() {
    let home = home_with_results();
    for format in ["csv", "affected"] {
        let plain = exported(&home, format, &[]).stdout;
        let marked = exported(&home, format, &["--csv-bom"]).stdout;
        assert!(marked == format!("\u{feff}{plain}"), "{format}");
    }
}

#[test]
fn timeline_has_a_row_for_each_given_contact() {
    let home = home_with_results();
    let contact = |time: &str| {
        let mut row = json!({
            "input": "logs/access.log", "line": 7, "kind": "domain", "value": "bad.example.com",
            "client": "10.0.0.5", "user": "taro", "time": time, "action": "allowed", "text": "raw",
        });
        if time.is_empty() {
            row.as_object_mut().unwrap().remove("time");
        }
        format!("{row}\n")
    };
    let contacts = ["2024-05-01T11:00:00+09:00", "2024-05-01T01:00:00Z", ""].map(contact);
    home.write("evidence.jsonl", contacts.concat());
    let ran = exported(&home, "timesketch", &["--evidence", "evidence.jsonl"]);
    let rows: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let times: Vec<&str> = rows
        .iter()
        .map(|row| row["datetime"].as_str().unwrap())
        .collect();
    assert_eq!(times, ["2024-05-01T01:00:00Z", "2024-05-01T11:00:00+09:00"]);
    assert_eq!(rows[0]["user"], "taro");
    assert!(
        ran.stderr
            .contains("left out 1 value: a contact without a time"),
        "{}",
        ran.stderr
    );
}

#[test]
fn store_is_exported_by_its_policy() {
    let home = Home::new();
    let ran = home.run(&["export", "--format", "plain", "--store", "empty.sqlite"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn libraries_accept_each_format() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let Some(python) = python::with_packages(directory, "validators") else {
        return;
    };
    let home = home_with_results();
    for format in ["csv", "affected", "stix", "misp", "ocsf", "timesketch"] {
        let path = home.write(format, exported(&home, format, &[]).stdout);
        let output = Command::new(&python)
            .arg(python::scripts("validators").join("check.py"))
            .args([format, &path])
            .output()
            .unwrap();
        assert!(output.status.success(), "{format}: {}", text_of(&output));
    }
}

fn text_of(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}

/// Runs a program of the system. None, with a note, if it is missing outside of continuous
/// integration.
fn system_tool(name: &str, args: &[&str]) -> Option<Output> {
    let directories = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let mut paths = directories
        .iter()
        .map(|folder| Path::new(folder).join(name));
    let Some(path) = paths.find(|path| path.exists()) else {
        assert!(std::env::var_os("CI").is_none(), "{name} is missing");
        eprintln!("skipped, because {name} is missing");
        return None;
    };
    Some(Command::new(path).args(args).output().unwrap())
}

#[test]
fn squid_accepts_its_list() {
    let home = home_with_results();
    let list = home.write("bad.txt", exported(&home, "squid", &[]).stdout);
    let config = format!(
        "acl bad dstdomain \"{list}\"\nhttp_access deny bad\nhttp_access deny all\n\
         http_port 127.0.0.1:3128\nvisible_hostname test.example\n"
    );
    let config = home.write("squid.conf", config);
    let Some(output) = system_tool("squid", &["-k", "parse", "-f", &config]) else {
        return;
    };
    let text = text_of(&output);
    assert!(output.status.success(), "{text}");
    let complaints = ["FATAL", "ERROR", "WARNING"];
    assert!(!complaints.iter().any(|word| text.contains(word)), "{text}");
}

#[test]
fn bind_accepts_its_zone() {
    let home = home_with_results();
    let zone = exported(&home, "rpz", &[]).stdout;
    assert!(zone.lines().count() > 20);
    let file = home.write("rpz.zone", zone);
    let args = ["-i", "none", "-k", "ignore", "rpz.example.com", &file];
    if let Some(output) = system_tool("named-checkzone", &args) {
        assert!(output.status.success(), "{}", text_of(&output));
    }
}

#[test]
fn unbound_accepts_its_list() {
    let home = home_with_results();
    let list = home.write("bad.conf", exported(&home, "unbound", &[]).stdout);
    let config = format!("server:\n    chroot: \"\"\n    username: \"\"\ninclude: \"{list}\"\n");
    let config = home.write("unbound.conf", config);
    let Some(output) = system_tool("unbound-checkconf", &[&config]) else {
        return;
    };
    let text = text_of(&output);
    assert!(output.status.success(), "{text}");
    assert!(!text.contains("warning"), "{text}");
}
