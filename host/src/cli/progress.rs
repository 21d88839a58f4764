//! What a person sees while VirusTotal is asked: a bar on a terminal, a plain
//! line now and then elsewhere. Always on standard error.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::printer::Printer;
use crate::clock::{Clock as _, SystemClock, UnixMs};
use crate::output::{OutputError, Summary, TextFiles, visible, write_results};
use crate::quota::{self, Limits, Usage};
use crate::triage::Finding;
use crate::triage::run::Reporter;
use crate::verdict::Verdict;

/// Without a terminal a line is printed at most this often.
const LINE_EVERY_MS: i64 = 60_000;
/// And while a day or a month is waited for, this often.
const LONG_LINE_EVERY_MS: i64 = 3_600_000;

/// Where the results go, and what was read.
pub(super) struct Results {
    pub(super) directory: PathBuf,
    pub(super) summary: Summary,
}

/// Shows progress, and lets the text files grow.
pub(super) struct Progress {
    bar: ProgressBar,
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    files: TextFiles,
    results: Results,
    failure: Option<OutputError>,
    bad: u64,
    said_ms: UnixMs,
}

impl Progress {
    /// Progress over so many indicators.
    pub(super) fn new(
        indicators: usize,
        limits: Limits,
        files: TextFiles,
        results: Results,
    ) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(Some(indicators as u64), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_length(indicators as u64);
        Self {
            bar,
            limits,
            state: Mutex::new(State {
                files,
                results,
                failure: None,
                bad: 0,
                said_ms: SystemClock.now_ms(),
            }),
        }
    }

    /// Ends the display; an output that failed meanwhile is an error.
    pub(super) fn finish(self) -> Result<(), OutputError> {
        self.bar.finish_and_clear();
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        state.failure.map_or(Ok(()), Err)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line_if_due(&self, until_ms: UnixMs, text: &str) {
        let mut state = self.state();
        let now = SystemClock.now_ms();
        let every_ms = if until_ms - now > 10 * LINE_EVERY_MS {
            LONG_LINE_EVERY_MS
        } else {
            LINE_EVERY_MS
        };
        if self.bar.is_hidden() && now - state.said_ms >= every_ms {
            state.said_ms = now;
            Printer.say(text);
        }
    }
}

impl Reporter for Progress {
    fn found(&self, finding: &Finding, left: usize) {
        let mut state = self.state();
        if let Err(error) = state.files.append(finding) {
            state.failure.get_or_insert(error);
        }
        if finding.verdict == Verdict::Bad {
            state.bad += 1;
            let text = format!("bad: {} ({})", finding.sightings.display(), finding.reason);
            self.bar.suspend(|| Printer.say(&text));
        }
        self.bar
            .set_position(self.bar.length().unwrap_or(0).saturating_sub(left as u64));
        self.bar.set_message(format!("{} bad", state.bad));
    }

    fn waiting(&self, until_ms: UnixMs, left: usize) {
        let done_ms = quota::finish_ms(left as u64, &Usage::default(), until_ms, &self.limits);
        let bad = self.state().bad;
        let text = format!(
            "{bad} bad, {left} left, next slot at {}, done by {} at the earliest",
            clock_time(until_ms),
            clock_time(done_ms)
        );
        self.bar.set_message(text.clone());
        self.line_if_due(until_ms, &text);
    }

    fn retrying(&self, reason: &str) {
        let text = format!("will be tried again: {}", visible(reason));
        self.bar.suspend(|| Printer.say(&text));
    }

    fn spent(&self, reason: &str, so_far: &[Finding]) {
        let mut state = self.state();
        let Results { directory, summary } = &mut state.results;
        summary.count(so_far);
        if let Err(error) = write_results(directory, so_far, summary) {
            state.failure.get_or_insert(error);
        }
        self.bar.suspend(|| Printer.say(&visible(reason)));
    }
}

/// A time for people, in UTC to the second.
pub(super) fn clock_time(ms: UnixMs) -> String {
    Timestamp::from_millisecond(ms).map_or_else(
        |_| "never".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::{Indicator, Kind};
    use crate::observation::Place;
    use crate::sightings::Sightings;
    use crate::triage::Cause;

    fn left(name: &str) -> Finding {
        let sightings = Sightings {
            indicator: Indicator::parse(Kind::Domain, name.as_bytes()).unwrap(),
            written: None,
            count: 1,
            allowed: 0,
            blocked: 0,
            first_us: None,
            last_us: None,
            clients: Vec::new(),
            place: Place::new(0, 0),
        };
        Finding::unknown(sightings, Cause::NotAsked, "no slot".to_owned())
    }

    #[test]
    fn a_run_that_waits_has_written_what_it_has() {
        let directory = tempfile::tempdir().unwrap();
        let files = TextFiles::create(directory.path()).unwrap();
        let results = Results {
            directory: directory.path().to_owned(),
            summary: Summary::default(),
        };
        let progress = Progress::new(2, Limits::default(), files, results);
        let so_far = [left("a.example.com"), left("b.example.com")];
        for _ in 0..2 {
            progress.spent("the day's quota is spent", &so_far);
            let path = directory.path().join("results.jsonl");
            let written = std::fs::read_to_string(path).unwrap();
            assert_eq!(written.matches("\"cause\":\"not-asked\"").count(), 2);
            assert!(written.contains("\"unknown\":2"), "{written}");
        }
        progress.finish().unwrap();
    }
}
