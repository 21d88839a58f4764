//! Components for tests and benchmarks only.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The component of the hostile parser, built once.
pub(crate) fn hostile_parser() -> &'static Path {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BUILT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(root.join("plugins"))
            .args([
                "build",
                "--locked",
                "--profile",
                "plugin",
                "--target",
                "wasm32-wasip2",
            ])
            .args(["--package", "parser-hostile", "--target-dir"])
            .arg(&target);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_") && name != "CARGO_HOME" {
                cargo.env_remove(name.as_ref());
            }
        }
        let output = cargo.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        target.join("wasm32-wasip2/plugin/parser_hostile.wasm")
    })
}
