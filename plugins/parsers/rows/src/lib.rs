//! Rows without a header, whose columns have their meaning by their position:
//! the [`LAYOUTS`](layouts::LAYOUTS), one table entry for each product.

mod barracuda;
mod layouts;

use vthost_plugin::dialect::{Dialect, DialectParser, FIELDS, Grammar, OtherLine};
use vthost_plugin::parser::{Description, Input};
use vthost_plugin::split::Columns;

use layouts::{Check, Layout};

/// The grammar of one layout.
struct Rows {
    columns: Columns<FIELDS>,
    /// The positions of columns that must not be empty, among the values.
    required: Vec<usize>,
    /// The columns whose form is checked, by their position among the values.
    checked: Vec<(usize, Check)>,
}

vthost_plugin::export_parser!(DialectParser<Rows>);

impl Grammar for Rows {
    type Entry = Layout;

    const DESCRIPTION: Description = Description {
        name: "rows",
        version: env!("CARGO_PKG_VERSION"),
        licence: env!("CARGO_PKG_LICENSE"),
        summary: "Rows without a header, of many products: their columns are known by their places",
        formats: Vec::new(),
        settings_schema: "",
    };

    const TABLE: &'static [Layout] = layouts::LAYOUTS;

    fn dialect(entry: &'static Layout) -> &'static Dialect {
        &entry.dialect
    }

    fn new(entry: &'static Layout, fields: [&'static str; FIELDS], _input: &Input) -> Self {
        let position = |column: &str| fields.iter().position(|field| *field == column);
        let checks = entry.checks.iter();
        Self {
            columns: Columns::at(entry.separator, fields.map(|name| name.parse().ok())),
            required: entry
                .dialect
                .marks
                .iter()
                .filter_map(|column| position(column))
                .collect(),
            checked: checks
                .filter_map(|(column, check)| Some((position(column)?, *check)))
                .collect(),
        }
    }

    fn pick<'a>(&mut self, line: &'a [u8]) -> Result<(usize, [&'a [u8]; FIELDS]), &'static str> {
        let values = self.columns.pick(line);
        let mut required = self.required.iter();
        let mut checked = self.checked.iter();
        let is_row = required.all(|place| !values[*place].is_empty())
            && checked.all(|(place, check)| check(values[*place]));
        match is_row {
            true => Ok((0, values)),
            false => Err("not the columns of a known layout"),
        }
    }

    fn other(entry: &'static Layout, line: &[u8]) -> Option<OtherLine> {
        (entry.other)(line)
    }
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    use super::*;

    type Parser = DialectParser<Rows>;

    #[test]
    fn every_example_is_read() {
        for layout in Rows::TABLE {
            let name = layout.dialect.name;
            let parsed = testing::parse::<Parser>(layout.dialect.example.as_bytes(), "{}").unwrap();
            let seen = &parsed.observations[0];
            let is_remote = seen.value.contains("www.example.com") || seen.value == "192.0.2.10";
            assert!(is_remote, "{name} {seen:?}");
            // 2024-05-01T12:00:00Z; 1969-05-01 where there is no year.
            let expected = [1_714_564_800, -21_124_800];
            let seconds = seen.time_us.unwrap().div_euclid(1_000_000);
            assert!(expected.contains(&seconds), "{name} {seen:?}");
        }
    }

    #[test]
    fn each_line_is_read_by_its_own_layout() {
        let values = |log: &str| -> Vec<String> {
            let parsed = testing::parse::<Parser>(log.as_bytes(), "{}").unwrap();
            parsed
                .observations
                .into_iter()
                .map(|seen| seen.value)
                .collect()
        };
        let examples: Vec<&str> = Rows::TABLE
            .iter()
            .map(|layout| layout.dialect.example)
            .collect();
        let alone: Vec<String> = examples.iter().flat_map(|line| values(line)).collect();
        assert_eq!(values(&examples.join("\n")), alone);
    }

    fn check(log: &str, expected: (&str, &str, &str, Action)) {
        let parsed = testing::parse::<Parser>(log.as_bytes(), "{}").unwrap();
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
        let event = "Info     GW event: [1] Insert Event from 127.0.0.1:56405 - (D|3|boxfw|3|TCP 10.0.0.5:80 (bond0.21) -> 192.0.2.10:443)\nInfo     GW box_DHCP: lease\n";
        let parsed =
            testing::parse::<Parser>(format!("{log}{log}{event}").as_bytes(), "{}").unwrap();
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
