//! Changes of a sample that leave what it states as it is.

use std::collections::BTreeMap;

use super::reader::Seen;
use super::variant::Variant;

/// Syslog headers as devices and relays write them.
const HEADERS: &[(&str, &str)] = &[
    ("rfc 3164 header", "<134>May  1 12:00:05 gw app[77]: "),
    (
        "rfc 3164 header without a pid",
        "<134>May  1 12:00:05 gw app: ",
    ),
    ("rfc 3164 header in a file", "May  1 12:00:05 gw app[77]: "),
    (
        "rfc 3164 header with an address",
        "May  1 12:00:05 192.0.2.250 app: ",
    ),
    ("rfc 3164 header without a tag", "<134>May  1 12:00:05 gw "),
    (
        "rfc 3164 header with a year",
        "<134>May 01 2024 12:00:05 gw app: ",
    ),
    (
        "rfc 5424 header",
        "<134>1 2024-05-01T12:00:05.123Z gw app 77 - - ",
    ),
    (
        "rfc 5424 header with data",
        "<134>1 2024-05-01T12:00:05Z gw app 77 ID47 [x@32473 a=\"b \\\"c\\\" \\]\" d=\"e\"][y@32473 f=\"g\"] ",
    ),
    (
        "iso header",
        "2024-05-01T12:00:05.123456+00:00 gw app[77]: ",
    ),
    ("priority alone", "<134>"),
    (
        "two headers",
        "May  1 12:00:06 relay May  1 12:00:05 gw app[77]: ",
    ),
    (
        "two headers, iso and rfc 3164",
        "2024-05-01T12:00:06+00:00 relay <134>May  1 12:00:05 gw app[77]: ",
    ),
];

pub(super) fn with_headers(lines: &[&str]) -> Vec<Variant> {
    let has_priority = lines.iter().any(|line| line.starts_with('<'));
    let headers = HEADERS
        .iter()
        .filter(|(_, header)| !(has_priority && *header == "<134>"));
    headers
        .map(|(name, header)| {
            let lines: Vec<String> = lines.iter().map(|line| format!("{header}{line}")).collect();
            Variant {
                gives_time: true,
                ..Variant::of_lines(name, &lines)
            }
        })
        .collect()
}

/// Changes of the file that touch no line's text.
pub(super) fn of_file(text: &str, lines: &[&str], seen: &[Seen]) -> Vec<Variant> {
    let owned: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let plain = || Variant::of_lines("", &owned);
    let mut variants = vec![
        Variant {
            name: "cr lf".to_owned(),
            text: text.replace('\n', "\r\n").into_bytes(),
            ..plain()
        },
        Variant {
            name: "byte order mark".to_owned(),
            text: format!("\u{feff}{text}").into_bytes(),
            ..plain()
        },
        Variant {
            name: "no last line end".to_owned(),
            text: text.trim_end().as_bytes().to_vec(),
            ..plain()
        },
    ];
    let blocks =
        |name, before: &str, separator| Variant::of_blocks(name, before, &owned, separator, "\n");
    variants.push(blocks("blank lines", "\n", "\n\n"));
    variants.push(with_foreign_lines(&owned, seen));
    variants.extend([1, 100, 1000].map(|bytes| Variant {
        name: format!("chunks of {bytes} bytes"),
        chunk_bytes: bytes,
        ..plain()
    }));
    variants
}

/// A line of no format after every other line, from the first that gives an observation on.
fn with_foreign_lines(lines: &[String], seen: &[Seen]) -> Variant {
    let first = seen.iter().map(|one| one.line as usize - 1).min();
    let mut new = Vec::new();
    let mut starts = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        new.push(line.clone());
        starts.push(new.len() as u64);
        if first.is_some_and(|first| number >= first && (number - first) % 2 == 0) {
            new.push("-- MARK --".to_owned());
        }
    }
    Variant {
        starts,
        ..Variant::of_lines("foreign lines", &new)
    }
}

/// Changes of single lines, where their grammar allows it.
pub(super) fn of_lines(lines: &[&str], seen: &[Seen]) -> Vec<Variant> {
    let changed = |name: &str, change: &dyn Fn(&str) -> Option<String>| {
        let new: Vec<Option<String>> = lines.iter().map(|line| change(line)).collect();
        let is_changed = new.iter().any(Option::is_some);
        let new = new.into_iter().zip(lines);
        let new: Vec<String> = new
            .map(|(new, old)| new.unwrap_or_else(|| (*old).to_owned()))
            .collect();
        is_changed.then(|| Variant::of_lines(name, &new))
    };
    let mut variants = Vec::new();
    variants.extend(changed("unknown members", &with_unknown_members));
    variants.extend(changed("members reversed", &with_members_reversed));
    variants.extend(changed("unknown pairs", &with_unknown_pairs));
    variants.extend(changed("pairs reversed", &with_pairs_reversed));
    variants.extend(with_ipv6(lines, seen));
    variants
}

type Object = serde_json::Map<String, serde_json::Value>;

fn object(line: &str) -> Option<Object> {
    serde_json::from_str(line).ok()
}

fn with_unknown_members(line: &str) -> Option<String> {
    let mut new = Object::new();
    new.insert("zz_first".to_owned(), "x".into());
    new.extend(object(line)?);
    new.insert("zz_last".to_owned(), serde_json::json!({"x": [1, null]}));
    Some(serde_json::to_string(&new).unwrap())
}

fn with_members_reversed(line: &str) -> Option<String> {
    let new: Object = object(line)?.into_iter().rev().collect();
    Some(serde_json::to_string(&new).unwrap())
}

/// The pairs `key=value` at the end of a line, and what is before them; none where there are
/// few, or one key comes twice.
fn pairs(line: &str) -> Option<(&str, Vec<&str>)> {
    let mut pairs = Vec::new();
    let mut rest = line;
    while let Some((before, pair)) = last_pair(rest) {
        pairs.push(pair);
        rest = before;
    }
    pairs.reverse();
    let key = |pair: &&str| pair.split('=').next().unwrap().to_owned();
    let keys: std::collections::BTreeSet<String> = pairs.iter().map(key).collect();
    (pairs.len() >= 4 && keys.len() == pairs.len()).then_some((rest, pairs))
}

/// The last pair of a line, and what is before its blank.
fn last_pair(line: &str) -> Option<(&str, &str)> {
    let start = match line.strip_suffix('"') {
        Some(inside) => {
            let quote = inside.rfind("=\"")?;
            inside[..quote].rfind(' ')?
        }
        None => line.rfind(' ')?,
    };
    let pair = &line[start + 1..];
    let (key, _) = pair.split_once('=')?;
    let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
    (!key.is_empty() && key.chars().all(is_key)).then_some((&line[..start], pair))
}

fn with_unknown_pairs(line: &str) -> Option<String> {
    let (before, pairs) = pairs(line)?;
    Some(format!(
        "{before} {} zzunknown=\"x y\" zzlast=1",
        pairs.join(" ")
    ))
}

fn with_pairs_reversed(line: &str) -> Option<String> {
    let (before, mut pairs) = pairs(line)?;
    pairs.reverse();
    Some(format!("{before} {}", pairs.join(" ")))
}

/// IPv6 addresses in place of the IPv4 addresses that are whole fields.
fn with_ipv6(lines: &[&str], seen: &[Seen]) -> Option<Variant> {
    let mut renamed = BTreeMap::new();
    let addresses = seen.iter().flat_map(|one| {
        let client = one.client.as_deref();
        [Some(one.value.as_str()), client].into_iter().flatten()
    });
    for address in addresses.filter_map(|text| text.parse::<std::net::Ipv4Addr>().ok()) {
        let [_, _, _, last] = address.octets();
        renamed.insert(address.to_string(), format!("2001:db8::{last}"));
    }
    // An address that is written in another way, such as `192[.]0[.]2[.]1`, stays.
    let is_written = |one: &Seen| {
        let line = lines
            .get(one.line as usize - 1)
            .copied()
            .unwrap_or_default();
        !renamed.contains_key(&one.value) || line.contains(&one.value)
    };
    if !seen.iter().all(is_written) {
        return None;
    }
    let new: Option<Vec<String>> = lines
        .iter()
        .map(|line| with_addresses(line, &renamed))
        .collect();
    let new = new?;
    (!renamed.is_empty()).then(|| Variant {
        renamed,
        ..Variant::of_lines("ipv6", &new)
    })
}

/// A line with addresses replaced; none where one has a port after it, or is part of a longer
/// field.
fn with_addresses(line: &str, renamed: &BTreeMap<String, String>) -> Option<String> {
    let mut new = String::new();
    let mut rest = line;
    let find = |text: &str| {
        let places = renamed
            .iter()
            .filter_map(|(from, to)| Some((text.find(from)?, from.len(), to)));
        places.min_by_key(|(at, len, _)| (*at, std::cmp::Reverse(*len)))
    };
    while let Some((at, len, to)) = find(rest) {
        let before = rest[..at].chars().next_back();
        let after = rest[at + len..].chars().next();
        let is_end = |c: Option<char>| c.is_none_or(|c| " \t\"',=|;".contains(c));
        if !is_end(before) || !is_end(after) {
            return None;
        }
        new.push_str(&rest[..at]);
        new.push_str(to);
        rest = &rest[at + len..];
    }
    new.push_str(rest);
    Some(new)
}

/// Values that a client can put into a log, of which some look like another format.
const HOSTILE: &[(&str, &str)] = &[
    ("type", "x?,type=traffic,subtype=url,"),
    ("json", "x?{\"\"x\"\":{\"x\":1}}"),
    ("pairs", "x?a=b&key=value;src=10.9.9.9&date=2020-01-01"),
    ("cef", "CEF:0|a|b|1|2|3|4|dst=10.9.9.9"),
    ("quotes", "x?\"a\"'b'`c`"),
    ("commas", "x?1,2,3,4,5,6,7,8,9,10,11,12"),
    ("braces", "x?}]{[()<>"),
    ("squid", "x?TCP_DENIED/403|HIER_NONE/-"),
];

/// Rows with hostile values before, between and after those of the sample.
pub(super) fn hostile(lines: &[&str], seen: &[Seen]) -> Vec<Variant> {
    let Some((model, url)) = model(lines, seen) else {
        return Vec::new();
    };
    let first = seen.iter().map(|one| one.line as usize - 1).min();
    let first = first.unwrap_or_default();
    let long = "{\"x\":\"y\",type=,".repeat(546);
    let values = HOSTILE.iter().copied().chain([("8 KB", long.as_str())]);
    values
        .map(|(name, value)| {
            let url = escaped(
                lines[model],
                url,
                &format!("http://www.example.org/{value}"),
            );
            with_rows(&format!("hostile {name}"), lines, (first, model), &url)
        })
        .collect()
}

/// The sample's lines with rows before the first that gives an observation, and between.
fn with_rows(name: &str, lines: &[&str], (first, model): (usize, usize), row: &str) -> Variant {
    let mut new = Vec::new();
    let mut starts = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if (first..=model).contains(&number) {
            new.push(row.to_owned());
        }
        new.push((*line).to_owned());
        starts.push(new.len() as u64);
    }
    new.push(row.to_owned());
    let variant = Variant::of_lines(name, &new);
    Variant {
        starts,
        has_other_rows: true,
        ..variant
    }
}

/// A line of a sample that gives one URL, and holds it and its client as they are.
fn model<'a>(lines: &[&str], seen: &'a [Seen]) -> Option<(usize, &'a str)> {
    seen.iter().find_map(|one| {
        let line = one.line as usize - 1;
        let text = lines.get(line)?;
        let is_url = one.value.starts_with("http") && text.matches(&one.value).count() == 1;
        let has_client = one
            .client
            .as_ref()
            .is_none_or(|client| text.contains(client));
        (is_url && has_client).then_some((line, one.value.as_str()))
    })
}

/// The line with another URL, escaped as its format escapes.
fn escaped(line: &str, url: &str, hostile: &str) -> String {
    let (before, after) = line.split_once(url).unwrap();
    let hostile = if line.trim_start().starts_with('{') {
        let text = serde_json::Value::from(hostile).to_string();
        text[1..text.len() - 1].to_owned()
    } else if line.contains("CEF:") || line.contains("LEEF:") {
        hostile.replace('\\', "\\\\").replace('=', "\\=")
    } else if url.contains(',') {
        // A format that quotes nothing.
        hostile.to_owned()
    } else if before.ends_with(',') && after.starts_with(',') {
        format!("\"{}\"", hostile.replace('"', "\"\""))
    } else if before.ends_with("=\"") || before.ends_with("GET ") {
        hostile.replace('"', "%22")
    } else if before.ends_with('"') {
        hostile.replace('"', "\"\"")
    } else {
        hostile.to_owned()
    };
    format!("{before}{hostile}{after}")
}
