//! A simulator of VirusTotal's API, version 3.
//!
//! [`Simulator`] is pure: it computes a reply from a request, the time and its state. Tests
//! call it directly in virtual time. [`Server`] serves it over HTTP on loopback
//! for everything else. What it does is what VirusTotal documents at
//! <https://docs.virustotal.com/reference> and what its official client needs.

mod canonical;
mod core;
mod faults;
mod knowledge;
mod objects;
mod quota;
mod server;
mod usage;

pub use canonical::{CannotCanonicalize, canonical_url, url_id};
pub use core::{Delivery, Logged, Options, Reply, Request, Simulator};
pub use faults::{Effect, Fault};
pub use knowledge::{Known, Stats, Unlisted};
pub use quota::QuotaLimits;
pub use server::Server;

/// A key that every simulator accepts. It is not valid anywhere else.
pub const DEMO_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
