//! Error logs of web servers: the remote side is named in the message.

use vthost_plugin::contact::{Contact, split_scheme};
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::time::{DateOrder, Stamps};

/// The contact of a line of an error log.
pub(crate) fn contact(line: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    apache(line, stamps).or_else(|| nginx(line, stamps))
}

/// `[Wed May 01 12:00:00.123456 2024] [core:error] [pid 1:tid 2] [client
/// 192.0.2.10:51000] AH00128: File does not exist: /a`.
fn apache(line: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let (time, rest) = split_once(line.strip_prefix(b"[")?, b"] [")?;
    let client = until(after(rest, b"[client ")?, b"]");
    Some(Contact {
        address: client,
        time_us: Some(stamps.any(time, DateOrder::MonthFirst)?),
        ..Contact::default()
    })
}

/// `2024/05/01 12:00:00 [error] 1#1: *1 open() failed, client: 192.0.2.10, server:
/// localhost, request: "GET /a HTTP/1.1", host: "www.example.org"`. The request of a
/// forward proxy has a whole URL.
fn nginx(line: &[u8], stamps: Stamps) -> Option<Contact<'_>> {
    let (time, rest) = split_once(line, b" [")?;
    let rest = after(rest, b"#")?;
    let client = until(after(rest, b", client: ")?, b",");
    let time_us = Some(stamps.any(time, DateOrder::MonthFirst)?);
    let request = after(rest, b", request: \"").unwrap_or_default();
    let target = until(after(request, b" ").unwrap_or_default(), b" \"");
    let contact = Contact {
        time_us,
        ..Contact::default()
    };
    Some(match split_scheme(target) {
        Some(_) => Contact {
            url: target,
            client,
            ..contact
        },
        None => Contact {
            address: client,
            ..contact
        },
    })
}

#[cfg(test)]
mod tests {
    use vthost_plugin::testing;

    #[test]
    fn error_logs_name_the_remote_side() {
        for line in [
            "[Wed May 01 12:00:00.123456 2024] [core:error] [pid 1:tid 2] [client 192.0.2.10:51000] AH00128: File does not exist: /a, referer: http://www.example.com/",
            "2024/05/01 12:00:00 [error] 1#1: *1 open() \"/a\" failed (2: No such file), client: 192.0.2.10, server: localhost, request: \"GET /a HTTP/1.1\", host: \"www.example.org\"",
        ] {
            let parsed = testing::parse::<crate::Combined>(line.as_bytes(), "{}").unwrap();
            let values = parsed.observations.iter().map(|seen| seen.value.as_str());
            assert_eq!(values.collect::<Vec<_>>(), ["192.0.2.10"], "{line}");
        }
    }
}
