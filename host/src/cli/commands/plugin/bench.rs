//! `vthost plugin bench`: measures a plugin and a built-in plugin of its kind, in
//! alternation within one run.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::trial;
use super::{AnyPlugin, load};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, PluginBench};
use crate::extraction::DEFAULT_CHUNK_BYTES;
use crate::plugin::{
    CompileCache, Engine, InputInfo, Parser, PluginKind, PluginLimits, Policy, Reading, builtin,
};
use crate::verdict::Scope;
use crate::virustotal::report::Report;

/// The number of measurements of each plugin. The median is printed.
const ROUNDS: usize = 7;
/// The log is repeated to about this size.
const LOG_BYTES: usize = 4 << 20;
/// Judgements in one measurement.
const JUDGEMENTS: u32 = 2_000;

pub(super) fn run(
    args: &PluginBench,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let engine = environment.engine()?;
    let mut text = String::new();
    match load(&engine, &args.plugin, &args.config)? {
        AnyPlugin::Parser(parser) => {
            let Some(log) = &args.input else {
                bail!("give a log for the parser");
            };
            let log =
                std::fs::read(log).with_context(|| format!("cannot read `{}`", log.display()))?;
            parsers(&engine, parser, args, &log, &mut text)?;
        }
        AnyPlugin::Policy(policy) => policies(&engine, policy, args, &mut text)?,
    }
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::Done)
}

/// A plugin and its measurements.
struct Rival<P> {
    plugin: P,
    /// The time to compile and load it without the cache.
    compile: Duration,
    starts: Vec<Duration>,
    works: Vec<Duration>,
    memory_bytes: usize,
}

impl<P> Rival<P> {
    fn new(plugin: P, name: &str, config: &[String]) -> anyhow::Result<Self> {
        Ok(Self {
            plugin,
            compile: compile_time(name, config)?,
            starts: Vec::new(),
            works: Vec::new(),
            memory_bytes: 0,
        })
    }

    /// The time to compile and start the plugin, and its memory.
    fn costs(&mut self) -> String {
        format!(
            "compiled and loaded in {:.1} ms without cache, instantiated in {:.3} ms, {:.1} MiB of memory",
            ms(self.compile),
            ms(median(&mut self.starts)),
            self.memory_bytes as f64 / f64::from(1 << 20)
        )
    }
}

fn compile_time(plugin: &str, config: &[String]) -> anyhow::Result<Duration> {
    let engine = Engine::new(PluginLimits::default(), CompileCache::Off)
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let started = Instant::now();
    load(&engine, plugin, config)?;
    Ok(started.elapsed())
}

/// Measures the parser and the built-in parser with the highest confidence.
fn parsers(
    engine: &Engine,
    own: Parser,
    args: &PluginBench,
    log: &[u8],
    text: &mut String,
) -> anyhow::Result<()> {
    if log.is_empty() {
        bail!("the log is empty");
    }
    let log = log.repeat(LOG_BYTES.div_ceil(log.len()));
    let info = trial::input("bench.log", &log, 0);
    let mut rivals = vec![Rival::new(own, &args.plugin, &args.config)?];
    if let Some((name, parser)) = most_confident(engine, &info)? {
        rivals.push(Rival::new(parser, name, &[])?);
    }
    let mut lines = 0;
    for _ in 0..ROUNDS {
        for rival in &mut rivals {
            lines = parse_once(rival, &info, &log)?;
        }
    }
    for rival in &mut rivals {
        let parse = median(&mut rival.works);
        let megabytes_s = log.len() as f64 / 1e6 / parse.as_secs_f64();
        let ns = parse.as_nanos() as f64 / lines as f64;
        let (id, costs) = (rival.plugin.id().clone(), rival.costs());
        writeln!(
            text,
            "{id}: {megabytes_s:.0} MB/s, {ns:.0} ns/line; {costs}"
        )?;
    }
    Ok(())
}

/// The built-in parser that detects the log with the highest confidence.
fn most_confident(
    engine: &Engine,
    info: &InputInfo,
) -> anyhow::Result<Option<(&'static str, Parser)>> {
    let mut best: Option<(u8, &str, Parser)> = None;
    for name in builtin::names(PluginKind::Parser) {
        let AnyPlugin::Parser(parser) = load(engine, name, &[])? else {
            continue;
        };
        let confidence = parser.detect(info).unwrap_or(0);
        if best.as_ref().is_none_or(|(most, ..)| confidence > *most) {
            best = Some((confidence, name, parser));
        }
    }
    Ok(best.map(|(_, name, parser)| (name, parser)))
}

/// Parses the log once, and returns the number of its lines.
fn parse_once(rival: &mut Rival<Parser>, info: &InputInfo, log: &[u8]) -> anyhow::Result<u64> {
    let parser = &rival.plugin;
    let stopped = |stop| anyhow::anyhow!("{} {stop}", parser.id());
    let started = Instant::now();
    let mut session = parser.open(info).map_err(stopped)?;
    rival.starts.push(started.elapsed());
    let (mut parse, mut lines) = (Duration::ZERO, 0);
    trial::each_chunk(log, DEFAULT_CHUNK_BYTES, |chunk| {
        let started = Instant::now();
        session.parse(&chunk.bytes, chunk.lines)?;
        parse += started.elapsed();
        lines += chunk.lines;
        Ok(())
    })
    .map_err(stopped)?;
    if session.reading() != Reading::IndependentLines {
        session.finish().map_err(stopped)?;
    }
    rival.works.push(parse);
    rival.memory_bytes = session.memory_bytes();
    Ok(lines)
}

/// Measures the policy and `strict`.
fn policies(
    engine: &Engine,
    own: Policy,
    args: &PluginBench,
    text: &mut String,
) -> anyhow::Result<()> {
    const OTHER: &str = "strict";
    let AnyPlugin::Policy(other) = load(engine, OTHER, &[])? else {
        bail!("built-in `{OTHER}` is not a policy");
    };
    let mut rivals = [
        Rival::new(own, &args.plugin, &args.config)?,
        Rival::new(other, OTHER, &[])?,
    ];
    let report = Report::from_attributes(trial::SAMPLE_REPORT);
    for _ in 0..ROUNDS {
        for rival in &mut rivals {
            judge_repeatedly(rival, &report)?;
        }
    }
    let engines = report.engines.iter().count();
    for rival in &mut rivals {
        let us = median(&mut rival.works).as_nanos() as f64 / 1e3;
        let (id, costs) = (rival.plugin.id().clone(), rival.costs());
        writeln!(
            text,
            "{id}: {us:.1} µs/judgement of a report with {engines} engines; {costs}"
        )?;
    }
    Ok(())
}

fn judge_repeatedly(rival: &mut Rival<Policy>, report: &Report) -> anyhow::Result<()> {
    let policy = &rival.plugin;
    let stopped = |stop| anyhow::anyhow!("{} {stop}", policy.id());
    let sightings = trial::CaseSightings::default().sightings("example.com", 0)?;
    let subject = &sightings.indicator;
    let started = Instant::now();
    let mut session = policy.open().map_err(stopped)?;
    rival.starts.push(started.elapsed());
    let started = Instant::now();
    for _ in 0..JUDGEMENTS {
        session
            .judge(&sightings, subject, Scope::Exact, report, 0)
            .map_err(stopped)?;
    }
    rival.works.push(started.elapsed() / JUDGEMENTS);
    rival.memory_bytes = session.memory_bytes();
    Ok(())
}

fn median(durations: &mut [Duration]) -> Duration {
    durations.sort_unstable();
    durations
        .get(durations.len() / 2)
        .copied()
        .unwrap_or_default()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
