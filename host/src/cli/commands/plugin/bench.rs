//! `vthost plugin bench`: how fast a plugin is, beside the built-in one of its
//! kind, in turns within one run.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::trial;
use super::{AnyPlugin, load};
use crate::cli::args::PluginBenchArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::extraction::DEFAULT_CHUNK_BYTES;
use crate::plugin::{
    CompileCache, Engine, InputInfo, Parser, PluginKind, PluginLimits, Policy, Reading, builtin,
};
use crate::verdict::Scope;
use crate::virustotal::report::Report;

/// Each is measured this often, in turns; the median counts.
const ROUNDS: usize = 7;
/// A log is repeated until it has about this many bytes.
const LOG_BYTES: usize = 4 << 20;
/// Judgements in a round.
const JUDGEMENTS: u32 = 2_000;

pub(super) fn run(
    args: &PluginBenchArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let engine = environment.engine()?;
    let mut text = String::new();
    writeln!(text, "{}", compile_time(&args.plugin, &args.config)?)?;
    match load(&engine, &args.plugin, &args.config)? {
        AnyPlugin::Parser(parser) => {
            let Some(log) = &args.input else {
                bail!("name a log for the parser");
            };
            let log =
                std::fs::read(log).with_context(|| format!("cannot read `{}`", log.display()))?;
            parsers(&engine, &parser, &log, &mut text)?;
        }
        AnyPlugin::Policy(policy) => policies(&engine, &policy, &mut text)?,
    }
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::Done)
}

fn compile_time(plugin: &str, config: &[String]) -> anyhow::Result<String> {
    let engine = Engine::new(PluginLimits::default(), CompileCache::Off)
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let started = Instant::now();
    load(&engine, plugin, config)?;
    Ok(format!(
        "compiled and tried in {:.1} ms, without the cache",
        ms(started.elapsed())
    ))
}

/// The parser, and the built-in one that is most sure of the log.
fn parsers(engine: &Engine, own: &Parser, log: &[u8], text: &mut String) -> anyhow::Result<()> {
    if log.is_empty() {
        bail!("the log is empty");
    }
    let log = log.repeat(LOG_BYTES.div_ceil(log.len()));
    let info = trial::input("bench.log", &log, 0);
    let mut best: Option<(u8, Parser)> = None;
    for name in builtin::names(PluginKind::Parser) {
        let AnyPlugin::Parser(parser) = load(engine, name, &[])? else {
            continue;
        };
        let sure = parser.detect(&info).unwrap_or(0);
        if best.as_ref().is_none_or(|(most, _)| sure > *most) {
            best = Some((sure, parser));
        }
    }
    let rivals: Vec<&Parser> = std::iter::once(own)
        .chain(best.iter().map(|(_, parser)| parser))
        .collect();
    let (mut starts, mut parses) = (vec![Vec::new(); 2], vec![Vec::new(); 2]);
    let mut lines = 0;
    for _ in 0..ROUNDS {
        for (place, parser) in rivals.iter().enumerate() {
            let (start, parse, count) = parse_once(parser, &info, &log)?;
            starts[place].push(start);
            parses[place].push(parse);
            lines = count;
        }
    }
    for (place, parser) in rivals.iter().enumerate() {
        let parse = median(&mut parses[place]);
        let megabytes_s = log.len() as f64 / 1e6 / parse.as_secs_f64();
        writeln!(
            text,
            "{}: {megabytes_s:.0} MB/s, {:.0} ns a line, an instance starts in {:.3} ms",
            parser.id(),
            parse.as_nanos() as f64 / lines as f64,
            ms(median(&mut starts[place]))
        )?;
    }
    Ok(())
}

fn parse_once(
    parser: &Parser,
    info: &InputInfo,
    log: &[u8],
) -> anyhow::Result<(Duration, Duration, u64)> {
    let stopped = |stop| anyhow::anyhow!("{} {stop}", parser.id());
    let started = Instant::now();
    let mut session = parser.open(info).map_err(stopped)?;
    let start = started.elapsed();
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
    Ok((start, parse, lines))
}

/// The policy, and `strict`.
fn policies(engine: &Engine, own: &Policy, text: &mut String) -> anyhow::Result<()> {
    let AnyPlugin::Policy(strict) = load(engine, "strict", &[])? else {
        bail!("`strict` is a policy");
    };
    let rivals = [own, &strict];
    let report = Report::from_attributes(include_str!("report.json"));
    let (mut starts, mut judges) = (vec![Vec::new(); 2], vec![Vec::new(); 2]);
    for _ in 0..ROUNDS {
        for (place, policy) in rivals.iter().enumerate() {
            let stopped = |stop| anyhow::anyhow!("{} {stop}", policy.id());
            let sightings = trial::Seen::default().sightings("example.com")?;
            let subject = &sightings.indicator;
            let started = Instant::now();
            let mut session = policy.open().map_err(stopped)?;
            starts[place].push(started.elapsed());
            let started = Instant::now();
            for _ in 0..JUDGEMENTS {
                session
                    .judge(&sightings, subject, Scope::Exact, &report, 0)
                    .map_err(stopped)?;
            }
            judges[place].push(started.elapsed() / JUDGEMENTS);
        }
    }
    for (place, policy) in rivals.iter().enumerate() {
        let judge = median(&mut judges[place]);
        writeln!(
            text,
            "{}: {:.1} µs a judgement of a report with {} engines, an instance starts in {:.3} ms",
            policy.id(),
            judge.as_nanos() as f64 / 1e3,
            report.engines.iter().count(),
            ms(median(&mut starts[place]))
        )?;
    }
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
