//! Formats as tables: which field of a record means what.
//!
//! Most logs are one of a few grammars with other names for the same things. A
//! [`Dialect`] names the fields, a splitter finds them, and [`Reader`] makes a
//! [`Contact`] of their values.

use crate::contact::{Contact, action_of, present};
use crate::parser::{Fit, Input};
use crate::scan;
use crate::split::until;
use crate::time::{DateOrder, Stamps};

/// One format of a grammar.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Its short name, as in the WIT's `format`.
    pub name: &'static str,
    /// The product and its log.
    pub title: &'static str,
    /// One line of it.
    pub example: &'static str,
    /// Fields that tell this format from others: its records have all of them.
    /// Of names with bars between them one is enough: `"HTTPHost|SNI"`.
    pub marks: &'static [&'static str],
    /// Which field means what.
    pub roles: Roles,
    /// How it writes dates that begin with no year.
    pub order: DateOrder,
}

/// The names of the fields for each meaning; of several the first that says
/// something counts.
#[derive(Debug, Clone, Copy)]
pub struct Roles {
    /// A URL, absolute or not.
    pub url: &'static [&'static str],
    /// `GET http://www.example.com/ HTTP/1.1`.
    pub request: &'static [&'static str],
    /// The scheme of the URL.
    pub scheme: &'static [&'static str],
    /// The host that was contacted.
    pub host: &'static [&'static str],
    /// The name that was asked for, which may be of one label.
    pub name: &'static [&'static str],
    /// The port of the URL.
    pub port: &'static [&'static str],
    /// The path of the URL.
    pub path: &'static [&'static str],
    /// The query of the URL, where the path is without it.
    pub query: &'static [&'static str],
    /// The address that was contacted.
    pub address: &'static [&'static str],
    /// Who made the contact.
    pub client: &'static [&'static str],
    /// The account.
    pub user: &'static [&'static str],
    /// Date and time in one.
    pub stamp: &'static [&'static str],
    /// The date alone.
    pub date: &'static [&'static str],
    /// The time of day alone.
    pub clock: &'static [&'static str],
    /// The zone of either.
    pub zone: &'static [&'static str],
    /// What the device did.
    pub action: &'static [&'static str],
}

impl Roles {
    /// No field means anything.
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

/// How many meanings a field can have.
const ROLES: usize = 16;

/// How many fields a dialect can name.
pub const FIELDS: usize = 40;

/// Reads the records of one dialect.
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

    /// What a record says. `sent_us` is the time of its envelope, for a record
    /// without one of its own.
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

/// The dialect whose marks most lines of an input have, and how many of a
/// hundred. `split` makes the values of a line, or says that it is none.
pub fn detect(
    dialects: &'static [Dialect],
    input: &Input,
    mut lines_that_fit: impl FnMut(&Reader) -> u8,
) -> Option<(&'static Dialect, u8)> {
    let stamps = Stamps::of(input);
    let mut best: Option<(&'static Dialect, u8)> = None;
    for dialect in dialects {
        let sure = lines_that_fit(&Reader::new(dialect, stamps));
        if sure > best.map_or(0, |(_, sure)| sure) {
            best = Some((dialect, sure));
        }
    }
    best
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
        order: DateOrder::MonthFirst,
    };

    fn values(fields: &[(&str, &'static str)]) -> (Reader, [&'static [u8]; FIELDS]) {
        let stamps = Stamps::of(&Input {
            name: String::new(),
            head: Vec::new(),
            utc_offset_minutes: 0,
            reference_time_us: 0,
        });
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
