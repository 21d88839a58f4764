//! The summary for one screen: if there are many inputs, only those that need attention.

use std::fmt::{self, Write as _};

use super::input_lines;
use super::summary::Summary;
use super::text::{counted, visible};
use crate::extraction::InputCounts;

/// The lines that are shown of one input.
const LINES_PER_INPUT: usize = 4;

impl Summary {
    /// The text of the summary in at most `max_lines` lines. If it is longer, the inputs that need
    /// attention come first, and the others are counted.
    #[must_use]
    pub fn brief(&self, max_lines: usize) -> String {
        let text = self.to_string();
        if text.lines().count() <= max_lines {
            return text;
        }
        let totals = Totals(self).to_string();
        // One line for what is not shown.
        let mut left = max_lines.saturating_sub(totals.lines().count() + 1);
        let (mut text, mut not_shown) = (String::new(), 0);
        for entry in self.entries() {
            let lines: Vec<&str> = entry.lines().take(LINES_PER_INPUT).collect();
            if lines.len() > left {
                not_shown += 1;
                continue;
            }
            left -= lines.len();
            for line in lines {
                text.push_str(line);
                text.push('\n');
            }
        }
        if not_shown > 0 {
            // Writing to a String cannot fail.
            let more = counted(
                not_shown,
                "more input or problem",
                "more inputs and problems",
            );
            let _ = writeln!(text, "{more}; -v prints all");
        }
        text + &totals
    }

    /// The entries of the summary, those that need attention first.
    fn entries(&self) -> Vec<String> {
        let skipped = self.skipped.iter();
        let skipped = skipped
            .map(|(path, reason)| format!("{}: not read: {}", visible(path), visible(reason)));
        let entries = input_lines::entries(&self.inputs).into_iter();
        let (alarming, calm): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.needs_attention);
        let inputs = alarming.into_iter().chain(calm).map(|entry| entry.text);
        skipped.chain(inputs).collect()
    }
}

/// The lines of all inputs, and the verdicts.
struct Totals<'a>(&'a Summary);

impl fmt::Display for Totals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = &self.0.inputs;
        let sum = |count: fn(&InputCounts) -> u64| -> u64 {
            inputs.iter().map(|input| count(&input.counts)).sum()
        };
        writeln!(
            f,
            "{}: {} lines = {} records + {} ignored + {} rejected",
            counted(inputs.len() as u64, "input", "inputs"),
            sum(|counts| counts.lines),
            sum(|counts| counts.records),
            sum(InputCounts::ignored_lines),
            sum(InputCounts::rejected_lines)
        )?;
        let invalid: u64 = self.0.invalid.iter().map(|(_, count, _)| count).sum();
        if invalid > 0 {
            let invalid = counted(invalid, "observation", "observations");
            writeln!(f, "{invalid} with an invalid value")?;
        }
        self.0.write_conclusion(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extraction::{InputSummary, Outcome, Reason};

    fn input(number: u64, outcome: Outcome, rejected: u64) -> InputSummary {
        let mut input = InputSummary::without_content(format!("{number}.log"), outcome);
        input.counts.lines = 2;
        input.counts.records = 2 - rejected;
        if rejected > 0 {
            let reason = Reason {
                count: rejected,
                samples: vec![(1, "sample".to_owned())],
            };
            input.counts.rejected.insert("unknown".to_owned(), reason);
        }
        input
    }

    fn summary(inputs: u64) -> Summary {
        let inputs = 1..=inputs;
        Summary {
            inputs: inputs
                .map(|number| match number {
                    7 => input(7, Outcome::Read, 1),
                    8 => input(8, Outcome::CutShort("damaged".to_owned()), 0),
                    _ => input(number, Outcome::Read, 0),
                })
                .collect(),
            skipped: vec![("missing.log".to_owned(), "no such file".to_owned())],
            ..Summary::default()
        }
    }

    #[test]
    fn short_summary_is_whole() {
        let summary = summary(3);
        assert_eq!(summary.brief(16), summary.to_string());
    }

    #[test]
    fn long_summary_shows_first_what_needs_attention() {
        let brief = summary(10).brief(8);
        let lines: Vec<&str> = brief.lines().collect();
        assert!(lines.len() <= 8, "{brief}");
        assert_eq!(lines[0], "missing.log: not read: no such file");
        assert!(lines[1].starts_with("7.log: 2 lines"), "{brief}");
        assert!(
            lines[2].contains("rejected 1: unknown (line 1: sample)"),
            "{brief}"
        );
        assert!(brief.contains("8.log: "), "{brief}");
        assert!(
            brief.contains("more inputs and problems; -v prints all"),
            "{brief}"
        );
        assert!(
            brief.ends_with("10 inputs: 20 lines = 19 records + 0 ignored + 1 rejected\n"),
            "{brief}"
        );
    }
}
