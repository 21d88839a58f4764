//! Logs of `key=value` pairs with a syslog prefix or without one: the
//! [`DIALECTS`], one table entry for each product.

mod dialects;

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, detect, fit_of};
use vthost_plugin::parser::{
    Action, Description, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::split::{Pairs, after, unescaped, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

use dialects::{DIALECTS, FORMATS};

struct KeyValue {
    stamps: Stamps,
    reader: Reader,
    pairs: Pairs<FIELDS>,
}

vthost_plugin::export_parser!(KeyValue);

impl LineParser for KeyValue {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "keyvalue",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Logs of key=value pairs, of many products",
            formats: &FORMATS,
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        chosen(input).map_or(0, |(_, sure)| sure)
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let (dialect, _) = chosen(input).ok_or("it has no key=value pairs")?;
        let stamps = Stamps::of(input);
        let reader = Reader::new(dialect, stamps);
        Ok(Self {
            stamps,
            pairs: pairs(input, &reader),
            reader,
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let values = self.pairs.pick(line);
        let texts = values.map(|value| match value.first() {
            Some(_) if value.contains(&b'"') => unescaped(value),
            _ => value.into(),
        });
        let values = texts.each_ref().map(AsRef::as_ref);
        let syslog = Syslog::of(line, self.stamps);
        let contact = self.reader.contact(&values, syslog.time_us);
        match self.reader.dialect().name {
            "meraki" => of_meraki(contact, syslog.message).push(found),
            "iptables" => Contact {
                action: action_before(syslog.message, b"IN="),
                ..contact
            }
            .push(found),
            // The time stands in front, without a key.
            "zscaler-nss" => Contact {
                time_us: self.stamps.iso8601(until(line, b"\t")),
                ..contact
            }
            .push(found),
            _ => contact.push(found),
        }
    }
}

/// Pairs between tabs where the input has them, else between blanks.
fn pairs(input: &Input, reader: &Reader) -> Pairs<FIELDS> {
    let first = input
        .lines()
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let has_tabs = first
        .split(|byte| *byte == b'\t')
        .filter(|part| part.contains(&b'='))
        .count()
        > 3;
    Pairs::separated(b'=', if has_tabs { b'\t' } else { b' ' }, reader.names())
}

fn chosen(input: &Input) -> Option<(&'static Dialect, u8)> {
    detect(&DIALECTS, input, |reader| {
        let mut pairs = pairs(input, reader);
        let is_any = reader.dialect().marks.is_empty();
        input.confidence(if is_any { 25 } else { 80 }, |line| {
            let values = pairs.pick(line);
            let has_any = values.iter().any(|value| !value.is_empty());
            fit_of(reader, Some(values).filter(|_| has_any))
        })
    })
}

/// `… request: GET https://www.example.com/`, `flows allow src=…`.
fn of_meraki<'a>(contact: Contact<'a>, message: &'a [u8]) -> Contact<'a> {
    let url = after(message, b"request: ").map(vthost_plugin::dialect::target_of);
    let word = message
        .split(|byte| *byte == b' ')
        .find(|word| matches!(*word, b"allow" | b"deny"));
    Contact {
        // What Meraki cannot see of an encrypted request it writes as dots.
        url: url
            .map(|url| url.strip_suffix(b"/...").unwrap_or(url))
            .unwrap_or_default(),
        action: word.map_or(Action::Unstated, action_of),
        ..contact
    }
}

/// What the words of a firewall rule before a mark say.
fn action_before(message: &[u8], mark: &[u8]) -> Action {
    let end = message.windows(mark.len()).position(|part| part == mark);
    action_of(&message[..end.unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    #[test]
    fn every_example_is_read_as_its_own_format() {
        for dialect in &DIALECTS {
            let input = testing::input(dialect.example.as_bytes());
            let (chosen, sure) = chosen(&input).unwrap();
            assert_eq!(chosen.name, dialect.name);
            assert!(sure >= 25, "{}", dialect.name);
            let parsed = testing::parse::<KeyValue>(dialect.example.as_bytes(), "{}").unwrap();
            let observed = &parsed.observations[0];
            let is_remote =
                observed.value.contains("www.example.com") || observed.value == "192.0.2.10";
            assert!(is_remote, "{} {observed:?}", dialect.name);
            assert_eq!(observed.client, "10.0.0.5", "{}", dialect.name);
            // 2024-05-01T12:00:00Z; the year of the reference time, 1970, for
            // stamps without one.
            let expected = [Some(1_714_564_800_000_000), Some(-21_124_800_000_000)];
            assert!(
                expected.contains(&observed.time_us),
                "{} {observed:?}",
                dialect.name
            );
        }
    }

    #[test]
    fn firewall_rules_say_what_was_done() {
        let example = DIALECTS
            .iter()
            .find(|dialect| dialect.name == "iptables")
            .unwrap()
            .example;
        let parsed = testing::parse::<KeyValue>(example.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations[0].action, Action::Blocked);
    }
}
