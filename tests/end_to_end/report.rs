//! What a run reports beyond the verdicts: who contacted what is bad, and when.

use serde_json::{Value, json};
use vthost_simulator::Simulator;

use crate::support::{Home, patient, serve};

/// Three contacts with a bad host, by two clients, one of them without a user; one contact with
/// another host; and a line that is no record.
const LOG: &str = "\
1714564923.352   2210 10.0.1.15 TCP_MISS/200 418304 GET http://evil.example.org/a CORP%5Cjane HIER_DIRECT/203.0.113.170 text/html
1714564977.968      1 10.0.1.30 TCP_DENIED/403 3890 GET http://evil.example.org/a - HIER_NONE/- text/html
1714565001.000    100 10.0.1.30 TCP_MISS/200 3890 GET http://www.example.com/ - HIER_DIRECT/203.0.113.19 text/html
1714565089.076     29 10.0.1.15 TCP_MISS/200 77 GET http://EVIL.example.org/a CORP%5Cjane HIER_DIRECT/203.0.113.56 -
not a record
";

fn run(home: &Home, log: &str) -> Vec<Value> {
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let args = ["--rate", "1000/s", "--vt-url", &url, "--out", "out", log];
    let ran = home.run(&args);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let results = home.read("out/results.jsonl");
    let rows = results.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn results_show_who_contacted_what_is_bad() {
    let home = Home::new();
    let log = home.write("access.log", LOG);
    let rows = run(&home, &log);
    let bad = rows.iter().find(|row| row["verdict"] == "bad").unwrap();
    assert_eq!(bad["value"], "http://evil.example.org/a");
    let expected = json!([
        {
            "client": "10.0.1.15", "user": "CORP\\jane",
            "count": 2, "allowed": 2, "blocked": 0,
            "first": "2024-05-01T12:02:03.352Z", "last": "2024-05-01T12:04:49.076Z",
        },
        {
            "client": "10.0.1.30",
            "count": 1, "allowed": 0, "blocked": 1,
            "first": "2024-05-01T12:02:57.968Z", "last": "2024-05-01T12:02:57.968Z",
        },
    ]);
    assert_eq!(bad["contacts"], expected);
    let lines: Vec<&str> = LOG.lines().collect();
    let sample = |number: usize| json!({"input": log, "line": number, "text": lines[number - 1]});
    assert_eq!(bad["samples"], json!([sample(1), sample(2), sample(4)]));
    assert_eq!(bad["engines"][0]["category"], "malicious");
    let good = rows.iter().find(|row| row["verdict"] == "good").unwrap();
    assert_eq!(good.get("contacts"), None);
}

#[test]
fn results_describe_each_input_and_the_timeline() {
    let home = Home::new();
    let log = home.write("access.log", LOG);
    let rows = run(&home, &log);
    let summary = rows.last().unwrap();
    let input = &summary["inputs"][0];
    assert_eq!(input["bytes"], LOG.len());
    // SHA-256 by `sha256sum`.
    let digest = std::process::Command::new("sha256sum").arg(&log).output();
    if let Ok(digest) = digest {
        let digest = String::from_utf8(digest.stdout).unwrap();
        assert_eq!(input["sha256"], digest.split(' ').next().unwrap());
    }
    assert_eq!(input["first"], "2024-05-01T12:02:03.352Z");
    assert_eq!(input["last"], "2024-05-01T12:04:49.076Z");
    let rejected = input["rejected_samples"].as_object().unwrap();
    let samples: Vec<&Value> = rejected.values().collect();
    assert_eq!(samples, [&json!([{"line": 5, "text": "not a record"}])]);
    let timeline = &summary["timeline"];
    assert_eq!(timeline["start"], "2024-05-01T12:02:00Z");
    assert_eq!(timeline["step_seconds"], 5);
    let total = |verdict: &str| -> u64 {
        let counts = timeline[verdict].as_array().unwrap().iter();
        counts.map(|count| count.as_u64().unwrap()).sum()
    };
    assert_eq!((total("bad"), total("good"), total("unknown")), (3, 1, 0));
    assert_eq!(summary.get("not_traced"), None);
}
