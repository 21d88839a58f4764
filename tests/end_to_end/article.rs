//! The script of the original article and vthost write the same files for the article's list.

use std::path::Path;
use std::process::Command;

use vthost_simulator::{DEMO_KEY, Simulator};

use crate::python;
use crate::support::{Home, patient, serve};

const LIST: &str = "milestone-of-se.nesuke.com\nhttp://027.ru\n1.1.1.1\n103.9.36.172\n";

#[test]
fn script_and_vthost_write_the_same_files() {
    let Some(python) = python::with_packages(Path::new(env!("CARGO_TARGET_TMPDIR")), "vt_py")
    else {
        return;
    };
    let home = Home::new();
    let list = home.write("list.txt", LIST);
    let server = serve(Simulator::article(patient()));
    std::fs::create_dir(home.path("script")).unwrap();
    let script = Command::new(python)
        .arg(python::scripts("vt_py").join("article.py"))
        .args([
            "--host",
            &server.url(),
            "--key",
            DEMO_KEY,
            "--list",
            &list,
            "--pause",
            "0",
        ])
        .arg("--out")
        .arg(home.path("script"))
        .output()
        .unwrap();
    assert!(
        script.status.success(),
        "{}",
        String::from_utf8_lossy(&script.stderr)
    );

    let url = server.url();
    let ran = home.run(&[
        "--parser",
        "list",
        "--share",
        "submit",
        "--rescan",
        "--rate",
        "1000/s",
        "--poll-after",
        "1ms",
        "--vt-url",
        &url,
        "--out",
        "vthost",
        &list,
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);

    for name in ["bad-domain.txt", "good-domain.txt"] {
        let script = without_dates(&home.read(&format!("script/{name}")));
        let vthost = without_dates(&home.read(&format!("vthost/{name}")));
        assert_eq!(vthost, script, "{name}");
    }
    let bad = without_dates(&home.read("vthost/bad-domain.txt"));
    assert_eq!(
        bad[0],
        "http://027.ru {'harmless': 77, 'malicious': 0, 'suspicious': 1, 'undetected': 10, 'timeout': 0}"
    );
    assert_eq!(bad.len(), 2);
}

/// The lines without their first word, which must have the length of a date.
fn without_dates(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        let (date, rest) = line.split_once(' ').unwrap();
        assert_eq!(date.len(), "2022-09-29T23:40:55".len(), "{line}");
        rest.to_owned()
    });
    lines.collect()
}
