//! PowerDNS Recursor (`quiet=no`, structured or not) and dnsdist (verbose, or by
//! `LogAction` and `LogResponseAction`). Compared with versions 4.8 and 1.7.

use std::borrow::Cow;

use vthost_plugin::parser::Action;
use vthost_plugin::split::{after, split_once, unescaped, until};
use vthost_plugin::time::{Stamps, epoch};

use crate::{Query, Report, begins, message_of};

const PROGRAMS: [&[u8]; 3] = [b"pdns_recursor", b"pdns-recursor", b"dnsdist"];

/// How sentences begin that report no query. Both programs write most of them at start.
const OTHER_SENTENCES: &[&str] = &[
    "Got answer from ",
    "Got TCP connection from ",
    "Closing TCP client connection",
    "TCP connecting to downstream",
    "Marking downstream ",
    "Adding TCP Client thread",
    "Adding DoH Client thread",
    "Adding server to default pool",
    "Added downstream server ",
    "Listening on ",
    "Listening for UDP queries",
    "Listening for TCP queries",
    "Read configuration from '",
    "Response code '",
    "Error while retrieving the security update",
    "Not validating response for security",
    "Raised send buffer",
    "Raised receive buffer",
    "ACL allowing queries",
    "Console ACL allowing",
    "dnsdist ",
    "PowerDNS Recursor ",
    "PowerDNS comes with",
    "Loading RPZ from",
    "Done loading RPZ",
    "allow-from: ",
    "Will not send queries to: ",
    "Redirecting queries for zone",
    "Inserting rfc 1918 private",
    "Aggressive NSEC/NSEC3",
    "NOT using IPv6",
    "Enabled TCP data-ready",
    "Operating with single",
    "Failed to update root NS",
    "Refreshed . records",
    "stats: ",
];

pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    if let Some(fields) = structured(line) {
        return of_fields(fields);
    }
    let (bracketed_us, rest) = own_stamp(line).unwrap_or((None, line));
    let (message, sent_us) = message_of(rest, stamps, &PROGRAMS)?;
    let report = recursor(message).or_else(|| dnsdist(message)).or_else(|| {
        let is_known = begins(message, OTHER_SENTENCES);
        is_known.then_some(Report::NoContact("no query"))
    })?;
    Some(report.at(bracketed_us.or(sent_us)))
}

/// The fields from `msg="` on, if the subsystem follows. All values are in quotes, so
/// none can be taken for a field.
fn structured(line: &[u8]) -> Option<&[u8]> {
    let (_, fields) = split_once(line, b"msg=\"")?;
    after(fields, b"\" subsystem=\"").map(|_| fields)
}

/// `Question" … ts="1714564800.250" … qname="NAME" … remote="CLIENT:port"`.
fn of_fields(fields: &[u8]) -> Option<Report<'_>> {
    let Some(name) = field(fields, b" qname=\"") else {
        return Some(Report::NoContact("no query"));
    };
    let is_refused = field(fields, b" rcode=\"") == Some(b"5");
    let query = Query {
        name: unescaped(name),
        time_us: epoch(field(fields, b" ts=\"").unwrap_or_default()),
        ..Query::new(b"", field(fields, b" remote=\"").unwrap_or_default())
    };
    Some(query.action(refusal(is_refused)).into())
}

fn field<'a>(fields: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    Some(until(after(fields, mark)?, b"\""))
}

fn refusal(is_refused: bool) -> Action {
    match is_refused {
        true => Action::Blocked,
        false => Action::Unstated,
    }
}

/// `[1714564800.250000000] ` of dnsdist's LogAction.
fn own_stamp(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let (time, rest) = split_once(line.strip_prefix(b"[")?, b"] ")?;
    Some((Some(epoch(time)?), rest))
}

/// `1 [1/1] question for 'NAME|TYPE' from CLIENT:port`, which may be a `TCP question`.
/// An answer repeats the question without its client.
fn recursor(message: &[u8]) -> Option<Report<'_>> {
    let (before, rest) = split_once(message, b"question ")?;
    if before.ends_with(b"answer to ") || rest.starts_with(b"answered from packet cache") {
        return Some(Report::NoContact("an answer without client or name"));
    }
    let (question, client) = split_once(rest.strip_prefix(b"for '")?, b"' from ")?;
    Some(Query::new(name_of(question), client).into())
}

/// The name of `NAME|TYPE`.
fn name_of(question: &[u8]) -> &[u8] {
    match question.iter().rposition(|byte| *byte == b'|') {
        Some(bar) => &question[..bar],
        None => question,
    }
}

/// `Got query for NAME|TYPE from CLIENT:port (TCP, 58 bytes), relayed to BACKEND`,
/// `Packet from CLIENT:port for NAME. TYPE with id 1` and `Answer to CLIENT:port for
/// NAME. TYPE (Query Refused) with id 1`.
fn dnsdist(message: &[u8]) -> Option<Report<'_>> {
    if let Some(rest) = message
        .strip_prefix(b"Got query for ")
        .or_else(|| message.strip_prefix(b"Packet cache hit for query for "))
    {
        let (question, client) = split_once(rest, b" from ")?;
        return Some(Query::new(name_of(question), until(client, b" ,")).into());
    }
    let rest = message
        .strip_prefix(b"Packet from ")
        .or_else(|| message.strip_prefix(b"Answer to "))?;
    let (client, rest) = split_once(rest, b" for ")?;
    let name = Cow::Borrowed(until(rest, b" "));
    let is_refused = after(rest, b"(Query Refused)").is_some();
    let query = Query {
        name,
        ..Query::new(b"", client)
    };
    Some(query.action(refusal(is_refused)).into())
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::{Blocked, Unstated};

    use crate::tests::{check, ignored, observed};

    #[test]
    fn structured_lines_have_their_own_time() {
        let fields = r#"subsystem="syncres" level="0" ts="1714564800.250" proto="udp" qname="www.example.com" qtype="A""#;
        for (message, action) in [
            (
                format!(r#"msg="Question" {fields} remote="10.0.0.5:51000""#),
                Unstated,
            ),
            (
                format!(
                    r#"msg="Question answered from packet cache" {fields} remote="10.0.0.5:51000" source="10.0.0.5:51000""#
                ),
                Unstated,
            ),
            (
                format!(r#"msg="Answer" {fields} rcode="0" remote="10.0.0.5:51000""#),
                Unstated,
            ),
            (
                format!(r#"msg="Answer" {fields} rcode="5" remote="10.0.0.5:51000""#),
                Blocked,
            ),
        ] {
            for header in [
                "",
                "May 01 12:00:00 ",
                "May  1 12:00:00 ns pdns_recursor[1]: ",
            ] {
                let line = format!("{header}{message}");
                check(&line, ("www.example.com", "10.0.0.5", action));
                // 2024-05-01T12:00:00.250Z.
                assert_eq!(observed(&line).time_us, Some(1_714_564_800_250_000));
            }
        }
    }

    #[test]
    fn sentences_of_both_programs_name_the_client() {
        for (sentence, name) in [
            (
                "1 [1/1] question for 'www.example.com|A' from 10.0.0.5:51000",
                "www.example.com",
            ),
            (
                "1 [8/1] TCP question for 'www.example.com|AAAA' from 10.0.0.5:51000",
                "www.example.com",
            ),
            (
                "Got query for www.example.com|A from 10.0.0.5:51000, relayed to up",
                "www.example.com",
            ),
            (
                "Got query for www.example.com|A from 10.0.0.5:51000 (TCP, 58 bytes), relayed to up",
                "www.example.com",
            ),
            (
                "Packet from 10.0.0.5:51000 for www.example.com. A with id 1",
                "www.example.com.",
            ),
            (
                "Answer to 10.0.0.5:51000 for www.example.com. A (No Error) with id 1",
                "www.example.com.",
            ),
        ] {
            check(sentence, (name, "10.0.0.5", Unstated));
            check(
                &format!("May  1 12:00:00 ns dnsdist[1]: {sentence}"),
                (name, "10.0.0.5", Unstated),
            );
        }
        check(
            "May 01 12:00:00 1 [1/1] question for 'www.example.com|A' from 10.0.0.5:51000",
            ("www.example.com", "10.0.0.5", Unstated),
        );
        check(
            "[1714564800.250000000] Answer to [2001:db8::5]:51000 for www.example.com. A (Query Refused) with id 1",
            ("www.example.com.", "2001:db8::5", Blocked),
        );
    }

    #[test]
    fn answers_and_messages_are_ignored() {
        for sentence in [
            "Got answer from 192.0.2.53:53, relayed to 10.0.0.5:51000, took 364.1 usec",
            "Added downstream server 192.0.2.53:53",
            "Marking downstream up (192.0.2.53:53) as 'up'",
            "1 [1/1] answer to question 'www.example.com|A': 1 answers, rcode=0",
            "1 question answered from packet cache tag=0 from 10.0.0.5:51000",
            r#"msg="Listening for queries" subsystem="config" ts="1714564800.250" address="127.0.0.1:53""#,
            "Got query for a\\032b.example.com|A from 10.0.0.5:51000, relayed to up",
        ] {
            ignored(sentence);
        }
    }
}
