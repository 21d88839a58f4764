//! ArcSight's Common Event Format and QRadar's Log Event Extended Format,
//! wherever in the line they begin.
//!
//! See "ArcSight Common Event Format (CEF) Implementation Standard" and IBM's
//! "LEEF event components".

use std::borrow::Cow;

use vthost_plugin::dialect::{Dialect, FIELDS, Reader, Roles};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::scan;
use vthost_plugin::split::{Pairs, after, split_once};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

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
        // FortiGate writes its own keys with a prefix, which depends on its age.
        url: &[
            "request",
            "requestUrl",
            "requestURL",
            "url",
            "FTNTFGTurl",
            "FortinetFortiGateurl",
        ],
        host: &[
            "FTNTFGTqname",
            "FortinetFortiGateqname",
            "FTNTFGThostname",
            "FortinetFortiGatehostname",
            "dhost",
            "destinationDnsDomain",
            "query",
            "dstname",
        ],
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
        let Some(event) = event(line) else {
            return Line::Rejected("no CEF: or LEEF: in the line");
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
                self.leef.contact(&values, sent_us).push(found)
            }
        }
    }
}

impl Cef {
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
    /// What stands between LEEF's fields; none for CEF.
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

/// Where `CEF:` or `LEEF:` stands, and how many bars end the header.
fn start_of_header(line: &[u8]) -> Option<(usize, usize)> {
    const COMMON: &[u8] = b"EF:";
    let mut rest = line;
    loop {
        rest = after(rest, COMMON)?;
        let before = &line[..line.len() - rest.len() - COMMON.len()];
        if before.ends_with(b"C") {
            return Some((before.len() - 1, 7));
        }
        if before.ends_with(b"LE") {
            return Some((before.len() - 2, 5));
        }
    }
}

/// What stands before and behind the bar that ends the header. A bar behind a
/// backslash ends nothing.
fn split_header(event: &[u8], bars: usize) -> Option<(&[u8], &[u8])> {
    let mut rest = event;
    let mut seen = 0;
    while seen < bars {
        let (before, after) = rest.split_at(scan::find(rest, b'|')?);
        seen += usize::from(!before.ends_with(b"\\"));
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

/// CEF writes `\=` and `\\` in values.
fn without_backslashes(value: &[u8]) -> Cow<'_, [u8]> {
    replaced(value, b"\\", b"")
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
