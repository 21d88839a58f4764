//! `vthost explain`: the stored reports on an indicator, and what the policies decide by them.

use std::fmt::{self, Write as _};

use super::plugin::parse_indicator;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, ExplainSettings};
use crate::indicator::scope::{self, InternalSuffixes};
use crate::output::visible;
use crate::plugin::{Engine, PluginSettings, PluginSource, Policy, Screening};
use crate::sightings::Sightings;
use crate::triage::lookup::{StoredReport, stored_reports};
use crate::triage::plan::NOT_ASKED;
use crate::triage::{Judge as _, PolicyJudge};
use crate::virustotal::report::Report;

/// The policy whose verdict is shown beside those of the run.
const COMPARED: &str = "threshold";

pub(in crate::cli) fn run(
    settings: &ExplainSettings,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let indicator = parse_indicator(&settings.indicator)?;
    let store = environment.store(settings.store.as_ref())?;
    let engine = environment.engine()?;
    let policies = settings.policies.load(&engine, &environment.pins()?)?;
    let comparison = comparison(&engine, &policies)?;
    let mut text = format!("{}: {}\n", indicator.kind(), visible(indicator.value()));
    if let Some(reason) = scope::internal(&indicator, &InternalSuffixes::new(&[])) {
        writeln!(text, "never sent to VirusTotal: {reason}")?;
    }
    let reports = stored_reports(&indicator, &store)?;
    if reports.is_empty() {
        writeln!(text, "no report is stored")?;
    }
    let sightings = Sightings::unseen(indicator);
    let now_s = store.clock().now_ms().div_euclid(1000);
    write_screenings(&mut text, &policies, &sightings, now_s)?;
    for report in &reports {
        write_report(&mut text, report, environment)?;
        for policy in &policies {
            write_verdict(&mut text, policy, &sightings, report, now_s)?;
        }
        if let Some(policy) = &comparison {
            writeln!(text, "  for comparison, not used:")?;
            write_verdict(&mut text, policy, &sightings, report, now_s)?;
        }
    }
    printer.data(text.as_bytes())?;
    Ok(if reports.is_empty() {
        ExitStatus::Partial
    } else {
        ExitStatus::Done
    })
}

/// The built-in policy that needs more than one engine and knows public resolvers, if it is
/// none of the `policies`: a single engine that flags an address such as 1.1.1.1 is the usual
/// reason for a verdict that nobody understands.
fn comparison(engine: &Engine, policies: &[Policy]) -> anyhow::Result<Option<Policy>> {
    if policies.iter().any(|policy| policy.id().name == COMPARED) {
        return Ok(None);
    }
    let source = PluginSource::BuiltIn(COMPARED.to_owned());
    Ok(Some(Policy::load(
        engine,
        &source,
        &PluginSettings::default(),
    )?))
}

/// Writes which policies skip the indicator. One is enough that it is not looked up.
fn write_screenings(
    text: &mut String,
    policies: &[Policy],
    sightings: &Sightings,
    now_s: i64,
) -> anyhow::Result<()> {
    for policy in policies {
        match PolicyJudge::start(policy, now_s)?.screen(sightings) {
            Ok(Screening::Ask { .. }) => {}
            Ok(Screening::Skip { reason }) => {
                let (id, reason) = (policy.id(), visible(&reason));
                writeln!(text, "unknown: {NOT_ASKED}{reason} ({id})")?;
            }
            Err(failed) => writeln!(text, "unknown: {}", visible(&failed.to_string()))?,
        }
    }
    Ok(())
}

fn write_report(
    text: &mut String,
    stored: &StoredReport,
    environment: &Environment,
) -> fmt::Result {
    let report = &stored.report;
    let (scope, subject) = (stored.scope.as_str(), visible(stored.subject.value()));
    writeln!(text, "\nreport ({scope}): {subject}")?;
    writeln!(text, "  fetched at {}", environment.time(stored.fetched_ms))?;
    if let Some(analysed_s) = report.last_analysis {
        let analysed = environment.time(analysed_s.saturating_mul(1000));
        writeln!(text, "  analysed at {analysed}")?;
    }
    if let Some(holder) = holder(report) {
        writeln!(text, "  held by {}", visible(&holder))?;
    }
    if let Some(registrar) = &report.registrar {
        writeln!(text, "  registered at {}", visible(registrar))?;
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
    Ok(())
}

/// Who holds an address, as far as the report names it.
fn holder(report: &Report) -> Option<String> {
    let asn = report.asn.map(|number| format!("AS{number}"));
    let (owner, network) = (report.owner.clone(), report.network.clone());
    let parts = [owner, asn, network, report.country.clone()];
    let known: Vec<String> = parts.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

fn write_verdict(
    text: &mut String,
    policy: &Policy,
    sightings: &Sightings,
    stored: &StoredReport,
    now_s: i64,
) -> anyhow::Result<()> {
    let mut judge = PolicyJudge::start(policy, now_s)?;
    let judged = judge.judge(sightings, &stored.subject, stored.scope, &stored.report);
    writeln!(text, "  {} (sha256:{})", policy.id(), policy.id().digest)?;
    writeln!(text, "    settings {}", visible(policy.settings()))?;
    match judged {
        Ok(judgement) => {
            let reason = visible(&judgement.reason);
            writeln!(text, "    {}: {reason}", judgement.verdict)?;
        }
        Err(failed) => writeln!(text, "    no verdict: {}", visible(&failed.to_string()))?,
    }
    Ok(())
}
