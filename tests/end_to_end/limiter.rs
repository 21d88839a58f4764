//! No window has more requests than the quota allows.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use vthost::clock::Clock as _;
use vthost::quota::{Limits, Rate, Usage, finish_ms};
use vthost::store::Store;
use vthost::triage::outcome::{RunEnd, TriageOutcome};
use vthost::triage::{Cause, Finding, LookupPlan, Share};
use vthost::verdict::{Scope, Verdict};
use vthost::virustotal::Client;
use vthost_simulator::{Effect, Fault, Logged, Options, QuotaLimits, Simulator, Unlisted};

use crate::direct::Direct;
use crate::support::{
    FastClock, Home, lookup, new_urls, on_each_store, patient, planned, scanning, serve, triage,
};

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

/// A schedule of runs, and of the faults of their requests.
#[derive(Debug, Clone)]
struct Schedule {
    count: usize,
    delays_ms: Vec<u64>,
    faults: u32,
    restarts: usize,
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let delays_ms = prop::collection::vec(0..4_000_u64, 1..20);
    (1..40_usize, delays_ms, 0..5_u32, 1..4_usize).prop_map(
        |(count, delays_ms, faults, restarts)| Schedule {
            count,
            delays_ms,
            faults,
            restarts,
        },
    )
}

/// Runs a schedule and returns the requests that VirusTotal saw.
fn keep_to(schedule: Schedule, store: &Store) -> Vec<Logged> {
    let clock = FastClock::at_noon();
    let mut simulator = Simulator::default();
    let error = Effect::Html(502);
    simulator.add_fault(Fault::new("host[0-3]", schedule.faults, error).unwrap());
    let direct = Arc::new(Direct::new(simulator, &clock, schedule.delays_ms));
    let client = Client::new(direct.clone());
    let names = domains(schedule.count);
    let mut total = 0;
    for part in names.chunks(schedule.count.div_ceil(schedule.restarts)) {
        let values: Vec<&str> = part.iter().map(String::as_str).collect();
        let planned = planned(&values);
        let limits = Limits::default();
        let done = triage(&client, store, &clock, limits, lookup(Share::Hash), planned);
        assert_eq!(done.ended, RunEnd::Done);
        total += done.findings.len();
    }
    assert_eq!(total, schedule.count);
    direct.simulator().log().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_minute_has_more_than_four_requests(schedule in schedules()) {
        on_each_store(|store| {
            let log = keep_to(schedule.clone(), store);
            let times: Vec<i64> = log.iter().map(|logged| logged.time_ms).collect();
            assert!(most_in_any_window(&times, 60_000) <= 4);
            assert!(log.iter().all(|logged| logged.status != 429));
        });
    }
}

#[test]
fn run_takes_the_least_time_that_the_quota_allows() {
    let check = |count: usize, store: &Store| {
        let clock = FastClock::at_noon();
        let begun = clock.now_ms();
        let direct = Direct::new(Simulator::default(), &clock, vec![0]);
        let names = domains(count);
        let values: Vec<&str> = names.iter().map(String::as_str).collect();
        let limits = Limits::default();
        let done = triage(
            &Client::new(Arc::new(direct)),
            store,
            &clock,
            limits,
            lookup(Share::Hash),
            planned(&values),
        );
        assert_eq!(done.ended, RunEnd::Done);
        let minimum = finish_ms(count as u64, &Usage::default(), begun, &limits) - begun;
        let took = clock.now_ms() - begun;
        assert!(
            took >= minimum && took <= minimum + minimum / 50,
            "{took} for {minimum}"
        );
    };
    for count in [4, 100, 500] {
        on_each_store(|store| check(count, store));
    }
}

#[test]
fn spent_day_ends_the_run_and_the_next_run_resumes() {
    on_each_store(|store| {
        let clock = FastClock::at_noon();
        let limits = Limits {
            per_day: 3,
            ..Limits::default()
        };
        let simulator = Simulator::new(Options {
            limits: QuotaLimits {
                per_day: 3,
                ..QuotaLimits::default()
            },
            ..Options::default()
        });
        let direct = Arc::new(Direct::new(simulator, &clock, vec![10]));
        let client = Client::new(direct.clone());
        let names = domains(5);
        let values: Vec<&str> = names.iter().map(String::as_str).collect();
        let run = || {
            let planned = planned(&values);
            triage(&client, store, &clock, limits, lookup(Share::Hash), planned)
        };
        let first = run();
        assert!(matches!(first.ended, RunEnd::QuotaSpent { .. }));
        assert_eq!(first.requests, 3);
        clock.advance(Duration::from_secs(12 * 3600));
        let second = run();
        assert_eq!((second.ended, second.requests), (RunEnd::Done, 2));
        let log = direct.simulator();
        assert!(log.log().iter().all(|logged| logged.status == 200));
    });
}

#[test]
fn pending_analysis_leaves_slots_to_other_requests() {
    on_each_store(|store| {
        let clock = FastClock::at_noon();
        let simulator = Simulator::new(Options {
            analysis_ms: 50_000,
            ..Options::default()
        });
        let direct = Arc::new(Direct::new(simulator, &clock, vec![0]));
        let client = Client::new(direct.clone());
        let values = ["http://www.example.com/evil", "http://www.example.com/new"];
        let planned = planned(&values);
        let limits = Limits::default();
        let done = triage(
            &client,
            store,
            &clock,
            limits,
            lookup(Share::Submit),
            planned,
        );
        assert_eq!(done.ended, RunEnd::Done);
        let simulator = direct.simulator();
        let lines: Vec<&str> = simulator
            .log()
            .iter()
            .map(|logged| logged.method.as_str())
            .collect();
        // The host, two hashes and a submission use the minute. Then the analysis is due, and is
        // polled first.
        assert_eq!(lines, ["GET", "GET", "GET", "POST", "GET", "POST", "GET"]);
        let is_exact = |finding: &Finding| {
            let evidence = finding.evidence.as_ref();
            evidence.is_some_and(|evidence| evidence.scope == Scope::Exact)
        };
        assert!(done.findings.iter().all(is_exact));
    });
}

#[test]
fn polls_back_off_and_an_unfinished_analysis_is_no_verdict() {
    on_each_store(|store| {
        let clock = FastClock::at_noon();
        // In progress from 90 seconds on, without a result.
        let simulator = Simulator::new(Options {
            analysis_ms: 3_600_000,
            progress_ms: 3_600_000 - 90_000,
            ..Options::default()
        });
        let direct = Arc::new(Direct::new(simulator, &clock, vec![0]));
        let client = Client::new(direct.clone());
        let run = || {
            let planned = planned(&["http://evil.example.com/new"]);
            let limits = Limits::default();
            triage(&client, store, &clock, limits, scanning(), planned)
        };
        let outcome = |done: &TriageOutcome| {
            assert_eq!(done.ended, RunEnd::Done);
            (done.findings[0].verdict, done.findings[0].cause)
        };
        let begun = clock.now_ms();
        assert_eq!(outcome(&run()), (Verdict::Unknown, Cause::Pending));
        let log = direct.simulator().log().to_vec();
        let asked = log.iter().map(|logged| {
            let after_s = (logged.time_ms - begun) / 1000;
            (logged.method.as_str(), after_s)
        });
        // After 60, 120, 240 and 480 seconds.
        assert_eq!(
            asked.collect::<Vec<_>>(),
            [
                ("POST", 0),
                ("GET", 60),
                ("GET", 180),
                ("GET", 420),
                ("GET", 900),
            ]
        );
        clock.advance(Duration::from_secs(3600));
        assert_eq!(outcome(&run()), (Verdict::Bad, Cause::Judged));
        assert_eq!(direct.simulator().log().len(), 6);
    });
}

#[test]
fn reserved_requests_are_not_sent() {
    let home = Home::new();
    let list = home.write("list.txt", domains(8).join("\n"));
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let run = |reserve: &str| {
        let args = [
            "--rate",
            "1000/s",
            "--per-day",
            "10",
            "--reserve",
            reserve,
            "--vt-url",
            &url,
            &list,
        ];
        home.run(&args)
    };
    let first = run("4");
    assert_eq!(first.status, Some(4), "{}", first.stderr);
    assert!(
        first.stderr.contains("2 indicators are left"),
        "{}",
        first.stderr
    );
    assert_eq!(server.log().len(), 6);
    let second = run("0");
    assert_eq!(second.status, Some(0), "{}", second.stderr);
    assert_eq!(server.log().len(), 8);
}

#[test]
fn no_slot_is_unused_while_a_request_is_open() {
    let check =
        |lookup: LookupPlan, hosts: Unlisted, urls: &[String], requests: u64, store: &Store| {
            let clock = FastClock::at_noon();
            let begun = clock.now_ms();
            let simulator = Simulator::new(Options {
                analysis_ms: 60_000,
                unlisted_hosts: hosts,
                ..Options::default()
            });
            let direct = Arc::new(Direct::new(simulator, &clock, vec![0]));
            let values: Vec<&str> = urls.iter().map(String::as_str).collect();
            let client = Client::new(direct.clone());
            let limits = Limits::default();
            let done = triage(&client, store, &clock, limits, lookup, planned(&values));
            assert_eq!(done.ended, RunEnd::Done);
            assert_eq!(done.requests, requests);
            let minimum = finish_ms(requests, &Usage::default(), begun, &limits) - begun;
            let took = clock.now_ms() - begun;
            assert!(
                (minimum..=minimum + minimum / 50).contains(&took),
                "{took} for {minimum}"
            );
            let simulator = direct.simulator();
            assert!(simulator.log().iter().all(|logged| logged.status != 429));
        };
    let known = Unlisted::Known;
    // Each takes a submission and one poll, because an analysis takes a minute.
    for count in [4, 100, 250] {
        let store = Store::in_memory().unwrap();
        check(
            scanning(),
            known,
            &new_urls(count),
            2 * count as u64,
            &store,
        );
    }
    on_each_store(|store| check(scanning(), known, &new_urls(20), 40, store));
    // On lower tiers, the reports on host and URL are looked up first; for an unknown site, the report
    // on the host once for all its URLs.
    let lookup = lookup(Share::Submit);
    on_each_store(|store| check(lookup, known, &new_urls(20), 80, store));
    let new_sites: Vec<String> = (0..100)
        .map(|n| format!("http://host{}.example.com/{n}", n % 5))
        .collect();
    on_each_store(|store| check(lookup, Unlisted::NeverSeen, &new_sites, 5 + 200, store));
}

#[test]
fn the_program_keeps_its_rate_in_real_time() {
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
