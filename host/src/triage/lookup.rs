//! The look-up plan: what to ask about an indicator, and in which order.
//!
//! The next request follows from what is stored and from nothing else, so a run that was killed
//! needs no special case. A URL's host comes first: its report serves all URLs of the host and
//! often settles them. Whether it does is for the policy to decide.

use super::judge::PolicyFailure;
use super::request::{LookupStep, Request};
use super::share::{Rescan, Share};
use super::stored::StoredAnswers;
use crate::clock::UnixMs;
use crate::indicator::{Indicator, Kind, secrets};
use crate::plugin::Judgement;
use crate::store::{StoreError, StoredAnswer, StoredOutcome, SubmissionState};
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Report;
use crate::virustotal::{Question, url_id};

/// What may be asked, and how old a stored answer may be.
#[derive(Debug, Clone, Copy)]
pub struct LookupPlan {
    /// How much may be sent.
    pub share: Share,
    /// Whether to scan again.
    pub rescan: Rescan,
    /// Stored answers from before these times do not count.
    pub fresh_since: FreshSince,
}

/// The time from which stored answers count, by verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreshSince {
    /// Reports that the policy calls bad.
    pub bad_ms: UnixMs,
    /// Reports that the policy calls good.
    pub good_ms: UnixMs,
    /// All else: no report, no engine results, no decision.
    pub unknown_ms: UnixMs,
}

impl FreshSince {
    /// The same time for all verdicts.
    #[must_use]
    pub fn all(ms: UnixMs) -> Self {
        Self {
            bad_ms: ms,
            good_ms: ms,
            unknown_ms: ms,
        }
    }

    fn earliest_ms(&self) -> UnixMs {
        self.bad_ms.min(self.good_ms).min(self.unknown_ms)
    }

    fn for_verdict(&self, verdict: Verdict) -> UnixMs {
        match verdict {
            Verdict::Bad => self.bad_ms,
            Verdict::Good => self.good_ms,
            Verdict::Unknown => self.unknown_ms,
        }
    }
}

/// Asks the policy for its judgement of a report, given the report's subject and scope.
pub type JudgeReport<'a> =
    &'a mut dyn FnMut(&Indicator, Scope, &Report) -> Result<Judgement, PolicyFailure>;

/// How far an indicator has come.
#[derive(Debug, Clone)]
pub enum LookupStatus {
    /// A report with engine results settles it.
    Answered(Box<JudgedReport>),
    /// This request is needed.
    Next(Request),
    /// VirusTotal was asked all that may be asked and has no engine results, for this reason.
    Exhausted(String),
}

/// A report and the policy's judgement of it.
#[derive(Debug, Clone)]
pub struct JudgedReport {
    /// Whether it is the indicator's report or its host's.
    pub scope: Scope,
    /// The subject of the report.
    pub subject: Indicator,
    /// The report.
    pub report: Report,
    /// The judgement.
    pub judged: Result<Judgement, PolicyFailure>,
}

impl JudgedReport {
    /// Whether no further report is needed. Without a word of the policy, a bad host settles its
    /// URLs and a good one does not, because a page on it may still be bad.
    fn settles(&self) -> bool {
        match (self.scope, &self.judged) {
            (Scope::Exact, _) => true,
            (Scope::Host, Ok(judgement)) => judgement
                .settles
                .unwrap_or(judgement.verdict == Verdict::Bad),
            (Scope::Host, Err(_)) => false,
        }
    }
}

/// A stored report with engine results.
#[derive(Debug, Clone)]
pub struct StoredReport {
    /// Whether it is the indicator's report or its host's.
    pub scope: Scope,
    /// The subject of the report.
    pub subject: Indicator,
    /// The report.
    pub report: Report,
    /// When it was fetched.
    pub fetched_ms: UnixMs,
}

/// Reads all stored reports with engine results on an indicator, its host's first.
///
/// # Errors
///
/// When the store cannot be read.
pub fn stored_reports(
    indicator: &Indicator,
    stored: &dyn StoredAnswers,
) -> Result<Vec<StoredReport>, StoreError> {
    let lookup = LookupPlan {
        share: Share::Submit,
        rescan: Rescan::No,
        fresh_since: FreshSince::all(UnixMs::MIN),
    };
    let mut found = Vec::new();
    for step in lookup.steps(indicator) {
        let (scope, json, fetched_ms) = match &step {
            LookupStep::Ask(question, scope) => match stored.answer(question)? {
                Some(StoredAnswer {
                    outcome: StoredOutcome::Found { attributes_json },
                    fetched_ms,
                }) => (*scope, attributes_json, fetched_ms),
                _ => continue,
            },
            LookupStep::Submit(url) => match stored.submission(url)? {
                Some(SubmissionState::Completed {
                    attributes_json,
                    completed_ms,
                }) => (Scope::Exact, attributes_json, completed_ms),
                _ => continue,
            },
        };
        if let Some(report) = report_with_results(&json) {
            found.push(StoredReport {
                scope,
                subject: subject(indicator, scope),
                report,
                fetched_ms,
            });
        }
    }
    Ok(found)
}

impl LookupPlan {
    /// The steps for an indicator, in the order in which they are tried. A URL that may hold a
    /// secret is never sent in full.
    #[must_use]
    pub fn steps(&self, indicator: &Indicator) -> Vec<LookupStep> {
        let may_show = secrets::sensitive(indicator).is_empty();
        let may_submit = self.share == Share::Submit && may_show;
        let whole = whole_url(indicator);
        if let (Rescan::Yes, true, Some(url)) = (self.rescan, may_submit, &whole) {
            return vec![LookupStep::Submit(url.clone())];
        }
        let host_scope = match indicator.kind() {
            Kind::Url => Scope::Host,
            Kind::Domain | Kind::Ip => Scope::Exact,
        };
        let mut steps = vec![LookupStep::Ask(Question::of_host(indicator), host_scope)];
        if indicator.is_http() {
            let by_hash = url_id::plain_sha256(indicator).is_some();
            if self.share >= Share::Hash && by_hash || self.share >= Share::Url && may_show {
                steps.push(LookupStep::Ask(Question::of_url(indicator), Scope::Exact));
            }
        }
        if let (true, Some(url)) = (may_submit, whole) {
            steps.push(LookupStep::Submit(url));
        }
        steps
    }

    /// How far an indicator has come. `judge` is called at most once for each stored report.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn status(
        &self,
        indicator: &Indicator,
        stored: &dyn StoredAnswers,
        judge: JudgeReport<'_>,
    ) -> Result<LookupStatus, StoreError> {
        let steps = self.steps(indicator);
        let ends_in_submission = matches!(steps.last(), Some(LookupStep::Submit(_)));
        let mut host_report = None;
        let mut reasons = Vec::new();
        let mut is_new_site = false;
        for step in steps {
            let outcome = match step {
                // VirusTotal has seen no URL of a site that it has never seen. So a URL that is
                // submitted anyway needs no look-up before.
                LookupStep::Ask(question, Scope::Exact)
                    if is_new_site && ends_in_submission && stored.answer(&question)?.is_none() =>
                {
                    continue;
                }
                LookupStep::Ask(question, scope) => {
                    let answer = stored.answer(&question)?;
                    self.asked(subject(indicator, scope), scope, question, answer, judge)
                }
                LookupStep::Submit(url) => {
                    let state = stored.submission(&url)?;
                    self.submitted(indicator, url, state, judge)
                }
            };
            match outcome {
                StepOutcome::Next(request) => return Ok(LookupStatus::Next(request)),
                StepOutcome::Judged(report) if report.settles() => {
                    return Ok(LookupStatus::Answered(report));
                }
                StepOutcome::Judged(report) => host_report = Some(report),
                StepOutcome::NeverSeen(reason) => {
                    is_new_site = true;
                    reasons.push(reason);
                }
                StepOutcome::NoResults(reason) => reasons.push(reason),
                StepOutcome::Refused(reason) => {
                    reasons.push(reason);
                    break;
                }
            }
        }
        Ok(match host_report {
            Some(report) => LookupStatus::Answered(report),
            None => LookupStatus::Exhausted(reasons.join("; ")),
        })
    }

    fn asked(
        &self,
        subject: Indicator,
        scope: Scope,
        question: Question,
        stored: Option<StoredAnswer>,
        judge: JudgeReport<'_>,
    ) -> StepOutcome {
        let fetched_ms = stored.as_ref().map(|answer| answer.fetched_ms);
        let outcome = stored.and_then(|answer| match answer.outcome {
            StoredOutcome::Found { attributes_json } => {
                self.found(subject, scope, &attributes_json, answer.fetched_ms, judge)
            }
            _ if answer.fetched_ms < self.fresh_since.unknown_ms => None,
            StoredOutcome::NotFound => Some(StepOutcome::NeverSeen(format!(
                "VirusTotal has never seen {}",
                shown(&subject)
            ))),
            StoredOutcome::Refused { code, message } => Some(StepOutcome::Refused(format!(
                "VirusTotal refuses {}: {code}: {message}",
                shown(&subject)
            ))),
        });
        outcome.unwrap_or(StepOutcome::Next(Request::Ask {
            question,
            replaces_ms: fetched_ms,
        }))
    }

    fn submitted(
        &self,
        indicator: &Indicator,
        url: String,
        state: Option<SubmissionState>,
        judge: JudgeReport<'_>,
    ) -> StepOutcome {
        let outcome = match &state {
            Some(SubmissionState::Completed {
                attributes_json,
                completed_ms,
            }) => {
                let subject = indicator.clone();
                self.found(subject, Scope::Exact, attributes_json, *completed_ms, judge)
            }
            _ => None,
        };
        outcome.unwrap_or_else(|| StepOutcome::Next(Request::for_submission(url, state)))
    }

    /// Judges a stored report. `None` if it is too old.
    fn found(
        &self,
        subject: Indicator,
        scope: Scope,
        attributes_json: &str,
        fetched_ms: UnixMs,
        judge: JudgeReport<'_>,
    ) -> Option<StepOutcome> {
        let Some(report) = report_with_results(attributes_json) else {
            let reason = format!(
                "VirusTotal's report on {} has no engine results",
                shown(&subject)
            );
            let is_fresh = fetched_ms >= self.fresh_since.unknown_ms;
            return is_fresh.then_some(StepOutcome::NoResults(reason));
        };
        if fetched_ms < self.fresh_since.earliest_ms() {
            return None;
        }
        let judged = judge(&subject, scope, &report);
        let verdict = judged.as_ref().map_or(Verdict::Unknown, |j| j.verdict);
        (fetched_ms >= self.fresh_since.for_verdict(verdict)).then(|| {
            StepOutcome::Judged(Box::new(JudgedReport {
                scope,
                subject,
                report,
                judged,
            }))
        })
    }
}

/// What came of a step.
enum StepOutcome {
    /// It needs this request.
    Next(Request),
    /// A report with engine results.
    Judged(Box<JudgedReport>),
    /// VirusTotal has never seen the subject.
    NeverSeen(String),
    /// VirusTotal has a report without engine results.
    NoResults(String),
    /// VirusTotal refuses the value; no further step can succeed.
    Refused(String),
}

fn report_with_results(attributes_json: &str) -> Option<Report> {
    let report = Report::from_attributes(attributes_json);
    let has_results = report.stats.is_some_and(|stats| stats.has_opinion());
    has_results.then_some(report)
}

fn subject(indicator: &Indicator, scope: Scope) -> Indicator {
    match scope {
        Scope::Exact => indicator.clone(),
        Scope::Host => indicator.host(),
    }
}

/// The subject in a reason. A URL is not repeated there.
fn shown(subject: &Indicator) -> &str {
    match subject.kind() {
        Kind::Url => "the URL",
        Kind::Domain | Kind::Ip => subject.value(),
    }
}

/// The URL to submit for an indicator: the URL, or a host's front page, which is how VirusTotal
/// reads a bare name.
fn whole_url(indicator: &Indicator) -> Option<String> {
    match indicator.kind() {
        Kind::Url => indicator.is_http().then(|| indicator.value().to_owned()),
        Kind::Ip if indicator.value().contains(':') => {
            Some(format!("http://[{}]/", indicator.value()))
        }
        Kind::Domain | Kind::Ip => Some(format!("http://{}/", indicator.value())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const BAD: &str = r#"{"last_analysis_stats":{"malicious":3}}"#;
    const GOOD: &str = r#"{"last_analysis_stats":{"harmless":70}}"#;

    /// What is stored, by question, fetched at 100.
    #[derive(Default)]
    struct Stored(HashMap<String, StoredOutcome>);

    impl Stored {
        fn with(mut self, question: &Question, outcome: StoredOutcome) -> Self {
            self.0.insert(question.to_string(), outcome);
            self
        }

        fn found(self, question: &Question, json: &str) -> Self {
            let attributes_json = json.to_owned();
            self.with(question, StoredOutcome::Found { attributes_json })
        }
    }

    impl StoredAnswers for Stored {
        fn answer(&self, question: &Question) -> Result<Option<StoredAnswer>, StoreError> {
            Ok(self
                .0
                .get(&question.to_string())
                .map(|outcome| StoredAnswer {
                    outcome: outcome.clone(),
                    fetched_ms: 100,
                }))
        }

        fn submission(&self, _url: &str) -> Result<Option<SubmissionState>, StoreError> {
            Ok(None)
        }
    }

    fn url() -> Indicator {
        Indicator::parse(Kind::Url, b"http://www.example.com/a").unwrap()
    }

    fn host() -> Question {
        Question::Domain("www.example.com".into())
    }

    fn hash() -> Question {
        Question::UrlBySha256(url_id::plain_sha256(&url()).unwrap())
    }

    /// The next step for [`url`], under a policy that calls a report bad if an engine does.
    fn progress(share: Share, stored: &Stored, settles: Option<bool>) -> String {
        progress_of(share, stored, settles, FreshSince::all(0))
    }

    fn progress_of(
        share: Share,
        stored: &Stored,
        settles: Option<bool>,
        fresh_since: FreshSince,
    ) -> String {
        let lookup = LookupPlan {
            share,
            rescan: Rescan::No,
            fresh_since,
        };
        let mut judge = |_: &Indicator, _: Scope, report: &Report| {
            let is_bad = report.stats.is_some_and(|stats| stats.malicious > 0);
            Ok(Judgement {
                verdict: if is_bad { Verdict::Bad } else { Verdict::Good },
                reason: String::new(),
                tags: Vec::new(),
                score: None,
                settles,
            })
        };
        match lookup.status(&url(), stored, &mut judge).unwrap() {
            LookupStatus::Answered(answer) => answer.scope.as_str().to_owned(),
            LookupStatus::Next(Request::Ask { question, .. }) if question == host() => {
                "ask host".into()
            }
            LookupStatus::Next(Request::Ask { .. }) => "ask url".into(),
            LookupStatus::Next(_) => "submit".into(),
            LookupStatus::Exhausted(words) => words,
        }
    }

    #[test]
    fn a_bad_host_settles_its_urls_and_a_good_one_does_not() {
        let check = |stored: Stored, settles, expected: &str| {
            assert_eq!(progress(Share::Hash, &stored, settles), expected);
        };
        let bad = || Stored::default().found(&host(), BAD);
        let good = || Stored::default().found(&host(), GOOD);
        check(Stored::default(), None, "ask host");
        check(bad(), None, "host");
        check(bad(), Some(false), "ask url");
        check(good(), None, "ask url");
        check(good(), Some(true), "host");
        check(good().found(&hash(), BAD), None, "exact");
        check(good().with(&hash(), StoredOutcome::NotFound), None, "host");
        let nothing = || Stored::default().with(&host(), StoredOutcome::NotFound);
        check(nothing(), None, "ask url");
        check(
            nothing().with(&hash(), StoredOutcome::NotFound),
            None,
            "VirusTotal has never seen www.example.com; VirusTotal has never seen the URL",
        );
    }

    #[test]
    fn a_url_of_an_unknown_site_is_submitted_without_a_look_up() {
        let check = |share, stored: Stored, expected: &str| {
            assert_eq!(progress(share, &stored, None), expected, "{share}");
        };
        let new_site = || Stored::default().with(&host(), StoredOutcome::NotFound);
        check(Share::Submit, new_site(), "submit");
        check(Share::Url, new_site(), "ask url");
        check(Share::Submit, new_site().found(&hash(), BAD), "exact");
        check(
            Share::Submit,
            Stored::default().found(&host(), GOOD),
            "ask url",
        );
    }

    #[test]
    fn no_tier_above_the_chosen_one_is_asked() {
        let check = |share, expected: &str| {
            let stored = Stored::default().found(&host(), GOOD);
            let stored = stored.with(&hash(), StoredOutcome::NotFound);
            assert_eq!(progress(share, &stored, None), expected, "{share}");
        };
        check(Share::Host, "host");
        check(Share::Hash, "host");
        check(Share::Url, "host");
        check(Share::Submit, "submit");
    }

    #[test]
    fn the_age_limit_depends_on_the_verdict() {
        let oldest = FreshSince {
            bad_ms: 100,
            good_ms: 101,
            unknown_ms: 101,
        };
        let check = |stored: Stored, expected: &str| {
            assert_eq!(progress_of(Share::Host, &stored, None, oldest), expected);
        };
        check(Stored::default().found(&host(), BAD), "host");
        check(Stored::default().found(&host(), GOOD), "ask host");
        check(
            Stored::default().with(&host(), StoredOutcome::NotFound),
            "ask host",
        );
    }
}
