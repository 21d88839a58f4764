//! The progress of reading on standard error: a bar on a terminal, and what is to be known
//! meanwhile.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::printer::Printer;
use crate::input::ReadProgress;

/// Shows the progress of reading until it is dropped.
pub(super) struct ReadProgressDisplay {
    is_over: Arc<AtomicBool>,
    /// None if no thread could be started; reading does not need it.
    thread: Option<JoinHandle<()>>,
}

/// Whether standard output belongs to the command's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stdout {
    /// Data is printed while reading: a bar on the same terminal would be in its way.
    Data,
    /// Nothing is printed while reading.
    Unused,
}

/// The pause between two updates.
const PAUSE: Duration = Duration::from_millis(200);

/// The display of a size without an end.
const WITHOUT_END: &str = "{spinner} {bytes} {bytes_per_sec}";

/// A bar appears only if reading takes longer.
const PAUSES_BEFORE_BAR: u32 = 5;

impl ReadProgressDisplay {
    /// Begins to show `progress`.
    pub(super) fn start(progress: &Arc<ReadProgress>, stdout: Stdout, printer: Printer) -> Self {
        let is_in_the_way = stdout == Stdout::Data && std::io::stdout().is_terminal();
        let has_bar = printer.has_progress() && !is_in_the_way;
        let is_over = Arc::new(AtomicBool::new(false));
        let (progress, over) = (Arc::clone(progress), Arc::clone(&is_over));
        let thread = std::thread::Builder::new()
            .name("read-progress".into())
            .spawn(move || show(&progress, &over, has_bar, printer));
        Self {
            is_over,
            thread: thread.ok(),
        }
    }
}

impl Drop for ReadProgressDisplay {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there was reported, and it costs only the display.
            drop(thread.join());
        }
    }
}

fn show(progress: &ReadProgress, is_over: &AtomicBool, has_bar: bool, printer: Printer) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    bar.set_style(style(WITHOUT_END));
    let mut pauses = 0;
    while !is_over.load(Ordering::Relaxed) {
        std::thread::park_timeout(PAUSE);
        pauses += 1;
        if has_bar && pauses == PAUSES_BEFORE_BAR {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let (read, total) = progress.bytes();
        update(&bar, read, total);
        say_notices(progress, &bar, printer);
    }
    say_notices(progress, &bar, printer);
    bar.finish_and_clear();
}

/// Sets the bar to these bytes. Without a total, and past it, there is no end to reckon with.
fn update(bar: &ProgressBar, read: u64, total: u64) {
    let length = (total > 0 && read <= total).then_some(total);
    if bar.length() != length {
        match length {
            Some(length) => {
                bar.set_style(style(
                    "{bar:24} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left",
                ));
                bar.set_length(length);
            }
            None => {
                bar.set_style(style(WITHOUT_END));
                bar.unset_length();
            }
        }
    }
    bar.set_position(read);
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn say_notices(progress: &ReadProgress, bar: &ProgressBar, printer: Printer) {
    for notice in progress.take_notices() {
        bar.suspend(|| printer.say(&notice));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_has_an_end_while_the_size_is_known_and_not_exceeded() {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        update(&bar, 0, 100);
        assert_eq!((bar.position(), bar.length()), (0, Some(100)));
        update(&bar, 60, 100);
        assert_eq!((bar.position(), bar.length()), (60, Some(100)));
        update(&bar, 160, 100);
        assert_eq!((bar.position(), bar.length()), (160, None));
        update(&bar, 7, 0);
        assert_eq!((bar.position(), bar.length()), (7, None));
    }
}
