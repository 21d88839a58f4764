//! A policy that misbehaves for some names. All others are good.

#![cfg(target_arch = "wasm32")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vthost_plugin::policy::{
    Description, Judgement, NoSettings, Policy, Report, Screening, Sightings,
};

struct Hostile;

vthost_plugin::export_policy!(Hostile);

impl Policy for Hostile {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "hostile",
            version: "6.6.6",
            licence: "MIT",
            summary: "Misbehaves for some names",
            settings_schema: "",
        }
    }

    fn open(_settings: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn screen(&self, seen: &Sightings) -> Screening {
        let name = &seen.indicator.value;
        assert!(!name.contains("screen"), "I do not like this name");
        if name.contains("skip") {
            return Screening::Skip("x".repeat(1 << 20));
        }
        Screening::Ask(0)
    }

    fn judge(&self, seen: &Sightings, _report: &Report, _now: i64) -> Judgement {
        let name = &seen.indicator.value;
        assert!(!name.contains("panic"), "the moon is in the wrong phase");
        if name.contains("loop") {
            loop {
                std::hint::black_box(());
            }
        }
        if let Some(reason) = answered(name) {
            return Judgement::good(reason);
        }
        let mut judgement = Judgement::good("all is well".to_owned());
        if name.contains("score") {
            judgement.score = Some(101);
        }
        if name.contains("tags") {
            judgement.tags = vec!["weak".to_owned(); 65];
        }
        if name.contains("longtag") {
            judgement.tags = vec!["t".repeat(257)];
        }
        if name.contains("reason") {
            judgement.reason = "x".repeat(1 << 20);
        }
        judgement
    }
}

/// Uses what a plugin can import and gets nothing from, if the name demands it.
#[expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the tests are about these calls"
)]
fn answered(name: &str) -> Option<String> {
    let word = name.split('.').next()?;
    Some(match word {
        "clock" => {
            let began = Instant::now();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            format!("{} s, {:?}", now.as_secs(), began.elapsed())
        }
        "sleep" => {
            std::thread::sleep(Duration::from_secs(1));
            "slept".to_owned()
        }
        "file" => std::fs::read_to_string("/etc/passwd").expect("the list of users"),
        "print" => {
            println!("a word about {name}");
            eprintln!("and an error");
            "printed".to_owned()
        }
        _ => return None,
    })
}
