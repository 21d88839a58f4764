//! Several machines that share a key: the ledger, the answers and the work. Each test runs with a
//! store in a file and with one on a server, unless it names one of them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use vthost::clock::{Clock, UnixMs};
use vthost::quota::Limits;
use vthost::triage::outcome::RunEnd;
use vthost::virustotal::Client;
use vthost_simulator::{DEMO_KEY, Effect, Fault, Server, Simulator};

use crate::crash::LOOKS;
use crate::direct::Direct;
use crate::limiter::{domains, most_in_any_window};
use crate::support::{
    FastClock, Home, on_each_location, on_each_store, patient, planned, scanning, serve, triage,
};
use vthost_testing::TestSchema;

/// A concurrent run.
fn start(home: &Home, args: &[&str]) -> Child {
    home.vthost(args).stderr(Stdio::null()).spawn().unwrap()
}

fn asked(server: &Server) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for logged in server.log() {
        *asked.entry(logged.path).or_default() += 1;
    }
    asked
}

#[test]
fn machines_share_the_answers_on_a_server() {
    let Some(schema) = TestSchema::new() else {
        return;
    };
    let server = serve(Simulator::new(patient()));
    let (url, store) = (server.url(), schema.url());
    for _ in 0..2 {
        let machine = Home::new();
        let list = machine.write("list.txt", "evil.example.com\nfine.example.com\n");
        let ran = machine.run(&["--vt-url", &url, "--store", &store, &list]);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        let bad = machine.read("bad-domain.txt");
        assert!(bad.contains("evil.example.com"), "{bad}");
    }
    assert_eq!(server.log().len(), 2);
    let machine = Home::new();
    let status = machine.run(&["status", "--store", &store]);
    assert!(
        status.stdout.contains("2 answers found"),
        "{}",
        status.stdout
    );
    let quota = machine.run(&["quota", "--store", &store]);
    assert!(quota.stdout.contains("today: 2 used"), "{}", quota.stdout);
}

#[test]
fn concurrent_runs_share_the_quota_and_repeat_no_request() {
    on_each_location(|store| {
        let home = Home::new();
        let list = home.write("list.txt", domains(12).join("\n"));
        let mut options = patient();
        options.limits.per_window = 4;
        options.limits.window_ms = 1_000;
        let server = serve(Simulator::new(options));
        let url = server.url();
        let mut runs: Vec<Child> = (0..4)
            .map(|run| {
                let out = format!("out{run}");
                let args = [
                    "--rate", "4/s", "--vt-url", &url, "--store", store, "--out", &out, &list,
                ];
                start(&home, &args)
            })
            .collect();
        for run in &mut runs {
            assert_eq!(run.wait().unwrap().code(), Some(0));
        }
        let log = server.log();
        let times: Vec<i64> = log.iter().map(|logged| logged.time_ms).collect();
        assert!(most_in_any_window(&times, 1_000) <= 4, "{times:?}");
        assert!(log.iter().all(|logged| logged.status == 200));
        assert!(asked(&server).values().all(|count| *count == 1));
        assert_eq!(log.len(), 12);
        for run in 0..4 {
            let results = home.read(&format!("out{run}/results.jsonl"));
            assert_eq!(results.matches("\"cause\":\"judged\"").count(), 12);
        }
    });
}

#[test]
fn claim_of_a_killed_run_expires() {
    on_each_location(|store| {
        let home = Home::new();
        let names = domains(3);
        let list = home.write("list.txt", names.join("\n"));
        let mut simulator = Simulator::new(patient());
        let slow = Effect::Slow { ms: 60_000 };
        simulator.add_fault(Fault::new("domains/", 1, slow).unwrap());
        let server = serve(simulator);
        let url = server.url();
        let args = |out| {
            [
                "--rate",
                "1000/s",
                "--timeout",
                "1s",
                "--vt-url",
                &url,
                "--store",
                store,
                "--out",
                out,
                &list,
            ]
        };
        let mut killed = start(&home, &args("killed"));
        while server.log().is_empty() {
            std::thread::yield_now();
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        let first = server.log()[0].clone();
        let heir = home.run(&args("heir"));
        assert_eq!(heir.status, Some(0), "{}", heir.stderr);
        let results = home.read("heir/results.jsonl");
        assert_eq!(results.matches("\"cause\":\"judged\"").count(), 3);
        // The indicator claimed by the killed run was asked again after its lease had expired, which
        // is longer than the timeout of a request.
        let log = server.log();
        let again = log.iter().rfind(|logged| logged.path == first.path);
        let waited_ms = again.unwrap().time_ms - first.time_ms;
        assert!(waited_ms > 1000, "{waited_ms} ms");
        let expected = names.iter().map(|name| format!("/api/v3/domains/{name}"));
        let expected = expected.map(|path| (path.clone(), 1 + usize::from(path == first.path)));
        assert_eq!(asked(&server), expected.collect());
    });
}

/// A clock that runs other code when it is read the `turn`th time.
struct Interrupting<'a> {
    clock: &'a FastClock,
    looks: AtomicUsize,
    turn: usize,
    other: &'a (dyn Fn() + Sync),
}

impl Clock for Interrupting<'_> {
    fn now_ms(&self) -> UnixMs {
        if self.looks.fetch_add(1, Ordering::SeqCst) == self.turn {
            (self.other)();
        }
        self.clock.now_ms()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.clock.sleep(duration)
    }
}

/// A submission was lost, and two runs have looked it up the maximum number of times. At whatever time
/// the other run repeats it, this one does not.
#[test]
fn lost_submission_is_repeated_by_one_of_two_runs() {
    const URL: &str = "http://host1.example.com/new";
    let looks = u32::try_from(LOOKS).unwrap();
    on_each_store(|store| {
        let (acted, clock) = (AtomicUsize::new(0), FastClock::at_noon());
        for turn in 0..20 {
            let direct = Arc::new(Direct::new(Simulator::new(patient()), &clock, vec![0]));
            let client = Client::new(direct.clone());
            let sent_ms = clock.now_ms();
            store.intend(URL, sent_ms, sent_ms).unwrap();
            store.polled(URL, looks, sent_ms).unwrap();
            clock.advance(Duration::from_secs(1));
            let other = || {
                if !store.abandon(URL, sent_ms).unwrap() {
                    return;
                }
                acted.fetch_add(1, Ordering::SeqCst);
                let now_ms = clock.now_ms();
                store.intend(URL, now_ms, now_ms).unwrap();
                // None of its futures waits, so it can run inside a step of the other run.
                let submission = client.submit(URL).now_or_never().unwrap().unwrap();
                store
                    .submitted(URL, &submission.analysis_id, now_ms)
                    .unwrap();
            };
            let interrupting = Interrupting {
                clock: &clock,
                looks: AtomicUsize::new(0),
                turn,
                other: &other,
            };
            let done = triage(
                &client,
                store,
                &interrupting,
                Limits::default(),
                scanning(),
                planned(&[URL]),
            );
            assert_eq!(done.ended, RunEnd::Done);
            assert!(done.findings[0].evidence.is_some(), "{turn}");
            let simulator = direct.simulator();
            let posts = simulator.log().iter();
            let posts = posts.filter(|logged| logged.method == "POST").count();
            assert_eq!(posts, 1, "the other acts at look {turn}");
        }
        assert!(acted.into_inner() > 1);
    });
}

#[test]
fn password_of_a_server_is_never_printed() {
    let Some(schema) = TestSchema::new() else {
        return;
    };
    let home = Home::new();
    let list = home.write("list.txt", "www.example.com\n");
    let server = serve(Simulator::new(patient()));
    let vt_url = server.url();
    let url: url::Url = schema.url().parse().unwrap();
    let password = url.password().unwrap().to_owned();
    let mut wrong = url.clone();
    wrong.set_password(Some("hunter2")).unwrap();
    let mut none = url.clone();
    none.set_password(None).unwrap();
    let commands: [&[&str]; 3] = [&["doctor"], &["--dry-run", &list], &[&list]];
    for store in [&url, &wrong] {
        for command in commands {
            let mut args = command.to_vec();
            args.extend(["--vt-url", &vt_url, "--store", store.as_str()]);
            let ran = home.run(&args);
            let expected = if *store == url { 0 } else { 3 };
            assert_eq!(ran.status, Some(expected), "{ran:?}");
            for secret in [&password, "hunter2"] {
                assert!(!format!("{ran:?}").contains(secret), "{ran:?}");
            }
        }
    }
    let from_environment = home
        .vthost(&["status", "--store", none.as_str()])
        .env("PGPASSWORD", &password)
        .output()
        .unwrap();
    assert!(from_environment.status.success());
}

#[test]
fn certificate_of_a_server_is_checked() {
    let Some(schema) = TestSchema::new() else {
        return;
    };
    let Ok(ca) = std::env::var("VTHOST_TEST_POSTGRES_CA") else {
        assert!(std::env::var_os("CI").is_none());
        eprintln!("left out: VTHOST_TEST_POSTGRES_CA names no certificate");
        return;
    };
    let home = Home::new();
    let status = |parameters: &str| {
        let store = format!("{}&{parameters}", schema.url());
        home.run(&["status", "--store", &store])
    };
    let trusted = status(&format!("sslmode=verify-full&sslrootcert={ca}"));
    assert_eq!(trusted.status, Some(0), "{}", trusted.stderr);
    let untrusted = status("sslmode=require");
    assert_eq!(untrusted.status, Some(3));
    assert!(
        untrusted.stderr.contains("certificate"),
        "{}",
        untrusted.stderr
    );
    let missing = status("sslmode=require&sslrootcert=nowhere.pem");
    assert!(
        missing.stderr.contains("`nowhere.pem`"),
        "{}",
        missing.stderr
    );
}

#[test]
fn server_with_a_newer_schema_is_refused() {
    let Some(schema) = TestSchema::new() else {
        return;
    };
    let home = Home::new();
    let store = schema.url();
    assert_eq!(home.run(&["status", "--store", &store]).status, Some(0));
    schema.execute("UPDATE vthost_schema SET version = 99");
    let refused = home.run(&["status", "--store", &store]);
    assert_eq!(refused.status, Some(3));
    assert!(refused.stderr.contains("schema 99"), "{}", refused.stderr);
}

#[test]
fn unreachable_store_is_reported() {
    let home = Home::new();
    let check = |store: &str, expected: &str| {
        let ran = home.run(&["status", "--store", store]);
        assert_eq!(ran.status, Some(3), "{store}");
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    };
    // The listener is closed again, so the port refuses connections.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    check(
        &format!("postgres://me:hunter2@127.0.0.1:{port}/vt"),
        &format!("cannot connect to the store `postgres://me@127.0.0.1:{port}/vt`"),
    );
    check("postgres://me:hunter2@h/vt?sslmode=allow", "sslmode");
    check(
        "postgres://me:hunter2@:99999/vt",
        "the URL of the store is invalid",
    );
}

#[test]
fn the_key_is_in_no_table() {
    let Some(schema) = TestSchema::new() else {
        return;
    };
    let home = Home::new();
    let list = home.write("list.txt", "http://www.example.com/new\nfine.example.com\n");
    let server = serve(Simulator::new(patient()));
    let (url, store) = (server.url(), schema.url());
    let ran = home.run(&[
        "--share",
        "submit",
        "--poll-after",
        "1ms",
        "--rate",
        "1000/s",
        "--vt-url",
        &url,
        "--store",
        &store,
        &list,
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    // Raises an exception if a row of a table contains it.
    for table in [
        "answer",
        "submission",
        "charge",
        "claim",
        "account",
        "ledger",
    ] {
        schema.execute(&format!(
            "DO $$ BEGIN
                 IF EXISTS (SELECT FROM {table} t WHERE t::text LIKE '%{DEMO_KEY}%') THEN
                     RAISE EXCEPTION 'the key is in {table}';
                 END IF;
             END $$"
        ));
    }
    schema.execute("SELECT 1 / count(*) FROM submission WHERE state = 'completed'");
}
