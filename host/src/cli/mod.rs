//! The command line: arguments become settings, settings become a command, and a command ends
//! with an [`ExitStatus`]. Nothing else in the program prints.

pub mod args;
mod commands;
mod exit;
mod hints;
mod log;
mod printer;
mod progress;
mod read_progress;
mod settings;
mod zone;

use std::error::Error;
use std::ffi::OsString;

pub use exit::ExitStatus;

use crate::plugin::{LoadError, Stop};
use args::{Arguments, ConfiguredOption};
use printer::Printer;
use settings::{Environment, Task};

/// Runs the program with the arguments and the environment of the process.
#[must_use]
pub fn main() -> ExitStatus {
    let line: Vec<OsString> = std::env::args_os().collect();
    let environment = Environment::of_process();
    // Help is printed whatever the configuration is.
    if let Err(error) = Arguments::read(&line, &[])
        && error.exit_code() == 0
    {
        return print_usage(&error);
    }
    let configured = match environment.configured(&line) {
        Ok(configured) => configured,
        Err(error) => {
            Printer::default().error(&error.into());
            return ExitStatus::Usage;
        }
    };
    let arguments = match Arguments::read(&line, &configured) {
        Ok(arguments) => arguments,
        Err(error) => return print_usage(&error),
    };
    let printer = Printer::new(&arguments.global);
    let environment = environment.showing(printer, arguments.global.tz.clone());
    match run(arguments, &configured, &environment, &printer) {
        Ok(status) => status,
        Err(error) if was_interrupted(&error) => ExitStatus::Interrupted,
        Err(error) => match error.downcast_ref::<clap::Error>() {
            Some(error) => print_usage(error),
            None => {
                printer.error(&error);
                ExitStatus::CouldNotRun
            }
        },
    }
}

/// Prints help, or why the arguments are invalid.
fn print_usage(error: &clap::Error) -> ExitStatus {
    // Help goes to standard output. There is nothing to do if that is closed.
    let _ = error.print();
    match error.exit_code() {
        0 => ExitStatus::Done,
        _ => ExitStatus::Usage,
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
    configured: &[ConfiguredOption],
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    log::start(&arguments.global)?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "vthost starts");
    if let Some(notice) = environment.notice(configured) {
        printer.say(&notice);
    }
    let status = perform(
        Task::new(arguments, configured, environment)?,
        environment,
        printer,
    );
    tracing::info!(?status, "vthost ends");
    status
}

fn perform(task: Task, environment: &Environment, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match task {
        Task::Triage(settings) => commands::triage::run(&settings, environment, printer),
        Task::Extract(settings) => commands::extract::run(&settings, environment, printer),
        Task::Evidence(settings) => commands::evidence::run(&settings, environment, printer),
        Task::Judge(settings) => commands::judge::run(&settings, environment, printer),
        Task::Report(settings) => commands::report::run(&settings, environment, printer),
        Task::Export(task) => commands::export::run(*task, environment, printer),
        Task::Demo(settings) => commands::demo::run(&settings, environment, printer),
        Task::Quota(settings) => commands::quota::run(&settings, environment, printer),
        Task::Status(store) => commands::status::run(store.as_ref(), environment, printer),
        Task::Doctor(settings) => commands::doctor::run(&settings, environment, printer),
        Task::Formats => commands::plugin::formats(environment, printer),
        Task::Explain(settings) => commands::explain::run(&settings, environment, printer),
        Task::ConfigShow(shown) => commands::config::show(&shown, printer),
        Task::Completions(script) => {
            printer.data(&script)?;
            Ok(ExitStatus::Done)
        }
        Task::Man(directory) => {
            settings::write_manual(&directory)?;
            printer.say(&format!("man pages in {}", directory.display()));
            Ok(ExitStatus::Done)
        }
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
