//! What a plugin does besides returning results: what it prints, and what it uses that gives
//! it nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cli::printer::Printer;
use crate::output::visible;
use crate::plugin::{Access, Engine, GuestListener};

/// The most bytes of a plugin's output that are kept.
const MAX_PRINTED_BYTES: usize = 64 << 10;

/// Records what the plugins of an engine do.
#[derive(Default)]
pub(super) struct GuestWatch(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    printed: Vec<u8>,
    accesses: BTreeSet<Access>,
}

impl GuestWatch {
    /// An engine whose plugins are watched.
    pub(super) fn of(engine: Engine) -> (Engine, Arc<Self>) {
        let watch = Arc::new(Self::default());
        (engine.with_guest_listener(watch.clone()), watch)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line for each use of an interface that gives the plugin nothing.
    pub(super) fn warnings(&self) -> Vec<String> {
        let seen = self.seen();
        let lines = seen.accesses.iter();
        lines.map(|access| format!("warning: {access}")).collect()
    }

    /// Prints on standard error what the plugin printed, and the warnings.
    pub(super) fn report(&self, printer: &Printer) {
        let printed = String::from_utf8_lossy(&self.seen().printed).into_owned();
        for line in printed.lines() {
            printer.say(&format!("plugin prints: {}", visible(line)));
        }
        for warning in self.warnings() {
            printer.say(&warning);
        }
    }
}

impl GuestListener for GuestWatch {
    fn printed(&self, bytes: &[u8]) {
        let mut seen = self.seen();
        let room = MAX_PRINTED_BYTES.saturating_sub(seen.printed.len());
        seen.printed.extend(bytes.iter().take(room));
    }

    fn accessed(&self, access: Access) {
        self.seen().accesses.insert(access);
    }
}
