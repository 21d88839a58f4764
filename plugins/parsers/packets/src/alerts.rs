//! Alerts of Snort and Suricata: a line each (`fast.log`, syslog, CSV), or a few
//! lines each ("full").

use vthost_plugin::contact::{Contact, plausible_address};
use vthost_plugin::parser::Action;
use vthost_plugin::split::until;
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

use crate::ends;

/// `05/01-12:00:00.000000  [**] [1:2:3] … {TCP} 10.0.0.5:51000 -> 192.0.2.10:443`,
/// `… snort: [1:2:3] … {TCP} 10.0.0.5:51000 -> 192.0.2.10:443`, or the line of a
/// full alert that names the ends: `05/01-12:00:00.000000 10.0.0.5:51000 ->
/// 192.0.2.10:443`.
pub(crate) fn alert(line: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let contact = match line.iter().rposition(|byte| *byte == b'}') {
        Some(brace) => {
            let (client, address) = ends(line[brace + 1..].trim_ascii(), b" -> ")?;
            is_alert(&line[..brace]).then_some(())?;
            Contact {
                client,
                address,
                time_us: own_stamp(line, stamps).or_else(|| Syslog::time_of(line, stamps)),
                ..Contact::default()
            }
        }
        None => {
            let time = until(line, b" ");
            let (client, address) = ends(line[time.len()..].trim_ascii(), b" -> ")?;
            Contact {
                client,
                address,
                time_us: Some(stamps.any(time, DateOrder::MonthFirst)?),
                ..Contact::default()
            }
        }
    };
    plausible_address(contact.address)?;
    let is_dropped = line.windows(6).any(|part| part == b"[Drop]");
    Some(Contact {
        action: if is_dropped {
            Action::Blocked
        } else {
            Action::Unstated
        },
        ..contact
    })
}

/// Whether a text is an alert ID such as `[1:2200074:2]`.
fn is_alert(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'[').skip(1).any(|part| {
        let id = until(part, b"]");
        let mut numbers = id.split(|byte| *byte == b':');
        id.len() >= 5
            && numbers.clone().count() == 3
            && numbers.all(|number| number.iter().all(u8::is_ascii_digit))
    })
}

/// The word before `[**]`.
fn own_stamp(line: &[u8], stamps: Stamps) -> Option<i64> {
    let mark = line.windows(4).position(|part| part == b"[**]")?;
    let before = line[..mark].trim_ascii_end();
    let word = before.rsplit(|byte| *byte == b' ').next()?;
    stamps.any(word, DateOrder::MonthFirst)
}

/// `05/01/24-12:00:00.000000 ,1,2200074,2,"An alert",TCP,10.0.0.5,51000,192.0.2.10,443`.
pub(crate) fn row(line: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let mut columns = line.split(|byte| *byte == b',');
    let time = columns.next()?.trim_ascii();
    let is_number = |column: &[u8]| !column.is_empty() && column.iter().all(u8::is_ascii_digit);
    if !columns
        .by_ref()
        .take(3)
        .all(|column| is_number(column.trim_ascii()))
    {
        return None;
    }
    // The message may contain commas.
    let mut addresses = columns.filter(|column| plausible_address(column).is_some());
    Some(Contact {
        client: addresses.next()?,
        address: addresses.next()?,
        time_us: Some(stamps.any(time, DateOrder::MonthFirst)?),
        ..Contact::default()
    })
}

/// Whether a line is one of those around the one that names the ends.
pub(crate) fn is_part(line: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 9] = [
        b"[**]",
        b"[Classification:",
        b"[Priority:",
        b"[Xref",
        b"TCP TTL:",
        b"UDP TTL:",
        b"ICMP TTL:",
        b"***",
        b"Type:",
    ];
    let is_flags = || line.get(8) == Some(&b' ') && line[9..].starts_with(b"Seq: ");
    BEGINNINGS
        .iter()
        .any(|beginning| line.starts_with(beginning))
        || line.starts_with(b"Len: ")
        || line.starts_with(b"TCP Options")
        || is_flags()
}

#[cfg(test)]
mod tests {
    use vthost_plugin::testing;

    use crate::Packets;

    #[test]
    fn alerts_come_in_several_forms() {
        let check = |log: &str, ignored: u32| {
            assert_eq!(testing::detect::<Packets>(log.as_bytes()), 86, "{log}");
            let parsed = testing::parse::<Packets>(log.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.rejected, [], "{log}");
            let sum: u32 = parsed.ignored.iter().map(|(_, count)| count).sum();
            assert_eq!(sum, ignored, "{log}");
            let seen = &parsed.observations[0];
            let ends = (seen.value.as_str(), seen.client.as_str());
            assert_eq!(ends, ("192.0.2.10", "10.0.0.5"), "{log}");
            assert!(seen.time_us.is_some(), "{log}");
        };
        check(
            "May  1 12:00:00 ids snort: [1:1000016:0] A connection [Priority: 3] {TCP} 10.0.0.5:51000 -> 192.0.2.10:22\n",
            0,
        );
        check(
            "[**] [1:1000006:0] A connection [**]\n[Priority: 0]\n05/01-12:00:00.860730 10.0.0.5:51000 -> 192.0.2.10:22\nTCP TTL:64 TOS:0x10 ID:1 IpLen:20 DgmLen:60 DF\n***A**** Seq: 0x1  Ack: 0x2  Win: 0x3  TcpLen: 20\n\n",
            5,
        );
        check(
            "05/01/24-12:00:00.000000 ,1,1000000,0,\"a, b\",TCP,10.0.0.5,51000,192.0.2.10,443\n",
            0,
        );
    }
}
