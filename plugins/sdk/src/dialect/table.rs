//! A parser for all dialects of a grammar.

use std::borrow::Cow;

use super::{Dialect, FIELDS, Reader, Record};
use crate::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use crate::syslog::Syslog;
use crate::time::Stamps;

/// How the lines of a family of formats are split into fields, and the table of
/// the formats.
///
/// A format without marks reads the records that no other format fits.
pub trait Grammar: Sized + 'static {
    /// A table entry: a [`Dialect`], or a type that holds one.
    type Entry: 'static;

    /// The parser's description without the formats, which come from the table.
    const DESCRIPTION: Description;

    /// The formats. Of two that fit equally many lines the first is preferred.
    const TABLE: &'static [Self::Entry];

    /// The dialect of an entry.
    fn dialect(entry: &'static Self::Entry) -> &'static Dialect;

    /// A splitter for the values of these fields.
    fn new(entry: &'static Self::Entry, fields: [&'static str; FIELDS], input: &Input) -> Self;

    /// Splits a line. Returns where the record begins and the values in the
    /// order of the fields.
    ///
    /// # Errors
    ///
    /// The reason for which the line is not of this grammar.
    fn pick<'a>(&mut self, line: &'a [u8]) -> Result<(usize, [&'a [u8]; FIELDS]), &'static str>;

    /// Removes the escapes of a value.
    fn decode(value: &[u8]) -> Cow<'_, [u8]> {
        value.into()
    }

    /// Reads a line between the records of this entry that is not a record
    /// itself. `None` if the format has no such line.
    fn other(_entry: &'static Self::Entry, _line: &[u8]) -> Option<OtherLine> {
        None
    }
}

/// Reads a line that is not a record.
pub type OtherLine = fn(&[u8], Stamps, &mut Observations<'_>) -> Line;

/// Reads logs of any dialect of a grammar. The dialect is chosen for each line:
/// the input's head only decides which dialects are tried first.
pub struct DialectParser<G: Grammar> {
    stamps: Stamps,
    /// The dialects in the order in which they are tried; the first is that of
    /// most lines of the head.
    known: Vec<Known<G>>,
}

/// One dialect with its splitter.
struct Known<G: Grammar> {
    entry: &'static G::Entry,
    reader: Reader,
    grammar: G,
}

impl<G: Grammar> LineParser for DialectParser<G> {
    type Settings = NoSettings;

    fn describe() -> Description {
        let formats = G::TABLE.iter().map(|entry| G::dialect(entry).format());
        Description {
            formats: formats.collect(),
            ..G::DESCRIPTION
        }
    }

    fn detect(input: &Input) -> u8 {
        Ranking::<G>::of(input).certainty
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let Ranking { known, certainty } = Ranking::of(input);
        match certainty {
            0 => Err("it has no record of a known format".to_owned()),
            _ => Ok(Self {
                stamps: Stamps::of(input),
                known,
            }),
        }
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let mut reason = NO_FIELD;
        for known in &mut self.known {
            match known.grammar.pick(line) {
                Ok((start, values)) if known.fits(&values) => {
                    return known.push(line, start, &values, self.stamps, found);
                }
                Ok(_) => {}
                Err(why) => reason = why,
            }
        }
        self.unmarked(line, found).unwrap_or(Line::Rejected(reason))
    }
}

/// A comment may be part of any format.
fn fit_of_line(line: &[u8], fits: bool) -> Fit {
    match fits {
        true => Fit::Yes,
        false if is_comment(line) => Fit::Neutral,
        false => Fit::No,
    }
}

fn is_comment(line: &[u8]) -> bool {
    line.starts_with(b"#")
}

/// The reason for rejecting a line that has none of the wanted fields.
const NO_FIELD: &str = "no field of this format";

impl<G: Grammar> DialectParser<G> {
    /// Reads a line that has the marks of no dialect as one of the main dialect.
    fn unmarked(&mut self, line: &[u8], found: &mut Observations<'_>) -> Option<Line> {
        let mut others = self
            .known
            .iter()
            .filter_map(|known| G::other(known.entry, line));
        if let Some(read) = others.next() {
            return Some(read(line, self.stamps, found));
        }
        if is_comment(line) {
            return Some(Line::Ignored("comment"));
        }
        let main = self.known.first_mut()?;
        let (start, values) = main.grammar.pick(line).ok()?;
        let has_any = values.iter().any(|value| !value.is_empty());
        has_any.then(|| main.push(line, start, &values, self.stamps, found))
    }
}

impl<G: Grammar> Known<G> {
    fn new(entry: &'static G::Entry, input: &Input) -> Self {
        let reader = Reader::new(G::dialect(entry), Stamps::of(input));
        Self {
            entry,
            grammar: G::new(entry, reader.names(), input),
            reader,
        }
    }

    fn has_marks(&self) -> bool {
        !self.reader.dialect().marks.is_empty()
    }

    /// Whether a record is of this dialect: it has the marks, or, in a dialect
    /// without marks, names a contact.
    fn fits(&self, values: &[&[u8]; FIELDS]) -> bool {
        match self.has_marks() {
            true => self.reader.fits(values),
            false => self.reader.contact(values, None).observation().is_some(),
        }
    }

    fn fits_line(&mut self, line: &[u8]) -> bool {
        let picked = self.grammar.pick(line);
        picked.is_ok_and(|(_, values)| self.fits(&values)) || G::other(self.entry, line).is_some()
    }

    /// Pushes the observations of a record. A record without a time gets that of
    /// its syslog header.
    fn push(
        &self,
        line: &[u8],
        start: usize,
        values: &[&[u8]; FIELDS],
        stamps: Stamps,
        found: &mut Observations<'_>,
    ) -> Line {
        let mut contact = self.reader.contact(values, None);
        if contact.time_us.is_none() {
            contact.time_us = Syslog::time_of(line, stamps);
        }
        contact.decoded(G::decode, |contact| {
            let record = Record {
                contact,
                line,
                body: &line[start..],
                stamps,
            };
            (self.reader.dialect().push)(record, found)
        })
    }
}

/// The dialects by how many lines of an input's head have their marks.
struct Ranking<G: Grammar> {
    known: Vec<Known<G>>,
    /// The confidence of detection.
    certainty: u8,
}

impl<G: Grammar> Ranking<G> {
    fn of(input: &Input) -> Self {
        let known = G::TABLE.iter().map(|entry| Known::<G>::new(entry, input));
        let mut counted: Vec<(Known<G>, u32)> = known.map(|known| (known, 0)).collect();
        let of_marked = input.share(|line| {
            let mut fits = false;
            for (known, lines) in counted.iter_mut().filter(|(known, _)| known.has_marks()) {
                if known.fits_line(line) {
                    fits = true;
                    *lines += 1;
                }
            }
            fit_of_line(line, fits)
        });
        let of_unmarked = input.share(|line| {
            let mut unmarked = counted.iter_mut().filter(|(known, _)| !known.has_marks());
            fit_of_line(line, unmarked.any(|(known, _)| known.fits_line(line)))
        });
        let has_marked = counted.iter().any(|(_, lines)| *lines > 0);
        // The format without marks is tried last, or first where no other fits.
        counted.sort_by_key(|(known, lines)| match known.has_marks() {
            true => (false, u32::MAX - lines),
            false => (has_marked, 0),
        });
        let certainty = |has_marks| {
            let mut of_kind = counted
                .iter()
                .filter(|(known, _)| known.has_marks() == has_marks);
            of_kind
                .next()
                .map_or(0, |(known, _)| known.reader.dialect().certainty)
        };
        let certainty = of_marked
            .confidence(certainty(true))
            .max(of_unmarked.confidence(certainty(false)));
        Self {
            known: counted.into_iter().map(|(known, _)| known).collect(),
            certainty,
        }
    }
}
