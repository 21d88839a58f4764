//! What a component imports, and what it gets. Interfaces that would give access to something
//! are refused by name before anything is compiled.

use wasmparser::component_types::ComponentEntityType;
use wasmparser::{Parser, ValidPayload, Validator, WasmFeatures};

use super::error::{LoadError, listed};

/// An interface that a component imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its name with the version: `wasi:cli/stderr@0.2.6`.
    pub name: String,
    /// The functions that the component can call. Empty for types only.
    pub functions: Vec<String>,
}

impl Import {
    /// What the plugin gets, or that it is refused.
    #[must_use]
    pub fn grant(&self) -> &'static str {
        match capability(&self.name) {
            Capability::Permitted(grant) => grant,
            _ => "refused",
        }
    }

    /// The name, with the functions if they are known.
    #[must_use]
    pub fn display(&self) -> String {
        const MAX_SHOWN: usize = 3;
        let mut shown = self.functions.iter().take(MAX_SHOWN).map(String::as_str);
        let mut text = match shown.next() {
            None => return self.name.clone(),
            Some(first) => format!("{}: {first}", self.name),
        };
        for function in shown {
            text = format!("{text}, {function}");
        }
        match self.functions.len().saturating_sub(MAX_SHOWN) {
            0 => text,
            more => format!("{text} and {more} more"),
        }
    }
}

/// Adds the functions to the names of imports. Without them if the component is not valid.
pub(super) fn with_functions(bytes: &[u8], names: &[String]) -> Vec<Import> {
    let types = component_types(bytes);
    let functions = |name: &str| -> Vec<String> {
        let Some(types) = types.as_ref().map(wasmparser::types::Types::as_ref) else {
            return Vec::new();
        };
        let import = types.component_item_for_import(name);
        match import.map(|import| import.ty) {
            Some(ComponentEntityType::Instance(id)) => {
                let exports = &types[id].exports;
                exports
                    .iter()
                    .filter(|(_, export)| matches!(export.ty, ComponentEntityType::Func(_)))
                    .map(|(name, _)| name.clone())
                    .collect()
            }
            _ => Vec::new(),
        }
    };
    let import = |name: &String| Import {
        name: name.clone(),
        functions: functions(name),
    };
    names.iter().map(import).collect()
}

/// The types of a component, without checking the bodies of its functions.
fn component_types(bytes: &[u8]) -> Option<wasmparser::types::Types> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut last = None;
    for payload in Parser::new(0).parse_all(bytes) {
        if let ValidPayload::End(types) = validator.payload(&payload.ok()?).ok()? {
            last = Some(types);
        }
    }
    last
}

/// Whether a component that wasmtime refuses uses the asynchronous ABI: it is valid with the
/// features for that, and not without them.
pub(super) fn is_asynchronous(bytes: &[u8]) -> bool {
    let all = WasmFeatures::all();
    let synchronous = all
        - (WasmFeatures::CM_ASYNC
            | WasmFeatures::CM_ASYNC_STACKFUL
            | WasmFeatures::CM_MORE_ASYNC_BUILTINS
            | WasmFeatures::CM_THREADING
            | WasmFeatures::CM_ERROR_CONTEXT);
    let is_valid = |features| {
        let mut validator = Validator::new_with_features(features);
        validator.validate_all(bytes).is_ok()
    };
    is_valid(all) && !is_valid(synchronous)
}

/// Refuses a component that imports an interface that the sandbox does not provide.
pub(super) fn check_imports(
    source_name: &str,
    bytes: &[u8],
    imports: &[String],
) -> Result<(), LoadError> {
    let mut refused: Vec<String> = Vec::new();
    let mut capabilities: Vec<Capability> = Vec::new();
    for import in imports {
        let capability = capability(import);
        if !matches!(capability, Capability::Permitted(_)) {
            refused.push(import.clone());
            if !capabilities.contains(&capability) {
                capabilities.push(capability);
            }
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = capabilities.iter().map(|what| what.name()).collect();
    let advice: Vec<&str> = capabilities.iter().map(|what| what.advice()).collect();
    let refused = with_functions(bytes, &refused);
    let shown: Vec<String> = refused.iter().map(Import::display).collect();
    Err(LoadError::Forbidden {
        source_name: source_name.to_owned(),
        what: names.join(", "),
        imports: listed(&shown),
        advice: advice.join(". "),
    })
}

/// What an import would give access to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Capability {
    /// Nothing; in words, what the plugin gets.
    Permitted(&'static str),
    Sockets,
    Http,
    /// WASI 0.3, whose interfaces are asynchronous.
    Preview3,
    Unknown,
}

impl Capability {
    fn name(self) -> &'static str {
        match self {
            Self::Permitted(grant) => grant,
            Self::Sockets | Self::Http => "the network",
            Self::Preview3 => "interfaces of WASI 0.3",
            Self::Unknown => "interfaces that this host does not have",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Permitted(_) => "",
            Self::Sockets => {
                "Only the host sends requests to VirusTotal. If the code does not use sockets, remove the import: `--stub-wasi` of componentize-py and componentize-qjs does that"
            }
            Self::Http => {
                "Only the host sends requests to VirusTotal. If the code does not use HTTP, remove the import: `--disable http fetch-event` of componentize-js does that"
            }
            Self::Preview3 => {
                "This vthost runs components of WASI 0.2: build for `wasm32-wasip2`, with componentize-qjs use `--sync --stub-wasi`, with componentize-py `--stub-wasi`"
            }
            Self::Unknown => {
                "A plugin can import wasi:io, wasi:cli, wasi:random, wasi:clocks and wasi:filesystem of WASI 0.2"
            }
        }
    }
}

/// What the interface with this name gives.
fn capability(import: &str) -> Capability {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let package = interface.split('/').next().unwrap_or(interface);
    let grant = match package {
        "wasi:sockets" => return Capability::Sockets,
        "wasi:http" => return Capability::Http,
        "wasi:io" => "streams and polling",
        "wasi:random" => "the same numbers in every run",
        "wasi:clocks" => "a clock that does not advance; waiting ends the call",
        "wasi:filesystem" => "no folder and no file",
        "wasi:cli" => match interface {
            "wasi:cli/environment" => "no variables, no arguments, no folder",
            "wasi:cli/exit" => "ends the call with an error",
            "wasi:cli/stdin" => "an empty input",
            "wasi:cli/stdout" => "discarded; `plugin run` and `plugin test` print it",
            "wasi:cli/stderr" => "kept for error messages; `plugin run` and `plugin test` print it",
            _ => "no terminal",
        },
        _ => return Capability::Unknown,
    };
    let mut numbers = version.split('.');
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some("0"), Some("2"), Some(patch)) if patch.parse::<u64>().is_ok() => {
            Capability::Permitted(grant)
        }
        (Some("0"), Some("3"), _) => Capability::Preview3,
        _ => Capability::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_functions_are_shortened() {
        let import = |functions: &[&str]| {
            let import = Import {
                name: "a:b/c@1.0.0".to_owned(),
                functions: functions.iter().map(ToString::to_string).collect(),
            };
            import.display()
        };
        assert_eq!(import(&[]), "a:b/c@1.0.0");
        assert_eq!(import(&["f"]), "a:b/c@1.0.0: f");
        assert_eq!(import(&["f", "g", "h"]), "a:b/c@1.0.0: f, g, h");
        assert_eq!(
            import(&["f", "g", "h", "i", "j"]),
            "a:b/c@1.0.0: f, g, h and 2 more"
        );
    }

    #[test]
    fn only_version_2_of_wasi_is_permitted() {
        let is_permitted = |version: &str| {
            let capability = capability(&format!("wasi:io/poll{version}"));
            matches!(capability, Capability::Permitted(_))
        };
        for version in ["@0.2.0", "@0.2.12"] {
            assert!(is_permitted(version), "{version}");
        }
        for version in ["", "@0.2.0-rc-2023-11-10", "@0.3.0", "@1.0.0"] {
            assert!(!is_permitted(version), "{version}");
        }
    }
}
