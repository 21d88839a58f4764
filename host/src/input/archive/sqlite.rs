//! SQLite databases that hold contacts: Pi-hole's queries and the histories of browsers. Each
//! table is an input, as CSV. A temporary copy is read, never the file itself.

use std::fs::File;
use std::io;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, Row};
use tempfile::NamedTempFile;

use super::rows::{RowReader, push_cell};
use super::{Members, Sender, UnpackLimits, Unpacking, start, temporary};

/// A layout of tables.
struct LogStore {
    /// The name of the input.
    name: &'static str,
    /// Tables that the database has.
    tables: &'static [&'static str],
    /// The first line.
    header: &'static str,
    /// Its first column is a time, the others are text.
    query: &'static str,
    /// The unit of the time, in parts of a second.
    per_second: f64,
    /// Seconds from 1970 to the zero of the time.
    epoch_s: i64,
}

/// Seconds from 1970 back to 1601, from which Windows and Chromium count.
const WINDOWS_EPOCH_S: i64 = -11_644_473_600;
/// Seconds from 1970 to 2001, from which macOS counts.
const MAC_EPOCH_S: i64 = 978_307_200;

/// What Pi-hole did, by <https://docs.pi-hole.net/database/query-database/>: blocked by a list or
/// an upstream resolver, or answered.
macro_rules! pihole_action {
    () => {
        "CASE WHEN status IN (1, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 18) THEN 'blocked' \
         WHEN status IN (2, 3, 12, 13, 14, 17) THEN 'allowed' ELSE '' END"
    };
}

/// Every layout. Of two for the same program the newer comes first.
const STORES: &[LogStore] = &[
    LogStore {
        name: "queries",
        tables: &["query_storage", "domain_by_id", "client_by_id"],
        header: "time,client,host,action",
        query: concat!(
            "SELECT timestamp, \
             CASE typeof(client) WHEN 'integer' \
             THEN (SELECT ip FROM client_by_id c WHERE c.id = q.client) ELSE client END, \
             CASE typeof(domain) WHEN 'integer' \
             THEN (SELECT domain FROM domain_by_id d WHERE d.id = q.domain) ELSE domain END, ",
            pihole_action!(),
            " FROM query_storage q ORDER BY q.id"
        ),
        per_second: 1.0,
        epoch_s: 0,
    },
    LogStore {
        name: "queries",
        tables: &["queries", "ftl"],
        header: "time,client,host,action",
        query: concat!(
            "SELECT timestamp, client, domain, ",
            pihole_action!(),
            " FROM queries ORDER BY id"
        ),
        per_second: 1.0,
        epoch_s: 0,
    },
    LogStore {
        name: "visits",
        tables: &["urls", "visits"],
        header: "time,url",
        query: "SELECT v.visit_time, u.url FROM visits v JOIN urls u ON u.id = v.url ORDER BY v.id",
        per_second: 1e6,
        epoch_s: WINDOWS_EPOCH_S,
    },
    LogStore {
        name: "downloads",
        tables: &["downloads", "downloads_url_chains"],
        header: "time,url",
        query: "SELECT d.start_time, c.url FROM downloads_url_chains c \
                JOIN downloads d ON d.id = c.id ORDER BY c.id, c.chain_index",
        per_second: 1e6,
        epoch_s: WINDOWS_EPOCH_S,
    },
    LogStore {
        name: "visits",
        tables: &["moz_places", "moz_historyvisits"],
        header: "time,url",
        query: "SELECT v.visit_date, p.url FROM moz_historyvisits v \
                JOIN moz_places p ON p.id = v.place_id ORDER BY v.id",
        per_second: 1e6,
        epoch_s: 0,
    },
    LogStore {
        name: "visits",
        tables: &["history_items", "history_visits"],
        header: "time,url",
        query: "SELECT v.visit_time, i.url FROM history_visits v \
                JOIN history_items i ON i.id = v.history_item ORDER BY v.id",
        per_second: 1.0,
        epoch_s: MAC_EPOCH_S,
    },
];

const UNKNOWN: &str = "SQLite database of an unknown kind, which is not read: export its table as \
                       CSV: `sqlite3 -header -csv FILE 'SELECT * FROM TABLE'`";

/// A longer text in a cell makes the table damaged.
const LONGEST_CELL_BYTES: i32 = 16 << 20;

/// The known tables of a database, whose text together has `limits.max_unpacked_bytes` at most.
///
/// # Errors
///
/// When it has no known table, no copy can be made or opened, or no thread can be started.
pub(super) fn members(mut file: File, limits: &UnpackLimits) -> io::Result<Members> {
    let mut content = io::Read::take(&mut file, limits.max_unpacked_bytes);
    let (copy, copied) = temporary::copied_by_name(&mut content)?;
    if copied == limits.max_unpacked_bytes {
        return Err(io::Error::other(
            "it is too large; --max-unpacked allows more",
        ));
    }
    let database = open(&copy).map_err(io::Error::other)?;
    let stores = known(&database).map_err(|error| {
        io::Error::other(format!(
            "the SQLite database is damaged or encrypted ({error})"
        ))
    })?;
    if stores.is_empty() {
        return Err(io::Error::other(UNKNOWN));
    }
    let mut left = limits.max_unpacked_bytes;
    start(move |sender| {
        // Deleted when the thread ends.
        let _copy = copy;
        for store in stores {
            match send(&database, store, sender, left) {
                Ok(Some(rest)) => left = rest,
                Ok(None) => return,
                Err(error) => sender.fail(store.name.to_owned(), io::Error::other(error)),
            }
        }
    })
}

/// Opens the copy so that nothing in it is run or written: its schema is not trusted, and a
/// write-ahead log is not looked for.
fn open(copy: &NamedTempFile) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let path = copy.path().to_string_lossy().replace('%', "%25");
    let path = path.replace('?', "%3f").replace('#', "%23");
    let database = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_CELL_BYTES)?;
    Ok(database)
}

/// The stores whose tables the database has. A view or a virtual table, which could run
/// anything, is none.
fn known(database: &Connection) -> rusqlite::Result<Vec<&'static LogStore>> {
    let mut tables =
        database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0")?;
    let names = tables.query_map([], |row| row.get(0))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    let has = |table: &&str| names.iter().any(|name| name == table);
    let mut stores: Vec<&LogStore> = Vec::new();
    for store in STORES.iter().filter(|store| store.tables.iter().all(&has)) {
        if !stores.iter().any(|known| known.name == store.name) {
            stores.push(store);
        }
    }
    Ok(stores)
}

/// Sends a table. Returns how many bytes may still come; none if no more is wanted.
fn send(
    database: &Connection,
    store: &LogStore,
    sender: &Sender,
    left: u64,
) -> rusqlite::Result<Option<u64>> {
    let mut statement = database.prepare(store.query)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut has_header = false;
    let rows = RowReader::new(|text: &mut Vec<u8>| {
        if !has_header {
            has_header = true;
            text.extend_from_slice(store.header.as_bytes());
            text.push(b'\n');
            return Ok(());
        }
        match rows.next().map_err(io::Error::other)? {
            Some(row) => push_row(text, row, columns, store).map_err(io::Error::other),
            None => Ok(()),
        }
    });
    let mut content = Unpacking::new("SQLite", rows, left);
    let is_wanted = sender.send(store.name.to_owned(), None, &mut content);
    Ok(is_wanted.then(|| content.left()))
}

fn push_row(
    text: &mut Vec<u8>,
    row: &Row<'_>,
    columns: usize,
    store: &LogStore,
) -> rusqlite::Result<()> {
    push_cell(text, &time_of(row, store));
    for column in 1..columns {
        text.push(b',');
        let cell = row.get_ref(column)?;
        push_cell(
            text,
            &String::from_utf8_lossy(cell.as_bytes().unwrap_or_default()),
        );
    }
    text.push(b'\n');
    Ok(())
}

/// The time of a row in ISO 8601; empty where it has none.
fn time_of(row: &Row<'_>, store: &LogStore) -> String {
    let number: f64 = row.get(0).unwrap_or_default();
    let milliseconds = (number / store.per_second * 1e3).round() as i64;
    let milliseconds = milliseconds.saturating_add(store.epoch_s * 1000);
    let time = Timestamp::from_millisecond(milliseconds);
    match number > 0.0 {
        true => time.map(|time| time.to_string()).unwrap_or_default(),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _};

    use super::*;

    /// The inputs of a database that these statements make.
    fn read(statements: &str) -> Result<Vec<(String, String)>, String> {
        let file = NamedTempFile::new().unwrap();
        let database = Connection::open(file.path()).unwrap();
        database.execute_batch(statements).unwrap();
        drop(database);
        let mut file = file.reopen().unwrap();
        file.rewind().unwrap();
        let members = members(file, &UnpackLimits::default()).map_err(|error| error.to_string())?;
        let read = |member: Result<super::super::Member, super::super::Unreadable>| {
            let mut member = member.map_err(|unreadable| unreadable.error.to_string())?;
            let mut text = String::new();
            let result = member.opened.reader.read_to_string(&mut text);
            result.map_err(|error| error.to_string())?;
            Ok((member.path, text))
        };
        members.map(read).collect()
    }

    fn check(statements: &str, expected: &[(&str, &str)]) {
        let found = read(statements).unwrap();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    // 2024-05-01T12:00:00Z in each program's count.

    #[test]
    fn queries_of_pi_hole_are_read_in_both_layouts() {
        let expected = [(
            "queries",
            "time,client,host,action\n\
             2024-05-01T12:00:00Z,10.0.0.5,www.example.com,allowed\n\
             2024-05-01T12:00:01Z,10.0.0.6,ads.example.net,blocked\n",
        )];
        check(
            "CREATE TABLE ftl (id INTEGER, value BLOB);
             CREATE TABLE queries (id INTEGER PRIMARY KEY, timestamp INTEGER, type INTEGER, status INTEGER, domain TEXT, client TEXT, forward TEXT);
             INSERT INTO queries VALUES (1, 1714564800, 1, 2, 'www.example.com', '10.0.0.5', NULL), (2, 1714564801, 1, 1, 'ads.example.net', '10.0.0.6', NULL);",
            &expected,
        );
        check(
            "CREATE TABLE ftl (id INTEGER, value BLOB);
             CREATE TABLE query_storage (id INTEGER PRIMARY KEY, timestamp INTEGER, type INTEGER, status INTEGER, domain INTEGER, client INTEGER);
             CREATE TABLE domain_by_id (id INTEGER PRIMARY KEY, domain TEXT);
             CREATE TABLE client_by_id (id INTEGER PRIMARY KEY, ip TEXT, name TEXT);
             CREATE VIEW queries AS SELECT 1;
             INSERT INTO domain_by_id VALUES (1, 'www.example.com'), (2, 'ads.example.net');
             INSERT INTO client_by_id VALUES (1, '10.0.0.5', 'pc'), (2, '10.0.0.6', NULL);
             INSERT INTO query_storage VALUES (1, 1714564800, 1, 3, 1, 1), (2, 1714564801.2, 1, 4, 2, 2);",
            &[("queries", "time,client,host,action\n\
             2024-05-01T12:00:00Z,10.0.0.5,www.example.com,allowed\n\
             2024-05-01T12:00:01.2Z,10.0.0.6,ads.example.net,blocked\n")],
        );
    }

    #[test]
    fn visits_of_browsers_are_read() {
        let visit = "time,url\n2024-05-01T12:00:00Z,\"http://www.example.com/a,b\"\n";
        check(
            "CREATE TABLE urls (id INTEGER PRIMARY KEY, url TEXT);
             CREATE TABLE visits (id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER);
             CREATE TABLE downloads (id INTEGER PRIMARY KEY, start_time INTEGER);
             CREATE TABLE downloads_url_chains (id INTEGER, chain_index INTEGER, url TEXT);
             INSERT INTO urls VALUES (7, 'http://www.example.com/a,b');
             INSERT INTO visits VALUES (1, 7, 13359038400000000);
             INSERT INTO downloads VALUES (1, 13359038400000000);
             INSERT INTO downloads_url_chains VALUES (1, 0, 'http://www.example.net/x');",
            &[
                ("visits", visit),
                (
                    "downloads",
                    "time,url\n2024-05-01T12:00:00Z,http://www.example.net/x\n",
                ),
            ],
        );
        check(
            "CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT);
             CREATE TABLE moz_historyvisits (id INTEGER PRIMARY KEY, place_id INTEGER, visit_date INTEGER);
             INSERT INTO moz_places VALUES (7, 'http://www.example.com/a,b');
             INSERT INTO moz_historyvisits VALUES (1, 7, 1714564800000000);",
            &[("visits", visit)],
        );
        check(
            "CREATE TABLE history_items (id INTEGER PRIMARY KEY, url TEXT);
             CREATE TABLE history_visits (id INTEGER PRIMARY KEY, history_item INTEGER, visit_time REAL);
             INSERT INTO history_items VALUES (7, 'http://www.example.com/a,b');
             INSERT INTO history_visits VALUES (1, 7, 736257600.0);",
            &[("visits", visit)],
        );
    }

    #[test]
    fn other_databases_and_views_are_refused() {
        for statements in [
            "CREATE TABLE notes (id INTEGER, text TEXT);",
            "CREATE TABLE urls (id INTEGER, url TEXT); CREATE VIEW visits AS SELECT 1;",
        ] {
            assert_eq!(read(statements).unwrap_err(), UNKNOWN);
        }
    }

    #[test]
    fn a_damaged_database_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"SQLite format 3\0and no more").unwrap();
        file.rewind().unwrap();
        let error = members(file, &UnpackLimits::default()).err().unwrap();
        assert!(
            error.to_string().contains("damaged or encrypted"),
            "{error}"
        );
    }
}
