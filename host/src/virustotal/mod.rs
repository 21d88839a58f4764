//! VirusTotal's API, version 3. One call is one request, and every reply becomes an answer or a
//! [`Fault`]. Retries and the quota are the caller's task.
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
