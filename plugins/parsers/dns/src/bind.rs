//! BIND (`named`) and appliances built on it (Infoblox, SOLIDserver). See "Logging"
//! in the BIND 9 Administrator Reference Manual; the sentences were compared with
//! what BIND 9.18 writes.
//!
//! ```text
//! 01-May-2024 12:00:00.250 queries: info: client @0x7f00 10.0.0.5#51000 (www.example.com): view v: query: www.example.com IN A + (10.0.0.53)
//! time, if print-time      category, severity    client            name asked for                  sentence
//! ```

use vthost_plugin::contact::plausible_name;
use vthost_plugin::parser::Action;
use vthost_plugin::scan::find;
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

use crate::{Query, Report, action_of_code, begins};

/// Categories whose lines report on queries.
const QUERY_CATEGORIES: &[&[u8]] = &[
    b"client",
    b"lame-servers",
    b"queries",
    b"query-errors",
    b"rate-limit",
    b"resolver",
    b"responses",
    b"infoblox-responses",
    b"rpz",
    b"rpz-passthru",
    b"security",
    b"update-security",
];

/// Categories whose lines report on the server itself, its zones and its peers.
const OTHER_CATEGORIES: &[&[u8]] = &[
    b"cname",
    b"config",
    b"database",
    b"default",
    b"delegation-only",
    b"dispatch",
    b"dnssec",
    b"dnstap",
    b"edns-disabled",
    b"general",
    b"network",
    b"notify",
    b"nsid",
    b"serve-stale",
    b"trust-anchor-telemetry",
    b"unmatched",
    b"update",
    b"xfer-in",
    b"xfer-out",
    b"zoneload",
];

/// How sentences about the server itself begin.
const SERVER_SENTENCES: &[&str] = &[
    "zone ",
    "managed-keys-zone",
    "all zones loaded",
    "running",
    "loading ",
    "loaded ",
    "reload",
    "listening on ",
    "no longer listening",
    "shutting down",
    "stopping ",
    "exiting",
    "rpz: ",
    "received ",
    "command channel",
    "sending notifies",
    "starting BIND",
    "built ",
    "compiled ",
    "linked to ",
    "using ",
    "generating ",
    "sizing zone",
    "set up managed keys",
    "automatic empty zone",
    "configuring command channel",
    "couldn't ",
    "could not ",
    "transfer of ",
    "limit ",
    "would limit ",
    "stop limiting ",
    "*limit ",
    "*stop limiting ",
    "closing dnstap",
    "opened dnstap",
    "adjusted limit",
    "found ",
    "BIND 9 is maintained",
    "Corporation.",
    "corporation.",
    "Support ",
    "---",
    "the working directory",
    "the key ",
    "resolver priming",
    "checkhints",
    "DHCP",
    "ARMING ",
    "DISARMING ",
    "dumping ",
    "flushing ",
    "freezing ",
    "thawing ",
    "any newly configured",
    "keymgr",
    "statistics ",
    "max open files",
    "none:",
    "isc_",
    "open: ",
];

/// How sentences about a client begin that ask for nothing, or that follow the
/// line of the query itself.
const CLIENT_SENTENCES: &[&str] = &[
    "received notify",
    "request has invalid signature",
    "signer ",
    "error sending response",
    "error ",
    "message parsing failed",
    "query iterations limit reached",
    "no matching view",
    "dropped",
];

/// `29-Nov-2026 00:32:20.087 …`, `May  1 12:00:00 ns named[1]: …`, `client …`.
pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    if let Some(stamp) = own_stamp(line, stamps)
        && let Some(report) = of_message(stamp.rest, stamp.is_of_bind)
    {
        return Some(report.at(stamp.time_us));
    }
    let header = Syslog::of(line, stamps);
    // Relays may put more than one host before the program.
    let relayed = match header.program {
        b"" => after(header.message, b" named[").and_then(|rest| after(rest, b"]: ")),
        _ => None,
    };
    let is_named = matches!(header.program, b"named" | b"dhcpd") || relayed.is_some();
    let message = match header.program {
        b"" => relayed.unwrap_or(header.message),
        b"named" | b"dhcpd" => header.message,
        label if !is_category(label) && !is_severity(label) => return None,
        // Without a header the category is in the program's place.
        _ if header.time_us.is_none() => line,
        _ => header.message,
    };
    // Infoblox writes its category before the stamp.
    let labelled = || label(message).filter(|(label, _)| is_category(label));
    let stamp = own_stamp(message, stamps).or_else(|| own_stamp(labelled()?.1, stamps));
    let stamp = stamp.unwrap_or(Stamp {
        time_us: header.time_us,
        is_of_bind: false,
        rest: message,
    });
    let report = of_message(stamp.rest, is_named || stamp.is_of_bind)?;
    Some(report.at(stamp.time_us))
}

/// The stamp before a message.
struct Stamp<'a> {
    time_us: Option<i64>,
    /// Whether it has a form that only BIND writes.
    is_of_bind: bool,
    rest: &'a [u8],
}

/// The stamp that `named` writes itself: `07-Apr-2022 08:08:10.043` (`print-time yes`)
/// or `2022-04-07T08:08:10.043` (`iso8601`).
fn own_stamp(text: &[u8], stamps: Stamps) -> Option<Stamp<'_>> {
    let (is_of_bind, end) = match text {
        [b'0'..=b'3', b'0'..=b'9', b'-', _, _, _, b'-', ..] => {
            (true, 12 + find(text.get(12..)?, b' ')?)
        }
        [b'1'..=b'2', _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => (false, find(text, b' ')?),
        _ => return None,
    };
    let time_us = stamps.any(&text[..end], DateOrder::DayFirst)?;
    Some(Stamp {
        time_us: Some(time_us),
        is_of_bind,
        rest: text[end..].trim_ascii_start(),
    })
}

/// Reads a message without its stamp. Sentences that name no client are read only if
/// it is certain that BIND wrote them.
fn of_message(message: &[u8], is_of_bind: bool) -> Option<Report<'_>> {
    let (category, rest) = label(message).unwrap_or((b"", message));
    let sentence = match label(rest) {
        Some((severity, sentence)) if is_severity(severity) => sentence,
        _ if is_severity(category) || is_category(category) => rest,
        _ => message,
    };
    if let Some((client, rest)) = client_of(sentence) {
        return of_client(client, rest);
    }
    let is_known = OTHER_CATEGORIES.contains(&category);
    let report = match is_of_bind || is_category(category) {
        true => of_server(sentence).or_else(|| of_server(message)),
        false => None,
    };
    report.or_else(|| is_known.then_some(Report::NoContact("about the server itself")))
}

/// `queries` and what follows of `queries: info: …`.
fn label(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b' ')))?;
    let rest = text[end..].strip_prefix(b": ")?;
    Some((&text[..end], rest))
}

fn is_category(label: &[u8]) -> bool {
    QUERY_CATEGORIES.contains(&label) || OTHER_CATEGORIES.contains(&label)
}

fn is_severity(label: &[u8]) -> bool {
    matches!(
        label,
        b"critical" | b"error" | b"warning" | b"notice" | b"info" | b"dynamic"
    ) || label.starts_with(b"debug ")
}

/// The client of `client @0x7f00 10.0.0.5#51000/key k (name): …`, without its port,
/// and what follows. A number may be glued to the word (`26914:client`).
fn client_of(sentence: &[u8]) -> Option<(&[u8], &[u8])> {
    let (word, rest) = split_once(sentence, b" ")?;
    if !word.ends_with(b"client") {
        return None;
    }
    let rest = match rest.strip_prefix(b"@") {
        Some(object) => after(object, b" ")?,
        None => rest,
    };
    let client = until(rest, b"# ");
    let rest = &rest[client.len()..];
    Some((client.strip_suffix(b":").unwrap_or(client), rest))
}

/// `#51000 (www.example.com): view v: query: www.example.com IN A …`, after the client.
fn of_client<'a>(client: &'a [u8], rest: &'a [u8]) -> Option<Report<'a>> {
    if let Some((before, query)) =
        split_once(rest, b"query: ").or_else(|| split_once(rest, b"answer: "))
        && (before.ends_with(b" ") || before.is_empty())
    {
        let code = after(query, b" response: ").or_else(|| after(query, b" -> "));
        let action = action_of_code(until(code.unwrap_or_default(), b" "));
        return Some(Query::new(until(query, b" "), client).action(action).into());
    }
    let (head, sentence) = split_once(rest, b": ")?;
    let sentence = without_view(sentence);
    policy(client, sentence)
        .or_else(|| denied(client, sentence))
        .or_else(|| failed(client, sentence))
        .or_else(|| limited(client, sentence))
        .or_else(|| zone(client, sentence))
        .or_else(|| {
            let is_known = begins(sentence, CLIENT_SENTENCES);
            is_known.then_some(Report::NoContact("no query, or follows a query"))
        })
        .or_else(|| Some(Query::new(asked(head)?, client).into()))
}

/// The name in brackets of `#51000 (www.example.com)`.
fn asked(head: &[u8]) -> Option<&[u8]> {
    let name = after(head, b" (")?.strip_suffix(b")")?;
    plausible_name(name)
}

fn without_view(sentence: &[u8]) -> &[u8] {
    let view = sentence.strip_prefix(b"view ");
    let rest = view.and_then(|view| after(view, b": "));
    rest.unwrap_or(sentence).trim_ascii_start()
}

/// `rpz QNAME NXDOMAIN rewrite NAME/TYPE/CLASS via RULE`: a response policy. With
/// `disabled` before it the policy was not applied.
fn policy<'a>(client: &'a [u8], sentence: &'a [u8]) -> Option<Report<'a>> {
    let (policy, rest) = split_once(sentence, b" rewrite ")?;
    let name = split_once(rest, b" via ").map_or(rest, |(name, _)| name);
    let action = match policy.rsplit(|byte| *byte == b' ').next()? {
        _ if policy.starts_with(b"disabled ") => Action::Unstated,
        b"PASSTHRU" => Action::Allowed,
        b"NXDOMAIN" | b"NODATA" | b"DROP" | b"Local-Data" | b"CNAME" => Action::Blocked,
        _ => Action::Unstated,
    };
    Some(Query::new(without_type(name), client).action(action).into())
}

/// `query (cache) 'NAME/TYPE/CLASS' denied`, `zone transfer 'NAME/AXFR/IN' denied`,
/// `update 'NAME/IN' denied`.
fn denied<'a>(client: &'a [u8], sentence: &'a [u8]) -> Option<Report<'a>> {
    if !begins(sentence, &["query ", "zone transfer ", "update "]) {
        return None;
    }
    let (before, _) = split_once(sentence, b"' denied")?;
    let name = without_type(after(before, b"'")?);
    Some(Query::new(name, client).action(Action::Blocked).into())
}

/// `query failed (REFUSED) for NAME/CLASS/TYPE at query.c:5425`.
fn failed<'a>(client: &'a [u8], sentence: &'a [u8]) -> Option<Report<'a>> {
    let rest = sentence.strip_prefix(b"query failed (")?;
    let (code, rest) = split_once(rest, b") for ")?;
    let name = without_type(until(rest, b" "));
    Some(Query::new(name, client).action(action_of_code(code)).into())
}

/// `rate limit drop response to 10.0.0.0/24 for NAME IN A  (ed5df78a)`; a `slip` is
/// a truncated answer, after which the client asks again by TCP.
fn limited<'a>(client: &'a [u8], sentence: &'a [u8]) -> Option<Report<'a>> {
    let rest = sentence.strip_prefix(b"rate limit ")?;
    let Some(name) = after(rest, b" for ") else {
        return Some(Report::NoContact("a limit without a name"));
    };
    let action = match rest.starts_with(b"drop ") {
        true => Action::Blocked,
        false => Action::Unstated,
    };
    Some(Query::new(until(name, b" "), client).action(action).into())
}

/// `updating zone 'NAME/IN': …` and `transfer of 'NAME/IN': AXFR started`, which a
/// client asked for. Transfers of reverse zones are between servers.
fn zone<'a>(client: &'a [u8], sentence: &'a [u8]) -> Option<Report<'a>> {
    let updated = sentence.strip_prefix(b"updating zone '");
    let transferred = || sentence.strip_prefix(b"transfer of '");
    let name = until(updated.or_else(transferred)?, b"/'");
    if updated.is_none() && name.ends_with(b".arpa") {
        return Some(Report::NoContact("a transfer of a reverse zone"));
    }
    Some(Query::new(name, client).into())
}

/// Sentences that name no client as such.
fn of_server(sentence: &[u8]) -> Option<Report<'_>> {
    let sentence = without_view(sentence);
    if let Some(rest) = after(sentence, b"List Matched ") {
        let name = after(rest, b"query: ")?;
        return Some(Query::new(until(name, b" "), until(rest, b"#")).into());
    }
    if let Some(zone) = sentence.strip_prefix(b"transfer of '")
        && let Some(report) = ended_transfer(until(zone, b"/'"), sentence)
    {
        return Some(report);
    }
    if let Some(query) = resolving(sentence) {
        return Some(query.into());
    }
    let is_known = begins(sentence, SERVER_SENTENCES);
    is_known.then_some(Report::NoContact("about the server itself"))
}

/// `transfer of 'NAME/IN' from 192.0.2.53#53: Transfer status: success`.
fn ended_transfer<'a>(name: &'a [u8], sentence: &'a [u8]) -> Option<Report<'a>> {
    after(sentence, b": Transfer status: ")?;
    let peer = until(after(sentence, b"' from ")?, b"#");
    (!name.ends_with(b".arpa")).then(|| Query::new(name, peer).into())
}

/// `… resolving 'NAME/TYPE/CLASS': …`, `DNS format error from A resolving NAME/TYPE
/// for CLIENT#port: …`, `validating NAME/TYPE: …`: troubles with a name that was
/// asked for.
fn resolving(sentence: &[u8]) -> Option<Query<'_>> {
    if let Some(rest) = after(sentence, b"DNS format error ") {
        let name = after(rest, b"resolving ")?;
        let client = after(name, b" for ").map(|rest| until(rest, b"#"));
        return Some(Query::new(until(name, b"/"), client.unwrap_or_default()));
    }
    let name = after(sentence, b" resolving '")
        .or_else(|| sentence.strip_prefix(b"resolving '"))
        .or_else(|| sentence.strip_prefix(b"validating "))?;
    Some(Query::new(until(name, b"/'"), b""))
}

/// `a/b.example.com` of `a/b.example.com/A/IN` and of `…/IN`: a slash may be part of
/// the name, so type and class are taken off from the right.
fn without_type(name: &[u8]) -> &[u8] {
    let mut rest = name;
    for _ in 0..2 {
        match rest.iter().rposition(|byte| *byte == b'/') {
            Some(slash) if !rest[slash + 1..].contains(&b'.') => rest = &rest[..slash],
            _ => break,
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::{Allowed, Blocked, Unstated};

    use crate::tests::{check, ignored, observed};

    /// 2024-05-01T12:00:00.250Z.
    const NOON_US: i64 = 1_714_564_800_250_000;
    const CLIENT: &str = "client @0x7f00 10.0.0.5#51000 (www.example.com)";

    #[test]
    fn every_prefix_is_understood() {
        let query = format!("{CLIENT}: query: www.example.com IN A +E(0)K (10.0.0.53)");
        for (prefix, time_us) in [
            ("", None),
            ("info: ", None),
            ("queries: ", None),
            ("queries: info: ", None),
            ("01-May-2024 12:00:00.250 ", Some(NOON_US)),
            ("01-May-2024 12:00:00.250 queries: info: ", Some(NOON_US)),
            ("2024-05-01T12:00:00.250 ", Some(NOON_US)),
            ("2024-05-01T12:00:00.250Z queries: debug 3: ", Some(NOON_US)),
            ("2024-05-01T14:00:00.25+02:00 ns named[1]: ", Some(NOON_US)),
            (
                "May  3 12:00:00 ns named[1]: 01-May-2024 12:00:00.250 ",
                Some(NOON_US),
            ),
            (
                "May  3 12:00:00 ns 10.0.0.53 named[1]: infoblox-responses: 01-May-2024 12:00:00.250 ",
                Some(NOON_US),
            ),
            (
                "<30>1 2024-05-01T12:00:00.25Z ns named 1 - - queries: info: ",
                Some(NOON_US),
            ),
        ] {
            let line = format!("{prefix}{query}");
            check(&line, ("www.example.com", "10.0.0.5", Unstated));
            assert_eq!(observed(&line).time_us, time_us, "{prefix}");
        }
    }

    #[test]
    fn the_client_comes_in_several_forms() {
        for (client, expected) in [
            ("client 10.0.0.5#51000", "10.0.0.5"),
            ("client 10.0.0.5#51000 (www.example.com)", "10.0.0.5"),
            ("26914:client 10.0.0.5#51000 (www.example.com)", "10.0.0.5"),
            ("client @0x7f00 2001:db8::5#51000 (x)", "2001:db8::5"),
            ("client @0x7f00 10.0.0.5#1/key k1 (x): view in", "10.0.0.5"),
        ] {
            let line =
                format!("May  1 12:00:00 ns named[1]: {client}: query: www.example.com IN A");
            check(&line, ("www.example.com", expected, Unstated));
        }
    }

    #[test]
    fn policies_and_refusals_state_the_action() {
        for (sentence, action) in [
            (
                "rpz QNAME NXDOMAIN rewrite www.example.com/A/IN via r.rpz",
                Blocked,
            ),
            (
                "rpz IP NODATA rewrite www.example.com/A/IN via r.rpz",
                Blocked,
            ),
            (
                "rpz QNAME Local-Data rewrite www.example.com/A/IN via r.rpz",
                Blocked,
            ),
            (
                "view v: rpz QNAME DROP rewrite www.example.com/A/IN via r.rpz",
                Blocked,
            ),
            (
                "rpz QNAME PASSTHRU rewrite www.example.com/A/IN via r.rpz",
                Allowed,
            ),
            (
                "rpz QNAME TCP-ONLY rewrite www.example.com/A/IN via r.rpz",
                Unstated,
            ),
            (
                "disabled rpz QNAME NXDOMAIN rewrite www.example.com/A/IN via r.rpz",
                Unstated,
            ),
            ("query (cache) 'www.example.com/A/IN' denied", Blocked),
            (
                "query 'www.example.com/A/IN' denied (allow-query did not match)",
                Blocked,
            ),
            (
                "query failed (REFUSED) for www.example.com/IN/A at query.c:5703",
                Blocked,
            ),
            (
                "query failed (failure) for www.example.com/IN/A at query.c:7910",
                Unstated,
            ),
            (
                "rate limit drop response to 10.0.0.0/24 for www.example.com IN A  (ed5d)",
                Blocked,
            ),
            (
                "rate limit slip response to 10.0.0.0/24 for www.example.com IN A  (ed5d)",
                Unstated,
            ),
            ("zone transfer 'www.example.com/AXFR/IN' denied", Blocked),
            ("some later version's sentence", Unstated),
        ] {
            let line = format!("01-May-2024 12:00:00.250 {CLIENT}: {sentence}");
            check(&line, ("www.example.com", "10.0.0.5", action));
        }
        let appliance =
            "client 10.0.0.5#51000 UDP: query: www.example.com IN A response: REFUSED -";
        check(appliance, ("www.example.com", "10.0.0.5", Blocked));
    }

    #[test]
    fn a_slash_may_be_part_of_the_name() {
        let sentence = "rpz QNAME NXDOMAIN rewrite a/b.example.com/A/IN via r.rpz";
        assert_eq!(
            super::without_type(b"a/b.example.com/A/IN"),
            b"a/b.example.com"
        );
        ignored(&format!("01-May-2024 12:00:00.250 {CLIENT}: {sentence}"));
    }

    #[test]
    fn troubles_with_a_name_report_the_name() {
        for (sentence, client) in [
            (
                "network unreachable resolving 'www.example.com/A/IN': 192.0.2.53#53",
                "",
            ),
            (
                "validating www.example.com/DNSKEY: no valid signature found",
                "",
            ),
            (
                "DNS format error from 192.0.2.53#53 resolving www.example.com/A for 10.0.0.5#51000: bad",
                "10.0.0.5",
            ),
            (
                "client @0x7f00 10.0.0.5#51000: updating zone 'www.example.com/IN': adding an RR",
                "10.0.0.5",
            ),
            (
                "client @0x7f00 10.0.0.5#51000 (www.example.com): transfer of 'www.example.com/IN': AXFR started",
                "10.0.0.5",
            ),
            (
                "transfer of 'www.example.com/IN' from 192.0.2.53#53: Transfer status: success",
                "192.0.2.53",
            ),
            (
                "List Matched 10.0.0.5#51000: query: www.example.com IN A (10.0.0.53)",
                "10.0.0.5",
            ),
        ] {
            let line = format!("May  1 12:00:00 ns named[1]: {sentence}");
            check(&line, ("www.example.com", client, Unstated));
        }
    }

    #[test]
    fn sentences_about_the_server_are_ignored() {
        for sentence in [
            "zone example.com/IN: loaded serial 1",
            "general: info: managed-keys-zone: some new sentence",
            "rpz: info: rpz: rpz.example.com: reload start",
            "client @0x7f00 10.0.0.5#51000/key k1: view in: signer \"k1\" approved",
            "client @0x7f00 10.0.0.5#51000: received notify for zone 'example.com'",
            "client @0x7f00 10.0.0.5#51000 (10.in-addr.arpa): transfer of '10.in-addr.arpa/IN': AXFR ended",
            "no longer listening on 127.0.0.1#53",
        ] {
            ignored(&format!("01-May-2024 12:00:00.250 {sentence}"));
            ignored(&format!("May  1 12:00:00 ns named[1]: {sentence}"));
        }
    }
}
