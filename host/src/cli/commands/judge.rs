//! `vthost judge`: a policy over what is stored, with no request.

use std::collections::HashMap;
use std::path::Path;

use anyhow::bail;

use super::plugin::unseen;
use super::{Read, read};
use crate::cli::args::JudgeArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::pins::Pins;
use crate::cli::printer::Printer;
use crate::cli::settings::{self, Environment};
use crate::clock::{Clock as _, SystemClock};
use crate::indicator::scope::InternalSuffixes;
use crate::indicator::{Indicator, Kind};
use crate::observation::Place;
use crate::output::{Earlier, Summary, read_results, visible, write_all};
use crate::plugin::Engine;
use crate::sightings::{FoldBy, Sightings};
use crate::store::Store;
use crate::triage::plan::plan;
use crate::triage::run::judge_stored;
use crate::triage::{Cause, Finding, PolicyChain, Rescan};

pub(in crate::cli) fn run(
    args: &JudgeArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let now = SystemClock.now_ms();
    let store = environment.store(args.store.store.as_ref())?;
    let engine = environment.engine()?;
    let pins = environment.pins()?;
    let policies = settings::policies(&engine, &args.policy, &pins)?;
    let earlier = match &args.results {
        Some(results) if is_same(results, &args.out.join("results.jsonl")) => bail!(
            "`{}` would be written over; name another folder with --out",
            results.display()
        ),
        Some(results) => read_results(results)?,
        None => Vec::new(),
    };
    let (sightings, mut summary) = if args.results.is_some() {
        let sightings = earlier.iter().map(|earlier| earlier.sightings.clone());
        (sightings.collect(), Summary::default())
    } else if args.inputs.is_empty() {
        (stored(&store)?, Summary::default())
    } else {
        from_logs(args, &engine, &pins)?
    };
    let mut judge = PolicyChain::start(&policies, now.div_euclid(1000))?;
    let own = InternalSuffixes::new(&args.store.internal_suffix);
    let planned = plan(sightings, &own, &mut judge);
    let lookup = settings::stored_lookup(&args.store, Rescan::No, now);
    let judged = judge_stored(&planned, &lookup, &store, &mut judge)?;
    let findings: Vec<Finding> = judged
        .into_iter()
        .zip(planned)
        .map(|(finding, planned)| {
            finding.unwrap_or_else(|| {
                let reason = "nothing is stored on it".to_owned();
                Finding::unknown(planned.sightings, Cause::NotAsked, reason)
            })
        })
        .collect();
    summary.policies = policies.iter().map(|policy| policy.id().clone()).collect();
    summary.count(&findings);
    std::fs::create_dir_all(&args.out)?;
    write_all(&args.out, &findings, &summary)?;
    if args.results.is_some() {
        printer.data(changes(&earlier, &findings).as_bytes())?;
    }
    printer.say(&summary.to_string());
    let is_partial = summary.is_partial();
    Ok(if is_partial {
        ExitStatus::Partial
    } else {
        ExitStatus::Done
    })
}

/// Whether both paths lead to one file that is there.
fn is_same(one: &Path, other: &Path) -> bool {
    let (one, other) = (one.canonicalize(), other.canonicalize());
    one.is_ok_and(|one| other.is_ok_and(|other| one == other))
}

/// A line for each indicator whose verdict is another than before.
fn changes(earlier: &[Earlier], findings: &[Finding]) -> String {
    let now: HashMap<&Indicator, &Finding> = findings
        .iter()
        .map(|finding| (&finding.sightings.indicator, finding))
        .collect();
    let mut text = String::new();
    for before in earlier {
        let Some(after) = now.get(&before.sightings.indicator) else {
            continue;
        };
        if after.verdict != before.verdict {
            let line = format!(
                "{} -> {}  {}  ({}; before: {})",
                before.verdict,
                after.verdict,
                before.sightings.display(),
                after.reason,
                before.reason
            );
            text.push_str(&visible(&line));
            text.push('\n');
        }
    }
    text
}

fn from_logs(
    args: &JudgeArgs,
    engine: &Engine,
    pins: &Pins,
) -> anyhow::Result<(Vec<Sightings>, Summary)> {
    let parsers = settings::parsers(engine, &args.parser, &[], pins)?;
    let options = settings::options(None, 0);
    let interrupt = engine.interrupt();
    let Read {
        mut folded,
        summary,
        ..
    } = read(
        &args.inputs,
        &parsers,
        &options,
        &interrupt,
        FoldBy::Indicator,
    )?;
    Ok((folded.sightings()?, summary))
}

/// Everything that the store has a report on, as if seen nowhere.
fn stored(store: &Store) -> anyhow::Result<Vec<Sightings>> {
    let mut all = Vec::new();
    for (question, attributes) in store.found()? {
        let (collection, name) = question.split_once('/').unwrap_or((&question, ""));
        let indicator = match collection {
            "domains" => Indicator::parse(Kind::Domain, name.as_bytes()),
            "ip_addresses" => Indicator::parse(Kind::Ip, name.as_bytes()),
            _ => {
                let attributes: serde_json::Value = serde_json::from_str(&attributes)?;
                let url = attributes.get("url").and_then(serde_json::Value::as_str);
                Indicator::parse(Kind::Url, url.unwrap_or_default().as_bytes())
            }
        };
        // A report that does not say which URL it is on can be judged with
        // logs, where its name is known.
        let Ok(indicator) = indicator else { continue };
        all.push(Sightings {
            place: Place::new(u32::MAX, all.len() as u64),
            ..unseen(&indicator)
        });
    }
    Ok(all)
}
