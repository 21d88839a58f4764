//! A MISP event: an attribute for each bad indicator.

use serde_json::{Value, json};

use super::{
    Exported, LeftOut, bad, contact_span_us, known_us, pretty, stable_id, virustotal_page,
    with_milliseconds,
};
use crate::indicator::Kind;
use crate::triage::Finding;

/// The octets of MISP's column for values, `TEXT` of MySQL. MISP would cut a longer one.
const MAX_VALUE_BYTES: usize = 65_535;

const TOO_LONG: &str = "longer than a value of MISP may be";

/// An unpublished event of the bad findings, visible to the own organisation only. It has no
/// clients, so that it can be shared.
pub(super) fn event(findings: &[Finding]) -> Exported {
    let (fits, too_long): (Vec<&Finding>, Vec<&Finding>) = bad(findings)
        .into_iter()
        .partition(|finding| finding.sightings.indicator.value().len() <= MAX_VALUE_BYTES);
    let attributes: Vec<Value> = fits.iter().map(|finding| attribute(finding)).collect();
    let known_us = fits.iter().map(|finding| known_us(finding)).max();
    let known_us = known_us.unwrap_or(0);
    let day = with_milliseconds(known_us).unwrap_or_default();
    let uuids: Vec<&str> = attributes
        .iter()
        .filter_map(|attribute| attribute["uuid"].as_str())
        .collect();
    let event = json!({ "Event": {
        "uuid": stable_id(&format!("misp event {}", uuids.join(" "))).to_string(),
        "info": "Bad indicators in logs, by vthost",
        "date": day.split('T').next(),
        "timestamp": (known_us / 1_000_000).to_string(),
        "threat_level_id": "4",
        "analysis": "0",
        "distribution": "0",
        "published": false,
        "Attribute": attributes,
    }});
    let left_out = too_long
        .iter()
        .map(|finding| LeftOut::new(finding.sightings.indicator.value(), TOO_LONG));
    Exported {
        bytes: pretty(&event),
        left_out: left_out.collect(),
    }
}

fn attribute(finding: &Finding) -> Value {
    let indicator = &finding.sightings.indicator;
    let kind = match indicator.kind() {
        Kind::Url => "url",
        Kind::Domain => "domain",
        Kind::Ip => "ip-dst",
    };
    let name = format!("misp attribute {kind} {}", indicator.value());
    let page = virustotal_page(finding);
    let comment: Vec<&str> = [finding.reason.as_str(), page.as_deref().unwrap_or_default()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    let mut attribute = json!({
        "uuid": stable_id(&name).to_string(),
        "type": kind,
        "category": "Network activity",
        "value": indicator.value(),
        "to_ids": true,
        "disable_correlation": false,
        "distribution": "5",
        "timestamp": (known_us(finding) / 1_000_000).to_string(),
        "comment": comment.join("; "),
    });
    if let Some((first, last)) = contact_span_us(finding) {
        attribute["first_seen"] = json!(with_milliseconds(first));
        attribute["last_seen"] = json!(with_milliseconds(last));
    }
    attribute
}
