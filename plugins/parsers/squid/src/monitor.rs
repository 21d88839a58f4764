//! The L4 Traffic Monitor of Cisco's Secure Web Appliance. Its messages are mixed
//! with rows of the access log where both go to one collector.

use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::parser::{Line, Observations};
use vthost_plugin::split::{after, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

/// Whether a line is a message of the appliance.
pub(crate) fn is_message(line: &[u8]) -> bool {
    after(line, b" Info: ").is_some()
}

/// Adds the contact of a message about a connection.
pub(crate) fn push(line: &[u8], stamps: Stamps, found: &mut Observations<'_>) -> Line {
    let time_us = Syslog::time_of(line, stamps);
    match connection(line) {
        Some(contact) => Contact { time_us, ..contact }.push(found),
        None => Line::Ignored("a message of another kind"),
    }
}

/// `Firewall noted TCP data from 10.0.0.5 to 192.0.2.10(www.example.com):1283.`
fn connection(line: &[u8]) -> Option<Contact<'_>> {
    let message = after(line, b"Info: Firewall ")?;
    let (who, target) = (after(message, b" data from ")?, after(message, b" to ")?);
    let target = target.strip_suffix(b".").unwrap_or(target);
    Some(Contact {
        host: after(target, b"(")
            .map(|name| until(name, b")"))
            .unwrap_or_default(),
        address: until(target, b"( "),
        client: until(who, b" "),
        action: match until(message, b" ") {
            b"noted" => action_of(b"allowed"),
            said => action_of(said),
        },
        ..Contact::default()
    })
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    #[test]
    fn connections_are_read() {
        let check = |message: &str, expected: (&str, &str, Action)| {
            let line = format!("<134>May  1 12:00:00 wsa Wed May 01 12:00:00 2024 Info: {message}");
            let parsed = testing::parse::<crate::Squid>(line.as_bytes(), "{}").unwrap();
            let seen = &parsed.observations[0];
            let found = (seen.value.as_str(), seen.client.as_str(), seen.action);
            assert_eq!(found, expected, "{message}");
        };
        check(
            "Firewall noted TCP data from 10.0.0.5 to 192.0.2.10(www.example.com):1283.",
            ("www.example.com", "10.0.0.5", Action::Allowed),
        );
        check(
            "Firewall blocked TCP data from 10.0.0.5:1148 to 192.0.2.10.",
            ("192.0.2.10", "10.0.0.5", Action::Blocked),
        );
        let other = b"May  1 12:00:00 wsa Info: Version: 9.0.0-485\n";
        let parsed = testing::parse::<crate::Squid>(other, "{}").unwrap();
        assert_eq!(parsed.ignored.len(), 1);
    }
}
