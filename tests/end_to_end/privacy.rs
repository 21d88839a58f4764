//! What leaves the machine with each value of `--share`, by the simulator's log.

use std::fs::File;
use std::path::{Path, PathBuf};

use vthost::clock::{Clock as _, SystemClock};
use vthost_simulator::{DEMO_KEY, Known, Logged, Simulator};

use crate::support::{Home, Ran, patient, serve};

const LIST: &str = "http://public.example.com/a\n\
    http://public.example.com/b%20c\n\
    http://user:hunter2@public.example.com/c#part\n\
    http://public.example.com/reset?token=canary1\n\
    http://secret.corp.example.org/x\n\
    http://intranet/y\n\
    10.1.2.3\n\
    printer.local\n";

/// A run over a list with a value of `--share`, and the requests that VirusTotal received.
fn run_on(share: &str, list: &str) -> (Home, Ran, Vec<Logged>) {
    let home = Home::new();
    let list = home.write("list.txt", list);
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let ran = home.run(&[
        "--parser",
        "list",
        "--share",
        share,
        "--rate",
        "1000/s",
        "--poll-after",
        "1ms",
        "--internal-suffix",
        "corp.example.org",
        "--vt-url",
        &url,
        "--out",
        "out",
        &list,
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    (home, ran, server.log())
}

fn log_of(share: &str) -> Vec<Logged> {
    let (home, ran, log) = run_on(share, LIST);
    for file in [
        "bad-domain.txt",
        "good-domain.txt",
        "unknown-domain.txt",
        "results.jsonl",
    ] {
        assert!(!home.read(&format!("out/{file}")).contains(DEMO_KEY));
    }
    assert!(!ran.stderr.contains(DEMO_KEY));
    log
}

fn is_hash(logged: &Logged) -> bool {
    let id = logged.path.trim_start_matches("/api/v3/urls/");
    id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn no_share_level_sends_more_than_documented() {
    for share in ["host", "hash", "url", "submit"] {
        let log = log_of(share);
        assert!(!log.is_empty());
        for logged in &log {
            let sent = format!("{} {} {}", logged.method, logged.path, logged.body);
            for never in [
                "corp", "intranet", "10.1.2.3", "printer", "hunter2", "canary", "part",
            ] {
                assert!(!sent.contains(never), "{share}: {sent}");
            }
            let is_url = logged.path.starts_with("/api/v3/urls");
            match share {
                "host" => assert!(!is_url, "{sent}"),
                "hash" => assert!(!is_url || is_hash(logged), "{sent}"),
                "url" => assert_eq!(logged.method, "GET", "{sent}"),
                _ => {}
            }
            // The base64 form of the URL with the token would begin with this.
            assert!(
                !sent.contains("aHR0cDovL3B1YmxpYy5leGFtcGxlLmNvbS9yZXNldD"),
                "{sent}"
            );
        }
    }
}

#[test]
fn each_share_level_sends_what_is_documented() {
    let asks = |share: &str, what: fn(&Logged) -> bool| log_of(share).iter().any(what);
    assert!(asks("host", |logged| logged.path
        == "/api/v3/domains/public.example.com"));
    assert!(asks("hash", is_hash));
    assert!(asks("url", |logged| logged
        .path
        .starts_with("/api/v3/urls/aHR0c")));
    assert!(asks("submit", |logged| logged.method == "POST"));
}

#[test]
fn dry_run_prints_requests_and_sends_none() {
    let home = Home::new();
    let list = home.write("list.txt", LIST);
    let server = serve(Simulator::new(patient()));
    let ran = home.run(&["--dry-run", "--vt-url", &server.url(), &list]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(server.log().is_empty());
    assert!(
        ran.stdout
            .contains("GET /api/v3/domains/public.example.com"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("intranet"), "{}", ran.stdout);
    assert!(ran.stderr.contains("Nothing was sent"), "{}", ran.stderr);
}

#[test]
fn dry_run_shows_shortened_urls_without_passwords() {
    let home = Home::new();
    let list = "http://me:hunter2@public.example.com/a#part\n\
        http://tok3n@public.example.com/b\n\
        http://public.example.com/c\n\
        http://me:hunter2@10.0.0.1/d\n";
    let list = home.write("list.txt", list);
    let ran = home.run(&["--dry-run", "--parser", "list", &list]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let cut: Vec<&str> = ran
        .stderr
        .lines()
        .filter(|line| line.contains(" is sent as "))
        .collect();
    assert_eq!(
        cut,
        [
            "http://me:***@public.example.com/a#part is sent as http://public.example.com/a",
            "http://***@public.example.com/b is sent as http://public.example.com/b",
        ]
    );
    let printed = format!("{ran:?}");
    assert!(
        !printed.contains("hunter2") && !printed.contains("tok3n"),
        "{printed}"
    );
}

/// The requests that a dry run prints, without the remarks.
fn printed(stdout: &str) -> Vec<String> {
    let requests = stdout.lines().map(|line| line.split("  (").next().unwrap());
    requests.map(str::to_owned).collect()
}

/// The requests that the simulator received, without polls of analyses.
fn seen(log: &[Logged]) -> Vec<String> {
    let log = log.iter();
    let requests = log.filter(|logged| !logged.path.contains("/analyses/"));
    requests
        .map(|logged| {
            let mut form = url::form_urlencoded::parse(logged.body.as_bytes());
            let form = form.next().map(|(name, value)| format!(" {name}={value}"));
            format!(
                "{} {}{}",
                logged.method,
                logged.path,
                form.unwrap_or_default()
            )
        })
        .collect()
}

/// A VirusTotal with a report on each of four hosts, without engine results.
fn without_opinions() -> Simulator {
    let mut simulator = Simulator::new(patient());
    let unrated = Known {
        stats: None,
        analysed_s: 0,
    };
    for host in ["one", "two", "three"] {
        simulator.know_as(&format!("{host}.example.com"), unrated);
    }
    simulator.know_as("8.8.8.8", unrated);
    simulator
}

/// The arguments of a run over a list with this value of `--share` and this rate.
fn arguments<'a>(share: &'a str, rate: &'a str, url: &'a str, list: &'a str) -> Vec<&'a str> {
    vec![
        "--parser",
        "list",
        "--share",
        share,
        "--rate",
        rate,
        "--poll-after",
        "1ms",
        "--vt-url",
        url,
        "--out",
        "out",
        list,
    ]
}

fn printed_ms(time: &str) -> i64 {
    let time: jiff::Timestamp = time.replace(" UTC", "Z").parse().unwrap();
    time.as_millisecond()
}

#[test]
fn dry_run_prints_the_requests_of_the_run() {
    // Three hosts and an address, whose reports settle nothing. Of the five URLs one contains a
    // token and one has a scheme that VirusTotal does not scan.
    let list = "http://one.example.com/a\n\
        http://one.example.com/b\n\
        http://two.example.com/c\n\
        http://two.example.com/d?token=canary\n\
        ftp://three.example.com/e\n\
        three.example.com\n\
        8.8.8.8\n\
        10.0.0.1\n";
    // Hosts: four. URLs by SHA-256: the four of HTTP, because a digest reveals no token; three
    // can be sent. Submitted: those, a domain and an address, and each analysis is polled once.
    let tiers = [
        ("host", "4 hosts: 4 requests", 4),
        (
            "hash",
            "4 hosts, up to 4 URLs by SHA-256: 4 to 8 requests",
            8,
        ),
        ("url", "4 hosts, up to 4 URLs: 4 to 8 requests", 8),
        (
            "submit",
            "4 hosts, up to 4 URLs, up to 5 submissions: 4 to 18 requests",
            18,
        ),
    ];
    for (share, costs, most) in tiers {
        let home = Home::new();
        let list = home.write("list.txt", list);
        let server = serve(without_opinions());
        let url = server.url();
        let run = |rate: &str, more: &[&str]| {
            home.run(&[&arguments(share, rate, &url, &list), more].concat())
        };
        let begun_ms = SystemClock.now_ms();
        let dry = run("1/h", &["--dry-run"]);
        let ended_ms = SystemClock.now_ms();
        assert!(server.log().is_empty());
        let costs = format!("* --share {share}: {costs}, done ");
        let (_, times) = dry.stderr.split_once(&costs).expect(&dry.stderr);
        let times = times.lines().next().unwrap();
        let (first, last) = match times.strip_prefix("at ") {
            Some(time) => (time, time),
            None => times
                .strip_prefix("between ")
                .and_then(|times| times.split_once(" and "))
                .unwrap(),
        };
        // One request immediately, and one in each following hour.
        for (time, requests) in [(first, 4), (last, most)] {
            let from_ms = printed_ms(time) - (requests - 1) * 3_600_000;
            // A time is printed without its milliseconds.
            assert!((begun_ms - 999..=ended_ms).contains(&from_ms), "{times}");
        }
        let real = run("1000/s", &[]);
        assert_eq!(real.status, Some(0), "{}", real.stderr);
        let log = server.log();
        assert_eq!(seen(&log), printed(&dry.stdout), "{share}");
        assert_eq!(log.len(), usize::try_from(most).unwrap(), "{share}");
    }
}

/// URLs that contain a secret, each in another place.
fn secrets() -> Vec<String> {
    let parameters = [
        "token",
        "access_token",
        "id_token",
        "sid",
        "jsessionid",
        "PHPSESSID",
        "session",
        "password",
        "passwd",
        "pwd",
        "api_key",
        "apikey",
        "key",
        "code",
        "state",
        "otp",
        "pin",
        "email",
        "user",
        "username",
        "login",
        "phone",
        "signature",
        "sig",
        "X-Amz-Signature",
        "X-Goog-Signature",
        "SAMLResponse",
        "RelayState",
        "ticket",
        "nonce",
        "secret",
        "client_secret",
        "hmac",
        "auth",
        "refresh_token",
    ];
    let in_query = parameters
        .iter()
        .map(|name| format!("http://a.example.com/p?x=1&{name}=SECRET"));
    let in_path = parameters[..8]
        .iter()
        .map(|name| format!("http://a.example.com/p;{name}=SECRET/q"));
    let elsewhere = [
        "http://SECRET@a.example.com/user",
        "http://someone:SECRET@a.example.com/password",
        "http://a.example.com/p#SECRET",
        "http://a.example.com/reset/SECRETabcdefghijklmnopqrst",
        "http://a.example.com/invite/SECRETabcdefghijklmnopqrst",
        "http://a.example.com/?who=SECRET@example.org",
        "http://a.example.com/unsubscribe/SECRET@example.org",
        "http://a.example.com/?j=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTRUNSRVQifQ.SECRETSECRETSECRET",
    ];
    in_query
        .chain(in_path)
        .chain(elsewhere.map(str::to_owned))
        .collect()
}

/// The URLs with a distinct, searchable value for each secret.
fn canaries() -> Vec<String> {
    let secrets = secrets();
    assert!(secrets.len() >= 50, "{}", secrets.len());
    let secrets = secrets.iter().enumerate();
    secrets
        .map(|(n, url)| url.replace("SECRET", &format!("canary{n:02}x")))
        .collect()
}

/// A log with one of the URLs on each line.
fn log_with(line: impl Fn(&str) -> String) -> String {
    canaries().iter().map(|url| line(url) + "\n").collect()
}

fn check_no_secret_is_sent(parser: &str, read_as: &str, log: &str) {
    for share in ["host", "hash", "url", "submit"] {
        let home = Home::new();
        let log = home.write("a.log", log);
        let server = serve(Simulator::new(patient()));
        let url = server.url();
        let ran = home.run(&[
            "--parser",
            parser,
            "--share",
            share,
            "--rate",
            "1000/s",
            "--poll-after",
            "1ms",
            "--vt-url",
            &url,
            "--out",
            "out",
            &log,
        ]);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        assert!(
            ran.stderr.contains(&format!(": {read_as}")),
            "{}",
            ran.stderr
        );
        let results = home.read("out/results.jsonl");
        for n in 0..canaries().len() {
            assert!(results.contains(&format!("canary{n:02}x")), "{n} is lost");
        }
        assert!(!server.log().is_empty());
        for logged in server.log() {
            let id = logged.path.rsplit('/').next().unwrap_or_default();
            let decoded = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, id);
            let decoded = String::from_utf8_lossy(&decoded.unwrap_or_default()).into_owned();
            let headers = format!("{:?}", logged.headers).replace(DEMO_KEY, "");
            for sent in [&logged.path, &logged.body, &decoded, &headers] {
                assert!(!sent.contains("canary"), "{share}: {sent}");
                assert!(!sent.contains(DEMO_KEY), "{share}: {sent}");
            }
        }
    }
}

#[test]
fn secrets_in_a_list_are_not_sent() {
    check_no_secret_is_sent("list", "list", &log_with(str::to_owned));
}

#[test]
fn secrets_in_a_proxy_log_are_not_sent() {
    let line = |url: &str| {
        format!(
            "1714564800.123    161 10.0.0.5 TCP_MISS/200 4310 GET {url} - \
             HIER_DIRECT/10.0.0.10 text/html"
        )
    };
    check_no_secret_is_sent("auto", "squid", &log_with(line));
}

#[test]
fn secrets_in_a_sensor_log_are_not_sent() {
    let line = |url: &str| {
        // The log has the host separately; the target of a proxy request is a whole URL.
        let target = url.strip_prefix("http://a.example.com").unwrap_or(url);
        format!(
            r#"{{"timestamp":"2024-05-01T12:00:00.000000+0000","flow_id":1,"event_type":"http","src_ip":"10.0.0.5","src_port":51000,"dest_ip":"10.0.0.10","dest_port":80,"proto":"TCP","http":{{"hostname":"a.example.com","url":"{target}","http_method":"GET"}}}}"#
        )
    };
    check_no_secret_is_sent("auto", "suricata", &log_with(line));
}

/// An address of each range that is not globally reachable, and a name with each suffix that is
/// not in the public DNS.
const INTERNAL: [&str; 52] = [
    "0.1.2.3",
    "10.1.2.3",
    "172.16.4.5",
    "192.168.6.7",
    "100.64.8.9",
    "127.0.0.2",
    "169.254.10.11",
    "192.0.0.8",
    "192.0.2.12",
    "198.51.100.13",
    "203.0.113.14",
    "198.18.15.16",
    "224.0.0.17",
    "240.0.0.18",
    "255.255.255.255",
    "::",
    "::1",
    "2001:db8::19",
    "3fff::20",
    "2001:2::21",
    "100::22",
    "fc00::23",
    "fd00::24",
    "fe80::25",
    "fec0::26",
    "ff02::27",
    "::ffff:10.28.0.1",
    "64:ff9b::10.29.0.1",
    "2002:a1e:1::1",
    "inside.alt",
    "inside.arpa",
    "inside.corp",
    "inside.domain",
    "inside.example",
    "inside.home",
    "inside.home.arpa",
    "inside.internal",
    "inside.intranet",
    "inside.invalid",
    "inside.lan",
    "inside.local",
    "inside.localdomain",
    "inside.localhost",
    "inside.onion",
    "inside.private",
    "inside.test",
    "inside.workgroup",
    "localhost",
    "inside",
    "wpad",
    "db.corp.example.org",
    "corp.example.org",
];

#[test]
fn internal_names_and_addresses_are_not_sent() {
    let url = |value: &&str| match value.contains(':') {
        true => format!("http://[{value}]:8080/path\n"),
        false => format!("http://{value}:8080/path\n"),
    };
    let hosts: String = INTERNAL.iter().map(|value| format!("{value}\n")).collect();
    let urls: String = INTERNAL.iter().map(url).collect();
    let outside = "http://public.example.com/path\n";
    for share in ["host", "hash", "url", "submit"] {
        let requests = |list: &str| {
            let (home, _, log) = run_on(share, list);
            let results = home.read("out/results.jsonl");
            let last = results.lines().last().unwrap();
            let summary: serde_json::Value = serde_json::from_str(last).unwrap();
            (seen(&log), summary)
        };
        let (alone, _) = requests(outside);
        assert!(!alone.is_empty());
        let (among, summary) = requests(&format!("{hosts}{outside}{urls}"));
        assert_eq!(among, alone, "{share}");
        let kept = 2 * INTERNAL.len() as u64;
        assert_eq!(summary["unknown_by"]["internal"], kept, "{share}");
        let by_reason = summary["kept_back_by"].as_object().unwrap().values();
        let by_reason: u64 = by_reason.map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(by_reason, kept, "{summary}");
        // Each appears twice, as a host and in a URL. `localhost` is a suffix.
        let count = |reason: &str| summary["kept_back_by"][reason].as_u64();
        assert_eq!(count("an internal name (--internal-suffix)"), Some(4));
        assert_eq!(count("a name of a single label"), Some(4));
    }
}

/// The files in a folder tree that contain these bytes.
fn files_with(directory: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if memchr::memmem::find(&std::fs::read(&path).unwrap(), bytes).is_some() {
            found.push(path);
        }
    }
    found
}

#[test]
fn key_is_in_no_file_after_a_run_or_a_kill() {
    let check = |is_killed: bool| {
        let home = Home::new();
        let list = home.write(
            "list.txt",
            "http://public.example.com/new\nother.example.com\n",
        );
        let server = serve(Simulator::new(patient()));
        let url = server.url();
        let rate = if is_killed { "2/h" } else { "1000/s" };
        let args = arguments("submit", rate, &url, &list);
        let log = |name| File::create(home.path(name)).unwrap();
        let mut command = home.vthost(&args);
        command.stdout(log("stdout.log")).stderr(log("stderr.log"));
        let mut run = command.spawn().unwrap();
        if is_killed {
            // The run has two answers, then it waits for an hour.
            let results = || {
                let status = home.run(&["status"]);
                status.stdout.contains("2 answers found")
            };
            while !results() {
                assert_eq!(run.try_wait().unwrap(), None);
            }
            run.kill().unwrap();
        }
        assert_eq!(run.wait().unwrap().success(), !is_killed);
        let home = home.path("");
        let is_log = |path: &PathBuf| path.to_string_lossy().ends_with("sqlite-wal");
        assert_eq!(files_with(&home, b"").iter().any(is_log), is_killed);
        let none: [PathBuf; 0] = [];
        assert_eq!(files_with(&home, DEMO_KEY.as_bytes()), none);
        // The search finds the questions, so it covers the store.
        let is_store = |path: &PathBuf| path.to_string_lossy().contains("sqlite");
        let stored = files_with(&home, b"domains/public.example.com");
        assert!(stored.iter().any(is_store), "{stored:?}");
    };
    check(false);
    check(true);
}
