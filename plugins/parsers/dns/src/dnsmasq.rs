//! dnsmasq and Pi-hole, whose FTL is built on it. The sentences were compared with
//! what dnsmasq 2.90 writes with `log-queries`, `extra` and `proto`.
//!
//! ```text
//! query[A] ads.example.com from 10.0.0.5
//! config ads.example.com is 0.0.0.0                            blocked by configuration
//! gravity blocked ads.example.com is 0.0.0.0                   blocked by Pi-hole
//! 12 10.0.0.5/51000 query[A] www.example.com from 10.0.0.5     extra: the client is in each line
//! ```
//!
//! Without `extra` the line of a block does not name the client; its query, the line
//! before, does. Lines are read independently, so that a file can be read in parts.

use vthost_plugin::parser::Action;
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

use crate::{Query, Report, begins, is_address};

/// How sentences begin that report no query.
const OTHER_SENTENCES: &[&str] = &[
    "forwarded ",
    "dnssec-query[",
    "dnssec-retry[",
    "validation ",
    "started",
    "compile time options",
    "using ",
    "reading ",
    "read ",
    "cleared cache",
    "exiting on",
    "time ",
    "cache size",
    "queries ",
    "pool memory",
    "child processes",
    "server ",
    "Host ",
    "---",
    "DNSSEC ",
    "DNS service",
    "ignoring ",
    "Ignoring ",
    "failed to ",
    "warning",
    "nameserver ",
    "reducing DNS packet size",
    "Maximum number",
    "inotify",
    "DHCP",
    "Apparent DNS retry",
    "asynchronous logging",
    "setting ",
    "cannot ",
    "not giving name",
    "duplicate ",
    "LOUD WARNING",
    "overflow",
    "Insecure DS reply",
    "DBus",
    "UBus",
    "connected to system",
    "script ",
    "router advertisement",
    "RTR-",
    "available DHCP",
    "sent ",
    "no servers found",
    "listening on ",
    "interface ",
    "Rate-limiting ",
];

/// The words before the name that state a block; Pi-hole's are in `FTL`'s
/// `dnsmasq_interface.c`, of versions 5 and 6.
const BLOCKS: &[&[u8]] = &[
    b"blocked",
    b"denied",
    b"blacklisted",
    b"special domain",
    b"Rate-limiting",
];

/// `May  1 12:00:00 dnsmasq[1]: …`, `dnsmasq: …` (`log-facility=-`).
pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    let header = Syslog::of(line, stamps);
    let sentence = match header.program {
        b"dnsmasq" | b"pihole-FTL" => header.message,
        b"dnsmasq-dhcp" | b"dnsmasq-tftp" | b"dnsmasq-script" => {
            return Some(Report::NoContact("of another service of dnsmasq"));
        }
        // OpenWrt's logread has the facility before the program.
        b"" => match after(header.message, b"dnsmasq[") {
            Some(rest) => after(rest, b"]: ")?,
            None if header.message.starts_with(b"query[") => header.message,
            None => return None,
        },
        _ => return None,
    };
    Some(of_sentence(sentence)?.at(header.time_us))
}

fn of_sentence(sentence: &[u8]) -> Option<Report<'_>> {
    let (client, sentence) = without_serial(sentence);
    if let Some(query) = asked(sentence) {
        return Some(query.into());
    }
    if let Some((before, value)) = split_once(sentence, b" is ") {
        return Some(answered(before, value, client));
    }
    if let Some(name) = sentence.strip_prefix(b"possible DNS-rebind attack detected: ") {
        return Some(blocked(name, client));
    }
    // Rows of the cache's dump are in columns.
    let is_row = || after(sentence, b"    ").is_some();
    let is_known = begins(sentence, OTHER_SENTENCES) || is_row();
    is_known.then_some(Report::NoContact("no query"))
}

/// The client of `12 10.0.0.5/51000 query…`, perhaps with `UDP` or `TCP` before it.
fn without_serial(sentence: &[u8]) -> (&[u8], &[u8]) {
    let rest = sentence
        .strip_prefix(b"UDP ")
        .or_else(|| sentence.strip_prefix(b"TCP "))
        .unwrap_or(sentence);
    let with_client = || {
        let (serial, rest) = split_once(rest, b" ")?;
        let (client, rest) = split_once(rest, b" ")?;
        let is_serial = !serial.is_empty() && serial.iter().all(u8::is_ascii_digit);
        (is_serial && client.contains(&b'/')).then(|| (until(client, b"/"), rest))
    };
    with_client().unwrap_or((b"", sentence))
}

/// `query[A] NAME from CLIENT`. A name may hold blanks.
fn asked(sentence: &[u8]) -> Option<Query<'_>> {
    let rest = sentence
        .strip_prefix(b"query[")
        .or_else(|| sentence.strip_prefix(b"auth["))?;
    let rest = after(rest, b"] ")?;
    let (name, client) = rsplit_once(rest, b" from ")?;
    Some(Query::new(name, until(client, b" ")))
}

fn rsplit_once<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).rposition(|part| part == mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// `SOURCE NAME is VALUE`: what the name was answered with, and by whom.
fn answered<'a>(before: &'a [u8], value: &'a [u8], client: &'a [u8]) -> Report<'a> {
    let name = before.rsplit(|byte| *byte == b' ').next().unwrap_or(before);
    let source = &before[..before.len() - name.len()];
    let is_refused = value.starts_with(b"REFUSED");
    let is_block = BLOCKS.iter().any(|word| contains(source, word))
        || value.starts_with(b"blocked ")
        || (source == b"config " && !is_refused && is_sink(value))
        || is_of_blocklist(source, value);
    match is_block {
        // The answer to a look-up of an address: `config 10.0.0.5 is NXDOMAIN`.
        true if !is_address(name) => blocked(name, client),
        _ => Report::NoContact("an answer"),
    }
}

fn blocked<'a>(name: &'a [u8], client: &'a [u8]) -> Report<'a> {
    Query::new(name, client).action(Action::Blocked).into()
}

/// Answers with which names are blocked.
fn is_sink(value: &[u8]) -> bool {
    matches!(
        until(value, b" "),
        b"0.0.0.0" | b"::" | b"127.0.0.1" | b"::1" | b"NXDOMAIN"
    )
}

/// `/etc/pihole/gravity.list NAME is …`: a name of a hosts file that lists what to block.
fn is_of_blocklist(source: &[u8], value: &[u8]) -> bool {
    let is_named = ["gravity", "black", "block", "deny"]
        .iter()
        .any(|word| contains(source, word.as_bytes()));
    source.starts_with(b"/") && (is_named || matches!(value, b"0.0.0.0" | b"::"))
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    after(text, word).is_some()
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::{Blocked, Unstated};

    use crate::tests::{check, ignored, observed};

    const NAME: &str = "www.example.com";

    fn line(sentence: &str) -> String {
        format!("May  1 12:00:00 dnsmasq[1]: {sentence}")
    }

    #[test]
    fn queries_name_the_client() {
        for sentence in [
            "query[A] www.example.com from 10.0.0.5",
            "query[type=65534] www.example.com from 10.0.0.5",
            "12 10.0.0.5/51000 query[HTTPS] www.example.com from 10.0.0.5",
            "UDP 12 10.0.0.5/51000 query[A] www.example.com from 10.0.0.5",
        ] {
            check(&line(sentence), (NAME, "10.0.0.5", Unstated));
            check(
                &format!("dnsmasq: {sentence}"),
                (NAME, "10.0.0.5", Unstated),
            );
        }
        let logread = "Wed May  1 12:00:00 2024 daemon.info dnsmasq[1]: query[A] www.example.com from 10.0.0.5";
        check(logread, (NAME, "10.0.0.5", Unstated));
        assert!(observed(logread).time_us.is_some());
    }

    #[test]
    fn blocks_are_stated_on_the_line_after_the_query() {
        for sentence in [
            "config www.example.com is 0.0.0.0",
            "config www.example.com is ::",
            "config www.example.com is 127.0.0.1",
            "config www.example.com is NXDOMAIN",
            "gravity blocked www.example.com is 0.0.0.0",
            "gravity blocked (CNAME) www.example.com is 0.0.0.0",
            "exactly denied www.example.com is NXDOMAIN",
            "regex blacklisted www.example.com is 0.0.0.0",
            "special domain www.example.com is NXDOMAIN",
            "blocked upstream with NULL address www.example.com is 0.0.0.0",
            "Rate-limiting www.example.com is REFUSED (EDE: blocked)",
            "reply www.example.com is blocked during CNAME inspection",
            "/etc/pihole/gravity.list www.example.com is 10.0.0.53",
            "/etc/hosts.ads www.example.com is 0.0.0.0",
            "possible DNS-rebind attack detected: www.example.com",
        ] {
            check(&line(sentence), (NAME, "", Blocked));
        }
        check(
            &line("12 10.0.0.5/51000 config www.example.com is 0.0.0.0"),
            (NAME, "10.0.0.5", Blocked),
        );
    }

    #[test]
    fn answers_and_messages_are_ignored() {
        for sentence in [
            "reply www.example.com is 192.0.2.10",
            "cached www.example.com is <CNAME>",
            "config www.example.com is NODATA",
            "config 10.0.0.5 is NXDOMAIN",
            "Rate-limiting 10.0.0.5 for at least 60 seconds",
            "config www.example.com is 10.0.0.80",
            "config error is REFUSED (EDE: not ready)",
            "/etc/hosts www.example.com is 10.0.0.80",
            "12 10.0.0.5/51000 forwarded www.example.com to 192.0.2.53#53",
            "started, version 2.90 cachesize 150",
            "using nameserver 192.0.2.53#53 for domain example.com",
            "www.example.com                192.0.2.10                               4F         Sun",
            "query[A] hello world from 10.0.0.5",
            "query[A] <name unprintable> from 10.0.0.5",
        ] {
            ignored(&line(sentence));
        }
    }
}
