//! Components from core modules, as compilers for WASI preview 1 write them.

use std::path::Path;

use anyhow::{Context as _, bail};
use wasmparser::{Parser, Payload, TypeRef};
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::inspect::contract;
use crate::cli::printer::Printer;
use crate::plugin::PluginKind;

/// The module that compilers import system calls from.
const PREVIEW_1: &str = "wasi_snapshot_preview1";

/// Makes a component from a core module. A component is copied.
pub(super) fn componentize(core: &Path, file: &Path, printer: &Printer) -> anyhow::Result<()> {
    let bytes = std::fs::read(core).with_context(|| format!("cannot read `{}`", core.display()))?;
    let component = if Parser::is_component(&bytes) {
        printer.say(&format!(
            "`{}` is a component already and was copied; `vthost plugin check` shows whether it can run",
            core.display()
        ));
        bytes
    } else {
        component_of(bytes)
            .with_context(|| format!("cannot make a component from `{}`", core.display()))?
    };
    std::fs::write(file, component).with_context(|| format!("cannot write `{}`", file.display()))
}

fn component_of(mut module: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let facts = ModuleFacts::read(&module)?;
    facts.check()?;
    if !facts.has_type {
        let Some(kind) = facts.kind else {
            bail!(
                "it exports no function of a contract, such as `vthost:policy/judging@0.1.0#describe`; link it as a library (in C with `-mexec-model=reactor`, in Go with `-buildmode=c-shared`, in Rust with `crate-type = [\"cdylib\"]`)"
            );
        };
        embed_type(&mut module, "contract.wit", contract(kind))?;
    }
    let mut encoder = ComponentEncoder::default().validate(true).module(&module)?;
    if facts.has_system_calls {
        encoder = encoder.adapter(PREVIEW_1, &preview1()?)?;
    }
    encoder.encode()
}

/// The module that answers system calls inside the component. See
/// `docs/decisions/preview1-inside-components.md`.
fn preview1() -> anyhow::Result<Vec<u8>> {
    let mut module = include_bytes!(concat!(env!("OUT_DIR"), "/preview1.wasm")).to_vec();
    embed_type(&mut module, "preview1.wit", include_str!("preview1.wit"))?;
    Ok(module)
}

/// Adds the type of a world, which is the only one of this WIT text's package.
fn embed_type(module: &mut Vec<u8>, name: &str, wit: &str) -> anyhow::Result<()> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source(name, wit)?;
    let world = resolve.select_world(&[package], None)?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
}

/// What decides how a component is made from a core module.
#[derive(Default)]
struct ModuleFacts {
    has_system_calls: bool,
    imports_memory: bool,
    /// Whether it contains the type of its component, as C bindings add it.
    has_type: bool,
    /// The contract whose functions it exports.
    kind: Option<PluginKind>,
    exports_realloc: bool,
    exports_initialize: bool,
    is_of_go: bool,
}

impl ModuleFacts {
    fn read(module: &[u8]) -> anyhow::Result<Self> {
        let mut facts = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        facts.has_system_calls |= import.module == PREVIEW_1;
                        facts.imports_memory |= matches!(import.ty, TypeRef::Memory(_));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        facts.add_export(export?.name);
                    }
                }
                Payload::CustomSection(section) => {
                    facts.has_type |= section.name().starts_with("component-type");
                    facts.is_of_go |= section.name().starts_with("go:");
                }
                _ => {}
            }
        }
        Ok(facts)
    }

    fn add_export(&mut self, name: &str) {
        self.exports_realloc |= name == "cabi_realloc";
        self.exports_initialize |= name == "_initialize";
        self.kind = self.kind.or(contract_of(name));
    }

    /// Refuses what the encoder would panic on, or would make a component of that cannot run.
    fn check(&self) -> anyhow::Result<()> {
        if self.imports_memory {
            bail!("it imports its memory; link it without `--import-memory`");
        }
        if self.is_of_go && !self.exports_initialize {
            bail!("it is a program and not a library; build it with `-buildmode=c-shared`");
        }
        if self.kind.is_some() && !self.exports_realloc {
            bail!("it does not export `cabi_realloc`, with which the host allocates arguments");
        }
        Ok(())
    }
}

/// The contract that an exported function is part of: `vthost:policy/judging@0.1.0#describe`.
fn contract_of(export: &str) -> Option<PluginKind> {
    let (interface, _) = export.split_once('#')?;
    let is_of = |kind: &PluginKind| interface.starts_with(&format!("vthost:{kind}/"));
    [PluginKind::Policy, PluginKind::Parser]
        .into_iter()
        .find(is_of)
}
