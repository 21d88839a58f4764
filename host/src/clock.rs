//! Time as a parameter.
//!
//! Code that waits or records times takes a [`Clock`], so that a test runs days of quota in
//! milliseconds. [`SystemClock`] is the only code that reads the clock of the machine.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type UnixMs = i64;

/// A source of time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now_ms(&self) -> UnixMs;

    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the clock of the machine"
    )]
    fn now_ms(&self) -> UnixMs {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
