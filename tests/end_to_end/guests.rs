//! Components that only tests and benchmarks use.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a package of `tests/plugins`, and returns the path of its component.
pub(crate) fn build(package: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
    let output = Command::new(env!("CARGO"))
        .current_dir(root.join("plugins"))
        .args(["build", "--locked", "--profile", "plugin"])
        .args(["--target", "wasm32-wasip2", "--package", package])
        .arg("--target-dir")
        .arg(&target)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let file = format!("{}.wasm", package.replace('-', "_"));
    target.join("wasm32-wasip2/plugin").join(file)
}
