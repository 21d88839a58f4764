//! Resolves an indicator: to its finding, or to the request that it needs next.

use super::finding::{Accuser, Cause, Evidence, Finding};
use super::judge::Judge;
use super::lookup::{JudgedReport, LookupPlan, LookupStatus};
use super::plan::Planned;
use super::request::Request;
use super::stored::{StoreSnapshot, StoredAnswers};
use crate::sightings::Sightings;
use crate::store::{Store, StoreError};
use crate::virustotal::report::Report;

/// What an indicator comes to, by what is stored.
#[derive(Debug)]
pub enum Resolution {
    /// It is not looked up, or the stored answers settle it.
    Settled(Box<Finding>),
    /// It needs this request.
    Open(Request),
}

/// Resolves an indicator by what is stored. The policy judges each stored report at most once.
///
/// # Errors
///
/// When the store cannot be read.
pub fn resolve(
    planned: &Planned,
    lookup: &LookupPlan,
    stored: &dyn StoredAnswers,
    judge: &mut dyn Judge,
) -> Result<Resolution, StoreError> {
    if let Some(finding) = planned.skipped() {
        return Ok(Resolution::Settled(Box::new(finding)));
    }
    let sightings = &planned.sightings;
    let status = lookup.status(
        &sightings.indicator,
        stored,
        &mut |subject, scope, report| judge.judge(sightings, subject, scope, report),
    )?;
    let finding = match status {
        LookupStatus::Next(request) => return Ok(Resolution::Open(request)),
        LookupStatus::Answered(answer) => judged(sightings.clone(), *answer),
        LookupStatus::Exhausted(reason) => {
            Finding::unknown(sightings.clone(), Cause::NoReport, reason)
        }
    };
    Ok(Resolution::Settled(Box::new(finding)))
}

fn judged(sightings: Sightings, answer: JudgedReport) -> Finding {
    let evidence = Evidence {
        scope: answer.scope,
        subject: answer.subject.value().to_owned(),
        stats: answer.report.stats,
        analysed_s: answer.report.last_analysis,
        accusers: accusers(&answer.report),
        owner: answer.report.owner,
    };
    let finding = match answer.judged {
        Ok(judgement) => Finding {
            sightings,
            verdict: judgement.verdict,
            cause: Cause::Judged,
            reason: judgement.reason,
            tags: judgement.tags,
            score: judgement.score,
            evidence: None,
            contacts: None,
        },
        Err(failure) => Finding::unknown(sightings, Cause::Failed, failure.0),
    };
    Finding {
        evidence: Some(evidence),
        ..finding
    }
}

/// The engines that accuse the subject of a report.
fn accusers(report: &Report) -> Vec<Accuser> {
    let engines = report.engines.iter();
    engines
        .filter(|engine| matches!(engine.category, "malicious" | "suspicious"))
        .map(|engine| Accuser {
            engine: engine.name.to_owned(),
            category: engine.category.to_owned(),
            label: engine.label.to_owned(),
        })
        .collect()
}

/// The findings that need no request, in the order of the plan. `None` for an indicator that does.
///
/// # Errors
///
/// When the store cannot be read.
pub fn judge_stored(
    planned: &[Planned],
    lookup: &LookupPlan,
    store: &Store,
    judge: &mut dyn Judge,
) -> Result<Vec<Option<Finding>>, StoreError> {
    let stored = StoreSnapshot::of(store)?;
    planned
        .iter()
        .map(|planned| {
            Ok(match resolve(planned, lookup, &stored, judge)? {
                Resolution::Settled(finding) => Some(*finding),
                Resolution::Open(_) => None,
            })
        })
        .collect()
}
