//! The errors of the store.

use std::path::PathBuf;

use super::location::BadPostgresUrl;

/// The store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be created.
    #[error("cannot create the directory of the store `{}`", path.display())]
    Directory {
        /// The file of the store.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file cannot be opened.
    #[error("cannot open the store `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rusqlite::Error,
    },
    /// The URL of a server is not supported.
    #[error(transparent)]
    Url(#[from] BadPostgresUrl),
    /// The certificates of the URL cannot be read.
    #[error("cannot use the certificates in `{}`", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server cannot be reached, or rejects the login.
    #[error("cannot connect to the store `{place}`")]
    Unreachable {
        /// The server's URL, without a password.
        place: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer version of vthost wrote the store.
    #[error(
        "the store `{place}` has schema {found}, but this version of vthost supports schemas up to {known}: use a newer version, or another store with --store"
    )]
    TooNew {
        /// The file, or the server's URL without a password.
        place: String,
        /// The schema of the store.
        found: i64,
        /// The newest supported schema.
        known: i64,
    },
    /// A statement failed.
    #[error("the store cannot be read or written")]
    Sqlite(#[from] rusqlite::Error),
    /// A statement failed.
    #[error("the store cannot be read or written")]
    Postgres(#[from] ::postgres::Error),
    /// A column has a value that vthost does not write.
    #[error("the store is damaged: unexpected value in column {column}")]
    Damaged {
        /// The number of the column in the query, from 0.
        column: usize,
    },
}
