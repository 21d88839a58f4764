//! Finds what is bad in an organisation's logs.
//!
//! ```text
//! input ─▶ extraction ─▶ sightings ─▶ triage ─▶ output
//!          (parsers)                  (virustotal, store, policy)
//! ```

pub mod cli;
pub mod clock;
pub mod contacts;
pub mod duration;
pub mod envelope;
pub mod extraction;
pub mod indicator;
pub mod input;
pub mod interrupt;
pub mod observation;
pub mod output;
pub mod pipeline;
pub mod plugin;
pub mod quota;
pub mod registry;
pub mod sightings;
pub mod store;
pub mod triage;
pub mod verdict;
pub mod virustotal;
