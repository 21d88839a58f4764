//! Time, handed in: the only place that asks the machine what time it is.
//!
//! Everything that waits or stamps takes a [`Clock`], so that a test runs days
//! of quota in milliseconds of virtual time.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type UnixMs = i64;

/// Where the time comes from, and how to wait for a later one.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now_ms(&self) -> UnixMs;

    /// Ends `duration` from now.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
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
