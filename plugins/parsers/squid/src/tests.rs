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
    // Where the columns stand otherwise, the client is the last address
    // before the result.
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
    check("", 0);
}
