//! What a run prints at its end: a summary for one screen, and what to do next.

use std::path::Path;

use crate::cli::printer::Printer;
use crate::output::{REPORT_FILE, Summary, counted};

/// The lines of a summary. With the other lines of a run's end they fit on a screen of 24 lines.
const SUMMARY_LINES: usize = 16;

/// The end of a run.
pub(super) struct Closing<'a> {
    pub(super) summary: &'a Summary,
    /// Requests sent.
    pub(super) requests: u64,
    /// The folder of the results.
    pub(super) directory: &'a Path,
    /// The command that prints the log lines of what is bad.
    pub(super) evidence_command: &'a str,
}

impl Closing<'_> {
    /// The summary, where the results are, and what to do next.
    pub(super) fn text(&self, is_verbose: bool) -> String {
        let report = self.directory.join(REPORT_FILE);
        let mut text = text_of(self.summary, is_verbose);
        text.push_str(&format!(
            "{} sent; results in {}; read first: {}\n",
            counted(self.requests, "request", "requests"),
            self.directory.display(),
            report.display()
        ));
        text.push_str(&self.next_step());
        text
    }

    fn next_step(&self) -> String {
        let verdicts = &self.summary.verdicts;
        match (verdicts.bad, verdicts.unknown) {
            (0, 0) => String::new(),
            (0, _) => format!(
                "next: {} has the reason for each that is unknown\n",
                self.directory.join("unknown-domain.txt").display()
            ),
            _ => format!(
                "next: check the clients that the report names; the log lines of what is bad:\n  {}\n",
                self.evidence_command
            ),
        }
    }
}

/// A summary for one screen; all of it with `--verbose`.
pub(super) fn summary_text(summary: &Summary, printer: &Printer) -> String {
    text_of(summary, printer.is_verbose())
}

fn text_of(summary: &Summary, is_verbose: bool) -> String {
    match is_verbose {
        true => summary.to_string(),
        false => summary.brief(SUMMARY_LINES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extraction::{InputSummary, Outcome};
    use crate::output::VerdictCounts;

    fn closing(verdicts: VerdictCounts, is_verbose: bool) -> String {
        let damaged = |number: u32| {
            let outcome = Outcome::CutShort(format!("damaged at byte {number}"));
            InputSummary::without_content(format!("{number}.log"), outcome)
        };
        let summary = Summary {
            inputs: (0..1000).map(damaged).collect(),
            verdicts,
            ..Summary::default()
        };
        let closing = Closing {
            summary: &summary,
            requests: 3,
            directory: Path::new("results"),
            evidence_command: "vthost evidence --results results/results.jsonl logs",
        };
        closing.text(is_verbose)
    }

    #[test]
    fn end_of_a_run_fits_on_a_screen() {
        let bad = VerdictCounts {
            bad: 1,
            ..VerdictCounts::default()
        };
        let text = closing(bad, false);
        // How a run ended and the command that resumes it are at most 4 lines.
        assert!(text.lines().count() <= 20, "{text}");
        assert!(
            text.contains("3 requests sent; results in results;"),
            "{text}"
        );
        assert!(text.contains("  vthost evidence --results"), "{text}");
        assert!(closing(bad, true).lines().count() > 1000);
        let unknown = VerdictCounts {
            unknown: 1,
            ..VerdictCounts::default()
        };
        assert!(closing(unknown, false).contains("unknown-domain.txt has the reason"));
    }
}
