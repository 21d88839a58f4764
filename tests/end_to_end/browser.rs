//! Reports in a real browser: no script error, no request, sorting and filtering, everything
//! readable without script, no violation of accessibility rules. `.ci/run` installs what is
//! needed; elsewhere the tests are left out with a note.

use std::path::Path;
use std::process::Command;

use vthost_simulator::Simulator;

use crate::support::{Home, patient, serve};

/// The status of the script if the browser or a package is missing.
const NO_TOOLS: i32 = 77;

/// Checks a report in the browser.
fn check(home: &Home, report: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = root.join("tests/end_to_end/browser.cjs");
    let packages = root.join("target/browser/node_modules");
    let ran = Command::new("node")
        .arg(script)
        .arg(home.path(report))
        .env("NODE_PATH", packages)
        .output();
    let Ok(ran) = ran else {
        eprintln!("skipped, node is missing");
        return;
    };
    let said = String::from_utf8_lossy(&ran.stdout);
    if ran.status.code() == Some(NO_TOOLS) {
        eprintln!("skipped, {said}");
        return;
    }
    let wrong = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}{wrong}");
}

#[test]
fn report_of_the_demo_is_readable_in_a_browser() {
    let home = Home::new();
    let ran = home.run(&["demo"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    check(&home, "vthost-demo/report.html");
    let ran = home.run(&["report", "--lang", "ja", "--out", "ja.html", "vthost-demo"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    check(&home, "ja.html");
}

#[test]
fn hostile_log_is_shown_and_not_run_in_a_browser() {
    let paths = [
        "<script>alert(1)</script>",
        "\"><img/src=x/onerror=alert(1)>",
        "'onmouseover='alert(1)",
        "</style></script></title>",
        "javascript:alert(1)",
        "\u{202e}gpj.exe",
        "日本語",
    ];
    let mut log = String::new();
    for (number, path) in paths.iter().enumerate() {
        log.push_str(&format!(
            "1714564923.{number} 1 10.0.1.1 TCP_MISS/200 1 GET http://evil{number}.example.org/{path} <b>jane</b> HIER_DIRECT/203.0.113.1 text/html\n"
        ));
    }
    log.push_str("<script>alert(2)</script>\n");
    let home = Home::new();
    let log = home.write("<img src=x onerror=alert(3)>.log", log);
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let args = [
        "--rate", "1000/s", "--vt-url", &url, "--parser", "squid", "--out", "out", &log,
    ];
    let ran = home.run(&args);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let report = home.read("out/report.html");
    assert!(report.contains("evil0[.]example[.]org"), "{report}");
    check(&home, "out/report.html");
}
