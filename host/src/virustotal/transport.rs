//! The HTTP transport: no redirects, replies of bounded size, and no key in any error.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect;
use url::{Host, Url};

use super::key::ApiKey;

/// The limit for a reply. VirusTotal's objects reach some 100 KB. The server, or a proxy, controls
/// the size; a larger reply is an error.
const MAX_BODY_BYTES: usize = 8 << 20;

/// Sends one request and returns the reply, whatever its status.
pub trait Transport: Send + Sync {
    /// Sends.
    fn send(&self, request: HttpRequest) -> Sending<'_>;
}

/// A request under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<HttpReply, TransportError>> + Send + 'a>>;

/// GET or POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Submits a form.
    Post,
}

/// A request below the API's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// GET or POST.
    pub method: Method,
    /// The path below `/api/v3`, percent-encoded, with a slash in front.
    pub path: String,
    /// The form's fields, for POST.
    pub form: Vec<(String, String)>,
}

/// A reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpReply {
    /// The HTTP status.
    pub status: u16,
    /// The content type, in lower case, without parameters; empty without one.
    pub content_type: String,
    /// Where a redirect points.
    pub location: Option<String>,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u64>,
    /// The server's time (`Date`), in seconds since 1970.
    pub date_s: Option<i64>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection.
    #[error("no connection to VirusTotal: {0}")]
    Connect(String),
    /// The timeout has passed.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or what came over it could not be decoded.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// The answer was too large.
    #[error("the answer is larger than {} MiB", MAX_BODY_BYTES >> 20)]
    TooLarge,
    /// The transport cannot be set up.
    #[error("{0}")]
    Setup(String),
}

/// How to reach VirusTotal.
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// The site, `https://www.virustotal.com`.
    pub base: Url,
    /// A file of certificates (PEM) to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The proxy, perhaps with user and password; without it the system's
    /// variables hold.
    pub proxy: Option<Url>,
    /// The versions of HTTP to use.
    pub http: HttpVersions,
    /// The time for one request in all.
    pub timeout: Duration,
}

/// The versions of HTTP to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpVersions {
    /// The highest that both sides support.
    #[default]
    All,
    /// HTTP/1.1, for proxies that break HTTP/2.
    Http1Only,
}

/// The real transport. It honours `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
pub struct ReqwestTransport {
    client: reqwest::Client,
    root: String,
}

impl ReqwestTransport {
    /// A transport that sends `key` with every request.
    ///
    /// # Errors
    ///
    /// [`TransportError::Setup`]: the URL would send the key in clear text, or a
    /// certificate file is unusable.
    pub fn new(key: &ApiKey, options: &TransportOptions) -> Result<Self, TransportError> {
        let setup = |words: String| TransportError::Setup(words);
        check_confidential(&options.base)?;
        // A second installation finds the first one there: nothing is lost.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        let mut secret = HeaderValue::from_str(key.secret())
            .map_err(|_| setup("the API key cannot be sent in a header".to_owned()))?;
        secret.set_sensitive(true);
        headers.insert("x-apikey", secret);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            // VirusTotal compresses only if the user agent contains `gzip` too.
            .user_agent(concat!("vthost/", env!("CARGO_PKG_VERSION"), " (gzip)"))
            .gzip(true)
            .redirect(redirect::Policy::none())
            .connect_timeout(options.timeout.min(Duration::from_secs(30)))
            .timeout(options.timeout);
        for certificate in certificates(options.ca_file.as_deref())? {
            builder = builder.add_root_certificate(certificate);
        }
        if let Some(proxy) = &options.proxy {
            // The error would contain the URL, and with it the password.
            let proxy = reqwest::Proxy::all(proxy.clone())
                .map_err(|_| setup("--proxy names no proxy that can be used".to_owned()))?;
            builder = builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_env()));
        }
        if options.http == HttpVersions::Http1Only {
            builder = builder.http1_only();
        }
        let client = builder.build().map_err(|error| setup(chain(&error)))?;
        let root = format!("{}/api/v3", options.base.as_str().trim_end_matches('/'));
        Ok(Self { client, root })
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpReply, TransportError> {
        let url = format!("{}{}", self.root, request.path);
        let builder = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url).form(&request.form),
        };
        let mut response = builder.send().await.map_err(failure)?;
        let header = |name| {
            let value: &HeaderValue = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let content_type = header(CONTENT_TYPE)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let mut reply = HttpReply {
            status: response.status().as_u16(),
            content_type: content_type
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            location: header(reqwest::header::LOCATION),
            retry_after_s: header(RETRY_AFTER).and_then(|seconds| seconds.trim().parse().ok()),
            date_s: header(reqwest::header::DATE).and_then(|date| http_date(&date)),
            body: Vec::new(),
        };
        while let Some(bytes) = response.chunk().await.map_err(failure)? {
            if reply.body.len() + bytes.len() > MAX_BODY_BYTES {
                return Err(TransportError::TooLarge);
            }
            reply.body.extend_from_slice(&bytes);
        }
        Ok(reply)
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: HttpRequest) -> Sending<'_> {
        Box::pin(async {
            let (method, path) = (request.method, request.path.clone());
            let reply = self.exchange(request).await;
            match &reply {
                Ok(reply) => tracing::info!(?method, %path, status = reply.status, "request"),
                Err(error) => tracing::warn!(?method, %path, %error, "request"),
            }
            reply
        })
    }
}

/// The usual form of dates in HTTP is that of mail (RFC 9110 section 5.6.7).
fn http_date(text: &str) -> Option<i64> {
    let time = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(time.timestamp().as_second())
}

/// The key goes over the network only encrypted; over loopback it stays on the
/// machine.
fn check_confidential(base: &Url) -> Result<(), TransportError> {
    let is_loopback = match base.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match base.scheme() {
        "https" => Ok(()),
        "http" if is_loopback => Ok(()),
        _ => Err(TransportError::Setup(format!(
            "`{base}` would send the API key in clear text; use https"
        ))),
    }
}

fn certificates(
    file: Option<&std::path::Path>,
) -> Result<Vec<reqwest::Certificate>, TransportError> {
    let Some(path) = file else {
        return Ok(Vec::new());
    };
    let unusable = |what: String| {
        TransportError::Setup(format!(
            "cannot use the certificates in `{}`: {what}",
            path.display()
        ))
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| unusable(chain(&e)))?;
    if found.is_empty() {
        return Err(unusable("there are none in PEM form".to_owned()));
    }
    Ok(found)
}

/// Converts reqwest's error, without the URL, which must not reach a log.
fn failure(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_timeout() {
        TransportError::Timeout
    } else if error.is_connect() {
        TransportError::Connect(chain(&error))
    } else {
        TransportError::Broken(chain(&error))
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_parsed() {
        assert_eq!(
            http_date("Thu, 01 Jan 1970 00:01:00 GMT"),
            Some(60),
            "RFC 9110"
        );
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn plain_http_is_allowed_only_to_loopback() {
        let check = |base: &str, is_ok: bool| {
            let base = Url::parse(base).unwrap();
            assert_eq!(check_confidential(&base).is_ok(), is_ok, "{base}");
        };
        check("https://www.virustotal.com", true);
        check("http://127.0.0.1:8080", true);
        check("http://[::1]:8080", true);
        check("http://localhost", true);
        check("http://www.virustotal.com", false);
        check("http://127.0.0.1.example.com", false);
        check("ftp://example.com", false);
    }
}
