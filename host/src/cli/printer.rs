//! Standard output and standard error. Nothing else in the program prints.

use std::io::{self, Write};

use crate::output::visible;
use crate::plugin::CompileListener;

/// Prints requested data to standard output and messages to standard error.
pub(super) struct Printer;

impl Printer {
    /// Prints data unchanged.
    pub(super) fn data(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// Prints a message. Hostile characters in it become visible escapes.
    pub(super) fn say(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        for line in text.lines() {
            // Nobody can be notified of an error if standard error is closed.
            let _ = writeln!(stderr, "{}", visible(line));
        }
    }

    /// Prints an error with its causes.
    pub(super) fn error(&self, error: &anyhow::Error) {
        self.say(&format!("vthost: {error:#}"));
    }
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
