//! Logs of JSON objects, one a line, with or without a syslog header: the
//! [`DIALECTS`](dialects::DIALECTS), one table entry for each product.

mod bare;
mod dialects;
mod special;

use std::borrow::Cow;

use vthost_plugin::dialect::{Dialect, DialectParser, FIELDS, Grammar};
use vthost_plugin::parser::{Description, Input};
use vthost_plugin::split::{Json, after, unescaped};

use bare::BareStrings;

/// The grammar: an object, whose fields are named by their paths.
struct JsonLines {
    json: Json<FIELDS>,
    /// The reader of lines that are no JSON, for a format whose writer escapes nothing.
    bare: Option<BareStrings>,
}

vthost_plugin::export_parser!(DialectParser<JsonLines>);

impl Grammar for JsonLines {
    type Entry = Dialect;

    const DESCRIPTION: Description = Description {
        name: "json",
        version: env!("CARGO_PKG_VERSION"),
        licence: env!("CARGO_PKG_LICENSE"),
        summary: "Logs in JSON, an object a line, of many products",
        formats: Vec::new(),
        settings_schema: "",
    };

    const TABLE: &'static [Dialect] = dialects::DIALECTS;

    fn dialect(entry: &'static Dialect) -> &'static Dialect {
        entry
    }

    fn new(entry: &'static Dialect, fields: [&'static str; FIELDS], input: &Input) -> Self {
        Self {
            json: Json::new(fields),
            bare: (entry.name == "zscaler").then(|| BareStrings::new(fields, input)),
        }
    }

    fn pick<'a>(&mut self, line: &'a [u8]) -> Result<(usize, [&'a [u8]; FIELDS]), &'static str> {
        let start = line
            .iter()
            .position(|byte| *byte == b'{')
            .ok_or(NO_OBJECT)?;
        let object = &line[start..];
        match (self.json.pick(object), &self.bare) {
            (Ok(values), _) => Ok((start, values)),
            (Err(_), Some(bare)) if is_of_nss(object) => Ok((start, bare.pick(object))),
            _ => Err(NO_OBJECT),
        }
    }

    fn decode(value: &[u8]) -> Cow<'_, [u8]> {
        unescaped(value)
    }
}

/// Whether a line is a whole object of Zscaler's NSS.
fn is_of_nss(object: &[u8]) -> bool {
    object.trim_ascii_end().ends_with(b"}") && after(object, b"\"zscalernss-").is_some()
}

const NO_OBJECT: &str = "not a JSON object";

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    use super::*;

    type Parser = DialectParser<JsonLines>;

    /// An example holds one contact, at noon of a day in May.
    #[test]
    fn every_example_is_read() {
        for dialect in JsonLines::TABLE {
            let parsed = testing::parse::<Parser>(dialect.example.as_bytes(), "{}").unwrap();
            let observed = &parsed.observations[0];
            let is_remote =
                observed.value.contains("example.com") || observed.value.starts_with("192.0.2.");
            assert!(is_remote, "{} {observed:?}", dialect.name);
            // 2024-05-01T12:00:00Z.
            let noon = Some(1_714_564_800_000_000);
            assert_eq!(observed.time_us, noon, "{}", dialect.name);
        }
    }

    #[test]
    fn each_line_is_read_by_its_own_dialect() {
        let examples: Vec<&str> = JsonLines::TABLE
            .iter()
            .map(|dialect| dialect.example)
            .collect();
        let alone: Vec<(String, String)> = examples.iter().flat_map(|line| seen(line)).collect();
        assert_eq!(seen(&examples.join("\n")), alone);
    }

    fn seen(line: &str) -> Vec<(String, String)> {
        let parsed = testing::parse::<Parser>(line.as_bytes(), "{}").unwrap();
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
    fn adguard_names_what_it_filtered() {
        let check = |result: &str, action: Action| {
            let line = format!(
                r#"{{"T":"2024-05-01T12:00:00Z","QH":"www.example.com","QT":"A","Result":{{{result}}},"IP":"10.0.0.5"}}"#
            );
            let parsed = testing::parse::<Parser>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].action, action, "{result}");
        };
        check(r#""IsFiltered":true,"Reason":3"#, Action::Blocked);
        check(r#""IsFiltered":true,"Reason":7"#, Action::Unstated);
        check("", Action::Unstated);
    }

    #[test]
    fn caddy_may_write_the_time_before_the_object() {
        let line = "2024/05/01 12:00:00.000\tINFO\thttp.log.access.log0\thandled request\t{\"request\": {\"remote_ip\": \"192.0.2.10\", \"method\": \"GET\", \"host\": \"www.example.org\", \"uri\": \"/a\"}, \"status\": 200}";
        let parsed = testing::parse::<Parser>(line.as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[0];
        let noon = Some(1_714_564_800_000_000);
        assert_eq!((seen.value.as_str(), seen.time_us), ("192.0.2.10", noon));
    }

    #[test]
    fn a_line_that_is_cut_off_is_rejected() {
        let example = JsonLines::TABLE[0].example;
        let cut = format!("{example}\n{}\n", example.strip_suffix('}').unwrap());
        let parsed = testing::parse::<Parser>(cut.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.rejected, [("not a JSON object".to_owned(), 1)]);
    }
}
