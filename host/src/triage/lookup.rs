//! The look-up plan: for one indicator, what may be asked, and what to do next given
//! what is stored. Pure: it sends nothing.
//!
//! A URL's host comes first: its report serves all its URLs, and often settles
//! them. Whether it does is the policy's to say; see [`Opinion`].

use std::fmt;
use std::str::FromStr;

use crate::clock::UnixMs;
use crate::indicator::{Indicator, Kind, secrets};
use crate::plugin::Judgement;
use crate::store::{StoreError, StoredAnswer, StoredOutcome, SubmissionState};
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Report;
use crate::virustotal::{Question, url_id};

/// How much of an indicator may leave the machine; each tier includes those
/// before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Share {
    /// Domains and addresses.
    Host,
    /// And the SHA-256 of URLs.
    #[default]
    Hash,
    /// And the URLs themselves.
    Url,
    /// And URLs are handed in for a public scan.
    Submit,
}

impl Share {
    /// From the least to the most.
    pub const ALL: [Self; 4] = [Self::Host, Self::Hash, Self::Url, Self::Submit];

    /// `host`, `hash`, `url` or `submit`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Hash => "hash",
            Self::Url => "url",
            Self::Submit => "submit",
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|share| share.as_str() == text)
            .ok_or_else(|| format!("`{text}` is none of host, hash, url, submit"))
    }
}

/// Whether a report that VirusTotal has already is good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rescan {
    /// It is.
    #[default]
    No,
    /// Every indicator is handed in for a new scan, known or not.
    Yes,
}

/// What may be asked, and how old an answer may be.
#[derive(Debug, Clone, Copy)]
pub struct LookupPlan {
    /// The highest tier.
    pub share: Share,
    /// Whether to scan anew.
    pub rescan: Rescan,
    /// Stored answers from before these times do not count.
    pub fresh_since: FreshSince,
}

/// From when on stored answers count, by what they came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreshSince {
    /// A report that the policy calls bad.
    pub bad_ms: UnixMs,
    /// One that it calls good.
    pub good_ms: UnixMs,
    /// All else: no report, no engine results, no decision.
    pub unknown_ms: UnixMs,
}

impl FreshSince {
    /// The same for all.
    #[must_use]
    pub fn all(ms: UnixMs) -> Self {
        Self {
            bad_ms: ms,
            good_ms: ms,
            unknown_ms: ms,
        }
    }

    fn of(&self, verdict: Verdict) -> UnixMs {
        match verdict {
            Verdict::Bad => self.bad_ms,
            Verdict::Good => self.good_ms,
            Verdict::Unknown => self.unknown_ms,
        }
    }
}

/// What the policy makes of a report, as far as the plan asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opinion {
    /// Bad, good or unknown.
    pub verdict: Verdict,
    /// Whether a host's report is enough for the URLs on it.
    pub settles: bool,
}

impl From<&Judgement> for Opinion {
    /// Where the policy does not say: a bad host settles its URLs. A good one
    /// does not, for a page on it may still be bad.
    fn from(judgement: &Judgement) -> Self {
        let is_bad = judgement.verdict == Verdict::Bad;
        Self {
            verdict: judgement.verdict,
            settles: judgement.settles.unwrap_or(is_bad),
        }
    }
}

/// Asks the policy.
pub type Ask<'a> = &'a mut dyn FnMut(&ScopedReport) -> Opinion;

/// Which actions come before which: a host's report is worth more than that of
/// one of its URLs, and a look-up more than a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The report on a domain or an address.
    Host,
    /// The report on a URL.
    Url,
    /// A submission, and what follows.
    Submission,
}

/// One step of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupStep {
    /// Ask for a report.
    Ask(Question, Scope),
    /// Hand in a URL and await the analysis.
    Submit(String),
}

impl LookupStep {
    /// Where it stands.
    #[must_use]
    pub fn tier(&self) -> Tier {
        match self {
            Self::Ask(question, _) => question.tier(),
            Self::Submit(_) => Tier::Submission,
        }
    }
}

impl Question {
    fn tier(&self) -> Tier {
        match self {
            Self::Domain(_) | Self::Address(_) => Tier::Host,
            Self::UrlBySha256(_) | Self::UrlByBase64(_) => Tier::Url,
        }
    }
}

/// A stored report with engine results, and when it was fetched.
#[derive(Debug, Clone)]
pub struct StoredReport {
    /// Whose report.
    pub scope: Scope,
    /// What it is on.
    pub subject: Indicator,
    /// The report.
    pub report: Report,
    /// When it was fetched.
    pub fetched_ms: UnixMs,
}

/// All reports with engine results that are stored on an indicator, its host's
/// first.
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
        let subject = match scope {
            Scope::Exact => indicator.clone(),
            Scope::Host => indicator.host(),
        };
        if let StepOutcome::Answered(answer) = answered(subject, scope, &json) {
            found.push(StoredReport {
                scope: answer.scope,
                subject: answer.subject,
                report: answer.report,
                fetched_ms,
            });
        }
    }
    Ok(found)
}

/// What is stored, as far as the plan asks.
pub trait StoredAnswers {
    /// The stored answer to a question.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn answer(&self, question: &Question) -> Result<Option<StoredAnswer>, StoreError>;

    /// What is known of the submission of a URL.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn submission(&self, url: &str) -> Result<Option<SubmissionState>, StoreError>;
}

/// How far an indicator has come.
#[derive(Debug, Clone)]
pub enum LookupStatus {
    /// There is a report with engine results.
    Answered(Box<ScopedReport>),
    /// This is to be done next.
    Next(Request),
    /// VirusTotal was asked all that may be asked and has no engine results;
    /// the sentence says what it said.
    Exhausted(String),
}

/// A report, and whose it is.
#[derive(Debug, Clone)]
pub struct ScopedReport {
    /// Whose report.
    pub scope: Scope,
    /// What it is on.
    pub subject: Indicator,
    /// The report.
    pub report: Report,
}

/// A request to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Ask for a report.
    Ask(Question),
    /// Hand in a URL.
    Submit(String),
    /// Ask how an analysis is getting on, not before its time.
    Poll {
        /// The URL that was handed in.
        url: String,
        /// The analysis.
        analysis_id: String,
        /// How often it was asked for.
        polls: u32,
        /// Not before.
        due_ms: UnixMs,
    },
    /// A submission may or may not have arrived: ask for the URL's report.
    Recover {
        /// The URL.
        url: String,
        /// When it was sent.
        sent_ms: UnixMs,
        /// How often it was asked for.
        polls: u32,
        /// Not before.
        due_ms: UnixMs,
    },
}

impl Request {
    /// Where it stands.
    #[must_use]
    pub fn tier(&self) -> Tier {
        match self {
            Self::Ask(question) => question.tier(),
            Self::Submit(_) | Self::Poll { .. } | Self::Recover { .. } => Tier::Submission,
        }
    }

    /// What it is about: two runs never do two actions of one name at once.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Ask(question) => question.to_string(),
            Self::Submit(url) | Self::Poll { url, .. } | Self::Recover { url, .. } => {
                format!("submission of {url}")
            }
        }
    }
}

impl LookupPlan {
    /// The steps for an indicator, in the order in which they are tried. What
    /// has a secret in it stays off the tiers that show it.
    #[must_use]
    pub fn steps(&self, indicator: &Indicator) -> Vec<LookupStep> {
        let may_show = secrets::sensitive(indicator).is_empty();
        let may_submit = self.share == Share::Submit && may_show;
        let whole = whole_url(indicator);
        if let (Rescan::Yes, true, Some(url)) = (self.rescan, may_submit, &whole) {
            return vec![LookupStep::Submit(url.clone())];
        }
        let mut steps = vec![LookupStep::Ask(
            host_question(indicator),
            scope_of_host(indicator),
        )];
        if indicator.is_http() {
            if self.share >= Share::Hash
                && let Some(sha256) = url_id::plain_sha256(indicator)
            {
                steps.push(LookupStep::Ask(Question::UrlBySha256(sha256), Scope::Exact));
            } else if self.share >= Share::Url && may_show {
                let id = url_id::base64_id(indicator);
                steps.push(LookupStep::Ask(Question::UrlByBase64(id), Scope::Exact));
            }
        }
        if let (true, Some(url)) = (may_submit, whole) {
            steps.push(LookupStep::Submit(url));
        }
        steps
    }

    /// How far an indicator has come, given what is stored and what the policy
    /// makes of it.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn progress(
        &self,
        indicator: &Indicator,
        stored: &dyn StoredAnswers,
        ask: Ask<'_>,
    ) -> Result<LookupStatus, StoreError> {
        let mut said = Vec::new();
        let mut of_host = None;
        let steps = self.steps(indicator);
        let ends_in_submission = matches!(steps.last(), Some(LookupStep::Submit(_)));
        let mut is_new_site = false;
        for step in steps {
            let reached = match &step {
                // Of a site that was never seen no URL was: what is handed in
                // anyway needs no look-up before.
                LookupStep::Ask(question, Scope::Exact)
                    if is_new_site && ends_in_submission && stored.answer(question)?.is_none() =>
                {
                    continue;
                }
                LookupStep::Ask(question, scope) => {
                    self.asked(indicator, question, *scope, stored.answer(question)?, ask)
                }
                LookupStep::Submit(url) => {
                    self.submitted(indicator, url, stored.submission(url)?, ask)
                }
            };
            match reached {
                StepOutcome::Next(action) => return Ok(LookupStatus::Next(action)),
                StepOutcome::Answered(answer) if answer.scope == Scope::Host => {
                    if ask(&answer).settles {
                        return Ok(LookupStatus::Answered(answer));
                    }
                    of_host = Some(answer);
                }
                StepOutcome::Answered(answer) => return Ok(LookupStatus::Answered(answer)),
                StepOutcome::NeverSeen(words) => {
                    is_new_site = true;
                    said.push(words);
                }
                StepOutcome::Nothing(words) => said.push(words),
                StepOutcome::Refused(words) => {
                    said.push(words);
                    break;
                }
            }
        }
        Ok(match of_host {
            Some(answer) => LookupStatus::Answered(answer),
            None => LookupStatus::Exhausted(said.join("; ")),
        })
    }

    fn asked(
        &self,
        indicator: &Indicator,
        question: &Question,
        scope: Scope,
        stored: Option<StoredAnswer>,
        ask: Ask<'_>,
    ) -> StepOutcome {
        let next = || StepOutcome::Next(Request::Ask(question.clone()));
        let subject = match scope {
            Scope::Exact => indicator.clone(),
            Scope::Host => indicator.host(),
        };
        let Some(StoredAnswer {
            outcome,
            fetched_ms,
        }) = stored
        else {
            return next();
        };
        let reached = match outcome {
            StoredOutcome::Found { attributes_json } => answered(subject, scope, &attributes_json),
            StoredOutcome::NotFound => {
                StepOutcome::NeverSeen(format!("VirusTotal has never seen {}", shown(&subject)))
            }
            StoredOutcome::Refused { code, message } => StepOutcome::Refused(format!(
                "VirusTotal refuses {}: {code}: {message}",
                shown(&subject)
            )),
        };
        if self.is_fresh(&reached, fetched_ms, ask) {
            reached
        } else {
            next()
        }
    }

    /// Whether what was fetched then still counts. The policy is asked only
    /// where its verdict makes the difference.
    fn is_fresh(&self, reached: &StepOutcome, fetched_ms: UnixMs, ask: Ask<'_>) -> bool {
        let FreshSince {
            bad_ms,
            good_ms,
            unknown_ms,
        } = self.fresh_since;
        match reached {
            StepOutcome::Answered(answer) => {
                fetched_ms >= bad_ms.max(good_ms).max(unknown_ms)
                    || fetched_ms >= bad_ms.min(good_ms).min(unknown_ms)
                        && fetched_ms >= self.fresh_since.of(ask(answer).verdict)
            }
            _ => fetched_ms >= unknown_ms,
        }
    }

    fn submitted(
        &self,
        indicator: &Indicator,
        url: &str,
        stored: Option<SubmissionState>,
        ask: Ask<'_>,
    ) -> StepOutcome {
        let url = url.to_owned();
        let next = StepOutcome::Next;
        match stored {
            None => next(Request::Submit(url)),
            Some(SubmissionState::Intended {
                at_ms,
                polls,
                next_poll_ms,
            }) => next(Request::Recover {
                url,
                sent_ms: at_ms,
                polls,
                due_ms: next_poll_ms,
            }),
            Some(SubmissionState::Pending {
                analysis_id,
                polls,
                next_poll_ms,
                ..
            }) => next(Request::Poll {
                url,
                analysis_id,
                polls,
                due_ms: next_poll_ms,
            }),
            Some(SubmissionState::Completed {
                attributes_json,
                completed_ms,
            }) => {
                let reached = answered(indicator.clone(), Scope::Exact, &attributes_json);
                if self.is_fresh(&reached, completed_ms, ask) {
                    reached
                } else {
                    next(Request::Submit(url))
                }
            }
        }
    }
}

/// Where a step led.
enum StepOutcome {
    /// There is something to do.
    Next(Request),
    /// A report with engine results.
    Answered(Box<ScopedReport>),
    /// VirusTotal knows nothing of it, in words.
    NeverSeen(String),
    /// No engine results; what VirusTotal said.
    Nothing(String),
    /// VirusTotal does not take it; no further step will do.
    Refused(String),
}

fn answered(subject: Indicator, scope: Scope, attributes_json: &str) -> StepOutcome {
    let report = Report::from_attributes(attributes_json);
    if !report
        .stats
        .as_ref()
        .is_some_and(|stats| stats.has_opinion())
    {
        return StepOutcome::Nothing(format!(
            "VirusTotal's report on {} has no engine results",
            shown(&subject)
        ));
    }
    StepOutcome::Answered(Box::new(ScopedReport {
        scope,
        subject,
        report,
    }))
}

fn shown(subject: &Indicator) -> &str {
    match subject.kind() {
        Kind::Url => "the URL",
        Kind::Domain | Kind::Ip => subject.value(),
    }
}

fn host_question(indicator: &Indicator) -> Question {
    let host = indicator.host();
    host.value().parse().map_or_else(
        |_| Question::Domain(host.value().to_owned()),
        Question::Address,
    )
}

fn scope_of_host(indicator: &Indicator) -> Scope {
    match indicator.kind() {
        Kind::Url => Scope::Host,
        Kind::Domain | Kind::Ip => Scope::Exact,
    }
}

/// The URL to hand in for an indicator: itself, or a host's front page, as
/// VirusTotal reads a bare name.
fn whole_url(indicator: &Indicator) -> Option<String> {
    match indicator.kind() {
        Kind::Url => indicator.is_http().then(|| indicator.value().to_owned()),
        Kind::Domain => Some(format!("http://{}/", indicator.value())),
        Kind::Ip if indicator.value().contains(':') => {
            Some(format!("http://[{}]/", indicator.value()))
        }
        Kind::Ip => Some(format!("http://{}/", indicator.value())),
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

    /// Bad is what an engine calls so; `settles` where it is given.
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
        let mut ask = |answer: &ScopedReport| {
            let is_bad = answer.report.stats.is_some_and(|stats| stats.malicious > 0);
            Opinion::from(&Judgement {
                verdict: if is_bad { Verdict::Bad } else { Verdict::Good },
                reason: String::new(),
                tags: Vec::new(),
                score: None,
                settles,
            })
        };
        match lookup.progress(&url(), stored, &mut ask).unwrap() {
            LookupStatus::Answered(answer) => answer.scope.as_str().to_owned(),
            LookupStatus::Next(Request::Ask(question)) if question == host() => "ask host".into(),
            LookupStatus::Next(Request::Ask(_)) => "ask url".into(),
            LookupStatus::Next(_) => "submit".into(),
            LookupStatus::Exhausted(words) => words,
        }
    }

    #[test]
    fn the_host_comes_first_and_a_bad_one_settles() {
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
    fn a_url_of_a_site_never_seen_is_handed_in_without_a_look_up() {
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
    fn answers_age_by_what_they_came_to() {
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
