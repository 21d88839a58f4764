//! The application, as a library: logs in, findings out.
//!
//! ```text
//! Logs ──find, extract, fold──▶ sightings ──plan──▶ Worklist ──look up, judge──▶ outputs
//! ```
//!
//! [`Logs`] finds the inputs and folds what the parsers extract. A [`Worklist`] puts the sightings
//! in the order in which they are looked up. It ends in one of two ways:
//! [`Worklist::look_up`] asks VirusTotal within its quota, [`Worklist::judge_stored`] asks no service.
//! Nothing here prints or reads arguments; the time comes from a [`Clock`](crate::clock::Clock).

mod account;
mod logs;
mod recorder;
mod run;
mod stored;
#[cfg(test)]
mod tests;
mod trace;
mod worklist;

pub use account::{Account, QuotaSettings};
pub use logs::{Extracted, FoldedLogs, Logs};
pub use recorder::{RunListener, Waiting};
pub use run::{Lookups, RunError, RunResult};
pub use stored::stored_sightings;
pub use worklist::{Judged, Rules, Worklist};
