//! Failures of plugins: before they run ([`LoadError`]) and during a call
//! ([`Stop`]).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::access::Access;
use super::{PluginId, PluginKind, PluginLimits};

/// Why a plugin was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No built-in plugin has this name.
    #[error(
        "no built-in {kind} is named `{name}`: there are {known}. To use a file, give its path (`./{name}.wasm`)"
    )]
    Unknown {
        /// The kind that was requested.
        kind: PluginKind,
        /// The name that was requested.
        name: String,
        /// The built-in names, with commas.
        known: String,
    },
    /// The file could not be read.
    #[error("cannot read plugin `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is larger than `PluginLimits::file_bytes`.
    #[error("{source_name} has {bytes} bytes; the limit is {limit_bytes}")]
    TooLarge {
        /// The file or built-in plugin.
        source_name: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Not a WebAssembly component in binary form.
    #[error("{source_name} is {found}; a plugin is a WebAssembly component. {advice}")]
    NotAComponent {
        /// The file or built-in plugin.
        source_name: String,
        /// What it is instead.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Damaged, or not valid.
    #[error("{source_name} is not a valid component: {detail}. Copy or build it again")]
    InvalidComponent {
        /// The file or built-in plugin.
        source_name: String,
        /// The validator's message.
        detail: String,
    },
    /// It uses the asynchronous ABI of WASI 0.3.
    #[error(
        "{source_name} uses the asynchronous ABI of WASI 0.3, which this vthost does not run ({detail}). Build it for WASI 0.2; with componentize-qjs use `--sync`"
    )]
    Asynchronous {
        /// The file or built-in plugin.
        source_name: String,
        /// The validator's message.
        detail: String,
    },
    /// A component that implements neither contract.
    #[error(
        "{source_name} does not export vthost:{kind}; it exports {exports}. Is it a vthost {kind}?"
    )]
    NotAPlugin {
        /// The file or built-in plugin.
        source_name: String,
        /// The kind that was requested.
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
        /// The kind that was requested.
        wanted: PluginKind,
    },
    /// Built for a version of the contract that this host does not support.
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
        /// The versions of the contract that this host supports.
        supported: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// It imports interfaces that are not available to plugins.
    #[error("{source_name} imports {what} ({imports}), which plugins cannot use. {advice}")]
    Forbidden {
        /// The file or built-in plugin.
        source_name: String,
        /// What the imports give access to.
        what: String,
        /// Their full names, with commas.
        imports: String,
        /// The common cause, or what to do.
        advice: String,
    },
    /// The compiler or the linker failed.
    #[error("{source_name} cannot be run: {detail}")]
    Unusable {
        /// The file or built-in plugin.
        source_name: String,
        /// wasmtime's message.
        detail: String,
    },
    /// Its first calls failed.
    #[error("{source_name} {stop}")]
    Stopped {
        /// The file or built-in plugin.
        source_name: String,
        /// How the call ended.
        stop: Stop,
    },
    /// Its description of itself is not acceptable.
    #[error("{source_name} has an invalid description: {detail}. This is a bug in the plugin")]
    BadDescription {
        /// The file or built-in plugin.
        source_name: String,
        /// What is wrong.
        detail: String,
    },
    /// The settings do not match the plugin's schema.
    #[error("settings for {plugin}: {detail}")]
    Settings {
        /// The plugin.
        plugin: PluginId,
        /// Which key, and what is wrong with it.
        detail: String,
    },
}

/// Why a call into a plugin failed. Except after [`Stop::Refused`] the instance is
/// not used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A WebAssembly trap: unreachable code, an access outside memory, a division
    /// by zero.
    Trap {
        /// wasmtime's message.
        trap: String,
        /// The guest's standard error, such as a Rust panic's message.
        stderr: String,
        /// What the guest did before, if that is known to cause failures.
        probable_cause: Option<Access>,
    },
    /// It called a function of WASI that plugins can import and not use.
    Denied {
        /// The function: `wasi:clocks/monotonic-clock#subscribe-duration`.
        function: &'static str,
        /// Why it is not available.
        reason: &'static str,
        /// What to do instead.
        advice: &'static str,
        /// The guest's standard error.
        stderr: String,
    },
    /// It ran longer than a call may.
    Deadline {
        /// The limit.
        limit: Duration,
    },
    /// It exceeded the memory limit.
    Memory {
        /// The memory that it would have had in all.
        wanted_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// It exceeded the limit on function tables.
    Table {
        /// The elements that it would have had in all.
        wanted: usize,
        /// The limit.
        limit: usize,
    },
    /// Its result was too large, or not a value of its type.
    Result {
        /// wasmtime's message.
        detail: String,
    },
    /// It returned a value that the contract does not allow.
    BadValue {
        /// Which value, and why.
        detail: String,
    },
    /// It returned an error.
    Refused {
        /// The plugin's message.
        message: String,
    },
    /// The run was interrupted.
    Interrupted,
}

impl Stop {
    /// [`Stop::Refused`], or [`Stop::BadValue`] if the message is too long.
    pub(super) fn refused(message: String, limits: &PluginLimits) -> Self {
        let (bytes, limit) = (message.len(), limits.value_bytes);
        if bytes > limit {
            let detail = format!("an error message of {bytes} bytes; the limit is {limit}");
            return Self::BadValue { detail };
        }
        Self::Refused { message }
    }

    /// Whether the plugin returned an error and can be called again.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap {
                trap,
                stderr,
                probable_cause,
            } => {
                match one_line(stderr).as_str() {
                    "" => write!(f, "stopped: {trap}")?,
                    stderr => write!(f, "panicked: {stderr}")?,
                }
                probable_cause.map_or(Ok(()), |access| write!(f, ". Before that, {access}"))
            }
            Self::Denied {
                function,
                reason,
                advice,
                stderr,
            } => {
                write!(f, "stopped: it called `{function}`; {reason}. {advice}")?;
                match one_line(stderr).as_str() {
                    "" => Ok(()),
                    stderr => write!(f, ". It wrote: {stderr}"),
                }
            }
            Self::Deadline { limit } => {
                write!(f, "stopped: ran longer than {} s", limit.as_secs_f32())
            }
            Self::Memory {
                wanted_bytes,
                limit_bytes,
            } => write!(
                f,
                "stopped: requested {} MiB of memory; the limit is {} MiB",
                wanted_bytes.div_ceil(1 << 20),
                limit_bytes >> 20
            ),
            Self::Table { wanted, limit } => write!(
                f,
                "stopped: requested tables of {wanted} functions; the limit is {limit}"
            ),
            Self::Result { detail } => write!(f, "returned an invalid value: {detail}"),
            Self::BadValue { detail } => {
                write!(
                    f,
                    "violated the contract: {detail}. This is a bug in the plugin"
                )
            }
            Self::Refused { message } => write!(f, "refused: {}", one_line(message)),
            Self::Interrupted => f.write_str("was interrupted"),
        }
    }
}

/// A guest's text on one line.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// Names for a message, with commas. Their number and length are bounded, because a
/// file of 100 MB can consist of names.
pub(super) fn listed(names: &[String]) -> String {
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
