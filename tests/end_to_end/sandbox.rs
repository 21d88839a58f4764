//! The limits of the sandbox: hand-made components, and guests that try every
//! interface that they can import.

use std::process::Stdio;

use vthost::plugin::{
    CompileCache, Engine, LoadError, PluginLimits, PluginSettings, PluginSource, Policy, survey,
};
use wasm_encoder::{
    ComponentAliasSection, ComponentExportKind, ComponentExportSection, ComponentInstanceSection,
    ComponentSectionId, InstanceSection, Module, ModuleSection, RawSection,
};
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::guests;
use crate::support::{Home, Ran};

pub(crate) const CONTRACT: &str = include_str!("../../wit/policy/0.1/policy.wit");
const JUDGING: &str = "vthost:policy/judging@0.1.0";

/// A policy that traps in every call. Its module contains `more` and a memory of this
/// many pages.
fn policy_with(more: &str, pages: u32) -> Vec<u8> {
    policy_of(&policy_text(more, pages, "unreachable"))
}

/// The text of a policy with this body of `describe`, whose other calls trap.
fn policy_text(more: &str, pages: u32, describe: &str) -> String {
    format!(
        r#"(module
            {more}
            (memory (export "memory") {pages})
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "{JUDGING}#describe") (result i32) {describe})
            (func (export "{JUDGING}#[static]session.open") (param i32 i32) (result i32) unreachable)
            (func (export "{JUDGING}#[method]session.screen")
                (param i32 i32 i32 i32 i32 i32 i64 i64 i64 i32 i64 i32 i64 i32) (result i32)
                unreachable)
            (func (export "{JUDGING}#[method]session.judge") (param i32) (result i32) unreachable)
        )"#
    )
}

/// The component for a policy's module.
fn policy_of(text: &str) -> Vec<u8> {
    policy_under(CONTRACT, text)
}

/// A policy for this contract that traps in every call.
pub(crate) fn policy_for(contract: &str) -> Vec<u8> {
    policy_under(contract, &policy_text("", 1, "unreachable"))
}

fn policy_under(contract: &str, text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_source("policy.wit", contract).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default().module(&module).unwrap();
    encoder.encode().unwrap()
}

/// A policy whose description has these lengths: name, version, licence, summary and
/// schema.
fn policy_with_description(lengths: [u32; 5]) -> Vec<u8> {
    let fields = lengths.map(|length| [0, length]).concat();
    let record: String = fields
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let data = format!(r#"(data (i32.const 1048576) "{record}")"#);
    let zeros = policy_text(&data, 17, "i32.const 1048576");
    policy_of(&zeros)
}

/// A policy in a component with this many more instances of an empty module.
fn policy_among(instances: u32) -> Vec<u8> {
    let policy = policy_with("", 1);
    let mut component = wasm_encoder::Component::new();
    component.section(&RawSection {
        id: ComponentSectionId::Component.into(),
        data: &policy,
    });
    component.section(&ModuleSection(&Module::new()));
    let mut nothing = InstanceSection::new();
    for _ in 0..instances {
        nothing.instantiate::<[(&str, wasm_encoder::ModuleArg); 0], &str>(0, []);
    }
    component.section(&nothing);
    let mut inner = ComponentInstanceSection::new();
    inner.instantiate::<[(&str, ComponentExportKind, u32); 0], &str>(0, []);
    component.section(&inner);
    let mut judging = ComponentAliasSection::new();
    judging.alias(wasm_encoder::Alias::InstanceExport {
        instance: 0,
        kind: ComponentExportKind::Instance,
        name: JUDGING,
    });
    component.section(&judging);
    let mut exports = ComponentExportSection::new();
    exports.export(JUDGING, ComponentExportKind::Instance, 1, None);
    component.section(&exports);
    component.finish()
}

/// The error of loading a policy from these bytes.
pub(crate) fn load_error(bytes: &[u8]) -> String {
    let home = Home::new();
    let path = home.write("p.wasm", bytes);
    let engine = Engine::new(PluginLimits::default(), CompileCache::Off).unwrap();
    let source = PluginSource::named(&path);
    let loaded = Policy::load(&engine, &source, &PluginSettings::default());
    let error: LoadError = loaded.err().unwrap();
    error.to_string().replace(&path, "p.wasm")
}

#[test]
fn sums_of_memories_tables_and_instances_are_limited() {
    let check = |bytes: &[u8], expected: &str| assert_eq!(load_error(bytes), expected);
    let trap = "`p.wasm` stopped: wasm trap: wasm `unreachable` instruction executed";
    check(&policy_with("", 1), trap);
    check(&policy_with("", 4095), trap);
    check(
        &policy_with("", 4097),
        "`p.wasm` stopped: requested 257 MiB of memory; the limit is 256 MiB",
    );
    check(
        &policy_with("(memory 2400) (memory 2400)", 1),
        "`p.wasm` stopped: requested 300 MiB of memory; the limit is 256 MiB",
    );
    check(
        &policy_with("(table 60000 funcref) (table 60000 funcref)", 1),
        "`p.wasm` stopped: requested tables of 120000 functions; the limit is 100000",
    );
    check(&policy_among(10), trap);
    check(
        &policy_among(100),
        "`p.wasm` cannot be run: resource limit exceeded: instance count too high at 65",
    );
}

#[test]
fn descriptions_are_bounded() {
    let check = |lengths: [u32; 5], expected: &str| {
        let said = load_error(&policy_with_description(lengths));
        let expected =
            format!("`p.wasm` has an invalid description: {expected}. This is a bug in the plugin");
        assert_eq!(said, expected);
    };
    check([65, 5, 3, 9, 0], "a name of 65 bytes; the limit is 64");
    check(
        [1, 5, 3, 9, 0],
        "its name `\\0` must consist of a-z, 0-9 and -",
    );
}

#[test]
fn file_above_the_size_limit_is_refused() {
    let home = Home::new();
    let file = std::fs::File::create(home.path("p.wasm")).unwrap();
    file.set_len(129 << 20).unwrap();
    let ran = home.run(&["plugin", "check", "p.wasm"]);
    assert_eq!(ran.status, Some(3));
    let words = "`p.wasm` has 135266304 bytes; the limit is 134217728";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
}

/// Runs the hostile parser with the misbehaviour `act` on one line.
fn run_hostile(act: &str) -> Ran {
    let home = Home::new();
    let log = home.write("some.log", "a line\n");
    let parser = guests::build("parser-hostile").display().to_string();
    let config = format!("do={act}");
    let args = [
        "extract",
        "--parser",
        &parser,
        "--parser-config",
        &config,
        &log,
    ];
    let mut child = home
        .vthost(&args)
        .env("SECRET", "nobody sees this")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"nor this").unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn environment_arguments_and_input_are_empty() {
    let [once, twice] = [run_hostile("look"), run_hostile("look")].map(|ran| {
        let mut lines = ran.stderr.lines();
        let line = lines.find(|line| line.contains("I see")).unwrap();
        assert_eq!(ran.stdout, "", "standard output is discarded");
        line.split(" on /").next().unwrap().to_owned()
    });
    let nothing = "I see 0 arguments, 0 variables, no folder, 0 bytes of input";
    assert!(once.contains(nothing), "{once}");
    // Random numbers are the same in every run.
    assert_eq!(once, twice);
}

/// The interfaces of WASI 0.2 that a plugin can import, without their version.
const GRANTED: [&str; 20] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

#[test]
fn permitted_interfaces_give_access_to_nothing() {
    let hostile = guests::build("parser-hostile");
    let seen = survey(&PluginSource::File(hostile), &PluginLimits::default()).unwrap();
    let mut imports: Vec<&str> = seen
        .imports
        .iter()
        .map(|import| import.name.split('@').next().unwrap())
        .collect();
    imports.sort_unstable();
    assert_eq!(imports, GRANTED, "the guest must call all of them");

    let [once, twice] = [run_hostile("try-each"), run_hostile("try-each")].map(|ran| {
        assert_eq!(ran.stdout, "", "standard output is discarded");
        let mut lines = ran.stderr.lines();
        let line = lines.find(|line| line.contains("environment")).unwrap();
        line.split(" on /").next().unwrap().to_owned()
    });
    // Standard input is at its end, there is no terminal, and writing succeeds
    // although the output is discarded.
    let nothing = "refused: environment []; arguments []; folder None; stdin true; ready 3; \
                   stdout true; stderr true; terminals false false false; random [";
    assert!(once.contains(nothing), "{once}");
    // The seed is a constant of the host, and so are all numbers.
    assert!(once.contains("seed (7674686f7374, 0)"), "{once}");
    // Both clocks have a fixed time, 2025-01-01 and one second. There is no folder, so that
    // no file can be opened.
    let fixed = "clock Datetime { seconds: 1735689600, nanoseconds: 0 } 1000; \
                 ticks 1000000000 1000; folders 0; file false";
    assert!(once.contains(fixed), "{once}");
    assert_eq!(once, twice);
}

#[test]
fn waiting_ends_the_call_with_the_name_of_the_function() {
    let check = |act: &str, function: &str| {
        let ran = run_hostile(act);
        let words = format!(
            "stopped: it called `wasi:clocks/monotonic-clock#{function}`; plugins cannot wait, \
             because their clock does not advance. Remove the sleep or the timeout"
        );
        assert!(ran.stderr.contains(&words), "{act}: {}", ran.stderr);
    };
    check("wait", "subscribe-duration");
    check("wait-until", "subscribe-instant");
}

/// Runs the hostile policy on a sample report of this indicator.
fn judge_hostile(indicator: &str) -> Ran {
    let home = Home::new();
    let policy = guests::build("policy-hostile").display().to_string();
    home.write(
        "report.json",
        r#"{"last_analysis_stats":{"malicious":1,"harmless":70}}"#,
    );
    let args = [
        "plugin",
        "run",
        &policy,
        "report.json",
        "--indicator",
        indicator,
    ];
    home.run(&args)
}

#[test]
fn clock_has_the_same_time_in_every_run() {
    let [once, twice] = [(); 2].map(|()| judge_hostile("clock.example.com"));
    let fixed = "\"reason\": \"1735689600 s, 0ns\"";
    assert!(once.stdout.contains(fixed), "{}", once.stdout);
    assert_eq!((once.stdout, &once.stderr), (twice.stdout, &twice.stderr));
    let warning = "warning: it reads a clock, which always has the same time; a policy gets the \
                   time of the run as `now` of `judge`";
    assert!(once.stderr.contains(warning), "{}", once.stderr);
}

#[test]
fn sleeping_and_opening_a_file_end_the_call_with_advice() {
    let check = |indicator: &str, parts: &[&str]| {
        let ran = judge_hostile(indicator);
        assert_eq!(ran.status, Some(3), "{}", ran.stderr);
        for part in parts {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
    };
    check(
        "sleep.example.com",
        &["stopped: it called `wasi:clocks/monotonic-clock#subscribe-"],
    );
    check(
        "file.example.com",
        &[
            "the list of users",
            "Before that, it tries to open a file, and plugins have no files; pass data in the plugin's settings",
        ],
    );
}

#[test]
fn output_of_a_plugin_is_shown_to_its_author() {
    let ran = judge_hostile("print.example.com");
    for line in [
        "plugin prints: a word about print.example.com\n",
        "plugin prints: and an error\n",
    ] {
        assert!(ran.stderr.contains(line), "{}", ran.stderr);
    }
}

#[test]
fn large_requests_for_random_bytes_are_refused() {
    for act in ["draw", "draw-insecurely"] {
        let ran = run_hostile(act);
        let words = "requested len 1073741824 exceeds limit 65536";
        assert!(ran.stderr.contains(words), "{act}: {}", ran.stderr);
    }
}

#[test]
fn plugin_with_forbidden_imports_is_not_run() {
    let home = Home::new();
    let policy = guests::build("policy-nosy").display().to_string();
    let ran = home.run(&["plugin", "check", &policy]);
    assert_eq!(ran.status, Some(3));
    for part in ["the network", "wasi:sockets/tcp@", "start-connect"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

#[test]
fn standard_error_is_bounded() {
    let ran = run_hostile("chatter");
    assert!(ran.stderr.contains("the last words"), "{}", ran.stderr);
    assert!(ran.stderr.len() < 6_000, "{}", ran.stderr.len());
}

#[test]
fn handles_are_limited() {
    let ran = run_hostile("handles");
    let words = "store handle limit exceeded";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
}

/// The peak memory of a process in KiB; none after it has ended.
#[cfg(target_os = "linux")]
fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The documented memory limit for this many threads: a plugin's memory and its
/// result for each, and the host itself (docs/architecture.md).
#[cfg(target_os = "linux")]
const fn bound_mib(threads: u64) -> u64 {
    threads * (256 + 96) + 150
}

/// Runs the hostile parser in eight threads. Returns the result and the peak memory
/// of the program in MiB.
#[cfg(target_os = "linux")]
fn eight_threads(home: &Home, act: &str, logs: &str) -> (Ran, u64) {
    let parser = guests::build("parser-hostile").display().to_string();
    let config = format!("do={act}");
    let args = [
        "extract",
        "--threads",
        "8",
        "--parser",
        &parser,
        "--parser-config",
        &config,
        logs,
    ];
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| home.path(name));
    let mut child = home
        .vthost(&args)
        .stdout(std::fs::File::create(&stdout).unwrap())
        .stderr(std::fs::File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_kib(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::yield_now();
    };
    let ran = Ran {
        status: status.code(),
        stdout: home.read("stdout"),
        stderr: home.read("stderr"),
    };
    (ran, peak >> 10)
}

/// A log that is large enough for all threads.
#[cfg(target_os = "linux")]
fn eight_chunks() -> String {
    let line = "a line that is as long as lines of logs are, more or less, in the mean\n";
    line.repeat((8 << 20) / line.len())
}

#[test]
#[cfg(target_os = "linux")]
fn eight_plugins_at_their_limits_stay_within_the_memory_bound() {
    // The first returns nothing.
    let acts = [
        ("hold", 8 * 240, 8 * 256 + 150),
        ("hold-and-output", 4 * 240, bound_mib(8)),
    ];
    for (act, least, bound) in acts {
        // On a slow machine they do not reach their limits at the same time, because each call
        // ends after 5 s. The bound is checked in any case.
        let reached = (0..3).any(|_| {
            let home = Home::new();
            let log = home.write("some.log", eight_chunks());
            let (_, peak) = eight_threads(&home, act, &log);
            eprintln!("eight times {act}: {peak} MiB, bound {bound} MiB");
            assert!(peak < bound, "{peak} MiB");
            peak > least
        });
        if !reached {
            eprintln!("not tested: the machine is too slow to hold {least} MiB at the same time");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn eight_different_failures_stay_within_the_memory_bound() {
    let acts = [
        ("hold", "ran longer than 5 s"),
        ("hold-and-output", ""),
        ("memory", "the limit is 256 MiB"),
        ("output", "too much data is being copied"),
        ("chatter", "the last words"),
        ("handles", "store handle limit exceeded"),
        ("stack", "call stack exhausted"),
        ("loop", "ran longer than 5 s"),
        ("panic", "the moon is in the wrong phase"),
        ("draw", "exceeds limit 65536"),
        ("exit", "it exited with status 1"),
    ];
    // More than 8 inputs that fail alike would be summed up.
    const ROUNDS: usize = 2;
    let home = Home::new();
    for round in 0..ROUNDS {
        for (act, _) in acts {
            home.write(
                &format!("logs/{act}-{round}.log"),
                format!("{act} {round}\n"),
            );
        }
    }
    let (ran, peak) = eight_threads(&home, "from-line", &home.path("logs").display().to_string());
    let bound = bound_mib(8);
    eprintln!("eight of all kinds: {peak} MiB, bound {bound} MiB");
    assert!(peak < bound, "{peak} MiB");
    assert_eq!(ran.status, Some(4), "{}", ran.stderr);
    for (act, words) in acts {
        for round in 0..ROUNDS {
            let name = format!("{act}-{round}.log");
            let is_reported = ran
                .stderr
                .split("parser hostile@6.6.6")
                .any(|text| text.contains(words) && text.contains(&format!("{name} bytes 0..")));
            assert!(is_reported || words.is_empty(), "{name}: {}", ran.stderr);
        }
    }
}
