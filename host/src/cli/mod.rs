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
        Err(error) => {
            printer.error(&error);
            ExitStatus::CouldNotRun
        }
    }
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
