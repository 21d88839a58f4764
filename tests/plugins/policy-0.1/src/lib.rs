//! A policy for version 0.1 of the contract, whose copy is in `wit/`. It must not
//! change: every vthost that supports 0.1 must run it.

#![cfg(target_arch = "wasm32")]

use bindings::exports::vthost::policy::judging::{
    Description, Guest, GuestSession, Judgement, Report, Screening, Session, Sightings, Verdict,
};

mod bindings {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    #![allow(clippy::all, reason = "generated")]
    wit_bindgen::generate!({ path: "wit", world: "policy" });
}

struct Policy01;

struct Opened(String);

bindings::export!(Policy01 with_types_in bindings);

impl Guest for Policy01 {
    type Session = Opened;

    fn describe() -> Description {
        Description {
            name: "of-0-1".to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            summary: "Says what it was given".to_owned(),
            settings_schema: r#"{"type":"object"}"#.to_owned(),
        }
    }
}

impl GuestSession for Opened {
    fn open(settings: String) -> Result<Session, String> {
        if settings.contains("refuse") {
            return Err("as you wish".to_owned());
        }
        Ok(Session::new(Self(settings)))
    }

    fn screen(&self, seen: Sightings) -> Screening {
        match seen.indicator.host.as_str() {
            "skip.example.com" => Screening::Skip("its name".to_owned()),
            _ => Screening::Ask(7),
        }
    }

    fn judge(&self, seen: Sightings, report: Report, now: i64) -> Judgement {
        let said = [
            self.0.clone(),
            seen.count.to_string(),
            report.stats.malicious.to_string(),
            report.engines.replace(['\t', '\n'], " "),
            format!("{:?}", report.creation),
            report.tags.join("+"),
            now.to_string(),
        ];
        Judgement {
            verdict: Verdict::Bad,
            reason: said.join("|"),
            tags: vec!["of-0-1".to_owned()],
            score: Some(99),
            settles: Some(true),
        }
    }
}
