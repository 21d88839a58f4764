//! The requests, and the meaning of each reply.

use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use crate::indicator::Indicator;

use super::transport::{HttpReply, HttpRequest, Method, Transport, TransportError};
use super::url_id;

/// One look-up that VirusTotal can answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// `GET /domains/{domain}`.
    Domain(String),
    /// `GET /ip_addresses/{ip}`.
    Address(IpAddr),
    /// `GET /urls/{sha256}`: reveals nothing that VirusTotal does not know.
    UrlBySha256(String),
    /// `GET /urls/{base64url}`: reveals the URL.
    UrlByBase64(String),
}

impl Question {
    /// Asks for the report on an indicator's host, or on a domain or address itself.
    #[must_use]
    pub fn of_host(indicator: &Indicator) -> Self {
        let host = indicator.host();
        let address = host.value().parse();
        address.map_or_else(|_| Self::Domain(host.value().to_owned()), Self::Address)
    }

    /// Asks for the report on a URL: by its SHA-256 if the URL is plain, else by its base64 form,
    /// which shows VirusTotal the URL.
    #[must_use]
    pub fn of_url(url: &Indicator) -> Self {
        url_id::plain_sha256(url).map_or_else(
            || Self::UrlByBase64(url_id::base64_id(url)),
            Self::UrlBySha256,
        )
    }

    /// The path below the API's root.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{self}")
    }
}

/// The stable form, which the store uses as a key: `domains/example.com`.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => write!(f, "domains/{name}"),
            Self::Address(address) => write!(f, "ip_addresses/{address}"),
            Self::UrlBySha256(id) | Self::UrlByBase64(id) => write!(f, "urls/{id}"),
        }
    }
}

/// VirusTotal's answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A report.
    Found {
        /// `data.id`.
        id: String,
        /// `data.attributes` as received.
        attributes_json: String,
    },
    /// VirusTotal has never seen the subject.
    NotFound,
    /// VirusTotal refuses the value (status 400). This is final.
    Refused {
        /// VirusTotal's error code.
        code: String,
        /// Its message.
        message: String,
    },
}

/// An accepted submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The analysis to poll.
    pub analysis_id: String,
}

/// An analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// The status.
    pub status: AnalysisStatus,
    /// `data.attributes`. Use it only when the analysis is completed.
    pub attributes_json: String,
}

/// The status of an analysis. Until it is completed, its results are partial, and too good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalysisStatus {
    /// `queued`, `in-progress`, and any other word.
    Unfinished,
    /// `completed`.
    Completed,
}

/// An account's quota for one period, and its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaUsage {
    /// Requests allowed.
    pub allowed: u64,
    /// Requests used.
    pub used: u64,
}

/// Why a request has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// 401: the key is missing, wrong or not active. Nothing else will work.
    #[error("VirusTotal does not accept the API key: {0}")]
    WrongKey(String),
    /// 403 by VirusTotal: the account lacks the permission.
    #[error("VirusTotal does not allow this request: {0}")]
    Forbidden(String),
    /// 429: the quota of the minute, the day or the month. VirusTotal does not state which.
    #[error("VirusTotal reports that the quota is used up: {message}")]
    QuotaExceeded {
        /// Its message.
        message: String,
        /// `Retry-After`, if present.
        retry_after_s: Option<u64>,
    },
    /// 424, 5xx, `NotAvailableYet`: may succeed later.
    #[error("VirusTotal answered {status}: {message}")]
    Transient {
        /// The HTTP status.
        status: u16,
        /// Its message.
        message: String,
    },
    /// 400 or 404 where that is not an answer.
    #[error("VirusTotal refuses the request: {0}")]
    Refused(String),
    /// Something else answered, such as a proxy or a captive portal.
    #[error("not VirusTotal but something on the way answered ({status}): {excerpt}")]
    NotVirusTotal {
        /// The HTTP status.
        status: u16,
        /// The beginning of the body, or the target of the redirect.
        excerpt: String,
    },
    /// An answer that is not in VirusTotal's format.
    #[error("VirusTotal's answer is malformed: {0}")]
    Malformed(String),
    /// No answer.
    #[error(transparent)]
    Network(#[from] TransportError),
}

impl Fault {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::QuotaExceeded { .. }
            | Self::Transient { .. }
            | Self::NotVirusTotal { .. }
            | Self::Malformed(_)
            | Self::Network(_) => true,
            Self::WrongKey(_) | Self::Forbidden(_) | Self::Refused(_) => false,
        }
    }

    /// Whether VirusTotal may have processed the request.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        matches!(
            self,
            Self::Network(
                TransportError::Timeout | TransportError::Broken(_) | TransportError::TooLarge
            ) | Self::Malformed(_)
        )
    }
}

/// VirusTotal's API over a transport. Each call is exactly one request.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
}

impl Client {
    /// A client over this transport.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Asks a question.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] but [`Fault::Refused`], which is an answer here.
    pub async fn report(&self, question: &Question) -> Result<Lookup, Fault> {
        let reply = self.get(question.path()).await?;
        match (reply.status, error_of(&reply)) {
            (404, Some((code, _))) if code == "NotFoundError" => Ok(Lookup::NotFound),
            (400, Some((code, message))) if code != "NotAvailableYet" => {
                Ok(Lookup::Refused { code, message })
            }
            _ => {
                let (id, attributes_json) = object(&reply)?;
                Ok(Lookup::Found {
                    id,
                    attributes_json,
                })
            }
        }
    }

    /// Submits a URL for a public scan.
    ///
    /// # Errors
    ///
    /// Every [`Fault`].
    pub async fn submit(&self, url: &str) -> Result<Submission, Fault> {
        let request = HttpRequest {
            method: Method::Post,
            path: "/urls".to_owned(),
            form: vec![("url".to_owned(), url.to_owned())],
        };
        let reply = self.transport.send(request).await?;
        let (analysis_id, _) = object(&reply)?;
        Ok(Submission { analysis_id })
    }

    /// Asks for an analysis. `None` while VirusTotal does not know it, as happens right after the
    /// submission.
    ///
    /// # Errors
    ///
    /// Every [`Fault`].
    pub async fn analysis(&self, id: &str) -> Result<Option<Analysis>, Fault> {
        let reply = self.get(format!("/analyses/{}", segment(id))).await?;
        if reply.status == 404 && error_of(&reply).is_some() {
            return Ok(None);
        }
        let (_, attributes_json) = object(&reply)?;
        let attributes: Value = serde_json::from_str(&attributes_json).unwrap_or_default();
        let status = match attributes.get("status").and_then(Value::as_str) {
            Some("completed") => AnalysisStatus::Completed,
            _ => AnalysisStatus::Unfinished,
        };
        Ok(Some(Analysis {
            status,
            attributes_json,
        }))
    }

    /// Checks that VirusTotal is reachable and accepts the key, by asking for an analysis that does
    /// not exist. This is free of charge. Returns the server's time, in seconds since 1970, if the
    /// reply has it.
    ///
    /// # Errors
    ///
    /// Every [`Fault`].
    pub async fn check(&self) -> Result<Option<i64>, Fault> {
        let reply = self.get("/analyses/vthost-check".to_owned()).await?;
        match fault_of_check(&reply) {
            None => Ok(reply.date_s),
            Some(fault) => Err(fault),
        }
    }

    /// Asks for the quotas of an account by period, as far as VirusTotal states them. Free of
    /// charge. `account` is the user name.
    ///
    /// # Errors
    ///
    /// Every [`Fault`].
    pub async fn overall_quotas(&self, account: &str) -> Result<Vec<(String, QuotaUsage)>, Fault> {
        let reply = self
            .get(format!("/users/{}/overall_quotas", segment(account)))
            .await?;
        let data = data_of(&reply)?;
        let number = |value: &Value, name: &str| value.get("user")?.get(name)?.as_u64();
        let quotas = data.as_object().into_iter().flatten();
        Ok(quotas
            .filter_map(|(name, value)| {
                let quota = QuotaUsage {
                    allowed: number(value, "allowed")?,
                    used: number(value, "used")?,
                };
                Some((name.clone(), quota))
            })
            .collect())
    }

    /// Asks how many polls of analyses the account sent from one day to another, both as
    /// `YYYYMMDD`: the charged ones and the free ones. Free of charge.
    ///
    /// # Errors
    ///
    /// Every [`Fault`].
    pub async fn analyses_asked(
        &self,
        account: &str,
        first_day: &str,
        last_day: &str,
    ) -> Result<(u64, u64), Fault> {
        let account = segment(account);
        let path = format!("/users/{account}/api_usage?start_date={first_day}&end_date={last_day}");
        let data = data_of(&self.get(path).await?)?;
        let count = |total: &str| {
            let count = data.get(total)?.get("/api/v3/(analyses)")?;
            count.as_u64()
        };
        Ok((
            count("total").unwrap_or(0),
            count("total_endpoints_not_consuming_quota").unwrap_or(0),
        ))
    }

    async fn get(&self, path: String) -> Result<HttpReply, TransportError> {
        let request = HttpRequest {
            method: Method::Get,
            path,
            form: Vec::new(),
        };
        self.transport.send(request).await
    }
}

/// The id and attributes of the object in an answer.
fn object(reply: &HttpReply) -> Result<(String, String), Fault> {
    let data = data_of(reply)?;
    let id = data.get("id").and_then(Value::as_str);
    let id = id.ok_or_else(|| Fault::Malformed("an object without an id".to_owned()))?;
    let attributes = data.get("attributes").filter(|value| value.is_object());
    let attributes_json = attributes.map_or_else(|| "{}".to_owned(), Value::to_string);
    Ok((id.to_owned(), attributes_json))
}

/// `data` of a successful reply, or the fault. The status is decisive, because a proxy may send
/// any body.
fn data_of(reply: &HttpReply) -> Result<Value, Fault> {
    if reply.status != 200 {
        return Err(fault_of(reply));
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
        return Err(if reply.content_type.contains("html") {
            not_virustotal(reply)
        } else {
            Fault::Malformed(format!("no JSON: {}", excerpt(&reply.body)))
        });
    };
    match body.get_mut("data").map(Value::take) {
        Some(data) if data.is_object() => Ok(data),
        _ => Err(Fault::Malformed(format!(
            "no data: {}",
            excerpt(&reply.body)
        ))),
    }
}

/// The fault of a status other than 200
/// (<https://docs.virustotal.com/reference/errors>).
fn fault_of(reply: &HttpReply) -> Fault {
    let status = reply.status;
    let Some((code, message)) = error_of(reply) else {
        return match status {
            200..=299 => Fault::Malformed(format!("status {status} without data")),
            429 => Fault::QuotaExceeded {
                message: "Too Many Requests".to_owned(),
                retry_after_s: reply.retry_after_s,
            },
            _ => not_virustotal(reply),
        };
    };
    let message = format!("{code}: {message}");
    match (status, code.as_str()) {
        (400, "NotAvailableYet") | (424 | 500..=599, _) => Fault::Transient { status, message },
        (401, _) => Fault::WrongKey(message),
        (403, _) => Fault::Forbidden(message),
        (429, _) => Fault::QuotaExceeded {
            message,
            retry_after_s: reply.retry_after_s,
        },
        (400..=499, _) => Fault::Refused(message),
        _ => Fault::Malformed(format!("status {status}: {message}")),
    }
}

/// The fault, unless the reply is the one that [`Client::check`] expects.
fn fault_of_check(reply: &HttpReply) -> Option<Fault> {
    let is_expected = matches!(reply.status, 400 | 404) && error_of(reply).is_some();
    if is_expected {
        return None;
    }
    data_of(reply).err()
}

/// The code and message of an error in VirusTotal's form.
fn error_of(reply: &HttpReply) -> Option<(String, String)> {
    if reply.status == 200 {
        return None;
    }
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    let error = body.get("error")?;
    let text = |name| error.get(name).and_then(Value::as_str).map(tidy);
    Some((text("code")?, text("message").unwrap_or_default()))
}

fn not_virustotal(reply: &HttpReply) -> Fault {
    Fault::NotVirusTotal {
        status: reply.status,
        excerpt: match &reply.location {
            Some(location) => format!("it points to {}", tidy(location)),
            None => excerpt(&reply.body),
        },
    }
}

/// The beginning of a body, for messages.
fn excerpt(body: &[u8]) -> String {
    if body.is_empty() {
        return "an empty body".to_owned();
    }
    tidy(&String::from_utf8_lossy(body))
}

/// Text from outside as one line of bounded length.
fn tidy(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(MAX_CHARS).collect()
}

/// Percent-encodes an identifier as one segment of a path (RFC 3986 section 3.3).
fn segment(id: &str) -> String {
    let mut encoded = String::new();
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, content_type: &str, body: &str) -> HttpReply {
        HttpReply {
            status,
            content_type: content_type.into(),
            body: body.into(),
            ..HttpReply::default()
        }
    }

    /// Sends the same reply to every request.
    struct FixedReply(HttpReply);

    impl Transport for FixedReply {
        fn send(&self, _request: HttpRequest) -> super::super::Sending<'_> {
            Box::pin(async { Ok(self.0.clone()) })
        }
    }

    fn ask(reply: HttpReply) -> Result<Lookup, Fault> {
        let client = Client::new(Arc::new(FixedReply(reply)));
        let question = Question::Domain("example.com".into());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(client.report(&question))
    }

    const JSON: &str = "application/json";

    fn error(status: u16, code: &str) -> HttpReply {
        let body = format!(r#"{{"error":{{"message":"words","code":"{code}"}}}}"#);
        reply(status, JSON, &body)
    }

    #[test]
    fn path_segments_are_percent_encoded() {
        assert_eq!(segment("u-1_a.b~"), "u-1_a.b~");
        assert_eq!(segment("a b/c?d+\u{e9}"), "a%20b%2Fc%3Fd%2B%C3%A9");
    }

    #[test]
    fn found_missing_and_refused_objects_are_answers() {
        let found = r#"{"data":{"id":"x","type":"domain","attributes":{"reputation":1}}}"#;
        assert_eq!(
            ask(reply(200, JSON, found)).unwrap(),
            Lookup::Found {
                id: "x".into(),
                attributes_json: r#"{"reputation":1}"#.into()
            }
        );
        assert_eq!(ask(error(404, "NotFoundError")).unwrap(), Lookup::NotFound);
        assert_eq!(
            ask(error(400, "InvalidArgumentError")).unwrap(),
            Lookup::Refused {
                code: "InvalidArgumentError".into(),
                message: "words".into()
            }
        );
    }

    #[test]
    fn each_error_reply_maps_to_its_fault() {
        let check = |reply: HttpReply, expected: &str, retryable: bool| {
            let fault = ask(reply.clone()).unwrap_err();
            let name = format!("{fault:?}");
            assert!(name.starts_with(expected), "{reply:?}: {name}");
            assert_eq!(fault.is_retryable(), retryable, "{name}");
        };
        check(error(400, "NotAvailableYet"), "Transient", true);
        check(error(401, "WrongCredentialsError"), "WrongKey", false);
        check(error(401, "UserNotActiveError"), "WrongKey", false);
        check(error(403, "ForbiddenError"), "Forbidden", false);
        check(error(424, "FailedDependencyError"), "Transient", true);
        check(error(429, "QuotaExceededError"), "QuotaExceeded", true);
        check(error(429, "TooManyRequestsError"), "QuotaExceeded", true);
        check(error(503, "TransientError"), "Transient", true);
        check(error(504, "DeadlineExceededError"), "Transient", true);
        check(error(409, "AlreadyExistsError"), "Refused", false);
        check(
            reply(403, "text/html", "<html>Blocked"),
            "NotVirusTotal",
            true,
        );
        check(
            reply(502, "text/html", "<html>Bad gateway"),
            "NotVirusTotal",
            true,
        );
        check(reply(404, "text/html", "<html>"), "NotVirusTotal", true);
        check(
            reply(200, "text/html", "<html>Log in"),
            "NotVirusTotal",
            true,
        );
        check(reply(204, "", ""), "Malformed", true);
        check(reply(200, JSON, r#"{"data":{"id"#), "Malformed", true);
        check(
            reply(200, JSON, r#"{"error":{"code":"x"}}"#),
            "Malformed",
            true,
        );
        check(reply(200, JSON, r#"{"data":{}}"#), "Malformed", true);
        let redirect = HttpReply {
            location: Some("http://elsewhere.example/".into()),
            ..reply(302, "", "")
        };
        check(redirect, "NotVirusTotal", true);
    }
}
