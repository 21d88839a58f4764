//! ArcSight's Common Event Format and QRadar's Log Event Extended Format,
//! wherever in the line they begin.
//!
//! See "ArcSight Common Event Format (CEF) Implementation Standard" and IBM's
//! "LEEF event components".

use std::borrow::Cow;

use vthost_plugin::dialect::{Dialect, FIELDS, Reader, Roles};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::scan;
use vthost_plugin::split::{Pairs, after, glued, split_once, until, without_escapes};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct Cef {
    stamps: Stamps,
    cef: Reader,
    cef_pairs: Pairs<FIELDS>,
    leef: Reader,
    /// By the byte that separates the pairs.
    leef_pairs: Vec<(u8, Pairs<FIELDS>)>,
}

vthost_plugin::export_parser!(Cef);

static CEF: Dialect = Dialect {
    name: "cef",
    title: "Common Event Format (ArcSight)",
    example: "May  1 12:00:00 gw CEF:0|Vendor|Product|1.0|100|Connection|5|rt=May 01 2024 12:00:00 UTC src=10.0.0.5 dst=192.0.2.10 request=http://www.example.com/a act=blocked",
    marks: &[],
    roles: Roles {
        // FortiGate writes its own keys with a prefix, which depends on its age;
        // FortiAnalyzer's is `ad.`.
        url: &[
            "request",
            "requestUrl",
            "requestURL",
            "url",
            "FTNTFGTurl",
            "FortinetFortiGateurl",
            "ad.url",
        ],
        host: &[
            "FTNTFGTqname",
            "FortinetFortiGateqname",
            "ad.qname",
            "FTNTFGThostname",
            "FortinetFortiGatehostname",
            "ad.hostname",
            "dhost",
            "destinationDnsDomain",
            "query",
            "dstname",
        ],
        scheme: &["app"],
        // Some devices write a name there.
        name: &["dst"],
        address: &["dst", "c6a3", "destinationTranslatedAddress"],
        client: &["src", "c6a2", "shost"],
        user: &["suser", "duser", "suid"],
        stamp: &[
            "rt",
            "start",
            "end",
            "deviceReceiptTime",
            "FTNTFGTeventtime",
            "FortinetFortiGateeventtime",
        ],
        zone: &["ad.tz", "FTNTFGTtz", "FortinetFortiGatetz", "tz", "dtz"],
        action: &["act", "outcome"],
        ..Roles::NONE
    },
    ..Dialect::DEFAULT
};

static LEEF: Dialect = Dialect {
    name: "leef",
    title: "Log Event Extended Format (QRadar)",
    example: "May  1 12:00:00 gw LEEF:2.0|Vendor|Product|1.0|100|^|devTime=May 01 2024 12:00:00^src=10.0.0.5^dst=192.0.2.10^url=http://www.example.com/a^action=blocked",
    marks: &[],
    roles: Roles {
        url: &["url", "URL", "request"],
        host: &["dstHostName", "dhost", "domain", "hostname"],
        address: &["dst"],
        client: &["src", "identSrc"],
        user: &["usrName"],
        stamp: &["devTime"],
        action: &["action", "act"],
        ..Roles::NONE
    },
    ..Dialect::DEFAULT
};

impl LineParser for Cef {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "cef",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "CEF and LEEF, as security products write them for SIEMs",
            formats: vec![CEF.format(), LEEF.format()],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        input.confidence(90, |line| Fit::from(event(line).is_some()))
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let stamps = Stamps::of(input);
        let cef = Reader::new(&CEF, stamps);
        Ok(Self {
            stamps,
            cef_pairs: Pairs::of_many_words(cef.names()),
            cef,
            leef: Reader::new(&LEEF, stamps),
            leef_pairs: Vec::new(),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let mut read = None;
        for record in glued(line) {
            let one = self.record(record, found);
            if one == Line::Record || read.is_none() {
                read = Some(one);
            }
        }
        read.unwrap_or(NO_HEADER)
    }
}

const NO_HEADER: Line = Line::Rejected("no CEF: or LEEF: in the line");

impl Cef {
    fn record(&mut self, record: &[u8], found: &mut Observations<'_>) -> Line {
        let Some(event) = event(record) else {
            return NO_HEADER;
        };
        let sent_us = Syslog::time_of(event.before, self.stamps);
        match event.separator {
            None => {
                let values = self.cef_pairs.pick(event.fields);
                let contact = self.cef.contact(&values, sent_us);
                match scan::find(event.fields, b'\\') {
                    None => contact.push(found),
                    _ => contact.decoded(without_backslashes, |contact| contact.push(found)),
                }
            }
            Some(separator) => {
                let fields = with_tabs(event.fields);
                let values = self.leef_pairs(separator).pick(&fields);
                let mut contact = self.leef.contact(&values, sent_us);
                contact.time_us = day_first(&fields, separator, self.stamps).or(contact.time_us);
                contact.decoded(without_backslashes, |contact| contact.push(found))
            }
        }
    }

    fn leef_pairs(&mut self, separator: u8) -> &mut Pairs<FIELDS> {
        let known = self
            .leef_pairs
            .iter()
            .position(|(known, _)| *known == separator);
        let index = known.unwrap_or_else(|| {
            let pairs = Pairs::separated(b'=', separator, self.leef.names());
            self.leef_pairs.push((separator, pairs));
            self.leef_pairs.len() - 1
        });
        &mut self.leef_pairs[index].1
    }
}

/// An event within a line.
struct Event<'a> {
    before: &'a [u8],
    fields: &'a [u8],
    /// The delimiter of LEEF's fields; none for CEF.
    separator: Option<u8>,
}

fn event(line: &[u8]) -> Option<Event<'_>> {
    let (at, bars) = start_of_header(line)?;
    let (header, mut fields) = split_header(&line[at..], bars)?;
    let separator = if bars == 7 {
        None
    } else if header.starts_with(b"LEEF:2") {
        let (separator, rest) = leef_separator(fields);
        fields = rest;
        Some(separator)
    } else if scan::find(fields, b'\t').is_some() || after(fields, b"#011").is_some() {
        Some(b'\t')
    } else if scan::find(fields, b'|').is_some() {
        Some(b'|')
    } else {
        Some(b'\t')
    };
    Some(Event {
        before: &line[..at],
        fields,
        separator,
    })
}

/// Where `CEF:` or `LEEF:` is, and how many bars end the header. The mark is a word of
/// its own outside quotes with a version after it: `?q=CEF:0|` in a URL is none.
fn start_of_header(line: &[u8]) -> Option<(usize, usize)> {
    const COMMON: &[u8] = b"EF:";
    /// Marks that are examined, so that the time stays linear in the line.
    const MOST_MARKS: usize = 32;
    let mut rest = line;
    for _ in 0..MOST_MARKS {
        rest = after(rest, COMMON)?;
        let before = &line[..line.len() - rest.len() - COMMON.len()];
        let header = match before {
            [.., b'L', b'E'] => Some((before.len() - 2, 5)),
            [.., b'C'] => Some((before.len() - 1, 7)),
            _ => None,
        };
        let header = header.filter(|(at, _)| is_version(rest) && begins_word(&line[..*at]));
        if header.is_some() {
            return header;
        }
    }
    None
}

fn begins_word(before: &[u8]) -> bool {
    let quotes = || before.iter().filter(|byte| **byte == b'"').count();
    match before.last() {
        None => true,
        Some(b' ' | b'\t' | b'>' | b']' | b':') => quotes() % 2 == 0,
        _ => false,
    }
}

/// `0|`, `1.0|`, also after a blank.
fn is_version(text: &[u8]) -> bool {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let text = &text[..text.len().min(5)];
    let version = until(text, b"|");
    version.len() < text.len()
        && matches!(version.len(), 1..=4)
        && version
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// The time of a LEEF event whose `devTimeFormat` begins with the day in digits.
fn day_first(fields: &[u8], separator: u8, stamps: Stamps) -> Option<i64> {
    let value = |key| after(fields, key).map(|rest| until(rest, &[separator]));
    let format = value(b"devTimeFormat=").filter(|format| format.starts_with(b"dd"))?;
    let is_numeric = !format.windows(3).any(|part| part == b"MMM");
    let stamp = value(b"devTime=").filter(|_| is_numeric)?;
    stamps.any(stamp, DateOrder::DayFirst)
}

/// The text before and after the bar that ends the header. A bar after an odd number
/// of backslashes is part of a field.
fn split_header(event: &[u8], bars: usize) -> Option<(&[u8], &[u8])> {
    let mut rest = event;
    let mut seen = 0;
    while seen < bars {
        let (before, after) = rest.split_at(scan::find(rest, b'|')?);
        let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\');
        seen += usize::from(backslashes.count() % 2 == 0);
        rest = &after[1..];
    }
    Some((&event[..event.len() - rest.len() - 1], rest))
}

/// `^|`, `x5E|`, `0x5E|`, `|` or nothing, before the fields of LEEF 2.0.
fn leef_separator(fields: &[u8]) -> (u8, &[u8]) {
    let end = fields.iter().take(5).position(|byte| *byte == b'|');
    let Some(end) = end else {
        return (b'\t', fields);
    };
    let (said, rest) = (&fields[..end], &fields[end + 1..]);
    let hex = said.strip_prefix(b"0x").or_else(|| said.strip_prefix(b"x"));
    let separator = match (hex.and_then(|hex| str::from_utf8(hex).ok()), said) {
        (Some(hex), _) => u8::from_str_radix(hex, 16).unwrap_or(b'\t'),
        (None, [separator]) => *separator,
        _ => b'\t',
    };
    (separator, rest)
}

/// Relays write a tab as `#011`.
fn with_tabs(fields: &[u8]) -> Cow<'_, [u8]> {
    replaced(fields, b"#011", b"\t")
}

/// CEF escapes `=` and `\` in values, and some products the bar and the quote, too.
fn without_backslashes(value: &[u8]) -> Cow<'_, [u8]> {
    without_escapes(value, br#"\=|""#)
}

fn replaced<'a>(text: &'a [u8], old: &[u8], new: &[u8]) -> Cow<'a, [u8]> {
    let Some((mut before, mut rest)) = split_once(text, old) else {
        return text.into();
    };
    let mut out = Vec::with_capacity(text.len());
    loop {
        out.extend_from_slice(before);
        out.extend_from_slice(new);
        match split_once(rest, old) {
            Some(parts) => (before, rest) = parts,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    fn check(line: &str, expected: (&str, &str)) {
        let parsed = testing::parse::<Cef>(line.as_bytes(), "{}").unwrap();
        let observed = &parsed.observations[0];
        assert_eq!((observed.kind, observed.value.as_str()), expected, "{line}");
        assert_eq!(observed.client, "10.0.0.5", "{line}");
    }

    #[test]
    fn examples_are_read() {
        for dialect in [&CEF, &LEEF] {
            check(dialect.example, ("url", "http://www.example.com/a"));
            let parsed = testing::parse::<Cef>(dialect.example.as_bytes(), "{}").unwrap();
            let observed = &parsed.observations[0];
            assert_eq!(observed.action, Action::Blocked);
            // 2024-05-01T12:00:00Z.
            assert_eq!(observed.time_us, Some(1_714_564_800_000_000));
            assert_eq!(testing::detect::<Cef>(dialect.example.as_bytes()), 90);
        }
    }

    fn time_of(line: &str) -> Option<i64> {
        let parsed = testing::parse::<Cef>(line.as_bytes(), "{}").unwrap();
        parsed.observations[0].time_us
    }

    #[test]
    fn zone_may_be_in_a_key_of_its_own() {
        // FortiAnalyzer's CEF: `start` is in the device's zone, `ad.tz`.
        for zone in ["ad.tz=+0200", "FTNTFGTtz=+0200", "tz=\"+0200\""] {
            let line = format!(
                "CEF:0|Fortinet|F|7|1|n|5|start=May 01 2024 14:00:00 src=10.0.0.5 dst=192.0.2.10 {zone}"
            );
            assert_eq!(time_of(&line), Some(1_714_564_800_000_000), "{zone}");
        }
        // A named zone that is no abbreviation, and an epoch, which has none.
        let line =
            "CEF:0|V|P|1|1|n|5|rt=1714564800000 src=10.0.0.5 dst=192.0.2.10 dtz=Europe/Berlin";
        assert_eq!(time_of(line), Some(1_714_564_800_000_000));
    }

    #[test]
    fn format_of_a_leef_time_may_begin_with_the_day() {
        let line = "LEEF:2.0|V|P|1|1|^|devTime=02/05/2024 12:00:00^devTimeFormat=dd/MM/yyyy HH:mm:ss^src=10.0.0.5^dst=192.0.2.10";
        // 2024-05-02T12:00:00Z.
        assert_eq!(time_of(line), Some(1_714_651_200_000_000));
    }

    #[test]
    fn records_that_a_relay_joined_are_read() {
        let one =
            "CEF:0|Check Point|VPN-1|Check Point|Log|https|5|act=Drop src=10.0.0.5 dst=192.0.2.10";
        let line = format!("May  1 12:00:00 gw {one} #0122024-05-01T12:00:01Z gw {one}");
        let parsed = testing::parse::<Cef>(line.as_bytes(), "{}").unwrap();
        assert_eq!((parsed.observations.len(), parsed.records), (2, 1));
        assert_eq!(parsed.observations[1].time_us, Some(1_714_564_801_000_000));
    }

    #[test]
    fn mark_in_a_value_is_no_header() {
        for line in [
            r#"{"url":"http://www.example.com/?q=CEF:0|a|b|c|d|e|f|src=10.0.0.5"}"#,
            r#"x "agent CEF:0|a|b|c|d|e|f|src=10.0.0.5 dst=192.0.2.10""#,
            "GET http://www.example.com/CEF:0|a|b|c|d|e|f|dst=192.0.2.10",
        ] {
            assert_eq!(testing::detect::<Cef>(line.as_bytes()), 0, "{line}");
        }
    }

    #[test]
    fn user_keeps_its_backslash() {
        for user in [r"CORP\\jane", r"CORP\jane"] {
            let line = format!("CEF:0|V|P|1|1|n|5|src=10.0.0.5 dst=192.0.2.10 suser={user}");
            let parsed = testing::parse::<Cef>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].user, r"CORP\jane");
        }
    }

    #[test]
    fn separators_and_escapes() {
        check(
            r"CEF:0|V|P\|x|1|1|a name|5|src=10.0.0.5 request=http://www.example.com/a?b\=c&d=e msg=x y",
            ("url", "http://www.example.com/a?b=c&d=e"),
        );
        check(
            "CEF:0|V|P|1|1|n|5|src=10.0.0.5 dst=192.0.2.10",
            ("ip", "192.0.2.10"),
        );
        for separated in [
            "\tsrc=10.0.0.5\tdst=192.0.2.10",
            "#011src=10.0.0.5#011dst=192.0.2.10",
            "src=10.0.0.5|dst=192.0.2.10",
        ] {
            check(
                &format!("LEEF:1.0|V|P|1|1|{separated}"),
                ("ip", "192.0.2.10"),
            );
        }
        for separator in ["^", "x5E", "0x5E"] {
            check(
                &format!("LEEF:2.0|V|P|1|1|{separator}|src=10.0.0.5^dst=192.0.2.10"),
                ("ip", "192.0.2.10"),
            );
        }
    }
}
