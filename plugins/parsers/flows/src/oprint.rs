//! ulogd2 OPRINT: a key a line, the packets between lines of their own.
//!
//! ```text
//! ===>PACKET BOUNDARY
//! oob.prefix=FW-DROP
//! oob.time.sec=1714564800
//! ip.saddr=5.0.0.10
//! ip.daddr=10.2.0.192
//! ip.saddr.str=10.0.0.5
//! ip.daddr.str=192.0.2.10
//! ```
//!
//! The numbers of `ip.saddr` are in the reverse order. The keys that end in `.str` are those
//! of the filter IP2STR, if it is used, and follow the others.

use vthost_plugin::contact::{Contact, action_of_rule};
use vthost_plugin::parser::{Action, Input};
use vthost_plugin::split::split_once;
use vthost_plugin::time::epoch;

use crate::Report;
use crate::ends::End;

const BOUNDARY: &[u8] = b"===>PACKET BOUNDARY";

/// Reads packets whose keys are lines.
pub(crate) struct Packets {
    /// Whether the addresses are also written as text.
    has_text: bool,
    seconds_us: Option<i64>,
    micros: i64,
    prefix: Vec<u8>,
    source: Vec<u8>,
    destination: Vec<u8>,
}

impl Packets {
    /// The reader, if the input has such packets.
    pub(crate) fn of(input: &Input) -> Option<Self> {
        let mut lines = input.lines();
        lines.any(|line| line == BOUNDARY).then(|| Self {
            has_text: input.lines().any(|line| line.starts_with(b"ip.daddr.str=")),
            seconds_us: None,
            micros: 0,
            prefix: Vec::new(),
            source: Vec::new(),
            destination: Vec::new(),
        })
    }

    /// Reads a line. The destination is the last of the keys that are needed.
    pub(crate) fn read(&mut self, line: &[u8]) -> Option<Report<'_>> {
        const PART: Report<'static> = Report::NoContact("part of a packet that is read");
        if line == BOUNDARY {
            self.seconds_us = None;
            self.micros = 0;
            self.prefix.clear();
            self.source.clear();
            return Some(PART);
        }
        let (key, value) = split_once(line, b"=").filter(|(key, _)| is_key(key))?;
        match (key, self.has_text) {
            (b"oob.time.sec", _) => self.seconds_us = epoch(value),
            (b"oob.time.usec", _) => {
                self.micros = str::from_utf8(value).ok()?.parse().ok()?;
            }
            (b"oob.prefix", _) => self.prefix = value.to_vec(),
            (b"ip.saddr.str", _) => self.source = value.to_vec(),
            (b"ip.saddr", false) => self.source = reversed(value),
            (b"ip.daddr.str", _) => return self.contact(value.to_vec()),
            (b"ip.daddr", false) => return self.contact(reversed(value)),
            _ => {}
        }
        Some(PART)
    }

    fn contact(&mut self, destination: Vec<u8>) -> Option<Report<'_>> {
        self.destination = destination;
        let contact = Contact {
            client: End::of(&self.source)?.address,
            address: End::of(&self.destination)?.address,
            time_us: self.seconds_us.map(|seconds| seconds + self.micros),
            action: match self.prefix.is_empty() {
                true => Action::Unstated,
                false => action_of_rule(&self.prefix),
            },
            ..Contact::default()
        };
        Some(contact.into())
    }
}

/// `oob.time.sec`, `raw.pktlen`.
fn is_key(text: &[u8]) -> bool {
    let is_of_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    !text.is_empty() && text.iter().all(is_of_key)
}

/// `10.0.0.5` of `5.0.0.10`.
fn reversed(address: &[u8]) -> Vec<u8> {
    let numbers: Vec<&[u8]> = address.rsplit(|byte| *byte == b'.').collect();
    numbers.join(&b'.')
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::{self, Allowed, Blocked};
    use vthost_plugin::testing;

    use crate::Flows;
    use crate::tests::seen;

    fn packet(prefix: &str, addresses: &str) -> String {
        format!(
            "===>PACKET BOUNDARY\nraw.mac=00:00:5e:00:53:01\noob.prefix={prefix}\noob.time.sec=1714564800\noob.time.usec=250000\n{addresses}\nip.protocol=6\n"
        )
    }

    #[test]
    fn keys_of_a_packet_are_joined() {
        let texts = "ip.saddr=5.0.0.10\nip.daddr=10.2.0.192\nip.saddr.str=10.0.0.5\nip.daddr.str=192.0.2.10";
        let ipv6 = "ip.saddr=32.1.13.184\nip.saddr.str=2001:db8::5\nip.daddr.str=2001:db8:1::10";
        let log = packet("FW-DROP ", texts) + &packet("FW-ACCEPT ", ipv6);
        let time = Some(1_714_564_800_250_000);
        let row = |value: &str, client: &str, action: Action| {
            (value.to_owned(), client.to_owned(), time, action)
        };
        let expected = [
            row("192.0.2.10", "10.0.0.5", Blocked),
            row("2001:db8:1::10", "2001:db8::5", Allowed),
        ];
        assert_eq!(seen(&log), expected);
        assert_eq!(testing::detect::<Flows>(log.as_bytes()), 91);
    }

    #[test]
    fn numbers_alone_are_reversed() {
        let log = packet("FW-DROP ", "ip.saddr=5.0.0.10\nip.daddr=10.2.0.192");
        let seen = seen(&log);
        assert_eq!((&*seen[0].0, &*seen[0].1), ("192.0.2.10", "10.0.0.5"));
    }

    #[test]
    fn lines_that_are_no_keys_are_rejected() {
        let log = packet("", "ip.saddr.str=10.0.0.5\nip.daddr.str=192.0.2.10") + "an error\n";
        let parsed = testing::parse::<Flows>(log.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.rejected.len(), 1);
        assert_eq!(parsed.records, 1);
    }
}
