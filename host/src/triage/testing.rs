//! What the tests of this module share.

use super::judge::{Judge, PolicyFailure};
use crate::indicator::{Indicator, Kind};
use crate::observation::LogPosition;
use crate::plugin::{Judgement, Screening};
use crate::sightings::Sightings;
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Report;

/// Looks up everything; a report is bad if an engine calls it malicious.
pub(super) struct MaliciousCount;

impl Judge for MaliciousCount {
    fn screen(&mut self, _sightings: &Sightings) -> Result<Screening, PolicyFailure> {
        Ok(Screening::Ask { priority: 0 })
    }

    fn judge(
        &mut self,
        _sightings: &Sightings,
        _subject: &Indicator,
        _scope: Scope,
        report: &Report,
    ) -> Result<Judgement, PolicyFailure> {
        let is_bad = report.stats.is_some_and(|stats| stats.malicious > 0);
        Ok(Judgement {
            verdict: if is_bad { Verdict::Bad } else { Verdict::Good },
            reason: String::new(),
            tags: Vec::new(),
            score: None,
            settles: None,
        })
    }
}

/// One allowed contact of a URL, an address or a domain, on this line.
pub(super) fn sightings(value: &str, line: u64) -> Sightings {
    let kind = if value.contains('/') {
        Kind::Url
    } else {
        value
            .parse::<std::net::IpAddr>()
            .map_or(Kind::Domain, |_| Kind::Ip)
    };
    Sightings {
        indicator: Indicator::parse(kind, value.as_bytes()).unwrap(),
        written: None,
        count: 1,
        allowed: 1,
        blocked: 0,
        first_us: None,
        last_us: None,
        clients: Vec::new(),
        first_seen: LogPosition::new(0, line),
    }
}
