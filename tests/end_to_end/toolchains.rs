//! Components as other toolchains build them: with imports that are never called.

use std::fmt::Write as _;

use wit_bindgen_core::wit_parser::Resolve;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::sandbox::CONTRACT;
use crate::support::{Home, Ran};

/// A policy that returns zeros: every report is bad, for no reason. `imports` are those of its
/// module.
fn module(imports: &str) -> Vec<u8> {
    wat::parse_str(text(imports, "")).unwrap()
}

/// The text of such a module, whose `screen` runs these instructions first.
fn text(imports: &str, screening: &str) -> String {
    let judging = "vthost:policy/judging@0.1.0";
    format!(
        r#"(module
            (import "[export]{judging}" "[resource-new]session"
                (func $new (param i32) (result i32)))
            {imports}
            (memory (export "memory") 64)
            (global $free (mut i32) (i32.const 65536))
            (data (i32.const 0) "late1.0.0")
            (data (i32.const 16) "\00\00\00\00\04\00\00\00\04\00\00\00\05\00\00\00")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $free (i32.and
                    (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15))
                    (i32.const -8)))
                (i32.and (i32.sub (global.get $free) (local.get 3)) (i32.const -8)))
            (func (export "{judging}#describe") (result i32) i32.const 16)
            (func (export "{judging}#[static]session.open") (param i32 i32) (result i32)
                (i32.store (i32.const 1028) (call $new (i32.const 1)))
                i32.const 1024)
            (func (export "{judging}#[method]session.screen")
                (param i32 i32 i32 i32 i32 i32 i64 i64 i64 i32 i64 i32 i64 i32) (result i32)
                {screening}
                i32.const 2048)
            (func (export "{judging}#[method]session.judge") (param i32) (result i32)
                i32.const 2048)
        )"#
    )
}

/// The component of a module whose world has these WIT imports besides the policy's contract,
/// and packages.
fn component(module: &[u8], imports: &str, packages: &str) -> Vec<u8> {
    let mut module = module.to_vec();
    let mut resolve = Resolve::default();
    resolve.push_source("policy.wit", CONTRACT).unwrap();
    let world = format!(
        "package test:guest; world guest {{ {imports} include vthost:policy/policy@0.1.0; }} {packages}"
    );
    let package = resolve.push_source("guest.wit", &world).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .unwrap();
    encoder.encode().unwrap()
}

/// Interfaces of a version of WASI 0.2, abridged.
fn wasi(version: &str) -> String {
    format!(
        "package wasi:io@{version} {{ interface poll {{ resource pollable; }} }}
         package wasi:clocks@{version} {{
            interface monotonic-clock {{
                use wasi:io/poll@{version}.{{pollable}};
                type duration = u64;
                subscribe-duration: func(when: duration) -> pollable;
            }}
            interface wall-clock {{
                record datetime {{ seconds: u64, nanoseconds: u32 }}
                now: func() -> datetime;
            }}
            interface timezone {{
                use wall-clock.{{datetime}};
                utc-offset: func(when: datetime) -> s32;
            }}
         }}
         package wasi:filesystem@{version} {{
            interface types {{
                resource descriptor;
            }}
            interface preopens {{
                use types.{{descriptor}};
                get-directories: func() -> list<tuple<descriptor, string>>;
            }}
         }}
         package wasi:cli@{version} {{
            interface terminal-input {{ resource terminal-input; }}
            interface terminal-stdin {{
                use terminal-input.{{terminal-input}};
                get-terminal-stdin: func() -> option<terminal-input>;
            }}
         }}"
    )
}

/// Checks that the plugin loads and judges.
#[track_caller]
fn judges(component: &[u8]) -> Home {
    let home = Home::new();
    home.write("late.wasm", component);
    home.write("report.json", r#"{"last_analysis_stats":{"malicious":1}}"#);
    let checked = home.run(&["plugin", "check", "late.wasm"]);
    assert_eq!(checked.status, Some(0), "{}", checked.stdout);
    assert_eq!(checked.stdout, "ok  late.wasm: policy late@1.0.0\n");
    let ran = home.run(&["plugin", "run", "late.wasm", "report.json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("\"screen\": \"ask\""), "{}", ran.stdout);
    home
}

/// From Rust 1.97 on a component that can panic imports this function and never calls it.
#[test]
fn component_of_rust_1_97_is_loaded() {
    for version in ["0.2.0", "0.2.4", "0.2.9", "0.2.12"] {
        let clock = format!("wasi:clocks/monotonic-clock@{version}");
        let imports =
            format!(r#"(import "{clock}" "subscribe-duration" (func (param i64) (result i32)))"#);
        let world = format!("import {clock};");
        let component = component(&module(&imports), &world, &wasi(version));
        let home = judges(&component);
        let inspected = home.run(&["plugin", "inspect", "late.wasm"]);
        let line = format!(
            "import: {clock}: subscribe-duration (a clock that does not advance; waiting ends the call)\n"
        );
        assert!(inspected.stdout.contains(&line), "{}", inspected.stdout);
    }
}

/// What the adapter of preview 1 and C libraries import.
#[test]
fn imports_that_give_nothing_are_permitted_in_every_version() {
    for version in ["0.2.0", "0.2.3", "0.2.9"] {
        let functions = [
            ("clocks/wall-clock", "now", "(param i32)"),
            (
                "clocks/timezone",
                "utc-offset",
                "(param i64 i32) (result i32)",
            ),
            ("filesystem/preopens", "get-directories", "(param i32)"),
            ("cli/terminal-stdin", "get-terminal-stdin", "(param i32)"),
        ];
        let (mut imports, mut world) = (String::new(), String::new());
        for (interface, function, kind) in functions {
            let interface = format!("wasi:{interface}@{version}");
            writeln!(
                imports,
                r#"(import "{interface}" "{function}" (func {kind}))"#
            )
            .unwrap();
            writeln!(world, "import {interface};").unwrap();
        }
        judges(&component(&module(&imports), &world, &wasi(version)));
    }
}

/// Makes a component of a module with `vthost plugin componentize`.
fn componentize(home: &Home, module: &[u8]) -> Ran {
    home.write("core.wasm", module);
    home.run(&["plugin", "componentize", "core.wasm", "late.wasm"])
}

/// Makes a policy of a module without the type of a component, as Go and Zig build it, and
/// runs it on a report. `screening` uses system calls.
fn run_with_system_calls(imports: &str, screening: &str) -> Ran {
    let home = Home::new();
    let module = wat::parse_str(text(imports, screening)).unwrap();
    let made = componentize(&home, &module);
    assert_eq!(made.status, Some(0), "{}", made.stderr);
    home.write("report.json", r#"{"last_analysis_stats":{"malicious":1}}"#);
    home.run(&["plugin", "run", "late.wasm", "report.json"])
}

/// The policy traps if a system call does not return what is documented.
#[test]
fn preview_1_is_answered_inside_the_component() {
    let imports = r#"
        (import "wasi_snapshot_preview1" "clock_time_get"
            (func $clock (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get"
            (func $variables (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_prestat_get"
            (func $folder (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff"
            (func $poll (param i32 i32 i32 i32) (result i32)))
        (data (i32.const 256) "\10\01\00\00\0c\00\00\00")
        (data (i32.const 272) "I was asked\n")
        (func $check (param i32) (if (i32.eqz (local.get 0)) (then (unreachable))))"#;
    let screening = "
        (drop (call $write (i32.const 2) (i32.const 256) (i32.const 1) (i32.const 300)))
        (call $check (i32.eq (i32.load (i32.const 300)) (i32.const 12)))
        ;; The bytes at the address 0 are still the policy's name.
        (call $check (i32.eq (i32.load (i32.const 0)) (i32.const 0x6574616c)))
        (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 304)))
        (call $check (i64.eq (i64.load (i32.const 304)) (i64.const 1735689600000000000)))
        (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 304)))
        (call $check (i64.eq (i64.load (i32.const 304)) (i64.const 1000000000)))
        (drop (call $random (i32.const 304) (i32.const 8)))
        (call $check (i64.ne (i64.load (i32.const 304)) (i64.const 0)))
        (drop (call $args (i32.const 304) (i32.const 308)))
        (call $check (i32.eqz (i32.load (i32.const 304))))
        (drop (call $variables (i32.const 304) (i32.const 308)))
        (call $check (i32.eqz (i32.load (i32.const 304))))
        (call $check (i32.eq (call $folder (i32.const 3) (i32.const 304)) (i32.const 8)))
        ;; A wait of no time is over at once: the subscription's type and timeout are 0.
        (call $check (i32.eqz
            (call $poll (i32.const 4096) (i32.const 4160) (i32.const 1) (i32.const 4224))))
        (call $check (i32.eq (i32.load (i32.const 4224)) (i32.const 1)))";
    let ran = run_with_system_calls(imports, screening);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("plugin prints: I was asked"),
        "{}",
        ran.stderr
    );
}

#[test]
fn wait_in_preview_1_ends_the_call_in_words() {
    let imports = r#"(import "wasi_snapshot_preview1" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))"#;
    let screening = "
        (i64.store (i32.const 4120) (i64.const 1000000000))
        (drop (call $poll (i32.const 4096) (i32.const 4160) (i32.const 1) (i32.const 4224)))";
    let ran = run_with_system_calls(imports, screening);
    let expected = "plugins cannot wait, because their clock does not advance";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
}

#[test]
fn module_that_cannot_become_a_plugin_is_refused_in_words() {
    let check = |text: &str, expected: &str| {
        let home = Home::new();
        let ran = componentize(&home, &wat::parse_str(text).unwrap());
        assert_eq!(ran.status, Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    };
    check(
        r#"(module (import "env" "memory" (memory 1)))"#,
        "it imports its memory; link it without `--import-memory`",
    );
    check("(module)", "it exports no function of a contract");
    check(
        r#"(module (func (export "vthost:policy/judging@0.1.0#describe")))"#,
        "it does not export `cabi_realloc`",
    );
    check(
        r#"(module (@custom "go:buildid" "x") (func (export "_start")))"#,
        "build it with `-buildmode=c-shared`",
    );
}

#[test]
fn component_is_copied_by_componentize() {
    let home = Home::new();
    let component = component(&module(""), "", "");
    let ran = componentize(&home, &component);
    assert!(
        ran.stderr.contains("is a component already"),
        "{}",
        ran.stderr
    );
    assert_eq!(std::fs::read(home.path("late.wasm")).unwrap(), component);
}
