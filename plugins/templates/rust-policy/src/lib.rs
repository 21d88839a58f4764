//! The rule of our organisation.

use serde::Deserialize;
use vthost_plugin::policy::{
    Description, Engine, Judgement, Policy, Report, Screening, Sightings, named, whose,
};

/// An open policy with its settings.
struct OurPolicy(Settings);

vthost_plugin::export_policy!(OurPolicy);

/// The settings of `--policy-config KEY=VALUE`. The host checks them against
/// `SCHEMA` before it reads any input.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The number of engines that make an indicator bad.
    min_engines: u32,
    /// Our own domains. No request is spent on them.
    own_domains: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_engines: 2,
            own_domains: Vec::new(),
        }
    }
}

const SCHEMA: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "min_engines": { "type": "integer", "minimum": 1 },
        "own_domains": { "type": "array", "items": { "type": "string" } }
    }
}"#;

impl Policy for OurPolicy {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            name: "our-plugin",
            version: env!("CARGO_PKG_VERSION"),
            licence: "MIT",
            summary: "Bad is what several engines call malicious or suspicious",
            settings_schema: SCHEMA,
        }
    }

    fn open(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    /// Called before a request is spent.
    fn screen(&self, seen: &Sightings) -> Screening {
        let host = seen.indicator.host.as_str();
        let is_own = |domain: &String| {
            host.strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if self.0.own_domains.iter().any(is_own) {
            return Screening::Skip("own domain".to_owned());
        }
        Screening::Ask(0)
    }

    /// Called for each report.
    fn judge(&self, _seen: &Sightings, report: &Report, _now: i64) -> Judgement {
        let count = report.stats.malicious + report.stats.suspicious;
        let whose = whose(report);
        if count < self.0.min_engines {
            return Judgement::good(format!("{whose}{count} engines call it bad"));
        }
        let accusers: Vec<Engine> = report.accusers().collect();
        Judgement::bad(format!("{whose}{count} engines: {}", named(&accusers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::policy::Verdict;
    use vthost_plugin::testing::{policy, report, sightings};

    #[test]
    fn two_engines_are_enough() {
        let ours: OurPolicy = policy("{}").unwrap();
        let check = |engines: &[(&str, &str, &str)], expected| {
            let judgement = ours.judge(&sightings("example.com"), &report("example.com", engines), 0);
            assert_eq!(judgement.verdict, expected);
        };
        let (a, b) = (("A", "malicious", "phishing"), ("B", "suspicious", ""));
        check(&[a], Verdict::Good);
        check(&[a, b], Verdict::Bad);
    }

    #[test]
    fn own_domains_are_skipped() {
        let ours: OurPolicy = policy(r#"{"own_domains": ["example.com"]}"#).unwrap();
        let skips = |host| matches!(ours.screen(&sightings(host)), Screening::Skip(_));
        assert!(skips("example.com") && skips("www.example.com"));
        assert!(!skips("notexample.com"));
    }
}
