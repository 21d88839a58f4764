//! `vthost plugin run`: runs one plugin on one file.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::trial::{self, PolicyResult, Subject};
use super::watch::GuestWatch;
use super::{AnyPlugin, load};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, PluginRun};
use crate::clock::{Clock as _, SystemClock};
use crate::extraction::DEFAULT_CHUNK_BYTES;
use crate::indicator::Indicator;
use crate::plugin::{Parser, Policy};
use crate::sightings::Sightings;
use crate::virustotal::report::Report;

pub(super) fn run(
    args: &PluginRun,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let (engine, watch) = GuestWatch::of(environment.engine()?);
    let ran = match load(&engine, &args.plugin, &args.config)? {
        AnyPlugin::Parser(parser) => run_parser(&parser, args, printer),
        AnyPlugin::Policy(policy) => run_policy(&policy, args, environment, printer),
    };
    watch.report(printer);
    ran
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(bytes)
}

/// Prints the observations, or the rejected lines.
fn run_parser(parser: &Parser, args: &PluginRun, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let Some(path) = &args.input else {
        bail!("give a log for the parser, or `-` for standard input");
    };
    let bytes = read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let now_us = SystemClock.now_ms().saturating_mul(1000);
    let info = trial::input(&name, &bytes, now_us);
    let parsed = trial::parse(parser, &info, &bytes, DEFAULT_CHUNK_BYTES)
        .map_err(|stop| anyhow::anyhow!("{} {stop}", parser.id()))?;
    let rows = if args.rejects {
        &parsed.rejects
    } else {
        &parsed.rows
    };
    let limit = args.limit.unwrap_or(usize::MAX);
    let shown: Vec<u8> = rows
        .split_inclusive(|byte| *byte == b'\n')
        .take(limit)
        .flatten()
        .copied()
        .collect();
    printer.data(&shown)?;
    printer.say(&serde_json::to_string(&parsed.counts)?);
    Ok(ExitStatus::Done)
}

/// Prints the policy's result for a report from a file or from the store.
fn run_policy(
    policy: &Policy,
    args: &PluginRun,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let now_s = SystemClock.now_ms().div_euclid(1000);
    let asked = args.indicator.as_deref().map(trial::parse_indicator);
    let asked = asked.transpose()?;
    let (indicator, reports): (Indicator, Vec<Report>) = match (&args.input, asked) {
        (Some(path), asked) => {
            let json: Value = serde_json::from_slice(&read(path)?)
                .with_context(|| format!("`{}` is not valid JSON", path.display()))?;
            let subject = Subject::read(json, now_s)
                .with_context(|| format!("cannot use `{}`", path.display()))?;
            let indicator = match asked.or_else(|| subject.stated.clone()) {
                Some(indicator) => indicator,
                None => trial::parse_indicator("example.com")?,
            };
            let report = subject.about(&indicator)?;
            (indicator, vec![report])
        }
        (None, Some(indicator)) => {
            let store = environment.store(args.store.as_ref())?;
            let stored = crate::triage::lookup::stored_reports(&indicator, &store)?;
            let reports = stored.into_iter().map(|answer| answer.report).collect();
            (indicator, reports)
        }
        (None, None) => bail!(
            "give a file with a VirusTotal report, `-` for standard input, or an --indicator with a stored report"
        ),
    };
    if reports.is_empty() {
        bail!("the store has no report on `{}`", indicator.value());
    }
    let sightings = Sightings::unseen(indicator);
    for report in &reports {
        let (screening, judgement) = trial::judge(policy, &sightings, report, now_s)
            .map_err(|stop| anyhow::anyhow!("{} {stop}", policy.id()))?;
        let result = PolicyResult::new(&screening, &judgement);
        let json = serde_json::to_string_pretty(&result)?;
        printer.data(format!("{json}\n").as_bytes())?;
    }
    Ok(ExitStatus::Done)
}
