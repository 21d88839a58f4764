//! The cache of compiled code: concurrent use, damage, and missing permissions.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{Home, Ran};

/// A home with policy files and its own cache.
struct Cached(Home);

impl Cached {
    fn new() -> Self {
        let home = Home::new();
        assert_eq!(home.run(&["plugin", "export", "."]).status, Some(0));
        Self(home)
    }

    fn check(&self, plugin: &str) -> Command {
        let mut command = self.0.vthost(&["plugin", "check", plugin]);
        command
            .env("XDG_CACHE_HOME", self.0.path("cache"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, plugin: &str) -> Ran {
        let output = self.check(plugin).output().unwrap();
        Ran {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.0.path("cache/vthost/compiled")).unwrap();
        files.map(|entry| entry.unwrap().path()).collect()
    }
}

#[test]
fn concurrent_processes_can_fill_the_cache() {
    let cached = Cached::new();
    let children: Vec<_> = (0..4)
        .map(|_| cached.check("strict.wasm").spawn().unwrap())
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    assert_eq!(cached.files().len(), 1);
    assert_eq!(cached.run("strict.wasm").status, Some(0));
}

#[test]
fn damaged_files_are_compiled_again() {
    let cached = Cached::new();
    assert_eq!(cached.run("strict.wasm").status, Some(0));
    let [file] = cached.files().try_into().unwrap();
    let whole = std::fs::read(&file).unwrap();
    let check = |damaged: &[u8]| {
        std::fs::write(&file, damaged).unwrap();
        let ran = cached.run("strict.wasm");
        assert_eq!(ran.status, Some(0), "{} {}", ran.stdout, ran.stderr);
        assert_eq!(std::fs::read(&file).unwrap().len(), whole.len());
    };
    check(b"");
    check(b"no machine code");
    check(&whole[..whole.len() / 2]);
    for tenth in 0..10 {
        let mut damaged = whole.clone();
        damaged[whole.len() / 10 * tenth] ^= 1;
        check(&damaged);
    }
}

#[test]
fn plugins_run_without_a_writable_cache() {
    let cached = Cached::new();
    cached.0.write("cache", "a file where the folder should be");
    assert_eq!(cached.run("strict.wasm").status, Some(0));
}

#[test]
fn compilation_of_a_large_plugin_is_announced() {
    let cached = Cached::new();
    let mut bytes = std::fs::read(cached.0.path("strict.wasm")).unwrap();
    // A custom section has no meaning: its id, its length, its name.
    let padding = wasm_encoder::CustomSection {
        name: "padding".into(),
        data: vec![0; 5_000_000].into(),
    };
    bytes.push(0);
    wasm_encoder::Encode::encode(&padding, &mut bytes);
    cached.0.write("large.wasm", bytes);
    let first = cached.run("large.wasm");
    assert_eq!(first.status, Some(0), "{}", first.stdout);
    let note = "compiling `large.wasm` (5 MB); the result is cached for the next run\n";
    assert_eq!(first.stderr, note);
    assert_eq!(cached.run("large.wasm").stderr, "");
    assert_eq!(cached.run("strict.wasm").stderr, "");
}
