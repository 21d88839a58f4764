//! Answers to questions, the newest of each.

use rusqlite::{OptionalExtension, Row, params};

use super::{Store, StoreError};
use crate::clock::UnixMs;
use crate::virustotal::{Lookup, Question};

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// What VirusTotal said.
    pub outcome: StoredOutcome,
    /// When.
    pub fetched_ms: UnixMs,
}

/// What VirusTotal said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredOutcome {
    /// A report.
    Found {
        /// Its attributes as VirusTotal sent them, in JSON.
        attributes_json: String,
    },
    /// It has never seen it.
    NotFound,
    /// It does not take the value.
    Refused {
        /// Its error code.
        code: String,
        /// Its message.
        message: String,
    },
}

impl Store {
    /// The stored answer to a question.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn answer(&self, question: &Question) -> Result<Option<StoredAnswer>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT outcome, attributes, code, message, fetched_ms FROM answer WHERE question = ?1",
        )?;
        let answer = statement
            .query_row([question.to_string()], read)
            .optional()?;
        Ok(answer)
    }

    /// All questions with a report, in their order, with the attributes.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn found(&self) -> Result<Vec<(String, String)>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT question, attributes FROM answer WHERE outcome = 'found' ORDER BY question",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps an answer in place of an older one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn record_answer(
        &self,
        question: &Question,
        lookup: &Lookup,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let (outcome, attributes, code, message) = match lookup {
            Lookup::Found {
                attributes_json, ..
            } => ("found", Some(attributes_json), None, None),
            Lookup::NotFound => ("not-found", None, None, None),
            Lookup::Refused { code, message } => ("refused", None, Some(code), Some(message)),
        };
        self.lock().execute(
            "INSERT OR REPLACE INTO answer VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                question.to_string(),
                outcome,
                attributes,
                code,
                message,
                now
            ],
        )?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredAnswer> {
    let outcome = match row.get::<_, String>(0)?.as_str() {
        "found" => StoredOutcome::Found {
            attributes_json: row.get(1)?,
        },
        "refused" => StoredOutcome::Refused {
            code: row.get(2)?,
            message: row.get(3)?,
        },
        _ => StoredOutcome::NotFound,
    };
    Ok(StoredAnswer {
        outcome,
        fetched_ms: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_until_a_newer_one() {
        let store = Store::in_memory().unwrap();
        let question = Question::Domain("example.com".into());
        assert_eq!(store.answer(&question).unwrap(), None);
        store
            .record_answer(&question, &Lookup::NotFound, 1)
            .unwrap();
        let found = Lookup::Found {
            id: "example.com".into(),
            attributes_json: "{}".into(),
        };
        store.record_answer(&question, &found, 2).unwrap();
        let expected = StoredAnswer {
            outcome: StoredOutcome::Found {
                attributes_json: "{}".into(),
            },
            fetched_ms: 2,
        };
        assert_eq!(store.answer(&question).unwrap(), Some(expected));
        assert_eq!(
            store.found().unwrap(),
            [("domains/example.com".to_owned(), "{}".to_owned())]
        );
    }
}
