//! Events of `tracing`: a file of them on demand, and on standard error with `--verbose`.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use tracing::{Level, Metadata};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;

use super::args::GlobalArgs;

/// Messages, which the printer prints itself.
const MESSAGES: &str = "vthost::message";

/// Sends events to the file and to standard error, as the options ask for.
///
/// # Errors
///
/// If the file cannot be opened.
pub(super) fn start(options: &GlobalArgs) -> anyhow::Result<()> {
    let file = options.log_file.as_deref().map(|path| {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        opened.with_context(|| format!("cannot write the log file `{}`", path.display()))
    });
    let file: Option<Arc<File>> = file.transpose()?.map(Arc::new);
    if file.is_none() && !options.verbose {
        return Ok(());
    }
    let to_file = file.map(|file| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_timer(UtcTime)
            .with_writer(file)
            .with_filter(FilterFn::new(is_ours))
    });
    let to_terminal = options.verbose.then(|| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .with_writer(io::stderr)
            .with_filter(FilterFn::new(|event: &Metadata<'_>| {
                is_ours(event) && event.target() != MESSAGES && *event.level() <= Level::INFO
            }))
    });
    let subscriber = tracing_subscriber::registry()
        .with(to_file)
        .with(to_terminal);
    // Fails if one is set already, as by a program that uses this library.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

/// Whether an event is of this program. Those of libraries may contain headers, and the key.
fn is_ours(event: &Metadata<'_>) -> bool {
    event.target() == "vthost" || event.target().starts_with("vthost::")
}

struct UtcTime;

impl FormatTime for UtcTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:.3}", Timestamp::now())
    }
}
