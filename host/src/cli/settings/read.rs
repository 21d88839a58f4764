//! The logs of a run and how they are read.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;

use super::plugins::parsers;
use crate::cli::args::ReadArgs;
use crate::clock::UnixMs;
use crate::extraction::{DEFAULT_CHUNK_BYTES, DEFAULT_MAX_MEMORY_BYTES, Options, Parsers};
use crate::input::{Password, ReadProgress, UnpackLimits};
use crate::interrupt::Interrupt;
use crate::pipeline::Logs;
use crate::plugin::{Engine, Pins};

/// The logs of a run and how they are read.
pub(in crate::cli) struct ReadSettings {
    inputs: Vec<PathBuf>,
    parser: String,
    parser_config: Vec<String>,
    options: Options,
}

impl ReadSettings {
    /// The settings of these arguments.
    ///
    /// # Errors
    ///
    /// When the file with the archives' password cannot be read.
    pub(super) fn new(args: ReadArgs, now_ms: UnixMs) -> anyhow::Result<Self> {
        let mut options = default_options(now_ms);
        options.workers = args.threads.unwrap_or(options.workers).max(1);
        options.utc_offset_minutes = args.utc_offset;
        options.unpacking = UnpackLimits {
            max_unpacked_bytes: args.max_unpacked.saturating_mul(1 << 30),
            max_window_bytes: args.max_window.saturating_mul(1 << 20),
            archive_password: args.archive_password_file.map(password).transpose()?,
        };
        options.keeps_duplicates = args.keep_duplicates;
        options.max_memory_bytes = args.max_memory.saturating_mul(1 << 20);
        Ok(Self {
            inputs: args.inputs,
            parser: args.parser,
            parser_config: args.parser_config,
            options,
        })
    }

    /// Inputs that are read with default options.
    pub(super) fn with_defaults(inputs: Vec<PathBuf>, parser: String, now_ms: UnixMs) -> Self {
        Self {
            inputs,
            parser,
            parser_config: Vec::new(),
            options: default_options(now_ms),
        }
    }

    /// Loads the parsers.
    pub(in crate::cli) fn parsers(&self, engine: &Engine, pins: &Pins) -> anyhow::Result<Parsers> {
        parsers(engine, &self.parser, &self.parser_config, pins)
    }

    /// Counts what is read of the logs.
    pub(in crate::cli) fn progress(&self) -> &Arc<ReadProgress> {
        &self.options.progress
    }

    /// The logs as the pipeline reads them.
    pub(in crate::cli) fn logs<'a>(
        &'a self,
        parsers: &'a Parsers,
        interrupt: &'a Interrupt,
    ) -> Logs<'a> {
        Logs {
            paths: &self.inputs,
            parsers,
            options: &self.options,
            interrupt,
        }
    }
}

fn password(path: PathBuf) -> anyhow::Result<Password> {
    Password::from_file(&path)
        .with_context(|| format!("cannot read the password file `{}`", path.display()))
}

fn default_options(now_ms: UnixMs) -> Options {
    Options {
        workers: std::thread::available_parallelism().map_or(1, NonZero::get),
        chunk_bytes: DEFAULT_CHUNK_BYTES,
        utc_offset_minutes: 0,
        now_us: now_ms.saturating_mul(1000),
        unpacking: UnpackLimits::default(),
        keeps_duplicates: false,
        max_memory_bytes: DEFAULT_MAX_MEMORY_BYTES,
        progress: Arc::default(),
    }
}
