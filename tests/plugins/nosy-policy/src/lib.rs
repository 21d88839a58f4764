//! A policy that uses files, the clock and the network. The host must refuse it.

#![cfg(target_arch = "wasm32")]

use std::time::Instant;

use vthost_plugin::policy::{Description, Judgement, NoSettings, Policy, Report, Sightings};

struct Nosy;

vthost_plugin::export_policy!(Nosy);

impl Policy for Nosy {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "nosy",
            version: "6.6.6",
            licence: "MIT",
            summary: "Looks around",
            settings_schema: "",
        }
    }

    fn open(_settings: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn judge(&self, _seen: &Sightings, report: &Report, _now: i64) -> Judgement {
        let began = Instant::now();
        let files = std::fs::read_dir("/").map(Iterator::count);
        let network = std::net::TcpStream::connect((report.subject.value.as_str(), 80)).is_ok();
        Judgement::good(format!("{files:?}, {network}, in {:?}", began.elapsed()))
    }
}
