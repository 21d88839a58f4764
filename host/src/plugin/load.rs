//! From bytes to a component that may be run: the checks, from cheap to dear,
//! each with its own words.

use std::borrow::Cow;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};
use wasmtime::component::{Component, InstancePre};

use super::builtin;
use super::engine::Engine;
use super::error::{LoadError, Stop};
use super::limits::PluginLimits;
use super::sandbox::Sandbox;
use super::{Description, PluginKind};

/// The versions of the contracts that this host runs.
const SUPPORTED_CONTRACT: &str = "0.1";

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginSource {
    /// One that is embedded in the program, by name.
    BuiltIn(String),
    /// A component file.
    File(PathBuf),
    /// A component file that has been read: what is checked of it is what runs,
    /// whatever becomes of the file.
    Read {
        /// The file.
        path: PathBuf,
        /// What was in it.
        bytes: Arc<[u8]>,
    },
}

impl PluginSource {
    /// The same with its file read, if it is one.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is larger than `limits` allow.
    pub fn read(self, limits: &PluginLimits) -> Result<Self, LoadError> {
        match self {
            Self::File(path) => Ok(Self::Read {
                bytes: read_file(&path, limits)?.into(),
                path,
            }),
            source => Ok(source),
        }
    }

    /// Reads what a user wrote: a path when it has a directory separator or
    /// ends in `.wasm`, else a built-in plugin's name.
    #[must_use]
    pub fn named(text: &str) -> Self {
        let looks_like_path = text.contains(['/', '\\'])
            || Path::new(text)
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("wasm"));
        if looks_like_path {
            Self::File(PathBuf::from(text))
        } else {
            Self::BuiltIn(text.to_owned())
        }
    }
}

/// A component that passed every check that can be made without running it.
pub(super) struct Loaded {
    pub(super) pre: InstancePre<Sandbox>,
    /// For messages: `` `squid.wasm` `` or `built-in squid`.
    pub(super) source_name: String,
    pub(super) digest: String,
}

impl Loaded {
    /// Takes what wasmtime says of the exports' types.
    pub(super) fn usable<T>(&self, typed: wasmtime::Result<T>) -> Result<T, LoadError> {
        typed.map_err(|error| unusable(&self.source_name, &error))
    }

    /// The error for a plugin that stopped while it was tried.
    pub(super) fn stopped(&self, stop: Stop) -> LoadError {
        match stop {
            // A component of the right names and the wrong types shows here.
            Stop::Result { detail } => LoadError::Unusable {
                source_name: self.source_name.clone(),
                detail,
            },
            stop => LoadError::Stopped {
                source_name: self.source_name.clone(),
                stop,
            },
        }
    }

    /// Refuses a description that could not be shown or referred to.
    pub(super) fn check_description(&self, description: &Description) -> Result<(), LoadError> {
        match description.fault() {
            None => Ok(()),
            Some(detail) => Err(LoadError::BadDescription {
                source_name: self.source_name.clone(),
                detail,
            }),
        }
    }
}

/// Reads and checks a plugin of `kind`.
pub(super) fn load(
    engine: &Engine,
    kind: PluginKind,
    source: &PluginSource,
) -> Result<Loaded, LoadError> {
    let limits = engine.limits();
    let (source_name, bytes) = read(kind, source, limits)?;
    check_kind_of_bytes(&source_name, &bytes)?;
    let names = top_level_names(&source_name, &bytes)?;
    check_contract(&source_name, kind, &names.exports)?;
    check_imports(&source_name, &names.imports)?;
    let digest = digest_of(&bytes);
    let component =
        compiled(engine, &source_name, &bytes, &digest).map_err(|error| LoadError::Damaged {
            source_name: source_name.clone(),
            detail: format!("{error:#}"),
        })?;
    let pre = engine.linker.instantiate_pre(&component);
    Ok(Loaded {
        pre: pre.map_err(|error| unusable(&source_name, &error))?,
        source_name,
        digest,
    })
}

/// The component's machine code: kept from an earlier run, or compiled now.
fn compiled(
    engine: &Engine,
    source_name: &str,
    bytes: &[u8],
    digest: &str,
) -> wasmtime::Result<Component> {
    if let Some(cache) = &engine.cache
        && let Some(component) = cache.find(&engine.wasm, digest)
    {
        return Ok(component);
    }
    engine.listener.compiling(source_name, bytes.len());
    let component = Component::from_binary(&engine.wasm, bytes)?;
    if let Some(cache) = &engine.cache {
        cache.keep(&engine.wasm, digest, &component);
    }
    Ok(component)
}

/// What can be told of a plugin without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Parser or policy.
    pub kind: PluginKind,
    /// The contract's version that it was built for: `0.1.0`.
    pub contract: String,
    /// Its size in bytes.
    pub bytes: usize,
    /// SHA-256, in hexadecimal.
    pub digest: String,
    /// What it imports: its manifest of wishes.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
}

/// Looks at a plugin of whichever kind, without running it, and without asking
/// whether it would be.
///
/// # Errors
///
/// When it is no component, or none of either contract.
pub fn survey(source: &PluginSource, limits: &PluginLimits) -> Result<Survey, LoadError> {
    let kinds = [PluginKind::Policy, PluginKind::Parser];
    // A built-in name may be of either kind.
    let kind = match source {
        PluginSource::BuiltIn(name) => kinds
            .into_iter()
            .find(|kind| builtin::find(*kind, name).is_some()),
        PluginSource::File(_) | PluginSource::Read { .. } => None,
    };
    let (source_name, bytes) = read(kind.unwrap_or(PluginKind::Policy), source, limits)?;
    check_kind_of_bytes(&source_name, &bytes)?;
    let Names { imports, exports } = top_level_names(&source_name, &bytes)?;
    let Some((kind, contract)) = exports.iter().find_map(|name| contract_of(name)) else {
        return Err(LoadError::NotAPlugin {
            source_name,
            kind: kind.unwrap_or(PluginKind::Policy),
            exports: listed(&exports),
        });
    };
    Ok(Survey {
        kind,
        contract: contract.to_owned(),
        bytes: bytes.len(),
        digest: digest_of(&bytes),
        imports,
        exports,
    })
}

fn unusable(source_name: &str, error: &wasmtime::Error) -> LoadError {
    LoadError::Unusable {
        source_name: source_name.to_owned(),
        detail: format!("{error:#}"),
    }
}

/// A plugin's name for messages, and its bytes.
fn read<'a>(
    kind: PluginKind,
    source: &'a PluginSource,
    limits: &PluginLimits,
) -> Result<(String, Cow<'a, [u8]>), LoadError> {
    match source {
        PluginSource::BuiltIn(name) => {
            let found = builtin::find(kind, name).ok_or_else(|| LoadError::Unknown {
                kind,
                name: name.clone(),
                known: builtin::names(kind).join(", "),
            })?;
            Ok((format!("built-in {name}"), found.bytes.into()))
        }
        PluginSource::File(path) => Ok((quoted(path), read_file(path, limits)?.into())),
        PluginSource::Read { path, bytes } => Ok((quoted(path), Cow::Borrowed(bytes))),
    }
}

fn quoted(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// A file's bytes, as long as they are no more than a plugin may have.
fn read_file(path: &Path, limits: &PluginLimits) -> Result<Vec<u8>, LoadError> {
    let io = |source| LoadError::Read {
        path: path.to_owned(),
        source,
    };
    let within = |bytes: u64| match bytes > limits.file_bytes {
        true => Err(LoadError::TooLarge {
            source_name: quoted(path),
            bytes,
            limit_bytes: limits.file_bytes,
        }),
        false => Ok(()),
    };
    let file = std::fs::File::open(path).map_err(io)?;
    within(file.metadata().map_err(io)?.len())?;
    let mut bytes = Vec::new();
    // It may grow while it is read, and what is no file has no length.
    let mut file = file.take(limits.file_bytes.saturating_add(1));
    file.read_to_end(&mut bytes).map_err(io)?;
    within(bytes.len() as u64)?;
    Ok(bytes)
}

/// Tells a component from all that is mistaken for one.
fn check_kind_of_bytes(source_name: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let not = |found, advice| {
        Err(LoadError::NotAComponent {
            source_name: source_name.to_owned(),
            found,
            advice,
        })
    };
    if Parser::is_component(bytes) {
        return Ok(());
    }
    if Parser::is_core_wasm(bytes) {
        return not(
            "a core WebAssembly module",
            "Build it with `--target wasm32-wasip2`",
        );
    }
    if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return not(
            "precompiled machine code",
            "Give the .wasm file itself: compiled code cannot be checked and is never accepted",
        );
    }
    if bytes.trim_ascii_start().starts_with(b"(") {
        return not(
            "WebAssembly text",
            "Turn it into a binary with `wasm-tools parse`",
        );
    }
    if bytes.is_empty() {
        return not("empty", "Copy or build it again");
    }
    not(
        "not WebAssembly",
        "Check that the path names the .wasm file",
    )
}

struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

/// The names of what a component imports and exports, read without compiling.
/// The whole file is walked, so that a truncated one is found here.
fn top_level_names(source_name: &str, bytes: &[u8]) -> Result<Names, LoadError> {
    let damaged = |error: wasmparser::BinaryReaderError| LoadError::Damaged {
        source_name: source_name.to_owned(),
        detail: error.to_string(),
    };
    let mut names = Names {
        imports: Vec::new(),
        exports: Vec::new(),
    };
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(damaged)? {
            Payload::Version { encoding, .. } => {
                depth += 1;
                if depth == 1 && encoding == Encoding::Module {
                    return Ok(names);
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    names
                        .imports
                        .push(import.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    names
                        .exports
                        .push(export.map_err(damaged)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

fn check_contract(
    source_name: &str,
    wanted: PluginKind,
    exports: &[String],
) -> Result<(), LoadError> {
    let Some((found, version)) = exports.iter().find_map(|name| contract_of(name)) else {
        return Err(LoadError::NotAPlugin {
            source_name: source_name.to_owned(),
            kind: wanted,
            exports: listed(exports),
        });
    };
    if found != wanted {
        return Err(LoadError::WrongKind {
            source_name: source_name.to_owned(),
            found,
            wanted,
        });
    }
    let mut numbers = version.split('.').map(str::parse::<u64>);
    let pair = (numbers.next(), numbers.next());
    let advice = match pair {
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

/// `vthost:parser/parsing@0.1.0` is the parser contract, version 0.1.0.
fn contract_of(export: &str) -> Option<(PluginKind, &str)> {
    let (interface, version) = export.split_once('@')?;
    match interface {
        "vthost:parser/parsing" => Some((PluginKind::Parser, version)),
        "vthost:policy/judging" => Some((PluginKind::Policy, version)),
        _ => None,
    }
}

fn check_imports(source_name: &str, imports: &[String]) -> Result<(), LoadError> {
    let mut refused: Vec<String> = Vec::new();
    let mut reached: Vec<Reached> = Vec::new();
    for import in imports {
        if let Some(what) = reached_by(import) {
            refused.push(import.clone());
            if !reached.contains(&what) {
                reached.push(what);
            }
        }
    }
    let Some(first) = reached.first() else {
        return Ok(());
    };
    let words: Vec<&str> = reached.iter().map(|what| what.words()).collect();
    Err(LoadError::Forbidden {
        source_name: source_name.to_owned(),
        what: words.join(", "),
        imports: listed(&refused),
        advice: match reached.len() {
            1 => first.advice(),
            _ => {
                "componentize-py and componentize-qjs leave all of them away with `--stub-wasi`; other tools link them for what is never called"
            }
        },
    })
}

/// What an import reaches that plugins do not get.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    Clock,
    Files,
    Network,
    Unknown,
}

impl Reached {
    fn words(self) -> &'static str {
        match self {
            Self::Clock => "the clock",
            Self::Files => "the file system",
            Self::Network => "the network",
            Self::Unknown => "more than this host has",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Clock => {
                "A common cause is std::time::Instant or thread::sleep; a policy is given the time"
            }
            Self::Files => "Settings are the way to hand data to a plugin",
            Self::Network => "Only the host talks to VirusTotal",
            Self::Unknown => "A plugin is linked with wasi:io, wasi:cli and wasi:random alone",
        }
    }
}

/// What an import reaches, when it is not granted.
fn reached_by(import: &str) -> Option<Reached> {
    let interface = import.split('@').next().unwrap_or(import);
    let package = interface.split('/').next().unwrap_or(interface);
    match package {
        "wasi:io" | "wasi:cli" | "wasi:random" => None,
        "wasi:clocks" => Some(Reached::Clock),
        "wasi:filesystem" => Some(Reached::Files),
        "wasi:sockets" | "wasi:http" => Some(Reached::Network),
        _ => Some(Reached::Unknown),
    }
}

/// Names as far as they are worth reading: a file of 100 MB may be nothing else.
fn listed(names: &[String]) -> String {
    const MAX_NAMES: usize = 64;
    const MAX_CHARS: usize = 200;
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let short = |name: &String| name.chars().take(MAX_CHARS).collect();
    let shown: Vec<String> = names.iter().take(MAX_NAMES).map(short).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}

/// The SHA-256 of a plugin's bytes, in hexadecimal.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_bounded() {
        assert_eq!(listed(&[]), "nothing");
        assert_eq!(listed(&["a".to_owned(), "b".to_owned()]), "a, b");
        let said = listed(&vec!["n".repeat(300); 66]);
        assert!(said.ends_with("n and 2 more"), "{said}");
        // 64 names of 200 bytes, a comma and a blank between, and the rest.
        assert_eq!(said.len(), 64 * 200 + 63 * 2 + " and 2 more".len());
    }

    #[test]
    fn a_name_is_a_built_in_and_a_path_is_a_file() {
        let check = |text: &str, expected: PluginSource| {
            assert_eq!(PluginSource::named(text), expected, "{text}");
        };
        check("squid", PluginSource::BuiltIn("squid".into()));
        check("squid.wasm", PluginSource::File("squid.wasm".into()));
        check("./squid", PluginSource::File("./squid".into()));
        check("org/own.WASM", PluginSource::File("org/own.WASM".into()));
    }
}
