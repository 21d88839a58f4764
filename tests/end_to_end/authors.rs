//! What authors see of their plugins: cases, reports and policies that fail.

use std::process::Command;

use serde_json::json;
use vthost_simulator::Simulator;

use crate::guests;
use crate::support::{Home, patient, serve};

/// Runs the hostile policy on five hosts with this word in their names. Returns standard error,
/// and the number of requests.
fn five_hosts(home: &Home, word: &str) -> (String, usize) {
    let policy = guests::build("policy-hostile").display().to_string();
    let hosts: String = (1..=5)
        .map(|n| format!("{word}.host{n}.example.com\n"))
        .collect();
    let list = home.write("list.txt", hosts);
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let ran = home.run(&[
        "--policy", &policy, "--rate", "1000/s", "--vt-url", &url, "--store", "s", "--out", "out",
        &list,
    ]);
    assert_eq!(ran.status, Some(3), "{}", ran.stderr);
    (ran.stderr, server.log().len())
}

#[test]
fn policy_that_always_fails_ends_the_run() {
    let home = Home::new();
    let (said, requests) = five_hosts(&home, "panic");
    let reason = "vthost: the policy failed 3 times in a row and is not called again; the last \
                  time: policy hostile@6.6.6 panicked: ";
    assert!(said.contains(reason), "{said}");
    assert!(
        said.contains("2 indicators are left; fix the policy, then resume with"),
        "{said}"
    );
    assert_eq!(requests, 3, "{said}");
    let policy = guests::build("policy-hostile").display().to_string();
    let args = [
        "judge", "--policy", &policy, "--store", "s", "--out", "again",
    ];
    let judged = home.run(&args);
    assert_eq!(judged.status, Some(3), "{}", judged.stderr);
    assert!(judged.stderr.contains(reason), "{}", judged.stderr);
}

#[test]
fn policy_that_fails_on_every_screening_asks_nothing() {
    let home = Home::new();
    let (said, requests) = five_hosts(&home, "screen");
    assert!(
        said.contains("the policy failed 3 times in a row"),
        "{said}"
    );
    assert_eq!(requests, 0, "{said}");
}

#[test]
fn looping_policy_costs_its_deadline_once() {
    let home = Home::new();
    let (said, requests) = five_hosts(&home, "loop");
    let reason = "failed 3 times in a row and is not called again; the last time: policy \
                  hostile@6.6.6 stopped: ran longer than 1 s";
    assert!(said.contains(reason), "{said}");
    assert_eq!(requests, 3, "{said}");
}

#[test]
fn report_that_is_none_is_refused() {
    let home = Home::new();
    let check = |report: serde_json::Value, args: &[&str], expected: &str| {
        home.write("report.json", report.to_string());
        let ran = home.run(&[&["plugin", "run", "strict", "report.json"], args].concat());
        assert_eq!(ran.status, Some(3), "{}", ran.stdout);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    };
    check(
        json!({"error": {"code": "NotFoundError"}}),
        &[],
        "no `last_analysis_stats`",
    );
    let stats = json!({"last_analysis_stats": {"malicious": 3}});
    check(
        json!({"data": {"type": "domain", "id": "www.example.net", "attributes": stats}}),
        &["--indicator", "www.example.com"],
        "the report is about `www.example.net` and not about `www.example.com`",
    );
}

#[test]
fn sample_report_can_be_judged() {
    let home = Home::new();
    for indicator in [
        "www.example.com",
        "192.0.2.1",
        "http://www.example.com/a?b=c",
    ] {
        let report = home.run(&["plugin", "report", indicator]);
        assert_eq!(report.status, Some(0), "{}", report.stderr);
        home.write("report.json", report.stdout);
        let args = [
            "plugin",
            "run",
            "strict",
            "report.json",
            "--indicator",
            indicator,
        ];
        let ran = home.run(&args);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        assert!(
            ran.stdout.contains("\"verdict\": \"bad\""),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn malformed_case_fails_alone() {
    let home = Home::new();
    let case = |expect: &str| {
        format!(
            r#"{{"indicator": "example.com", "report": {{"last_analysis_stats": {{"malicious": 1}}}} {expect}}}"#
        )
    };
    home.write("cases/1.json", "{");
    home.write("cases/2.json", case(r#", "expect": {"verdict": "bad"}"#));
    home.write("cases/3.json", case(""));
    home.write(
        "cases/4.json",
        r#"{"indicator": "example.com", "report": {}, "expect": {}}"#,
    );
    let ran = home.run(&["plugin", "test", "strict", "cases"]);
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
    for part in [
        "FAILED  case 1.json\n",
        "ok  case 2.json\n",
        "FAILED  case 3.json\n    it has no `expect`; write it, or create it with --update",
        "FAILED  case 4.json\n    this is not a report of VirusTotal",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    // A single case can be given, and its expectation filled in.
    let one = ["plugin", "test", "strict", "cases/3.json"];
    assert_eq!(home.run(&one).status, Some(1));
    assert_eq!(
        home.run(&[&one[..], &["--update"]].concat()).status,
        Some(0)
    );
    let filled: serde_json::Value = serde_json::from_str(&home.read("cases/3.json")).unwrap();
    assert_eq!(filled["expect"]["verdict"], "bad");
    assert_eq!(home.run(&one).status, Some(0));
}

#[test]
fn case_may_contain_relative_dates() {
    let home = Home::new();
    let case = json!({
        "indicator": "example.com",
        "sightings": {"count": 1, "first": "2d ago", "last": "1h ago"},
        "report": {
            "last_analysis_stats": {"malicious": 1},
            "last_analysis_date": "30d ago",
            "creation_date": "400 days ago"
        },
        "expect": {"verdict": "bad"}
    });
    home.write("cases/1.json", case.to_string());
    let ran = home.run(&["plugin", "test", "strict", "cases"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stdout);
    home.write(
        "cases/1.json",
        case.to_string().replace("30d ago", "last month"),
    );
    let ran = home.run(&["plugin", "test", "strict", "cases"]);
    let expected = "`last_analysis_date`: \"last month\" is not a time";
    assert!(ran.stdout.contains(expected), "{}", ran.stdout);
}

#[test]
fn settings_are_addressed_by_the_described_name() {
    let home = Home::new();
    let run = |config: &str| {
        let policies = ["judge", "--policy", "strict", "--policy", "threshold"];
        home.run(&[&policies[..], &["--policy-config", config, "--store", "s"]].concat())
    };
    let accepted = run("threshold:min_engines=3");
    assert_eq!(accepted.status, Some(0), "{}", accepted.stderr);
    let refused = run("treshold:min_engines=3");
    assert!(
        refused.stderr.contains("one of: strict, threshold"),
        "{}",
        refused.stderr
    );
    let refused = run("threshold:min_engine=3");
    assert!(refused.stderr.contains("; known: "), "{}", refused.stderr);
    assert!(refused.stderr.contains("min_engines"), "{}", refused.stderr);
}

#[test]
fn reasons_with_values_of_the_log_fail_the_test() {
    let home = Home::new();
    let parser = guests::build("parser-hostile").display().to_string();
    let check = |act: &str, expected: &str| {
        let config = format!("do={act}");
        let ran = home.run(&["plugin", "test", &parser, "--config", &config]);
        let check = "FAILED  gives reasons without values of the log\n    ";
        let expected = format!("{check}{expected}");
        assert!(ran.stdout.contains(&expected), "{}", ran.stdout);
    };
    check(
        "quoting-reason",
        "the reason `zq7marker7qz` contains a value of the log",
    );
    check(
        "empty-reason",
        "a line is ignored or rejected with an empty reason",
    );
}

#[test]
fn demo_reads_own_logs_and_answers_with_recent_dates() {
    let home = Home::new();
    let log = home.write("own.txt", "evil.example.org\n");
    let ran: std::process::Output = Command::output(&mut home.vthost(&["demo", &log])).unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let results = home.read("vthost-demo/results.jsonl");
    let indicators = results
        .lines()
        .filter(|row| row.contains("\"type\":\"indicator\""));
    assert_eq!(indicators.count(), 1, "{results}");
    assert!(results.contains("evil.example.org"), "{results}");
    // The simulator's date of reports elsewhere.
    assert!(!results.contains("2024-05-01"), "{results}");
}
