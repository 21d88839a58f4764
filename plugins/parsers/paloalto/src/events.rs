//! Events of the system log, in words: the server that the firewall contacted, and the client.

use vthost_plugin::contact::Contact;
use vthost_plugin::split::{after, until};

/// `authenticated for user 'jane'. … server address '192.0.2.10', … From: 10.0.0.5.`,
/// `ldap cfg x connected to server 192.0.2.10:636, initiated by: 10.0.0.5`,
/// `Connection to Update server: updates.example.com completed successfully,
/// initiated by 10.0.0.5`, `DHCP RENEW: interface eth0, ip 10.0.0.5 … dhcp
/// server: 192.0.2.1`. Nothing where no server is named.
pub(crate) fn contact(event: &[u8]) -> Contact<'_> {
    let first = |marks: &[&[u8]]| {
        let mut found = marks.iter().filter_map(|mark| value_after(event, mark));
        found.next().unwrap_or_default()
    };
    Contact {
        host: first(&[
            b"erver address ",
            b"erver Address ",
            b"connected to server ",
            b"Update server: ",
            b"dhcp server: ",
        ]),
        client: first(&[
            b"From: ",
            b" from ",
            b"initiated by: ",
            b"initiated by ",
            b", ip ",
        ]),
        user: first(&[b"for user ", b"authenticating user "]),
        ..Contact::default()
    }
}

/// The word after a mark, without surrounding quotes and punctuation.
fn value_after<'a>(event: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let value = after(event, mark)?;
    let value = value.strip_prefix(b"'").unwrap_or(value);
    let value = until(value, b"', \"");
    let value = value.strip_suffix(b".").unwrap_or(value);
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_name_a_server_and_for_whom() {
        let check = |event: &str, expected: [&str; 3]| {
            let contact = contact(event.as_bytes());
            let found = [contact.host, contact.client, contact.user];
            assert_eq!(found, expected.map(str::as_bytes), "{event}");
        };
        check(
            "authenticated for user 'jane.doe'.   auth profile 'A', vsys 'vsys1', server profile 'E', server address '192.0.2.10', auth protocol 'PAP', From: 10.0.0.5.",
            ["192.0.2.10", "10.0.0.5", "jane.doe"],
        );
        check(
            "When authenticating user jane from 10.0.0.5, a less secure authentication method PAP is used. Server Profile R, Server Address 192.0.2.10",
            ["192.0.2.10", "10.0.0.5", "jane"],
        );
        check(
            "ldap cfg x connected to server 192.0.2.10:636, initiated by: 10.0.0.5",
            ["192.0.2.10:636", "10.0.0.5", ""],
        );
        check(
            "Connection to Update server: updates.example.com completed successfully, initiated by 10.0.0.5",
            ["updates.example.com", "10.0.0.5", ""],
        );
        check(
            "DHCP RENEW: interface eth0, ip 10.0.0.5 netmask 255.255.255.0 dhcp server: 192.0.2.1",
            ["192.0.2.1", "10.0.0.5", ""],
        );
        check("Config installed", ["", "", ""]);
    }
}
