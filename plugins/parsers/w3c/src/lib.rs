//! W3C Extended Log Format, whose columns a `#Fields:` line names: Blue Coat
//! ProxySG, IIS, CloudFront, Windows Firewall and other writers. See
//! <https://www.w3.org/TR/WD-logfile.html>.
//!
//! A later `#Fields:` line changes the columns, so an input is read in order.

mod align;

use vthost_plugin::contact::Contact;
use vthost_plugin::dialect::{Dialect, FIELDS, Reader, Roles};
use vthost_plugin::parser::{Description, Input, Line, LineParser, NoSettings, Observations};
use vthost_plugin::split::{Columns, until};
use vthost_plugin::time::Stamps;

use align::Aligned;

struct W3c {
    stamps: Stamps,
    separator: u8,
    table: Table,
}

/// The columns by the last `#Fields:` line.
struct Table {
    header: Vec<u8>,
    reader: Reader,
    columns: Columns<FIELDS>,
    names: Vec<Vec<u8>>,
}

vthost_plugin::export_parser!(W3c);

/// Logs of proxies and firewalls.
static OUTWARD: Dialect = Dialect {
    name: "w3c",
    title: "W3C Extended Log Format: ProxySG and other proxies, Windows Firewall",
    example: "#Fields: date time c-ip cs-method cs-uri-scheme cs-host cs-uri-path cs-uri-query sc-filter-result",
    marks: &[],
    roles: Roles {
        url: &["cs-uri", "x-cs-uri", "cs-url"],
        scheme: &["cs-uri-scheme", "x-cs-uri-scheme"],
        host: &[
            "cs-host",
            "x-cs-host",
            "cs(Host)",
            "cs-uri-host",
            "x-host",
            "x-cs-sni",
            "r-host",
            "r-dns",
        ],
        port: &["cs-uri-port"],
        path: &["cs-uri-path", "cs-uri-stem"],
        query: &["cs-uri-query"],
        address: &["dst-ip", "r-ip", "x-cs-dst-ip", "x-s-ip", "cs-ip"],
        client: &["c-ip", "src-ip", "x-c-ip", "x-src-ip"],
        user: &["cs-username", "cs-user", "cs-userdn", "cs-auth-user"],
        stamp: &["gmttime", "localtime", "x-timestamp", "timestamp"],
        date: &["date"],
        clock: &["time"],
        action: &["sc-filter-result", "action", "s-action", "x-policy-action"],
        ..Roles::NONE
    },
    ..Dialect::DEFAULT
};

/// Logs of web servers, where the client is the remote side.
static INWARD: Dialect = Dialect {
    name: "w3c-server",
    title: "W3C Extended Log Format of web servers: IIS, CloudFront",
    example: "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status",
    marks: &[],
    roles: Roles {
        address: &["c-ip"],
        date: &["date"],
        clock: &["time"],
        ..Roles::NONE
    },
    ..Dialect::DEFAULT
};

/// A header is looked for in this many lines.
const HEADER_LINES: usize = 20;

impl LineParser for W3c {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "w3c",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "W3C Extended Log Format, by its #Fields line",
            formats: vec![
                (OUTWARD.name, OUTWARD.title, OUTWARD.example),
                (INWARD.name, INWARD.title, INWARD.example),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        let is_known = |header: &[u8]| {
            names(header).any(|name| matches!(name, b"c-ip" | b"src-ip" | b"x-c-ip"))
        };
        match header(input) {
            Some(header) if is_known(header) => 92,
            _ => 0,
        }
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        let header = header(input).ok_or("it has no #Fields line, which names the columns")?;
        let stamps = Stamps::of(input);
        let separator = separator(input, header);
        Ok(Self {
            stamps,
            separator,
            table: Table::of(header, separator, stamps),
        })
    }

    fn is_ordered(&self) -> bool {
        true
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        if line.starts_with(b"#") {
            if line.starts_with(b"#Fields") && line != self.table.header {
                if line.contains(&b'\t') {
                    self.separator = b'\t';
                }
                self.table = Table::of(line, self.separator, self.stamps);
            }
            return Line::Ignored("header");
        }
        match self.table.values(line) {
            Ok(values) => self.table.push(&values, found),
            Err(reason) => Line::Rejected(reason),
        }
    }
}

impl Table {
    fn of(header: &[u8], separator: u8, stamps: Stamps) -> Self {
        let is_server = names(header).any(|name| name == b"cs-uri-stem")
            && !names(header).any(|name| name == b"r-ip");
        let dialect = if is_server { &INWARD } else { &OUTWARD };
        let reader = Reader::new(dialect, stamps);
        Self {
            header: header.to_vec(),
            columns: Columns::named(separator, names(header), reader.names()),
            names: names(header).map(<[u8]>::to_vec).collect(),
            reader,
        }
    }

    /// The values of a row that the reader takes.
    fn values<'a>(&mut self, row: &'a [u8]) -> Result<[&'a [u8]; FIELDS], &'static str> {
        let row = row.trim_ascii_end();
        let (values, count) = self.columns.pick_counted(row);
        if count == self.names.len() {
            return Ok(values);
        }
        let ranges = self.columns.ranges(row);
        let aligned = Aligned::of(row, &ranges, &self.names)?;
        let value_of = |name: &str| {
            let column = aligned.column(name).unwrap_or_default();
            self.columns.value(column)
        };
        Ok(self.reader.names().map(value_of))
    }

    fn push(&self, values: &[&[u8]; FIELDS], found: &mut Observations<'_>) -> Line {
        let contact = self.reader.contact(values, None);
        if contact.time_us.is_none() {
            return Line::Rejected("no date and time in their columns");
        }
        // A tunnel has no path.
        let is_tunnel = matches!(contact.scheme, b"tcp" | b"ssl" | b"tunnel");
        let path = if is_tunnel { &[][..] } else { contact.path };
        Contact { path, ..contact }.push(found)
    }
}

fn header(input: &Input) -> Option<&[u8]> {
    let mut lines = input.lines().take(HEADER_LINES);
    lines.find(|line| line.starts_with(b"#Fields"))
}

/// The columns of a `#Fields:` line. Between tabs, names may have blanks.
fn names(header: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let list = until(header, b": \t").len();
    let list = header[list..].trim_ascii();
    let list = list.strip_prefix(b":").unwrap_or(list).trim_ascii();
    let has_tabs = list.contains(&b'\t');
    list.split(move |byte| *byte == b'\t' || (*byte == b' ' && !has_tabs))
        .filter(|name| !name.is_empty())
}

/// A tab if the rows have tabs, else a blank.
fn separator(input: &Input, header: &[u8]) -> u8 {
    let mut rows = input
        .lines()
        .filter(|line| !line.starts_with(b"#") && !line.is_empty());
    let first = rows.next().unwrap_or(header);
    if first.contains(&b'\t') { b'\t' } else { b' ' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::parser::Action;
    use vthost_plugin::testing;

    fn check(log: &str, expected: (&str, &str, &str, Action)) {
        assert_eq!(testing::detect::<W3c>(log.as_bytes()), 92, "{log}");
        let parsed = testing::parse::<W3c>(log.as_bytes(), "{}").unwrap();
        let observed = &parsed.observations[0];
        let (kind, value, client, action) = expected;
        assert_eq!(
            (observed.kind, observed.value.as_str()),
            (kind, value),
            "{log}"
        );
        assert_eq!(
            (observed.client.as_str(), observed.action),
            (client, action),
            "{log}"
        );
        // 2024-05-01T12:00:00Z.
        assert_eq!(observed.time_us, Some(1_714_564_800_000_000), "{log}");
    }

    fn values(log: &str) -> Vec<String> {
        let parsed = testing::parse::<W3c>(log.as_bytes(), "{}").unwrap();
        let values = parsed.observations.into_iter();
        values.map(|seen| seen.value).collect()
    }

    #[test]
    fn later_header_changes_the_columns() {
        let log = "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n2024-05-01 12:00:00 192.0.2.10 GET /a 200\n#Fields: date time s-ip c-ip cs-method cs-uri-stem sc-status\n2024-05-01 12:00:00 203.0.113.80 192.0.2.11 GET /a 200\n#Fields: date time c-ip cs-method cs-uri-scheme cs-host cs-uri-path r-ip\n2024-05-01 12:00:00 10.0.0.5 GET http www.example.com /a 192.0.2.12\n";
        assert_eq!(
            values(log),
            ["192.0.2.10", "192.0.2.11", "http://www.example.com/a"]
        );
    }

    #[test]
    fn bare_blank_in_a_value_does_not_shift_the_others() {
        let log = |referer: &str, agent: &str| {
            format!(
                "#Fields: date time c-ip cs-username cs(Referer) sc-status cs-method cs-uri-scheme cs-host cs-uri-port cs-uri-path cs-uri-query cs(User-Agent) s-ip\n2024-05-01 12:00:00 10.0.0.5 - {referer} 200 GET http www.example.com 80 /a ?b=c {agent} 203.0.113.1\n"
            )
        };
        let url = ["http://www.example.com/a?b=c"];
        for referer in [
            "http://www.example.org/?q=a b",
            "http://x/ 200 GET http www.example.net 80 /x - y z",
        ] {
            assert_eq!(values(&log(referer, "\"x y\"")), url, "{referer}");
        }
        assert_eq!(values(&log("-", "Mozilla/5.0 (X11; Linux)")), url);
    }

    #[test]
    fn row_that_fits_its_header_in_no_way_is_rejected() {
        let log = "#Fields: date time c-ip cs-host cs-uri-port\n2024-05-01 12:00:00 10.0.0.5 www.example.com\n2024-05-01 10.0.0.5 www.example.com 80\n2024-05-01 12:00:00 x y z w v\n";
        let parsed = testing::parse::<W3c>(log.as_bytes(), "{}").unwrap();
        assert_eq!(parsed.records, 1);
        assert_eq!(
            parsed.rejected,
            [("other columns than the header names".to_owned(), 2)]
        );
    }

    #[test]
    fn columns_are_those_of_the_header() {
        let proxy = |rest: &str| {
            format!(
                "#Software: SGOS\n#Fields: date time c-ip cs-username sc-filter-result cs-uri-scheme cs-host cs-uri-path cs-uri-query cs(User-Agent)\n2024-05-01 12:00:00 10.0.0.5 jane {rest}\n"
            )
        };
        check(
            &proxy("OBSERVED https www.example.com /a ?b=c \"x y\""),
            (
                "url",
                "https://www.example.com/a?b=c",
                "10.0.0.5",
                Action::Allowed,
            ),
        );
        check(
            "#Fields: date time c-ip cs-uri-scheme cs-host cs-uri-port cs-uri-path\n2024-05-01 12:00:00 10.0.0.5 http www.example.com 8080 /a\n",
            (
                "url",
                "http://www.example.com:8080/a",
                "10.0.0.5",
                Action::Unstated,
            ),
        );
        check(
            &proxy("DENIED tcp www.example.com / - -"),
            ("domain", "www.example.com", "10.0.0.5", Action::Blocked),
        );
        check(
            "#Version: 1.5\n#Fields: date time action protocol src-ip dst-ip src-port dst-port\n\n2024-05-01 12:00:00 DROP TCP 10.0.0.5 192.0.2.10 51000 443\n",
            ("ip", "192.0.2.10", "10.0.0.5", Action::Blocked),
        );
        check(
            "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status\r\n2024-05-01 12:00:00 10.0.0.80 GET /a - 80 - 192.0.2.10 200\r\n",
            ("ip", "192.0.2.10", "", Action::Unstated),
        );
    }
}
