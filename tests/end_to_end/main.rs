//! The whole program: the real binary, real components, and a simulated
//! VirusTotal over real HTTP; and the library with a simulated clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

mod article;
mod authors;
mod browser;
mod cache;
mod commands;
mod config;
mod cookbook;
mod crash;
mod days;
mod deadlines;
mod direct;
mod docs;
mod duplicates;
mod exports;
mod faults;
mod golden;
mod guests;
mod guide;
mod hostile;
mod hostile_values;
mod inputs;
mod kit;
mod languages;
mod limiter;
mod lines;
mod metamorphic;
mod networks;
mod official_client;
mod packed;
mod privacy;
mod proxies;
mod python;
mod registry;
mod report;
mod results;
mod sandbox;
mod support;
mod team;
mod toolchains;
mod versions;
