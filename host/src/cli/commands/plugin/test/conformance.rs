//! What every plugin must bear, whatever it is for.

use super::Check;
use crate::cli::commands::plugin::trial::{self, Parsed, Seen};
use crate::extraction::DEFAULT_CHUNK_BYTES;
use crate::plugin::{Parser, ParserSession, Policy, Reading};
use crate::virustotal::report::Report;

/// Checks of a parser, on inputs made of its own examples and of nothing good.
pub(super) fn of_parser(parser: &Parser) -> Vec<Check> {
    let examples: Vec<&str> = parser
        .description()
        .formats
        .iter()
        .map(|format| format.example.as_str())
        .collect();
    let log = format!("{}\n", examples.join("\n")).repeat(50).into_bytes();
    let mut checks = vec![
        Check::of("it says what it is", Ok(())),
        Check::of("it recognises its examples", recognises(parser, &examples)),
        Check::of("it reads its examples", reads(parser, &examples)),
    ];
    for (name, bytes) in nuisances(&log) {
        let result = bears(parser, &bytes);
        checks.push(Check::of(format!("it bears {name}"), result));
    }
    checks.push(Check::of(
        "the same input gives the same",
        repeatable(parser, &log),
    ));
    checks.push(Check::of(
        "chunks may end anywhere",
        in_chunks(parser, &log),
    ));
    checks
}

fn parse(parser: &Parser, bytes: &[u8], chunk_bytes: usize) -> Result<Parsed, String> {
    let info = trial::input("some.log", bytes, 0);
    trial::parse(parser, &info, bytes, chunk_bytes).map_err(|stop| stop.to_string())
}

fn recognises(parser: &Parser, examples: &[&str]) -> Result<(), String> {
    for example in examples {
        let info = trial::input("some.log", example.as_bytes(), 0);
        if parser.detect(&info).map_err(|stop| stop.to_string())? == 0 {
            return Err(format!("it is not sure at all of: {example}"));
        }
    }
    Ok(())
}

fn reads(parser: &Parser, examples: &[&str]) -> Result<(), String> {
    for example in examples {
        let line = format!("{example}\n");
        let parsed = parse(parser, line.as_bytes(), DEFAULT_CHUNK_BYTES)?;
        if let Some(reason) = parsed.counts.rejected.keys().next() {
            return Err(format!("it rejects ({reason}): {example}"));
        }
    }
    Ok(())
}

/// A refusal in words is an answer; all else that is no batch is not.
fn bears(parser: &Parser, bytes: &[u8]) -> Result<(), String> {
    let info = trial::input("some.log", bytes, 0);
    match trial::parse(parser, &info, bytes, DEFAULT_CHUNK_BYTES) {
        Err(stop) if !stop.is_refusal() => Err(stop.to_string()),
        _ => Ok(()),
    }
}

/// Inputs that no format is made of.
fn nuisances(log: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut damaged = log.to_vec();
    for (place, byte) in damaged.iter_mut().enumerate() {
        if place % 7 == 3 {
            *byte = noise(place);
        }
    }
    vec![
        ("nothing", Vec::new()),
        ("empty lines", b"\n\r\n\n".to_vec()),
        ("NUL bytes", vec![0; 4096]),
        ("noise", (0..200_000).map(noise).collect()),
        ("a line of a megabyte", vec![b'a'; 1 << 20]),
        ("a megabyte of quotes and commas", b"\",".repeat(1 << 19)),
        ("its examples damaged", damaged),
        ("its examples cut off", log[..log.len() * 2 / 3].to_vec()),
        ("many lines", log.repeat(20)),
    ]
}

/// Bytes of all kinds, the same in every run.
fn noise(place: usize) -> u8 {
    let mixed = (place as u32).wrapping_mul(0x9e37_79b9).rotate_left(13);
    (mixed.wrapping_mul(0x85eb_ca6b) >> 24) as u8
}

fn repeatable(parser: &Parser, log: &[u8]) -> Result<(), String> {
    let first = parse(parser, log, DEFAULT_CHUNK_BYTES)?;
    if parse(parser, log, DEFAULT_CHUNK_BYTES)? == first {
        return Ok(());
    }
    Err("two runs over the same bytes differ".to_owned())
}

fn in_chunks(parser: &Parser, log: &[u8]) -> Result<(), String> {
    let whole = parse(parser, log, DEFAULT_CHUNK_BYTES)?;
    for chunk_bytes in [1, 100, 1_000] {
        let parts = parse(parser, log, chunk_bytes)?;
        if (&parts.rows, &parts.counts) != (&whole.rows, &whole.counts) {
            let reading = parser
                .open(&trial::input("some.log", log, 0))
                .as_ref()
                .map_or(Reading::OrderedLines, ParserSession::reading);
            return Err(format!(
                "chunks of about {chunk_bytes} bytes give something else than the whole; it says {reading:?}"
            ));
        }
    }
    Ok(())
}

/// Checks of a policy, on reports from nothing to everything.
pub(super) fn of_policy(policy: &Policy) -> Vec<Check> {
    let mut checks = vec![Check::of("it says what it is", Ok(()))];
    let reports = [
        ("an empty report", "{}"),
        (
            "no engine at all",
            r#"{"last_analysis_stats":{"harmless":0}}"#,
        ),
        (
            "all engines for it",
            r#"{"last_analysis_stats":{"harmless":90}}"#,
        ),
        (
            "all engines against it",
            r#"{"last_analysis_stats":{"malicious":90}}"#,
        ),
        (
            "numbers beyond all bounds",
            r#"{"last_analysis_stats":{"malicious":4294967295,"suspicious":4294967295,"harmless":4294967295},"reputation":-2147483648,"last_analysis_date":9223372036854775807,"creation_date":-9223372036854775808}"#,
        ),
        ("a report of every part", include_str!("../report.json")),
    ];
    for (name, json) in reports {
        checks.push(Check::of(format!("it bears {name}"), judges(policy, json)));
    }
    checks
}

fn judges(policy: &Policy, json: &str) -> Result<(), String> {
    let report = Report::from_attributes(json);
    for indicator in [
        "example.com",
        "http://example.com/a?b=c",
        "192.0.2.1",
        "2001:db8::1",
    ] {
        let words = |error: anyhow::Error| format!("{error:#}");
        let sightings = Seen::default().sightings(indicator).map_err(words)?;
        let judge = |now_s| {
            trial::judge(policy, &sightings, &report, now_s)
                .map_err(|stop| format!("{indicator}: {stop}"))
        };
        for now_s in [0, 1_735_689_600, i64::MAX] {
            if judge(now_s)? != judge(now_s)? {
                return Err(format!("{indicator}: the same question has two answers"));
            }
        }
    }
    Ok(())
}
