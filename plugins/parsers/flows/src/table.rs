//! Tables with a header: nfdump `csv`, `ra -c ,`, and tshark `-T fields`.

use vthost_plugin::contact::Contact;
use vthost_plugin::parser::Input;
use vthost_plugin::split::Columns;
use vthost_plugin::time::{DateOrder, Stamps};

use crate::Report;
use crate::ends::{End, between, is_cut};

/// How many columns are read.
const FIELDS: usize = 12;

/// Names of each column, as the tools write them.
const NAMES: [&[&str]; FIELDS] = [
    &[
        "ts",
        "firstSeen",
        "StartTime",
        "frame.time_epoch",
        "frame.time",
    ],
    &["sa", "srcAddr", "SrcAddr", "ip.src"],
    &["da", "dstAddr", "DstAddr", "ip.dst"],
    &["sp", "srcPort", "Sport", "tcp.srcport"],
    &["dp", "dstPort", "Dport", "tcp.dstport"],
    &["ipv6.src"],
    &["ipv6.dst"],
    &["http.request.full_uri"],
    &["http.host", "http2.headers.authority"],
    &["tls.handshake.extensions_server_name"],
    &["dns.qry.name"],
    &["http.request.uri"],
];

/// Where the columns of an input are.
pub(crate) struct Table {
    header: Vec<u8>,
    columns: Columns<FIELDS>,
}

impl Table {
    /// The table whose header is among the first lines.
    pub(crate) fn of(input: &Input) -> Option<Self> {
        input.lines().take(5).find_map(Self::under)
    }

    fn under(header: &[u8]) -> Option<Self> {
        let separator = *[b',', b'\t', b'|', b';']
            .iter()
            .find(|separator| header.iter().filter(|byte| byte == separator).count() >= 2)?;
        let names: Vec<&[u8]> = header
            .split(|byte| *byte == separator)
            .map(<[u8]>::trim_ascii)
            .collect();
        let place = |known: &[&str]| {
            known.iter().find_map(|one| {
                let name = one.as_bytes();
                names.iter().position(|column| *column == name)
            })
        };
        let places = NAMES.map(place);
        let is_tshark = names
            .iter()
            .any(|name| name.starts_with(b"frame.") || name.starts_with(b"ip."));
        let has_ends = places[1].is_some() && places[2].is_some();
        (has_ends && (is_tshark || places[0].is_some())).then(|| Self {
            header: header.to_vec(),
            columns: Columns::at(separator, places),
        })
    }

    pub(crate) fn read<'a>(&mut self, line: &'a [u8], stamps: Stamps) -> Option<Report<'a>> {
        if line == self.header || line == b"Summary" || line.starts_with(b"flows,bytes,") {
            return Some(Report::NoContact("a heading or a total"));
        }
        let fields = self.columns.pick(line).map(<[u8]>::trim_ascii);
        let [
            time,
            source,
            destination,
            from,
            to,
            source6,
            destination6,
            rest @ ..,
        ] = fields;
        let [url, host, tls_name, name, path] = rest;
        let either = |one: &'a [u8], other: &'a [u8]| if one.is_empty() { other } else { one };
        let (source, destination) = (either(source, source6), either(destination, destination6));
        if is_cut(source) || is_cut(destination) {
            return Some(Report::NoContact("an address that was cut (nfdump: -6)"));
        }
        let ends = End::with_port(source, from).zip(End::with_port(destination, to));
        let time_us = stamps.any(time, DateOrder::MonthFirst);
        let contact = match ends {
            Some((source, destination)) => between(source, destination, time_us),
            // IPv6, whose columns were not asked for.
            None if source.is_empty() && time_us.is_some() => Contact {
                time_us,
                ..Contact::default()
            },
            None => return None,
        };
        // A question's destination is the resolver.
        let address = if name.is_empty() {
            contact.address
        } else {
            b""
        };
        Some(
            Contact {
                url: either(url, path),
                host: either(host, tls_name),
                name,
                address,
                ..contact
            }
            .into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::check;

    #[test]
    fn columns_are_found_by_their_names() {
        for (header, row) in [
            (
                "ts,te,td,sa,da,sp,dp,pr",
                "2024-05-01 12:00:00,x,0.0,10.0.0.5,192.0.2.10,51000,443,TCP",
            ),
            (
                "ts,te,td,sa,da,sp,dp,pr",
                "2024-05-01 12:00:00,x,0.0,192.0.2.10,10.0.0.5,443,51000,TCP",
            ),
            (
                "StartTime,Flgs,Proto,SrcAddr,Sport,Dir,DstAddr,Dport",
                "12:00:00.250000, e ,tcp,10.0.0.5,51000,   ->,192.0.2.10,https",
            ),
            (
                "frame.time_epoch\tip.src\tip.dst",
                "1714564800.25\t10.0.0.5\t192.0.2.10",
            ),
        ] {
            check(&format!("{header}\n{row}\n"), &["192.0.2.10"], "10.0.0.5");
        }
    }

    #[test]
    fn the_name_in_a_packet_is_what_was_contacted() {
        let header = "frame.time_epoch,ip.src,ip.dst,http.request.full_uri,tls.handshake.extensions_server_name,dns.qry.name";
        for (fields, values) in [
            (",,\"www.example.com\"", &["www.example.com"][..]),
            (",\"www.example.com\",", &["www.example.com", "192.0.2.10"]),
            (
                "\"http://www.example.com/a\",,",
                &["http://www.example.com/a", "192.0.2.10"],
            ),
            (
                "\"www.example.com:443\",,",
                &["www.example.com", "192.0.2.10"],
            ),
        ] {
            let row = format!("\"1714564800.25\",\"10.0.0.5\",\"192.0.2.10\",{fields}");
            check(&format!("{header}\n{row}\n"), values, "10.0.0.5");
        }
    }
}
