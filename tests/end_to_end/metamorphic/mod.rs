//! Metamorphic tests: whatever a sample of `tests/logs` is wrapped in, and whatever is changed
//! around its fields, it gives the same observations. A new sample takes part without a line
//! written here.

mod edits;
mod envelopes;
mod reader;
mod variant;

use std::fmt::Write as _;
use std::sync::LazyLock;

use rayon::prelude::*;

use reader::{Reader, Seen};
use variant::{Sample, Variant};

/// Variants that cannot be read as the sample is: `SAMPLE | VARIANT # REASON` on each line.
const KNOWN: &str = include_str!("known.txt");

/// Reads all samples and their variants, and reports each variant that gives anything else.
fn check(samples: &[Sample], vary: impl Fn(&Sample, &[Seen]) -> Vec<Variant> + Sync) {
    static READER: LazyLock<Reader> = LazyLock::new(Reader::new);
    let differences: Vec<String> = samples
        .par_iter()
        .flat_map_iter(|sample| differences(&READER, sample, &vary))
        .collect();
    let mut report = String::new();
    for difference in &differences {
        writeln!(report, "{difference}").unwrap();
    }
    if let Some(path) = std::env::var_os("METAMORPHIC_REPORT") {
        std::fs::write(path, &report).unwrap();
    }
    assert!(
        differences.is_empty(),
        "{} differences\n{report}",
        differences.len()
    );
}

fn differences(
    reader: &Reader,
    sample: &Sample,
    vary: &impl Fn(&Sample, &[Seen]) -> Vec<Variant>,
) -> Vec<String> {
    let lines: Vec<String> = sample.text.lines().map(str::to_owned).collect();
    let parser = sample.parser.as_deref();
    let plain = Variant::of_lines("plain", &lines);
    let unchanged = reader.read(parser, &[plain]).remove(0);
    let variants = vary(sample, &unchanged.seen);
    let readings = reader.read(parser, &variants);
    let read = variants.iter().zip(&readings);
    read.filter_map(|(variant, reading)| {
        let difference = variant.difference(&unchanged, reading)?;
        let id = format!("{} | {}", sample.name, variant.name);
        let show_all = std::env::var_os("METAMORPHIC_REPORT").is_some();
        if !show_all
            && KNOWN
                .lines()
                .any(|known| known.split(" # ").next() == Some(&id))
        {
            return None;
        }
        let summary = &reading.summary;
        let parser = summary.parser.as_ref().map_or("none", |id| &id.name);
        let way = summary.envelopes.join(" → ");
        Some(format!("{id} | {way} → {parser} | {difference}",))
    })
    .collect()
}

#[test]
fn envelopes_change_no_observation() {
    check(&Sample::all(), |sample, _| {
        let mut variants = envelopes::wrapped(&sample.lines());
        variants.retain(|variant| envelopes::OF_EACH_KIND.contains(&variant.name.as_str()));
        variants
    });
}

/// The matrix of common formats by all envelopes: every other pair, because a detection
/// takes a tenth of a second here; all pairs with `METAMORPHIC_FULL`.
#[test]
fn envelopes_do_not_change_how_a_format_is_detected() {
    let samples = Sample::common();
    let is_full = std::env::var_os("METAMORPHIC_FULL").is_some();
    check(&samples, |sample, _| {
        let turn = sample.turn(&samples);
        let variants = envelopes::wrapped(&sample.lines()).into_iter().enumerate();
        let variants = variants.filter(|(number, _)| is_full || (number + turn) % 2 == 0);
        variants.map(|(_, variant)| variant).collect()
    });
}

/// Each envelope as a document and in another envelope, in turn with one of the samples: all
/// combinations take minutes.
#[test]
fn documents_and_nested_envelopes_change_no_observation() {
    let samples = Sample::common();
    check(&samples, |sample, _| {
        let turn = sample.turn(&samples);
        let lines = sample.lines();
        let documents = envelopes::in_documents(&lines, turn);
        let variants = documents.into_iter().chain(envelopes::nested(&lines, turn));
        let numbered = variants.enumerate();
        numbered
            .filter(|(number, _)| number % samples.len() == turn)
            .map(|(_, variant)| variant)
            .collect()
    });
}

#[test]
fn syslog_headers_change_no_observation() {
    check(&Sample::all(), |sample, _| {
        edits::with_headers(&sample.lines())
    });
}

#[test]
fn line_ends_and_other_lines_change_no_observation() {
    check(&Sample::all(), |sample, seen| {
        edits::of_file(&sample.text, &sample.lines(), seen)
    });
}

#[test]
fn unknown_fields_and_their_order_change_no_observation() {
    check(&Sample::all(), |sample, seen| {
        edits::of_lines(&sample.lines(), seen)
    });
}

#[test]
fn hostile_rows_change_no_other_row() {
    check(&Sample::all(), |sample, seen| {
        edits::hostile(&sample.lines(), seen)
    });
}
