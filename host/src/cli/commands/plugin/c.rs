//! Plugins in C and other languages that compile to core modules: C bindings for the
//! contract, and components from core modules.

use std::path::Path;

use anyhow::{Context as _, bail};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, Instruction, Module,
    TypeSection, ValType,
};
use wasmparser::{FuncType, Parser, Payload, TypeRef};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_component::ComponentEncoder;

use super::inspect::contract;
use crate::plugin::PluginKind;

/// The module that C libraries import system calls from.
const WASI_PREVIEW_1: &str = "wasi_snapshot_preview1";

/// WASI's error number for a function that is not supported.
const ENOSYS: i32 = 52;

/// Writes C bindings for the contract. Their names begin with `exports_judging_` or
/// `exports_parsing_`.
pub(super) fn bindings(kind: PluginKind, directory: &Path) -> anyhow::Result<()> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("contract.wit", contract(kind))?;
    let world = resolve.select_world(&[package], None)?;
    let options = wit_bindgen_c::Opts {
        rename: short_names(&resolve, world),
        ..wit_bindgen_c::Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files)?;
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot create `{}`", directory.display()))?;
    for (name, bytes) in files.iter() {
        write(&directory.join(name), bytes)?;
    }
    Ok(())
}

/// The names of the exports in C: `judging` for `vthost:policy/judging@0.1.0`.
fn short_names(resolve: &Resolve, world: WorldId) -> Vec<(String, String)> {
    let Some(world) = resolve.worlds.get(world) else {
        return Vec::new();
    };
    let full = world.exports.keys().map(|key| resolve.name_world_key(key));
    full.filter_map(|full| {
        let short = full.split(['/', '@']).nth(1)?.to_owned();
        Some((full, short))
    })
    .collect()
}

/// Makes a component from a core module that was built with the bindings.
pub(super) fn componentize(core: &Path, file: &Path) -> anyhow::Result<()> {
    let module =
        std::fs::read(core).with_context(|| format!("cannot read `{}`", core.display()))?;
    let component = component_of(&module)
        .with_context(|| format!("cannot make a component from `{}`", core.display()))?;
    write(file, &component)
}

fn component_of(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let calls = system_calls(module)?;
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(module)?;
    if !calls.is_empty() {
        encoder.adapter(WASI_PREVIEW_1, &failing(&calls)?)?;
    }
    encoder.encode()
}

/// A system call that a module imports.
struct SystemCall {
    name: String,
    kind: FuncType,
}

/// The system calls that a module imports. With C's standard library even `snprintf`
/// imports those for files.
fn system_calls(module: &[u8]) -> anyhow::Result<Vec<SystemCall>> {
    let mut types: Vec<FuncType> = Vec::new();
    let mut calls = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                let kinds = section.into_iter_err_on_gc_types();
                types = kinds.collect::<Result<_, _>>()?;
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if matches!(import.ty, TypeRef::Memory(_)) {
                        bail!("it imports its memory; link it without `--import-memory`");
                    }
                    if let (WASI_PREVIEW_1, TypeRef::Func(index)) = (import.module, import.ty) {
                        let name = import.name.to_owned();
                        let kind = types.get(index as usize).cloned();
                        let kind = kind.context("an import has no type")?;
                        calls.push(SystemCall { name, kind });
                    }
                }
            }
            _ => {}
        }
    }
    Ok(calls)
}

/// A module that implements these calls without the host: a call fails with
/// [`ENOSYS`] if it can return an error, else it traps.
fn failing(calls: &[SystemCall]) -> anyhow::Result<Vec<u8>> {
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    for (index, SystemCall { name, kind }) in (0..).zip(calls) {
        let parameters = value_types(kind.params())?;
        let results = value_types(kind.results())?;
        let result = match results.as_slice() {
            [ValType::I32] => Instruction::I32Const(ENOSYS),
            _ => Instruction::Unreachable,
        };
        types.ty().function(parameters, results);
        functions.function(index);
        exports.export(name, ExportKind::Func, index);
        let mut body = Function::new([]);
        body.instruction(&result).instruction(&Instruction::End);
        code.function(&body);
    }
    let mut module = Module::new();
    let module = module.section(&types).section(&functions);
    Ok(module.section(&exports).section(&code).clone().finish())
}

fn value_types(types: &[wasmparser::ValType]) -> anyhow::Result<Vec<ValType>> {
    let value_type = |kind: &wasmparser::ValType| {
        Ok(match kind {
            wasmparser::ValType::I32 => ValType::I32,
            wasmparser::ValType::I64 => ValType::I64,
            other => bail!("a system call has a value of type {other}"),
        })
    };
    types.iter().map(value_type).collect()
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}
