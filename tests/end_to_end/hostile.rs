//! Plugins that misbehave. Each failure has its own message that names the plugin and
//! the input, and the run continues where it can.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use vthost::plugin::{
    CompileCache, Engine, InputInfo, LoadError, Parser, PluginKind, PluginLimits, PluginSettings,
    PluginSource, Policy,
};
use vthost_simulator::Simulator;

use crate::guests;
use crate::support::{Home, Ran, patient, serve};

/// The component of the hostile parser, built once.
fn hostile_parser() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| guests::build("parser-hostile"))
}

/// Runs the hostile parser with the misbehaviour `act` on one line.
fn run_hostile(act: &str) -> (Home, Ran) {
    let home = Home::new();
    let log = home.write("some.log", "a line\n");
    let parser = hostile_parser().display().to_string();
    let config = format!("do={act}");
    let ran = home.run(&[
        "extract",
        "--parser",
        &parser,
        "--parser-config",
        &config,
        &log,
    ]);
    (home, ran)
}

/// The error messages of the hostile parser, without the input's folder.
fn failure(act: &str) -> String {
    let (home, ran) = run_hostile(act);
    assert_eq!(ran.status, Some(4), "{act}: {}", ran.stderr);
    let folder = format!("{}/", home.path("").display()).replace("//", "/");
    let stderr = ran.stderr.replace(&folder, "");
    let lines = stderr
        .lines()
        .filter(|line| line.contains("parser hostile@6.6.6"));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_failure_has_its_own_message() {
    let check = |act: &str, expected: &str| assert_eq!(failure(act), expected, "{act}");
    check(
        "trap",
        "parser hostile@6.6.6 stopped: wasm trap: wasm `unreachable` instruction executed on some.log bytes 0..7",
    );
    check(
        "stack",
        "parser hostile@6.6.6 stopped: wasm trap: call stack exhausted on some.log bytes 0..7",
    );
    check(
        "line",
        "parser hostile@6.6.6 violated the contract: an observation on line 1 is outside the chunk of 1 lines. This is a bug in the plugin on some.log bytes 0..7",
    );
    check(
        "miscount",
        "parser hostile@6.6.6 violated the contract: it counted 2 lines (records, ignored and rejected) in a chunk of 1. This is a bug in the plugin on some.log bytes 0..7",
    );
    check(
        "miscount-ordered",
        "parser hostile@6.6.6 violated the contract: it counted 2 lines (records, ignored and rejected) in an input of 1. This is a bug in the plugin on some.log bytes 0..0",
    );
    check(
        "refuse",
        "parser hostile@6.6.6 refused: no more of this on some.log bytes 0..7",
    );
    check(
        "refuse-at-length",
        "parser hostile@6.6.6 violated the contract: an error message of 3145728 bytes; the limit is 65536. This is a bug in the plugin on some.log bytes 0..7",
    );
    check(
        "refuse-open",
        "some.log: not read: parser hostile@6.6.6 refused: this input smells",
    );
    check(
        "output",
        "parser hostile@6.6.6 returned an invalid value: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted on some.log bytes 0..7",
    );
}

#[test]
fn invalid_observation_rejects_only_its_line() {
    let invalid = [
        (
            "span",
            "the parser returned a span outside the chunk and its text",
        ),
        (
            "crossing-span",
            "the parser returned a span outside the chunk and its text",
        ),
        (
            "no-value",
            "the parser returned an observation without a value",
        ),
        (
            "time",
            "the parser returned a time outside the years 1 to 2199",
        ),
        (
            "year-9999",
            "the parser returned a time outside the years 1 to 2199",
        ),
        ("long-value", "the parser returned a value that is too long"),
    ];
    let parser = hostile_parser().display().to_string();
    for (act, reason) in invalid {
        let home = Home::new();
        let log = home.write("some.log", "a\nb\ncd\n");
        let config = format!("do={act}");
        let args = [
            "extract",
            "--parser",
            &parser,
            "--parser-config",
            &config,
            &log,
        ];
        let ran = home.run(&args);
        assert_eq!(ran.status, Some(0), "{act}: {}", ran.stderr);
        let expected = format!(
            "3 lines = 2 records + 0 ignored + 1 rejected\n  rejected 1: {reason} (line 1: a)\n"
        );
        assert!(ran.stderr.contains(&expected), "{act}: {}", ran.stderr);
        assert_eq!(ran.stdout.lines().count(), 2, "{act}");
    }
}

/// Values are checked when they become indicators.
#[test]
fn invalid_address_is_counted_and_not_extracted() {
    for unique in [&["extract"][..], &["extract", "--unique=url"]] {
        let home = Home::new();
        let log = home.write("some.log", "a\na\n");
        let parser = hostile_parser().display().to_string();
        let args = ["--parser", &parser, "--parser-config", "do=not-an-ip", &log];
        let ran = home.run(&[unique, &args].concat());
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        let counted = "2 lines = 2 records + 0 ignored + 0 rejected\n1 observation with an invalid value: not an address, such as `a`\n";
        assert!(ran.stderr.contains(counted), "{}", ran.stderr);
        assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
        assert!(ran.stdout.contains(r#""domain""#), "{}", ran.stdout);
    }
}

#[test]
fn spans_may_overlap() {
    let home = Home::new();
    let log = home.write("some.log", "http://www.example.com\n");
    let parser = hostile_parser().display().to_string();
    let args = ["--parser", &parser, "--parser-config", "do=overlap", &log];
    let ran = home.run(&[&["extract"][..], &args].concat());
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let seen = r#""client":"www.example.com","user":"http://www.example.com""#;
    let rows = [
        format!(r#""line":1,"kind":"url","value":"http://www.example.com/",{seen}"#),
        format!(r#""line":1,"kind":"domain","value":"www.example.com",{seen}"#),
    ];
    assert_eq!(ran.stdout.lines().count(), rows.len());
    for (row, expected) in ran.stdout.lines().zip(rows) {
        assert!(row.contains(&expected), "{row}");
    }
}

#[test]
fn panic_message_is_shown() {
    let said = failure("panic");
    let begins = "parser hostile@6.6.6 panicked: ";
    assert!(said.starts_with(begins), "{said}");
    assert!(said.contains("the moon is in the wrong phase"), "{said}");
}

#[test]
fn memory_and_time_are_limited() {
    let said = failure("memory");
    assert!(
        said.contains("stopped: requested ") && said.contains("the limit is 256 MiB"),
        "{said}"
    );
    let said = failure("loop");
    assert_eq!(
        said,
        "parser hostile@6.6.6 stopped: ran longer than 5 s on some.log bytes 0..7"
    );
}

#[test]
fn failure_rejects_only_its_chunk() {
    let engine = Engine::new(PluginLimits::default(), CompileCache::Off).unwrap();
    let parser = load(&engine, "trap");
    let mut session = parser.open(&input()).unwrap();
    assert!(session.parse(b"odd\n", 1).is_err());
    assert!(
        session.parse(b"fine\n", 1).is_err(),
        "the instance must not be used again"
    );
    let mut session = parser.open(&input()).unwrap();
    assert_eq!(session.parse(b"fine\n", 1).unwrap().records, 1);
}

#[test]
fn run_continues_with_the_next_input() {
    let home = Home::new();
    let bad = home.write("logs/1.log", "a line\n");
    home.write("logs/2.log", "fine\nfine\n");
    let parser = hostile_parser().display().to_string();
    let logs = bad.trim_end_matches("1.log");
    let ran = home.run(&[
        "extract",
        "--parser",
        &parser,
        "--parser-config",
        "do=trap",
        logs,
    ]);
    assert_eq!(ran.status, Some(4));
    assert!(
        ran.stderr
            .contains("1.log: hostile: 1 lines = 0 records + 0 ignored + 1 rejected"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("2.log: hostile: 2 lines = 2 records + 0 ignored + 0 rejected"),
        "{}",
        ran.stderr
    );
}

#[test]
fn policy_failure_affects_only_its_indicator() {
    let home = Home::new();
    let names = "before\npanic\nloop\nscore\nreason\ntags\nlongtag\nscreen\nskip\nafter\n";
    let list = home.write("list.txt", names.replace('\n', ".example.com\n"));
    let policy = guests::build("policy-hostile").display().to_string();
    let server = serve(Simulator::new(patient()));
    let ran = home.run(&[
        "--policy",
        &policy,
        "--rate",
        "1000/s",
        "--vt-url",
        &server.url(),
        "--out",
        "out",
        &list,
    ]);
    assert_eq!(ran.status, Some(4), "{}", ran.stderr);
    let good = home.read("out/good-domain.txt");
    let good: Vec<&str> = good
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    assert_eq!(good, ["before.example.com", "after.example.com"]);
    let unknown = home.read("out/unknown-domain.txt");
    let check = |name: &str, expected: &str| {
        let line = unknown.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.contains("policy hostile@6.6.6"), "{line}");
        assert!(line.contains(expected), "{line}");
    };
    check("panic.example.com", "the moon is in the wrong phase");
    check("loop.example.com", "stopped: ran longer than 5 s");
    check(
        "score.example.com",
        "violated the contract: the score 101 is above 100",
    );
    check(
        "reason.example.com",
        "violated the contract: a reason of 1048576 bytes",
    );
    check(
        "tags.example.com",
        "violated the contract: 65 tags; the limit is 64",
    );
    check(
        "longtag.example.com",
        "violated the contract: a tag of 257 bytes; the limit is 256",
    );
    check(
        "skip.example.com",
        "violated the contract: a reason of 1048576 bytes",
    );
    check("screen.example.com", "I do not like this name");
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_a_looping_plugin() {
    let home = Home::new();
    let log = home.write("some.log", "a line\n");
    let parser = hostile_parser().display().to_string();
    let mut child = home
        .vthost(&[
            "extract",
            "--parser",
            &parser,
            "--parser-config",
            "do=loop",
            &log,
        ])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // A signal before the handler is installed ends the program, too.
    let status = loop {
        let pid = child.id().to_string();
        let _ = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status();
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::yield_now();
    };
    // If the plugin ran to its deadline, the status would be 4.
    let by_signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert!(
        status.code() == Some(130) || by_signal == Some(2),
        "{status:?}"
    );
}

#[test]
fn interrupt_ends_a_looping_plugin() {
    let engine = Engine::new(PluginLimits::default(), CompileCache::Off).unwrap();
    let parser = load(&engine, "loop");
    let mut session = parser.open(&input()).unwrap();
    engine.interrupt().raise();
    assert_eq!(
        session.parse(b"odd\n", 1).unwrap_err(),
        vthost::plugin::Stop::Interrupted
    );
}

fn input() -> InputInfo {
    InputInfo {
        name: "x".into(),
        head: Vec::new(),
        utc_offset_minutes: 0,
        reference_time_us: 0,
    }
}

fn load(engine: &Engine, act: &str) -> Parser {
    let mut settings = serde_json::Map::new();
    settings.insert("do".into(), act.into());
    let source = PluginSource::File(hostile_parser().to_owned());
    Parser::load(engine, &source, &PluginSettings(settings)).unwrap()
}

/// A component that only imports and exports instances with these names, for checks
/// that do not run it.
fn component(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let imports = imports
        .iter()
        .map(|name| format!("(import \"{name}\" (instance))"));
    let exports = exports
        .iter()
        .map(|name| format!("(export \"{name}\" (instance $none))"));
    let text = format!(
        "(component {} (instance $none) {})",
        imports.collect::<String>(),
        exports.collect::<String>()
    );
    wat::parse_str(text).unwrap()
}

const PARSER: &str = "vthost:parser/parsing@0.1.0";

/// The error of loading a file with these bytes, without its folder.
fn refusal(bytes: &[u8], kind: PluginKind) -> String {
    let home = Home::new();
    let path = home.write("p.wasm", bytes);
    let engine = Engine::new(PluginLimits::default(), CompileCache::Off).unwrap();
    let (source, settings) = (PluginSource::named(&path), PluginSettings::default());
    let error: LoadError = match kind {
        PluginKind::Parser => Parser::load(&engine, &source, &settings).err().unwrap(),
        PluginKind::Policy => Policy::load(&engine, &source, &settings).err().unwrap(),
    };
    error.to_string().replace(&path, "p.wasm")
}

#[test]
fn files_that_are_not_plugins_are_refused() {
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(refusal(bytes, PluginKind::Parser), expected);
    };
    check(
        &wat::parse_str("(module)").unwrap(),
        "`p.wasm` is a core WebAssembly module; a plugin is a WebAssembly component. Make one of it with `vthost plugin componentize`, or in Rust build it with `--target wasm32-wasip2`",
    );
    check(
        b"",
        "`p.wasm` is empty; a plugin is a WebAssembly component. Copy or build it again",
    );
    check(
        b"(component)",
        "`p.wasm` is WebAssembly text; a plugin is a WebAssembly component. Convert it to a binary with `wasm-tools parse`",
    );
    check(
        b"#!/bin/sh\n",
        "`p.wasm` is not WebAssembly; a plugin is a WebAssembly component. Check that the path names the .wasm file",
    );
    check(
        &component(&[], &["acme:other/run@0.1.0"]),
        "`p.wasm` does not export vthost:parser; it exports acme:other/run@0.1.0. Is it a vthost parser?",
    );
    check(
        &component(&[], &["vthost:policy/judging@0.1.0"]),
        "`p.wasm` is a policy, not a parser. Use it with --policy",
    );
    check(
        &component(&[], &["vthost:parser/parsing@2.1.0"]),
        &format!(
            "`p.wasm` was built for vthost:parser 2.1.0; this vthost ({}) supports 0.1. Upgrade vthost, or rebuild the plugin for a supported version",
            env!("CARGO_PKG_VERSION")
        ),
    );
}

#[test]
fn forbidden_imports_are_refused_by_name() {
    let check = |import: &str, expected: &str| {
        let bytes = component(&["wasi:cli/environment@0.2.6", import], &[PARSER]);
        assert_eq!(refusal(&bytes, PluginKind::Parser), expected);
    };
    check(
        "wasi:sockets/tcp@0.2.6",
        "`p.wasm` imports the network (wasi:sockets/tcp@0.2.6), which plugins cannot use. Only the host sends requests to VirusTotal. If the code does not use sockets, remove the import: `--stub-wasi` of componentize-py and componentize-qjs does that",
    );
    check(
        "wasi:http/types@0.2.6",
        "`p.wasm` imports the network (wasi:http/types@0.2.6), which plugins cannot use. Only the host sends requests to VirusTotal. If the code does not use HTTP, remove the import: `--disable http fetch-event` of componentize-js does that",
    );
    check(
        "wasi:clocks/monotonic-clock@0.3.0",
        "`p.wasm` imports interfaces of WASI 0.3 (wasi:clocks/monotonic-clock@0.3.0), which plugins cannot use. This vthost runs components of WASI 0.2: build for `wasm32-wasip2`, with componentize-qjs use `--sync --stub-wasi`, with componentize-py `--stub-wasi`",
    );
    check(
        "acme:host/launch@1.0.0",
        "`p.wasm` imports interfaces that this host does not have (acme:host/launch@1.0.0), which plugins cannot use. A plugin can import wasi:io, wasi:cli, wasi:random, wasi:clocks and wasi:filesystem of WASI 0.2",
    );
}

#[test]
fn refusal_names_the_imported_function() {
    let text = format!(
        r#"(component
            (import "wasi:sockets/udp@0.2.6" (instance (export "bind" (func))))
            (instance $none) (export "{PARSER}" (instance $none)))"#
    );
    let said = refusal(&wat::parse_str(text).unwrap(), PluginKind::Parser);
    assert!(said.contains("(wasi:sockets/udp@0.2.6: bind)"), "{said}");
}

/// All interfaces of WASI 0.2 that give access to something; [`crate::sandbox`] calls the
/// others.
#[test]
fn every_forbidden_wasi_interface_is_refused() {
    let forbidden = [
        (
            "http",
            &["incoming-handler", "outgoing-handler", "types"][..],
        ),
        (
            "sockets",
            &[
                "instance-network",
                "ip-name-lookup",
                "network",
                "tcp",
                "tcp-create-socket",
                "udp",
                "udp-create-socket",
            ],
        ),
    ];
    for (package, interfaces) in forbidden {
        for interface in interfaces {
            for version in ["0.2.0", "0.2.12", "0.3.0"] {
                let import = format!("wasi:{package}/{interface}@{version}");
                let said = refusal(&component(&[&import], &[PARSER]), PluginKind::Parser);
                let expected =
                    format!("`p.wasm` imports the network ({import}), which plugins cannot use.");
                assert!(said.starts_with(&expected), "{said}");
            }
        }
    }
}

#[test]
fn interfaces_of_wasi_0_3_are_refused() {
    for package in ["cli", "clocks", "filesystem", "io", "random"] {
        let import = format!("wasi:{package}/types@0.3.0");
        let said = refusal(&component(&[&import], &[PARSER]), PluginKind::Parser);
        let expected = format!(
            "`p.wasm` imports interfaces of WASI 0.3 ({import}), which plugins cannot use."
        );
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn asynchronous_abi_is_not_called_damaged() {
    let text = format!(
        r#"(component
            (core func $cancel (canon task.cancel))
            (instance $none) (export "{PARSER}" (instance $none)))"#
    );
    let said = refusal(&wat::parse_str(text).unwrap(), PluginKind::Parser);
    let expected =
        "`p.wasm` uses the asynchronous ABI of WASI 0.3, which this vthost does not run (";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains("componentize-qjs use `--sync`"), "{said}");
}

#[test]
fn component_with_other_types_is_refused() {
    let said = refusal(&component(&[], &[PARSER]), PluginKind::Parser);
    assert!(said.starts_with("`p.wasm` cannot be run: "), "{said}");
}

#[test]
fn truncated_plugin_is_refused() {
    let whole = std::fs::read(hostile_parser()).unwrap();
    let said = refusal(&whole[..whole.len() / 2], PluginKind::Parser);
    assert!(
        said.starts_with("`p.wasm` is not a valid component: "),
        "{said}"
    );
}

#[test]
fn precompiled_code_is_refused() {
    let engine = wasmtime::Engine::default();
    let code = engine
        .precompile_component(&component(&[], &[PARSER]))
        .unwrap();
    assert_eq!(
        refusal(&code, PluginKind::Parser),
        "`p.wasm` is precompiled machine code; a plugin is a WebAssembly component. Use the .wasm file: compiled code cannot be checked and is never accepted"
    );
}
