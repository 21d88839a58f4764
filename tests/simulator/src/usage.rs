//! The usage of an account as VirusTotal reports it: by day and endpoint, charged requests apart
//! from free ones.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

/// What an account asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage(BTreeMap<Key, u64>);

/// The day since 1970, whether it was free of charge, and the endpoint.
type Key = (i64, bool, &'static str);

/// The name of the endpoint that a request is for; `None` if usage does not include it.
pub(crate) fn endpoint(method: &str, parts: &[&str]) -> Option<&'static str> {
    Some(match (method, parts) {
        (_, ["domains", ..]) => "/api/v3/(domains)",
        (_, ["ip_addresses", ..]) => "/api/v3/(ip_addresses)",
        ("POST", ["urls", ..]) => "/api/v3/(url_submission)",
        (_, ["urls", ..]) => "/api/v3/(urls)",
        (_, ["analyses", ..]) => "/api/v3/(analyses)",
        _ => return None,
    })
}

impl Usage {
    pub(crate) fn add(&mut self, now_ms: i64, endpoint: &'static str, is_metered: bool) {
        let key = (now_ms.div_euclid(DAY_MS), !is_metered, endpoint);
        *self.0.entry(key).or_default() += 1;
    }

    /// The answer for the days of a query: `start_date=YYYYMMDD&end_date=…`.
    pub(crate) fn json(&self, query: &str) -> Value {
        let named = |name: &str| {
            let mut fields = form_urlencoded::parse(query.as_bytes());
            fields.find(|(field, _)| field == name).map(|(_, day)| day)
        };
        let (first, last) = (named("start_date"), named("end_date"));
        let is_asked_for = |day: i64| {
            let name = day_name(day).replace('-', "");
            first.as_ref().is_none_or(|first| **first <= *name)
                && last.as_ref().is_none_or(|last| **last >= *name)
        };
        let mut totals = [UsageTotals::default(), UsageTotals::default()];
        for ((day, is_free, endpoint), count) in &self.0 {
            if is_asked_for(*day) {
                totals[usize::from(*is_free)].add(day_name(*day), endpoint, *count);
            }
        }
        let [charged, free] = totals;
        json!({"data": {
            "daily": charged.daily,
            "daily_endpoints_not_consuming_quota": free.daily,
            "total": charged.total,
            "total_endpoints_not_consuming_quota": free.total,
        }})
    }
}

#[derive(Default)]
struct UsageTotals {
    daily: BTreeMap<String, BTreeMap<&'static str, u64>>,
    total: BTreeMap<&'static str, u64>,
}

impl UsageTotals {
    fn add(&mut self, day: String, endpoint: &'static str, count: u64) {
        let daily = self.daily.entry(day).or_default();
        *daily.entry(endpoint).or_default() += count;
        *self.total.entry(endpoint).or_default() += count;
    }
}

const DAY_MS: i64 = 86_400_000;

/// `YYYY-MM-DD` of a day since 1970.
fn day_name(day: i64) -> String {
    let midnight = Timestamp::from_millisecond(day.saturating_mul(DAY_MS)).unwrap_or_default();
    midnight.strftime("%Y-%m-%d").to_string()
}
