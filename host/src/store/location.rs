//! The location of a store: a file, or a database of a PostgreSQL server.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use postgres::config::SslMode;
use url::Url;

/// The location of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file.
    File(PathBuf),
    /// Tables in a database of a PostgreSQL server.
    Postgres(PostgresUrl),
}

/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETER=VALUE`. Neither `Display` nor `Debug`
/// shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    text: String,
    password: Option<String>,
}

/// The URL of a server is invalid. The error does not contain the URL, which may have a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPostgresUrl {
    /// It is not a URL.
    #[error(
        "the URL of the store is invalid; write postgres://USER@HOST/DATABASE, and %40 for an @ in a name"
    )]
    NotAUrl,
    /// A parameter is not supported.
    #[error(
        "the URL of the store has the unsupported parameter `{0}`; use host, options, sslmode or sslrootcert"
    )]
    UnknownParameter(String),
    /// The `sslmode` is not supported.
    #[error("the URL of the store has an unsupported sslmode; use disable, require or verify-full")]
    SslMode,
}

/// How to connect to a server.
pub(super) struct ConnectOptions {
    pub(super) config: postgres::Config,
    /// Certificates to trust in addition to those of the system.
    pub(super) ca_file: Option<PathBuf>,
}

/// The timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The connection is closed if the server acknowledges nothing for this long.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);

impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        Ok(if is_url {
            Self::Postgres(PostgresUrl {
                text: text.to_owned(),
                password: None,
            })
        } else {
            Self::File(PathBuf::from(text))
        })
    }
}

/// Without a password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => write!(f, "{url}"),
        }
    }
}

impl PostgresUrl {
    /// Sets the password, unless the URL has one.
    #[must_use]
    pub fn or_password(self, password: Option<String>) -> Self {
        Self { password, ..self }
    }

    /// How to connect to the server. A certificate is always verified. Without an `sslmode`, TLS
    /// is required except over loopback and Unix sockets, because the store contains what an
    /// organisation's machines contacted.
    pub(super) fn connect_options(&self) -> Result<ConnectOptions, BadPostgresUrl> {
        let url = self.url()?;
        let mut config = postgres::Config::new();
        config
            .application_name("vthost")
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(SILENCE_TIMEOUT)
            .user(&decoded(url.username())?);
        let own = url.password().map(decoded).transpose()?;
        if let Some(password) = own.or_else(|| self.password.clone()) {
            config.password(password);
        }
        let database = decoded(url.path().trim_start_matches('/'))?;
        if !database.is_empty() {
            config.dbname(&database);
        }
        let mut host = url.host_str().map(decoded).transpose()?.unwrap_or_default();
        let (mut ssl_mode, mut ca_file) = (None, None);
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "host" => host = value.into_owned(),
                "options" => {
                    config.options(&value);
                }
                "sslrootcert" => ca_file = Some(PathBuf::from(value.as_ref())),
                "sslmode" => ssl_mode = Some(parse_ssl_mode(&value)?),
                other => return Err(BadPostgresUrl::UnknownParameter(other.to_owned())),
            }
        }
        let host = host.trim_matches(['[', ']']);
        let ssl_mode = ssl_mode.unwrap_or(if is_on_this_machine(host) {
            SslMode::Disable
        } else {
            SslMode::Require
        });
        config.host(host).ssl_mode(ssl_mode);
        if let Some(port) = url.port() {
            config.port(port);
        }
        Ok(ConnectOptions { config, ca_file })
    }

    fn url(&self) -> Result<Url, BadPostgresUrl> {
        Url::parse(&self.text).map_err(|_| BadPostgresUrl::NotAUrl)
    }
}

/// `prefer` and `allow` of libpq are not supported: they fall back to an unencrypted connection.
fn parse_ssl_mode(text: &str) -> Result<SslMode, BadPostgresUrl> {
    match text {
        "disable" => Ok(SslMode::Disable),
        "require" | "verify-ca" | "verify-full" => Ok(SslMode::Require),
        _ => Err(BadPostgresUrl::SslMode),
    }
}

/// A path is the directory of a Unix socket.
fn is_on_this_machine(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    host.is_empty()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_some_and(|address| address.is_loopback())
}

fn decoded(text: &str) -> Result<String, BadPostgresUrl> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    Ok(decoded.map_err(|_| BadPostgresUrl::NotAUrl)?.into_owned())
}

/// Without the password. A URL that cannot be parsed is not shown at all.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Ok(mut url), Ok(_)) = (self.url(), self.connect_options()) else {
            return f.write_str("postgres://…");
        };
        // Fails only for a URL without a host, which has no password.
        let _ = url.set_password(None);
        write!(f, "{url}")
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres::config::Host;

    fn server(text: &str) -> PostgresUrl {
        match text.parse().unwrap() {
            Location::Postgres(url) => url,
            Location::File(path) => panic!("{}", path.display()),
        }
    }

    #[test]
    fn urls_are_servers_and_other_texts_are_files() {
        let check = |text: &str, expected: &str| {
            let location: Location = text.parse().unwrap();
            let kind = match location {
                Location::File(_) => "file",
                Location::Postgres(_) => "server",
            };
            assert_eq!(format!("{kind} {location}"), expected);
        };
        check("store.sqlite", "file store.sqlite");
        check("/data/a b", "file /data/a b");
        check(
            "postgres://me@db.example.com/vt",
            "server postgres://me@db.example.com/vt",
        );
        check(
            "postgresql://me:hunter2@db.example.com:5433/vt?sslmode=disable",
            "server postgresql://me@db.example.com:5433/vt?sslmode=disable",
        );
        check("postgres://me@h/vt?password=hunter2", "server postgres://…");
        check("postgres://me:hunter2@:x", "server postgres://…");
    }

    #[test]
    fn password_is_never_shown() {
        for text in [
            "postgres://me:hunter2@db.example.com/vt",
            "postgres://me:hunter2@db.example.com/vt?sslmode=hunter2",
            "postgres://me@db.example.com/vt?password=hunter2",
            "postgres://me:hunter2@:port/",
        ] {
            let location: Location = text.parse().unwrap();
            let Location::Postgres(url) = &location else {
                panic!("{text}");
            };
            let problem = url
                .connect_options()
                .err()
                .map(|error| format!("{error:?} {error}"));
            let shown = format!("{location} {location:?} {}", problem.unwrap_or_default());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn url_gives_the_connection_options() {
        let url = server("postgres://me%40org:a%3Ab@db.example.com:5433/vt?options=-cx%3D1");
        let ConnectOptions { config, .. } = url.connect_options().unwrap();
        assert_eq!(config.get_user(), Some("me@org"));
        assert_eq!(config.get_password(), Some(b"a:b".as_slice()));
        assert_eq!(config.get_dbname(), Some("vt"));
        assert_eq!(config.get_ports(), [5433]);
        assert_eq!(config.get_hosts(), [Host::Tcp("db.example.com".into())]);
        assert_eq!(config.get_options(), Some("-cx=1"));
        let other = server("postgres://me@db.example.com/vt").or_password(Some("env".into()));
        let ConnectOptions { config, .. } = other.connect_options().unwrap();
        assert_eq!(config.get_password(), Some(b"env".as_slice()));
    }

    #[test]
    fn network_connections_require_tls_by_default() {
        let check = |text: &str, expected: SslMode| {
            let ConnectOptions { config, .. } = server(text).connect_options().unwrap();
            assert_eq!(config.get_ssl_mode(), expected, "{text}");
        };
        check("postgres://me@db.example.com/vt", SslMode::Require);
        check("postgres://me@192.0.2.7/vt", SslMode::Require);
        check("postgres://me@localhost/vt", SslMode::Disable);
        check("postgres://me@127.0.0.1/vt", SslMode::Disable);
        check("postgres://me@[::1]/vt", SslMode::Disable);
        check("postgres:///vt?host=/run/postgresql", SslMode::Disable);
        check(
            "postgres://me@db.example.com/vt?sslmode=disable",
            SslMode::Disable,
        );
        check(
            "postgres://me@127.0.0.1/vt?sslmode=verify-full",
            SslMode::Require,
        );
    }

    #[test]
    fn unsupported_parameters_are_refused() {
        let check = |text: &str, expected: BadPostgresUrl| {
            assert_eq!(
                server(text).connect_options().err(),
                Some(expected),
                "{text}"
            );
        };
        check("postgres://me@h/vt?sslmode=prefer", BadPostgresUrl::SslMode);
        check(
            "postgres://me@h/vt?fallback=1",
            BadPostgresUrl::UnknownParameter("fallback".into()),
        );
        check("postgres://me@h:port/vt", BadPostgresUrl::NotAUrl);
    }
}
