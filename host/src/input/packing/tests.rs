//! Tests of packed streams: each kind whole, cut and changed.

use std::io::Write as _;

use super::*;

const MANY: u64 = 1 << 40;

/// What comes out of bytes, and the error at its end.
fn read(packing: Packing, bytes: &[u8], max_unpacked_bytes: u64) -> (Vec<u8>, Option<String>) {
    let limits = UnpackLimits {
        max_unpacked_bytes,
        ..UnpackLimits::default()
    };
    let mut read = Vec::new();
    let opened = unpack(packing, Box::new(io::Cursor::new(bytes.to_vec())), &limits);
    let result = opened.and_then(|mut reader| reader.read_to_end(&mut read));
    (read, result.err().map(|error| error.to_string()))
}

fn text() -> Vec<u8> {
    (0..60_000)
        .flat_map(|line| format!("line {line} of the log\n").into_bytes())
        .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn all(bytes: &[u8]) -> [(Packing, Vec<u8>); 7] {
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(bytes).unwrap();
    let xz = lzma_rust2::XzOptions::with_preset(1);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), xz).unwrap();
    xz.write_all(bytes).unwrap();
    let lzip = lzma_rust2::LzipOptions::with_preset(1);
    let mut lzip = lzma_rust2::LzipWriter::new(Vec::new(), lzip);
    lzip.write_all(bytes).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(bytes).unwrap();
    let mut snappy = snap::write::FrameEncoder::new(Vec::new());
    snappy.write_all(bytes).unwrap();
    [
        (Packing::Gzip, gzip(bytes)),
        (Packing::Zstd, zstd::encode_all(bytes, 1).unwrap()),
        (Packing::Bzip2, bzip2.finish().unwrap()),
        (Packing::Xz, xz.finish().unwrap()),
        (Packing::Lzip, lzip.finish().unwrap()),
        (Packing::Lz4, lz4.finish().unwrap()),
        (Packing::Snappy, snappy.into_inner().unwrap()),
    ]
}

#[test]
fn contents_of_one_stream_and_of_several_follow_each_other() {
    let text = text();
    let (first, second) = text.split_at(text.len() / 3);
    for ((packing, one), (_, rest)) in all(first).into_iter().zip(all(second)) {
        let name = packing.name();
        assert_eq!(read(packing, &one, MANY), (first.to_vec(), None), "{name}");
        let (unpacked, error) = read(packing, &[one, rest].concat(), MANY);
        assert!(unpacked == text && error.is_none(), "{name} {error:?}");
    }
}

#[test]
fn zeros_after_a_stream_are_padding_and_other_bytes_are_an_error() {
    let text = text();
    for (packing, packed) in all(&text) {
        if packing == Packing::Snappy {
            // It has no end.
            continue;
        }
        let name = packing.name();
        let padded = [packed.as_slice(), &[0; 512]].concat();
        assert_eq!(read(packing, &padded, MANY).1, None, "{name}");
        let (unpacked, error) = read(packing, &[packed.as_slice(), b"garbage"].concat(), MANY);
        assert!(unpacked == text && error.is_some(), "{name}");
    }
}

#[test]
fn skippable_and_empty_frames_of_zstd_and_lz4_are_passed_over() {
    let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    for packing in [Packing::Zstd, Packing::Lz4] {
        let pack = |bytes: &[u8]| {
            let all = all(bytes);
            all.into_iter()
                .find(|(kind, _)| *kind == packing)
                .unwrap()
                .1
        };
        let (first, empty, second) = (pack(b"a\n"), pack(b""), pack(b"b\n"));
        let packed = [skippable, first.as_slice(), &empty, skippable, &second];
        let expected = (b"a\nb\n".to_vec(), None);
        assert_eq!(read(packing, &packed.concat(), MANY), expected);
    }
}

/// A legacy frame as `lz4 -l` writes it: signature, then the length and bytes of each block.
fn legacy_lz4(bytes: &[u8]) -> Vec<u8> {
    let block = lz4_flex::block::compress(bytes);
    let len = u32::try_from(block.len()).unwrap().to_le_bytes();
    [b"\x02\x21\x4c\x18", len.as_slice(), &block].concat()
}

#[test]
fn legacy_frames_of_lz4_end_with_the_file_or_before_another_frame() {
    let two = [legacy_lz4(b"a\n"), legacy_lz4(b"b\n")].concat();
    assert_eq!(read(Packing::Lz4, &two, MANY), (b"a\nb\n".to_vec(), None));
    let (unpacked, error) = read(Packing::Lz4, &two[..two.len() - 1], MANY);
    assert!(unpacked == b"a\n" && error.is_some());
}

#[test]
fn every_cut_gives_the_content_before_it_and_an_error() {
    let text: Vec<u8> = text()[..40_000].to_vec();
    for (packing, packed) in all(&text) {
        for part in 1..50 {
            let cut = &packed[..packed.len() * part / 50];
            let (unpacked, error) = read(packing, cut, MANY);
            assert!(text.starts_with(&unpacked), "{} {part}", packing.name());
            // Snappy's framing has no end mark: a cut between chunks cannot be seen.
            let is_seen = error.is_some() || packing == Packing::Snappy;
            assert!(is_seen, "{} {part}", packing.name());
        }
    }
}

/// The programs that pack as the name of a kind, all of which take `-c` and `-d`.
const TOOLS: [(Packing, &str); 2] = [(Packing::Gzip, "gzip"), (Packing::Bzip2, "bzip2")];

/// What a program writes for these bytes; none if it is not installed.
fn run(program: &str, arguments: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    io::Seek::rewind(&mut file).unwrap();
    let mut command = std::process::Command::new(program);
    let output = command.args(arguments).stdin(file).output();
    output.ok().map(|output| output.stdout)
}

/// How many of the first bytes are those of the text.
fn common(text: &[u8], bytes: &[u8]) -> usize {
    text.iter().zip(bytes).take_while(|(a, b)| a == b).count()
}

#[test]
fn damage_is_reported_and_costs_at_most_a_step_more_than_with_the_tools() {
    let lines = (0..3_000_u64).map(|line| line.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let text: Vec<u8> = lines.flat_map(|n| format!("{n}\n").into_bytes()).collect();
    for (packing, tool) in TOOLS {
        let Some(packed) = run(tool, &["-c", "-1"], &text) else {
            println!("left out: {tool} is not installed");
            continue;
        };
        assert_eq!(read(packing, &packed, MANY), (text.clone(), None), "{tool}");
        for part in 1..50 {
            let place = packed.len() * part / 50;
            let mut flipped = packed.clone();
            flipped[place] ^= 1 << (part % 8);
            for damaged in [&packed[..place], &flipped] {
                let by_tool = run(tool, &["-d", "-c"], damaged).unwrap();
                let (unpacked, error) = read(packing, damaged, MANY);
                let (ours, its) = (common(&text, &unpacked), common(&text, &by_tool));
                // The decoder keeps no content of the read that fails.
                assert!(
                    ours + STEP_BYTES > its,
                    "{tool} at {place}: {ours} bytes, by the tool {its}"
                );
                assert!(error.is_some() || unpacked == text, "{tool} at {place}");
            }
        }
    }
}

#[test]
fn dictionary_of_lzip_above_the_limit_is_refused() {
    let limits = UnpackLimits {
        max_window_bytes: 1 << 20,
        ..UnpackLimits::default()
    };
    // Version 1, a dictionary of 2^29 bytes.
    let packed = io::Cursor::new(b"LZIP\x01\x1d more".to_vec());
    let mut reader = unpack(Packing::Lzip, Box::new(packed), &limits).unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("--max-window"), "{error}");
}

#[test]
fn content_before_damage_in_gzip_is_returned() {
    let (unpacked, error) = read(Packing::Gzip, &gzip(&text())[..20_000], MANY);
    assert!(unpacked.len() > 10_000);
    assert!(
        error
            .unwrap()
            .starts_with("the gzip data is damaged or cut off")
    );
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let packed = gzip(&vec![b'x'; 3 << 20]);
    let (unpacked, error) = read(Packing::Gzip, &packed, 1 << 20);
    assert!(unpacked.len() <= 1 << 20);
    assert_eq!(
        error.unwrap(),
        "it unpacks to more than 0 GiB; --max-unpacked allows more"
    );
}

#[test]
fn a_window_above_the_limit_is_refused_by_the_name_of_the_option() {
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
    zstd.window_log(27).unwrap();
    zstd.write_all(b"text").unwrap();
    let packed = zstd.finish().unwrap();
    let limits = UnpackLimits {
        max_window_bytes: 1 << 20,
        ..UnpackLimits::default()
    };
    let mut reader = unpack(Packing::Zstd, Box::new(io::Cursor::new(packed)), &limits).unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("--max-window"), "{error}");
}
