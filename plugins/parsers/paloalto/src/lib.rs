//! Palo Alto Networks logs: traffic, threat (with URL filtering), decryption and
//! system events, comma-separated as PAN-OS writes them or as JSON, as Strata
//! Logging Service and Prisma Access forward them.
//!
//! Of a row the type in the fourth column decides what the others mean. See "Syslog
//! Field Descriptions", <https://docs.paloaltonetworks.com/pan-os>.

mod events;
mod json;

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::scan::find;
use vthost_plugin::split::{Columns, undoubled};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct PaloAlto {
    rows: Rows,
    json: Box<json::Records>,
}

/// Rows of PAN-OS.
struct Rows {
    stamps: Stamps,
    columns: Columns<COUNT>,
    /// The columns of rows whose first one a relay took for its header.
    cut_columns: Columns<COUNT>,
}

vthost_plugin::export_parser!(PaloAlto);

/// Receive time, type, subtype, time of generation, source, destination, source user,
/// application, action, the URL or file name of a threat log, and columns of single
/// types. A syslog header has no comma, so columns count from there.
const COLUMNS: [usize; COUNT] = [
    1,
    3,
    4,
    6,
    7,
    8,
    12,
    14,
    30,
    31,
    SERVER_NAME,
    PRECISE_OF_DECRYPTION,
    PRECISE_OF_TRAFFIC,
    PRECISE_OF_THREAT,
    PRECISE_OF_SYSTEM,
    EVENT,
];

/// How many columns are read.
const COUNT: usize = 16;

/// The server name indication of a decryption log.
const SERVER_NAME: usize = 63;

/// Where PAN-OS 10 and later write the time with its zone and milliseconds.
const PRECISE_OF_DECRYPTION: usize = 72;
const PRECISE_OF_TRAFFIC: usize = 102;
const PRECISE_OF_THREAT: usize = 107;
const PRECISE_OF_SYSTEM: usize = 25;

/// The first column after the URL or file name of a threat, which a client chooses.
const AFTER_MISC: usize = 32;

/// The text of an event in the system log.
const EVENT: usize = 14;

impl LineParser for PaloAlto {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "paloalto",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Palo Alto Networks logs: traffic, threat and URL, decryption, system events",
            formats: vec![
                (
                    "paloalto",
                    "Palo Alto Networks PAN-OS logs (CSV)",
                    r#"1,2024/05/01 12:00:00,000000000000001,THREAT,url,2049,2024/05/01 11:59:59,10.0.0.5,192.0.2.10,,,allow-web,,,web-browsing,vsys1,trust,untrust,ae1,ae2,logs,,1,1,51000,80,0,0,0x0,tcp,alert,"www.example.com/",(9999),news,informational,client-to-server"#,
                ),
                (
                    json::DIALECT.name,
                    json::DIALECT.title,
                    json::DIALECT.example,
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let mut rows = Rows::new(Stamps::of(input));
        let rows = input.confidence(95, |line| {
            let [received, kind, ..] = rows.pick(line);
            let is_row = is_type(kind) && received.iter().any(u8::is_ascii_digit);
            Fit::from(is_row || is_audit(line))
        });
        rows.max(json::detect(input))
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let stamps = Stamps::of(input);
        Ok(Self {
            rows: Rows::new(stamps),
            json: Box::new(json::Records::new(stamps)),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        match json::object(line) {
            _ if line.trim_ascii().is_empty() => Line::Ignored("blank"),
            Some(object) => self.json.line(object, found),
            None => self.rows.line(line, found),
        }
    }
}

impl Rows {
    fn new(stamps: Stamps) -> Self {
        Self {
            stamps,
            columns: Columns::at(b',', COLUMNS.map(Some)),
            cut_columns: Columns::at(b',', COLUMNS.map(|column| Some(column - 1))),
        }
    }

    /// The columns of a row. Of a row without a header before it, relays that pass on
    /// the message alone drop the beginning, up to the date of the second column.
    fn pick<'a>(&mut self, row: &'a [u8]) -> [&'a [u8]; COUNT] {
        let columns = self.columns.pick(row);
        if is_type(columns[1]) {
            return columns;
        }
        let cut = self.cut_columns.pick(row);
        match is_type(cut[1]) && cut[0].contains(&b':') {
            true => cut,
            false => columns,
        }
    }

    /// The precise time of a row in which it is in a later column: the links of SD-WAN are a
    /// list in braces, with commas. Older versions have none.
    fn last_precise<'a>(&mut self, row: &'a [u8]) -> Option<&'a [u8]> {
        find(row, b'{')?;
        let columns = self.columns.ranges(row).into_iter().skip(AFTER_MISC);
        let mut columns = columns.map(|range| &row[range]);
        columns.rfind(|column| is_precise(column))
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if is_audit(line) {
            return Line::Ignored(OF_THE_DEVICE);
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
            precise_of_system,
            event,
        ] = self.pick(line);
        let contact = Contact {
            address,
            client,
            user,
            action: action_of(action),
            ..Contact::default()
        };
        let precise = match kind {
            b"THREAT" => precise_of_threat,
            b"DECRYPTION" => precise_of_decryption,
            b"SYSTEM" => precise_of_system,
            _ => precise_of_traffic,
        };
        let stamps = self.stamps;
        let stamp = |text| stamps.any(text, DateOrder::MonthFirst);
        let precise = match is_precise(precise) {
            true => Some(precise),
            false => self.last_precise(line),
        };
        let precise_us = precise.and_then(stamp);
        let written_us = || stamp(received).or_else(|| stamp(generated));
        let time_us = precise_us
            .or_else(written_us)
            .or_else(|| Syslog::time_of(line, self.stamps));
        let contact = Contact { time_us, ..contact };
        let row = Row {
            kind,
            subtype,
            application,
            misc,
            server_name,
            event,
        };
        row.push(contact, found)
    }
}

/// The columns of a row of one type.
struct Row<'a> {
    kind: &'a [u8],
    subtype: &'a [u8],
    application: &'a [u8],
    misc: &'a [u8],
    server_name: &'a [u8],
    event: &'a [u8],
}

impl Row<'_> {
    fn push(&self, contact: Contact<'_>, found: &mut Observations<'_>) -> Line {
        let url = undoubled(self.misc);
        match self.kind {
            b"TRAFFIC" | b"START" | b"END" | b"DROP" | b"DENY" | b"GTP" | b"SCTP" | b"TUNNEL" => {
                contact.push(found)
            }
            b"THREAT" if self.subtype == b"url" => Contact {
                url: &url,
                scheme: if self.application == b"ssl" {
                    b"https"
                } else {
                    b""
                },
                ..contact
            }
            .push(found),
            // A DNS signature names the domain that was asked for; whom the
            // client asked may be the attacker's own server.
            b"THREAT" if self.application.starts_with(b"dns") => Contact {
                host: self.misc,
                ..contact
            }
            .push_with_address(found),
            b"THREAT" => contact.push(found),
            b"DECRYPTION" => Contact {
                host: self.server_name,
                ..contact
            }
            .push_with_address(found),
            b"SYSTEM" => push_event(self.event, contact, found),
            kind if is_type(kind) => Line::Ignored(OF_THE_DEVICE),
            _ => Line::Rejected("no PAN-OS log type in the fourth column"),
        }
    }
}

/// The server that an event of the device names.
fn push_event(event: &[u8], contact: Contact<'_>, found: &mut Observations<'_>) -> Line {
    let (time_us, action) = (contact.time_us, contact.action);
    let named = Contact {
        time_us,
        action,
        ..events::contact(event)
    };
    match named.host {
        b"" => Line::Ignored(OF_THE_DEVICE),
        _ => named.push(found),
    }
}

const OF_THE_DEVICE: &str = "an event of the device itself";

/// Audit logs have their own columns: serial number, time, `audit`.
fn is_audit(line: &[u8]) -> bool {
    line.split(|byte| *byte == b',').nth(2) == Some(b"audit")
}

/// Whether a column is a time with its zone: `2024-05-01T12:00:00.123-08:00`.
fn is_precise(column: &[u8]) -> bool {
    matches!(column, [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..])
}

fn is_type(kind: &[u8]) -> bool {
    matches!(
        kind,
        b"TRAFFIC"
            | b"START"
            | b"END"
            | b"DROP"
            | b"DENY"
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

    #[test]
    fn commas_in_a_list_of_links_do_not_hide_the_precise_time() {
        let row = row("TRAFFIC", "end", "ssl", "allow", "1");
        let links = "{ethernet1/1,isp-a,0},{ethernet1/2,isp-b,0}";
        let commas = ",".repeat(PRECISE_OF_TRAFFIC - 1 - row.split(',').count());
        let line = format!("{row},{links}{commas},2024-05-01T12:00:00.123-08:00,,");
        let parsed = testing::parse::<PaloAlto>(line.as_bytes(), "{}").unwrap();
        // 2024-05-01T20:00:00.123Z.
        assert_eq!(parsed.observations[0].time_us, Some(1_714_593_600_123_000));
    }

    fn row(kind: &str, subtype: &str, application: &str, action: &str, misc: &str) -> String {
        format!(
            "1,2024/05/01 12:00:00,0001,{kind},{subtype},2049,2024/05/01 11:59:59,10.0.0.5,192.0.2.10,0.0.0.0,0.0.0.0,rule,corp\\jane,,{application},vsys1,trust,untrust,ae1,ae2,logs,,1,1,51000,80,0,0,0x0,tcp,{action},{misc},(9999),news"
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
            &row("START", "start", "ssl", "allow", ""),
            ("ip", "192.0.2.10", Action::Allowed),
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
    fn json_in_a_url_does_not_make_a_file_json() {
        let url = row(
            "THREAT",
            "url",
            "web-browsing",
            "alert",
            r#""www.example.com/?f={""x"":1,""y"":{""z"":2}}""#,
        );
        let next = row("TRAFFIC", "end", "ssl", "allow", "1");
        let parsed = testing::parse::<PaloAlto>(format!("{url}\n{next}\n").as_bytes(), "{}");
        let values = parsed.unwrap().observations;
        let values: Vec<&str> = values.iter().map(|seen| seen.value.as_str()).collect();
        assert_eq!(
            values,
            [r#"www.example.com/?f={"x":1,"y":{"z":2}}"#, "192.0.2.10"]
        );
    }

    #[test]
    fn row_without_its_beginning_is_read() {
        let row = row("TRAFFIC", "end", "ssl", "allow", "1");
        let time = row.strip_prefix("1,2024/05/01").unwrap();
        for line in [
            format!("<14>1 2024-05-01T12:00:00Z gw 1,2024 - - - {time}"),
            format!("May  1 12:00:00 gw{time}"),
            time.to_owned(),
        ] {
            assert_eq!(testing::detect::<PaloAlto>(line.as_bytes()), 95, "{line}");
            let parsed = testing::parse::<PaloAlto>(line.as_bytes(), "{}").unwrap();
            let seen = &parsed.observations[0];
            let found = (seen.value.as_str(), seen.client.as_str());
            assert_eq!(found, ("192.0.2.10", "10.0.0.5"), "{line}");
            // 2024-05-01T11:59:59Z, the time of generation.
            assert_eq!(seen.time_us, Some(1_714_564_799_000_000), "{line}");
        }
    }

    #[test]
    fn alerts_about_names_have_the_address_too() {
        let row = row(
            "THREAT",
            "spyware",
            "dns-base",
            "drop",
            "\"bad.example.org\"",
        );
        let parsed = testing::parse::<PaloAlto>(row.as_bytes(), "{}").unwrap();
        let values: Vec<&str> = parsed
            .observations
            .iter()
            .map(|o| o.value.as_str())
            .collect();
        assert_eq!(values, ["bad.example.org", "192.0.2.10"]);
    }

    #[test]
    fn system_events_name_servers() {
        let row = r#"1,2024/05/01 12:00:00,0001,SYSTEM,auth,2562,2024/05/01 12:00:00,,auth-fail,P,0,0,general,medium,"failed authentication for user 'jane'. server address '192.0.2.10', From: 10.0.0.5.",1,0x0,0,0,0,0,,fw,0,0,2024-05-01T14:00:00.605+02:00"#;
        let parsed = testing::parse::<PaloAlto>(row.as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[0];
        assert_eq!(
            (
                seen.value.as_str(),
                seen.client.as_str(),
                seen.user.as_str()
            ),
            ("192.0.2.10", "10.0.0.5", "jane")
        );
        // 2024-05-01T12:00:00.605Z.
        assert_eq!(seen.time_us, Some(1_714_564_800_605_000));
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
    fn audit_logs_are_events_of_the_device() {
        let line = b"Apr 11 20:06:15 fw 0111,2024/04/11 20:06:15,audit,2561,gui-op,jane,\"<x/>\",success\n";
        assert_eq!(testing::detect::<PaloAlto>(line), 95);
        let parsed = testing::parse::<PaloAlto>(line, "{}").unwrap();
        assert_eq!(parsed.ignored, [(OF_THE_DEVICE.to_owned(), 1)]);
    }

    #[test]
    fn the_format_is_recognised() {
        let line = row("TRAFFIC", "end", "ssl", "allow", "1") + "\n";
        assert_eq!(testing::detect::<PaloAlto>(line.as_bytes()), 95);
        assert_eq!(testing::detect::<PaloAlto>(b"a,b,c,d\n"), 0);
    }
}
