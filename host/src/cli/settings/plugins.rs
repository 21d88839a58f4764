//! The parsers and policies of a run, and their settings.

use anyhow::{Context as _, bail};
use rayon::prelude::*;
use serde_json::{Map, Value};

use crate::cli::args::PolicyArgs;
use crate::extraction::Parsers;
use crate::plugin::{
    Engine, Parser, Pins, PluginKind, PluginSettings, PluginSource, Policy, builtin,
};

/// The policies of a run, in their order.
pub(in crate::cli) struct PolicySettings {
    pub(super) names: Vec<String>,
    pub(super) config: Vec<String>,
}

impl PolicySettings {
    pub(super) fn new(args: PolicyArgs) -> Self {
        Self {
            names: args.policy,
            config: args.policy_config,
        }
    }

    /// Loads the policies, each with its settings.
    pub(in crate::cli) fn load(&self, engine: &Engine, pins: &Pins) -> anyhow::Result<Vec<Policy>> {
        let mut is_used = vec![false; self.config.len()];
        let mut policies: Vec<Policy> = Vec::new();
        for name in &self.names {
            let source = pins.admit(PluginSource::named(name), engine.limits())?;
            let policy = Policy::load_with(engine, &source, |id| {
                let mut config = Vec::new();
                for (item, is_used) in self.config.iter().zip(&mut is_used) {
                    if let Some(setting) = setting_for(item, &id.name, self.names.len()) {
                        config.push(setting.to_owned());
                        *is_used = true;
                    }
                }
                plugin_settings(&config)
            })?;
            policies.push(policy);
        }
        if let Some((item, _)) = self.config.iter().zip(is_used).find(|(_, used)| !used) {
            let names: Vec<&str> = policies.iter().map(|p| p.id().name.as_str()).collect();
            bail!(
                "`--policy-config {item}` names none of the policies; write NAME:KEY=VALUE, where NAME is one of: {}",
                names.join(", ")
            );
        }
        Ok(policies)
    }
}

/// The part of `item` that is for the policy of this name: all of it if there is one policy,
/// else what follows the policy's name.
fn setting_for<'a>(item: &'a str, name: &str, policies: usize) -> Option<&'a str> {
    let addressed = item.strip_prefix(name);
    match addressed.and_then(|rest| rest.strip_prefix(':')) {
        Some(setting) => Some(setting),
        None if policies == 1 => Some(item),
        None => None,
    }
}

/// Loads the parser of this name, or with `auto` all built-in ones.
pub(in crate::cli) fn parsers(
    engine: &Engine,
    name: &str,
    config: &[String],
    pins: &Pins,
) -> anyhow::Result<Parsers> {
    let settings = plugin_settings(config)?;
    if name != "auto" {
        let source = pins.admit(PluginSource::named(name), engine.limits())?;
        let parser = Parser::load(engine, &source, &settings)?;
        return Ok(Parsers::Named(Box::new(parser)));
    }
    if !settings.0.is_empty() {
        bail!("--parser-config needs a parser that is named with --parser");
    }
    let names = builtin::names(PluginKind::Parser);
    let all = names.into_par_iter().map(|name| {
        let source = PluginSource::BuiltIn(name.to_owned());
        Parser::load(engine, &source, &settings)
    });
    Ok(Parsers::Detected(all.collect::<Result<_, _>>()?))
}

/// Reads items of the form `KEY=VALUE`, `KEY=@FILE` and `@FILE`. A value that is JSON is taken as JSON, any
/// other as text. A later item replaces an earlier one with the same key.
pub(in crate::cli) fn plugin_settings(config: &[String]) -> anyhow::Result<PluginSettings> {
    let mut settings = Map::new();
    for item in config {
        if let Some(path) = item.strip_prefix('@') {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the settings `{path}`"))?;
            let object: Map<String, Value> = serde_json::from_str(&text)
                .with_context(|| format!("`{path}` is not a JSON object"))?;
            settings.extend(object);
        } else if let Some((key, value)) = item.split_once('=') {
            let value = match value.strip_prefix('@') {
                Some(path) => value_of_file(path)?,
                None => serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)),
            };
            settings.insert(key.to_owned(), value);
        } else {
            bail!("`{item}` is not a setting; write KEY=VALUE, KEY=@FILE or @FILE");
        }
    }
    Ok(PluginSettings(settings))
}

/// The value of a file: JSON, or a list of its lines without empty ones and comments.
fn value_of_file(path: &str) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the setting `{path}`"))?;
    Ok(serde_json::from_str(&text).unwrap_or_else(|_| {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn setting_is_json_if_it_parses_as_json() {
        let check = |config: &[&str], expected: Value| {
            let config: Vec<String> = config.iter().map(ToString::to_string).collect();
            let settings = plugin_settings(&config).unwrap();
            assert_eq!(Value::Object(settings.0), expected);
        };
        check(&[], json!({}));
        check(
            &["min=5", "name=ESET", "all=true"],
            json!({"min": 5, "name": "ESET", "all": true}),
        );
        check(
            &["allow=[\"a\",\"b\"]", "x=a=b"],
            json!({"allow": ["a", "b"], "x": "a=b"}),
        );
        assert!(plugin_settings(&["nothing".to_owned()]).is_err());
    }

    #[test]
    fn value_is_read_from_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let check = |content: &str, expected: Value| {
            let path = directory.path().join("value");
            std::fs::write(&path, content).unwrap();
            let settings = plugin_settings(&[format!("known=@{}", path.display())]).unwrap();
            assert_eq!(settings.0["known"], expected);
        };
        check(
            "# ours\n192.0.2.1\n\n .example.com\n",
            json!(["192.0.2.1", ".example.com"]),
        );
        check("{\"list\": [\"a\"]}", json!({"list": ["a"]}));
        assert!(plugin_settings(&["known=@missing".to_owned()]).is_err());
    }

    #[test]
    fn settings_are_read_from_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("settings.json");
        std::fs::write(&path, r#"{"min": 1, "max": 2}"#).unwrap();
        let config = [format!("@{}", path.display()), "max=3".to_owned()];
        let settings = plugin_settings(&config).unwrap();
        assert_eq!(Value::Object(settings.0), json!({"min": 1, "max": 3}));
    }
}
