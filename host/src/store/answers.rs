//! The newest answer to each question.

use super::error::StoreError;
use super::executor::{SqlRow, SqlValue};
use super::handle::Store;
use crate::clock::UnixMs;
use crate::virustotal::{Lookup, Question};

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The content.
    pub outcome: StoredOutcome,
    /// When it was fetched.
    pub fetched_ms: UnixMs,
}

/// The content of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredOutcome {
    /// A report.
    Found {
        /// The attributes as VirusTotal sent them, in JSON.
        attributes_json: String,
    },
    /// VirusTotal has no report.
    NotFound,
    /// VirusTotal rejects the value.
    Refused {
        /// The error code.
        code: String,
        /// The error message.
        message: String,
    },
}

impl Store {
    /// The stored answer to a question.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn answer(&self, question: &Question) -> Result<Option<StoredAnswer>, StoreError> {
        let answers = self.database.query(
            "SELECT outcome, attributes, code, message, fetched_ms FROM answer WHERE question = ?1",
            &[question.to_string().as_str().into()],
            read,
        )?;
        Ok(answers.into_iter().next())
    }

    /// All questions with a report, sorted, each with the attributes.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn found(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = self.database.query(
            "SELECT question, attributes FROM answer WHERE outcome = 'found'",
            &[],
            |row| Ok((row.text(0)?, row.text(1)?)),
        )?;
        // A server sorts text by its collation.
        found.sort();
        Ok(found)
    }

    /// Stores an answer, and replaces an older one.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
    pub fn record_answer(
        &self,
        question: &Question,
        lookup: &Lookup,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let (outcome, attributes, code, message) = match lookup {
            Lookup::Found {
                attributes_json, ..
            } => ("found", Some(attributes_json.as_str()), None, None),
            Lookup::NotFound => ("not-found", None, None, None),
            Lookup::Refused { code, message } => {
                ("refused", None, Some(code.as_str()), Some(message.as_str()))
            }
        };
        let values: [SqlValue; 6] = [
            question.to_string().as_str().into(),
            outcome.into(),
            attributes.into(),
            code.into(),
            message.into(),
            now.into(),
        ];
        self.database.execute(
            "INSERT INTO answer (question, outcome, attributes, code, message, fetched_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (question) DO UPDATE SET
                outcome = excluded.outcome, attributes = excluded.attributes,
                code = excluded.code, message = excluded.message,
                fetched_ms = excluded.fetched_ms",
            &values,
        )?;
        Ok(())
    }
}

fn read(row: &SqlRow) -> Result<StoredAnswer, StoreError> {
    let outcome = match row.text(0)?.as_str() {
        "found" => StoredOutcome::Found {
            attributes_json: row.text(1)?,
        },
        "refused" => StoredOutcome::Refused {
            code: row.text(2)?,
            message: row.text(3)?,
        },
        _ => StoredOutcome::NotFound,
    };
    Ok(StoredAnswer {
        outcome,
        fetched_ms: row.integer(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::on_each;

    #[test]
    fn newer_answer_replaces_the_stored_one() {
        on_each(|store| {
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
        });
    }
}
