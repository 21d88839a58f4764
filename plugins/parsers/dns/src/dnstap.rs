//! dnstap in one line for each message, as dnstap-ldns 0.2 and BIND 9.18's
//! `dnstap-read` write it.
//!
//! ```text
//! 2024-05-01 12:00:00.250000 CQ 10.0.0.5 UDP 56b "www.example.com." IN A        UTC
//! 01-May-2024 12:00:00.250 CQ 10.0.0.5:51000 -> 10.0.0.53:53 UDP 56b www.example.com/IN/A
//! ```
//!
//! The first letter names who speaks, the second is `Q`uery or `R`esponse.

use vthost_plugin::split::{after, split_once};
use vthost_plugin::time::{DateOrder, Stamps, iso8601};

use crate::{Query, Report, begins, is_address, is_class, without_port};

/// How lines of a message in full begin, as `dig` writes it.
const FULL: &[&str] = &[
    ";; ->>HEADER<<-",
    ";; flags: ",
    ";; OPT PSEUDOSECTION",
    ";; QUESTION SECTION",
    ";; ANSWER SECTION",
    ";; AUTHORITY SECTION",
    ";; ADDITIONAL SECTION",
    "; EDNS: ",
    "; COOKIE: ",
];

pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    if begins(line, FULL) || is_record(line) {
        return Some(Report::NoContact("part of a message in full"));
    }
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let (date, rest) = split_once(line, b" ")?;
    let (clock, rest) = split_once(rest, b" ")?;
    let &[speaker, b'Q' | b'R', b' ', ref rest @ ..] = rest else {
        return None;
    };
    let stamp = &line[..date.len() + 1 + clock.len()];
    let (query, time_us) = match date.get(4) {
        Some(b'-') => (quoted(rest)?, iso8601(stamp, 0)),
        _ => (slashed(rest)?, stamps.any(stamp, DateOrder::DayFirst)),
    };
    Some(of_speaker(speaker, query)?.at(Some(time_us?)))
}

/// Clients' and zone owners' messages are between a client and this server. What a
/// resolver asks for on the way is no client's contact; what a forwarder or a stub
/// passes on is one, and the address is the server's.
pub(crate) fn of_speaker(speaker: u8, query: Query<'_>) -> Option<Report<'_>> {
    match speaker {
        b'C' | b'A' | b'U' => Some(query.into()),
        b'R' => Some(Report::NoContact("a resolver's own query")),
        b'F' | b'S' | b'T' => Some(
            Query {
                client: b"",
                ..query
            }
            .into(),
        ),
        _ => None,
    }
}

/// `10.0.0.5 UDP 56b "NAME." IN A`.
fn quoted(rest: &[u8]) -> Option<Query<'_>> {
    let (head, rest) = split_once(rest, b" \"")?;
    let (name, rest) = split_once(rest, b"\" ")?;
    let class = rest.split(|byte| *byte == b' ').next()?;
    let client = head.split(|byte| *byte == b' ').next()?;
    is_class(class).then(|| Query::new(name, client))
}

/// `10.0.0.5:51000 -> 10.0.0.53:53 UDP 56b NAME/CLASS/TYPE`; an answer has `<-`. IPv6
/// addresses have no brackets, so the last colon is the port's.
fn slashed(rest: &[u8]) -> Option<Query<'_>> {
    let (client, rest) = split_once(rest, b" ")?;
    let rest = rest
        .strip_prefix(b"-> ")
        .or_else(|| rest.strip_prefix(b"<- "))?;
    let question = after(rest, b"b ")?;
    let mut parts = question.rsplitn(3, |byte| *byte == b'/');
    let (_kind, class, name) = (parts.next()?, parts.next()?, parts.next()?);
    let client = without_port(client, b':');
    (is_class(class) && is_address(client)).then(|| Query::new(name, client))
}

/// A record of a message in full, `www.example.com.⇥60⇥IN⇥A⇥192.0.2.10`, or its
/// question, `;www.example.com.⇥⇥IN⇥A`.
fn is_record(line: &[u8]) -> bool {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or_default();
    let (name, ttl, class) = (next(), next(), next());
    let is_number = || ttl.iter().all(u8::is_ascii_digit) && is_class(class);
    let is_question = || name.starts_with(b";") && is_class(ttl);
    name.ends_with(b".") && !ttl.is_empty() && (is_question() || is_number())
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::Unstated;

    use crate::tests::{check, ignored, observed};

    #[test]
    fn both_programs_name_the_client() {
        for (line, name, client) in [
            (
                "2024-05-01 12:00:00.250000 CQ 10.0.0.5 UDP 56b \"www.example.com.\" IN A",
                "www.example.com.",
                "10.0.0.5",
            ),
            (
                "2024-05-01 12:00:00.250000 CR 2001:db8::5 TCP 56b \"www.example.com.\" IN TYPE65",
                "www.example.com.",
                "2001:db8::5",
            ),
            (
                "01-May-2024 12:00:00.250 CQ 10.0.0.5:51000 -> 10.0.0.53:53 UDP 56b www.example.com/IN/A",
                "www.example.com",
                "10.0.0.5",
            ),
            (
                "01-May-2024 12:00:00.250 CR 2001:db8::5:51000 <- ::1:53 UDP 113b www.example.com/IN/HTTPS",
                "www.example.com",
                "2001:db8::5",
            ),
            (
                "2024-05-01 12:00:00.250000 FQ 192.0.2.53 UDP 56b \"www.example.com.\" IN A",
                "www.example.com.",
                "",
            ),
        ] {
            check(line, (name, client, Unstated));
            // 2024-05-01T12:00:00.250Z.
            assert_eq!(
                observed(line).time_us,
                Some(1_714_564_800_250_000),
                "{line}"
            );
        }
    }

    #[test]
    fn a_resolvers_own_queries_are_ignored() {
        for line in [
            "2024-05-01 12:00:00.250000 RQ 192.0.2.53 UDP 28b \".\" IN NS",
            "2024-05-01 12:00:00.250000 RR 192.0.2.53 UDP 71b \"example.com.\" IN A",
            ";; QUESTION SECTION:",
            ";www.example.com.\t\tIN\tA",
            "www.example.com.\t60\tIN\tA\t192.0.2.10",
        ] {
            ignored(line);
        }
    }
}
