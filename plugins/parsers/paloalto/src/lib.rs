//! Palo Alto Networks PAN-OS logs, comma-separated: traffic, threat (with URL
//! filtering) and decryption.
//!
//! The type in the fourth column decides what the others mean. See "Syslog
//! Field Descriptions", <https://docs.paloaltonetworks.com/pan-os>.

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{Columns, undoubled};
use vthost_plugin::time::{DateOrder, Stamps};

struct PaloAlto {
    stamps: Stamps,
    columns: Columns<14>,
}

vthost_plugin::export_parser!(PaloAlto);

/// Receive time, type, subtype, generated time, source, destination, source
/// user, application, action, what is URL or file name in a threat log, and
/// columns of single types. Whatever syslog writes before has no comma, so columns
/// count from there.
const COLUMNS: [Option<usize>; 14] = [
    Some(1),
    Some(3),
    Some(4),
    Some(6),
    Some(7),
    Some(8),
    Some(12),
    Some(14),
    Some(30),
    Some(31),
    Some(SERVER_NAME),
    Some(PRECISE_OF_DECRYPTION),
    Some(PRECISE_OF_TRAFFIC),
    Some(PRECISE_OF_THREAT),
];

/// The server name indication of a decryption log.
const SERVER_NAME: usize = 63;

/// Where PAN-OS 10 and later write the time with its zone and milliseconds.
const PRECISE_OF_DECRYPTION: usize = 72;
const PRECISE_OF_TRAFFIC: usize = 102;
const PRECISE_OF_THREAT: usize = 107;

impl LineParser for PaloAlto {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "paloalto",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Palo Alto Networks PAN-OS logs: traffic, threat and URL, decryption",
            formats: &[(
                "paloalto",
                "Palo Alto Networks PAN-OS logs (CSV)",
                r#"1,2024/05/01 12:00:00,000000000000001,THREAT,url,2049,2024/05/01 12:00:00,10.0.0.5,192.0.2.10,,,allow-web,,,web-browsing,vsys1,trust,untrust,ae1,ae2,logs,,1,1,51000,80,0,0,0x0,tcp,alert,"www.example.com/",(9999),news,informational,client-to-server"#,
            )],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let mut columns = Columns::at(b',', COLUMNS);
        input.confidence(95, |line| {
            let [received, kind, ..] = columns.pick(line);
            Fit::from(is_type(kind) && received.iter().any(u8::is_ascii_digit))
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
            columns: Columns::at(b',', COLUMNS),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let [
            received,
            kind,
            subtype,
            generated,
            client,
            address,
            user,
            application,
            action,
            misc,
            server_name,
            precise_of_decryption,
            precise_of_traffic,
            precise_of_threat,
        ] = self.columns.pick(line);
        let contact = Contact {
            address,
            client,
            user,
            action: action_of(action),
            ..Contact::default()
        };
        let url = undoubled(misc);
        let contact = match kind {
            b"TRAFFIC" | b"GTP" | b"SCTP" | b"TUNNEL" => contact,
            b"THREAT" if subtype == b"url" => Contact {
                url: &url,
                scheme: if application == b"ssl" { b"https" } else { b"" },
                ..contact
            },
            // A DNS signature names the domain that was asked for.
            b"THREAT" if application.starts_with(b"dns") => Contact {
                host: misc,
                ..contact
            },
            b"THREAT" => contact,
            b"DECRYPTION" => Contact {
                host: server_name,
                ..contact
            },
            _ if is_type(kind) => return Line::Ignored("an event of the device itself"),
            _ => return Line::Rejected("no PAN-OS log type in the fourth column"),
        };
        let precise = match kind {
            b"THREAT" => precise_of_threat,
            b"TRAFFIC" => precise_of_traffic,
            b"DECRYPTION" => precise_of_decryption,
            _ => b"",
        };
        // Older ones have something else in that column.
        let is_precise = precise.get(10) == Some(&b'T');
        let time = match (is_precise, generated.is_empty()) {
            (true, _) => precise,
            (false, true) => received,
            (false, false) => generated,
        };
        Contact {
            time_us: self.stamps.any(time, DateOrder::MonthFirst),
            ..contact
        }
        .push(found)
    }
}

fn is_type(kind: &[u8]) -> bool {
    matches!(
        kind,
        b"TRAFFIC"
            | b"THREAT"
            | b"DECRYPTION"
            | b"SYSTEM"
            | b"CONFIG"
            | b"USERID"
            | b"GLOBALPROTECT"
            | b"AUTHENTICATION"
            | b"HIPMATCH"
            | b"HIP-MATCH"
            | b"CORRELATION"
            | b"GTP"
            | b"SCTP"
            | b"IPTAG"
            | b"TUNNEL"
            | b"AUDIT"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    #[test]
    fn the_precise_time_has_a_zone() {
        let check = |kind, place: usize| {
            let row = row(kind, "url", "ssl", "alert", "\"www.example.com/\"");
            let commas = ",".repeat(place - row.split(',').count());
            let line = format!("{row},{commas}2024-05-01T12:00:00.123-08:00,x");
            let parsed = testing::parse::<PaloAlto>(line.as_bytes(), "{}").unwrap();
            // 2024-05-01T20:00:00.123Z.
            let expected = Some(1_714_593_600_123_000);
            assert_eq!(parsed.observations[0].time_us, expected, "{kind}");
        };
        check("THREAT", PRECISE_OF_THREAT);
        check("TRAFFIC", PRECISE_OF_TRAFFIC);
    }

    fn row(kind: &str, subtype: &str, application: &str, action: &str, misc: &str) -> String {
        format!(
            "1,2024/05/01 12:00:01,0001,{kind},{subtype},2049,2024/05/01 12:00:00,10.0.0.5,192.0.2.10,0.0.0.0,0.0.0.0,rule,corp\\jane,,{application},vsys1,trust,untrust,ae1,ae2,logs,,1,1,51000,80,0,0,0x0,tcp,{action},{misc},(9999),news"
        )
    }

    fn check(line: &str, expected: (&str, &str, Action)) {
        let parsed = testing::parse::<PaloAlto>(line.as_bytes(), "{}").unwrap();
        let observed = &parsed.observations[0];
        let (kind, value, action) = expected;
        assert_eq!(
            (observed.kind, observed.value.as_str()),
            (kind, value),
            "{line}"
        );
        assert_eq!(observed.action, action, "{line}");
        assert_eq!(observed.client, "10.0.0.5", "{line}");
        assert_eq!(observed.user, "corp\\jane", "{line}");
        // 2024-05-01T12:00:00Z.
        assert_eq!(observed.time_us, Some(1_714_564_800_000_000), "{line}");
    }

    #[test]
    fn the_type_decides_what_was_contacted() {
        check(
            &row(
                "THREAT",
                "url",
                "ssl",
                "block-url",
                "\"www.example.com/a,b\"",
            ),
            ("url", "https://www.example.com/a,b", Action::Blocked),
        );
        check(
            &row(
                "THREAT",
                "url",
                "web-browsing",
                "alert",
                "\"www.example.com/\"",
            ),
            ("domain", "www.example.com", Action::Allowed),
        );
        check(
            &row("THREAT", "file", "web-browsing", "alert", "\"setup.exe\""),
            ("ip", "192.0.2.10", Action::Allowed),
        );
        check(
            &row(
                "THREAT",
                "spyware",
                "dns-base",
                "sinkhole",
                "bad.example.org",
            ),
            ("domain", "bad.example.org", Action::Blocked),
        );
        check(
            &format!(
                "May  1 12:00:01 PA-220 {}",
                row("TRAFFIC", "end", "ssl", "allow", "4711")
            ),
            ("ip", "192.0.2.10", Action::Allowed),
        );
        let decryption = row("DECRYPTION", "0", "ssl", "allow", "N/A");
        let until_name = ",x".repeat(SERVER_NAME - 34);
        check(
            &format!("{decryption}{until_name},www.example.net,x"),
            ("domain", "www.example.net", Action::Allowed),
        );
    }

    #[test]
    fn other_lines_are_counted_by_reason() {
        let system = row("SYSTEM", "general", "", "", "");
        let parsed = testing::parse::<PaloAlto>(format!("{system}\n\nx,y\n").as_bytes(), "{}");
        let parsed = parsed.unwrap();
        assert_eq!(
            parsed.ignored,
            [
                ("an event of the device itself".to_owned(), 1),
                ("blank".to_owned(), 1)
            ]
        );
        assert_eq!(
            parsed.rejected,
            [("no PAN-OS log type in the fourth column".to_owned(), 1)]
        );
    }

    #[test]
    fn the_format_is_recognised() {
        let line = row("TRAFFIC", "end", "ssl", "allow", "1") + "\n";
        assert_eq!(testing::detect::<PaloAlto>(line.as_bytes()), 95);
        assert_eq!(testing::detect::<PaloAlto>(b"a,b,c,d\n"), 0);
    }
}
