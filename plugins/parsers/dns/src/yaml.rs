//! dnstap as YAML, a document for each message: dnstap-ldns `-y`, BIND's `dnstap-read -y`.
//!
//! ```text
//! type: MESSAGE
//! message:
//!   type: CLIENT_QUERY
//!   query_time: !!timestamp 2024-05-01 12:00:00.25
//!   query_address: 10.0.0.5
//!   query_message: |
//!     ;; QUESTION SECTION:
//!     ;www.example.com.⇥IN⇥ A
//! ---
//! ```

use vthost_plugin::parser::Input;
use vthost_plugin::split::{after, split_once};
use vthost_plugin::time::iso8601;

use crate::dnstap::of_speaker;
use crate::{OTHER_PROGRAM, Query, Report, begins, is_class};

/// How a document begins.
const BEGIN: &[u8] = b"type: MESSAGE";

/// The keys outside the message, and what ends a document.
const OUTSIDE: &[&str] = &[
    "type:",
    "identity:",
    "version:",
    "extra:",
    "message:",
    "---",
];

/// Reads documents line by line.
#[derive(Default)]
pub(crate) struct Messages {
    /// `C` of `CLIENT_QUERY`; none after the question.
    speaker: Option<u8>,
    client: Vec<u8>,
    time_us: Option<i64>,
    name: Vec<u8>,
}

impl Messages {
    /// The reader, if the input has such documents.
    pub(crate) fn of(input: &Input) -> Option<Self> {
        let has_messages = input.lines().any(|line| line == BEGIN);
        has_messages.then(Self::default)
    }

    /// Reads a line. The question follows the address and the time.
    ///
    /// # Errors
    ///
    /// The line is no part of a document.
    pub(crate) fn read(&mut self, line: &[u8]) -> Result<Report<'_>, &'static str> {
        let text = line.trim_ascii_start();
        let is_inside = text.len() < line.len() || text.is_empty();
        if !is_inside && !begins(line, OUTSIDE) {
            return Err(OTHER_PROGRAM);
        }
        if line == BEGIN {
            *self = Self::default();
        } else if let Some(name) = question(text)
            && let Some(speaker) = self.speaker.take()
        {
            self.name = name.to_vec();
            let query = Query::new(&self.name, &self.client);
            let report = of_speaker(speaker, query).ok_or("an unknown type of message")?;
            return Ok(report.at(self.time_us));
        } else if is_inside && let Some((key, value)) = split_once(text, b": ") {
            self.set(key, value);
        }
        Ok(Report::NoContact("part of a message in full"))
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        match key {
            b"type" => self.speaker = value.first().copied(),
            b"query_address" => self.client = without_quotes(value, b'"').to_vec(),
            b"query_time" | b"response_time" => {
                let stamp = after(value, b"!!timestamp ").unwrap_or(value);
                self.time_us = self.time_us.or_else(|| iso8601(stamp, 0));
            }
            _ => {}
        }
    }
}

/// The name of a question, `;www.example.com.⇥IN⇥ A` or `- 'www.example.com. IN A'`. A record
/// has a number before its class.
fn question(text: &[u8]) -> Option<&[u8]> {
    let as_text = text.strip_prefix(b";");
    let question = as_text.or_else(|| Some(without_quotes(text.strip_prefix(b"- ")?, b'\'')))?;
    let words = question.split(u8::is_ascii_whitespace);
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
    match *words.as_slice() {
        [name, class, _type] if is_class(class) => Some(name),
        _ => None,
    }
}

fn without_quotes(text: &[u8], quote: u8) -> &[u8] {
    let inside = text.strip_prefix(&[quote]);
    let inside = inside.and_then(|inside| inside.strip_suffix(&[quote]));
    inside.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use vthost_plugin::testing;

    use crate::Dns;

    /// What dnstap-ldns and BIND write of one message.
    fn documents(kind: &str, client: &str) -> [String; 2] {
        let question = ";; QUESTION SECTION:\n";
        [
            format!(
                "type: MESSAGE\nidentity: \"ns\"\nmessage:\n  type: {kind}\n  query_time: !!timestamp 2024-05-01 12:00:00.25\n  socket_family: INET\n  query_address: {client}\n  query_port: 51000\n  query_message: |\n    ;; opcode: QUERY, status: NOERROR, id: 1\n\n    {question}    ;www.example.com.\tIN\t A\n---\n"
            ),
            format!(
                "type: MESSAGE\nidentity: ns\nversion: BIND 9.18.49\nmessage:\n  type: {kind}\n  response_time: !!timestamp 2024-05-01T12:00:00.250Z\n  query_address: \"{client}\"\n  response_message_data:\n    QUESTION_SECTION:\n      - 'www.example.com. IN A'\n    ANSWER_SECTION:\n      - 'www.example.com. 60 IN A 192.0.2.10'\n  response_message: |\n    {question}    ;www.example.com.\t\tIN\tA\n    ;; ANSWER SECTION:\n    www.example.com.\t60\tIN\tA\t192.0.2.10\n---\n"
            ),
        ]
    }

    fn parse(log: &str) -> testing::Parsed {
        testing::parse::<Dns>(log.as_bytes(), "{}").unwrap()
    }

    #[test]
    fn each_message_of_a_client_is_one_query() {
        for client in ["10.0.0.5", "2001:db8::5"] {
            for document in documents("CLIENT_QUERY", client) {
                let parsed = parse(&document.repeat(2));
                assert_eq!((parsed.observations.len(), parsed.rejected.len()), (2, 0));
                for seen in &parsed.observations {
                    assert_eq!((&*seen.value, &*seen.client), ("www.example.com.", client));
                    // 2024-05-01T12:00:00.250Z.
                    assert_eq!(seen.time_us, Some(1_714_564_800_250_000));
                }
                assert_eq!(testing::detect::<Dns>(document.as_bytes()), 88);
            }
        }
    }

    #[test]
    fn messages_of_a_resolver_are_ignored() {
        for document in documents("RESOLVER_QUERY", "192.0.2.53") {
            let parsed = parse(&document);
            assert_eq!((parsed.observations.len(), parsed.rejected.len()), (0, 0));
        }
    }

    #[test]
    fn lines_between_documents_are_rejected() {
        let [document, _] = documents("CLIENT_QUERY", "10.0.0.5");
        let parsed = parse(&format!("{document}an error\n"));
        assert_eq!((parsed.observations.len(), parsed.rejected.len()), (1, 1));
    }
}
