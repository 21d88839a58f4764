//! Which parser reads an input.

use crate::plugin::{InputInfo, Parser, Stop};

/// The parsers of a run.
#[derive(Clone)]
pub enum Parsers {
    /// The user named one for all inputs.
    Named(Box<Parser>),
    /// The one that is most sure of an input's head reads it.
    Detected(Vec<Parser>),
}

/// The parser chosen for an input.
#[derive(Clone)]
pub struct Choice {
    /// The parser.
    pub parser: Parser,
    /// How sure it was, from 1 to 100; none where the user named it.
    pub confidence: Option<u8>,
}

/// Why an input got no parser.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoParser {
    /// None knows the format.
    #[error("no parser recognises it; name one with --parser")]
    Unrecognised,
    /// One failed while it looked.
    #[error("{parser} {stop} while it looked at the first bytes")]
    Failed {
        /// Which.
        parser: String,
        /// How.
        stop: Stop,
    },
}

impl Parsers {
    /// Chooses by the input's head. Of equally sure parsers the first by name
    /// is taken.
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
}

fn detect(parsers: &[Parser], input: &InputInfo) -> Result<Choice, NoParser> {
    let mut best: Option<Choice> = None;
    for parser in parsers {
        let sure = parser.detect(input).map_err(|stop| NoParser::Failed {
            parser: parser.id().to_string(),
            stop,
        })?;
        let surest_so_far = best.as_ref().and_then(|choice| choice.confidence);
        if sure > surest_so_far.unwrap_or(0) {
            best = Some(Choice {
                parser: parser.clone(),
                confidence: Some(sure),
            });
        }
    }
    best.ok_or(NoParser::Unrecognised)
}
