//! Logs of name servers. Each program has a module, whose reader turns one line
//! into what the program reported.

mod bind;
mod coredns;
mod dnsmasq;
mod dnstap;
mod local;
mod powerdns;
mod route53;
mod unbound;
mod windows;
mod yaml;

use std::borrow::Cow;

use vthost_plugin::contact::{Contact, plausible_address};
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

use yaml::Messages;

struct Dns {
    stamps: Stamps,
    /// Index in [`READERS`] of the reader of the line before. Most inputs have one.
    last: usize,
    /// The reader of dnstap as YAML, if the input is that.
    messages: Option<Messages>,
}

vthost_plugin::export_parser!(Dns);

/// What one line reports.
enum Report<'a> {
    Query(Query<'a>),
    /// A line of a known kind without a contact; the reason in a few words.
    NoContact(&'static str),
}

/// A name that was asked for.
struct Query<'a> {
    name: Cow<'a, [u8]>,
    /// Empty if the line does not name the client.
    client: &'a [u8],
    time_us: Option<i64>,
    action: Action,
}

impl<'a> Query<'a> {
    /// A query of which the line reports neither time nor action.
    fn new(name: &'a [u8], client: &'a [u8]) -> Self {
        Self {
            name: name.into(),
            client,
            time_us: None,
            action: Action::Unstated,
        }
    }

    fn action(self, action: Action) -> Self {
        Self { action, ..self }
    }
}

impl<'a> From<Query<'a>> for Report<'a> {
    fn from(query: Query<'a>) -> Self {
        Self::Query(query)
    }
}

impl Report<'_> {
    /// The same report with this time, unless it has one.
    fn at(mut self, time_us: Option<i64>) -> Self {
        if let Self::Query(query) = &mut self {
            query.time_us = query.time_us.or(time_us);
        }
        self
    }
}

/// Reads a line of one program; `None` if it is not a known line of that program.
///
/// No line is read by two readers, so their order changes the cost only. A client
/// chooses the names in a log: a reader must check what surrounds them.
type Reader = for<'a> fn(&'a [u8], Stamps) -> Option<Report<'a>>;

const READERS: [Reader; 9] = [
    bind::read,
    dnsmasq::read,
    unbound::read,
    powerdns::read,
    dnstap::read,
    coredns::read,
    route53::read,
    windows::read,
    local::read,
];

/// The programs whose lines are read, as syslog names them.
const PROGRAMS: [&[u8]; 11] = [
    b"named",
    b"unbound",
    b"dnsmasq",
    b"pihole-FTL",
    b"coredns",
    b"pdns_recursor",
    b"pdns-recursor",
    b"dnsdist",
    b"systemd-resolved",
    b"kresd",
    b"dhcpd",
];

const UNKNOWN_SENTENCE: &str = "an unknown sentence of a name server";
const OTHER_PROGRAM: &str = "no line of a known name server";

impl LineParser for Dns {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "dns",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Query logs of name servers: BIND, Unbound, dnsmasq, PowerDNS, CoreDNS, Windows DNS and others",
            formats: vec![
                (
                    "bind",
                    "BIND and Infoblox",
                    "May  1 12:00:00 ns named[1]: client @0x7f0000000000 10.0.0.5#51000 (www.example.com): query: www.example.com IN A +E(0)K (10.0.0.53)",
                ),
                (
                    "unbound",
                    "Unbound",
                    "[1714564800] unbound[1:0] info: 10.0.0.5 www.example.com. A IN",
                ),
                (
                    "dnsmasq",
                    "dnsmasq and Pi-hole",
                    "May  1 12:00:00 dnsmasq[1]: query[A] www.example.com from 10.0.0.5",
                ),
                (
                    "pdns-recursor",
                    "PowerDNS Recursor",
                    r#"May 01 12:00:00 msg="Question" subsystem="syncres" level="0" prio="Info" tid="1" ts="1714564800.250" ecs="" mtid="1" proto="udp" qname="www.example.com" qtype="A" remote="10.0.0.5:51000""#,
                ),
                (
                    "dnsdist",
                    "dnsdist, verbose or by LogAction",
                    "[1714564800.250000000] Packet from 10.0.0.5:51000 for www.example.com. A with id 1",
                ),
                (
                    "dnstap",
                    "dnstap as text: dnstap-ldns, dnstap-read",
                    "2024-05-01 12:00:00.250000 CQ 10.0.0.5 UDP 56b \"www.example.com.\" IN A",
                ),
                (
                    "dnstap-yaml",
                    "dnstap as YAML: dnstap-ldns -y, dnstap-read -y",
                    "type: MESSAGE\nmessage:\n  type: CLIENT_QUERY\n  query_time: !!timestamp 2024-05-01 12:00:00.25\n  query_address: 10.0.0.5\n  query_message: |\n    ;www.example.com.\tIN\tA",
                ),
                (
                    "coredns",
                    "CoreDNS log plugin",
                    "[INFO] 10.0.0.5:51000 - 1 \"A IN www.example.com. udp 40 false 512\" NOERROR qr,rd,ra 100 0.001s",
                ),
                (
                    "route53",
                    "Amazon Route 53 hosted zone query log",
                    "1.0 2024-05-01T12:00:00.000Z Z1 www.example.com A NOERROR UDP FRA6 10.0.0.5 -",
                ),
                (
                    "windows-dns",
                    "Windows DNS debug log",
                    "5/1/2024 12:00:00 PM 0AB4 PACKET  000000 UDP Rcv 10.0.0.5 0001   Q [0001   D   NOERROR] A      (3)www(7)example(3)com(0)",
                ),
                (
                    "resolved",
                    "systemd-resolved (debug, resolvectl monitor) and Knot Resolver (policies)",
                    "May  1 12:00:00 pc systemd-resolved[1]: Looking up RR for www.example.com IN A.",
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let mut parser = Self::of(input);
        input.confidence(88, |line| match parser.report(line) {
            _ if line.trim_ascii().is_empty() => Fit::Neutral,
            Ok(Report::Query(_)) => Fit::Yes,
            // Startup messages alone do not make a query log.
            Ok(Report::NoContact(_)) => Fit::Neutral,
            Err(reason) => Fit::from(reason == UNKNOWN_SENTENCE),
        })
    }

    fn is_ordered(&self) -> bool {
        self.messages.is_some()
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self::of(input))
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        match self.report(line) {
            Ok(Report::Query(query)) => Contact {
                name: &query.name,
                client: query.client,
                time_us: query.time_us,
                action: query.action,
                ..Contact::default()
            }
            .push(found),
            Ok(Report::NoContact(reason)) => Line::Ignored(reason),
            Err(_) if line.trim_ascii().is_empty() => Line::Ignored("blank"),
            Err(reason) => Line::Rejected(reason),
        }
    }
}

impl Dns {
    fn of(input: &Input) -> Self {
        Self {
            stamps: Stamps::of(input),
            last: 0,
            messages: Messages::of(input),
        }
    }

    /// # Errors
    ///
    /// Why the line is not understood.
    fn report<'a>(&'a mut self, line: &'a [u8]) -> Result<Report<'a>, &'static str> {
        match self.messages {
            Some(ref mut messages) => messages.read(line),
            None => self.read(line),
        }
    }

    /// # Errors
    ///
    /// Why no reader knows the line.
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Report<'a>, &'static str> {
        for step in 0..READERS.len() {
            let index = (self.last + step) % READERS.len();
            if let Some(report) = READERS[index](line, self.stamps) {
                self.last = index;
                return Ok(report);
            }
        }
        let header = Syslog::of(line, self.stamps);
        Err(match PROGRAMS.contains(&header.program) {
            true => UNKNOWN_SENTENCE,
            false => OTHER_PROGRAM,
        })
    }
}

/// The message after the syslog header and its time; `None` if the header names a
/// program that is not one of these. A header may name none.
fn message_of<'a>(
    line: &'a [u8],
    stamps: Stamps,
    programs: &[&[u8]],
) -> Option<(&'a [u8], Option<i64>)> {
    let header = Syslog::of(line, stamps);
    let is_theirs = header.program.is_empty() || programs.contains(&header.program);
    is_theirs.then_some((header.message, header.time_us))
}

/// The action that a response code states: a refusal is the server's own decision.
fn action_of_code(code: &[u8]) -> Action {
    match code {
        b"REFUSED" => Action::Blocked,
        _ => Action::Unstated,
    }
}

/// Whether a text is a class of the DNS: `IN`, `CH`, `HS`, `ANY` or `CLASS65280`.
fn is_class(text: &[u8]) -> bool {
    matches!(text, b"IN" | b"CH" | b"HS" | b"ANY") || text.starts_with(b"CLASS")
}

/// The address of `10.0.0.5#51000`, `10.0.0.5@51000`, and also of
/// `2001:db8::5:51000`, if `mark` is the byte before the port.
fn without_port(end: &[u8], mark: u8) -> &[u8] {
    match end.iter().rposition(|byte| *byte == mark) {
        Some(at) => &end[..at],
        None => end,
    }
}

/// Whether a text is an address and nothing else.
fn is_address(text: &[u8]) -> bool {
    plausible_address(text).is_some_and(|address| address.len() == text.len())
}

/// Whether a sentence begins with one of some texts.
fn begins(sentence: &[u8], beginnings: &[&str]) -> bool {
    beginnings
        .iter()
        .any(|beginning| sentence.starts_with(beginning.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing::{self, Observed};

    /// What one line gives.
    pub(crate) fn observed(line: &str) -> Observed {
        let parsed = testing::parse::<Dns>(line.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations.len(), 1, "{line} {parsed:?}");
        parsed.observations[0].clone()
    }

    /// Checks name, client and action of what one line gives.
    pub(crate) fn check(line: &str, expected: (&str, &str, Action)) {
        let seen = observed(line);
        let found = (seen.value.as_str(), seen.client.as_str(), seen.action);
        assert_eq!(found, expected, "{line}");
    }

    /// Checks that one line is ignored.
    pub(crate) fn ignored(line: &str) {
        let parsed = testing::parse::<Dns>(line.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations, [], "{line}");
        assert_eq!(parsed.rejected, [], "{line}");
    }

    #[test]
    fn every_example_gives_the_name_asked_for() {
        for (name, _, example) in Dns::describe().formats {
            let seen = observed(example);
            let value = seen.value.trim_end_matches('.');
            assert_eq!((seen.kind, value), ("domain", "www.example.com"), "{name}");
            if name != "resolved" {
                assert_eq!(seen.client, "10.0.0.5", "{name}");
            }
            assert_eq!(testing::detect::<Dns>(example.as_bytes()), 88, "{name}");
        }
    }

    #[test]
    fn unknown_sentences_are_rejected() {
        let check = |line: &str, reason: &str| {
            let parsed = testing::parse::<Dns>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.rejected, [(reason.to_owned(), 1)], "{line}");
        };
        for program in ["named", "unbound", "dnsmasq", "pdns_recursor", "dnsdist"] {
            check(
                &format!("May  1 12:00:00 ns {program}[1]: quux of www.example.com"),
                UNKNOWN_SENTENCE,
            );
        }
        check(
            "May  1 12:00:00 gw filterlog[1]: 4,,,1,igb0,match,block,out,4",
            OTHER_PROGRAM,
        );
    }

    #[test]
    fn a_name_that_imitates_another_program_changes_nothing() {
        for name in [
            "x.example.com client",
            "x from 10.9.9.9 query: y.example.com IN A",
        ] {
            ignored(&format!(
                "May  1 12:00:00 dnsmasq[1]: query[A] {name} from 10.0.0.5"
            ));
        }
    }
}
