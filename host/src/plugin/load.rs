//! From bytes to a component that can be instantiated. The checks are ordered by
//! cost: format, contract, imports, compilation, linking.

use wasmtime::component::{Component, InstancePre};

use super::component::{ComponentNames, check_format};
use super::engine::Engine;
use super::error::{LoadError, Stop};
use super::imports::{check_imports, is_asynchronous};
use super::sandbox::Sandbox;
use super::source::{PluginSource, digest_of};
use super::{Description, PluginKind};

/// A component that passed every check that does not need to run it.
pub(super) struct Loaded {
    pub(super) pre: InstancePre<Sandbox>,
    /// For messages: `` `squid.wasm` `` or `built-in squid`.
    pub(super) source_name: String,
    pub(super) digest: String,
}

impl Loaded {
    /// Turns a failed type check of the exports into a [`LoadError`].
    pub(super) fn usable<T>(&self, typed: wasmtime::Result<T>) -> Result<T, LoadError> {
        typed.map_err(|error| unusable(&self.source_name, &error))
    }

    /// The error for a plugin whose first calls failed.
    pub(super) fn stopped(&self, stop: Stop) -> LoadError {
        let source_name = self.source_name.clone();
        match stop {
            // The exports have the right names and other types.
            Stop::Result { detail } => LoadError::Unusable {
                source_name,
                detail,
            },
            stop => LoadError::Stopped { source_name, stop },
        }
    }

    /// Refuses a description that cannot be shown or referred to.
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

/// Reads, checks and compiles a plugin of this kind.
pub(super) fn load(
    engine: &Engine,
    kind: PluginKind,
    source: &PluginSource,
) -> Result<Loaded, LoadError> {
    let (source_name, bytes) = source.bytes(kind, engine.limits())?;
    check_format(&source_name, &bytes)?;
    let names = ComponentNames::read(&source_name, &bytes)?;
    names.check_contract(&source_name, kind)?;
    check_imports(&source_name, &bytes, &names.imports)?;
    let digest = digest_of(&bytes);
    let component = compiled(engine, &source_name, &bytes, &digest)
        .map_err(|error| not_compiled(&source_name, &bytes, &error))?;
    let pre = engine.linker.instantiate_pre(&component);
    Ok(Loaded {
        pre: pre.map_err(|error| unusable(&source_name, &error))?,
        source_name,
        digest,
    })
}

/// The component's machine code, from the cache or compiled now.
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

/// The error for bytes that wasmtime does not compile.
fn not_compiled(source_name: &str, bytes: &[u8], error: &wasmtime::Error) -> LoadError {
    let (source_name, detail) = (source_name.to_owned(), format!("{error:#}"));
    if is_asynchronous(bytes) {
        return LoadError::Asynchronous {
            source_name,
            detail,
        };
    }
    LoadError::InvalidComponent {
        source_name,
        detail,
    }
}

fn unusable(source_name: &str, error: &wasmtime::Error) -> LoadError {
    LoadError::Unusable {
        source_name: source_name.to_owned(),
        detail: format!("{error:#}"),
    }
}
