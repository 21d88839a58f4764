//! Stores for unit tests.

use vthost_testing::TestSchema;

use super::handle::Store;

/// Runs a test with an SQLite store, and with a PostgreSQL store if there is a server.
pub(crate) fn on_each(check: impl Fn(&Store)) {
    check(&Store::in_memory().unwrap());
    if let Some(schema) = TestSchema::new() {
        check(&Store::open(&schema.url().parse().unwrap()).unwrap());
    }
}
