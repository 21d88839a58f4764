//! Rows of every kind through the parser.

use vthost_plugin::parser::Action;
use vthost_plugin::testing;

use crate::Squid;

fn row(target: &str) -> String {
    format!(
        "1714564800.123    161 10.0.0.5 TCP_MISS/200 4310 {target} - HIER_DIRECT/192.0.2.10 text/html\n"
    )
}

fn parse(line: &str) -> testing::Parsed {
    testing::parse::<Squid>(line.as_bytes(), "{}").unwrap()
}

#[test]
fn targets_become_indicators() {
    let check = |target: &str, kind: &str, value: &str| {
        let parsed = parse(&row(target));
        let observed = &parsed.observations[0];
        assert_eq!((observed.kind, observed.value.as_str()), (kind, value));
        assert_eq!(observed.client, "10.0.0.5");
        assert_eq!(observed.time_us, Some(1_714_564_800_123_000));
        assert_eq!(observed.action, Action::Allowed);
    };
    check(
        "GET http://www.example.com/a?b=c",
        "url",
        "http://www.example.com/a?b=c",
    );
    check(
        "GET http://www.example.com/a|b;c$d",
        "url",
        "http://www.example.com/a|b;c$d",
    );
    check(
        "GET http://www.example.com/a b c",
        "url",
        "http://www.example.com/a b c",
    );
    check(
        "GET ftp://ftp.example.com/f",
        "url",
        "ftp://ftp.example.com/f",
    );
    check("CONNECT www.example.com:443", "domain", "www.example.com");
    check("CONNECT 192.0.2.7:443", "ip", "192.0.2.7");
    check("CONNECT [2001:db8::1]:443", "ip", "2001:db8::1");
    check("CONNECT 2001:db8::1", "ip", "2001:db8::1");
    check(
        "GET ws://www.example.com/s",
        "url",
        "ws://www.example.com/s",
    );
    check(
        "CONNECT https://www.example.com:443",
        "domain",
        "www.example.com",
    );
}

#[test]
fn what_names_nothing_is_ignored_with_a_reason() {
    let check = |target: &str, reason: &str| {
        assert_eq!(
            parse(&row(target)).ignored,
            [(reason.to_owned(), 1)],
            "{target}"
        );
    };
    check(
        "NONE error:transaction-end-before-headers",
        "a request that Squid did not understand",
    );
    check(
        "NONE error:invalid-request",
        "a request that Squid did not understand",
    );
    check(
        "GET cache_object://localhost/counters",
        "a request to Squid itself",
    );
    check("GET -", "no target");
    check("GET urn:x:y", "no absolute URL");
    check("GET /index.html", "no absolute URL");
    check("GET http:///index.html", "no host");
    check("CONNECT :443", "no host");
}

#[test]
fn users_times_and_denials() {
    let line = "2024-05-01T12:00:00+02:00 5 2001:db8::5 TCP_DENIED/403 0 CONNECT x.example.com:443 CORP%5Cjane%20doe HIER_NONE/- text/html \"-\" \"curl/8.0 (x)\"";
    let parsed = parse(line);
    let observed = &parsed.observations[0];
    assert_eq!(observed.user, "CORP\\jane doe");
    assert_eq!(observed.client, "2001:db8::5");
    assert_eq!(observed.action, Action::Blocked);
    assert_eq!(observed.time_us, Some(1_714_557_600_000_000));
}

/// The columns have the same meaning whatever their widths are.
#[test]
fn heads_of_any_width_are_read() {
    let check = |head: &str, expected: Result<i64, &str>| {
        let line = row("GET http://www.example.com/");
        let parsed = parse(&line.replace("1714564800.123    161", head));
        let found = match parsed.observations.as_slice() {
            [seen] => {
                assert_eq!(seen.client, "10.0.0.5", "{head}");
                Ok(seen.time_us.unwrap())
            }
            _ => Err(parsed.rejected[0].0.as_str()),
        };
        assert_eq!(found, expected, "{head}");
    };
    // With other columns, the client is the last address before the result.
    for elapsed in [
        "     1", "    -1", "   161", "123456", "1234567", "161", "      9", "   1 1", "1   61",
        "   a61", "   16a", "      ",
    ] {
        let head = format!("1714564800.123 {elapsed}");
        check(&head, Ok(1_714_564_800_123_000));
    }
    check("1714564800.123456      1", Ok(1_714_564_800_123_456));
    check("1714564800.12       1", Ok(1_714_564_800_120_000));
    check("1714564800      1", Ok(1_714_564_800_000_000));
    check("1714564800.1231234567", Err("no time in the first column"));
    check("1714564800:123    161", Err("no time in the first column"));
    check("171456480a.123    161", Err("no time in the first column"));
}

#[test]
fn blanks_go_where_they_belong() {
    let line = row("GET http://www.example.com/a");
    let parsed = parse(&line.replace(" - HIER", " CN=Jane Doe,OU=our lab HIER"));
    let observed = &parsed.observations[0];
    assert_eq!(observed.value, "http://www.example.com/a");
    assert_eq!(observed.user, "CN=Jane Doe,OU=our lab");
    let parsed = parse(&line.replace(" - HIER", " jane ann doe HIER"));
    let observed = &parsed.observations[0];
    assert_eq!(observed.value, "http://www.example.com/a");
    assert_eq!(observed.user, "jane ann doe");
}

#[test]
fn denied_results_are_blocked() {
    let check = |result: &str, expected| {
        let parsed = parse(&row("GET http://www.example.com/").replace("TCP_MISS/200", result));
        assert_eq!(parsed.observations[0].action, expected, "{result}");
    };
    check("TCP_DENIED/403", Action::Blocked);
    check("TCP_DENIED/407", Action::Blocked);
    check("TCP_DENIED_REPLY/403", Action::Blocked);
    check("UDP_DENIED/000", Action::Blocked);
    check("TCP_CF_DENIED/403", Action::Blocked);
    check("NONE_DENIED/403", Action::Blocked);
    check("DENIED/403", Action::Blocked);
    check("TCP_MISS/403", Action::Allowed);
    check("TCP_TUNNEL/200", Action::Allowed);
    check("TCP_REFRESH_UNMODIFIED/304", Action::Allowed);
}

#[test]
fn columns_may_stand_in_another_order() {
    let line = "<134>May  1 12:00:00 wsa 1714564800.123 374.156 - 10.0.0.5 TCP_DENIED/403 298 CONNECT tunnel://www.example.com:443/ - - - - X";
    let parsed = parse(line);
    let observed = &parsed.observations[0];
    assert_eq!(
        (observed.value.as_str(), observed.client.as_str()),
        ("www.example.com", "10.0.0.5")
    );
    assert_eq!(observed.action, Action::Blocked);
    assert_eq!(observed.time_us, Some(1_714_564_800_123_000));
    let line = "2024-05-01T12:00:00.123Z jane 10.0.0.5 200 NONE TCP_MISS/200 298 GET http://www.example.com/a x";
    assert_eq!(
        parse(line).observations[0].value,
        "http://www.example.com/a"
    );
}

#[test]
fn other_lines_are_rejected() {
    let check = |line: &str, reason: &str| {
        assert_eq!(parse(line).rejected, [(reason.to_owned(), 1)], "{line}");
    };
    check("the rat the cat the dog chased killed", "too few columns");
    check(
        &row("GET http://example.com/").replace("1714564800.123", "yesterday"),
        "no time in the first column",
    );
}

#[test]
fn the_format_is_recognised() {
    let check =
        |log: &str, expected: u8| assert_eq!(testing::detect::<Squid>(log.as_bytes()), expected);
    let line = row("GET http://www.example.com/");
    check(&line, 95);
    check(&format!("cut off\n{}", line.repeat(9)), 95);
    check(
        "10.0.0.5 - - [01/May/2024:12:00:00 +0000] \"GET http://www.example.com/ HTTP/1.1\" 200 1 TCP_MISS:HIER_DIRECT\n",
        0,
    );
    check(
        "c-ip=10.0.0.5 cs-host=www.example.com cs-method=GET s-action=TCP_HIT c-url=\"http://www.example.com/\"\n",
        0,
    );
    check("", 0);
}

/// A layout given as squid.conf has it, with the codes of the native format and
/// without them.
#[test]
fn the_settings_take_a_logformat_line() {
    let check = |format: &str, line: &str, expected: (&str, &str, &str, Action)| {
        let settings = format!("{{\"logformat\":{format:?}}}");
        let parsed = testing::parse::<Squid>(line.as_bytes(), &settings).unwrap();
        let seen = &parsed.observations[0];
        let found = (
            seen.value.as_str(),
            seen.client.as_str(),
            seen.user.as_str(),
            seen.action,
        );
        assert_eq!(found, expected, "{line}");
        assert_eq!(seen.time_us, Some(1_714_564_800_000_000), "{line}");
    };
    let (url, client) = ("http://www.example.com/a b", "10.0.0.5");
    check(
        "logformat own [%tl] %>a:%>p %un \"%ru\" %Ss/%03>Hs %rm",
        "[01/May/2024:12:00:00 +0000] 10.0.0.5:51000 jane doe \"http://www.example.com/a b\" NONE_NONE/403 GET",
        (url, client, "jane doe", Action::Blocked),
    );
    check(
        "%tg|%>a|%rm|%>rs|%>rd|%>rP|%>rp|%Ss|%un",
        "01/May/2024:12:00:00|10.0.0.5|GET|http|www.example.com|80|/a b|TCP_MISS|-",
        (url, client, "", Action::Allowed),
    );
    let refused = |format: &str| {
        let settings = format!("{{\"logformat\":{format:?}}}");
        assert!(
            testing::parse::<Squid>(b"x\n", &settings).is_err(),
            "{format}"
        );
    };
    refused("%ts %>a");
    refused("%ts%ru");
    refused("%!");
}

#[test]
fn other_logs_of_squid_give_their_requests_or_nothing() {
    let referrer = "1714564800.123 10.0.0.5 http://www.example.org/ http://www.example.com/a";
    let parsed = parse(referrer);
    assert_eq!(parsed.observations.len(), 1);
    assert_eq!(parsed.observations[0].value, "http://www.example.com/a");
    for nothing in [
        "10.0.0.5 [01/May/2024:12:00:00 +0000] \"Mozilla/5.0 (+http://www.example.com/)\"",
        "1714564800.123 6 10.0.0.5 ICAP_ECHO/204 101 REQMOD icap://127.0.0.1:1344/echo - -/127.0.0.1 -",
    ] {
        let parsed = parse(nothing);
        assert_eq!(
            (parsed.observations.len(), parsed.ignored.len()),
            (0, 1),
            "{nothing}"
        );
    }
}

/// Squid ends a record at 8,191 bytes and writes a NUL byte for the line feed.
#[test]
fn a_cut_record_gives_its_host_and_the_next_one_its_url() {
    let first = row(&format!("GET http://www.example.com/{}", "a".repeat(9_000)));
    let next = row("GET http://www.example.org/b");
    let (cut, _) = first.split_at(8_190);
    let parsed = parse(&format!("{cut}\0{next}"));
    let values = parsed
        .observations
        .iter()
        .map(|seen| (seen.kind, seen.value.as_str()));
    let expected = [
        ("domain", "www.example.com"),
        ("url", "http://www.example.org/b"),
    ];
    assert_eq!(values.collect::<Vec<_>>(), expected);
}

#[test]
fn redirected_and_bumped_requests_are_blocked() {
    let check = |result: &str, expected| {
        let parsed = parse(&row("GET https://www.example.com/").replace("TCP_MISS/200", result));
        assert_eq!(parsed.observations[0].action, expected, "{result}");
    };
    check("NONE_NONE/403", Action::Blocked);
    check("TCP_REDIRECT/302", Action::Blocked);
    check("TCP_TUNNEL/500", Action::Allowed);
    check("NONE_NONE/200", Action::Allowed);
}

/// The value, the user and the action of each observation.
fn contacts(log: &str) -> Vec<(String, String, Action)> {
    let seen = parse(log).observations.into_iter();
    seen.map(|seen| (seen.value, seen.user, seen.action))
        .collect()
}

#[test]
fn server_name_beside_a_tunnel_to_an_address_is_contacted() {
    let log = "1714564800.123     88 10.0.0.5 TCP_TUNNEL/200 5311 CONNECT 192.0.2.10:443 www.example.com - ORIGINAL_DST/192.0.2.10 -\n\
               1714564801.123      0 10.0.0.5 NONE_NONE/403 3855 CONNECT 192.0.2.11:443 www.example.org - HIER_NONE/- text/html\n";
    let found = contacts(log);
    for (name, action) in [
        ("www.example.com", Action::Allowed),
        ("www.example.org", Action::Blocked),
    ] {
        assert!(
            found.contains(&(name.into(), String::new(), action)),
            "{found:?}"
        );
    }
    let users = "1714564800.123     88 10.0.0.5 TCP_TUNNEL/200 5311 CONNECT 192.0.2.10:443 jane.roe HIER_DIRECT/192.0.2.10 -\n";
    let expected = ("192.0.2.10".into(), "jane.roe".into(), Action::Allowed);
    assert_eq!(contacts(&users.repeat(3)), vec![expected; 3]);
}

#[test]
fn bump_mode_is_not_the_user() {
    use Action::{Allowed, Blocked};
    // The user, mode and server name after the URL; and the mode at the end.
    let before_hierarchy = "1714564800.123     30 10.0.0.5 TCP_MISS/200 259 GET http://www.example.com/a - none HIER_DIRECT/192.0.2.10 text/html\n\
                            1714564801.123     10 10.0.0.5 NONE_NONE/200 0 CONNECT www.example.net:443 - peek HIER_NONE/- -\n\
                            1714564802.123    102 10.0.0.5 TCP_TUNNEL/200 2209 CONNECT www.example.org:443 - splice HIER_DIRECT/192.0.2.30 -\n\
                            1714564803.123      1 10.0.0.5 NONE_NONE/200 0 CONNECT bad.example.org:443 - terminate HIER_NONE/- -\n";
    let at_end = "1714564800.123 10.0.0.5 jane GET http://www.example.com/a TCP_MISS/200 -\n\
                  1714564801.123 10.0.0.5 - CONNECT www.example.net:443 NONE_NONE/200 peek\n\
                  1714564802.123 10.0.0.5 - CONNECT www.example.org:443 TCP_TUNNEL/200 splice\n\
                  1714564803.123 10.0.0.5 - CONNECT bad.example.org:443 NONE_NONE/200 terminate\n";
    for (log, first_user) in [(before_hierarchy, ""), (at_end, "jane")] {
        let expected = [
            ("http://www.example.com/a", first_user, Allowed),
            ("www.example.net", "", Allowed),
            ("www.example.org", "", Allowed),
            ("bad.example.org", "", Blocked),
        ];
        let expected = expected.map(|(name, user, action)| (name.into(), user.into(), action));
        assert_eq!(contacts(log), expected, "{log}");
    }
}

#[test]
fn server_name_is_known_by_its_key() {
    let log = "time=1714564801.123 src=10.0.0.5 mode=peek sni=www.example.net method=CONNECT url=192.0.2.7:443 result=NONE_NONE/200 user=jane\n";
    let both = ["192.0.2.7", "www.example.net"];
    let expected = both.map(|value| (value.into(), "jane".into(), Action::Allowed));
    assert_eq!(contacts(log), expected);
}

#[test]
fn user_in_quotes_of_cisco_is_without_them() {
    let users = [r#""CORP\jane@REALM""#, r#""CORP\jane roe@REALM""#, r#""-""#];
    let expected = [r"CORP\jane@REALM", r"CORP\jane roe@REALM", ""];
    for (user, expected) in users.iter().zip(expected) {
        let line = row("TCP_CONNECT tunnel://www.example.com:443/");
        let found = contacts(&line.replace(" - HIER", &format!(" {user} HIER")));
        assert_eq!(found[0].1, expected, "{user}");
    }
}

#[test]
fn request_in_quotes_may_follow_seconds_since_1970() {
    let log = "1714564800 10.0.0.5 \"GET http://www.example.com/a HTTP/1.1\" 200 TCP_MISS:HIER_DIRECT \"jane\" \"curl/8.0\"\n\
               1714564801 10.0.0.5 \"CONNECT bad.example.org:443 HTTP/1.1\" 403 TCP_DENIED:HIER_NONE \"-\" \"-\"\n";
    let expected = [
        ("http://www.example.com/a", "jane", Action::Allowed),
        ("bad.example.org", "", Action::Blocked),
    ];
    let expected = expected.map(|(name, user, action)| (name.into(), user.into(), action));
    assert_eq!(contacts(log), expected);
}

#[test]
fn bars_may_have_blanks_around_them() {
    let log = "05/Mar/2026:05:02:11 +0100 | 10.0.0.5 | jane | GET | http://www.example.com/a | TCP_MISS/200 | 99 | HIER_DIRECT/192.0.2.10\n\
               05/Mar/2026:05:02:12 +0100 | 10.0.0.5 | - | CONNECT | www.example.org:443 | TCP_DENIED/403 | 99 | HIER_NONE/-\n";
    assert_eq!(
        contacts(log),
        [
            (
                "http://www.example.com/a".into(),
                "jane".into(),
                Action::Allowed
            ),
            ("www.example.org".into(), String::new(), Action::Blocked),
        ]
    );
}

#[test]
fn intercepted_tunnel_of_cisco_is_a_host() {
    let found = contacts(&row("TCP_CONNECT tunnel://www.example.com:443/"));
    assert_eq!(found[0].0, "www.example.com");
}
