//! A sample, and the ways in which the same lines can reach the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::reader::{Reading, Seen};

/// A sample log of `tests/logs`.
pub(super) struct Sample {
    /// `squid/native`.
    pub(super) name: String,
    /// The parser that reads it: `squid`. None where detection decides.
    pub(super) parser: Option<String>,
    pub(super) text: String,
}

/// A text with the lines of a sample in it.
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) text: Vec<u8>,
    /// The line of the text, from 1, where each line of the sample begins.
    pub(super) starts: Vec<u64>,
    pub(super) chunk_bytes: usize,
    /// Whether other lines of the text may give observations, too.
    pub(super) has_other_rows: bool,
    /// Whether a line that has no time gets one.
    pub(super) gives_time: bool,
    /// Replacements in the values and clients that the sample gives.
    pub(super) renamed: BTreeMap<String, String>,
}

/// The size of a chunk where it does not matter.
const CHUNK_BYTES: usize = 64 << 10;

impl Sample {
    pub(super) fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/logs");
        let mut paths: Vec<PathBuf> = folder(&root).flat_map(|path| folder(&path)).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
        paths.sort();
        let only = std::env::var("METAMORPHIC_ONLY").unwrap_or_default();
        let sample = |path: PathBuf| {
            let name = path.strip_prefix(&root).unwrap().with_extension("");
            let parser = name.parent().unwrap().display().to_string();
            Self {
                name: name.display().to_string(),
                parser: (parser != "demo").then_some(parser),
                text: std::fs::read_to_string(path).unwrap(),
            }
        };
        let samples = paths.into_iter().map(sample);
        samples
            .filter(|sample| sample.name.contains(&only))
            .collect()
    }

    /// The sample's place among others.
    pub(super) fn turn(&self, samples: &[Self]) -> usize {
        let others = samples.iter();
        others.take_while(|other| other.name != self.name).count()
    }

    pub(super) fn lines(&self) -> Vec<&str> {
        self.text.lines().collect()
    }

    /// Samples of formats that are common and unlike each other. Their format is detected.
    pub(super) fn common() -> Vec<Self> {
        const NAMES: [&str; 10] = [
            "cef/cef",
            "combined/haproxy",
            "combined/proxy",
            "dns/bind",
            "dns/dnsmasq",
            "fortigate/fortios",
            "keyvalue/iptables",
            "paloalto/panos",
            "squid/native",
            "suricata/eve",
        ];
        let samples = Self::all().into_iter();
        let samples = samples.filter(|sample| NAMES.contains(&sample.name.as_str()));
        samples
            .map(|sample| Self {
                parser: None,
                ..sample
            })
            .collect()
    }
}

fn folder(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(path).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || path.is_file())
}

impl Variant {
    /// A text of blocks, one for each line of the sample, between two other texts.
    pub(super) fn of_blocks(
        name: &str,
        before: &str,
        blocks: &[String],
        separator: &str,
        after: &str,
    ) -> Self {
        let mut text = before.to_owned();
        let mut starts = Vec::new();
        for (number, block) in blocks.iter().enumerate() {
            if number > 0 {
                text.push_str(separator);
            }
            let feeds = text.bytes().filter(|byte| *byte == b'\n').count();
            starts.push(feeds as u64 + 1);
            text.push_str(block);
        }
        text.push_str(after);
        Self {
            name: name.to_owned(),
            text: text.into_bytes(),
            starts,
            chunk_bytes: CHUNK_BYTES,
            has_other_rows: false,
            gives_time: false,
            renamed: BTreeMap::new(),
        }
    }

    /// A text with a block on each line.
    pub(super) fn of_lines(name: &str, lines: &[String]) -> Self {
        Self::of_blocks(name, "", lines, "\n", "\n")
    }

    /// The first difference from what the sample gave, if there is one.
    pub(super) fn difference(&self, sample: &Reading, reading: &Reading) -> Option<String> {
        let counts = &reading.summary.counts;
        if counts.lines != counts.records + counts.ignored_lines() + counts.rejected_lines() {
            return Some(format!("the lines do not add up: {counts:?}"));
        }
        let expected: Vec<Seen> = sample.seen.iter().map(|one| self.expected(one)).collect();
        let is_compared = |one: &&Seen| {
            let number = self.starts.iter().position(|start| *start == one.line);
            match number {
                // A row that was cut off in front is complete with the envelope's time.
                Some(number) => !(self.gives_time && sample.is_rejected(number as u64 + 1)),
                None => !self.has_other_rows,
            }
        };
        let mut got = reading.seen.iter().filter(is_compared);
        let found = |one: &Seen| reading.seen.iter().any(|other| agrees(one, other));
        if let Some(missing) = expected.iter().find(|one| !found(one)) {
            let same_line: Vec<_> = reading
                .seen
                .iter()
                .filter(|one| one.line == missing.line)
                .collect();
            return Some(format!("wanted {missing:?}, got {same_line:?}"));
        }
        let extra = got.find(|one| !expected.iter().any(|other| agrees(other, one)))?;
        Some(format!("got {extra:?}, which the sample does not give"))
    }

    /// Whether lines of the sample share a line of the text: the reader of documents then
    /// counts records instead.
    fn shares_lines(&self) -> bool {
        self.starts.windows(2).any(|pair| pair[0] == pair[1])
    }

    fn expected(&self, one: &Seen) -> Seen {
        let rename = |text: &String| {
            let renamed = self.renamed.iter().find(|(from, _)| text.contains(*from));
            renamed.map_or(text.clone(), |(from, to)| text.replace(from, to))
        };
        Seen {
            line: match self.shares_lines() {
                true => one.line,
                false => self.starts.get(one.line as usize - 1).copied().unwrap_or(0),
            },
            value: rename(&one.value),
            client: one.client.as_ref().map(rename),
            user: one.user.as_ref().map(rename),
            ..one.clone()
        }
    }
}

/// Whether an observation is the expected one. Where the sample has no time, an envelope may
/// have given one.
fn agrees(expected: &Seen, got: &Seen) -> bool {
    let time_us = expected.time_us.or(got.time_us);
    let timed = |one: &Seen| Seen {
        time_us,
        ..one.clone()
    };
    timed(expected) == timed(got) && (expected.time_us.is_none() || expected.time_us == got.time_us)
}
