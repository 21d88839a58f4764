//! `vthost extract`: what the logs say, as JSON Lines; no network.

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use super::{Read, finish, interrupt_on_ctrl_c, read};
use crate::cli::args::{ExtractArgs, UniqueBy};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{self, Environment};
use crate::extraction::{ChunkInfo, ExtractionError, Order, Sink, Times, extract};
use crate::indicator::{Indicator, Invalid};
use crate::input::find;
use crate::output::{ExtractRow, Summary, UniqueRows};
use crate::plugin::Batch;
use crate::sightings::{FoldBy, Folded, Overflow};

pub(in crate::cli) fn run(
    args: &ExtractArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let engine = environment.engine()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    interrupt_on_ctrl_c(&runtime, &engine.interrupt());
    let parsers = settings::parsers(
        &engine,
        &args.read.parser,
        &args.read.parser_config,
        &environment.pins()?,
    )?;
    let options = settings::reading(&args.read);
    let interrupt = engine.interrupt();
    let result = match args.unique {
        None => {
            let found = find(&args.read.inputs);
            let invalid = Mutex::default();
            let values = if args.written {
                Values::AndWritten
            } else {
                Values::Canonical
            };
            let mut sinks: Vec<Rows> = (0..options.workers)
                .map(|_| Rows::new(printer, values, &invalid))
                .collect();
            extract(
                &found.inputs,
                &parsers,
                &options,
                &interrupt,
                Order::AsRead,
                &mut sinks,
            )
            .map(|extraction| {
                let mut summary = Summary::of_inputs(extraction.inputs, &found.skipped);
                summary.invalid = invalid_rows(invalid);
                (summary, extraction.times)
            })
        }
        Some(by) => {
            let fold_by = match by {
                UniqueBy::Url => FoldBy::Indicator,
                UniqueBy::Host => FoldBy::Host,
            };
            match read(&args.read.inputs, &parsers, &options, &interrupt, fold_by) {
                Ok(Read {
                    mut folded,
                    summary,
                    extraction,
                }) => print_unique(printer, &mut folded, options.workers)
                    .map_err(ExtractionError::Output)
                    .map(|()| (summary, extraction.times)),
                Err(error) => Err(error),
            }
        }
    };
    let result = result.map(|(summary, times)| {
        if args.times {
            printer.say(&said(times));
        }
        summary
    });
    finish(result, printer)
}

/// Where the time went, for `--times`.
fn said(times: Times) -> String {
    format!(
        "reading {:.3} s, parsing {:.3} s, folding and writing {:.3} s over all threads",
        times.reading.as_secs_f64(),
        times.parsing.as_secs_f64(),
        times.taking.as_secs_f64()
    )
}

/// Values that are no indicator: how many by reason, and one of them.
type InvalidRows = BTreeMap<Invalid, (u64, String)>;

/// Which form of a value is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    Canonical,
    /// And the log's own, where that is another.
    AndWritten,
}

/// Writes each observation as a row.
struct Rows<'a> {
    printer: &'a Printer,
    values: Values,
    invalid: &'a Mutex<InvalidRows>,
    lines: Vec<u8>,
}

impl<'a> Rows<'a> {
    fn new(printer: &'a Printer, values: Values, invalid: &'a Mutex<InvalidRows>) -> Self {
        Self {
            printer,
            values,
            invalid,
            lines: Vec::new(),
        }
    }
}

impl Sink for Rows<'_> {
    fn take(&mut self, from: &ChunkInfo<'_>, batch: &Batch) -> std::io::Result<()> {
        self.lines.clear();
        for observation in batch.observations(from.bytes()) {
            let line = from.place(observation.line).line();
            match Indicator::parse(observation.kind, observation.value) {
                Ok(indicator) => {
                    let row = ExtractRow::new(from.name, line, &indicator, &observation);
                    let row = match self.values {
                        Values::Canonical => row,
                        Values::AndWritten => row.with_written(observation.value),
                    };
                    row.push_to(&mut self.lines);
                }
                Err(reason) => {
                    let mut invalid = self.invalid.lock().unwrap_or_else(PoisonError::into_inner);
                    let sample = || String::from_utf8_lossy(observation.value).into_owned();
                    invalid.entry(reason).or_insert_with(|| (0, sample())).0 += 1;
                }
            }
        }
        self.printer.data(&self.lines)
    }
}

fn invalid_rows(invalid: Mutex<InvalidRows>) -> Vec<(String, u64, String)> {
    let invalid = invalid.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rows = invalid.into_iter();
    rows.map(|(reason, (count, sample))| (reason.to_string(), count, sample))
        .collect()
}

/// Rows that are written before they are printed: so many that printing costs
/// nothing, so few that they stay in the processor's second cache.
const ROWS: usize = 1 << 10;

/// What a row takes, more or less.
const ROW_BYTES: usize = 256;

/// Writes a row for each indicator that memory had no room for.
fn print_overflow(printer: &Printer, overflow: &mut dyn Overflow) -> std::io::Result<()> {
    let mut rows = UniqueRows::default();
    let (mut count, mut printed) = (0, Ok(()));
    let each = overflow.each(&mut |kept| {
        rows.push(&kept.counted());
        count += 1;
        if count % ROWS == 0 && printed.is_ok() {
            printed = printer.data(&rows.rows);
            rows.rows.clear();
        }
    });
    each.map_err(std::io::Error::other)?;
    printed?;
    printer.data(&rows.rows)
}

/// Writes a row for each indicator, in the order in which they were first seen.
/// To write rows costs as much as to fold them: all threads write, by turns, and
/// this one prints.
fn print_unique(printer: &Printer, folded: &mut Folded, threads: usize) -> std::io::Result<()> {
    if let Some(overflow) = folded.overflow() {
        return print_overflow(printer, overflow.as_mut());
    }
    let folded = &*folded;
    let as_seen = folded.as_seen();
    let rows = |turn| {
        let ids = as_seen.turn(turn);
        let mut rows = UniqueRows::default();
        rows.rows.reserve(ids.len() * ROW_BYTES);
        for id in &ids {
            rows.push(&folded.counted(*id));
        }
        rows.rows
    };
    std::thread::scope(|scope| {
        let written: Vec<_> = (0..threads)
            .map(|thread| {
                let (sender, receiver) = sync_channel(2);
                let turns = (thread..as_seen.turns()).step_by(threads);
                // Nobody receives any more once printing has failed.
                scope.spawn(move || turns.map(rows).try_for_each(|rows| sender.send(rows)));
                receiver
            })
            .collect();
        let mut in_turn = written.iter().cycle().map_while(|rows| rows.recv().ok());
        in_turn.try_for_each(|rows| printer.data(&rows))
    })
}
