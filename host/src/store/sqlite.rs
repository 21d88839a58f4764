//! The store in an SQLite file.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, TransactionBehavior, params_from_iter};

use super::error::StoreError;
use super::executor::{Executor, Operation, SqlRow, SqlValue};
use super::schema;

/// Other processes lock the file for the time of a commit.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Opens a file, and creates it if it does not exist.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let directory = |source| StoreError::Directory {
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(directory)?;
    }
    create_private(path).map_err(directory)?;
    let open = |source| StoreError::Open {
        path: path.to_owned(),
        source,
    };
    let connection = Connection::open(path).map_err(open)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(open)?;
    use_wal(&connection).map_err(open)?;
    prepared(connection, path)
}

/// Sets the journal mode. SQLite has no busy timeout for this statement, and other processes may be
/// opening the file.
fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + BUSY_TIMEOUT;
    loop {
        let set = connection.pragma_update(None, "journal_mode", "WAL");
        let is_busy = set
            .as_ref()
            .is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        if !is_busy || Instant::now() >= until {
            return set;
        }
        std::thread::sleep(BUSY_PAUSE);
    }
}

/// Opens a database in memory.
pub(super) fn in_memory() -> Result<Connection, StoreError> {
    prepared(Connection::open_in_memory()?, Path::new(":memory:"))
}

fn prepared(mut connection: Connection, path: &Path) -> Result<Connection, StoreError> {
    // Durable on power loss. A commit for each slot costs little.
    connection.pragma_update(None, "synchronous", "FULL")?;
    schema::migrate_sqlite(&mut connection, path)?;
    Ok(connection)
}

/// Creates a file that only its owner can read, because the store contains what an organisation's
/// machines contacted.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// See [`super::database::Database::run`].
pub(super) fn run<T>(connection: &Connection, work: Operation<'_, T>) -> Result<T, StoreError> {
    work(&mut SqliteExecutor(connection))
}

/// See [`super::database::Database::run_alone`]. The file has one writer at a time for all
/// accounts.
pub(super) fn run_alone<T>(
    connection: &mut Connection,
    work: Operation<'_, T>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&mut SqliteExecutor(&transaction))?;
    transaction.commit()?;
    Ok(result)
}

/// A connection, in a transaction or not.
struct SqliteExecutor<'a>(&'a Connection);

impl Executor for SqliteExecutor<'_> {
    fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.execute(params_from_iter(values))? as u64)
    }

    fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(values), |row| {
            let cells = (0..columns).map(|column| row.get::<_, Value>(column).map(cell));
            Ok(SqlRow(cells.collect::<Result<_, _>>()?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The tables have only integers and text.
fn cell(value: Value) -> SqlValue {
    match value {
        Value::Integer(number) => SqlValue::Integer(number),
        Value::Text(text) => SqlValue::Text(text),
        Value::Null | Value::Real(_) | Value::Blob(_) => SqlValue::Null,
    }
}

impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
