//! `kill -9` at any moment, then the same command: only the request in flight is repeated, no URL is
//! submitted twice, and the outputs equal those of an uninterrupted run.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::Duration;

use vthost_simulator::{Effect, Fault, Logged, Server, Simulator, url_id};

use crate::limiter::most_in_any_window;
use crate::support::{Home, on_each_location, patient, serve};
use vthost_testing::TestSchema;

const FILES: [&str; 4] = [
    "bad-domain.txt",
    "good-domain.txt",
    "unknown-domain.txt",
    "results.jsonl",
];

fn list(count: usize) -> String {
    let line = |n: usize| match n % 5 {
        0 => format!("evil{n}.example.com\n"),
        1 => format!("http://host{n}.example.com/path\n"),
        2 => format!("10.0.0.{n}\n"),
        _ => format!("host{n}.example.net\n"),
    };
    (0..count).map(line).collect()
}

/// Runs the command and kills it whenever the simulator has seen another
/// `every` requests; returns the number of kills.
fn run_with_kills(home: &Home, server: &Server, args: &[&str], every: usize) -> usize {
    let mut kills = 0;
    loop {
        let stop_at = server.log().len() + every;
        let mut child = home.vthost(args).stderr(Stdio::null()).spawn().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if server.log().len() >= stop_at {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::yield_now();
        };
        match status {
            Some(status) => {
                assert_eq!(status.code(), Some(0));
                return kills;
            }
            None => kills += 1,
        }
    }
}

fn counted(log: &[Logged], method: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for logged in log.iter().filter(|logged| logged.method == method) {
        *counts
            .entry(format!("{} {}", logged.path, logged.body))
            .or_default() += 1;
    }
    counts
}

#[test]
fn killed_run_is_resumed() {
    on_each_location(killed_and_continued);
}

fn killed_and_continued(store: &str) {
    let home = Home::new();
    let list = home.write("list.txt", list(40));
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let args = |store| {
        [
            "--rate",
            "1000/s",
            "--timeout",
            "1s",
            "--vt-url",
            &url,
            "--out",
            "whole",
            "--store",
            store,
            &list,
        ]
    };
    let reference = Home::new();
    let ran = reference.run(&args("store.sqlite"));
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let asked_at_once = server.log().len();

    let killed = args(store);
    let kills = run_with_kills(&home, &server, &killed, 3);
    assert!(kills > 5, "{kills}");
    let log = &server.log()[asked_at_once..];
    let repeated: usize = counted(log, "GET").values().map(|count| count - 1).sum();
    assert!(
        repeated <= kills,
        "{repeated} asked again after {kills} kills"
    );
    for file in FILES {
        assert_eq!(
            home.read(&format!("whole/{file}")),
            reference.read(&format!("whole/{file}")),
            "{file}"
        );
    }

    let before = server.log().len();
    let again = home.run(&killed);
    assert_eq!(again.status, Some(0));
    assert_eq!(
        server.log().len(),
        before,
        "the same command again asks nothing"
    );
}

#[test]
fn no_url_is_submitted_twice() {
    on_each_location(submitted_once);
}

fn submitted_once(store: &str) {
    let home = Home::new();
    let list = home.write("list.txt", list(15));
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let args = [
        "--share",
        "submit",
        "--rescan",
        "--poll-after",
        "1ms",
        "--rate",
        "1000/s",
        "--timeout",
        "1s",
        "--vt-url",
        &url,
        "--out",
        "out",
        "--store",
        store,
        &list,
    ];
    let kills = run_with_kills(&home, &server, &args, 2);
    assert!(kills > 5, "{kills}");
    for (url, count) in counted(&server.log(), "POST") {
        assert_eq!(count, 1, "{url}");
    }
    let verdicts = home.read("out/bad-domain.txt").lines().count()
        + home.read("out/good-domain.txt").lines().count();
    assert_eq!(verdicts, 12);
    assert_eq!(home.read("out/unknown-domain.txt").lines().count(), 3);
}

#[test]
#[cfg(unix)]
fn interrupted_run_keeps_its_findings_and_is_resumed() {
    let home = Home::new();
    let list = home.write("list.txt", list(10));
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let args = |rate| {
        [
            "--rate", rate, "--vt-url", &url, "--out", "out", "--store", "s", &list,
        ]
    };
    // Three requests, enough for a domain and a URL, and then a long wait.
    let mut child = home
        .vthost(&args("3/h"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let verdicts = || {
        let lines = |name: &str| {
            let text = std::fs::read_to_string(home.path(name)).unwrap_or_default();
            text.lines().count()
        };
        lines("out/bad-domain.txt") + lines("out/good-domain.txt")
    };
    while verdicts() < 2 {
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let results = home.read("out/results.jsonl");
    assert_eq!(
        results.matches("\"cause\":\"judged\"").count(),
        2,
        "{results}"
    );
    assert_eq!(
        results.matches("\"cause\":\"not-asked\"").count(),
        6,
        "{results}"
    );
    assert_eq!(home.run(&args("1000/s")).status, Some(0));
    let asked = counted(&server.log(), "GET");
    assert!(asked.values().all(|count| *count == 1), "{asked:?}");
}

/// Requests in a window, for the account and for the command: few, so that the runs wait for the quota.
const PER_WINDOW: usize = 20;
const WINDOW_MS: i64 = 1_000;
const PER_DAY: usize = 10_000;

/// The number of URLs, and of internal names and addresses. A URL and its host take seven requests, so
/// that every process always has work.
const URLS: usize = 150;

/// A simulator that fails one request in ten, in alternating ways.
fn stormy() -> Simulator {
    let unavailable = Effect::Error {
        status: 503,
        code: "TransientError".into(),
        message: "later".into(),
        retry_after_s: None,
    };
    let gets = vec![
        unavailable.clone(),
        Effect::TruncatedJson,
        Effect::Html(502),
        Effect::Reset,
        Effect::Cut,
        Effect::Empty,
        Effect::CorruptGzip,
    ];
    // Some of these requests have an effect although they fail.
    let posts = vec![
        Effect::Reset,
        Effect::Cut,
        unavailable,
        Effect::TruncatedJson,
        Effect::CorruptGzip,
    ];
    let mut simulator = simulator();
    simulator.add_fault(Fault::every("^GET ", 10, gets).unwrap());
    simulator.add_fault(Fault::every("^POST ", 10, posts).unwrap());
    simulator
}

/// A simulator with one date for all scans, so that outputs can be compared.
fn simulator() -> Simulator {
    let mut options = patient();
    options.limits.per_window = PER_WINDOW;
    options.limits.window_ms = WINDOW_MS;
    options.limits.per_day = PER_DAY;
    options.dated_s = Some(4_102_444_800); // 2100-01-01T00:00:00Z
    Simulator::new(options)
}

/// Concurrent runs that share a store, each killed many times.
struct Storm<'a> {
    home: &'a Home,
    server: &'a Server,
    store: &'a str,
    list: &'a str,
    kills_each: usize,
    /// Set when every process was killed as often as required, so that no run finishes before.
    is_over: Barrier,
}

/// Waits for the others also if a check fails, so that they do not wait forever.
struct WaitsForOthers<'a>(&'a Barrier);

impl Drop for WaitsForOthers<'_> {
    fn drop(&mut self) {
        self.0.wait();
    }
}

impl Storm<'_> {
    /// Returns when all runs are done.
    fn rage(&self, processes: usize) {
        std::thread::scope(|scope| {
            for process in 0..processes {
                scope.spawn(move || self.run(process));
            }
        });
    }

    fn run(&self, process: usize) {
        let over = WaitsForOthers(&self.is_over);
        // Deterministic, so that a failure is reproducible, but different for each process.
        let mut seed = 0x9e37_79b9_u32.wrapping_mul(process as u32 + 1);
        for kill in 0..self.kills_each {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let more = 1 + (seed >> 16) as usize % 4;
            let later_ms = u64::from(seed >> 24) % 20;
            let stop_at = self.seen_of(process) + more;
            let mut child = self.start(process);
            while self.seen_of(process) < stop_at {
                let ended = child.try_wait().unwrap();
                assert_eq!(ended, None, "it was done after {kill} kills");
                std::thread::sleep(Duration::from_millis(1));
            }
            // During the answer, while it is stored, or while waiting for a slot.
            std::thread::sleep(Duration::from_millis(later_ms));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        drop(over);
        assert_eq!(self.start(process).wait().unwrap().code(), Some(0));
    }

    fn start(&self, process: usize) -> Child {
        let url = format!("{}{}", self.server.url(), gateway(process));
        let rate = format!("{PER_WINDOW}/{WINDOW_MS}ms");
        let (per_day, out) = (PER_DAY.to_string(), format!("out{process}"));
        let args = [
            "--rate",
            &rate,
            "--per-day",
            &per_day,
            "--timeout",
            "3s",
            "--parser",
            "list",
            "--poll-after",
            "10ms",
            "--share",
            "submit",
            "--vt-url",
            &url,
            "--store",
            self.store,
            "--out",
            &out,
            self.list,
        ];
        let mut command = self.home.vthost(&args);
        command.stderr(Stdio::null()).spawn().unwrap()
    }

    /// The number of requests of a process that the simulator received.
    fn seen_of(&self, process: usize) -> usize {
        let simulator = self.server.simulator();
        let log = simulator.log().iter();
        log.filter(|logged| logged.path.starts_with(&gateway(process)))
            .count()
    }
}

fn most_in_a_window(log: &[Logged]) -> usize {
    let times: Vec<i64> = log.iter().map(|logged| logged.time_ms).collect();
    most_in_any_window(&times, WINDOW_MS)
}

/// The prefix of a process's paths, which identifies its requests.
fn gateway(process: usize) -> String {
    format!("/gateway{process}")
}

/// The look-ups of a submission whose answer was lost.
pub(crate) const LOOKS: usize = 4;

/// The number of repeated requests. Look-ups of a submission whose answer was lost are not counted.
pub(crate) fn asked_again(log: &[Logged]) -> usize {
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    let mut handed_in = BTreeSet::new();
    for logged in log {
        let (_, question) = logged.path.split_once("/api/v3/").unwrap();
        if logged.method == "POST" {
            handed_in.insert(format!("urls/{}", url_id(&url_in(logged))));
        } else if !handed_in.contains(question) {
            *asked.entry(question).or_default() += 1;
        }
    }
    let again = asked.values().map(|count| match count {
        // The submission itself was cut off.
        count if *count > LOOKS => count - LOOKS,
        count => count - 1,
    });
    again.sum()
}

pub(crate) fn url_in(logged: &Logged) -> String {
    let mut fields = url::form_urlencoded::parse(logged.body.as_bytes());
    fields.next().unwrap().1.into_owned()
}

/// Serialises the tests, because each loads the whole machine.
static ONE_STORM: Mutex<()> = Mutex::new(());

#[test]
fn runs_that_share_a_file_survive_kills() {
    with_one_two_and_four_processes(|ordeal| ordeal.survive("store.sqlite"));
}

#[test]
fn runs_that_share_a_server_survive_kills() {
    with_one_two_and_four_processes(|ordeal| {
        if let Some(schema) = TestSchema::new() {
            ordeal.survive(&schema.url());
        }
    });
}

/// The kills that some processes must survive, and the results of an uninterrupted run.
struct Ordeal<'a> {
    list: &'a str,
    expected: &'a [String],
    processes: usize,
    kills_each: usize,
}

/// How often the processes of one storm are killed in all: 200 times if `VTHOST_TEST_STORMS` is
/// `full`, as in `.ci/run`, else a fifth of that.
fn kills() -> usize {
    match std::env::var("VTHOST_TEST_STORMS").as_deref() {
        Ok("full") => 200,
        _ => 40,
    }
}

/// Checks all three at once, which takes about as long as one of them.
fn with_one_two_and_four_processes(check: impl Fn(Ordeal<'_>) + Sync) {
    let _turn = ONE_STORM.lock().unwrap_or_else(PoisonError::into_inner);
    let kills = kills();
    let list: String = (0..3 * URLS)
        .map(|n| match n % 3 {
            0 => format!("host{n}.example.com\n"),
            1 => format!("http://host{n}.example.com/path\n"),
            _ => format!("10.0.{}.{}\n", n / 256, n % 256),
        })
        .collect();
    let calm = Home::new();
    let list = calm.write("list.txt", list);
    let reference = Storm {
        home: &calm,
        server: &serve(simulator()),
        store: "store.sqlite",
        list: &list,
        kills_each: 0,
        is_over: Barrier::new(1),
    };
    reference.rage(1);
    assert_eq!(most_in_a_window(&reference.server.log()), PER_WINDOW);
    let expected = FILES.map(|file| calm.read(&format!("out0/{file}")));
    std::thread::scope(|scope| {
        for processes in [1, 2, 4] {
            let kills_each = kills / processes;
            let (list, expected, check) = (&list, &expected, &check);
            scope.spawn(move || {
                check(Ordeal {
                    list,
                    expected,
                    processes,
                    kills_each,
                });
            });
        }
    });
}

impl Ordeal<'_> {
    fn survive(&self, store: &str) {
        let home = Home::new();
        let server = serve(stormy());
        let storm = Storm {
            home: &home,
            server: &server,
            store,
            list: self.list,
            kills_each: self.kills_each,
            is_over: Barrier::new(self.processes),
        };
        storm.rage(self.processes);
        self.check_requests(&server.log());
        for process in 0..self.processes {
            for (file, expected) in FILES.iter().zip(self.expected) {
                assert_eq!(
                    &home.read(&format!("out{process}/{file}")),
                    expected,
                    "{file} of {process} among {}",
                    self.processes
                );
            }
        }
    }

    fn check_requests(&self, log: &[Logged]) {
        // A killed request keeps its slot for seconds, so there may be fewer.
        assert!(most_in_a_window(log) <= PER_WINDOW, "the window");
        assert!(log.len() <= PER_DAY, "the day");
        assert!(log.iter().all(|logged| logged.status != 429), "the quota");

        let (posts, gets): (Vec<&Logged>, Vec<_>) =
            log.iter().partition(|logged| logged.method == "POST");
        let faults = log.iter().filter(|logged| logged.has_fault).count();
        assert_eq!(faults, gets.len() / 10 + posts.len() / 10);
        let (again, kills) = (asked_again(log), self.processes * self.kills_each);
        assert!(
            again <= kills + faults,
            "{again} asked again after {kills} kills and {faults} faults"
        );
        let carried_out = posts.iter().filter(|logged| logged.status == 200);
        let mut handed_in: Vec<String> = carried_out.map(|logged| url_in(logged)).collect();
        handed_in.sort();
        let mut new: Vec<String> = (0..URLS)
            .map(|n| format!("http://host{}.example.com/path", 3 * n + 1))
            .collect();
        new.sort();
        assert_eq!(handed_in, new, "each once");
    }
}
