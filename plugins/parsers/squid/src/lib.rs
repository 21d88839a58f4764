//! Squid's `access.log`: the native format and those of a `logformat` line, known
//! or recognised by what the columns look like; the other logs that Squid writes;
//! and what other programs write in Squid's columns (Traffic Server, e2guardian,
//! Cisco's Secure Web Appliance).
//!
//! A row is read in up to four ways, the usual one first:
//!
//! 1. [`native::read`]: nine columns between blanks. Nearly all rows of nearly all
//!    logs; the rest of the crate may be slow.
//! 2. The log's [`layout`], from the settings or from the rows of the head.
//! 3. [`native::read_with_blanks`]: a user or a URL with blanks.
//! 4. The layout that this one row looks like.

mod guess;
mod layout;
mod logformat;
mod monitor;
mod native;
mod others;
mod row;
mod tokens;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use vthost_plugin::parser::{Description, Fit, Input, Line, LineParser, Observations};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::{split, time};

use layout::{Found, Layout, Zones};
use others::Other;
use row::Row;

struct Squid {
    utc_offset_minutes: i16,
    zones: Zones,
    layout: Option<Layout>,
    /// When the layout is tried.
    order: Order,
}

vthost_plugin::export_parser!(Squid);

/// See `settings.json`.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    logformat: Option<String>,
}

/// Rows of the head that a layout is recognised by.
const SAMPLE_ROWS: usize = 100;

impl LineParser for Squid {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            name: "squid",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Squid's access.log: native, or of any logformat",
            formats: vec![
                (
                    "squid",
                    "Squid access.log (native); Traffic Server, e2guardian and Cisco SWA in the same columns",
                    "1714564800.123    161 10.0.0.5 TCP_MISS/200 4310 GET http://www.example.com/ - HIER_DIRECT/192.0.2.10 text/html",
                ),
                (
                    "squid-logformat",
                    "Squid access.log by a logformat of one's own: any order and separator, key=value, JSON",
                    "29/Nov/2026:01:05:40 +0000,10.0.0.5,jane,GET,http://www.example.com/a,200,TCP_MISS,text/html",
                ),
                (
                    "squid-referrer",
                    "Squid referrer log: only the last URL was contacted",
                    "1714564800.123 10.0.0.5 http://www.example.org/page http://www.example.com/a",
                ),
            ],
            settings_schema: include_str!("settings.json"),
        }
    }

    fn detect(input: &Input) -> u8 {
        let Ok(parser) = Self::open(input, Settings::default()) else {
            return 0;
        };
        // A product that writes JSON is known better by the names of its keys.
        let is_json = |line: &[u8]| line.first() == Some(&b'{');
        let most = if input.lines().any(is_json) { 80 } else { 95 };
        input.confidence(most, |line| match line {
            b"" => Fit::Neutral,
            _ => Fit::from(parser.is_known(line)),
        })
    }

    fn open(input: &Input, settings: Settings) -> Result<Self, String> {
        let zones = Zones::of(input);
        if let Some(line) = &settings.logformat {
            return Ok(Self {
                utc_offset_minutes: input.utc_offset_minutes,
                zones,
                layout: Some(logformat::compile(line)?),
                order: Order::LayoutFirst,
            });
        }
        let lines = input.lines().filter(|line| !line.is_empty());
        let rows = lines.take(SAMPLE_ROWS).map(|line| message_of(line, zones));
        let rows: Vec<&[u8]> = rows.collect();
        let layout = guess::layout_of(&rows, zones);
        let native = rows.iter().filter(|row| native::read(row, 0).is_ok());
        let order = match () {
            () if layout.as_ref().is_some_and(Layout::has_client_port) => Order::LayoutFirst,
            () if layout.as_ref().is_some_and(Layout::has_quoted_url) => Order::LayoutFirst,
            () if layout.as_ref().is_some_and(Layout::has_tls) => Order::LayoutFirst,
            () if rows.len() < 3 || native.count() * 2 >= rows.len() => Order::NativeWithBlanks,
            () => Order::Native,
        };
        Ok(Self {
            utc_offset_minutes: input.utc_offset_minutes,
            zones,
            layout,
            order,
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if self.order != Order::LayoutFirst
            && let Ok(row) = native::read(line, self.utc_offset_minutes)
        {
            return row.push(found);
        }
        self.unusual(line, found)
    }
}

impl Squid {
    fn is_known(&self, line: &[u8]) -> bool {
        native::read(line, 0).is_ok()
            || self.row(line).is_ok()
            || Other::of(line).is_some()
            || monitor::is_message(line)
    }

    #[cold]
    fn unusual(&self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        if let Some((cut, next)) = others::cut_records(line)
            && let Some(row) = native::read_cut(cut, self.utc_offset_minutes)
        {
            return self.cut(&row, next, found);
        }
        let reason = match self.row(line) {
            Ok(read) => return read.row().push(found),
            Err(reason) => reason,
        };
        if let Some(other) = Other::of(message_of(line, self.zones)) {
            return other.push(found);
        }
        match monitor::is_message(line) {
            true => monitor::push(line, self.zones.own(), found),
            false => Line::Rejected(reason),
        }
    }

    /// A record that was cut, and the one that follows in the same line.
    fn cut(&self, row: &Row<'_>, next: &[u8], found: &mut Observations<'_>) -> Line {
        let said = others::push_cut(row, found);
        match self.row(next) {
            Ok(read) => read.row().push(found),
            Err(_) => said,
        }
    }

    /// Reads a row in any of the ways of the crate, wherever in the line it begins.
    fn row<'a>(&self, line: &'a [u8]) -> Result<Read<'a>, &'static str> {
        let message = message_of(line, self.zones);
        let rows = [Some(line), Some(message), after_prefix(line)];
        let rows = || rows.into_iter().flatten();
        let native = |row| native::read(row, self.utc_offset_minutes).ok();
        let sent_us = || Syslog::time_of(line, self.zones.own());
        // Without any time it is no log's row.
        let of_layout = |layout: &Layout, row| {
            let mut found = layout.read(row, self.zones)?;
            found.time_us = Some(found.time_us.or_else(sent_us)?);
            Some(found)
        };
        let layout = || rows().find_map(|row| of_layout(self.layout.as_ref()?, row));
        let native = || rows().find_map(native).map(Read::Native);
        let layout = || layout().map(Read::OfLayout);
        let mut reason = native::TOO_FEW;
        let with_blanks = |row| match native::read_with_blanks(row, self.utc_offset_minutes) {
            Ok(row) => Some(Read::Native(row)),
            Err(said) => {
                reason = said;
                None
            }
        };
        let with_blanks = || rows().find_map(with_blanks);
        let read = match self.order {
            Order::LayoutFirst => layout().or_else(native).or_else(with_blanks),
            Order::Native => native().or_else(layout).or_else(with_blanks),
            Order::NativeWithBlanks => native().or_else(with_blanks).or_else(layout),
        };
        if let Some(read) = read {
            return Ok(read);
        }
        let alone = rows()
            .rev()
            .find_map(|row| of_layout(&guess::layout_of(&[row], self.zones)?, row));
        alone.map(Read::OfLayout).ok_or(reason)
    }
}

/// In which order a row is tried as native, as native with blanks in the user or in
/// the URL, and as a row of the layout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The layout is from the settings, its client has a port, its URL is quoted, or it
    /// has a column for the server name of TLS or for the bump mode.
    LayoutFirst,
    /// Most rows of the head are not native.
    Native,
    /// Most rows of the head are native, or there are too few to know.
    NativeWithBlanks,
}

/// A row, in whichever way it was read.
enum Read<'a> {
    Native(Row<'a>),
    OfLayout(Found<'a>),
}

impl Read<'_> {
    fn row(&self) -> Row<'_> {
        match self {
            Self::Native(row) => Row { ..*row },
            Self::OfLayout(found) => found.row(),
        }
    }
}

/// The line without a header of syslog. An ISO time in front is a column of the row
/// unless a program follows.
fn message_of(line: &[u8], zones: Zones) -> &[u8] {
    let syslog = Syslog::of(line, zones.own());
    let is_header = line.starts_with(b"<")
        || line.first().is_some_and(u8::is_ascii_uppercase)
        || !syslog.program.is_empty();
    let message = if is_header { syslog.message } else { line };
    // The structured data of RFC 5424 before a JSON object.
    match split::split_once(message, b"] {") {
        Some((data, object)) if data.starts_with(b"[") => {
            &message[message.len() - object.len() - 1..]
        }
        _ => message,
    }
}

/// The line from the first `1714564800.123` on that is not its first word: what a
/// collector puts before rows.
fn after_prefix(line: &[u8]) -> Option<&[u8]> {
    const MAX_WORDS: usize = 10;
    let words = split::blanks(line).skip(1).take(MAX_WORDS);
    let is_epoch =
        |word: &&[u8]| word.len() == 14 && word[10] == b'.' && time::epoch(word).is_some();
    let start = words.into_iter().find(is_epoch)?;
    Some(&line[start.as_ptr() as usize - line.as_ptr() as usize..])
}
