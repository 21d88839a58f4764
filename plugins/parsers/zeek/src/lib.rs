//! Zeek's logs (http, dns, ssl, conn and whatever else has addresses),
//! tab-separated with a header or as JSON, also wrapped by the Kafka writer
//! (`{"http":{…}}`). See <https://docs.zeek.org/en/current/script-reference/log-files.html>.
//!
//! A later `#fields` line changes the columns, so rows between tabs are read in order.

use std::borrow::Cow;

use vthost_plugin::contact::{Contact, present};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{Columns, Json, unescaped};
use vthost_plugin::time::{DateOrder, Stamps};

struct Zeek {
    stamps: Stamps,
    /// The columns by the last `#fields` line. None if the head has no such line.
    columns: Option<Columns<9>>,
    json: Box<Json<13>>,
}

vthost_plugin::export_parser!(Zeek);

const FIELDS: [&str; 9] = [
    "ts",
    "id.orig_h",
    "id.resp_h",
    "method",
    "host",
    "uri",
    "query",
    "server_name",
    "id.resp_p",
];

/// The same, and two other ways to write the addresses.
const PATHS: [&str; 13] = [
    "ts",
    "id.orig_h",
    "id.resp_h",
    "method",
    "host",
    "uri",
    "query",
    "server_name",
    "id.resp_p",
    "id_orig_h",
    "id_resp_h",
    "id_resp_p",
    "id/orig_h",
];

/// A header is looked for in this many lines.
const HEADER_LINES: usize = 20;

impl LineParser for Zeek {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "zeek",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Zeek's logs, tab-separated or JSON",
            formats: vec![
                (
                    "zeek",
                    "Zeek logs (TSV, with the header)",
                    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi",
                ),
                (
                    "zeek-json",
                    "Zeek logs (JSON)",
                    r#"{"ts":1714564800.0,"uid":"C1","id.orig_h":"10.0.0.5","id.orig_p":51000,"id.resp_h":"192.0.2.10","id.resp_p":80,"method":"GET","host":"www.example.com","uri":"/"}"#,
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        if header(input).is_some_and(|header| header.windows(9).any(|part| part == b"id.orig_h")) {
            return 98;
        }
        let mut json = Json::new(PATHS);
        input.confidence(92, |line| match json.pick(unwrapped(line)) {
            Ok([ts, client, _, _, _, _, _, _, _, other, _, _, nested]) => {
                let has_client = [client, other, nested]
                    .iter()
                    .any(|field| !field.is_empty());
                Fit::from(!ts.is_empty() && has_client)
            }
            Err(_) => Fit::No,
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let header = header(input);
        let is_json = |line: &[u8]| line.trim_ascii_start().starts_with(b"{");
        if header.is_none() && !input.lines().any(is_json) {
            return Err("it has no #fields line, which names the columns".to_owned());
        }
        Ok(Self {
            stamps: Stamps::of(input),
            columns: header.map(columns_of),
            json: Box::new(Json::new(PATHS)),
        })
    }

    fn is_ordered(&self) -> bool {
        self.columns.is_some()
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        match (line.first(), &mut self.columns) {
            _ if line.trim_ascii().is_empty() => Line::Ignored("blank"),
            (Some(b'#'), _) => {
                if line.starts_with(b"#fields") {
                    self.columns = Some(columns_of(line));
                }
                Line::Ignored("header")
            }
            (Some(b'{'), _) | (_, None) => self.object(line, found),
            (_, Some(columns)) => {
                let fields = columns.pick(line);
                let is_escaped = memchr_backslash(fields[4])
                    || memchr_backslash(fields[5])
                    || memchr_backslash(fields[6]);
                if !is_escaped {
                    return push(&fields, self.stamps, found);
                }
                let texts = fields.map(unescaped_hex);
                push(&texts.each_ref().map(AsRef::as_ref), self.stamps, found)
            }
        }
    }
}

impl Zeek {
    fn object(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let Ok(values) = self.json.pick(unwrapped(line)) else {
            return Line::Rejected("not a JSON object");
        };
        let [
            ts,
            client,
            server,
            method,
            host,
            uri,
            query,
            name,
            port,
            other_client,
            other_server,
            other_port,
            nested,
        ] = values;
        let client = [client, other_client, nested]
            .into_iter()
            .find(|field| !field.is_empty());
        let either = |one, other: _| if <[u8]>::is_empty(one) { other } else { one };
        let texts = [
            ts,
            client.unwrap_or_default(),
            either(server, other_server),
            method,
            host,
            uri,
            query,
            name,
            either(port, other_port),
        ]
        .map(unescaped);
        push(&texts.each_ref().map(AsRef::as_ref), self.stamps, found)
    }
}

/// Adds the observation of a row; `fields` are [`FIELDS`].
#[inline]
fn push(fields: &[&[u8]; 9], stamps: Stamps, found: &mut Observations<'_>) -> Line {
    let [ts, client, server, method, host, uri, query, name, port] = fields.map(present);
    let time_us = vthost_plugin::time::epoch(ts).or_else(|| stamps.any(ts, DateOrder::MonthFirst));
    if time_us.is_none() {
        return Line::Rejected("no time in the ts column");
    }
    let contact = Contact {
        client,
        time_us,
        ..Contact::default()
    };
    match () {
        () if method == b"CONNECT" => Contact {
            host: uri,
            address: server,
            ..contact
        },
        () if !method.is_empty() => Contact {
            url: uri,
            host: if host.is_empty() { server } else { host },
            // Zeek takes it off the `Host` header.
            port,
            address: server,
            ..contact
        },
        // The address of a DNS record is the resolver's.
        () if !query.is_empty() => Contact {
            name: query,
            ..contact
        },
        // The name is the one that the client sent.
        () if !name.is_empty() => {
            return Contact {
                host: name,
                address: server,
                ..contact
            }
            .push_with_address(found);
        }
        () => Contact {
            host,
            address: server,
            ..contact
        },
    }
    .push(found)
}

/// The `#fields` line.
fn header(input: &Input) -> Option<&[u8]> {
    let mut lines = input.lines().take(HEADER_LINES);
    lines.find(|line| line.starts_with(b"#fields"))
}

fn columns_of(header: &[u8]) -> Columns<9> {
    Columns::unquoted(b'\t', names(header), FIELDS)
}

/// The columns of a `#fields` line.
fn names(header: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    header.split(|byte| *byte == b'\t').skip(1)
}

/// The object within `{"http":{…}}`.
fn unwrapped(line: &[u8]) -> &[u8] {
    let inner = || {
        let key = line.strip_prefix(b"{\"")?;
        let end = key
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')?;
        let value = key[end..].strip_prefix(b"\":")?.trim_ascii_start();
        let value = value.trim_ascii_end().strip_suffix(b"}")?;
        (value.starts_with(b"{") && value.ends_with(b"}")).then_some(value)
    };
    // `"id":{…}` first is no wrapper.
    if line.starts_with(b"{\"id\"") {
        line
    } else {
        inner().unwrap_or(line)
    }
}

fn memchr_backslash(field: &[u8]) -> bool {
    field.contains(&b'\\')
}

/// Zeek writes unprintable bytes as `\x2c`.
fn unescaped_hex(field: &[u8]) -> Cow<'_, [u8]> {
    if !memchr_backslash(field) {
        return field.into();
    }
    let mut text = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let escaped = match rest {
            [b'\\', b'x', high, low, ..] => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                text.push(high << 4 | low);
                rest = &rest[4..];
            }
            None => {
                text.push(*byte);
                rest = after;
            }
        }
    }
    text.into()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing::{self, Parsed};

    const HTTP: &str = "#separator \\x09\n#path\thttp\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi\n#types\ttime\tstring\taddr\tport\taddr\tport\tstring\tstring\tstring\n";

    fn parse(log: &str) -> Parsed {
        testing::parse::<Zeek>(log.as_bytes(), "{}").unwrap()
    }

    fn check(log: &str, expected: (&str, &str)) {
        let parsed = parse(log);
        let observed = &parsed.observations[0];
        assert_eq!((observed.kind, observed.value.as_str()), expected, "{log}");
        assert_eq!(observed.client, "10.0.0.5", "{log}");
        assert_eq!(observed.time_us, Some(1_714_564_800_250_000), "{log}");
    }

    #[test]
    fn columns_are_those_of_the_header() {
        let http = |method: &str, host: &str, uri: &str| {
            format!(
                "{HTTP}1714564800.250000\tC1\t10.0.0.5\t51000\t192.0.2.10\t80\t{method}\t{host}\t{uri}\n#close\t2024\n"
            )
        };
        check(
            &http("GET", "www.example.com", "/a"),
            ("url", "http://www.example.com/a"),
        );
        check(
            &http("GET", "www.example.com:8080", "/a\\x2cb"),
            ("url", "http://www.example.com:8080/a,b"),
        );
        check(
            &http("GET", "-", "http://www.example.org/a"),
            ("url", "http://www.example.org/a"),
        );
        check(
            &http("CONNECT", "www.example.org", "www.example.org:443"),
            ("domain", "www.example.org"),
        );
        check(&http("GET", "-", "/a"), ("url", "http://192.0.2.10/a"));
        check(&http("-", "-", "-"), ("ip", "192.0.2.10"));
    }

    #[test]
    fn dns_and_ssl_name_what_was_asked_for() {
        let rows = |column: &str, value: &str| {
            format!(
                "#fields\tts\tid.orig_h\tid.resp_h\t{column}\n1714564800.250000\t10.0.0.5\t192.0.2.53\t{value}\n"
            )
        };
        check(
            &rows("query", "www.example.com"),
            ("domain", "www.example.com"),
        );
        check(
            &rows("server_name", "www.example.com"),
            ("domain", "www.example.com"),
        );
        check(&rows("server_name", "-"), ("ip", "192.0.2.53"));
        assert_eq!(parse(&rows("query", "*\\x00\\x01")).ignored.len(), 2);
    }

    #[test]
    fn json_may_be_wrapped_and_name_addresses_otherwise() {
        let fields = r#""uid":"C1","method":"GET","host":"www.example.com","uri":"\/a""#;
        let url = ("url", "http://www.example.com/a");
        check(
            &format!(r#"{{"ts":1714564800.25,"id.orig_h":"10.0.0.5",{fields}}}"#),
            url,
        );
        check(
            &format!(r#"{{"ts":"2024-05-01T12:00:00.250Z","id_orig_h":"10.0.0.5",{fields}}}"#),
            url,
        );
        check(
            &format!(r#"{{"http": {{"ts":1714564800.25,"id.orig_h":"10.0.0.5",{fields}}}}}"#),
            url,
        );
        check(
            &format!(r#"{{"id":{{"orig_h":"10.0.0.5"}},"ts":1714564800.25,{fields}}}"#),
            url,
        );
    }

    #[test]
    fn later_header_changes_the_columns() {
        let parsed = parse(&format!(
            "{HTTP}1714564800.250000\tC1\t10.0.0.5\t51000\t192.0.2.10\t80\tGET\twww.example.com\t/a\n#fields\tts\tid.orig_h\tid.resp_h\tquery\n1714564800.250000\t10.0.0.6\t192.0.2.53\twww.example.org\n{{\"ts\":1714564800.25,\"id.orig_h\":\"10.0.0.7\",\"id.resp_h\":\"192.0.2.11\"}}\n"
        ));
        let found: Vec<_> = parsed
            .observations
            .iter()
            .map(|seen| (seen.value.as_str(), seen.client.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("http://www.example.com/a", "10.0.0.5"),
                ("www.example.org", "10.0.0.6"),
                ("192.0.2.11", "10.0.0.7")
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let parsed = parse(&format!("{HTTP}soon\tC1\n"));
        assert_eq!(
            parsed.rejected,
            [("no time in the ts column".to_owned(), 1)]
        );
        let headless = testing::parse::<Zeek>(b"1714564800.250000\tC1\n", "{}");
        assert!(headless.unwrap_err().contains("#fields"));
    }

    #[test]
    fn the_format_is_recognised() {
        let check = |log: &str, expected| {
            assert_eq!(testing::detect::<Zeek>(log.as_bytes()), expected, "{log}")
        };
        check(HTTP, 98);
        check("{\"ts\":1714564800.25,\"id.orig_h\":\"10.0.0.5\"}\n", 92);
        check("{\"ts\":1714564800.25,\"ip\":\"10.0.0.5\"}\n", 0);
        check("#Fields: date time\n", 0);
    }
}
