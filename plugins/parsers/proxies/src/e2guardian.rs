//! e2guardian 5, by its `logfileformat`:
//!
//! | format | columns |
//! |---|---|
//! | 1 | by blanks: date, time, user, client, URL, verdict or nothing, `hwN:`, reason, method, .. |
//! | 2, 4 | quoted with commas, or by tabs: date and time, user, client, URL, verdict and reason, method, .. |
//! | 5, 6 | by tabs: epoch, server, user, client, client, URL, method, status, size, `-`, agent, `-`, number, `-`, number, verdict and reason, .. |
//!
//! Format 3 is Squid's. Quotes inside values are not escaped. Only `*DENIED*` is a
//! block: `*TRUSTED*` is a site of an exception list.

use vthost_plugin::contact::Contact;
use vthost_plugin::parser::Action;
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{Stamps, epoch};
use vthost_plugin::{scan, split};

use crate::{Read, requested};

pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Read<'_>> {
    let line = match line.first() {
        Some(b'"' | b'0'..=b'9') => line,
        _ => of_syslog(line, stamps)?,
    };
    let contact = if line.starts_with(b"\"") {
        quoted(line, stamps)
    } else if scan::find(line, b'\t').is_some() {
        by_tabs(line, stamps)
    } else {
        by_blanks(line, stamps)
    };
    contact.map(Read::Contact)
}

/// The row in a line of syslog (`logsyslog`).
fn of_syslog(line: &[u8], stamps: Stamps) -> Option<&[u8]> {
    let syslog = Syslog::of(line, stamps);
    matches!(syslog.program, b"e2guardian" | b"dansguardian").then_some(syslog.message)
}

/// Format 2.
fn quoted(line: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let mut rest = line.strip_prefix(b"\"")?;
    let mut next = || {
        let (value, after) = split::split_once(rest, b"\",\"")?;
        rest = after;
        Some(value)
    };
    dotted(
        [next()?, next()?, next()?, next()?, next()?, next()?],
        stamps,
    )
}

/// Formats 4, 5 and 6.
fn by_tabs(line: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let values: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
    if let Some(time_us) = epoch(values[0]) {
        let [user, client, _, target, method] = *values.get(2..7)? else {
            return None;
        };
        let verdict = values.get(15)?;
        return Some(contact(time_us, [user, client, target, verdict, method]));
    }
    dotted(*values.first_chunk()?, stamps)
}

/// The columns of formats 2 and 4.
fn dotted<'a>(columns: [&'a [u8]; 6], stamps: Stamps) -> Option<Contact<'a>> {
    let [time, user, client, target, verdict, method] = columns;
    let time_us = time_of(time, stamps)?;
    Some(contact(time_us, [user, client, target, verdict, method]))
}

/// Format 1, and DansGuardian's, which has no `hwN:`. The request log, whose reason is
/// `PROXY`, has each request before the verdict.
fn by_blanks(line: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let mut words = line.split(|byte| *byte == b' ');
    let (date, clock) = (words.next()?, words.next()?);
    let time_us = time_of(line.get(..date.len() + 1 + clock.len())?, stamps)?;
    let (user, client, target) = (words.next()?, words.next()?, words.next()?);
    let verdict = words.next()?;
    let is_request = words.clone().next() == Some(b"PROXY");
    let is_hw = |word: &[u8]| word.starts_with(b"hw") && word.ends_with(b":");
    let verdict_is_given = verdict.starts_with(b"*");
    let mut numbers = words.clone().skip_while(|word| !is_method(word)).skip(1);
    let mut is_row = || numbers.next().is_some_and(scan::is_digits);
    (verdict_is_given || is_hw(verdict) || is_row()).then_some(())?;
    let is_tunnel = words.any(|word| word == b"CONNECT");
    let method: &[u8] = if is_tunnel { b"CONNECT" } else { b"" };
    let contact = contact(time_us, [user, client, target, verdict, method]);
    let action = if is_request {
        Action::Unstated
    } else {
        contact.action
    };
    Some(Contact { action, ..contact })
}

fn contact<'a>(
    time_us: i64,
    [user, client, target, verdict, method]: [&'a [u8]; 5],
) -> Contact<'a> {
    Contact {
        client,
        user,
        time_us: Some(time_us),
        action: match verdict.starts_with(b"*DENIED*") {
            true => Action::Blocked,
            false => Action::Allowed,
        },
        ..requested(target, method)
    }
}

fn is_method(word: &[u8]) -> bool {
    matches!(word.len(), 3..=16) && word.iter().all(u8::is_ascii_uppercase)
}

/// `2024.05.01 12:00:00`; older versions and DansGuardian write `2024.5.1 9:00:00`.
fn time_of(text: &[u8], stamps: Stamps) -> Option<i64> {
    const SHAPE: &[u8; 19] = b"0000-00-00 00:00:00";
    let mut iso = *SHAPE;
    let mut end = 0;
    let mut numbers = text.split(|byte| matches!(byte, b'.' | b' ' | b':'));
    for width in [4, 2, 2, 2, 2, 2] {
        let number = numbers.next().filter(|number| scan::is_digits(number))?;
        let start = end + width - number.len().min(width);
        iso.get_mut(start..end + width)?
            .copy_from_slice(number.get(..width.min(number.len()))?);
        end += width + 1;
    }
    let is_whole = numbers.next().is_none() && text.get(4) == Some(&b'.');
    is_whole.then(|| stamps.iso8601(&iso))?
}
