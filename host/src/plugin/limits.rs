//! The limits on a plugin.

use std::time::Duration;

/// The limits on one plugin instance. A call that exceeds one fails with an error
/// that names the limit, and the instance is not used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginLimits {
    /// The time after which a call is interrupted. A parser takes about 2 ms for a
    /// chunk of 1 MiB.
    pub call_timeout: Duration,
    /// The size of all linear memories together, in bytes.
    pub memory_bytes: usize,
    /// The elements of all function tables together.
    pub table_elements: usize,
    /// Core instances. A component built by Rust's standard target needs 3, one that
    /// contains CPython about 20.
    pub instances: usize,
    /// The size of all strings, lists and records that a call returns, in bytes.
    pub result_bytes: usize,
    /// Handles to resources.
    pub handles: usize,
    /// The wasm stack in bytes. Threads that run plugins need a larger stack.
    pub stack_bytes: usize,
    /// The bytes of standard error that are kept for messages.
    pub stderr_bytes: usize,
    /// The longest value, client, user, reason or error message, in bytes.
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
