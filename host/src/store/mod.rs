//! The store: what VirusTotal answered, what was handed in, and what was
//! charged to the quota. One SQLite file, shared by all runs of this machine.
//!
//! Every change is committed before the call returns, so a run that is killed
//! anywhere loses at most the request that was under way.

mod accounts;
mod answers;
mod claims;
mod ledger;
mod overflow;
mod overview;
mod schema;
mod submissions;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

pub use accounts::Told;
pub use answers::{StoredAnswer, StoredOutcome};
pub use claims::Claimant;
pub use ledger::{ChargeId, Taken};
pub use overflow::DiskOverflow;
pub use overview::{Held, Owed};
pub use submissions::SubmissionState;

/// Another process holds the file no longer than it takes to commit.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The store. Its calls take well under a millisecond, but for the commit.
pub struct Store {
    connection: Mutex<Connection>,
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
    /// It was written by a newer vthost.
    #[error(
        "the store `{}` has schema {found}, and this vthost knows schemas up to {known}: use a newer vthost, or another file with --store", path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// Reading or writing failed.
    #[error("the store cannot be read or written")]
    Sqlite(#[from] rusqlite::Error),
}

impl Store {
    /// Opens the store, making it where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(|source| StoreError::Directory {
                path: path.to_owned(),
                source,
            })?;
        }
        create_private(path).map_err(|source| StoreError::Directory {
            path: path.to_owned(),
            source,
        })?;
        let open = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let connection = Connection::open(path).map_err(open)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(open)?;
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(open)?;
        Self::prepared(connection, path)
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// When SQLite does not start.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::prepared(Connection::open_in_memory()?, Path::new(":memory:"))
    }

    fn prepared(mut connection: Connection, path: &Path) -> Result<Self, StoreError> {
        // Safe against a power cut too; a commit a slot costs nothing.
        connection.pragma_update(None, "synchronous", "FULL")?;
        schema::migrate(&mut connection, path)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// A panic between two statements rolls its transaction back.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the store holds tells what an organisation's machines contacted: only
/// its owner reads it.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
