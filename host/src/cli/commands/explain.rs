//! `vthost explain`: why an indicator has its verdict, from what is stored.

use std::fmt::Write as _;

use super::plugin::{parse_indicator, unseen};
use crate::cli::args::ExplainArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::progress::clock_time;
use crate::cli::settings::{self, Environment};
use crate::clock::{Clock as _, SystemClock};
use crate::indicator::scope::{self, InternalSuffixes};
use crate::output::{rfc3339, visible};
use crate::triage::lookup::stored_reports;
use crate::triage::{Judge as _, PolicyJudge};

pub(in crate::cli) fn run(
    args: &ExplainArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let indicator = parse_indicator(&args.indicator)?;
    let store = environment.store(args.store.as_ref())?;
    let engine = environment.engine()?;
    let policies = settings::policies(&engine, &args.policy, &environment.pins()?)?;
    let mut text = format!("{}: {}\n", indicator.kind(), visible(indicator.value()));
    if let Some(reason) = scope::internal(&indicator, &InternalSuffixes::new(&[])) {
        writeln!(text, "it never leaves this machine: {reason}")?;
    }
    let reports = stored_reports(&indicator, &store)?;
    if reports.is_empty() {
        writeln!(text, "nothing is stored on it")?;
    }
    let sightings = unseen(&indicator);
    let now_s = SystemClock.now_ms().div_euclid(1000);
    for answer in &reports {
        let report = &answer.report;
        let (whose, subject) = (answer.scope.as_str(), visible(answer.subject.value()));
        writeln!(text, "\nreport ({whose}): {subject}")?;
        writeln!(text, "  fetched {}", clock_time(answer.fetched_ms))?;
        if let Some(analysed) = report
            .last_analysis
            .and_then(|s| rfc3339(s.saturating_mul(1_000_000)))
        {
            writeln!(text, "  analysed {analysed}")?;
        }
        if let Some(stats) = report.stats {
            writeln!(
                text,
                "  {} malicious, {} suspicious, {} harmless, {} undetected, {} timeout",
                stats.malicious, stats.suspicious, stats.harmless, stats.undetected, stats.timeout
            )?;
        }
        for engine in report.engines.iter() {
            if matches!(engine.category, "malicious" | "suspicious") {
                let line = format!("  {}: {} {}", engine.name, engine.category, engine.label);
                writeln!(text, "{}", visible(line.trim_end()))?;
            }
        }
        for policy in &policies {
            let mut judge = PolicyJudge::start(policy, now_s)?;
            let said = judge.judge(&sightings, &answer.subject, answer.scope, report);
            writeln!(text, "  {} (sha256:{})", policy.id(), policy.id().digest)?;
            writeln!(text, "    settings {}", visible(policy.settings()))?;
            match said {
                Ok(judgement) => {
                    let reason = visible(&judgement.reason).into_owned();
                    writeln!(text, "    {}: {reason}", judgement.verdict)?;
                }
                Err(failed) => writeln!(text, "    no verdict: {}", visible(&failed.to_string()))?,
            }
        }
    }
    printer.data(text.as_bytes())?;
    Ok(if reports.is_empty() {
        ExitStatus::Partial
    } else {
        ExitStatus::Done
    })
}
