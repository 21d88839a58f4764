//! Real proxies on loopback between the host and the simulator: Debian's tinyproxy, and mitmproxy,
//! which intercepts TLS with its own certificate authority. If they are not installed, the tests
//! are skipped with a note; with `CI` set they fail.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use vthost_simulator::{DEMO_KEY, Server, Simulator};

use crate::support::{Home, Ran, patient, serve};

/// A running proxy that requires `user:hunter2`. It is stopped when dropped.
struct Proxy {
    process: Child,
    port: u16,
}

impl Proxy {
    /// Starts a program that logs to `home/proxy.log` and waits until it listens on this port.
    /// None if the program is not installed.
    fn start(home: &Home, port: u16, program: &str, args: &[&str]) -> Option<Self> {
        let log = File::create(home.path("proxy.log")).unwrap();
        let mut command = Command::new(program);
        command.args(args).stdout(log).stderr(Stdio::null());
        command.env("PYTHONUNBUFFERED", "1");
        let mut process = match command.spawn() {
            Ok(process) => process,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "{program}: {error}");
                eprintln!("skipped: cannot start {program}: {error}");
                return None;
            }
        };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "{program} ended");
            std::thread::yield_now();
        }
        Some(Self { process, port })
    }

    fn tinyproxy(home: &Home) -> Option<Self> {
        let port = free_port();
        let config = format!(
            "Listen 127.0.0.1\nPort {port}\nAllow 127.0.0.1\nBasicAuth user hunter2\nLogLevel Connect\n"
        );
        let config = home.write("tinyproxy.conf", config);
        Self::start(home, port, "tinyproxy", &["-d", "-c", &config])
    }

    /// A proxy that forwards requests for [`SITE`] to the simulator.
    fn mitmproxy(home: &Home, server: &Server) -> Option<Self> {
        let port = free_port();
        let directory = format!("confdir={}", home.path("authority").display());
        let lead = format!("|{SITE}/|{}/", server.url());
        let listen = port.to_string();
        let args = [
            "--listen-host",
            "127.0.0.1",
            "--listen-port",
            &listen,
            "--set",
            &directory,
            // Connect to the mapped address, not to the requested one.
            "--set",
            "connection_strategy=lazy",
            "--map-remote",
            &lead,
            "--proxyauth",
            "user:hunter2",
        ];
        Self::start(home, port, "mitmdump", &args)
    }

    fn url(&self, credentials: &str) -> String {
        format!("http://{credentials}127.0.0.1:{}", self.port)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A site that does not exist: only the proxy can map it.
const SITE: &str = "https://virustotal.example.com";

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn shows_no_secret(ran: &Ran) {
    for secret in ["hunter2", "wrong-secret", DEMO_KEY] {
        assert!(!format!("{ran:?}").contains(secret), "{ran:?}");
    }
}

/// The proxy's log of forwarded requests.
fn proxy_log(home: &Home) -> String {
    home.read("proxy.log")
}

#[test]
fn tinyproxy_with_password_is_used() {
    let home = Home::new();
    let Some(proxy) = Proxy::tinyproxy(&home) else {
        return;
    };
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let refused = home.run(&[
        "doctor",
        "--vt-url",
        &url,
        "--proxy",
        &proxy.url("user:wrong-secret@"),
    ]);
    shows_no_secret(&refused);
    assert_eq!(refused.status, Some(3), "{}", refused.stdout);
    assert!(
        refused
            .stdout
            .contains("not VirusTotal but something on the way answered (401)"),
        "{}",
        refused.stdout
    );
    assert!(server.log().is_empty());
    let list = home.write("list.txt", "evil.example.com\nhttp://www.example.com/a\n");
    let args = ["--rate", "1000/s", "--vt-url", &url, "--out", "out", &list];
    let by_flag = proxy.url("user:hunter2@");
    let ran = home.run(&[args.as_slice(), &["--proxy", &by_flag, "--store", "flag"]].concat());
    shows_no_secret(&ran);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(home.read("out/bad-domain.txt").contains("evil.example.com"));
    let through = |path: &str| {
        proxy_log(&home)
            .matches(&format!("{path} HTTP/1.1"))
            .count()
    };
    assert_eq!(through("/api/v3/domains/evil.example.com"), 1);
    assert_eq!(server.log().len(), 3);
    let by_variable = |no_proxy: &str| {
        let output = home
            .vthost(
                &[
                    args.as_slice(),
                    &["--store", &format!("variable{no_proxy}")],
                ]
                .concat(),
            )
            .env("HTTP_PROXY", &by_flag)
            .env("NO_PROXY", no_proxy)
            .output()
            .unwrap();
        assert!(output.status.success());
        through("/api/v3/domains/evil.example.com")
    };
    assert_eq!(by_variable(""), 2);
    assert_eq!(by_variable("127.0.0.1"), 2, "NO_PROXY bypasses the proxy");
    assert_eq!(server.log().len(), 9);
}

#[test]
fn intercepting_proxy_needs_its_certificate_authority() {
    let home = Home::new();
    let server = serve(Simulator::new(patient()));
    let Some(running) = Proxy::mitmproxy(&home, &server) else {
        return;
    };
    let proxy = running.url("user:hunter2@");
    let untrusted = home.run(&["doctor", "--vt-url", SITE, "--proxy", &proxy]);
    shows_no_secret(&untrusted);
    assert_eq!(untrusted.status, Some(3), "{}", untrusted.stdout);
    assert!(
        untrusted
            .stdout
            .contains("--ca-file if a proxy intercepts TLS"),
        "{}",
        untrusted.stdout
    );
    assert!(server.log().is_empty());
    let authority = home.path("authority/mitmproxy-ca-cert.pem");
    let authority = authority.display().to_string();
    let list = home.write("list.txt", "evil.example.com\nfine.example.com\n");
    let trusting = ["--vt-url", SITE, "--proxy", &proxy, "--ca-file", &authority];
    let doctor = home.run(&[&["doctor"], trusting.as_slice()].concat());
    assert_eq!(doctor.status, Some(0), "{}", doctor.stdout);
    for (run, versions) in [(1, None), (2, Some("--http1"))] {
        let store = format!("store{run}");
        let args = ["--rate", "1000/s", "--store", &store, "--out", "out", &list];
        let mut args = [args.as_slice(), &trusting].concat();
        args.extend(versions);
        let ran = home.run(&args);
        shows_no_secret(&ran);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        assert!(home.read("out/bad-domain.txt").contains("evil.example.com"));
        let log = proxy_log(&home);
        assert_eq!(
            log.matches("/domains/evil.example.com").count(),
            run,
            "{log}"
        );
        let by_http2 = log.matches("/domains/evil.example.com HTTP/2.0").count();
        assert_eq!(by_http2, 1, "{log}");
    }
    assert_eq!(server.log().len(), 5);
    let args = [
        "--rate",
        "1000/s",
        "--vt-url",
        SITE,
        "--ca-file",
        &authority,
        "--store",
        "variable.sqlite",
        "--out",
        "variable",
        &list,
    ];
    let mut by_variable = home.vthost(&args);
    let output = by_variable.env("HTTPS_PROXY", &proxy).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert!(!stderr.contains("hunter2"), "{stderr}");
    assert!(home.read("variable/bad-domain.txt").contains("evil"));
    assert_eq!(
        proxy_log(&home)
            .matches("/domains/evil.example.com")
            .count(),
        3
    );
    assert_eq!(server.log().len(), 7);
}
