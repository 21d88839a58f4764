//! Policies: whether to ask, and what the answer means.

use wasmtime::component::{InstancePre, ResourceAny};

use super::bindings::policy::exports::vthost::policy::judging as wit;
use super::bindings::policy::{Policy as Exports, PolicyPre};
use super::engine::Engine;
use super::error::{LoadError, Stop};
use super::guest::Guest;
use super::load::{self, PluginSource};
use super::sandbox::Sandbox;
use super::settings::PluginSettings;
use super::{Description, PluginId, PluginKind};
use crate::indicator::{Indicator, Kind};
use crate::sightings::Sightings;
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Report;

/// A loaded policy: compiled, checked, ready to open. Cheap to clone.
#[derive(Clone)]
pub struct Policy {
    engine: Engine,
    pre: InstancePre<Sandbox>,
    description: Description,
    settings: String,
}

/// Whether a request is worth spending on an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screening {
    /// Ask VirusTotal; a higher priority first.
    Ask {
        /// 0 is usual.
        priority: i32,
    },
    /// Do not ask, for this reason.
    Skip {
        /// The policy's words.
        reason: String,
    },
}

/// What a policy makes of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Bad, good or unknown.
    pub verdict: Verdict,
    /// Why, in one line.
    pub reason: String,
    /// Words to sort by.
    pub tags: Vec<String>,
    /// How bad, 0 to 100, where the policy grades.
    pub score: Option<u8>,
    /// Whether a host's report settles the URLs on it, where the policy says.
    pub settles: Option<bool>,
}

/// The most tags of a judgement, and the bytes of the longest. A policy's author
/// controls them; past either the judgement is not taken.
const MAX_TAGS: usize = 64;
const MAX_TAG_BYTES: usize = 256;

impl Policy {
    /// Loads, checks and once tries a policy under its settings.
    ///
    /// # Errors
    ///
    /// Every [`LoadError`].
    pub fn load(
        engine: &Engine,
        source: &PluginSource,
        settings: &PluginSettings,
    ) -> Result<Self, LoadError> {
        let loaded = load::load(engine, PluginKind::Policy, source)?;
        loaded.usable(PolicyPre::new(loaded.pre.clone()))?;
        let mut guest = start(engine, &loaded.pre).map_err(|stop| loaded.stopped(stop))?;
        let said = guest
            .call(|store, exports| exports.vthost_policy_judging().call_describe(store))
            .map_err(|stop| loaded.stopped(stop))?;
        let description = description(said, loaded.digest.clone());
        loaded.check_description(&description)?;
        let settings = settings.checked(
            &description.id,
            &loaded.source_name,
            &description.settings_schema,
        )?;
        let policy = Self {
            engine: engine.clone(),
            pre: loaded.pre.clone(),
            description,
            settings,
        };
        // The settings may fit the schema and still make no sense to the policy.
        match policy.open() {
            Ok(_) => Ok(policy),
            Err(Stop::Refused { message }) => Err(LoadError::Settings {
                plugin: policy.description.id,
                detail: message,
            }),
            Err(stop) => Err(loaded.stopped(stop)),
        }
    }

    /// What the policy says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Kind, name, version, digest.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.description.id
    }

    /// Its settings, in JSON.
    #[must_use]
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// Opens the policy in an instance of its own.
    ///
    /// # Errors
    ///
    /// When the policy refuses its settings, or a call does not end well.
    pub fn open(&self) -> Result<PolicySession, Stop> {
        let mut guest = start(&self.engine, &self.pre)?;
        let session = guest
            .call(|store, exports| {
                exports
                    .vthost_policy_judging()
                    .session()
                    .call_open(store, &self.settings)
            })?
            .map_err(|message| Stop::refused(message, self.engine.limits()))?;
        Ok(PolicySession {
            guest,
            session,
            value_bytes: self.engine.limits().value_bytes,
        })
    }
}

/// A policy being asked. After any [`Stop`] it is of no further use.
pub struct PolicySession {
    guest: Guest<Exports>,
    session: ResourceAny,
    value_bytes: usize,
}

impl PolicySession {
    /// The linear memory of the instance in bytes, at its most so far.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.guest.memory_bytes()
    }

    /// Asks whether a request is worth spending.
    ///
    /// # Errors
    ///
    /// When the call does not end well.
    pub fn screen(&mut self, sightings: &Sightings) -> Result<Screening, Stop> {
        let session = self.session;
        let said = self.guest.call(|store, exports| {
            exports.vthost_policy_judging().session().call_screen(
                store,
                session,
                &wit_sightings(sightings),
            )
        })?;
        Ok(match said {
            wit::Screening::Ask(priority) => Screening::Ask { priority },
            wit::Screening::Skip(reason) => Screening::Skip {
                reason: self.text("reason", reason)?,
            },
        })
    }

    /// Asks what a report means. `now_s` is seconds since 1970.
    ///
    /// # Errors
    ///
    /// When the call does not end well, or the judgement breaks the contract.
    pub fn judge(
        &mut self,
        sightings: &Sightings,
        subject: &Indicator,
        scope: Scope,
        report: &Report,
        now_s: i64,
    ) -> Result<Judgement, Stop> {
        let session = self.session;
        let report = wit_report(subject, scope, report);
        let said = self.guest.call(|store, exports| {
            exports.vthost_policy_judging().session().call_judge(
                store,
                session,
                &wit_sightings(sightings),
                &report,
                now_s,
            )
        })?;
        if let Some(score) = said.score.filter(|score| *score > 100) {
            return Err(Stop::BadValue {
                detail: format!("the score {score} is above 100"),
            });
        }
        check_tags(&said.tags)?;
        Ok(Judgement {
            verdict: said.verdict.into(),
            reason: self.text("reason", said.reason)?,
            tags: said.tags,
            score: said.score,
            settles: said.settles,
        })
    }

    fn text(&self, what: &str, text: String) -> Result<String, Stop> {
        if text.len() > self.value_bytes {
            return Err(Stop::BadValue {
                detail: format!(
                    "a {what} of {} bytes; the longest may have {}",
                    text.len(),
                    self.value_bytes
                ),
            });
        }
        Ok(text)
    }
}

fn check_tags(tags: &[String]) -> Result<(), Stop> {
    let bad = |detail| Err(Stop::BadValue { detail });
    if tags.len() > MAX_TAGS {
        let count = tags.len();
        return bad(format!("{count} tags; there may be {MAX_TAGS}"));
    }
    match tags.iter().map(String::len).max() {
        Some(bytes) if bytes > MAX_TAG_BYTES => bad(format!(
            "a tag of {bytes} bytes; the longest may have {MAX_TAG_BYTES}"
        )),
        _ => Ok(()),
    }
}

fn start(engine: &Engine, pre: &InstancePre<Sandbox>) -> Result<Guest<Exports>, Stop> {
    Guest::start(engine, pre, |store, instance| Exports::new(store, instance))
}

fn description(said: wit::Description, digest: String) -> Description {
    Description {
        id: PluginId {
            kind: PluginKind::Policy,
            name: said.name,
            version: said.version,
            digest,
        },
        licence: said.licence,
        summary: said.summary,
        formats: Vec::new(),
        settings_schema: said.settings_schema,
    }
}

fn wit_indicator(indicator: &Indicator) -> wit::Indicator {
    wit::Indicator {
        kind: match indicator.kind() {
            Kind::Url => wit::IndicatorKind::Url,
            Kind::Domain => wit::IndicatorKind::Domain,
            Kind::Ip => wit::IndicatorKind::Ip,
        },
        value: indicator.value().to_owned(),
        host: indicator.host().value().to_owned(),
    }
}

/// Whole seconds, rounded down.
fn seconds(us: i64) -> i64 {
    us.div_euclid(1_000_000)
}

fn wit_sightings(sightings: &Sightings) -> wit::Sightings {
    wit::Sightings {
        indicator: wit_indicator(&sightings.indicator),
        count: sightings.count,
        allowed: sightings.allowed,
        blocked: sightings.blocked,
        first: sightings.first_us.map(seconds),
        last: sightings.last_us.map(seconds),
        clients: u32::try_from(sightings.clients.len()).unwrap_or(u32::MAX),
    }
}

fn wit_report(subject: &Indicator, scope: Scope, report: &Report) -> wit::Report {
    let stats = report.stats.unwrap_or_default();
    wit::Report {
        subject: wit_indicator(subject),
        scope: match scope {
            Scope::Exact => wit::Scope::Exact,
            Scope::Host => wit::Scope::Host,
        },
        stats: wit::Stats {
            harmless: stats.harmless,
            malicious: stats.malicious,
            suspicious: stats.suspicious,
            undetected: stats.undetected,
            timeout: stats.timeout,
        },
        engines: report.engines.as_lines().to_owned(),
        reputation: report.reputation,
        votes_harmless: report.votes_harmless,
        votes_malicious: report.votes_malicious,
        categories: report
            .categories
            .iter()
            .map(|category| wit::Category {
                vendor: category.vendor.clone(),
                label: category.label.clone(),
            })
            .collect(),
        tags: report.tags.clone(),
        threat_names: report.threat_names.clone(),
        last_analysis: report.last_analysis,
        first_submission: report.first_submission,
        last_submission: report.last_submission,
        times_submitted: report.times_submitted,
        creation: report.creation,
        registrar: report.registrar.clone(),
        popularity: report
            .popularity
            .iter()
            .map(|rank| wit::Rank {
                list: rank.list.clone(),
                position: rank.position,
            })
            .collect(),
        owner: report.owner.clone(),
        asn: report.asn,
        country: report.country.clone(),
        network: report.network.clone(),
        attributes_json: report.attributes_json.clone(),
    }
}

impl From<wit::Verdict> for Verdict {
    fn from(verdict: wit::Verdict) -> Self {
        match verdict {
            wit::Verdict::Bad => Self::Bad,
            wit::Verdict::Good => Self::Good,
            wit::Verdict::Unknown => Self::Unknown,
        }
    }
}
