//! VirusTotal's official client, unmodified, against the simulator.

use std::path::Path;
use std::process::Command;

use vthost_simulator::{DEMO_KEY, Options, QuotaLimits, Server, Simulator, Stats};

use crate::python;

#[test]
fn the_official_client_passes() {
    let Some(python) = python::with_packages(Path::new(env!("CARGO_TARGET_TMPDIR")), "vt_py")
    else {
        return;
    };
    for is_chunked in [false, true] {
        passes(&python, is_chunked);
    }
}

fn passes(python: &Path, is_chunked: bool) {
    let mut simulator = Simulator::new(Options {
        limits: QuotaLimits {
            per_window: 1_000,
            per_day: 50,
            ..QuotaLimits::default()
        },
        analysis_ms: 30_000,
        progress_ms: 10_000,
        is_chunked,
        ..Options::default()
    });
    simulator.know("http://known.example.com/", Stats::BAD);
    // A fixed time: 2024-05-01T12:00:00Z.
    let server = Server::start(simulator, 0, || 1_714_564_800_000).unwrap();
    let output = Command::new(python)
        .arg(python::scripts("vt_py").join("acceptance.py"))
        .args([&server.url(), DEMO_KEY])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{wrong}");
    assert_eq!(said.matches("ok ").count(), 5, "{said}");
}
