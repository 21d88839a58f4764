//! The kinds of file that the first bytes tell apart: what is unpacked, what is an archive,
//! and what is refused, with what to do instead.
//!
//! [`KINDS`] is the one table; `docs/inputs.md` is generated from it. A file of no kind here
//! is text, if it looks like text.

use super::archive::Format;
use super::packing::Packing;

/// A kind of file.
#[derive(Debug)]
pub struct FileKind {
    /// Its name in messages: `gzip`, `Apache Parquet`.
    pub name: &'static str,
    /// Whether a file is of this kind.
    signature: Signature,
    /// What is done with it.
    pub handling: Handling,
}

/// What is done with a file of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// It is decompressed.
    Unpack(Packing),
    /// Its members are inputs.
    Enter(Format),
    /// It is refused. The text completes "…, which is not read: " with what to do.
    Refuse(&'static str),
    /// It holds no log and is passed over; the run is not partial for it.
    PassOver,
}

/// How a kind is recognised.
#[derive(Debug)]
enum Signature {
    /// These bytes at this offset.
    Bytes(usize, &'static [u8]),
    /// A test over the first [`HEAD_BYTES`].
    Test(fn(&[u8]) -> bool),
    /// The end of the file's name, for a format without a signature.
    Suffix(&'static str),
}

/// The bytes of a file's head that [`FileKind::of`] needs.
pub(super) const HEAD_BYTES: usize = 512;

use Handling::{Enter, PassOver, Refuse, Unpack};
use Signature::{Bytes, Suffix, Test};

const UNPACK_FIRST: &str = "unpack it first";
const NOT_A_LOG: &str = "it holds no log lines";
const CAPTURE: &str =
    "print its packets as text with `tshark -r FILE -T fields …` or run Zeek on it";
const DISK_IMAGE: &str = "mount it and name the logs inside";
const ENCRYPTED: &str = "decrypt it first";
const COLUMNS: &str = "export it as CSV or JSON Lines";

/// Every kind, in the order in which they are tried.
pub static KINDS: &[FileKind] = &[
    kind("gzip", Bytes(0, b"\x1f\x8b"), Unpack(Packing::Gzip)),
    kind("zstd", Bytes(0, b"\x28\xb5\x2f\xfd"), Unpack(Packing::Zstd)),
    kind(
        "zstd or lz4 with a skippable frame first",
        Test(is_skippable),
        Unpack(Packing::Zstd),
    ),
    kind("bzip2", Bytes(0, b"BZh"), Unpack(Packing::Bzip2)),
    kind("xz", Bytes(0, b"\xfd7zXZ\0"), Unpack(Packing::Xz)),
    kind("lz4", Bytes(0, b"\x04\x22\x4d\x18"), Unpack(Packing::Lz4)),
    kind(
        "lz4, legacy frame",
        Bytes(0, b"\x02\x21\x4c\x18"),
        Unpack(Packing::Lz4),
    ),
    kind("lzip", Bytes(0, b"LZIP\x01"), Unpack(Packing::Lzip)),
    kind("lzma", Test(is_lzma), Unpack(Packing::Lzma)),
    kind(
        "compress (.Z)",
        Bytes(0, b"\x1f\x9d"),
        Unpack(Packing::Compress),
    ),
    kind(
        "snappy, framed",
        Bytes(0, b"\xff\x06\0\0sNaPpY"),
        Unpack(Packing::Snappy),
    ),
    kind(
        "OpenDocument file",
        Bytes(30, b"mimetypeapplication/vnd.oasis.opendocument"),
        Refuse("save it as CSV or plain text"),
    ),
    kind(
        "Excel workbook (xlsx), each worksheet",
        Test(is_office_document),
        Enter(Format::Zip),
    ),
    kind("zip", Bytes(0, b"PK\x03\x04"), Enter(Format::Zip)),
    kind("zip, empty", Bytes(0, b"PK\x05\x06"), Enter(Format::Zip)),
    kind(
        "zip, in several parts",
        Bytes(0, b"PK\x07\x08"),
        Refuse("join the parts first: `zip -s 0 FILE --out WHOLE.zip`"),
    ),
    kind(
        "7z",
        Bytes(0, b"7z\xbc\xaf\x27\x1c"),
        Enter(Format::SevenZip),
    ),
    kind("tar", Bytes(257, b"ustar"), Enter(Format::Tar)),
    kind(
        "tar, old (v7)",
        Test(super::archive::tar::is_v7),
        Enter(Format::Tar),
    ),
    kind("cpio (newc)", Bytes(0, b"070701"), Enter(Format::Cpio)),
    kind(
        "cpio (newc with checksums)",
        Bytes(0, b"070702"),
        Enter(Format::Cpio),
    ),
    kind("cpio (odc)", Bytes(0, b"070707"), Refuse(UNPACK_FIRST)),
    kind(
        "cpio (binary)",
        Test(|head| is_binary_with(head, b"\xc7\x71")),
        Refuse(UNPACK_FIRST),
    ),
    kind("rar", Bytes(0, b"Rar!\x1a\x07"), Refuse(UNPACK_FIRST)),
    kind("Microsoft cabinet", Bytes(0, b"MSCF"), Refuse(UNPACK_FIRST)),
    kind(
        "ar archive or Debian package",
        Bytes(0, b"!<arch>\n"),
        Refuse(UNPACK_FIRST),
    ),
    kind(
        "RPM package",
        Bytes(0, b"\xed\xab\xee\xdb"),
        Refuse(UNPACK_FIRST),
    ),
    kind("xar", Bytes(0, b"xar!"), Refuse(UNPACK_FIRST)),
    kind("lzop", Bytes(0, b"\x89LZO\0"), Refuse(UNPACK_FIRST)),
    kind("lrzip", Bytes(0, b"LRZI"), Refuse(UNPACK_FIRST)),
    kind(
        "lzfse",
        Test(|head| is_binary_with(head, b"bvx")),
        Refuse(UNPACK_FIRST),
    ),
    kind(
        "Apache Parquet",
        Bytes(0, b"PAR1"),
        Refuse(
            "export it as CSV or JSON Lines, for example with DuckDB: `COPY (FROM 'FILE') TO 'FILE.csv'`",
        ),
    ),
    kind(
        "Apache Avro",
        Bytes(0, b"Obj\x01"),
        Refuse("export it as JSON Lines, for example with `avro-tools tojson FILE`"),
    ),
    kind(
        "Apache ORC",
        Test(|head| is_binary_with(head, b"ORC")),
        Refuse(COLUMNS),
    ),
    kind("Apache Arrow", Bytes(0, b"ARROW1"), Refuse(COLUMNS)),
    kind(
        "SQLite database of Pi-hole (pihole-FTL.db), or the history of Chrome, Edge, Firefox or Safari",
        Bytes(0, b"SQLite format 3\0"),
        Enter(Format::Sqlite),
    ),
    kind(
        "Windows event log (evtx)",
        Bytes(0, b"ElfFile\0"),
        Refuse("export it as text, for example with `Get-WinEvent -Path FILE | Export-Csv`"),
    ),
    kind(
        "Windows event log (evt)",
        Bytes(0, b"\x30\0\0\0LfLe"),
        Refuse("export it as text with the event viewer"),
    ),
    kind(
        "systemd journal",
        Bytes(0, b"LPKSHHRH"),
        Refuse("export it as text: `journalctl --file FILE -o json`"),
    ),
    kind(
        "packet capture (pcap)",
        Bytes(0, b"\xd4\xc3\xb2\xa1"),
        Refuse(CAPTURE),
    ),
    kind(
        "packet capture (pcap)",
        Bytes(0, b"\xa1\xb2\xc3\xd4"),
        Refuse(CAPTURE),
    ),
    kind(
        "packet capture (pcap, nanoseconds)",
        Bytes(0, b"\x4d\x3c\xb2\xa1"),
        Refuse(CAPTURE),
    ),
    kind(
        "packet capture (pcap, nanoseconds)",
        Bytes(0, b"\xa1\xb2\x3c\x4d"),
        Refuse(CAPTURE),
    ),
    kind(
        "packet capture (pcapng)",
        Bytes(0, b"\x0a\x0d\x0d\x0a"),
        Refuse(CAPTURE),
    ),
    kind(
        "nfdump file",
        Bytes(0, b"\x0c\xa5"),
        Refuse("export it as text: `nfdump -r FILE -o csv`"),
    ),
    kind(
        "nfdump file",
        Bytes(0, b"\xa5\x0c"),
        Refuse("export it as text: `nfdump -r FILE -o csv`"),
    ),
    kind(
        "dnstap frame stream",
        Test(is_dnstap),
        Refuse("export it as text: `dnstap-read FILE`"),
    ),
    kind(
        "Microsoft Office document (old)",
        Bytes(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        Refuse("save the sheet as CSV (UTF-8)"),
    ),
    kind(
        "PDF document",
        Bytes(0, b"%PDF-"),
        Refuse("copy its text to a file, for example with `pdftotext FILE`"),
    ),
    kind(
        "RTF document",
        Bytes(0, b"{\\rtf"),
        Refuse("save it as plain text"),
    ),
    kind(
        "age-encrypted file",
        Bytes(0, b"age-encryption.org/"),
        Refuse(ENCRYPTED),
    ),
    kind(
        "PGP-encrypted file",
        Bytes(0, b"-----BEGIN PGP MESSAGE-----"),
        Refuse(ENCRYPTED),
    ),
    kind(
        "file encrypted with openssl",
        Bytes(0, b"Salted__"),
        Refuse(ENCRYPTED),
    ),
    kind("LUKS volume", Bytes(0, b"LUKS\xba\xbe"), Refuse(DISK_IMAGE)),
    kind("QEMU disk image", Bytes(0, b"QFI\xfb"), Refuse(DISK_IMAGE)),
    kind("VMware disk image", Bytes(0, b"KDMV"), Refuse(DISK_IMAGE)),
    kind(
        "Hyper-V disk image",
        Bytes(0, b"vhdxfile"),
        Refuse(DISK_IMAGE),
    ),
    kind(
        "EnCase evidence file",
        Bytes(0, b"EVF\x09\x0d\x0a\xff\0"),
        Refuse(DISK_IMAGE),
    ),
    kind(
        "AppleDouble companion (macOS metadata)",
        Bytes(0, b"\0\x05\x16\x07"),
        PassOver,
    ),
    kind(
        "macOS folder settings (.DS_Store)",
        Bytes(0, b"\0\0\0\x01Bud1"),
        PassOver,
    ),
    kind(
        "PNG image",
        Bytes(0, b"\x89PNG\r\n\x1a\n"),
        Refuse(NOT_A_LOG),
    ),
    kind("JPEG image", Bytes(0, b"\xff\xd8\xff"), Refuse(NOT_A_LOG)),
    kind("GIF image", Bytes(0, b"GIF8"), Refuse(NOT_A_LOG)),
    kind("ELF program", Bytes(0, b"\x7fELF"), Refuse(NOT_A_LOG)),
    kind(
        "Windows program",
        Test(|head| is_binary_with(head, b"MZ")),
        Refuse(NOT_A_LOG),
    ),
    kind(
        "Java class or macOS program",
        Bytes(0, b"\xca\xfe\xba\xbe"),
        Refuse(NOT_A_LOG),
    ),
    kind(
        "macOS program",
        Bytes(0, b"\xcf\xfa\xed\xfe"),
        Refuse(NOT_A_LOG),
    ),
    kind(
        "WebAssembly module",
        Bytes(0, b"\0asm"),
        Refuse("a plugin is named with --parser or --policy"),
    ),
    kind(
        "brotli, by its name",
        Suffix(".br"),
        Unpack(Packing::Brotli),
    ),
];

const fn kind(name: &'static str, signature: Signature, handling: Handling) -> FileKind {
    FileKind {
        name,
        signature,
        handling,
    }
}

impl FileKind {
    /// The kind of a file by its head and, for formats without a signature, its name. None
    /// for text and for what is not known.
    #[must_use]
    pub fn of(head: &[u8], file_name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| match kind.signature {
            Bytes(at, magic) => head.get(at..).is_some_and(|rest| rest.starts_with(magic)),
            Test(test) => test(head),
            Suffix(suffix) => file_name.ends_with(suffix) && is_binary(head),
        })
    }
}

/// Whether bytes that begin like this are no text: control characters other than white
/// space, escape and NUL (which is padding after a power cut) are rare in logs.
pub(super) fn is_binary(head: &[u8]) -> bool {
    const PER_BYTES: usize = 32;
    let is_control = |byte: &&u8| matches!(byte, 1..=6 | 14..=26 | 28..=31 | 127);
    let controls = head.iter().filter(is_control).count();
    controls * PER_BYTES > head.iter().filter(|byte| **byte != 0).count()
}

/// A skippable frame of zstd or lz4 (RFC 8878, section 3.1.2).
fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// A zip archive whose first member is one of those that office documents begin with. What the
/// document is depends on its directory: other documents than workbooks are refused by name.
fn is_office_document(head: &[u8]) -> bool {
    const NAME_AT: usize = 30;
    let name = head.get(NAME_AT..).unwrap_or_default();
    let is_first = |first: &&[u8]| name.starts_with(first);
    let names = [
        &b"[Content_Types].xml"[..],
        b"_rels/.rels",
        b"docProps/",
        b"xl/",
    ];
    head.starts_with(b"PK\x03\x04") && names.iter().any(is_first)
}

/// The header of `.lzma` has no signature: properties, a dictionary size that is a power of
/// two or one and a half times one, and the size of the content or -1
/// (<https://github.com/tukaani-project/xz/blob/master/doc/lzma-file-format.txt>).
fn is_lzma(head: &[u8]) -> bool {
    const LARGEST_CONTENT: u64 = 1 << 38;
    let Some((&[0x5d, a, b, c, d], rest)) = head.split_first_chunk::<5>() else {
        return false;
    };
    let Some((size, _)) = rest.split_first_chunk::<8>() else {
        return false;
    };
    let dictionary = u32::from_le_bytes([a, b, c, d]);
    let size = u64::from_le_bytes(*size);
    let is_usual = dictionary.is_power_of_two() || (dictionary / 3).is_power_of_two();
    dictionary >= 4096 && is_usual && (size == u64::MAX || size < LARGEST_CONTENT)
}

/// A control frame (length 0) of the Frame Streams protocol that names dnstap's content type.
fn is_dnstap(head: &[u8]) -> bool {
    head.starts_with(&[0; 4]) && memchr::memmem::find(head, b"protobuf:dnstap.Dnstap").is_some()
}

/// For short signatures that text may begin with, too.
fn is_binary_with(head: &[u8], signature: &[u8]) -> bool {
    head.starts_with(signature) && is_binary(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handling(head: &[u8], name: &str) -> Option<Handling> {
        FileKind::of(head, name).map(|kind| kind.handling)
    }

    #[test]
    fn text_is_of_no_kind() {
        for text in [
            &b"1157689312.049   5006 10.0.0.1 TCP_MISS/200"[..],
            b"]\0\0 is not lzma",
            b"PK is a word",
            b"BZ",
            b"MZ begins a word",
            b"",
        ] {
            assert_eq!(handling(text, "a.log"), None, "{}", text.escape_ascii());
        }
        assert_eq!(handling(b"plain text named so", "notes.br"), None);
    }

    #[test]
    fn binary_content_is_told_from_text_in_any_encoding() {
        assert!(is_binary(&[7, 1, 2, 200, 3, 4, 180, 5, 16, 17]));
        for text in [
            "größe 日本\r\n".as_bytes(),
            b"\x93\xfa\x96\x7b\x8c\xea,CP932",
            b"\0\0\0\0 padding after a power cut",
            b"\x1b[31mcolour\x1b[0m",
        ] {
            assert!(!is_binary(text), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn lzma_needs_a_plausible_header() {
        let mut head = vec![0x5d, 0, 0, 0x80, 0];
        head.extend([0xff; 8]);
        assert_eq!(handling(&head, ""), Some(Unpack(Packing::Lzma)));
        head[1] = 7;
        assert_eq!(handling(&head, ""), None);
    }
}
