//! The store of a run.

use std::sync::Mutex;

use super::database::Database;
use super::error::StoreError;
use super::location::Location;
use super::postgres::{Postgres, ServerClock};
use super::sqlite;
use crate::clock::{Clock, SystemClock};

/// The answers, submissions, claims and the ledger of all runs that share it. A call takes well
/// under a millisecond, except for a commit and the round trip to a server.
pub struct Store {
    pub(super) database: Database,
}

impl Store {
    /// Opens the store, and creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// If it cannot be created or opened, or if a newer version of vthost wrote it.
    pub fn open(location: &Location) -> Result<Self, StoreError> {
        let database = match location {
            Location::File(path) => Database::Sqlite(Mutex::new(sqlite::open(path)?)),
            Location::Postgres(at) => Database::Postgres(Box::new(Postgres::open(at)?)),
        };
        Ok(Self { database })
    }

    /// A store in memory.
    ///
    /// # Errors
    ///
    /// If SQLite fails.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::Sqlite(Mutex::new(sqlite::in_memory()?)),
        })
    }

    /// The clock that all runs with this store share: that of this machine, or of the server.
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
    use super::*;
    use crate::store::Purpose;
    use vthost_testing::TestSchema;

    fn open(location: &str) -> Store {
        Store::open(&location.parse().unwrap()).unwrap()
    }

    #[test]
    fn lost_connection_is_made_again() {
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
    fn time_is_that_of_the_server() {
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
        let (before, now, after) = (server(), store.clock().now_ms(), server());
        // The error is at most half of the round trip.
        let slack = i64::try_from(begun.elapsed().as_millis()).unwrap() + 1;
        let expected = before - slack..=after + slack;
        assert!(expected.contains(&now), "{now} in {expected:?}");
    }
}
