//! The plugins that `build.rs` compiles and embeds in the program.

use super::PluginKind;

/// An embedded component.
#[derive(Debug)]
pub struct BuiltIn {
    /// The name that `--parser` or `--policy` takes.
    pub name: &'static str,
    /// Parser or policy.
    pub kind: PluginKind,
    /// The component.
    pub bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/builtin_plugins.rs"));

/// All embedded plugins, parsers first, by name.
#[must_use]
pub fn all() -> &'static [BuiltIn] {
    ALL
}

/// The embedded plugin of this kind and name.
#[must_use]
pub fn find(kind: PluginKind, name: &str) -> Option<&'static BuiltIn> {
    ALL.iter()
        .find(|plugin| plugin.kind == kind && plugin.name == name)
}

/// The names of the embedded plugins of a kind.
#[must_use]
pub fn names(kind: PluginKind) -> Vec<&'static str> {
    ALL.iter()
        .filter(|plugin| plugin.kind == kind)
        .map(|plugin| plugin.name)
        .collect()
}
