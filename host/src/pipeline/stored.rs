//! The store's reports as indicators to judge.

use serde_json::Value;

use crate::indicator::{Indicator, Kind};
use crate::observation::LogPosition;
use crate::sightings::Sightings;
use crate::store::{Store, StoreError};

/// Sightings without observations for every indicator that the store has a report on.
///
/// A report on a URL that does not contain the URL is left out: it can be judged only together
/// with the logs.
///
/// # Errors
///
/// If the store cannot be read.
pub fn stored_sightings(store: &Store) -> Result<Vec<Sightings>, StoreError> {
    let reports = store.found()?;
    let indicators = reports
        .iter()
        .filter_map(|(question, attributes)| indicator_of(question, attributes));
    let sightings = indicators.zip(0..).map(|(indicator, index)| Sightings {
        first_seen: LogPosition::new(u32::MAX, index),
        ..Sightings::unseen(indicator)
    });
    Ok(sightings.collect())
}

/// The indicator of a stored report: from the question if that contains it, else from the
/// report's `url`.
fn indicator_of(question: &str, attributes_json: &str) -> Option<Indicator> {
    let (collection, name) = question.split_once('/').unwrap_or((question, ""));
    let indicator = match collection {
        "domains" => Indicator::parse(Kind::Domain, name.as_bytes()),
        "ip_addresses" => Indicator::parse(Kind::Ip, name.as_bytes()),
        _ => {
            let attributes: Value = serde_json::from_str(attributes_json).ok()?;
            Indicator::parse(Kind::Url, attributes.get("url")?.as_str()?.as_bytes())
        }
    };
    indicator.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicator_comes_from_the_question_or_the_report() {
        let check = |question, attributes, expected: Option<&str>| {
            let indicator = indicator_of(question, attributes);
            assert_eq!(indicator.as_ref().map(Indicator::value), expected);
        };
        check("domains/example.com", "{}", Some("example.com"));
        check("ip_addresses/192.0.2.1", "{}", Some("192.0.2.1"));
        let url = r#"{"url":"http://example.com/a"}"#;
        check("urls/sha256:00", url, Some("http://example.com/a"));
        check("urls/sha256:00", "{}", None);
        check("urls/sha256:00", "no JSON", None);
    }
}
