//! A flow or packet a line: nfdump, ra, tcpdump and tshark.

use vthost_plugin::contact::Contact;
use vthost_plugin::dialect::target_of;
use vthost_plugin::parser::Action;
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::time::{Stamps, epoch};

use crate::Report;
use crate::ends::{End, between, flow, is_address};

/// The words of a line.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

/// `2024-05-01`.
fn is_date(word: &[u8]) -> bool {
    matches!(word, [b'1'..=b'2', _, _, _, b'-', _, _, b'-', _, _])
}

/// `12:00:00.250`.
fn is_clock(word: &[u8]) -> bool {
    matches!(word, [_, _, b':', _, _, b':', _, _, b'.', ..])
}

/// The end before an arrow, the arrow, and the end after it.
fn around_arrow<'a>(line: &'a [u8], arrows: &[&str]) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
    let mut before: &[u8] = b"";
    let mut rest = words(line);
    while let Some(word) = rest.next() {
        if arrows.iter().any(|arrow| arrow.as_bytes() == word) {
            return Some((before, word, rest.next()?));
        }
        before = word;
    }
    None
}

/// `2024-05-01 12:00:00.250 00:00:00.090 TCP 10.0.0.5:51000 -> 192.0.2.10:443 …`. The
/// `nsel` form writes 1970 if the exporter sent no event time.
pub(crate) fn nfdump(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    const OTHERS: [&[u8]; 6] = [
        b"Date first seen",
        b"Summary",
        b"Time window",
        b"Total flows",
        b"Sys: ",
        b"Date event",
    ];
    if OTHERS.iter().any(|other| line.starts_with(other)) {
        return Some(Report::NoContact("a heading or a total"));
    }
    let stamp = line.get(..23)?;
    if !is_date(&stamp[..10]) || !is_clock(&stamp[11..]) {
        return None;
    }
    let (source, _, destination) = around_arrow(&line[23..], &["->", "<->"])?;
    let time_us = match stamp.starts_with(b"1970-01-01") {
        true => None,
        false => stamps.iso8601(stamp),
    };
    let report = flow(source, destination, time_us)?;
    Some(match (report, words(&line[23..]).next()) {
        // An event of a firewall (Cisco's NSEL).
        (Report::Contact(contact), Some(b"DENY")) => Contact {
            action: Action::Blocked,
            ..contact
        }
        .into(),
        (report, _) => report,
    })
}

/// `12:00:00.250000 e tcp 10.0.0.5.51000 -> 192.0.2.10.https 10 677 FIN`, or the seconds
/// since 1970 or a date and time (`2024/05/01.12:00:00.250000`) first. `<-` is a flow
/// whose start was not seen from the client's side.
pub(crate) fn ra(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    let mut first_words = words(line);
    let first = first_words.next()?;
    if first == b"StartTime" {
        return Some(Report::NoContact("a heading or a total"));
    }
    let is_epoch = first.len() == 17 && epoch(first).is_some();
    let dated = dated_us(first, stamps);
    if dated.is_none() && !(line.starts_with(b" ") && (is_clock(first) || is_epoch)) {
        return None;
    }
    if first_words
        .take(2)
        .any(|word| matches!(word, b"man" | b"arp"))
    {
        return Some(Report::NoContact("of argus itself, or of ARP"));
    }
    let (before, arrow, behind) =
        around_arrow(line, &["->", "<->", "<-", "?>", "<?>", "<?", "who"])?;
    let time_us = if is_epoch { epoch(first) } else { dated };
    match arrow {
        b"who" => Some(Report::NoContact("of argus itself, or of ARP")),
        b"<-" | b"<?" => flow(behind, before, time_us),
        _ => flow(before, behind, time_us),
    }
}

/// `2024/05/01.12:00:00.250000`.
fn dated_us(word: &[u8], stamps: Stamps) -> Option<i64> {
    let mut stamp: [u8; 26] = word.try_into().ok()?;
    let is_dated = stamp[4] == b'/' && stamp[7] == b'/' && stamp[10] == b'.';
    for place in [4, 7] {
        stamp[place] = b'-';
    }
    stamp[10] = b' ';
    is_dated.then(|| stamps.iso8601(&stamp))?
}

/// `12:00:00.250000 IP 10.0.0.5.51000 > 192.0.2.10.443: Flags [S], …`; before it may be
/// a date, the seconds since 1970 in place of the time, or nothing (`-t`). With `-e` the
/// packet follows the addresses of the frame, with `-v` it is on the next line, which is
/// indented and has no time.
pub(crate) fn tcpdump(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    let (before, rest) = packet(line)?;
    let is_stamp = |word: &[u8]| is_clock(word) || epoch(word).is_some();
    let is_packet = before.trim_ascii().is_empty() || words(before).take(2).any(is_stamp);
    if rest.starts_with(b"ARP, ") || rest.starts_with(b"(tos ") || rest.starts_with(b"(flowlabel ")
    {
        return is_packet.then_some(Report::NoContact("of ARP, or continued on the next line"));
    }
    let (source, rest) = split_once(rest, b" > ").filter(|_| is_packet)?;
    let (destination, info) = split_once(rest, b": ")?;
    let (source, destination) = (End::of_packet(source)?, End::of_packet(destination)?);
    let stamp = before.trim_ascii();
    let time_us = match is_date(until(stamp, b" ")) {
        true => stamps.iso8601(stamp.get(..stamp.len().min(26))?),
        false => epoch(until(stamp, b" ")).filter(|_| !is_clock(stamp)),
    };
    if source.is_resolver() && !destination.is_resolver() {
        return Some(Report::NoContact("a resolver's answer"));
    }
    let contact = between(source, destination, time_us);
    // Without `-n` hosts are written by name.
    let contact = match is_address(contact.address) {
        true => contact,
        false => Contact {
            host: contact.address,
            address: b"",
            ..contact
        },
    };
    if destination.is_resolver() {
        return Some(of_question(contact, question(info)));
    }
    Some(of_request(contact, after(info, b"HTTP: ").unwrap_or_default()).into())
}

/// The time of a packet, and the text from its source on.
fn packet(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if line.starts_with(b"    ") && line[4..].first().is_some_and(u8::is_ascii_alphanumeric) {
        return Some((&line[..4], &line[4..]));
    }
    if let Some((before, frame)) = split_once(line, b", ethertype ") {
        let (ethertype, frame) = split_once(frame, b" ")?;
        let (_, rest) = split_once(frame, b": ")?;
        return match ethertype {
            b"IPv4" | b"IPv6" => Some((before, rest)),
            _ => Some((before, b"ARP, ")),
        };
    }
    if let Some((before, _)) = split_once(line, b" ARP, ") {
        return Some((before, b"ARP, "));
    }
    let start = match line.starts_with(b"IP") {
        true => 0,
        false => split_once(line, b" IP")?.0.len() + 1,
    };
    let (before, rest) = line.split_at(start);
    let rest = rest
        .strip_prefix(b"IP6 ")
        .or_else(|| rest.strip_prefix(b"IP "))?;
    Some((before, rest))
}

/// The name of `51000+ [1au] A? www.example.com. (33)`.
fn question(info: &[u8]) -> Option<&[u8]> {
    let (_, name) = split_once(info, b"? ")?;
    Some(until(name, b" "))
}

/// A question to a resolver: the resolver is no contact.
fn of_question<'a>(contact: Contact<'a>, name: Option<&'a [u8]>) -> Report<'a> {
    match name {
        Some(name) => Contact {
            name,
            address: b"",
            ..contact
        }
        .into(),
        None => Report::NoContact("to a resolver, without a name"),
    }
}

/// A request's target: a tunnel's host, or a URL if it is absolute. Of a path alone
/// the summaries do not name the host.
fn of_request<'a>(contact: Contact<'a>, request: &'a [u8]) -> Contact<'a> {
    let target = target_of(request);
    match request.starts_with(b"CONNECT ") || target.starts_with(b"http") {
        true => Contact {
            url: target,
            ..contact
        },
        false => contact,
    }
}

/// `1 2024-05-01 12:00:00.250000 10.0.0.5 → 192.0.2.10 TLSv1 137 Client Hello`. Without
/// `-t ad` the time counts from the first packet, and means nothing here.
pub(crate) fn tshark(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    let (before, rest) =
        split_once(line, " → ".as_bytes()).or_else(|| split_once(line, b" -> "))?;
    let number = words(before).next()?;
    let source = words(before).last()?;
    if number.len() == source.len() || !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let destination = words(rest).next()?;
    let mut info = words(rest).skip(1);
    let (protocol, length) = (info.next()?, info.next()?);
    if !length.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (source, destination) = (End::of(source)?, End::of(destination)?);
    let info = &rest[find_end(rest, length)..];
    let stamp = before.trim_ascii_start()[number.len()..].trim_ascii();
    let time_us = match is_date(until(stamp, b" ")) {
        true => stamps.iso8601(stamp.get(..stamp.len().min(26))?.trim_ascii()),
        false => None,
    };
    let contact = between(source, destination, time_us);
    Some(of_info(contact, protocol, info.trim_ascii()))
}

/// Where a word of a text ends.
fn find_end(text: &[u8], word: &[u8]) -> usize {
    (word.as_ptr() as usize - text.as_ptr() as usize) + word.len()
}

fn of_info<'a>(contact: Contact<'a>, protocol: &[u8], info: &'a [u8]) -> Report<'a> {
    if matches!(protocol, b"DNS" | b"MDNS" | b"LLMNR") {
        let question = info.strip_prefix(b"Standard query 0x");
        return match question {
            Some(rest) if after(rest, b"response").is_none() => {
                of_question(contact, words(rest).nth(2))
            }
            _ => Report::NoContact("a resolver's answer"),
        };
    }
    if info.starts_with(b"HTTP/") || info.starts_with(b"Server Hello") {
        return Report::NoContact("an answer");
    }
    // From version 4.2 on: `Client Hello (SNI=www.example.com)`.
    let host = after(info, b"(SNI=").map(|rest| until(rest, b")"));
    let contact = Contact {
        host: host.unwrap_or_default(),
        ..contact
    };
    let (from, to) = match split_once(info, " → ".as_bytes()) {
        Some((from, rest)) => (from, until(rest, b" ")),
        None => return of_request(contact, info).into(),
    };
    let (client, server) = (contact.client, contact.address);
    let ends = End::with_port(client, from).zip(End::with_port(server, to));
    ends.map_or_else(
        || contact.into(),
        |(source, destination)| between(source, destination, contact.time_us).into(),
    )
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action;

    use crate::tests::{check, seen};

    #[test]
    fn nfdump_rows_are_read_by_the_arrow() {
        for row in [
            "2024-05-01 12:00:00.250     00:00:00.090 TCP           10.0.0.5:51000 ->       192.0.2.10:443   ...AP.SF   0   6      308     1",
            "2024-05-01 12:00:00.250     00:00:00.090 TCP           10.0.0.5:51000 <->      192.0.2.10:443          6      308     1",
            "2024-05-01 12:00:00.250     00:00:00.000 ICMP          10.0.0.5:0     ->       192.0.2.10:8.0          1       36     1",
            "1970-01-01 00:00:00.000 INVALID  Ignore TCP           10.0.0.5:51000 ->       192.0.2.10:443          0.0.0.0:0     ->          0.0.0.0:0          308        0",
            "2024-05-01 12:00:00.250     00:00:00.090 TCP         192.0.2.10:443   ->         10.0.0.5:51000        6      308     1",
        ] {
            check(row, &["192.0.2.10"], "10.0.0.5");
        }
        check(
            "2024-05-01 12:00:00.250     00:00:00.089 TCP        2001:db8::5.51007 -> 2001:db..def0:10.443          6      442     1",
            &[],
            "",
        );
        check("Summary: total flows: 23, total bytes: 3472", &[], "");
    }

    #[test]
    fn a_time_of_1970_is_none() {
        let row = "1970-01-01 00:00:00.000 INVALID  Ignore TCP  10.0.0.5:51000 -> 192.0.2.10:443  0.0.0.0:0 -> 0.0.0.0:0 308 0";
        assert_eq!(seen(row)[0].2, None);
    }

    #[test]
    fn ra_dates_are_read() {
        let row = "2024/05/01.12:00:00.250000  e           tcp           10.0.0.5.51000     ->         192.0.2.10.https        10        677   FIN";
        assert_eq!(seen(row)[0].2, Some(1_714_564_800_250_000));
    }

    #[test]
    fn ra_names_ports_by_service() {
        let row = |rest: &str| {
            format!("   12:00:00.250000  e           {rest}        10        677   FIN")
        };
        check(
            &row("tcp           10.0.0.5.51000     ->         192.0.2.10.https"),
            &["192.0.2.10"],
            "10.0.0.5",
        );
        check(
            &row("icmp          10.0.0.5.0x0008   <->         192.0.2.10.0x0700"),
            &["192.0.2.10"],
            "10.0.0.5",
        );
        check(
            &row("tcp        2001:db8::5.51000     -> 2001:db8:0:1234:5*.https"),
            &[],
            "",
        );
        check(
            &row("arp           10.0.0.5          who           10.0.0.1"),
            &[],
            "",
        );
        check(
            "   12:00:00.250000              man                  0      0    0      0        0          0   STA",
            &[],
            "",
        );
    }

    #[test]
    fn tcpdump_names_what_was_asked_for() {
        let check = |packet: &str, values: &[&str]| {
            for before in [
                "",
                "12:00:00.250000 ",
                "2024-05-01 12:00:00.250000 ",
                "1714564800.250000 ",
            ] {
                let client = if values.is_empty() { "" } else { "10.0.0.5" };
                check(&format!("{before}IP {packet}"), values, client);
            }
        };
        check(
            "10.0.0.5.51000 > 192.0.2.10.443: Flags [S], seq 1, length 0",
            &["192.0.2.10"],
        );
        check(
            "192.0.2.10.443 > 10.0.0.5.51000: Flags [S.], seq 1, length 0",
            &["192.0.2.10"],
        );
        check(
            "10.0.0.5.51000 > 10.0.0.53.53: 1+ [1au] A? www.example.com. (33)",
            &["www.example.com."],
        );
        check(
            "10.0.0.5.51000 > 10.0.0.53.domain: 1+ Type65? www.example.com. (33)",
            &["www.example.com."],
        );
        check(
            "10.0.0.53.53 > 10.0.0.5.51000: 1 1/0/0 A 192.0.2.10 (64)",
            &[],
        );
        check(
            "10.0.0.5.51000 > 192.0.2.10.80: Flags [P.], seq 1:69, length 68: HTTP: GET /a HTTP/1.1",
            &["192.0.2.10"],
        );
        check(
            "10.0.0.5.51000 > 192.0.2.10.8080: Flags [P.], length 73: HTTP: CONNECT www.example.com:443 HTTP/1.1",
            &["www.example.com", "192.0.2.10"],
        );
    }

    #[test]
    fn tcpdump_packets_are_read_with_frames_and_host_names() {
        for (packet, value) in [
            (
                "1714564800.250000 00:00:5e:00:53:01 > 00:00:5e:00:53:02, ethertype IPv4 (0x0800), length 74: 10.0.0.5.51000 > 192.0.2.10.443: Flags [S], length 0",
                "192.0.2.10",
            ),
            (
                "    10.0.0.5.51000 > 192.0.2.10.443: Flags [S], cksum 0x1 (correct), length 0",
                "192.0.2.10",
            ),
            (
                "12:00:00.250000 IP 10.0.0.5.51000 > www.example.com.https: Flags [S], length 0",
                "www.example.com",
            ),
        ] {
            check(packet, &[value], "10.0.0.5");
        }
        for nothing in [
            "12:00:00.250000 ARP, Request who-has 10.0.0.1 tell 10.0.0.5, length 28",
            "12:00:00.250000 IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 60)",
        ] {
            check(nothing, &[], "");
        }
    }

    #[test]
    fn a_denied_event_of_a_firewall_is_blocked() {
        let row = "2024-05-01 12:00:00.250 DENY     I-ACL   TCP  10.0.0.5:51000 -> 192.0.2.10:443  0.0.0.0:0 -> 0.0.0.0:0 0 0";
        assert_eq!(seen(row)[0].3, Action::Blocked);
    }

    #[test]
    fn tshark_names_what_was_asked_for() {
        let packet = |rest: &str| format!("    1 2024-05-01 12:00:00.250000     10.0.0.5 → {rest}");
        check(
            &packet("192.0.2.10   TLSv1 137 Client Hello"),
            &["192.0.2.10"],
            "10.0.0.5",
        );
        check(
            &packet("192.0.2.10   TLSv1 137 Client Hello (SNI=www.example.com)"),
            &["www.example.com", "192.0.2.10"],
            "10.0.0.5",
        );
        check(
            &packet("10.0.0.53    DNS 75 Standard query 0xc739 A www.example.com"),
            &["www.example.com"],
            "10.0.0.5",
        );
        check(
            &packet("192.0.2.10   TCP 54 51000 → 443 [SYN] Seq=0 Win=8192 Len=0"),
            &["192.0.2.10"],
            "10.0.0.5",
        );
        check(
            "    2   0.010000    192.0.2.10 → 10.0.0.5     TCP 54 443 → 51000 [SYN, ACK] Seq=0 Len=0",
            &["192.0.2.10"],
            "10.0.0.5",
        );
        check(
            "    2   0.010000    10.0.0.53 → 10.0.0.5     DNS 106 Standard query response 0xc739 A www.example.com A 192.0.2.10",
            &[],
            "",
        );
    }
}
