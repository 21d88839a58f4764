//! Logs of objects of JSON, one a line, with or without a syslog prefix: the
//! [`DIALECTS`], one table entry for each product.

mod dialects;

use vthost_plugin::contact::Contact;
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, detect, fit_of};
use vthost_plugin::parser::{Description, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{Json, after, unescaped, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

use dialects::{DIALECTS, FORMATS};

struct JsonLines {
    stamps: Stamps,
    reader: Reader,
    json: Json<FIELDS>,
}

vthost_plugin::export_parser!(JsonLines);

impl LineParser for JsonLines {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "json",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Logs in JSON, an object a line, of many products",
            formats: &FORMATS,
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        chosen(input).map_or(0, |(_, sure)| sure)
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let (dialect, _) = chosen(input).ok_or("it is none of the JSON formats that are known")?;
        let stamps = Stamps::of(input);
        let reader = Reader::new(dialect, stamps);
        Ok(Self {
            stamps,
            json: Json::new(reader.names()),
            reader,
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let Some(start) = object_start(line) else {
            return Line::Rejected("not a JSON object");
        };
        let Ok(values) = self.json.pick(&line[start..]) else {
            return Line::Rejected("not a JSON object");
        };
        let texts = values.map(unescaped);
        let values = texts.each_ref().map(AsRef::as_ref);
        let sent_us = match start {
            0 => None,
            _ => Syslog::of(&line[..start], self.stamps).time_us,
        };
        let contact = self.reader.contact(&values, sent_us);
        match self.reader.dialect().name {
            "azure-firewall" if contact.host.is_empty() && contact.address.is_empty() => {
                of_sentence(contact).push(found)
            }
            "azure-nsg" | "azure-vnet" => of_tuple(contact, self.stamps).push(found),
            _ => contact.push(found),
        }
    }
}

fn chosen(input: &Input) -> Option<(&'static Dialect, u8)> {
    detect(&DIALECTS, input, |reader| {
        let mut json = Json::new(reader.names());
        let most = if reader.dialect().name == "json" {
            30
        } else {
            85
        };
        input.confidence(most, |line| {
            let object = object_start(line).map(|start| &line[start..]);
            fit_of(reader, object.and_then(|object| json.pick(object).ok()))
        })
    })
}

fn object_start(line: &[u8]) -> Option<usize> {
    line.iter().position(|byte| *byte == b'{')
}

/// `TCP request from 10.0.0.5:51000 to 192.0.2.10:443. Action: Deny.`, which
/// stands in the field of the request.
fn of_sentence(contact: Contact<'_>) -> Contact<'_> {
    let sentence = contact.path;
    let word_after = |mark: &[u8]| {
        let value = until(after(sentence, mark)?, b" ,");
        Some(value.strip_suffix(b".").unwrap_or(value))
    };
    let query = || {
        let words = sentence.strip_prefix(b"DNS Request: ")?;
        let mut words = words.split(|byte| *byte == b' ');
        let client = words.next()?;
        Some((client, words.nth(4)?))
    };
    if let Some((client, host)) = query() {
        return Contact {
            host,
            client,
            path: b"",
            ..contact
        };
    }
    Contact {
        url: word_after(b"Url: ").unwrap_or_default(),
        host: word_after(b" to ").unwrap_or_default(),
        client: word_after(b" from ").unwrap_or_default(),
        action: vthost_plugin::contact::action_of(word_after(b"Action: ").unwrap_or_default()),
        path: b"",
        ..contact
    }
}

/// `1714564800,10.0.0.5,192.0.2.10,51000,443,T,O,A`, which stands in the field
/// of the request.
fn of_tuple(contact: Contact<'_>, stamps: Stamps) -> Contact<'_> {
    let mut fields = contact.path.split(|byte| *byte == b',');
    let mut next = || fields.next().unwrap_or_default();
    let (time, client, address) = (next(), next(), next());
    let (_from, _to, _protocol, _direction, decision) = (next(), next(), next(), next(), next());
    Contact {
        client,
        address,
        path: b"",
        time_us: stamps
            .any(time, vthost_plugin::time::DateOrder::MonthFirst)
            .or(contact.time_us),
        action: match decision {
            b"D" => vthost_plugin::parser::Action::Blocked,
            b"" => vthost_plugin::parser::Action::Unstated,
            _ => vthost_plugin::parser::Action::Allowed,
        },
        ..contact
    }
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
            assert!(sure >= 30, "{}", dialect.name);
            let parsed = testing::parse::<JsonLines>(dialect.example.as_bytes(), "{}").unwrap();
            let observed = &parsed.observations[0];
            let is_remote =
                observed.value.contains("example.com") || observed.value.starts_with("192.0.2.");
            assert!(is_remote, "{} {observed:?}", dialect.name);
            // 2024-05-01T12:00:00Z.
            assert_eq!(
                observed.time_us,
                Some(1_714_564_800_000_000),
                "{}",
                dialect.name
            );
        }
    }

    #[test]
    fn a_line_that_is_cut_off_is_rejected() {
        let example = DIALECTS[0].example;
        let cut = format!("{example}\n{}\n", example.strip_suffix('}').unwrap());
        let parsed = testing::parse::<JsonLines>(cut.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.rejected, [("not a JSON object".to_owned(), 1)]);
    }
}
