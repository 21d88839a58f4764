//! Components that only tests and benchmarks use.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a package of `tests/plugins` in a directory, such as `CARGO_TARGET_TMPDIR`, and
/// returns the path of the component.
///
/// # Panics
///
/// If the build fails.
#[must_use]
pub fn build_component(package: &str, directory: &Path) -> PathBuf {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let target = directory.join("plugins");
    let output = Command::new(env!("CARGO"))
        .current_dir(plugins)
        .args(["build", "--locked", "--profile", "plugin"])
        .args(["--target", "wasm32-wasip2", "--package", package])
        .arg("--target-dir")
        .arg(&target)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let file = format!("{}.wasm", package.replace('-', "_"));
    target.join("wasm32-wasip2/plugin").join(file)
}
