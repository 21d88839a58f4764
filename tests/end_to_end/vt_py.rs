//! vt-py, VirusTotal's client for Python: a virtual environment with the versions of
//! `vt_py/requirements.txt`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python of [`environment`]. Without one, the test is skipped with a note, or fails in
/// continuous integration (`CI` is set).
pub(crate) fn python_for_test(directory: &Path) -> Option<PathBuf> {
    match environment(directory) {
        Ok(python) => Some(python),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("skipped, because vt-py is missing: {error}");
            None
        }
    }
}

/// Creates the environment in a directory, if it does not exist, and returns its Python. Fails
/// without `python3` with `venv`, or if pip cannot install the packages.
fn environment(directory: &Path) -> io::Result<PathBuf> {
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
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/end_to_end/vt_py")
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
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{command:?} failed: {stderr}")))
}
