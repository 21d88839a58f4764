//! Lines on their way through the envelopes, and where in the file they come from.

/// The device's own lines of a chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unwrapped {
    pub(super) bytes: Vec<u8>,
    pub(super) origins: Vec<Origin>,
    pub(super) structure: u64,
}

/// Where a line comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin {
    /// The line of the chunk where its record begins, from 0.
    pub line: u32,
    /// The first byte of the record in the chunk.
    pub start: u32,
    /// The byte after the record's last.
    pub end: u32,
    /// The envelope's time in microseconds since 1970, if it has one.
    pub time_us: Option<i64>,
}

impl Unwrapped {
    /// The lines, each with its line feed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The origin of each line.
    #[must_use]
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Lines of the chunk that belong to the envelope alone, or continue a record.
    #[must_use]
    pub fn structure(&self) -> u64 {
        self.structure
    }

    /// Adds a line as it is.
    pub(super) fn push(&mut self, origin: Origin, line: &[u8]) {
        self.push_with(origin, |bytes| bytes.extend_from_slice(line));
    }

    /// Adds what `write` appends to the bytes: a line, or several.
    pub(super) fn push_with(&mut self, origin: Origin, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        while self.bytes.len() > start && matches!(self.bytes.last(), Some(b'\n' | b'\r')) {
            self.bytes.pop();
        }
        let feeds = memchr::memchr_iter(b'\n', &self.bytes[start..]).count();
        for _ in 0..=feeds {
            self.origins.push(origin);
        }
        self.bytes.push(b'\n');
    }
}

impl Origin {
    /// The same at the envelope's time, where that is known.
    pub(super) fn at(self, time_us: Option<i64>) -> Self {
        Self {
            time_us: time_us.or(self.time_us),
            ..self
        }
    }

    /// A record that goes on to the end of another.
    pub(super) fn to(self, last: Self) -> Self {
        Self {
            end: last.end,
            ..self
        }
    }
}

/// Lines with their origins.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    origins: Option<&'a [Origin]>,
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of_chunk(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            origins: None,
            at: 0,
            line: 0,
        }
    }

    pub(super) fn of_unwrapped(outer: &'a Unwrapped) -> Self {
        Self {
            origins: Some(&outer.origins),
            ..Self::of_chunk(&outer.bytes)
        }
    }

    /// How many bytes are left.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The bytes that are left.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Skips bytes that are whole lines but for their number.
    pub(super) fn pass_over(&mut self, bytes: usize) {
        self.line += memchr::memchr_iter(b'\n', &self.rest()[..bytes]).count();
        self.at += bytes;
    }
}

impl<'a> Iterator for Lines<'a> {
    /// A line without its end, and its origin.
    type Item = (Origin, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let rest = self.rest();
        let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest[..len].strip_suffix(b"\r").unwrap_or(&rest[..len]);
        let origin = match self.origins {
            Some(origins) => origins.get(self.line).copied().unwrap_or_default(),
            None => Origin {
                line: self.line as u32,
                start: self.at as u32,
                end: (self.at + line.len()) as u32,
                time_us: None,
            },
        };
        self.at = (self.at + len + 1).min(self.bytes.len());
        self.line += 1;
        Some((origin, line))
    }
}
