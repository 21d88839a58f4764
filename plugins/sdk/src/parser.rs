//! Parsers: a trait to write, and what it is handed.

use std::cell::RefCell;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::parser::exports::vthost::parser::parsing as wit;
use crate::scan;
use crate::split::places_of;

pub use crate::policy::NoSettings;
pub use wit::{Action, Reading};

/// A parser of a format that consists of lines.
pub trait LineParser: Sized + 'static {
    /// The settings, as the schema in the description has them;
    /// [`NoSettings`] where there are none.
    type Settings: DeserializeOwned;

    /// Whether each line is understood alone (the host may then spread one file
    /// over all cores), or needs those before it.
    ///
    /// A whole document is not read line by line: that does not compile.
    const READING: Reading = Reading::IndependentLines;

    /// The description of the parser.
    fn describe() -> Description;

    /// How sure it is, from 0 to 100, that this is its format; see the WIT.
    fn detect(input: &Input) -> u8;

    /// Begins an input.
    ///
    /// # Errors
    ///
    /// A sentence for the user: why this input cannot be read.
    fn open(input: &Input, settings: Self::Settings) -> Result<Self, String>;

    /// Whether this input must be read in order although the format's lines are
    /// independent, because a later line can change what the others mean: a second
    /// header. Called once after [`Self::open`].
    fn is_ordered(&self) -> bool {
        matches!(Self::READING, Reading::OrderedLines)
    }

    /// Reads a line, which has no line feed nor the carriage return before it,
    /// and its outcome.
    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line;
}

/// The description of a parser; see the WIT.
pub struct Description {
    /// `squid`.
    pub name: &'static str,
    /// The plugin's version.
    pub version: &'static str,
    /// An SPDX expression.
    pub licence: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The formats that the parser reads.
    pub formats: Vec<Format>,
    /// A JSON Schema, or nothing.
    pub settings_schema: &'static str,
}

/// The name, the title and an example line of a format.
pub type Format = (&'static str, &'static str, &'static str);

/// What is known of an input before it is read.
pub struct Input {
    /// The file's name without directories.
    pub name: String,
    /// The first bytes.
    pub head: Vec<u8>,
    /// The zone of time stamps that name none, in minutes east of UTC.
    pub utc_offset_minutes: i16,
    /// Stamps without a year are not after this, in microseconds.
    pub reference_time_us: i64,
}

impl Input {
    /// The whole lines of the head, without line ends. A last line that may be
    /// cut is left out, unless it is the only one.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let end = match memchr::memrchr(b'\n', &self.head) {
            Some(feed) if self.head.len() >= LARGEST_HEAD_BYTES => feed + 1,
            _ => self.head.len(),
        };
        Lines::of(&self.head[..end])
    }

    /// The confidence of detection, from the share of the head's lines that are
    /// of the format: `most` if nearly all are, two thirds of it if half are, a
    /// tenth if any is. Blank lines and [`Fit::Neutral`] ones are not counted.
    #[must_use]
    pub fn confidence(&self, most: u8, fits: impl FnMut(&[u8]) -> Fit) -> u8 {
        self.share(fits).confidence(most)
    }

    /// How many lines of the head are of a format.
    pub(crate) fn share(&self, mut fits: impl FnMut(&[u8]) -> Fit) -> Share {
        let mut share = Share { fit: 0, all: 0 };
        let lines = self.lines().filter(|line| !line.trim_ascii().is_empty());
        for line in lines.take(DETECTION_LINES) {
            match fits(line) {
                Fit::Yes => {
                    share.all += 1;
                    share.fit += 1;
                }
                Fit::No => share.all += 1,
                Fit::Neutral => {}
            }
        }
        share
    }
}

/// The lines that are of a format, among all that are not neutral.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    fit: u32,
    all: u32,
}

impl Share {
    /// See [`Input::confidence`].
    pub(crate) fn confidence(self, most: u8) -> u8 {
        let Self { fit, all } = self;
        match fit {
            0 => 0,
            _ if fit * 10 >= all * 8 => most,
            _ if fit * 2 >= all => most / 3 * 2,
            _ => most / 10,
        }
    }
}

/// Whether a line is of a parser's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is.
    Yes,
    /// It could be of any.
    Neutral,
    /// It is not.
    No,
}

impl From<bool> for Fit {
    fn from(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }
}

/// A shorter head is the whole input, so its last line is not cut (see the WIT's `input.head`).
const LARGEST_HEAD_BYTES: usize = 64 << 10;

/// The lines of the head that detection reads.
const DETECTION_LINES: usize = 100;

/// What a line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// It gave observations.
    Record,
    /// It is understood and names nothing to look up; the reason in a few words.
    Ignored(&'static str),
    /// It should have been understood and was not.
    Rejected(&'static str),
}

impl Default for Action {
    fn default() -> Self {
        Self::Unstated
    }
}

/// This client contacted this indicator then.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Observation<'a> {
    kind: wit::IndicatorKind,
    value: &'a [u8],
    /// What precedes the value, where a URL is put together.
    before: [&'a [u8]; 3],
    /// Between the host and the value.
    port: &'a [u8],
    /// After the value.
    query: &'a [u8],
    client: &'a [u8],
    user: &'a [u8],
    time_us: Option<i64>,
    action: Action,
}

impl<'a> Observation<'a> {
    /// A URL was contacted.
    pub fn url(value: &'a [u8]) -> Self {
        Self::new(wit::IndicatorKind::Url, value)
    }

    /// A URL was contacted that the record has in parts: `https`, the host
    /// (perhaps with a port) and the path with the query.
    pub fn url_of(scheme: &'a [u8], authority: &'a [u8], path: &'a [u8]) -> Self {
        Self {
            before: [scheme, b"://", authority],
            ..Self::new(wit::IndicatorKind::Url, path)
        }
    }

    /// The port of a URL of parts. An empty one is none.
    pub fn port(self, port: &'a [u8]) -> Self {
        Self { port, ..self }
    }

    /// The query of a URL of parts, without `?`. An empty one is none.
    pub fn query(self, query: &'a [u8]) -> Self {
        Self { query, ..self }
    }

    /// A domain was contacted or asked for.
    pub fn domain(value: &'a [u8]) -> Self {
        Self::new(wit::IndicatorKind::Domain, value)
    }

    /// An address was contacted.
    pub fn ip(value: &'a [u8]) -> Self {
        Self::new(wit::IndicatorKind::Ip, value)
    }

    /// A host was contacted: an address if it is one, else a domain. A port and
    /// brackets are taken off; see [`host_of`].
    #[inline]
    pub fn host(authority: &'a [u8]) -> Self {
        let value = host_of(authority);
        if is_address(value) {
            Self::ip(value)
        } else {
            Self::domain(value)
        }
    }

    /// By this machine. An empty name is none.
    pub fn client(self, client: &'a [u8]) -> Self {
        Self { client, ..self }
    }

    /// By this account. An empty name is none.
    pub fn user(self, user: &'a [u8]) -> Self {
        Self { user, ..self }
    }

    /// At this time, in microseconds since 1970; see [`crate::time`].
    pub fn at(self, time_us: Option<i64>) -> Self {
        Self { time_us, ..self }
    }

    /// And was let through, or stopped.
    pub fn action(self, action: Action) -> Self {
        Self { action, ..self }
    }

    /// Whether some bytes are in the host or the value.
    pub(crate) fn mentions(&self, bytes: &[u8]) -> bool {
        let [_, _, host] = self.before;
        let is_in = |part| memchr::memmem::find(part, bytes).is_some();
        is_in(host) || is_in(self.value)
    }

    fn new(kind: wit::IndicatorKind, value: &'a [u8]) -> Self {
        Self {
            kind,
            value,
            before: [b""; 3],
            port: b"",
            query: b"",
            client: b"",
            user: b"",
            time_us: None,
            action: Action::Unstated,
        }
    }
}

/// `www.example.com` of `www.example.com:443`, and `2001:db8::1` of
/// `[2001:db8::1]:443`. A bare IPv6 address has no port and stays as it is, as
/// does what is neither.
#[inline]
#[must_use]
pub fn host_of(authority: &[u8]) -> &[u8] {
    let is_port = |tail: &[u8]| match tail.strip_prefix(b":") {
        Some(port) => port.is_empty() || scan::is_digits(port),
        None => tail.is_empty(),
    };
    let (host, tail) = if let Some(inside) = authority.strip_prefix(b"[") {
        match scan::find(inside, b']') {
            Some(end) => (&inside[..end], &inside[end + 1..]),
            None => return authority,
        }
    } else {
        match scan::find(authority, b':') {
            Some(colon) => authority.split_at(colon),
            None => return authority,
        }
    };
    if is_port(tail) { host } else { authority }
}

/// Whether a host is an address: all digits and dots but for a port, or with a
/// second colon.
#[must_use]
pub fn is_address(host: &[u8]) -> bool {
    if host.first() == Some(&b'[') {
        return true;
    }
    let (name, port) = match scan::find(host, b':') {
        Some(colon) => (&host[..colon], &host[colon + 1..]),
        None => (host, &host[..0]),
    };
    let is_numeric =
        || scan::is_all(name, [b'.'..=b'.', b'0'..=b'9']) && scan::find(name, b'.').is_some();
    scan::find(port, b':').is_some() || is_numeric()
}

/// Whether a host is an IPv6 address without the brackets that it has in URLs.
#[inline]
pub(crate) fn is_bare_ipv6(host: &[u8]) -> bool {
    match scan::find(host, b':') {
        Some(colon) => host[0] != b'[' && scan::find(&host[colon + 1..], b':').is_some(),
        None => false,
    }
}

/// Takes observations.
pub struct Observations<'c> {
    chunk: &'c [u8],
    line: u32,
    batch: Batch,
}

impl Observations<'_> {
    /// Adds an observation of the current line. Values that are parts of the line
    /// cost nothing; others are copied. An empty value names nothing and is not
    /// added.
    #[inline(always)]
    pub fn push(&mut self, observation: Observation<'_>) {
        let value = match observation.before {
            [_, b"", _] if observation.value.is_empty() => return,
            [_, b"", _] => self.span(observation.value),
            before => self.composed(&observation, before),
        };
        let client = self.span(observation.client);
        let user = self.span(observation.user);
        self.batch.observations.push(wit::Observation {
            line: self.line,
            kind: observation.kind,
            action: observation.action,
            value,
            client,
            user,
            time_us: observation.time_us.unwrap_or(NO_TIME),
        });
    }

    fn composed(&mut self, observation: &Observation<'_>, before: [&[u8]; 3]) -> wit::Span {
        let start = self.batch.text.len();
        let mark = |mark: &'static [u8], part: &[u8]| if part.is_empty() { b"" } else { mark };
        let Observation {
            port, value, query, ..
        } = *observation;
        let [scheme, colon, host] = before;
        let (before_port, before_query) = (mark(b":", port), mark(b"?", query));
        let (open, close): (&[u8], &[u8]) = match is_bare_ipv6(host) {
            true => (b"[", b"]"),
            false => (b"", b""),
        };
        for part in [
            scheme,
            colon,
            open,
            host,
            close,
            before_port,
            port,
            value,
            before_query,
            query,
        ] {
            append(&mut self.batch.text, part);
        }
        wit::Span {
            start: (self.chunk.len() + start) as u32,
            len: (self.batch.text.len() - start) as u32,
        }
    }

    /// The place of some bytes that are not in the chunk.
    fn copied(&mut self, bytes: &[u8]) -> usize {
        let start = self.chunk.len() + self.batch.text.len();
        self.batch.text.extend_from_slice(bytes);
        start
    }

    #[inline(always)]
    fn span(&mut self, bytes: &[u8]) -> wit::Span {
        if bytes.is_empty() {
            return wit::Span { start: 0, len: 0 };
        }
        let start = (bytes.as_ptr() as usize).wrapping_sub(self.chunk.as_ptr() as usize);
        let start = if start <= self.chunk.len() && bytes.len() <= self.chunk.len() - start {
            start
        } else {
            self.copied(bytes)
        };
        // A chunk and its text are far smaller than the 4 GiB of a component.
        wit::Span {
            start: start as u32,
            len: bytes.len() as u32,
        }
    }
}

/// Adds a short text. A copy of a variable length is a call out of the component, so that whole
/// blocks are copied and the end of the last one is cut off.
#[inline]
fn append(text: &mut Vec<u8>, part: &[u8]) {
    let (blocks, rest) = part.as_chunks::<{ crate::block::WIDTH }>();
    for block in blocks {
        text.extend_from_slice(block);
    }
    if !rest.is_empty() {
        let len = text.len() + rest.len();
        text.extend_from_slice(&crate::block::padded(rest));
        text.truncate(len);
    }
}

/// `observation.time-us` where there is no time.
const NO_TIME: i64 = i64::MIN;

/// Few logs have shorter lines: a list with room for so many need not grow.
const USUAL_LINE_BYTES: usize = 100;

/// What a chunk gave.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) text: Vec<u8>,
    pub(crate) observations: Vec<wit::Observation>,
    pub(crate) records: u32,
    pub(crate) ignored: Vec<Tally>,
    pub(crate) rejected: Vec<Tally>,
}

/// Lines of one reason.
pub(crate) struct Tally {
    pub(crate) reason: &'static str,
    pub(crate) count: u32,
    /// All of them, in order: the host offers rejected lines to another parser.
    samples: Vec<u32>,
}

/// Reads a chunk line by line.
pub(crate) fn parse<P: LineParser>(parser: &mut P, chunk: &[u8]) -> Batch {
    let mut found = Observations {
        chunk,
        line: 0,
        batch: Batch {
            observations: Vec::with_capacity(chunk.len() / USUAL_LINE_BYTES),
            ..Batch::default()
        },
    };
    for line in Lines::of(chunk) {
        let before = found.batch.observations.len();
        let said = parser.line(line, &mut found);
        // By the contract a record is a line that gave observations, whatever
        // the parser calls it.
        let gave = found.batch.observations.len() > before;
        match said {
            _ if gave => found.batch.records += 1,
            Line::Record => count(&mut found.batch.rejected, "no value", found.line),
            Line::Ignored(reason) => count(&mut found.batch.ignored, reason, found.line),
            Line::Rejected(reason) => count(&mut found.batch.rejected, reason, found.line),
        }
        found.line += 1;
    }
    found.batch
}

#[inline]
fn count(tallies: &mut Vec<Tally>, reason: &'static str, line: u32) {
    // The same text is nearly always the same place in memory, which is recognised
    // without a loop over its bytes.
    let same_place = |tally: &&mut Tally| std::ptr::eq(tally.reason, reason);
    if let Some(tally) = tallies.iter_mut().find(same_place) {
        return tally.add(line);
    }
    count_text(tallies, reason, line);
}

#[cold]
fn count_text(tallies: &mut Vec<Tally>, reason: &'static str, line: u32) {
    let same_text = |tally: &&mut Tally| tally.reason == reason;
    match tallies.iter_mut().find(same_text) {
        Some(tally) => tally.add(line),
        None => tallies.push(Tally {
            reason,
            count: 1,
            samples: vec![line],
        }),
    }
}

impl Tally {
    #[inline]
    fn add(&mut self, line: u32) {
        self.count += 1;
        self.samples.push(line);
    }
}

/// The lines of some bytes, without line feed and the carriage return before.
struct Lines<'a> {
    bytes: &'a [u8],
    feeds: std::vec::IntoIter<usize>,
    /// Where the next line begins.
    begin: usize,
}

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            feeds: places_of(b'\n', bytes).into_iter(),
            begin: 0,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let end = match self.feeds.next() {
            Some(feed) => feed,
            None if self.begin < self.bytes.len() => self.bytes.len(),
            None => return None,
        };
        let line = &self.bytes[self.begin..end];
        self.begin = end + 1;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The component that [`export_parser!`](crate::export_parser) exports.
#[doc(hidden)]
pub struct Component<P>(PhantomData<P>);

/// An input being read, for the host.
#[doc(hidden)]
pub struct Session<P>(RefCell<P>);

impl<P: LineParser> wit::Guest for Component<P> {
    type Session = Session<P>;

    fn describe() -> wit::Description {
        let said = P::describe();
        wit::Description {
            name: said.name.to_owned(),
            version: said.version.to_owned(),
            licence: said.licence.to_owned(),
            summary: said.summary.to_owned(),
            formats: said
                .formats
                .into_iter()
                .map(|(name, title, example)| wit::Format {
                    name: name.to_owned(),
                    title: title.to_owned(),
                    example: example.to_owned(),
                })
                .collect(),
            settings_schema: said.settings_schema.to_owned(),
        }
    }

    fn detect(input: wit::Input) -> u8 {
        P::detect(&input.into())
    }
}

impl<P: LineParser> wit::GuestSession for Session<P> {
    fn open(input: wit::Input, settings: String) -> Result<wit::Session, String> {
        let parser = open::<P>(&input.into(), &settings)?;
        Ok(wit::Session::new(Self(RefCell::new(parser))))
    }

    fn reading(&self) -> Reading {
        const { assert!(!matches!(P::READING, Reading::WholeDocument)) };
        match self.0.borrow().is_ordered() {
            true => Reading::OrderedLines,
            false => Reading::IndependentLines,
        }
    }

    fn parse(&self, chunk: Vec<u8>) -> Result<wit::Batch, String> {
        Ok(parse(&mut *self.0.borrow_mut(), &chunk).into())
    }

    fn finish(&self) -> Result<wit::Batch, String> {
        Ok(Batch::default().into())
    }
}

/// Opens a parser under settings in JSON.
pub(crate) fn open<P: LineParser>(input: &Input, settings: &str) -> Result<P, String> {
    let settings = serde_json::from_str(settings).map_err(|error| error.to_string())?;
    P::open(input, settings)
}

impl From<Batch> for wit::Batch {
    fn from(batch: Batch) -> Self {
        let tallies = |tallies: Vec<Tally>| tallies.into_iter().map(Into::into).collect();
        Self {
            text: batch.text,
            observations: batch.observations,
            records: batch.records,
            ignored: tallies(batch.ignored),
            rejected: tallies(batch.rejected),
        }
    }
}

impl From<Tally> for wit::Tally {
    fn from(tally: Tally) -> Self {
        Self {
            reason: tally.reason.to_owned(),
            count: tally.count,
            samples: tally.samples,
        }
    }
}

impl From<wit::Input> for Input {
    fn from(input: wit::Input) -> Self {
        Self {
            name: input.name,
            head: input.head,
            utc_offset_minutes: input.utc_offset_minutes,
            reference_time_us: input.reference_time_us,
        }
    }
}

/// Makes a [`LineParser`](crate::parser::LineParser) the component's parser, and
/// adds tests that run it on the crate's samples; see
/// [`testing::samples_keep_contract`](crate::testing::samples_keep_contract).
#[macro_export]
macro_rules! export_parser {
    ($parser:ty) => {
        // A native library cannot export names with colons; there the plugin is
        // only tested, also by fuzzing.
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type VthostParserComponent = $crate::parser::Component<$parser>;
            $crate::bindings::parser::export_parser_world!(VthostParserComponent with_types_in $crate::bindings::parser);
        };
        /// Reads bytes natively and checks that the parser keeps the contract.
        ///
        /// # Panics
        ///
        /// If it does not, which is what fuzzing looks for.
        #[cfg(not(target_arch = "wasm32"))]
        #[doc(hidden)]
        pub fn fuzz(bytes: &[u8]) {
            $crate::testing::keeps_contract::<$parser>(bytes);
        }

        #[cfg(all(test, not(target_arch = "wasm32")))]
        #[test]
        fn contract_is_kept_for_every_sample() {
            $crate::testing::samples_keep_contract::<$parser>(env!("CARGO_MANIFEST_DIR"));
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_addresses() {
        let check =
            |host: &str, expected| assert_eq!(is_address(host.as_bytes()), expected, "{host}");
        check("192.0.2.1", true);
        check("192.0.2.1:443", true);
        check("2001:db8::1", true);
        check("[2001:db8::1]:443", true);
        check("example.com:443", false);
        check("1.1.1.1.example.com", false);
        check("443", false);
    }

    #[test]
    fn hosts_without_port_and_brackets() {
        let check = |authority: &str, expected: &str| {
            let host = host_of(authority.as_bytes());
            assert_eq!(host, expected.as_bytes(), "{authority}");
        };
        check("www.example.com:443", "www.example.com");
        check("www.example.com", "www.example.com");
        check("192.0.2.1:443", "192.0.2.1");
        check("[2001:db8::1]:443", "2001:db8::1");
        check("[2001:db8::1]", "2001:db8::1");
        check("2001:db8::1", "2001:db8::1");
        check("[2001:db8::1].example", "[2001:db8::1].example");
        check("[2001:db8::1", "[2001:db8::1");
        check("example.com:http", "example.com:http");
        check(":443", "");
    }

    /// Classifies each line by its first byte, and gives what follows as a domain.
    struct Claims;

    impl LineParser for Claims {
        type Settings = NoSettings;

        fn describe() -> Description {
            Description {
                name: "claims",
                version: "1.0.0",
                licence: "MIT",
                summary: "For tests",
                formats: Vec::new(),
                settings_schema: "",
            }
        }

        fn detect(_input: &Input) -> u8 {
            0
        }

        fn open(_input: &Input, _settings: NoSettings) -> Result<Self, String> {
            Ok(Self)
        }

        fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
            let (first, domain) = line.split_first().unwrap_or((&b'i', b""));
            found.push(Observation::domain(domain));
            match first {
                b'r' => Line::Record,
                b'i' => Line::Ignored("ignored"),
                _ => Line::Rejected("rejected"),
            }
        }
    }

    #[test]
    fn counts_keep_the_contract_whatever_a_parser_says() {
        let check = |line: &str, expected: (u32, usize, usize)| {
            let batch = parse(&mut Claims, line.as_bytes());
            let counts = (batch.records, batch.ignored.len(), batch.rejected.len());
            assert_eq!(counts, expected, "{line}");
            assert_eq!(batch.observations.len(), expected.0 as usize, "{line}");
        };
        check("rwww.example.com\n", (1, 0, 0));
        check("r\n", (0, 0, 1));
        check("i\n", (0, 1, 0));
        check("iwww.example.com\n", (1, 0, 0));
        check("xwww.example.com", (1, 0, 0));
        check("", (0, 0, 0));
    }

    #[test]
    fn the_same_reason_is_counted_once_wherever_it_stands() {
        let text = "blank, blank";
        let (first, second) = text.split_once(", ").unwrap();
        let mut tallies = Vec::new();
        for (line, reason) in (0..).zip([first, second, text, second, first]) {
            count(&mut tallies, reason, line);
        }
        let counted = tallies
            .iter()
            .map(|tally| (tally.reason, tally.count, tally.samples.as_slice()));
        let expected: [(&str, u32, &[u32]); 2] = [("blank", 4, &[0, 1, 3, 4]), (text, 1, &[2])];
        assert_eq!(counted.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn values_are_spans_of_the_chunk_or_of_the_text() {
        let chunk = b"rwww.example.com".as_slice();
        let mut found = Observations {
            chunk,
            line: 0,
            batch: Batch::default(),
        };
        let mut check = |value: &[u8], start: usize| {
            let span = found.span(value);
            assert_eq!(
                (span.start as usize, span.len as usize),
                (start, value.len())
            );
        };
        check(&chunk[1..], 1);
        check(&chunk[..1], 0);
        check(b"jane", chunk.len());
        check(b"joe", chunk.len() + 4);
        assert_eq!(found.batch.text, b"janejoe");
    }

    #[test]
    fn lines_end_as_people_end_them() {
        let lines = |bytes: &'static [u8]| Lines::of(bytes).collect::<Vec<_>>();
        assert!(lines(b"").is_empty());
        assert_eq!(lines(b"\n"), [b""]);
        assert_eq!(lines(b"a\r\n\nb"), [b"a".as_slice(), b"", b"b"]);
    }
}
