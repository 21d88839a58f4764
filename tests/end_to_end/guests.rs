//! Components that only tests use.

use std::path::{Path, PathBuf};

/// Builds a package of `tests/plugins`, and returns the path of its component.
pub(crate) fn build(package: &str) -> PathBuf {
    vthost_testing::build_component(package, Path::new(env!("CARGO_TARGET_TMPDIR")))
}
