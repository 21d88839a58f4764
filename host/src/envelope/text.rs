//! Envelopes that are a prefix of each line.

use super::header::{self, Stamps};
use super::lines::{Lines, Origin, Unwrapped};
use super::{Layer, LayerKind, most, time};
use crate::input::RecordEnd;

/// A prefix, and how to remove it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextLayer {
    removal: Removal,
    /// Whether the runtime cuts long lines into parts.
    has_parts: bool,
}

/// Splits a line into the time of the prefix and what follows it.
type Strip = fn(&[u8]) -> Option<(Option<i64>, &[u8])>;

/// The same for times that may have neither year nor zone.
type StripStamped = fn(&[u8], Stamps) -> Option<(Option<i64>, &[u8])>;

/// How a prefix is removed.
#[derive(Debug, Clone, Copy)]
enum Removal {
    Plain(Strip),
    Stamped(StripStamped, Stamps),
}

impl Removal {
    #[inline]
    fn strip(self, line: &[u8]) -> Option<(Option<i64>, &[u8])> {
        match self {
            Self::Plain(strip) => strip(line),
            Self::Stamped(strip, stamps) => strip(line, stamps),
        }
    }
}

/// A header of syslog.
struct Header {
    name: &'static str,
    /// For the documents.
    example: &'static str,
    /// Recognises it: most lines of an input have it.
    of_most: StripStamped,
    /// Removes it.
    strip: StripStamped,
    /// Whether no device writes such lines as its own log.
    is_certain: bool,
}

const HEADERS: &[Header] = &[
    Header {
        name: "syslog relay",
        example: "May  1 12:00:01 relay <30>May  1 12:00:00 gw app: line",
        of_most: header::relayed,
        // Lines without a second header are those of the relay, or continue a line.
        strip: header::any,
        is_certain: true,
    },
    Header {
        name: "syslog",
        example: "<30>1 2024-05-01T12:00:00Z gw app 77 - - line",
        of_most: header::any,
        strip: header::any,
        is_certain: false,
    },
    Header {
        name: "priority",
        example: "<134>line",
        of_most: header::priority,
        strip: header::priority,
        is_certain: false,
    },
    Header {
        name: "program",
        example: "app[77]: line",
        of_most: header::tag,
        strip: header::tag,
        is_certain: false,
    },
];

/// A prefix that a collector writes.
struct Prefix {
    name: &'static str,
    /// For the documents.
    example: &'static str,
    strip: Strip,
    /// Whether long lines come in parts.
    has_parts: bool,
    /// Whether no device writes such lines as its own log.
    is_certain: bool,
}

const fn prefix(
    name: &'static str,
    example: &'static str,
    strip: Strip,
    is_certain: bool,
) -> Prefix {
    Prefix {
        name,
        example,
        strip,
        has_parts: false,
        is_certain,
    }
}

const PREFIXES: &[Prefix] = &[
    Prefix {
        name: "cri",
        example: "2024-05-01T12:00:00.123456789Z stdout F line",
        strip: cri,
        has_parts: true,
        is_certain: true,
    },
    prefix(
        "loki",
        r#"2024-05-01T12:00:00Z {app="web"} line"#,
        loki,
        true,
    ),
    prefix(
        "fluentd",
        r#"2024-05-01T12:00:00+00:00⇥tag⇥{"message":"line"}"#,
        fluentd,
        true,
    ),
    prefix(
        "fluentd stdout",
        r#"2024-05-01 12:00:00.123456789 +0000 tag: {"message":"line"}"#,
        fluentd_stdout,
        true,
    ),
    prefix(
        "fluent-bit",
        r#"tag: [1714564800.123, {"log":"line"}]"#,
        fluent_bit,
        true,
    ),
    prefix(
        "json sequence",
        r#"data: {"MESSAGE":"line"}"#,
        json_sequence,
        true,
    ),
    prefix(
        "grafana text",
        "1714564800123⇥2024-05-01T12:00:00.123Z⇥line",
        grafana,
        true,
    ),
    prefix("docker compose", "web-1  | line", compose, false),
    prefix("kubectl", "[pod/web-1/proxy] line", kubectl, false),
    prefix(
        "cloudwatch",
        "2024-05-01T12:00:00.123456+00:00 stream line",
        cloudwatch,
        false,
    ),
    prefix(
        "journald",
        "Wed 2024-05-01 12:00:00 UTC gw app[77]: line",
        journald,
        false,
    ),
    prefix(
        "timestamps",
        "2024-05-01T12:00:00.123456789Z line",
        timestamps,
        false,
    ),
];

/// Name and example of each prefix.
pub(super) fn list() -> impl Iterator<Item = (&'static str, String)> {
    let headers = HEADERS.iter().map(|header| (header.name, header.example));
    let prefixes = PREFIXES.iter().map(|prefix| (prefix.name, prefix.example));
    let all = headers.chain(prefixes);
    all.map(|(name, example)| (name, format!("`{example}`")))
}

/// The prefixes that most lines of `head` have.
pub(super) fn recognise(head: &[u8], stamps: Stamps) -> Vec<Layer> {
    let lines = || Lines::of_chunk(head).map(|(_, line)| line);
    let headers = HEADERS
        .iter()
        .filter(|header| most(lines(), |line| (header.of_most)(line, stamps).is_some()));
    let headers = headers.map(|header| Layer {
        name: header.name,
        is_certain: header.is_certain,
        kind: LayerKind::Text(TextLayer {
            removal: Removal::Stamped(header.strip, stamps),
            has_parts: false,
        }),
    });
    let prefixes = PREFIXES
        .iter()
        .filter(|prefix| most(lines(), |line| (prefix.strip)(line).is_some()));
    let prefixes = prefixes.map(|prefix| Layer {
        name: prefix.name,
        is_certain: prefix.is_certain,
        kind: LayerKind::Text(TextLayer {
            removal: Removal::Plain(prefix.strip),
            has_parts: prefix.has_parts,
        }),
    });
    headers.chain(prefixes).collect()
}

impl TextLayer {
    /// Whether it is a header that a device may write itself.
    pub(super) fn is_header(self) -> bool {
        matches!(self.removal, Removal::Stamped(..))
    }

    pub(super) fn record_end(self) -> Option<RecordEnd> {
        self.has_parts.then_some(cri_end)
    }

    pub(super) fn unwrap(self, lines: Lines<'_>, into: &mut Unwrapped) {
        // The parts of a line of standard output and of standard error.
        let mut pending: [Option<(Origin, Vec<u8>)>; 2] = [None, None];
        for (origin, line) in lines {
            let Some((time_us, text)) = self.removal.strip(line) else {
                into.push(origin, line);
                continue;
            };
            let origin = origin.at(time_us);
            let Some(part) = self.has_parts.then(|| cri_part(line)).flatten() else {
                into.push(origin, text);
                continue;
            };
            let slot = &mut pending[usize::from(part.is_error)];
            if part.is_last && slot.is_none() {
                into.push(origin, text);
                continue;
            }
            let (first, so_far) = slot.get_or_insert_with(|| (origin, Vec::new()));
            *first = first.to(origin);
            so_far.extend_from_slice(text);
            if part.is_last {
                if let Some((origin, line)) = slot.take() {
                    into.push(origin, &line);
                }
            } else {
                into.structure += 1;
            }
        }
        for (origin, line) in pending.into_iter().flatten() {
            into.push(origin, &line);
        }
    }
}

/// The first word, and what follows the blank after it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = memchr::memchr(b' ', text)?;
    Some((&text[..blank], &text[blank + 1..]))
}

/// An ISO 8601 time without blanks, and what follows it.
fn iso_time(line: &[u8]) -> Option<(i64, &[u8])> {
    let (stamp, rest) = word(line)?;
    let is_whole = stamp.len() >= 19 && stamp.get(10) == Some(&b'T');
    let time_us = is_whole.then(|| time::parse(stamp)).flatten()?;
    Some((time_us, rest))
}

/// `2024-05-01T12:00:00.123456789Z stdout F line`.
fn cri(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    cri_part(line)?;
    let (time_us, rest) = iso_time(line)?;
    let text = rest.get("stdout F".len()..)?;
    Some((Some(time_us), text.strip_prefix(b" ").unwrap_or(text)))
}

/// Which stream a line of CRI belongs to, and whether the log's line ends with it.
struct Part {
    is_error: bool,
    is_last: bool,
}

fn cri_part(line: &[u8]) -> Option<Part> {
    let (_, rest) = word(line)?;
    let (stream, rest) = word(rest)?;
    let is_error = match stream {
        b"stdout" => false,
        b"stderr" => true,
        _ => return None,
    };
    // Tags follow the first after colons.
    let is_last = match rest {
        [b'F', tail @ ..] if matches!(tail.first(), None | Some(b' ' | b':')) => true,
        [b'P', tail @ ..] if matches!(tail.first(), None | Some(b' ' | b':')) => false,
        _ => return None,
    };
    Some(Part { is_error, is_last })
}

/// The end of the last line that is not continued.
fn cri_end(bytes: &[u8]) -> Option<usize> {
    let mut end = memchr::memrchr(b'\n', bytes)? + 1;
    while end > 0 {
        let start = memchr::memrchr(b'\n', &bytes[..end - 1]).map_or(0, |feed| feed + 1);
        match cri_part(&bytes[start..end - 1]) {
            Some(Part { is_last: false, .. }) => end = start,
            _ => return Some(end),
        }
    }
    None
}

/// `2024-05-01T12:00:00Z {job="x"} line`, as logcli writes it.
fn loki(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let (time_us, rest) = iso_time(line)?;
    let labels = rest.trim_ascii_start().strip_prefix(b"{")?;
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let name = labels.iter().take_while(|byte| is_label(byte)).count();
    if labels.first() != Some(&b'}') && (name == 0 || !labels[name..].starts_with(b"=")) {
        return None;
    }
    let mut at = 0;
    while labels.get(at) != Some(&b'}') {
        at = match labels.get(at)? {
            b'"' => super::json::string_end(labels, at + 1) + 1,
            _ => at + 1,
        };
    }
    let text = &labels[at + 1..];
    Some((Some(time_us), text.strip_prefix(b" ").unwrap_or(text)))
}

/// `2024-05-01T12:00:00+00:00⇥tag⇥{…}`.
fn fluentd(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let tab = memchr::memchr(b'\t', line)?;
    let time_us = time::parse(&line[..tab])?;
    let rest = &line[tab + 1..];
    let tab = memchr::memchr(b'\t', rest)?;
    let object = &rest[tab + 1..];
    object.starts_with(b"{").then_some((Some(time_us), object))
}

/// `2024-05-01 12:00:00.123456789 +0000 tag: {…}`.
fn fluentd_stdout(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let (_, rest) = word(line)?;
    let (_, rest) = word(rest)?;
    let (_, rest) = word(rest)?;
    let time_us = time::parse(&line[..line.len() - rest.len() - 1])?;
    let (tag, object) = word(rest)?;
    let is_tagged = tag.ends_with(b":") && object.starts_with(b"{");
    is_tagged.then_some((Some(time_us), object))
}

/// An object after a record separator (RFC 7464), or in an event of a stream (`data: {…}`).
fn json_sequence(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let object = line
        .strip_prefix(b"\x1e")
        .or_else(|| line.strip_prefix(b"data: "))?;
    object.starts_with(b"{").then_some((None, object))
}

/// `1714564800123⇥2024-05-01T12:00:00.123Z⇥line`, as Grafana saves text.
fn grafana(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let tab = memchr::memchr(b'\t', line).filter(|tab| *tab == 13)?;
    let time_us = time::parse(&line[..tab])?;
    let rest = &line[tab + 1..];
    let tab = memchr::memchr(b'\t', rest)?;
    time::parse(&rest[..tab])?;
    Some((Some(time_us), &rest[tab + 1..]))
}

/// `tag: [1714564800.123, {…}]`, perhaps with `[0] ` in front, and with the time in inner brackets.
fn fluent_bit(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let start = memchr::memmem::find(line, b": [")?;
    let inside = &line[start + 3..];
    let inside = inside.strip_prefix(b"[").unwrap_or(inside);
    let comma = memchr::memchr(b',', inside)?;
    let time_us = time::parse(&inside[..comma])?;
    let brace = memchr::memmem::find(&inside[comma..], b" {\"")? + comma + 1;
    let object = &inside[brace..];
    Some((Some(time_us), object.strip_suffix(b"]").unwrap_or(object)))
}

/// `proxy-1  | line`.
fn compose(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let bar = memchr::memmem::find(line, b" | ")
        .or_else(|| line.ends_with(b" |").then(|| line.len() - 2))?;
    let name = line[..bar].trim_ascii_end();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.@/".contains(byte);
    let is_service = !name.is_empty() && name.iter().all(is_name);
    is_service.then_some((None, line.get(bar + 3..).unwrap_or_default()))
}

/// `[pod/proxy-1/squid] line`, as `kubectl logs --prefix` writes it.
fn kubectl(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let inside = line.strip_prefix(b"[pod/")?;
    let end = memchr::memmem::find(inside, b"] ")?;
    Some((None, &inside[end + 2..]))
}

/// `2024-05-01T12:00:00.000000+00:00 stream line`, as `aws logs tail` writes it: always with
/// this offset. A time with another offset, or with `Z`, begins a header of the device.
fn cloudwatch(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let (time_us, rest) = iso_time(line)?;
    let stamp = &line[..line.len() - rest.len()];
    let (_, text) = word(rest)?;
    let is_of_aws = stamp.trim_ascii_end().ends_with(b"+00:00");
    is_of_aws.then_some((Some(time_us), text))
}

/// `Wed 2024-05-01 12:00:00 UTC gw squid[1]: line` (`short-full`) and
/// `1714564800.123456 gw squid[1]: line` (`short-unix`) and `[   77.123456] gw squid[1]: line`
/// (`short-monotonic`): the program and its line remain.
fn journald(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    if let Some(inside) = line.strip_prefix(b"[") {
        let end = memchr::memmem::find(inside, b"] ")?;
        let is_clock = |byte: &u8| byte.is_ascii_digit() || b" .".contains(byte);
        let is_monotonic = inside[..end].iter().all(is_clock);
        return is_monotonic
            .then(|| program(None, &inside[end + 2..]))
            .flatten();
    }
    let (first, rest) = word(line)?;
    let (time_us, rest) = match first.first()? {
        b'0'..=b'9' if first.get(10) == Some(&b'.') => (time::parse(first)?, rest),
        b'A'..=b'Z' if first.len() == 3 => {
            let zone = 20 + memchr::memchr(b' ', rest.get(20..)?)?;
            (time::parse(&rest[..zone])?, &rest[zone + 1..])
        }
        _ => return None,
    };
    program(Some(time_us), rest)
}

/// The program and its line, after the host.
fn program(time_us: Option<i64>, rest: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let (_host, text) = word(rest)?;
    let (program, _) = word(text)?;
    program.ends_with(b":").then_some((time_us, text))
}

/// `2024-05-01T12:00:00.123456789Z line`, as `kubectl logs --timestamps`, Docker and the
/// export of CloudWatch write it.
fn timestamps(line: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let (time_us, text) = iso_time(line)?;
    Some((Some(time_us), text))
}
