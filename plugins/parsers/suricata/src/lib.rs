//! Suricata's `eve.json`, with or without a syslog prefix. See
//! <https://docs.suricata.io/en/latest/output/eve/eve-json-format.html>.

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::split::{Json, unescaped};
use vthost_plugin::time::{DateOrder, Stamps};

struct Suricata {
    stamps: Stamps,
    json: Json<14>,
}

vthost_plugin::export_parser!(Suricata);

const PATHS: [&str; 14] = [
    "timestamp",
    "event_type",
    "src_ip",
    "dest_ip",
    "alert/action",
    "http/hostname",
    "http/url",
    "tls/sni",
    "dns/rrname",
    "dns/queries/rrname",
    "dns/query/rrname",
    "dns/type",
    "quic/sni",
    "http/http_method",
];

impl LineParser for Suricata {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "suricata",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Suricata's eve.json",
            formats: vec![(
                "suricata",
                "Suricata eve.json",
                r#"{"timestamp":"2024-05-01T12:00:00.000000+0000","event_type":"tls","src_ip":"10.0.0.5","src_port":51000,"dest_ip":"192.0.2.10","dest_port":443,"proto":"TCP","tls":{"sni":"www.example.com","version":"TLS 1.3"}}"#,
            )],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let mut json = Json::new(PATHS);
        input.confidence(95, |line| {
            match object(line).map(|object| json.pick(object)) {
                Some(Ok([time, kind, client, ..])) => {
                    let is_stats = kind == b"stats";
                    Fit::from(
                        !time.is_empty() && !kind.is_empty() && (is_stats || !client.is_empty()),
                    )
                }
                _ => Fit::No,
            }
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
            json: Json::new(PATHS),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let Some(object) = object(line) else {
            return Line::Rejected("not a JSON object");
        };
        if let Ok(fields) = self.json.pick(object) {
            return push(fields, self.stamps, found);
        }
        // Syslog daemons cut long lines; what counts is mostly before the cut.
        let closed = closed(object);
        match closed.as_deref().map(|object| self.json.pick(object)) {
            Some(Ok(fields)) => push(fields, self.stamps, found),
            _ => Line::Rejected("not a JSON object"),
        }
    }
}

/// Adds what an event reports; `fields` are those of [`PATHS`].
fn push(fields: [&[u8]; PATHS.len()], stamps: Stamps, found: &mut Observations<'_>) -> Line {
    let [
        time,
        kind,
        source,
        destination,
        action,
        host,
        url,
        tls_name,
        name,
        names,
        old_name,
        message,
        quic_name,
        _method,
    ] = fields;
    // Some collectors leave out the kind of an alert.
    let is_alert = kind == b"alert" || (kind.is_empty() && !action.is_empty());
    if kind.is_empty() && !is_alert {
        return Line::Rejected("no event_type");
    }
    // A file and an answer come from the server.
    let is_from_server = kind == b"fileinfo"
        || (kind == b"dns"
            && message == b"answer"
            && is_private(destination)
            && !is_private(source));
    let (client, address) = if is_from_server {
        (destination, source)
    } else {
        (source, destination)
    };
    let contact = Contact {
        client,
        time_us: stamps.any(time, DateOrder::MonthFirst),
        action: match action {
            b"" => Action::Unstated,
            _ => action_of(action),
        },
        ..Contact::default()
    };
    if kind == b"dns" {
        let name = first([name, names, old_name]);
        return Contact { name, ..contact }.push(found);
    }
    if is_alert && !first([name, names, old_name]).is_empty() && host.is_empty() {
        // The destination of a question is the resolver.
        let name = first([name, names, old_name]);
        return Contact { name, ..contact }.push(found);
    }
    let url = unescaped(url);
    let is_web = !host.is_empty() || url.starts_with(b"http");
    let contact = Contact {
        url: if is_web { &url } else { b"" },
        host: first([host, tls_name, quic_name]),
        address,
        ..contact
    };
    // The name of a connection was chosen by the client.
    match kind {
        b"tls" | b"quic" => contact.push_with_address(found),
        _ if is_alert => contact.push_with_address(found),
        _ => contact.push(found),
    }
}

/// The first value that is there.
fn first<const N: usize>(values: [&[u8]; N]) -> &[u8] {
    let mut values = values.into_iter();
    values.find(|value| !value.is_empty()).unwrap_or_default()
}

/// The line from its first brace; a syslog header may precede it.
fn object(line: &[u8]) -> Option<&[u8]> {
    let brace = line.iter().position(|byte| *byte == b'{')?;
    Some(&line[brace..])
}

/// An object whose end is missing, cut back to its last whole member and closed:
/// `{"a":1,"b":{"c":2}}` of `{"a":1,"b":{"c":2,"d":"x`.
fn closed(cut: &[u8]) -> Option<Vec<u8>> {
    let (mut open, mut is_text, mut is_escaped) = (Vec::new(), false, false);
    let mut last = None;
    for (at, byte) in cut.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => _ = open.pop(),
            b',' => last = Some((at, open.len())),
            _ => {}
        }
    }
    // Brackets that were closed after the last comma are still open before it, but
    // then nothing was cut within them.
    let (end, depth) = last.filter(|(_, depth)| *depth <= open.len())?;
    let mut whole = cut[..end].to_vec();
    whole.extend(open[..depth].iter().rev());
    Some(whole)
}

/// The addresses of networks that are not routed (RFC 1918, RFC 4193).
fn is_private(address: &[u8]) -> bool {
    let text = str::from_utf8(address).unwrap_or_default();
    match text.parse() {
        Ok(std::net::IpAddr::V4(address)) => address.is_private(),
        Ok(std::net::IpAddr::V6(address)) => address.is_unique_local(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing::{self, Parsed};

    fn event(kind: &str, rest: &str) -> String {
        format!(
            r#"{{"timestamp":"2024-05-01T14:00:00.250000+0200","event_type":"{kind}","src_ip":"10.0.0.5","dest_ip":"192.0.2.10"{rest}}}"#
        )
    }

    fn parse(line: &str) -> Parsed {
        testing::parse::<Suricata>(line.as_bytes(), "{}").unwrap()
    }

    fn check(line: &str, expected: (&str, &str, Action)) {
        let parsed = parse(line);
        let observed = &parsed.observations[0];
        let (kind, value, action) = expected;
        assert_eq!(
            (observed.kind, observed.value.as_str()),
            (kind, value),
            "{line}"
        );
        assert_eq!(observed.action, action, "{line}");
        assert_eq!(observed.client, "10.0.0.5", "{line}");
        assert_eq!(observed.time_us, Some(1_714_564_800_250_000), "{line}");
    }

    #[test]
    fn events_name_what_was_contacted() {
        let unstated = Action::Unstated;
        check(
            &event(
                "http",
                r#","http":{"hostname":"www.example.com","url":"\/a?b=c","http_method":"GET"}"#,
            ),
            ("url", "http://www.example.com/a?b=c", unstated),
        );
        check(
            &event(
                "http",
                r#","http":{"hostname":"www.example.com","url":"http://www.example.org/a"}"#,
            ),
            ("url", "http://www.example.org/a", unstated),
        );
        check(
            &event(
                "alert",
                r#","tls":{"sni":"www.example.com"},"alert":{"action":"blocked"}"#,
            ),
            ("domain", "www.example.com", Action::Blocked),
        );
        check(&event("flow", ""), ("ip", "192.0.2.10", unstated));
        check(
            &event(
                "dns",
                r#","dns":{"type":"query","rrname":"www.example.com"}"#,
            ),
            ("domain", "www.example.com", unstated),
        );
        check(
            &event(
                "dns",
                r#","dns":{"version":3,"queries":[{"rrname":"www.example.com"}]}"#,
            ),
            ("domain", "www.example.com", unstated),
        );
        check(
            &format!("<14>May  1 12:00:00 ids suricata: {}", event("flow", "")),
            ("ip", "192.0.2.10", unstated),
        );
    }

    #[test]
    fn connections_and_alerts_have_the_address_too() {
        let check = |line: &str, expected: &[&str]| {
            let parsed = parse(line);
            let values = parsed.observations.iter().map(|seen| seen.value.as_str());
            assert_eq!(values.collect::<Vec<_>>(), expected, "{line}");
        };
        let both = ["www.example.com", "192.0.2.10"];
        check(&event("tls", r#","tls":{"sni":"www.example.com"}"#), &both);
        check(
            r#"{"timestamp":"2024-05-01T12:00:00.0+0000","src_ip":"10.0.0.5","dest_ip":"192.0.2.10","alert":{"action":"allowed"},"tls":{"sni":"www.example.com"}}"#,
            &both,
        );
        check(
            &event(
                "http",
                r#","http":{"hostname":"www.example.com","url":"/a"}"#,
            ),
            &["http://www.example.com/a"],
        );
    }

    #[test]
    fn file_is_observed_at_the_server() {
        let line = event(
            "fileinfo",
            r#","http":{"hostname":"www.example.com","url":"/f"}"#,
        );
        let swapped = line
            .replace("10.0.0.5", "x")
            .replace("192.0.2.10", "10.0.0.5")
            .replace("\"x\"", "\"192.0.2.10\"");
        check(
            &swapped,
            ("url", "http://www.example.com/f", Action::Unstated),
        );
    }

    #[test]
    fn fields_before_a_cut_are_read() {
        let whole = event(
            "alert",
            r#","alert":{"action":"allowed","severity":2},"http":{"hostname":"www.example.com","url":"/a"},"payload":"QUJD""#,
        );
        let (cut, _) = whole.split_at(whole.len() - 4);
        check(cut, ("url", "http://www.example.com/a", Action::Allowed));
        assert_eq!(
            closed(br#"{"a":1,"b":{"c":2,"d":"x"#).unwrap(),
            br#"{"a":1,"b":{"c":2}}"#
        );
    }

    #[test]
    fn an_alert_on_a_question_reports_the_name_alone() {
        let line = event(
            "alert",
            r#","alert":{"action":"allowed"},"dns":{"query":[{"type":"query","rrname":"www.example.com"}]}"#,
        );
        check(&line, ("domain", "www.example.com", Action::Allowed));
        assert_eq!(parse(&line).observations.len(), 1);
    }

    #[test]
    fn other_lines_are_counted_by_reason() {
        let parsed = parse(
            "{\"timestamp\":\"2024-05-01T12:00:00.0+0000\",\"event_type\":\"stats\",\"stats\":{}}\n\ntext\n{\"a\":1}\n{\"event_type\":\n",
        );
        assert_eq!(
            parsed.ignored.iter().map(|(_, count)| count).sum::<u32>(),
            2
        );
        assert_eq!(
            parsed.rejected,
            [
                ("not a JSON object".to_owned(), 2),
                ("no event_type".to_owned(), 1)
            ]
        );
    }

    #[test]
    fn the_format_is_recognised() {
        assert_eq!(
            testing::detect::<Suricata>(format!("{}\n", event("flow", "")).as_bytes()),
            95
        );
        assert_eq!(
            testing::detect::<Suricata>(b"{\"ts\":1,\"id.orig_h\":\"10.0.0.5\"}\n"),
            0
        );
    }
}
