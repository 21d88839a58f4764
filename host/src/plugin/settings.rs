//! Settings for a plugin, checked against its JSON Schema before any input is read.

use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use super::PluginId;
use super::error::LoadError;

/// The settings that the user gave for a plugin: a JSON object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PluginSettings(pub Map<String, Value>);

impl PluginSettings {
    /// Checks the settings and returns them as JSON text.
    ///
    /// # Errors
    ///
    /// [`LoadError::Settings`] naming the wrong key;
    /// [`LoadError::BadDescription`] when the schema is not a JSON Schema.
    pub(super) fn checked(
        &self,
        plugin: &PluginId,
        source_name: &str,
        schema: &str,
    ) -> Result<String, LoadError> {
        let settings = Value::Object(self.0.clone());
        if schema.is_empty() {
            self.check_empty(plugin)?;
        } else {
            let validator = validator(source_name, schema)?;
            let problems: Vec<String> = validator
                .iter_errors(&settings)
                .map(|error| describe(&error) + &known_keys(&error, schema))
                .collect();
            if !problems.is_empty() {
                return Err(LoadError::Settings {
                    plugin: plugin.clone(),
                    detail: problems.join("; "),
                });
            }
        }
        Ok(settings.to_string())
    }

    fn check_empty(&self, plugin: &PluginId) -> Result<(), LoadError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => Err(LoadError::Settings {
                plugin: plugin.clone(),
                detail: format!("`{key}` is not known: this plugin has no settings"),
            }),
        }
    }
}

fn validator(source_name: &str, schema: &str) -> Result<jsonschema::Validator, LoadError> {
    let bad = |detail: String| LoadError::BadDescription {
        source_name: source_name.to_owned(),
        detail: format!("its settings schema is not a JSON Schema: {detail}"),
    };
    let schema: Value = serde_json::from_str(schema).map_err(|error| bad(error.to_string()))?;
    jsonschema::validator_for(&schema).map_err(|error| bad(error.to_string()))
}

fn describe(error: &jsonschema::ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    let key = path.trim_start_matches('/');
    if key.is_empty() {
        error.to_string()
    } else {
        format!("`{key}`: {error}")
    }
}

/// The keys that the schema knows, for the error about one that it does not.
fn known_keys(error: &jsonschema::ValidationError<'_>, schema: &str) -> String {
    if !matches!(
        error.kind(),
        ValidationErrorKind::AdditionalProperties { .. }
    ) {
        return String::new();
    }
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let properties = schema.get("properties").and_then(Value::as_object);
    let keys: Vec<&str> = properties
        .into_iter()
        .flat_map(|properties| properties.keys().map(String::as_str))
        .collect();
    format!("; known: {}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::PluginKind;

    fn check(settings: Value, schema: &str) -> Result<String, String> {
        let Value::Object(map) = settings else {
            panic!("settings are an object")
        };
        let plugin = PluginId {
            kind: PluginKind::Policy,
            name: "p".into(),
            version: "1.0.0".into(),
            digest: String::new(),
        };
        PluginSettings(map)
            .checked(&plugin, "p.wasm", schema)
            .map_err(|error| error.to_string())
    }

    const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,
        "properties":{"min":{"type":"integer","minimum":1}}}"#;

    #[test]
    fn valid_settings_become_json_text() {
        assert_eq!(
            check(serde_json::json!({"min": 3}), SCHEMA),
            Ok(r#"{"min":3}"#.into())
        );
        assert_eq!(check(serde_json::json!({}), ""), Ok("{}".into()));
    }

    #[test]
    fn errors_name_the_invalid_key() {
        let check_names = |settings, schema, expected: &str| {
            let error = check(settings, schema).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check_names(serde_json::json!({"min": 0}), SCHEMA, "`min`");
        check_names(serde_json::json!({"max": 1}), SCHEMA, "max");
        check_names(serde_json::json!({"max": 1}), SCHEMA, "; known: min");
        check_names(serde_json::json!({"max": 1}), "", "`max` is not known");
        check_names(serde_json::json!({}), "[", "not a JSON Schema");
    }
}
