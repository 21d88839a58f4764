//! `vthost status`: what a store contains and which analyses are pending.

use std::fmt::Write as _;

use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::output::{counted, visible};
use crate::store::Location;

pub(in crate::cli) fn run(
    store: Option<&Location>,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let store = environment.store(store)?;
    let mut text = String::new();
    for held in store.answer_stats()? {
        writeln!(
            text,
            "{} {}, fetched from {} to {}",
            counted(held.count.into(), "answer", "answers"),
            held.outcome,
            environment.time(held.oldest_ms),
            environment.time(held.newest_ms)
        )?;
    }
    let owed = store.pending_analyses()?;
    let analyses = counted(owed.len() as u64, "analysis", "analyses");
    writeln!(text, "{analyses} pending")?;
    for owed in owed {
        writeln!(
            text,
            "  {}, submitted at {}, next poll at {}",
            visible(&owed.url),
            environment.time(owed.submitted_ms),
            environment.time(owed.next_poll_ms)
        )?;
    }
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::Done)
}
