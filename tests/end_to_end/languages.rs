//! Plugins in other languages: the commands in the README of a new plugin are run, and
//! the examples are built and used. If a language's tools are missing, its test is
//! skipped with a note; in continuous integration (`CI` is set) it fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use vthost_simulator::Simulator;

use crate::guests;
use crate::support::{Home, patient, print_time, serve};

/// The status of a script whose first command, which installs, fails.
const NO_TOOLS: i32 = 77;

/// The test for C's tools, which belong to the system and are not installed here.
const C_TOOLS: &str =
    "command -v make clang wasm-ld >/dev/null && test -e /usr/include/wasm32-wasi/stdlib.h";

/// The commands in a README: its first block of indented lines.
fn commands(readme: &str) -> Vec<&str> {
    let is_command = |line: &&str| line.starts_with("    ");
    let lines = readme.lines().skip_while(|line| !is_command(line));
    lines.take_while(is_command).map(str::trim).collect()
}

/// Runs the commands of the README in a folder with this vthost. Returns the output, or
/// none if the tools are missing.
fn follow(home: &Home, folder: &str) -> Option<String> {
    let readme = home.read(&format!("{folder}/README.md"));
    let commands = commands(&readme);
    let (first, rest) = commands.split_first().unwrap();
    let install = if first.starts_with("apt-get ") {
        C_TOOLS
    } else {
        first
    };
    let script = format!("set -e\n{install} || exit {NO_TOOLS}\n{}", rest.join("\n"));
    let ran = Command::new("bash")
        .args(["-c", &script])
        .current_dir(home.path(folder))
        .env("PATH", path_with_vthost(home))
        .env("XDG_CACHE_HOME", cache())
        .output()
        .unwrap();
    let (said, wrong) = (
        String::from_utf8_lossy(&ran.stdout).into_owned(),
        String::from_utf8_lossy(&ran.stderr),
    );
    if ran.status.code() == Some(NO_TOOLS) {
        assert!(std::env::var_os("CI").is_none(), "{wrong}");
        eprintln!("skipped, tools are missing: {install}: {wrong}");
        return None;
    }
    assert!(ran.status.success(), "{script}\n{said}\n{wrong}");
    Some(said)
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// The search path with this vthost before all else.
fn path_with_vthost(home: &Home) -> String {
    let bin = home.path("bin");
    if !bin.exists() {
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_vthost"), bin.join("vthost")).unwrap();
    }
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// Creates a plugin, runs the commands of its README, and returns the component's path.
fn new_plugin(home: &Home, kind: &str, lang: &str) -> Option<String> {
    let name = format!("our-{kind}");
    let started = Instant::now();
    let made = home.run(&["plugin", "new", kind, &name, "--lang", lang]);
    assert_eq!(made.status, Some(0), "{}", made.stderr);
    let said = follow(home, &name)?;
    print_time(&format!("a {kind} in {lang}"), started);
    assert!(said.contains("ok  case "), "{said}");
    assert!(said.contains(", 0 failed"), "{said}");
    let component = home.path(&name).join(format!("our_{kind}.wasm"));
    Some(component.display().to_string())
}

/// Uses a new policy for a run, and a new parser for a log.
fn create_build_and_use(lang: &str) {
    let home = Home::new();
    let Some(policy) = new_plugin(&home, "policy", lang) else {
        return;
    };
    let [evil, other] = decided(&home, &policy);
    assert_eq!((&*evil.0, &*other.0), ("bad", "good"));

    let parser = new_plugin(&home, "parser", lang).unwrap();
    let log = "our-parser/cases/gateway.log";
    let read = home.run(&["extract", "--parser", &parser, log]);
    assert_eq!(read.status, Some(0), "{}", read.stderr);
    let expected = "4 lines = 2 records + 1 ignored + 1 rejected";
    assert!(read.stderr.contains(expected), "{}", read.stderr);
}

#[test]
fn python_plugins_are_created_built_and_used() {
    create_build_and_use("python");
}

#[test]
fn javascript_plugins_are_created_built_and_used() {
    create_build_and_use("js");
}

#[test]
fn c_plugins_are_created_built_and_used() {
    create_build_and_use("c");
}

/// Copies a folder of the repository to the same place in a home.
fn copy(home: &Home, folder: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().display());
        if entry.path().is_dir() {
            copy(home, &name);
        } else {
            home.write(&name, std::fs::read(entry.path()).unwrap());
        }
    }
}

/// Builds an example and tests it against its cases, as its README describes.
fn example(lang: &str, file: &str) -> Option<(Home, String)> {
    let home = Home::new();
    let folder = format!("plugins/examples/{lang}");
    copy(&home, &folder);
    copy(&home, "wit");
    let said = follow(&home, &folder)?;
    assert!(said.contains("ok  case "), "{said}");
    assert!(said.contains(", 0 failed"), "{said}");
    let component = home.path(&folder).join(file).display().to_string();
    Some((home, component))
}

/// Runs a policy on two names. Returns the verdict and the reason for the name that
/// eight engines call bad, and for the name that none does.
fn decided(home: &Home, policy: &str) -> [(String, String); 2] {
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let names = ["evil.example.net", "other.example.net"];
    let list = home.write("list.txt", names.join("\n"));
    let args = [
        "--policy", policy, "--rate", "1000/s", "--vt-url", &url, "--store", "s", "--out", "out",
        &list,
    ];
    let ran = home.run(&args);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let results = home.read("out/results.jsonl");
    let rows: Vec<serde_json::Value> = results
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    names.map(|name| {
        let row = rows.iter().find(|row| row["value"] == name);
        let row = row.unwrap_or_else(|| panic!("{name}: {results}"));
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        (text("verdict"), text("reason"))
    })
}

#[test]
fn rust_example_passes_its_cases() {
    let policy = guests::build("policy-newcomer").display().to_string();
    let home = Home::new();
    copy(&home, "plugins/examples/rust/cases");
    let tested = home.run(&["plugin", "test", &policy, "plugins/examples/rust/cases"]);
    assert_eq!(tested.status, Some(0), "{}", tested.stdout);
    assert!(tested.stdout.contains("ok  case newcomer.json"));
    let [evil, other] = decided(&home, &policy);
    assert_eq!(evil.0, "bad");
    assert!(evil.1.starts_with("8 engines: "), "{}", evil.1);
    assert_eq!(other, ("good".into(), "0 engines, 3 needed".into()));
}

#[test]
fn python_example_counts_families() {
    let Some((home, policy)) = example("python", "independent.wasm") else {
        return;
    };
    let report = r#"{ "last_analysis_stats": { "malicious": 2 }, "last_analysis_results": {
        "A": { "category": "malicious" }, "B": { "category": "malicious" } } }"#;
    home.write("report.json", report);
    let families = r#"families={"one": ["A", "B"]}"#;
    let args = [
        "plugin",
        "run",
        &policy,
        "report.json",
        "--config",
        families,
    ];
    let ran = home.run(&args);
    let expected = "1 families of engines: one";
    assert!(
        ran.stdout.contains(expected),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
    let [evil, other] = decided(&home, &policy);
    let eight = "8 families of engines: BitDefender, ESET, Fortinet, Google Safebrowsing, \
                 Kaspersky, Netcraft, OpenPhish, Sophos";
    assert_eq!(evil, ("bad".into(), eight.into()));
    let none = "0 families of engines: none";
    assert_eq!(other, ("good".into(), none.into()));
}

#[test]
fn javascript_example_precedes_another_policy() {
    let Some((home, policy)) = example("js", "allow_list.wasm") else {
        return;
    };
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let list = home.write("list.txt", "evil.example.net\nwww.example.com\n");
    let run = |domains: &str| {
        home.run(&[
            "--policy",
            &policy,
            "--policy",
            "strict",
            "--policy-config",
            &format!("allow-list:domains={domains}"),
            "--rate",
            "1000/s",
            "--vt-url",
            &url,
            "--store",
            "s",
            "--out",
            "out",
            &list,
        ])
    };
    let ran = run(r#"["example.com"]"#);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(home.read("out/bad-domain.txt").contains("evil.example.net"));
    let unknown = home.read("out/unknown-domain.txt");
    assert!(
        unknown.contains("on our allow-list (example.com)"),
        "{unknown}"
    );
    let refused = run(r#"[".example.com"]"#);
    assert_eq!(refused.status, Some(3));
    let words = "write `.example.com` in lower case and without a leading dot";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
}

#[test]
fn c_example_counts_votes() {
    let Some((home, policy)) = example("c", "crowd.wasm") else {
        return;
    };
    home.write(
        "report.json",
        r#"{ "total_votes": { "malicious": 5 }, "last_analysis_stats": { "harmless": 9 } }"#,
    );
    let ran = home.run(&["plugin", "run", &policy, "report.json"]);
    let expected = "0 engines, 5 votes against it and 0 for it";
    assert!(
        ran.stdout.contains(expected),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
    let [evil, other] = decided(&home, &policy);
    let engines = "8 engines, 0 votes against it and 0 for it";
    assert_eq!(evil, ("bad".into(), engines.into()));
    // There are no votes.
    let nobody = "0 engines, 0 votes against it and 0 for it";
    assert_eq!(other, ("unknown".into(), nobody.into()));
}
