//! What leaves the machine, rung by rung, by the simulator's own log.

use vthost_simulator::{DEMO_KEY, Logged, Simulator};

use crate::support::{Home, patient, serve};

const LIST: &str = "http://public.example.com/a\n\
    http://public.example.com/b%20c\n\
    http://user:hunter2@public.example.com/c#part\n\
    http://public.example.com/reset?token=canary1\n\
    http://secret.corp.example.org/x\n\
    http://intranet/y\n\
    10.1.2.3\n\
    printer.local\n";

fn log_of(share: &str) -> Vec<Logged> {
    let home = Home::new();
    let list = home.write("list.txt", LIST);
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
    for file in [
        "bad-domain.txt",
        "good-domain.txt",
        "unknown-domain.txt",
        "results.jsonl",
    ] {
        assert!(!home.read(&format!("out/{file}")).contains(DEMO_KEY));
    }
    assert!(!ran.stderr.contains(DEMO_KEY));
    server.log()
}

fn is_hash(logged: &Logged) -> bool {
    let id = logged.path.trim_start_matches("/api/v3/urls/");
    id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn no_rung_shows_more_than_it_says() {
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
            // The base64 form of anything with the token would begin like this.
            assert!(
                !sent.contains("aHR0cDovL3B1YmxpYy5leGFtcGxlLmNvbS9yZXNldD"),
                "{sent}"
            );
        }
    }
}

#[test]
fn each_rung_asks_what_it_may() {
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
fn a_dry_run_sends_nothing_and_says_everything() {
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

/// URLs that each hold a secret in another place.
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
        "http://SECRET@a.example.com/",
        "http://someone:SECRET@a.example.com/",
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

#[test]
fn none_of_fifty_secrets_leaves_on_any_rung() {
    let secrets = secrets();
    assert!(secrets.len() >= 50, "{}", secrets.len());
    let list: String = secrets
        .iter()
        .enumerate()
        .map(|(n, url)| url.replace("SECRET", &format!("canary{n:02}x")) + "\n")
        .collect();
    for share in ["host", "hash", "url", "submit"] {
        let home = Home::new();
        let list = home.write("list.txt", &list);
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
            "--vt-url",
            &url,
            "--store",
            "s",
            "--out",
            "out",
            &list,
        ]);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
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
        let stored = std::fs::read(home.path("s")).unwrap();
        let key = DEMO_KEY.as_bytes();
        assert!(
            !stored.windows(key.len()).any(|window| window == key),
            "the store"
        );
    }
}
