//! Faults on demand: what goes wrong between a client and VirusTotal.

use regex::Regex;

use crate::core::{Delivery, Reply};
use crate::objects;

/// Something that goes wrong for requests of a kind, so many times.
#[derive(Debug, Clone)]
pub struct Fault {
    pattern: Regex,
    times: u32,
    effect: Effect,
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
    /// The JSON is cut off in the middle; its length says so.
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
        Ok(Self {
            pattern: Regex::new(pattern)?,
            times,
            effect,
        })
    }
}

/// Takes the effect that applies to a request.
pub(crate) fn take(faults: &mut [Fault], request_line: &str) -> Option<Effect> {
    let applies = |fault: &&mut Fault| fault.times > 0 && fault.pattern.is_match(request_line);
    let fault = faults.iter_mut().find(applies)?;
    fault.times -= 1;
    Some(fault.effect.clone())
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
