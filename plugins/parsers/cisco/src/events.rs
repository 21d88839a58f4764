//! Connection, file, malware and intrusion events of Firepower: `Key: Value, Key: Value`.
//! See "Cisco Secure Firewall Threat Defense Syslog Messages", 430001 to 430005.

use vthost_plugin::contact::Contact;
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, Roles};
use vthost_plugin::time::Stamps;

static EVENTS: Dialect = Dialect {
    name: "ftd-events",
    title: "Firepower events 430001 to 430005",
    example: "",
    marks: &[],
    roles: Roles {
        url: &["URL", "URI"],
        host: &["ReferencedHost"],
        name: &["DNSQuery"],
        address: &["DstIP"],
        client: &["SrcIP"],
        user: &["User"],
        stamp: &["FirstPacketSecond"],
        action: &[
            "AccessControlRuleAction",
            "InlineResult",
            "FileAction",
            "Action",
        ],
        ..Roles::NONE
    },
    ..Dialect::DEFAULT
};

/// The keys after the user agent and the referrer, which the client writes. Of these the
/// last value counts, of all others the first.
const AFTER_CLIENT_TEXT: [&str; 4] = ["URL", "URI", "ReferencedHost", "DNSQuery"];

/// Values of `User` that name no user.
const NOBODY: [&[u8]; 4] = [
    b"No Authentication Required",
    b"No Authentication",
    b"Not Found",
    b"Unknown",
];

/// Reads events.
pub(crate) struct Events {
    reader: Reader,
    /// The keys in the order in which the reader takes their values.
    keys: [&'static str; FIELDS],
}

impl Events {
    pub(crate) fn new(stamps: Stamps) -> Self {
        let reader = Reader::new(&EVENTS, stamps);
        Self {
            keys: reader.names(),
            reader,
        }
    }

    /// The contact of an event. `sent_us` is the time of its message.
    pub(crate) fn contact<'a>(&self, text: &'a [u8], sent_us: Option<i64>) -> Contact<'a> {
        let contact = self.reader.contact(&self.values(text), sent_us);
        let user = match NOBODY.contains(&contact.user) {
            true => b"",
            false => contact.user,
        };
        Contact { user, ..contact }
    }

    fn values<'a>(&self, text: &'a [u8]) -> [&'a [u8]; FIELDS] {
        let mut values: [&[u8]; FIELDS] = [b""; FIELDS];
        for (key, value) in pairs(text) {
            let place = self.keys.iter().position(|known| known.as_bytes() == key);
            let Some(place) = place else {
                continue;
            };
            let is_last = AFTER_CLIENT_TEXT.contains(&self.keys[place]);
            if values[place].is_empty() || (is_last && !value.is_empty()) {
                values[place] = value;
            }
        }
        values
    }
}

/// Keys and values. A comma ends a value only before the next key: values have commas.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let key = key_of(rest)?;
        let value = &rest[key.len() + 1..];
        let end = end_of_value(value);
        rest = value.get(end + 1..).unwrap_or_default().trim_ascii_start();
        Some((key, value[..end].trim_ascii()))
    })
}

fn end_of_value(value: &[u8]) -> usize {
    let is_end = |comma: &usize| key_of(value[comma + 1..].trim_ascii_start()).is_some();
    let mut commas = memchr_iter(value);
    commas.find(is_end).unwrap_or(value.len())
}

fn memchr_iter(value: &[u8]) -> impl Iterator<Item = usize> {
    let places = value.iter().enumerate();
    places.filter_map(|(place, byte)| (*byte == b',').then_some(place))
}

/// `Prefilter Policy` of `Prefilter Policy: Unknown`: a few words, the first of which
/// begins with a capital, before a colon with a blank or the end after it.
fn key_of(text: &[u8]) -> Option<&[u8]> {
    /// The longest key has 31 bytes.
    const LONGEST: usize = 40;
    let is_of_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-');
    let end = text
        .iter()
        .take(LONGEST)
        .position(|byte| !is_of_key(byte))?;
    let is_key = text[0].is_ascii_uppercase()
        && text[end] == b':'
        && matches!(text.get(end + 1), None | Some(b' ' | b','));
    is_key.then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact_of(text: &str) -> [String; 4] {
        let events = Events::new(Stamps::of(&vthost_plugin::testing::input(b"")));
        let contact = events.contact(text.as_bytes(), None);
        [contact.url, contact.client, contact.address, contact.user]
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    #[test]
    fn comma_ends_a_value_only_before_a_key() {
        assert_eq!(
            contact_of(
                r"AccessControlRuleReason: IP Monitor, SrcIP: 10.0.0.5, DstIP: 192.0.2.10, Prefilter Policy: Unknown, User: CORP\jane, UserAgent: X (KHTML, like Gecko), URL: http://www.example.com/?a=1,2,b:c"
            ),
            [
                "http://www.example.com/?a=1,2,b:c",
                "10.0.0.5",
                "192.0.2.10",
                r"CORP\jane"
            ]
        );
    }

    #[test]
    fn keys_in_a_user_agent_change_nothing() {
        assert_eq!(
            contact_of(
                "SrcIP: 10.0.0.5, DstIP: 192.0.2.10, User: No Authentication Required, UserAgent: x, URL: http://www.example.org/, SrcIP: 10.0.0.9, URL: http://www.example.com/a"
            ),
            ["http://www.example.com/a", "10.0.0.5", "192.0.2.10", ""]
        );
    }
}
