//! Outputs: what a person or a program reads of a run.
//!
//! All of them are made from the same findings and the same [`Summary`]; none
//! counts anything by itself. Text that comes from logs, plugins or VirusTotal
//! passes through [`visible`] on its way to a line of text.

mod earlier;
mod files;
mod results;
mod stamps;
mod summary;
mod text;

pub use earlier::{Earlier, EarlierError, read_results};
pub use files::{OutputError, TextFiles, write_all, write_results};
pub use results::{ExtractRow, UniqueRows, results};
pub use summary::{Summary, VerdictCounts};
pub use text::{line, python_stats, rfc3339, visible};
