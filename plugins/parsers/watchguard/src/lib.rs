//! WatchGuard Fireware traffic logs. See the "Fireware Log Catalog".

use vthost_plugin::contact::{Contact, plausible_address, plausible_host};
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::scan;
use vthost_plugin::split::{Pairs, after, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct WatchGuard {
    stamps: Stamps,
    pairs: Pairs<6>,
}

vthost_plugin::export_parser!(WatchGuard);

const KEYS: [&str; 6] = ["msg_id", "dstname", "arg", "src_user", "sni", "query_name"];

/// The addresses are among this many words after the message ID.
const WORDS: usize = 14;

impl LineParser for WatchGuard {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "watchguard",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "WatchGuard Fireware traffic logs",
            formats: vec![(
                "watchguard",
                "WatchGuard Firebox (Fireware)",
                "<142>May  1 12:00:00 fw 80AA0000000 (2024-05-01T12:00:00) http-proxy[1]: msg_id=\"1AFF-0024\" Allow Trusted External tcp 10.0.0.5 192.0.2.10 51000 80 msg=\"HTTP request\" op=\"GET\" dstname=\"www.example.com\" arg=\"/a\"",
            )],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        input.confidence(91, |line| Fit::from(after(line, b" msg_id=\"").is_some()))
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
            pairs: Pairs::new(KEYS),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let Some(message) = after(line, b" msg_id=\"").and_then(|rest| after(rest, b"\" ")) else {
            return Line::Rejected("no msg_id");
        };
        let message = without_pairs(message);
        let verdict = until(message, b" ");
        let Some(action) = action(verdict) else {
            return Line::Ignored("a message of another kind");
        };
        let mut addresses = message
            .split(|byte| *byte == b' ')
            .take(WORDS)
            .filter(|word| plausible_address(word).is_some());
        let (client, address) = (addresses.next(), addresses.next());
        let [_, name, path, user, sni, query] = self.pairs.pick(line);
        let host = [name, sni, query]
            .into_iter()
            .find(|name| plausible_host(name).is_some());
        let own = after(line, b" (").map(|rest| until(rest, b")"));
        let own_us = own.and_then(|time| self.stamps.any(time, DateOrder::MonthFirst));
        Contact {
            host: host.unwrap_or_default(),
            path,
            address: address.unwrap_or_default(),
            client: client.unwrap_or_default(),
            user,
            time_us: own_us.or_else(|| Syslog::time_of(line, self.stamps)),
            action,
            ..Contact::default()
        }
        .push(found)
    }
}

/// The message from its first word that is no pair: Fireware writes
/// `fqdn_dst_match="*.example.com"` between the id and the verdict.
fn without_pairs(message: &[u8]) -> &[u8] {
    let mut rest = message.trim_ascii_start();
    loop {
        let word = until(rest, b" ");
        let Some(assign) = scan::find(word, b'=') else {
            return rest;
        };
        let value = &rest[assign + 1..];
        let next = match value.strip_prefix(b"\"") {
            Some(inside) => after(inside, b"\" "),
            None => after(value, b" "),
        };
        match next {
            Some(next) => rest = next.trim_ascii_start(),
            None => return b"",
        }
    }
}

/// What a verdict states. None if the word is no verdict. See the "Fireware Log
/// Catalog", traffic logs.
fn action(verdict: &[u8]) -> Option<Action> {
    match verdict {
        b"Allow" | b"ProxyAllow" | b"ProxyInspect" | b"ProxyAvScan" => Some(Action::Allowed),
        b"Deny" | b"ProxyDeny" | b"ProxyDrop" | b"ProxyBlock" | b"ProxyAbort" | b"ProxyLock" => {
            Some(Action::Blocked)
        }
        b"ProxyStrip" | b"ProxyReplace" => Some(Action::Unstated),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    #[test]
    fn requests_and_packets_are_read() {
        let example = WatchGuard::describe().formats[0].2;
        let check = |line: &str, expected: (&str, &str)| {
            let parsed = testing::parse::<WatchGuard>(line.as_bytes(), "{}").unwrap();
            let observed = &parsed.observations[0];
            assert_eq!((observed.kind, observed.value.as_str()), expected, "{line}");
            assert_eq!(
                (observed.client.as_str(), observed.action),
                ("10.0.0.5", Action::Allowed)
            );
            // 2024-05-01T12:00:00Z.
            assert_eq!(observed.time_us, Some(1_714_564_800_000_000), "{line}");
        };
        check(example, ("url", "http://www.example.com/a"));
        let (packet, _) = example.split_once(" op=").unwrap();
        check(packet, ("ip", "192.0.2.10"));
        let matched = packet.replace("Allow ", "fqdn_dst_match=\"*.example.com Deny\" x=1 Allow ");
        check(&matched, ("ip", "192.0.2.10"));
        assert_eq!(testing::detect::<WatchGuard>(example.as_bytes()), 91);
    }
}
