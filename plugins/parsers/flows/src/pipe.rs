//! nfdump `-o pipe`: columns between bars, addresses as four numbers of 32 bits, of which
//! IPv4 has the last. nfdump 1.7 writes times in milliseconds; older ones write seconds and
//! milliseconds as two columns. See nfdump(1).
//!
//! ```text
//! 2|1714564800250|1714564800340|6|0|0|0|167772165|51000|0|0|0|3221225994|443|0|0|0|0|27|0|6|308
//! family first    last        protocol source      port  destination     port AS    interfaces
//! ```

use std::net::{Ipv4Addr, Ipv6Addr};

use vthost_plugin::contact::Contact;

use crate::ends::{End, between};

/// A flow whose addresses were written as numbers.
pub(crate) struct Flow<'a> {
    source: (String, &'a [u8]),
    destination: (String, &'a [u8]),
    time_us: i64,
}

/// Columns of the older form and of nfdump 1.7, as far as they are read.
const OLDER: usize = 16;
const NEWER: usize = 14;

/// The milliseconds of all times from 2001 to 2286 have 13 digits, the seconds ten.
const DIGITS_OF_MS: usize = 13;
const DIGITS_OF_S: usize = 10;

impl<'a> Flow<'a> {
    pub(crate) fn of(line: &'a [u8]) -> Option<Self> {
        if !matches!(line, [b'2', b'|', ..] | [b'1', b'0', b'|', ..]) {
            return None;
        }
        let columns: Vec<&[u8]> = line.split(|byte| *byte == b'|').take(OLDER).collect();
        let time = *columns.get(1)?;
        let (ends, time_ms) = match time.len() {
            DIGITS_OF_MS => (columns.get(4..NEWER)?, number::<i64>(time)?),
            DIGITS_OF_S => {
                let ms: i64 = number(columns.get(2)?)?;
                (columns.get(6..OLDER)?, number::<i64>(time)? * 1_000 + ms)
            }
            _ => return None,
        };
        let (source, destination) = ends.split_at(5);
        let is_ipv6 = columns[0] == b"10";
        Some(Self {
            source: (address(source, is_ipv6)?, source[4]),
            destination: (address(destination, is_ipv6)?, destination[4]),
            time_us: time_ms * 1_000,
        })
    }

    pub(crate) fn contact(&self) -> Contact<'_> {
        between(
            end(&self.source),
            end(&self.destination),
            Some(self.time_us),
        )
    }
}

fn end<'a>((address, port): &'a (String, &[u8])) -> End<'a> {
    let address = address.as_bytes();
    End { address, port }
}

/// The address of four numbers.
fn address(columns: &[&[u8]], is_ipv6: bool) -> Option<String> {
    let mut bits = 0_u128;
    for column in columns.get(..4)? {
        bits = bits << 32 | u128::from(number::<u32>(column)?);
    }
    match is_ipv6 {
        true => Some(Ipv6Addr::from(bits).to_string()),
        false => Some(Ipv4Addr::from(u32::try_from(bits).ok()?).to_string()),
    }
}

fn number<T: std::str::FromStr>(column: &[u8]) -> Option<T> {
    str::from_utf8(column).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::tests::{check, seen};

    #[test]
    fn numbers_are_addresses() {
        // 10.0.0.5 is 0x0a000005, 192.0.2.10 is 0xc000020a, 2001:db8::5 begins with 0x20010db8.
        let ipv4 = "0|0|0|167772165|51000|0|0|0|3221225994|443|0|0|1|2|27|0|6|308";
        let answer = "0|0|0|3221225994|443|0|0|0|167772165|51000|0|0|1|2|27|0|6|308";
        for line in [
            format!("2|1714564800250|1714564800340|6|{ipv4}"),
            format!("2|1714564800|250|1714564800|340|6|{ipv4}"),
            format!("2|1714564800250|1714564800340|6|{answer}"),
        ] {
            check(&line, &["192.0.2.10"], "10.0.0.5");
            assert_eq!(seen(&line)[0].2, Some(1_714_564_800_250_000), "{line}");
        }
        let ipv6 = "536939960|0|0|5|51000|536939960|65536|0|16|443|0|0|1|2|27|0|6|308";
        check(
            &format!("10|1714564800250|1714564800340|6|{ipv6}"),
            &["2001:db8:1::10"],
            "2001:db8::5",
        );
    }
}
