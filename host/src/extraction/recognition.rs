//! What an input is: the envelopes around its lines, and the parser that reads them.
//!
//! Structure alone does not decide: a device's own JSON may have a `message` too. An
//! envelope is removed if what remains is understood better.

use super::choice::{Choice, NoParser, Parsers, is_last_resort, understood};
use crate::envelope::{self, Document, Envelope, MAX_LAYERS};
use crate::plugin::InputInfo;

/// How an input is read.
pub(super) struct Recognised {
    pub(super) choice: Choice,
    /// What the parser is told of the input, with the head as it will see it.
    pub(super) info: InputInfo,
    pub(super) document: Option<Document>,
    pub(super) envelope: Envelope,
    rank: Rank,
}

/// How well the head is understood: by a parser that knows the format, how many tenths of
/// its records, how confident the parser is, and whether the envelopes are certain.
type Rank = (bool, u64, u8, bool);

/// Detection asks every parser, so that it is not repeated without end.
const MAX_ATTEMPTS: usize = 12;

/// Envelopes that are tried around the same lines.
const MAX_CANDIDATES: usize = 4;

/// A parser this confident is taken for the next input, too, without asking the others.
const CERTAIN: u8 = 90;

/// The parser of the previous input, if it is as confident of this one.
fn again(previous: Option<&Choice>, info: &InputInfo) -> Option<Choice> {
    let Choice { parser, confidence } = previous?;
    let before = confidence.filter(|confidence| *confidence >= CERTAIN)?;
    let now = parser.detect(info).ok()?;
    (now >= before).then(|| Choice {
        parser: parser.clone(),
        confidence: Some(now),
    })
}

/// Finds out how to read an input. `info` has the head of the input as it is, `previous` is
/// the parser of the input before: the files of a folder are mostly of one format, and asking
/// every parser takes longer than reading a small file.
pub(super) fn recognise(
    parsers: &Parsers,
    info: &InputInfo,
    previous: Option<&Choice>,
) -> Result<Recognised, NoParser> {
    let document = Document::recognise(&info.head);
    let split = document.map(|document| InputInfo {
        head: document.split(&info.head),
        ..info.clone()
    });
    let is_plain = split.is_none() && envelope::recognise(&info.head).is_empty();
    if let Some(choice) = again(previous.filter(|_| is_plain), info) {
        return Ok(Recognised {
            choice,
            info: info.clone(),
            document: None,
            envelope: Envelope::default(),
            rank: Rank::default(),
        });
    }
    let plain = attempt(parsers, info.clone(), None, Envelope::default(), false);
    if is_plain {
        return plain;
    }
    let mut search = Search {
        parsers,
        attempts: 0,
        best: plain,
    };
    if let Some(split) = split {
        search.consider(attempt(
            parsers,
            split.clone(),
            document,
            Envelope::default(),
            false,
        ));
        search.explore(&split, &split.head, document, &Envelope::default(), true);
    }
    search.explore(info, &info.head, None, &Envelope::default(), true);
    search.best
}

struct Search<'a> {
    parsers: &'a Parsers,
    attempts: usize,
    best: Result<Recognised, NoParser>,
}

impl Search<'_> {
    /// Tries the envelopes inside `envelope`, depth first. `info` has the head without it,
    /// `outer` the head with it.
    fn explore(
        &mut self,
        info: &InputInfo,
        outer: &[u8],
        document: Option<Document>,
        envelope: &Envelope,
        is_certain: bool,
    ) {
        if envelope.depth() == MAX_LAYERS {
            return;
        }
        let layers = envelope::recognise(&info.head);
        let only_certain = layers.iter().position(envelope::Layer::is_certain);
        let layers: Vec<_> = match only_certain {
            Some(index) => layers.into_iter().skip(index).take(1).collect(),
            None => layers.into_iter().take(MAX_CANDIDATES).collect(),
        };
        for layer in layers {
            if self.attempts == MAX_ATTEMPTS {
                return;
            }
            self.attempts += 1;
            let is_certain = is_certain && layer.is_certain();
            let envelope = envelope.with(layer);
            let unwrapped = envelope.unwrap(outer);
            if unwrapped.bytes() == info.head {
                continue;
            }
            let first_time = unwrapped.origins().iter().find_map(|origin| origin.time_us);
            let inner = InputInfo {
                head: unwrapped.bytes().to_vec(),
                reference_time_us: first_time.map_or(info.reference_time_us, reference),
                ..info.clone()
            };
            self.consider(attempt(
                self.parsers,
                inner.clone(),
                document,
                envelope.clone(),
                is_certain,
            ));
            self.explore(&inner, outer, document, &envelope, is_certain);
        }
    }

    fn consider(&mut self, attempt: Result<Recognised, NoParser>) {
        let Ok(attempt) = attempt else {
            return;
        };
        let is_better = match &self.best {
            Ok(best) => attempt.rank > best.rank,
            Err(_) => true,
        };
        if is_better {
            self.best = Ok(attempt);
        }
    }
}

/// Half a year in microseconds.
const HALF_A_YEAR_US: i64 = 182 * 86_400 * 1_000_000;

/// What stamps without a year are not after, where an envelope has this time: they are
/// within half a year of it.
fn reference(time_us: i64) -> i64 {
    time_us.saturating_add(HALF_A_YEAR_US)
}

fn attempt(
    parsers: &Parsers,
    info: InputInfo,
    document: Option<Document>,
    envelope: Envelope,
    is_certain: bool,
) -> Result<Recognised, NoParser> {
    let choice = parsers.choose(&info)?;
    let is_wrapped = document.is_some() || envelope.depth() > 0;
    let is_candidate = is_wrapped || !envelope::recognise(&info.head).is_empty();
    let rank = match is_candidate || Document::recognise(&info.head).is_some() {
        true => rank(&choice, &info, is_certain),
        false => Rank::default(),
    };
    Ok(Recognised {
        choice,
        info,
        document,
        envelope,
        rank,
    })
}

fn rank(choice: &Choice, info: &InputInfo, is_certain: bool) -> Rank {
    let Choice { parser, confidence } = choice;
    let confidence = confidence.unwrap_or_else(|| parser.detect(info).unwrap_or(0));
    if is_last_resort(parser) {
        return (false, 0, 0, is_certain);
    }
    (
        true,
        understood(parser, info).tenths(),
        confidence,
        is_certain,
    )
}
