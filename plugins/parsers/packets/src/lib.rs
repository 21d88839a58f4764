//! Logs of packets and flows: pfSense and OPNsense `filterlog`, Snort and
//! Suricata `fast.log`, AWS VPC flow logs, MikroTik.

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::split::blanks;
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::{DateOrder, Stamps};

struct Packets {
    stamps: Stamps,
    vpc: VpcColumns,
}

vthost_plugin::export_parser!(Packets);

/// The columns of a VPC flow log that are needed.
#[derive(Clone, Copy)]
struct VpcColumns {
    client: usize,
    address: usize,
    start: Option<usize>,
    action: usize,
}

/// Version 2, the default.
const VPC_DEFAULT: VpcColumns = VpcColumns {
    client: 3,
    address: 4,
    start: Some(10),
    action: 12,
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
            formats: &[
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
                    "mikrotik",
                    "MikroTik RouterOS firewall log",
                    "2024-05-01T12:00:00Z gw firewall,info drop-out forward: in:lan out:wan, connection-state:new proto TCP (SYN), 10.0.0.5:51000->192.0.2.10:443, len 52",
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let parser = Self::of(input);
        input.confidence(86, |line| match () {
            () if line.trim_ascii().is_empty() || is_vpc_header(line) => Fit::Neutral,
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
            None => Line::Rejected("no packet, alert or flow of a known format"),
        }
    }
}

impl Packets {
    fn of(input: &Input) -> Self {
        let header = input.lines().next().filter(|line| is_vpc_header(line));
        Self {
            stamps: Stamps::of(input),
            vpc: header.and_then(vpc_columns).unwrap_or(VPC_DEFAULT),
        }
    }

    fn read<'a>(&self, line: &'a [u8]) -> Option<Contact<'a>> {
        self.flow(line).or_else(|| {
            let syslog = Syslog::of(line, self.stamps);
            let contact = filterlog(syslog.message)
                .or_else(|| mikrotik(syslog.message))
                .or_else(|| alert(line, self.stamps))?;
            Some(Contact {
                time_us: contact.time_us.or(syslog.time_us),
                ..contact
            })
        })
    }

    fn flow<'a>(&self, line: &'a [u8]) -> Option<Contact<'a>> {
        let mut fields: [&[u8]; VPC_COLUMNS] = [b""; VPC_COLUMNS];
        let found = blanks(line, &mut fields);
        let VpcColumns {
            client,
            address,
            start,
            action,
        } = self.vpc;
        let is_action = matches!(fields[action], b"ACCEPT" | b"REJECT" | b"-");
        if found < 8 || !is_action {
            return None;
        }
        Some(Contact {
            client: fields[client],
            address: fields[address],
            time_us: start.and_then(|start| self.stamps.any(fields[start], DateOrder::MonthFirst)),
            action: action_of(fields[action]),
            ..Contact::default()
        })
    }
}

/// `version account-id … srcaddr dstaddr …`, with `-` or `_` in the names.
fn is_vpc_header(line: &[u8]) -> bool {
    line.windows(7).any(|part| part == b"dstaddr") && line.windows(7).any(|part| part == b"srcaddr")
}

fn vpc_columns(header: &[u8]) -> Option<VpcColumns> {
    let mut fields: [&[u8]; VPC_COLUMNS] = [b""; VPC_COLUMNS];
    blanks(header, &mut fields);
    let place = |name: &[u8]| fields.iter().position(|field| *field == name);
    Some(VpcColumns {
        client: place(b"srcaddr")?,
        address: place(b"dstaddr")?,
        start: place(b"start"),
        action: place(b"action")?,
    })
}

/// `4,,,1000000103,igb0,match,block,out,4,…`: the version of IP decides where
/// the addresses stand.
fn filterlog(message: &[u8]) -> Option<Contact<'_>> {
    let fields: Vec<&[u8]> = message.split(|byte| *byte == b',').take(21).collect();
    let (action, version) = (*fields.get(6)?, *fields.get(8)?);
    let (client, address) = match version {
        b"4" => (fields.get(18)?, fields.get(19)?),
        b"6" => (fields.get(15)?, fields.get(16)?),
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

/// `… {TCP} 10.0.0.5:51000 -> 192.0.2.10:443`, with the time in front.
fn alert(line: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let mark = line.windows(4).position(|part| part == b"[**]")?;
    let brace = line.iter().rposition(|byte| *byte == b'}')?;
    let (client, address) = ends(line.get(brace + 1..)?.trim_ascii(), b" -> ")?;
    let before = line[..mark].trim_ascii();
    let start = before
        .iter()
        .rposition(|byte| *byte == b' ')
        .map_or(0, |blank| blank + 1);
    let is_dropped = line.windows(6).any(|part| part == b"[Drop]");
    Some(Contact {
        client,
        address,
        time_us: stamps.any(&before[start..], DateOrder::MonthFirst),
        action: if is_dropped {
            Action::Blocked
        } else {
            Action::Unstated
        },
        ..Contact::default()
    })
}

/// `drop-out forward: in:lan out:wan, … proto TCP, 10.0.0.5:51000->192.0.2.10:443, len 52`.
fn mikrotik(message: &[u8]) -> Option<Contact<'_>> {
    let proto = message.windows(7).position(|part| part == b" proto ")?;
    let rest = &message[proto..];
    let pair = rest
        .split(|byte| matches!(byte, b',' | b' '))
        .find(|part| part.windows(2).any(|two| two == b"->"))?;
    let (client, address) = ends(pair, b"->")?;
    let rule = message[..proto]
        .split(|byte| *byte == b':')
        .next()
        .unwrap_or_default();
    Some(Contact {
        client,
        address,
        action: action_of(rule.split(|byte| *byte == b' ').nth(1).unwrap_or_default()),
        ..Contact::default()
    })
}

fn ends<'a>(text: &'a [u8], arrow: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(arrow.len()).position(|part| part == arrow)?;
    let to = &text[at + arrow.len()..];
    let end = to.iter().position(|byte| *byte == b' ').unwrap_or(to.len());
    Some((&text[..at], &to[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    #[test]
    fn every_example_names_both_ends() {
        for (name, _, example) in Packets::describe().formats {
            let parsed = testing::parse::<Packets>(example.as_bytes(), "{}").unwrap();
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
    fn the_version_of_ip_decides_where_the_addresses_stand() {
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
}
