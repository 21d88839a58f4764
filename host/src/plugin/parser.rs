//! Parsers: format detection, and parsing an input chunk by chunk.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{InstancePre, ResourceAny};

use super::batch::{Batch, Bounds};
use super::bindings::parser::exports::vthost::parser::parsing as wit;
use super::bindings::parser::{Parser as Exports, ParserPre};
use super::engine::Engine;
use super::error::{LoadError, Stop};
use super::guest::Guest;
use super::lifting::{self, BatchCalls};
use super::load;
use super::sandbox::Sandbox;
use super::settings::PluginSettings;
use super::source::PluginSource;
use super::{Description, LogFormat, PluginId, PluginKind};

/// A parser that is loaded, checked and ready to open inputs. Cheap to clone.
#[derive(Clone)]
pub struct Parser {
    engine: Engine,
    pre: InstancePre<Sandbox>,
    description: Arc<Description>,
    settings: Arc<str>,
    is_built_in: bool,
    /// Instances for the next inputs; none if every input gets a new one.
    idle: Option<Arc<IdleInstances>>,
}

/// Instances without a session.
#[derive(Default)]
struct IdleInstances(Mutex<Vec<Guest<Calls>>>);

/// The idle instances of a parser: as many as two threads use at the same time.
const MAX_IDLE: usize = 2;

/// An instance with more memory is not used again. A linear memory never shrinks, and what
/// a parser leaks adds up.
const MAX_IDLE_BYTES: usize = 4 << 20;

/// What is known about an input before it is parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputInfo {
    /// The file's name without directories; empty for standard input.
    pub name: String,
    /// Its first bytes, up to 64 KiB.
    pub head: Vec<u8>,
    /// The time zone of stamps that contain none, in minutes east of UTC.
    pub utc_offset_minutes: i16,
    /// Stamps without a year are not later than this, in microseconds since 1970.
    pub reference_time_us: i64,
}

/// How an input may be divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Chunks may go to several sessions, in any order.
    IndependentLines,
    /// One session gets every chunk in order.
    OrderedLines,
    /// One session gets the document in order, divided anywhere.
    WholeDocument,
}

impl Parser {
    /// Loads and checks a parser, and calls it once for its description.
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
        let described = guest
            .call(|store, calls| calls.exports.vthost_parser_parsing().call_describe(store))
            .map_err(|stop| loaded.stopped(stop))?;
        let description = description(described, loaded.digest.clone());
        loaded.check_description(&description)?;
        let settings = settings.checked(
            &description.id,
            &loaded.source_name,
            &description.settings_schema,
        )?;
        Ok(Self {
            engine: engine.clone(),
            pre: loaded.pre.clone(),
            description: Arc::new(description),
            settings: settings.into(),
            is_built_in: matches!(source, PluginSource::BuiltIn(_)),
            idle: None,
        })
    }

    /// The same parser, whose instances are used for one input after the other if it is built
    /// in. Its clones share them. A parser from a file may keep state outside of its sessions,
    /// and then its results would depend on the order of the inputs.
    #[must_use]
    pub fn with_reuse(&self) -> Self {
        Self {
            idle: self.is_built_in.then(Arc::default),
            ..self.clone()
        }
    }

    /// The parser's description of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Kind, name, version and digest.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.description.id
    }

    /// The parser's confidence, from 0 to 100, that the input has its format.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub fn detect(&self, input: &InputInfo) -> Result<u8, Stop> {
        let input = input.to_wit();
        let (guest, confidence) = self.in_instance(|guest| {
            guest.call(|store, calls| {
                let parsing = calls.exports.vthost_parser_parsing();
                parsing.call_detect(store, &input)
            })
        })?;
        if let Some(idle) = &self.idle {
            idle.put(guest);
        }
        Ok(confidence.min(100))
    }

    /// Opens an input.
    ///
    /// # Errors
    ///
    /// When the parser refuses the input, or a call fails.
    pub fn open(&self, input: &InputInfo) -> Result<ParserSession, Stop> {
        let (engine, settings) = (&self.engine, &self.settings);
        let input = input.to_wit();
        let (guest, (session, reading)) = self.in_instance(|guest| {
            guest
                .call(|store, calls| {
                    let sessions = calls.exports.vthost_parser_parsing().session();
                    let opened = sessions.call_open(&mut *store, &input, settings)?;
                    Ok(match opened {
                        Ok(session) => Ok((session, sessions.call_reading(store, session)?)),
                        Err(message) => Err(message),
                    })
                })?
                .map_err(|message| Stop::refused(message, engine.limits()))
        })?;
        Ok(ParserSession {
            guest,
            session,
            reading: reading.into(),
            value_bytes: engine.limits().value_bytes,
            idle: self.idle.clone(),
        })
    }

    /// Calls an idle instance, or a new one. The failure of an instance that was used before is
    /// not final: its cause may be an earlier input.
    fn in_instance<R>(
        &self,
        call: impl Fn(&mut Guest<Calls>) -> Result<R, Stop>,
    ) -> Result<(Guest<Calls>, R), Stop> {
        if let Some(mut guest) = self.idle.as_ref().and_then(|idle| idle.take())
            && let Ok(returned) = call(&mut guest)
        {
            return Ok((guest, returned));
        }
        let mut guest = start(&self.engine, &self.pre)?;
        let returned = call(&mut guest)?;
        Ok((guest, returned))
    }
}

impl IdleInstances {
    fn take(&self) -> Option<Guest<Calls>> {
        self.lock().pop()
    }

    fn put(&self, mut guest: Guest<Calls>) {
        guest.discard_stderr();
        let mut idle = self.lock();
        if guest.memory_bytes() <= MAX_IDLE_BYTES && idle.len() < MAX_IDLE {
            idle.push(guest);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Guest<Calls>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The functions of an instance.
struct Calls {
    exports: Exports,
    batches: BatchCalls,
}

/// One instance that parses an input, or some of its chunks.
pub struct ParserSession {
    guest: Guest<Calls>,
    session: ResourceAny,
    reading: Reading,
    value_bytes: usize,
    idle: Option<Arc<IdleInstances>>,
}

impl ParserSession {
    /// Ends the session. The parser may use the instance for another input; an instance whose
    /// session is only dropped is not used again.
    pub fn close(mut self) {
        let Some(idle) = self.idle.take() else {
            return;
        };
        let session = self.session;
        let closed = self
            .guest
            .call(|store, _| session.resource_drop(store).map(drop));
        if closed.is_ok() {
            idle.put(self.guest);
        }
    }

    /// How the input may be divided.
    #[must_use]
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// The linear memory of the instance in bytes. It never shrinks.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.guest.memory_bytes()
    }

    /// Parses a chunk of `lines` lines.
    ///
    /// # Errors
    ///
    /// When the call fails or its result violates the contract. Except after a
    /// refusal, every later call fails, too.
    pub fn parse(&mut self, chunk: &[u8], lines: u64) -> Result<Batch, Stop> {
        let session = self.session;
        let batch = self
            .guest
            .call(|store, calls| calls.batches.parse(store, session, chunk))?
            .map_err(|message| Stop::refused(message, self.guest.limits()))?;
        self.checked(batch, chunk.len(), lines)
    }

    /// Ends the input for the parser.
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

    /// Checks a batch. `lines` counts only where lines are independent: in other
    /// inputs a record may begin in an earlier chunk.
    fn checked(
        &self,
        batch: lifting::RawBatch,
        chunk_len: usize,
        lines: u64,
    ) -> Result<Batch, Stop> {
        let invalid = |detail| Stop::BadValue { detail };
        let is_independent = self.reading == Reading::IndependentLines;
        let line_limit = if is_independent { lines } else { u64::MAX };
        let bounds = Bounds::new(chunk_len, batch.text.len(), self.value_bytes, line_limit);
        let batch = Batch::checked(batch, &bounds).map_err(invalid)?;
        if is_independent && batch.lines() != lines {
            return Err(invalid(format!(
                "it counted {} lines (records, ignored and rejected) in a chunk of {lines}",
                batch.lines()
            )));
        }
        Ok(batch)
    }
}

fn start(engine: &Engine, pre: &InstancePre<Sandbox>) -> Result<Guest<Calls>, Stop> {
    Guest::start(engine, pre, |store, instance| {
        Ok(Calls {
            exports: Exports::new(&mut *store, instance)?,
            batches: BatchCalls::new(store, instance)?,
        })
    })
}

fn description(described: wit::Description, digest: String) -> Description {
    Description {
        id: PluginId {
            kind: PluginKind::Parser,
            name: described.name,
            version: described.version,
            digest,
        },
        licence: described.licence,
        summary: described.summary,
        formats: described.formats.into_iter().map(LogFormat::from).collect(),
        settings_schema: described.settings_schema,
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

impl From<wit::Format> for LogFormat {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::lifting::{RawObservation, Span};
    use crate::plugin::{CompileCache, PluginLimits};

    const LOG: &[u8] = b"1714564800.123 10 192.0.2.1 TCP_MISS/200 100 GET \
http://www.example.com/ ann HIER_DIRECT/198.51.100.1 text/html\n\
1714564801.000 10 192.0.2.2 TCP_DENIED/403 0 CONNECT example.org:443 - HIER_NONE/- -\n";

    /// An observation of the derived lifting as a [`RawObservation`].
    fn raw(derived: &wit::Observation) -> RawObservation {
        let span = |span: wit::Span| Span {
            start: span.start,
            len: span.len,
        };
        RawObservation {
            line: derived.line,
            kind: match derived.kind {
                wit::IndicatorKind::Url => crate::indicator::Kind::Url,
                wit::IndicatorKind::Domain => crate::indicator::Kind::Domain,
                wit::IndicatorKind::Ip => crate::indicator::Kind::Ip,
            },
            action: match derived.action {
                wit::Action::Unstated => crate::observation::Action::Unstated,
                wit::Action::Allowed => crate::observation::Action::Allowed,
                wit::Action::Blocked => crate::observation::Action::Blocked,
            },
            value: span(derived.value),
            client: span(derived.client),
            user: span(derived.user),
            time_us: derived.time_us,
        }
    }

    #[test]
    fn lifted_observations_equal_those_of_the_derived_lifting() {
        let engine = Engine::new(PluginLimits::default(), CompileCache::Off).unwrap();
        let source = PluginSource::named("squid");
        let parser = Parser::load(&engine, &source, &PluginSettings::default()).unwrap();
        let input = InputInfo {
            name: "access.log".to_owned(),
            head: LOG.to_vec(),
            utc_offset_minutes: 0,
            reference_time_us: 0,
        };
        let mut open = parser.open(&input).unwrap();
        let session = open.session;
        let lifted = open
            .guest
            .call(|store, calls| calls.batches.parse(store, session, LOG))
            .unwrap()
            .unwrap();
        let derived = open
            .guest
            .call(|store, calls| {
                let parsing = calls.exports.vthost_parser_parsing();
                parsing.session().call_parse(store, session, LOG)
            })
            .unwrap()
            .unwrap();
        assert!(lifted.observations.0.len() >= 2);
        let derived_observations: Vec<_> = derived.observations.iter().map(raw).collect();
        assert_eq!(lifted.observations.0, derived_observations);
        assert_eq!(
            (lifted.text, lifted.records),
            (derived.text, derived.records)
        );
    }

    #[test]
    fn instance_is_used_for_one_input_after_the_other_until_a_call_fails() {
        let engine = Engine::new(PluginLimits::default(), CompileCache::Off).unwrap();
        let source = PluginSource::named("squid");
        let parser = Parser::load(&engine, &source, &PluginSettings::default()).unwrap();
        let parser = parser.with_reuse();
        let idle = || parser.idle.as_ref().unwrap().lock().len();
        let input = InputInfo {
            name: "access.log".to_owned(),
            head: LOG.to_vec(),
            utc_offset_minutes: 0,
            reference_time_us: 0,
        };
        for _ in 0..3 {
            assert!(parser.detect(&input).unwrap() > 50);
            let mut session = parser.open(&input).unwrap();
            assert_eq!(idle(), 0);
            assert_eq!(session.parse(LOG, 2).unwrap().records, 2);
            session.close();
            assert_eq!(idle(), 1);
        }
        let mut session = parser.open(&input).unwrap();
        let failed: Result<(), Stop> = session.guest.call(|_, _| wasmtime::bail!("a failure"));
        assert!(failed.is_err());
        session.close();
        assert_eq!(idle(), 0);
    }
}
