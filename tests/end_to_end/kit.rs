//! The commands for plugin authors.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use vthost::plugin::digest_of;
use vthost_simulator::Simulator;

use crate::guests;
use crate::support::{Home, Ran, patient, print_time, serve};

/// Runs cargo in a new plugin's folder with the crates of this build, and returns the
/// path of the component.
fn build(home: &Home, name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("kit")
        .join(name);
    let cargo = |args: &[&str]| {
        let ran = Command::new(env!("CARGO"))
            .args(args)
            .arg("--offline")
            .current_dir(home.path(name))
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "cargo {args:?}: {stderr}");
        assert!(!stderr.contains("warning"), "cargo {args:?}: {stderr}");
    };
    cargo(&["test"]);
    cargo(&["build", "--release", "--target", "wasm32-wasip2"]);
    let file = format!("wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
    target.join(file)
}

/// A home with a new policy, and the path of its component. Built once.
fn new_policy() -> &'static (Home, String) {
    static MADE: OnceLock<(Home, String)> = OnceLock::new();
    MADE.get_or_init(|| {
        let home = Home::new();
        let started = Instant::now();
        let made = home.run(&["plugin", "new", "policy", "our-policy"]);
        assert_eq!(made.status, Some(0), "{}", made.stderr);
        let policy = build(&home, "our-policy").display().to_string();
        let tested = home.run(&["plugin", "test", &policy, "our-policy/cases"]);
        assert_eq!(tested.status, Some(0), "{}", tested.stdout);
        print_time("a policy in rust", started);
        (home, policy)
    })
}

#[test]
fn new_policy_is_built_and_tested() {
    let (home, policy) = new_policy();
    assert_eq!(
        home.run(&["plugin", "new", "policy", "our-policy"]).status,
        Some(3)
    );
    let tested = home.run(&[
        "plugin",
        "test",
        policy,
        "our-policy/cases",
        "--junit",
        "junit.xml",
    ]);
    assert_eq!(tested.status, Some(0), "{}", tested.stdout);
    assert!(
        tested.stdout.contains("ok  case phishing.json"),
        "{}",
        tested.stdout
    );
    assert!(home.read("junit.xml").contains("failures=\"0\""));

    let case = home
        .read("our-policy/cases/phishing.json")
        .replace("\"bad\"", "\"good\"");
    home.write("wrong/phishing.json", case);
    let failed = home.run(&["plugin", "test", policy, "wrong"]);
    assert_eq!(failed.status, Some(1));
    let difference =
        "FAILED  case phishing.json\n    - verdict: \"good\"\n    + verdict: \"bad\"\n";
    assert!(failed.stdout.contains(difference), "{}", failed.stdout);
    assert_eq!(
        home.run(&["plugin", "test", policy, "wrong", "--update"])
            .status,
        Some(0)
    );
    assert_eq!(
        home.run(&["plugin", "test", policy, "wrong"]).status,
        Some(0)
    );

    let checked = home.run(&["plugin", "check", policy, "strict"]);
    assert_eq!(checked.status, Some(0), "{}", checked.stdout);
    home.write(
        "report.json",
        r#"{"data":{"id":"x","attributes":{"last_analysis_stats":{"malicious":4}}}}"#,
    );
    let ran = home.run(&[
        "plugin",
        "run",
        policy,
        "report.json",
        "--config",
        "min_engines=5",
    ]);
    assert!(
        ran.stdout.contains("\"verdict\": \"good\""),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
}

#[test]
fn new_policy_is_used_and_explained() {
    let (_, policy) = new_policy();
    let home = Home::new();
    let server = serve(Simulator::new(patient()));
    let list = home.write("list.txt", "evil.example.com\nhost.example.net\n");
    let url = server.url();
    let main = home.run(&[
        "--policy",
        policy,
        "--policy-config",
        "own_domains=[\"example.net\"]",
        "--rate",
        "1000/s",
        "--vt-url",
        &url,
        "--store",
        "s",
        "--out",
        "out",
        &list,
    ]);
    assert_eq!(main.status, Some(0), "{}", main.stderr);
    assert!(home.read("out/bad-domain.txt").contains("evil.example.com"));
    assert!(home.read("out/unknown-domain.txt").contains("own domain"));
    assert_eq!(server.log().len(), 1);

    let explained = home.run(&[
        "explain",
        "evil.example.com",
        "--store",
        "s",
        "--policy",
        policy,
    ]);
    assert_eq!(explained.status, Some(0), "{}", explained.stderr);
    for part in [
        "report (exact): evil.example.com",
        "7 malicious, 1 suspicious",
        "policy our-policy@1.0.0 (sha256:",
        "bad: 8 engines",
        "registered at Example Registrar",
        "for comparison, not used:\n  policy threshold@",
    ] {
        assert!(
            explained.stdout.contains(part),
            "{part}: {}",
            explained.stdout
        );
    }
    let skipped = home.run(&[
        "explain",
        "evil.example.com",
        "--store",
        "s",
        "--policy",
        policy,
        "--policy-config",
        "own_domains=[\"example.com\"]",
    ]);
    let unknown = "unknown: not asked by the policy: own domain";
    assert!(skipped.stdout.contains(unknown), "{}", skipped.stdout);
    several_policies_are_explained(&home, policy);
    let nothing = home.run(&["explain", "other.example.com", "--store", "s"]);
    assert_eq!(nothing.status, Some(4));
}

/// `explain` prints each policy's judgement in the given order, with its own settings.
fn several_policies_are_explained(home: &Home, policy: &str) {
    let ran = home.run(&[
        "explain",
        "evil.example.com",
        "--store",
        "s",
        "--policy",
        policy,
        "--policy",
        "threshold",
        "--policy-config",
        "threshold:min_engines=50",
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let ours = ran.stdout.find("policy our-policy@1.0.0 (sha256:").unwrap();
    let built_in = ran.stdout.find("policy threshold@").unwrap();
    assert!(ours < built_in, "{}", ran.stdout);
    let (first, second) = ran.stdout.split_at(built_in);
    assert!(first.contains("bad: 8 engines"), "{first}");
    assert!(second.contains("\"min_engines\":50"), "{second}");
    assert!(second.contains("    good: "), "{second}");
    assert!(!ran.stdout.contains("for comparison"), "{}", ran.stdout);
}

#[test]
fn new_parser_is_built_tested_and_used() {
    let home = Home::new();
    let started = Instant::now();
    assert_eq!(
        home.run(&["plugin", "new", "parser", "our-parser"]).status,
        Some(0)
    );
    let parser = build(&home, "our-parser").display().to_string();
    let tested = home.run(&["plugin", "test", &parser, "our-parser/cases"]);
    assert_eq!(tested.status, Some(0), "{}", tested.stdout);
    print_time("a parser in rust", started);
    assert!(
        tested.stdout.contains("ok  case gateway.log"),
        "{}",
        tested.stdout
    );
    let log = "our-parser/cases/gateway.log";
    let ran = home.run(&["plugin", "run", &parser, log, "--limit", "1"]);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    let rejects = home.run(&["plugin", "run", &parser, log, "--rejects"]);
    assert!(
        rejects.stdout.contains("this is something else"),
        "{}",
        rejects.stdout
    );
    let bench = home.run(&["plugin", "bench", &parser, log]);
    measured(&bench, ["parser our-parser@1.0.0", "parser "], " ns/line; ");
    let extracted = home.run(&["extract", "--parser", &parser, log]);
    assert_eq!(extracted.status, Some(0), "{}", extracted.stderr);
    assert_eq!(extracted.stdout.lines().count(), 2);
    let digest = digest_of(&std::fs::read(&parser).unwrap());
    let parsed = format!("parsed by our-parser@1.0.0 (sha256:{digest})\n");
    assert!(extracted.stderr.contains(&parsed), "{}", extracted.stderr);
}

/// Checks that everything was measured for both plugins.
#[track_caller]
fn measured(bench: &Ran, names: [&str; 2], work: &str) {
    let said = format!("{}{}", bench.stdout, bench.stderr);
    assert_eq!(bench.stdout.lines().count(), 2, "{said}");
    for (line, name) in bench.stdout.lines().zip(names) {
        assert!(line.starts_with(name), "{said}");
        for part in [work, "compiled and loaded in ", "instantiated in "] {
            assert!(line.contains(part), "{part}: {said}");
        }
        let memory = line.rsplit(", ").next().unwrap();
        let mib: f64 = memory
            .strip_suffix(" MiB of memory")
            .unwrap()
            .parse()
            .unwrap();
        // A component has at least one page, and at most 256 MiB.
        assert!((0.05..=256.0).contains(&mib), "{said}");
    }
}

#[test]
fn new_policy_is_measured_against_the_built_in_one() {
    let (home, policy) = new_policy();
    let bench = home.run(&["plugin", "bench", policy]);
    let names = ["policy our-policy@1.0.0", "policy strict@"];
    measured(&bench, names, " µs/judgement of a report with ");
}

#[test]
fn report_is_read_from_standard_input() {
    let home = Home::new();
    let mut child = home
        .vthost(&["plugin", "run", "strict", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let report = br#"{"last_analysis_stats":{"malicious":1}}"#;
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, report).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["verdict"], "bad", "{said}");
    assert_eq!(said["screen"], "ask", "{said}");
}

#[test]
fn invalid_plugin_names_are_refused() {
    let home = Home::new();
    for name in ["../up", "Ours", "1st", ""] {
        assert_eq!(
            home.run(&["plugin", "new", "policy", name]).status,
            Some(3),
            "{name}"
        );
    }
}

#[test]
fn built_in_plugins_pass_the_common_checks() {
    let home = Home::new();
    let list = home.run(&["plugin", "list"]).stdout;
    let names = list
        .lines()
        .filter(|line| line.starts_with("parser ") || line.starts_with("policy "));
    let mut checked = 0;
    for name in names.filter_map(|line| line.split([' ', '@']).nth(1)) {
        let ran = home.run(&["plugin", "test", name]);
        assert_eq!(ran.status, Some(0), "{name}: {}", ran.stdout);
        checked += 1;
    }
    assert!(checked >= 20, "{checked}");
}

#[test]
fn faults_of_plugins_are_reported() {
    let home = Home::new();
    let hostile = guests::build("parser-hostile").display().to_string();
    let tested = home.run(&["plugin", "test", &hostile, "--config", "do=trap"]);
    assert_eq!(tested.status, Some(1));
    assert!(
        tested
            .stdout
            .contains("FAILED  handles random bytes\n    stopped: wasm trap"),
        "{}",
        tested.stdout
    );
    home.write("core.wasm", wat::parse_str("(module)").unwrap());
    let checked = home.run(&["plugin", "check", "core.wasm"]);
    assert_eq!(checked.status, Some(3));
    assert!(
        checked.stdout.contains("FAILED  core.wasm: "),
        "{}",
        checked.stdout
    );
    assert!(
        checked.stdout.contains("--target wasm32-wasip2"),
        "{}",
        checked.stdout
    );
    assert!(
        checked.stdout.contains("`vthost plugin componentize`"),
        "{}",
        checked.stdout
    );
    let inspected = home.run(&["plugin", "inspect", "squid", "--wit"]);
    for part in [
        "kind: parser",
        "contract: vthost:parser@0.1.0",
        "import: wasi:cli/stderr",
        "package vthost:parser@0.1.0;",
    ] {
        assert!(inspected.stdout.contains(part), "{part}");
    }
}
