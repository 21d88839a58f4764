//! The cookbook: every command of `docs/cookbook.md` is run, in the order of the page.

#![cfg(unix)]

use vthost_simulator::{Simulator, Stats};

use crate::support::{Home, patient, serve};

const LOG: &str = "\
1714564800.123    161 10.0.0.5 TCP_MISS/200 4310 GET http://www.example.net/a - HIER_DIRECT/203.0.113.10 text/html
1714564802.000     12 10.0.0.6 TCP_TUNNEL/200 900 CONNECT mail.example.com:443 - HIER_DIRECT/203.0.113.12 -
1714564803.000    161 10.0.0.5 TCP_MISS/200 4310 GET http://evil.example.org/x - HIER_DIRECT/203.0.113.11 text/html
";

/// The commands of the page: the lines of code blocks without a language.
fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    let plain = blocks.filter_map(|block| block.strip_prefix('\n'));
    plain.flat_map(str::lines).collect()
}

#[test]
fn every_command_of_the_cookbook_runs() {
    let home = Home::new();
    home.write("logs/access.log", LOG);
    let line = LOG.lines().last().unwrap();
    home.write(
        "siem.csv",
        format!("_time,_raw\n2024-05-01T12:00:03Z,{line}\n"),
    );
    let mut simulator = Simulator::new(patient());
    let one = Stats {
        harmless: 69,
        malicious: 1,
        ..Stats::CLEAN
    };
    simulator.know("mail.example.com", one);
    let server = serve(simulator);
    let lines = commands(include_str!("../../docs/cookbook.md"));
    assert!(lines.len() >= 20, "{lines:?}");
    let script = format!(
        "set -ex\nexport PATH=\"$PATH:/usr/bin:/bin\" VTHOST_RATE=1000/s VTHOST_VT_URL={}\n{}",
        server.url(),
        lines.join("\n")
    );
    let ran = home.shell(&script);
    assert_eq!(ran.status, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("bad -> good  mail.example.com"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .contains("TCP_MISS/200 4310 GET http://evil.example.org/x"),
        "{}",
        ran.stdout
    );
    for (file, expected) in [
        ("bad-hosts.txt", "evil.example.org"),
        ("siem/bad-domain.txt", "evil.example.org"),
        ("elsewhere/bad-domain.txt", "evil.example.org"),
        ("contacted.txt", "mail.example.com\n"),
        ("man1/vthost.1", "vthost"),
    ] {
        assert!(
            home.read(file).contains(expected),
            "{file}: {}",
            home.read(file)
        );
    }
    let allowed = home.read("allowed/unknown-domain.txt");
    assert!(
        allowed.contains("on the allow-list (.example.com)"),
        "{allowed}"
    );
}
