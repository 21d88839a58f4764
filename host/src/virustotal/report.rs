//! VirusTotal's report on one indicator.
//!
//! Objects gain and change fields. So an unknown, absent or malformed field is not an error, and
//! all of them remain in [`Report::attributes_json`].

use serde::Deserialize;
use serde_json::Value;

use super::engines::{EngineResult, EngineResults};

/// The number of engines by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Stats {
    /// Harmless.
    pub harmless: u32,
    /// Malicious.
    pub malicious: u32,
    /// Suspicious.
    pub suspicious: u32,
    /// No result.
    pub undetected: u32,
    /// No answer in time.
    pub timeout: u32,
}

impl Stats {
    /// Whether at least one engine answered. All zero happens before an
    /// analysis has begun.
    #[must_use]
    pub fn has_opinion(&self) -> bool {
        let opinions = [
            self.harmless,
            self.malicious,
            self.suspicious,
            self.undetected,
        ];
        opinions.iter().any(|count| *count > 0)
    }
}

/// A vendor's category for a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// The vendor.
    pub vendor: String,
    /// The category.
    pub label: String,
}

/// A rank in a list of popular domains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rank {
    /// The list.
    pub list: String,
    /// The place in it.
    pub position: u32,
}

/// A report. Times are in seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of engines by result, if the object has it.
    pub stats: Option<Stats>,
    /// The results of the engines.
    pub engines: EngineResults,
    /// The community's score.
    pub reputation: Option<i32>,
    /// Votes of the community.
    pub votes_harmless: Option<u32>,
    /// Votes of the community.
    pub votes_malicious: Option<u32>,
    /// What vendors file it under.
    pub categories: Vec<Category>,
    /// Tags.
    pub tags: Vec<String>,
    /// Names of threats.
    pub threat_names: Vec<String>,
    /// When the engines were last asked.
    pub last_analysis: Option<i64>,
    /// When a URL was first submitted.
    pub first_submission: Option<i64>,
    /// When a URL was last submitted.
    pub last_submission: Option<i64>,
    /// The number of submissions.
    pub times_submitted: Option<u32>,
    /// When a domain was registered.
    pub creation: Option<i64>,
    /// The registrar of a domain.
    pub registrar: Option<String>,
    /// Ranks among popular domains.
    pub popularity: Vec<Rank>,
    /// The owner of an address's autonomous system.
    pub owner: Option<String>,
    /// The autonomous system.
    pub asn: Option<u32>,
    /// The country.
    pub country: Option<String>,
    /// The address's network.
    pub network: Option<String>,
    /// All attributes as VirusTotal sent them.
    pub attributes_json: String,
}

impl Report {
    /// Reads the attributes of a URL, domain, address or completed analysis.
    #[must_use]
    pub fn from_attributes(attributes_json: &str) -> Self {
        let attributes: Value = serde_json::from_str(attributes_json).unwrap_or_default();
        let a = Attributes(&attributes);
        Self {
            stats: a.first(&["last_analysis_stats", "stats"]).and_then(stats),
            engines: engines(a.first(&["last_analysis_results", "results"])),
            reputation: a.number("reputation"),
            votes_harmless: a.in_object("total_votes", "harmless"),
            votes_malicious: a.in_object("total_votes", "malicious"),
            categories: pairs(a.get("categories"), |vendor, label| {
                Some(Category {
                    vendor: vendor.to_owned(),
                    label: label.as_str()?.to_owned(),
                })
            }),
            tags: a.strings("tags"),
            threat_names: a.strings("threat_names"),
            last_analysis: a.number("last_analysis_date").or_else(|| a.number("date")),
            first_submission: a.number("first_submission_date"),
            last_submission: a.number("last_submission_date"),
            times_submitted: a.number("times_submitted"),
            creation: a.number("creation_date"),
            registrar: a.string("registrar"),
            popularity: pairs(a.get("popularity_ranks"), |list, rank| {
                Some(Rank {
                    list: list.to_owned(),
                    position: u32::try_from(rank.get("rank")?.as_u64()?).ok()?,
                })
            }),
            owner: a.string("as_owner"),
            asn: a.number("asn"),
            country: a.string("country"),
            network: a.string("network"),
            attributes_json: attributes_json.to_owned(),
        }
    }
}

/// Lenient access to attributes: `None` for an absent one or one of another type.
struct Attributes<'a>(&'a Value);

impl<'a> Attributes<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    fn first(&self, names: &[&str]) -> Option<&'a Value> {
        names.iter().find_map(|name| self.get(name))
    }

    fn number<N: TryFrom<i64>>(&self, name: &str) -> Option<N> {
        N::try_from(self.get(name)?.as_i64()?).ok()
    }

    fn in_object(&self, name: &str, inner: &str) -> Option<u32> {
        Attributes(self.get(name)?).number(inner)
    }

    fn string(&self, name: &str) -> Option<String> {
        self.get(name)?.as_str().map(str::to_owned)
    }

    fn strings(&self, name: &str) -> Vec<String> {
        let items = self
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        items
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }
}

/// Stats with at least one of the five counts.
fn stats(value: &Value) -> Option<Stats> {
    let a = Attributes(value);
    let names = [
        "harmless",
        "malicious",
        "suspicious",
        "undetected",
        "timeout",
    ];
    let counts = names.map(|name| a.number::<u32>(name));
    if counts.iter().all(Option::is_none) {
        return None;
    }
    let [harmless, malicious, suspicious, undetected, timeout] =
        counts.map(Option::unwrap_or_default);
    Some(Stats {
        harmless,
        malicious,
        suspicious,
        undetected,
        timeout,
    })
}

fn engines(results: Option<&Value>) -> EngineResults {
    let results = results.and_then(Value::as_object).into_iter().flatten();
    EngineResults::new(
        results
            .filter_map(|(key, result)| {
                Some(EngineResult {
                    name: result
                        .get("engine_name")
                        .and_then(Value::as_str)
                        .unwrap_or(key),
                    category: result.get("category")?.as_str()?,
                    label: result.get("result").and_then(Value::as_str).unwrap_or(""),
                })
            })
            .collect(),
    )
}

fn pairs<T>(value: Option<&Value>, read: impl Fn(&str, &Value) -> Option<T>) -> Vec<T> {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries
        .filter_map(|(name, value)| read(name, value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_a_report_are_parsed() {
        let report = Report::from_attributes(
            r#"{"last_analysis_stats":{"harmless":80,"malicious":1,"suspicious":0,"undetected":9,"timeout":0},
                "last_analysis_results":{"ESET":{"category":"malicious","engine_name":"ESET","method":"blacklist","result":"phishing"}},
                "last_analysis_date":1627890187,"reputation":-5,"total_votes":{"harmless":1,"malicious":2},
                "categories":{"Sophos":"phishing and fraud"},"tags":["a"],"popularity_ranks":{"Alexa":{"rank":3,"timestamp":1}},
                "asn":64496,"as_owner":"Example","country":"JP","network":"198.51.100.0/24"}"#,
        );
        let stats = report.stats.unwrap();
        assert_eq!(
            (stats.harmless, stats.malicious, stats.undetected),
            (80, 1, 9)
        );
        assert!(stats.has_opinion());
        assert_eq!(report.engines.as_lines(), "ESET\tmalicious\tphishing\n");
        assert_eq!(report.last_analysis, Some(1_627_890_187));
        assert_eq!(
            (report.reputation, report.votes_malicious),
            (Some(-5), Some(2))
        );
        assert_eq!(report.categories[0].vendor, "Sophos");
        assert_eq!(report.popularity[0].position, 3);
        assert_eq!(
            (report.asn, report.country.as_deref()),
            (Some(64496), Some("JP"))
        );
    }

    #[test]
    fn a_completed_analysis_is_parsed_as_a_report() {
        let report = Report::from_attributes(
            r#"{"date":5,"status":"completed","stats":{"malicious":2},"results":{}}"#,
        );
        assert_eq!(report.stats.map(|stats| stats.malicious), Some(2));
        assert_eq!(report.last_analysis, Some(5));
    }

    #[test]
    fn malformed_attributes_are_ignored() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"last_analysis_stats":null,"tags":"x","asn":-1,"categories":[],"last_analysis_date":"2024"}"#,
        ] {
            let report = Report::from_attributes(json);
            assert_eq!(report.stats, None, "{json}");
            assert_eq!((report.asn, report.last_analysis), (None, None));
        }
    }

    #[test]
    fn timeouts_are_no_opinion() {
        let check = |json: &str, expected: bool| {
            let report = Report::from_attributes(json);
            assert_eq!(
                report.stats.is_some_and(|stats| stats.has_opinion()),
                expected
            );
        };
        check(
            r#"{"stats":{"harmless":0,"malicious":0,"timeout":0}}"#,
            false,
        );
        check(r#"{"stats":{"harmless":0,"timeout":90}}"#, false);
        check(r#"{"stats":{"undetected":1}}"#, true);
    }
}
