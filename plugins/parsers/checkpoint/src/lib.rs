//! Check Point logs as the Log Exporter sends them: `key:"value"; key:"value"`
//! in the structured data of RFC 5424. See "Log Exporter", sk122323.

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, Roles};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{Columns, Pairs, after};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct CheckPoint {
    stamps: Stamps,
    reader: Reader,
    pairs: Pairs<FIELDS>,
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
            let values = parser.pairs.pick(record(line));
            Fit::from(parser.reader.fits(&values) || parser.row(line).is_some())
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self::of(input))
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let values = self.pairs.pick(record(line));
        if !self.reader.fits(&values) {
            return match self.row(line) {
                Some(contact) => contact.push(found),
                None => Line::Rejected("no loguid, which every Check Point record has"),
            };
        }
        let sent_us = Syslog::time_of(line, self.stamps);
        self.reader.contact(&values, sent_us).push(found)
    }
}

impl CheckPoint {
    fn of(input: &Input) -> Self {
        let stamps = Stamps::of(input);
        let reader = Reader::new(&DIALECT, stamps);
        Self {
            stamps,
            pairs: Pairs::separated(b':', b';', reader.names()),
            columns: Columns::at(b' ', [1, 2, 5, 6, 7, 9, 10, 11].map(Some)),
            reader,
        }
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

/// The line from its structured data on: the time before has colons too.
fn record(line: &[u8]) -> &[u8] {
    after(line, b"[").unwrap_or(line)
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
    fn a_row_of_a_table_is_read() {
        let parsed = testing::parse::<CheckPoint>(TABLE.as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[0];
        let found = (seen.value.as_str(), seen.client.as_str(), seen.action);
        assert_eq!(found, ("192.0.2.10", "10.0.0.5", Action::Allowed));
        // 2024-05-01T12:00:00Z.
        assert_eq!(seen.time_us, Some(1_714_564_800_000_000));
    }

    #[test]
    fn a_url_tells_more_than_an_address() {
        let line = DIALECT.example.replace(
            "product:",
            "resource:\"http://www.example.com/a\"; product:",
        );
        let parsed = testing::parse::<CheckPoint>(line.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations[0].value, "http://www.example.com/a");
    }
}
