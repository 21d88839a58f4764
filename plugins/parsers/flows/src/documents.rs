//! An object of JSON a line: nfdump `json`, ulogd2 `JSON`, and tshark `-T ek`.

use vthost_plugin::contact::{Contact, action_of_rule};
use vthost_plugin::parser::Action;
use vthost_plugin::split::Json;
use vthost_plugin::time::{DateOrder, Stamps};

use crate::Report;
use crate::ends::{End, between};

/// The members that are read.
const PATHS: [&str; 23] = [
    "first",
    "timestamp",
    "src4_addr",
    "src6_addr",
    "src_ip",
    "layers/ip/ip_ip_src",
    "layers/ipv6/ipv6_ipv6_src",
    "dst4_addr",
    "dst6_addr",
    "dest_ip",
    "layers/ip/ip_ip_dst",
    "layers/ipv6/ipv6_ipv6_dst",
    "src_port",
    "layers/tcp/tcp_tcp_srcport",
    "dst_port",
    "layers/tcp/tcp_tcp_dstport",
    "dvc",
    "oob.prefix",
    "layers/http/http_http_request_full_uri",
    "layers/http/http_http_host",
    "layers/tls/tls_tls_handshake_extensions_server_name",
    "layers/dns/dns_dns_qry_name",
    "layers/dns/dns_dns_flags_response",
];

/// Reads objects of these tools.
pub(crate) struct Documents(Json<{ PATHS.len() }>);

impl Documents {
    pub(crate) fn new() -> Self {
        Self(Json::new(PATHS))
    }

    pub(crate) fn read<'a>(&mut self, line: &'a [u8], stamps: Stamps) -> Option<Report<'a>> {
        if line.starts_with(b"{\"index\":{\"_index\":\"packets-") {
            return Some(Report::NoContact("a heading or a total"));
        }
        let fields = self.0.pick(line).ok()?;
        let first = |places: std::ops::Range<usize>| {
            let mut places = fields[places].iter().copied();
            places.find(|field| !field.is_empty()).unwrap_or_default()
        };
        let [device, prefix, url, host, tls_name, name, is_response] = fields[16..] else {
            return None;
        };
        let (has_flow, has_layers) = (!fields[0].is_empty(), !first(5..7).is_empty());
        if !has_flow && !has_layers && device != b"Netfilter" {
            return None;
        }
        if matches!(is_response, b"1" | b"true") {
            return Some(Report::NoContact("a resolver's answer"));
        }
        let source = End::with_port(first(2..7), first(12..14))?;
        let destination = End::with_port(first(7..12), first(14..16))?;
        let time_us = stamps.any(first(0..2), DateOrder::MonthFirst);
        let contact = between(source, destination, time_us);
        Some(
            Contact {
                url,
                host: if host.is_empty() { tls_name } else { host },
                name,
                // A question's destination is the resolver.
                address: if name.is_empty() {
                    contact.address
                } else {
                    b""
                },
                action: match device {
                    b"Netfilter" => action_of_rule(prefix),
                    _ => Action::Unstated,
                },
                ..contact
            }
            .into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action;

    use crate::tests::{check, seen};

    #[test]
    fn members_of_each_tool_are_found() {
        for (line, values) in [
            (
                r#"{"type":"FLOW","first":"2024-05-01T12:00:00.250","proto":6,"src_port":51000,"dst_port":443,"src4_addr":"10.0.0.5","dst4_addr":"192.0.2.10"}"#,
                &["192.0.2.10"][..],
            ),
            (
                r#"{"timestamp":"1714564800250","layers":{"ip":{"ip_ip_src":"10.0.0.5","ip_ip_dst":"192.0.2.10"},"tls":{"tls_tls_handshake_extensions_server_name":"www.example.com"}}}"#,
                &["www.example.com", "192.0.2.10"],
            ),
            (
                r#"{"timestamp":"1714564800250","layers":{"ip":{"ip_ip_src":"10.0.0.5","ip_ip_dst":"10.0.0.53"},"dns":{"dns_dns_qry_name":"www.example.com"}}}"#,
                &["www.example.com"],
            ),
        ] {
            check(line, values, "10.0.0.5");
            // 2024-05-01T12:00:00.250Z.
            assert_eq!(seen(line)[0].2, Some(1_714_564_800_250_000), "{line}");
        }
    }

    #[test]
    fn the_rules_prefix_states_the_action() {
        for (prefix, action) in [
            ("FW-ACCEPT ", Action::Allowed),
            ("FORWARD_DROP: ", Action::Blocked),
            ("FORWARD ", Action::Unstated),
        ] {
            let line = format!(
                r#"{{"timestamp": "2024-05-01T12:00:00.25", "dvc": "Netfilter", "oob.prefix": "{prefix}", "src_ip": "10.0.0.5", "dest_ip": "192.0.2.10"}}"#
            );
            check(&line, &["192.0.2.10"], "10.0.0.5");
            assert_eq!(seen(&line)[0].3, action, "{prefix}");
        }
    }
}
