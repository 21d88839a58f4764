//! Faults on demand: what goes wrong between a client and VirusTotal.

use regex::Regex;

use crate::core::{Delivery, Reply};
use crate::objects;

/// Something that goes wrong for requests of a kind.
#[derive(Debug, Clone)]
pub struct Fault {
    pattern: Regex,
    seen: usize,
    turn: Turn,
}

/// Which of the requests that match have a fault, and which one.
#[derive(Debug, Clone)]
enum Turn {
    First { times: usize, effect: Effect },
    Every { nth: usize, effects: Vec<Effect> },
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// VirusTotal answers with this error.
    Error {
        /// The HTTP status.
        status: u16,
        /// VirusTotal's code.
        code: String,
        /// In words.
        message: String,
        /// `Retry-After`.
        retry_after_s: Option<u64>,
    },
    /// A proxy answers with a page.
    Html(u16),
    /// This body, whatever it is, as JSON with status 200.
    Body(String),
    /// The JSON is cut off in the middle, and the content length with it.
    TruncatedJson,
    /// A page's content type on good JSON.
    WrongContentType,
    /// Status 204 and nothing else.
    Empty,
    /// A redirect to another host.
    Redirect(String),
    /// The connection is reset without an answer.
    Reset,
    /// The connection ends in the middle of the body.
    Cut,
    /// The answer takes this long.
    Slow {
        /// In milliseconds of real time.
        ms: u64,
    },
    /// The body claims to be gzip and is not.
    CorruptGzip,
}

impl Fault {
    /// `effect` for the first `times` requests whose `METHOD /path` matches the
    /// pattern.
    ///
    /// # Errors
    ///
    /// When the pattern is no regular expression.
    pub fn new(pattern: &str, times: u32, effect: Effect) -> Result<Self, regex::Error> {
        let turn = Turn::First {
            times: times as usize,
            effect,
        };
        Self::of(pattern, turn)
    }

    /// One of `effects`, in turn, for every `nth` request whose `METHOD /path`
    /// matches the pattern.
    ///
    /// # Errors
    ///
    /// When the pattern is no regular expression.
    pub fn every(pattern: &str, nth: usize, effects: Vec<Effect>) -> Result<Self, regex::Error> {
        Self::of(pattern, Turn::Every { nth, effects })
    }

    fn of(pattern: &str, turn: Turn) -> Result<Self, regex::Error> {
        Ok(Self {
            pattern: Regex::new(pattern)?,
            seen: 0,
            turn,
        })
    }

    /// The effect that applies to a request, if it is its turn.
    fn take(&mut self, request_line: &str) -> Option<Effect> {
        if !self.pattern.is_match(request_line) {
            return None;
        }
        self.seen += 1;
        match &self.turn {
            Turn::First { times, effect } => (self.seen <= *times).then(|| effect.clone()),
            Turn::Every { nth, effects } => {
                let round = self.seen.checked_div(*nth)?;
                let effect = effects.get(round.checked_sub(1)? % effects.len())?;
                self.seen.is_multiple_of(*nth).then(|| effect.clone())
            }
        }
    }
}

/// Takes the effect that applies to a request.
pub(crate) fn take(faults: &mut [Fault], request_line: &str) -> Option<Effect> {
    let mut faults = faults.iter_mut();
    faults.find_map(|fault| fault.take(request_line))
}

/// An effect that answers in VirusTotal's place.
pub(crate) fn instead(effect: &Effect) -> Option<Reply> {
    Some(match effect {
        Effect::Error {
            status,
            code,
            message,
            retry_after_s,
        } => {
            let mut reply = Reply::json(*status, &objects::error(code, message));
            let retry_after = retry_after_s.map(|s| ("retry-after".to_owned(), s.to_string()));
            reply.headers.extend(retry_after);
            reply
        }
        Effect::Html(status) => Reply {
            status: *status,
            content_type: "text/html".to_owned(),
            body: b"<html><body>Access denied by your organisation</body></html>".to_vec(),
            ..Reply::default()
        },
        Effect::Body(body) => Reply {
            body: body.clone().into_bytes(),
            ..Reply::json(200, &serde_json::Value::Null)
        },
        Effect::Empty => Reply {
            status: 204,
            ..Reply::default()
        },
        Effect::Redirect(location) => Reply {
            status: 302,
            headers: vec![("location".to_owned(), location.clone())],
            ..Reply::default()
        },
        Effect::Reset => Reply {
            delivery: Delivery::Reset,
            ..Reply::default()
        },
        Effect::TruncatedJson
        | Effect::WrongContentType
        | Effect::Cut
        | Effect::Slow { .. }
        | Effect::CorruptGzip => return None,
    })
}

/// What an effect does to VirusTotal's own answer.
pub(crate) fn spoil(reply: &mut Reply, effect: &Effect) {
    match effect {
        Effect::TruncatedJson => reply.body.truncate(reply.body.len() / 2),
        Effect::WrongContentType => reply.content_type = "text/html".to_owned(),
        Effect::Cut => reply.delivery = Delivery::Cut,
        Effect::Slow { ms } => reply.delivery = Delivery::Slow { ms: *ms },
        Effect::CorruptGzip => reply.delivery = Delivery::CorruptGzip,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_or_every_nth_request_has_a_fault() {
        let taken = |fault: Fault| {
            let mut faults = [fault];
            let lines = ["GET /a", "GET /b", "GET /a", "GET /a", "GET /a", "GET /a"];
            lines.map(|line| take(&mut faults, line))
        };
        let (cut, reset) = (Some(Effect::Cut), Some(Effect::Reset));
        let first = Fault::new("/a", 2, Effect::Cut).unwrap();
        let expected = [cut.clone(), None, cut.clone(), None, None, None];
        assert_eq!(taken(first), expected);
        let every = Fault::every("/a", 2, vec![Effect::Cut, Effect::Reset]).unwrap();
        assert_eq!(taken(every), [None, None, cut, None, reset, None]);
    }
}
