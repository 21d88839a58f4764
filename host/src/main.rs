//! The program. All of it is in the library; see [`vthost::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    vthost::cli::main().into()
}
