//! Proxies as organisations run them, started here on loopback between host and
//! simulator: Debian's tinyproxy, and mitmproxy, which opens TLS with a
//! certificate authority of its own. Where they are not installed the tests are
//! left out with a note; in continuous integration (`CI` is set) they fail.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use vthost_simulator::{DEMO_KEY, Server, Simulator};

use crate::support::{Home, Ran, patient, serve};

/// A proxy that wants `user:hunter2`, until it is dropped.
struct Proxy {
    process: Child,
    port: u16,
}

impl Proxy {
    /// Starts a program that writes to `home/proxy.log` and soon listens on this
    /// port; none where there is no such program.
    fn start(home: &Home, port: u16, program: &str, args: &[&str]) -> Option<Self> {
        let log = File::create(home.path("proxy.log")).unwrap();
        let mut command = Command::new(program);
        command.args(args).stdout(log).stderr(Stdio::null());
        command.env("PYTHONUNBUFFERED", "1");
        let mut process = match command.spawn() {
            Ok(process) => process,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "{program}: {error}");
                eprintln!("left out, for want of {program}: {error}");
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

    /// One that leads whoever asks for [`SITE`] to the simulator.
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
            // It is to connect to where it leads, not to where the client wants.
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

/// A site that is nowhere: only the proxy knows a way.
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

/// What the proxy says of the requests that it let through.
fn said(home: &Home) -> String {
    home.read("proxy.log")
}

#[test]
fn tinyproxy_with_a_password() {
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
    let through = |path: &str| said(&home).matches(&format!("{path} HTTP/1.1")).count();
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
    assert_eq!(by_variable("127.0.0.1"), 2, "it was to be passed by");
    assert_eq!(server.log().len(), 9);
}

#[test]
fn mitmproxy_opens_tls_by_an_authority_of_its_own() {
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
        let said = said(&home);
        assert_eq!(
            said.matches("/domains/evil.example.com").count(),
            run,
            "{said}"
        );
        let by_http2 = said.matches("/domains/evil.example.com HTTP/2.0").count();
        assert_eq!(by_http2, 1, "{said}");
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
    assert_eq!(said(&home).matches("/domains/evil.example.com").count(), 3);
    assert_eq!(server.log().len(), 7);
}
