//! The tables, and the way from every older form of them.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// Step N takes a store from schema N to N + 1. Steps that were released are
/// never changed, only added to.
const STEPS: [&str; 2] = [
    "
    -- What VirusTotal said to a question; one row a question, the newest.
    CREATE TABLE answer (
        question   TEXT PRIMARY KEY,  -- `domains/example.com`, `urls/ID`
        outcome    TEXT NOT NULL,     -- `found`, `not-found`, `refused`
        attributes TEXT,              -- found: JSON as VirusTotal sent it
        code       TEXT,              -- refused: VirusTotal's error code
        message    TEXT,              -- refused: VirusTotal's message
        fetched_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- URLs handed in for a scan; the newest submission of each.
    CREATE TABLE submission (
        url          TEXT PRIMARY KEY,
        state        TEXT NOT NULL,     -- `intended`, `pending`, `completed`
        intended_ms  INTEGER NOT NULL,  -- written before the request goes out
        analysis_id  TEXT,              -- pending, completed
        polls        INTEGER NOT NULL DEFAULT 0,
        next_poll_ms INTEGER NOT NULL DEFAULT 0,
        attributes   TEXT,              -- completed: JSON
        completed_ms INTEGER
    ) STRICT, WITHOUT ROWID;

    -- Requests charged to the quota, by the key's fingerprint.
    CREATE TABLE charge (
        id         INTEGER PRIMARY KEY,
        account    TEXT NOT NULL,
        sent_ms    INTEGER NOT NULL,
        settled_ms INTEGER
    ) STRICT;
    CREATE INDEX charge_by_time ON charge (account, sent_ms);
",
    "
    -- What a run is at work on.
    CREATE TABLE claim (
        action   TEXT PRIMARY KEY,
        run      INTEGER NOT NULL,
        until_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- What VirusTotal said of an account, the newest.
    CREATE TABLE account (
        account       TEXT PRIMARY KEY,  -- the key's fingerprint
        told_ms       INTEGER NOT NULL,
        day_allowed   INTEGER,
        month_allowed INTEGER,
        foreign_today INTEGER NOT NULL,  -- used, and not in the ledger
        foreign_month INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
];

/// Brings a store to the newest schema.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = STEPS.len() as i64;
    // Two processes may make the store at once: one waits for the other here.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::TooNew {
            path: path.to_owned(),
            found,
            known,
        });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_newer_store_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.sqlite");
        drop(Store::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        let error = Store::open(&path).err().unwrap();
        assert!(error.to_string().contains("schema 99"), "{error}");
    }

    #[test]
    fn a_store_opens_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("below/store.sqlite");
        drop(Store::open(&path).unwrap());
        Store::open(&path).unwrap();
    }
}
