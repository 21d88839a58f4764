//! Checks that every plugin must pass.

use super::Check;
use crate::cli::commands::plugin::trial::{self, CaseSightings, Parsed};
use crate::extraction::DEFAULT_CHUNK_BYTES;
use crate::plugin::{Parser, ParserSession, Policy, Reading};
use crate::virustotal::report::Report;

/// Checks a parser with its own examples and with malformed inputs.
pub(super) fn of_parser(parser: &Parser) -> Vec<Check> {
    let examples: Vec<&str> = parser
        .description()
        .formats
        .iter()
        .map(|format| format.example.as_str())
        .collect();
    let log = format!("{}\n", examples.join("\n")).repeat(50).into_bytes();
    let mut checks = vec![
        Check::of("describes itself", Ok(())),
        Check::of("detects its examples", detects(parser, &examples)),
        Check::of("parses its examples", parses(parser, &examples)),
    ];
    for (name, bytes) in malformed_inputs(&log) {
        let result = handles(parser, &bytes);
        checks.push(Check::of(format!("handles {name}"), result));
    }
    checks.push(Check::of(
        "gives reasons without values of the log",
        reasons(parser, &examples),
    ));
    checks.push(Check::of(
        "returns equal results for equal inputs",
        repeatable(parser, &log),
    ));
    checks.push(Check::of(
        "does not depend on chunk boundaries",
        in_chunks(parser, &log),
    ));
    checks
}

fn parse(parser: &Parser, bytes: &[u8], chunk_bytes: usize) -> Result<Parsed, String> {
    let info = trial::input("some.log", bytes, 0);
    trial::parse(parser, &info, bytes, chunk_bytes).map_err(|stop| stop.to_string())
}

fn detects(parser: &Parser, examples: &[&str]) -> Result<(), String> {
    for example in examples {
        let info = trial::input("some.log", example.as_bytes(), 0);
        if parser.detect(&info).map_err(|stop| stop.to_string())? == 0 {
            return Err(format!("confidence 0 for the example: {example}"));
        }
    }
    Ok(())
}

fn parses(parser: &Parser, examples: &[&str]) -> Result<(), String> {
    for example in examples {
        let line = format!("{example}\n");
        let parsed = parse(parser, line.as_bytes(), DEFAULT_CHUNK_BYTES)?;
        if let Some(reason) = parsed.counts.rejected.keys().next() {
            return Err(format!("rejected with the reason `{reason}`: {example}"));
        }
    }
    Ok(())
}

/// A parser may refuse an input with an error; any other failure is a fault.
fn handles(parser: &Parser, bytes: &[u8]) -> Result<(), String> {
    let info = trial::input("some.log", bytes, 0);
    match trial::parse(parser, &info, bytes, DEFAULT_CHUNK_BYTES) {
        Err(stop) if !stop.is_refusal() => Err(stop.to_string()),
        _ => Ok(()),
    }
}

/// A reason is counted over all inputs, so it is the same for all lines of a kind: it contains
/// no value of the log. A marker replaces each field of the examples in turn.
fn reasons(parser: &Parser, examples: &[&str]) -> Result<(), String> {
    const MARKER: &str = "zq7marker7qz";
    let is_separator = |c: char| c.is_whitespace() || ",;|=\"".contains(c);
    let mut log = format!("{MARKER}\n");
    for example in examples {
        for field in example
            .split(is_separator)
            .filter(|field| !field.is_empty())
        {
            log.push_str(&example.replacen(field, MARKER, 1));
            log.push('\n');
        }
    }
    let info = trial::input("some.log", log.as_bytes(), 0);
    let counts = match trial::parse(parser, &info, log.as_bytes(), DEFAULT_CHUNK_BYTES) {
        Ok(parsed) => parsed.counts,
        Err(stop) if stop.is_refusal() => return Ok(()),
        Err(stop) => return Err(stop.to_string()),
    };
    for reason in counts.ignored.keys().chain(counts.rejected.keys()) {
        if reason.trim().is_empty() {
            return Err("a line is ignored or rejected with an empty reason".to_owned());
        }
        if reason.to_lowercase().contains(MARKER) {
            return Err(format!("the reason `{reason}` contains a value of the log"));
        }
    }
    Ok(())
}

fn malformed_inputs(log: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut damaged = log.to_vec();
    for (place, byte) in damaged.iter_mut().enumerate() {
        if place % 7 == 3 {
            *byte = noise(place);
        }
    }
    vec![
        ("an empty input", Vec::new()),
        ("empty lines", b"\n\r\n\n".to_vec()),
        ("NUL bytes", vec![0; 4096]),
        ("random bytes", (0..200_000).map(noise).collect()),
        ("a line of 1 MiB", vec![b'a'; 1 << 20]),
        ("1 MiB of quotes and commas", b"\",".repeat(1 << 19)),
        ("damaged examples", damaged),
        ("truncated examples", log[..log.len() * 2 / 3].to_vec()),
        ("many lines", log.repeat(20)),
    ]
}

/// A pseudo-random byte for this position.
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
                "chunks of about {chunk_bytes} bytes give other results than the whole input; the parser's reading is {reading:?}"
            ));
        }
    }
    Ok(())
}

/// Checks a policy with reports from an empty to a complete one.
pub(super) fn of_policy(policy: &Policy) -> Vec<Check> {
    let mut checks = vec![Check::of("describes itself", Ok(()))];
    let reports = [
        ("an empty report", "{}"),
        (
            "a report without opinions",
            r#"{"last_analysis_stats":{"harmless":0}}"#,
        ),
        (
            "a report with only harmless opinions",
            r#"{"last_analysis_stats":{"harmless":90}}"#,
        ),
        (
            "a report with only malicious opinions",
            r#"{"last_analysis_stats":{"malicious":90}}"#,
        ),
        (
            "a report with extreme numbers",
            r#"{"last_analysis_stats":{"malicious":4294967295,"suspicious":4294967295,"harmless":4294967295},"reputation":-2147483648,"last_analysis_date":9223372036854775807,"creation_date":-9223372036854775808}"#,
        ),
        ("a complete report", trial::SAMPLE_REPORT),
    ];
    for (name, json) in reports {
        checks.push(Check::of(format!("handles {name}"), judges(policy, json)));
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
        let sightings = CaseSightings::default()
            .sightings(indicator, 0)
            .map_err(|error| format!("{error:#}"))?;
        let judge = |now_s| {
            trial::judge(policy, &sightings, &report, now_s)
                .map_err(|stop| format!("{indicator}: {stop}"))
        };
        for now_s in [0, 1_735_689_600, i64::MAX] {
            if judge(now_s)? != judge(now_s)? {
                return Err(format!(
                    "{indicator}: two calls with equal arguments returned different judgements"
                ));
            }
        }
    }
    Ok(())
}
