//! A parser that misbehaves as its settings demand. It uses the generated bindings,
//! because the SDK does not allow this. Chunks that begin with `fine` are parsed.

#![cfg(target_arch = "wasm32")]

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::path::Path;

use vthost_plugin::bindings::parser::exports::vthost::parser::parsing::{
    Action, Batch, Description, Format, Guest, GuestSession, IndicatorKind, Input, Observation,
    Reading, Session, Span, Tally,
};
use wasip2::cli::{
    environment, stderr, stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout,
};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::filesystem::preopens;
use wasip2::io::poll;
use wasip2::random::{insecure, insecure_seed, random};

struct Hostile;

/// The misbehaviour, and for `answer-at-once` the number of lines of a chunk, because
/// counting them would take time.
struct Doing(String, u32);

vthost_plugin::bindings::parser::export_parser_world!(
    Hostile with_types_in vthost_plugin::bindings::parser
);

impl Guest for Hostile {
    type Session = Doing;

    fn describe() -> Description {
        Description {
            name: "hostile".to_owned(),
            version: "6.6.6".to_owned(),
            licence: "MIT".to_owned(),
            summary: "Misbehaves on demand".to_owned(),
            formats: vec![Format {
                name: "hostile".to_owned(),
                title: "Anything".to_owned(),
                example: "anything".to_owned(),
            }],
            settings_schema: r#"{"type":"object","properties":{"do":{"type":"string"},"lines":{"type":"integer"}}}"#
                .to_owned(),
        }
    }

    fn detect(_input: Input) -> u8 {
        0
    }
}

impl GuestSession for Doing {
    fn open(_input: Input, settings: String) -> Result<Session, String> {
        let settings: serde_json::Value =
            serde_json::from_str(&settings).map_err(|error| error.to_string())?;
        let act = settings["do"].as_str().unwrap_or_default().to_owned();
        if act == "refuse-open" {
            return Err("this input smells".to_owned());
        }
        let lines = settings["lines"].as_u64().unwrap_or(0);
        Ok(Session::new(Self(act, lines as u32)))
    }

    fn reading(&self) -> Reading {
        match self.0.as_str() {
            "miscount-ordered" => Reading::OrderedLines,
            _ => Reading::IndependentLines,
        }
    }

    fn parse(&self, chunk: Vec<u8>) -> Result<Batch, String> {
        if self.0 == "answer-at-once" {
            return Ok(answer_at_once(&chunk, self.1));
        }
        let lines = chunk.split_inclusive(|byte| *byte == b'\n').count() as u32;
        if chunk.starts_with(b"fine") {
            return Ok(valid_batch(lines));
        }
        let first_word = || chunk.split(u8::is_ascii_whitespace).next();
        let act = match self.0.as_str() {
            "from-line" => String::from_utf8_lossy(first_word().unwrap_or_default()).into_owned(),
            act => act.to_owned(),
        };
        if let Some(batch) = invalid_batch(&act, &chunk, lines) {
            return Ok(batch);
        }
        match act.as_str() {
            "loop" => loop {
                std::hint::black_box(());
            },
            "memory" => {
                hog(usize::MAX);
                Ok(valid_batch(lines))
            }
            "hold" => {
                let hoard = hog(15);
                loop {
                    std::hint::black_box(&hoard);
                }
            }
            "look" => Err(look()),
            "try-each" => Err(try_each()),
            "draw-on" => loop {
                std::hint::black_box(random::get_random_bytes(64 << 10));
            },
            "print-on" => loop {
                let _ = std::io::stdout().write_all(&[b'x'; 4096]);
            },
            "wait" | "wait-until" => {
                wait(&act);
                Ok(valid_batch(lines))
            }
            "exit" => exit(),
            "draw" => Err(random::get_random_bytes(1 << 30).len().to_string()),
            "draw-insecurely" => Err(insecure::get_insecure_random_bytes(1 << 30)
                .len()
                .to_string()),
            "hold-and-output" => {
                std::hint::black_box(hog(9));
                Ok(Batch {
                    text: vec![b'x'; 90 << 20],
                    ..valid_batch(lines)
                })
            }
            "chatter" => {
                for _ in 0..1_000 {
                    let _ = writeln!(std::io::stderr(), "{}", "chatter ".repeat(20));
                }
                panic!("the last words")
            }
            "handles" => loop {
                std::mem::forget(Session::new(Self(String::new(), 0)));
            },
            "trap" => core::arch::wasm32::unreachable(),
            "stack" => Ok(valid_batch(recurse(lines))),
            "panic" => panic!("the moon is in the wrong phase"),
            "refuse-at-length" => Err("no ".repeat(1 << 20)),
            "refuse" => Err("no more of this".to_owned()),
            _ => Ok(valid_batch(lines)),
        }
    }

    fn finish(&self) -> Result<Batch, String> {
        Ok(valid_batch(0))
    }
}

/// A batch that violates the contract, or is unusual and valid.
fn invalid_batch(act: &str, chunk: &[u8], lines: u32) -> Option<Batch> {
    Some(match act {
        "span" => with(lines, |observation| observation.value.start = 4_000_000_000),
        "crossing-span" => with(lines, |observation| {
            observation.client = Span {
                start: chunk.len() as u32 - 1,
                len: 2,
            };
        }),
        "no-value" => with(lines, |observation| observation.value.len = 0),
        "line" => with(lines, |observation| observation.line = lines),
        "time" => with(lines, |observation| observation.time_us = i64::MAX),
        "year-9999" => with(lines, |observation| observation.time_us = YEAR_9999_US),
        "not-an-ip" => with(lines, |observation| observation.kind = IndicatorKind::Ip),
        "long-value" => Batch {
            text: vec![b'x'; (64 << 10) + 1],
            ..with(lines, |observation| {
                observation.user = Span {
                    start: chunk.len() as u32,
                    len: (64 << 10) + 1,
                };
            })
        },
        "overlap" => overlapping(chunk),
        "quoting-reason" => rejected(lines, String::from_utf8_lossy(chunk.trim_ascii()).into()),
        "empty-reason" => rejected(lines, String::new()),
        "miscount" | "miscount-ordered" => valid_batch(lines + 1),
        "output" => Batch {
            text: vec![b'x'; 120 << 20],
            ..valid_batch(lines)
        },
        _ => return None,
    })
}

/// Waits on the clock, for a duration or until an instant.
fn wait(act: &str) {
    match act {
        "wait" => monotonic_clock::subscribe_duration(1).block(),
        _ => monotonic_clock::subscribe_instant(monotonic_clock::now() + 1).block(),
    }
}

/// A batch that counts its lines and contains no observation.
fn valid_batch(lines: u32) -> Batch {
    Batch {
        text: b"example.com".to_vec(),
        observations: Vec::new(),
        records: lines,
        ignored: Vec::new(),
        rejected: Vec::new(),
    }
}

/// A batch whose lines are all rejected for this reason. It is cut, because reasons are bounded.
fn rejected(lines: u32, reason: String) -> Batch {
    let reason = reason.chars().take(12).collect();
    Batch {
        rejected: vec![Tally {
            reason,
            count: lines,
            samples: Vec::new(),
        }],
        ..valid_batch(0)
    }
}

/// A batch with one observation for each line. `spoil` changes the first.
fn with(lines: u32, spoil: impl FnOnce(&mut Observation)) -> Batch {
    let absent = Span { start: 0, len: 0 };
    let observation = |line| Observation {
        line,
        kind: IndicatorKind::Domain,
        action: Action::Unstated,
        value: Span { start: 0, len: 1 },
        client: absent,
        user: absent,
        time_us: 0,
    };
    let mut observations: Vec<Observation> = (0..lines).map(observation).collect();
    observations.first_mut().map(spoil);
    Batch {
        observations,
        ..valid_batch(lines)
    }
}

/// 9999-12-31T00:00:00Z.
const YEAR_9999_US: i64 = 253_402_214_400_000_000;

/// Two observations with overlapping spans: the first line as a URL, and the same
/// bytes without the scheme as a domain. The domain is the client of both.
fn overlapping(chunk: &[u8]) -> Batch {
    let end = chunk.len() as u32 - 1;
    let (url, host) = (
        Span { start: 0, len: end },
        Span {
            start: 7,
            len: end - 7,
        },
    );
    let mut batch = with(2, |_| ());
    for (observation, (kind, value)) in batch
        .observations
        .iter_mut()
        .zip([(IndicatorKind::Url, url), (IndicatorKind::Domain, host)])
    {
        observation.line = 0;
        observation.kind = kind;
        observation.value = value;
        observation.client = host;
        observation.user = url;
    }
    Batch {
        records: 1,
        ..batch
    }
}

/// One observation for each line without parsing, to measure the cost of passing a
/// chunk and its observations.
fn answer_at_once(chunk: &[u8], lines: u32) -> Batch {
    let len = chunk.len().min(40) as u32;
    let span = Span { start: 0, len };
    let observation = |line| Observation {
        line,
        kind: IndicatorKind::Url,
        action: Action::Allowed,
        value: span,
        client: span,
        user: span,
        time_us: 0,
    };
    Batch {
        text: Vec::new(),
        observations: (0..lines).map(observation).collect(),
        ..valid_batch(lines)
    }
}

#[expect(clippy::disallowed_methods, reason = "the test is about it")]
fn exit() -> ! {
    std::process::exit(1)
}

/// Allocates this many blocks of 16 MiB, and uses them.
fn hog(times: usize) -> Vec<Vec<u8>> {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    while hoard.len() < times {
        hoard.push(vec![1; 16 << 20]);
        std::hint::black_box(&hoard);
    }
    hoard
}

/// Reads everything that WASI could provide.
fn look() -> String {
    let _ = writeln!(std::io::stdout(), "is anybody there?");
    let mut input = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut input);
    let folder = match std::env::current_dir() {
        Ok(folder) if !folder.as_os_str().is_empty() && folder != Path::new("/") => "a folder",
        _ => "no folder",
    };
    format!(
        "I see {} arguments, {} variables, {folder}, {} bytes of input, and the number {:x}",
        std::env::args().count(),
        std::env::vars_os().count(),
        input.len(),
        RandomState::new().build_hasher().finish()
    )
}

/// Calls every function of WASI that a plugin can import, and returns the results.
fn try_each() -> String {
    let (stdin, stdout, stderr) = (
        stdin::get_stdin(),
        stdout::get_stdout(),
        stderr::get_stderr(),
    );
    let ready = poll::poll(&[&stdin.subscribe(), &stdout.subscribe(), &stderr.subscribe()]);
    let seen = [
        format!("environment {:?}", environment::get_environment()),
        format!("arguments {:?}", environment::get_arguments()),
        format!("folder {:?}", environment::initial_cwd()),
        format!("stdin {:?}", stdin.blocking_read(10).is_err()),
        format!("ready {}", ready.len()),
        format!("stdout {:?}", stdout.blocking_write_and_flush(b"?").is_ok()),
        format!("stderr {:?}", stderr.blocking_write_and_flush(b"?").is_ok()),
        format!(
            "terminals {} {} {}",
            terminal_stdin::get_terminal_stdin().is_some(),
            terminal_stdout::get_terminal_stdout().is_some(),
            terminal_stderr::get_terminal_stderr().is_some()
        ),
        format!("random {:?}", random::get_random_bytes(6)),
        format!("random number {:x}", random::get_random_u64()),
        format!("insecure {:?}", insecure::get_insecure_random_bytes(6)),
        format!("insecure number {:x}", insecure::get_insecure_random_u64()),
        format!("seed {:x?}", insecure_seed::insecure_seed()),
        format!(
            "clock {:?} {}",
            wall_clock::now(),
            wall_clock::resolution().nanoseconds
        ),
        format!(
            "ticks {} {}",
            monotonic_clock::now(),
            monotonic_clock::resolution()
        ),
        format!("folders {}", preopens::get_directories().len()),
        format!("file {:?}", std::fs::read("/etc/passwd").is_ok()),
    ];
    seen.join("; ")
}

/// Endless recursion that uses no linear memory, only the wasm stack.
#[inline(never)]
fn recurse(number: u32) -> u32 {
    if number == u32::MAX {
        return number;
    }
    recurse(number | 1) ^ recurse(number & !1)
}
