//! Block lists, each by the rules of its consumer.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::block::{BlockEntry, entries};
use super::format::ExportFormat;
use super::{Exported, LeftOut, bad, known_us};
use crate::triage::Finding;

const NOT_A_HOST: &str = "a bad URL on a host that is not bad itself, and this list has only hosts";
const NOT_A_NAME: &str = "an address, and this list has only names";
const ZONE_TOO_LONG: &str = "too long a name with the name of the zone (RFC 1035: 253 octets)";
const RESERVED: &str = "a name that has a meaning of its own in a response policy zone";
const WILDCARD: &str = "it has a character that is a wildcard in this list";
const LINE_TOO_LONG: &str = "longer than the consumer's lines may be";
const LIST_FULL: &str = "the consumer reads no more lines than precede it";

/// What is left out of a list, or its line.
type ListLine = Result<String, &'static str>;

/// The findings as a block list.
pub(super) fn block_list(format: ExportFormat, zone: &str, findings: &[Finding]) -> Exported {
    let mut text = String::new();
    let mut left_out = Vec::new();
    let mut lines = 0;
    for entry in entries(findings) {
        let line = match lines < max_lines(format) {
            true => line(format, zone, &entry),
            false => Err(LIST_FULL),
        };
        match line {
            Ok(line) => {
                text.push_str(&line);
                text.push('\n');
                lines += 1;
            }
            Err(reason) => left_out.push(LeftOut::new(&shown(&entry), reason)),
        }
    }
    let text = head(format, lines, findings) + &text;
    Exported {
        bytes: text.into_bytes(),
        left_out,
    }
}

fn shown(entry: &BlockEntry) -> String {
    match entry {
        BlockEntry::Name(text) | BlockEntry::Url(text) => text.clone(),
        BlockEntry::Address(address) => address.to_string(),
    }
}

/// Fortinet's limit of a category feed before FortiOS 7.4.4.
const MAX_FORTIGATE_LINES: usize = 131_072;
/// The URLs that the smallest PAN-OS firewalls hold in all lists together.
const MAX_PANOS_LINES: usize = 50_000;

fn max_lines(format: ExportFormat) -> usize {
    match format {
        ExportFormat::Fortigate => MAX_FORTIGATE_LINES,
        ExportFormat::Panos => MAX_PANOS_LINES,
        _ => usize::MAX,
    }
}

/// What precedes the entries. Formats whose consumers take no comments begin with the first entry.
fn head(format: ExportFormat, lines: usize, findings: &[Finding]) -> String {
    match format {
        ExportFormat::Squid => format!(
            "# {lines} bad hosts, by vthost. In squid.conf: acl bad dstdomain \"/path/of/this/file\"\n"
        ),
        ExportFormat::Hosts => format!("# {lines} bad hosts, by vthost\n"),
        ExportFormat::Unbound => format!(
            "# {lines} bad hosts, by vthost. In unbound.conf: include: \"/path/of/this/file\"\nserver:\n"
        ),
        ExportFormat::Rpz => {
            let known_s = bad(findings).into_iter().map(known_us).max().unwrap_or(0) / 1_000_000;
            let serial = u32::try_from(known_s).unwrap_or(u32::MAX).max(1);
            format!(
                "; {lines} bad hosts, by vthost\n$TTL 300\n\
                 @ SOA localhost. root.localhost. {serial} 3600 600 604800 300\n@ NS localhost.\n"
            )
        }
        _ => String::new(),
    }
}

fn line(format: ExportFormat, zone: &str, entry: &BlockEntry) -> ListLine {
    match format {
        ExportFormat::Squid => name(entry).map(str::to_owned),
        ExportFormat::Hosts => name(entry).map(|name| format!("0.0.0.0 {name}")),
        ExportFormat::Unbound => name(entry).map(unbound),
        ExportFormat::Rpz => rpz(entry, zone),
        ExportFormat::Fortigate => fortigate(entry),
        ExportFormat::Panos => panos(entry),
        _ => Ok(shown(entry)),
    }
}

/// The name of an entry, for lists of names. dstdomain is such a list: Squid takes an address
/// without a word, but matches it only where the URL has the same text.
fn name(entry: &BlockEntry) -> Result<&str, &'static str> {
    match entry {
        BlockEntry::Name(name) => Ok(name),
        BlockEntry::Address(_) => Err(NOT_A_NAME),
        BlockEntry::Url(_) => Err(NOT_A_HOST),
    }
}

/// A transparent zone answers for the name itself and resolves the names under it, where
/// `always_nxdomain` would block them too. The name is written in one zone of one type.
fn unbound(name: &str) -> String {
    format!(
        "    local-zone: \"{name}.\" transparent\n    \
             local-data: \"{name}. A 0.0.0.0\"\n    \
             local-data: \"{name}. AAAA ::\""
    )
}

/// RFC 1035 section 2.3.4, in octets of the textual form without final dot.
const MAX_NAME_BYTES: usize = 253;

/// A rule that answers NXDOMAIN. The owner is relative to the zone, whose name counts too.
fn rpz(entry: &BlockEntry, zone: &str) -> ListLine {
    let owner = match entry {
        BlockEntry::Url(_) => return Err(NOT_A_HOST),
        BlockEntry::Address(address) => rpz_address(*address),
        BlockEntry::Name(name) => {
            let top = name.rsplit('.').next().unwrap_or(name);
            if top.starts_with("rpz-") {
                return Err(RESERVED);
            }
            name.clone()
        }
    };
    if owner.len() + 1 + zone.len() > MAX_NAME_BYTES {
        return Err(ZONE_TOO_LONG);
    }
    Ok(format!("{owner} CNAME ."))
}

/// The owner of a rule for answers with this address: the prefix length, then the parts from the
/// last to the first, where `zz` is `::`.
fn rpz_address(address: IpAddr) -> String {
    let (prefix, text) = match address {
        IpAddr::V4(v4) => (32, v4.octets().map(|octet| octet.to_string()).to_vec()),
        IpAddr::V6(v6) => (128, rpz_groups(&v6.to_string())),
    };
    let reversed: Vec<String> = text.into_iter().rev().collect();
    format!("{prefix}.{}.rpz-ip", reversed.join("."))
}

/// The groups of an IPv6 address in its RFC 5952 form, with `zz` for `::`. The address has no
/// IPv4 part, because indicators turn mapped addresses into IPv4.
fn rpz_groups(text: &str) -> Vec<String> {
    let text = text.replacen("::", ":zz:", 1);
    let groups = text.split(':').filter(|group| !group.is_empty());
    groups.map(str::to_owned).collect()
}

/// Fortinet's limit of a line, in octets.
const MAX_FORTIGATE_BYTES: usize = 4095;

fn fortigate(entry: &BlockEntry) -> ListLine {
    let line = match entry {
        BlockEntry::Address(IpAddr::V6(v6)) => format!("[{v6}]"),
        _ => shown(entry),
    };
    if line.contains('*') {
        return Err(WILDCARD);
    }
    if line.len() > MAX_FORTIGATE_BYTES {
        return Err(LINE_TOO_LONG);
    }
    Ok(line)
}

/// Palo Alto's limit of an entry, in octets.
const MAX_PANOS_BYTES: usize = 255;

/// An entry without scheme. A host ends with `/`: without it, `example.com` also matches
/// `example.com.example.net`.
fn panos(entry: &BlockEntry) -> ListLine {
    let mut line = String::new();
    // Writing to a String cannot fail.
    let _ = match entry {
        BlockEntry::Name(name) => write!(line, "{name}/"),
        BlockEntry::Address(IpAddr::V4(v4)) => write!(line, "{v4}/"),
        BlockEntry::Address(IpAddr::V6(v6)) => write!(line, "[{v6}]/"),
        BlockEntry::Url(url) => {
            let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            write!(line, "{rest}")
        }
    };
    if line.contains(['*', '^']) {
        return Err(WILDCARD);
    }
    if line.len() > MAX_PANOS_BYTES {
        return Err(LINE_TOO_LONG);
    }
    Ok(line)
}
