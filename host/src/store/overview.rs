//! Statistics of a store, and its pending analyses.

use std::collections::HashSet;

use super::error::StoreError;
use super::handle::Store;
use crate::clock::UnixMs;

/// The answers with one outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerStats {
    /// `found`, `not-found` or `refused`.
    pub outcome: String,
    /// The number of answers.
    pub count: u32,
    /// When the oldest was fetched.
    pub oldest_ms: UnixMs,
    /// When the newest was fetched.
    pub newest_ms: UnixMs,
}

/// A submission without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAnalysis {
    /// The submitted URL.
    pub url: String,
    /// When it was submitted.
    pub submitted_ms: UnixMs,
    /// When to poll next.
    pub next_poll_ms: UnixMs,
}

/// The questions and URLs with an entry in the store. A run reads them once, so that it queries a
/// distant server only for these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredKeys {
    /// Questions with an answer, as text.
    pub questions: HashSet<String>,
    /// URLs that were submitted.
    pub urls: HashSet<String>,
}

impl Store {
    /// The questions and URLs with an entry in the store.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn stored_keys(&self) -> Result<StoredKeys, StoreError> {
        let names = |sql: &str| self.database.query(sql, &[], |row| row.text(0));
        let questions = names("SELECT question FROM answer")?;
        let urls = names("SELECT url FROM submission")?;
        Ok(StoredKeys {
            questions: questions.into_iter().collect(),
            urls: urls.into_iter().collect(),
        })
    }

    /// The answers by outcome.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn answer_stats(&self) -> Result<Vec<AnswerStats>, StoreError> {
        self.database.query(
            "SELECT outcome, count(*), min(fetched_ms), max(fetched_ms)
             FROM answer GROUP BY outcome ORDER BY outcome",
            &[],
            |row| {
                Ok(AnswerStats {
                    outcome: row.text(0)?,
                    count: row.count(1)?,
                    oldest_ms: row.integer(2)?,
                    newest_ms: row.integer(3)?,
                })
            },
        )
    }

    /// The submissions without a result, by the time of the next poll.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn pending_analyses(&self) -> Result<Vec<PendingAnalysis>, StoreError> {
        self.database.query(
            "SELECT url, intended_ms, next_poll_ms FROM submission
             WHERE state != 'completed' ORDER BY next_poll_ms, url",
            &[],
            |row| {
                Ok(PendingAnalysis {
                    url: row.text(0)?,
                    submitted_ms: row.integer(1)?,
                    next_poll_ms: row.integer(2)?,
                })
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::on_each;
    use crate::virustotal::{Lookup, Question};

    #[test]
    fn answers_and_pending_analyses_are_counted() {
        on_each(|store| {
            for (name, at) in [("a.example.com", 5), ("b.example.com", 3)] {
                let question = Question::Domain(name.into());
                store
                    .record_answer(&question, &Lookup::NotFound, at)
                    .unwrap();
            }
            let stats = AnswerStats {
                outcome: "not-found".into(),
                count: 2,
                oldest_ms: 3,
                newest_ms: 5,
            };
            assert_eq!(store.answer_stats().unwrap(), [stats]);
            for (url, at) in [("http://a.example.com/", 1), ("http://b.example.com/", 2)] {
                store.intend(url, at, at + 60).unwrap();
            }
            store.complete("http://b.example.com/", "{}", 9).unwrap();
            let pending = PendingAnalysis {
                url: "http://a.example.com/".into(),
                submitted_ms: 1,
                next_poll_ms: 61,
            };
            assert_eq!(store.pending_analyses().unwrap(), [pending]);
            let contents = store.stored_keys().unwrap();
            assert_eq!(contents.questions.len(), 2);
            assert!(contents.questions.contains("domains/a.example.com"));
            assert_eq!(contents.urls.len(), 2);
        });
    }
}
