//! Proxies and filters with their own formats of lines: squidGuard, e2guardian,
//! Privoxy, Dante, sslsplit, mitmproxy; and c-icap and Traffic Server's error log.
//!
//! Each program is a module with one function, and an entry of [`PROGRAMS`]. A line
//! is read by the first program that knows it.

mod dante;
mod e2guardian;
mod mitmproxy;
mod privoxy;
mod services;
mod squidguard;
mod sslsplit;

use vthost_plugin::contact::Contact;
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::without_percent;
use vthost_plugin::time::Stamps;

struct Proxies {
    stamps: Stamps,
}

vthost_plugin::export_parser!(Proxies);

/// What a line of a program is.
enum Read<'a> {
    Contact(Contact<'a>),
    /// A connection: the address was contacted, by the name that the record has.
    Connection(Contact<'a>),
    /// A line of a known kind that holds no contact.
    Nothing(&'static str),
}

/// Reads a line; nothing if it is another program's.
type Reader = for<'a> fn(&'a [u8], Stamps) -> Option<Read<'a>>;

/// Name, title and example of each format, and its reader.
const PROGRAMS: &[(&str, &str, &str, Reader)] = &[
    (
        "squidguard",
        "squidGuard's log: every request in it was blocked",
        "2024-05-01 12:00:00 [77] Request(default/ads/-) http://www.example.com/a 10.0.0.5/10.0.0.5 - GET REDIRECT",
        squidguard::read,
    ),
    (
        "e2guardian",
        "e2guardian's access.log, logfileformat 1, 2, 4, 5 and 6 (the default)",
        "1714564800.123\t\tjane\t10.0.0.5\t10.0.0.5\thttp://www.example.com/a\tGET\t200\t6\t-\tcurl\t-\t2\t-\t0\t-\t0\t-\tgroup\t1",
        e2guardian::read,
    ),
    (
        "privoxy",
        "Privoxy's log with debug 1 and 1024",
        "2024-05-01 12:00:00.123 7f1bbbd7b6c0 Request: www.example.com/a",
        privoxy::read,
    ),
    (
        "dante",
        "Dante's SOCKS log",
        "May 01 12:00:00 (1714564800.123456) danted[77]: info: pass(2): tcp/connect [: 10.0.0.5.40001 203.0.113.1.1080 -> 203.0.113.1.40001 192.0.2.10.443",
        dante::read,
    ),
    (
        "sslsplit",
        "sslsplit's connection log",
        "2024-05-01 12:00:00 UTC https 10.0.0.5 51000 192.0.2.10 443 www.example.com GET /a 200 6 sni:www.example.com names:www.example.com sproto:- dproto:- origcrt:- usedcrt:-",
        sslsplit::read,
    ),
    (
        "mitmproxy",
        "mitmdump's terminal output",
        "10.0.0.5:51000: GET http://www.example.com/a",
        mitmproxy::read,
    ),
    (
        "trafficserver-error",
        "Apache Traffic Server's error.log",
        "20240501.12h00m00s DNS Error: looking up http://www.example.com/a",
        services::traffic_server,
    ),
];

/// Logs that hold no contact at all; they are no formats that somebody looks for.
const SERVICES: &[Reader] = &[services::c_icap];

/// Name, title and example, as the description has them.
const FORMATS: [(&str, &str, &str); PROGRAMS.len()] = {
    let mut formats = [("", "", ""); PROGRAMS.len()];
    let mut place = 0;
    while place < PROGRAMS.len() {
        let (name, title, example, _) = PROGRAMS[place];
        formats[place] = (name, title, example);
        place += 1;
    }
    formats
};

fn read(line: &[u8], stamps: Stamps) -> Option<Read<'_>> {
    let programs = PROGRAMS.iter().map(|(.., reader)| reader);
    programs
        .chain(SERVICES)
        .find_map(|reader| reader(line, stamps))
}

impl LineParser for Proxies {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "proxies",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "squidGuard, e2guardian, Privoxy, Dante, sslsplit, mitmproxy",
            formats: FORMATS.to_vec(),
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let stamps = Stamps::of(input);
        input.confidence(90, |line| match line.trim_ascii() {
            b"" => Fit::Neutral,
            _ => Fit::from(read(line, stamps).is_some()),
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        match read(line, self.stamps) {
            Some(Read::Contact(contact)) => {
                let user = without_percent(contact.user);
                let contact = Contact {
                    user: &user,
                    ..contact
                };
                contact.push(found)
            }
            Some(Read::Connection(contact)) => contact.push_with_address(found),
            Some(Read::Nothing(reason)) => Line::Ignored(reason),
            None if line.trim_ascii().is_empty() => Line::Ignored("blank"),
            None => Line::Rejected("a line of no known program"),
        }
    }
}

/// A contact with what a proxy was asked for: a URL, or the `host:port` of a tunnel
/// that some write as a URL.
fn requested<'a>(target: &'a [u8], method: &[u8]) -> Contact<'a> {
    let tunnel = target.strip_prefix(b"https://").unwrap_or(target);
    if method == b"CONNECT" {
        return Contact {
            host: tunnel.strip_suffix(b"/").unwrap_or(tunnel),
            ..Contact::default()
        };
    }
    Contact {
        url: target,
        ..Contact::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    /// Value, client, user and action of the first observation, and its time.
    fn first(line: &str) -> Option<(String, String, String, Action, Option<i64>)> {
        let parsed = testing::parse::<Proxies>(line.as_bytes(), "{}").unwrap();
        let seen = parsed.observations.into_iter().next()?;
        Some((
            seen.value,
            seen.client,
            seen.user,
            seen.action,
            seen.time_us,
        ))
    }

    fn check(line: &str, expected: (&str, &str, &str, Action)) {
        let (value, client, user, action, _) = first(line).unwrap_or_else(|| panic!("{line}"));
        let found = (value.as_str(), client.as_str(), user.as_str(), action);
        assert_eq!(found, expected, "{line}");
    }

    const URL: &str = "http://www.example.com/a";
    use Action::{Allowed, Blocked, Unstated};

    #[test]
    fn examples_are_recognised_and_read() {
        for (name, _, example, _) in PROGRAMS {
            assert_eq!(testing::detect::<Proxies>(example.as_bytes()), 90, "{name}");
            let (value, _, _, _, time_us) = first(example).unwrap();
            assert!(
                value.contains("example.com") || value == "192.0.2.10",
                "{value}"
            );
            // 2024-05-01T12:00:00Z, and the fraction that the example has.
            let seconds = time_us.map(|time| time / 1_000_000);
            assert!(
                matches!(seconds, Some(1_714_564_800)) || *name == "mitmproxy",
                "{name}"
            );
        }
    }

    #[test]
    fn squidguard_blocks_what_it_logs() {
        let line = |rest: &str| format!("2024-05-01 12:00:00 [77] Request(default/ads/-) {rest}");
        let rest = "www.example.com:443 10.0.0.5/pc-5.example.org jane CONNECT REDIRECT";
        check(
            &line(rest),
            ("www.example.com", "10.0.0.5", "jane", Blocked),
        );
        check(
            &line("http://www.example.com/a 10.0.0.5/- - GET REDIRECT"),
            (URL, "10.0.0.5", "", Blocked),
        );
    }

    #[test]
    fn e2guardian_is_read_in_each_format() {
        let agent = "Mozilla/5.0 (compatible; +http://www.example.org/)";
        let denied = "*DENIED* Blocked site (local): www.example.com";
        let comma = |verdict: &str| {
            format!(
                "\"2024.05.01 12:00:00\",\"jane\",\"10.0.0.5\",\"{URL}\",\"{verdict}\",\"GET\",\"6\",\"0\",\"-\",\"1\",\"200\",\"-\",\"10.0.0.5\",\"group\",\"{agent}\",\"-\",\"-\",\"-\",\"-\""
            )
        };
        check(&comma("-"), (URL, "10.0.0.5", "jane", Allowed));
        check(&comma(denied), (URL, "10.0.0.5", "jane", Blocked));
        check(
            &comma("*TRUSTED* Site: x"),
            (URL, "10.0.0.5", "jane", Allowed),
        );
        let tabs = comma(denied).replace("\",\"", "\t").replace('"', "");
        check(&tabs, (URL, "10.0.0.5", "jane", Blocked));
        let six = |target: &str, verdict: &str| {
            format!(
                "1714564800.123\t\t-\t10.0.0.5\t10.0.0.5\t{target}\tCONNECT\t403\t0\t-\t{agent}\t-\t0\t-\t560\t{verdict}\t0\t-\tgroup\t1"
            )
        };
        check(
            &six("https://www.example.com:443", denied),
            ("www.example.com", "10.0.0.5", "", Blocked),
        );
        let one = |rest: &str| format!("2024.05.01 12:00:00 jane 10.0.0.5 {URL} {rest}");
        let ends = format!("200 - 10.0.0.5 group {agent} - - - -");
        check(
            &one(&format!("*DENIED* hw1: Blocked site: x GET 0 0 - 1 {ends}")),
            (URL, "10.0.0.5", "jane", Blocked),
        );
        check(
            &one(&format!("hw1: GET 6 0 - 1 {ends}")),
            (URL, "10.0.0.5", "jane", Allowed),
        );
        for line in [
            format!("2024.5.1 12:00:00 jane 10.0.0.5 {URL} hw1: GET 6 0 - 1 {ends}"),
            format!(
                "May  1 12:00:01 gw e2guardian[7]: {}",
                one(&format!("hw1: GET 6 0 - 1 {ends}"))
            ),
            format!("2024.5.1 12:00:00 jane 10.0.0.5 {URL}  GET 6 0  1 200 image/png   -"),
        ] {
            check(&line, (URL, "10.0.0.5", "jane", Allowed));
            let noon = Some(1_714_564_800_000_000);
            assert_eq!(first(&line).unwrap().4, noon, "{line}");
        }
        check(
            &format!(
                "2024.5.1 9:00:00 jane 10.0.0.5 {URL} *DENIED* Banned site: x GET 0 0 Ads 1 403 text/html   -"
            ),
            (URL, "10.0.0.5", "jane", Blocked),
        );
    }

    #[test]
    fn privoxy_logs_requests_without_client() {
        let line = |rest: &str| format!("2024-05-01 12:00:00.123 7fc2d778f6c0 {rest}");
        check(
            &line("Request: www.example.com/a"),
            ("www.example.com/a", "", "", Unstated),
        );
        check(
            &line("Request: www.example.com:443/"),
            ("www.example.com", "", "", Unstated),
        );
        check(
            &line("Request: [2001:db8::1]:443/"),
            ("2001:db8::1", "", "", Unstated),
        );
        check(
            &line("Request: jane:secret@www.example.com/a"),
            ("www.example.com/a", "", "", Unstated),
        );
        check(
            &line("Crunch: Blocked: http://www.example.com/a"),
            (URL, "", "", Blocked),
        );
        for nothing in [
            "Info: Privoxy version 3.0.34",
            "Crunch: DNS failure: http://www.example.com/a",
            "Request: config.privoxy.org/show-status",
        ] {
            assert_eq!(first(&line(nothing)), None, "{nothing}");
        }
    }

    #[test]
    fn dante_names_the_target_last() {
        let line =
            |rest: &str| format!("May 01 12:00:00 (1714564800.123456) danted[77]: info: {rest}");
        let ends = "10.0.0.5.59864 203.0.113.1.1080";
        check(
            &line(&format!(
                "pass(2): tcp/connect [: {ends} -> 203.0.113.1.59864 192.0.2.10.80"
            )),
            ("192.0.2.10", "10.0.0.5", "", Allowed),
        );
        check(
            &line(&format!(
                "pass(2): tcp/connect ]: 157 -> {ends} -> 84, 84 -> 203.0.113.1.59864 192.0.2.10.80 -> 157: local client closed.  Session duration: 0s"
            )),
            ("192.0.2.10", "10.0.0.5", "", Allowed),
        );
        check(
            &line(&format!(
                "block(1): tcp/connect ]: {ends} -> 0.0.0.0.0 www.example.com.80"
            )),
            ("www.example.com", "10.0.0.5", "", Blocked),
        );
        check(
            &line(&format!(
                "block(1): tcp/connect ]: {ends}: could not resolve hostname \"www.example.com\": Name or service not known"
            )),
            ("www.example.com", "10.0.0.5", "", Unstated),
        );
        check(
            &line(
                "pass(2): tcp/connect [: username%jane@10.0.0.5.51000 203.0.113.1.1080 -> 203.0.113.1.51000 192.0.2.10.80",
            ),
            ("192.0.2.10", "10.0.0.5", "jane", Allowed),
        );
        assert_eq!(
            first(&line(&format!("pass(1): tcp/accept [: {ends}"))),
            None
        );
    }

    #[test]
    fn sslsplit_has_the_address_beside_the_url() {
        let line = "2024-05-01 12:00:00 UTC http 10.0.0.5 51000 192.0.2.10 80 www.example.com GET /a 200 6";
        let parsed = testing::parse::<Proxies>(line.as_bytes(), "{}").unwrap();
        let values = parsed.observations.iter().map(|seen| seen.value.as_str());
        assert_eq!(values.collect::<Vec<_>>(), [URL, "192.0.2.10"]);
        check(
            "2024-05-01 12:00:00 UTC tcp 10.0.0.5 51000 192.0.2.10 8080",
            ("192.0.2.10", "10.0.0.5", "", Unstated),
        );
    }

    #[test]
    fn mitmproxy_writes_requests_and_connections() {
        check(
            "10.0.0.5:51000: GET http://www.example.com/a",
            (URL, "10.0.0.5", "", Unstated),
        );
        check(
            "[2001:db8::5]:51000: GET http://2001:db8::10/a HTTP/2.0",
            ("http://[2001:db8::10]/a", "2001:db8::5", "", Unstated),
        );
        check(
            "10.0.0.5:51000: GET http://www.example.com/aaaa\u{2026}",
            ("www.example.com", "10.0.0.5", "", Unstated),
        );
        check(
            "[12:00:00.123][10.0.0.5:51000] server connect www.example.com:80 (192.0.2.10:80)",
            ("www.example.com", "10.0.0.5", "", Unstated),
        );
        for nothing in [
            "             << 200 OK 6b",
            "[12:00:00.123][10.0.0.5:51000] client connect",
        ] {
            assert_eq!(first(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn services_of_the_proxy_itself_are_no_contacts() {
        let line = "01/May/2024:12:00:00 +0000, 127.0.0.1 127.0.0.1 REQMOD echo 204";
        let parsed = testing::parse::<Proxies>(line.as_bytes(), "{}").unwrap();
        assert_eq!((parsed.observations.len(), parsed.ignored.len()), (0, 1));
    }
}
