//! How a table is laid out: its separator, its header, and which column holds what. Found by
//! the names in the header and checked by the cells of many rows; where a name means nothing,
//! or there is no header, the cells decide.

use std::borrow::Cow;

use vthost_plugin::parser::Input;
use vthost_plugin::split::Columns;
use vthost_plugin::time::{DateOrder, Stamps};

use crate::cell::Profile;
use crate::names::{Meaning, meaning_of};

/// Columns of a row that are read.
pub(crate) const MOST_COLUMNS: usize = 200;

/// Rows of the head that are sampled.
const SAMPLED_ROWS: usize = 100;

/// Lines before the header: a title, `#TYPE …`, `sep=;`.
const MOST_TITLE_LINES: usize = 10;

/// Lines that a quoted cell may have.
pub(crate) const MOST_LINES_OF_ROW: usize = 100;

/// Columns without a known name that hold contacts.
pub(crate) const OTHERS: usize = 4;

const SEPARATORS: [u8; 4] = *b",;\t|";

/// The layout of a table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) separator: u8,
    /// Whether quotes enclose cells; otherwise they are text.
    pub(crate) is_quoted: bool,
    /// Whether a quoted cell may have several lines.
    pub(crate) joins_lines: bool,
    /// How many columns a row has.
    pub(crate) columns: usize,
    /// The lines up to the header, which is the last of them; none without a header.
    pub(crate) heading: Vec<Vec<u8>>,
    pub(crate) places: Places,
    pub(crate) order: DateOrder,
    /// Whether only the URL's column can hold a separator that is not quoted.
    pub(crate) url_is_only_text: bool,
    names: Vec<String>,
    profiles: Vec<Profile>,
    rows: usize,
    /// Rows that have the usual count of columns.
    even_rows: usize,
}

/// The column of each meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) url: Option<usize>,
    pub(crate) host: Option<usize>,
    pub(crate) address: Option<usize>,
    pub(crate) client: Option<usize>,
    pub(crate) user: Option<usize>,
    pub(crate) time: Option<usize>,
    /// The time of day, where `time` has the date alone.
    pub(crate) clock: Option<usize>,
    pub(crate) action: Option<usize>,
    /// Columns that hold contacts by their cells alone.
    pub(crate) others: [Option<usize>; OTHERS],
}

impl Places {
    /// Whether a column holds contacts.
    pub(crate) fn has_target(&self) -> bool {
        self.has_named_target() || self.others[0].is_some()
    }

    fn has_named_target(&self) -> bool {
        self.url.or(self.host).or(self.address).is_some()
    }

    /// The last column that holds contacts.
    pub(crate) fn last_target(&self) -> usize {
        let named = [self.url, self.host, self.address].into_iter();
        named.chain(self.others).flatten().max().unwrap_or(0)
    }

    fn has_whose(&self) -> bool {
        self.client
            .or(self.user)
            .or(self.time)
            .or(self.action)
            .is_some()
    }
}

impl Table {
    /// The layout of an input that is a table with the given separator, or any; none where
    /// most lines have no two columns in common.
    pub(crate) fn of(input: &Input, stamps: Stamps, separator: Option<u8>) -> Option<Self> {
        let separators = SEPARATORS.iter().copied();
        let tables = separators
            .filter(|known| separator.is_none_or(|wanted| wanted == *known))
            .chain(separator.filter(|wanted| !SEPARATORS.contains(wanted)))
            .filter_map(|separator| Self::separated(input, stamps, separator));
        tables.max_by_key(|table| {
            let is_known = table.places.has_target();
            (
                is_known,
                table.even_rows,
                table.columns,
                std::cmp::Reverse(table.separator),
            )
        })
    }

    fn separated(input: &Input, stamps: Stamps, separator: u8) -> Option<Self> {
        let lines = input.lines().filter(|line| !line.trim_ascii().is_empty());
        let lines: Vec<&[u8]> = lines.take(SAMPLED_ROWS + MOST_LINES_OF_ROW).collect();
        let sample = &lines[..lines.len().min(SAMPLED_ROWS)];
        let is_quoted = is_quoted(sample, separator);
        let joins_lines = is_quoted && joins_lines(sample, separator);
        let mut splitter = Splitter::new(separator, is_quoted);
        let rows: Vec<Cow<'_, [u8]>> = match joins_lines {
            true => joined(&lines),
            false => sample.iter().copied().map(Cow::Borrowed).collect(),
        };
        let counts: Vec<usize> = rows.iter().map(|row| splitter.cells(row).len()).collect();
        let columns = usual(&counts)?;
        let header_at = header_at(&rows, &counts, columns, &mut splitter, stamps);
        let heading = match header_at {
            Some(at) => rows[..=at].iter().map(|row| row.to_vec()).collect(),
            None => Vec::new(),
        };
        let names = header_at.map_or_else(Vec::new, |at| names_of(&rows[at], &mut splitter));
        let body = header_at.map_or(0, |at| at + 1);
        let mut profiles = vec![Profile::default(); columns];
        let mut even_rows = 0;
        for (row, count) in rows.iter().zip(&counts).skip(body) {
            if *count != columns || heading.last().is_some_and(|header| **header == **row) {
                continue;
            }
            even_rows += 1;
            for (profile, cell) in profiles.iter_mut().zip(splitter.cells(row)) {
                profile.add(cell, stamps);
            }
        }
        let mut table = Self {
            separator,
            is_quoted,
            joins_lines,
            columns,
            heading,
            places: Places::default(),
            order: DateOrder::MonthFirst,
            url_is_only_text: false,
            names,
            profiles,
            rows: rows.len() - body,
            even_rows,
        };
        table.places = table.find_places();
        table.order = table.find_order();
        let mut others = (0..columns).filter(|column| Some(*column) != table.places.url);
        table.url_is_only_text = others.all(|column| table.profiles[column].is_typed());
        Some(table)
    }

    /// The column with this name, as it is in the header.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// How certain it is, in percent, that the input is a table whose columns are understood.
    pub(crate) fn certainty(&self) -> u8 {
        let is_known = self.places.has_named_target() && self.places.has_whose();
        // URLs with commas that nothing quotes make rows longer.
        let tenths = if is_known && !self.names.is_empty() {
            6
        } else {
            8
        };
        let is_even = self.even_rows * 10 >= self.rows * tenths;
        match (self.places.has_target(), self.names.is_empty()) {
            _ if !is_even => 0,
            (false, _) => 0,
            // A header alone.
            (true, false) if self.rows == 0 => {
                if is_known {
                    ALONE
                } else {
                    0
                }
            }
            (true, false) if is_known => NAMED,
            (true, false) => BY_CELLS,
            (true, true) if self.places.has_whose() => BY_CELLS,
            (true, true) => 0,
        }
    }

    fn find_places(&self) -> Places {
        let meanings: Vec<Meaning> = self.meanings();
        let named = |meaning: Meaning, form: fn(&Profile) -> usize| {
            let columns = (0..self.columns).filter(|column| meanings[*column] == meaning);
            columns
                .filter(|column| self.profiles[*column].allows(form(&self.profiles[*column])))
                .rev()
                .max_by_key(|column| form(&self.profiles[*column]))
        };
        let client = |profile: &Profile| {
            let is_number =
                profile.numbers > profile.addresses && profile.is_mostly(profile.numbers);
            if is_number {
                0
            } else {
                profile.addresses.max(profile.filled.div_ceil(4))
            }
        };
        let (time, clock) = self.find_time(&meanings);
        let mut places = Places {
            url: named(Meaning::Url, |profile| profile.urls.max(profile.hosts)),
            host: named(Meaning::Host, |profile| profile.hosts),
            address: named(Meaning::Address, |profile| profile.addresses),
            client: named(Meaning::Client, client),
            user: named(Meaning::User, |profile| profile.filled),
            time,
            clock,
            action: named(Meaning::Action, |profile| profile.actions)
                .filter(|column| self.profiles[*column].actions > 0),
            others: [None; OTHERS],
        };
        self.add_addresses(&meanings, &mut places);
        if !places.has_named_target() {
            self.add_others(&meanings, &mut places);
        }
        places
    }

    /// What each column holds by its name.
    fn meanings(&self) -> Vec<Meaning> {
        let names = self.names.iter().map(|name| meaning_of(name.as_bytes()));
        let unknown = std::iter::repeat(Meaning::Unknown);
        names.chain(unknown).take(self.columns).collect()
    }

    /// The columns of date and time: of those that are named so, or where none is, of all that
    /// are not named otherwise.
    fn find_time(&self, meanings: &[Meaning]) -> (Option<usize>, Option<usize>) {
        let find = |meaning: Meaning, form: fn(&Profile) -> usize| {
            let mut columns = (0..self.columns).filter(|column| meanings[*column] == meaning);
            columns.find(|column| self.profiles[*column].is_mostly(form(&self.profiles[*column])))
        };
        for meaning in [Meaning::Time, Meaning::Unknown] {
            let stamp = find(meaning, |profile| profile.stamps);
            let day = find(meaning, |profile| profile.days);
            let clock = find(meaning, |profile| profile.clocks);
            let epoch = (meaning == Meaning::Time).then(|| find(meaning, |profile| profile.epochs));
            match (stamp, day, clock, epoch.flatten()) {
                (Some(stamp), ..) => return (Some(stamp), None),
                (None, Some(day), Some(clock), _) => return (Some(day), Some(clock)),
                (None, _, _, Some(epoch)) => return (Some(epoch), None),
                _ => {}
            }
        }
        (None, None)
    }

    /// Columns of addresses whose name does not state an end: of the client if they are mostly
    /// private, or if others hold what was contacted.
    fn add_addresses(&self, meanings: &[Meaning], places: &mut Places) {
        let is_open = |column: &usize| {
            let profile = &self.profiles[*column];
            let is_open = matches!(meanings[*column], Meaning::AnyAddress | Meaning::Unknown);
            is_open && profile.is_mostly(profile.addresses)
        };
        let mut open: Vec<usize> = (0..self.columns).filter(is_open).collect();
        let is_private = |column: &usize| {
            let profile = &self.profiles[*column];
            profile.is_mostly(profile.private)
        };
        if places.client.is_none() {
            let has_other_target =
                places.has_named_target() || self.has_names(meanings) || open.len() > 1;
            let private = open.iter().position(is_private);
            let named = open
                .iter()
                .position(|column| meanings[*column] == Meaning::AnyAddress);
            let first = (open.len() > 1).then_some(0);
            let at = private.or(named.filter(|_| places.url.is_some())).or(first);
            if let Some(at) = at.filter(|_| has_other_target) {
                places.client = Some(open.remove(at));
            }
        }
        let is_wanted =
            |column: &&usize| meanings[**column] == Meaning::AnyAddress || self.names.is_empty();
        if places.address.is_none() && (self.names.is_empty() || !places.has_named_target()) {
            places.address = open.iter().find(is_wanted).copied();
        }
    }

    /// Whether a column without a known name holds URLs or host names.
    fn has_names(&self, meanings: &[Meaning]) -> bool {
        (0..self.columns).any(|column| {
            let profile = &self.profiles[column];
            meanings[column] == Meaning::Unknown
                && (profile.is_mostly(profile.urls) || profile.is_mostly(profile.names))
        })
    }

    /// Columns whose name means nothing and whose cells are URLs, or else names, or else
    /// addresses.
    fn add_others(&self, meanings: &[Meaning], places: &mut Places) {
        let forms: [fn(&Profile) -> usize; 3] = [
            |profile| profile.urls,
            |profile| profile.names,
            |profile| profile.addresses,
        ];
        for form in forms {
            let columns = (0..self.columns).filter(|column| {
                let profile = &self.profiles[*column];
                meanings[*column] == Meaning::Unknown
                    && Some(*column) != places.client
                    && profile.is_mostly(form(profile))
            });
            for (other, column) in places.others.iter_mut().zip(columns) {
                *other = Some(column);
            }
            if places.others[0].is_some() {
                return;
            }
        }
    }

    /// The order of day and month of the column with the date.
    fn find_order(&self) -> DateOrder {
        let profile = self.places.time.map(|column| self.profiles[column]);
        match profile {
            Some(profile) if profile.day_first > profile.month_first => DateOrder::DayFirst,
            Some(profile) if profile.month_first > 0 => DateOrder::MonthFirst,
            _ => match self.names.iter().any(|name| is_day_first_language(name)) {
                true => DateOrder::DayFirst,
                false => DateOrder::MonthFirst,
            },
        }
    }
}

/// A header of known columns, with rows that agree: above a list's certainty, below that of a
/// parser that knows the product.
const NAMED: u8 = 72;
/// Columns that are known by their cells alone.
const BY_CELLS: u8 = 61;
/// A header without rows.
const ALONE: u8 = 45;

/// Whether a name in the header is a word for a time in a language that writes the day first.
fn is_day_first_language(name: &str) -> bool {
    const WORDS: [&str; 7] = [
        "datum",
        "zeit",
        "uhrzeit",
        "horodatage",
        "heure",
        "fecha",
        "hora",
    ];
    let name = name.to_lowercase();
    name.split(|c: char| !c.is_alphanumeric())
        .any(|word| WORDS.contains(&word))
}

/// The count of columns that most rows have, from two on; of two the smaller.
fn usual(counts: &[usize]) -> Option<usize> {
    let often = |count: usize| counts.iter().filter(|other| **other == count).count();
    let usual = *counts
        .iter()
        .max_by_key(|count| (often(**count), std::cmp::Reverse(**count)))?;
    (usual > 1 && usual <= MOST_COLUMNS).then_some(usual)
}

/// The row that names the columns: the first with all columns, or with fewer of which two have
/// known names. None of its cells is a URL, an address, a number or a time.
fn header_at(
    rows: &[Cow<'_, [u8]>],
    counts: &[usize],
    columns: usize,
    splitter: &mut Splitter,
    stamps: Stamps,
) -> Option<usize> {
    let first = counts.iter().position(|count| *count == columns)?;
    let mut candidates = 0..=first.min(MOST_TITLE_LINES);
    candidates.find(|at| {
        let cells = splitter.cells(&rows[*at]);
        let is_known = |cell: &&&[u8]| meaning_of(cell) != Meaning::Unknown;
        let is_whole =
            *at == first || cells.len() < columns && cells.iter().filter(is_known).count() > 1;
        is_whole && has_no_value(&cells, stamps)
    })
}

fn has_no_value(cells: &[&[u8]], stamps: Stamps) -> bool {
    let mut profile = Profile::default();
    for cell in cells {
        profile.add(cell, stamps);
    }
    let values = [
        profile.urls,
        profile.addresses,
        profile.names,
        profile.stamps,
        profile.days,
        profile.clocks,
        profile.numbers,
    ];
    profile.filled > 0 && values == [0; 7]
}

/// The names in a header. A comment sign before the first does not belong to it.
fn names_of(header: &[u8], splitter: &mut Splitter) -> Vec<String> {
    let names = splitter.cells(header);
    let text = |name: &&[u8]| String::from_utf8_lossy(name).trim().to_owned();
    let mut names: Vec<String> = names.iter().map(text).collect();
    if let Some(first) = names.first_mut() {
        *first = first.trim_start_matches(['#', ' ', '"']).to_owned();
    }
    names
}

/// Whether quotes enclose cells: a line has a cell that a quote begins and ends. A tab separates
/// unquoted cells in most exports, so that there every line must have one.
fn is_quoted(lines: &[&[u8]], separator: u8) -> bool {
    let has_quotes = |line: &&[u8]| has_quoted_cell(line, separator);
    match separator {
        b'\t' => without_comments(lines).all(|line| has_quotes(&line)),
        _ => lines.iter().any(has_quotes),
    }
}

fn without_comments<'a>(lines: &[&'a [u8]]) -> impl Iterator<Item = &'a [u8]> {
    lines.iter().copied().filter(|line| !line.starts_with(b"#"))
}

/// Whether a line has a cell that begins and ends with a quote.
fn has_quoted_cell(line: &[u8], separator: u8) -> bool {
    let begins = |at: usize| at == 0 || line[at - 1] == separator;
    let ends = |at: usize| line.get(at + 1).is_none_or(|next| *next == separator);
    let first = memchr::memchr_iter(b'"', line).find(|at| begins(*at));
    first.is_some_and(|first| memchr::memchr_iter(b'"', line).any(|at| at > first && ends(at)))
}

/// Whether a row goes on in the next line: it has an odd number of quotes.
pub(crate) fn is_open(line: &[u8]) -> bool {
    memchr::memchr_iter(b'"', line).count() % 2 == 1
}

/// Whether quoted cells may have several lines: the program quotes without need, in the header or
/// in all rows, so that a quote in a client's text is doubled. Otherwise a single quote in a cell
/// could hide the rows after it.
fn joins_lines(lines: &[&[u8]], separator: u8) -> bool {
    let has_quotes = |line: &[u8]| has_quoted_cell(line, separator);
    without_comments(lines).next().is_some_and(has_quotes)
        || without_comments(lines).skip(1).all(has_quotes)
}

/// The first rows, each with all lines of its cells. A quote that is not closed is text.
fn joined<'a>(lines: &[&'a [u8]]) -> Vec<Cow<'a, [u8]>> {
    let mut rows = Vec::new();
    let mut at = 0;
    while at < lines.len() && rows.len() < SAMPLED_ROWS {
        let rest = &lines[at + 1..];
        let rest = &rest[..rest.len().min(MOST_LINES_OF_ROW)];
        let end = is_open(lines[at]).then(|| rest.iter().position(|line| is_open(line)));
        match end.flatten() {
            Some(last) => {
                rows.push(Cow::Owned(lines[at..=at + 1 + last].join(&b' ')));
                at += last + 2;
            }
            None => {
                rows.push(Cow::Borrowed(lines[at]));
                at += 1;
            }
        }
    }
    rows
}

/// Splits rows into all of their cells.
struct Splitter(Columns<MOST_COLUMNS>);

impl Splitter {
    fn new(separator: u8, is_quoted: bool) -> Self {
        let columns = Columns::at(separator, std::array::from_fn(Some));
        Self(match is_quoted {
            true => columns,
            false => columns.with_quotes_as_text(),
        })
    }

    fn cells<'a>(&mut self, row: &'a [u8]) -> Vec<&'a [u8]> {
        let (cells, count) = self.0.pick_counted(row);
        cells[..count.min(MOST_COLUMNS)].to_vec()
    }
}
