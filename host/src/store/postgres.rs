//! The store on a PostgreSQL server, shared by several machines.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use postgres::config::SslMode;
use postgres::types::{ToSql, Type};
use postgres::{Client, GenericClient, IsolationLevel, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::StoreError;
use super::executor::{Executor, Operation, SqlRow, SqlValue};
use super::location::{ConnectOptions, PostgresUrl};
use super::schema;
use crate::clock::{Clock, SystemClock, UnixMs};

/// How long to try to reconnect: a server may restart.
const RECONNECT_FOR: Duration = Duration::from_secs(30);
const RECONNECT_EVERY: Duration = Duration::from_millis(500);
/// How long a reading of the server's clock is used.
const TIME_HOLDS_FOR: Duration = Duration::from_secs(5);
/// The locks of a machine that disappears during a transaction are released, and waiting for a lock
/// is bounded.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '20s'; SET lock_timeout = '30s'";

/// A connection to a server.
pub(super) struct Postgres {
    at: PostgresUrl,
    client: Mutex<Client>,
}

impl Postgres {
    /// Connects, and creates the tables if they do not exist.
    pub(super) fn open(at: &PostgresUrl) -> Result<Self, StoreError> {
        let client = on_own_thread(|| {
            let mut client = connect(at)?;
            schema::migrate_postgres(&mut client, at)?;
            Ok::<_, StoreError>(client)
        })?;
        Ok(Self {
            at: at.clone(),
            client: Mutex::new(client),
        })
    }

    /// See [`super::database::Database::run`].
    pub(super) fn run<T: Send>(&self, work: Operation<'_, T>) -> Result<T, StoreError> {
        self.with_client(&|client| work(&mut PostgresExecutor(client)))
    }

    /// See [`super::database::Database::run_alone`]: the row of the account is
    /// locked until the transaction ends.
    pub(super) fn run_alone<T: Send>(
        &self,
        account: &str,
        work: Operation<'_, T>,
    ) -> Result<T, StoreError> {
        self.with_client(&|client| {
            // Each statement sees what was committed before it, so the ledger is read after the
            // lock was acquired.
            let isolation = IsolationLevel::ReadCommitted;
            let mut transaction = client
                .build_transaction()
                .isolation_level(isolation)
                .start()?;
            transaction.execute(
                "INSERT INTO ledger (account) VALUES ($1)
                 ON CONFLICT (account) DO UPDATE SET account = excluded.account",
                &[&account],
            )?;
            let result = work(&mut PostgresExecutor(&mut transaction))?;
            transaction.commit()?;
            Ok(result)
        })
    }

    /// The server's time.
    fn now_ms(&self) -> Result<UnixMs, StoreError> {
        self.with_client(&|client| {
            let row = client.query_one(
                "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
                &[],
            )?;
            Ok(row.try_get(0)?)
        })
    }

    /// Runs `work` with the connection, and a second time with a new one if the connection is
    /// lost. A change may then be made twice, which at worst charges one slot too many.
    fn with_client<T: Send>(
        &self,
        work: &(dyn Fn(&mut Client) -> Result<T, StoreError> + Sync),
    ) -> Result<T, StoreError> {
        let mut guard = self.lock();
        let client: &mut Client = &mut guard;
        on_own_thread(|| match work(client) {
            Err(_) if is_lost(client) => {
                *client = connect_again(&self.at)?;
                work(client)
            }
            done => done,
        })
    }

    /// A panic during a transaction rolls it back.
    fn lock(&self) -> MutexGuard<'_, Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work` on a new thread: the client blocks on its own async runtime, which panics on a
/// thread that already runs one.
fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn is_lost(client: &mut Client) -> bool {
    const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
    client.is_closed() || client.is_valid(ANSWERS_WITHIN).is_err()
}

fn connect_again(at: &PostgresUrl) -> Result<Client, StoreError> {
    let begun = Instant::now();
    loop {
        match connect(at) {
            Err(_) if begun.elapsed() < RECONNECT_FOR => std::thread::sleep(RECONNECT_EVERY),
            connected => return connected,
        }
    }
}

fn connect(at: &PostgresUrl) -> Result<Client, StoreError> {
    let ConnectOptions { config, ca_file } = at.connect_options()?;
    let connected = match config.get_ssl_mode() {
        SslMode::Disable => config.connect(NoTls),
        _ => config.connect(tls(at, ca_file.as_deref())?),
    };
    let mut client = connected.map_err(|source| unreachable(at, source))?;
    client.batch_execute(SESSION)?;
    Ok(client)
}

fn unreachable(
    at: &PostgresUrl,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unreachable {
        place: at.to_string(),
        source: source.into(),
    }
}

/// TLS that trusts the certificates of the system and those of a file.
fn tls(at: &PostgresUrl, ca_file: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let extra = ca_file.map_or(Ok(Vec::new()), |path| {
        let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
        found.map_err(|source| StoreError::Certificates {
            path: path.to_owned(),
            source: source.into(),
        })
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
            .map_err(|source| unreachable(at, source))?;
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| unreachable(at, source))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A connection, in a transaction or not.
struct PostgresExecutor<'a, C>(&'a mut C);

impl<C: GenericClient> Executor for PostgresExecutor<'_, C> {
    fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, StoreError> {
        let parameters: Vec<_> = values.iter().map(parameter).collect();
        Ok(self.0.execute_typed(&numbered(sql), &parameters)?)
    }

    fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, StoreError> {
        let parameters: Vec<_> = values.iter().map(parameter).collect();
        let rows = self.0.query_typed(&numbered(sql), &parameters)?;
        rows.iter().map(row).collect()
    }
}

/// `$1` where SQLite writes `?1`.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

fn parameter(cell: &SqlValue) -> (&(dyn ToSql + Sync), Type) {
    const NULL: Option<&str> = None;
    match cell {
        SqlValue::Null => (&NULL, Type::UNKNOWN),
        SqlValue::Integer(number) => (number, Type::INT8),
        SqlValue::Text(text) => (text, Type::TEXT),
    }
}

fn row(row: &postgres::Row) -> Result<SqlRow, StoreError> {
    let cells = row.columns().iter().enumerate().map(|(index, column)| {
        Ok(if *column.type_() == Type::INT8 {
            SqlValue::from(row.try_get::<_, Option<i64>>(index)?)
        } else {
            SqlValue::from(row.try_get::<_, Option<&str>>(index)?)
        })
    });
    Ok(SqlRow(cells.collect::<Result<_, StoreError>>()?))
}

/// The clock of the server: machines that share a ledger need the same time.
pub(super) struct ServerClock<'a> {
    server: &'a Postgres,
    read: Mutex<Option<ClockReading>>,
}

/// A reading of the server's clock, and when it was taken.
#[derive(Clone, Copy)]
struct ClockReading {
    ms: UnixMs,
    at: Instant,
}

impl<'a> ServerClock<'a> {
    pub(super) fn new(server: &'a Postgres) -> Self {
        Self {
            server,
            read: Mutex::new(None),
        }
    }

    fn ask(&self) -> Option<ClockReading> {
        let asked = Instant::now();
        let ms = self.server.now_ms().ok()?;
        // The server read its clock between the request and the answer.
        let at = asked + asked.elapsed() / 2;
        Some(ClockReading { ms, at })
    }
}

impl Clock for ServerClock<'_> {
    /// While the server does not answer, its last time is advanced by the clock of this machine.
    fn now_ms(&self) -> UnixMs {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.is_none_or(|reading| reading.at.elapsed() >= TIME_HOLDS_FOR) {
            *read = self.ask().or(*read);
        }
        read.map_or_else(
            || SystemClock.now_ms(),
            |ClockReading { ms, at }| {
                ms.saturating_add(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX))
            },
        )
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        SystemClock.sleep(duration)
    }
}
