//! Write vthost plugins in Rust.
//!
//! A **parser** turns the lines of a log into observations:
//!
//! ```
//! use vthost_plugin::parser::{Description, Input, Line, LineParser, NoSettings, Observation, Observations};
//!
//! /// Reads `CLIENT HOST` lines.
//! struct Pairs;
//!
//! impl LineParser for Pairs {
//!     type Settings = NoSettings;
//!
//!     fn describe() -> Description {
//!         Description {
//!             name: "pairs",
//!             version: "1.0.0",
//!             licence: "MIT",
//!             summary: "A client and a host on each line",
//!             formats: vec![("pairs", "Pairs", "10.0.0.5 www.example.com")],
//!             settings_schema: "",
//!         }
//!     }
//!
//!     fn detect(input: &Input) -> u8 {
//!         u8::from(input.lines().all(|line| line.split(|byte| *byte == b' ').count() == 2))
//!     }
//!
//!     fn open(_input: &Input, _settings: NoSettings) -> Result<Self, String> {
//!         Ok(Pairs)
//!     }
//!
//!     fn line(&mut self, line: &[u8], found: &mut Observations) -> Line {
//!         let mut words = line.split(|byte| *byte == b' ');
//!         match (words.next(), words.next()) {
//!             (Some(client), Some(host)) => {
//!                 found.push(Observation::domain(host).client(client));
//!                 Line::Record
//!             }
//!             _ => Line::Rejected("not two words"),
//!         }
//!     }
//! }
//!
//! vthost_plugin::export_parser!(Pairs);
//!
//! let read = vthost_plugin::testing::parse::<Pairs>(b"10.0.0.5 www.example.com\nodd\n", "{}").unwrap();
//! assert_eq!(read.observations[0].value, "www.example.com");
//! assert_eq!(read.rejected, [("not two words".to_owned(), 1)]);
//! ```
//!
//! A **policy** gives a verdict on a report of VirusTotal:
//!
//! ```
//! use vthost_plugin::policy::{Description, Judgement, NoSettings, Policy, Report, Sightings};
//!
//! /// Bad if three engines call it malicious.
//! struct Three;
//!
//! impl Policy for Three {
//!     type Settings = NoSettings;
//!
//!     fn describe() -> Description {
//!         Description {
//!             name: "three",
//!             version: "1.0.0",
//!             licence: "MIT",
//!             summary: "Bad if three engines call it malicious",
//!             settings_schema: "",
//!         }
//!     }
//!
//!     fn open(_settings: NoSettings) -> Result<Self, String> {
//!         Ok(Three)
//!     }
//!
//!     fn judge(&self, _seen: &Sightings, report: &Report, _now: i64) -> Judgement {
//!         let count = report.stats.malicious;
//!         match count {
//!             0..=2 => Judgement::good(format!("{count} engines call it malicious")),
//!             _ => Judgement::bad(format!("{count} engines call it malicious")),
//!         }
//!     }
//! }
//!
//! vthost_plugin::export_policy!(Three);
//! ```
//!
//! Both are library crates with `crate-type = ["cdylib"]`, built with
//! `cargo build --release --target wasm32-wasip2`. Tests run natively with `cargo test`, without
//! WebAssembly.

#[doc(hidden)]
pub mod bindings;
mod block;
pub mod contact;
pub mod dialect;
pub mod parser;
pub mod policy;
pub mod scan;
pub mod split;
pub mod syslog;
pub mod template;
pub mod testing;
pub mod time;
