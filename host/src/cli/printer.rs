//! Standard output and standard error. Nothing else in the program prints.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};

use super::args::{ColorWhen, GlobalArgs};
use super::hints::hint_for;
use crate::output::visible;
use crate::plugin::CompileListener;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
const ALARM: Style = AnsiColor::Red.on_default();

/// Which messages are printed. Requested data always is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Verbosity {
    /// Errors only.
    Quiet,
    #[default]
    Normal,
    /// Also each request and each input.
    Verbose,
}

/// Prints requested data to standard output and messages to standard error.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Printer {
    verbosity: Verbosity,
    has_colors: bool,
    has_progress: bool,
}

impl Printer {
    /// The printer that these options ask for.
    pub(super) fn new(options: &GlobalArgs) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let verbosity = match (options.quiet, options.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
        Self {
            verbosity,
            has_colors: match options.color {
                ColorWhen::Always => true,
                ColorWhen::Never => false,
                ColorWhen::Auto => is_terminal && allows_colors(|name| std::env::var(name).ok()),
            },
            has_progress: is_terminal && !options.no_progress && verbosity == Verbosity::Normal,
        }
    }

    /// Whether a progress bar is shown.
    pub(super) fn has_progress(&self) -> bool {
        self.has_progress
    }

    /// Whether each request and each input is printed, and the whole summary.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Prints data unchanged.
    pub(super) fn data(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// Prints a message, unless errors only are wanted. Hostile characters in it become visible
    /// escapes.
    pub(super) fn say(&self, text: &str) {
        for line in text.lines() {
            tracing::info!(target: "vthost::message", "{}", visible(line));
        }
        if self.verbosity != Verbosity::Quiet {
            self.print(text, Style::new());
        }
    }

    /// Prints a message about something bad.
    pub(super) fn alarm(&self, text: &str) {
        tracing::warn!(target: "vthost::message", "{}", visible(text));
        if self.verbosity != Verbosity::Quiet {
            self.print(text, ALARM);
        }
    }

    /// Prints what went wrong.
    pub(super) fn fault(&self, fault: impl Display) {
        tracing::error!(target: "vthost::message", "{}", visible(&fault.to_string()));
        self.print(&format!("vthost: {fault}"), ERROR);
    }

    /// Prints what to do about what went wrong.
    pub(super) fn hint(&self, hint: &str) {
        self.print(&format!("hint: {hint}"), HINT);
    }

    /// Prints what went wrong, and a line that states what to do.
    pub(super) fn problem(&self, problem: impl Display, hint: &str) {
        self.fault(problem);
        self.hint(hint);
    }

    /// Prints an error with its causes, and a line that states what to do.
    pub(super) fn error(&self, error: &anyhow::Error) {
        self.problem(format_args!("{error:#}"), &hint_for(error));
    }

    fn print(&self, text: &str, style: Style) {
        let style = if self.has_colors { style } else { Style::new() };
        let mut stderr = io::stderr().lock();
        for line in text.lines() {
            // Nobody can be notified of an error if standard error is closed.
            let _ = writeln!(stderr, "{style}{}{style:#}", visible(line));
        }
    }
}

/// Whether the environment allows colours: <https://no-color.org>.
fn allows_colors(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && variable("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Announces large plugins, which take seconds to compile; small ones take milliseconds.
impl CompileListener for Printer {
    fn compiling(&self, source_name: &str, bytes: usize) {
        const LARGE_BYTES: usize = 4 << 20;
        if bytes >= LARGE_BYTES {
            self.say(&format!(
                "compiling {source_name} ({} MB); the result is cached for the next run",
                bytes / 1_000_000
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_can_forbid_colors() {
        let check = |set: &[(&str, &str)], expected| {
            let variable = |name: &str| {
                let found = set.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(allows_colors(variable), expected, "{set:?}");
        };
        check(&[], true);
        check(&[("NO_COLOR", "1")], false);
        check(&[("NO_COLOR", "")], true);
        check(&[("TERM", "dumb")], false);
        check(&[("TERM", "xterm-256color")], true);
    }
}
