//! Cisco Umbrella's exports to S3: DNS, proxy and firewall logs, comma-separated
//! and without a header. See "Log Formats and Versioning",
//! <https://docs.umbrella.com/deployment-umbrella/docs/log-formats-and-versioning>.

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{Columns, undoubled};
use vthost_plugin::time::Stamps;

struct Umbrella {
    stamps: Stamps,
    columns: Columns<17>,
}

vthost_plugin::export_parser!(Umbrella);

impl LineParser for Umbrella {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "umbrella",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Cisco Umbrella DNS, proxy, firewall and intrusion logs (CSV from S3)",
            formats: vec![
                (
                    "umbrella-dns",
                    "Cisco Umbrella DNS log",
                    r#""2024-05-01 12:00:00","PC-5","PC-5,Site","10.0.0.5","198.51.100.1","Allowed","1 (A)","NOERROR","www.example.com.","News""#,
                ),
                (
                    "umbrella-proxy",
                    "Cisco Umbrella proxy log",
                    r#""2024-05-01 12:00:00","PC-5","10.0.0.5","198.51.100.1","192.0.2.10","text/html","ALLOWED","https://www.example.com/a","","curl/8.0","200""#,
                ),
                (
                    "umbrella-firewall",
                    "Cisco Umbrella cloud firewall log",
                    "2024-05-01 12:00:00,[1],Tunnel,CDFW Tunnel Device,OUTBOUND,6,84,10.0.0.5,51000,192.0.2.10,443,dc,1,ALLOW",
                ),
                (
                    "umbrella-intrusion",
                    "Cisco Umbrella intrusion prevention log",
                    r#""2024-05-01 12:00:00","Tunnel","Network Tunnels","1","16606","An overflow attempt","1323","HIGH","Attempted User Privilege Gain","cve-2009-1016","TCP","12345","10.0.0.5","33010","192.0.2.10","443","Would Block""#,
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let mut parser = Self::of(input);
        input.confidence(90, |line| Fit::from(parser.read(line).is_some()))
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self::of(input))
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        match self.read(line) {
            _ if line.trim_ascii().is_empty() => Line::Ignored("blank"),
            Some(contact) => contact.decoded(undoubled, |contact| contact.push(found)),
            None => Line::Rejected("none of Umbrella's DNS, proxy and firewall rows"),
        }
    }
}

impl Umbrella {
    fn of(input: &Input) -> Self {
        Self {
            stamps: Stamps::of(input),
            columns: Columns::at(b',', std::array::from_fn(Some)),
        }
    }

    /// A row. Its kind follows from the form of its columns, because no column states it.
    fn read<'a>(&mut self, line: &'a [u8]) -> Option<Contact<'a>> {
        let row = self
            .columns
            .pick(line.trim_ascii_start())
            .map(<[u8]>::trim_ascii);
        let contact = Contact {
            time_us: Some(self.stamps.iso8601(row[0])?),
            ..Contact::default()
        };
        let is_url = has_scheme(row[7]);
        let is_verdict = |field: &[u8]| {
            ["allow", "block", "proxied", "warn", "would"]
                .iter()
                .any(|word| {
                    field
                        .get(..word.len())
                        .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
                })
        };
        let is_port = |field: &[u8]| field.iter().all(u8::is_ascii_digit);
        if is_verdict(row[16]) && is_port(row[13]) && is_port(row[15]) {
            return Some(Contact {
                client: row[12],
                address: row[14],
                action: action_of(row[16]),
                ..contact
            });
        }
        if matches!(row[4], b"OUTBOUND" | b"INBOUND") {
            return Some(Contact {
                client: row[7],
                address: row[9],
                action: action_of(row[13]),
                ..contact
            });
        }
        if is_verdict(row[6]) && is_url {
            return Some(Contact {
                url: row[7],
                address: row[4],
                client: row[2],
                action: action_of(row[6]),
                ..contact
            });
        }
        if is_verdict(row[5]) && row[8].ends_with(b".") {
            return Some(Contact {
                host: row[8],
                client: row[3],
                action: action_of(row[5]),
                ..contact
            });
        }
        None
    }
}

fn has_scheme(field: &[u8]) -> bool {
    vthost_plugin::contact::split_scheme(field).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    #[test]
    fn blank_after_a_comma_is_skipped() {
        let row = r#""2024-05-01 12:00:00","PC-5", "PC-5, Site", "10.0.0.5","198.51.100.1","Allowed","1 (A)", "NOERROR","www.example.com.", "News""#;
        let parsed = testing::parse::<Umbrella>(row.as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[0];
        assert_eq!(
            (seen.value.as_str(), seen.client.as_str()),
            ("www.example.com.", "10.0.0.5")
        );
    }

    #[test]
    fn quotes_in_a_url_are_doubled() {
        let row = r#""2024-05-01 12:00:00","HQ","10.0.0.5","198.51.100.1","192.0.2.10","text/html","ALLOWED","https://www.example.com/a?b=""c""","","curl","200""#;
        let parsed = testing::parse::<Umbrella>(row.as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[0];
        assert_eq!(seen.value, "https://www.example.com/a?b=\"c\"");
    }

    #[test]
    fn every_example_is_read() {
        let expected = [
            ("domain", "www.example.com."),
            ("url", "https://www.example.com/a"),
            ("ip", "192.0.2.10"),
            ("ip", "192.0.2.10"),
        ];
        for ((name, _, example), expected) in Umbrella::describe().formats.iter().zip(expected) {
            assert_eq!(
                testing::detect::<Umbrella>(example.as_bytes()),
                90,
                "{name}"
            );
            let parsed = testing::parse::<Umbrella>(example.as_bytes(), "{}").unwrap();
            let observed = &parsed.observations[0];
            assert_eq!((observed.kind, observed.value.as_str()), expected, "{name}");
            assert_eq!(
                (observed.client.as_str(), observed.action),
                ("10.0.0.5", Action::Allowed),
                "{name}"
            );
            // 2024-05-01T12:00:00Z.
            assert_eq!(observed.time_us, Some(1_714_564_800_000_000), "{name}");
        }
    }
}
