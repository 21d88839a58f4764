//! A stand-in for VirusTotal's API, version 3.
//!
//! [`Simulator`] is pure: a request, the time and its state give a reply. Tests
//! call it directly in virtual time. [`Server`] puts it behind HTTP on loopback
//! for everything else. What it does is what VirusTotal documents at
//! <https://docs.virustotal.com/reference> and what its official client needs;
//! [`vt_py`] prepares that client for tests.

mod canonical;
mod core;
mod faults;
mod knowledge;
mod objects;
mod quota;
mod server;
mod usage;
pub mod vt_py;

pub use canonical::{CannotCanonicalize, canonical_url, url_id};
pub use core::{Delivery, Logged, Options, Reply, Request, Simulator};
pub use faults::{Effect, Fault};
pub use knowledge::{Known, Stats, Unlisted};
pub use quota::QuotaLimits;
pub use server::Server;

/// A key that every simulator accepts unless told otherwise. It opens nothing
/// anywhere else.
pub const DEMO_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
