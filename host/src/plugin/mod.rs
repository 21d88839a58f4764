//! Plugins: loading components, and calling them inside the sandbox.
//!
//! An [`Engine`] loads a [`Parser`] or a [`Policy`] that is built in or in a file.
//! Opening one gives a session, which is an instance in its own store. Every call
//! can fail with a [`Stop`], and everything that a plugin returns is checked before
//! it leaves this module. Plugins have no access to files, the network, the
//! environment or the clock.

mod access;
mod batch;
mod bindings;
pub mod builtin;
mod cache;
mod component;
mod description;
mod engine;
mod error;
mod guest;
mod imports;
mod lifting;
mod limits;
mod load;
mod parser;
mod pins;
mod policy;
mod sandbox;
mod settings;
mod source;
mod wasi;

use std::fmt;

pub use access::{Access, GuestListener};
pub use batch::{Batch, Tally};
pub use component::{Survey, survey};
pub use description::{Description, LogFormat};
pub use engine::{CompileCache, CompileListener, Engine};
pub use error::{LoadError, Stop};
pub use imports::Import;
pub use limits::PluginLimits;
pub use parser::{InputInfo, Parser, ParserSession, Reading};
pub use pins::{PinError, Pins};
pub use policy::{Judgement, Policy, PolicySession, Screening};
pub use settings::PluginSettings;
pub use source::{PluginSource, digest_of};

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

/// The identity of a plugin: `parser squid@0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginId {
    /// Parser or policy.
    pub kind: PluginKind,
    /// The name in its description.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the component file in hexadecimal.
    pub digest: String,
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}@{}", self.kind, self.name, self.version)
    }
}
