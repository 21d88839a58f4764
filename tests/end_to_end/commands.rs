//! The commands as users type them.

use serde_json::Value;
use vthost_simulator::{DEMO_KEY, Logged, Server, Simulator, Stats};

use crate::support::{Home, patient, serve};

const LOG: &str = "\
1714564800.123    161 10.0.0.5 TCP_MISS/200 4310 GET http://www.example.com/a - HIER_DIRECT/203.0.113.10 text/html
1714564801.000    161 10.0.0.6 TCP_MISS/200 4310 GET http://www.example.com/a - HIER_DIRECT/203.0.113.10 text/html
1714564802.000     12 10.0.0.6 TCP_DENIED/403 0 CONNECT weak.example.net:443 - HIER_NONE/- -
1714564803.000    161 10.0.0.5 TCP_MISS/200 4310 GET http://evil.example.org/x - HIER_DIRECT/203.0.113.11 text/html
";

/// A server on which one engine reports weak.example.net as malicious.
fn server() -> Server {
    let mut simulator = Simulator::new(patient());
    let one = Stats {
        harmless: 69,
        malicious: 1,
        ..Stats::CLEAN
    };
    simulator.know("weak.example.net", one);
    serve(simulator)
}

fn rows(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn replaced_plugin_files_are_used_by_the_next_run() {
    let home = Home::new();
    let server = server();
    home.write("logs/access.log", LOG);
    let program = std::fs::read(env!("CARGO_BIN_EXE_vthost")).unwrap();
    assert_eq!(home.run(&["plugin", "export", "p"]).status, Some(0));
    let url = server.url();
    let run = |out: &str| {
        let args = [
            "--parser",
            "p/squid.wasm",
            "--policy",
            "p/strict.wasm",
            "--rate",
            "1000/s",
        ];
        let more = ["--vt-url", &url, "--out", out, "logs/"];
        home.run(&[args.as_slice(), more.as_slice()].concat())
    };
    assert_eq!(run("1").status, Some(0));
    assert_eq!(home.read("1/bad-domain.txt").lines().count(), 2);

    // Another policy under the same name, which does not accept one engine.
    std::fs::copy(home.path("p/threshold.wasm"), home.path("p/strict.wasm")).unwrap();
    assert_eq!(run("2").status, Some(0));
    let bad = home.read("2/bad-domain.txt");
    assert_eq!(bad.lines().count(), 1);
    assert!(bad.contains("http://evil.example.org/x"), "{bad}");

    // Another parser under the same name, which rejects these lines.
    std::fs::copy(home.path("p/list.wasm"), home.path("p/squid.wasm")).unwrap();
    let ran = run("3");
    assert!(
        ran.stderr
            .contains("list: 4 lines = 0 records + 0 ignored + 4 rejected"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        std::fs::read(env!("CARGO_BIN_EXE_vthost")).unwrap(),
        program
    );
}

#[test]
fn judge_applies_a_policy_to_stored_reports() {
    let home = Home::new();
    let server = server();
    let log = home.write("access.log", LOG);
    let url = server.url();
    let ran = home.run(&[
        "--rate", "1000/s", "--vt-url", &url, "--store", "s", "--out", "1", &log,
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_eq!(home.read("1/bad-domain.txt").lines().count(), 2);
    let asked = server.log().len();
    let judge = |more: &[&str]| {
        let args = [
            "judge",
            "--policy",
            "threshold",
            "--store",
            "s",
            "--out",
            "2",
        ];
        home.run(&[args.as_slice(), more].concat())
    };
    assert_eq!(judge(&[&log]).status, Some(0));
    assert_eq!(home.read("2/bad-domain.txt").lines().count(), 1);
    let clients = rows(&home.read("2/results.jsonl"));
    let bad = clients.iter().find(|row| row["verdict"] == "bad").unwrap();
    assert_eq!(bad["contacted_by"], serde_json::json!(["10.0.0.5"]));
    // Without logs: all stored indicators.
    assert_eq!(judge(&[]).status, Some(3), "results of other inputs");
    assert_eq!(judge(&["--force"]).status, Some(0));
    assert!(home.read("2/good-domain.txt").contains("weak.example.net"));
    assert_eq!(server.log().len(), asked, "no request");
}

#[test]
fn invalid_policy_settings_are_reported_before_the_run() {
    let home = Home::new();
    let log = home.write("access.log", LOG);
    let check = |config: &str, expected: &str| {
        let ran = home.run(&["--policy", "threshold", "--policy-config", config, &log]);
        assert_eq!(ran.status, Some(3));
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    };
    check("min_engine=2", "min_engine");
    check("min_engines=0", "`min_engines`");
    check("allow=[\"192.0.2.0/99\"]", "192.0.2.0/99");
}

#[test]
fn allowed_domains_are_not_looked_up() {
    let home = Home::new();
    let server = server();
    let log = home.write("access.log", LOG);
    let ran = home.run(&[
        "--policy",
        "threshold",
        "--policy-config",
        "allow=[\".example.com\", \".example.org\"]",
        "--vt-url",
        &server.url(),
        "--out",
        "out",
        &log,
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let paths: Vec<String> = server.log().into_iter().map(|logged| logged.path).collect();
    assert_eq!(paths, ["/api/v3/domains/weak.example.net"]);
    let unknown = home.read("out/unknown-domain.txt");
    assert!(
        unknown.contains("on the allow-list (.example.com)"),
        "{unknown}"
    );
}

#[test]
fn unique_rows_have_counts() {
    let home = Home::new();
    let log = home.write("access.log", LOG);
    let ran = home.run(&["extract", "--unique", &log]);
    let first = &rows(&ran.stdout)[0];
    let expected = serde_json::json!({
        "kind": "url", "value": "http://www.example.com/a", "count": 2,
        "first": "2024-05-01T12:00:00.123Z", "last": "2024-05-01T12:00:01Z",
        "clients": 2, "allowed": 2, "blocked": 0,
    });
    assert_eq!(first, &expected);
    let ran = home.run(&["extract", "--unique=host", &log]);
    let hosts = rows(&ran.stdout);
    assert_eq!(hosts.len(), 3);
    assert_eq!(hosts[0]["value"], "www.example.com");
    assert_eq!(
        (&hosts[1]["blocked"], &hosts[1]["kind"]),
        (&1.into(), &"domain".into())
    );
}

#[test]
fn sightings_above_the_memory_limit_give_the_same_rows() {
    let home = Home::new();
    let line = |number: u32| {
        let (client, site, page) = (number % 7, number % 50, number % 400);
        let url = match number % 3 {
            0 => format!("GET http://www{site}.example.com/{page}"),
            1 => format!("GET HTTP://WWW{site}.example.com/{page}"),
            _ => format!("CONNECT www{site}.example.com:443"),
        };
        format!(
            "1714564800.123    161 10.0.0.{client} TCP_MISS/200 4310 {url} - HIER_DIRECT/203.0.113.10 text/html\n"
        )
    };
    // Enough for many chunks.
    let log = home.write("access.log", (0..20_000).map(line).collect::<String>());
    for by in ["--unique=url", "--unique=host"] {
        let in_memory = home.run(&["extract", by, "--threads", "3", &log]);
        let on_disk = home.run(&["extract", by, "--threads", "3", "--max-memory", "0", &log]);
        assert!(rows(&in_memory.stdout).len() >= 50);
        assert_eq!(on_disk.stdout, in_memory.stdout);
        let (notice, rest) = on_disk.stderr.split_once('\n').unwrap();
        assert!(
            notice.contains("--max-memory") && notice.contains("TMPDIR"),
            "{notice}"
        );
        assert_eq!(rest, in_memory.stderr);
    }
}

#[test]
fn standard_input_is_read() {
    let home = Home::new();
    let mut child = home
        .vthost(&["extract", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), LOG.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let found = rows(std::str::from_utf8(&output.stdout).unwrap());
    assert_eq!(found.len(), 4);
    assert_eq!(found[0]["input"], "-");
}

#[test]
fn exit_status_depends_on_the_outcome() {
    let home = Home::new();
    let server = server();
    let url = server.url();
    let log = home.write("access.log", LOG);
    let check = |args: &[&str], expected: i32| {
        let ran = home.run(args);
        assert_eq!(ran.status, Some(expected), "{args:?}: {}", ran.stderr);
    };
    let (rate, at) = ("--rate=1000/s", "--vt-url");
    check(&[], 2);
    check(&["--rate", "often", &log], 2);
    check(&["--help"], 0);
    check(&["--parser", "no-such", &log], 3);
    check(&["--parser", "./no-such.wasm", &log], 3);
    check(&["--rescan", &log], 3);
    check(&[at, "http://vt.example.com", &log], 3);
    check(&[rate, at, &url, "--fail-on", "bad", &log], 1);
    check(&[rate, at, &url, "--force", &log, "missing.log"], 4);
    // Another case: its results are not replaced.
    let other = [rate, at, &url, "--per-day", "1", "--store", "day", &log];
    check(&other, 3);
    check(&[&other[..], &["--out", "day-out"]].concat(), 4);
    let keyless = home
        .vthost(&[&log])
        .env_remove("VT_API_KEY")
        .output()
        .unwrap();
    assert_eq!(keyless.status.code(), Some(3));
}

#[test]
fn quota_shows_what_is_used_and_left() {
    let home = Home::new();
    let server = server();
    let url = server.url();
    let log = home.write("access.log", LOG);
    home.run(&["--vt-url", &url, "--rate", "1000/s", "--store", "s", &log]);
    let ran = home.run(&[
        "quota",
        "--store",
        "s",
        "--vt-url",
        &url,
        "--vt-user",
        "demo",
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    // Requests about the user are free of charge.
    let charged = |logged: &Logged| !logged.path.starts_with("/api/v3/users/");
    let asked = server.log().iter().filter(|logged| charged(logged)).count();
    assert!(
        ran.stdout.contains(&format!("today: {asked} used")),
        "{}",
        ran.stdout
    );
    // A new ledger learns from VirusTotal what others have used.
    let args = ["quota", "--store", "other", "--vt-url", &url];
    let alone = home.run(&args);
    assert!(alone.stdout.contains("today: 0 used"), "{}", alone.stdout);
    let reconciled = home.run(&[&args[..], &["--vt-user", "demo"]].concat());
    assert!(
        reconciled.stdout.contains(&format!("today: {asked} used")),
        "{}",
        reconciled.stdout
    );
    let reserved = home.run(&[&args[..], &["--reserve", "100"]].concat());
    let left = format!("{} left", 400 - asked);
    assert!(reserved.stdout.contains(&left), "{}", reserved.stdout);
    assert!(!ran.stdout.contains(DEMO_KEY));
}

#[test]
fn demo_runs_without_key_and_network() {
    let home = Home::new();
    let output = home
        .vthost(&["demo"])
        .env_remove("VT_API_KEY")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.contains("17 indicators: 5 bad, 10 good, 2 unknown (2 internal)"),
        "{stderr}"
    );
    let readme = include_str!("../../README.md");
    let shown = readme.split("```text\n").nth(2).unwrap();
    for line in shown.split("```").next().unwrap().lines() {
        assert!(stderr.contains(line), "{line} is not in\n{stderr}");
    }
    let bad = home.read("vthost-demo/bad-domain.txt");
    assert_eq!(
        bad.lines()
            .filter(|line| line.contains("evil") || line.contains("malware"))
            .count(),
        4
    );
    let results = home.read("vthost-demo/results.jsonl");
    assert!(
        results.contains("\"contacted_by\":[\"10.0.1.15\",\"10.0.1.21\"]"),
        "{results}"
    );
}

#[test]
fn built_in_plugins_are_listed() {
    let ran = Home::new().run(&["plugin", "list"]);
    for name in [
        "parser list@",
        "parser squid@",
        "policy strict@",
        "policy threshold@",
    ] {
        assert!(ran.stdout.contains(name), "{}", ran.stdout);
    }
}

#[test]
fn policies_are_asked_in_their_order() {
    let home = Home::new();
    let server = server();
    let url = server.url();
    let list = home.write(
        "list.txt",
        "evil.example.com\nfine.example.com\nkept.example.org\n",
    );
    let run = |policies: &[&str]| {
        let args = [
            "--rate", "1000/s", "--vt-url", &url, "--store", "s", "--out", "out", "--force", &list,
        ];
        home.run(&[policies, &args].concat())
    };
    let skip = "threshold:allow=[\".example.org\"]";
    let ran = run(&[
        "--policy",
        "threshold",
        "--policy",
        "strict",
        "--policy-config",
        skip,
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let results = home.read("out/results.jsonl");
    assert!(results.contains("\"reason\":\"threshold: "), "{results}");
    assert!(
        results.contains("not asked by the policy: threshold: "),
        "{results}"
    );
    let digests = results
        .lines()
        .last()
        .unwrap()
        .matches("\"digest\":\"sha256:")
        .count();
    assert_eq!(digests, 3, "two policies and a parser: {results}");
    let unaddressed = run(&[
        "--policy",
        "strict",
        "--policy",
        "threshold",
        "--policy-config",
        "min_engines=3",
    ]);
    assert_eq!(unaddressed.status, Some(3));
    assert!(
        unaddressed.stderr.contains("NAME:KEY=VALUE"),
        "{}",
        unaddressed.stderr
    );
}

#[test]
fn plugin_with_another_digest_than_the_pinned_one_is_refused() {
    let home = Home::new();
    home.run(&["plugin", "export", "plugins"]);
    let log = home.write("access.log", LOG);
    home.write("vthost.toml", "[plugins]\n\"squid.wasm\" = \"sha256:00\"\n");
    let args = ["extract", "--parser", "plugins/squid.wasm", &log];
    let refused = home.run(&args);
    assert_eq!(refused.status, Some(3));
    assert!(
        refused.stderr.contains("the plugin was not run"),
        "{}",
        refused.stderr
    );
    assert!(refused.stdout.is_empty());
    let inspected = home
        .run(&["plugin", "inspect", "plugins/squid.wasm"])
        .stdout;
    let digest = inspected
        .lines()
        .find_map(|line| line.strip_prefix("digest: "))
        .unwrap();
    home.write(
        "vthost.toml",
        format!("[plugins]\n\"squid.wasm\" = \"{digest}\"\n"),
    );
    assert_eq!(home.run(&args).status, Some(0));
}
