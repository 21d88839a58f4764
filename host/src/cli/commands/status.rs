//! `vthost status`: what a store holds, and what it still owes.

use std::fmt::Write as _;

use crate::cli::args::StatusArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::progress::clock_time;
use crate::cli::settings::Environment;
use crate::output::visible;

pub(in crate::cli) fn run(
    args: &StatusArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let store = environment.store(args.store.as_ref())?;
    let mut text = String::new();
    for held in store.held()? {
        writeln!(
            text,
            "{} answers {}, fetched from {} to {}",
            held.count,
            held.outcome,
            clock_time(held.oldest_ms),
            clock_time(held.newest_ms)
        )?;
    }
    let owed = store.owed()?;
    writeln!(text, "{} analyses to be asked for", owed.len())?;
    for owed in owed {
        writeln!(
            text,
            "  {}, handed in {}, to be asked for from {}",
            visible(&owed.url),
            clock_time(owed.handed_in_ms),
            clock_time(owed.next_poll_ms)
        )?;
    }
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::Done)
}
