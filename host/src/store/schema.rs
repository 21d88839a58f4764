//! The tables, and the migrations from older schemas.

use std::fmt::Display;
use std::path::Path;

use postgres::{Client, IsolationLevel};
use rusqlite::{Connection, TransactionBehavior};

use super::error::StoreError;
use super::location::PostgresUrl;

/// Step N migrates a file from schema N to N + 1. A released step is never changed.
const SQLITE_STEPS: [&str; 3] = [
    "
    -- The newest answer to each question.
    CREATE TABLE answer (
        question   TEXT PRIMARY KEY,  -- `domains/example.com`, `urls/ID`
        outcome    TEXT NOT NULL,     -- `found`, `not-found`, `refused`
        attributes TEXT,              -- found: the JSON that VirusTotal sent
        code       TEXT,              -- refused: VirusTotal's error code
        message    TEXT,              -- refused: VirusTotal's message
        fetched_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- The newest submission of each URL.
    CREATE TABLE submission (
        url          TEXT PRIMARY KEY,
        state        TEXT NOT NULL,     -- `intended`, `pending`, `completed`
        intended_ms  INTEGER NOT NULL,  -- written before the request is sent
        analysis_id  TEXT,              -- pending, completed
        polls        INTEGER NOT NULL DEFAULT 0,
        next_poll_ms INTEGER NOT NULL DEFAULT 0,
        attributes   TEXT,              -- completed: JSON
        completed_ms INTEGER
    ) STRICT, WITHOUT ROWID;

    -- Requests charged to the quota. The account is the fingerprint of the key.
    CREATE TABLE charge (
        id         INTEGER PRIMARY KEY,
        account    TEXT NOT NULL,
        sent_ms    INTEGER NOT NULL,
        settled_ms INTEGER
    ) STRICT;
    CREATE INDEX charge_by_time ON charge (account, sent_ms);
",
    "
    -- What runs are working on.
    CREATE TABLE claim (
        action   TEXT PRIMARY KEY,
        run      INTEGER NOT NULL,
        until_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- What VirusTotal last reported of each account.
    CREATE TABLE account (
        account       TEXT PRIMARY KEY,  -- the key's fingerprint
        told_ms       INTEGER NOT NULL,
        day_allowed   INTEGER,
        month_allowed INTEGER,
        foreign_today INTEGER NOT NULL,  -- used by other programs
        foreign_month INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    -- `question`, `poll` or `free-poll`.
    ALTER TABLE charge ADD COLUMN purpose TEXT NOT NULL DEFAULT 'question';
    -- Whether polls are known to be free of charge.
    ALTER TABLE account ADD COLUMN polls_free INTEGER NOT NULL DEFAULT 0;
",
];

/// The same tables on a server. Its schemas are numbered separately.
const POSTGRES_STEPS: [&str; 1] = ["
    CREATE TABLE answer (
        question   TEXT PRIMARY KEY,
        outcome    TEXT NOT NULL,
        attributes TEXT,
        code       TEXT,
        message    TEXT,
        fetched_ms BIGINT NOT NULL
    );
    CREATE TABLE submission (
        url          TEXT PRIMARY KEY,
        state        TEXT NOT NULL,
        intended_ms  BIGINT NOT NULL,
        analysis_id  TEXT,
        polls        BIGINT NOT NULL DEFAULT 0,
        next_poll_ms BIGINT NOT NULL DEFAULT 0,
        attributes   TEXT,
        completed_ms BIGINT
    );
    CREATE TABLE charge (
        id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account    TEXT NOT NULL,
        sent_ms    BIGINT NOT NULL,
        settled_ms BIGINT,
        purpose    TEXT NOT NULL
    );
    CREATE INDEX charge_by_time ON charge (account, sent_ms);
    CREATE TABLE claim (
        action   TEXT PRIMARY KEY,
        run      BIGINT NOT NULL,
        until_ms BIGINT NOT NULL
    );
    CREATE TABLE account (
        account       TEXT PRIMARY KEY,
        told_ms       BIGINT NOT NULL,
        day_allowed   BIGINT,
        month_allowed BIGINT,
        foreign_today BIGINT NOT NULL,
        foreign_month BIGINT NOT NULL,
        polls_free    BIGINT NOT NULL
    );
    -- Taking a slot of an account locks its row.
    CREATE TABLE ledger (account TEXT PRIMARY KEY);
"];

/// The number of the advisory lock for migrations: runs may start at the same time. It is
/// arbitrary.
const MIGRATION_LOCK: i64 = 0x7674_686f_7374;

/// Migrates a server to the newest schema.
pub(super) fn migrate_postgres(client: &mut Client, at: &PostgresUrl) -> Result<(), StoreError> {
    let isolation = IsolationLevel::ReadCommitted;
    let mut transaction = client
        .build_transaction()
        .isolation_level(isolation)
        .start()?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK])?;
    let has_version =
        transaction.query_one("SELECT to_regclass('vthost_schema') IS NOT NULL", &[])?;
    if !has_version.try_get::<_, bool>(0)? {
        transaction.batch_execute(
            "CREATE TABLE vthost_schema (version BIGINT NOT NULL);
             INSERT INTO vthost_schema VALUES (0)",
        )?;
    }
    let version = transaction.query_one("SELECT version FROM vthost_schema", &[])?;
    let steps = missing(&POSTGRES_STEPS, version.try_get(0)?, at)?;
    for step in steps {
        transaction.batch_execute(step)?;
    }
    if !steps.is_empty() {
        let newest = POSTGRES_STEPS.len() as i64;
        transaction.execute("UPDATE vthost_schema SET version = $1", &[&newest])?;
    }
    transaction.commit()?;
    Ok(())
}

/// The steps from schema `found` to the newest.
fn missing<'a>(
    steps: &'a [&'static str],
    found: i64,
    place: &dyn Display,
) -> Result<&'a [&'static str], StoreError> {
    let made = usize::try_from(found).unwrap_or(0);
    steps.get(made..).ok_or_else(|| StoreError::TooNew {
        place: place.to_string(),
        found,
        known: steps.len() as i64,
    })
}

/// Migrates a file to the newest schema.
pub(super) fn migrate_sqlite(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    // Processes may create the store at the same time: one waits here.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in missing(&SQLITE_STEPS, found, &path.display())? {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", SQLITE_STEPS.len() as i64)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Limits;
    use crate::store::{Location, Store};

    #[test]
    fn newer_schema_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.sqlite");
        let location = Location::File(path.clone());
        drop(Store::open(&location).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        let error = Store::open(&location).err().unwrap();
        assert!(error.to_string().contains("schema 99"), "{error}");
    }

    #[test]
    fn migration_keeps_the_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.sqlite");
        let connection = Connection::open(&path).unwrap();
        for step in &SQLITE_STEPS[..2] {
            connection.execute_batch(step).unwrap();
        }
        connection
            .execute_batch(
                "INSERT INTO charge (account, sent_ms) VALUES ('key', 0);
                 PRAGMA user_version = 2",
            )
            .unwrap();
        drop(connection);
        let store = Store::open(&Location::File(path)).unwrap();
        let usage = store.usage("key", &Limits::default(), 0).unwrap();
        assert_eq!(usage.today, 1);
    }

    #[test]
    fn existing_store_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::File(directory.path().join("below/store.sqlite"));
        drop(Store::open(&location).unwrap());
        Store::open(&location).unwrap();
    }
}
