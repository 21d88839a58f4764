//! Triage: what to ask VirusTotal, in which order, and what the answers mean.
//!
//! [`plan`](plan::plan) orders the sightings and skips what is not looked up. For each indicator,
//! [`LookupPlan`] derives the next request from nothing but what is stored. [`Triage`](run::Triage)
//! sends the requests within the quota, and a [`Judge`] gives the verdicts. Every answer is stored
//! before the next request is sent, so a run that is killed at any point can be resumed.

pub mod account;
mod breaker;
pub mod estimate;
mod finding;
mod judge;
pub mod lookup;
pub mod outcome;
pub mod plan;
mod queue;
pub mod request;
pub mod resolve;
mod retry;
pub mod run;
mod share;
pub mod stored;
mod submissions;
#[cfg(test)]
mod testing;

pub use finding::{Accuser, Cause, Evidence, Finding};
pub use judge::{Judge, PolicyChain, PolicyFailure, PolicyJudge};
pub use lookup::LookupPlan;
pub use plan::{Decision, Planned};
pub use share::{Rescan, Share};
