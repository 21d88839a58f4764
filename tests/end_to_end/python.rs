//! Packages for Python: a virtual environment for each folder of scripts, with the versions of its
//! `requirements.txt`. `vt_py` has VirusTotal's client, `validators` what reads exports.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python with the packages for the scripts in this folder. Without one, the test is skipped
/// with a note, or fails in continuous integration (`CI` is set).
pub(crate) fn with_packages(directory: &Path, folder: &str) -> Option<PathBuf> {
    match environment(directory, folder) {
        Ok(python) => Some(python),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("skipped, because the packages of {folder} are missing: {error}");
            None
        }
    }
}

/// Creates the environment in a directory, if it does not exist, and returns its Python. Fails
/// without `python3` with `venv`, or if pip cannot install the packages.
fn environment(directory: &Path, folder: &str) -> io::Result<PathBuf> {
    let home = directory.join(folder);
    let python = home.join("bin").join("python");
    let complete = home.join("complete");
    if complete.exists() {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&home))?;
    let requirements = scripts(folder).join("requirements.txt");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(requirements))?;
    std::fs::write(complete, "")?;
    Ok(python)
}

/// A folder with Python scripts.
pub(crate) fn scripts(folder: &str) -> PathBuf {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/end_to_end");
    folders.join(folder)
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
