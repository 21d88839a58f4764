//! VirusTotal's API, version 3: one call is one request, and every answer has
//! its meaning. No retries and no quota here; see [`crate::triage`].
//!
//! Facts are from <https://docs.virustotal.com/reference>.

mod client;
pub mod engines;
mod key;
pub mod report;
mod transport;
pub mod url_id;

pub use client::{
    Analysis, AnalysisStatus, Client, Fault, Lookup, Question, QuotaUsage, Submission,
};
pub use key::{ApiKey, KeyError, KeySources, find_key};
pub use transport::{
    HttpReply, HttpRequest, HttpVersions, Method, ReqwestTransport, Sending, Transport,
    TransportError, TransportOptions,
};
