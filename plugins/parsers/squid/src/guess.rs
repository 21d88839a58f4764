//! The layout of a log whose `logformat` is not known, from its rows.
//!
//! A row has Squid's result as a value (`TCP_MISS`, `TCP_MISS/200`) and what was
//! asked for. Rows of one log have as many values, but for those with a separator in
//! one; what most values of a column look like is what the column is.
//!
//! ```text
//! row       1795914340,10.0.0.5,alice,GET,http://www.example.com/,200,TCP_MISS
//! shapes    Time       Address  Word  Method Target             Number Result
//! layout    Time     , Client , User, Method, Url             , Status, Result
//! ```

use vthost_plugin::contact::{plausible_address, split_scheme};
use vthost_plugin::scan;
use vthost_plugin::time::DateOrder;

use crate::layout::{Layout, Role, Zones, is_number, is_result};
use crate::native::is_hierarchy;
use crate::tokens::{STYLES, Style, Token, Tokens};

/// The layout of most of some rows.
pub(crate) fn layout_of(rows: &[&[u8]], zones: Zones) -> Option<Layout> {
    let samples = STYLES.iter().map(|style| samples(rows, *style));
    let samples = samples.max_by_key(Vec::len)?;
    let first = samples.first()?;
    let table = Table {
        shapes: (0..first.values.len())
            .map(|column| shape_of_column(&samples, column, zones))
            .collect(),
        samples: &samples,
    };
    table.layout()
}

/// The rows that have a result as a value and as many values as most of them.
fn samples<'a>(rows: &[&'a [u8]], style: Style) -> Vec<Tokens<'a>> {
    let read = rows.iter().filter_map(|row| Tokens::of(row, style));
    let mut rows: Vec<Tokens<'a>> = read.filter(has_result).collect();
    let usual = most_frequent(rows.iter().map(|row| row.values.len()));
    rows.retain(|row| Some(row.values.len()) == usual);
    rows
}

/// Rows of the common log format are those of the parser `combined`: the request is
/// one value, or several words if a quote inside ends it too early. Rows whose keys are
/// fields of the extended log file format (`s-action=TCP_HIT`) are those of ProxySG,
/// which the parser `keyvalue` reads.
fn has_result(row: &Tokens<'_>) -> bool {
    let mut texts = row.values.iter().map(|value| value.text);
    // The common log format has no seconds since 1970.
    let has_epoch = texts.clone().any(is_epoch);
    let is_common = |text: &[u8]| is_request(text) && !has_epoch || text.starts_with(b"\"");
    let is_extended = |value: &Token<'_>| {
        result_shape(value.text).is_some() && value.before.ends_with(b"s-action=")
    };
    // Bars with blanks around them separate the values, and are none.
    let is_bar = |text: &[u8]| text == b"|";
    texts.clone().any(|text| result_shape(text).is_some())
        && !texts.any(|text| is_common(text) || is_bar(text))
        && !row.values.iter().any(is_extended)
}

fn most_frequent(values: impl Iterator<Item = usize> + Clone) -> Option<usize> {
    let count = |wanted: usize| values.clone().filter(|value| *value == wanted).count();
    values.clone().max_by_key(|value| count(*value))
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `-`, or nothing.
    Absent,
    Time,
    /// A time of CLF without its zone: Squid's `%tg`, which is in UTC.
    TimeUtc,
    Result,
    /// `TCP_MISS/200`.
    ResultStatus,
    /// `TCP_MISS:HIER_DIRECT`.
    ResultHierarchy,
    Hierarchy,
    Number,
    Address,
    /// `10.0.0.5:51000`.
    AddressPort,
    Method,
    /// `GET http://www.example.com/ HTTP/1.1`.
    Request,
    Target,
    /// `%ssl::bump_mode`.
    BumpMode,
    Word,
    /// Nothing that could be a user: a media type, a version, an agent.
    Other,
}

fn shape_of(text: &[u8], zones: Zones) -> Shape {
    let text = text.trim_ascii();
    if matches!(text, b"" | b"-") {
        return Shape::Absent;
    }
    if let Some(shape) = result_shape(text) {
        return shape;
    }
    let is_of = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_uppercase);
    match () {
        () if is_time(text, zones) && text.contains(&b'/') && !text.contains(&b' ') => {
            Shape::TimeUtc
        }
        () if is_time(text, zones) => Shape::Time,
        () if is_number(text) => Shape::Number,
        () if text.starts_with(b"HTTP/") => Shape::Other,
        () if text.starts_with(b"HIER_") || is_hierarchy(text) => Shape::Hierarchy,
        () if plausible_address(text) == Some(text) && !has_port(text) => Shape::Address,
        () if is_address_with_port(text) => Shape::AddressPort,
        () if is_request(text) => Shape::Request,
        () if is_target(text) => Shape::Target,
        () if matches!(text.len(), 3..=16) && is_of(text) => Shape::Method,
        () if is_decision_tag(text) => Shape::Other,
        () if is_full_name(text) => Shape::Word,
        () if scan::find_any(text, b"/ ").is_some() => Shape::Other,
        () => Shape::Word,
    }
}

/// The decision tag of Cisco's Secure Web Appliance, `BLOCK_WEBCAT_12`
/// (AsyncOS user guide, "ACL Decision Tags").
fn is_decision_tag(text: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 9] = [
        b"ALLOW_",
        b"AMW_",
        b"BLOCK_",
        b"DECRYPT_",
        b"DEFAULT_CASE",
        b"DROP_",
        b"MONITOR_",
        b"PASSTHRU_",
        b"REDIRECT_",
    ];
    BEGINNINGS
        .iter()
        .any(|beginning| text.starts_with(beginning))
}

/// Words of letters: a user may be written as `Jane Doe`.
fn is_full_name(text: &[u8]) -> bool {
    let is_part_of_name = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'\'');
    text.iter().all(is_part_of_name)
}

fn result_shape(text: &[u8]) -> Option<Shape> {
    let end = scan::find_any(text, b"/:").unwrap_or(text.len());
    let rest = &text[end..];
    if !is_result(&text[..end]) {
        return None;
    }
    match rest {
        [] => Some(Shape::Result),
        [b'/', status @ ..] if status.len() <= 3 && is_number(status) => Some(Shape::ResultStatus),
        [b':', hierarchy @ ..] if hierarchy.starts_with(b"HIER_") => Some(Shape::ResultHierarchy),
        _ => None,
    }
}

/// What Squid does with a TLS connection: <https://www.squid-cache.org/Doc/config/ssl_bump/>.
fn is_bump_mode(text: &[u8]) -> bool {
    const MODES: [&[u8]; 9] = [
        b"none",
        b"peek",
        b"stare",
        b"splice",
        b"bump",
        b"terminate",
        b"client-first",
        b"server-first",
        b"err",
    ];
    MODES.contains(&text)
}

/// Seconds since 1970 of this century.
fn is_epoch(text: &[u8]) -> bool {
    let digits = scan::find_other(text, [b'0'..=b'9']).unwrap_or(text.len());
    digits == 10 && matches!(text.get(10), None | Some(b'.'))
}

/// A date with a time, or seconds since 1970 of this century.
fn is_time(text: &[u8], zones: Zones) -> bool {
    let digits = scan::find_other(text, [b'0'..=b'9']).unwrap_or(text.len());
    let is_date = digits < 5 && text.len() >= 15 && text.contains(&b':');
    (is_epoch(text) || is_date) && zones.own().any(text, DateOrder::MonthFirst).is_some()
}

/// A last group of five digits is no part of an IPv6 address.
fn has_port(text: &[u8]) -> bool {
    let last = text.rsplit(|byte| *byte == b':').next().unwrap_or(text);
    last.len() == 5 && scan::is_digits(last) && last.len() < text.len()
}

fn is_address_with_port(text: &[u8]) -> bool {
    let Some(colon) = text.iter().rposition(|byte| *byte == b':') else {
        return false;
    };
    scan::is_digits(&text[colon + 1..]) && plausible_address(&text[..colon]) == Some(&text[..colon])
}

fn is_request(text: &[u8]) -> bool {
    let mut words = text.split(|byte| *byte == b' ');
    let (_, target) = (words.next(), words.next());
    let version = words.next_back().unwrap_or_default();
    target.is_some_and(|target| is_target(target) || target == b"-")
        && (version.starts_with(b"HTTP/") || version.starts_with(b"NONE/"))
}

/// An absolute URL, `host:port`, or the reason why there is none.
fn is_target(text: &[u8]) -> bool {
    let host_and_port = || {
        let colon = text.iter().rposition(|byte| *byte == b':')?;
        let is_port = scan::is_digits(&text[colon + 1..]);
        (colon > 0 && is_port && scan::find_any(text, b" /").is_none()).then_some(())
    };
    split_scheme(text).is_some() || text.starts_with(b"error:") || host_and_port().is_some()
}

/// Columns as some rows have them.
struct Table<'s, 'a> {
    samples: &'s [Tokens<'a>],
    shapes: Vec<Shape>,
}

/// What four fifths of a column's values look like, of those that are present. A user may be
/// called like a bump mode, but not all users are.
fn shape_of_column(samples: &[Tokens<'_>], column: usize, zones: Zones) -> Shape {
    let texts = samples.iter().map(|row| row.values[column].text);
    let mut present = texts.filter(|text| *text != b"-").peekable();
    if present.peek().is_some() && present.all(is_bump_mode) {
        return Shape::BumpMode;
    }
    let shapes = samples
        .iter()
        .map(|row| shape_of(row.values[column].text, zones));
    let present: Vec<Shape> = shapes.filter(|shape| *shape != Shape::Absent).collect();
    let count = |wanted: Shape| present.iter().filter(|shape| **shape == wanted).count();
    match present.iter().max_by_key(|shape| count(**shape)) {
        None => Shape::Absent,
        Some(shape) if count(*shape) * 5 >= present.len() * 4 => *shape,
        // Tunnels to addresses among other targets; clients some of which have names.
        Some(_) if count(Shape::Target) > 0 => Shape::Target,
        Some(_) if count(Shape::Address) > 0 => Shape::Address,
        Some(_) if count(Shape::Other) > 0 => Shape::Other,
        Some(_) => Shape::Word,
    }
}

impl Table<'_, '_> {
    fn layout(&self) -> Option<Layout> {
        let target = self.target()?;
        let client = self.client(target);
        let user = self.user(target, client);
        let status = self.status();
        let mut layout = Layout::default();
        for (column, shape) in self.shapes.iter().enumerate() {
            let before = self.before(column)?;
            let role = match shape {
                _ if column == target => Role::Url,
                _ if client == Some(column) => Role::Client,
                _ if user == Some(column) => Role::User,
                _ if status == Some(column) => Role::Status,
                Shape::Word if self.is_server_name(column, target) => Role::Sni,
                Shape::Time => Role::Time,
                Shape::TimeUtc => Role::TimeUtc,
                Shape::Result | Shape::ResultStatus | Shape::ResultHierarchy => Role::Result,
                Shape::Hierarchy => Role::Hierarchy,
                Shape::Method => Role::Method,
                Shape::BumpMode => Role::BumpMode,
                Shape::Number => Role::Number,
                _ => Role::Other,
            };
            push(&mut layout, &before, role, *shape);
        }
        layout.set_end(&joined(self.samples[0].end));
        Some(layout)
    }

    /// The text before a column, if the rows agree on it.
    fn before(&self, column: usize) -> Option<Vec<u8>> {
        let text = |row: &Tokens<'_>| joined(row.values[column].before);
        let first = text(self.samples.first()?);
        let same = self.samples.iter().filter(|row| text(row) == first).count();
        (same * 5 >= self.samples.len() * 4).then_some(first)
    }

    fn position(&self, wanted: &[Shape]) -> Option<usize> {
        self.shapes.iter().position(|shape| wanted.contains(shape))
    }

    /// The column of what was asked for: the one after the method, else the first
    /// that is no referrer.
    fn target(&self) -> Option<usize> {
        let is_target = |column: &usize| {
            matches!(self.shapes[*column], Shape::Target | Shape::Request)
                || self.follows_method(*column)
                    && matches!(self.shapes[*column], Shape::AddressPort | Shape::Address)
        };
        let columns = || (0..self.shapes.len()).filter(is_target);
        let after_method = columns().find(|column| self.follows_method(*column));
        after_method.or_else(|| columns().find(|column| !self.is_named(*column, &["refer"])))
    }

    fn follows_method(&self, column: usize) -> bool {
        column > 0 && self.shapes[column - 1] == Shape::Method
    }

    /// The first column of addresses, else the first of words after the time: by
    /// name.
    fn client(&self, target: usize) -> Option<usize> {
        let fits = |column: &usize| {
            *column != target && matches!(self.shapes[*column], Shape::Address | Shape::AddressPort)
        };
        let by_name = || {
            let time = self.position(&[Shape::Time, Shape::TimeUtc])?;
            let mut columns = time + 1..self.shapes.len().min(time + 4);
            columns.find(|column| self.shapes[*column] == Shape::Word)
        };
        (0..self.shapes.len()).find(fits).or_else(by_name)
    }

    /// The column of the user: right before the hierarchy, else the first of words
    /// after the client, else the first of words.
    fn user(&self, target: usize, client: Option<usize>) -> Option<usize> {
        const OTHER_NAMES: [&str; 7] = ["agent", "refer", "type", "method", "sni", "host", "ident"];
        let can_be = |column: &usize, shape: Shape| {
            self.shapes[*column] == shape
                && Some(*column) != client
                && !self.is_named(*column, &OTHER_NAMES)
                && !self.is_server_name(*column, target)
        };
        let hierarchy = self.position(&[Shape::Hierarchy]).unwrap_or(0);
        let before_hierarchy = hierarchy.checked_sub(1).filter(|column| *column > target);
        let after_client = client.map_or(0, |client| client + 1)..self.shapes.len();
        let find = |shape: Shape| {
            let beside = before_hierarchy.filter(|column| can_be(column, shape));
            beside.or_else(|| after_client.clone().find(|column| can_be(column, shape)))
        };
        let before_client = client.and_then(|client| client.checked_sub(1));
        find(Shape::Word)
            .or_else(|| before_client.filter(|column| can_be(column, Shape::Word)))
            .or_else(|| find(Shape::Absent))
    }

    /// The column of three digits that is nearest to the result; of two in a row the
    /// first, because the second is a size.
    fn status(&self) -> Option<usize> {
        let result = self.position(&[Shape::Result, Shape::ResultHierarchy])?;
        let is_status = |column: &usize| {
            self.shapes[*column] == Shape::Number
                && self
                    .texts(*column)
                    .all(|text| text.len() == 3 || matches!(text, b"0" | b"-"))
        };
        let columns = (0..self.shapes.len()).filter(is_status);
        let nearest = columns.min_by_key(|column| column.abs_diff(result))?;
        let before = nearest.checked_sub(1).filter(is_status);
        Some(before.unwrap_or(nearest))
    }

    fn texts(&self, column: usize) -> impl Iterator<Item = &[u8]> {
        self.samples.iter().map(move |row| row.values[column].text)
    }

    /// Whether the key of a column has one of these words in it.
    fn is_named(&self, column: usize, words: &[&str]) -> bool {
        let key = self.samples[0].values[column].before.to_ascii_lowercase();
        let key = String::from_utf8_lossy(&key);
        words.iter().any(|word| key.contains(word))
    }

    /// Whether a column is the server name of TLS: it repeats the host of the target in
    /// some row, all its values are names beside tunnels to addresses, or its key names it.
    fn is_server_name(&self, column: usize, target: usize) -> bool {
        self.is_name_of_target(column, target)
            || self.names_addresses(column, target)
            || self.is_named(column, &["sni"])
    }

    fn names_addresses(&self, column: usize, target: usize) -> bool {
        let present = |row: &&Tokens<'_>| !matches!(row.values[column].text, b"" | b"-");
        let mut rows = self.samples.iter().filter(present).peekable();
        // Right before the hierarchy is the user, whose name may have dots.
        let is_user = self.shapes.get(column + 1) == Some(&Shape::Hierarchy);
        column > target
            && !is_user
            && rows.peek().is_some()
            && rows.all(|row| {
                let name = row.values[column].text;
                is_host_name(name) && is_address_with_port(row.values[target].text)
            })
    }

    /// Whether a column repeats the host of the target in some row.
    fn is_name_of_target(&self, column: usize, target: usize) -> bool {
        self.samples.iter().any(|row| {
            let (name, target) = (row.values[column].text, row.values[target].text);
            let host = split_scheme(target).map_or(target, |(_, rest)| rest);
            name.contains(&b'.')
                && host
                    .strip_prefix(name)
                    .is_some_and(|rest| matches!(rest.first(), None | Some(b':' | b'/')))
        })
    }
}

/// `www.example.com`: words between dots, the last of letters.
fn is_host_name(text: &[u8]) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let last = text.rsplit(|byte| *byte == b'.').next().unwrap_or(text);
    let is_top = last.len() > 1 && last.iter().all(u8::is_ascii_alphabetic);
    is_top && last.len() < text.len() && text.iter().all(is_of_name)
}

/// Adds a column: values that are two in one become two columns.
fn push(layout: &mut Layout, before: &[u8], role: Role, shape: Shape) {
    match (shape, role) {
        (Shape::Request, Role::Url) => {
            layout.push(before, Role::Method);
            layout.push(b" ", Role::Url);
            layout.push(b" ", Role::Other);
        }
        (Shape::ResultStatus, _) => {
            layout.push(before, Role::Result);
            layout.push(b"/", Role::Status);
        }
        (Shape::ResultHierarchy, _) => {
            layout.push(before, Role::Result);
            layout.push(b":", Role::Hierarchy);
        }
        (Shape::AddressPort, Role::Client) => {
            layout.push(before, Role::Client);
            layout.push(b":", Role::ClientPort);
        }
        _ => layout.push(before, role),
    }
}

/// A text with runs of blanks as one blank, as in a template.
fn joined(text: &[u8]) -> Vec<u8> {
    let mut joined = text.to_vec();
    joined.dedup_by(|next, last| *next == b' ' && *last == b' ');
    joined
}
