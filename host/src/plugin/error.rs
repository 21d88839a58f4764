//! What can go wrong with a plugin: before it runs ([`LoadError`]), and while
//! it runs ([`Stop`]).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{PluginId, PluginKind, PluginLimits};

/// Why a plugin was not loaded. Each says what was found, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No built-in plugin has this name, and no file either.
    #[error(
        "no {kind} named `{name}`: the built-in ones are {known}; a file is given by its path (`./{name}.wasm`)"
    )]
    Unknown {
        /// What was asked for.
        kind: PluginKind,
        /// The name as given.
        name: String,
        /// The built-in names, with commas.
        known: String,
    },
    /// The file could not be read.
    #[error("cannot read plugin `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than `PluginLimits::file_bytes`.
    #[error("{source_name} is {bytes} bytes; a plugin may have {limit_bytes}")]
    TooLarge {
        /// The file or built-in plugin.
        source_name: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Not WebAssembly at all, or a form of it that is not accepted.
    #[error("{source_name} is {found}; a plugin is a WebAssembly component. {advice}")]
    NotAComponent {
        /// The file or built-in plugin.
        source_name: String,
        /// What it is instead.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A component, but damaged.
    #[error("{source_name} is damaged: {detail}. Copy or build it again")]
    Damaged {
        /// The file or built-in plugin.
        source_name: String,
        /// What the validator said.
        detail: String,
    },
    /// A component that exports neither contract.
    #[error(
        "{source_name} does not export vthost:{kind}; it exports {exports}. Is it a vthost {kind}?"
    )]
    NotAPlugin {
        /// The file or built-in plugin.
        source_name: String,
        /// What was asked for.
        kind: PluginKind,
        /// What it exports.
        exports: String,
    },
    /// The other kind of plugin.
    #[error("{source_name} is a {found}, not a {wanted}. Use it with --{found}")]
    WrongKind {
        /// The file or built-in plugin.
        source_name: String,
        /// What it is.
        found: PluginKind,
        /// What was asked for.
        wanted: PluginKind,
    },
    /// Built for a version of the contract that this host does not know.
    #[error(
        "{source_name} was built for vthost:{kind} {found}; this vthost ({host}) supports {supported}. {advice}"
    )]
    WrongContract {
        /// The file or built-in plugin.
        source_name: String,
        /// Its kind.
        kind: PluginKind,
        /// The version it was built for.
        found: String,
        /// The host's own version.
        host: &'static str,
        /// The versions of the contract that this host runs.
        supported: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// It imports what no plugin is given.
    #[error("{source_name} wants {what} ({imports}), which plugins do not get. {advice}")]
    Forbidden {
        /// The file or built-in plugin.
        source_name: String,
        /// What the imports reach, in words.
        what: String,
        /// Their full names, with commas.
        imports: String,
        /// The common cause.
        advice: &'static str,
    },
    /// The compiler or the linker refused it.
    #[error("{source_name} cannot be run: {detail}")]
    Unusable {
        /// The file or built-in plugin.
        source_name: String,
        /// What wasmtime said.
        detail: String,
    },
    /// It stopped while it described itself or took its settings.
    #[error("{source_name} {stop}")]
    Stopped {
        /// The file or built-in plugin.
        source_name: String,
        /// How it ended.
        stop: Stop,
    },
    /// Its description of itself makes no sense.
    #[error("{source_name} describes itself wrongly: {detail}. This is a bug of the plugin")]
    BadDescription {
        /// The file or built-in plugin.
        source_name: String,
        /// What is wrong.
        detail: String,
    },
    /// The settings do not fit the plugin's schema.
    #[error("settings for {plugin}: {detail}")]
    Settings {
        /// The plugin.
        plugin: PluginId,
        /// Which key, and what is wrong with it.
        detail: String,
    },
}

/// How a call into a plugin ended, when it did not end well. After any of these
/// but [`Stop::Refused`] the instance is thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It ran into a trap of the machine: unreachable code, an access outside
    /// memory, a division by zero.
    Trap {
        /// The trap in wasmtime's words.
        trap: String,
        /// What the guest wrote to standard error (a Rust panic's message).
        stderr: String,
    },
    /// It ran longer than a call may.
    Deadline {
        /// The limit.
        limit: Duration,
    },
    /// It asked for more memory than a plugin may have.
    Memory {
        /// What it asked for in all.
        wanted_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// It asked for larger function tables than a plugin may have.
    Table {
        /// What it asked for.
        wanted: usize,
        /// The limit.
        limit: usize,
    },
    /// What it handed back was too much, or not a value at all.
    Result {
        /// What was wrong, in wasmtime's words.
        detail: String,
    },
    /// It handed back a value that the contract does not allow.
    BadValue {
        /// Which value, and why.
        detail: String,
    },
    /// It said itself that it cannot go on, in this sentence.
    Refused {
        /// The plugin's words.
        message: String,
    },
    /// The run was interrupted.
    Interrupted,
}

impl Stop {
    /// A refusal in the plugin's words, as long as they are no longer than a value
    /// may be.
    pub(super) fn refused(message: String, limits: &PluginLimits) -> Self {
        let (bytes, limit) = (message.len(), limits.value_bytes);
        if bytes > limit {
            let detail = format!("a refusal of {bytes} bytes; the longest may have {limit}");
            return Self::BadValue { detail };
        }
        Self::Refused { message }
    }

    /// Whether the plugin ended the call by itself and can be used on.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap { trap, stderr } if stderr.trim().is_empty() => {
                write!(f, "stopped: {trap}")
            }
            Self::Trap { stderr, .. } => write!(f, "panicked: {}", one_line(stderr)),
            Self::Deadline { limit } => {
                write!(f, "stopped: ran longer than {} s", limit.as_secs_f32())
            }
            Self::Memory {
                wanted_bytes,
                limit_bytes,
            } => write!(
                f,
                "stopped: wanted {} MiB of memory; a plugin may have {}",
                wanted_bytes.div_ceil(1 << 20),
                limit_bytes >> 20
            ),
            Self::Table { wanted, limit } => write!(
                f,
                "stopped: wanted a table of {wanted} functions; a plugin may have {limit}"
            ),
            Self::Result { detail } => write!(f, "gave back what cannot be taken: {detail}"),
            Self::BadValue { detail } => {
                write!(
                    f,
                    "broke the contract: {detail}. This is a bug of the plugin"
                )
            }
            Self::Refused { message } => write!(f, "refused: {}", one_line(message)),
            Self::Interrupted => f.write_str("was interrupted"),
        }
    }
}

/// A guest's text on one line: it may be anything.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}
