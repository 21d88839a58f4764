//! The lines about inputs for people: one for each input, or one for all that are alike.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};

use super::text::{counted, visible};
use crate::extraction::{InputSummary, Outcome, Reason};

/// Inputs that are alike are listed one by one up to this number.
const MAX_LISTED: usize = 8;

/// Inputs that are alike, as one.
struct Alike {
    /// The first of them, with the counts of all.
    sum: InputSummary,
    inputs: usize,
    is_listed: bool,
}

/// The lines about an input, or about several that are alike.
pub(super) struct InputLines {
    /// One or more lines.
    pub text: String,
    /// Something was not read or not understood.
    pub needs_attention: bool,
}

/// Writes what became of the inputs, and the sum if there are too many to list them.
pub(super) fn write_inputs(f: &mut fmt::Formatter<'_>, inputs: &[InputSummary]) -> fmt::Result {
    let entries = entries(inputs);
    for entry in &entries {
        f.write_str(&entry.text)?;
    }
    if entries.len() < inputs.len() {
        write_total(f, inputs)?;
    }
    Ok(())
}

/// An entry for each input. More than [`MAX_LISTED`] that are alike have one at the place of
/// the first of them.
pub(super) fn entries(inputs: &[InputSummary]) -> Vec<InputLines> {
    let mut places = HashMap::new();
    let mut kinds: Vec<Alike> = Vec::new();
    let mut kind_of = Vec::with_capacity(inputs.len());
    for input in inputs {
        let place = *places.entry(likeness(input)).or_insert(kinds.len());
        match kinds.get_mut(place) {
            Some(alike) => alike.add(input),
            None => kinds.push(Alike {
                sum: input.clone(),
                inputs: 1,
                is_listed: false,
            }),
        }
        kind_of.push(place);
    }
    let mut entries = Vec::new();
    for (input, place) in inputs.iter().zip(kind_of) {
        let alike = &mut kinds[place];
        if alike.inputs <= MAX_LISTED {
            entries.push(About { input, inputs: 1 }.entry());
        } else if !alike.is_listed {
            alike.is_listed = true;
            entries.push(alike.about().entry());
        }
    }
    entries
}

/// An input, or as many as `inputs` that are like it, whose counts it has.
struct About<'a> {
    input: &'a InputSummary,
    inputs: usize,
}

impl About<'_> {
    fn entry(&self) -> InputLines {
        InputLines {
            text: self.to_string(),
            needs_attention: needs_attention(self.input),
        }
    }
}

fn needs_attention(input: &InputSummary) -> bool {
    matches!(input.outcome, Outcome::Skipped(_) | Outcome::CutShort(_))
        || input.counts.failure_count > 0
        || input.counts.rejected_lines() > 0
}

/// What inputs have in common that are summed up in one line.
#[derive(PartialEq, Eq, Hash)]
struct Likeness<'a> {
    outcome: (&'static str, &'a str),
    parser: Option<&'a str>,
    envelopes: &'a [&'static str],
    needs_attention: bool,
    is_not_understood: bool,
    is_all_ignored: bool,
    has_copied_lines: bool,
    failure: Option<String>,
}

fn likeness(input: &InputSummary) -> Likeness<'_> {
    let failure = input.counts.failures.first();
    Likeness {
        outcome: match &input.outcome {
            Outcome::Read => ("read", ""),
            Outcome::Empty => ("empty", ""),
            Outcome::Copy => ("copy", ""),
            Outcome::NoLog(kind) => ("no log", kind),
            Outcome::Skipped(reason) => ("skipped", reason),
            Outcome::CutShort(reason) => ("cut short", reason),
        },
        parser: input.parser.as_ref().map(|parser| parser.name.as_str()),
        envelopes: &input.envelopes,
        needs_attention: needs_attention(input),
        is_not_understood: input.is_not_understood(),
        is_all_ignored: input.is_all_ignored(),
        has_copied_lines: input.copy_of.is_some(),
        failure: failure.map(|failure| failure.stop.to_string()),
    }
}

impl Alike {
    fn add(&mut self, input: &InputSummary) {
        self.inputs += 1;
        self.sum.counts.add(input.counts.clone());
        self.sum.confidence = self.sum.confidence.min(input.confidence);
    }

    fn about(&self) -> About<'_> {
        About {
            input: &self.sum,
            inputs: self.inputs,
        }
    }
}

fn write_total(f: &mut fmt::Formatter<'_>, inputs: &[InputSummary]) -> fmt::Result {
    let sum = |of: fn(&InputSummary) -> u64| inputs.iter().map(of).sum::<u64>();
    writeln!(
        f,
        "{} in all: {} lines = {} records + {} ignored + {} rejected",
        counted(inputs.len() as u64, "input", "inputs"),
        sum(|input| input.counts.lines),
        sum(|input| input.counts.records),
        sum(|input| input.counts.ignored_lines()),
        sum(|input| input.counts.rejected_lines())
    )
}

impl fmt::Display for About<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_input(f, self.input, self.inputs)
    }
}

fn write_input(f: &mut fmt::Formatter<'_>, input: &InputSummary, inputs: usize) -> fmt::Result {
    if inputs > 1 {
        write!(f, "{inputs} inputs, such as ")?;
    }
    write!(f, "{}: ", visible(&input.name))?;
    match &input.outcome {
        Outcome::Skipped(reason) => return writeln!(f, "not read: {}", visible(reason)),
        Outcome::Empty => return writeln!(f, "empty"),
        Outcome::Copy => {
            let original = input.copy_of.as_deref().unwrap_or_default();
            return writeln!(f, "left out: a copy of {}", visible(original));
        }
        Outcome::NoLog(kind) => return writeln!(f, "passed over: {kind}"),
        Outcome::Read | Outcome::CutShort(_) => {}
    }
    write_parser(f, input)?;
    let counts = &input.counts;
    writeln!(
        f,
        "{} lines = {} records + {} ignored + {} rejected",
        counts.lines,
        counts.records,
        counts.ignored_lines(),
        counts.rejected_lines()
    )?;
    for (parser, records) in &counts.taken_by_others {
        writeln!(f, "  {records} of the records by {}", visible(parser))?;
    }
    if let Some(original) = &input.copy_of {
        let lines = counts.copied_lines();
        let original = match inputs {
            1 => visible(original),
            _ => "lines of other inputs".into(),
        };
        writeln!(f, "  {lines} of the ignored are a copy of {original}")?;
    }
    write_detection_hint(f, input)?;
    write_reasons(f, "ignored", &counts.ignored, inputs)?;
    write_reasons(f, "rejected", &counts.rejected, inputs)?;
    write_failures(f, input, inputs)?;
    if let Outcome::CutShort(reason) = &input.outcome {
        writeln!(f, "  reading failed before the end: {}", visible(reason))?;
    }
    Ok(())
}

fn write_parser(f: &mut fmt::Formatter<'_>, input: &InputSummary) -> fmt::Result {
    let Some(parser) = &input.parser else {
        return Ok(());
    };
    for envelope in &input.envelopes {
        write!(f, "{envelope} → ")?;
    }
    write!(f, "{}", parser.name)?;
    if let Some(confidence) = input.confidence {
        write!(f, " ({confidence} % confidence)")?;
    }
    f.write_str(": ")
}

fn write_failures(f: &mut fmt::Formatter<'_>, input: &InputSummary, inputs: usize) -> fmt::Result {
    let listed = match inputs {
        1 => input.counts.failures.len(),
        _ => 1,
    };
    for failure in input.counts.failures.iter().take(listed) {
        let (plugin, stop) = (&failure.plugin, failure.stop.to_string());
        let stop = visible(&stop);
        match inputs {
            1 => {
                let (start, end, name) = (failure.start, failure.end, visible(&input.name));
                writeln!(f, "  {plugin} {stop} on {name} bytes {start}..{end}")?;
            }
            _ => {
                let failures = counted(input.counts.failure_count, "failure", "failures");
                writeln!(f, "  {plugin} {stop} ({failures})")?;
            }
        }
    }
    Ok(())
}

/// The beginning of a text from a log, safe to print.
pub(super) fn beginning(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    let text: String = text.chars().take(MAX_CHARS).collect();
    visible(&text).into_owned()
}

/// A detected parser with at most this confidence extracts from any text.
const FALLBACK_CONFIDENCE: u8 = 10;

/// An input whose format was detected is reported as mixed if its parser rejects one line in this
/// many, or more.
const MIXED_ONE_IN: u64 = 10;

/// Explains a doubtful detection, and warns of an input without records.
fn write_detection_hint(f: &mut fmt::Formatter<'_>, input: &InputSummary) -> fmt::Result {
    if input.is_not_understood() {
        return f.write_str(
            "  warning: nothing in it was understood: choose another parser, or `--parser auto`\n",
        );
    }
    if input.is_all_ignored() {
        return f.write_str("  warning: no line holds a contact: if it is a log of contacts, choose another parser\n");
    }
    let Some(confidence) = input.confidence else {
        return Ok(());
    };
    let counts = &input.counts;
    if confidence <= FALLBACK_CONFIDENCE {
        f.write_str("  format not recognised: everything that looks like a URL, a domain or an address was extracted; if a parser fits, choose it with --parser\n")
    } else if counts.rejected_lines() * MIXED_ONE_IN >= counts.lines {
        f.write_str("  many lines were rejected: no parser knows their format; if one fits, choose it with --parser\n")
    } else {
        Ok(())
    }
}

/// Writes the reasons of lines that were ignored or rejected, each with a sample if there is one
/// input. Ignored lines without a sample are counted elsewhere, as copies are, or have nothing to
/// show.
fn write_reasons(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    reasons: &BTreeMap<String, Reason>,
    inputs: usize,
) -> fmt::Result {
    let has_sample = |lines: &Reason| what == "rejected" || !lines.samples.is_empty();
    for (reason, lines) in reasons.iter().filter(|(_, lines)| has_sample(lines)) {
        write!(f, "  {what} {}: {}", lines.count, visible(reason))?;
        // The number of a line means nothing without its input.
        if let Some((line, text)) = lines.samples.first().filter(|_| inputs == 1) {
            let mut sample = String::new();
            if !text.is_empty() {
                write!(sample, ": {}", beginning(text))?;
            }
            write!(f, " (line {line}{sample})")?;
        }
        writeln!(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shown(Vec<InputSummary>);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_inputs(f, &self.0)
        }
    }

    fn inputs(count: usize, outcome: &Outcome) -> impl Iterator<Item = InputSummary> {
        (0..count).map(move |number| {
            let mut input = InputSummary::without_content(format!("{number}"), outcome.clone());
            input.counts.lines = 2;
            input.counts.records = 2;
            input
        })
    }

    #[test]
    fn few_inputs_are_listed_and_many_that_are_alike_are_summed_up() {
        let refused = Outcome::Skipped("ELF program".to_owned());
        let few = inputs(MAX_LISTED, &Outcome::Read);
        assert_eq!(Shown(few.collect()).to_string().lines().count(), MAX_LISTED);
        let many = inputs(9, &Outcome::Read).chain(inputs(2, &refused));
        let shown = Shown(many.chain(inputs(10, &Outcome::Empty)).collect()).to_string();
        assert_eq!(
            shown,
            "9 inputs, such as 0: 18 lines = 18 records + 0 ignored + 0 rejected\n\
             0: not read: ELF program\n1: not read: ELF program\n\
             10 inputs, such as 0: empty\n\
             21 inputs in all: 42 lines = 42 records + 0 ignored + 0 rejected\n"
        );
    }
}
