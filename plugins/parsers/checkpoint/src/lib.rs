//! Check Point logs as the Log Exporter sends them: `key:"value"; key:"value"`
//! in the structured data of RFC 5424, `key=value|key=value` for Splunk, and
//! `key="value"; key="value"`. See "Log Exporter", sk122323.

use std::borrow::Cow;

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, Roles};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{
    Columns, Pairs, glued, separator_of_pairs, split_once, until, without_escapes,
};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct CheckPoint {
    stamps: Stamps,
    reader: Reader,
    between_semicolons: Pairs<FIELDS>,
    between_bars: Pairs<FIELDS>,
    between_blanks: Pairs<FIELDS>,
    columns: Columns<8>,
}

vthost_plugin::export_parser!(CheckPoint);

static DIALECT: Dialect = Dialect {
    name: "checkpoint",
    title: "Check Point Log Exporter (syslog)",
    example: r#"<134>1 2024-05-01T12:00:00Z gw CheckPoint 1 - [action:"Accept"; loguid:"{0x0,0x0,0x0,0x0}"; origin:"192.0.2.1"; time:"1714564800"; dst:"192.0.2.10"; product:"VPN-1 & FireWall-1"; src:"10.0.0.5"]"#,
    marks: &["loguid"],
    roles: Roles {
        url: &["resource", "web_client_url"],
        host: &[
            "dst_domain_name",
            "sni",
            "domain_name",
            "tls_server_host_name",
        ],
        address: &["dst"],
        client: &["src"],
        user: &["src_user_name", "user"],
        stamp: &["time"],
        action: &["action", "rule_action"],
        ..Roles::NONE
    },
    ..Dialect::DEFAULT
};

/// The same for Splunk.
const FOR_SPLUNK: &str = "May  1 12:00:00 gw time=1714564800|hostname=gw|action=Accept|loguid={0x0,0x0,0x0,0x0}|origin=192.0.2.1|dst=192.0.2.10|product=Firewall|src=10.0.0.5|";

/// A row of an exported log table.
const TABLE: &str = r#""22" "1May2024" "12:00:00" "eth1" "GW-1" "Log" "Accept" "443" "44250" "10.0.0.5" "192.0.2.10" "tcp" "81""#;

impl LineParser for CheckPoint {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "checkpoint",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Check Point logs from the Log Exporter",
            formats: vec![
                (DIALECT.name, DIALECT.title, DIALECT.example),
                (
                    "checkpoint-splunk",
                    "Check Point Log Exporter (for Splunk: key=value between bars)",
                    FOR_SPLUNK,
                ),
                (
                    "checkpoint-table",
                    "Check Point log table (quoted columns)",
                    TABLE,
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let mut parser = Self::of(input);
        input.confidence(92, |line| {
            Fit::from(parser.values(line).is_some() || parser.row(line).is_some())
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self::of(input))
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let mut read = None;
        for record in glued(line) {
            let one = self.record(record, found);
            if one == Line::Record || read.is_none() {
                read = Some(one);
            }
        }
        read.unwrap_or(NO_RECORD)
    }
}

const NO_RECORD: Line = Line::Rejected("no loguid, which every Check Point record has");

impl CheckPoint {
    fn of(input: &Input) -> Self {
        let stamps = Stamps::of(input);
        let reader = Reader::new(&DIALECT, stamps);
        Self {
            stamps,
            between_semicolons: Pairs::separated(b':', b';', reader.names()),
            between_bars: Pairs::separated(b'=', b'|', reader.names()),
            between_blanks: Pairs::separated(b'=', b' ', reader.names()),
            columns: Columns::at(b' ', [1, 2, 5, 6, 7, 9, 10, 11].map(Some)),
            reader,
        }
    }

    fn record(&mut self, record: &[u8], found: &mut Observations<'_>) -> Line {
        let Some(values) = self.values(record) else {
            return match self.row(record) {
                Some(contact) => contact.push(found),
                None => NO_RECORD,
            };
        };
        let sent_us = Syslog::time_of(record, self.stamps);
        let contact = self.reader.contact(&values, sent_us);
        contact.decoded(decoded, |contact| contact.push(found))
    }

    /// The values of a record in any of the formats.
    fn values<'a>(&mut self, line: &'a [u8]) -> Option<[&'a [u8]; FIELDS]> {
        let text = text_of(line, self.stamps);
        let values = self.between_semicolons.pick(text);
        if self.reader.fits(&values) {
            return Some(values);
        }
        // Bars before the first pair are those of CEF or LEEF, which another parser reads.
        if until(text, b"=").contains(&b'|') {
            return None;
        }
        // `key="value"; key="value"` has blanks between pairs, too.
        let values = match separator_of_pairs(text, b"|; ")? {
            b'|' => self.between_bars.pick(text),
            _ => self.between_blanks.pick(text),
        };
        self.reader.fits(&values).then_some(values)
    }

    /// `"22" "1May2024" "12:00:00" "eth1" "GW-1" "Log" "Accept" "443" "44250" …`:
    /// number, date, time, interface, origin, type, action, service, source port,
    /// source, destination, protocol.
    fn row<'a>(&mut self, line: &'a [u8]) -> Option<Contact<'a>> {
        if !line.starts_with(b"\"") {
            return None;
        }
        let [
            date,
            time,
            _kind,
            action,
            _service,
            client,
            address,
            _protocol,
        ] = self.columns.pick(line);
        let order = DateOrder::DayFirst;
        Some(Contact {
            client,
            address,
            time_us: Some(self.stamps.of_fields(date, time, b"", order)?),
            action: action_of(action),
            ..Contact::default()
        })
    }
}

/// The line from its structured data on, or without its headers: the times before have
/// colons and blanks, too. A bracket in a value is none of structured data.
fn text_of(line: &[u8], stamps: Stamps) -> &[u8] {
    match split_once(line, b"[") {
        Some((before, data)) if !before.contains(&b'=') && !before.contains(&b'"') => data,
        _ => Syslog::of(line, stamps).message,
    }
}

/// RFC 5424 escapes the quote, the backslash and `]`, the format for Splunk `=` and the
/// bar.
fn decoded(value: &[u8]) -> Cow<'_, [u8]> {
    without_escapes(value, br#"\"]=|"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    #[test]
    fn the_example_is_read() {
        assert_eq!(
            testing::detect::<CheckPoint>(DIALECT.example.as_bytes()),
            92
        );
        let parsed = testing::parse::<CheckPoint>(DIALECT.example.as_bytes(), "{}").unwrap();
        let observed = &parsed.observations[0];
        assert_eq!(
            (observed.kind, observed.value.as_str()),
            ("ip", "192.0.2.10")
        );
        assert_eq!(
            (observed.client.as_str(), observed.action),
            ("10.0.0.5", Action::Allowed)
        );
        // 2024-05-01T12:00:00Z.
        assert_eq!(observed.time_us, Some(1_714_564_800_000_000));
    }

    #[test]
    fn every_format_of_the_exporter_is_read() {
        let generic = r#"May  1 12:00:00 gw loguid="{0x0,0x0}"; time="1714564800"; action="Accept"; dst="192.0.2.10"; src="10.0.0.5""#;
        for record in [FOR_SPLUNK, generic, &generic.replace(';', "")] {
            assert_eq!(
                testing::detect::<CheckPoint>(record.as_bytes()),
                92,
                "{record}"
            );
            let parsed = testing::parse::<CheckPoint>(record.as_bytes(), "{}").unwrap();
            let seen = &parsed.observations[0];
            let found = (seen.value.as_str(), seen.client.as_str(), seen.action);
            assert_eq!(
                found,
                ("192.0.2.10", "10.0.0.5", Action::Allowed),
                "{record}"
            );
            // 2024-05-01T12:00:00Z.
            assert_eq!(seen.time_us, Some(1_714_564_800_000_000), "{record}");
        }
    }

    #[test]
    fn cef_is_left_to_its_own_parser() {
        let line = "May  1 12:00:00 gw CEF:0|Check Point|VPN-1|Check Point|Log|https|5|act=Accept loguid={0x0,0x0} src=10.0.0.5 dst=192.0.2.10";
        assert_eq!(testing::detect::<CheckPoint>(line.as_bytes()), 0);
    }

    #[test]
    fn escapes_are_removed() {
        let splunk = FOR_SPLUNK.replace("dst=", r"resource=http://www.example.com/?a\=b\|c|dst=");
        let syslog = DIALECT.example.replace(
            "product:",
            r#"resource:"http://www.example.com/?a=b|c\]\""; product:"#,
        );
        for (record, tail) in [(splunk, ""), (syslog, "]\"")] {
            let parsed = testing::parse::<CheckPoint>(record.as_bytes(), "{}").unwrap();
            let expected = format!("http://www.example.com/?a=b|c{tail}");
            assert_eq!(parsed.observations[0].value, expected);
        }
    }

    #[test]
    fn a_row_of_a_table_is_read() {
        let parsed = testing::parse::<CheckPoint>(TABLE.as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[0];
        let found = (seen.value.as_str(), seen.client.as_str(), seen.action);
        assert_eq!(found, ("192.0.2.10", "10.0.0.5", Action::Allowed));
        // 2024-05-01T12:00:00Z.
        assert_eq!(seen.time_us, Some(1_714_564_800_000_000));
    }

    #[test]
    fn url_is_preferred_to_an_address() {
        let line = DIALECT.example.replace(
            "product:",
            "resource:\"http://www.example.com/a\"; product:",
        );
        let parsed = testing::parse::<CheckPoint>(line.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations[0].value, "http://www.example.com/a");
    }
}
