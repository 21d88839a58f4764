//! What a plugin may use: one value, documented defaults.

use std::time::Duration;

/// The bounds on one plugin instance. A plugin's author, or whoever replaced
/// the file, controls what runs into them; past any of them the call ends with
/// an error that names the limit, and the instance is thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginLimits {
    /// How long one call may take before it is interrupted. A chunk of 1 MiB
    /// takes a parser about 2 ms, so the default is generous.
    pub call_timeout: Duration,
    /// Linear memory in bytes, of all memories together.
    pub memory_bytes: usize,
    /// Elements of all function tables.
    pub table_elements: usize,
    /// Core instances: a component built by Rust's standard target needs 3, one
    /// with a whole Python in it some 20.
    pub instances: usize,
    /// Bytes that one call may hand back (strings, lists and records together).
    pub result_bytes: usize,
    /// Handles to resources that the component may hold.
    pub handles: usize,
    /// The wasm stack in bytes. Threads that run plugins need more than this.
    pub stack_bytes: usize,
    /// Bytes of standard error kept for messages; the rest is dropped.
    pub stderr_bytes: usize,
    /// The longest value (URL, client, user, reason) in bytes.
    pub value_bytes: usize,
    /// The size of the component file in bytes.
    pub file_bytes: u64,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self {
            call_timeout: Duration::from_secs(5),
            memory_bytes: 256 << 20,
            table_elements: 100_000,
            instances: 64,
            result_bytes: 96 << 20,
            handles: 1_000,
            stack_bytes: 1 << 20,
            stderr_bytes: 4 << 10,
            value_bytes: 64 << 10,
            file_bytes: 128 << 20,
        }
    }
}
