//! What an input is: the envelopes around its lines, and the parser that reads them.
//!
//! Structure alone does not decide: a device's own JSON may have a `message` too. An
//! envelope is removed if what remains is understood better.

use super::choice::{
    Choice, HEAD_BYTES, NoParser, Parsers, is_last_resort, understood, whole_lines,
};
use crate::envelope::{self, Document, Envelope, Layer, MAX_LAYERS, Stamps};
use crate::plugin::InputInfo;

/// How an input is read.
pub(super) struct Recognised {
    pub(super) choice: Choice,
    /// The facts on the input that the parser gets, with the head as it will see it.
    pub(super) info: InputInfo,
    pub(super) document: Option<Document>,
    pub(super) envelope: Envelope,
    rank: Understanding,
}

/// How well the head is understood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Understanding {
    /// Whether the parser knows the format.
    is_specific: bool,
    /// Of a document on one line, how many of its records the parser understands: to a parser
    /// of lines it is one.
    records_of_line: u64,
    /// How many tenths of its records the parser understands.
    tenths: u64,
    /// How many records that are.
    records: u64,
    /// How many tenths of the observations have a time, and how many a client.
    complete_tenths: u64,
    /// How many of the outermost envelopes are written by collectors alone.
    certain_layers: usize,
    /// How many tenths of the observations have a time of their line.
    timed_tenths: u64,
    /// How confident the parser is; nothing after a header that a parser may read itself.
    confidence: u8,
}

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
    let is_cut = info.head.len() >= HEAD_BYTES;
    let head = whole_lines(&info.head, is_cut);
    let split = document.map(|document| InputInfo {
        head: whole_lines(&document.split(&info.head), is_cut).to_vec(),
        ..info.clone()
    });
    let layers = layers(info);
    let may_be_plain = split.is_none() && layers.iter().all(Layer::is_device_header);
    if let Some(choice) = again(previous.filter(|_| may_be_plain), info) {
        return Ok(Recognised {
            choice,
            info: info.clone(),
            document: None,
            envelope: Envelope::default(),
            rank: Understanding::default(),
        });
    }
    let is_of_line = split.is_some() && memchr::memchr(b'\n', head.trim_ascii_end()).is_none();
    let outermost = Wrapping {
        is_of_line,
        ..Wrapping::default()
    };
    let plain = || attempt(parsers, info.clone(), None, outermost.clone());
    if split.is_none() && layers.iter().any(Layer::is_of_collector) {
        let mut search = Search::new(parsers, Err(NoParser::Unrecognised));
        search.explore(info, head, None, &Wrapping::default());
        return search.best.or_else(|_| plain());
    }
    let plain = plain();
    let is_complete = |plain: &Recognised| plain.rank.is_complete() || layers.is_empty();
    if may_be_plain && plain.as_ref().map_or(layers.is_empty(), is_complete) {
        return plain;
    }
    let mut search = Search::new(parsers, plain);
    if let Some(split) = split {
        let alone = attempt(parsers, split.clone(), document, outermost.clone());
        search.consider(alone);
        if search.explore(&split, &split.head, document, &outermost) {
            return search.best;
        }
    }
    search.is_last_best = false;
    search.explore(info, head, None, &outermost);
    search.best
}

/// The envelopes that the lines of a head may have.
fn layers(info: &InputInfo) -> Vec<Layer> {
    let stamps = Stamps {
        reference_time_us: info.reference_time_us,
        utc_offset_minutes: info.utc_offset_minutes,
    };
    envelope::recognise(&info.head, stamps)
}

/// The envelopes that an attempt removes.
#[derive(Clone, Default)]
struct Wrapping {
    envelope: Envelope,
    certain_layers: usize,
    has_time: bool,
    /// Whether the input is a document on one line.
    is_of_line: bool,
}

struct Search<'a> {
    parsers: &'a Parsers,
    attempts: usize,
    best: Result<Recognised, NoParser>,
    /// Whether the last attempt was better than those before.
    is_last_best: bool,
}

impl<'a> Search<'a> {
    fn new(parsers: &'a Parsers, best: Result<Recognised, NoParser>) -> Self {
        Self {
            parsers,
            attempts: 0,
            best,
            is_last_best: false,
        }
    }

    /// Tries the envelopes inside `wrapping`, depth first. `info` has the head without it,
    /// `outer` the head with it. Returns whether all is understood and no envelope is left.
    fn explore(
        &mut self,
        info: &InputInfo,
        outer: &[u8],
        document: Option<Document>,
        wrapping: &Wrapping,
    ) -> bool {
        let depth = wrapping.envelope.depth();
        let layers = layers(info);
        if layers.iter().all(Layer::is_device_header) && self.is_settled(&layers) {
            return true;
        }
        if depth == MAX_LAYERS {
            return false;
        }
        let only_certain = layers.iter().position(Layer::is_certain);
        let layers: Vec<_> = match only_certain {
            Some(index) => layers.into_iter().skip(index).take(1).collect(),
            None => layers.into_iter().take(MAX_CANDIDATES).collect(),
        };
        for layer in layers {
            if self.attempts == MAX_ATTEMPTS {
                return false;
            }
            self.attempts += 1;
            let is_certain = wrapping.certain_layers == depth && layer.is_certain();
            let envelope = wrapping.envelope.with(layer);
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
            let wrapping = Wrapping {
                envelope,
                certain_layers: wrapping.certain_layers + usize::from(is_certain),
                has_time: first_time.is_some(),
                is_of_line: wrapping.is_of_line,
            };
            let attempt = attempt(self.parsers, inner.clone(), document, wrapping.clone());
            self.consider(attempt);
            if self.explore(&inner, outer, document, &wrapping) {
                return true;
            }
        }
        false
    }

    /// Whether the last attempt is the best, a parser understands all with time and client,
    /// and the headers that are left are of no use.
    fn is_settled(&self, left: &[Layer]) -> bool {
        let is_complete = |best: &Recognised| {
            best.rank.is_complete() && (left.is_empty() || best.rank.timed_tenths == 10)
        };
        self.is_last_best && self.best.as_ref().is_ok_and(is_complete)
    }

    fn consider(&mut self, attempt: Result<Recognised, NoParser>) {
        self.is_last_best = false;
        let Ok(attempt) = attempt else {
            return;
        };
        let is_better = match &self.best {
            Ok(best) => attempt.is_better_than(best),
            Err(_) => true,
        };
        self.is_last_best = is_better;
        if is_better {
            self.best = Ok(attempt);
        }
    }
}

impl Recognised {
    /// Whether the lines are as the input has them.
    pub(super) fn is_plain(&self) -> bool {
        self.document.is_none() && self.envelope.depth() == 0
    }

    /// Whether this is to be preferred to another way to read the same input.
    fn is_better_than(&self, other: &Self) -> bool {
        let is_inside = (self.document == other.document || other.is_plain())
            && self.envelope.is_inside(&other.envelope);
        let removes_more = is_inside && self.rank.is_specific && !self.envelope.ends_in_header();
        if !removes_more {
            return self.rank > other.rank;
        }
        // A line that is understood as well without its envelope is understood better,
        // however confident the parsers are, and whether the time was the envelope's.
        let rank = Understanding {
            timed_tenths: other.rank.timed_tenths,
            confidence: other.rank.confidence,
            ..self.rank
        };
        rank >= other.rank
    }
}

impl Understanding {
    /// Whether a parser understands all, and misses neither time nor client.
    fn is_complete(&self) -> bool {
        self.is_specific && self.tenths == 10 && self.complete_tenths == 20
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
    wrapping: Wrapping,
) -> Result<Recognised, NoParser> {
    let choice = parsers.choose(&info)?;
    let is_wrapped = document.is_some() || wrapping.envelope.depth() > 0;
    let is_candidate = is_wrapped || !layers(&info).is_empty();
    let rank = match is_candidate || Document::recognise(&info.head).is_some() {
        true => rank(&choice, &info, &wrapping),
        false => Understanding::default(),
    };
    Ok(Recognised {
        choice,
        info,
        document,
        envelope: wrapping.envelope,
        rank,
    })
}

fn rank(choice: &Choice, info: &InputInfo, wrapping: &Wrapping) -> Understanding {
    let Choice { parser, confidence } = choice;
    let certain_layers = wrapping.certain_layers;
    if is_last_resort(parser) {
        return Understanding {
            certain_layers,
            ..Understanding::default()
        };
    }
    let understood = understood(parser, info);
    Understanding {
        is_specific: true,
        records_of_line: match wrapping.is_of_line {
            true => understood.records,
            false => 0,
        },
        tenths: understood.tenths(),
        records: understood.records,
        complete_tenths: understood.complete_tenths(wrapping.has_time),
        certain_layers,
        timed_tenths: understood.timed_tenths(),
        confidence: match wrapping.envelope.ends_in_header() {
            true => 0,
            false => confidence.unwrap_or_else(|| parser.detect(info).unwrap_or(0)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{CompileCache, Engine, Parser, PluginLimits, PluginSettings, PluginSource};

    const QUERIES: &str = "2024-05-01T12:00:00+00:00 gw dnsmasq[1]: query[A] www.example.com from 10.0.0.5\n\
                           2024-05-01T12:00:00+00:00 gw dnsmasq[1]: forwarded www.example.com to 192.0.2.53\n\
                           2024-05-01T12:00:00+00:00 gw dnsmasq[1]: reply www.example.com is 192.0.2.10\n";

    fn parsers() -> Parsers {
        let engine = Engine::new(PluginLimits::default(), CompileCache::Off).unwrap();
        let load = |name: &str| {
            let source = PluginSource::BuiltIn(name.to_owned());
            Parser::load(&engine, &source, &PluginSettings::default()).unwrap()
        };
        Parsers::Detected(["dns", "list", "text"].map(load).to_vec())
    }

    /// The parser and the envelopes of an input with these lines.
    fn recognised(parsers: &Parsers, head: &str, previous: Option<&Choice>) -> (String, String) {
        let info = InputInfo {
            name: String::new(),
            head: head.as_bytes().to_vec(),
            utc_offset_minutes: 0,
            reference_time_us: 1_714_564_800_000_000,
        };
        let recognised = recognise(parsers, &info, previous).unwrap();
        let names: Vec<_> = recognised.envelope.names().collect();
        assert_eq!(recognised.is_plain(), names.is_empty());
        (recognised.choice.parser.id().name.clone(), names.join(", "))
    }

    #[test]
    fn parser_of_the_previous_input_needs_the_same_confidence() {
        let parsers = parsers();
        let Parsers::Detected(ref all) = parsers else {
            unreachable!()
        };
        let previous = Choice {
            parser: all[1].clone(),
            confidence: Some(CERTAIN),
        };
        let (parser, _) = recognised(&parsers, QUERIES, Some(&previous));
        assert_eq!(parser, "dns");
    }

    #[test]
    fn understanding_is_ranked_by_records_before_confidence() {
        let least = Understanding {
            confidence: 100,
            certain_layers: MAX_LAYERS,
            ..Understanding::default()
        };
        let specific = Understanding {
            is_specific: true,
            ..Understanding::default()
        };
        let half = Understanding {
            tenths: 5,
            ..specific
        };
        let all = Understanding {
            tenths: 10,
            records: 1,
            ..specific
        };
        let with_client = Understanding {
            complete_tenths: 20,
            ..all
        };
        let ascending = [least, specific, half, all, with_client];
        assert!(ascending.is_sorted_by(|one, next| one < next));
        let complete = ascending.map(|rank| rank.is_complete());
        assert_eq!(complete, [false, false, false, false, true]);
    }

    #[test]
    fn stamps_without_a_year_are_near_the_time_of_their_envelope() {
        // 2024-05-01T12:00:00Z and 182 days later.
        let (time_us, later_us) = (1_714_564_800_000_000, 1_730_289_600_000_000);
        assert_eq!(reference(time_us), later_us);
        assert_eq!(reference(i64::MAX), i64::MAX);
    }
}
