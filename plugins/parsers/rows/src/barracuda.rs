//! Barracuda's activity log: rows with the action before the first bar, and
//! events between them.

use vthost_plugin::contact::{Contact, action_of, plausible_address};
use vthost_plugin::dialect::{OtherLine, Record};
use vthost_plugin::parser::{Line, Observations};
use vthost_plugin::split::until;
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

/// `… Info     GW Allow: LOUT|…`: a row states its action before the last colon
/// of the first column.
pub(crate) fn push_row(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    Contact {
        action: action_of(word_before_colon(until(record.line, b"|"))),
        ..record.contact
    }
    .push(found)
}

/// `Allow` of `Info     GW Allow: LOUT`.
fn word_before_colon(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b':');
    let before = &text[..end.unwrap_or(text.len())];
    let mut words = before.rsplit(|byte| *byte == b' ');
    words.next().unwrap_or_default()
}

/// The reader of lines that begin with a severity of nine columns: events.
pub(crate) fn event(line: &[u8]) -> Option<OtherLine> {
    const SEVERITIES: [&[u8]; 5] = [
        b"Info     ",
        b"Security ",
        b"Notice   ",
        b"Warning  ",
        b"Error    ",
    ];
    let is_event = SEVERITIES.iter().any(|severity| line.starts_with(severity));
    is_event.then_some(read_event)
}

/// `… |TCP 10.0.0.5:51000 (eth1) -> 192.0.2.10:443)`, at the end of an event.
fn read_event(line: &[u8], stamps: Stamps, found: &mut Observations<'_>) -> Line {
    let ends = || {
        let arrow = line.windows(4).position(|part| part == b" -> ")?;
        let before = line[..arrow].rsplit(|byte| *byte == b'|').next()?;
        let mut words = before.split(|byte| *byte == b' ');
        let (_protocol, client) = (words.next()?, words.next()?);
        let address = until(&line[arrow + 4..], b" )|");
        plausible_address(address)?;
        Some((client, address))
    };
    let Some((client, address)) = ends() else {
        return Line::Ignored("a message of another kind");
    };
    Contact {
        client,
        address,
        time_us: Syslog::time_of(line, stamps),
        ..Contact::default()
    }
    .push(found)
}
