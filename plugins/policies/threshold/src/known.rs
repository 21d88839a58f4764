//! Lists of well-known infrastructure, such as public resolvers. A verdict on what is in one is
//! marked: a bad one is a reason to look twice, and stays bad.

use serde::Deserialize;

use super::{Allowed, allowed};
use vthost_plugin::policy::Indicator;

/// The list that is used if none is given.
const RESOLVERS: &str = include_str!("resolvers.json");

/// The setting `known`: entries as those of `allow`, or a MISP warning list.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum KnownSetting {
    Entries(Vec<String>),
    WarningList(WarningList),
}

/// A list in the format of <https://github.com/MISP/misp-warninglists>.
#[derive(Deserialize)]
pub(super) struct WarningList {
    name: String,
    #[serde(rename = "type", default)]
    kind: ListKind,
    list: Vec<String>,
}

/// How the entries of a warning list match.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ListKind {
    /// An address or a network.
    Cidr,
    /// A name and the names under it.
    Hostname,
    /// The whole value.
    #[default]
    String,
}

/// Well-known infrastructure.
pub(super) struct Known {
    name: String,
    entries: Vec<Allowed>,
}

impl Known {
    /// The list of a setting; without one the public resolvers.
    pub(super) fn new(setting: Option<&KnownSetting>) -> Result<Self, String> {
        let built_in: WarningList;
        let (name, kind, list) = match setting {
            Some(KnownSetting::Entries(list)) => ("list", ListKind::String, list),
            Some(KnownSetting::WarningList(warning)) => {
                (warning.name.as_str(), warning.kind, &warning.list)
            }
            None => {
                built_in = serde_json::from_str(RESOLVERS).map_err(|error| error.to_string())?;
                (built_in.name.as_str(), built_in.kind, &built_in.list)
            }
        };
        let entry = |text: &String| match kind {
            ListKind::Hostname if !text.starts_with('.') => allowed("known", &format!(".{text}")),
            _ => allowed("known", text),
        };
        Ok(Self {
            name: name.to_owned(),
            entries: list.iter().map(entry).collect::<Result<_, _>>()?,
        })
    }

    /// The name of the list, if it has the indicator or its host.
    pub(super) fn list_with(&self, indicator: &Indicator) -> Option<&str> {
        let mut entries = self.entries.iter();
        let is_known = entries.any(|entry| entry.covers(indicator));
        is_known.then_some(&self.name)
    }
}
