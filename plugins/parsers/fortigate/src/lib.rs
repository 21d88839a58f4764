//! FortiGate and FortiProxy logs, `key=value`:
//!
//! ```text
//! date=2024-05-01 time=12:00:00 type="utm" subtype="webfilter" srcip=10.0.0.5 hostname="www.example.com" url="/" …
//! ```
//!
//! with any syslog prefix, separated by blanks or (`set format csv`) by commas.
//! See the FortiOS Log Message Reference,
//! <https://docs.fortinet.com/product/fortigate>.

use vthost_plugin::contact::{Contact, action_of, plausible_host};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{Pairs, glued, separator_of_pairs, unescaped, without_escapes};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct FortiGate {
    stamps: Stamps,
    fields: Fields,
}

/// The splitter of a row, whose pairs blanks or commas separate.
struct Fields {
    between_blanks: Pairs<19>,
    between_commas: Pairs<19>,
}

vthost_plugin::export_parser!(FortiGate);

const KEYS: [&str; 19] = [
    "date",
    "time",
    "tz",
    "eventtime",
    "type",
    "subtype",
    "srcip",
    "dstip",
    "user",
    "unauthuser",
    "action",
    "utmaction",
    "service",
    "hostname",
    "url",
    "dstname",
    "qname",
    "remip",
    "locip",
];

impl LineParser for FortiGate {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "fortigate",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "FortiGate and FortiProxy logs: traffic, web filter, DNS, application control",
            formats: vec![(
                "fortigate",
                "FortiGate and FortiProxy logs (key=value)",
                r#"date=2024-05-01 time=12:00:00 devname="FGT-1" type="utm" subtype="webfilter" tz="+0000" srcip=10.0.0.5 dstip=192.0.2.10 service="HTTPS" hostname="www.example.com" action="passthrough" url="/""#,
            )],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let mut fields = Fields::new();
        input.confidence(95, |line| {
            let wrapped = line.starts_with(b"{").then(|| unescaped(line));
            let line = wrapped.as_deref().unwrap_or(line);
            let [date, time, _, event_time, kind, subtype, ..] = fields.pick(line);
            // A relay may have taken the date for its own header's.
            let has_time = !event_time.is_empty() || !date.is_empty() || !time.is_empty();
            Fit::from(has_time && is_type(kind) && !subtype.is_empty())
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
            fields: Fields::new(),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        match line.trim_ascii_start().first() {
            None => Line::Ignored("blank"),
            // Collectors wrap rows in JSON: `{"message":"date=… msg=\\"x\\""}`.
            Some(b'{') => self.row(&unescaped(line), found),
            Some(_) => self.rows(line, found),
        }
    }
}

impl FortiGate {
    /// The rows of a line: a relay may have joined several.
    fn rows(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let mut rows = glued(line);
        let first = rows.next().unwrap_or(line);
        let mut read = self.row(first, found);
        for row in rows {
            if self.row(row, found) == Line::Record {
                read = Line::Record;
            }
        }
        read
    }

    fn row(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let [
            date,
            time,
            zone,
            event_time,
            kind,
            subtype,
            client,
            address,
            user,
            other_user,
            action,
            utm_action,
            scheme,
            host,
            url,
            name,
            query,
            remote,
            local,
        ] = self.fields.pick(line);
        if !is_type(kind) {
            return Line::Rejected("no FortiGate log type");
        }
        let own_us = stamp(self.stamps, [date, time, zone, event_time]);
        let time_us = own_us.or_else(|| Syslog::time_of(line, self.stamps));
        let acted = [utm_action, action]
            .into_iter()
            .find(|said| !said.is_empty());
        let user = decoded(if user.is_empty() { other_user } else { user });
        let contact = Contact {
            scheme,
            client,
            user: &user,
            time_us,
            action: action_of(acted.unwrap_or_default()),
            ..Contact::default()
        };
        let url = decoded(url);
        // A DNS record's address is the resolver, a traffic record's host name
        // may be the client's.
        match (kind, subtype) {
            (b"utm" | b"dns", b"dns") | (b"dns", _) => Contact {
                host: query,
                ..contact
            },
            // A tunnel's other end.
            (b"event", b"vpn") => Contact {
                address: remote,
                client: local,
                ..contact
            },
            (b"traffic", _) => Contact {
                url: &url,
                host: plausible_host(name).unwrap_or(host),
                address,
                ..contact
            },
            _ => Contact {
                url: &url,
                host: plausible_host(host).unwrap_or(name),
                address,
                ..contact
            },
        }
        .push(found)
    }
}

/// When it was written: in the log's own clock, whose zone the row names or
/// follows from the event's time, which counts from 1970. Without date and time
/// the event's.
fn stamp(stamps: Stamps, [date, time, zone, event_time]: [&[u8]; 4]) -> Option<i64> {
    const QUARTER_US: i64 = 15 * 60 * 1_000_000;
    /// No zone is further from UTC.
    const MOST_QUARTERS: i64 = 14 * 4;
    let written = stamps.of_fields(date, time, zone, DateOrder::MonthFirst);
    if event_time.is_empty() || (written.is_some() && !zone.is_empty()) {
        return written;
    }
    let event = stamps.any(event_time, DateOrder::MonthFirst);
    let (Some(local), Some(event)) = (written, event) else {
        return event.or(written);
    };
    let quarters = (local - event + QUARTER_US / 2).div_euclid(QUARTER_US);
    Some(match quarters.abs() <= MOST_QUARTERS {
        true => local - quarters * QUARTER_US,
        false => local,
    })
}

/// FortiOS writes `\"` and `\\` in quoted values.
fn decoded(value: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    without_escapes(value, br#"\""#)
}

impl Fields {
    fn new() -> Self {
        Self {
            between_blanks: Pairs::separated(b'=', b' ', KEYS),
            between_commas: Pairs::separated(b'=', b',', KEYS),
        }
    }

    fn pick<'a>(&mut self, row: &'a [u8]) -> [&'a [u8]; 19] {
        // `set format csv` has commas.
        match separator_of_pairs(row, b" ,") {
            Some(b',') => self.between_commas.pick(row),
            _ => self.between_blanks.pick(row),
        }
    }
}

fn is_type(kind: &[u8]) -> bool {
    matches!(
        kind,
        b"traffic"
            | b"utm"
            | b"event"
            | b"dns"
            | b"app-ctrl"
            | b"ips"
            | b"virus"
            | b"webfilter"
            | b"anomaly"
            | b"voip"
            | b"dlp"
            | b"emailfilter"
            | b"waf"
            | b"gtp"
            | b"ssh"
            | b"ssl"
            | b"cifs"
            | b"file-filter"
            | b"icap"
            | b"http"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    const HEAD: &str = r#"date=2024-05-01 time=14:00:00 devname="FGT-1" tz="+0200""#;

    fn check(line: &str, expected: (&str, &str, Action)) {
        let parsed = testing::parse::<FortiGate>(line.as_bytes(), "{}").unwrap();
        let observed = &parsed.observations[0];
        let (kind, value, action) = expected;
        assert_eq!(
            (observed.kind, observed.value.as_str()),
            (kind, value),
            "{line}"
        );
        assert_eq!(observed.action, action, "{line}");
        assert_eq!(observed.client, "10.0.0.5", "{line}");
        // 2024-05-01T12:00:00Z.
        assert_eq!(observed.time_us, Some(1_714_564_800_000_000), "{line}");
    }

    #[test]
    fn records_name_what_was_contacted() {
        check(
            &format!(
                r#"{HEAD} type="utm" subtype="webfilter" srcip=10.0.0.5 dstip=192.0.2.10 service="HTTPS" hostname="www.example.com" action="passthrough" url="/a b?c=d""#
            ),
            ("url", "https://www.example.com/a b?c=d", Action::Allowed),
        );
        check(
            &format!(
                r#"<189>{HEAD} type="utm" subtype="webfilter" srcip=10.0.0.5 dstip=192.0.2.10 service="HTTP" hostname="www.example.com" action="blocked" url="http://www.example.com/x""#
            ),
            ("url", "http://www.example.com/x", Action::Blocked),
        );
        check(
            &format!(
                r#"{HEAD} type="traffic" subtype="forward" srcip=10.0.0.5 hostname="PC-1" dstip=192.0.2.10 action="deny""#
            ),
            ("ip", "192.0.2.10", Action::Blocked),
        );
        check(
            &format!(
                r#"{HEAD} type="utm" subtype="dns" srcip=10.0.0.5 dstip=192.0.2.53 qname="www.example.org" action="pass""#
            ),
            ("domain", "www.example.org", Action::Allowed),
        );
        check(
            r#"eventtime=1714564800000000000 type="traffic" subtype="forward" srcip=10.0.0.5 dstip=2001:db8::1 dstname="www.example.net" action="close""#,
            ("domain", "www.example.net", Action::Allowed),
        );
        check(
            r#"date=2024-05-01,time=12:00:00,type="traffic",subtype="forward",srcip=10.0.0.5,dstip=192.0.2.1,action="accept""#,
            ("ip", "192.0.2.1", Action::Allowed),
        );
    }

    #[test]
    fn the_zone_follows_from_the_time_of_the_event() {
        let check = |fields: &str, expected: i64| {
            let row = format!(r#"{fields} type="traffic" subtype="forward" dstip=192.0.2.1"#);
            let parsed = testing::parse::<FortiGate>(row.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].time_us, Some(expected), "{fields}");
        };
        const NOON: i64 = 1_714_564_800_000_000;
        check("date=2024-05-01 time=05:00:00 eventtime=1714564798", NOON);
        check(
            "date=2024-05-01 time=21:00:00 eventtime=1714564802123456789",
            NOON,
        );
        check("date=2024-05-01 time=12:00:00 eventtime=1709208000", NOON);
        check("date=2024-05-01 time=12:00:00", NOON);
        check("eventtime=1714564800123456789", NOON + 123_456);
    }

    #[test]
    fn text_of_a_client_changes_nothing() {
        check(
            &format!(
                r#"{HEAD} type="utm" subtype="webfilter" srcip=10.0.0.5 dstip=192.0.2.10 service="HTTPS" hostname="www.example.com" action="passthrough" url="/log?x=1,time=2,type=3""#
            ),
            (
                "url",
                "https://www.example.com/log?x=1,time=2,type=3",
                Action::Allowed,
            ),
        );
        check(
            &format!(
                r#"{HEAD} type="utm" subtype="ips" srcip=10.0.0.5 dstip=192.0.2.10 service="HTTP" hostname="www.example.com" action="dropped" url="/a?b='alert("X")',t" direction="outgoing""#
            ),
            (
                "url",
                r#"http://www.example.com/a?b='alert("X")',t"#,
                Action::Blocked,
            ),
        );
        check(
            r#"devname="FGT 1",date=2024-05-01,time=12:00:00,type="traffic",subtype="forward",srcip=10.0.0.5,dstip=192.0.2.1,action="accept""#,
            ("ip", "192.0.2.1", Action::Allowed),
        );
    }

    #[test]
    fn backslash_of_a_user_is_escaped() {
        for user in [r"CORP\\jane", r"CORP\nick"] {
            let row =
                format!(r#"{HEAD} type="traffic" subtype="forward" dstip=192.0.2.1 user="{user}""#);
            let parsed = testing::parse::<FortiGate>(row.as_bytes(), "{}").unwrap();
            let expected = user.replace(r"\\", r"\");
            assert_eq!(parsed.observations[0].user, expected);
        }
    }

    #[test]
    fn time_of_the_header_is_that_of_a_row_without_a_date() {
        // rsyslog takes `date=…` for the program's name.
        let row = "<189>1 2024-05-01T12:00:00Z gw date=2024-05-01 - - -  time=12:00:00 type=\"traffic\" subtype=\"forward\" srcip=10.0.0.5 dstip=192.0.2.1 action=\"accept\"";
        check(row, ("ip", "192.0.2.1", Action::Allowed));
        let row = row.replace("date=2024-05-01 - - -  ", "- - - - ");
        check(&row, ("ip", "192.0.2.1", Action::Allowed));
        assert_eq!(testing::detect::<FortiGate>(row.as_bytes()), 95);
    }

    #[test]
    fn tunnels_and_wrapped_rows_are_read() {
        check(
            &format!(
                r#"{HEAD} type="event" subtype="vpn" action="negotiate" remip=192.0.2.10 locip=10.0.0.5"#
            ),
            ("ip", "192.0.2.10", Action::Unstated),
        );
        check(
            r#"{"message":"<188>date=2024-05-01 time=12:00:00 tz=\"+0000\" type=\"utm\" subtype=\"webfilter\" srcip=10.0.0.5 service=\"HTTPS\" hostname=\"www.example.com\" action=\"blocked\" url=\"/a\""}"#,
            ("url", "https://www.example.com/a", Action::Blocked),
        );
    }

    #[test]
    fn records_without_a_contact_are_ignored_with_a_reason() {
        let check = |line: &str, reason: &str| {
            let parsed = testing::parse::<FortiGate>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.ignored, [(reason.to_owned(), 1)], "{line}");
        };
        check(
            &format!(r#"{HEAD} type="event" subtype="system" srcip=10.0.0.5 msg="login""#),
            "names nothing that was contacted",
        );
        check(
            &format!(r#"{HEAD} type="utm" subtype="dns" srcip=10.0.0.5 dstip=192.0.2.53"#),
            "names nothing that was contacted",
        );
        check(" ", "blank");
    }

    #[test]
    fn the_format_is_recognised() {
        let line = format!("{HEAD} type=\"traffic\" subtype=\"local\"\n");
        assert_eq!(testing::detect::<FortiGate>(line.as_bytes()), 95);
        assert_eq!(testing::detect::<FortiGate>(b"type=traffic src=1\n"), 0);
    }
}
