//! `kill -9` at any moment, then the same command: nothing is asked twice but
//! what was under way, nothing is handed in twice, and the outputs are those of
//! an uninterrupted run.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use vthost_simulator::{Effect, Fault, Logged, Server, Simulator};

use crate::support::{Home, on_each_location, patient, serve};

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
/// `every` requests; gives how often that was.
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
fn a_killed_run_goes_on_where_it_was() {
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
fn nothing_is_handed_in_twice() {
    on_each_location(handed_in_once);
}

fn handed_in_once(store: &str) {
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
fn an_interrupted_run_keeps_what_it_has_and_goes_on() {
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

/// Runs at once, each killed again and again, under faults.
struct Storm<'a> {
    home: &'a Home,
    server: &'a Server,
    store: &'a str,
    list: &'a str,
    processes: usize,
    kills_each: usize,
}

impl Storm<'_> {
    /// Goes on until all runs are done; gives the kills.
    fn rage(&self) -> usize {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.processes)
                .map(|process| scope.spawn(move || self.run(process)))
                .collect();
            threads.into_iter().map(|run| run.join().unwrap()).sum()
        })
    }

    fn run(&self, process: usize) -> usize {
        let (url, out) = (self.server.url(), format!("out{process}"));
        let args = [
            "--rate",
            "200/s",
            "--timeout",
            "2s",
            "--poll-after",
            "1ms",
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
        // Not random, so that a failure comes again; different for each.
        let mut seed = 0x9e37_79b9_u32.wrapping_mul(process as u32 + 1);
        let mut killed = 0;
        loop {
            let mut command = self.home.vthost(&args);
            let mut child = command.stderr(Stdio::null()).spawn().unwrap();
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let wait_ms = u64::from(seed >> 16) % 250;
            if killed < self.kills_each {
                std::thread::sleep(Duration::from_millis(wait_ms));
                killed += usize::from(child.try_wait().unwrap().is_none());
                child.kill().unwrap();
                child.wait().unwrap();
            } else {
                assert_eq!(child.wait().unwrap().code(), Some(0));
                return killed;
            }
        }
    }
}

/// VirusTotal scans at another time in each run; it knows the rest since 2024.
fn without_scan_times(text: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut kept = String::new();
    for part in text.split_inclusive([' ', '"']) {
        let is_time = part.len() >= 20 && part.starts_with(is_digit) && part.contains('T');
        if !is_time || part.starts_with("2024-05-01") {
            kept.push_str(part);
        }
    }
    kept
}

/// A simulator that takes 200 requests in a second.
fn hasty() -> Simulator {
    let mut options = patient();
    options.limits.per_window = 200;
    options.limits.window_ms = 1_000;
    Simulator::new(options)
}

#[test]
fn runs_that_share_a_store_survive_two_hundred_kills() {
    for (processes, kills_each) in [(1, 80), (2, 30), (4, 15)] {
        on_each_location(|store| survive(store, processes, kills_each));
    }
}

fn survive(store: &str, processes: usize, kills_each: usize) {
    let list: String = (0..60)
        .map(|n| match n % 3 {
            0 => format!("host{n}.example.com\n"),
            1 => format!("http://host{n}.example.com/path\n"),
            _ => format!("10.0.0.{n}\n"),
        })
        .collect();
    let home = Home::new();
    let list = home.write("list.txt", list);
    let calm = Home::new();
    let reference = Storm {
        home: &calm,
        server: &serve(hasty()),
        store: "store.sqlite",
        list: &list,
        processes: 1,
        kills_each: 0,
    };
    reference.rage();

    let mut stormy = hasty();
    // One host in ten fails at first.
    let fault = Effect::Html(502);
    stormy.add_fault(Fault::new("domains/host[0-9]*3", 4, fault).unwrap());
    let server = serve(stormy);
    let storm = Storm {
        home: &home,
        server: &server,
        store,
        list: &list,
        processes,
        kills_each,
    };
    let kills = storm.rage();
    let log = server.log();
    assert!(log.iter().all(|logged| logged.status != 429), "the quota");
    let repeated: usize = counted(&log, "GET").values().map(|count| count - 1).sum();
    // Each kill may cut one request off, each fault is tried again, and an
    // analysis may be asked for more than once.
    let analyses = counted(&log, "POST").len() * 4;
    assert!(
        repeated <= kills + 4 + analyses,
        "{repeated} asked again after {kills} kills"
    );
    for (url, count) in counted(&log, "POST") {
        assert_eq!(count, 1, "{url}");
    }
    for process in 0..processes {
        for file in FILES {
            assert_eq!(
                without_scan_times(&home.read(&format!("out{process}/{file}"))),
                without_scan_times(&calm.read(&format!("out0/{file}"))),
                "{file} of {process} among {processes}"
            );
        }
    }
}
