//! The common and combined log formats, and others with the time in brackets:
//! i-FILTER's and HAProxy's. A proxy's requests name the whole URL; a web
//! server's only its path, and there the client is the remote side.
//!
//! See <https://httpd.apache.org/docs/2.4/logs.html#accesslog>; i-FILTER Ver.10
//! feature manual, "7-6-2 Access log settings"; HAProxy configuration manual,
//! "8. Logging".

mod errors;
mod ifilter;
mod row;

use std::borrow::Cow;

use vthost_plugin::contact::{Contact, split_scheme};
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::scan;
use vthost_plugin::split::{after, split_once};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

use row::Row;

struct Combined {
    stamps: Stamps,
    /// Whether the first line is one of i-FILTER's. In other logs lines that look
    /// like its are read as what they are.
    is_ifilter: bool,
    /// Whether most requests of the head have a path and no whole URL.
    is_server: bool,
}

vthost_plugin::export_parser!(Combined);

impl LineParser for Combined {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "combined",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Common and combined log format of proxies (Squid, Olfeo) and web servers",
            formats: vec![
                (
                    "ifilter",
                    "i-FILTER and D-SPA access log (Digital Arts)",
                    "May  1 12:00:00 4872 1000/01/ - 192.0.2.10:443 10.0.0.5 10.0.0.5 - jane [01/May/2024:12:00:00 +0000] 200 0 1207 - 63 87 87/127/151 -1 0 1518 0 group01 - 0 - \"GET https://www.example.com/a HTTP/1.1\" - Chrome text%2Fhtml A667FEFF",
                ),
                (
                    "ifilter-block",
                    "i-FILTER block log (Digital Arts)",
                    "4582 10.0.0.5 jane group 7 01/May/2024:12:00:00 +0000 http://www.example.com/a block 43 3 99 28 0 -1 0 -",
                ),
                (
                    "haproxy",
                    "HAProxy (HTTP and TCP): the client is the remote side",
                    "May  1 12:00:00 lb haproxy[1]: 192.0.2.10:51000 [01/May/2024:12:00:00.000] fe be/srv1 0/0/5 212 -- 0/0/0/0/3 0/0",
                ),
                (
                    "combined-proxy",
                    "Combined log format of a proxy",
                    "10.0.0.5 - jane [01/May/2024:12:00:00 +0000] \"GET http://www.example.com/a HTTP/1.1\" 200 512 \"-\" \"curl/8.0\" TCP_MISS:HIER_DIRECT",
                ),
                (
                    "combined-server",
                    "Combined log format of a web server: the client is the remote side",
                    "192.0.2.10 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 512 \"-\" \"curl/8.0\"",
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let stamps = Stamps::of(input);
        input.confidence(82, |line| match () {
            () if line.trim_ascii().is_empty() => Fit::Neutral,
            () if ifilter::request(line).is_some() || haproxy_client(line).is_some() => Fit::Yes,
            () if connected(line).is_some() => Fit::Yes,
            () if errors::contact(line, stamps).is_some() => Fit::Yes,
            () => Fit::from(Row::read(line, stamps).is_some()),
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
            is_server: is_server(input),
            is_ifilter: input
                .lines()
                .find(|line| !line.is_empty())
                .is_some_and(|line| ifilter::request(line).is_some()),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        if self.is_ifilter
            && let Some(request) = ifilter::request(line)
        {
            return request.push(self.stamps, found);
        }
        match Row::read(line, self.stamps) {
            Some(row) => self.request(&row, found),
            None => self.other(line, found),
        }
    }
}

impl Combined {
    /// A request: a whole URL or a tunnel is what a proxy's client contacted. A path
    /// is a web server's, and so is a URL in a log of paths: somebody tried whether
    /// the server is a proxy.
    fn request(&self, row: &Row<'_>, found: &mut Observations<'_>) -> Line {
        let time_us = self.stamps.any(row.time, DateOrder::MonthFirst);
        let (method, target) = (unescaped(row.method), unescaped(row.target));
        let contact = Contact {
            client: row.client,
            user: row.user,
            time_us,
            action: row.action(),
            ..Contact::default()
        };
        match () {
            () if target.starts_with(b"error:") => Line::Ignored("no request"),
            () if self.is_server || row.is_load_balancer => row.remote(time_us).push(found),
            () if &*method == b"CONNECT" => Contact {
                host: tunnel(&target),
                ..contact
            }
            .push(found),
            // `https://www.example.com:443` is a tunnel in Olfeo's words.
            () if split_scheme(&target).is_some() => Contact {
                url: &target,
                ..contact
            }
            .push(found),
            () if target.starts_with(b"/") => row.remote(time_us).push(found),
            () => Line::Ignored("no request"),
        }
    }

    /// A line without a request in quotes after the time.
    fn other(&self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if let Some(request) = ifilter::request(line) {
            return request.push(self.stamps, found);
        }
        if let Some(contact) = errors::contact(line, self.stamps) {
            return contact.push(found);
        }
        let Some((address, time_us)) = self.load_balancer(line) else {
            return Line::Rejected("not client, time in brackets and request in quotes");
        };
        Contact {
            address: without_port(address),
            time_us,
            action: haproxy_action(line),
            ..Contact::default()
        }
        .push(found)
    }

    /// The client and the time of a line of HAProxy's.
    fn load_balancer<'a>(&self, line: &'a [u8]) -> Option<(&'a [u8], Option<i64>)> {
        match haproxy_client(line) {
            Some((client, time)) => Some((client, self.stamps.any(time, DateOrder::DayFirst))),
            None => Some((connected(line)?, Syslog::time_of(line, self.stamps))),
        }
    }
}

/// What HAProxy did with a request: the state at termination follows the two cookies,
/// `403 192 - - PR-- 1/1/0/0/0 0/0`. `PR` is a request that a rule denied, or one that
/// is invalid (400); `PT` one that was held up (`tarpit`).
fn haproxy_action(line: &[u8]) -> Action {
    let is_state = |word: &[u8]| matches!(word, [b'P', b'R' | b'T', b'-', b'-']);
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').take(MAX_STATE).collect();
    let status = words.windows(5).find_map(|words| match *words {
        [status, _, _, _, state] if is_state(state) => Some(status),
        _ => None,
    });
    match status {
        None | Some(b"400") => Action::Unstated,
        Some(_) => Action::Blocked,
    }
}

/// The words among which HAProxy's state is: after a header of syslog and the names of
/// frontend and server.
const MAX_STATE: usize = 24;

/// The client of HAProxy without a log option: `Connect from 192.0.2.10:51000 to
/// 203.0.113.1:443 (frontend/HTTP)`.
fn connected(line: &[u8]) -> Option<&[u8]> {
    let (client, rest) = split_once(after(line, b"Connect from ")?, b" to ")?;
    (rest.ends_with(b")") && !client.contains(&b' ')).then_some(client)
}

/// HAProxy always writes a port after the client, and an IPv6 address without
/// brackets: `2001:db8::1:51000`.
fn without_port(client: &[u8]) -> &[u8] {
    match client.iter().rposition(|byte| *byte == b':') {
        Some(colon) => &client[..colon],
        None => client,
    }
}

/// The client and the time of `192.0.2.10:51000 [01/May/2024:12:00:00.000]
/// frontend backend/server …`.
fn haproxy_client(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let open = find_from(line, 0, b'[').and_then(|first| match line.get(..first) {
        // `haproxy[1]: …` has brackets too.
        Some(before) if before.ends_with(b" ") => Some(first),
        _ => find_from(line, first + 1, b'['),
    })?;
    let close = find_from(line, open, b']')?;
    let client = line[..open]
        .trim_ascii_end()
        .rsplit(|byte| *byte == b' ')
        .next()?;
    let time = &line[open + 1..close];
    let is_time = time.iter().filter(|byte| **byte == b'/').count() == 2 && time.len() > 20;
    let names_ends = client.contains(&b':') && find_from(line, close, b'/').is_some();
    (is_time && names_ends).then_some((client, time))
}

/// Whether most requests of the head have a path and no whole URL.
fn is_server(input: &Input) -> bool {
    let stamps = Stamps::of(input);
    let rows = input.lines().filter_map(|line| Row::read(line, stamps));
    let (mut paths, mut all) = (0, 0);
    for row in rows {
        all += 1;
        paths += usize::from(row.target.starts_with(b"/"));
    }
    paths * 2 > all
}

/// The host of a tunnel: `www.example.com:443`, and as other programs have it:
/// `https://www.example.com:443`, `www.example.com:443/` (Traffic Server),
/// `http://www.example.com:443www.example.com:443` (varnishncsa).
fn tunnel(target: &[u8]) -> &[u8] {
    let host = split_scheme(target).map_or(target, |(_, rest)| rest);
    let host = &host[..scan::find(host, b'/').unwrap_or(host.len())];
    match host.split_at(host.len() / 2) {
        (first, second) if first == second => first,
        _ => host,
    }
}

/// A request as it was sent: `\xHH` (nginx, Apache, varnishncsa), `\"` and `\\` are
/// undone.
fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return text.into();
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, taken) = match (byte, after) {
            (b'\\', [b'x', high, low, ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => (high << 4 | low, 4),
                None => (byte, 1),
            },
            (b'\\', [escaped @ (b'"' | b'\\'), ..]) => (*escaped, 2),
            _ => (byte, 1),
        };
        plain.push(byte);
        rest = &rest[taken..];
    }
    plain.into()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

fn find_from(line: &[u8], from: usize, wanted: u8) -> Option<usize> {
    let rest = line.get(from..)?;
    Some(from + rest.iter().position(|byte| *byte == wanted)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    fn check(line: &str, expected: (&str, &str, &str)) {
        let parsed = testing::parse::<Combined>(line.as_bytes(), "{}").unwrap();
        let observed = &parsed.observations[0];
        let found = (
            observed.kind,
            observed.value.as_str(),
            observed.client.as_str(),
        );
        assert_eq!(found, expected, "{line}");
        // 2024-05-01T12:00:00Z.
        assert_eq!(observed.time_us, Some(1_714_564_800_000_000), "{line}");
        assert_eq!(testing::detect::<Combined>(line.as_bytes()), 82, "{line}");
    }

    #[test]
    fn haproxy_state_names_denied_requests() {
        let check = |rest: &str, action: Action| {
            let line = format!(
                "192.0.2.10:51000 [01/May/2024:12:00:00.000] fe fe/<NOSRV> 0/-1/-1/-1/0 {rest}"
            );
            let parsed = testing::parse::<Combined>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].action, action, "{rest}");
        };
        check(
            "403 192 - - PR-- 1/1/0/0/0 0/0 \"GET /a HTTP/1.1\"",
            Action::Blocked,
        );
        check(
            "500 192 - - PT-- 1/1/0/0/0 0/0 \"GET /a HTTP/1.1\"",
            Action::Blocked,
        );
        check(
            "400 192 - - PR-- 1/1/0/0/0 0/0 \"<BADREQ>\"",
            Action::Unstated,
        );
        check(
            "200 192 - - ---- 1/1/0/0/0 0/0 \"GET /a HTTP/1.1\"",
            Action::Unstated,
        );
    }

    #[test]
    fn traffic_server_ends_with_its_result() {
        let line = "10.0.0.5 - - [01/May/2024:12:00:00 -0000] \"CONNECT www.example.com/ HTTP/1.1\" 403 120 000 0 0 0 183 291 0 0 0 NONE FIN UNKNOWN ERR_PROXY_DENIED";
        let parsed = testing::parse::<Combined>(line.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations[0].action, Action::Blocked);
    }

    #[test]
    fn a_whole_url_is_a_proxys_and_a_path_a_servers() {
        for (name, _, example) in Combined::describe().formats {
            check(
                example,
                match name {
                    "ifilter" => ("url", "https://www.example.com/a", "10.0.0.5"),
                    "haproxy" | "combined-server" => ("ip", "192.0.2.10", ""),
                    _ => ("url", "http://www.example.com/a", "10.0.0.5"),
                },
            );
        }
        check(
            "192.0.2.10:51000 [01/May/2024:12:00:00.000] fe~ be/srv 0/0/0/5/5 200 7500 - - --VN 409/407/0/0/0 0/0 \"GET /a HTTP/1.1\"",
            ("ip", "192.0.2.10", ""),
        );
        check(
            "10.0.0.5 - - [05/01/2024 12:00:00] \"CONNECT www.example.com:443 HTTP/1.1\" 200 - - 1000 News",
            ("domain", "www.example.com", "10.0.0.5"),
        );
        check(
            "www.example.org:80 \"192.0.2.10, 10.0.0.1\" 10.2.1.1 - - [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
            ("ip", "192.0.2.10", ""),
        );
    }

    #[test]
    fn dates_of_numbers_are_read_as_the_input_writes_them() {
        let line = |date: &str| {
            format!(
                "10.0.0.5 - - [{date} 12:00:00] \"CONNECT www.example.com:443 HTTP/1.1\" 200 -\n"
            )
        };
        let check = |log: &str, expected: i64| {
            let parsed = testing::parse::<Combined>(log.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].time_us, Some(expected), "{log}");
        };
        // 2024-05-01T12:00:00Z and 2024-01-05T12:00:00Z.
        let (may, january) = (1_714_564_800_000_000, 1_704_456_000_000_000);
        check(&line("05/01/2024"), may);
        check(&line("01/05/2024"), january);
        check(&(line("01/05/2024") + &line("13/05/2024")), may);
    }

    fn values(line: &str) -> Vec<(String, String, String)> {
        let parsed = testing::parse::<Combined>(line.as_bytes(), "{}").unwrap();
        let seen = parsed.observations.into_iter();
        seen.map(|seen| (seen.value, seen.client, seen.user))
            .collect()
    }

    const TIME: &str = "[01/May/2024:12:00:00 +0000]";

    #[test]
    fn headers_and_virtual_hosts_are_no_clients() {
        for (head, client, user) in [
            (
                "<166>May  1 12:00:00 (squid-1)[1]: 10.0.0.5 - -",
                "10.0.0.5",
                "",
            ),
            (
                "May  1 12:00:00 gw squid: 10.0.0.5 - jane",
                "10.0.0.5",
                "jane",
            ),
            (
                "2024-05-01T12:00:00+00:00 gw squid: 2001:db8::5 - jane doe",
                "2001:db8::5",
                "jane doe",
            ),
            ("10.0.0.5 - 00:00:5e:00:53:01 jim", "10.0.0.5", "jim"),
            ("192.0.2.1:8113 10.0.0.5 - -", "10.0.0.5", ""),
            ("[2001:db8::1]:80 10.0.0.5 ident jane", "10.0.0.5", "jane"),
        ] {
            let line = format!("{head} {TIME} \"GET http://www.example.com/ HTTP/1.1\" 200 1");
            let expected = ("http://www.example.com/", client, user);
            let (value, found_client, found_user) = &values(&line)[0];
            assert_eq!(
                (value.as_str(), found_client.as_str(), found_user.as_str()),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn requests_are_read_to_their_end_and_without_escapes() {
        for (request, expected) in [
            (
                r#"GET http://www.example.com/a"b?c="d" HTTP/1.1"#,
                r#"http://www.example.com/a"b?c="d""#,
            ),
            (
                r#"GET http://www.example.com/a\"b HTTP/1.1"#,
                r#"http://www.example.com/a"b"#,
            ),
            (
                r"GET http://www.example.com/\xc3\xbc HTTP/1.1",
                "http://www.example.com/ü",
            ),
            ("CONNECT www.example.com:443/ HTTP/1.1", "www.example.com"),
            ("CONNECT [2001:db8::1]:443/ HTTP/1.1", "2001:db8::1"),
            (
                "CONNECT http://www.example.com:443www.example.com:443 HTTP/1.1",
                "www.example.com",
            ),
        ] {
            let line = format!(
                "10.0.0.5 - - {TIME} \"{request}\" 200 1 \"http://www.example.org/\" \"curl\""
            );
            assert_eq!(values(&line)[0].0, expected, "{request}");
        }
        for request in [
            "- error:invalid-request HTTP/1.1",
            "hello error:invalid-request HTTP/1.1",
            "Invalid request",
        ] {
            let line = format!("10.0.0.5 - - {TIME} \"{request}\" 400 0");
            assert_eq!(values(&line), [], "{request}");
        }
    }

    #[test]
    fn only_the_result_column_blocks() {
        let check = |path: &str, rest: &str, expected| {
            let line = format!(
                "10.0.0.5 - - {TIME} \"GET http://www.example.com/{path} HTTP/1.1\" {rest}"
            );
            let parsed = testing::parse::<Combined>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].action, expected, "{line}");
        };
        check("", "403 1 TCP_DENIED:HIER_NONE", Action::Blocked);
        check("", "403 1 NONE_NONE:HIER_NONE", Action::Blocked);
        check("", "403 1 TCP_MISS:HIER_DIRECT", Action::Allowed);
        check(
            "ACCESS_DENIED.html",
            "200 1 TCP_MISS:HIER_DIRECT",
            Action::Allowed,
        );
        check("ACCESS_DENIED.html", "200 1", Action::Allowed);
        check("", "403 1", Action::Unstated);
    }

    #[test]
    fn load_balancers_are_contacted_by_the_remote_side() {
        for (line, expected) in [
            (
                "May  1 12:00:00 lb haproxy[1]: 2001:db8::1:58340 [01/May/2024:12:00:00.294] fe~ be/s 0/0/0/9/9 200 8 - - ---- 1/1/0/0/0 0/0 \"GET https://www.example.org/ HTTP/2.0\"",
                "2001:db8::1",
            ),
            (
                "May  1 12:00:00 lb haproxy[1]: Connect from 192.0.2.10:48118 to 203.0.113.1:80 (fe/HTTP)",
                "192.0.2.10",
            ),
            (
                "192.0.2.10 - - [01/May/2024:12:00:00 +0000] \"GET https://www.example.org/ HTTP/2.0\" 200 9 \"\" \"\" 40001 120 \"web~\" \"app\" \"n1\" 0",
                "192.0.2.10",
            ),
            (
                "www.example.com - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 1",
                "www.example.com",
            ),
        ] {
            let found = values(line);
            assert_eq!(
                (found[0].0.as_str(), found[0].1.as_str()),
                (expected, ""),
                "{line}"
            );
        }
    }
}
