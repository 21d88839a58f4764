//! Logs of objects of JSON, one a line, with or without a syslog prefix: the
//! [`DIALECTS`], one table entry for each product.

mod dialects;

use vthost_plugin::contact::{Contact, NOTHING_CONTACTED, action_of};
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, detect, fit_of};
use vthost_plugin::parser::{
    Action, Description, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::split::{Json, after, unescaped, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

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
        let sent_us = match start {
            0 => None,
            _ => Syslog::time_of(&line[..start], self.stamps),
        };
        let contact = self.reader.contact(&values, sent_us);
        if self.reader.dialect().name == "azure-flow" {
            return push_flows(contact, &line[start..], self.stamps, found);
        }
        contact.decoded(unescaped, |contact| self.push(contact, found))
    }
}

impl JsonLines {
    fn push(&self, contact: Contact<'_>, found: &mut Observations<'_>) -> Line {
        match self.reader.dialect().name {
            "azure-firewall" if contact.host.is_empty() && contact.address.is_empty() => {
                of_sentence(contact).push(found)
            }
            "zscaler" if contact.url.is_empty() => {
                let url = from_base64(contact.path).unwrap_or_default();
                let path = &b""[..];
                Contact {
                    url: &url,
                    path,
                    ..contact
                }
                .push(found)
            }
            // `type: 1 www.example.com`.
            "sentinelone" => {
                let name = contact.name.rsplit(|byte| *byte == b' ').next();
                let name = name.unwrap_or_default();
                Contact { name, ..contact }.push(found)
            }
            "cato" => contact.push_with_address(found),
            // A session, whose name is what the client said.
            "cloudflare-gateway" if contact.url.is_empty() => contact.push_with_address(found),
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
        action: action_of(word_after(b"Action: ").unwrap_or_default()),
        path: b"",
        ..contact
    }
}

/// The flows of a record, each a string
/// `1714564800,10.0.0.5,192.0.2.10,51000,443,T,O,A`.
fn push_flows(
    contact: Contact<'_>,
    record: &[u8],
    stamps: Stamps,
    found: &mut Observations<'_>,
) -> Line {
    let mut said = Line::Ignored(NOTHING_CONTACTED);
    for string in record.split(|byte| *byte == b'"') {
        if let Some(flow) = of_tuple(contact, string, stamps)
            && flow.push(found) == Line::Record
        {
            said = Line::Record;
        }
    }
    said
}

fn of_tuple<'a>(contact: Contact<'a>, tuple: &'a [u8], stamps: Stamps) -> Option<Contact<'a>> {
    /// More fields are for bytes and packets.
    const FIELDS: usize = 8;
    let mut fields: [&[u8]; FIELDS] = [b""; FIELDS];
    let mut count = 0;
    for (field, text) in fields.iter_mut().zip(tuple.split(|byte| *byte == b',')) {
        *field = text;
        count += 1;
    }
    let [
        time,
        client,
        address,
        _from,
        _to,
        _protocol,
        _direction,
        decision,
    ] = fields;
    let is_flow = count == FIELDS && !time.is_empty() && time.iter().all(u8::is_ascii_digit);
    is_flow.then(|| Contact {
        client,
        address,
        time_us: stamps.any(time, DateOrder::MonthFirst).or(contact.time_us),
        action: match decision {
            b"D" => Action::Blocked,
            _ => Action::Allowed,
        },
        ..contact
    })
}

/// What RFC 4648 encodes; bytes behind the padding are passed over.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let value = |byte: u8| {
        Some(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in until(text, b"=") {
        bits = bits << 6 | u32::from(value(*byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
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

    fn seen(line: &str) -> Vec<(String, String)> {
        let parsed = testing::parse::<JsonLines>(line.as_bytes(), "{}").unwrap();
        let seen = parsed.observations.into_iter();
        seen.map(|seen| (seen.value, seen.client)).collect()
    }

    fn check(line: &str, expected: &[(&str, &str)]) {
        let found = seen(line);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn a_record_may_hold_many_flows() {
        check(
            r#"{"time":"2024-05-01T12:00:00Z","flowRecords":{"flows":[{"flowGroups":[{"flowTuples":["1714564800000,10.0.0.5,192.0.2.10,51000,443,6,O,D,NX,0,0,0,0","1714564800000,10.0.0.6,192.0.2.11,51000,443,6,O,B,NX,0,0,0,0"]}]},{"flowGroups":[{"flowTuples":["1714564800000,10.0.0.7,192.0.2.12,51000,443,6,O,E,NX,0,0,0,0"]}]}]}}"#,
            &[
                ("192.0.2.10", "10.0.0.5"),
                ("192.0.2.11", "10.0.0.6"),
                ("192.0.2.12", "10.0.0.7"),
            ],
        );
        check(
            r#"{"time":"2024-05-01T12:00:00Z","flow.0":"1714564800000,10.0.0.5,192.0.2.10,51000,443,6,O,D,NX,0,0,0,0"}"#,
            &[("192.0.2.10", "10.0.0.5")],
        );
    }

    #[test]
    fn products_have_their_own_ways_to_write_names() {
        // Encoded with `base64`: www.example.com:8443/a?b=c
        check(
            r#"{"sourcetype":"zscalernss-web","event":{"time":"2024-05-01 12:00:00","proto":"HTTPS","host":"mail.example.com","b64url":"d3d3LmV4YW1wbGUuY29tOjg0NDMvYT9iPWM=","cltip":"10.0.0.5"}}"#,
            &[("https://www.example.com:8443/a?b=c", "10.0.0.5")],
        );
        check(
            r#"{"event.category":"dns","event.time":1714564800000,"event.dns.request":"type: 1 www.example.com","src.ip.address":"10.0.0.5"}"#,
            &[("www.example.com", "10.0.0.5")],
        );
        check(
            r#"{"query_name":"printer.","query_timestamp":"2024-05-01T12:00:00Z","srcaddr":"10.0.0.5"}"#,
            &[("printer.", "10.0.0.5")],
        );
        check(
            r#"{"event_time":"2024-05-01T12:00:00Z","action":"Block","account_id":"1","dest_ip":"192.0.2.10","domain_name":"www.example.com","src_ip":"10.0.0.5"}"#,
            &[("www.example.com", "10.0.0.5"), ("192.0.2.10", "10.0.0.5")],
        );
        check(
            r#"{"class":"class com.untangle.IntrusionPreventionLogEvent","timeStamp":"2024-05-01 12:00:00.0","ipSource":"10.0.0.5","ipDestination":"192.0.2.10"}"#,
            &[("192.0.2.10", "10.0.0.5")],
        );
    }

    #[test]
    fn a_line_that_is_cut_off_is_rejected() {
        let example = DIALECTS[0].example;
        let cut = format!("{example}\n{}\n", example.strip_suffix('}').unwrap());
        let parsed = testing::parse::<JsonLines>(cut.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.rejected, [("not a JSON object".to_owned(), 1)]);
    }
}
