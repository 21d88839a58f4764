//! The stored answers that a look-up plan reads.

use crate::store::{Store, StoreError, StoredAnswer, StoredKeys, SubmissionState};
use crate::virustotal::Question;

/// Reads stored answers.
pub trait StoredAnswers {
    /// The stored answer to a question.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn answer(&self, question: &Question) -> Result<Option<StoredAnswer>, StoreError>;

    /// The state of the submission of a URL.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn submission(&self, url: &str) -> Result<Option<SubmissionState>, StoreError>;
}

impl StoredAnswers for Store {
    fn answer(&self, question: &Question) -> Result<Option<StoredAnswer>, StoreError> {
        Self::answer(self, question)
    }

    fn submission(&self, url: &str) -> Result<Option<SubmissionState>, StoreError> {
        Self::submission(self, url)
    }
}

/// A store together with the keys of its answers at one time. What was not stored then is not
/// looked for, which saves a round trip to a server for each indicator.
pub struct StoreSnapshot<'a> {
    store: &'a Store,
    keys: StoredKeys,
}

impl<'a> StoreSnapshot<'a> {
    /// Reads the keys.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn of(store: &'a Store) -> Result<Self, StoreError> {
        let keys = store.stored_keys()?;
        Ok(Self { store, keys })
    }
}

impl StoredAnswers for StoreSnapshot<'_> {
    fn answer(&self, question: &Question) -> Result<Option<StoredAnswer>, StoreError> {
        if !self.keys.questions.contains(&question.to_string()) {
            return Ok(None);
        }
        self.store.answer(question)
    }

    fn submission(&self, url: &str) -> Result<Option<SubmissionState>, StoreError> {
        if !self.keys.urls.contains(url) {
            return Ok(None);
        }
        self.store.submission(url)
    }
}
