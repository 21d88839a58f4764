//! The JSON that VirusTotal answers with.

use serde_json::{Map, Value, json};

use crate::knowledge::{Known, Stats};

const SITE: &str = "https://www.virustotal.com/api/v3";

/// Engines' names, for as many as there are opinions; then numbered ones.
const ENGINES: [&str; 10] = [
    "BitDefender",
    "ESET",
    "Fortinet",
    "Google Safebrowsing",
    "Kaspersky",
    "Netcraft",
    "OpenPhish",
    "Sophos",
    "URLhaus",
    "Webroot",
];

pub(crate) fn url(id: &str, url: &str, known: &Known) -> Value {
    let mut attributes = common(known);
    let own = json!({
        "url": url,
        "last_final_url": url,
        "first_submission_date": known.analysed_s,
        "last_submission_date": known.analysed_s,
        "times_submitted": 1,
        "threat_names": [],
    });
    extend(&mut attributes, own);
    object("url", id, &format!("{SITE}/urls/{id}"), attributes)
}

pub(crate) fn domain(name: &str, known: &Known) -> Value {
    let mut attributes = common(known);
    let own = json!({"registrar": "Example Registrar", "popularity_ranks": {}});
    extend(&mut attributes, own);
    object(
        "domain",
        name,
        &format!("{SITE}/domains/{name}"),
        attributes,
    )
}

pub(crate) fn address(name: &str, known: &Known) -> Value {
    let mut attributes = common(known);
    let own = json!({"as_owner": "Example Network", "asn": 64_496, "country": "JP"});
    extend(&mut attributes, own);
    object(
        "ip_address",
        name,
        &format!("{SITE}/ip_addresses/{name}"),
        attributes,
    )
}

/// A submission's answer.
pub(crate) fn descriptor(analysis_id: &str) -> Value {
    json!({"data": {
        "type": "analysis",
        "id": analysis_id,
        "links": {"self": format!("{SITE}/analyses/{analysis_id}")},
    }})
}

/// The state of an analysis.
pub(crate) fn analysis(
    id: &str,
    status: &str,
    submitted_s: i64,
    stats: Stats,
    url: (&str, &str),
) -> Value {
    let (url_id, url) = url;
    json!({
        "meta": {"url_info": {"id": url_id, "url": url}},
        "data": {
            "type": "analysis",
            "id": id,
            "links": {
                "self": format!("{SITE}/analyses/{id}"),
                "item": format!("{SITE}/urls/{url_id}"),
            },
            "attributes": {
                "date": submitted_s,
                "status": status,
                "stats": stats_json(&stats),
                "results": results(&stats),
            },
        },
    })
}

pub(crate) fn overall_quotas(today: (usize, usize), month: (usize, usize)) -> Value {
    let quota = |(allowed, used)| json!({"user": {"allowed": allowed, "used": used}});
    json!({"data": {
        "api_requests_daily": quota(today),
        "api_requests_monthly": quota(month),
    }})
}

pub(crate) fn error(code: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message}})
}

fn object(kind: &str, id: &str, link: &str, attributes: Map<String, Value>) -> Value {
    json!({"data": {
        "type": kind,
        "id": id,
        "links": {"self": link},
        "attributes": attributes,
    }})
}

/// What all objects have.
fn common(known: &Known) -> Map<String, Value> {
    let mut attributes = Map::new();
    let always = json!({
        "reputation": 0,
        "total_votes": {"harmless": 0, "malicious": 0},
        "tags": [],
        "categories": {},
        "last_modification_date": known.analysed_s,
    });
    extend(&mut attributes, always);
    if let Some(stats) = &known.stats {
        let analysis = json!({
            "last_analysis_date": known.analysed_s,
            "last_analysis_stats": stats_json(stats),
            "last_analysis_results": results(stats),
        });
        extend(&mut attributes, analysis);
    }
    attributes
}

fn extend(attributes: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        attributes.extend(more);
    }
}

fn stats_json(stats: &Stats) -> Value {
    json!({
        "malicious": stats.malicious,
        "suspicious": stats.suspicious,
        "undetected": stats.undetected,
        "harmless": stats.harmless,
        "timeout": stats.timeout,
    })
}

/// As many engines as there are opinions.
fn results(stats: &Stats) -> Value {
    let counts = [
        ("malicious", "phishing", stats.malicious),
        ("suspicious", "suspicious", stats.suspicious),
        ("harmless", "clean", stats.harmless),
        ("undetected", "unrated", stats.undetected),
        ("timeout", "timeout", stats.timeout),
    ];
    let opinions = counts
        .into_iter()
        .flat_map(|(category, label, count)| (0..count).map(move |_| (category, label)));
    let results = opinions.enumerate().map(|(index, (category, label))| {
        let name = ENGINES
            .get(index)
            .map_or_else(|| format!("Engine {:02}", index + 1), ToString::to_string);
        let result = json!({
            "engine_name": name,
            "category": category,
            "method": "blacklist",
            "result": label,
        });
        (name, result)
    });
    Value::Object(results.collect())
}
