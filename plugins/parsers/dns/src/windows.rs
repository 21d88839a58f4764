//! The debug log of Windows DNS Server. See "DNS Logging and Diagnostics" at
//! <https://learn.microsoft.com>; the head of each file names its fields:
//!
//! ```text
//! 5/1/2024 12:00:00 PM 0AB4 PACKET  000000D6A1B2C3D0 UDP Rcv 10.0.0.5  0001   Q [0001   D   NOERROR] A      (3)www(7)example(3)com(0)
//! date and time        thread context  packet         protocol address  id response, opcode [flags, code]
//! ```

use std::borrow::Cow;

use vthost_plugin::split::split_once;
use vthost_plugin::time::{DateOrder, Stamps};

use crate::{Query, Report, begins};

/// The contexts of lines that hold no packet.
const CONTEXTS: &[&[u8]] = &[
    b"EVENT", b"INIT", b"LOOKUP", b"RECURSE", b"REMOTE", b"TIMEOUT", b"DSPOLL", b"DSWRITE", b"TCP",
    b"TSIG", b"RPC", b"Note:", b"INFO",
];

/// How lines of the head of a file begin.
const HEAD: &[&str] = &[
    "DNS Server log file creation at ",
    "Log file wrap at ",
    "Message logging key (for packets",
    "UDP question info at ",
    "TCP question info at ",
    "UDP response info at ",
    "TCP response info at ",
];

/// How the indented lines of the head and of a packet in full begin.
const DETAILS: &[&str] = &[
    "Socket = ",
    "Remote addr ",
    "Time Query=",
    "Buf length",
    "Msg length",
    "Message:",
    "XID ",
    "Flags ",
    "QR ",
    "OPCODE ",
    "AA ",
    "TC ",
    "RD ",
    "RA ",
    "Z ",
    "CD ",
    "AD ",
    "RCODE ",
    "QCOUNT ",
    "ACOUNT ",
    "NSCOUNT ",
    "ARCOUNT ",
    "QUESTION SECTION:",
    "ANSWER SECTION:",
    "AUTHORITY SECTION:",
    "ADDITIONAL SECTION:",
    "Offset = ",
    "Name ",
    "QTYPE ",
    "QCLASS ",
    "Field #",
];

/// The order of day and month in the server's locale, if no date of the input shows it: of
/// the locales only those with slashes differ.
fn order(stamp: &[u8]) -> DateOrder {
    match stamp.contains(&b'/') {
        true => DateOrder::MonthFirst,
        false => DateOrder::DayFirst,
    }
}

pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    let Some((before, packet)) = split_once(line, b" PACKET ") else {
        return is_other(line).then_some(Report::NoContact("no packet"));
    };
    let (stamp, _thread) = rsplit_word(before);
    let report = of_packet(packet)?;
    Some(report.at(stamps.any(stamp, order(stamp))))
}

/// `000000D6A1B2C3D0 UDP Rcv 10.0.0.5  0001   Q [0001   D   NOERROR] A  (3)www…(0)`. An
/// `R` before the opcode marks a response: what is received with it is an upstream
/// server's, what is sent with it answers a query that has its own line.
fn of_packet(packet: &[u8]) -> Option<Report<'_>> {
    let (head, rest) = split_once(packet, b"[")?;
    let (_flags, question) = split_once(rest, b"]")?;
    let mut words = head
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    let direction = words.find(|word| matches!(*word, b"Rcv" | b"Snd"))?;
    let (client, _id) = (words.next()?, words.next()?);
    let is_query = words.next()? == b"Q";
    if direction == b"Snd" || !is_query {
        return Some(Report::NoContact("no query of a client"));
    }
    let query = Query {
        name: Cow::Owned(name_of(question)?),
        ..Query::new(b"", client)
    };
    Some(query.into())
}

/// `www.example.com.` of `A      (3)www(7)example(3)com(0)`.
fn name_of(question: &[u8]) -> Option<Vec<u8>> {
    let start = question.iter().position(|byte| *byte == b'(')?;
    let labels = question[start..].trim_ascii_end();
    let mut name = Vec::new();
    for label in labels.split(|byte| *byte == b'(').skip(1) {
        let (_length, text) = split_once(label, b")")?;
        if !text.is_empty() {
            name.extend_from_slice(text);
            name.push(b'.');
        }
    }
    Some(name)
}

/// A line of the same log without a packet: of the head, a detail, or `5/1/2024
/// 12:00:00 PM 0AB4 EVENT   …`.
fn is_other(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    let is_indented = text.len() < line.len();
    let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').take(5).collect();
    let is_thread = |word: &[u8]| word.len() >= 3 && word.iter().all(u8::is_ascii_hexdigit);
    let is_event = |pair: &[&[u8]]| is_thread(pair[0]) && CONTEXTS.contains(&pair[1]);
    begins(line, HEAD)
        || is_indented && begins(text, DETAILS)
        || words.windows(2).skip(2).any(is_event)
}

fn rsplit_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_end();
    let blank = text.iter().rposition(|byte| *byte == b' ');
    text.split_at(blank.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::Unstated;
    use vthost_plugin::testing;

    use crate::Dns;
    use crate::tests::{check, ignored};

    const PACKET: &str = "PACKET  000000D6A1B2C3D0 UDP";
    const QUESTION: &str = "[0001   D   NOERROR] A      (3)www(7)example(3)com(0)";

    #[test]
    fn a_query_of_a_client_is_read() {
        for (address, client) in [
            ("10.0.0.5       ", "10.0.0.5"),
            ("2001:db8::5", "2001:db8::5"),
        ] {
            check(
                &format!("5/1/2024 12:00:00 PM 0AB4 {PACKET} Rcv {address} 0001   Q {QUESTION}"),
                ("www.example.com.", client, Unstated),
            );
        }
    }

    #[test]
    fn answers_forwarded_queries_and_other_lines_are_ignored() {
        let at = "5/1/2024 12:00:00 PM 0AB4";
        for line in [
            format!("{at} {PACKET} Snd 10.0.0.5 0001 R Q {QUESTION}"),
            format!("{at} {PACKET} Snd 192.0.2.53 0001   Q {QUESTION}"),
            format!("{at} {PACKET} Rcv 192.0.2.53 0001 R Q {QUESTION}"),
            format!("{at} EVENT   The DNS server has started."),
            "DNS Server log file creation at 5/1/2024 12:00:00 PM".to_owned(),
            "\tField #  Information         Values".to_owned(),
            "  Remote addr 10.0.0.5, port 51000".to_owned(),
        ] {
            ignored(&line);
        }
    }

    #[test]
    fn one_day_above_12_decides_the_order_of_all_dates() {
        let row = |date: &str| {
            format!("{date} 12:00:00 0AB4 {PACKET} Rcv 10.0.0.5 0001   Q {QUESTION}\n")
        };
        // 2024-05-01T12:00:00Z.
        for (first, second) in [
            ("01/05/2024", "13/05/2024"),
            ("05/01/2024", "05/13/2024"),
            ("01.05.2024", "13.05.2024"),
            ("2024-05-01", "2024-05-13"),
        ] {
            let log = row(first) + &row(second);
            let parsed = testing::parse::<Dns>(log.as_bytes(), "{}").unwrap();
            let times = [1_714_564_800_000_000, 1_715_601_600_000_000].map(Some);
            let found = [&parsed.observations[0], &parsed.observations[1]].map(|seen| seen.time_us);
            assert_eq!(found, times, "{first}");
        }
    }
}
