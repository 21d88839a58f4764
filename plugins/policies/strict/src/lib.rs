//! An indicator is bad if at least one engine calls it malicious or suspicious.

use vthost_plugin::policy::{
    Description, Engine, Judgement, NoSettings, Policy, Report, Sightings, named, whose,
};

struct Strict;

vthost_plugin::export_policy!(Strict);

impl Policy for Strict {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "strict",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Bad is what at least one engine calls malicious or suspicious",
            settings_schema: "",
        }
    }

    fn open(_settings: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn judge(&self, _seen: &Sightings, report: &Report, _now: i64) -> Judgement {
        let stats = report.stats;
        let count = stats.malicious + stats.suspicious;
        let whose = whose(report);
        if count == 0 {
            let answered = stats.answered();
            return Judgement::good(format!("{whose}none of {answered} engines calls it bad"));
        }
        let accusers: Vec<Engine> = report.accusers().collect();
        let engines = if count == 1 { "engine" } else { "engines" };
        let names = if accusers.is_empty() {
            String::new()
        } else {
            format!(": {}", named(&accusers))
        };
        let judgement = Judgement::bad(format!("{whose}{count} {engines}{names}"));
        if count == 1 {
            judgement.tagged("weak")
        } else {
            judgement
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::policy::{Scope, Verdict};
    use vthost_plugin::testing::{report, sightings};

    fn judge(report: &Report) -> Judgement {
        Strict.judge(&sightings("example.com"), report, 0)
    }

    #[test]
    fn one_engine_is_enough() {
        let check = |engines: &[(&str, &str, &str)], verdict, reason: &str, tags: &[&str]| {
            let judgement = judge(&report("example.com", engines));
            assert_eq!(judgement.verdict, verdict);
            assert_eq!(judgement.reason, reason);
            assert_eq!(judgement.tags, tags);
        };
        let (clean, bad) = (
            ("A", "harmless", "clean"),
            ("ESET", "malicious", "phishing"),
        );
        check(
            &[clean],
            Verdict::Good,
            "none of 1 engines calls it bad",
            &[],
        );
        check(
            &[clean, bad],
            Verdict::Bad,
            "1 engine: ESET (phishing)",
            &["weak"],
        );
        check(
            &[clean, bad, ("B", "suspicious", "")],
            Verdict::Bad,
            "2 engines: B, ESET (phishing)",
            &[],
        );
    }

    #[test]
    fn reason_names_the_host_of_a_host_report() {
        let mut report = report("example.com", &[("A", "malicious", "")]);
        report.scope = Scope::Host;
        assert_eq!(judge(&report).reason, "the host example.com: 1 engine: A");
    }
}
