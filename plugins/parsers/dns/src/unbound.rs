//! Unbound: its log file, syslog, and OPNsense's RFC 5424. The sentences were
//! compared with what Unbound 1.17 writes.
//!
//! ```text
//! [1714564800] unbound[1:0] info: 10.0.0.5 www.example.com. A IN
//! May  1 12:00:00 ns unbound[1]: [1:0] query: 10.0.0.5 www.example.com. A IN
//! ```

use vthost_plugin::parser::Action;
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{Stamps, epoch};

use crate::{Query, Report, action_of_code, begins, is_address, is_class, without_port};

/// How sentences begin that report no client's query: the server's state, its own
/// queries, and the steps of resolving at higher verbosity.
const OTHER_SENTENCES: &[&str] = &[
    "start of service",
    "service stopped",
    "server stats",
    "average recursion",
    "histogram of recursion",
    "[25%]",
    "lower(secs)",
    "mesh has",
    "cache memory",
    "generate keytag",
    "control cmd",
    "resolving ",
    "response for ",
    "reply from ",
    "query response ",
    "finishing ",
    "sanitize",
    "scrub",
    "priming ",
    "prime ",
    "use stub",
    "use forward",
    "mark as",
    "iterator",
    "validat",
    "verify",
    "Verified",
    "NSEC",
    "DS ",
    "DelegationPoint",
    "processQueryTargets",
    "new target",
    "next target",
    "autotrust",
    "trust point",
    "failed to prime",
];

/// Finds `[pid:thread] LEVEL: ` and reads what follows.
pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    let (level, sentence) = leveled(line)?;
    let report = match level {
        b"info" | b"query" | b"reply" => of_query(sentence).or_else(|| of_info(sentence)),
        b"error" => of_info(sentence),
        _ => Some(Report::NoContact("about the server itself")),
    }?;
    let time_us = match line.strip_prefix(b"[") {
        Some(rest) => epoch(until(rest, b"]")),
        None => Syslog::time_of(line, stamps),
    };
    Some(report.at(time_us))
}

/// Level and sentence. A bracket of another kind may come first: `[1714564800]
/// unbound[1:0] info: …`, `[meta sequenceId="529"] [6739:3] query: …`.
fn leveled(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = line;
    for _ in 0..3 {
        let (before, behind) = split_once(rest, b"] ")?;
        let open = before.iter().rposition(|byte| *byte == b'[')?;
        if is_process(&before[open + 1..]) {
            return split_once(behind, b": ").filter(|(level, _)| is_level(level));
        }
        rest = behind;
    }
    None
}

/// `3888:1f`: the process and the thread, the latter in hexadecimal.
fn is_process(text: &[u8]) -> bool {
    split_once(text, b":").is_some_and(|(process, thread)| {
        let is_hex = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_hexdigit);
        is_hex(process) && is_hex(thread)
    })
}

fn is_level(text: &[u8]) -> bool {
    matches!(
        text,
        b"info"
            | b"query"
            | b"reply"
            | b"notice"
            | b"error"
            | b"warning"
            | b"debug"
            | b"fatal error"
    )
}

/// `10.0.0.5 www.example.com. A IN`, with ` NOERROR 0.000914 0 60` if it is a reply.
fn of_query(sentence: &[u8]) -> Option<Report<'_>> {
    let mut words = sentence.split(|byte| *byte == b' ');
    let (client, name, kind, class) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if kind == b"TYPE0" && is_address(client) {
        return Some(Report::NoContact("a reply to a packet without a question"));
    }
    if !is_class(class) || !is_address(client) {
        return None;
    }
    let action = action_of_code(words.next().unwrap_or_default());
    Some(Query::new(name, client).action(action).into())
}

fn of_info(sentence: &[u8]) -> Option<Report<'_>> {
    if let Some(report) = policy(sentence).or_else(|| failure(sentence)) {
        return Some(report);
    }
    // Rows of the histogram: `   0.000512    0.001024 3`.
    let is_row = || sentence.iter().all(|byte| b" .0123456789".contains(byte));
    let is_known = begins(sentence, OTHER_SENTENCES) || is_row();
    is_known.then_some(Report::NoContact("about the server itself"))
}

/// `rpz: applied [zone] TRIGGER rpz-nxdomain CLIENT@port NAME. TYPE CLASS` and
/// `ZONE. always_nxdomain CLIENT@port NAME. TYPE CLASS`, read from the right: zone
/// and trigger may be of several words.
fn policy(sentence: &[u8]) -> Option<Report<'_>> {
    let mut words = sentence.rsplit(|byte| *byte == b' ');
    let (class, _kind, name) = (words.next()?, words.next()?, words.next()?);
    let (client, action) = (words.next()?, words.next()?);
    if let Some(rest) = sentence.strip_prefix(b"ip_ratelimit exceeded ") {
        let query = Query::new(name, until(rest, b" "));
        return Some(query.action(Action::Blocked).into());
    }
    let is_policy = is_class(class) && client.contains(&b'@');
    is_policy.then(|| {
        Query::new(name, without_port(client, b'@'))
            .action(action_of(action))
            .into()
    })
}

/// What a policy or a local zone does. Zones that serve data are used for blocking
/// and for names of one's own alike, so those state nothing.
fn action_of(word: &[u8]) -> Action {
    match word {
        b"rpz-passthru" => Action::Allowed,
        b"rpz-nxdomain"
        | b"rpz-nodata"
        | b"rpz-drop"
        | b"rpz-local-data"
        | b"rpz-cname-override"
        | b"deny"
        | b"refuse"
        | b"inform_deny"
        | b"always_deny"
        | b"always_refuse"
        | b"always_nxdomain"
        | b"always_nodata"
        | b"always_null"
        | b"block_a" => Action::Blocked,
        _ => Action::Unstated,
    }
}

/// `validation failure <NAME TYPE CLASS>: …` and `SERVFAIL <NAME TYPE CLASS>: …`.
fn failure(sentence: &[u8]) -> Option<Report<'_>> {
    let is_failure = begins(sentence, &["validation failure <", "SERVFAIL <"]);
    let name = until(after(sentence, b"<")?, b" >");
    is_failure.then(|| Query::new(name, b"").into())
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::{Allowed, Blocked, Unstated};

    use crate::tests::{check, ignored, observed};

    #[test]
    fn every_prefix_is_understood() {
        // 2024-05-01T12:00:00Z; stamps without a year are of the last one before 1970.
        let (noon_us, noon_1969_us) = (1_714_564_800_000_000, -21_124_800_000_000);
        for (prefix, time_us) in [
            ("[1714564800] unbound[1:0] info: ", noon_us),
            ("[1714564800] unbound[1:1f] query: ", noon_us),
            ("May 01 12:00:00 unbound[1:0] info: ", noon_1969_us),
            ("May  1 12:00:00 ns unbound: [1:0] info: ", noon_1969_us),
            ("2024-05-01T12:00:00Z ns unbound[1]: [1:0] reply: ", noon_us),
            (
                "<30>1 2024-05-01T12:00:00Z ns unbound 1 - [meta sequenceId=\"5\"] [1:3] query: ",
                noon_us,
            ),
        ] {
            let line = format!("{prefix}10.0.0.5 www.example.com. A IN");
            check(&line, ("www.example.com.", "10.0.0.5", Unstated));
            assert_eq!(observed(&line).time_us, Some(time_us), "{prefix}");
        }
    }

    #[test]
    fn replies_policies_and_local_zones_state_the_action() {
        for (sentence, action) in [
            (
                "10.0.0.5 www.example.com. A IN NOERROR 0.000914 0 60",
                Unstated,
            ),
            (
                "10.0.0.5 www.example.com. A IN REFUSED 0.000000 1 37",
                Blocked,
            ),
            (
                "rpz: applied [corp] www.example.com. rpz-nxdomain 10.0.0.5@51000 www.example.com. A IN",
                Blocked,
            ),
            (
                "rpz: applied [corp] clientip 10.0.0.5/32 rpz-nodata 10.0.0.5@51000 www.example.com. A IN",
                Blocked,
            ),
            (
                "rpz: applied [corp] www.example.com. rpz-passthru 10.0.0.5@51000 www.example.com. A IN",
                Allowed,
            ),
            (
                "rpz: applied [corp] www.example.com. rpz-tcp-only 10.0.0.5@51000 www.example.com. A IN",
                Unstated,
            ),
            (
                "example.com. always_nxdomain 10.0.0.5@51000 www.example.com. A IN",
                Blocked,
            ),
            (
                "example.com. inform_deny 10.0.0.5@51000 www.example.com. A IN",
                Blocked,
            ),
            (
                "example.com. static 10.0.0.5@51000 www.example.com. A IN",
                Unstated,
            ),
            (
                "ip_ratelimit exceeded 10.0.0.5 1000 www.example.com. A IN",
                Blocked,
            ),
        ] {
            let line = format!("[1714564800] unbound[1:0] info: {sentence}");
            check(&line, ("www.example.com.", "10.0.0.5", action));
        }
        check(
            "[1714564800] unbound[1:0] info: example.com. deny 2001:db8::5@51000 www.example.com. A IN",
            ("www.example.com.", "2001:db8::5", Blocked),
        );
    }

    #[test]
    fn failures_report_the_name() {
        for sentence in [
            "info: validation failure <www.example.com. A IN>: no keys have a DS",
            "error: SERVFAIL <www.example.com. A IN>: all servers failed, at zone .",
        ] {
            let line = format!("[1714564800] unbound[1:0] {sentence}");
            check(&line, ("www.example.com.", "", Unstated));
        }
    }

    #[test]
    fn statistics_and_steps_are_ignored() {
        for sentence in [
            "notice: init module 0: validator",
            "info: start of service (unbound 1.17.1).",
            "info:    0.000512    0.001024 3",
            "info: server stats for thread 0: 2 queries, 1 answers from cache",
            "info: response for www.example.com. A IN",
            "info: 10.0.0.9 null TYPE0 CLASS0 REFUSED 0.000000 1 12",
            "debug: cache memory msg=66072",
        ] {
            ignored(&format!("[1714564800] unbound[1:0] {sentence}"));
        }
    }
}
