//! Tables that any program exports: rows of cells between commas or another byte, mostly with a
//! header that names the columns. The columns are found by their names and their cells; see
//! [`table`]. Settings override them.

mod cell;
mod names;
mod table;

use serde::Deserialize;
use vthost_plugin::contact::Contact;
use vthost_plugin::parser::{Description, Input, Line, LineParser, Observations, Reading};
use vthost_plugin::split::Columns;
use vthost_plugin::time::{DateOrder, Stamps};

use cell::{action, plain, plain_time, url_of};
use table::{MOST_LINES_OF_ROW, OTHERS, Places, Table, is_open};

struct Csv {
    stamps: Stamps,
    table: Table,
    /// The wanted cells where quotes enclose them, and where quotes are text.
    quoted: Columns<ROLES>,
    unquoted: Columns<ROLES>,
    /// The lines so far of a row with line ends in a quoted cell.
    pending: Vec<u8>,
    pending_lines: usize,
}

vthost_plugin::export_parser!(Csv);

/// The names of the columns by what they mean; see `schema.json`.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    separator: Option<char>,
    url: Option<String>,
    host: Option<String>,
    address: Option<String>,
    client: Option<String>,
    user: Option<String>,
    time: Option<String>,
    action: Option<String>,
    day_first: Option<bool>,
}

impl Settings {
    /// Takes the columns that the settings name.
    fn apply(&self, table: &mut Table) -> Result<(), String> {
        let named = |name: &Option<String>| match name {
            None => Ok(None),
            Some(name) => table
                .named(name)
                .map(Some)
                .ok_or_else(|| format!("its header names no column `{name}`")),
        };
        let targets = [named(&self.url)?, named(&self.host)?, named(&self.address)?];
        let [client, user, action] = [
            named(&self.client)?,
            named(&self.user)?,
            named(&self.action)?,
        ];
        let time = named(&self.time)?;
        let places = &mut table.places;
        if targets.iter().any(Option::is_some) {
            [places.url, places.host, places.address] = targets;
            places.others = [None; OTHERS];
        }
        places.client = client.or(places.client);
        places.user = user.or(places.user);
        places.action = action.or(places.action);
        if time.is_some() {
            (places.time, places.clock) = (time, None);
        }
        table.order = match self.day_first {
            Some(true) => DateOrder::DayFirst,
            Some(false) => DateOrder::MonthFirst,
            None => table.order,
        };
        Ok(())
    }
}

/// Cells of a row that are read.
const ROLES: usize = 8 + OTHERS;

impl LineParser for Csv {
    type Settings = Settings;

    /// A quoted cell may have several lines.
    const READING: Reading = Reading::OrderedLines;

    fn describe() -> Description {
        Description {
            name: "csv",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Tables, whose columns are found by their names and cells; settings override: host=dst_name client=src_ip",
            formats: vec![(
                "csv",
                "A table by comma, semicolon, tab or bar, mostly with a header, in English, German, French, Spanish or Japanese",
                "time,client,user,action,url,host,address",
            )],
            settings_schema: include_str!("schema.json"),
        }
    }

    fn detect(input: &Input) -> u8 {
        let table = Table::of(input, Stamps::of(input), None);
        table.map_or(0, |table| table.certainty())
    }

    fn open(input: &Input, settings: Settings) -> Result<Self, String> {
        let separator = match settings.separator {
            None => None,
            Some(separator) if separator.is_ascii() => Some(separator as u8),
            Some(_) => return Err("the separator is no ASCII character".to_owned()),
        };
        let stamps = Stamps::of(input);
        let mut table =
            Table::of(input, stamps, separator).ok_or("its lines have no columns in common")?;
        settings.apply(&mut table)?;
        if !table.places.has_target() {
            return Err(
                "no column holds URLs, hosts or addresses that were contacted; set url, host or address to the name of one"
                    .to_owned(),
            );
        }
        let columns = || Columns::at(table.separator, without_twins(&table.places));
        Ok(Self {
            stamps,
            quoted: columns(),
            unquoted: columns().with_quotes_as_text(),
            table,
            pending: Vec::new(),
            pending_lines: 0,
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        let is_part = !self.pending.is_empty() || is_open(line);
        if !self.table.joins_lines || !is_part {
            return self.row(line, found);
        }
        self.line_of_row(line, found)
    }
}

impl Csv {
    /// Reads a line of a row that has several, and the row with its last line.
    fn line_of_row(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if !self.pending.is_empty() && begins_row(line) {
            // The row before was cut off.
            self.forget();
            return self.line(line, found);
        }
        let was_open = !self.pending.is_empty();
        if was_open {
            self.pending.push(b' ');
        }
        self.pending.extend_from_slice(line);
        self.pending_lines += 1;
        if was_open == is_open(line) {
            let row = std::mem::take(&mut self.pending);
            self.forget();
            return self.row(&row, found);
        }
        if self.pending_lines > MOST_LINES_OF_ROW {
            self.forget();
            return Line::Rejected("a quote that is not closed");
        }
        Line::Ignored("part of a row over several lines")
    }

    fn forget(&mut self) {
        self.pending.clear();
        self.pending_lines = 0;
    }

    fn row(&mut self, row: &[u8], found: &mut Observations<'_>) -> Line {
        if row.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        if self.table.heading.iter().any(|known| known == row) {
            return Line::Ignored("header");
        }
        let (cells, count) = match self.table.is_quoted {
            true => self.quoted.pick_counted(row),
            false => self.unquoted.pick_counted(row),
        };
        match count == self.table.columns {
            true => self.contact(cells, found),
            false => self.uneven(row, (cells, count), found),
        }
    }

    /// Reads a row that has not as many columns as the table.
    fn uneven(
        &mut self,
        row: &[u8],
        (cells, count): ([&[u8]; ROLES], usize),
        found: &mut Observations<'_>,
    ) -> Line {
        if row.starts_with(b"#") {
            return Line::Ignored("a comment");
        }
        // A quote that is only text.
        let (unquoted_cells, unquoted) = self.unquoted.pick_counted(row);
        if unquoted == self.table.columns {
            return self.contact(unquoted_cells, found);
        }
        let Table {
            columns, separator, ..
        } = self.table;
        let empty = row
            .iter()
            .rev()
            .take_while(|byte| **byte == separator)
            .count();
        if count > columns && empty >= count - columns {
            return self.row(&row[..row.len() - (count - columns)], found);
        }
        if count < columns {
            let is_whole = count > self.table.places.last_target() + 1;
            return match is_whole {
                true => self.contact(cells, found),
                false => Line::Rejected("fewer columns than the table"),
            };
        }
        match self.with_quoted_url(row, unquoted - columns) {
            Some(row) => {
                let cells = self.quoted.pick(&row);
                self.contact(cells, found)
            }
            None => Line::Rejected("more columns than the table"),
        }
    }

    /// The row with its URL in quotes, where only that can have the separators that are too
    /// many.
    fn with_quoted_url(&self, row: &[u8], more: usize) -> Option<Vec<u8>> {
        let url = self.table.places.url?;
        if !self.table.url_is_only_text || !self.table.is_quoted && row.contains(&b'"') {
            return None;
        }
        let cells: Vec<&[u8]> = row.split(|byte| *byte == self.table.separator).collect();
        let separator = &[self.table.separator][..];
        let joined = cells.get(url..=url + more)?.join(separator);
        let quoted = [b"\"", joined.as_slice(), b"\""].concat();
        let cells = [
            &cells[..url],
            &[quoted.as_slice()],
            &cells[url + more + 1..],
        ]
        .concat();
        Some(cells.join(separator))
    }

    fn contact(&self, cells: [&[u8]; ROLES], found: &mut Observations<'_>) -> Line {
        let [
            url,
            host,
            address,
            client,
            user,
            time,
            clock,
            acted,
            others @ ..,
        ] = cells;
        let (time, clock) = (plain_time(time), plain_time(clock));
        let (client, acted) = (plain(client), plain(acted));
        let contact = Contact {
            host,
            address,
            client: &client,
            user,
            time_us: match self.table.places.clock {
                None => self.stamps.any(&time, self.table.order).or_else(|| {
                    self.stamps
                        .of_fields(&time, MIDNIGHT, b"", self.table.order)
                }),
                Some(_) => self.stamps.of_fields(&time, &clock, b"", self.table.order),
            },
            action: action(&acted),
            ..Contact::default()
        };
        let push = |target: &[u8], found: &mut Observations<'_>| {
            let target = url_of(target);
            Contact {
                url: target,
                ..contact
            }
            .decoded(plain, |contact| contact.push(found))
        };
        let line = push(url, found);
        let others = others.into_iter().filter(|other| !other.is_empty());
        others.fold(line, |line, other| match push(other, found) {
            Line::Record => Line::Record,
            _ => line,
        })
    }
}

/// Excel writes no time for midnight.
const MIDNIGHT: &[u8] = b"00:00:00";

/// The places of the cells in the order in which [`Csv::contact`] takes them. A column of
/// several meanings keeps the first.
fn without_twins(places: &Places) -> [Option<usize>; ROLES] {
    let mut wanted = [None; ROLES];
    let named = [
        places.url,
        places.host,
        places.address,
        places.client,
        places.user,
        places.time,
        places.clock,
        places.action,
    ];
    for (index, place) in named.into_iter().chain(places.others).enumerate() {
        wanted[index] = place.filter(|place| !wanted.contains(&Some(*place)));
    }
    wanted
}

/// Whether a line begins with a quoted cell: within a cell quotes are doubled, and a single one
/// ends it.
fn begins_row(line: &[u8]) -> bool {
    matches!(line, [b'"', next, ..] if next.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
