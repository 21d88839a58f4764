//! vt-py, VirusTotal's own client for Python, for tests: a virtual environment
//! with the versions of `vt_py/requirements.txt`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python of [`environment`] for a test. Where there is none, the test is
/// left out with a note; in continuous integration (`CI` is set) it fails.
///
/// # Panics
///
/// In continuous integration, when the environment cannot be made.
#[must_use]
#[expect(clippy::print_stderr, reason = "a note of a test")]
pub fn python_for_test(directory: &Path) -> Option<PathBuf> {
    match environment(directory) {
        Ok(python) => Some(python),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("left out, for want of vt-py: {error}");
            None
        }
    }
}

/// Makes the environment in a directory, unless it is there already, and gives
/// its Python.
///
/// # Errors
///
/// When there is no `python3` with `venv`, or pip cannot install the packages.
pub fn environment(directory: &Path) -> io::Result<PathBuf> {
    let home = directory.join("vt-py");
    let python = home.join("bin").join("python");
    let complete = home.join("complete");
    if complete.exists() {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&home))?;
    let requirements = scripts().join("requirements.txt");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(requirements))?;
    std::fs::write(complete, "")?;
    Ok(python)
}

/// The folder with the Python scripts.
#[must_use]
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vt_py")
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output().map_err(|error| {
        io::Error::other(format!(
            "cannot run {}: {error}",
            command.get_program().display()
        ))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{command:?} failed: {said}")))
}
