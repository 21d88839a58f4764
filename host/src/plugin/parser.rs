//! Parsers: detection, and an input read chunk by chunk.

use std::collections::{BTreeMap, HashSet};

use wasmtime::component::{InstancePre, ResourceAny};

use super::bindings::parser::exports::vthost::parser::parsing as wit;
use super::bindings::parser::{Parser as Exports, ParserPre};
use super::engine::Engine;
use super::error::{LoadError, Stop};
use super::guest::Guest;
use super::lifting::{self, BatchCalls, Span};
use super::load::{self, PluginSource};
use super::sandbox::Sandbox;
use super::settings::PluginSettings;
use super::{Description, PluginId, PluginKind};
use crate::observation::Observation;

/// A loaded parser: compiled, checked, ready to open inputs. Cheap to clone.
#[derive(Clone)]
pub struct Parser {
    engine: Engine,
    pre: InstancePre<Sandbox>,
    description: Description,
    settings: String,
}

/// A log format that a parser reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// The name that its users know: `squid`.
    pub name: String,
    /// Product and log in words.
    pub title: String,
    /// An example line.
    pub example: String,
}

/// What is known of an input before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputInfo {
    /// The file's name without directories; empty for standard input.
    pub name: String,
    /// Its first bytes, up to 64 KiB.
    pub head: Vec<u8>,
    /// The zone of stamps that name none, in minutes east of UTC.
    pub utc_offset_minutes: i16,
    /// An instant that stamps without a year do not lie after, in microseconds.
    pub reference_time_us: i64,
}

/// How the lines of an input hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Chunks may go to several sessions, in any order.
    IndependentLines,
    /// One session gets every chunk in order.
    OrderedLines,
    /// One session gets the document in order, cut anywhere.
    WholeDocument,
}

/// What a chunk gave, checked: every span lies in the chunk or in `text`.
#[derive(Debug, Default)]
pub struct Batch {
    text: Vec<u8>,
    observations: Vec<lifting::Observation>,
    /// Lines that gave at least one observation.
    pub records: u64,
    /// Lines that name nothing to look up, by reason.
    pub ignored: Vec<Tally>,
    /// Lines that should have been understood and were not, by reason.
    pub rejected: Vec<Tally>,
}

/// Lines of one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The parser's words.
    pub reason: String,
    /// How many lines.
    pub count: u64,
    /// Which lines, from 0 in the chunk: all of them, or the first few.
    pub samples: Vec<u32>,
}

/// `observation.time-us` of a record without a time.
const NO_TIME: i64 = i64::MIN;

/// 0001-01-01 and the end of 2199 in microseconds. A device whose clock is wrong may
/// be a century ahead (32 bits of seconds end in 2106); what is later is no time.
const TIMES_US: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=7_258_118_399_999_999;

impl Parser {
    /// Loads, checks and once tries a parser.
    ///
    /// # Errors
    ///
    /// Every [`LoadError`].
    pub fn load(
        engine: &Engine,
        source: &PluginSource,
        settings: &PluginSettings,
    ) -> Result<Self, LoadError> {
        let loaded = load::load(engine, PluginKind::Parser, source)?;
        loaded.usable(ParserPre::new(loaded.pre.clone()))?;
        let mut guest = start(engine, &loaded.pre).map_err(|stop| loaded.stopped(stop))?;
        let said = guest
            .call(|store, calls| calls.exports.vthost_parser_parsing().call_describe(store))
            .map_err(|stop| loaded.stopped(stop))?;
        let description = description(said, loaded.digest.clone());
        loaded.check_description(&description)?;
        let settings = settings.checked(
            &description.id,
            &loaded.source_name,
            &description.settings_schema,
        )?;
        Ok(Self {
            engine: engine.clone(),
            pre: loaded.pre.clone(),
            description,
            settings,
        })
    }

    /// What the parser says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Kind, name, version, digest.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.description.id
    }

    /// How sure the parser is, from 0 to 100, that the input is its format.
    ///
    /// # Errors
    ///
    /// When the call does not end well.
    pub fn detect(&self, input: &InputInfo) -> Result<u8, Stop> {
        let mut guest = start(&self.engine, &self.pre)?;
        let sure = guest.call(|store, calls| {
            calls
                .exports
                .vthost_parser_parsing()
                .call_detect(store, &input.to_wit())
        })?;
        Ok(sure.min(100))
    }

    /// Opens an input in an instance of its own.
    ///
    /// # Errors
    ///
    /// When the parser refuses the input, or a call does not end well.
    pub fn open(&self, input: &InputInfo) -> Result<ParserSession, Stop> {
        let mut guest = start(&self.engine, &self.pre)?;
        let session = guest
            .call(|store, calls| {
                calls.exports.vthost_parser_parsing().session().call_open(
                    store,
                    &input.to_wit(),
                    &self.settings,
                )
            })?
            .map_err(|message| Stop::refused(message, self.engine.limits()))?;
        let reading = guest.call(|store, calls| {
            calls
                .exports
                .vthost_parser_parsing()
                .session()
                .call_reading(store, session)
        })?;
        Ok(ParserSession {
            guest,
            session,
            reading: reading.into(),
            value_bytes: self.engine.limits().value_bytes,
        })
    }
}

/// What can be called in an instance.
struct Calls {
    exports: Exports,
    batches: BatchCalls,
}

/// One input, or a share of its chunks, being read by one instance.
pub struct ParserSession {
    guest: Guest<Calls>,
    session: ResourceAny,
    reading: Reading,
    value_bytes: usize,
}

impl ParserSession {
    /// How the input is to be handed over.
    #[must_use]
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// The linear memory of the instance in bytes, at its most so far.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.guest.memory_bytes()
    }

    /// Parses a chunk of `lines` lines.
    ///
    /// # Errors
    ///
    /// When the call does not end well or gives what the contract does not
    /// allow. The session is then of no further use, except after a refusal.
    pub fn parse(&mut self, chunk: &[u8], lines: u64) -> Result<Batch, Stop> {
        let session = self.session;
        let batch = self
            .guest
            .call(|store, calls| calls.batches.parse(store, session, chunk))?
            .map_err(|message| Stop::refused(message, self.guest.limits()))?;
        self.checked(batch, chunk.len(), lines)
    }

    /// Says that the input has ended.
    ///
    /// # Errors
    ///
    /// As [`ParserSession::parse`].
    pub fn finish(&mut self) -> Result<Batch, Stop> {
        let session = self.session;
        let batch = self
            .guest
            .call(|store, calls| calls.batches.finish(store, session))?
            .map_err(|message| Stop::refused(message, self.guest.limits()))?;
        self.checked(batch, 0, 0)
    }

    /// Takes a batch only if it keeps the contract.
    fn checked(&self, batch: lifting::Batch, chunk_len: usize, lines: u64) -> Result<Batch, Stop> {
        let bad = |detail: String| Stop::BadValue { detail };
        let bounds = Bounds {
            chunk: chunk_len as u64,
            end: chunk_len as u64 + batch.text.len() as u64,
            value_bytes: self.value_bytes,
            lines: match self.reading {
                Reading::IndependentLines => lines,
                Reading::OrderedLines | Reading::WholeDocument => u64::MAX,
            },
        };
        let mut batch = batch;
        if !batch.observations.0.iter().all(|it| bounds.hold(it)) {
            reject_broken(&mut batch, &bounds).map_err(bad)?;
        }
        let batch = Batch {
            text: batch.text,
            observations: batch.observations.0,
            records: batch.records.into(),
            ignored: batch.ignored.into_iter().map(Tally::from).collect(),
            rejected: batch.rejected.into_iter().map(Tally::from).collect(),
        };
        if self.reading == Reading::IndependentLines && batch.lines() != lines {
            return Err(bad(format!(
                "it counted {} lines (records, ignored and rejected) in a chunk of {lines}",
                batch.lines()
            )));
        }
        Ok(batch)
    }
}

impl Batch {
    /// Records, ignored and rejected together.
    #[must_use]
    pub fn lines(&self) -> u64 {
        let tallied = |tallies: &[Tally]| tallies.iter().map(|tally| tally.count).sum::<u64>();
        self.records + tallied(&self.ignored) + tallied(&self.rejected)
    }

    /// The observations, in the order of the lines. `chunk` is the one that the
    /// batch was parsed from (empty for the batch of `finish`).
    pub fn observations<'a>(&'a self, chunk: &'a [u8]) -> impl Iterator<Item = Observation<'a>> {
        self.observations
            .iter()
            .map(move |observation| Observation {
                line: observation.line,
                kind: observation.kind,
                value: self.slice(chunk, observation.value),
                client: self.slice(chunk, observation.client),
                user: self.slice(chunk, observation.user),
                time_us: Some(observation.time_us).filter(|time| *time != NO_TIME),
                action: observation.action,
            })
    }

    /// How many observations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.observations.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.observations.is_empty()
    }

    /// The bytes of a span that [`Bounds::check`] has passed.
    fn slice<'a>(&'a self, chunk: &'a [u8], span: Span) -> &'a [u8] {
        let start = span.start as usize;
        let (bytes, start) = if start < chunk.len() {
            (chunk, start)
        } else {
            (self.text.as_slice(), start - chunk.len())
        };
        bytes
            .get(start..start + span.len as usize)
            .unwrap_or_default()
    }
}

/// Takes the observations out that break the contract. A line that has no other
/// observation is rejected with the reason; its neighbours are not to blame.
fn reject_broken(batch: &mut lifting::Batch, bounds: &Bounds) -> Result<(), String> {
    let mut broken: BTreeMap<u32, &'static str> = BTreeMap::new();
    let mut sound = HashSet::new();
    let mut beyond = None;
    batch
        .observations
        .0
        .retain(|observation| match bounds.check(observation) {
            Ok(()) => {
                sound.insert(observation.line);
                true
            }
            Err(Broken::Line(reason)) => {
                broken.entry(observation.line).or_insert(reason);
                false
            }
            Err(Broken::Batch(detail)) => {
                beyond.get_or_insert(detail);
                false
            }
        });
    if let Some(detail) = beyond {
        return Err(detail);
    }
    let mut tallies: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (line, reason) in broken {
        if !sound.contains(&line) {
            tallies.entry(reason).or_default().push(line);
        }
    }
    for (reason, lines) in tallies {
        let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        batch.records = batch.records.saturating_sub(count);
        batch.rejected.push(wit::Tally {
            reason: reason.to_owned(),
            count,
            samples: lines,
        });
    }
    Ok(())
}

/// What an observation breaks.
enum Broken {
    /// Its own line, for this reason.
    Line(&'static str),
    /// The whole batch: it belongs to no line of the chunk.
    Batch(String),
}

/// What the spans, lines and times of one batch may be.
struct Bounds {
    chunk: u64,
    end: u64,
    value_bytes: usize,
    lines: u64,
}

impl Bounds {
    /// Whether an observation keeps all that [`Bounds::check`] asks for: without
    /// a branch for each question, as nearly all do.
    #[inline]
    fn hold(&self, observation: &lifting::Observation) -> bool {
        let spans = [observation.value, observation.client, observation.user];
        let longest = spans.iter().fold(0, |longest, span| longest.max(span.len));
        let furthest = spans
            .iter()
            .fold(0, |furthest, span| furthest.max(span.end()));
        let are_within = furthest <= self.chunk || spans.iter().all(|span| self.is_within(*span));
        (u64::from(observation.line) < self.lines)
            & (observation.value.len != 0)
            & (longest as usize <= self.value_bytes)
            & are_within
            & is_time(observation.time_us)
    }

    fn check(&self, observation: &lifting::Observation) -> Result<(), Broken> {
        if u64::from(observation.line) >= self.lines {
            return Err(Broken::Batch(format!(
                "an observation on line {} of a chunk of {}",
                observation.line, self.lines
            )));
        }
        if observation.value.len == 0 {
            return Err(Broken::Line(
                "the parser gave an observation without a value",
            ));
        }
        for span in [observation.value, observation.client, observation.user] {
            if !self.is_within(span) {
                return Err(Broken::Line(
                    "the parser gave a span outside the chunk and its text",
                ));
            }
            if span.len as usize > self.value_bytes {
                return Err(Broken::Line("the parser gave a value that is too long"));
            }
        }
        if !is_time(observation.time_us) {
            return Err(Broken::Line(
                "the parser gave a time outside the years 1 to 2199",
            ));
        }
        Ok(())
    }

    /// Whether a span lies in the chunk or in the text; an empty one lies
    /// nowhere.
    #[inline]
    fn is_within(&self, span: Span) -> bool {
        let is_in_one = (u64::from(span.start) >= self.chunk) | (span.end() <= self.chunk);
        (span.len == 0) | (is_in_one & (span.end() <= self.end))
    }
}

/// Whether it is a time, or says that there is none.
#[inline]
fn is_time(time_us: i64) -> bool {
    (time_us == NO_TIME) | TIMES_US.contains(&time_us)
}

fn start(engine: &Engine, pre: &InstancePre<Sandbox>) -> Result<Guest<Calls>, Stop> {
    Guest::start(engine, pre, |store, instance| {
        Ok(Calls {
            exports: Exports::new(&mut *store, instance)?,
            batches: BatchCalls::new(store, instance)?,
        })
    })
}

fn description(said: wit::Description, digest: String) -> Description {
    Description {
        id: PluginId {
            kind: PluginKind::Parser,
            name: said.name,
            version: said.version,
            digest,
        },
        licence: said.licence,
        summary: said.summary,
        formats: said.formats.into_iter().map(Format::from).collect(),
        settings_schema: said.settings_schema,
    }
}

impl InputInfo {
    fn to_wit(&self) -> wit::Input {
        wit::Input {
            name: self.name.clone(),
            head: self.head.clone(),
            utc_offset_minutes: self.utc_offset_minutes,
            reference_time_us: self.reference_time_us,
        }
    }
}

impl From<wit::Format> for Format {
    fn from(format: wit::Format) -> Self {
        Self {
            name: format.name,
            title: format.title,
            example: format.example,
        }
    }
}

impl From<wit::Reading> for Reading {
    fn from(reading: wit::Reading) -> Self {
        match reading {
            wit::Reading::IndependentLines => Self::IndependentLines,
            wit::Reading::OrderedLines => Self::OrderedLines,
            wit::Reading::WholeDocument => Self::WholeDocument,
        }
    }
}

impl From<wit::Tally> for Tally {
    fn from(tally: wit::Tally) -> Self {
        let mut samples = tally.samples;
        samples.truncate(tally.count as usize);
        Self {
            reason: tally.reason,
            count: tally.count.into(),
            samples,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Kind;
    use crate::observation::Action;

    /// A chunk of 10 bytes and 4 lines, and 5 bytes of text.
    const BOUNDS: Bounds = Bounds {
        chunk: 10,
        end: 15,
        value_bytes: 6,
        lines: 4,
    };

    fn observation(line: u32, span: (u32, u32), time_us: i64) -> lifting::Observation {
        let (start, len) = span;
        let span = Span { start, len };
        lifting::Observation {
            line,
            kind: Kind::Url,
            action: Action::Unstated,
            value: span,
            client: span,
            user: span,
            time_us,
        }
    }

    #[test]
    fn an_observation_holds_where_nothing_of_it_is_broken() {
        let check = |observation: lifting::Observation, expected: bool| {
            assert_eq!(BOUNDS.hold(&observation), expected, "{observation:?}");
            assert_eq!(
                BOUNDS.check(&observation).is_ok(),
                expected,
                "{observation:?}"
            );
        };
        for (span, expected) in [
            ((0, 6), true),
            ((4, 6), true),
            ((10, 5), true),
            ((0, 7), false),
            ((9, 2), false),
            ((10, 6), false),
            ((u32::MAX, u32::MAX), false),
            ((0, 0), false),
        ] {
            check(observation(0, span, 0), expected);
            // Of one that is sound but for its client or its user.
            let is_sound = expected || span.1 == 0;
            let (start, len) = span;
            let sound = observation(3, (0, 1), NO_TIME);
            let span = Span { start, len };
            check(
                lifting::Observation {
                    client: span,
                    ..sound
                },
                is_sound,
            );
            check(
                lifting::Observation {
                    user: span,
                    ..sound
                },
                is_sound,
            );
        }
        check(observation(3, (0, 1), *TIMES_US.end()), true);
        check(observation(4, (0, 1), NO_TIME), false);
        check(observation(0, (0, 1), TIMES_US.end() + 1), false);
        check(observation(0, (0, 1), TIMES_US.start() - 1), false);
    }
}
