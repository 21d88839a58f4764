//! Rows without a header, whose columns have their meaning by their places:
//! the [`LAYOUTS`], one table entry for each product.

mod layouts;

use vthost_plugin::contact::{Contact, action_of, plausible_address};
use vthost_plugin::dialect::{FIELDS, Reader};
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{Columns, until};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

use layouts::{BARRACUDA, Check, FORMATS, LAYOUTS, Layout};

struct Rows {
    stamps: Stamps,
    layout: &'static Layout,
    reader: Reader,
    columns: Columns<FIELDS>,
    /// Where the columns that are checked stand among the values.
    checked: Vec<(usize, Check)>,
}

vthost_plugin::export_parser!(Rows);

impl LineParser for Rows {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "rows",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Rows without a header, of many products: their columns are known by their places",
            formats: &FORMATS,
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        chosen(input).map_or(0, |(_, sure)| sure)
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let (layout, _) = chosen(input).ok_or("it is none of the layouts that are known")?;
        Ok(Self::of(layout, input))
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let values = self.columns.pick(line);
        if !self.is_row(&values) {
            return match self.layout.dialect.name {
                BARRACUDA => self.event(line, found),
                _ => Line::Rejected("not the columns of this layout"),
            };
        }
        let sent_us = match self.layout.has_time {
            true => None,
            false => Syslog::time_of(line, self.stamps),
        };
        let contact = self.reader.contact(&values, sent_us);
        match self.layout.dialect.name {
            BARRACUDA => Contact {
                action: action_of(action_before_colon(until(line, b"|"))),
                ..contact
            },
            _ => contact,
        }
        .push(found)
    }
}

impl Rows {
    fn of(layout: &'static Layout, input: &Input) -> Self {
        let stamps = Stamps::of(input);
        let reader = Reader::new(&layout.dialect, stamps);
        let places = reader.names().map(|name| name.parse().ok());
        Self {
            stamps,
            layout,
            columns: Columns::at(layout.separator, places),
            checked: layout
                .checks
                .iter()
                .filter_map(|(column, check)| {
                    let names = reader.names();
                    let place = names.iter().position(|name| name == column)?;
                    Some((place, *check))
                })
                .collect(),
            reader,
        }
    }

    fn is_row(&self, values: &[&[u8]; FIELDS]) -> bool {
        let mut checked = self.checked.iter();
        self.reader.fits(values) && checked.all(|(place, check)| check(values[*place]))
    }

    /// `… |TCP 10.0.0.5:51000 (eth1) -> 192.0.2.10:443)`, as Barracuda's events
    /// end.
    fn event(&self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let ends = || {
            let arrow = line.windows(4).position(|part| part == b" -> ")?;
            let before = line[..arrow].rsplit(|byte| *byte == b'|').next()?;
            let mut words = before.split(|byte| *byte == b' ');
            let (_protocol, client) = (words.next()?, words.next()?);
            let address = until(&line[arrow + 4..], b" )|");
            plausible_address(address)?;
            Some((client, address))
        };
        let Some((client, address)) = ends() else {
            return Line::Ignored("a message of another kind");
        };
        Contact {
            client,
            address,
            time_us: Syslog::time_of(line, self.stamps),
            ..Contact::default()
        }
        .push(found)
    }
}

/// `Allow` of `Info     GW Allow: LOUT`.
fn action_before_colon(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b':');
    let before = &text[..end.unwrap_or(text.len())];
    before
        .rsplit(|byte| *byte == b' ')
        .next()
        .unwrap_or_default()
}

/// The layout that most lines have, and how many of a hundred.
fn chosen(input: &Input) -> Option<(&'static Layout, u8)> {
    let sure_of = |layout: &'static Layout| {
        let mut rows = Rows::of(layout, input);
        input.confidence(layout.most, |line| match () {
            () if line.trim_ascii().is_empty() => Fit::Neutral,
            () => {
                let values = rows.columns.pick(line);
                Fit::from(rows.is_row(&values) || (layout.is_other)(line))
            }
        })
    };
    let all = LAYOUTS.iter().map(|layout| (layout, sure_of(layout)));
    // The first of those that fit equally well.
    all.rev()
        .max_by_key(|(_, sure)| *sure)
        .filter(|(_, sure)| *sure > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    #[test]
    fn every_example_is_read_as_its_own_layout() {
        for layout in &LAYOUTS {
            let dialect = &layout.dialect;
            let name = dialect.name;
            let input = testing::input(dialect.example.as_bytes());
            assert_eq!(chosen(&input).unwrap().0.dialect.name, name);
            let parsed = testing::parse::<Rows>(dialect.example.as_bytes(), "{}").unwrap();
            let seen = &parsed.observations[0];
            let is_remote = seen.value.contains("www.example.com") || seen.value == "192.0.2.10";
            assert!(is_remote, "{name} {seen:?}");
            // 2024-05-01T12:00:00Z; 1969-05-01 where there is no year.
            let expected = [1_714_564_800, -21_124_800];
            let seconds = seen.time_us.unwrap().div_euclid(1_000_000);
            assert!(expected.contains(&seconds), "{name} {seen:?}");
        }
    }

    fn check(log: &str, expected: (&str, &str, &str, Action)) {
        let parsed = testing::parse::<Rows>(log.as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[0];
        let found = (
            seen.kind,
            seen.value.as_str(),
            seen.client.as_str(),
            seen.action,
        );
        assert_eq!(found, expected, "{log}");
    }

    #[test]
    fn netskope_writes_blanks_or_commas_and_may_not_see_the_url() {
        let tail = |separator: &str| vec!["-"; 30].join(separator);
        let unseen = format!(
            "2024-05-01 12:00:00 244444 1321 6018 7339 10.0.0.5 192.0.2.10 \"jane\" - - - - - - - www.example.com www.example.com - 443 - {}",
            tail(" ")
        );
        let (client, unstated) = ("10.0.0.5", Action::Unstated);
        check(&unseen, ("domain", "www.example.com", client, unstated));
        let commas = format!(
            "2024-05-01,12:00:00,292,731,9567,10298,10.0.0.5,192.0.2.10,jane,GET,https,a=b,\"Mozilla/5.0 (KHTML, like Gecko)\",-,200,text/html,www.example.com,www.example.com,/c?a=b,8443,-,{}",
            tail(",")
        );
        check(
            &commas,
            (
                "url",
                "https://www.example.com:8443/c?a=b",
                client,
                unstated,
            ),
        );
    }

    #[test]
    fn barracuda_has_rows_and_events() {
        let log = "May  1 12:00:00 gw Security GW LocalBlock: <cumulative>|UDP|eth0|10.0.0.5|0|00:00:5E:00:53:01|192.0.2.10|811|||<no-match>|4003|||0|24|0|0|0|0||||||\n";
        check(log, ("ip", "192.0.2.10", "10.0.0.5", Action::Blocked));
        let event = "Info     GW event: [1] Insert Event from 127.0.0.1:56405 - (D|3|boxfw|3|TCP 10.0.0.5:80 (bond0.21) -> 192.0.2.10:443)\nInfo GW box_DHCP: lease\n";
        let parsed = testing::parse::<Rows>(format!("{log}{log}{event}").as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[2];
        assert_eq!(
            (seen.value.as_str(), seen.client.as_str()),
            ("192.0.2.10", "10.0.0.5")
        );
        assert_eq!(
            parsed.ignored,
            [("a message of another kind".to_owned(), 1)]
        );
    }
}
