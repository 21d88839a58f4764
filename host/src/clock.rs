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

/// A clock that starts where it is told and follows tokio's: under
/// `tokio::time::pause` it is virtual time.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    start_ms: UnixMs,
    started: tokio::time::Instant,
}

impl TokioClock {
    /// A clock that says `start_ms` now.
    #[must_use]
    pub fn starting_at(start_ms: UnixMs) -> Self {
        Self {
            start_ms,
            started: tokio::time::Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    fn now_ms(&self) -> UnixMs {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(elapsed)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
