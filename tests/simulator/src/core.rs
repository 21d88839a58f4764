//! The simulator: computes a reply from a request, the time and the state.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::DEMO_KEY;
use crate::canonical::{canonical_url, url_id};
use crate::faults::{self, Effect, Fault};
use crate::knowledge::{Knowledge, Known, Stats, Unlisted};
use crate::objects;
use crate::quota::{Ledger, QuotaLimits};
use crate::usage::{self, Usage};

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A reply.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The content type; empty for none.
    pub content_type: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How it is delivered.
    pub delivery: Delivery,
}

/// How a reply is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// In full, at once.
    #[default]
    Whole,
    /// Not at all: the connection is reset.
    Reset,
    /// The connection ends in the middle.
    Cut,
    /// After a while.
    Slow {
        /// In milliseconds of real time.
        ms: u64,
    },
    /// As gzip that is none.
    CorruptGzip,
}

/// A request as it was seen, for tests to read.
#[derive(Debug, Clone)]
pub struct Logged {
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// `GET` or `POST`.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The reply's status; 0 for none.
    pub status: u16,
    /// Whether a fault was at work on it.
    pub has_fault: bool,
}

/// How the simulator behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The account's limits.
    pub limits: QuotaLimits,
    /// Whether a request over the limit counts too.
    pub charge_denied: bool,
    /// Whether such a request gets `TooManyRequestsError`.
    pub too_many: bool,
    /// Whether asking for an analysis counts.
    pub meter_analyses: bool,
    /// Whether submitting a URL counts.
    pub meter_submissions: bool,
    /// How long an analysis takes.
    pub analysis_ms: i64,
    /// How long at the end of it it is `in-progress`, with partial results.
    pub progress_ms: i64,
    /// URLs with this text never leave the queue.
    pub stuck: Option<String>,
    /// The reported time of an analysis, in seconds since 1970,
    /// whenever it was.
    pub dated_s: Option<i64>,
    /// How often a new analysis is not found at first.
    pub missing_reads: u32,
    /// Whether bodies come in chunks, without their length.
    pub is_chunked: bool,
    /// URLs that are not listed.
    pub unlisted_urls: Unlisted,
    /// Domains and addresses that are not listed.
    pub unlisted_hosts: Unlisted,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: QuotaLimits::default(),
            charge_denied: false,
            too_many: false,
            meter_analyses: true,
            meter_submissions: true,
            analysis_ms: 0,
            progress_ms: 0,
            stuck: None,
            dated_s: None,
            missing_reads: 0,
            is_chunked: false,
            unlisted_urls: Unlisted::NeverSeen,
            unlisted_hosts: Unlisted::Known,
        }
    }
}

/// VirusTotal, simulated.
#[derive(Debug)]
pub struct Simulator {
    /// How it behaves.
    pub options: Options,
    knowledge: Knowledge,
    accounts: BTreeMap<String, Account>,
    analyses: BTreeMap<String, Analysis>,
    urls: BTreeMap<String, String>,
    faults: Vec<Fault>,
    log: Vec<Logged>,
}

#[derive(Debug)]
struct Account {
    user: String,
    is_active: bool,
    ledger: Ledger,
    usage: Usage,
}

#[derive(Debug)]
struct Analysis {
    url: String,
    submitted_ms: i64,
    reads: u32,
    is_listed: bool,
}

impl Default for Simulator {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Simulator {
    /// A simulator that knows [`DEMO_KEY`] as the key of the user `demo`.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut simulator = Self {
            options,
            knowledge: Knowledge::default(),
            accounts: BTreeMap::new(),
            analyses: BTreeMap::new(),
            urls: BTreeMap::new(),
            faults: Vec::new(),
            log: Vec::new(),
        };
        simulator.add_account(DEMO_KEY, "demo");
        simulator
    }

    /// One that knows the four indicators of the article whose script vthost
    /// replaces, with the article's stats where it shows them.
    #[must_use]
    pub fn article(options: Options) -> Self {
        let mut simulator = Self::new(options);
        let stats = |malicious, suspicious| Stats {
            harmless: 77,
            malicious,
            suspicious,
            undetected: 10,
            timeout: 0,
        };
        simulator.know("milestone-of-se.nesuke.com", stats(0, 0));
        simulator.know("027.ru", stats(0, 1));
        simulator.know("1.1.1.1", stats(4, 0));
        simulator.know("103.9.36.172", stats(0, 0));
        simulator
    }

    /// Adds an account.
    pub fn add_account(&mut self, key: &str, user: &str) {
        let account = Account {
            user: user.to_owned(),
            is_active: true,
            ledger: Ledger::default(),
            usage: Usage::default(),
        };
        self.accounts.insert(key.to_owned(), account);
    }

    /// Takes an account's activation away.
    pub fn deactivate(&mut self, key: &str) {
        if let Some(account) = self.accounts.get_mut(key) {
            account.is_active = false;
        }
    }

    /// Lists a canonical URL, a domain or an address with these opinions.
    pub fn know(&mut self, name: &str, stats: Stats) {
        let known = Known {
            stats: Some(stats),
            analysed_s: 1_664_494_855,
        };
        self.know_as(name, known);
    }

    /// Sets when what is not listed was analysed, in seconds since 1970.
    pub fn set_analysed(&mut self, analysed_s: i64) {
        self.knowledge.analysed_s = analysed_s;
    }

    /// Lists a canonical URL, a domain or an address.
    pub fn know_as(&mut self, name: &str, known: Known) {
        self.knowledge.list(name, known);
        self.urls.insert(url_id(name), name.to_owned());
    }

    /// Adds a fault. Earlier ones go first.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// All requests so far.
    #[must_use]
    pub fn log(&self) -> &[Logged] {
        &self.log
    }

    /// Answers a request.
    pub fn handle(&mut self, now_ms: i64, request: &Request) -> Reply {
        self.finish_analyses(now_ms);
        let line = format!("{} {}", request.method, request.path);
        let effect = faults::take(&mut self.faults, &line);
        let reply = self.reply(now_ms, request, effect.as_ref());
        self.log.push(Logged {
            time_ms: now_ms,
            method: request.method.clone(),
            path: request.path.clone(),
            headers: request.headers.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            status: reply.status,
            has_fault: effect.is_some(),
        });
        reply
    }

    fn reply(&mut self, now_ms: i64, request: &Request, effect: Option<&Effect>) -> Reply {
        if let Some(reply) = effect.and_then(faults::instead) {
            return reply;
        }
        let mut reply = self.honest_reply(now_ms, request);
        if let Some(effect) = effect {
            faults::spoil(&mut reply, effect);
        }
        reply
    }

    fn honest_reply(&mut self, now_ms: i64, request: &Request) -> Reply {
        // A gateway may add a prefix to the path; vt-py with a host that
        // ends in a slash asks for `//api/v3/…`.
        let Some((_, path)) = request.path.split_once("/api/v3/") else {
            return Reply::error(404, "NotFoundError", "Resource not found.");
        };
        let path = path.split('?').next().unwrap_or(path).to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        let Some(key) = request.header("x-apikey").map(str::to_owned) else {
            let message = "X-Apikey header is missing";
            return Reply::error(401, "AuthenticationRequiredError", message);
        };
        let Some(account) = self.accounts.get_mut(&key) else {
            return Reply::error(401, "WrongCredentialsError", "Wrong API key");
        };
        if !account.is_active {
            return Reply::error(401, "UserNotActiveError", "User is not active");
        }
        let is_metered = match (request.method.as_str(), parts.as_slice()) {
            (_, ["users", _, "overall_quotas" | "api_usage"]) => false,
            (_, ["analyses", id, ..]) => {
                self.options.meter_analyses && self.analyses.contains_key(*id)
            }
            ("POST", ["urls"]) => self.options.meter_submissions,
            _ => true,
        };
        if is_metered {
            let is_allowed = account.ledger.allows(now_ms, &self.options.limits);
            if is_allowed || self.options.charge_denied {
                account.ledger.charge(now_ms);
            }
            if !is_allowed {
                let code = if self.options.too_many {
                    "TooManyRequestsError"
                } else {
                    "QuotaExceededError"
                };
                return Reply::error(429, code, "Quota exceeded");
            }
        }
        if let Some(endpoint) = usage::endpoint(&request.method, &parts) {
            account.usage.add(now_ms, endpoint, is_metered);
        }
        self.route(now_ms, request, &parts, &key)
    }

    fn route(&mut self, now_ms: i64, request: &Request, parts: &[&str], key: &str) -> Reply {
        match (request.method.as_str(), parts) {
            ("GET", ["domains", name]) => self.domain(name),
            ("GET", ["ip_addresses", name]) => self.address(name),
            ("GET", ["urls", id]) => self.url(id),
            ("POST", ["urls"]) => match request.form_field("url") {
                Some(url) => self.submit(now_ms, &url),
                None => Reply::error(400, "BadRequestError", "Missing URL"),
            },
            ("POST", ["urls", id, "analyse"]) => match self.url_of(id) {
                Some(url) => self.submit(now_ms, &url),
                None => not_found("URL", id),
            },
            ("GET", ["analyses", id]) => self.analysis(now_ms, id),
            ("GET", ["analyses", id, "item"]) => match self.analyses.get(*id) {
                Some(analysis) => {
                    let id = url_id(&analysis.url);
                    self.url(&id)
                }
                None => not_found("Analysis", id),
            },
            ("GET", ["users", user, "overall_quotas"]) => match self.account_of(user, key) {
                Some(account) => self.quotas(now_ms, account),
                None => forbidden(),
            },
            ("GET", ["users", user, "api_usage"]) => match self.account_of(user, key) {
                Some(account) => Reply::json(200, &account.usage.json(request.query())),
                None => forbidden(),
            },
            _ => Reply::error(404, "NotFoundError", "Resource not found."),
        }
    }

    fn domain(&self, name: &str) -> Reply {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if !name.contains('.') || !name.chars().all(is_plain) {
            let message = format!("\"{name}\" is not a valid domain pattern");
            return Reply::error(400, "InvalidArgumentError", &message);
        }
        match self.knowledge.find(name, self.options.unlisted_hosts) {
            Some(known) => Reply::json(200, &objects::domain(name, &known)),
            None => not_found("Domain", name),
        }
    }

    fn address(&self, name: &str) -> Reply {
        let Ok(address) = name.parse::<std::net::IpAddr>() else {
            let message = format!("\"{name}\" is not a valid IP address");
            return Reply::error(400, "InvalidArgumentError", &message);
        };
        // VirusTotal has an object for every address.
        let name = address.to_string();
        let known = self
            .knowledge
            .find(&name, Unlisted::Known)
            .unwrap_or(Known {
                stats: None,
                analysed_s: 0,
            });
        Reply::json(200, &objects::address(&name, &known))
    }

    fn url(&self, id: &str) -> Reply {
        let Some(url) = self.url_of(id) else {
            return not_found("URL", id);
        };
        match self.knowledge.find(&url, self.options.unlisted_urls) {
            Some(known) => Reply::json(200, &objects::url(&url_id(&url), &url, &known)),
            None => not_found("URL", id),
        }
    }

    /// The canonical URL of an identifier, if it is known or can
    /// be read out of it.
    fn url_of(&self, id: &str) -> Option<String> {
        let is_digest = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_digest {
            return self.urls.get(id).cloned();
        }
        let text = String::from_utf8(base64url(id)?).ok()?;
        canonical_url(&text).ok()
    }

    fn submit(&mut self, now_ms: i64, url: &str) -> Reply {
        let Ok(url) = canonical_url(url) else {
            return Reply::error(400, "InvalidArgumentError", "Unable to canonicalize url");
        };
        let id = format!("u-{}-{}", url_id(&url), now_ms.div_euclid(1000));
        self.urls.insert(url_id(&url), url.clone());
        self.analyses.entry(id.clone()).or_insert(Analysis {
            url,
            submitted_ms: now_ms,
            reads: 0,
            is_listed: false,
        });
        Reply::json(200, &objects::descriptor(&id))
    }

    /// Lists the results of the analyses that have had their time.
    fn finish_analyses(&mut self, now_ms: i64) {
        let dated_s = self.options.dated_s;
        let due = self.analyses.values_mut().filter(|analysis| {
            !analysis.is_listed && now_ms - analysis.submitted_ms >= self.options.analysis_ms
        });
        for analysis in due {
            let is_stuck = |text: &String| analysis.url.contains(text);
            if self.options.stuck.as_ref().is_some_and(is_stuck) {
                continue;
            }
            analysis.is_listed = true;
            let known = Known {
                stats: Some(self.knowledge.scan(&analysis.url)),
                analysed_s: dated_s.unwrap_or(analysis.submitted_ms.div_euclid(1000)),
            };
            self.knowledge.list(&analysis.url, known);
        }
    }

    fn analysis(&mut self, now_ms: i64, id: &str) -> Reply {
        let Some(analysis) = self.analyses.get_mut(id) else {
            return not_found("Analysis", id);
        };
        analysis.reads += 1;
        if analysis.reads <= self.options.missing_reads {
            return not_found("Analysis", id);
        }
        let age_ms = now_ms - analysis.submitted_ms;
        let submitted_s = analysis.submitted_ms.div_euclid(1000);
        let dated_s = self.options.dated_s.unwrap_or(submitted_s);
        let url = analysis.url.clone();
        let full = self.knowledge.scan(&url);
        let is_stuck = self
            .options
            .stuck
            .as_ref()
            .is_some_and(|text| url.contains(text));
        let (status, stats) =
            if is_stuck || age_ms < self.options.analysis_ms - self.options.progress_ms {
                (
                    "queued",
                    Stats {
                        harmless: 0,
                        malicious: 0,
                        suspicious: 0,
                        undetected: 0,
                        timeout: 0,
                    },
                )
            } else if age_ms < self.options.analysis_ms {
                // Who finds something answers last: a client that takes this for a
                // result errs towards good.
                let partial = Stats {
                    harmless: full.harmless / 2,
                    malicious: 0,
                    suspicious: 0,
                    ..full
                };
                ("in-progress", partial)
            } else {
                ("completed", full)
            };
        let id_and_url = (url_id(&url), url);
        let url = (id_and_url.0.as_str(), id_and_url.1.as_str());
        Reply::json(200, &objects::analysis(id, status, dated_s, stats, url))
    }

    /// The account of a key, if `user` is its name or the key itself.
    fn account_of(&self, user: &str, key: &str) -> Option<&Account> {
        let account = self.accounts.get(key)?;
        (account.user == user || key == user).then_some(account)
    }

    fn quotas(&self, now_ms: i64, account: &Account) -> Reply {
        let limits = &self.options.limits;
        let today = (limits.per_day, account.ledger.used_today(now_ms));
        let month = (limits.per_month, account.ledger.used());
        Reply::json(200, &objects::overall_quotas(today, month))
    }
}

impl Request {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The query, without its question mark.
    fn query(&self) -> &str {
        self.path.split_once('?').map_or("", |(_, query)| query)
    }

    /// A field of a form, URL-encoded or multipart.
    fn form_field(&self, name: &str) -> Option<String> {
        let content_type = self.header("content-type").unwrap_or_default();
        if let Some((_, boundary)) = content_type.split_once("boundary=") {
            return multipart_field(&self.body, boundary.trim_matches('"'), name);
        }
        let mut fields = form_urlencoded::parse(&self.body);
        fields
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.into_owned())
    }
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json; charset=utf-8".to_owned(),
            body: body.to_string().into_bytes(),
            ..Self::default()
        }
    }

    fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &objects::error(code, message))
    }
}

fn forbidden() -> Reply {
    Reply::error(
        403,
        "ForbiddenError",
        "You are not authorized to perform the requested operation",
    )
}

fn not_found(what: &str, id: &str) -> Reply {
    Reply::error(404, "NotFoundError", &format!("{what} \"{id}\" not found"))
}

/// The value of a field in a multipart form.
fn multipart_field(body: &[u8], boundary: &str, name: &str) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    let wanted = format!("name=\"{name}\"");
    let part = body
        .split(&format!("--{boundary}"))
        .find(|part| part.contains(&wanted))?;
    let (_, value) = part.split_once("\r\n\r\n")?;
    Some(value.trim_end_matches("\r\n").to_owned())
}

/// Base64url without padding; with padding it is no identifier.
fn base64url(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Request {
        Request {
            method: method.into(),
            path: path.into(),
            headers: vec![("x-apikey".into(), DEMO_KEY.into())],
            body: Vec::new(),
        }
    }

    fn submission(url: &str) -> Request {
        Request {
            body: format!("url={url}").into_bytes(),
            ..request("POST", "/api/v3/urls")
        }
    }

    fn body(reply: &Reply) -> Value {
        serde_json::from_slice(&reply.body).unwrap()
    }

    fn code(reply: &Reply) -> (u16, String) {
        (
            reply.status,
            body(reply)["error"]["code"]
                .as_str()
                .unwrap_or("")
                .to_owned(),
        )
    }

    #[test]
    fn keys_are_checked_before_all_else() {
        let mut simulator = Simulator::default();
        let mut ask = |key: Option<&str>| {
            let mut request = request("GET", "/api/v3/domains/example.com");
            request.headers = key
                .map(|key| ("x-apikey".into(), key.into()))
                .into_iter()
                .collect();
            code(&simulator.handle(0, &request))
        };
        assert_eq!(ask(None), (401, "AuthenticationRequiredError".into()));
        assert_eq!(ask(Some("wrong")), (401, "WrongCredentialsError".into()));
        simulator.deactivate(DEMO_KEY);
        let reply = simulator.handle(0, &request("GET", "/api/v3/domains/example.com"));
        assert_eq!(code(&reply), (401, "UserNotActiveError".into()));
    }

    #[test]
    fn the_fifth_request_in_a_minute_is_one_too_many() {
        let mut simulator = Simulator::default();
        let ask = request("GET", "/api/v3/domains/example.com");
        let mut status = |now_ms| simulator.handle(now_ms, &ask).status;
        assert_eq!([0, 1, 2, 3, 4].map(&mut status), [200, 200, 200, 200, 429]);
        assert_eq!(status(60_000), 200);
    }

    #[test]
    fn objects_are_found_by_name_and_by_both_identifiers() {
        let mut simulator = Simulator::new(Options {
            limits: QuotaLimits {
                per_window: 100,
                ..QuotaLimits::default()
            },
            ..Options::default()
        });
        simulator.know("http://example.com/a", Stats::BAD);
        let mut status = |path: &str| {
            simulator
                .handle(0, &request("GET", &format!("/api/v3/{path}")))
                .status
        };
        assert_eq!(status("domains/example.com"), 200);
        assert_eq!(status("domains/nothing"), 400);
        assert_eq!(status("ip_addresses/2001:db8::1"), 200);
        assert_eq!(status("ip_addresses/1.2.3"), 400);
        assert_eq!(
            status(&format!("urls/{}", url_id("http://example.com/a"))),
            200
        );
        assert_eq!(status("urls/aHR0cDovL2V4YW1wbGUuY29tL2E"), 200);
        assert_eq!(status("urls/aHR0cDovL2V4YW1wbGUuY29tL2E="), 404);
        assert_eq!(status("urls/aHR0cDovL2V4YW1wbGUuY29tL2I"), 404);
        assert_eq!(status("elsewhere"), 404);
    }

    #[test]
    fn an_analysis_ripens() {
        let mut simulator = Simulator::new(Options {
            analysis_ms: 100,
            progress_ms: 50,
            limits: QuotaLimits {
                per_window: 100,
                ..QuotaLimits::default()
            },
            ..Options::default()
        });
        let submitted =
            body(&simulator.handle(5_000, &submission("http%3A%2F%2Fevil.example.com")));
        let id = submitted["data"]["id"].as_str().unwrap().to_owned();
        let mut at = |now_ms| {
            let reply =
                simulator.handle(now_ms, &request("GET", &format!("/api/v3/analyses/{id}")));
            let attributes = body(&reply)["data"]["attributes"].clone();
            (
                attributes["status"].as_str().unwrap().to_owned(),
                attributes["stats"]["malicious"].as_u64(),
            )
        };
        assert_eq!(at(5_010), ("queued".into(), Some(0)));
        assert_eq!(at(5_060), ("in-progress".into(), Some(0)));
        assert_eq!(at(5_100), ("completed".into(), Some(7)));
    }

    #[test]
    fn polls_and_submissions_may_be_free() {
        let mut simulator = Simulator::new(Options {
            meter_analyses: false,
            meter_submissions: false,
            limits: QuotaLimits {
                per_day: 0,
                ..QuotaLimits::default()
            },
            ..Options::default()
        });
        let reply = simulator.handle(0, &submission("example.com"));
        let id = body(&reply)["data"]["id"].as_str().unwrap().to_owned();
        assert_eq!(
            simulator
                .handle(0, &request("GET", &format!("/api/v3/analyses/{id}")))
                .status,
            200
        );
        assert_eq!(
            simulator
                .handle(0, &request("GET", "/api/v3/domains/example.com"))
                .status,
            429
        );
        let quotas = simulator.handle(0, &request("GET", "/api/v3/users/demo/overall_quotas"));
        assert_eq!(quotas.status, 200);
        let other = simulator.handle(0, &request("GET", "/api/v3/users/other/overall_quotas"));
        assert_eq!(code(&other), (403, "ForbiddenError".into()));
    }

    #[test]
    fn what_was_asked_is_told_by_what_it_cost() {
        let mut simulator = Simulator::new(Options {
            meter_analyses: false,
            ..Options::default()
        });
        let day = 86_400_000;
        let submitted = body(&simulator.handle(0, &submission("example.com")));
        let id = submitted["data"]["id"].as_str().unwrap();
        for (now_ms, id) in [(0, id), (day, id), (day, "never-was")] {
            simulator.handle(now_ms, &request("GET", &format!("/api/v3/analyses/{id}")));
        }
        let mut usage = |query: &str| {
            let path = format!("/api/v3/users/demo/api_usage?{query}");
            body(&simulator.handle(day, &request("GET", &path)))["data"].take()
        };
        let all = usage("start_date=19700101&end_date=19700102");
        assert_eq!(all["total"]["/api/v3/(url_submission)"], 1);
        assert_eq!(all["daily"]["1970-01-01"]["/api/v3/(url_submission)"], 1);
        let free = "total_endpoints_not_consuming_quota";
        assert_eq!(all[free]["/api/v3/(analyses)"], 3);
        let second = usage("start_date=19700102&end_date=19700102");
        assert_eq!(second["total"], serde_json::json!({}));
        assert_eq!(second[free]["/api/v3/(analyses)"], 2);
    }

    #[test]
    fn a_multipart_form_is_read() {
        let mut simulator = Simulator::default();
        let mut multipart = request("POST", "/api/v3/urls");
        multipart.headers.push((
            "content-type".into(),
            "multipart/form-data; boundary=X".into(),
        ));
        multipart.body = b"--X\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\nhttp://example.com\r\n--X--\r\n".to_vec();
        assert_eq!(simulator.handle(0, &multipart).status, 200);
        assert_eq!(
            simulator.handle(0, &request("POST", "/api/v3/urls")).status,
            400
        );
        assert_eq!(
            code(&simulator.handle(0, &submission("ftp://example.com"))),
            (400, "InvalidArgumentError".into())
        );
    }

    #[test]
    fn faults_apply_as_often_as_told() {
        let mut simulator = Simulator::default();
        let effect = crate::Effect::Html(502);
        simulator.add_fault(Fault::new("GET .*/domains/", 2, effect).unwrap());
        let ask = request("GET", "/api/v3/domains/example.com");
        let statuses: Vec<u16> = (0..3)
            .map(|now| simulator.handle(now, &ask).status)
            .collect();
        assert_eq!(statuses, [502, 502, 200]);
        assert_eq!(simulator.log().len(), 3);
    }
}
