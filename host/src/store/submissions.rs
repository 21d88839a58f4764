//! Submitted URLs. The intention is stored before the request is sent. After a crash in between,
//! the URL is looked up at VirusTotal before it is submitted again.

use super::error::StoreError;
use super::executor::SqlRow;
use super::handle::Store;
use crate::clock::UnixMs;

/// The state of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmissionState {
    /// The request was about to be sent; whether it arrived is unknown.
    Intended {
        /// When the intention was stored.
        at_ms: UnixMs,
        /// How often the URL was looked up since.
        polls: u32,
        /// When to look it up next.
        next_poll_ms: UnixMs,
    },
    /// VirusTotal has accepted it and is analysing it.
    Pending {
        /// The ID of the analysis.
        analysis_id: String,
        /// The number of polls.
        polls: u32,
        /// When to poll next.
        next_poll_ms: UnixMs,
    },
    /// There is a result.
    Completed {
        /// The attributes of the analysis, in JSON.
        attributes_json: String,
        /// When the result was fetched.
        completed_ms: UnixMs,
    },
}

impl Store {
    /// The state of the submission of a URL, if there is one.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn submission(&self, url: &str) -> Result<Option<SubmissionState>, StoreError> {
        let states = self.database.query(
            "SELECT state, intended_ms, analysis_id, polls, next_poll_ms, attributes, completed_ms
             FROM submission WHERE url = ?1",
            &[url.into()],
            read,
        )?;
        Ok(states.into_iter().next())
    }

    /// Records that a URL is about to be submitted.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
    pub fn intend(&self, url: &str, now: UnixMs, next_poll_ms: UnixMs) -> Result<(), StoreError> {
        self.database.execute(
            "INSERT INTO submission (url, state, intended_ms, next_poll_ms)
             VALUES (?1, 'intended', ?2, ?3)
             ON CONFLICT (url) DO UPDATE SET
                state = 'intended', intended_ms = ?2, next_poll_ms = ?3,
                analysis_id = NULL, polls = 0, attributes = NULL, completed_ms = NULL",
            &[url.into(), now.into(), next_poll_ms.into()],
        )?;
        Ok(())
    }

    /// Records that VirusTotal has accepted a URL.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
    pub fn submitted(
        &self,
        url: &str,
        analysis_id: &str,
        next_poll_ms: UnixMs,
    ) -> Result<(), StoreError> {
        self.database.execute(
            "UPDATE submission SET state = 'pending', analysis_id = ?2, polls = 0, next_poll_ms = ?3
             WHERE url = ?1",
            &[url.into(), analysis_id.into(), next_poll_ms.into()],
        )?;
        Ok(())
    }

    /// Records a poll of an analysis that is not finished.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
    pub fn polled(&self, url: &str, polls: u32, next_poll_ms: UnixMs) -> Result<(), StoreError> {
        self.database.execute(
            "UPDATE submission SET polls = ?2, next_poll_ms = ?3 WHERE url = ?1",
            &[url.into(), polls.into(), next_poll_ms.into()],
        )?;
        Ok(())
    }

    /// Stores the result of an analysis.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
    pub fn complete(
        &self,
        url: &str,
        attributes_json: &str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        self.database.execute(
            "UPDATE submission SET state = 'completed', attributes = ?2, completed_ms = ?3
             WHERE url = ?1",
            &[url.into(), attributes_json.into(), now.into()],
        )?;
        Ok(())
    }

    /// Deletes the submission with this time, which VirusTotal did not accept. Returns whether it
    /// existed. A submission that another run began since is kept.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
    pub fn abandon(&self, url: &str, intended_ms: UnixMs) -> Result<bool, StoreError> {
        let abandoned = self.database.execute(
            "DELETE FROM submission
             WHERE url = ?1 AND state = 'intended' AND intended_ms = ?2",
            &[url.into(), intended_ms.into()],
        )?;
        Ok(abandoned > 0)
    }
}

fn read(row: &SqlRow) -> Result<SubmissionState, StoreError> {
    Ok(match row.text(0)?.as_str() {
        "pending" => SubmissionState::Pending {
            analysis_id: row.text(2)?,
            polls: row.count(3)?,
            next_poll_ms: row.integer(4)?,
        },
        "completed" => SubmissionState::Completed {
            attributes_json: row.text(5)?,
            completed_ms: row.integer(6)?,
        },
        _ => SubmissionState::Intended {
            at_ms: row.integer(1)?,
            polls: row.count(3)?,
            next_poll_ms: row.integer(4)?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::on_each;

    #[test]
    fn submission_is_polled_until_completed() {
        on_each(|store| {
            let url = "http://example.com/";
            let state = || store.submission(url).unwrap();
            assert_eq!(state(), None);
            store.intend(url, 10, 70).unwrap();
            let intended = SubmissionState::Intended {
                at_ms: 10,
                polls: 0,
                next_poll_ms: 70,
            };
            assert_eq!(state(), Some(intended));
            store.submitted(url, "u-1", 71).unwrap();
            store.polled(url, 1, 200).unwrap();
            let pending = SubmissionState::Pending {
                analysis_id: "u-1".into(),
                polls: 1,
                next_poll_ms: 200,
            };
            assert_eq!(state(), Some(pending));
            store.complete(url, "{}", 201).unwrap();
            let completed = SubmissionState::Completed {
                attributes_json: "{}".into(),
                completed_ms: 201,
            };
            assert_eq!(state(), Some(completed));
        });
    }

    #[test]
    fn only_an_unchanged_intention_is_abandoned() {
        on_each(|store| {
            let url = "http://example.com/";
            let abandon = |intended_ms| store.abandon(url, intended_ms).unwrap();
            assert!(!abandon(10), "none stored");
            store.intend(url, 10, 70).unwrap();
            assert!(abandon(10));
            assert_eq!(store.submission(url).unwrap(), None);
            // Another run submits it again.
            store.intend(url, 200, 270).unwrap();
            assert!(!abandon(10));
            store.submitted(url, "u-1", 271).unwrap();
            assert!(!abandon(10) && !abandon(200), "accepted");
            store.complete(url, "{}", 300).unwrap();
            assert!(!abandon(200));
            assert!(store.submission(url).unwrap().is_some());
        });
    }
}
