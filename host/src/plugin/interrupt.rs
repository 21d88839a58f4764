//! Ctrl-C, for plugins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends every running plugin call, now and from now on.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Plugin calls end within a tick with [`super::Stop::Interrupted`].
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`Interrupt::raise`] was called.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
