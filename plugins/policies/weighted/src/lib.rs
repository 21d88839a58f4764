//! A score: the sum of the weights of engines, and of points for community votes, the
//! age of a domain, and its popularity.

use std::collections::BTreeMap;

use serde::Deserialize;
use vthost_plugin::policy::{
    Description, Engine, Judgement, Opinion, Policy, Report, Sightings, named, whose,
};

struct Weighted(Settings);

vthost_plugin::export_policy!(Weighted);

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    weights: BTreeMap<String, f64>,
    bad_at: f64,
    doubtful_at: f64,
    young_days: i64,
    popular_rank: u32,
    popular_settles: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            weights: BTreeMap::new(),
            bad_at: 2.0,
            doubtful_at: 1.0,
            young_days: 30,
            popular_rank: 10_000,
            popular_settles: false,
        }
    }
}

/// The factor for a suspicious result.
const SUSPICION: f64 = 0.5;

/// A community score at or below this counts. Scores around 0 are not significant.
const BAD_REPUTATION: i32 = -10;

const DAY_S: i64 = 86_400;

impl Policy for Weighted {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            name: "weighted",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Bad is a score of weighted engines, votes, age and popularity above a limit",
            settings_schema: include_str!("schema.json"),
        }
    }

    fn open(settings: Settings) -> Result<Self, String> {
        if settings.doubtful_at > settings.bad_at {
            return Err("doubtful_at is above bad_at".to_owned());
        }
        Ok(Self(settings))
    }

    fn judge(&self, _seen: &Sightings, report: &Report, now: i64) -> Judgement {
        let settings = &self.0;
        let accusers = self.accusers(report);
        let is_popular = self.is_popular(report);
        let mut points: f64 = accusers.iter().map(|(_, points)| points).sum();
        let mut words = Vec::new();
        let unnamed = unnamed(report);
        if unnamed > 0.0 {
            points += unnamed;
            words.push("engines that the report does not name".to_owned());
        }
        let mut count = |applies: bool, by: f64, word: &str| {
            if applies {
                points += by;
                words.push(word.to_owned());
            }
        };
        count(is_disliked(report), 1.0, "disliked by the community");
        count(self.is_young(report, now), 1.0, "newly registered");
        count(is_popular, -1.0, "popular");
        let points = points.max(0.0);
        if !accusers.is_empty() {
            let engines: Vec<Engine> = accusers.iter().map(|(engine, _)| *engine).collect();
            words.insert(0, named(&engines));
        }
        let words = match words.is_empty() {
            true => "nothing against it".to_owned(),
            false => words.join("; "),
        };
        let reason = format!("{}{points:.1} points: {words}", whose(report));
        let mut judgement = if points >= settings.bad_at {
            Judgement::bad(reason)
        } else if points >= settings.doubtful_at {
            Judgement::unknown(reason).tagged("doubtful")
        } else if is_popular && settings.popular_settles {
            Judgement::good(reason).settling(true)
        } else {
            Judgement::good(reason)
        };
        // 50 is the limit for bad. `as` saturates.
        judgement.score = Some((points / settings.bad_at * 50.0).min(100.0) as u8);
        judgement
    }
}

impl Weighted {
    /// The engines that call it bad, and their points.
    fn accusers<'a>(&self, report: &'a Report) -> Vec<(Engine<'a>, f64)> {
        let accusation = |engine: Engine<'a>| {
            let share = match engine.opinion {
                Opinion::Malicious => 1.0,
                _ => SUSPICION,
            };
            let weight = self.0.weights.get(engine.name).copied().unwrap_or(1.0);
            Some((engine, weight * share)).filter(|(_, points)| *points > 0.0)
        };
        report.accusers().filter_map(accusation).collect()
    }

    fn is_young(&self, report: &Report, now: i64) -> bool {
        let young_s = self.0.young_days.saturating_mul(DAY_S);
        report
            .creation
            .is_some_and(|creation| creation <= now && now.saturating_sub(creation) < young_s)
    }

    fn is_popular(&self, report: &Report) -> bool {
        let mut ranks = report.popularity.iter();
        ranks.any(|rank| rank.position > 0 && rank.position <= self.0.popular_rank)
    }
}

/// The points of engines that the stats count and the report does not name. Each has
/// the weight 1.
fn unnamed(report: &Report) -> f64 {
    let missing = |counted: u32, opinion: Opinion| {
        let listed = report.accusers().filter(|engine| engine.opinion == opinion);
        let listed = u32::try_from(listed.count()).unwrap_or(u32::MAX);
        f64::from(counted.saturating_sub(listed))
    };
    missing(report.stats.malicious, Opinion::Malicious)
        + missing(report.stats.suspicious, Opinion::Suspicious) * SUSPICION
}

/// Whether more users voted malicious than harmless, or the reputation is low.
fn is_disliked(report: &Report) -> bool {
    let votes = |votes: Option<u32>| votes.unwrap_or(0);
    votes(report.votes_malicious) > votes(report.votes_harmless)
        || report
            .reputation
            .is_some_and(|score| score <= BAD_REPUTATION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::policy::{Rank, Verdict};
    use vthost_plugin::testing::{policy, report, sightings};

    const BAD: (&str, &str, &str) = ("ESET", "malicious", "phishing");
    const SUSPECT: (&str, &str, &str) = ("Sophos", "suspicious", "");
    const CLEAN: (&str, &str, &str) = ("Avira", "harmless", "clean");
    const NOW: i64 = 1_735_689_600;

    fn judge(settings: &str, report: &Report) -> Judgement {
        let weighted: Weighted = policy(settings).unwrap();
        weighted.judge(&sightings("example.com"), report, NOW)
    }

    #[test]
    fn engines_count_by_weight() {
        let check = |settings: &str, engines: &[(&str, &str, &str)], verdict, score| {
            let judgement = judge(settings, &report("example.com", engines));
            assert_eq!((judgement.verdict, judgement.score), (verdict, Some(score)));
        };
        check("{}", &[CLEAN], Verdict::Good, 0);
        check("{}", &[CLEAN, SUSPECT], Verdict::Good, 12);
        check("{}", &[BAD], Verdict::Unknown, 25);
        check(
            "{}",
            &[BAD, SUSPECT, ("B", "suspicious", "")],
            Verdict::Bad,
            50,
        );
        check(r#"{"weights": {"ESET": 3}}"#, &[BAD], Verdict::Bad, 75);
        check(r#"{"weights": {"ESET": 0}}"#, &[BAD], Verdict::Good, 0);
        check(r#"{"bad_at": 1}"#, &[BAD, BAD, BAD], Verdict::Bad, 100);
    }

    #[test]
    fn engines_without_a_name_count_too() {
        let mut report = report("example.com", &[]);
        report.stats.malicious = 2;
        let judgement = judge("{}", &report);
        assert_eq!(judgement.verdict, Verdict::Bad);
        let reason = "2.0 points: engines that the report does not name";
        assert_eq!(judgement.reason, reason);
    }

    #[test]
    fn votes_age_and_popularity_change_the_score() {
        let check = |spoil: fn(&mut Report), reason: &str| {
            let mut report = report("example.com", &[BAD]);
            spoil(&mut report);
            assert_eq!(judge("{}", &report).reason, reason);
        };
        check(|_| (), "1.0 points: ESET (phishing)");
        check(
            |report| report.creation = Some(NOW - 29 * DAY_S),
            "2.0 points: ESET (phishing); newly registered",
        );
        check(
            |report| report.creation = Some(NOW - 30 * DAY_S),
            "1.0 points: ESET (phishing)",
        );
        check(
            |report| report.reputation = Some(-10),
            "2.0 points: ESET (phishing); disliked by the community",
        );
        check(
            |report| {
                let list = "Tranco".to_owned();
                report.popularity = vec![Rank {
                    list,
                    position: 500,
                }];
            },
            "0.0 points: ESET (phishing); popular",
        );
    }

    #[test]
    fn popular_host_settles_if_configured() {
        let mut report = report("example.com", &[CLEAN]);
        let list = "Tranco".to_owned();
        report.popularity = vec![Rank { list, position: 1 }];
        assert_eq!(judge("{}", &report).settles, None);
        let settles = judge(r#"{"popular_settles": true}"#, &report).settles;
        assert_eq!(settles, Some(true));
    }

    #[test]
    fn invalid_settings_are_refused() {
        assert!(policy::<Weighted>(r#"{"bad_at": 1, "doubtful_at": 2}"#).is_err());
        assert!(policy::<Weighted>(r#"{"weight": {}}"#).is_err());
    }
}
