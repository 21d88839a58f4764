//! A rule with settings: the number of engines that make an indicator bad, trusted
//! engines, ignored engines, an allow-list, well-known infrastructure, and the maximum age of an
//! analysis.

mod known;

use std::net::IpAddr;

use serde::Deserialize;
use vthost_plugin::policy::{
    Description, Engine, Indicator, Judgement, Opinion, Policy, Report, Screening, Sightings,
    Verdict, named, whose,
};

use known::{Known, KnownSetting};

struct Threshold {
    settings: Settings,
    allowed: Vec<Allowed>,
    known: Known,
}

vthost_plugin::export_policy!(Threshold);

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    min_engines: u32,
    count_suspicious: bool,
    trusted_engines: Vec<String>,
    ignored_engines: Vec<String>,
    allow: Vec<String>,
    known: Option<KnownSetting>,
    max_analysis_age_days: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_engines: 3,
            count_suspicious: true,
            trusted_engines: Vec::new(),
            ignored_engines: Vec::new(),
            allow: Vec::new(),
            known: None,
            max_analysis_age_days: None,
        }
    }
}

/// An entry of the allow-list.
enum Allowed {
    /// This name in lower case, or this URL.
    Exactly { name: String, value: String },
    /// This name and its subdomains.
    Below(String),
    /// A network: an address and the length of its prefix.
    Network(IpAddr, u8),
}

impl Policy for Threshold {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            name: "threshold",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Bad is what a minimum number of engines, or a trusted engine, call bad",
            settings_schema: include_str!("schema.json"),
        }
    }

    fn open(settings: Settings) -> Result<Self, String> {
        let allowed: Result<_, String> = settings
            .allow
            .iter()
            .map(|text| allowed("allow", text))
            .collect();
        Ok(Self {
            allowed: allowed?,
            known: Known::new(settings.known.as_ref())?,
            settings,
        })
    }

    fn screen(&self, seen: &Sightings) -> Screening {
        let entries = self.allowed.iter().zip(&self.settings.allow);
        match entries
            .into_iter()
            .find(|(entry, _)| entry.covers(&seen.indicator))
        {
            Some((_, text)) => Screening::Skip(format!("on the allow-list ({text})")),
            None => Screening::Ask(0),
        }
    }

    fn judge(&self, seen: &Sightings, report: &Report, now: i64) -> Judgement {
        let mut judgement = self.decide(report, now);
        match self.known.list_with(&seen.indicator) {
            Some(list) if judgement.verdict == Verdict::Bad => {
                judgement
                    .reason
                    .push_str(&format!("; known infrastructure: {list}"));
                judgement.tagged("known-infrastructure")
            }
            _ => judgement,
        }
    }
}

impl Threshold {
    fn decide(&self, report: &Report, now: i64) -> Judgement {
        let whose = whose(report);
        if let Some(days) = self.too_old(report, now) {
            let reason = format!("{whose}the analysis is {days} days old");
            return Judgement::unknown(reason).tagged("stale");
        }
        let accusers = self.accusers(report);
        let needed = self.settings.min_engines;
        let trusted: Vec<Engine> = accusers
            .iter()
            .copied()
            .filter(|engine| is_among(&self.settings.trusted_engines, engine.name))
            .collect();
        if !trusted.is_empty() {
            let reason = format!("{whose}trusted: {}", named(&trusted));
            return Judgement::bad(reason).tagged("trusted-engine");
        }
        let count = self.count(report, &accusers);
        let engines = if count == 1 { "engine" } else { "engines" };
        if count >= needed {
            let names = match accusers.as_slice() {
                [] => String::new(),
                accusers => format!(": {}", named(accusers)),
            };
            return Judgement::bad(format!("{whose}{count} {engines}{names}"));
        }
        let reason = format!("{whose}{count} {engines}, {needed} needed");
        let judgement = Judgement::good(reason);
        if count > 0 {
            judgement.tagged("weak")
        } else {
            judgement
        }
    }

    /// The engines that are not ignored and call it bad.
    fn accusers<'a>(&self, report: &'a Report) -> Vec<Engine<'a>> {
        let counts = |engine: &Engine| {
            let is_sure = engine.opinion == Opinion::Malicious;
            (is_sure || self.settings.count_suspicious)
                && !is_among(&self.settings.ignored_engines, engine.name)
        };
        report.accusers().filter(counts).collect()
    }

    /// The number of engines that call it bad. If the report names no engine, the
    /// stats count.
    fn count(&self, report: &Report, accusers: &[Engine]) -> u32 {
        let stats = report.stats;
        match (report.engines.is_empty(), self.settings.count_suspicious) {
            (false, _) => u32::try_from(accusers.len()).unwrap_or(u32::MAX),
            (true, true) => stats.malicious.saturating_add(stats.suspicious),
            (true, false) => stats.malicious,
        }
    }

    /// The age of the analysis in days, if it is above the maximum.
    fn too_old(&self, report: &Report, now: i64) -> Option<i64> {
        const SECONDS_PER_DAY: i64 = 86_400;
        let most = i64::from(self.settings.max_analysis_age_days?);
        let days = (now - report.last_analysis?) / SECONDS_PER_DAY;
        (days > most).then_some(days)
    }
}

fn is_among(engines: &[String], name: &str) -> bool {
    engines
        .iter()
        .any(|engine| engine.eq_ignore_ascii_case(name))
}

/// Parses an entry of a setting: `192.0.2.0/24`, `.example.com` or `*.example.com`, or a name, an
/// address or a URL.
fn allowed(setting: &str, text: &str) -> Result<Allowed, String> {
    let bad = || format!("{setting}: `{text}` is not a name, suffix or network");
    if let Some((address, length)) = text.split_once('/')
        && let Ok(address) = address.parse::<IpAddr>()
    {
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.parse().ok().filter(|length| *length <= most);
        return Ok(Allowed::Network(address, length.ok_or_else(bad)?));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        let whole = if address.is_ipv4() { 32 } else { 128 };
        return Ok(Allowed::Network(address, whole));
    }
    let name = text.to_lowercase();
    let suffix = name.strip_prefix("*.").or_else(|| name.strip_prefix('.'));
    match suffix {
        Some("") => Err(bad()),
        Some(suffix) => Ok(Allowed::Below(suffix.to_owned())),
        None if name.is_empty() || name.contains(char::is_whitespace) => Err(bad()),
        None => Ok(Allowed::Exactly {
            name,
            value: text.to_owned(),
        }),
    }
}

impl Allowed {
    fn covers(&self, indicator: &Indicator) -> bool {
        match self {
            Self::Exactly { name, value } => indicator.host == *name || indicator.value == *value,
            Self::Below(suffix) => indicator
                .host
                .strip_suffix(suffix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            Self::Network(network, length) => indicator
                .host
                .parse()
                .is_ok_and(|address| same_network(*network, address, *length)),
        }
    }
}

fn same_network(a: IpAddr, b: IpAddr, length: u8) -> bool {
    let length = u32::from(length);
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let differ = u32::from(a) ^ u32::from(b);
            differ.leading_zeros() >= length
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let differ = u128::from(a) ^ u128::from(b);
            differ.leading_zeros() >= length
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::policy::Verdict;
    use vthost_plugin::testing::{policy, report, sightings};

    const FOUR: [(&str, &str, &str); 5] = [
        ("A", "malicious", "malware"),
        ("B", "malicious", ""),
        ("C", "suspicious", ""),
        ("D", "malicious", ""),
        ("E", "harmless", "clean"),
    ];

    fn judge(settings: &str) -> Judgement {
        let policy: Threshold = policy(settings).unwrap();
        let mut report = report("one.example.com", &FOUR);
        report.last_analysis = Some(0);
        policy.judge(&sightings("one.example.com"), &report, 31 * 86_400)
    }

    #[test]
    fn settings_decide_which_engines_count() {
        let check = |settings: &str, verdict, reason: &str| {
            let judgement = judge(settings);
            assert_eq!(
                (judgement.verdict, judgement.reason.as_str()),
                (verdict, reason),
                "{settings}"
            );
        };
        check("{}", Verdict::Bad, "4 engines: A (malware), B, C, D");
        check(
            r#"{"min_engines": 5}"#,
            Verdict::Good,
            "4 engines, 5 needed",
        );
        check(
            r#"{"min_engines": 4, "count_suspicious": false}"#,
            Verdict::Good,
            "3 engines, 4 needed",
        );
        check(
            r#"{"min_engines": 3, "ignored_engines": ["a", "b"]}"#,
            Verdict::Good,
            "2 engines, 3 needed",
        );
        check(
            r#"{"min_engines": 9, "trusted_engines": ["d"]}"#,
            Verdict::Bad,
            "trusted: D",
        );
        check(
            r#"{"max_analysis_age_days": 30}"#,
            Verdict::Unknown,
            "the analysis is 31 days old",
        );
        check(
            r#"{"max_analysis_age_days": 31}"#,
            Verdict::Bad,
            "4 engines: A (malware), B, C, D",
        );
    }

    #[test]
    fn known_infrastructure_is_marked_and_stays_bad() {
        let check = |settings: &str, host: &str, list: Option<&str>| {
            let policy: Threshold = policy(settings).unwrap();
            let judgement = policy.judge(&sightings(host), &report(host, &FOUR), 0);
            assert_eq!(judgement.verdict, Verdict::Bad, "{settings} {host}");
            let is_marked = judgement
                .tags
                .iter()
                .any(|tag| tag == "known-infrastructure");
            assert_eq!(is_marked, list.is_some(), "{settings} {host}");
            let list = list.map_or(String::new(), |list| {
                format!("; known infrastructure: {list}")
            });
            assert_eq!(
                judgement.reason,
                format!("4 engines: A (malware), B, C, D{list}")
            );
        };
        check("{}", "1.1.1.1", Some("public resolvers"));
        check("{}", "2606:4700:4700::1111", Some("public resolvers"));
        check("{}", "192.0.2.1", None);
        check(r#"{"known": []}"#, "1.1.1.1", None);
        check(r#"{"known": ["192.0.2.0/24"]}"#, "192.0.2.1", Some("list"));
        let list = r#"{"known": {"name": "CDNs", "description": "d", "version": 1,
            "type": "hostname", "matching_attributes": ["domain"], "list": ["example.com"]}}"#;
        check(list, "www.example.com", Some("CDNs"));
        check(list, "www.example.net", None);
        assert!(policy::<Threshold>(&list.replace("hostname", "regex")).is_err());
    }

    #[test]
    fn allow_list_matches_whole_labels_and_networks() {
        let check = |entry: &str, host: &str, is_skipped: bool| {
            let policy: Threshold = policy(&format!(r#"{{"allow": ["{entry}"]}}"#)).unwrap();
            let skips = matches!(policy.screen(&sightings(host)), Screening::Skip(_));
            assert_eq!(skips, is_skipped, "{entry} {host}");
        };
        check("example.com", "example.com", true);
        check("example.com", "www.example.com", false);
        check(".example.com", "www.example.com", true);
        check("*.Example.com", "example.com", true);
        check(".example.com", "notexample.com", false);
        check("192.0.2.0/24", "192.0.2.200", true);
        check("192.0.2.0/24", "192.0.3.1", false);
        check("2001:db8::/32", "2001:db8:5::1", true);
        check("0.0.0.0/0", "192.0.2.1", true);
        check("1.1.1.1", "1.1.1.1", true);
        check("2001:DB8:0::1", "2001:db8::1", true);
    }

    #[test]
    fn stats_count_if_no_engine_is_named() {
        let mut report = report("one.example.com", &FOUR);
        report.engines.clear();
        let check = |settings: &str, reason: &str| {
            let policy: Threshold = policy(settings).unwrap();
            let judgement = policy.judge(&sightings("one.example.com"), &report, 0);
            assert_eq!(judgement.reason, reason, "{settings}");
        };
        check("{}", "4 engines");
        check(
            r#"{"min_engines": 4, "count_suspicious": false}"#,
            "3 engines, 4 needed",
        );
    }

    #[test]
    fn allowed_urls_are_case_sensitive_in_their_path() {
        let mut seen = sightings("www.example.com");
        seen.indicator.value = "http://www.example.com/News".to_owned();
        let check = |entry: &str, is_skipped: bool| {
            let policy: Threshold = policy(&format!(r#"{{"allow": ["{entry}"]}}"#)).unwrap();
            let skips = matches!(policy.screen(&seen), Screening::Skip(_));
            assert_eq!(skips, is_skipped, "{entry}");
        };
        check("http://www.example.com/News", true);
        check("http://www.example.com/news", false);
        check("WWW.example.com", true);
    }

    #[test]
    fn invalid_settings_are_refused() {
        for settings in [
            r#"{"allow": ["192.0.2.0/33"]}"#,
            r#"{"allow": ["."]}"#,
            r#"{"other": 1}"#,
        ] {
            assert!(policy::<Threshold>(settings).is_err(), "{settings}");
        }
    }
}
