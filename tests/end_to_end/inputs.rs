//! Packed logs, archives and text encodings.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::Home;

/// A sample log of the repository.
fn sample() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/logs/squid/native.log");
    std::fs::read(path).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The output of `vthost extract` for a file with these bytes.
fn extract(bytes: &[u8], more: &[&str]) -> Output {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("input"), bytes).unwrap();
    let arguments = [&["extract", "input"], more].concat();
    home.vthost(&arguments)
        .current_dir(folder.path())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn packing_and_encoding_do_not_change_the_observations() {
    let log = sample();
    let plain = extract(&log, &[]);
    assert!(plain.status.success() && !plain.stdout.is_empty());
    let half = log.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(str::from_utf8(&log).unwrap().encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let cases = [
        ("gzip", gzip(&log)),
        (
            "two members",
            [gzip(&log[..half]), gzip(&log[half..])].concat(),
        ),
        ("zstd", zstd::encode_all(log.as_slice(), 3).unwrap()),
        ("with a mark", [b"\xef\xbb\xbf", log.as_slice()].concat()),
        ("UTF-16", utf16.clone()),
        ("UTF-16 in gzip", gzip(&utf16)),
    ];
    for (name, bytes) in cases {
        let output = extract(&bytes, &[]);
        assert!(output.status.success(), "{name}: {}", said(&output));
        assert!(output.stdout == plain.stdout, "{name}");
        assert_eq!(said(&output), said(&plain), "{name}");
    }
}

#[test]
fn truncated_input_is_read_to_its_end_and_the_run_is_partial() {
    let log = sample().repeat(2_000);
    let packed = gzip(&log);
    let output = extract(&packed[..packed.len() / 2], &[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(output.stdout.len() > 1_000);
    assert!(
        said(&output).contains("the gzip data is damaged or cut off"),
        "{}",
        said(&output)
    );
}

#[test]
fn input_above_the_unpacking_limit_is_cut_with_a_message() {
    let output = extract(&gzip(&sample()), &["--max-unpacked", "0"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        said(&output).contains("--max-unpacked"),
        "{}",
        said(&output)
    );
}

#[test]
fn evidence_prints_the_lines_of_bad_indicators() {
    let home = Home::new();
    let row = |host: &str, time: u32| {
        format!(
            "171456480{time}.000     10 10.0.0.{time} TCP_MISS/200 1 GET http://{host}/a - HIER_DIRECT/192.0.2.1 -"
        )
    };
    let lines = [
        row("Bad.example.com", 1),
        row("good.example.com", 2),
        row("bad.example.com", 3),
    ];
    let log = home.write("access.log", lines.join("\r\n"));
    let results = home.write(
        "results.jsonl",
        "{\"type\":\"indicator\",\"verdict\":\"bad\",\"kind\":\"url\",\"value\":\"http://bad.example.com/a\"}\n\
         {\"type\":\"indicator\",\"verdict\":\"good\",\"kind\":\"url\",\"value\":\"http://good.example.com/a\"}\n\
         {\"type\":\"summary\"}\n",
    );
    let check = |verdict: &[&str], expected: &[usize]| {
        let ran = home.run(&[&["evidence", "--results", &results, &log], verdict].concat());
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        let found: Vec<serde_json::Value> = ran
            .stdout
            .lines()
            .map(|row| serde_json::from_str(row).unwrap())
            .collect();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found["line"], *expected);
            assert_eq!(found["text"], lines[expected - 1]);
            assert_eq!(found["client"], format!("10.0.0.{expected}"));
        }
    };
    check(&[], &[1, 3]);
    check(&["--verdict", "good"], &[2]);
    check(&["--verdict", "unknown"], &[]);
    let ran = home.run(&["evidence", "--results", "nowhere", &log]);
    assert_eq!(ran.status, Some(3));
    assert!(ran.stderr.contains("--results"), "{}", ran.stderr);
}

/// A tar archive of these members.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in members {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(path, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The rows without the name of the input.
fn rows(output: &Output, name: &str) -> Vec<String> {
    let stdout = str::from_utf8(&output.stdout).unwrap();
    let name = format!("\"input\":\"{name}\",");
    let lines = stdout.lines().filter(|line| line.contains(&name));
    lines.map(|line| line.replace(&name, "")).collect()
}

#[test]
fn members_of_an_archive_are_separate_inputs() {
    let log = sample();
    let plain = rows(&extract(&log, &[]), "input");
    let packed = gzip(&log);
    let ordered =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/logs/zeek/http.log"))
            .unwrap();
    let members = [
        ("var/log/access.log", log.as_slice()),
        ("var/log/access.log.1.gz", packed.as_slice()),
        ("var/log/http.log", ordered.as_slice()),
    ];
    let in_order = rows(&extract(&ordered, &[]), "input");
    assert!(!plain.is_empty() && !in_order.is_empty());
    for (kind, archive) in [
        ("tar", tar(&members)),
        ("tar.gz", gzip(&tar(&members))),
        ("zip", zip(&members)),
    ] {
        let output = extract(&archive, &["--keep-duplicates"]);
        assert!(output.status.success(), "{kind}: {}", said(&output));
        assert_eq!(rows(&output, "input/var/log/access.log"), plain, "{kind}");
        assert_eq!(
            rows(&output, "input/var/log/access.log.1.gz"),
            plain,
            "{kind}"
        );
        assert_eq!(rows(&output, "input/var/log/http.log"), in_order, "{kind}");
    }
}

#[test]
fn number_of_threads_does_not_change_the_result() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let ordered =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/logs/zeek/http.log"))
            .unwrap();
    // Each with several chunks and different hosts.
    let log = |name: &str| {
        let one = str::from_utf8(&sample()).unwrap().repeat(1_200);
        one.replace("example.com", &format!("{name}.example.com"))
            .into_bytes()
    };
    let zstd = |name: &str| zstd::encode_all(log(name).as_slice(), 1).unwrap();
    let cut_off = zstd("cut-off");
    let inputs = [
        ("1.log", log("plain")),
        ("2.log.zst", zstd("two")),
        ("3.log.gz", gzip(&log("three"))),
        ("4.log.zst", cut_off[..cut_off.len() / 2].to_vec()),
        (
            "5.log.zst",
            zstd::encode_all(ordered.as_slice(), 1).unwrap(),
        ),
        (
            "6.tar.gz",
            gzip(&tar(&[("a.zst", &zstd("a")), ("b.log", &log("b"))])),
        ),
        ("7.log.zst", zstd("seven")),
    ];
    for (name, bytes) in inputs {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let extract = |threads: &str, more: &[&str]| {
        let arguments = [&["extract", "--threads", threads, "."], more].concat();
        home.vthost(&arguments)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    for more in [&[][..], &["--unique=url"], &["--unique=host"]] {
        let alone = extract("1", more);
        assert_eq!(alone.status.code(), Some(4), "{}", said(&alone));
        assert!(said(&alone).contains("the zstd data is damaged or cut off"));
        assert!(
            str::from_utf8(&alone.stdout)
                .unwrap()
                .contains("seven.example.com")
        );
        for threads in ["2", "5"] {
            let together = extract(threads, more);
            assert_eq!(together.status.code(), Some(4), "{}", said(&together));
            assert!(together.stdout == alone.stdout, "{threads} {more:?}");
            assert_eq!(said(&together), said(&alone), "{threads} {more:?}");
        }
    }
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_workers_that_wait_for_the_one_that_unpacks() {
    let home = Home::new();
    let arguments = ["extract", "--threads", "4", "--parser", "squid", "-"];
    let mut child = home
        .vthost(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let frame = zstd::encode_all(sample().repeat(1_000).as_slice(), 1).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&frame).unwrap();
    // By then, one worker waits for more of the input, and the others for that worker.
    std::thread::sleep(Duration::from_millis(500));
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    std::thread::sleep(Duration::from_millis(100));
    let feeder = std::thread::spawn(move || while stdin.write_all(&frame).is_ok() {});
    let mut patience = 300;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        patience -= 1;
        if patience == 0 {
            child.kill().unwrap();
            panic!("it goes on");
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    feeder.join().unwrap();
    assert_eq!(status.code(), Some(130));
}

#[test]
fn damaged_archive_is_read_to_the_damage_and_is_partial() {
    let log = sample();
    let whole = tar(&[("a.log", &log), ("b.log", &log)]);
    let output = extract(&whole[..whole.len() * 3 / 5], &[]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(!rows(&output, "input/a.log").is_empty());

    let nested = extract(&zip(&[("inner.zip", &zip(&[("a.log", &log)]))]), &[]);
    assert_eq!(nested.status.code(), Some(0), "{}", said(&nested));
    assert!(!rows(&nested, "input/inner.zip/a.log").is_empty());
    let deepest = (0..12).fold(log.clone(), |inner, _| zip(&[("inner", &inner)]));
    let deepest = extract(&deepest, &[]);
    assert_eq!(deepest.status.code(), Some(4));
    let refusal = "it is packed more than 8 times; unpack it first";
    assert!(said(&deepest).contains(refusal), "{}", said(&deepest));
    let bomb = extract(&zip(&[("a.log", &log)]), &["--max-unpacked", "0"]);
    assert_eq!(bomb.status.code(), Some(4), "{}", said(&bomb));
    assert!(
        said(&bomb).contains("--max-unpacked allows more"),
        "{}",
        said(&bomb)
    );
}

#[test]
fn table_is_read_by_the_names_of_its_columns() {
    let log = b"when;who;what;verdict\n2024-05-01 12:00:00;192.0.2.9;evil.example.com:443;DENY\n";
    let settings = ["host=what", "client=who", "time=when", "action=verdict"];
    let settings = settings
        .iter()
        .flat_map(|setting| ["--parser-config", setting]);
    let arguments: Vec<&str> = ["--parser", "csv"].into_iter().chain(settings).collect();
    let output = extract(log, &arguments);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        rows(&output, "input"),
        [
            r#"{"line":2,"kind":"domain","value":"evil.example.com","client":"192.0.2.9","time":"2024-05-01T12:00:00Z","action":"blocked"}"#
        ]
    );
    let wrong = extract(log, &["--parser", "csv", "--parser-config", "url=nothing"]);
    assert!(
        said(&wrong).contains("its header names no column"),
        "{}",
        said(&wrong)
    );
    let detected = extract(b"time,client,url\n,192.0.2.9,http://example.com/\n", &[]);
    assert!(said(&detected).contains("csv ("), "{}", said(&detected));
}
