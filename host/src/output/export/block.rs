//! What a block list blocks: exactly what is bad.
//!
//! A host is blocked if its own report is bad. A URL whose own report is bad, on a host
//! without one is blocked as a URL: the host may serve many good pages. Names under a bad name
//! are not blocked with it. So no list has an entry that covers another one.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::indicator::{Indicator, Kind};
use crate::triage::Finding;
use crate::verdict::{Scope, Verdict};

/// An entry of a block list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BlockEntry {
    /// A domain name: labels of letters, digits, `-` and `_`, in lower case, without final dot.
    Name(String),
    /// An address.
    Address(IpAddr),
    /// A URL in canonical form.
    Url(String),
}

/// The entries for these findings, without repetition, in a fixed order.
pub(super) fn entries(findings: &[Finding]) -> BTreeSet<BlockEntry> {
    let hosts: HashMap<&Indicator, Verdict> = findings
        .iter()
        .filter(|finding| finding.sightings.indicator.kind() != Kind::Url)
        .map(|finding| (&finding.sightings.indicator, finding.verdict))
        .collect();
    let bad = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Bad);
    let blocked: BTreeSet<Indicator> = bad.map(|finding| blocked(finding, &hosts)).collect();
    let is_covered = |indicator: &&Indicator| {
        indicator.kind() == Kind::Url && blocked.contains(&indicator.host())
    };
    let needed = blocked.iter().filter(|indicator| !is_covered(indicator));
    needed.map(entry).collect()
}

/// What a bad finding blocks: its host, if the host is bad, else the indicator.
fn blocked(finding: &Finding, hosts: &HashMap<&Indicator, Verdict>) -> Indicator {
    let indicator = &finding.sightings.indicator;
    let evidence = finding.evidence.as_ref();
    let host = indicator.host();
    let is_by_host = evidence.is_some_and(|evidence| evidence.scope == Scope::Host);
    let is_not_bad = |verdict: &Verdict| *verdict != Verdict::Bad;
    if is_by_host && !hosts.get(&host).is_some_and(is_not_bad) {
        return host;
    }
    indicator.clone()
}

fn entry(indicator: &Indicator) -> BlockEntry {
    let value = indicator.value().to_owned();
    match (indicator.kind(), value.parse()) {
        (Kind::Url, _) => BlockEntry::Url(value),
        (_, Ok(address)) => BlockEntry::Address(address),
        _ => BlockEntry::Name(value),
    }
}
