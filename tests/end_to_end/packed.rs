//! Files as ordinary tools pack them (`tests/inputs`), whole and with a flipped bit. Each holds the 20 lines
//! of `access-20-lines.log`.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use vthost::input::{Content, Input, UnpackLimits, Watch};

use crate::support::Home;

const PACKED: [&str; 21] = [
    "compress.Z",
    "cpio-newc.cpio",
    "gzip-twice.gz.gz",
    "lz4-empty-middle.lz4",
    "lz4-legacy.lz4",
    "lz4-skip.lz4",
    "lzip.lz",
    "pzstd.zst",
    "snappy-framed.sz",
    "tar-label.tar",
    "tar-sparse-bsd.tar",
    "tar-sparse-gnu.tar",
    "tar-sparse-pax10.tar",
    "zip-bzip2.zip",
    "zip-deflate64.zip",
    "zip-dup-names.zip",
    "zip-in-zip.zip",
    "zip-sjis.zip",
    "zip.zip.gz",
    "zstd-long31-pipe.zst",
    "squid-cr.log",
];

/// Kinds of which every content has a checksum, or a length for each part.
const CHECKED: [&str; 7] = [
    "gzip-twice.gz.gz",
    "lzip.lz",
    "snappy-framed.sz",
    "zip-bzip2.zip",
    "zip-deflate64.zip",
    "zip-sjis.zip",
    "zip.zip.gz",
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/inputs")
        .join(name)
}

/// The lines in a file, and whether anything in it could not be read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Unpacked {
    lines: BTreeSet<String>,
    has_failed: bool,
}

impl Unpacked {
    fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input");
        std::fs::write(&path, bytes).unwrap();
        let mut unpacked = Self::default();
        let limits = UnpackLimits {
            max_unpacked_bytes: 1 << 24,
            max_window_bytes: 1 << 31,
            ..UnpackLimits::default()
        };
        unpacked.add(Input::File(path).open(&limits, &Watch::default()), &limits);
        unpacked
    }

    fn add(&mut self, content: std::io::Result<Content>, limits: &UnpackLimits) {
        match content {
            Ok(Content::One(mut opened)) => {
                let mut text = Vec::new();
                self.has_failed |= opened.reader.read_to_end(&mut text).is_err();
                let text = String::from_utf8_lossy(&text).replace('\0', "");
                self.lines.extend(text.lines().map(str::to_owned));
            }
            Ok(Content::Archive(members)) => {
                for member in members {
                    match member {
                        Ok(member) => self.add(member.open(limits), limits),
                        Err(_) => self.has_failed = true,
                    }
                }
            }
            Ok(Content::NoLog(_)) => {}
            Err(_) => self.has_failed = true,
        }
    }
}

#[test]
fn packed_files_hold_the_same_lines() {
    let plain = Unpacked::of(&std::fs::read(file("access-20-lines.log")).unwrap());
    assert_eq!(plain.lines.len(), 20);
    for name in PACKED {
        let unpacked = Unpacked::of(&std::fs::read(file(name)).unwrap());
        assert_eq!(unpacked, plain, "{name}");
    }
}

#[test]
fn flipped_bits_are_reported_where_there_is_a_checksum() {
    for name in PACKED {
        let bytes = std::fs::read(file(name)).unwrap();
        let whole = Unpacked::of(&bytes);
        for place in (0..50).step_by(5).map(|place| bytes.len() * place / 50) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << (place % 8);
            let unpacked = Unpacked::of(&flipped);
            let is_checked = CHECKED.contains(&name) && place >= 16;
            assert!(
                !is_checked || unpacked.has_failed || unpacked.lines == whole.lines,
                "{name} flipped at {place}: {unpacked:?}"
            );
        }
    }
}

#[test]
fn kinds_that_are_not_read_are_named_with_what_to_do() {
    let home = Home::new();
    for (name, expected) in [
        ("avro-deflate.avro", "avro-tools tojson"),
        ("nfcapd.202405011200", "nfdump -r FILE -o csv"),
    ] {
        let path = file(name).display().to_string();
        let ran = home.run(&["extract", &path]);
        assert_eq!(ran.status, Some(4), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{name}: {}", ran.stderr);
    }
}

#[test]
fn packed_lines_that_the_named_parser_rejects_make_the_run_partial() {
    let home = Home::new();
    for name in ["compress.Z", "gzip-twice.gz.gz", "zip-bzip2.zip"] {
        let path = file(name).display().to_string();
        let ran = home.run(&["extract", "--parser", "cisco", &path]);
        assert_eq!(ran.status, Some(4), "{name}: {}", ran.stderr);
        let expected = "nothing in it was understood";
        assert!(ran.stderr.contains(expected), "{name}: {}", ran.stderr);
    }
}
