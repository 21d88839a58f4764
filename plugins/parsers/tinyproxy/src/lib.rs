//! tinyproxy: a request is several lines of one process.
//!
//! ```text
//! CONNECT   May 01 12:00:00.123 [77]: Connect (file descriptor 5): 10.0.0.5
//! CONNECT   May 01 12:00:00.123 [77]: Request (file descriptor 5): GET http://www.example.com/a HTTP/1.1
//! NOTICE    May 01 12:00:00.123 [77]: Proxying refused on filtered domain "www.example.com"
//! ```
//!
//! The first line has the client, by process and descriptor; a refusal follows the
//! request that it is about. By syslog the level is missing and the header is
//! syslog's (`tinyproxy[77]:`).

use std::collections::HashMap;

use vthost_plugin::contact::{Contact, split_scheme};
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations, Reading,
};
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::time::{DateOrder, Stamps};

struct Tinyproxy {
    stamps: Stamps,
    /// Clients by process and descriptor.
    clients: HashMap<Vec<u8>, Vec<u8>>,
    /// The client of a process's last request.
    last_clients: HashMap<Vec<u8>, Vec<u8>>,
}

vthost_plugin::export_parser!(Tinyproxy);

/// Connections whose request was never read are forgotten past so many.
const MAX_CLIENTS: usize = 100_000;

impl LineParser for Tinyproxy {
    type Settings = NoSettings;

    const READING: Reading = Reading::OrderedLines;

    fn describe() -> Description {
        Description {
            name: "tinyproxy",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "tinyproxy's log, in its own file or by syslog",
            formats: vec![(
                "tinyproxy",
                "tinyproxy, its own file or by syslog",
                "CONNECT   May 01 12:00:00.123 [77]: Request (file descriptor 5): GET http://www.example.com/a HTTP/1.1",
            )],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        input.confidence(90, |line| match line.trim_ascii() {
            b"" => Fit::Neutral,
            _ => Fit::from(Message::of(line).is_some_and(|message| message.is_known())),
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
            clients: HashMap::new(),
            last_clients: HashMap::new(),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let Some(message) = Message::of(line) else {
            return match line.trim_ascii() {
                b"" => Line::Ignored("blank"),
                _ => Line::Rejected("no process id and message"),
            };
        };
        if let Some((descriptor, client)) = message.of_descriptor(b"Connect (file descriptor ") {
            return self.connected(&message, descriptor, client);
        }
        if let Some((descriptor, request)) = message.of_descriptor(b"Request (file descriptor ") {
            return self.request(&message, descriptor, request, found);
        }
        if let Some(name) = after(message.text, b"refused on filtered ") {
            return self.refused(&message, name, found);
        }
        match message.is_known() {
            true => Line::Ignored("a step of a request that is read, or a message of another kind"),
            false => Line::Rejected("a message that is not known"),
        }
    }
}

impl Tinyproxy {
    fn connected(&mut self, message: &Message<'_>, descriptor: &[u8], client: &[u8]) -> Line {
        if self.clients.len() >= MAX_CLIENTS {
            self.clients.clear();
            self.last_clients.clear();
        }
        // With reverse look-ups: `pc-5.example.org [10.0.0.5]`.
        let address = after(client, b"[").map_or(client, |inside| until(inside, b"]"));
        let key = message.key(descriptor);
        self.clients.insert(key, address.trim_ascii().to_vec());
        Line::Ignored("a connection to the proxy")
    }

    /// What comes of a request is in later lines, so its action is not stated.
    fn request(
        &mut self,
        message: &Message<'_>,
        descriptor: &[u8],
        request: &[u8],
        found: &mut Observations<'_>,
    ) -> Line {
        let client = self
            .clients
            .remove(&message.key(descriptor))
            .unwrap_or_default();
        let mut words = request.split(|byte| *byte == b' ');
        let (method, target) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let is_tunnel = method == b"CONNECT";
        let contact = Contact {
            url: if is_tunnel { b"" } else { target },
            host: if is_tunnel { target } else { b"" },
            client: &client,
            time_us: message.time_us(self.stamps),
            ..Contact::default()
        };
        let line = match is_tunnel || split_scheme(target).is_some() {
            true => contact.push(found),
            false => Line::Ignored("a request to the proxy itself"),
        };
        self.last_clients.insert(message.process.to_vec(), client);
        line
    }

    /// `domain "www.example.com"` or `url "http://www.example.com/a"`.
    fn refused(&self, message: &Message<'_>, text: &[u8], found: &mut Observations<'_>) -> Line {
        let quoted = after(text, b"\"").map_or(&b""[..], |rest| until(rest, b"\""));
        let client = self.last_clients.get(message.process);
        Contact {
            url: quoted,
            client: client.map_or(&b""[..], Vec::as_slice),
            time_us: message.time_us(self.stamps),
            action: Action::Blocked,
            ..Contact::default()
        }
        .push(found)
    }
}

/// A line taken apart.
struct Message<'a> {
    /// The time, in the line up to the process.
    head: &'a [u8],
    process: &'a [u8],
    text: &'a [u8],
}

impl<'a> Message<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        let (before, text) = split_once(line, b"]: ")?;
        let open = before.iter().rposition(|byte| *byte == b'[')?;
        Some(Self {
            head: &before[..open],
            process: &before[open + 1..],
            text,
        })
    }

    /// `LEVEL     May 01 12:00:00.123 `, perhaps after a header of syslog, or that alone.
    fn time_us(&self, stamps: Stamps) -> Option<i64> {
        let levels = [
            &b"CONNECT "[..],
            b"NOTICE ",
            b"INFO ",
            b"WARNING ",
            b"ERROR ",
            b"CRITICAL ",
        ];
        let level = levels.iter().find_map(|level| after(self.head, level));
        match level {
            Some(time) => stamps.any(time, DateOrder::MonthFirst),
            None => vthost_plugin::syslog::Syslog::time_of(self.head, stamps),
        }
    }

    /// The descriptor and the text after it.
    fn of_descriptor(&self, start: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
        split_once(self.text.strip_prefix(start)?, b"): ")
    }

    fn key(&self, descriptor: &[u8]) -> Vec<u8> {
        [self.process, b" ", descriptor].concat()
    }

    /// Whether it is one of the messages of tinyproxy 1.11.
    fn is_known(&self) -> bool {
        const STARTS: [&[u8]; 16] = [
            b"Connect (file descriptor ",
            b"Request (file descriptor ",
            b"Established connection to ",
            b"Proxying refused on filtered ",
            b"No upstream proxy for ",
            b"opensock: ",
            b"Closed connection between ",
            b"Initializing ",
            b"Starting main loop",
            b"Accepting connections",
            b"Reloading config file",
            b"Shutting down",
            b"Now running as ",
            b"Setting the various signals",
            b"listen_sock",
            b"Unauthorized connection from ",
        ];
        STARTS.iter().any(|start| self.text.starts_with(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    #[test]
    fn the_client_of_a_request_is_in_the_line_before() {
        let line = |level: &str, text: &str| format!("{level} May 01 12:00:00.123 [77]: {text}\n");
        let log = [
            line("CONNECT  ", "Connect (file descriptor 5): 10.0.0.5"),
            line(
                "CONNECT  ",
                "Connect (file descriptor 6): pc-6.example.org [10.0.0.6]",
            ),
            line(
                "CONNECT  ",
                "Request (file descriptor 6): CONNECT www.example.com:443 HTTP/1.1",
            ),
            line(
                "NOTICE   ",
                "Proxying refused on filtered domain \"www.example.com\"",
            ),
            line(
                "CONNECT  ",
                "Request (file descriptor 5): GET http://www.example.com/a HTTP/1.1",
            ),
            line("INFO     ", "No upstream proxy for www.example.com"),
            line(
                "CONNECT  ",
                "Established connection to host \"www.example.com\" using file descriptor 7.",
            ),
        ]
        .concat();
        assert_eq!(testing::detect::<Tinyproxy>(log.as_bytes()), 90);
        let parsed = testing::parse::<Tinyproxy>(log.as_bytes(), "{}").unwrap();
        let seen = parsed.observations.iter();
        let found: Vec<_> = seen
            .map(|seen| {
                (
                    seen.line,
                    seen.value.as_str(),
                    seen.client.as_str(),
                    seen.action,
                )
            })
            .collect();
        let expected = [
            (3, "www.example.com", "10.0.0.6", Action::Unstated),
            (4, "www.example.com", "10.0.0.6", Action::Blocked),
            (5, "http://www.example.com/a", "10.0.0.5", Action::Unstated),
        ];
        assert_eq!(found, expected);
        assert!(
            parsed
                .observations
                .iter()
                .all(|seen| seen.time_us.is_some())
        );
    }

    #[test]
    fn headers_of_syslog_replace_the_level() {
        let log = "May  1 12:00:00 gw tinyproxy[77]: Connect (file descriptor 5): 10.0.0.5\nMay  1 12:00:00 gw tinyproxy[77]: Request (file descriptor 5): GET http://www.example.com/a HTTP/1.1\n";
        let parsed = testing::parse::<Tinyproxy>(log.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations[0].client, "10.0.0.5");
        assert!(parsed.observations[0].time_us.is_some());
    }
}
