//! `vthost extract`: the observations in logs, as JSON Lines.

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use super::{finish, interruptible_engine};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::read_progress::{ReadProgressDisplay, Stdout};
use crate::cli::settings::{Environment, ExtractSettings, ExtractedRows};
use crate::extraction::{ChunkInfo, ExtractionError, Order, Sink, Times};
use crate::indicator::{Indicator, Invalid};
use crate::output::{ObservationRow, UniqueRows};
use crate::pipeline::{Extracted, FoldedLogs, Logs};
use crate::plugin::Batch;
use crate::sightings::{FoldBy, Folded, SpilledRows};

pub(in crate::cli) fn run(
    settings: &ExtractSettings,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let (engine, _runtime) = interruptible_engine(environment)?;
    let parsers = settings.read.parsers(&engine, &environment.pins()?)?;
    let interrupt = engine.interrupt();
    let logs = settings.read.logs(&parsers, &interrupt);
    let display = ReadProgressDisplay::start(settings.read.progress(), Stdout::Data, *printer);
    let result = match settings.rows {
        ExtractedRows::Observations => print_observations(&logs, printer, Values::Canonical),
        ExtractedRows::ObservationsAsWritten => {
            print_observations(&logs, printer, Values::AsWritten)
        }
        ExtractedRows::Unique(by) => print_unique(&logs, printer, by),
    };
    drop(display);
    let result = result.map(|extracted| {
        if settings.with_times {
            printer.say(&times_text(extracted.times));
        }
        extracted.summary
    });
    finish(result, printer)
}

/// The line of `--times`.
fn times_text(times: Times) -> String {
    format!(
        "reading {:.3} s, parsing {:.3} s, folding and writing {:.3} s, summed over all threads",
        times.reading.as_secs_f64(),
        times.parsing.as_secs_f64(),
        times.taking.as_secs_f64()
    )
}

/// Prints a row for each observation.
fn print_observations(
    logs: &Logs<'_>,
    printer: &Printer,
    values: Values,
) -> Result<Extracted, ExtractionError> {
    let invalid = Mutex::default();
    let mut extracted = logs.extract(Order::AsRead, || RowPrinter {
        printer,
        values,
        invalid: &invalid,
        rows: Vec::new(),
    })?;
    extracted.summary.invalid = invalid_rows(invalid);
    Ok(extracted)
}

/// The form of a printed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    /// The canonical form.
    Canonical,
    /// The canonical form, and that of the log if it differs.
    AsWritten,
}

/// Values that are not indicators, by reason: the number of observations, and one of the values.
type InvalidRows = BTreeMap<Invalid, (u64, String)>;

struct RowPrinter<'a> {
    printer: &'a Printer,
    values: Values,
    invalid: &'a Mutex<InvalidRows>,
    rows: Vec<u8>,
}

impl Sink for RowPrinter<'_> {
    fn take(&mut self, from: &ChunkInfo<'_>, batch: &Batch) -> std::io::Result<()> {
        self.rows.clear();
        for observation in batch.observations(from.bytes()) {
            let line = from.place(observation.line).line();
            match Indicator::parse(observation.kind, observation.value) {
                Ok(indicator) => {
                    let row = ObservationRow::new(from.name, line, &indicator, &observation);
                    let row = match self.values {
                        Values::Canonical => row,
                        Values::AsWritten => row.with_written(observation.value),
                    };
                    row.push_to(&mut self.rows);
                }
                Err(reason) => {
                    let mut invalid = self.invalid.lock().unwrap_or_else(PoisonError::into_inner);
                    let sample = || String::from_utf8_lossy(observation.value).into_owned();
                    invalid.entry(reason).or_insert_with(|| (0, sample())).0 += 1;
                }
            }
        }
        self.printer.data(&self.rows)
    }
}

fn invalid_rows(invalid: Mutex<InvalidRows>) -> Vec<(String, u64, String)> {
    let invalid = invalid.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rows = invalid.into_iter();
    rows.map(|(reason, (count, sample))| (reason.to_string(), count, sample))
        .collect()
}

/// Prints a row for each indicator or host, in the order in which they were first seen.
fn print_unique(
    logs: &Logs<'_>,
    printer: &Printer,
    by: FoldBy,
) -> Result<Extracted, ExtractionError> {
    let FoldedLogs {
        mut folded,
        summary,
        times,
    } = logs.fold(by)?;
    let spilled = folded.take_spilled();
    let spilled = spilled.map_err(|error| ExtractionError::Output(std::io::Error::other(error)))?;
    let printed = match spilled {
        Some(spilled) => print_spilled(printer, spilled),
        None => print_folded(printer, &folded, logs.options.workers),
    };
    printed.map_err(ExtractionError::Output)?;
    Ok(Extracted { summary, times })
}

/// Rows that are formatted before they are printed: enough that the calls for printing cost
/// little, few enough to stay in the second-level cache.
const ROWS: usize = 1 << 10;

/// The approximate size of a row.
const ROW_BYTES: usize = 256;

/// Prints the rows of sightings that exceeded the memory limit.
fn print_spilled(printer: &Printer, mut spilled: SpilledRows) -> std::io::Result<()> {
    loop {
        let mut rows = UniqueRows::default();
        for sighting in spilled.by_ref().take(ROWS) {
            rows.push(&sighting.map_err(std::io::Error::other)?.counts());
        }
        if rows.rows.is_empty() {
            return Ok(());
        }
        printer.data(&rows.rows)?;
    }
}

/// Prints the rows of sightings in memory. Formatting costs as much as folding, so the threads
/// format in turns and this thread prints.
fn print_folded(printer: &Printer, folded: &Folded, threads: usize) -> std::io::Result<()> {
    let order = folded.first_seen_order();
    let rows = |slice| {
        let ids = order.slice(slice);
        let mut rows = UniqueRows::default();
        rows.rows.reserve(ids.len() * ROW_BYTES);
        for id in &ids {
            rows.push(&folded.counts(*id));
        }
        rows.rows
    };
    std::thread::scope(|scope| {
        let formatted: Vec<_> = (0..threads)
            .map(|thread| {
                let (sender, receiver) = sync_channel(2);
                let slices = (thread..order.slices()).step_by(threads);
                // Sending fails once printing has failed.
                scope.spawn(move || slices.map(rows).try_for_each(|rows| sender.send(rows)));
                receiver
            })
            .collect();
        let mut in_turn = formatted.iter().cycle().map_while(|rows| rows.recv().ok());
        in_turn.try_for_each(|rows| printer.data(&rows))
    })
}
