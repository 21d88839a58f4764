//! C bindings for the contract.

use std::path::Path;

use anyhow::Context as _;
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{Resolve, WorldId};

use super::inspect::contract;
use crate::plugin::PluginKind;

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

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}
