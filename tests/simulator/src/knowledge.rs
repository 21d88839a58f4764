//! What the simulator knows of URLs, domains and addresses.

use std::collections::BTreeMap;

/// The number of engines by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Harmless.
    pub harmless: u32,
    /// Malicious.
    pub malicious: u32,
    /// Suspicious.
    pub suspicious: u32,
    /// No opinion.
    pub undetected: u32,
    /// No answer.
    pub timeout: u32,
}

impl Stats {
    /// The usual results.
    pub const CLEAN: Self = Self {
        harmless: 70,
        malicious: 0,
        suspicious: 0,
        undetected: 20,
        timeout: 0,
    };
    /// The results of a known threat.
    pub const BAD: Self = Self {
        harmless: 60,
        malicious: 7,
        suspicious: 1,
        undetected: 22,
        timeout: 0,
    };
}

/// Whether something that is not listed is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlisted {
    /// Yes, with a verdict by its name.
    Known,
    /// Not until it is submitted.
    NeverSeen,
}

/// What is known of one URL, domain or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The engines' opinions; none where an object has no analysis.
    pub stats: Option<Stats>,
    /// The time of the analysis, in seconds since 1970.
    pub analysed_s: i64,
}

/// When what is known without being listed was analysed.
const ANALYSED_S: i64 = 1_714_521_600; // 2024-05-01T00:00:00Z

/// Listed things by name: canonical URLs, domains, addresses.
#[derive(Debug)]
pub(crate) struct Knowledge {
    listed: BTreeMap<String, Known>,
    /// When what is not listed was analysed, in seconds since 1970.
    pub(crate) analysed_s: i64,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self {
            listed: BTreeMap::new(),
            analysed_s: ANALYSED_S,
        }
    }
}

impl Knowledge {
    pub(crate) fn list(&mut self, name: &str, known: Known) {
        self.listed.insert(name.to_owned(), known);
    }

    pub(crate) fn find(&self, name: &str, unlisted: Unlisted) -> Option<Known> {
        let by_name = || match unlisted {
            Unlisted::Known => Some(Known {
                stats: Some(stats_by_name(name)),
                analysed_s: self.analysed_s,
            }),
            Unlisted::NeverSeen => None,
        };
        self.listed.get(name).copied().or_else(by_name)
    }

    /// What a scan of a URL finds: what is listed of it or of its host, else by
    /// its name.
    pub(crate) fn scan(&self, url: &str) -> Stats {
        let host = host_of(url);
        let listed = self.listed.get(url).or_else(|| self.listed.get(host));
        listed
            .and_then(|known| known.stats)
            .unwrap_or_else(|| stats_by_name(host))
    }
}

/// A host with `malware` or `evil` in its name is bad.
fn stats_by_name(name: &str) -> Stats {
    let host = host_of(name);
    if host.contains("malware") || host.contains("evil") {
        Stats::BAD
    } else {
        Stats::CLEAN
    }
}

fn host_of(name: &str) -> &str {
    let rest = name.split_once("://").map_or(name, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}
