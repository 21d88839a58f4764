//! Plugins: loading components, and calling them inside the sandbox.
//!
//! An [`Engine`] loads a [`Parser`] or a [`Policy`] from a built-in or a file;
//! opening one gives a session, which is an instance in a store of its own.
//! Every call can end in a [`Stop`]; nothing that a plugin hands back leaves
//! this room unchecked. Plugins see neither the network nor the key nor a file.

mod bindings;
pub mod builtin;
mod cache;
mod description;
mod engine;
mod error;
mod guest;
mod interrupt;
mod lifting;
mod limits;
mod load;
mod parser;
mod policy;
mod sandbox;
mod settings;

use std::fmt;

pub use description::Description;
pub use engine::{CompileCache, CompileListener, Engine};
pub use error::{LoadError, Stop};
pub use interrupt::Interrupt;
pub use limits::PluginLimits;
pub use load::{PluginSource, Survey, digest_of, survey};
pub use parser::{Batch, Format, InputInfo, Parser, ParserSession, Reading, Tally};
pub use policy::{Judgement, Policy, PolicySession, Screening};
pub use settings::PluginSettings;

/// The two kinds of plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginKind {
    /// Turns log bytes into observations.
    Parser,
    /// Turns a report into a verdict.
    Policy,
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parser => "parser",
            Self::Policy => "policy",
        })
    }
}

/// Which plugin spoke: `parser squid@0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginId {
    /// Parser or policy.
    pub kind: PluginKind,
    /// The name that it gives itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component file, in hexadecimal digits.
    pub digest: String,
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}@{}", self.kind, self.name, self.version)
    }
}
