//! Components that only tests and benchmarks use.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a package of `tests/plugins`, and returns the path of the component. `temporary` is
/// `CARGO_TARGET_TMPDIR`. The build takes place in the directory beside it in which the host's
/// build script builds the plugins, so that the macros of their crates are compiled once.
///
/// # Panics
///
/// If the build fails.
#[must_use]
pub fn build_component(package: &str, temporary: &Path) -> PathBuf {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let target = temporary.with_file_name("plugins");
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
