//! Files that are made from the definition of the command line: completions and man pages.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Arguments;

/// `vthost completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// `vthost man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder for the pages, one for each command
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

/// The script with the completions for a shell.
#[must_use]
pub(in crate::cli) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "vthost", &mut script);
    script
}

/// Writes a man page for each command to a folder, which is created if it does not exist.
///
/// # Errors
///
/// If a page cannot be written.
pub(in crate::cli) fn write_man_pages(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Arguments::command(), directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    #[test]
    fn every_shell_has_completions() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(completions(*shell)).unwrap();
            assert!(script.contains("dry-run"), "{shell}");
            assert!(script.contains("explain"), "{shell}");
        }
    }

    #[test]
    fn every_command_has_a_man_page() {
        let directory = tempfile::tempdir().unwrap();
        let pages = directory.path().join("man");
        write_man_pages(&pages).unwrap();
        let read = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap();
        assert!(read("vthost.1").contains("dry\\-run"));
        assert!(read("vthost-export.1").contains("stix"));
        assert!(read("vthost-plugin-new.1").contains("KIND"));
    }
}
