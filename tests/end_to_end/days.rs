//! Days of quota in virtual time: runs that wait for the next day or month, with wrong clocks and
//! small quotas.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vthost::clock::{Clock, UnixMs};
use vthost::quota::{Limits, Usage, finish_ms};
use vthost::store::Store;
use vthost::triage::account::reconcile;
use vthost::triage::outcome::{Reporter, RunEnd, TriageOutcome, WhenSpent};
use vthost::triage::{Cause, Finding, LookupPlan, Share};
use vthost::virustotal::{Client, HttpRequest, Sending, Transport};
use vthost_simulator::{DEMO_KEY, Options, QuotaLimits, Request, Simulator};

use crate::crash::{asked_again, url_in};
use crate::direct::Direct;
use crate::limiter::{domains, most_in_any_window};
use crate::support::{
    FastClock, TriageOptions, block_on, lookup, new_urls, on_each_store, planned, scanning,
    triage_in,
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A clock of the machine with an error, in milliseconds.
struct WrongClock {
    right: FastClock,
    ahead_ms: AtomicI64,
}

impl Clock for WrongClock {
    fn now_ms(&self) -> UnixMs {
        self.right.now_ms() + self.ahead_ms.load(Ordering::SeqCst)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.right.sleep(duration)
    }
}

/// A simulated VirusTotal with the correct time, and a machine.
struct World<'a> {
    direct: Arc<Direct>,
    clock: WrongClock,
    store: &'a Store,
}

impl<'a> World<'a> {
    fn new(limits: QuotaLimits, store: &'a Store) -> Self {
        let options = Options {
            limits,
            ..Options::default()
        };
        Self::with(options, store)
    }

    fn with(options: Options, store: &'a Store) -> Self {
        let right = FastClock::at_noon();
        let simulator = Simulator::new(options);
        Self {
            direct: Arc::new(Direct::new(simulator, &right, vec![0])),
            clock: WrongClock {
                right,
                ahead_ms: AtomicI64::new(0),
            },
            store,
        }
    }

    fn set_ahead(&self, ms: i64) {
        self.clock.ahead_ms.store(ms, Ordering::SeqCst);
    }

    fn run(
        &self,
        names: &[String],
        limits: Limits,
        triage_options: TriageOptions<'_>,
    ) -> TriageOutcome {
        self.climb(lookup(Share::Hash), names, limits, triage_options)
    }

    fn climb(
        &self,
        lookup: LookupPlan,
        names: &[String],
        limits: Limits,
        triage_options: TriageOptions<'_>,
    ) -> TriageOutcome {
        let values: Vec<&str> = names.iter().map(String::as_str).collect();
        let client = Client::new(self.direct.clone());
        let planned = planned(&values);
        triage_in(
            triage_options,
            &client,
            self.store,
            &self.clock,
            limits,
            lookup,
            planned,
        )
    }

    /// The times of the answers, and their statuses.
    fn answers(&self) -> Vec<(i64, u16)> {
        let simulator = self.direct.simulator();
        let log = simulator.log().iter();
        log.map(|logged| (logged.time_ms, logged.status)).collect()
    }
}

const WAITING: TriageOptions<'static> = TriageOptions {
    user: None,
    when_spent: WhenSpent::Wait,
    reporter: None,
};

#[test]
fn several_days_take_the_least_time_that_the_quota_allows() {
    on_each_store(|store| weekend(2_000, store));
    weekend(1_500, &Store::in_memory().unwrap());
}

fn weekend(count: usize, store: &Store) {
    let world = World::new(QuotaLimits::default(), store);
    let begun = world.clock.now_ms();
    let done = world.run(&domains(count), Limits::default(), WAITING);
    assert_eq!(
        (done.ended, done.requests),
        (RunEnd::Done, count as u64),
        "{count}"
    );
    assert!(
        done.findings
            .iter()
            .all(|finding| finding.cause == Cause::Judged)
    );
    let answers = world.answers();
    assert!(answers.iter().all(|(_, status)| *status == 200));
    let times: Vec<i64> = answers.iter().map(|(time, _)| *time).collect();
    assert!(most_in_any_window(&times, 60_000) <= 4);
    let least = finish_ms(count as u64, &Usage::default(), begun, &Limits::default()) - begun;
    let took = world.clock.now_ms() - begun;
    assert!(
        (least..=least + least / 50).contains(&took),
        "{took} for {least}"
    );
}

#[test]
fn clock_set_back_between_runs_exceeds_no_quota() {
    let store = &Store::in_memory().unwrap();
    let world = World::new(QuotaLimits::default(), store);
    let names = domains(1_500);
    let before = world.run(&names[..300], Limits::default(), WAITING);
    assert_eq!(before.ended, RunEnd::Done);
    world.set_ahead(-HOUR_MS);
    let after = world.run(&names, Limits::default(), WAITING);
    assert_eq!((after.ended, after.requests), (RunEnd::Done, 1_200));
    assert!(world.answers().iter().all(|(_, status)| *status == 200));
}

/// Sets the clock back by an hour when this many indicators are left.
struct SetBack<'a> {
    clock: &'a WrongClock,
    when_left: usize,
}

impl Reporter for SetBack<'_> {
    fn found(&self, _finding: &Finding, left: usize) {
        if left == self.when_left {
            self.clock.ahead_ms.store(-HOUR_MS, Ordering::SeqCst);
        }
    }
    fn waiting(&self, _until_ms: UnixMs, _left: usize) {}
    fn retrying(&self, _reason: &str) {}
    fn spent(&self, _reason: &str, _so_far: &[Finding]) {}
}

#[test]
fn clock_set_back_during_a_run_exceeds_no_quota() {
    let quota = QuotaLimits {
        per_day: 50,
        ..QuotaLimits::default()
    };
    let limits = Limits {
        per_day: 50,
        ..Limits::default()
    };
    // Early in the day, when the quota of the day is spent, and on the next day.
    for when_left in [68, 20, 5] {
        on_each_store(|store| {
            let world = World::new(quota, store);
            let set_back = SetBack {
                clock: &world.clock,
                when_left,
            };
            let triage_options = TriageOptions {
                reporter: Some(&set_back),
                ..WAITING
            };
            let done = world.run(&domains(70), limits, triage_options);
            assert_eq!((done.ended, done.requests), (RunEnd::Done, 70));
            let ahead_ms = world.clock.ahead_ms.load(Ordering::SeqCst);
            assert_eq!(ahead_ms, -HOUR_MS, "it was set back");
            let answers = world.answers();
            assert!(answers.iter().all(|(_, status)| *status == 200));
            let times: Vec<i64> = answers.iter().map(|(time, _)| *time).collect();
            assert!(most_in_any_window(&times, 60_000) <= 4);
            // The clock's midnight is an hour late; twenty take five minutes.
            let last = times.last().unwrap() - FastClock::at_noon().now_ms();
            assert!(last < 13 * HOUR_MS + HOUR_MS / 4, "{last}");
        });
    }
}

#[test]
fn fast_clock_delays_a_run_by_hours_at_most() {
    let store = &Store::in_memory().unwrap();
    let world = World::new(QuotaLimits::default(), store);
    world.set_ahead(2 * HOUR_MS);
    let done = world.run(&domains(600), Limits::default(), WAITING);
    assert_eq!(done.ended, RunEnd::Done);
    assert!(
        done.findings
            .iter()
            .all(|finding| finding.cause == Cause::Judged)
    );
    let answers = world.answers();
    let refused = answers.iter().filter(|(_, status)| *status == 429).count();
    assert!(refused > 0 && refused < 10, "{refused}");
    let last = answers.last().unwrap().0;
    assert!(
        last < FastClock::at_noon().now_ms() + 15 * HOUR_MS,
        "{last}"
    );
}

#[test]
fn the_quota_of_the_month_is_kept() {
    let store = &Store::in_memory().unwrap();
    let world = World::new(QuotaLimits::default(), store);
    let limits = Limits {
        per_month: 600,
        ..Limits::default()
    };
    let done = world.run(&domains(700), limits, WAITING);
    assert_eq!(done.ended, RunEnd::Done);
    // The run starts on the first of May.
    let june = FastClock::at_noon().now_ms() - 12 * HOUR_MS + 31 * DAY_MS;
    let answers = world.answers();
    let in_may = answers.iter().filter(|(time, _)| *time < june).count();
    assert_eq!((in_may, answers.len()), (600, 700));
}

#[test]
fn quota_of_one_request_a_day_is_kept() {
    on_each_store(|store| {
        let world = World::new(
            QuotaLimits {
                per_day: 1,
                ..QuotaLimits::default()
            },
            store,
        );
        let limits = Limits {
            per_day: 1,
            ..Limits::default()
        };
        let done = world.run(&domains(3), limits, WAITING);
        assert_eq!((done.ended, done.requests), (RunEnd::Done, 3));
        let answers = world.answers();
        let days: Vec<i64> = answers
            .iter()
            .map(|(time, _)| time.div_euclid(DAY_MS))
            .collect();
        assert_eq!(days, [days[0], days[0] + 1, days[0] + 2]);
        assert!(answers.iter().all(|(_, status)| *status == 200));
    });
}

#[test]
fn requests_of_other_programs_are_reconciled_and_reported() {
    on_each_store(|store| {
        let world = World::new(
            QuotaLimits {
                per_day: 10,
                ..QuotaLimits::default()
            },
            store,
        );
        let others = Request {
            method: "GET".into(),
            path: "/api/v3/domains/example.org".into(),
            headers: vec![("x-apikey".into(), DEMO_KEY.into())],
            body: Vec::new(),
        };
        for hours in (1..=8).rev() {
            let then = world.clock.now_ms() - hours * HOUR_MS;
            world.direct.simulator().handle(then, &others);
        }
        let triage_options = TriageOptions {
            user: Some("demo"),
            ..TriageOptions::default()
        };
        let limits = Limits {
            per_day: 10,
            ..Limits::default()
        };
        let done = world.run(&domains(5), limits, triage_options);
        let midnight = FastClock::at_noon().now_ms() + 12 * HOUR_MS;
        assert_eq!(
            done.ended,
            RunEnd::QuotaSpent {
                resumes_ms: midnight,
                reason: "the day's quota is spent".into()
            }
        );
        let causes: Vec<Cause> = done.findings.iter().map(|finding| finding.cause).collect();
        use Cause::{Judged, NotAsked};
        assert_eq!(causes, [Judged, Judged, NotAsked, NotAsked, NotAsked]);
    });
}

/// Records the reasons for retries.
#[derive(Default)]
struct Reasons(Mutex<Vec<String>>);

impl Reporter for Reasons {
    fn found(&self, _finding: &Finding, _left: usize) {}
    fn waiting(&self, _until_ms: UnixMs, _left: usize) {}
    fn retrying(&self, reason: &str) {
        self.0.lock().unwrap().push(reason.to_owned());
    }
    fn spent(&self, _reason: &str, _so_far: &[Finding]) {}
}

#[test]
fn without_a_user_the_second_refusal_reports_the_ledger() {
    on_each_store(|store| {
        let quota = QuotaLimits {
            per_day: 2,
            ..QuotaLimits::default()
        };
        let world = World::new(quota, store);
        let reasons = Reasons::default();
        let triage_options = TriageOptions {
            reporter: Some(&reasons),
            ..TriageOptions::default()
        };
        let done = world.run(&domains(3), Limits::default(), triage_options);
        let refused = "VirusTotal reports that the quota is used up: \
                       QuotaExceededError: Quota exceeded";
        let known = |requests: usize| {
            format!(
                "{refused}; the ledger has {requests} of 500 requests of the day and \
                 {requests} of 15500 of the month; use --vt-user to learn which limit is reached"
            )
        };
        // Two answers, then a refusal every 61 seconds.
        assert_eq!(*reasons.0.lock().unwrap(), [refused.to_owned(), known(4)]);
        let RunEnd::QuotaSpent { reason, .. } = done.ended else {
            panic!("{:?}", done.ended);
        };
        let expected = format!("{}; something else uses this key or this network", known(5));
        assert_eq!(reason, expected);
        let begun = FastClock::at_noon().now_ms();
        let answers = world.answers();
        let answers: Vec<(i64, u16)> = answers
            .iter()
            .map(|(time, status)| (time - begun, *status))
            .collect();
        assert_eq!(
            answers,
            [(0, 200), (0, 200), (0, 429), (61_000, 429), (122_000, 429)]
        );
    });
}

/// Records the results of a run when it waits.
#[derive(Default)]
struct Kept(Mutex<Vec<Vec<Finding>>>);

impl Reporter for Kept {
    fn found(&self, _finding: &Finding, _left: usize) {}
    fn waiting(&self, _until_ms: UnixMs, _left: usize) {}
    fn retrying(&self, _reason: &str) {}
    fn spent(&self, _reason: &str, so_far: &[Finding]) {
        self.0.lock().unwrap().push(so_far.to_vec());
    }
}

#[test]
fn waiting_run_reports_its_findings_so_far() {
    let store = Store::in_memory().unwrap();
    let quota = QuotaLimits {
        per_day: 2,
        ..QuotaLimits::default()
    };
    let world = World::new(quota, &store);
    let limits = Limits {
        per_day: 2,
        ..Limits::default()
    };
    let kept = Kept::default();
    let triage_options = TriageOptions {
        reporter: Some(&kept),
        ..WAITING
    };
    let done = world.run(&domains(5), limits, triage_options);
    assert_eq!(done.ended, RunEnd::Done);
    let causes = |so_far: &Vec<Finding>| -> Vec<Cause> {
        so_far.iter().map(|finding| finding.cause).collect()
    };
    let kept: Vec<_> = kept.0.lock().unwrap().iter().map(causes).collect();
    use Cause::{Judged, NotAsked};
    assert_eq!(
        kept,
        [
            [Judged, Judged, NotAsked, NotAsked, NotAsked],
            [Judged, Judged, Judged, Judged, NotAsked],
        ]
    );
}

#[test]
fn free_polls_leave_the_quota_of_the_day_to_submissions() {
    let triage_options = TriageOptions {
        user: Some("demo"),
        ..TriageOptions::default()
    };
    let check = |meter_analyses: bool, expected: [u64; 2]| {
        on_each_store(|store| {
            let quota = QuotaLimits {
                per_day: 10,
                ..QuotaLimits::default()
            };
            let world = World::with(
                Options {
                    limits: quota,
                    meter_analyses,
                    analysis_ms: 50_000,
                    ..Options::default()
                },
                store,
            );
            let limits = Limits {
                per_day: 10,
                ..Limits::default()
            };
            let client = Client::new(world.direct.clone());
            let mut judged = [0, 0];
            for judged in &mut judged {
                let done = world.climb(scanning(), &new_urls(30), limits, triage_options);
                let is_judged = |finding: &&Finding| finding.cause == Cause::Judged;
                *judged = done.findings.iter().filter(is_judged).count() as u64;
                let told = reconcile(&client, "demo", store, "test", world.clock.now_ms());
                block_on(told).unwrap().unwrap();
                world.clock.right.advance(Duration::from_secs(24 * 3600));
            }
            assert_eq!(judged, expected);
            assert!(world.answers().iter().all(|(_, status)| *status == 200));
        });
    };
    // Of the ten requests of a day, six are submissions, and four analyses complete in time. If polls
    // are charged, the next day has the two other polls, and four of both; if they are free, which
    // is known by then, it has ten submissions.
    check(true, [4, 10]);
    check(false, [4, 16]);
}

/// A transport on which one program in six is killed during a request, before or after VirusTotal
/// received it.
struct Deadly {
    way: Arc<Direct>,
    chance: AtomicU32,
}

impl Transport for Deadly {
    fn send(&self, request: HttpRequest) -> Sending<'_> {
        // Deterministic, so that a failure is reproducible.
        let next = |last: u32| last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let last = self.chance.load(Ordering::SeqCst);
        self.chance.store(next(last), Ordering::SeqCst);
        let die = |turn| {
            if (next(last) >> 16) % 12 == turn {
                resume_unwind(Box::new("killed"));
            }
        };
        die(0);
        let sending = self.way.send(request);
        die(1);
        sending
    }
}

#[test]
fn runs_killed_for_days_exceed_no_quota_and_lose_no_answer() {
    for seed in 0..3 {
        on_each_store(|store| die_for_days(seed, store));
    }
}

fn die_for_days(seed: u32, store: &Store) {
    let quota = QuotaLimits {
        per_day: 10,
        ..QuotaLimits::default()
    };
    let world = World::new(quota, store);
    let limits = Limits {
        per_day: 10,
        ..Limits::default()
    };
    let client = Client::new(Arc::new(Deadly {
        way: world.direct.clone(),
        chance: AtomicU32::new(seed),
    }));
    let urls = new_urls(6);
    let names: Vec<String> = domains(18).into_iter().chain(urls.clone()).collect();
    let values: Vec<&str> = names.iter().map(String::as_str).collect();
    let climb = || {
        let (lookup, planned) = (lookup(Share::Submit), planned(&values));
        triage_in(
            WAITING,
            &client,
            store,
            &world.clock,
            limits,
            lookup,
            planned,
        )
    };
    let mut deaths = 0;
    let done = loop {
        match catch_unwind(AssertUnwindSafe(climb)) {
            Ok(done) => break done,
            Err(_) => deaths += 1,
        }
    };
    assert_eq!(done.ended, RunEnd::Done);
    let is_judged = |finding: &Finding| finding.cause == Cause::Judged;
    assert_eq!(done.findings.len(), 24);
    assert!(done.findings.iter().all(is_judged), "{seed}");

    let simulator = world.direct.simulator();
    let log = simulator.log();
    let times: Vec<i64> = log.iter().map(|logged| logged.time_ms).collect();
    assert!(most_in_any_window(&times, 60_000) <= 4);
    let mut days: BTreeMap<i64, usize> = BTreeMap::new();
    for time in &times {
        *days.entry(time.div_euclid(DAY_MS)).or_default() += 1;
    }
    // 18 domains, and for each URL the hash, the submission and the analysis.
    assert!(days.len() >= 4, "{days:?}");
    assert!(days.values().all(|requests| *requests <= 10), "{days:?}");
    let again = asked_again(log);
    assert!(deaths > 0 && again <= deaths, "{again} after {deaths}");
    let posts = log.iter().filter(|logged| logged.method == "POST");
    let handed_in: Vec<String> = posts.map(url_in).collect();
    assert_eq!(handed_in.len(), 6, "{handed_in:?}");
    assert!(
        urls.iter().all(|url| handed_in.contains(url)),
        "{handed_in:?}"
    );
}
