//! The ladder: for one indicator, what may be asked, and what to do next given
//! what is stored. Pure: it sends nothing.

use std::fmt;
use std::str::FromStr;

use crate::clock::UnixMs;
use crate::indicator::{Indicator, Kind, secrets, vt_id};
use crate::store::{StoreError, StoredAnswer, StoredOutcome, SubmissionState};
use crate::verdict::Scope;
use crate::virustotal::Question;
use crate::virustotal::report::Report;

/// How much of an indicator may leave the machine; each rung includes those
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
        [Self::Host, Self::Hash, Self::Url, Self::Submit]
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
pub struct Ladder {
    /// The highest rung.
    pub share: Share,
    /// Whether to scan anew.
    pub rescan: Rescan,
    /// Stored answers from before this time do not count.
    pub oldest_ms: UnixMs,
}

/// One step on the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask for a report.
    Ask(Question, Scope),
    /// Hand in a URL and await the analysis.
    Submit(String),
}

/// What is stored, as far as the ladder asks.
pub trait Answers {
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
pub enum Progress {
    /// There is a report with engine results.
    Answered(Box<Answer>),
    /// This is to be done next.
    Next(Action),
    /// VirusTotal was asked all that may be asked and has no engine results;
    /// the sentence says what it said.
    Exhausted(String),
}

/// A report, and whose it is.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Whose report.
    pub scope: Scope,
    /// What it is on.
    pub subject: Indicator,
    /// The report.
    pub report: Report,
}

/// A request to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
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

impl Ladder {
    /// The steps for an indicator, in the order in which they are tried. What
    /// has a secret in it stays off the rungs that show it.
    #[must_use]
    pub fn steps(&self, indicator: &Indicator) -> Vec<Step> {
        let may_show = secrets::sensitive(indicator).is_empty();
        let may_submit = self.share == Share::Submit && may_show;
        let host = Step::Ask(host_question(indicator), scope_of_host(indicator));
        let whole = whole_url(indicator);
        if let (Rescan::Yes, true, Some(url)) = (self.rescan, may_submit, &whole) {
            return vec![Step::Submit(url.clone())];
        }
        let mut steps = Vec::new();
        if indicator.kind() == Kind::Url && indicator.is_http() {
            if self.share >= Share::Hash
                && let Some(sha256) = vt_id::plain_sha256(indicator)
            {
                steps.push(Step::Ask(Question::UrlBySha256(sha256), Scope::Exact));
            } else if self.share >= Share::Url && may_show {
                let id = vt_id::base64_id(indicator);
                steps.push(Step::Ask(Question::UrlByBase64(id), Scope::Exact));
            }
        } else {
            steps.push(host.clone());
        }
        if let (true, Some(url)) = (may_submit, whole) {
            steps.push(Step::Submit(url));
        }
        if !steps.contains(&host) {
            steps.push(host);
        }
        steps
    }

    /// How far an indicator has come, given what is stored.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn progress(
        &self,
        indicator: &Indicator,
        stored: &dyn Answers,
    ) -> Result<Progress, StoreError> {
        let mut said = Vec::new();
        for step in self.steps(indicator) {
            let reached = match &step {
                Step::Ask(question, scope) => {
                    self.asked(indicator, question, *scope, stored.answer(question)?)
                }
                Step::Submit(url) => self.submitted(indicator, url, stored.submission(url)?),
            };
            match reached {
                Reached::End(progress) => return Ok(progress),
                Reached::Nothing(words) => said.push(words),
            }
        }
        Ok(Progress::Exhausted(said.join("; ")))
    }

    fn asked(
        &self,
        indicator: &Indicator,
        question: &Question,
        scope: Scope,
        stored: Option<StoredAnswer>,
    ) -> Reached {
        let fresh = stored.filter(|answer| answer.fetched_ms >= self.oldest_ms);
        let subject = match scope {
            Scope::Exact => indicator.clone(),
            Scope::Host => indicator.host(),
        };
        match fresh.map(|answer| answer.outcome) {
            None => Reached::End(Progress::Next(Action::Ask(question.clone()))),
            Some(StoredOutcome::Found { attributes_json }) => {
                answered(subject, scope, &attributes_json)
            }
            Some(StoredOutcome::NotFound) => {
                Reached::Nothing(format!("VirusTotal has never seen {}", shown(&subject)))
            }
            Some(StoredOutcome::Refused { code, message }) => Reached::End(Progress::Exhausted(
                format!("VirusTotal refuses {}: {code}: {message}", shown(&subject)),
            )),
        }
    }

    fn submitted(
        &self,
        indicator: &Indicator,
        url: &str,
        stored: Option<SubmissionState>,
    ) -> Reached {
        let url = url.to_owned();
        let next = |action| Reached::End(Progress::Next(action));
        match stored {
            None => next(Action::Submit(url)),
            Some(SubmissionState::Intended {
                at_ms,
                polls,
                next_poll_ms,
            }) => next(Action::Recover {
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
            }) => next(Action::Poll {
                url,
                analysis_id,
                polls,
                due_ms: next_poll_ms,
            }),
            Some(SubmissionState::Completed {
                attributes_json,
                completed_ms,
                ..
            }) if completed_ms >= self.oldest_ms => {
                answered(indicator.clone(), Scope::Exact, &attributes_json)
            }
            Some(SubmissionState::Completed { .. }) => next(Action::Submit(url)),
        }
    }
}

/// Where a step led.
enum Reached {
    End(Progress),
    /// No engine results; what VirusTotal said.
    Nothing(String),
}

fn answered(subject: Indicator, scope: Scope, attributes_json: &str) -> Reached {
    let report = Report::from_attributes(attributes_json);
    if !report
        .stats
        .as_ref()
        .is_some_and(|stats| stats.has_opinion())
    {
        return Reached::Nothing(format!(
            "VirusTotal's report on {} has no engine results",
            shown(&subject)
        ));
    }
    Reached::End(Progress::Answered(Box::new(Answer {
        scope,
        subject,
        report,
    })))
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
