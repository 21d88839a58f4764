//! Tables of anyone's: comma-separated (or by another byte), with a header that
//! names the columns. Settings say which column means what.

use serde::Deserialize;
use vthost_plugin::contact::{Contact, action_of};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, Observations};
use vthost_plugin::split::Columns;
use vthost_plugin::time::{DateOrder, Stamps};

struct Csv {
    stamps: Stamps,
    order: DateOrder,
    header: Vec<u8>,
    columns: Columns<ROLES>,
}

vthost_plugin::export_parser!(Csv);

/// The names of the columns by what they mean; see `schema.json`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    separator: Option<char>,
    url: String,
    host: String,
    address: String,
    client: String,
    user: String,
    time: String,
    action: String,
    day_first: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let named = str::to_owned;
        Self {
            separator: None,
            url: named("url"),
            host: named("host"),
            address: named("address"),
            client: named("client"),
            user: named("user"),
            time: named("time"),
            action: named("action"),
            day_first: false,
        }
    }
}

impl Settings {
    fn names(&self) -> [&str; ROLES] {
        [
            &self.url,
            &self.host,
            &self.address,
            &self.client,
            &self.user,
            &self.time,
            &self.action,
        ]
    }
}

/// Meanings that a column can have; the first [`TARGETS`] say what was contacted.
const ROLES: usize = 7;
const TARGETS: usize = 3;

/// Columns of a header that are looked at.
const MOST_COLUMNS: usize = 200;

const SEPARATORS: [u8; 4] = *b",;\t|";

impl LineParser for Csv {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            name: "csv",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Tables with a header; settings name the columns: host=dst_name client=src_ip",
            formats: vec![(
                "csv",
                "A table with a header, by comma, semicolon, tab or bar",
                "time,client,user,action,url,host,address",
            )],
            settings_schema: include_str!("schema.json"),
        }
    }

    /// By the usual names of columns: a target and whose it is.
    fn detect(input: &Input) -> u8 {
        let settings = Settings::default();
        let Some(header) = input.lines().next() else {
            return 0;
        };
        let names = names_of(header, separator_of(header));
        let has = |wanted: &[&str]| wanted.iter().any(|name| names.contains(&name.as_bytes()));
        let roles = settings.names();
        let (targets, others) = roles.split_at(TARGETS);
        match Fit::from(has(targets) && has(others)) {
            Fit::Yes => 45,
            _ => 0,
        }
    }

    fn open(input: &Input, settings: Settings) -> Result<Self, String> {
        let header = input.lines().next().unwrap_or_default().to_vec();
        let separator = match settings.separator {
            None => separator_of(&header),
            Some(separator) if separator.is_ascii() => separator as u8,
            Some(_) => return Err("the separator is no ASCII character".to_owned()),
        };
        let names = names_of(&header, separator);
        let roles = settings.names();
        let is_there = |role: &&str| names.contains(&role.as_bytes());
        if !roles[..TARGETS].iter().any(is_there) {
            return Err(format!(
                "its header names no column {}; set url, host or address to the name of one",
                roles[..TARGETS].join(", ")
            ));
        }
        Ok(Self {
            stamps: Stamps::of(input),
            order: match settings.day_first {
                true => DateOrder::DayFirst,
                false => DateOrder::MonthFirst,
            },
            columns: Columns::named(separator, names.iter().copied(), roles),
            header,
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        if line == self.header {
            return Line::Ignored("header");
        }
        let [url, host, address, client, user, time, action] = self.columns.pick(line);
        let contact = Contact {
            url,
            host,
            address,
            client,
            user,
            time_us: self.stamps.any(time, self.order),
            action: action_of(action),
            ..Contact::default()
        };
        contact.push(found)
    }
}

/// The separator that the header has most of.
fn separator_of(header: &[u8]) -> u8 {
    let count = |separator: u8| header.iter().filter(|byte| **byte == separator).count();
    let most = SEPARATORS.into_iter().rev().max_by_key(|byte| count(*byte));
    most.unwrap_or(b',')
}

/// The names of the columns, without blanks and quotes around them.
fn names_of(header: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut columns: Columns<MOST_COLUMNS> = Columns::at(separator, std::array::from_fn(Some));
    let count = columns.count(header).min(MOST_COLUMNS);
    let names = columns.pick(header);
    names[..count]
        .iter()
        .map(|name| name.trim_ascii())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    fn first(log: &str, settings: &str) -> (String, String, Action, Option<i64>) {
        let parsed = testing::parse::<Csv>(log.as_bytes(), settings).unwrap();
        assert_eq!(parsed.ignored, [("header".to_owned(), 1)]);
        let seen = &parsed.observations[0];
        (
            format!("{} {}", seen.kind, seen.value),
            seen.client.clone(),
            seen.action,
            seen.time_us,
        )
    }

    #[test]
    fn columns_are_known_by_their_names() {
        // 2024-05-01T12:00:00Z.
        let noon = Some(1_714_564_800_000_000);
        assert_eq!(
            first(
                "time,client,action,url\n2024-05-01T12:00:00Z,192.0.2.9,allowed,\"http://example.com/a,b\"\n",
                "{}"
            ),
            (
                "url http://example.com/a,b".to_owned(),
                "192.0.2.9".to_owned(),
                Action::Allowed,
                noon
            )
        );
        assert_eq!(
            first(
                "\"When\"|\"Src IP\"|\"Dst\"\n01/05/2024 12:00:00|192.0.2.9|198.51.100.7\n",
                r#"{"time": "When", "client": "Src IP", "address": "Dst", "day_first": true}"#
            ),
            (
                "ip 198.51.100.7".to_owned(),
                "192.0.2.9".to_owned(),
                Action::Unstated,
                noon
            )
        );
    }

    #[test]
    fn a_header_without_a_target_is_refused() {
        let refused = testing::parse::<Csv>(b"a,b\n1,2\n", "{}").unwrap_err();
        assert!(refused.contains("its header names no column url, host, address"));
        let wide = testing::parse::<Csv>(b"url\nx\n", r#"{"separator": "\u00e9"}"#);
        assert!(wide.is_err());
    }

    #[test]
    fn only_usual_names_are_detected() {
        let check = |header: &str, expected| {
            assert_eq!(
                testing::detect::<Csv>(header.as_bytes()),
                expected,
                "{header}"
            );
        };
        check("time,client,url\n", 45);
        check("host;user\n", 45);
        check("url\n", 0);
        check("something,else\n", 0);
        check("", 0);
    }
}
