//! Compiles the built-in plugins to components and embeds them.
//!
//! They are crates of this workspace. A second cargo builds them for
//! `wasm32-wasip2` in a separate target directory (`target/plugins`). If the Rust
//! target is not installed, rustup installs it; without rustup the build fails with
//! the command to run.

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "plugin";

/// The folders of `plugins/` whose crates are embedded, the prefix of their package
/// names, and their kind.
const KINDS: [(&str, &str, &str); 2] = [
    ("parsers", "parser", "Parser"),
    ("policies", "policy", "Policy"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let host = PathBuf::from(required("CARGO_MANIFEST_DIR")?);
    let root = host.parent().ok_or("host/ has no parent")?.to_owned();
    let out = PathBuf::from(required("OUT_DIR")?);
    for watched in ["plugins", "wit", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    let preview1 = host.join("src/cli/commands/plugin/preview1.wat");
    println!("cargo::rerun-if-changed={}", preview1.display());
    fs::write(out.join("preview1.wasm"), wat::parse_file(preview1)?)?;
    let plugins = find_plugins(&root)?;
    install_target()?;
    let built = build(&root, &target_dir(&out)?, &plugins)?;
    fs::write(out.join("builtin_plugins.rs"), embedding(&built, &plugins)?)?;
    fs::write(out.join("scaffold.rs"), scaffold(&root)?)?;
    Ok(())
}

/// A built-in plugin. The parser `squid` is the package `parser-squid`.
struct Plugin {
    name: String,
    package: String,
    kind: &'static str,
}

fn find_plugins(root: &Path) -> Result<Vec<Plugin>, Box<dyn Error>> {
    let mut plugins = Vec::new();
    for (folder, prefix, kind) in KINDS {
        let mut names: Vec<String> = fs::read_dir(root.join("plugins").join(folder))?
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join("Cargo.toml").exists())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        plugins.extend(names.into_iter().map(|name| Plugin {
            package: format!("{prefix}-{name}"),
            name,
            kind,
        }));
    }
    Ok(plugins)
}

/// The workspace's target directory, from `target/PROFILE/build/CRATE/out`.
fn target_dir(out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is too short")?;
    Ok(target.join("plugins"))
}

fn install_target() -> Result<(), Box<dyn Error>> {
    let libdir = Command::new(required("RUSTC")?)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    let libdir = String::from_utf8(libdir.stdout)?;
    if Path::new(libdir.trim()).exists() {
        return Ok(());
    }
    println!("cargo::warning=installing the Rust target {TARGET} with rustup");
    let installed = Command::new("rustup")
        .args(["target", "add", TARGET])
        .status();
    match installed {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!(
            "the plugins need the Rust target {TARGET}: run `rustup target add {TARGET}` and build again"
        )
        .into()),
    }
}

/// Builds all plugins, and returns the directory with the components.
fn build(root: &Path, target_dir: &Path, plugins: &[Plugin]) -> Result<PathBuf, Box<dyn Error>> {
    let mut cargo = Command::new(required("CARGO")?);
    // The current directory matters: plugins/.cargo/config.toml has the flags for
    // components.
    cargo
        .current_dir(root.join("plugins"))
        .args([
            "build",
            "--locked",
            "--profile",
            PROFILE,
            "--target",
            TARGET,
        ])
        .arg("--target-dir")
        .arg(target_dir);
    for plugin in plugins {
        cargo.args(["--package", &plugin.package]);
    }
    remove_outer_variables(&mut cargo);
    let built = cargo.output()?;
    if !built.status.success() {
        return Err(format!(
            "the built-in plugins failed to compile:\n{}",
            String::from_utf8_lossy(&built.stderr)
        )
        .into());
    }
    Ok(target_dir.join(TARGET).join(PROFILE))
}

/// Removes the variables that the outer cargo set for this crate, because they would
/// change the flags and features of the inner build.
fn remove_outer_variables(cargo: &mut Command) {
    // Variables that configure how crates are fetched.
    const KEPT: [&str; 5] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
    ];
    let outer = |name: &OsStr| {
        let name = name.to_string_lossy();
        (name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept)))
            || name.starts_with("CLIPPY_")
            || [
                "RUSTFLAGS",
                "RUSTC_WRAPPER",
                "RUSTC_WORKSPACE_WRAPPER",
                "TARGET",
            ]
            .contains(&name.as_ref())
    };
    for (name, _) in env::vars_os().filter(|(name, _)| outer(name)) {
        cargo.env_remove(name);
    }
}

/// The Rust source that embeds the components.
fn embedding(built: &Path, plugins: &[Plugin]) -> Result<String, Box<dyn Error>> {
    let mut source = String::from("static ALL: &[BuiltIn] = &[\n");
    for Plugin {
        name,
        package,
        kind,
    } in plugins
    {
        let file = built.join(format!("{}.wasm", package.replace('-', "_")));
        writeln!(
            source,
            "    BuiltIn {{ name: {name:?}, kind: PluginKind::{kind}, bytes: include_bytes!({file:?}) }},"
        )?;
    }
    source.push_str("];\n");
    Ok(source)
}

/// The folders that `vthost plugin new` copies from: the templates, the SDK and the
/// contracts.
const SCAFFOLD: [&str; 3] = ["plugins/templates", "plugins/sdk", "wit"];

/// The Rust source that embeds the files of a new plugin.
fn scaffold(root: &Path) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    for folder in SCAFFOLD {
        find_files(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut source = String::new();
    for (name, file) in [
        ("WORKSPACE", "Cargo.toml"),
        ("SDK_MANIFEST", "plugins/sdk/Cargo.toml"),
    ] {
        let file = root.join(file);
        writeln!(source, "const {name}: &str = include_str!({file:?});")?;
    }
    source.push_str("static FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let name = file
            .strip_prefix(root)?
            .to_string_lossy()
            .replace('\\', "/");
        writeln!(source, "    ({name:?}, include_str!({file:?})),")?;
    }
    source.push_str("];\n");
    Ok(source)
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            files.push(path);
        } else if !path.ends_with("target") {
            find_files(&path, files)?;
        }
    }
    Ok(())
}

fn required(variable: &str) -> Result<String, Box<dyn Error>> {
    Ok(env::var(variable)?)
}
