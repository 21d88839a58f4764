//! Whether a parser keeps the contract, whatever bytes it reads.

use std::path::{Path, PathBuf};

use super::{Parsed, detect, parse};
use crate::parser::LineParser;

/// Reads bytes with a parser and checks the results: the confidence is a
/// percentage, every line is counted once, and each observation has a value and
/// belongs to a line.
///
/// # Panics
///
/// If a check fails.
pub fn keeps_contract<P: LineParser>(bytes: &[u8]) {
    assert!(detect::<P>(bytes) <= 100);
    // A parser may refuse an input.
    let Ok(parsed) = parse::<P>(bytes, "{}") else {
        return;
    };
    let Parsed {
        observations,
        records,
        ignored,
        rejected,
    } = parsed;
    let lines = count_lines(bytes);
    let others = ignored.iter().chain(&rejected).map(|(_, count)| count);
    let counted = records + others.sum::<u32>();
    assert_eq!(counted, lines, "lines = records + ignored + rejected");
    for observed in &observations {
        assert!(!observed.value.is_empty(), "{observed:?}");
        assert!((1..=lines).contains(&observed.line), "{observed:?}");
    }
}

fn count_lines(bytes: &[u8]) -> u32 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let unfinished = !bytes.is_empty() && !bytes.ends_with(b"\n");
    feeds as u32 + u32::from(unfinished)
}

/// Runs [`keeps_contract`] on all samples of all formats, on parts of their
/// lines, and on long lines of a single byte. A parser whose time is not
/// proportional to the length of a line does not finish the latter.
///
/// # Panics
///
/// If a check fails, or a sample cannot be read.
pub fn samples_keep_contract<P: LineParser>(crate_folder: &str) {
    keeps_contract::<P>(b"");
    keeps_contract::<P>(b"\0\xff\r\n");
    for (_, sample) in all_samples(Path::new(crate_folder)) {
        keeps_contract::<P>(&sample);
        for line in sample.split(|byte| *byte == b'\n').take(20) {
            for part in 1..8 {
                keeps_contract::<P>(&line[..line.len() * part / 7]);
            }
        }
    }
    for byte in *b" \"\\=:,;|.[({<%/@-" {
        keeps_contract::<P>(&vec![byte; LONG_LINE_BYTES]);
    }
}

const LONG_LINE_BYTES: usize = 1 << 18;

/// The samples of one parser: `cases/*.log` of its crate, and
/// `tests/logs/NAME/*.log` of this repository.
#[must_use]
pub fn samples<P: LineParser>(crate_folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let name = P::describe().name;
    let logs = Path::new(crate_folder).join(LOGS).join(name);
    let mut samples = logs_in(&Path::new(crate_folder).join("cases"));
    samples.extend(logs_in(&logs));
    samples
}

/// The samples of all parsers of this repository, from the folder of a parser.
const LOGS: &str = "../../../tests/logs";

fn all_samples(crate_folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut samples = logs_in(&crate_folder.join("cases"));
    for format in entries(&crate_folder.join(LOGS)) {
        samples.extend(logs_in(&format));
    }
    samples
}

fn logs_in(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut logs = entries(folder);
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    let read = |path: PathBuf| match std::fs::read(&path) {
        Ok(bytes) => (path, bytes),
        Err(error) => panic!("{}: {error}", path.display()),
    };
    logs.into_iter().map(read).collect()
}

/// What is in a folder, in order; nothing if there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
