//! The guide for plugin authors: every command in `docs/plugins.md` is run, in the order of the
//! page.

use std::path::Path;
use std::process::Command;

use vthost_simulator::{DEMO_KEY, Simulator};

use crate::registry::{Registry, Users};
use crate::support::{Home, patient, serve};

/// The commands of a page: the lines of code blocks without a language.
fn commands(page: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut block: Option<&str> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(language), None) => block = Some(language),
            (Some(_), Some(_)) => block = None,
            (None, Some("")) => commands.push(line),
            (None, _) => {}
        }
    }
    commands
}

/// Adapts a line of the guide to the test: crates are those of this build, the Rust
/// target is installed, and the registry is the test's.
fn adapted(line: &str, registry: Option<&Registry>) -> String {
    if line.starts_with("rustup ") {
        return String::new();
    }
    if let Some(name) = line.strip_prefix("cd our-") {
        return format!("{line}\nln -s \"$TARGET/our-{name}\" target");
    }
    match (line.contains("registry.example.com"), registry) {
        (true, Some(registry)) => line.replace("registry.example.com", &registry.address),
        (true, None) => String::new(),
        (false, _) => line.to_owned(),
    }
}

/// Writes a `vthost` command that uses the simulator.
fn write_vthost(home: &Home, url: &str) {
    let program = env!("CARGO_BIN_EXE_vthost");
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n-*) exec {program} --rate 1000/s --vt-url {url} \"$@\" ;;\n\
         *) exec {program} \"$@\" ;;\nesac\n"
    );
    let path = home.write("bin/vthost", script);
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, executable).unwrap();
}

#[test]
fn every_command_of_the_guide_runs() {
    let registry = Registry::start(Users::Everybody);
    let server = serve(Simulator::new(patient()));
    let home = Home::new();
    write_vthost(&home, &server.url());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide");
    for name in ["our-policy", "our-parser"] {
        std::fs::create_dir_all(target.join(name)).unwrap();
    }
    let lines = commands(include_str!("../../docs/plugins.md"));
    assert!(lines.len() > 30, "{lines:?}");
    let lines = lines.iter().map(|line| adapted(line, registry.as_ref()));
    let script = format!("set -ex\n{}", lines.collect::<Vec<_>>().join("\n"));
    home.write("work/here", "");
    let path = std::env::var("PATH").unwrap();
    let ran = Command::new("bash")
        .args(["-c", &script])
        .current_dir(home.path("work"))
        .env("PATH", format!("{}:{path}", home.path("bin").display()))
        .env("TARGET", target)
        .env("CARGO_NET_OFFLINE", "true")
        .env("VT_API_KEY", DEMO_KEY)
        .env("XDG_DATA_HOME", home.path("data"))
        .env("XDG_CACHE_HOME", home.path("cache"))
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&ran.stdout);
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{stdout}\n{stderr}");
    let read = |name: &str| home.read(&format!("work/our-policy/{name}"));
    assert!(read("out/bad-domain.txt").contains("evil.example.com"));
    assert!(stdout.contains("bad: 8 engines"), "{stdout}");
    if registry.is_some() {
        assert!(read("vthost.toml").contains("\"pulled.wasm\" = \"sha256:"));
    }
}
