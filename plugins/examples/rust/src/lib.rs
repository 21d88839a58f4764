//! One engine is enough for a recently registered domain to be bad; other domains need
//! several.

use serde::Deserialize;
use vthost_plugin::policy::{
    Description, Engine, Judgement, Policy, Report, Sightings, named, whose,
};

struct Newcomer(Settings);

vthost_plugin::export_policy!(Newcomer);

/// See `SCHEMA`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    young_days: u32,
    min_engines: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            young_days: 30,
            min_engines: 3,
        }
    }
}

const SCHEMA: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "young_days": { "type": "integer", "minimum": 1 },
        "min_engines": { "type": "integer", "minimum": 1 }
    }
}"#;

const DAY_S: i64 = 86_400;

impl Policy for Newcomer {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            name: "newcomer",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Bad is a recently registered domain with one engine, or any with several",
            settings_schema: SCHEMA,
        }
    }

    fn open(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn judge(&self, _seen: &Sightings, report: &Report, now: i64) -> Judgement {
        let age_days = report.creation.map(|creation| (now - creation) / DAY_S);
        let is_young = age_days.is_some_and(|days| days < i64::from(self.0.young_days));
        let needed = if is_young { 1 } else { self.0.min_engines };
        let count = report.stats.malicious + report.stats.suspicious;
        let since = match age_days {
            Some(days) if is_young => format!(", registered {days} days ago"),
            _ => String::new(),
        };
        let whose = whose(report);
        if count < needed {
            let reason = format!("{whose}{count} engines, {needed} needed{since}");
            return Judgement::good(reason);
        }
        let accusers: Vec<Engine> = report.accusers().collect();
        let reason = format!("{whose}{count} engines: {}{since}", named(&accusers));
        let judgement = Judgement::bad(reason);
        if is_young {
            judgement.tagged("newly-registered")
        } else {
            judgement
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::policy::Verdict;
    use vthost_plugin::testing::{policy, report, sightings};

    const ONE: [(&str, &str, &str); 1] = [("ESET", "malicious", "phishing")];
    const NOW: i64 = 1_735_689_600;

    #[test]
    fn one_engine_is_enough_for_a_recent_domain() {
        let ours: Newcomer = policy("{}").unwrap();
        let check = |creation, expected| {
            let mut report = report("example.com", &ONE);
            report.creation = creation;
            let judgement = ours.judge(&sightings("example.com"), &report, NOW);
            assert_eq!(judgement.verdict, expected, "{creation:?}");
        };
        check(None, Verdict::Good);
        check(Some(NOW - 30 * DAY_S), Verdict::Good);
        check(Some(NOW - 30 * DAY_S + 1), Verdict::Bad);
        check(Some(NOW), Verdict::Bad);
    }
}
