//! What unit tests, end-to-end tests and benchmarks of vthost share.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails where something is missing, and prints what it leaves out"
)]

mod component;
mod schema;

pub use component::build_component;
pub use schema::TestSchema;
