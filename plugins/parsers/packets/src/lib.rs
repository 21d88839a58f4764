//! Logs of packets and flows: pfSense and OPNsense `filterlog`, Snort and
//! Suricata `fast.log`, AWS VPC flow logs, MikroTik, YAMAHA routers, access
//! lists of OneOS.

mod alerts;
mod routers;

use vthost_plugin::contact::{Contact, action_of, plausible_address};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{blanks, split_once, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct Packets {
    stamps: Stamps,
    vpc: VpcColumns,
    /// How the line before was read: most inputs have lines of one kind.
    kind: usize,
}

vthost_plugin::export_parser!(Packets);

/// The columns of a VPC flow log that are needed.
#[derive(Clone, Copy)]
struct VpcColumns {
    client: usize,
    address: usize,
    start: Option<usize>,
    action: Option<usize>,
}

/// Version 2, the default.
const VPC_DEFAULT: VpcColumns = VpcColumns {
    client: 3,
    address: 4,
    start: Some(10),
    action: Some(12),
};

/// A flow log has at most this many columns.
const VPC_COLUMNS: usize = 40;

impl LineParser for Packets {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "packets",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Packet and flow logs: filterlog, Snort and fast.log, VPC flow, MikroTik",
            formats: vec![
                (
                    "filterlog",
                    "pfSense and OPNsense filter log",
                    "May  1 12:00:00 gw filterlog[1]: 4,,,1000000103,igb0,match,block,out,4,0x0,,64,1,0,DF,6,tcp,60,10.0.0.5,192.0.2.10,51000,443,0,S,1,,64240,,mss",
                ),
                (
                    "snort",
                    "Snort alerts and Suricata fast.log",
                    "05/01/2024-12:00:00.000000  [**] [1:2200074:2] An alert [**] [Classification: Misc activity] [Priority: 3] {TCP} 10.0.0.5:51000 -> 192.0.2.10:443",
                ),
                (
                    "aws-vpcflow",
                    "AWS VPC flow logs",
                    "2 123456789010 eni-0 10.0.0.5 192.0.2.10 51000 443 6 20 4249 1714564800 1714564860 ACCEPT OK",
                ),
                (
                    "snort-csv",
                    "Snort alerts (CSV)",
                    "05/01/24-12:00:00.000000 ,1,2200074,2,\"An alert\",TCP,10.0.0.5,51000,192.0.2.10,443,00:00:5E:00:53:01",
                ),
                (
                    "mikrotik",
                    "MikroTik RouterOS firewall log",
                    "2024-05-01T12:00:00Z gw firewall,info drop-out forward: in:lan out:wan, connection-state:new proto TCP (SYN), 10.0.0.5:51000->192.0.2.10:443, len 52",
                ),
                (
                    "yamaha",
                    "YAMAHA RTX routers: filters and dynamic filters",
                    "<190>May  1 12:00:00 rtx [INSPECT] PP[01][out][200061] TCP 10.0.0.5:51000 > 192.0.2.10:443 (2024/05/01 11:59:58)",
                ),
                (
                    "oneos",
                    "OneOS (Ekinops) access lists",
                    "May  1 12:00:00 rtr : #INFO# list WAN-IN denied udp 10.0.0.5:547-> 192.0.2.10:546 3 matches",
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let mut parser = Self::of(input);
        input.confidence(86, |line| match () {
            () if line.trim_ascii().is_empty() || is_vpc_header(line) => Fit::Neutral,
            () if alerts::is_part(line) => Fit::Yes,
            () => Fit::from(parser.read(line).is_some()),
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self::of(input))
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        match self.read(line) {
            _ if line.trim_ascii().is_empty() => Line::Ignored("blank"),
            Some(contact) => contact.push(found),
            None if is_vpc_header(line) => Line::Ignored("header"),
            None if alerts::is_part(line) => Line::Ignored("another line of an alert"),
            None => Line::Rejected("no packet, alert or flow of a known format"),
        }
    }
}

impl Packets {
    fn of(input: &Input) -> Self {
        let first = input.lines().next();
        let named = first
            .filter(|line| is_vpc_header(line))
            .and_then(vpc_columns);
        let placed = || first.and_then(vpc_places);
        Self {
            stamps: Stamps::of(input),
            vpc: named.or_else(placed).unwrap_or(VPC_DEFAULT),
            kind: 0,
        }
    }

    fn read<'a>(&mut self, line: &'a [u8]) -> Option<Contact<'a>> {
        const KINDS: usize = 7;
        (0..KINDS).find_map(|step| {
            let kind = (self.kind + step) % KINDS;
            let contact = self.read_as(kind, line)?;
            self.kind = kind;
            Some(contact)
        })
    }

    fn read_as<'a>(&self, kind: usize, line: &'a [u8]) -> Option<Contact<'a>> {
        let stamps = self.stamps;
        match kind {
            0 => self.flow(line),
            1 => enveloped(line, stamps, filterlog),
            // The chain after the time of its own file looks like a program.
            2 => enveloped(line, stamps, |message| routers::mikrotik(message, stamps))
                .or_else(|| routers::mikrotik(line, stamps)),
            3 => enveloped(line, stamps, |message| routers::yamaha(message, stamps)),
            4 => enveloped(line, stamps, routers::oneos),
            5 => alerts::alert(line, stamps),
            _ => alerts::row(line, stamps),
        }
    }

    fn flow<'a>(&self, line: &'a [u8]) -> Option<Contact<'a>> {
        let (fields, found) = vpc_fields(line);
        let VpcColumns {
            client,
            address,
            start,
            action,
        } = self.vpc;
        let action = match action {
            Some(action) => fields[action],
            None => b"-",
        };
        let is_action = matches!(action, b"ACCEPT" | b"REJECT" | b"-");
        let is_end = |place: usize| fields[place] == b"-" || is_address(fields[place]);
        if found < 8 || !is_action || !is_end(client) || !is_end(address) {
            return None;
        }
        Some(Contact {
            client: fields[client],
            address: fields[address],
            time_us: start.and_then(|start| self.stamps.any(fields[start], DateOrder::MonthFirst)),
            action: action_of(action),
            ..Contact::default()
        })
    }
}

/// Whether a field is an address and nothing else.
fn is_address(field: &[u8]) -> bool {
    plausible_address(field).is_some_and(|address| address.len() == field.len())
}

/// A message after its syslog header, with the time of the header if the message has none.
fn enveloped<'a>(
    line: &'a [u8],
    stamps: Stamps,
    read: impl Fn(&'a [u8]) -> Option<Contact<'a>>,
) -> Option<Contact<'a>> {
    let syslog = Syslog::of(line, stamps);
    let contact = read(syslog.message)?;
    Some(Contact {
        time_us: contact.time_us.or(syslog.time_us),
        ..contact
    })
}

/// `version account-id … srcaddr dstaddr …`, with `-` or `_` in the names.
fn is_vpc_header(line: &[u8]) -> bool {
    line.windows(7).any(|part| part == b"dstaddr") && line.windows(7).any(|part| part == b"srcaddr")
}

/// The fields of a row, empty where it has no more, and how many it has.
fn vpc_fields(row: &[u8]) -> ([&[u8]; VPC_COLUMNS], usize) {
    let mut fields: [&[u8]; VPC_COLUMNS] = [b""; VPC_COLUMNS];
    let mut found = 0;
    for (field, text) in fields.iter_mut().zip(blanks(row)) {
        *field = text;
        found += 1;
    }
    (fields, found)
}

fn vpc_columns(header: &[u8]) -> Option<VpcColumns> {
    let (fields, _) = vpc_fields(header);
    let place = |name: &[u8]| fields.iter().position(|field| *field == name);
    Some(VpcColumns {
        client: place(b"srcaddr")?,
        address: place(b"dstaddr")?,
        start: place(b"start"),
        action: place(b"action"),
    })
}

/// The columns of a flow log of another order that lacks its header: two
/// addresses in a row, two times in a row, and the action.
fn vpc_places(row: &[u8]) -> Option<VpcColumns> {
    let (fields, found) = vpc_fields(row);
    let fields = &fields[..found];
    let is_time = |field: &[u8]| field.len() == 10 && field.iter().all(u8::is_ascii_digit);
    let pair = |is_it: &dyn Fn(&[u8]) -> bool| {
        let mut pairs = fields.windows(2);
        pairs.position(|pair| is_it(pair[0]) && is_it(pair[1]))
    };
    let client = pair(&is_address)?;
    Some(VpcColumns {
        client,
        address: client + 1,
        start: Some(pair(&is_time)?),
        action: fields
            .iter()
            .position(|field| matches!(*field, b"ACCEPT" | b"REJECT")),
    })
}

/// `4,,,1000000103,igb0,match,block,out,4,…`: the IP version determines the columns of the addresses.
fn filterlog(message: &[u8]) -> Option<Contact<'_>> {
    let mut fields: [&[u8]; 20] = [b""; 20];
    for (field, text) in fields.iter_mut().zip(message.split(|byte| *byte == b',')) {
        *field = text;
    }
    let (action, version) = (fields[6], fields[8]);
    let ends = |first: usize| {
        let (client, address) = (*fields.get(first)?, *fields.get(first + 1)?);
        is_address(address).then_some((client, address))
    };
    let (client, address) = match version {
        b"4" => ends(18)?,
        b"6" => ends(15).or_else(|| ends(18))?,
        _ => return None,
    };
    matches!(
        action,
        b"block" | b"pass" | b"reject" | b"rdr" | b"nat" | b"unkn"
    )
    .then(|| Contact {
        client,
        address,
        action: action_of(action),
        ..Contact::default()
    })
}

/// The text before an arrow, and the text after it to the next blank.
fn ends<'a>(text: &'a [u8], arrow: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (before, behind) = split_once(text, arrow)?;
    Some((before, until(behind, b" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    #[test]
    fn every_example_names_both_ends() {
        for (name, _, example) in Packets::describe().formats {
            let parsed = testing::parse::<Packets>(example.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.rejected, [], "{name}");
            let observed = &parsed.observations[0];
            assert_eq!(
                (observed.kind, observed.value.as_str()),
                ("ip", "192.0.2.10"),
                "{name}"
            );
            assert_eq!(observed.client, "10.0.0.5", "{name}");
            assert!(observed.time_us.is_some(), "{name}");
            assert_eq!(testing::detect::<Packets>(example.as_bytes()), 86, "{name}");
        }
    }

    #[test]
    fn chain_of_a_mikrotik_rule_is_not_an_action() {
        for (rule, action) in [
            ("forward", Action::Unstated),
            ("drop-out forward", Action::Blocked),
            ("accept input", Action::Allowed),
            ("blocklist-log forward", Action::Unstated),
        ] {
            let line = format!(
                "2024-05-01T12:00:00Z gw firewall,info {rule}: in:lan out:wan, proto TCP (SYN), 10.0.0.5:51000->192.0.2.10:443, len 52"
            );
            let parsed = testing::parse::<Packets>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].action, action, "{rule}");
        }
    }

    #[test]
    fn ip_version_determines_the_address_columns() {
        let line = "filterlog[1]: 4,,,1,igb0,match,pass,out,6,0x00,0x0,1,UDP,17,40,2001:db8::5,2001:db8:ffff::1,5353,53,32";
        let parsed = testing::parse::<Packets>(line.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations[0].value, "2001:db8:ffff::1");
        assert_eq!(parsed.observations[0].action, Action::Allowed);
    }

    #[test]
    fn a_flow_log_may_name_its_columns() {
        let log = "start srcaddr dstaddr srcport dstport protocol packets action\n1714564800 10.0.0.5 192.0.2.10 1 2 6 1 REJECT\n1714564800 - - - - - - -\n";
        let parsed = testing::parse::<Packets>(log.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations.len(), 1);
        assert_eq!(parsed.observations[0].action, Action::Blocked);
        assert_eq!(parsed.ignored.len(), 2);
    }

    #[test]
    fn flow_log_without_a_header_is_read_by_its_values() {
        let log = "3 vpc-1 subnet-1 i-1 eni-1 1234 IPv4 10.0.0.5 192.0.2.10 43416 5001 10.0.0.5 192.0.2.10 6 568 8 1714564800 1714564860 ACCEPT 2 OK\n";
        let parsed = testing::parse::<Packets>(log.as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[0];
        assert_eq!(
            (seen.value.as_str(), seen.client.as_str()),
            ("192.0.2.10", "10.0.0.5")
        );
        assert_eq!(seen.time_us, Some(1_714_564_800_000_000));
        assert_eq!(seen.action, Action::Allowed);
    }
}
