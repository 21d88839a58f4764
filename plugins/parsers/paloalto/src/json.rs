//! The same logs as JSON. See "Log Forwarding schema" of the Strata Logging
//! Service, <https://docs.paloaltonetworks.com/strata-logging-service>.

use vthost_plugin::contact::Contact;
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, Roles, fit_of};
use vthost_plugin::parser::{Input, Line, Observations};
use vthost_plugin::scan;
use vthost_plugin::split::{Json, unescaped};
use vthost_plugin::time::Stamps;

/// The names of the fields.
pub(crate) static DIALECT: Dialect = Dialect {
    name: "paloalto-json",
    title: "Palo Alto Networks logs (JSON)",
    example: r#"{"ConfigVersion":"10.1","TimeGenerated":"2024-05-01T12:00:00.000000Z","LogType":"THREAT","Action":"alert","SourceAddress":"10.0.0.5","DestinationAddress":"192.0.2.10","URL":"www.example.com/a"}"#,
    marks: &["LogType", "ConfigVersion|DeviceSN|LogSourceID"],
    roles: Roles {
        url: &["URL"],
        host: &["URLDomain", "SNI", "DNSDomain", "DomainEDL"],
        // The text of an event in the system log.
        path: &["EventDescription"],
        address: &["DestinationAddress", "DNSResolverIP"],
        client: &["SourceAddress"],
        user: &["SourceUser", "SourceUserName"],
        stamp: &["TimeGenerated", "EventTime", "TimeReceived"],
        action: &["Action"],
        ..Roles::NONE
    },
    ..Dialect::DEFAULT
};

/// How sure it is that these are such records.
pub(crate) fn detect(input: &Input) -> u8 {
    let reader = Reader::new(&DIALECT, Stamps::of(input));
    let mut json = Json::new(reader.names());
    input.confidence(86, |line| {
        let values = object(line).and_then(|object| json.pick(object).ok());
        fit_of(&reader, values)
    })
}

/// The line from its first brace on, if JSON begins there. A brace after a comma or a
/// quote is part of a row's value.
pub(crate) fn object(line: &[u8]) -> Option<&[u8]> {
    let brace = scan::find_any(line, b"{,\"")?;
    let object = line.get(brace..).filter(|object| object[0] == b'{')?;
    let inside = object[1..].trim_ascii_start();
    inside.starts_with(b"\"").then_some(object)
}

/// Reads such records.
pub(crate) struct Records {
    reader: Reader,
    json: Json<FIELDS>,
}

impl Records {
    pub(crate) fn new(stamps: Stamps) -> Self {
        let reader = Reader::new(&DIALECT, stamps);
        Self {
            json: Json::new(reader.names()),
            reader,
        }
    }

    pub(crate) fn line(&mut self, object: &[u8], found: &mut Observations<'_>) -> Line {
        let Ok(values) = self.json.pick(object) else {
            return Line::Rejected("not a JSON object");
        };
        let contact = self.reader.contact(&values, None);
        contact.decoded(unescaped, |contact| {
            let (event, path) = (contact.path, &b""[..]);
            if contact.address.is_empty() && !event.is_empty() {
                return crate::push_event(event, contact, found);
            }
            Contact { path, ..contact }.push(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use vthost_plugin::testing;

    #[test]
    fn records_name_what_was_contacted() {
        let check = |fields: &str, expected: &str| {
            let line = format!(
                r#"{{"DeviceSN":"1","LogType":"X","TimeGenerated":"2024-05-01T12:00:00.000000Z","SourceAddress":"10.0.0.5",{fields}}}"#
            );
            assert_eq!(testing::detect::<crate::PaloAlto>(line.as_bytes()), 86);
            let parsed = testing::parse::<crate::PaloAlto>(line.as_bytes(), "{}").unwrap();
            let seen = &parsed.observations[0];
            assert_eq!(
                (seen.value.as_str(), seen.client.as_str()),
                (expected, "10.0.0.5")
            );
            // 2024-05-01T12:00:00Z.
            assert_eq!(seen.time_us, Some(1_714_564_800_000_000));
        };
        check(r#""URL":"www.example.com\/a""#, "www.example.com/a");
        check(r#""DestinationAddress":"192.0.2.10""#, "192.0.2.10");
        check(
            r#""DNSResolverIP":"192.0.2.53","ThreatName":null"#,
            "192.0.2.53",
        );
        check(
            r#""EventDescription":"DHCP RENEW: interface eth0, ip 10.0.0.5 netmask 255.255.255.0 dhcp server: 192.0.2.1""#,
            "192.0.2.1",
        );
    }
}
