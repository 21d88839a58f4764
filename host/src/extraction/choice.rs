//! The choice of the parser for an input.

use crate::plugin::{InputInfo, Parser, Reading, Stop};

/// The parsers of a run.
#[derive(Clone)]
pub enum Parsers {
    /// The user named one for all inputs.
    Named(Box<Parser>),
    /// The one that is most confident of an input's head reads it, and the others get the
    /// lines that it rejects.
    Detected(Vec<Parser>),
}

/// The parser chosen for an input.
#[derive(Clone)]
pub struct Choice {
    /// The parser.
    pub parser: Parser,
    /// How confident it was, from 1 to 100; none where the user named it.
    pub confidence: Option<u8>,
}

/// Why no parser was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoParser {
    /// No parser recognises the format.
    #[error("no parser recognises it; name one with --parser")]
    Unrecognised,
    /// Detection failed in a parser.
    #[error("{parser} {stop} during format detection")]
    Failed {
        /// The parser.
        parser: String,
        /// The cause.
        stop: Stop,
    },
}

/// The parser that finds indicators in any text.
const LAST_RESORT: &str = "text";

/// A parser that is less confident is chosen only if it understands lines of the head.
const CONFIDENT: u8 = 50;

/// Whether a parser finds indicators in any text.
pub(super) fn is_last_resort(parser: &Parser) -> bool {
    parser.id().name == LAST_RESORT
}

impl Parsers {
    /// Chooses by the input's head. Of equally confident parsers the first by name is taken.
    ///
    /// # Errors
    ///
    /// [`NoParser`].
    pub fn choose(&self, input: &InputInfo) -> Result<Choice, NoParser> {
        match self {
            Self::Named(parser) => Ok(Choice {
                parser: Parser::clone(parser),
                confidence: None,
            }),
            Self::Detected(parsers) => detect(parsers, input),
        }
    }

    /// The same parsers, whose instances are used for one input after the other.
    pub(super) fn with_reuse(&self) -> Self {
        match self {
            Self::Named(parser) => Self::Named(Box::new(parser.with_reuse())),
            Self::Detected(parsers) => {
                Self::Detected(parsers.iter().map(Parser::with_reuse).collect())
            }
        }
    }

    /// The parsers that are offered what `chosen` rejects: none where the user named it.
    pub(super) fn others(&self, chosen: &Parser) -> Vec<Parser> {
        let parsers = match self {
            Self::Named(_) => &[],
            Self::Detected(parsers) => parsers.as_slice(),
        };
        let is_other = |parser: &&Parser| parser.id() != chosen.id();
        parsers.iter().filter(is_other).cloned().collect()
    }
}

fn detect(parsers: &[Parser], input: &InputInfo) -> Result<Choice, NoParser> {
    let ranked = rank(parsers, input)?;
    let first = ranked.first().ok_or(NoParser::Unrecognised)?;
    if first.confidence >= Some(CONFIDENT) || ranked.len() == 1 {
        return Ok(first.clone());
    }
    let specific = ranked
        .iter()
        .filter(|choice| !is_last_resort(&choice.parser));
    let tried = specific.map(|choice| (understood(&choice.parser, input).records, choice));
    // Of equally good parsers the more confident.
    let best = tried.rev().max_by_key(|(records, _)| *records);
    let last_resort = ranked.iter().find(|choice| is_last_resort(&choice.parser));
    let chosen = match best {
        Some((1.., best)) => best,
        _ => last_resort.unwrap_or(first),
    };
    Ok(chosen.clone())
}

/// The parsers that may know an input, the most confident first.
pub(super) fn rank(parsers: &[Parser], input: &InputInfo) -> Result<Vec<Choice>, NoParser> {
    let mut ranked = Vec::new();
    for parser in parsers {
        let confidence = parser.detect(input).map_err(|stop| NoParser::Failed {
            parser: parser.id().to_string(),
            stop,
        })?;
        if confidence > 0 {
            ranked.push(Choice {
                parser: parser.clone(),
                confidence: Some(confidence),
            });
        }
    }
    ranked.sort_by_key(|choice| std::cmp::Reverse(choice.confidence));
    Ok(ranked)
}

/// How much of an input's head a parser understands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Understood {
    /// Lines that give observations.
    pub(super) records: u64,
    /// Lines that it rejects.
    pub(super) rejected: u64,
    /// Observations.
    observations: u64,
    /// Observations with a time.
    timed: u64,
    /// Observations with a client.
    with_client: u64,
}

impl Understood {
    /// The share of the records, in tenths.
    pub(super) fn tenths(self) -> u64 {
        self.records * 10 / (self.records + self.rejected).max(1)
    }

    /// The share of the observations in whose line the parser found a time, in tenths.
    pub(super) fn timed_tenths(self) -> u64 {
        self.timed * 10 / self.observations.max(1)
    }

    /// The share of the observations that have a time, and the share that have a client, in
    /// tenths, added. All have a time where the envelope has one.
    pub(super) fn complete_tenths(self, envelope_has_time: bool) -> u64 {
        let timed = match envelope_has_time {
            true => self.observations,
            false => self.timed,
        };
        (timed * 10 + self.with_client * 10) / self.observations.max(1)
    }
}

/// Whether it may be a client: not the priority of a syslog header.
fn is_client(client: &[u8]) -> bool {
    !client.is_empty() && !client.starts_with(b"<")
}

/// Recognition sees this much of an input.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// The lines of a head, without the last where the head was cut in it.
pub(super) fn whole_lines(head: &[u8], is_cut: bool) -> &[u8] {
    match memchr::memrchr(b'\n', head) {
        Some(feed) if is_cut => &head[..=feed],
        _ => head,
    }
}

/// Tries a parser on the whole lines of an input's head. A parser that fails understands
/// nothing.
pub(super) fn understood(parser: &Parser, input: &InputInfo) -> Understood {
    let head = whole_lines(&input.head, input.head.len() >= HEAD_BYTES);
    let feeds = memchr::memchr_iter(b'\n', head).count() as u64;
    let lines = feeds + u64::from(!head.is_empty() && !head.ends_with(b"\n"));
    let Ok(mut session) = parser.open(input) else {
        return Understood::default();
    };
    let is_document = session.reading() == Reading::WholeDocument;
    let batches = [
        session.parse(head, lines),
        match is_document {
            true => session.finish(),
            false => Ok(crate::plugin::Batch::default()),
        },
    ];
    session.close();
    let batches = batches.iter().flatten();
    batches.fold(Understood::default(), |sum, batch| {
        let timed = batch.observations(head).filter(|it| it.time_us.is_some());
        let with_client = batch.observations(head).filter(|it| is_client(it.client));
        Understood {
            records: sum.records + batch.records,
            rejected: sum.rejected + batch.rejected.iter().map(|tally| tally.count).sum::<u64>(),
            observations: sum.observations + batch.len() as u64,
            timed: sum.timed + timed.count() as u64,
            with_client: sum.with_client + with_client.count() as u64,
        }
    })
}
