//! The command line: arguments become settings, settings become a command, and
//! a command ends with one [`ExitStatus`].

pub mod args;
mod command_line;
mod commands;
mod exit;
mod pins;
mod printer;
mod progress;
mod settings;

use clap::Parser as _;

pub use exit::ExitStatus;

use crate::plugin::{LoadError, Stop};
use args::{Arguments, Command};
use printer::Printer;
use settings::Environment;

/// Runs the program as its arguments and environment say.
#[must_use]
pub fn main() -> ExitStatus {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and the version are no errors; clap knows where they go.
            let _ = error.print();
            return match error.exit_code() {
                0 => ExitStatus::Done,
                _ => ExitStatus::Usage,
            };
        }
    };
    let printer = Printer;
    match run(arguments, &Environment::of_process(), &printer) {
        Ok(status) => status,
        Err(error) if was_interrupted(&error) => ExitStatus::Interrupted,
        Err(error) => {
            printer.error(&error);
            ExitStatus::CouldNotRun
        }
    }
}

/// Whether it was Ctrl-C that stopped a plugin while it was loaded.
fn was_interrupted(error: &anyhow::Error) -> bool {
    let stopped = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref() {
        Some(LoadError::Stopped { stop, .. }) => *stop == Stop::Interrupted,
        _ => false,
    };
    error.chain().any(stopped)
}

fn run(
    arguments: Arguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    match arguments.command {
        None => commands::triage::run(&arguments.triage, environment, printer),
        Some(Command::Extract(args)) => commands::extract::run(&args, environment, printer),
        Some(Command::Evidence(args)) => commands::evidence::run(&args, environment, printer),
        Some(Command::Judge(args)) => commands::judge::run(&args, environment, printer),
        Some(Command::Demo(args)) => commands::demo::run(&args, environment, printer),
        Some(Command::Quota(args)) => commands::quota::run(&args, environment, printer),
        Some(Command::Status(args)) => commands::status::run(&args, environment, printer),
        Some(Command::Doctor(args)) => commands::doctor::run(&args, environment, printer),
        Some(Command::Formats) => commands::plugin::formats(environment, printer),
        Some(Command::Explain(args)) => commands::explain::run(&args, environment, printer),
        Some(Command::Plugin(args)) => commands::plugin::run(&args, environment, printer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_that_ctrl_c_stopped_did_not_fail() {
        let check = |stop, expected| {
            let source_name = "`a.wasm`".to_owned();
            let error = anyhow::Error::new(LoadError::Stopped { source_name, stop });
            assert_eq!(was_interrupted(&error.context("while loading")), expected);
        };
        check(Stop::Interrupted, true);
        let detail = "no value".to_owned();
        check(Stop::BadValue { detail }, false);
    }
}
