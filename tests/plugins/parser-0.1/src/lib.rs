//! A parser for version 0.1 of the contract, whose copy is in `wit/`. It must not
//! change: every vthost that supports 0.1 must run it.

#![cfg(target_arch = "wasm32")]

use bindings::exports::vthost::parser::parsing::{
    Action, Batch, Description, Format, Guest, GuestSession, IndicatorKind, Input, Observation,
    Reading, Session, Span, Tally,
};

mod bindings {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    #![allow(clippy::all, reason = "generated")]
    wit_bindgen::generate!({ path: "wit", world: "parser" });
}

struct Parser01;

struct Opened;

bindings::export!(Parser01 with_types_in bindings);

const ABSENT: Span = Span { start: 0, len: 0 };

impl Guest for Parser01 {
    type Session = Opened;

    fn describe() -> Description {
        Description {
            name: "of-0-1".to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            summary: "Names, one on each line".to_owned(),
            formats: vec![Format {
                name: "names".to_owned(),
                title: "Names".to_owned(),
                example: "www.example.com".to_owned(),
            }],
            settings_schema: String::new(),
        }
    }

    fn detect(input: Input) -> u8 {
        if input.head.contains(&b' ') { 0 } else { 60 }
    }
}

impl GuestSession for Opened {
    fn open(_input: Input, _settings: String) -> Result<Session, String> {
        Ok(Session::new(Self))
    }

    fn reading(&self) -> Reading {
        Reading::IndependentLines
    }

    /// Lines with a blank in them are rejected; the client is composed.
    fn parse(&self, chunk: Vec<u8>) -> Result<Batch, String> {
        let mut batch = empty();
        batch.text = b"192.0.2.1".to_vec();
        let mut start = 0;
        for (line, bytes) in (0..).zip(chunk.split_inclusive(|byte| *byte == b'\n')) {
            let len = bytes.trim_ascii_end().len() as u32;
            if bytes.contains(&b' ') || len == 0 {
                reject(&mut batch, line);
            } else {
                batch.records += 1;
                batch.observations.push(Observation {
                    line,
                    kind: IndicatorKind::Domain,
                    action: Action::Allowed,
                    value: Span { start, len },
                    client: Span {
                        start: chunk.len() as u32,
                        len: 9,
                    },
                    user: ABSENT,
                    time_us: i64::MIN,
                });
            }
            start += bytes.len() as u32;
        }
        Ok(batch)
    }

    fn finish(&self) -> Result<Batch, String> {
        Ok(empty())
    }
}

fn empty() -> Batch {
    Batch {
        text: Vec::new(),
        observations: Vec::new(),
        records: 0,
        ignored: Vec::new(),
        rejected: Vec::new(),
    }
}

fn reject(batch: &mut Batch, line: u32) {
    if batch.rejected.is_empty() {
        batch.rejected.push(Tally {
            reason: "not a name".to_owned(),
            count: 0,
            samples: vec![line],
        });
    }
    batch.rejected[0].count += 1;
}
