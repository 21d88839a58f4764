//! The database of a store: an SQLite connection or a PostgreSQL server.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::error::StoreError;
use super::executor::{Operation, SqlRow, SqlValue};
use super::postgres::Postgres;
use super::sqlite;

/// The database that has the tables.
pub(super) enum Database {
    /// A file, or a database in memory.
    Sqlite(Mutex<Connection>),
    /// A server.
    Postgres(Box<Postgres>),
}

impl Database {
    /// Runs statements without a transaction.
    pub(super) fn run<T: Send>(&self, work: Operation<'_, T>) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::run(&lock(connection), work),
            Self::Postgres(server) => server.run(work),
        }
    }

    /// Runs statements in a transaction, while no other run has such a transaction for this
    /// account.
    pub(super) fn run_alone<T: Send>(
        &self,
        account: &str,
        work: Operation<'_, T>,
    ) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::run_alone(&mut lock(connection), work),
            Self::Postgres(server) => server.run_alone(account, work),
        }
    }

    /// Executes one statement that changes rows, and returns their number.
    pub(super) fn execute(&self, sql: &str, values: &[SqlValue]) -> Result<u64, StoreError> {
        self.run(&|executor| executor.execute(sql, values))
    }

    /// Executes one statement that returns rows.
    pub(super) fn query<T>(
        &self,
        sql: &str,
        values: &[SqlValue],
        read: impl Fn(&SqlRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.run(&|executor| executor.query(sql, values))?;
        rows.iter().map(read).collect()
    }
}

/// A panic between two statements rolls the transaction back.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}
