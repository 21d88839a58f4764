//! JSON documents: arrays and pretty-printed objects, split into a line for each record.

use std::io::{self, Read};

use super::json;

/// How the records of a document are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document {
    /// The key of the array that holds the records; none where they are at the top, or the
    /// elements of an array at the top.
    key: Option<&'static str>,
    /// What a record begins with.
    open: u8,
}

/// Keys of arrays that hold records. The innermost comes first.
const KEYS: [(&str, u8); 17] = [
    ("logEvents", b'{'),
    ("logRecords", b'{'),
    ("values", b'['),
    ("hits", b'{'),
    ("entries", b'{'),
    ("events", b'{'),
    ("messages", b'{'),
    ("results", b'{'),
    ("results", b'['),
    ("records", b'{'),
    ("Records", b'{'),
    ("rows", b'{'),
    ("rows", b'['),
    ("logs", b'{'),
    ("items", b'{'),
    ("value", b'{'),
    ("data", b'{'),
];

impl Document {
    /// How the records of a document with this head may be found; nothing where it is not
    /// one document or several.
    #[must_use]
    pub fn recognise(head: &[u8]) -> Option<Self> {
        let start = json::skip_blanks(head, 0);
        let text = &head[start..];
        let next = text.get(json::skip_blanks(text, 1)..).unwrap_or_default();
        match text.first()? {
            b'[' if next.starts_with(b"{") => Some(Self {
                key: None,
                open: b'{',
            }),
            b'{' if next.starts_with(b"\"") => Self::keyed(text).or_else(|| {
                let feed = memchr::memchr(b'\n', text)?;
                (!is_closed(&text[..feed])).then_some(Self {
                    key: None,
                    open: b'{',
                })
            }),
            _ => None,
        }
    }

    fn keyed(text: &[u8]) -> Option<Self> {
        let (key, open) = KEYS
            .into_iter()
            .find(|(key, open)| has_records(text, key, *open))?;
        Some(Self {
            key: Some(key),
            open,
        })
    }

    /// Splits the head of a document.
    #[must_use]
    pub fn split(self, head: &[u8]) -> Vec<u8> {
        let mut splitter = Splitter::new(self);
        splitter.split(head);
        splitter.out
    }
}

/// Whether an array under `key` has a record.
fn has_records(text: &[u8], key: &str, open: u8) -> bool {
    let quoted = format!("\"{key}\"");
    memchr::memmem::find_iter(text, &quoted).any(|at| {
        let mut at = at + quoted.len();
        [b':', b'[', open].into_iter().all(|wanted| {
            at = json::skip_blanks(text, at);
            at += 1;
            text.get(at - 1) == Some(&wanted)
        })
    })
}

/// Whether a line that begins with a brace has as many that close as open.
fn is_closed(line: &[u8]) -> bool {
    let mut depth = 0;
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        match byte {
            b'"' => at = json::string_end(line, at + 1),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    depth == 0
}

/// Reads a document as lines, a record on each. A record is on the line where it begins in
/// the document, and the lines that it takes there are blank after it: so line numbers stay
/// those of the document, unless several records share a line. After a document that is not
/// whole, reading fails once.
pub struct DocumentReader<R> {
    reader: R,
    splitter: Splitter,
    buffer: Vec<u8>,
    /// How much of the splitter's output was read.
    taken: usize,
    ended: bool,
}

const BUFFER_BYTES: usize = 64 << 10;

impl<R: Read> DocumentReader<R> {
    /// Reads `reader`, a document.
    pub fn new(reader: R, document: Document) -> Self {
        Self {
            reader,
            splitter: Splitter::new(document),
            buffer: vec![0; BUFFER_BYTES],
            taken: 0,
            ended: false,
        }
    }
}

impl<R: Read> Read for DocumentReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.splitter.out.len() && !self.ended {
            self.splitter.out.clear();
            self.taken = 0;
            let read = self.reader.read(&mut self.buffer)?;
            self.ended = read == 0;
            self.splitter.split(&self.buffer[..read]);
            if self.ended && !self.splitter.is_whole() {
                let text = "the JSON document is damaged or cut off";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
            }
        }
        let rest = &self.splitter.out[self.taken..];
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        self.taken += len;
        Ok(len)
    }
}

/// The state between two buffers.
struct Splitter {
    document: Document,
    out: Vec<u8>,
    /// Open braces and brackets.
    depth: usize,
    /// Whether more were closed than open.
    has_surplus: bool,
    /// The depth at which a record begins, while its array is open.
    record_depth: Option<usize>,
    /// Whether a record is being read.
    in_record: bool,
    string: StringState,
    /// The last string outside of records: perhaps a key.
    key: Vec<u8>,
    /// Whether a record was written whose line has no end yet.
    line_is_open: bool,
    /// Line feeds inside the record.
    feeds: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StringState {
    Outside,
    Inside,
    AfterBackslash,
}

/// Longer strings are no keys of arrays.
const MAX_KEY_BYTES: usize = 32;

impl Splitter {
    fn new(document: Document) -> Self {
        Self {
            document,
            out: Vec::new(),
            depth: 0,
            has_surplus: false,
            record_depth: document.key.is_none().then_some(0),
            in_record: false,
            string: StringState::Outside,
            key: Vec::new(),
            line_is_open: false,
            feeds: 0,
        }
    }

    /// Whether everything that was opened so far is closed.
    fn is_whole(&self) -> bool {
        self.depth == 0 && self.string == StringState::Outside && !self.has_surplus
    }

    fn split(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            match self.string {
                StringState::Outside => {
                    self.structure(bytes[at]);
                    at += 1;
                }
                StringState::Inside => {
                    let rest = &bytes[at..];
                    let len = memchr::memchr2(b'"', b'\\', rest);
                    self.text(&rest[..len.unwrap_or(rest.len())]);
                    at += len.unwrap_or(rest.len());
                    if let Some(byte) = bytes.get(at) {
                        self.text(&[*byte]);
                        self.string = match byte {
                            b'"' => StringState::Outside,
                            _ => StringState::AfterBackslash,
                        };
                        at += 1;
                    }
                }
                StringState::AfterBackslash => {
                    self.text(&bytes[at..=at]);
                    self.string = StringState::Inside;
                    at += 1;
                }
            }
        }
    }

    /// Takes bytes of a string.
    fn text(&mut self, bytes: &[u8]) {
        if self.in_record {
            let start = self.out.len();
            self.out.extend_from_slice(bytes);
            // No JSON, and no end of the record's line.
            for byte in &mut self.out[start..] {
                if *byte == b'\n' {
                    *byte = b' ';
                    self.feeds += 1;
                }
            }
        } else if self.key.len() + bytes.len() <= MAX_KEY_BYTES {
            self.key.extend_from_slice(bytes);
        }
    }

    /// Takes a byte outside of strings.
    fn structure(&mut self, byte: u8) {
        match byte {
            b'\n' => return self.feed(),
            b'"' => {
                self.string = StringState::Inside;
                self.key.clear();
            }
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => return self.close(byte),
            _ => {}
        }
        if self.in_record {
            self.out.push(byte);
        }
    }

    fn feed(&mut self) {
        if self.in_record {
            self.feeds += 1;
            self.out.push(b' ');
        } else {
            self.line_is_open = false;
            self.out.push(b'\n');
        }
    }

    fn open(&mut self, byte: u8) {
        if !self.in_record {
            let is_record = byte == self.document.open
                && (self.record_depth == Some(self.depth)
                    || self.document.key.is_none() && self.depth == 1);
            if is_record {
                if self.line_is_open {
                    self.out.push(b'\n');
                }
                self.in_record = true;
                self.record_depth = Some(self.depth);
            } else if byte == b'[' && self.is_wanted_key() {
                self.record_depth = Some(self.depth + 1);
            }
        }
        self.depth += 1;
    }

    /// Whether the last string is the key of the records' array, with its closing quote.
    fn is_wanted_key(&self) -> bool {
        let key = self.key.strip_suffix(b"\"");
        self.document
            .key
            .is_some_and(|wanted| key == Some(wanted.as_bytes()))
    }

    fn close(&mut self, byte: u8) {
        self.has_surplus |= self.depth == 0;
        self.depth = self.depth.saturating_sub(1);
        if !self.in_record {
            let is_of_records = self.record_depth.is_some_and(|depth| self.depth < depth);
            if self.document.key.is_some() && is_of_records {
                self.record_depth = None;
            }
            return;
        }
        self.out.push(byte);
        if self.record_depth == Some(self.depth) {
            self.in_record = false;
            // A record that took several lines ends on the last of them, which is empty so
            // far.
            self.line_is_open = self.feeds == 0;
            self.out.extend(std::iter::repeat_n(b'\n', self.feeds));
            self.feeds = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_on_the_line_where_they_begin() {
        let check = |text: &str, expected: &str| {
            let document = Document::recognise(text.as_bytes()).unwrap();
            let split = document.split(text.as_bytes());
            assert_eq!(str::from_utf8(&split).unwrap(), expected, "{text}");
            // In any pieces.
            let mut splitter = Splitter::new(document);
            text.bytes().for_each(|byte| splitter.split(&[byte]));
            assert_eq!(str::from_utf8(&splitter.out).unwrap(), expected, "{text}");
        };
        check(
            r#"[{"a":"]"}, {"a":"\"}"}]"#,
            "{\"a\":\"]\"}\n{\"a\":\"\\\"}\"}",
        );
        check(
            "[\n{\"a\":1},\n{\"a\":2}\n]\n",
            "\n{\"a\":1}\n{\"a\":2}\n\n",
        );
        check(
            "{\n\"a\":1\n}\n{\n\"a\":2\n}\n",
            "{ \"a\":1 }\n\n\n{ \"a\":2 }\n\n\n",
        );
        check(
            "{\"events\": [\n{\"m\":1},\n{\"m\":2}\n], \"next\": {\"x\":1}}\n",
            "\n{\"m\":1}\n{\"m\":2}\n\n",
        );
        check(
            r#"{"data":{"result":[{"stream":{},"values":[["1","a"],["2","b"]]}]}}"#,
            "[\"1\",\"a\"]\n[\"2\",\"b\"]",
        );
    }

    #[test]
    fn cut_documents_give_the_records_before_the_cut_and_an_error() {
        let read = |text: &str| {
            let document = Document::recognise(text.as_bytes()).unwrap();
            let mut lines = Vec::new();
            let result = DocumentReader::new(text.as_bytes(), document).read_to_end(&mut lines);
            (String::from_utf8(lines).unwrap(), result.is_err())
        };
        let check = |text: &str, last_record: &str, end: &str| {
            let whole = format!("{text}{last_record}{end}");
            assert!(!read(&whole).1, "{whole}");
            let start = whole.len() - end.len();
            for cut in start..whole.len() {
                let (lines, has_failed) = read(whole.get(..cut).unwrap());
                assert!(has_failed, "{cut} of {whole}");
                let lines = lines.replace('\n', "");
                assert!(lines.contains(last_record), "{cut} of {whole}: {lines}");
            }
        };
        check("[{\"a\":\"}\"}, ", "{\"a\":\"[\"}", ", {\"a\":1}]");
        let har = "{\"log\":{\"version\":\"1.2\",\"entries\":[";
        check(
            har,
            "{\"request\":{\"url\":\"https://example.com/\"}}",
            "]}}",
        );
        assert!(read("[{\"a\":1}]]").1);
        assert!(!read("{\n\"a\":1\n}\n").1);
    }

    #[test]
    fn json_lines_are_no_document() {
        let check = |text: &str| assert_eq!(Document::recognise(text.as_bytes()), None, "{text}");
        check("{\"a\":1}\n{\"a\":2}\n");
        check("[1714564800.1] IN=eth0\n");
        check("plain\n");
        check("");
    }
}
