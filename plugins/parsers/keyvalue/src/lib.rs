//! Logs of `key=value` pairs, with or without a syslog header: the
//! [`DIALECTS`](dialects::DIALECTS), one table entry for each product.

mod dialects;
mod sentences;
mod special;

use std::borrow::Cow;

use vthost_plugin::dialect::{Dialect, DialectParser, FIELDS, Grammar, OtherLine};
use vthost_plugin::parser::{Description, Input};
use vthost_plugin::scan;
use vthost_plugin::split::{Pairs, without_escapes};

/// The grammar: pairs between blanks or tabs.
struct KeyValue {
    between_blanks: Pairs<FIELDS>,
    between_tabs: Pairs<FIELDS>,
}

vthost_plugin::export_parser!(DialectParser<KeyValue>);

impl Grammar for KeyValue {
    type Entry = Dialect;

    const DESCRIPTION: Description = Description {
        name: "keyvalue",
        version: env!("CARGO_PKG_VERSION"),
        licence: env!("CARGO_PKG_LICENSE"),
        summary: "Logs of key=value pairs, of many products",
        formats: Vec::new(),
        settings_schema: "",
    };

    const TABLE: &'static [Dialect] = dialects::DIALECTS;

    fn dialect(entry: &'static Dialect) -> &'static Dialect {
        entry
    }

    fn new(_entry: &'static Dialect, fields: [&'static str; FIELDS], _input: &Input) -> Self {
        Self {
            between_blanks: Pairs::separated(b'=', b' ', fields),
            between_tabs: Pairs::separated(b'=', b'\t', fields),
        }
    }

    fn pick<'a>(&mut self, line: &'a [u8]) -> Result<(usize, [&'a [u8]; FIELDS]), &'static str> {
        let pairs = match has_pairs_between_tabs(line) {
            true => &mut self.between_tabs,
            false => &mut self.between_blanks,
        };
        Ok((0, pairs.pick(line)))
    }

    /// RFC 5424 escapes the quote, the backslash and `]`; any other backslash is part of
    /// the value (`CORP\jane`).
    fn decode(value: &[u8]) -> Cow<'_, [u8]> {
        without_escapes(value, br#"\"]"#)
    }

    fn other(entry: &'static Dialect, line: &[u8]) -> Option<OtherLine> {
        let is_sentence = entry.name == "juniper-srx" && sentences::is_sentence(line);
        is_sentence.then_some(sentences::push as OtherLine)
    }
}

/// Whether tabs separate the pairs of a line, whose values may then hold blanks.
fn has_pairs_between_tabs(line: &[u8]) -> bool {
    /// A line with more pairs than this between tabs is separated by them.
    const FEW: usize = 3;
    if scan::find(line, b'\t').is_none() {
        return false;
    }
    let parts = line.split(|byte| *byte == b'\t');
    parts.filter(|part| part.contains(&b'=')).count() > FEW
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    use super::*;

    type Parser = DialectParser<KeyValue>;

    #[test]
    fn every_example_is_read() {
        for dialect in KeyValue::TABLE {
            let parsed = testing::parse::<Parser>(dialect.example.as_bytes(), "{}").unwrap();
            let observed = &parsed.observations[0];
            let is_remote =
                observed.value.contains("www.example.com") || observed.value == "192.0.2.10";
            assert!(is_remote, "{} {observed:?}", dialect.name);
            assert_eq!(observed.client, "10.0.0.5", "{}", dialect.name);
            // 2024-05-01T12:00:00Z; stamps without a year are in the year of the
            // reference time, 1970, or the one before.
            let expected = [Some(1_714_564_800_000_000), Some(-21_124_800_000_000)];
            let is_noon = expected.contains(&observed.time_us);
            assert!(is_noon, "{} {observed:?}", dialect.name);
        }
    }

    #[test]
    fn each_line_is_read_by_its_own_dialect() {
        let examples: Vec<&str> = KeyValue::TABLE
            .iter()
            .map(|dialect| dialect.example)
            .collect();
        let alone: Vec<String> = examples.iter().flat_map(|line| values(line)).collect();
        assert_eq!(values(&examples.join("\n")), alone);
    }

    fn values(line: &str) -> Vec<String> {
        let parsed = testing::parse::<Parser>(line.as_bytes(), "{}").unwrap();
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
        let example = KeyValue::TABLE[0].example;
        let log = format!("{example}\n\nMay  1 12:00:00 gw sshd[1]: session opened\n");
        let parsed = testing::parse::<Parser>(log.as_bytes(), "{}").unwrap();
        let reason = "no field of this format".to_owned();
        assert_eq!(parsed.rejected, [(reason, 1)]);
    }

    #[test]
    fn names_of_juniper_events_give_the_action() {
        let check = |event: &str, expected| {
            let line = format!(
                r#"<14>1 2024-05-01T12:00:00Z srx RT_FLOW - {event} [junos@2636.1 source-address="10.0.0.5" destination-address="192.0.2.10"]"#
            );
            let parsed = testing::parse::<Parser>(line.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].action, expected, "{event}");
        };
        check("RT_FLOW_SESSION_DENY", Action::Blocked);
        check("WEBFILTER_URL_PERMITTED", Action::Allowed);
    }

    fn actions(log: &str) -> Vec<Action> {
        let parsed = testing::parse::<Parser>(log.as_bytes(), "{}").unwrap();
        parsed.observations.iter().map(|seen| seen.action).collect()
    }

    #[test]
    fn description_of_a_rule_states_no_action() {
        let line = |before: &str| {
            format!(
                "May  1 12:00:00 gw {before}IN=eth8 OUT=br2 SRC=10.0.0.5 DST=192.0.2.10 LEN=60 PROTO=TCP SPT=1 DPT=2"
            )
        };
        let check = |before: &str, action| assert_eq!(actions(&line(before)), [action], "{before}");
        check(
            "[LAN_WAN-A-2] DESCR=\"Ads blocklist, drop IN=eth9\" ",
            Action::Allowed,
        );
        check(
            "[WAN_LAN-D-10001] DESCR=\"[WAN_LAN]Allow All\" ",
            Action::Blocked,
        );
        check("kernel: FORWARD ", Action::Unstated);
        check("kernel: [1234.5] FORWARD_DROP: ", Action::Blocked);
        check("May  1 12:00:00 gw2 kernel: nft-reject: ", Action::Blocked);
    }

    #[test]
    fn meraki_states_the_action_in_several_fields() {
        let head = "<134>1 1714564800.123456789 MX84";
        let check = |rest: &str, value: &str, action| {
            let line = format!("{head} {rest}");
            assert_eq!(values(&line), [value], "{rest}");
            assert_eq!(actions(&line), [action], "{rest}");
        };
        let (url, address) = ("http://www.example.com/a", "192.0.2.10");
        check(
            "security_event security_filtering_file_scanned url=http://www.example.com/a src=10.0.0.5:53150 dst=192.0.2.10:80 mac=00:00:5E:00:53:01 name='x' disposition=malicious action=block",
            url,
            Action::Blocked,
        );
        check(
            "security_event ids_alerted signature=1:2:1 priority=1 direction=egress protocol=tcp/ip src=10.0.0.5:1 dst=192.0.2.10:80 decision=blocked message: allow deny",
            address,
            Action::Blocked,
        );
        let pattern = "src=10.0.0.5 dst=192.0.2.10 mac=00:00:5E:00:53:01 protocol=tcp sport=1 dport=2 pattern:";
        check(
            &format!("firewall {pattern} deny all"),
            address,
            Action::Blocked,
        );
        check(
            &format!("vpn_firewall {pattern} allow all"),
            address,
            Action::Allowed,
        );
        check(&format!("flows {pattern} 1 all"), address, Action::Blocked);
        check(&format!("flows {pattern} 0 all"), address, Action::Allowed);
        check(
            "urls src=10.0.0.5:1 dst=192.0.2.10:80 mac=00:00:5E:00:53:01 agent='x deny y' request: GET http://www.example.com/a",
            url,
            Action::Unstated,
        );
    }

    #[test]
    fn scheme_of_a_zscaler_url_is_the_protocol() {
        let example = KeyValue::TABLE
            .iter()
            .find(|dialect| dialect.name == "zscaler-nss");
        let line = example
            .unwrap()
            .example
            .replace("\turl=", "\tprotocol=HTTPS\turl=");
        assert_eq!(values(&line), ["https://www.example.com/a"]);
    }

    #[test]
    fn firewall_rules_give_the_action() {
        let example = KeyValue::TABLE
            .iter()
            .find(|dialect| dialect.name == "iptables")
            .unwrap()
            .example;
        let parsed = testing::parse::<Parser>(example.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.observations[0].action, Action::Blocked);
    }
}
