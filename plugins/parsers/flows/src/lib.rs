//! Tools that print flows and packets as text: nfdump, Argus `ra`, tcpdump, tshark,
//! conntrack and ulogd2. Compared with nfdump 1.7, argus-client 3.0, tcpdump 4.99,
//! tshark 4.0, conntrack-tools 1.4 and ulogd2 2.0.

mod documents;
mod ends;
mod netfilter;
mod oprint;
mod packets;
mod pipe;
mod table;

use vthost_plugin::contact::Contact;
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::time::Stamps;

use documents::Documents;
use oprint::Packets;
use pipe::Flow;
use table::Table;

struct Flows {
    stamps: Stamps,
    /// The columns, if the input has a header that names them.
    table: Option<Table>,
    documents: Documents,
    /// The reader of packets whose keys are lines, if the input has them.
    packets: Option<Packets>,
}

vthost_plugin::export_parser!(Flows);

/// What one line reports.
enum Report<'a> {
    Contact(Contact<'a>),
    /// A contact whose addresses were numbers.
    Flow(Flow<'a>),
    /// A line of a known kind without a contact; the reason in a few words.
    NoContact(&'static str),
}

impl<'a> From<Contact<'a>> for Report<'a> {
    fn from(contact: Contact<'a>) -> Self {
        Self::Contact(contact)
    }
}

/// Reads a line of one form; `None` if it is of another.
type Reader = for<'a> fn(&'a [u8], Stamps) -> Option<Report<'a>>;

const READERS: [Reader; 7] = [
    packets::nfdump,
    packets::ra,
    packets::tcpdump,
    packets::tshark,
    netfilter::conntrack,
    netfilter::nacct,
    netfilter::gprint,
];

/// The name, title and example line of each format.
const FORMATS: &[(&str, &str, &str)] = &[
    (
        "nfdump",
        "nfdump (line, long, biline, nsel)",
        "2024-05-01 12:00:00.250     00:00:00.090 TCP           10.0.0.5:51000 ->       192.0.2.10:443          6      308     1",
    ),
    (
        "nfdump-csv",
        "nfdump (csv)",
        "ts,te,td,sa,da,sp,dp,pr\n2024-05-01 12:00:00,2024-05-01 12:00:01,1.000,10.0.0.5,192.0.2.10,51000,443,TCP",
    ),
    (
        "nfdump-pipe",
        "nfdump (pipe)",
        "2|1714564800250|1714564800340|6|0|0|0|167772165|51000|0|0|0|3221225994|443|0|0|1|2|27|0|6|308",
    ),
    (
        "argus",
        "Argus ra",
        " 1714564800.250000  e           tcp           10.0.0.5.51000     ->         192.0.2.10.https        10        677   FIN",
    ),
    (
        "tcpdump",
        "tcpdump",
        "2024-05-01 12:00:00.250000 IP 10.0.0.5.51000 > 192.0.2.10.443: Flags [S], seq 1, win 8192, length 0",
    ),
    (
        "tshark",
        "tshark (summary)",
        "    1 2024-05-01 12:00:00.250000     10.0.0.5 → 192.0.2.10   TLSv1 137 Client Hello",
    ),
    (
        "tshark-fields",
        "tshark (-T fields -E header=y)",
        "frame.time_epoch,ip.src,ip.dst,tls.handshake.extensions_server_name\n\"1714564800.250000000\",\"10.0.0.5\",\"192.0.2.10\",\"www.example.com\"",
    ),
    (
        "tshark-ek",
        "tshark (-T ek)",
        r#"{"timestamp":"1714564800250","layers":{"ip":{"ip_ip_src":"10.0.0.5","ip_ip_dst":"192.0.2.10"},"tcp":{"tcp_tcp_dstport":"443"}}}"#,
    ),
    (
        "nfdump-json",
        "nfdump (json, an object a line)",
        r#"{"type":"FLOW","first":"2024-05-01T12:00:00.250","proto":6,"src_port":51000,"dst_port":443,"src4_addr":"10.0.0.5","dst4_addr":"192.0.2.10"}"#,
    ),
    (
        "ulogd-json",
        "ulogd2 JSON",
        r#"{"timestamp": "2024-05-01T12:00:00.250000", "dvc": "Netfilter", "oob.prefix": "FW-DROP ", "src_ip": "10.0.0.5", "dest_ip": "192.0.2.10"}"#,
    ),
    (
        "conntrack",
        "conntrack (events, also with time)",
        "[1714564800.250000]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=10.0.0.5 dst=192.0.2.10 sport=51000 dport=443 [UNREPLIED] src=192.0.2.10 dst=198.51.100.1 sport=443 dport=51000",
    ),
    (
        "ulogd-nacct",
        "ulogd2 NACCT",
        "1714564800\t6\t10.0.0.5\t51000\t192.0.2.10\t443\t4\t240",
    ),
    (
        "ulogd-oprint",
        "ulogd2 OPRINT",
        "===>PACKET BOUNDARY\noob.prefix=FW-DROP\noob.time.sec=1714564800\nip.saddr.str=10.0.0.5\nip.daddr.str=192.0.2.10",
    ),
    (
        "ulogd-gprint",
        "ulogd2 GPRINT",
        "timestamp=2024/05/01-12:00:00,oob.prefix=FW-DROP ,oob.time.sec=1714564800,ip.saddr=10.0.0.5,ip.daddr=192.0.2.10,ip.saddr.str=10.0.0.5,ip.daddr.str=192.0.2.10",
    ),
];

impl LineParser for Flows {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "flows",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Flows and packets as text: nfdump, Argus ra, tcpdump, tshark, conntrack, ulogd2",
            formats: FORMATS.to_vec(),
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let mut parser = Self::of(input);
        input.confidence(91, |line| match parser.read(line) {
            Some(Report::Contact(_) | Report::Flow(_)) => Fit::Yes,
            Some(Report::NoContact(_)) => Fit::Neutral,
            None if line.trim_ascii().is_empty() => Fit::Neutral,
            None => Fit::No,
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self::of(input))
    }

    fn is_ordered(&self) -> bool {
        self.packets.is_some()
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        match self.read(line) {
            Some(Report::Contact(contact)) => contact.push_with_address(found),
            Some(Report::Flow(flow)) => flow.contact().push_with_address(found),
            Some(Report::NoContact(reason)) => Line::Ignored(reason),
            None if line.trim_ascii().is_empty() => Line::Ignored("blank"),
            None => Line::Rejected("no flow or packet of a known form"),
        }
    }
}

impl Flows {
    fn of(input: &Input) -> Self {
        Self {
            stamps: Stamps::of(input),
            table: Table::of(input),
            documents: Documents::new(),
            packets: Packets::of(input),
        }
    }

    fn read<'a>(&'a mut self, line: &'a [u8]) -> Option<Report<'a>> {
        if let Some(ref mut packets) = self.packets {
            return packets.read(line);
        }
        if line.starts_with(b"{") {
            return self.documents.read(line, self.stamps);
        }
        if let Some(table) = &mut self.table
            && let Some(report) = table.read(line, self.stamps)
        {
            return Some(report);
        }
        if let Some(flow) = Flow::of(line) {
            return Some(Report::Flow(flow));
        }
        let mut readers = READERS.iter();
        readers.find_map(|read| read(line, self.stamps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    /// The value, the client, the time and the action of each observation.
    pub(crate) fn seen(log: &str) -> Vec<(String, String, Option<i64>, Action)> {
        let parsed = testing::parse::<Flows>(log.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.rejected, [], "{log}");
        let observations = parsed.observations.into_iter();
        let plain = observations.map(|one| (one.value, one.client, one.time_us, one.action));
        plain.collect()
    }

    /// Checks the values and the client of a log.
    pub(crate) fn check(log: &str, values: &[&str], client: &str) {
        let seen = seen(log);
        let found: Vec<&str> = seen.iter().map(|(value, ..)| value.as_str()).collect();
        assert_eq!(found, values, "{log}");
        assert!(seen.iter().all(|(_, by, ..)| by == client), "{log}");
    }

    #[test]
    fn every_example_names_client_and_time() {
        for (name, _, example) in Flows::describe().formats {
            let seen = seen(example);
            let (value, client, time_us, _) = &seen[seen.len() - 1];
            assert_eq!(
                (value.as_str(), client.as_str()),
                ("192.0.2.10", "10.0.0.5"),
                "{name}"
            );
            // 2024-05-01T12:00:00Z, with or without a fraction.
            let noon_us = 1_714_564_800_000_000..1_714_564_801_000_000;
            assert!(
                time_us.is_some_and(|time| noon_us.contains(&time)),
                "{name}"
            );
            let log = format!("{example}\n");
            assert_eq!(testing::detect::<Flows>(log.as_bytes()), 91, "{name}");
        }
    }

    #[test]
    fn other_lines_are_rejected() {
        let log = b"May  1 12:00:00 gw sshd[1]: session opened\n{\"a\":1}\n";
        let parsed = testing::parse::<Flows>(log, "{}").unwrap();
        let reason = "no flow or packet of a known form".to_owned();
        assert_eq!(parsed.rejected, [(reason, 2)]);
    }
}
