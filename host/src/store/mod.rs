//! The store: VirusTotal's answers, submissions, claims, and the requests that were charged to
//! the quota. It is an SQLite file, shared by all runs on this machine, or a PostgreSQL database,
//! shared by several machines.
//!
//! Every change is committed before the call returns, so that a run that is killed loses at most
//! the answer to its last request.

mod accounts;
mod answers;
mod claims;
mod database;
mod error;
mod executor;
mod handle;
mod ledger;
mod location;
mod overview;
mod postgres;
mod schema;
mod sqlite;
mod submissions;
#[cfg(test)]
mod testing;

pub use accounts::{AccountQuota, PollsUsed, polls_since};
pub use answers::{StoredAnswer, StoredOutcome};
pub use claims::Claimant;
pub use error::StoreError;
pub use handle::Store;
pub use ledger::{ChargeId, Purpose, SlotOutcome};
pub use location::{BadPostgresUrl, Location, PostgresUrl};
pub use overview::{AnswerStats, PendingAnalysis, StoredKeys};
pub use submissions::SubmissionState;
