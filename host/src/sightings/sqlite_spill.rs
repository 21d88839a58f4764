//! A [`Spill`] in a temporary SQLite file.
//!
//! SQLite creates the file in `SQLITE_TMPDIR` or `TMPDIR`, else in `/var/tmp` or `/tmp`,
//! and removes it when the connection is closed.

use std::sync::{Mutex, PoisonError};

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use super::spill::{Spill, SpillError, SpilledSighting};
use crate::indicator::Kind;
use crate::observation::LogPosition;

/// Sightings in a temporary SQLite file.
pub struct SqliteSpill(Mutex<Connection>);

const SCHEMA: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -65536;
    CREATE TABLE seen (
        kind INTEGER NOT NULL,
        value TEXT NOT NULL,
        written TEXT,
        count INTEGER NOT NULL,
        allowed INTEGER NOT NULL,
        blocked INTEGER NOT NULL,
        first_us INTEGER,
        last_us INTEGER,
        first_seen INTEGER NOT NULL,
        clients BLOB NOT NULL,
        PRIMARY KEY (kind, value)
    ) WITHOUT ROWID";

/// `min` and `max` give NULL if one argument is NULL, hence the `coalesce`.
const ADD: &str = "
    INSERT INTO seen VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT DO UPDATE SET
        written = iif(excluded.first_seen < first_seen, excluded.written, written),
        count = count + excluded.count,
        allowed = allowed + excluded.allowed,
        blocked = blocked + excluded.blocked,
        first_us = min(coalesce(first_us, excluded.first_us), coalesce(excluded.first_us, first_us)),
        last_us = max(coalesce(last_us, excluded.last_us), coalesce(excluded.last_us, last_us)),
        first_seen = min(first_seen, excluded.first_seen),
        clients = merged(clients, excluded.clients)";

impl SqliteSpill {
    /// An empty spill. The file is created with the first sightings.
    ///
    /// # Errors
    ///
    /// If SQLite cannot open a temporary database.
    pub fn new() -> Result<Self, SpillError> {
        let open = || {
            // An empty name is a temporary file.
            let connection = Connection::open("")?;
            connection.execute_batch(SCHEMA)?;
            let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
            connection.create_scalar_function("merged", 2, pure, |context| {
                let numbers = |index| numbers(context.get_raw(index));
                Ok(bytes(&merged(&numbers(0), &numbers(1))))
            })?;
            Ok(connection)
        };
        let connection = open().map_err(failed)?;
        Ok(Self(Mutex::new(connection)))
    }

    fn connection(&mut self) -> &mut Connection {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spill for SqliteSpill {
    fn add(&mut self, sightings: &[SpilledSighting]) -> Result<(), SpillError> {
        let mut add = || {
            let transaction = self.connection().transaction()?;
            let mut insert = transaction.prepare_cached(ADD)?;
            for sighting in sightings {
                insert.execute(params![
                    sighting.kind as u8,
                    sighting.value,
                    sighting.written,
                    sighting.count.cast_signed(),
                    sighting.allowed.cast_signed(),
                    sighting.blocked.cast_signed(),
                    sighting.first_us,
                    sighting.last_us,
                    sighting.first_seen.as_number().cast_signed(),
                    bytes(&sighting.clients),
                ])?;
            }
            drop(insert);
            transaction.commit()
        };
        add().map_err(failed)
    }

    fn for_each(&mut self, take: &mut dyn FnMut(SpilledSighting)) -> Result<(), SpillError> {
        let connection = self.connection();
        let mut read = || {
            let mut all = connection.prepare("SELECT * FROM seen ORDER BY first_seen")?;
            let mut rows = all.query([])?;
            while let Some(row) = rows.next()? {
                take(spilled_sighting(row)?);
            }
            Ok(())
        };
        read().map_err(failed)
    }
}

fn spilled_sighting(row: &Row<'_>) -> rusqlite::Result<SpilledSighting> {
    let count = |index| row.get(index).map(i64::cast_unsigned);
    Ok(SpilledSighting {
        kind: match row.get(0)? {
            0_u8 => Kind::Url,
            1 => Kind::Domain,
            _ => Kind::Ip,
        },
        value: row.get(1)?,
        written: row.get(2)?,
        count: count(3)?,
        allowed: count(4)?,
        blocked: count(5)?,
        first_us: row.get(6)?,
        last_us: row.get(7)?,
        first_seen: LogPosition::from_number(count(8)?),
        clients: numbers(row.get_ref(9)?),
    })
}

fn failed(error: rusqlite::Error) -> SpillError {
    SpillError::new(error)
}

fn bytes(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

fn numbers(bytes: ValueRef<'_>) -> Vec<u32> {
    let (numbers, _) = bytes.as_blob().unwrap_or_default().as_chunks();
    numbers
        .iter()
        .map(|number| u32::from_le_bytes(*number))
        .collect()
}

/// The distinct numbers of two lists, in ascending order.
fn merged(one: &[u32], other: &[u32]) -> Vec<u32> {
    let mut all = [one, other].concat();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sightings_of_one_indicator_are_added() {
        let one = SpilledSighting {
            kind: Kind::Url,
            value: "http://example.com/".into(),
            written: Some("example.com".into()),
            count: 3,
            allowed: 1,
            blocked: 2,
            first_us: Some(10),
            last_us: Some(20),
            first_seen: LogPosition::new(1, 4),
            clients: vec![1, 7],
        };
        let earlier = SpilledSighting {
            written: None,
            first_us: None,
            last_us: None,
            first_seen: LogPosition::new(0, 9),
            clients: vec![0, 7, 9],
            ..one.clone()
        };
        let other = SpilledSighting {
            kind: Kind::Domain,
            first_seen: LogPosition::new(0, 5),
            ..one.clone()
        };
        let mut spill = SqliteSpill::new().unwrap();
        spill.add(&[one.clone(), other.clone()]).unwrap();
        spill.add(std::slice::from_ref(&earlier)).unwrap();
        let mut all = Vec::new();
        spill.for_each(&mut |sighting| all.push(sighting)).unwrap();
        let sum = SpilledSighting {
            written: None,
            count: 6,
            allowed: 2,
            blocked: 4,
            first_seen: earlier.first_seen,
            clients: vec![0, 1, 7, 9],
            ..one
        };
        assert_eq!(all, [other, sum]);
    }
}
