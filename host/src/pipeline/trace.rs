//! The second reading of the logs: who contacted what is bad, and when.
//!
//! The first reading folds observations by indicator and cannot know which of them will be bad.
//! Logs are read again once the verdicts are known, so that contacts are kept only of bad
//! indicators.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader};

use foldhash::fast::RandomState;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::logs::Logs;
use crate::contacts::{ContactTable, LogLine, MAX_SAMPLE_BYTES, Timeline};
use crate::extraction::{
    ChunkInfo, Extraction, ExtractionError, InputSummary, Order, Sink, extract,
};
use crate::indicator::{Indicator, Kind};
use crate::input::{Found, Input, find};
use crate::output::Summary;
use crate::plugin::Batch;
use crate::triage::Finding;
use crate::verdict::Verdict;

impl Logs<'_> {
    /// Reads the logs again. Adds the contacts to the bad findings, and to the summary the
    /// timeline and each input's size, digest, first and last time. What cannot be read again,
    /// or has changed, is noted in [`Summary::not_traced`].
    pub fn trace(&self, findings: &mut [Finding], summary: &mut Summary) {
        summary.not_traced.clear();
        let Found {
            mut inputs, bytes, ..
        } = find(self.paths);
        let once: HashMap<String, Input> = inputs
            .extract_if(.., |input| !input.is_rereadable())
            .map(|input| (input.name(), input))
            .collect();
        for (name, input) in &once {
            let name = match input {
                Input::Stdin => "standard input".to_owned(),
                Input::File(_) | Input::Pipe(_) => format!("`{name}`"),
            };
            let reason = format!("{name} cannot be read a second time");
            summary.not_traced.push(reason);
        }
        self.options.progress.begin(bytes);
        match self.read_again(&inputs, findings) {
            Ok((extraction, traces)) => {
                note_changes(&extraction, &once, summary);
                apply(traces, &extraction, findings, summary);
                add_digests(&inputs, summary);
            }
            Err(error) => summary.not_traced.push(error.to_string()),
        }
    }

    fn read_again(
        &self,
        inputs: &[Input],
        findings: &[Finding],
    ) -> Result<(Extraction, Traces), ExtractionError> {
        let targets = Targets::new(findings);
        let timeline = axis(findings);
        let new_sink = || TracingSink {
            targets: &targets,
            known: Default::default(),
            traces: Traces {
                timeline: timeline.clone(),
                ..Traces::default()
            },
        };
        let workers = self.options.workers;
        let mut sinks: Vec<_> = std::iter::repeat_with(new_sink).take(workers).collect();
        let extraction = extract(
            inputs,
            self.parsers,
            self.options,
            self.interrupt,
            Order::Any,
            &mut sinks,
        )?;
        let traces = sinks.into_iter().map(|sink| sink.traces);
        let all = traces.reduce(Traces::plus).unwrap_or_default();
        Ok((extraction, all))
    }
}

/// An empty timeline that spans all sightings.
fn axis(findings: &[Finding]) -> Timeline {
    let seen = || findings.iter().map(|finding| &finding.sightings);
    let first = seen().filter_map(|sightings| sightings.first_us).min();
    let last = seen().filter_map(|sightings| sightings.last_us).max();
    match (first, last) {
        (Some(first), Some(last)) => Timeline::spanning(first, last),
        _ => Timeline::default(),
    }
}

/// The numbers of the findings by kind and value, and their verdicts.
struct Targets<'a> {
    numbers: [HashMap<&'a [u8], u32, RandomState>; 3],
    verdicts: Vec<Verdict>,
}

impl<'a> Targets<'a> {
    fn new(findings: &'a [Finding]) -> Self {
        let mut numbers = [(); 3].map(|()| HashMap::default());
        for (number, finding) in (0..).zip(findings) {
            let indicator = &finding.sightings.indicator;
            numbers[slot(indicator.kind())].insert(indicator.value().as_bytes(), number);
        }
        let verdicts = findings.iter().map(|finding| finding.verdict).collect();
        Self { numbers, verdicts }
    }

    fn number(&self, kind: Kind, value: &[u8]) -> Option<u32> {
        self.numbers[slot(kind)].get(value).copied()
    }

    /// The number of a value that is not canonical.
    fn parsed_number(&self, kind: Kind, value: &[u8]) -> Option<u32> {
        let indicator = Indicator::parse(kind, value).ok()?;
        self.number(indicator.kind(), indicator.value().as_bytes())
    }
}

fn slot(kind: Kind) -> usize {
    match kind {
        Kind::Url => 0,
        Kind::Domain => 1,
        Kind::Ip => 2,
    }
}

/// The most values that are remembered. Logs have few that are not canonical; beyond this number
/// they are forgotten.
const MAX_KNOWN: usize = 1 << 20;

/// Finds the indicator of each observation.
struct TracingSink<'a> {
    targets: &'a Targets<'a>,
    /// The numbers of values that are not canonical.
    known: [HashMap<Vec<u8>, Option<u32>, RandomState>; 3],
    traces: Traces,
}

impl TracingSink<'_> {
    fn number(&mut self, kind: Kind, value: &[u8]) -> Option<u32> {
        if let Some(number) = self.targets.number(kind, value) {
            return Some(number);
        }
        let known = &mut self.known[slot(kind)];
        if let Some(number) = known.get(value) {
            return *number;
        }
        let number = self.targets.parsed_number(kind, value);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(value.to_vec(), number);
        number
    }
}

impl Sink for TracingSink<'_> {
    fn take(&mut self, from: &ChunkInfo<'_>, batch: &Batch) -> io::Result<()> {
        let mut lines = from.lines();
        for observation in batch.observations(from.bytes()) {
            self.traces.see(from.input, observation.time_us);
            let Some(number) = self.number(observation.kind, observation.value) else {
                continue;
            };
            let verdict = self.targets.verdicts[number as usize];
            self.traces.timeline.observe(observation.time_us, verdict);
            if verdict == Verdict::Bad {
                let place = from.place(observation.line);
                let contacts = &mut self.traces.contacts;
                contacts.observe(number, &observation, place, || LogLine {
                    input: from.name.to_owned(),
                    line: place.line(),
                    text: sample(lines.text(observation.line)),
                });
            }
        }
        Ok(())
    }
}

fn sample(line: &[u8]) -> String {
    let shown = line.get(..MAX_SAMPLE_BYTES).unwrap_or(line);
    String::from_utf8_lossy(shown).into_owned()
}

/// What the second reading found.
#[derive(Default)]
struct Traces {
    contacts: ContactTable,
    timeline: Timeline,
    /// The first and last time of each input.
    spans_us: BTreeMap<u32, (i64, i64)>,
}

impl Traces {
    fn see(&mut self, input: u32, time_us: Option<i64>) {
        if let Some(time_us) = time_us {
            self.widen(input, (time_us, time_us));
        }
    }

    fn widen(&mut self, input: u32, (first, last): (i64, i64)) {
        let span = self.spans_us.entry(input).or_insert((first, last));
        *span = (span.0.min(first), span.1.max(last));
    }

    fn plus(mut self, other: Self) -> Self {
        self.contacts.add(other.contacts);
        self.timeline.add(&other.timeline);
        for (input, span) in other.spans_us {
            self.widen(input, span);
        }
        self
    }
}

fn apply(traces: Traces, extraction: &Extraction, findings: &mut [Finding], summary: &mut Summary) {
    for (number, contacts) in traces.contacts.into_contacts() {
        if let Some(finding) = findings.get_mut(number as usize) {
            finding.contacts = Some(Box::new(contacts));
        }
    }
    let timeline = traces.timeline;
    summary.timeline = (!timeline.counts.is_empty()).then_some(timeline);
    let spans = traces.spans_us.into_iter().filter_map(|(number, span)| {
        let input = extraction.inputs.get(number as usize)?;
        Some((input.name.as_str(), span))
    });
    let spans: HashMap<&str, (i64, i64)> = spans.collect();
    for input in &mut summary.inputs {
        if let Some((first_us, last_us)) = spans.get(input.name.as_str()) {
            (input.facts.first_us, input.facts.last_us) = (Some(*first_us), Some(*last_us));
        }
    }
}

/// Notes the inputs that are not as they were when they were first read.
fn note_changes(again: &Extraction, once: &HashMap<String, Input>, summary: &mut Summary) {
    let lines_again: HashMap<&str, u64> = again
        .inputs
        .iter()
        .map(|input| (input.name.as_str(), input.counts.lines))
        .collect();
    let is_read_again = |input: &&InputSummary| of_source(once, &input.name).is_none();
    for input in summary.inputs.iter().filter(is_read_again) {
        let again = lines_again.get(input.name.as_str());
        if again.copied().unwrap_or(0) != input.counts.lines {
            let reason = format!("`{}` has changed since it was first read", input.name);
            summary.not_traced.push(reason);
        }
    }
}

/// Adds the size and digest of each file. A member of an archive has those of the archive.
fn add_digests(inputs: &[Input], summary: &mut Summary) {
    let digests: HashMap<String, (u64, String)> = inputs
        .par_iter()
        .filter_map(|input| Some((input.name(), digest(input).ok()?)))
        .collect();
    for input in &mut summary.inputs {
        if let Some((bytes, sha256)) = of_source(&digests, &input.name) {
            input.facts.bytes = Some(*bytes);
            input.facts.sha256 = Some(sha256.clone());
        }
    }
}

/// The value for the file that is the input of this name or an archive around it.
fn of_source<'a, T>(by_file: &'a HashMap<String, T>, name: &str) -> Option<&'a T> {
    let archives = name.rmatch_indices('/').map(|(slash, _)| slash);
    let mut ends = std::iter::once(name.len()).chain(archives);
    ends.find_map(|end| by_file.get(name.get(..end)?))
}

fn digest(input: &Input) -> io::Result<(u64, String)> {
    let Input::File(path) = input else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let mut hasher = Sha256::new();
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let bytes = io::copy(&mut file, &mut hasher)?;
    let sha256 = hasher.finalize();
    Ok((
        bytes,
        sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
    ))
}
