//! The command line: arguments become settings, settings become a command, and a command ends
//! with an [`ExitStatus`]. Nothing else in the program prints.

pub mod args;
mod commands;
mod exit;
mod printer;
mod progress;
mod settings;

use std::error::Error;

pub use exit::ExitStatus;

use crate::plugin::{LoadError, Stop};
use args::Arguments;
use printer::Printer;
use settings::{Environment, Task};

/// Runs the program with the arguments and the environment of the process.
#[must_use]
pub fn main() -> ExitStatus {
    let arguments = match Arguments::of_process() {
        Ok(arguments) => arguments,
        Err(status) => return status,
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

/// Whether Ctrl-C stopped a plugin while it was loaded.
fn was_interrupted(error: &anyhow::Error) -> bool {
    let is_interrupt = |cause: &(dyn Error + 'static)| match cause.downcast_ref() {
        Some(LoadError::Stopped { stop, .. }) => *stop == Stop::Interrupted,
        _ => false,
    };
    error.chain().any(is_interrupt)
}

fn run(
    arguments: Arguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    match Task::new(arguments, environment)? {
        Task::Triage(settings) => commands::triage::run(&settings, environment, printer),
        Task::Extract(settings) => commands::extract::run(&settings, environment, printer),
        Task::Evidence(settings) => commands::evidence::run(&settings, environment, printer),
        Task::Judge(settings) => commands::judge::run(&settings, environment, printer),
        Task::Report(settings) => commands::report::run(&settings, printer),
        Task::Export(task) => commands::export::run(*task, environment, printer),
        Task::Demo(settings) => commands::demo::run(&settings, environment, printer),
        Task::Quota(settings) => commands::quota::run(&settings, environment, printer),
        Task::Status(store) => commands::status::run(store.as_ref(), environment, printer),
        Task::Doctor(settings) => commands::doctor::run(&settings, environment, printer),
        Task::Formats => commands::plugin::formats(environment, printer),
        Task::Explain(settings) => commands::explain::run(&settings, environment, printer),
        Task::Plugin(task) => commands::plugin::run(&task, environment, printer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupted_load_is_not_an_error() {
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
