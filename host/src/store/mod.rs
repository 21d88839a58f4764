//! The store: what VirusTotal answered, what was handed in, and what was
//! charged to the quota. One SQLite file, shared by all runs of this machine; or
//! a PostgreSQL database, shared by those of many.
//!
//! Every change is committed before the call returns, so a run that is killed
//! anywhere loses at most the request that was under way.

mod accounts;
mod answers;
mod claims;
mod database;
mod ledger;
mod location;
mod overview;
mod postgres;
mod schema;
mod sqlite;
mod submissions;
#[cfg(test)]
mod testing;

use std::path::PathBuf;
use std::sync::Mutex;

use crate::clock::{Clock, SystemClock};

pub use accounts::{AccountQuota, PollsUsed, polls_since};
pub use answers::{StoredAnswer, StoredOutcome};
pub use claims::Claimant;
pub use ledger::{ChargeId, Purpose, SlotOutcome};
pub use location::{BadPostgresUrl, Location, PostgresUrl};
pub use overview::{AnswerStats, PendingAnalysis, StoredKeys};
pub use submissions::SubmissionState;

use database::Database;
use postgres::{Postgres, ServerClock};

/// The store. Its calls take well under a millisecond, but for the commit and
/// the way to a server.
pub struct Store {
    database: Database,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be made.
    #[error("cannot create the directory of the store `{}`", path.display())]
    Directory {
        /// The store's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be opened.
    #[error("cannot open the store `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The URL of a server cannot be used.
    #[error(transparent)]
    Url(#[from] BadPostgresUrl),
    /// The certificates that the URL names cannot be used.
    #[error("cannot use the certificates in `{}`", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server cannot be reached, or does not let us in.
    #[error("cannot connect to the store `{place}`")]
    Unreachable {
        /// The server's URL, without a password.
        place: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It was written by a newer vthost.
    #[error(
        "the store `{place}` has schema {found}, and this vthost knows schemas up to {known}: use a newer vthost, or another store with --store"
    )]
    TooNew {
        /// The file, or the server's URL without a password.
        place: String,
        /// Its schema.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// Reading or writing failed.
    #[error("the store cannot be read or written")]
    Sqlite(#[from] rusqlite::Error),
    /// Reading or writing failed.
    #[error("the store cannot be read or written")]
    Postgres(#[from] ::postgres::Error),
    /// Something is in it that vthost does not write.
    #[error("the store holds something else than expected in column {column}")]
    Damaged {
        /// From 0, of what was asked for.
        column: usize,
    },
}

impl Store {
    /// Opens the store, making it where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn open(location: &Location) -> Result<Self, StoreError> {
        let database = match location {
            Location::File(path) => Database::Sqlite(Mutex::new(sqlite::open(path)?)),
            Location::Postgres(at) => Database::Postgres(Box::new(Postgres::open(at)?)),
        };
        Ok(Self { database })
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// When SQLite does not start.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::Sqlite(Mutex::new(sqlite::in_memory()?)),
        })
    }

    /// The clock that all who share the store go by: this machine's, or that of
    /// the server.
    #[must_use]
    pub fn clock(&self) -> Box<dyn Clock + '_> {
        match &self.database {
            Database::Sqlite(_) => Box::new(SystemClock),
            Database::Postgres(server) => Box::new(ServerClock::new(server)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::TestSchema;
    use super::*;

    /// Runs a test on a store of each kind.
    pub(super) fn on_each(check: impl Fn(&Store)) {
        check(&Store::in_memory().unwrap());
        if let Some(schema) = TestSchema::new() {
            check(&open(&schema.url()));
        }
    }

    fn open(location: &str) -> Store {
        Store::open(&location.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_server_that_comes_back_is_used_again() {
        let Some(schema) = TestSchema::new() else {
            return;
        };
        let store = open(&schema.url());
        let pid = "SELECT CAST(pg_backend_pid() AS BIGINT)";
        let pid = || {
            store
                .database
                .query(pid, &[], |row| row.integer(0))
                .unwrap()[0]
        };
        let before = pid();
        schema.execute(&format!("SELECT pg_terminate_backend({before})"));
        store.intend("http://www.example.com/", 1, 2).unwrap();
        assert_ne!(pid(), before);
        assert!(
            store
                .submission("http://www.example.com/")
                .unwrap()
                .is_some()
        );
        let limits = crate::quota::Limits::default();
        schema.execute(&format!("SELECT pg_terminate_backend({})", pid()));
        store
            .take_slot("key", &limits, Purpose::Question, 0)
            .unwrap();
        assert_eq!(store.usage("key", &limits, 0).unwrap().today, 1);
    }

    #[test]
    fn a_servers_clock_is_read() {
        let Some(schema) = TestSchema::new() else {
            return;
        };
        let store = open(&schema.url());
        let sql = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
        let server = || {
            store
                .database
                .query(sql, &[], |row| row.integer(0))
                .unwrap()[0]
        };
        let begun = std::time::Instant::now();
        let (before, told, after) = (server(), store.clock().now_ms(), server());
        // It may be off by half of what its question took, at most.
        let slack = i64::try_from(begun.elapsed().as_millis()).unwrap() + 1;
        let expected = before - slack..=after + slack;
        assert!(expected.contains(&told), "{told} in {expected:?}");
    }
}
