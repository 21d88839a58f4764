//! Logs of `key=value` pairs with a syslog prefix or without one: the
//! [`DIALECTS`], one table entry for each product.

mod dialects;

use std::borrow::Cow;

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, detect, fit_of};
use vthost_plugin::parser::{
    Action, Description, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::scan;
use vthost_plugin::split::{Pairs, after, split_once, unescaped, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

use dialects::{DIALECTS, FORMATS};

struct KeyValue {
    stamps: Stamps,
    reader: Reader,
    pairs: Pairs<FIELDS>,
    extra: Extra,
}

vthost_plugin::export_parser!(KeyValue);

impl LineParser for KeyValue {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "keyvalue",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Logs of key=value pairs, of many products",
            formats: &FORMATS,
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        chosen(input).map_or(0, |(_, sure)| sure)
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let (dialect, _) = chosen(input).ok_or("it has no key=value pairs")?;
        let stamps = Stamps::of(input);
        let reader = Reader::new(dialect, stamps);
        Ok(Self {
            stamps,
            pairs: pairs(input, &reader),
            extra: Extra::of(dialect),
            reader,
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let values = self.pairs.pick(line);
        if values.iter().all(|value| value.is_empty()) {
            return Line::Rejected("none of the keys of this format");
        }
        let contact = self.reader.contact(&values, None);
        let syslog = match self.extra {
            Extra::Meraki | Extra::Iptables => Syslog::of(line, self.stamps),
            // The time stands in front, without a key.
            Extra::ZscalerNss => Syslog {
                time_us: self.stamps.iso8601(until(line, b"\t")),
                ..Syslog::default()
            },
            _ if contact.time_us.is_some() => Syslog::default(),
            _ => Syslog {
                time_us: Syslog::time_of(line, self.stamps),
                ..Syslog::default()
            },
        };
        let contact = Contact {
            time_us: contact.time_us.or(syslog.time_us),
            ..contact
        };
        let contact = match self.extra {
            Extra::Meraki => of_meraki(contact, syslog.message),
            Extra::Iptables => Contact {
                action: action_before(syslog.message, b"IN="),
                ..contact
            },
            Extra::Juniper => of_juniper(contact, line),
            Extra::ZscalerNss | Extra::Address | Extra::None => contact,
        };
        contact.decoded(unquoted, |contact| match self.extra {
            Extra::Address => contact.push_with_address(found),
            _ => contact.push(found),
        })
    }
}

/// What a dialect has besides its pairs.
#[derive(Debug, Clone, Copy)]
enum Extra {
    None,
    Meraki,
    Iptables,
    Juniper,
    ZscalerNss,
    /// Its records are of connections: the address counts beside the name.
    Address,
}

impl Extra {
    fn of(dialect: &Dialect) -> Self {
        match dialect.name {
            "meraki" | "meraki-ip-flow" => Self::Meraki,
            "iptables" => Self::Iptables,
            "juniper-srx" => Self::Juniper,
            "zscaler-nss" => Self::ZscalerNss,
            "sophos-xg" | "stormshield" => Self::Address,
            _ => Self::None,
        }
    }
}

/// A value with `\"` in it; in others a backslash is one (`CORP\jane`).
fn unquoted(value: &[u8]) -> Cow<'_, [u8]> {
    match scan::find(value, b'"') {
        Some(_) => unescaped(value),
        None => value.into(),
    }
}

/// Pairs between tabs where the input has them, else between blanks.
fn pairs(input: &Input, reader: &Reader) -> Pairs<FIELDS> {
    let first = input
        .lines()
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let has_tabs = first
        .split(|byte| *byte == b'\t')
        .filter(|part| part.contains(&b'='))
        .count()
        > 3;
    Pairs::separated(b'=', if has_tabs { b'\t' } else { b' ' }, reader.names())
}

fn chosen(input: &Input) -> Option<(&'static Dialect, u8)> {
    detect(&DIALECTS, input, |reader| {
        let mut pairs = pairs(input, reader);
        let is_any = reader.dialect().marks.is_empty();
        input.confidence(if is_any { 25 } else { 80 }, |line| {
            let values = pairs.pick(line);
            let has_any = values.iter().any(|value| !value.is_empty());
            fit_of(reader, Some(values).filter(|_| has_any))
        })
    })
}

/// `… request: GET https://www.example.com/`, `flows allow src=…`.
fn of_meraki<'a>(contact: Contact<'a>, message: &'a [u8]) -> Contact<'a> {
    let url = after(message, b"request: ").map(vthost_plugin::dialect::target_of);
    let action = match () {
        () if after(message, b" allow ").is_some() => Action::Allowed,
        () if after(message, b" deny ").is_some() => Action::Blocked,
        () => Action::Unstated,
    };
    Contact {
        // What Meraki cannot see of an encrypted request it writes as dots.
        url: url
            .map(|url| url.strip_suffix(b"/...").unwrap_or(url))
            .unwrap_or_default(),
        action,
        ..contact
    }
}

/// `RT_FLOW_SESSION_DENY [junos@2636.1 …]`: what was done stands in the event's
/// name where no field says it.
fn of_juniper<'a>(contact: Contact<'a>, line: &[u8]) -> Contact<'a> {
    let named = || action_of(last_word(until(line, b"[")));
    Contact {
        action: match contact.action {
            Action::Unstated => named(),
            said => said,
        },
        ..contact
    }
}

fn last_word(text: &[u8]) -> &[u8] {
    let mut words = text.trim_ascii_end().rsplit(|byte| *byte == b' ');
    words.next().unwrap_or_default()
}

/// What the words of a firewall rule before a mark say.
fn action_before(message: &[u8], mark: &[u8]) -> Action {
    split_once(message, mark).map_or(Action::Unstated, |(before, _)| action_of(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    #[test]
    fn every_example_is_read_as_its_own_format() {
        for dialect in &DIALECTS {
            let input = testing::input(dialect.example.as_bytes());
            let (chosen, sure) = chosen(&input).unwrap();
            assert_eq!(chosen.name, dialect.name);
            assert!(sure >= 25, "{}", dialect.name);
            let parsed = testing::parse::<KeyValue>(dialect.example.as_bytes(), "{}").unwrap();
            let observed = &parsed.observations[0];
            let is_remote =
                observed.value.contains("www.example.com") || observed.value == "192.0.2.10";
            assert!(is_remote, "{} {observed:?}", dialect.name);
            assert_eq!(observed.client, "10.0.0.5", "{}", dialect.name);
            // 2024-05-01T12:00:00Z; the year of the reference time, 1970, for
            // stamps without one.
            let expected = [Some(1_714_564_800_000_000), Some(-21_124_800_000_000)];
            assert!(
                expected.contains(&observed.time_us),
                "{} {observed:?}",
                dialect.name
            );
        }
    }

    fn values(line: &str) -> Vec<String> {
        let parsed = testing::parse::<KeyValue>(line.as_bytes(), "{}").unwrap();
        let values = parsed.observations.iter().map(|seen| seen.value.clone());
        values.collect()
    }

    #[test]
    fn records_of_other_kinds_are_read_by_their_own_keys() {
        let check = |line: &str, expected: &[&str]| assert_eq!(values(line), expected, "{line}");
        check(
            r#"device="SFW" date=2024-05-01 time=12:00:00 timezone="IST" log_type="ATP" log_component="Firewall" log_subtype="Drop" sourceip=10.0.0.5 destinationip=192.0.2.10 url=192.0.2.10"#,
            &["192.0.2.10"],
        );
        check(
            r#"id=firewall time="2024-05-01 12:00:00" fw="sns-1" tz=+0000 startime="2024-05-01 12:00:00" src=10.0.0.5 dst=192.0.2.10 dstname=www.example.com origdst=192.0.2.11 action=pass"#,
            &["www.example.com", "192.0.2.11"],
        );
        check(
            "<134>1 2024-05-01T12:00:00Z fw - - - - id=3300008 event=tcp_flags_set action=drop [rules rule=x ][ippacket srcip=10.0.0.5 destip=192.0.2.10 ]",
            &["192.0.2.10"],
        );
        check(
            "c-ip=10.0.0.5 cs-host=www.example.com cs-uri-port=8080 cs-uri-scheme=http cs-uri-path=/a cs-uri-query=b=c s-action=TCP_HIT",
            &["http://www.example.com:8080/a?b=c"],
        );
        check(
            r#"<12>1 2024-05-01T12:00:00Z srx RT_UTM - WEBFILTER_URL_PERMITTED [junos@2636.1 source-address="10.0.0.5" destination-address="192.0.2.10" url="www.example.com" obj="/a.css"]"#,
            &["http://www.example.com/a.css"],
        );
        check(
            "<134>1 1714564800.0 MX84 ip_flow_end src=10.0.0.5 dst=10.0.0.1 protocol=udp sport=1 dport=53 translated_dst_ip=192.0.2.10 translated_port=53",
            &["192.0.2.10"],
        );
    }

    #[test]
    fn lines_of_another_format_are_rejected() {
        let example = DIALECTS[0].example;
        let log = format!("{example}\n\nMay  1 12:00:00 gw sshd[1]: session opened\n");
        let parsed = testing::parse::<KeyValue>(log.as_bytes(), "{}").unwrap();
        let reason = "none of the keys of this format".to_owned();
        assert_eq!(parsed.rejected, [(reason, 1)]);
    }

    #[test]
    fn events_of_juniper_say_what_was_done_in_their_names() {
        let check = |event: &str, expected| {
            let line = format!(
                r#"<14>1 2024-05-01T12:00:00Z srx RT_FLOW - {event} [junos@2636.1 source-address="10.0.0.5" destination-address="192.0.2.10"]"#
            );
            let parsed = testing::parse::<KeyValue>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].action, expected, "{event}");
        };
        check("RT_FLOW_SESSION_DENY", Action::Blocked);
        check("WEBFILTER_URL_PERMITTED", Action::Allowed);
    }

    #[test]
    fn firewall_rules_say_what_was_done() {
        let example = DIALECTS
            .iter()
            .find(|dialect| dialect.name == "iptables")
            .unwrap()
            .example;
        let parsed = testing::parse::<KeyValue>(example.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations[0].action, Action::Blocked);
    }
}
