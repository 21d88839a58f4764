//! The progress of a triage on standard error: a bar on a terminal, else a line from time to
//! time.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::printer::Printer;
use super::zone::DisplayZone;
use crate::clock::{Clock, UnixMs};
use crate::output::VerdictCounts;
use crate::pipeline::{RunListener, Waiting};
use crate::triage::Finding;
use crate::verdict::Verdict;

/// The pause between two lines while a slot of the rate is awaited.
const LINE_PAUSE_MS: i64 = 60_000;
/// The pause between two lines while a day or a month is awaited.
const LONG_LINE_PAUSE_MS: i64 = 3_600_000;

/// Shows the progress of a triage.
pub(super) struct ProgressDisplay<'a> {
    bar: ProgressBar,
    clock: &'a dyn Clock,
    printer: Printer,
    zone: &'a DisplayZone,
    last_line_ms: Mutex<UnixMs>,
}

impl<'a> ProgressDisplay<'a> {
    /// The display of a triage of this many indicators.
    pub(super) fn new(
        indicators: usize,
        clock: &'a dyn Clock,
        printer: Printer,
        zone: &'a DisplayZone,
    ) -> Self {
        let target = if printer.has_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(indicators as u64), target);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            clock,
            printer,
            zone,
            last_line_ms: Mutex::new(clock.now_ms()),
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| self.printer.say(text));
    }

    fn is_line_due(&self, until_ms: UnixMs) -> bool {
        let mut last_line_ms = self
            .last_line_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now_ms();
        let is_long = until_ms - now > 10 * LINE_PAUSE_MS;
        let pause_ms = if is_long {
            LONG_LINE_PAUSE_MS
        } else {
            LINE_PAUSE_MS
        };
        let is_due = now - *last_line_ms >= pause_ms;
        if is_due {
            *last_line_ms = now;
        }
        is_due
    }
}

impl RunListener for ProgressDisplay<'_> {
    fn found(&self, finding: &Finding, totals: &VerdictCounts, left: usize) {
        if finding.verdict == Verdict::Bad {
            let name = finding.sightings.display();
            let text = format!("bad: {name} ({})", finding.reason);
            self.bar.suspend(|| self.printer.alarm(&text));
        }
        let length = self.bar.length().unwrap_or(0);
        self.bar.set_position(length.saturating_sub(left as u64));
        self.bar.set_message(format!("{} bad", totals.bad));
    }

    fn waiting(&self, waiting: &Waiting) {
        let text = format!(
            "{} bad, {} left, next request at {}, done at {} at the earliest",
            waiting.totals.bad,
            waiting.left,
            self.zone.time(waiting.until_ms),
            self.zone.time(waiting.done_ms)
        );
        if self.bar.is_hidden() && self.is_line_due(waiting.until_ms) {
            self.printer.say(&text);
        }
        self.bar.set_message(text);
    }

    fn notice(&self, text: &str) {
        self.say(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    /// A clock that is set by hand.
    struct SetClock(AtomicI64);

    impl Clock for SetClock {
        fn now_ms(&self) -> UnixMs {
            self.0.load(Ordering::SeqCst)
        }

        fn sleep(&self, _duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn lines_are_minutes_apart_and_hours_in_a_long_wait() {
        let clock = SetClock(AtomicI64::new(0));
        let zone = DisplayZone::default();
        let display = ProgressDisplay::new(2, &clock, Printer::default(), &zone);
        let due_at = |now_ms, until_ms| {
            clock.0.store(now_ms, Ordering::SeqCst);
            display.is_line_due(until_ms)
        };
        assert!(!due_at(59_999, 60_000));
        assert!(due_at(60_000, 75_000));
        assert!(!due_at(61_000, 75_000));
        let tomorrow = 24 * 3_600_000;
        assert!(!due_at(3_600_000, tomorrow));
        assert!(due_at(3_660_000, tomorrow));
    }
}
