//! What tests need to run on PostgreSQL too. The end-to-end tests use this file
//! as well.

use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};

/// The variable that names a server for tests: any database whose user may make
/// schemas in it.
const VARIABLE: &str = "VTHOST_TEST_POSTGRES";

/// A place on the server for the tables of one test.
pub(crate) struct TestSchema {
    server: String,
    name: String,
}

impl TestSchema {
    /// A new one. Without a server the test's part on PostgreSQL is left out
    /// with a note; in continuous integration (`CI` is set) it fails.
    pub(crate) fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var(VARIABLE) else {
            assert!(std::env::var_os("CI").is_none(), "{VARIABLE} is not set");
            eprintln!("left out on PostgreSQL: {VARIABLE} names no server");
            return None;
        };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{count}", std::process::id());
        let schema = Self { server, name };
        schema.execute(&format!(
            "DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}",
            schema.name
        ));
        Some(schema)
    }

    /// The value for `--store`.
    pub(crate) fn url(&self) -> String {
        let options = format!("options=-csearch_path%3D{}", self.name);
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}{options}", self.server)
    }

    /// Statements beside the store's.
    pub(crate) fn execute(&self, sql: &str) {
        self.client().batch_execute(sql).unwrap();
    }

    fn client(&self) -> Client {
        let mut client = Client::connect(&self.server, NoTls).unwrap();
        let path = format!("SET search_path TO {}", self.name);
        client.batch_execute(&path).unwrap();
        client
    }
}

impl Drop for TestSchema {
    fn drop(&mut self) {
        self.execute(&format!("DROP SCHEMA {} CASCADE", self.name));
    }
}
