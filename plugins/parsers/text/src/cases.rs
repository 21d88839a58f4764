//! Cases of the kinds that extractors of indicators are tested with elsewhere,
//! and what is expected of each.

use vthost_plugin::testing;

use crate::Text;

fn check(kind: &str, line: &str, expected: &[&str]) {
    let parsed = testing::parse::<Text>(line.as_bytes(), "{}").unwrap();
    let found: Vec<&str> = parsed
        .observations
        .iter()
        .map(|o| o.value.as_str())
        .collect();
    assert_eq!(found, expected, "{kind}: {line}");
}

#[test]
fn urls_end_where_people_end_them() {
    let url = "https://www.example.com";
    for end in [
        ".", "?", ">", "\"", "'", "`", ")", "!", ",", ";", ":", "]", ").", "),", "...", "\\",
    ] {
        check("punctuation", &format!("see {url}{end} then"), &[url]);
        let path = format!("{url}/a_(b)");
        check(
            "punctuation behind a path",
            &format!("see {path}{end} then"),
            &[&path],
        );
    }
    check(
        "html",
        r#"<a href="https://www.example.com/a#b" style="x;;">"#,
        &["https://www.example.com/a#b"],
    );
    check(
        "html",
        r#"<link href='http://fonts.example.com/css?family=A:400,700'/>"#,
        &["http://fonts.example.com/css?family=A:400,700"],
    );
    check(
        "markdown",
        "[text](https://www.example.com/a)",
        &["https://www.example.com/a"],
    );
    check(
        "double slash",
        "http://example.com//test",
        &["http://example.com//test"],
    );
    check(
        "a host with an underscore",
        "https://a_b.example.com/",
        &["https://a_b.example.com/"],
    );
    check(
        "hosts like addresses",
        "https://1.1.1.example.com:443 x",
        &["https://1.1.1.example.com:443"],
    );
}

#[test]
fn schemes_of_the_web_are_urls() {
    for scheme in ["http", "https", "ftp", "HTTP", "ws", "wss"] {
        let url = format!("{scheme}://example.com/t?a=q%20_#z");
        check("schemes", &url, &[&url]);
    }
    for other in [
        "file:///etc/passwd",
        "mailto://x",
        "about:blank",
        "data:text/html,x",
    ] {
        check("other schemes", other, &[]);
    }
    check(
        "without a scheme",
        "just example.org/test/a.php",
        &["example.org/test/a.php"],
    );
}

#[test]
fn defanged_indicators_are_refanged() {
    for written in [
        "hxxp://www.example.com/a",
        "hxxp://www[.]example[.]com/a",
        "hxxp[:]//www[.]example[.]com/a",
        "hxxp[://]www[.]example[.]com/a",
        "hXXp://www(.)example(.)com/a",
        "hxxp://www[dot]example[dot]com/a",
        "http://www{.}example{.}com/a",
        "http[:]//www.example.com/a",
    ] {
        check("urls", written, &["http://www.example.com/a"]);
    }
    for written in [
        "example[.]com",
        "example(.)com",
        "example[dot]com",
        "example(dot)com",
    ] {
        check("domains", written, &["example.com"]);
    }
    for written in ["192[.]0[.]2[.]10", "192.0.2[.]10", "192(.)0(.)2(.)10"] {
        check("addresses", written, &["192.0.2.10"]);
    }
}

#[test]
fn addresses_are_whole_and_valid() {
    check("alone", "192.0.2.10", &["192.0.2.10"]);
    check(
        "at the end of a sentence",
        "it was 192.0.2.10.",
        &["192.0.2.10"],
    );
    check("with a port", "192.0.2.10:8080", &["192.0.2.10"]);
    check("a network", "192.0.2.0/24", &["192.0.2.0"]);
    for other in [
        "2018.12.15.14.05.43",
        "111.12.15.14.05.43",
        "18.12.15.1411111111",
        "1112.15.14.05",
        "15.14.05.1112",
        "300.1.2.3",
        "1.2.3",
        "12:30:59",
        "00:00:5e:00:53:01",
        "a::b",
    ] {
        check("no addresses", other, &[]);
    }
    for address in [
        "2001:db8:85a3::8a2e:370:7334",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "2001:db8::1:0:0:1",
    ] {
        check("IPv6", &format!("from {address}, then"), &[address]);
    }
}

#[test]
fn names_need_a_top_level_domain() {
    for name in [
        "example.com",
        "EXAMPLE.com",
        "_jabber._tcp.example.com",
        "a-b.example.co.uk",
        "xn--bcher-kva.example",
    ] {
        check("domains", &format!("({name}) x"), &[name]);
    }
    for other in [
        "smtp.mailfrom",
        "setup.exe",
        "main.rs",
        "e.g.",
        "Name.Space.Class",
        "a..com",
        "...",
        "1.0.2k",
    ] {
        check("no domains", other, &[]);
    }
    check(
        "mail addresses name nothing that was contacted",
        "jane@example.com",
        &[],
    );
    check("IDN", "bücher.example.com", &["bücher.example.com"]);
    check(
        "several",
        "a.example.com,b.example.com;c.example.com",
        &["a.example.com", "b.example.com", "c.example.com"],
    );
    check(
        "key and value",
        "host=a.example.com src=192.0.2.10",
        &["a.example.com", "192.0.2.10"],
    );
}

#[test]
fn ports_users_referrers_and_agents_are_no_indicators() {
    check("BIND", "client @0x7f 10.0.0.5#53803 (x):", &["10.0.0.5"]);
    check(
        "Juniper",
        "10.0.0.5/51000->192.0.2.10/443 0x0",
        &["10.0.0.5", "192.0.2.10"],
    );
    check(
        "tcpdump",
        "IP 10.0.0.5.51000 > 192.0.2.10.443: Flags [S]",
        &["10.0.0.5", "192.0.2.10"],
    );
    check(
        "a user in a URL",
        "from http://jane:secret@www.example.com/a then",
        &["http://jane:secret@www.example.com/a"],
    );
    check(
        "an agent",
        "Mozilla/5.0 (compatible; x; +http://www.example.org/bot)",
        &[],
    );
    for key in [
        "referer=",
        "Referer: ",
        "Referrer: \"",
        "\"http_referer\":\"",
        "referer='",
    ] {
        check(
            "a referrer",
            &format!("{key}http://www.example.org/ x"),
            &[],
        );
    }
    check(
        "the word, no key",
        "referer http://www.example.org/ x",
        &["http://www.example.org/"],
    );
    check(
        "the device",
        "<30>May  1 12:00:05 192.0.2.250 app: saw 198.51.100.7",
        &["198.51.100.7"],
    );
    check(
        "a query without a scheme",
        "www.example.com/a?b=c",
        &["www.example.com/a?b=c"],
    );
}
