//! The speed of extraction: `cargo bench --bench extract [MEGABYTES]`.
//!
//! Generates a Squid log from a seed and runs the program on it, alternating with `wc -l`, five
//! times each. Prints medians, MB/s, the ratio and the program's own times; then the start-up
//! time for a log of one line with a warm cache. It asserts nothing, because machines differ.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and ends where something is missing"
)]

use std::fmt::Write as _;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vthost::plugin::{
    CompileCache, Engine, InputInfo, Parser, PluginLimits, PluginSettings, PluginSource,
};
use vthost_testing::build_component;

const RUNS: usize = 5;
const DEFAULT_MEGABYTES: usize = 512;

fn main() {
    let megabytes = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let megabytes = megabytes.unwrap_or(DEFAULT_MEGABYTES);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let log = directory.join(format!("squid-{megabytes}.log"));
    if !log.exists() {
        generate(&log, megabytes << 20);
    }
    let bytes = std::fs::metadata(&log).unwrap().len();
    println!(
        "{} of {bytes} bytes, medians of {RUNS} runs\n",
        log.display()
    );
    let cases: [(&str, &[&str]); 5] = [
        (
            "extract --unique=host, 1 thread",
            &["--unique=host", "--threads", "1"],
        ),
        (
            "extract --unique=host, 2 threads",
            &["--unique=host", "--threads", "2"],
        ),
        (
            "extract --unique=url, 1 thread",
            &["--unique=url", "--threads", "1"],
        ),
        (
            "extract --unique=url, 2 threads",
            &["--unique=url", "--threads", "2"],
        ),
        ("extract, 2 threads", &["--threads", "2"]),
    ];
    println!("{:34} {:>8} {:>8} {:>12}", "what", "s", "MB/s", "of wc -l");
    for (name, args) in cases {
        let (mut ours, mut theirs, mut times) = (Vec::new(), Vec::new(), String::new());
        for _ in 0..RUNS {
            theirs.push(timed(Command::new("wc").arg("-l").arg(&log)).0);
            let (took, said) = timed(
                vthost(directory)
                    .args(["extract", "--parser", "squid", "--times"])
                    .args(args)
                    .arg(&log),
            );
            ours.push(took);
            times = said;
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!(
            "{name:34} {ours:>8.3} {:>8.0} {:>11.1}%",
            bytes as f64 / 1e6 / ours,
            theirs / ours * 100.0
        );
        println!("    {}", times.lines().last().unwrap_or_default());
        println!("    wc -l: {:.0} MB/s", bytes as f64 / 1e6 / theirs);
    }
    boundary(&log);
    start(directory);
}

/// What a chunk costs in calls of the parser, and how much of that is for
/// passing it, and for lifting and checking its observations: a component
/// that gives as many observations without parsing anything shows it.
fn boundary(log: &Path) {
    let mut bytes = vec![0; 512 << 10];
    std::fs::File::open(log)
        .unwrap()
        .read_exact(&mut bytes)
        .unwrap();
    bytes.truncate(memchr::memrchr(b'\n', &bytes).unwrap() + 1);
    let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64;
    let engine = Engine::new(PluginLimits::default(), CompileCache::Off).unwrap();
    let squid = PluginSource::BuiltIn("squid".into());
    let all = per_chunk(&engine, &squid, "", &bytes, lines);
    let at_once = PluginSource::File(build_component(
        "parser-hostile",
        Path::new(env!("CARGO_TARGET_TMPDIR")),
    ));
    let without = per_chunk(&engine, &at_once, "answer-at-once", &bytes, lines);
    println!(
        "\na chunk of {lines} lines: {:.3} ms in the parser, of which {:.3} ms ({:.0} %) at the boundary",
        all * 1e3,
        without * 1e3,
        without / all * 100.0
    );
}

fn per_chunk(engine: &Engine, source: &PluginSource, act: &str, chunk: &[u8], lines: u64) -> f64 {
    const CALLS: usize = 200;
    let mut settings = serde_json::Map::new();
    if !act.is_empty() {
        settings.insert("do".into(), act.into());
        settings.insert("lines".into(), lines.into());
    }
    let parser = Parser::load(engine, source, &PluginSettings(settings)).unwrap();
    let info = InputInfo {
        name: String::new(),
        head: Vec::new(),
        utc_offset_minutes: 0,
        reference_time_us: 0,
    };
    let mut session = parser.open(&info).unwrap();
    let call = |_| {
        let begun = Instant::now();
        let batch = session.parse(chunk, lines).unwrap();
        assert_eq!(batch.len() as u64, lines);
        begun.elapsed().as_secs_f64()
    };
    median((0..CALLS).map(call).collect())
}

/// The time from the command to its end, on a log of one line.
fn start(directory: &Path) {
    let log = directory.join("one-line.log");
    let mut line = String::new();
    push_line(&mut line, &mut Random(1), 0);
    std::fs::write(&log, line).unwrap();
    let run = |parser: &str| {
        timed(
            vthost(directory)
                .args(["extract", "--parser", parser])
                .arg(&log),
        )
        .0
    };
    for parser in ["squid", "auto"] {
        run(parser);
        let took = median((0..RUNS * 4).map(|_| run(parser)).collect());
        println!(
            "start to end on one line, --parser {parser}: {:.1} ms",
            took * 1000.0
        );
    }
}

fn vthost(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vthost"));
    command.env("XDG_CACHE_HOME", directory.join("bench-cache"));
    command
}

/// The wall time in seconds, and standard error.
fn timed(command: &mut Command) -> (f64, String) {
    let begun = Instant::now();
    let output = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let took: Duration = begun.elapsed();
    assert!(output.status.success(), "{command:?}");
    (
        took.as_secs_f64(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A Squid log of 20,000 hosts, 500 clients and as many URLs as it gets.
fn generate(path: &PathBuf, bytes: usize) {
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    let (mut random, mut line, mut written) = (Random(42), String::new(), 0);
    while written < bytes {
        line.clear();
        push_line(&mut line, &mut random, written as u64 / 100);
        file.write_all(line.as_bytes()).unwrap();
        written += line.len();
    }
    file.flush().unwrap();
}

fn push_line(line: &mut String, random: &mut Random, ms: u64) {
    // Few hosts and pages are visited often, most seldom.
    let host = random.below(20_000).min(random.below(20_000));
    let page = random.below(60).min(random.below(60));
    let client = random.below(500);
    let (seconds, ms) = (1_714_564_800 + ms / 1000, ms % 1000);
    let (elapsed, size) = (random.below(2_000), random.below(100_000));
    let peer = random.below(200);
    let (a, b) = (client / 250, client % 250);
    if random.below(100) < 55 {
        writeln!(line, "{seconds}.{ms:03} {elapsed:6} 10.0.{a}.{b} TCP_TUNNEL/200 {size} CONNECT www{host}.example.com:443 - HIER_DIRECT/203.0.113.{peer} -").unwrap();
    } else {
        writeln!(line, "{seconds}.{ms:03} {elapsed:6} 10.0.{a}.{b} TCP_MISS/200 {size} GET http://www{host}.example.com/section/{page}/article.html?id={page} - HIER_DIRECT/203.0.113.{peer} text/html").unwrap();
    }
}

/// A small generator of repeatable numbers (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}
