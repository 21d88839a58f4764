//! Network problems: proxies that require a password or answer themselves, an unreachable
//! VirusTotal, and what `vthost doctor` reports.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vthost_simulator::{DEMO_KEY, Effect, Fault, Simulator};

use crate::support::{Home, Ran, patient, serve};

/// A forward proxy for plain HTTP on loopback that requires `user:hunter2`.
struct Proxy {
    port: u16,
    forwarded: Arc<AtomicUsize>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let forwarded = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&forwarded);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let counter = Arc::clone(&counter);
                // An error means that the client has disconnected.
                std::thread::spawn(move || relay(client.unwrap(), &counter).ok());
            }
        });
        Self { port, forwarded }
    }
}

/// Relays one request and closes the connection.
fn relay(mut client: TcpStream, forwarded: &AtomicUsize) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(client.try_clone()?);
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    // `user:hunter2` in Base64 (RFC 7617).
    if !head.contains("Basic dXNlcjpodW50ZXIy") {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\n\
             Content-Type: text/html\r\nContent-Length: 12\r\nConnection: close\r\n\r\n<html/>12345";
        return client.write_all(refusal.as_bytes());
    }
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let authority = target.split('/').nth(2).unwrap_or_default();
    let path = target.splitn(4, '/').nth(3).unwrap_or_default();
    let head = head.replacen(&target, &format!("/{path}"), 1).replacen(
        "\r\n",
        "\r\nConnection: close\r\n",
        1,
    );
    let mut server = TcpStream::connect(authority)?;
    server.write_all(head.as_bytes())?;
    forwarded.fetch_add(1, Ordering::SeqCst);
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    client.write_all(&answer)
}

#[test]
fn proxy_password_is_used_and_never_printed() {
    let home = Home::new();
    let list = home.write("list.txt", "evil.example.com\nfine.example.com\n");
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let proxy = Proxy::start();
    let run = |credentials: &str| {
        let proxy = format!("http://{credentials}127.0.0.1:{}", proxy.port);
        let store = format!("store{}", credentials.len());
        home.run(&[
            "--proxy", &proxy, "--rate", "1000/s", "--vt-url", &url, "--store", &store, "--out",
            "out", &list,
        ])
    };
    let ran = run("user:hunter2@");
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_eq!(proxy.forwarded.load(Ordering::SeqCst), 2);
    assert!(home.read("out/bad-domain.txt").contains("evil.example.com"));
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);

    let doctor = |credentials: &str| {
        let proxy = format!("http://{credentials}127.0.0.1:{}", proxy.port);
        home.run(&["doctor", "--proxy", &proxy, "--vt-url", &url])
    };
    let refused = doctor("user:wrong-secret@");
    assert_eq!(refused.status, Some(3));
    assert!(
        refused
            .stdout
            .contains("not VirusTotal but something on the way answered (407)"),
        "{}",
        refused.stdout
    );
    assert!(!refused.stdout.contains("wrong-secret"));
    let well = doctor("user:hunter2@");
    assert_eq!(well.status, Some(0), "{}", well.stdout);
    assert!(!well.stdout.contains("hunter2"), "{}", well.stdout);
}

#[test]
fn unreachable_virustotal_ends_the_run_after_a_few_requests() {
    let home = Home::new();
    let names: String = (0..100).map(|n| format!("host{n}.example.com\n")).collect();
    let list = home.write("list.txt", names);
    // The listener is closed again, so the port refuses connections.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let unreachable = format!("http://127.0.0.1:{port}");
    let args = [
        "--rate",
        "1000/s",
        "--vt-url",
        &unreachable,
        "--store",
        "s",
        "--out",
        "out",
        &list,
    ];
    let ran = home.run(&args);
    assert_eq!(ran.status, Some(3), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("stopped after several failed requests in a row"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("10 requests sent"), "{}", ran.stderr);
    let results = home.read("out/results.jsonl");
    assert_eq!(results.matches("\"cause\":\"not-asked\"").count(), 100);

    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let args = args.map(|arg| if arg == unreachable { &url } else { arg });
    let again = home.run(&args);
    assert_eq!(again.status, Some(0), "{}", again.stderr);
    assert_eq!(server.log().len(), 100);
}

#[test]
fn doctor_reports_failed_checks() {
    let home = Home::new();
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let well = home.run(&["doctor", "--vt-url", &url, "--vt-user", "demo"]);
    assert_eq!(well.status, Some(0), "{}", well.stdout);
    for line in [
        "ok  key:",
        "ok  store:",
        "ok  VirusTotal:",
        "ok  quota: 0 of 500",
        "ok  plugins:",
    ] {
        assert!(well.stdout.contains(line), "{line}: {}", well.stdout);
    }
    let used = |log: &[vthost_simulator::Logged]| {
        log.iter()
            .filter(|logged| logged.path.contains("/urls") || logged.path.contains("/domains"))
            .count()
    };
    assert_eq!(used(&server.log()), 0, "doctor sends no charged request");

    let wrong_key = home
        .vthost(&["doctor", "--vt-url", &url])
        .env("VT_API_KEY", "wrong-but-secret")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&wrong_key.stdout);
    assert_eq!(wrong_key.status.code(), Some(3));
    assert!(
        stdout.contains("no  VirusTotal: VirusTotal does not accept"),
        "{stdout}"
    );
    assert!(!stdout.contains("wrong-but-secret"), "{stdout}");

    let mut portal = Simulator::new(patient());
    portal.add_fault(Fault::new(".", 1_000, Effect::Html(200)).unwrap());
    let portal = serve(portal);
    let stdout = home.run(&["doctor", "--vt-url", &portal.url()]).stdout;
    assert!(stdout.contains("something on the way answered"), "{stdout}");
    assert!(!stdout.contains(DEMO_KEY));
}

#[test]
fn status_lists_pending_analyses() {
    let home = Home::new();
    let mut options = patient();
    options.stuck = Some("new".into());
    let server = serve(Simulator::new(options));
    let list = home.write("list.txt", "http://www.example.com/new\n");
    let url = server.url();
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
        "s",
        "--out",
        "out",
        &list,
    ]);
    assert_eq!(ran.status, Some(4), "{}", ran.stderr);
    let status = home.run(&["status", "--store", "s"]).stdout;
    assert!(status.contains("1 answer found"), "{status}");
    assert!(status.contains("1 answer not-found"), "{status}");
    assert!(
        status.contains("1 analysis pending\n  http://www.example.com/new"),
        "{status}"
    );
}

#[test]
fn judge_prints_changed_verdicts() {
    let home = Home::new();
    let mut simulator = Simulator::new(patient());
    let one = vthost_simulator::Stats {
        malicious: 1,
        ..vthost_simulator::Stats::CLEAN
    };
    simulator.know("doubtful.example.com", one);
    let server = serve(simulator);
    let list = home.write(
        "list.txt",
        "evil.example.com\ndoubtful.example.com\nfine.example.com\n",
    );
    let url = server.url();
    let args = [
        "--rate", "1000/s", "--vt-url", &url, "--store", "s", "--out", "out", &list,
    ];
    assert_eq!(home.run(&args).status, Some(0));
    let asked = server.log().len();
    let judged = home.run(&[
        "judge",
        "--results",
        "out/results.jsonl",
        "--policy",
        "threshold",
        "--policy-config",
        "min_engines=3",
        "--store",
        "s",
        "--out",
        "again",
    ]);
    assert_eq!(judged.status, Some(0), "{}", judged.stderr);
    assert!(
        judged
            .stdout
            .starts_with("bad -> good  doubtful.example.com  ("),
        "{}",
        judged.stdout
    );
    assert_eq!(judged.stdout.lines().count(), 1);
    let over = [
        "judge",
        "--results",
        "out/results.jsonl",
        "--store",
        "s",
        "--out",
        "out",
    ];
    let refused = home.run(&over);
    assert_eq!(refused.status, Some(3));
    assert!(refused.stderr.contains("--out"), "{}", refused.stderr);
    assert_eq!(server.log().len(), asked);
}

#[test]
#[cfg(unix)]
fn printed_command_resumes_the_run() {
    let home = Home::new();
    let names: String = (0..20).map(|n| format!("host{n}.example.com\n")).collect();
    let list = home.write("it's a list.txt", names);
    let mut simulator = Simulator::new(patient());
    simulator.add_fault(Fault::new(".", 10, Effect::Html(502)).unwrap());
    let server = serve(simulator);
    let url = server.url();
    let args = ["--rate", "1000/s", "--vt-url", &url, "--store", "s", &list];
    let ended = home.run(&args);
    assert_eq!(ended.status, Some(3), "{}", ended.stderr);
    let command = |ran: &Ran| {
        let mut lines = ran.stderr.lines();
        let line = lines.find_map(|line| line.strip_prefix("  vthost "));
        format!("vthost {}", line.unwrap())
    };
    let resumed = home.shell(&command(&ended));
    assert_eq!(resumed.status, Some(0), "{}", resumed.stderr);
    assert_eq!(home.read("good-domain.txt").lines().count(), 20);

    let spent = ["--per-month", "1", "--store", "other"];
    let spent = home.run(&[args[..4].to_vec(), spent.to_vec(), vec![&list]].concat());
    assert_eq!(spent.status, Some(4), "{}", spent.stderr);
    let expected = format!(
        "vthost --store other --rate 1000/s --per-month 1 --vt-url {url}/ '{}'",
        list.replace('\'', "'\\''")
    );
    assert_eq!(command(&spent), expected);
}
