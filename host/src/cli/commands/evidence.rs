//! `vthost evidence`: the log lines behind the verdicts of a run, as JSON Lines.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{finish, interrupt_on_ctrl_c};
use crate::cli::args::{EvidenceArgs, EvidenceOf};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{self, Environment};
use crate::extraction::{ChunkInfo, Order, Sink, extract};
use crate::indicator::{Indicator, Kind, is_plain_name, raw_host};
use crate::input::find;
use crate::output::{ExtractRow, Summary, read_results};
use crate::plugin::Batch;
use crate::verdict::Verdict;

pub(in crate::cli) fn run(
    args: &EvidenceArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let wanted = wanted(&args.results, args.verdict)?;
    let engine = environment.engine()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let interrupt = engine.interrupt();
    interrupt_on_ctrl_c(&runtime, &interrupt);
    let parsers = settings::parsers(
        &engine,
        &args.read.parser,
        &args.read.parser_config,
        &environment.pins()?,
    )?;
    let options = settings::reading(&args.read);
    let found = find(&args.read.inputs);
    let mut sinks: Vec<Lines> = (0..options.workers)
        .map(|_| Lines::new(printer, &wanted))
        .collect();
    let result = extract(
        &found.inputs,
        &parsers,
        &options,
        &interrupt,
        Order::AsRead,
        &mut sinks,
    );
    let result = result.map(|extraction| Summary::of_inputs(extraction.inputs, &found.skipped));
    finish(result, printer)
}

/// What is looked for.
#[derive(Default)]
struct Wanted {
    /// Kinds and canonical values.
    indicators: HashSet<(&'static str, String)>,
    /// The hosts of these.
    hosts: HashSet<Vec<u8>, foldhash::fast::RandomState>,
}

impl Wanted {
    fn add(&mut self, indicator: &Indicator) {
        let key = (indicator.kind().as_str(), indicator.value().to_owned());
        self.indicators.insert(key);
        let host = indicator.host().value().as_bytes().to_vec();
        self.hosts.insert(host);
    }

    fn has(&self, indicator: &Indicator) -> bool {
        let key = (indicator.kind().as_str(), indicator.value().to_owned());
        self.indicators.contains(&key)
    }

    /// Whether a value is on a host that nothing wanted is on. Few hosts are:
    /// most values are told apart by this alone.
    fn is_elsewhere(&self, kind: Kind, value: &[u8]) -> bool {
        raw_host(kind, value).is_some_and(|host| is_plain_name(host) && !self.hosts.contains(host))
    }
}

/// The indicators of a run's results that have a verdict.
fn wanted(results: &Path, verdict: EvidenceOf) -> anyhow::Result<Wanted> {
    let verdict = match verdict {
        EvidenceOf::Bad => Verdict::Bad,
        EvidenceOf::Good => Verdict::Good,
        EvidenceOf::Unknown => Verdict::Unknown,
    };
    let mut wanted = Wanted::default();
    for earlier in read_results(results)? {
        if earlier.verdict == verdict {
            wanted.add(&earlier.sightings.indicator);
        }
    }
    Ok(wanted)
}

/// Values as logs write them, and whether they are wanted. Logs hold few
/// different ones; past this many it begins anew.
const MAX_KNOWN: usize = 1 << 20;

type Known = HashMap<Vec<u8>, bool, foldhash::fast::RandomState>;

/// Writes a row for each observation of a wanted indicator.
struct Lines<'a> {
    printer: &'a Printer,
    wanted: &'a Wanted,
    /// For each kind.
    known: [Known; 3],
    rows: Vec<u8>,
}

impl<'a> Lines<'a> {
    fn new(printer: &'a Printer, wanted: &'a Wanted) -> Self {
        Self {
            printer,
            wanted,
            known: Default::default(),
            rows: Vec::new(),
        }
    }

    fn is_wanted(&mut self, kind: Kind, value: &[u8]) -> bool {
        if self.wanted.is_elsewhere(kind, value) {
            return false;
        }
        let known = &mut self.known[match kind {
            Kind::Url => 0,
            Kind::Domain => 1,
            Kind::Ip => 2,
        }];
        if let Some(is_wanted) = known.get(value) {
            return *is_wanted;
        }
        let is_wanted =
            Indicator::parse(kind, value).is_ok_and(|indicator| self.wanted.has(&indicator));
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(value.to_vec(), is_wanted);
        is_wanted
    }
}

impl Sink for Lines<'_> {
    fn take(&mut self, from: &ChunkInfo<'_>, batch: &Batch) -> std::io::Result<()> {
        self.rows.clear();
        let mut lines = from.lines();
        for observation in batch.observations(from.bytes()) {
            if !self.is_wanted(observation.kind, observation.value) {
                continue;
            }
            let Ok(indicator) = Indicator::parse(observation.kind, observation.value) else {
                continue;
            };
            let line = from.place(observation.line).line();
            ExtractRow::new(from.name, line, &indicator, &observation)
                .with_text(lines.text(observation.line))
                .push_to(&mut self.rows);
        }
        self.printer.data(&self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_elsewhere_is_not_wanted() {
        let mut wanted = Wanted::default();
        let known = [
            (Kind::Url, "http://www.example.com/a"),
            (Kind::Url, "http://192.0.2.1/"),
            (Kind::Domain, "xn--bcher-kva.example.com"),
        ];
        for (kind, value) in known {
            wanted.add(&Indicator::parse(kind, value.as_bytes()).unwrap());
        }
        let check = |kind, value: &str, expected| {
            let is_elsewhere = wanted.is_elsewhere(kind, value.as_bytes());
            assert_eq!(is_elsewhere, expected, "{value}");
            let parsed = Indicator::parse(kind, value.as_bytes());
            let is_wanted = parsed.is_ok_and(|indicator| wanted.has(&indicator));
            assert!(!(is_elsewhere && is_wanted), "{value}");
        };
        check(Kind::Url, "http://www.example.net/a", true);
        check(Kind::Domain, "www.example.net:443", true);
        // On a wanted host, or on one whose bytes may stand for it.
        check(Kind::Url, "http://www.example.com/b", false);
        check(Kind::Url, "HTTP://WWW.Example.com/a", false);
        check(Kind::Url, "http://192.0.0x201/", false);
        check(Kind::Domain, "b\u{fc}cher.example.com", false);
        check(Kind::Domain, "XN--BCHER-KVA.example.com", false);
        check(Kind::Url, "http:\\\\www.example.com\\a", true);
    }
}
