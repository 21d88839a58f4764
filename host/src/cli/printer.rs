//! What is printed, and where: data that was asked for to standard output, all
//! talk to standard error. Nothing else in the program prints.

use std::io::{self, Write};

use crate::output::visible;

/// Prints.
pub(super) struct Printer;

impl Printer {
    /// Data, as it is.
    pub(super) fn data(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// Talk. Each line is made harmless; where standard error is gone there is
    /// nobody to tell.
    pub(super) fn say(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        for line in text.lines() {
            let _ = writeln!(stderr, "{}", visible(line));
        }
    }

    /// An error and its causes.
    pub(super) fn error(&self, error: &anyhow::Error) {
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        self.say(&format!("vthost: {}", causes.join(": ")));
    }
}
