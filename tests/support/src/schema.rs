//! PostgreSQL for tests.

use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};

/// The variable with the URL of a server for tests: of a database whose user may create schemas.
const VARIABLE: &str = "VTHOST_TEST_POSTGRES";

/// A schema for the tables of one test. It is removed when it is dropped.
pub struct TestSchema {
    server: String,
    name: String,
}

impl TestSchema {
    /// Creates a schema.
    ///
    /// Without a server, it prints that the test leaves out PostgreSQL and returns none; in
    /// continuous integration (`CI` is set) the test fails.
    ///
    /// # Panics
    ///
    /// If the schema cannot be created, or without a server in continuous integration.
    #[must_use]
    pub fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var(VARIABLE) else {
            assert!(std::env::var_os("CI").is_none(), "{VARIABLE} is not set");
            eprintln!("left out on PostgreSQL: {VARIABLE} is not set");
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

    /// The value of `--store`.
    #[must_use]
    pub fn url(&self) -> String {
        let options = format!("options=-csearch_path%3D{}", self.name);
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}{options}", self.server)
    }

    /// Runs statements on a separate connection.
    ///
    /// # Panics
    ///
    /// If one fails.
    pub fn execute(&self, sql: &str) {
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
