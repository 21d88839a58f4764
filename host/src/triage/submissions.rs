//! Submissions: URLs sent for a scan, and the polls of their analyses.
//!
//! The intention is stored before a URL is sent. So a submission whose answer was lost is looked
//! for at VirusTotal, and never sent twice.

use std::time::Duration;

use super::request::RequestError;
use crate::clock::Clock;
use crate::indicator::{Indicator, Kind};
use crate::store::{Store, StoreError};
use crate::virustotal::report::Report;
use crate::virustotal::{AnalysisStatus, Client, Lookup, Question};

/// The polls of an analysis in one run.
pub(super) const MAX_POLLS: u32 = 4;
/// VirusTotal's clock may be slow by this much.
const CLOCK_SKEW_S: i64 = 60;

/// Sends submissions and polls, and stores what they return.
pub(super) struct Submissions<'a> {
    pub(super) client: &'a Client,
    pub(super) store: &'a Store,
    pub(super) clock: &'a dyn Clock,
    /// The delay before the first poll.
    pub(super) first_poll: Duration,
}

impl Submissions<'_> {
    /// Submits a URL.
    pub(super) async fn submit(&self, url: &str) -> Result<(), RequestError> {
        let intended_ms = self.clock.now_ms();
        let poll_delay_ms = self.poll_delay_ms(0);
        self.store
            .intend(url, intended_ms, intended_ms + poll_delay_ms)?;
        match self.client.submit(url).await {
            Ok(submission) => {
                let due_ms = self.clock.now_ms() + poll_delay_ms;
                self.store.submitted(url, &submission.analysis_id, due_ms)?;
                Ok(())
            }
            Err(fault) => {
                // If it may have arrived, it is looked for later and not sent again.
                if !fault.may_have_arrived() {
                    self.store.abandon(url, intended_ms)?;
                }
                Err(fault.into())
            }
        }
    }

    /// Asks whether an analysis has finished, after this many polls.
    pub(super) async fn poll(
        &self,
        url: &str,
        analysis_id: &str,
        polls: u32,
    ) -> Result<(), RequestError> {
        match self.client.analysis(analysis_id).await? {
            Some(analysis) if analysis.status == AnalysisStatus::Completed => {
                self.complete(url, &analysis.attributes_json)?;
            }
            _ => self.schedule(url, polls + 1)?,
        }
        Ok(())
    }

    /// Looks for the report of a submission whose answer was lost, after this many polls. Only an
    /// analysis that is not older than the submission counts.
    pub(super) async fn recover(
        &self,
        url: &str,
        sent_ms: i64,
        polls: u32,
    ) -> Result<(), RequestError> {
        if let Lookup::Found {
            attributes_json, ..
        } = self.client.report(&question(url)).await?
        {
            let analysed_s = Report::from_attributes(&attributes_json).last_analysis;
            if analysed_s.is_some_and(|at| at >= sent_ms.div_euclid(1000) - CLOCK_SKEW_S) {
                self.complete(url, &attributes_json)?;
                return Ok(());
            }
        }
        self.schedule(url, polls + 1)?;
        Ok(())
    }

    fn complete(&self, url: &str, attributes_json: &str) -> Result<(), StoreError> {
        self.store
            .complete(url, attributes_json, self.clock.now_ms())
    }

    fn schedule(&self, url: &str, polls: u32) -> Result<(), StoreError> {
        let due_ms = self.clock.now_ms() + self.poll_delay_ms(polls);
        self.store.polled(url, polls, due_ms)
    }

    /// The delay before the next poll. It doubles with each poll.
    fn poll_delay_ms(&self, polls: u32) -> i64 {
        let first_ms = i64::try_from(self.first_poll.as_millis()).unwrap_or(i64::MAX);
        first_ms.saturating_mul(1 << polls.min(MAX_POLLS))
    }
}

/// The question for a URL that was submitted, and so is public.
fn question(url: &str) -> Question {
    match Indicator::parse(Kind::Url, url.as_bytes()) {
        Ok(url) => Question::of_url(&url),
        Err(_) => Question::UrlByBase64(url.to_owned()),
    }
}
