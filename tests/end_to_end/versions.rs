//! Versions of the contracts. `tests/plugins/{policy,parser}-0.1` are plugins of version
//! 0.1 that use their own copy of the contract and no SDK.

use std::path::Path;

use crate::guests;
use crate::sandbox::{CONTRACT, load_error, policy_for};
use crate::support::Home;

/// A contract without its comments.
fn without_comments(wit: &str) -> String {
    let lines = wit.lines().map(|line| line.split("//").next().unwrap());
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

#[test]
fn contract_equals_the_copy_of_version_0_1() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for kind in ["policy", "parser"] {
        let read = |path: String| std::fs::read_to_string(root.join(path)).unwrap();
        let now = read(format!("wit/{kind}/0.1/{kind}.wit"));
        let then = read(format!("tests/plugins/{kind}-0.1/wit/{kind}.wit"));
        assert_eq!(without_comments(&now), without_comments(&then), "{kind}");
    }
}

#[test]
fn policy_of_version_0_1_runs() {
    let home = Home::new();
    let policy = guests::build("policy-0-1").display().to_string();
    let tested = home.run(&["plugin", "test", &policy]);
    assert_eq!(tested.status, Some(0), "{}", tested.stdout);
    let case = r#"{
        "indicator": "www.example.com", "sightings": { "count": 3 },
        "settings": { "a": 1 }, "now": 1735689600,
        "report": {
            "creation_date": 5, "tags": ["x", "y"], "last_analysis_stats": { "malicious": 2 },
            "last_analysis_results": { "A": { "category": "harmless" },
                "B": { "category": "malicious", "result": "phishing" } }
        },
        "expect": {
            "screen": "ask", "priority": 7, "verdict": "bad", "score": 99, "settles": true,
            "tags": ["of-0-1"],
            "reason": "{\"a\":1}|3|2|B malicious phishing A harmless  |Some(5)|x+y|1735689600"
        }
    }"#;
    home.write("cases/all.json", case);
    let tested = home.run(&["plugin", "test", &policy, "cases"]);
    assert_eq!(tested.status, Some(0), "{}", tested.stdout);
    let refused = home.run(&[
        "plugin",
        "run",
        &policy,
        "--config",
        "refuse=1",
        "cases/all.json",
    ]);
    assert!(refused.stderr.contains("as you wish"), "{}", refused.stderr);
}

#[test]
fn parser_of_version_0_1_runs() {
    let home = Home::new();
    let parser = guests::build("parser-0-1").display().to_string();
    home.write(
        "cases/names.log",
        "www.example.com\nno name\nwww.example.net",
    );
    home.write(
        "cases/names.jsonl",
        r#"{"input":"names.log","line":1,"kind":"domain","value":"www.example.com","client":"192.0.2.1","action":"allowed"}
{"input":"names.log","line":3,"kind":"domain","value":"www.example.net","client":"192.0.2.1","action":"allowed"}
{"lines":3,"records":2,"rejected":{"not a name":1}}
"#,
    );
    let tested = home.run(&["plugin", "test", &parser, "cases"]);
    assert_eq!(tested.status, Some(0), "{}", tested.stdout);
    assert!(tested.stdout.contains("ok  case names.log"));
}

/// A change of `wit/` without a new version would make plugins of 0.1 fail to load:
/// all types and names are compared.
#[test]
fn changed_contract_is_refused() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(CONTRACT.contains(from), "{from}");
        let said = load_error(&policy_for(&CONTRACT.replacen(from, to, 1)));
        assert!(said.starts_with(expected), "{to}: {said}");
    };
    check("score:", "score:", "`p.wasm` stopped: ");
    let refused = "`p.wasm` cannot be run: ";
    check("score:", "colour: string, score:", refused);
    check("licence: string", "license: string", refused);
    check("skip(string)", "skip(string), later", refused);
    check(
        "{ bad, good, unknown }",
        "{ bad, good, unknown, mixed }",
        refused,
    );
    check(
        "reputation: option<s32>",
        "reputation: option<s64>",
        refused,
    );
    check("tags: list<string>", "tags: list<u8>", refused);
}

/// The policy of 0.1 with another version in the names of its exports.
fn policy_of(home: &Home, version: &str) {
    const NAMED: &[u8] = b"vthost:policy/judging@";
    let mut bytes = std::fs::read(guests::build("policy-0-1")).unwrap();
    let places: Vec<usize> = (0..bytes.len() - NAMED.len())
        .filter(|place| bytes[*place..].starts_with(NAMED))
        .collect();
    assert!(!places.is_empty());
    for place in places {
        let start = place + NAMED.len();
        bytes[start..start + version.len()].copy_from_slice(version.as_bytes());
    }
    home.write("other.wasm", bytes);
}

#[test]
fn patch_versions_run_and_other_versions_are_refused() {
    let check = |version: &str, status: i32, expected: &str| {
        let home = Home::new();
        policy_of(&home, version);
        let ran = home.run(&["plugin", "check", "other.wasm"]);
        assert_eq!(ran.status, Some(status), "{version}: {}", ran.stdout);
        assert!(ran.stdout.contains(expected), "{version}: {}", ran.stdout);
    };
    let host = env!("CARGO_PKG_VERSION");
    check("0.1.0", 0, "ok  other.wasm: policy of-0-1@1.0.0");
    check("0.1.9", 0, "ok  other.wasm: policy of-0-1@1.0.0");
    check(
        "0.2.0",
        3,
        &format!(
            "was built for vthost:policy 0.2.0; this vthost ({host}) supports 0.1. Upgrade vthost, or rebuild the plugin for a supported version"
        ),
    );
    check("1.0.0", 3, "was built for vthost:policy 1.0.0");
    check(
        "0.0.9",
        3,
        "Rebuild the plugin with the vthost-plugin crate of this vthost",
    );
}
