//! A STIX 2.1 bundle: indicators, the observables that they match, and sightings.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Exported, bad, contact_span_us, known_us, pretty, stable_id, virustotal_page, with_milliseconds,
};
use crate::indicator::Kind;
use crate::triage::Finding;

/// The namespace of observables' identifiers (STIX 2.1, section 2.9).
const OBSERVABLES: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);

/// The largest count of observed data and sightings (STIX 2.1, sections 4.14 and 5.2).
const MAX_COUNT: u64 = 999_999_999;

/// The creation of the identity, which never changes.
const IDENTITY_CREATED: &str = "2024-01-01T00:00:00.000Z";

/// A bundle of the bad findings. It has no clients, so that it can be shared.
pub(super) fn bundle(findings: &[Finding]) -> Exported {
    let identity = identity();
    let author = text(&identity["id"]);
    let mut objects = vec![identity];
    for finding in bad(findings) {
        objects.extend(objects_of(finding, &author));
    }
    let ids: Vec<String> = objects.iter().map(|object| text(&object["id"])).collect();
    let modified = objects.iter().map(|object| text(&object["modified"]));
    let content = ids.join(" ") + &modified.collect::<Vec<_>>().join(" ");
    let bundle = json!({
        "type": "bundle",
        "id": format!("bundle--{}", stable_id(&content)),
        "objects": objects,
    });
    Exported {
        bytes: pretty(&bundle),
        left_out: Vec::new(),
    }
}

fn identity() -> Value {
    json!({
        "type": "identity",
        "spec_version": "2.1",
        "id": format!("identity--{}", stable_id("stix identity")),
        "created": IDENTITY_CREATED,
        "modified": IDENTITY_CREATED,
        "name": "vthost",
        "description": "Indicators from logs that a policy calls bad by VirusTotal's reports.",
        "identity_class": "system",
    })
}

/// The observable, the indicator, and if times are known the observed data, its relationship and
/// the sighting.
fn objects_of(finding: &Finding, author: &str) -> Vec<Value> {
    let observable = observable(finding);
    let indicator = indicator(finding, author);
    let count = finding.sightings.count.clamp(1, MAX_COUNT);
    let span = contact_span_us(finding)
        .and_then(|(first, last)| Some((with_milliseconds(first)?, with_milliseconds(last)?)));
    let mut following = Vec::new();
    if let Some((first, last)) = span {
        let mut sighting = common("sighting", finding, author);
        sighting["first_seen"] = json!(first);
        sighting["last_seen"] = json!(last);
        sighting["count"] = json!(count);
        sighting["sighting_of_ref"] = indicator["id"].clone();
        sighting["where_sighted_refs"] = json!([author]);
        if let Some(observable) = &observable {
            let mut observed = common("observed-data", finding, author);
            observed["first_observed"] = json!(first);
            observed["last_observed"] = json!(last);
            observed["number_observed"] = json!(count);
            observed["object_refs"] = json!([observable["id"]]);
            let mut relationship = common("relationship", finding, author);
            relationship["relationship_type"] = json!("based-on");
            relationship["source_ref"] = indicator["id"].clone();
            relationship["target_ref"] = observed["id"].clone();
            sighting["observed_data_refs"] = json!([observed["id"]]);
            following.extend([observed, relationship]);
        }
        following.push(sighting);
    }
    observable
        .into_iter()
        .chain([indicator])
        .chain(following)
        .collect()
}

/// The properties of every object but observables. The identifier follows from the type and the
/// indicator, so that a later export updates the objects of an earlier one.
fn common(kind: &str, finding: &Finding, author: &str) -> Value {
    let known = with_milliseconds(known_us(finding));
    let pattern = pattern(finding);
    json!({
        "type": kind,
        "spec_version": "2.1",
        "id": format!("{kind}--{}", stable_id(&format!("stix {kind} {pattern}"))),
        "created_by_ref": author,
        "created": known,
        "modified": known,
    })
}

/// The observable. None for a name with `_`, which STIX's domain names (RFC 5890) do not have.
fn observable(finding: &Finding) -> Option<Value> {
    let value = uri(finding.sightings.indicator.value());
    let kind = observable_type(finding);
    if kind == "domain-name" && value.contains('_') {
        return None;
    }
    // The properties that count, as RFC 8785 serialises them. serde_json escapes strings alike.
    let name = json!({ "value": value }).to_string();
    Some(json!({
        "type": kind,
        "spec_version": "2.1",
        "id": format!("{kind}--{}", Uuid::new_v5(&OBSERVABLES, name.as_bytes())),
        "value": value,
    }))
}

/// A URL as RFC 3986 wants it: canonical URLs have characters that browsers send as they are, and
/// that it does not permit.
fn uri(value: &str) -> String {
    let mut uri = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
                uri.push_str(&format!("%{:02X}", u32::from(character)));
            }
            _ => uri.push(character),
        }
    }
    uri
}

fn observable_type(finding: &Finding) -> &'static str {
    let indicator = &finding.sightings.indicator;
    match indicator.kind() {
        Kind::Url => "url",
        Kind::Domain => "domain-name",
        Kind::Ip if indicator.value().contains(':') => "ipv6-addr",
        Kind::Ip => "ipv4-addr",
    }
}

/// The pattern that matches the indicator in its canonical form.
fn pattern(finding: &Finding) -> String {
    let value = finding.sightings.indicator.value();
    let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
    format!("[{}:value = '{quoted}']", observable_type(finding))
}

fn indicator(finding: &Finding, author: &str) -> Value {
    let value = finding.sightings.indicator.value();
    let mut indicator = common("indicator", finding, author);
    indicator["name"] = json!(value);
    indicator["description"] = json!(finding.reason);
    indicator["indicator_types"] = json!(["malicious-activity"]);
    indicator["pattern"] = json!(pattern(finding));
    indicator["pattern_type"] = json!("stix");
    indicator["pattern_version"] = json!("2.1");
    indicator["valid_from"] = indicator["created"].clone();
    if finding.reason.is_empty() {
        indicator["description"] = json!("bad by the policy");
    }
    if let Some(page) = virustotal_page(finding) {
        // A reference by `url` is to have the hash of what is there.
        let reference = json!({ "source_name": "VirusTotal", "description": page });
        indicator["external_references"] = json!([reference]);
    }
    indicator
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
