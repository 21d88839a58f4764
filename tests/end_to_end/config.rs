//! `vthost.toml`, options of messages, and existing results.

use vthost_simulator::Simulator;

use crate::support::{Home, patient, serve};

const LIST: &str = "http://www.example.com/a\nevil.example.net\n";

#[test]
fn options_come_from_the_command_line_the_environment_and_files() {
    let home = Home::new();
    home.write(
        ".config/vthost/vthost.toml",
        "share = \"url\"\nper-day = 9\nthreads = 2\n",
    );
    home.write("vthost.toml", "share = \"host\"\n[plugins]\n");
    let mut command = home.vthost(&["config", "show", "--rate", "9/min"]);
    let ran = command.env("VTHOST_THREADS", "3").output().unwrap();
    let shown = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{shown}");
    let line = |name: &str| {
        let mut lines = shown.lines();
        let found = lines.find(|line| line.starts_with(name));
        found.unwrap_or_default().to_owned()
    };
    assert_eq!(line("share"), "share = \"host\"  # file ./vthost.toml");
    assert_eq!(line("rate"), "rate = \"9/min\"  # command line");
    assert_eq!(line("threads"), "threads = 3  # environment VTHOST_THREADS");
    assert_eq!(line("max-age"), "max-age = \"7d\"  # default");
    assert_eq!(line("# proxy"), "# proxy is not set");
    let per_day = line("per-day");
    assert!(per_day.starts_with("per-day = 9  # file /"), "{per_day}");
    assert!(per_day.ends_with(".config/vthost/vthost.toml"), "{per_day}");
    // What is printed is a valid file with the same values.
    home.write("again.toml", &shown);
    let again = home.run(&["config", "show", "--config-file", "again.toml"]);
    assert_eq!(again.status, Some(0), "{}", again.stderr);
    assert!(
        again.stdout.contains("per-day = 9  # file again.toml"),
        "{}",
        again.stdout
    );
}

#[test]
fn command_uses_the_options_of_the_file() {
    let home = Home::new();
    let list = home.write("list.txt", LIST);
    home.write("vthost.toml", "share = \"host\"\ndry-run = true\n");
    let ran = home.run(&[&list]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("* --share host:"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("in this folder sets dry-run, share")
            || ran.stderr.contains("in this folder sets share, dry-run"),
        "{}",
        ran.stderr
    );
    let ran = home.run(&["--share", "url", &list]);
    assert!(ran.stderr.contains("* --share url:"), "{}", ran.stderr);
    home.write("vthost.toml", "shared = \"host\"\n");
    let ran = home.run(&["status"]);
    assert_eq!(ran.status, Some(2));
    assert!(
        ran.stderr.contains("`shared` is not an option; known: "),
        "{}",
        ran.stderr
    );
    // Help does not depend on the file.
    assert_eq!(home.run(&["--help"]).status, Some(0));
}

#[test]
fn command_after_an_option_is_refused() {
    let home = Home::new();
    let ran = home.run(&["--vt-url", "http://127.0.0.1:1", "explain", "example.com"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("`vthost explain`"), "{}", ran.stderr);
    assert!(!home.path("results.jsonl").exists());
}

#[test]
fn existing_results_are_replaced_by_a_run_of_the_same_case_only() {
    let home = Home::new();
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let one = home.write("one.txt", LIST);
    let two = home.write("two.txt", "fine.example.org\n");
    let run = |more: &[&str]| {
        let args = ["--rate", "1000/s", "--vt-url", &url, "--out", "out"];
        home.run(&[&args[..], more].concat())
    };
    assert_eq!(run(&[&one]).status, Some(0));
    let results = home.read("out/results.jsonl");
    // The daily flow: the same inputs, with another quota.
    assert_eq!(run(&["--per-day", "100", &one]).status, Some(0));
    let asked = server.log().len();
    for refused in [&[two.as_str()][..], &["--policy", "threshold", &one]] {
        let ran = run(refused);
        assert_eq!(ran.status, Some(3), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("results of another run"),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("hint: name another folder"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(
        server.log().len(),
        asked,
        "refused before the first request"
    );
    assert_eq!(home.read("out/results.jsonl"), results);
    assert_eq!(run(&["--force", &two]).status, Some(0));
    assert!(!home.read("out/results.jsonl").contains("evil.example.net"));
}

#[test]
fn messages_follow_the_options() {
    let home = Home::new();
    let server = serve(Simulator::new(patient()));
    let url = server.url();
    let list = home.write("list.txt", format!("{LIST}not an indicator\n"));
    let run = |more: &[&str]| {
        let args = ["--rate", "1000/s", "--vt-url", &url, "--log-file", "log"];
        home.run(&[&args[..], more, &[&list]].concat())
    };
    let quiet = run(&["-q"]);
    assert_eq!((quiet.status, quiet.stderr.as_str()), (Some(0), ""));
    let normal = run(&[]);
    assert!(normal.stderr.contains("next: "), "{}", normal.stderr);
    assert!(normal.stderr.contains("rejected 1: "), "{}", normal.stderr);
    assert!(!normal.stderr.contains('\u{1b}'), "{}", normal.stderr);
    let colored = run(&["--color", "always", "--max-age", "0s"]);
    assert!(colored.stderr.contains('\u{1b}'), "{}", colored.stderr);
    let verbose = run(&["-v", "--max-age", "0s"]);
    assert!(verbose.stderr.contains("request"), "{}", verbose.stderr);
    let log = home.read("log");
    assert!(log.contains("path=/domains/evil.example.net"), "{log}");
    assert!(log.contains("next: check the clients"), "{log}");
    assert!(!log.contains(vthost_simulator::DEMO_KEY), "{log}");
    let args = ["report", "--from-store", "--out", "all.html"];
    let reported = home.run(&args);
    assert_eq!(reported.status, Some(0), "{}", reported.stderr);
    assert!(home.read("all.html").contains("evil[.]example[.]net"));
    assert_eq!(home.run(&args).status, Some(3), "the file exists");
    // Each error ends with what to do.
    let failed = home.run(&["export", "--format", "csv", "missing"]);
    assert_eq!(failed.status, Some(3));
    let last = failed.stderr.lines().last().unwrap();
    assert!(last.starts_with("hint: name the folder"), "{last}");
}

#[test]
fn misspelt_pins_are_refused_also_beside_another_file_of_options() {
    let home = Home::new();
    home.write("vthost.toml", "[trusts]\nminisign = [\"key\"]\n");
    home.write("other.toml", "share = \"host\"\n");
    for line in [
        &["formats"][..],
        &["formats", "--config-file", "other.toml"],
    ] {
        let ran = home.run(line);
        assert_eq!(ran.status, Some(2), "{line:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("trusts"), "{line:?}: {}", ran.stderr);
    }
}
