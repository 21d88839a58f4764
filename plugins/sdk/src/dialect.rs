//! Formats as tables of the fields and their roles.
//!
//! Most logs use one of a few grammars and differ only in the names of the
//! fields. A [`Dialect`] is the table entry of one product: it names the fields.
//! A splitter finds their values in a line, and a [`Reader`] turns the values
//! into a [`Contact`].
//!
//! A parser that reads a whole table of dialects implements [`Grammar`] and
//! exports [`DialectParser`]. Then a new product is one entry of the table.

mod table;

use crate::contact::{Contact, action_of, present};
use crate::parser::{Fit, Format, Line, Observations};
use crate::scan;
use crate::split::until;
use crate::time::{DateOrder, Stamps};

pub use table::{DialectParser, Grammar, OtherLine};

/// One format of a grammar. Entries end with `..Dialect::DEFAULT`.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The short name, as in the WIT's `format`.
    pub name: &'static str,
    /// The product and its log.
    pub title: &'static str,
    /// An example line.
    pub example: &'static str,
    /// Fields that every record of this format has and other formats lack. Of alternatives separated
    /// by bars one is enough: `"HTTPHost|SNI"`.
    pub marks: &'static [&'static str],
    /// The roles of the fields.
    pub roles: Roles,
    /// The order of day and month in dates that do not begin with the year.
    pub order: DateOrder,
    /// The confidence of detection, in percent, if nearly all lines have the
    /// marks.
    pub certainty: u8,
    /// Pushes the observations of a record. An entry sets it if the names of
    /// the fields alone do not describe the format.
    pub push: Push,
}

impl Dialect {
    /// The defaults of an entry.
    pub const DEFAULT: Self = Self {
        name: "",
        title: "",
        example: "",
        marks: &[],
        roles: Roles::NONE,
        order: DateOrder::MonthFirst,
        certainty: 80,
        push: |record, found| record.contact.push(found),
    };

    /// The entry of the parser's description.
    #[must_use]
    pub fn format(&self) -> Format {
        (self.name, self.title, self.example)
    }
}

/// The argument of [`Dialect::push`].
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The values of the fields, without escapes.
    pub contact: Contact<'a>,
    /// The whole line.
    pub line: &'a [u8],
    /// The part of the line that the grammar split into fields.
    pub body: &'a [u8],
    /// The reader of time stamps for this input.
    pub stamps: Stamps,
}

/// Pushes the observations of one record.
pub type Push = fn(Record<'_>, &mut Observations<'_>) -> Line;

/// A [`Push`] for records of connections: the address is observed in addition to the name.
pub fn push_with_address(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    record.contact.push_with_address(found)
}

/// The names of the fields for each role. The first field with a value is used.
#[derive(Debug, Clone, Copy)]
pub struct Roles {
    /// A URL, absolute or not.
    pub url: &'static [&'static str],
    /// `GET http://www.example.com/ HTTP/1.1`.
    pub request: &'static [&'static str],
    /// The scheme of the URL.
    pub scheme: &'static [&'static str],
    /// The contacted host.
    pub host: &'static [&'static str],
    /// The queried name, which may have a single label.
    pub name: &'static [&'static str],
    /// The port of the URL.
    pub port: &'static [&'static str],
    /// The path of the URL.
    pub path: &'static [&'static str],
    /// The query of the URL, if the path does not contain it.
    pub query: &'static [&'static str],
    /// The contacted address.
    pub address: &'static [&'static str],
    /// The client.
    pub client: &'static [&'static str],
    /// The user.
    pub user: &'static [&'static str],
    /// The date and time.
    pub stamp: &'static [&'static str],
    /// The date alone.
    pub date: &'static [&'static str],
    /// The time of day alone.
    pub clock: &'static [&'static str],
    /// The zone of either.
    pub zone: &'static [&'static str],
    /// The action of the device.
    pub action: &'static [&'static str],
}

impl Roles {
    /// No field has a role.
    pub const NONE: Self = Self {
        url: &[],
        request: &[],
        scheme: &[],
        host: &[],
        name: &[],
        port: &[],
        path: &[],
        query: &[],
        address: &[],
        client: &[],
        user: &[],
        stamp: &[],
        date: &[],
        clock: &[],
        zone: &[],
        action: &[],
    };

    fn each(&self) -> [&'static [&'static str]; ROLES] {
        [
            self.url,
            self.request,
            self.scheme,
            self.host,
            self.name,
            self.port,
            self.path,
            self.query,
            self.address,
            self.client,
            self.user,
            self.stamp,
            self.date,
            self.clock,
            self.zone,
            self.action,
        ]
    }
}

/// The number of roles.
const ROLES: usize = 16;

/// The maximum number of fields of a dialect.
pub const FIELDS: usize = 40;

/// Interprets the records of one dialect.
#[derive(Debug)]
pub struct Reader {
    dialect: &'static Dialect,
    stamps: Stamps,
    names: [&'static str; FIELDS],
    /// Roles, each with the place of one of its fields in `names`, in the order
    /// in which they count.
    places: Vec<(u8, u8)>,
    /// For each mark the places of the fields of which one is enough.
    marks: Vec<Vec<usize>>,
}

impl Reader {
    /// A reader of this dialect, which names fewer fields than [`FIELDS`].
    #[must_use]
    pub fn new(dialect: &'static Dialect, stamps: Stamps) -> Self {
        let mut names = [""; FIELDS];
        let mut used = 0;
        let mut place_of = |name: &'static str| {
            let known = names[..used].iter().position(|known| *known == name);
            let place = known.unwrap_or(used).min(FIELDS - 1);
            names[place] = name;
            used = used.max(place + 1);
            place
        };
        let mut places = Vec::new();
        for (role, fields) in (0..).zip(dialect.roles.each()) {
            places.extend(fields.iter().map(|name| (role, place_of(name) as u8)));
        }
        let one_of = |mark: &&'static str| mark.split('|').map(&mut place_of).collect();
        let marks = dialect.marks.iter().map(one_of).collect();
        Self {
            dialect,
            stamps,
            names,
            places,
            marks,
        }
    }

    /// The fields to split off, in the order in which [`Reader::contact`] takes
    /// their values; each is named once.
    #[must_use]
    pub fn names(&self) -> [&'static str; FIELDS] {
        self.names
    }

    /// The dialect.
    #[must_use]
    pub fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// Whether a record has all marks of the dialect.
    #[must_use]
    pub fn fits(&self, values: &[&[u8]; FIELDS]) -> bool {
        let is_there = |place: &usize| !values[*place].is_empty();
        self.marks.iter().all(|mark| mark.iter().any(is_there))
    }

    /// The contact of a record. `sent_us` is the time of the envelope, for records without a time.
    #[must_use]
    pub fn contact<'a>(&self, values: &[&'a [u8]; FIELDS], sent_us: Option<i64>) -> Contact<'a> {
        let mut said: [&[u8]; ROLES] = [b""; ROLES];
        for (role, place) in &self.places {
            let (said, value) = (&mut said[usize::from(*role)], values[usize::from(*place)]);
            if said.is_empty() && !value.is_empty() {
                *said = present(value);
            }
        }
        let [
            url,
            request,
            scheme,
            host,
            name,
            port,
            path,
            query,
            address,
            client,
            user,
            stamp,
            date,
            clock,
            zone,
            action,
        ] = said;
        let order = self.dialect.order;
        let own_us = match (stamp, zone) {
            (b"", _) => self.stamps.of_fields(date, clock, zone, order),
            (_, b"") => self.stamps.any(stamp, order),
            _ => self
                .stamps
                .of_fields(stamp, zone, b"", order)
                .or_else(|| self.stamps.any(stamp, order)),
        };
        Contact {
            url: if url.is_empty() {
                target_of(request)
            } else {
                url
            },
            scheme,
            host,
            name,
            port,
            path,
            query,
            address,
            client,
            user,
            time_us: own_us.or(sent_us),
            action: action_of(action),
        }
    }
}

/// Whether values were found that have a dialect's marks.
#[must_use]
pub fn fit_of(reader: &Reader, values: Option<[&[u8]; FIELDS]>) -> Fit {
    Fit::from(values.is_some_and(|values| reader.fits(&values)))
}

/// The URL of a request's first line.
#[must_use]
pub fn target_of(request: &[u8]) -> &[u8] {
    match scan::find(request, b' ') {
        Some(blank) => until(&request[blank + 1..], b" "),
        None => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static DIALECT: Dialect = Dialect {
        name: "test",
        title: "Test",
        example: "",
        marks: &["kind"],
        roles: Roles {
            request: &["request"],
            host: &["name", "other"],
            client: &["src"],
            date: &["date"],
            clock: &["time"],
            action: &["act"],
            ..Roles::NONE
        },
        ..Dialect::DEFAULT
    };

    fn values(fields: &[(&str, &'static str)]) -> (Reader, [&'static [u8]; FIELDS]) {
        let stamps = Stamps::of(&crate::testing::input(b""));
        let reader = Reader::new(&DIALECT, stamps);
        let values = reader.names().map(|name| {
            let known = fields
                .iter()
                .find(|(key, _)| *key == name && !name.is_empty());
            known.map_or(&b""[..], |(_, value)| value.as_bytes())
        });
        (reader, values)
    }

    #[test]
    fn fields_become_a_contact() {
        let (reader, found) = values(&[
            ("kind", "x"),
            ("request", "GET /a HTTP/1.1"),
            ("name", "-"),
            ("other", "www.example.com"),
            ("src", "10.0.0.5"),
            ("date", "1970-01-01"),
            ("time", "00:00:01"),
            ("act", "deny"),
        ]);
        assert!(reader.fits(&found));
        let contact = reader.contact(&found, None);
        assert_eq!(
            (contact.url, contact.host),
            (&b"/a"[..], &b"www.example.com"[..])
        );
        assert_eq!(
            (contact.client, contact.time_us),
            (&b"10.0.0.5"[..], Some(1_000_000))
        );
        assert_eq!(contact.action, crate::parser::Action::Blocked);
    }

    #[test]
    fn the_envelope_lends_its_time() {
        let (reader, found) = values(&[("name", "www.example.com")]);
        assert!(!reader.fits(&found));
        assert_eq!(reader.contact(&found, Some(7)).time_us, Some(7));
    }
}
