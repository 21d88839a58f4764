//! Never more requests than the quota allows, in any window.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use vthost::clock::Clock as _;
use vthost::quota::{Limits, Rate, Usage, finish_ms};
use vthost::store::Store;
use vthost::triage::run::Ended;
use vthost::triage::{Finding, Share};
use vthost::verdict::Scope;
use vthost::virustotal::Client;
use vthost_simulator::{Effect, Fault, Options, QuotaLimits, Simulator};

use crate::direct::Direct;
use crate::support::{FastClock, Home, ladder, patient, planned, serve, triage};

pub(crate) fn domains(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("host{n}.example.com")).collect()
}

pub(crate) fn most_in_any_window(times: &[i64], window_ms: i64) -> usize {
    let in_window = |end: &i64| {
        let within = times
            .iter()
            .filter(|time| **time <= *end && end - **time <= window_ms);
        within.count()
    };
    times.iter().map(in_window).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn never_more_than_four_in_any_minute(
        count in 1..40_usize,
        delays_ms in prop::collection::vec(0..4_000_u64, 1..20),
        faults in 0..5_u32,
        restarts in 1..4_usize,
    ) {
        let clock = FastClock::at_noon();
        let mut simulator = Simulator::default();
        let error = Effect::Html(502);
        simulator.add_fault(Fault::new("host[0-3]", faults, error).unwrap());
        let direct = Arc::new(Direct::new(simulator, &clock, delays_ms));
        let client = Client::new(direct.clone());
        let store = Store::in_memory().unwrap();
        let names = domains(count);
        let mut total = 0;
        for part in names.chunks(count.div_ceil(restarts)) {
            let values: Vec<&str> = part.iter().map(String::as_str).collect();
            let done = triage(&client, &store, &clock, Limits::default(), ladder(Share::Hash), planned(&values));
            prop_assert_eq!(done.ended, Ended::Done);
            total += done.findings.len();
        }
        prop_assert_eq!(total, count);
        let simulator = direct.simulator();
        let times: Vec<i64> = simulator.log().iter().map(|logged| logged.time_ms).collect();
        prop_assert!(most_in_any_window(&times, 60_000) <= 4);
        prop_assert!(simulator.log().iter().all(|logged| logged.status != 429));
    }
}

#[test]
fn a_run_takes_the_arithmetic_minimum() {
    let check = |count: usize| {
        let clock = FastClock::at_noon();
        let begun = clock.now_ms();
        let direct = Direct::new(Simulator::default(), &clock, vec![0]);
        let names = domains(count);
        let values: Vec<&str> = names.iter().map(String::as_str).collect();
        let limits = Limits::default();
        let done = triage(
            &Client::new(Arc::new(direct)),
            &Store::in_memory().unwrap(),
            &clock,
            limits,
            ladder(Share::Hash),
            planned(&values),
        );
        assert_eq!(done.ended, Ended::Done);
        let minimum = finish_ms(count as u64, &Usage::default(), begun, &limits) - begun;
        let took = clock.now_ms() - begun;
        assert!(
            took >= minimum && took <= minimum + minimum / 50,
            "{took} for {minimum}"
        );
    };
    for count in [4, 100, 500] {
        check(count);
    }
}

#[test]
fn a_spent_day_ends_the_run_and_the_next_goes_on() {
    let clock = FastClock::at_noon();
    let limits = Limits {
        per_day: 3,
        ..Limits::default()
    };
    let direct = Arc::new(Direct::new(
        Simulator::new(Options {
            limits: QuotaLimits {
                per_day: 3,
                ..QuotaLimits::default()
            },
            ..Options::default()
        }),
        &clock,
        vec![10],
    ));
    let client = Client::new(direct.clone());
    let store = Store::in_memory().unwrap();
    let names = domains(5);
    let values: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = || {
        triage(
            &client,
            &store,
            &clock,
            limits,
            ladder(Share::Hash),
            planned(&values),
        )
    };
    let first = run();
    assert!(matches!(first.ended, Ended::QuotaSpent { .. }));
    assert_eq!(first.requests, 3);
    clock.advance(Duration::from_secs(12 * 3600));
    let second = run();
    assert_eq!((second.ended, second.requests), (Ended::Done, 2));
    let log = direct.simulator();
    assert!(log.log().iter().all(|logged| logged.status == 200));
}

#[test]
fn a_slow_analysis_leaves_the_slots_to_others() {
    let clock = FastClock::at_noon();
    let direct = Arc::new(Direct::new(
        Simulator::new(Options {
            analysis_ms: 50_000,
            ..Options::default()
        }),
        &clock,
        vec![0],
    ));
    let client = Client::new(direct.clone());
    let store = Store::in_memory().unwrap();
    let values = ["http://www.example.com/evil", "http://www.example.com/new"];
    let done = triage(
        &client,
        &store,
        &clock,
        Limits::default(),
        ladder(Share::Submit),
        planned(&values),
    );
    assert_eq!(done.ended, Ended::Done);
    let simulator = direct.simulator();
    let lines: Vec<&str> = simulator
        .log()
        .iter()
        .map(|logged| logged.method.as_str())
        .collect();
    // The host, two hashes and a submission fill the minute; then the analysis
    // is due, and comes first.
    assert_eq!(lines, ["GET", "GET", "GET", "POST", "GET", "POST", "GET"]);
    let is_exact = |finding: &Finding| {
        let evidence = finding.evidence.as_ref();
        evidence.is_some_and(|evidence| evidence.scope == Scope::Exact)
    };
    assert!(done.findings.iter().all(is_exact));
}

#[test]
fn the_program_keeps_its_rate_for_real() {
    let home = Home::new();
    let list = home.write("list.txt", domains(10).join("\n"));
    let mut options = patient();
    options.limits.per_window = 4;
    options.limits.window_ms = 2_000;
    let server = serve(Simulator::new(options));
    let ran = home.run(&["--rate", "4/2s", "--vt-url", &server.url(), &list]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let log = server.log();
    let times: Vec<i64> = log.iter().map(|logged| logged.time_ms).collect();
    assert_eq!(times.len(), 10);
    assert!(most_in_any_window(&times, 2_000) <= 4, "{times:?}");
    assert!(log.iter().all(|logged| logged.status == 200));
    let rate: Rate = "4/2s".parse().unwrap();
    assert_eq!(rate.requests, 4);
}
