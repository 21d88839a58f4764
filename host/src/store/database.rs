//! The seam under the store: statements in the SQL that SQLite and PostgreSQL
//! share, with `?1` for the first value, and rows of integers and text.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::StoreError;
use super::postgres::Postgres;
use super::sqlite;

/// Where the tables are.
pub(super) enum Database {
    /// In a file, or in memory.
    Sqlite(Mutex<Connection>),
    /// On a server.
    Postgres(Box<Postgres>),
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SqlValue {
    /// None.
    Null,
    /// A number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// A row.
pub(super) struct SqlRow(pub(super) Vec<SqlValue>);

/// Runs statements, alone or in a transaction.
pub(super) trait Executor {
    /// Changes rows; gives how many.
    fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, StoreError>;

    /// Reads rows.
    fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, StoreError>;
}

/// What is done with one connection. It may be done again when the connection
/// was lost.
pub(super) type Operation<'a, T> = &'a (dyn Fn(&mut dyn Executor) -> Result<T, StoreError> + Sync);

impl Database {
    /// Does some work, statement by statement.
    pub(super) fn run<T: Send>(&self, work: Operation<'_, T>) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::run(&lock(connection), work),
            Self::Postgres(server) => server.run(work),
        }
    }

    /// Does some work all together or not at all, while nobody else does such
    /// work for this account.
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

    /// One statement that changes rows; gives how many.
    pub(super) fn execute(&self, sql: &str, values: &[SqlValue]) -> Result<u64, StoreError> {
        self.run(&|executor| executor.execute(sql, values))
    }

    /// One statement that reads rows.
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

/// A panic between two statements rolls its transaction back.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SqlRow {
    /// The number in a column, from 0.
    pub(super) fn integer(&self, column: usize) -> Result<i64, StoreError> {
        self.optional_integer(column)?
            .ok_or(StoreError::Damaged { column })
    }

    /// The number in a column that may have none.
    pub(super) fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(SqlValue::Integer(number)) => Ok(Some(*number)),
            Some(SqlValue::Null) => Ok(None),
            _ => Err(StoreError::Damaged { column }),
        }
    }

    /// The number in a column that counts something.
    pub(super) fn count(&self, column: usize) -> Result<u32, StoreError> {
        u32::try_from(self.integer(column)?).map_err(|_| StoreError::Damaged { column })
    }

    /// The text in a column.
    pub(super) fn text(&self, column: usize) -> Result<String, StoreError> {
        match self.0.get(column) {
            Some(SqlValue::Text(text)) => Ok(text.clone()),
            _ => Err(StoreError::Damaged { column }),
        }
    }
}

impl From<i64> for SqlValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for SqlValue {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<T: Into<SqlValue>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
