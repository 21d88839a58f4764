//! Objects whose writer escapes nothing: Zscaler's NSS fills a template, so that quotes
//! and backslashes of a URL or a user agent appear in a string as they are. See "General
//! Guidelines for NSS Feeds and Feed Formats",
//! <https://help.zscaler.com/unified/general-guidelines-nss-feeds-and-feed-formats>.

use vthost_plugin::dialect::FIELDS;
use vthost_plugin::parser::Input;
use vthost_plugin::split::Json;

/// The fields of the feeds that Zscaler recommends; a feed may have others.
const USUAL_KEYS: &str = "sourcetype event datetime time tz epochtime reason event_id protocol proto \
     action transactionsize responsesize requestsize urlcategory serverip requestmethod \
     refererURL useragent product location ClientIP clientip status user url vendor hostname \
     clientpublicIP threatcategory threatname filetype appname app_status pagerisk threatseverity \
     department urlsupercategory appclass dlpengine urlclass threatclass dlpdictionaries fileclass \
     bwthrottle contenttype unscannabletype deviceowner devicehostname keyprotectiontype login \
     eurl reqsize respsize stime ctime urlcat urlsupercat malwarecat malwareclass riskscore dlpeng \
     dlpdict dept cip cintip sip reqmethod respcode ua ereferer ruletype rulelabel reqaction \
     host ehost b64url b64referer b64ua cltip req res dns_req csip cdip sdip cdfqdn";

/// Reads the fields of objects on one line whose strings hold bare quotes. A string ends
/// only where a known key or the end of the object follows: a key that the feed writes in
/// its whole lines.
pub(crate) struct BareStrings {
    fields: [&'static str; FIELDS],
    keys: Vec<Vec<u8>>,
}

impl BareStrings {
    /// A reader of these paths, which learns the feed's keys from the head of the input.
    pub(crate) fn new(fields: [&'static str; FIELDS], input: &Input) -> Self {
        let usual = USUAL_KEYS.split_ascii_whitespace();
        let mut keys: Vec<Vec<u8>> = usual.map(|key| key.as_bytes().to_vec()).collect();
        // An object that is entered is checked key by key.
        let mut whole = Json::new(["event/action"]);
        let lines = input.lines().filter(|line| {
            let start = line.iter().position(|byte| *byte == b'{');
            start.is_some_and(|start| whole.pick(&line[start..]).is_ok())
        });
        for key in lines.flat_map(keys_of) {
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_vec());
            }
        }
        Self { fields, keys }
    }

    /// The values of the fields, which are named by their last key.
    pub(crate) fn pick<'a>(&self, line: &'a [u8]) -> [&'a [u8]; FIELDS] {
        let mut values: [&[u8]; FIELDS] = [b""; FIELDS];
        let mut at = 0;
        while let Some((key, start)) = next_key(line, at) {
            let end = self.end_of_value(line, start);
            let mut places = self.fields.iter().zip(&mut values);
            let is_named = |field: &str| field.rsplit('/').next().map(str::as_bytes) == Some(key);
            if let Some((_, value)) =
                places.find(|(field, value)| is_named(field) && value.is_empty())
            {
                *value = without_quotes(&line[start..end]);
            }
            at = end;
        }
        values
    }

    /// Where the value that begins at `start` ends. An object is entered.
    fn end_of_value(&self, line: &[u8], start: usize) -> usize {
        match line.get(start) {
            Some(b'"') => {}
            Some(b'{') => return start + 1,
            _ => {
                let rest = line[start..].iter();
                let len = rest.take_while(|byte| !matches!(byte, b',' | b'}')).count();
                return start + len;
            }
        }
        let quotes = (start + 1..line.len()).filter(|place| line[*place] == b'"');
        let mut ends = quotes.filter(|quote| self.ends_value(&line[quote + 1..]));
        ends.next().map_or(line.len(), |quote| quote + 1)
    }

    fn ends_value(&self, rest: &[u8]) -> bool {
        let rest = rest.trim_ascii_start();
        let is_end = |byte: &u8| matches!(byte, b'}' | b' ' | b'\r');
        let Some(next) = rest.strip_prefix(b",") else {
            return rest.iter().all(is_end);
        };
        let key = key_at(next.trim_ascii_start());
        key.is_some_and(|key| self.keys.iter().any(|known| known == key))
    }
}

/// The key at the beginning of a text.
fn key_at(text: &[u8]) -> Option<&[u8]> {
    const LONGEST: usize = 64;
    let inside = text.strip_prefix(b"\"")?;
    let len = inside.iter().take(LONGEST).position(|byte| *byte == b'"')?;
    let is_key = inside[len + 1..].trim_ascii_start().starts_with(b":");
    is_key.then(|| &inside[..len])
}

/// The next `"key":` at or after a place, and where its value begins.
fn next_key(line: &[u8], from: usize) -> Option<(&[u8], usize)> {
    let mut at = from;
    loop {
        let open = at + line.get(at..)?.iter().position(|byte| *byte == b'"')?;
        let inside = &line[open + 1..];
        let len = inside.iter().position(|byte| *byte == b'"')?;
        let after = &inside[len + 1..];
        let blanks = after.len() - after.trim_ascii_start().len();
        if after.get(blanks) == Some(&b':') {
            let value = &after[blanks + 1..];
            let spaces = value.len() - value.trim_ascii_start().len();
            return Some((&inside[..len], line.len() - value.len() + spaces));
        }
        at = open + 1;
    }
}

/// The keys of a line whose strings hold no bare quotes.
fn keys_of(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (key, start) = next_key(line, at)?;
        at = start;
        Some(key)
    })
}

fn without_quotes(value: &[u8]) -> &[u8] {
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    value.strip_suffix(b"\"").unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use vthost_plugin::dialect::DialectParser;
    use vthost_plugin::testing;

    use crate::JsonLines;

    #[test]
    fn bare_quotes_are_part_of_a_string() {
        let row = |url: &str, agent: &str| {
            format!(
                r#"{{ "sourcetype" : "zscalernss-web", "event" :{{"time":"2024-05-01 12:00:00","login":"jane@example.org","proto":"HTTPS","eurl":"{url}","own_field":"x","action":"Blocked","cip":"10.0.0.5","sip":"192.0.2.10","ua":"{agent}","ereferer":"None"}}}}"#
            )
        };
        let urls = [
            "www.example.com/a",
            r#"www.example.com/?v={"platform":"ext","version":"1"}"#,
            r#"www.example.com/?"#,
        ];
        let agents = [
            "curl/8.0",
            r#"Update (t="b4" os="X")"#,
            r"C:\Program Files\u\x.exe\",
        ];
        for url in urls {
            for agent in agents {
                // The first row teaches the feed's own key.
                let log = format!("{}\n{}\n", row(urls[0], agents[0]), row(url, agent));
                let parsed =
                    testing::parse::<DialectParser<JsonLines>>(log.as_bytes(), "{}").unwrap();
                let seen = &parsed.observations[1];
                assert_eq!(seen.value, format!("https://{url}"), "{agent}");
                let found = (seen.client.as_str(), seen.user.as_str());
                assert_eq!(found, ("10.0.0.5", "jane@example.org"), "{url} {agent}");
                assert_eq!(seen.time_us, Some(1_714_564_800_000_000));
            }
        }
    }
}
