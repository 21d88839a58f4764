//! Juniper SRX in its default form (`set security log format syslog`): sentences. See
//! the System Log Explorer, <https://apps.juniper.net/syslog-explorer/>, RT_FLOW,
//! APPTRACK, RT_UTM, RT_SCREEN and RT_IDP.

use vthost_plugin::contact::{Contact, action_of, plausible_address};
use vthost_plugin::parser::{Action, Line, Observations, host_of};
use vthost_plugin::split::{after, split_once, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

/// Whether a line is a sentence about a contact.
pub(crate) fn is_sentence(line: &[u8]) -> bool {
    contact_of(line).is_some()
}

/// Pushes the contact of a sentence.
pub(crate) fn push(line: &[u8], stamps: Stamps, found: &mut Observations<'_>) -> Line {
    match contact_of(line) {
        Some(contact) => Contact {
            time_us: Syslog::time_of(line, stamps),
            ..contact
        }
        .push(found),
        None => Line::Rejected("no sentence of an SRX"),
    }
}

/// Reads one kind of sentence.
type ReadSentence = fn(&[u8]) -> Option<Contact<'_>>;

fn contact_of(line: &[u8]) -> Option<Contact<'_>> {
    let read: [ReadSentence; 5] = [of_session, of_web_filter, of_virus, of_screen, of_attack];
    read.iter().find_map(|read| read(line))
}

/// `session created 10.0.0.5/51000->192.0.2.10/443 0x0 junos-https …`, `session closed
/// TCP FIN: 10.0.0.5/51000->…`, `session denied …`, `AppTrack volume update: …`. Pairs
/// after the first are those of the translation.
fn of_session(line: &[u8]) -> Option<Contact<'_>> {
    let marks: [(&[u8], Action); 4] = [
        (b"session created ", Action::Allowed),
        (b"session closed ", Action::Allowed),
        (b"session denied ", Action::Blocked),
        (b"AppTrack volume update: ", Action::Allowed),
    ];
    let mut found = marks.iter().filter_map(|(mark, action)| {
        let (before, rest) = split_once(line, mark)?;
        let is_name = after(before, b"RT_FLOW").or_else(|| after(before, b"APPTRACK"));
        is_name.map(|_| (rest, *action))
    });
    let (rest, action) = found.next()?;
    let (before, behind) = split_once(rest, b"->")?;
    let client = before.rsplit(|byte| *byte == b' ').next()?;
    Some(Contact {
        client: address(client)?,
        address: address(until(behind, b" "))?,
        user: user(behind),
        action,
        ..Contact::default()
    })
}

/// `jane` of `jane(N/A)`: a name with roles. `6(0)` is a protocol, `12(3110)` a count.
fn user(text: &[u8]) -> &[u8] {
    let mut words = text.split(|byte| *byte == b' ').filter_map(|word| {
        let (name, roles) = split_once(word.strip_suffix(b")")?, b"(")?;
        let is_number = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        (!is_number(name) && !is_number(roles)).then_some(name)
    });
    words.next().unwrap_or_default()
}

/// `WebFilter: ACTION="URL Blocked" 10.0.0.5(51000)->192.0.2.10(80) CATEGORY="x" …
/// URL=www.example.com OBJ=/a USERNAME=jane ROLES=N/A`.
fn of_web_filter(line: &[u8]) -> Option<Contact<'_>> {
    let rest = after(line, b"WebFilter: ACTION=\"")?;
    let (action, rest) = split_once(rest, b"\" ")?;
    let (client, behind) = split_once(rest, b"->")?;
    let value = |key| after(behind, key).map(|rest| until(rest, b" "));
    let (host, path) = (value(b" URL="), value(b" OBJ="));
    Some(Contact {
        url: host.unwrap_or_default(),
        path: path.unwrap_or_default(),
        client: address(client)?,
        address: address(until(behind, b" "))?,
        user: value(b" USERNAME=").unwrap_or_default(),
        action: action_of(action.rsplit(|byte| *byte == b' ').next()?),
        ..Contact::default()
    })
}

/// `AntiVirus: Virus detected: from 192.0.2.10:80 to 10.0.0.5:51000 source-zone …`: the
/// file came from the first address.
fn of_virus(line: &[u8]) -> Option<Contact<'_>> {
    let rest = after(line, b"Virus detected: from ")?;
    let (source, behind) = split_once(rest, b" to ")?;
    Some(Contact {
        client: address(until(behind, b" "))?,
        address: address(source)?,
        ..Contact::default()
    })
}

/// `RT_SCREEN_TCP: SYN flood! source: 198.51.100.5:1, destination: 192.0.2.10:80, zone
/// name: untrust, interface name: ge-0/0/0.0, action: drop`.
fn of_screen(line: &[u8]) -> Option<Contact<'_>> {
    let rest = after(line, b"RT_SCREEN_")?;
    let value = |key| after(rest, key).map(|rest| until(rest, b", "));
    Some(Contact {
        client: address(value(b" source: ")?)?,
        address: address(value(b" destination: ")?)?,
        action: action_of(value(b" action: ").unwrap_or_default()),
        ..Contact::default()
    })
}

/// `IDP: at 1714564800, SIG Attack log <10.0.0.5/51000->192.0.2.10/80> for TCP protocol …
/// action=DROP, …`.
fn of_attack(line: &[u8]) -> Option<Contact<'_>> {
    let rest = after(line, b"Attack log <")?;
    let (client, behind) = split_once(rest, b"->")?;
    let action = after(behind, b"action=").map(|rest| until(rest, b", "));
    Some(Contact {
        client: address(client)?,
        address: address(until(behind, b">"))?,
        action: action_of(action.unwrap_or_default()),
        ..Contact::default()
    })
}

/// The address before `/51000`, `(51000)` or `:51000`.
fn address(end: &[u8]) -> Option<&[u8]> {
    plausible_address(host_of(until(end, b"/( ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_both_ends() {
        let check = |text: &str, value: &str, user: &str, action: Action| {
            let line = format!("May  1 12:00:00 srx {text}");
            let contact = contact_of(line.as_bytes()).unwrap();
            let named = if contact.url.is_empty() {
                contact.address
            } else {
                contact.url
            };
            let found = (named, contact.client, contact.user, contact.action);
            assert_eq!(
                found,
                (value.as_bytes(), &b"10.0.0.5"[..], user.as_bytes(), action),
                "{text}"
            );
        };
        let address = "192.0.2.10";
        check(
            "RT_FLOW: RT_FLOW_SESSION_CREATE: session created 10.0.0.5/57246->192.0.2.10/443 0x0 junos-https 198.51.100.10/26973->198.51.100.44/443 0x0 source rule r N/A N/A 6 permit trust untrust 2984 jane(N/A) ge-0/0/1.0 UNKNOWN",
            address,
            "jane",
            Action::Allowed,
        );
        check(
            "RT_FLOW: RT_FLOW_SESSION_CLOSE: session closed TCP FIN: 10.0.0.5/57246->192.0.2.10/443 0x0 junos-https 198.51.100.10/26973->192.0.2.10/443 0x0 N/A N/A N/A N/A 6 p trust untrust 2984 12(3110) 11(8120) 9 UNKNOWN UNKNOWN jane(staff) ge-0/0/1.0",
            address,
            "jane",
            Action::Allowed,
        );
        check(
            "RT_FLOW_SESSION_DENY: session denied 10.0.0.5/1->192.0.2.10/445 0x0 junos-smb 6(0) Deny trust untrust",
            address,
            "",
            Action::Blocked,
        );
        check(
            "RT_UTM: WEBFILTER_URL_BLOCKED: WebFilter: ACTION=\"URL Blocked\" 10.0.0.5(51000)->192.0.2.10(80) CATEGORY=\"N/A\" REASON=\"BY_BLACK_LIST\" PROFILE=\"p\" URL=www.example.com OBJ=/a USERNAME=jane ROLES=N/A",
            "www.example.com",
            "jane",
            Action::Blocked,
        );
        check(
            "RT_IDS: RT_SCREEN_TCP: SYN flood! source: 10.0.0.5:40001, destination: 192.0.2.10:50010, zone name: trustZone, interface name: ge-0/0/1.0, action: drop",
            address,
            "",
            Action::Blocked,
        );
        check(
            "RT_IDP: IDP_ATTACK_LOG_EVENT: IDP: at 1714564800, SIG Attack log <10.0.0.5/51000->192.0.2.10/80> for TCP protocol and service HTTP application NONE by rule 1 of rulebase IPS in policy p. attack: repeat=0, action=DROP, severity=HIGH",
            address,
            "",
            Action::Blocked,
        );
        assert!(contact_of(b"sshd: session created for jane").is_none());
    }
}
