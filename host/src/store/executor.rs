//! The interface between the store and a database: SQL that SQLite and PostgreSQL share, with
//! `?1` for the first parameter, and rows of integers and text.

use super::error::StoreError;

/// A value of a column or a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SqlValue {
    /// No value.
    Null,
    /// An integer.
    Integer(i64),
    /// Text.
    Text(String),
}

/// The values of a row, by column.
pub(super) struct SqlRow(pub(super) Vec<SqlValue>);

/// Executes statements, in a transaction or not.
pub(super) trait Executor {
    /// Executes a statement that changes rows, and returns their number.
    fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, StoreError>;

    /// Executes a statement that returns rows.
    fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, StoreError>;
}

/// Statements that run on one connection. They run a second time if the connection is lost.
pub(super) type Operation<'a, T> = &'a (dyn Fn(&mut dyn Executor) -> Result<T, StoreError> + Sync);

impl SqlRow {
    /// The integer in a column; columns count from 0.
    pub(super) fn integer(&self, column: usize) -> Result<i64, StoreError> {
        self.optional_integer(column)?
            .ok_or(StoreError::Damaged { column })
    }

    /// The integer in a nullable column.
    pub(super) fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(SqlValue::Integer(number)) => Ok(Some(*number)),
            Some(SqlValue::Null) => Ok(None),
            _ => Err(StoreError::Damaged { column }),
        }
    }

    /// The integer in a column, as a count.
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
