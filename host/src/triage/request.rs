//! The requests that an indicator may need, and the tiers that order them.

use super::stored::StoredAnswers;
use crate::clock::UnixMs;
use crate::store::{Purpose, StoreError, SubmissionState};
use crate::verdict::Scope;
use crate::virustotal::{Fault, Question};

/// The order of requests. A host's report is worth more than that of one of its URLs, and a
/// look-up more than a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The report on a domain or an address.
    Host,
    /// The report on a URL.
    Url,
    /// A submission, and the polls of its analysis.
    Submission,
}

impl From<&Question> for Tier {
    fn from(question: &Question) -> Self {
        match question {
            Question::Domain(_) | Question::Address(_) => Self::Host,
            Question::UrlBySha256(_) | Question::UrlByBase64(_) => Self::Url,
        }
    }
}

/// One step of a look-up plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupStep {
    /// Ask for a report.
    Ask(Question, Scope),
    /// Submit a URL and wait for its analysis.
    Submit(String),
}

impl LookupStep {
    /// The tier of the step's first request.
    #[must_use]
    pub fn tier(&self) -> Tier {
        match self {
            Self::Ask(question, _) => question.into(),
            Self::Submit(_) => Tier::Submission,
        }
    }
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Ask for a report.
    Ask {
        /// The question.
        question: Question,
        /// When the stored answer was fetched that is too old, if there is one.
        replaces_ms: Option<UnixMs>,
    },
    /// Submit a URL.
    Submit {
        /// The URL.
        url: String,
        /// When the stored analysis was completed that is too old, if there is one.
        replaces_ms: Option<UnixMs>,
    },
    /// Ask whether an analysis has finished.
    Poll {
        /// The submitted URL.
        url: String,
        /// The analysis.
        analysis_id: String,
        /// The polls so far.
        polls: u32,
        /// The time of the next poll.
        due_ms: UnixMs,
    },
    /// Ask for the report of a URL whose submission may have arrived or not.
    Recover {
        /// The URL.
        url: String,
        /// When the submission was sent.
        sent_ms: UnixMs,
        /// The polls so far.
        polls: u32,
        /// The time of the next poll.
        due_ms: UnixMs,
    },
}

impl Request {
    /// The request that continues a submission in this state. A completed one is repeated.
    #[must_use]
    pub fn for_submission(url: String, state: Option<SubmissionState>) -> Self {
        match state {
            None => Self::Submit {
                url,
                replaces_ms: None,
            },
            Some(SubmissionState::Completed { completed_ms, .. }) => Self::Submit {
                url,
                replaces_ms: Some(completed_ms),
            },
            Some(SubmissionState::Intended {
                at_ms,
                polls,
                next_poll_ms,
            }) => Self::Recover {
                url,
                sent_ms: at_ms,
                polls,
                due_ms: next_poll_ms,
            },
            Some(SubmissionState::Pending {
                analysis_id,
                polls,
                next_poll_ms,
            }) => Self::Poll {
                url,
                analysis_id,
                polls,
                due_ms: next_poll_ms,
            },
        }
    }

    /// Whether the store is still in the state that the request follows from. Another run may
    /// have changed it.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn is_open(&self, stored: &dyn StoredAnswers) -> Result<bool, StoreError> {
        match self {
            Self::Ask {
                question,
                replaces_ms,
            } => {
                let answer = stored.answer(question)?;
                Ok(answer.map(|answer| answer.fetched_ms) == *replaces_ms)
            }
            Self::Submit { url, .. } | Self::Poll { url, .. } | Self::Recover { url, .. } => {
                let state = stored.submission(url)?;
                Ok(Self::for_submission(url.clone(), state) == *self)
            }
        }
    }

    /// The request's tier.
    #[must_use]
    pub fn tier(&self) -> Tier {
        match self {
            Self::Ask { question, .. } => question.into(),
            Self::Submit { .. } | Self::Poll { .. } | Self::Recover { .. } => Tier::Submission,
        }
    }

    /// The subject of the request, for claims and retries. Two runs never send two requests with
    /// the same key at once.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Ask { question, .. } => question.to_string(),
            Self::Submit { url, .. } | Self::Poll { url, .. } | Self::Recover { url, .. } => {
                format!("submission of {url}")
            }
        }
    }

    /// The time of the next poll, if an analysis is awaited.
    #[must_use]
    pub fn due_ms(&self) -> Option<UnixMs> {
        match self {
            Self::Poll { due_ms, .. } | Self::Recover { due_ms, .. } => Some(*due_ms),
            Self::Ask { .. } | Self::Submit { .. } => None,
        }
    }

    /// The polls so far.
    #[must_use]
    pub fn polls(&self) -> u32 {
        match self {
            Self::Poll { polls, .. } | Self::Recover { polls, .. } => *polls,
            Self::Ask { .. } | Self::Submit { .. } => 0,
        }
    }

    /// How the request is charged.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Poll { .. } => Purpose::Poll,
            Self::Ask { .. } | Self::Submit { .. } | Self::Recover { .. } => Purpose::Question,
        }
    }
}

/// Why a request left nothing in the store.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    /// The request failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
