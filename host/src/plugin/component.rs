//! What a component file declares, read without compiling it: its format, its
//! imports and exports, and the contract that it implements.

use wasmparser::{
    BinaryReader, BinaryReaderError, ComponentExport, ComponentImport, Encoding, Parser, Payload,
    ProducersSectionReader,
};

use super::PluginKind;
use super::builtin;
use super::error::{LoadError, listed};
use super::imports::{Import, with_functions};
use super::limits::PluginLimits;
use super::source::{PluginSource, digest_of};

/// The versions of the contracts that this host runs.
const SUPPORTED_CONTRACT: &str = "0.1";

/// Facts about a plugin that are known without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Parser or policy.
    pub kind: PluginKind,
    /// The version of the contract that it was built for: `0.1.0`.
    pub contract: String,
    /// Its size in bytes.
    pub bytes: usize,
    /// Its SHA-256 in hexadecimal.
    pub digest: String,
    /// The interfaces that it imports.
    pub imports: Vec<Import>,
    /// The interfaces that it exports.
    pub exports: Vec<String>,
}

/// Reads the facts about a plugin of either kind. Does not check whether this host
/// would run it.
///
/// # Errors
///
/// When it is not a component, or implements neither contract.
pub fn survey(source: &PluginSource, limits: &PluginLimits) -> Result<Survey, LoadError> {
    let kinds = [PluginKind::Policy, PluginKind::Parser];
    let built_in_kind = match source {
        PluginSource::BuiltIn(name) => kinds
            .into_iter()
            .find(|kind| builtin::find(*kind, name).is_some()),
        PluginSource::File(_) | PluginSource::Read { .. } => None,
    };
    let assumed_kind = built_in_kind.unwrap_or(PluginKind::Policy);
    let (source_name, bytes) = source.bytes(assumed_kind, limits)?;
    check_format(&source_name, &bytes)?;
    let names = ComponentNames::read(&source_name, &bytes)?;
    let (kind, contract) = names.contract(&source_name, assumed_kind)?;
    Ok(Survey {
        kind,
        contract: contract.to_owned(),
        bytes: bytes.len(),
        digest: digest_of(&bytes),
        imports: with_functions(&bytes, &names.imports),
        exports: names.exports,
    })
}

/// Refuses files that are not binary components.
pub(super) fn check_format(source_name: &str, bytes: &[u8]) -> Result<(), LoadError> {
    if Parser::is_component(bytes) {
        return Ok(());
    }
    let (found, advice) = if Parser::is_core_wasm(bytes) {
        ("a core WebAssembly module", advice_on_module(bytes))
    } else if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        (
            "precompiled machine code",
            "Use the .wasm file: compiled code cannot be checked and is never accepted",
        )
    } else if bytes.trim_ascii_start().starts_with(b"(") {
        (
            "WebAssembly text",
            "Convert it to a binary with `wasm-tools parse`",
        )
    } else if bytes.is_empty() {
        ("empty", "Copy or build it again")
    } else {
        (
            "not WebAssembly",
            "Check that the path names the .wasm file",
        )
    };
    Err(LoadError::NotAComponent {
        source_name: source_name.to_owned(),
        found,
        advice,
    })
}

/// How to make a component of a core module. The target of Rust is named unless the module
/// states another language.
fn advice_on_module(bytes: &[u8]) -> &'static str {
    if is_of_rust(bytes).unwrap_or(true) {
        "Make one of it with `vthost plugin componentize`, or in Rust build it with `--target wasm32-wasip2`"
    } else {
        "Make one of it with `vthost plugin componentize`"
    }
}

/// Whether the module's section `producers` names Rust as its language. `None` without such a
/// statement.
fn is_of_rust(bytes: &[u8]) -> Option<bool> {
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(Payload::CustomSection(section)) = payload else {
            continue;
        };
        if section.name() != "producers" {
            continue;
        }
        let data = BinaryReader::new(section.data(), section.data_offset());
        for field in ProducersSectionReader::new(data).ok()? {
            let field = field.ok()?;
            if field.name == "language" {
                let mut languages = field.values.into_iter().flatten();
                return Some(languages.any(|language| language.name == "Rust"));
            }
        }
    }
    None
}

/// The names of a component's imports and exports.
#[derive(Default)]
pub(super) struct ComponentNames {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

impl ComponentNames {
    /// Reads the names. Parses the whole file, so a truncated one is an error.
    pub(super) fn read(source_name: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        let mut names = Self::default();
        names
            .parse(bytes)
            .map_err(|error| LoadError::InvalidComponent {
                source_name: source_name.to_owned(),
                detail: error.to_string(),
            })?;
        Ok(names)
    }

    fn parse(&mut self, bytes: &[u8]) -> Result<(), BinaryReaderError> {
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { encoding, .. } => {
                    depth += 1;
                    if depth == 1 && encoding == Encoding::Module {
                        return Ok(());
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    let name = |import: ComponentImport<'_>| import.name.name.to_owned();
                    let names = section.into_iter().map(|import| import.map(name));
                    self.imports.extend(names.collect::<Result<Vec<_>, _>>()?);
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    let name = |export: ComponentExport<'_>| export.name.name.to_owned();
                    let names = section.into_iter().map(|export| export.map(name));
                    self.exports.extend(names.collect::<Result<Vec<_>, _>>()?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The contract that the component implements, and its version. `wanted` is for
    /// the message.
    fn contract(
        &self,
        source_name: &str,
        wanted: PluginKind,
    ) -> Result<(PluginKind, &str), LoadError> {
        let contract = self.exports.iter().find_map(|name| contract_of(name));
        contract.ok_or_else(|| LoadError::NotAPlugin {
            source_name: source_name.to_owned(),
            kind: wanted,
            exports: listed(&self.exports),
        })
    }

    /// Refuses a component that does not implement a supported version of the
    /// contract for plugins of this kind.
    pub(super) fn check_contract(
        &self,
        source_name: &str,
        wanted: PluginKind,
    ) -> Result<(), LoadError> {
        let (found, version) = self.contract(source_name, wanted)?;
        if found != wanted {
            return Err(LoadError::WrongKind {
                source_name: source_name.to_owned(),
                found,
                wanted,
            });
        }
        let mut numbers = version.split('.').map(str::parse::<u64>);
        let advice = match (numbers.next(), numbers.next()) {
            (Some(Ok(0)), Some(Ok(1))) => return Ok(()),
            (Some(Ok(0)), Some(Ok(0))) => {
                "Rebuild the plugin with the vthost-plugin crate of this vthost"
            }
            _ => "Upgrade vthost, or rebuild the plugin for a supported version",
        };
        Err(LoadError::WrongContract {
            source_name: source_name.to_owned(),
            kind: found,
            found: version.to_owned(),
            host: env!("CARGO_PKG_VERSION"),
            supported: SUPPORTED_CONTRACT,
            advice,
        })
    }
}

/// The contract and version of an export: `vthost:parser/parsing@0.1.0`.
fn contract_of(export: &str) -> Option<(PluginKind, &str)> {
    let (interface, version) = export.split_once('@')?;
    match interface {
        "vthost:parser/parsing" => Some((PluginKind::Parser, version)),
        "vthost:policy/judging" => Some((PluginKind::Policy, version)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_bounded() {
        assert_eq!(listed(&[]), "nothing");
        assert_eq!(listed(&["a".to_owned(), "b".to_owned()]), "a, b");
        let text = listed(&vec!["n".repeat(300); 66]);
        assert!(text.ends_with("n and 2 more"), "{text}");
        // 64 names of 200 bytes with separators, and the number of the others.
        assert_eq!(text.len(), 64 * 200 + 63 * 2 + " and 2 more".len());
    }
}
