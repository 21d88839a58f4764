//! Resolvers on the machine itself: systemd-resolved (`SYSTEMD_LOG_LEVEL=debug`, and
//! `resolvectl monitor`) and Knot Resolver (policies and request traces). Neither
//! names the client.

use vthost_plugin::parser::Action;
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::time::Stamps;

use crate::{Query, Report, begins, is_class, message_of};

pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    if let Some(report) = monitored(line).or_else(|| traced(line)) {
        return Some(report);
    }
    let (message, time_us) = message_of(line, stamps, &[b"systemd-resolved", b"kresd"])?;
    let report = looked_up(message).or_else(|| denied(message))?;
    Some(report.at(time_us))
}

/// `→ Q: NAME IN A`; answers begin with `←`.
fn monitored(line: &[u8]) -> Option<Report<'_>> {
    let line = line.trim_ascii_start();
    if begins(line, &["← S: ", "← A: ", "← Q: "]) {
        return Some(Report::NoContact("an answer"));
    }
    let mut words = line
        .strip_prefix("→ Q: ".as_bytes())?
        .split(|byte| *byte == b' ');
    let (name, class) = (words.next()?, words.next()?);
    is_class(class).then(|| Query::new(name, b"").into())
}

/// `NAME.⇥⇥TYPE`, the question of a request trace.
fn traced(line: &[u8]) -> Option<Report<'_>> {
    let (name, kind) = split_once(line, b".\t\t")?;
    let is_type = !kind.is_empty() && kind.iter().all(u8::is_ascii_alphanumeric);
    let is_name = !name.contains(&b' ') && !name.contains(&b'\t');
    (is_type && is_name).then(|| Query::new(name, b"").into())
}

/// `Looking up RR for NAME IN A.`
fn looked_up(message: &[u8]) -> Option<Report<'_>> {
    let rest = message.strip_prefix(b"Looking up RR for ")?;
    Some(Query::new(until(rest, b" "), b"").into())
}

/// `DENY applied for NAME. TYPE`, `DENY_MSG applied for NAME. TYPE`.
fn denied(message: &[u8]) -> Option<Report<'_>> {
    let rest = after(message, b"DENY applied for ")
        .or_else(|| after(message, b"DENY_MSG applied for "))?;
    let query = Query::new(until(rest, b" "), b"");
    Some(query.action(Action::Blocked).into())
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::{Blocked, Unstated};

    use crate::tests::{check, ignored};

    #[test]
    fn questions_are_read_without_a_client() {
        for (line, name, action) in [
            ("→ Q: www.example.com IN A", "www.example.com", Unstated),
            (
                "May  1 12:00:00 pc systemd-resolved[1]: Looking up RR for www.example.com IN A.",
                "www.example.com",
                Unstated,
            ),
            ("www.example.com.\t\tA", "www.example.com", Unstated),
            (
                "May  1 12:00:00 ns kresd[1]: [policy] DENY applied for www.example.com. A",
                "www.example.com.",
                Blocked,
            ),
        ] {
            check(line, (name, "", action));
        }
    }

    #[test]
    fn answers_and_messages_are_ignored() {
        ignored("← A: www.example.com IN A 192.0.2.10");
    }
}
