//! For a plugin's own tests: run it natively, with plain values.

#[cfg(not(target_arch = "wasm32"))]
mod contract;

#[cfg(not(target_arch = "wasm32"))]
pub use contract::{keeps_contract, samples, samples_keep_contract};

use crate::bindings::parser::exports::vthost::parser::parsing as wit;
use crate::parser::{self, Action, Input, LineParser};
use crate::policy::{Indicator, IndicatorKind, Opinion, Policy, Report, Scope, Sightings, Stats};

/// What a parser made of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// In the order of the lines.
    pub observations: Vec<Observed>,
    /// Lines that gave at least one.
    pub records: u32,
    /// Reasons and how many lines each.
    pub ignored: Vec<(String, u32)>,
    /// Reasons and how many lines each.
    pub rejected: Vec<(String, u32)>,
}

/// An observation as plain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The line, from 1.
    pub line: u32,
    /// `url`, `domain` or `ip`.
    pub kind: &'static str,
    /// As the parser gave it.
    pub value: String,
    /// Empty without one.
    pub client: String,
    /// Empty without one.
    pub user: String,
    /// Microseconds since 1970.
    pub time_us: Option<i64>,
    /// What the device did.
    pub action: Action,
}

/// Parses bytes as one chunk.
///
/// # Errors
///
/// The error of the parser about the settings or the input.
pub fn parse<P: LineParser>(bytes: &[u8], settings_json: &str) -> Result<Parsed, String> {
    let mut parser: P = parser::open(&input(bytes), settings_json)?;
    let batch = parser::parse(&mut parser, bytes);
    let slice = |span: wit::Span| {
        let start = span.start as usize;
        let (from, start) = match start.checked_sub(bytes.len()) {
            Some(start) => (batch.text.as_slice(), start),
            None => (bytes, start),
        };
        String::from_utf8_lossy(&from[start..start + span.len as usize]).into_owned()
    };
    let observed = |observation: &wit::Observation| Observed {
        line: observation.line + 1,
        kind: match observation.kind {
            wit::IndicatorKind::Url => "url",
            wit::IndicatorKind::Domain => "domain",
            wit::IndicatorKind::Ip => "ip",
        },
        value: slice(observation.value),
        client: slice(observation.client),
        user: slice(observation.user),
        time_us: Some(observation.time_us).filter(|time| *time != i64::MIN),
        action: observation.action,
    };
    let counted = |tallies: &[parser::Tally]| {
        let counts = tallies
            .iter()
            .map(|tally| (tally.reason.to_owned(), tally.count));
        counts.collect()
    };
    Ok(Parsed {
        observations: batch.observations.iter().map(observed).collect(),
        records: batch.records,
        ignored: counted(&batch.ignored),
        rejected: counted(&batch.rejected),
    })
}

/// How sure a parser is that these bytes are its format.
#[must_use]
pub fn detect<P: LineParser>(bytes: &[u8]) -> u8 {
    P::detect(&input(bytes))
}

/// A policy under these settings.
///
/// # Errors
///
/// The error of the policy about the settings.
pub fn policy<P: Policy>(settings_json: &str) -> Result<P, String> {
    crate::policy::open(settings_json)
}

/// One sighting of a domain, by one client.
#[must_use]
pub fn sightings(domain: &str) -> Sightings {
    Sightings {
        indicator: domain_indicator(domain),
        count: 1,
        allowed: 1,
        blocked: 0,
        first: None,
        last: None,
        clients: 1,
    }
}

/// A report on a domain: engines' names, opinions in VirusTotal's words, and
/// labels; an engine with an empty label has none.
#[must_use]
pub fn report(domain: &str, engines: &[(&str, &str, &str)]) -> Report {
    let count = |category: &str| {
        let engines = engines.iter().filter(|(_, said, _)| *said == category);
        engines.count() as u32
    };
    Report {
        subject: domain_indicator(domain),
        scope: Scope::Exact,
        stats: Stats {
            harmless: count("harmless"),
            malicious: count("malicious"),
            suspicious: count("suspicious"),
            undetected: count("undetected"),
            timeout: count("timeout"),
        },
        engines: lines(engines),
        reputation: None,
        votes_harmless: None,
        votes_malicious: None,
        categories: Vec::new(),
        tags: Vec::new(),
        threat_names: Vec::new(),
        last_analysis: None,
        first_submission: None,
        last_submission: None,
        times_submitted: None,
        creation: None,
        registrar: None,
        popularity: Vec::new(),
        owner: None,
        asn: None,
        country: None,
        network: None,
        attributes_json: "{}".to_owned(),
    }
}

/// Engines in the order and the form in which the host gives them.
fn lines(engines: &[(&str, &str, &str)]) -> String {
    let mut engines = engines.to_vec();
    engines.sort_by_key(|(name, opinion, _)| (rank(Opinion::named(opinion)), *name));
    let lines = engines
        .iter()
        .map(|(name, opinion, label)| format!("{name}\t{opinion}\t{label}\n"));
    lines.collect()
}

fn rank(opinion: Opinion) -> u8 {
    match opinion {
        Opinion::Malicious => 0,
        Opinion::Suspicious => 1,
        _ => 2,
    }
}

fn domain_indicator(domain: &str) -> Indicator {
    Indicator {
        kind: IndicatorKind::Domain,
        value: domain.to_owned(),
        host: domain.to_owned(),
    }
}

/// An input that begins with these bytes, in UTC, with the reference time 1970.
#[must_use]
pub fn input(bytes: &[u8]) -> Input {
    Input {
        name: "test.log".to_owned(),
        head: bytes[..bytes.len().min(64 << 10)].to_vec(),
        utc_offset_minutes: 0,
        reference_time_us: 0,
    }
}
