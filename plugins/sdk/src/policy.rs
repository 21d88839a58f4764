//! Policies: the trait to implement, and its arguments.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bindings::policy::exports::vthost::policy::judging as wit;

pub use wit::{
    Category, Indicator, IndicatorKind, Judgement, Rank, Report, Scope, Screening, Sightings,
    Stats, Verdict,
};

/// A rule.
pub trait Policy: Sized + 'static {
    /// The settings, as the schema in the description has them;
    /// [`NoSettings`] where there are none.
    type Settings: DeserializeOwned;

    /// The description of the policy.
    fn describe() -> Description;

    /// Takes the settings.
    ///
    /// # Errors
    ///
    /// A sentence for the user: what is wrong with them.
    fn open(settings: Self::Settings) -> Result<Self, String>;

    /// Whether an indicator is worth a request. By default, every indicator is.
    fn screen(&self, _seen: &Sightings) -> Screening {
        Screening::Ask(0)
    }

    /// What the report means. `now` is the time of the run, in seconds since
    /// 1970.
    fn judge(&self, seen: &Sightings, report: &Report, now: i64) -> Judgement;
}

/// The description of a policy; see the WIT.
pub struct Description {
    /// `strict`.
    pub name: &'static str,
    /// The plugin's version.
    pub version: &'static str,
    /// An SPDX expression.
    pub licence: &'static str,
    /// The rule in one sentence.
    pub summary: &'static str,
    /// A JSON Schema, or nothing.
    pub settings_schema: &'static str,
}

/// For plugins without settings.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

impl Judgement {
    /// Bad, for this reason.
    #[must_use]
    pub fn bad(reason: String) -> Self {
        Self::of(Verdict::Bad, reason)
    }

    /// Good, for this reason.
    #[must_use]
    pub fn good(reason: String) -> Self {
        Self::of(Verdict::Good, reason)
    }

    /// Not to be decided, for this reason.
    #[must_use]
    pub fn unknown(reason: String) -> Self {
        Self::of(Verdict::Unknown, reason)
    }

    /// The same with a tag.
    #[must_use]
    pub fn tagged(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// The same, and of a host's report also whether it settles the URLs on the
    /// host, so that no request is spent on them.
    #[must_use]
    pub fn settling(mut self, settles: bool) -> Self {
        self.settles = Some(settles);
        self
    }

    fn of(verdict: Verdict, reason: String) -> Self {
        Self {
            verdict,
            reason,
            tags: Vec::new(),
            score: None,
            settles: None,
        }
    }
}

impl Stats {
    /// How many engines answered.
    #[must_use]
    pub fn answered(&self) -> u32 {
        self.harmless + self.malicious + self.suspicious + self.undetected
    }
}

/// What an engine thinks, from the worst on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinion {
    /// Malicious.
    Malicious,
    /// Suspicious.
    Suspicious,
    /// Harmless.
    Harmless,
    /// No opinion for or against.
    Undetected,
    /// It gave no answer in time.
    Timeout,
    /// A word that this SDK does not know.
    Other,
}

impl Opinion {
    /// Reads VirusTotal's word.
    #[must_use]
    pub fn named(word: &str) -> Self {
        match word {
            "malicious" => Self::Malicious,
            "suspicious" => Self::Suspicious,
            "harmless" => Self::Harmless,
            "undetected" => Self::Undetected,
            "timeout" => Self::Timeout,
            _ => Self::Other,
        }
    }

    /// Whether it speaks against it.
    #[must_use]
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Malicious | Self::Suspicious)
    }
}

/// One engine of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Engine<'a> {
    /// `ESET`.
    pub name: &'a str,
    /// What it thinks.
    pub opinion: Opinion,
    /// What it calls the finding: `phishing`. Empty where it gives no name.
    pub label: &'a str,
}

impl<'a> Engine<'a> {
    /// Reads a line of a report's `engines`.
    fn read(line: &'a str) -> Option<Self> {
        let (name, rest) = line.split_once('\t')?;
        let (opinion, label) = rest.split_once('\t')?;
        Some(Self {
            name,
            opinion: Opinion::named(opinion),
            label,
        })
    }
}

impl Report {
    /// Every engine: those that speak against it first, then the others, each by
    /// name.
    pub fn engines(&self) -> impl Iterator<Item = Engine<'_>> {
        self.engines.lines().filter_map(Engine::read)
    }

    /// The engines that call it malicious or suspicious. Only their lines are
    /// read.
    pub fn accusers(&self) -> impl Iterator<Item = Engine<'_>> {
        self.engines().take_while(|engine| engine.opinion.is_bad())
    }
}

/// `the host example.com: ` where the report is a URL's host's, for the
/// beginning of a reason; else nothing.
#[must_use]
pub fn whose(report: &Report) -> String {
    match report.scope {
        Scope::Exact => String::new(),
        Scope::Host => format!("the host {}: ", report.subject.value),
    }
}

/// Engines by name with what they call it: `ESET (phishing), Sophos and 3 more`.
#[must_use]
pub fn named(engines: &[Engine]) -> String {
    const NAMED: usize = 5;
    let mut names: Vec<String> = engines
        .iter()
        .map(|engine| match engine.label {
            "" => engine.name.to_owned(),
            label => format!("{} ({label})", engine.name),
        })
        .collect();
    names.sort();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = names.join(", ");
    match more {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

/// The component that [`export_policy!`](crate::export_policy) exports.
#[doc(hidden)]
pub struct Component<P>(PhantomData<P>);

/// The policy under its settings, for the host.
#[doc(hidden)]
pub struct Session<P>(P);

impl<P: Policy> wit::Guest for Component<P> {
    type Session = Session<P>;

    fn describe() -> wit::Description {
        let said = P::describe();
        wit::Description {
            name: said.name.to_owned(),
            version: said.version.to_owned(),
            licence: said.licence.to_owned(),
            summary: said.summary.to_owned(),
            settings_schema: said.settings_schema.to_owned(),
        }
    }
}

impl<P: Policy> wit::GuestSession for Session<P> {
    fn open(settings: String) -> Result<wit::Session, String> {
        Ok(wit::Session::new(Self(open::<P>(&settings)?)))
    }

    fn screen(&self, seen: Sightings) -> Screening {
        self.0.screen(&seen)
    }

    fn judge(&self, seen: Sightings, report: Report, now: i64) -> Judgement {
        self.0.judge(&seen, &report, now)
    }
}

/// Opens a policy under settings in JSON.
pub(crate) fn open<P: Policy>(settings: &str) -> Result<P, String> {
    let settings = serde_json::from_str(settings).map_err(|error| error.to_string())?;
    P::open(settings)
}

/// Makes a [`Policy`](crate::policy::Policy) the component's policy.
#[macro_export]
macro_rules! export_policy {
    ($policy:ty) => {
        // A native library cannot export names with colons; there the plugin is
        // only tested.
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type VthostPolicyComponent = $crate::policy::Component<$policy>;
            $crate::bindings::policy::export_policy_world!(VthostPolicyComponent with_types_in $crate::bindings::policy);
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn(&str) -> Result<$policy, String> = $crate::testing::policy::<$policy>;
    };
}
