//! OCSF 1.3.0 detection findings (class 2004), one in each line.

use serde_json::{Value, json};

use super::{Exported, bad, contact_span_us, known_us, stable_id, virustotal_page};
use crate::indicator::Kind;
use crate::output::rows::push;
use crate::triage::Finding;

/// A finding for each bad indicator.
pub(super) fn findings(findings: &[Finding]) -> Exported {
    let mut exported = Exported::default();
    for finding in bad(findings) {
        push(&mut exported.bytes, &detection(finding));
    }
    exported
}

/// The characters of OCSF's type `string_t`.
const MAX_TEXT_CHARS: usize = 65_535;

/// A text of at most [`MAX_TEXT_CHARS`]; a longer one is cut and ends with `…`. The URL of the
/// evidence is whole.
fn capped(text: &str) -> String {
    if text.chars().count() <= MAX_TEXT_CHARS {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(MAX_TEXT_CHARS - 1).collect();
    beginning + "…"
}

fn detection(finding: &Finding) -> Value {
    let seen = &finding.sightings;
    let known_ms = known_us(finding) / 1000;
    let mut detection = json!({
        "category_uid": 2,
        "class_uid": 2004,
        "activity_id": 1,
        "type_uid": 200_401,
        "severity_id": severity(finding),
        "status_id": 1,
        "time": known_ms,
        "message": capped(&format!("{} was contacted and is bad: {}", seen.indicator, finding.reason)),
        "metadata": {
            "version": "1.3.0",
            "product": {
                "name": "vthost",
                "vendor_name": "vthost",
                "version": env!("CARGO_PKG_VERSION"),
            },
        },
        "finding_info": information(finding, known_ms),
        "observables": observables(finding),
        "evidences": evidences(finding),
    });
    if seen.count > 0 {
        detection["count"] = json!(seen.count);
    }
    if let Some(score) = finding.score {
        detection["risk_score"] = json!(score);
    }
    if let Some((first, last)) = contact_span_us(finding) {
        detection["start_time"] = json!(first / 1000);
        detection["end_time"] = json!(last / 1000);
    }
    detection
}

/// High, or medium if every contact was stopped.
fn severity(finding: &Finding) -> u8 {
    if finding.sightings.was_only_stopped() {
        3
    } else {
        4
    }
}

fn information(finding: &Finding, known_ms: i64) -> Value {
    let indicator = &finding.sightings.indicator;
    let uid = stable_id(&format!("ocsf {} {indicator}", indicator.kind()));
    let mut information = json!({
        "uid": uid.to_string(),
        "title": format!("Contact with a bad {}", noun(indicator.kind())),
        "desc": capped(&finding.reason),
        "created_time": known_ms,
    });
    if !finding.tags.is_empty() {
        let tags: Vec<String> = finding.tags.iter().map(|tag| capped(tag)).collect();
        information["types"] = json!(tags);
    }
    if let Some((first, last)) = contact_span_us(finding) {
        information["first_seen_time"] = json!(first / 1000);
        information["last_seen_time"] = json!(last / 1000);
    }
    if let Some(page) = virustotal_page(finding) {
        information["src_url"] = json!(page);
    }
    information
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Url => "URL",
        Kind::Domain => "domain",
        Kind::Ip => "address",
    }
}

/// The types are those of OCSF's dictionary: 1 a host name, 2 an address, 6 a URL.
fn observables(finding: &Finding) -> Value {
    let indicator = &finding.sightings.indicator;
    let (name, type_id) = match indicator.kind() {
        Kind::Url => ("evidences[].url.url_string", 6),
        Kind::Domain => ("evidences[].dst_endpoint.hostname", 1),
        Kind::Ip => ("evidences[].dst_endpoint.ip", 2),
    };
    json!([{ "name": name, "type_id": type_id, "value": capped(indicator.value()) }])
}

/// One for each client; one without a client if none is known.
fn evidences(finding: &Finding) -> Vec<Value> {
    let clients = finding.sightings.clients.iter();
    let mut evidences: Vec<Value> = clients
        .map(|client| evidence(finding, Some(client)))
        .collect();
    if evidences.is_empty() {
        evidences.push(evidence(finding, None));
    }
    evidences
}

fn evidence(finding: &Finding, client: Option<&String>) -> Value {
    let indicator = &finding.sightings.indicator;
    let host = indicator.host();
    let mut evidence = json!({ "dst_endpoint": endpoint(host.value()) });
    if indicator.kind() == Kind::Url {
        evidence["url"] = json!({ "url_string": indicator.value() });
    }
    if let Some(client) = client {
        evidence["src_endpoint"] = endpoint(client);
    }
    evidence
}

/// An endpoint by its address, or by its name. A client's name is what the log has. OCSF's host
/// names have no `_`, which names in the DNS may have.
fn endpoint(host: &str) -> Value {
    match host.parse::<std::net::IpAddr>() {
        Ok(address) => json!({ "ip": address.to_string() }),
        Err(_) if is_host_name(host) => json!({ "hostname": host }),
        Err(_) => json!({ "name": host }),
    }
}

/// Whether OCSF's type `hostname_t` has this name.
fn is_host_name(name: &str) -> bool {
    name.split('.').all(|label| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty()
            && label.chars().all(is_plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}
