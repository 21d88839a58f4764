//! Policies: whether a request is worth sending, and what a report means.

use std::time::Duration;

use wasmtime::component::{InstancePre, ResourceAny};

use super::bindings::policy::exports::vthost::policy::judging as wit;
use super::bindings::policy::{Policy as Exports, PolicyPre};
use super::engine::Engine;
use super::error::{LoadError, Stop};
use super::guest::Guest;
use super::load;
use super::sandbox::Sandbox;
use super::settings::PluginSettings;
use super::source::PluginSource;
use super::{Description, PluginId, PluginKind};
use crate::indicator::{Indicator, Kind};
use crate::sightings::Sightings;
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Report;

/// A policy that is loaded, checked and ready to open. Cheap to clone.
#[derive(Clone)]
pub struct Policy {
    engine: Engine,
    pre: InstancePre<Sandbox>,
    description: Description,
    settings: String,
}

/// Whether to spend a request on an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screening {
    /// Ask VirusTotal, indicators with a higher priority first.
    Ask {
        /// The default is 0.
        priority: i32,
    },
    /// Do not ask.
    Skip {
        /// The policy's reason.
        reason: String,
    },
}

/// A policy's judgement of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Bad, good or unknown.
    pub verdict: Verdict,
    /// The reason, in one line.
    pub reason: String,
    /// Labels for sorting and filtering.
    pub tags: Vec<String>,
    /// The severity from 0 to 100, if the policy grades.
    pub score: Option<u8>,
    /// Whether a report on a host settles the URLs on it, if the policy decides that.
    pub settles: Option<bool>,
}

/// The limits on the number of a judgement's tags and on the length of each.
const MAX_TAGS: usize = 64;
const MAX_TAG_BYTES: usize = 256;

impl Policy {
    /// Loads and checks a policy, and opens it once with its settings.
    ///
    /// # Errors
    ///
    /// Every [`LoadError`].
    pub fn load(
        engine: &Engine,
        source: &PluginSource,
        settings: &PluginSettings,
    ) -> Result<Self, LoadError> {
        Self::load_with(engine, source, |_| Ok(settings.clone()))
    }

    /// As [`Policy::load`], with settings that depend on what the policy is.
    ///
    /// # Errors
    ///
    /// Every [`LoadError`], and those of `settings`.
    pub fn load_with<E: From<LoadError>>(
        engine: &Engine,
        source: &PluginSource,
        settings: impl FnOnce(&PluginId) -> Result<PluginSettings, E>,
    ) -> Result<Self, E> {
        let loaded = load::load(engine, PluginKind::Policy, source)?;
        loaded.usable(PolicyPre::new(loaded.pre.clone()))?;
        let mut guest = start(engine, &loaded.pre).map_err(|stop| loaded.stopped(stop))?;
        let described = guest
            .call(|store, exports| exports.vthost_policy_judging().call_describe(store))
            .map_err(|stop| loaded.stopped(stop))?;
        let description = description(described, loaded.digest.clone());
        loaded.check_description(&description)?;
        let settings = settings(&description.id)?.checked(
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
        // The policy may refuse settings that match its schema.
        match policy.open() {
            Ok(_) => Ok(policy),
            Err(Stop::Refused { message }) => Err(LoadError::Settings {
                plugin: policy.description.id,
                detail: message,
            }
            .into()),
            Err(stop) => Err(loaded.stopped(stop).into()),
        }
    }

    /// The policy's description of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Kind, name, version and digest.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.description.id
    }

    /// Its settings as JSON.
    #[must_use]
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// Opens the policy in a new instance.
    ///
    /// # Errors
    ///
    /// When the policy refuses its settings, or the call fails.
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

/// An open instance of a policy. After a [`Stop`] every later call fails, too.
pub struct PolicySession {
    guest: Guest<Exports>,
    session: ResourceAny,
    value_bytes: usize,
}

impl PolicySession {
    /// The linear memory of the instance in bytes. It never shrinks.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.guest.memory_bytes()
    }

    /// Sets a shorter deadline for the calls that follow.
    pub fn limit_calls(&mut self, timeout: Duration) {
        self.guest.set_timeout(timeout);
    }

    /// Sets the deadline of the plugin's limits again.
    pub fn reset_limit(&mut self) {
        let timeout = self.guest.limits().call_timeout;
        self.guest.set_timeout(timeout);
    }

    /// Asks whether to spend a request.
    ///
    /// # Errors
    ///
    /// When the call fails, or the reason is too long.
    pub fn screen(&mut self, sightings: &Sightings) -> Result<Screening, Stop> {
        let session = self.session;
        let screening = self.guest.call(|store, exports| {
            exports.vthost_policy_judging().session().call_screen(
                store,
                session,
                &wit_sightings(sightings),
            )
        })?;
        Ok(match screening {
            wit::Screening::Ask(priority) => Screening::Ask { priority },
            wit::Screening::Skip(reason) => Screening::Skip {
                reason: self.text("reason", reason)?,
            },
        })
    }

    /// Asks what a report means. `now_s` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// When the call fails, or the judgement violates the contract.
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
        let judgement = self.guest.call(|store, exports| {
            exports.vthost_policy_judging().session().call_judge(
                store,
                session,
                &wit_sightings(sightings),
                &report,
                now_s,
            )
        })?;
        if let Some(score) = judgement.score.filter(|score| *score > 100) {
            return Err(Stop::BadValue {
                detail: format!("the score {score} is above 100"),
            });
        }
        check_tags(&judgement.tags)?;
        Ok(Judgement {
            verdict: judgement.verdict.into(),
            reason: self.text("reason", judgement.reason)?,
            tags: judgement.tags,
            score: judgement.score,
            settles: judgement.settles,
        })
    }

    fn text(&self, what: &str, text: String) -> Result<String, Stop> {
        if text.len() > self.value_bytes {
            return Err(Stop::BadValue {
                detail: format!(
                    "a {what} of {} bytes; the limit is {}",
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
        return bad(format!("{count} tags; the limit is {MAX_TAGS}"));
    }
    match tags.iter().map(String::len).max() {
        Some(bytes) if bytes > MAX_TAG_BYTES => bad(format!(
            "a tag of {bytes} bytes; the limit is {MAX_TAG_BYTES}"
        )),
        _ => Ok(()),
    }
}

fn start(engine: &Engine, pre: &InstancePre<Sandbox>) -> Result<Guest<Exports>, Stop> {
    Guest::start(engine, pre, |store, instance| Exports::new(store, instance))
}

fn description(described: wit::Description, digest: String) -> Description {
    Description {
        id: PluginId {
            kind: PluginKind::Policy,
            name: described.name,
            version: described.version,
            digest,
        },
        licence: described.licence,
        summary: described.summary,
        formats: Vec::new(),
        settings_schema: described.settings_schema,
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
