//! `vthost evidence`: the log lines of a run's indicators, as JSON Lines.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use foldhash::fast::RandomState;

use super::{finish, interruptible_engine};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::read_progress::{ReadProgressDisplay, Stdout};
use crate::cli::settings::{Environment, EvidenceSettings};
use crate::extraction::{ChunkInfo, Order, Sink};
use crate::indicator::{Indicator, Kind, is_plain_name, raw_host};
use crate::output::{ObservationRow, read_results};
use crate::plugin::Batch;
use crate::verdict::Verdict;

pub(in crate::cli) fn run(
    settings: &EvidenceSettings,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let wanted = wanted(&settings.results, settings.verdict)?;
    let (engine, _runtime) = interruptible_engine(environment)?;
    let parsers = settings.read.parsers(&engine, &environment.pins()?)?;
    let interrupt = engine.interrupt();
    let logs = settings.read.logs(&parsers, &interrupt);
    let display = ReadProgressDisplay::start(settings.read.progress(), Stdout::Data, *printer);
    let extracted = logs.extract(Order::AsRead, || EvidencePrinter::new(printer, &wanted));
    drop(display);
    finish(extracted.map(|extracted| extracted.summary), printer)
}

/// The indicators whose lines are printed.
#[derive(Default)]
struct Wanted {
    indicators: HashSet<Indicator>,
    hosts: HashSet<Vec<u8>, RandomState>,
}

impl Wanted {
    fn add(&mut self, indicator: Indicator) {
        let host = indicator.host().value().as_bytes().to_vec();
        self.hosts.insert(host);
        self.indicators.insert(indicator);
    }

    /// Whether a value of a log is on a host without wanted indicators. That rules out most
    /// values without parsing them.
    fn is_elsewhere(&self, kind: Kind, value: &[u8]) -> bool {
        raw_host(kind, value).is_some_and(|host| is_plain_name(host) && !self.hosts.contains(host))
    }
}

/// The indicators with this verdict in the results of a run.
fn wanted(results: &Path, verdict: Verdict) -> anyhow::Result<Wanted> {
    let mut wanted = Wanted::default();
    for previous in read_results(results)? {
        if previous.verdict == verdict {
            wanted.add(previous.sightings.indicator);
        }
    }
    Ok(wanted)
}

/// The most values that are remembered. Logs have few different ones; beyond this number they
/// are forgotten.
const MAX_KNOWN: usize = 1 << 20;

/// Values as logs have them, and whether they are wanted.
type Known = HashMap<Vec<u8>, bool, RandomState>;

/// Prints a row for each observation of a wanted indicator.
struct EvidencePrinter<'a> {
    printer: &'a Printer,
    wanted: &'a Wanted,
    /// For URLs, domains and addresses.
    known: [Known; 3],
    rows: Vec<u8>,
}

impl<'a> EvidencePrinter<'a> {
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
        let is_wanted = Indicator::parse(kind, value)
            .is_ok_and(|indicator| self.wanted.indicators.contains(&indicator));
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(value.to_vec(), is_wanted);
        is_wanted
    }
}

impl Sink for EvidencePrinter<'_> {
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
            ObservationRow::new(from.name, line, &indicator, &observation)
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
    fn value_on_another_host_is_not_wanted() {
        let mut wanted = Wanted::default();
        let known = [
            (Kind::Url, "http://www.example.com/a"),
            (Kind::Url, "http://192.0.2.1/"),
            (Kind::Domain, "xn--bcher-kva.example.com"),
        ];
        for (kind, value) in known {
            wanted.add(Indicator::parse(kind, value.as_bytes()).unwrap());
        }
        let check = |kind, value: &str, expected| {
            let is_elsewhere = wanted.is_elsewhere(kind, value.as_bytes());
            assert_eq!(is_elsewhere, expected, "{value}");
            let parsed = Indicator::parse(kind, value.as_bytes());
            let is_wanted = parsed.is_ok_and(|indicator| wanted.indicators.contains(&indicator));
            assert!(!(is_elsewhere && is_wanted), "{value}");
        };
        check(Kind::Url, "http://www.example.net/a", true);
        check(Kind::Domain, "www.example.net:443", true);
        // On a wanted host, or on one whose spelling may denote it.
        check(Kind::Url, "http://www.example.com/b", false);
        check(Kind::Url, "HTTP://WWW.Example.com/a", false);
        check(Kind::Url, "http://192.0.0x201/", false);
        check(Kind::Domain, "b\u{fc}cher.example.com", false);
        check(Kind::Domain, "XN--BCHER-KVA.example.com", false);
        check(Kind::Url, "http:\\\\www.example.com\\a", true);
    }
}
