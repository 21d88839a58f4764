//! The one place that configures wasmtime: what components can do, what is
//! linked for them, and the clock tick that interrupts them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime::{Config, Store};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::bindings::{cli, random, sync};
use wasmtime_wasi::random::WasiRandom;

use super::cache::CompiledCache;
use super::interrupt::Interrupt;
use super::limits::PluginLimits;
use super::sandbox::Sandbox;

/// How often running plugins look at their deadline and at Ctrl-C.
const TICK: Duration = Duration::from_millis(10);

/// Compiles and links plugins. Cheap to clone; all clones share compiled code,
/// the tick and the interrupt.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasm: wasmtime::Engine,
    pub(super) linker: Arc<Linker<Sandbox>>,
    pub(super) cache: Option<CompiledCache>,
    pub(super) listener: Arc<dyn CompileListener>,
    limits: Arc<PluginLimits>,
    interrupt: Interrupt,
}

/// Hears of what takes long before anything runs.
pub trait CompileListener: Send + Sync {
    /// A plugin of so many bytes is about to be compiled.
    fn compiling(&self, source_name: &str, bytes: usize);
}

/// Hears nothing.
struct Deaf;

impl CompileListener for Deaf {
    fn compiling(&self, _source_name: &str, _bytes: usize) {}
}

/// Where compiled code is kept between runs.
#[derive(Debug, Clone, Copy)]
pub enum CompileCache<'a> {
    /// In this directory, which only its owner should be able to write.
    Directory(&'a Path),
    /// Nowhere.
    Off,
}

impl Engine {
    /// An engine for plugins under `limits`.
    ///
    /// # Errors
    ///
    /// When wasmtime refuses the configuration on this machine.
    pub fn new(limits: PluginLimits, cache: CompileCache<'_>) -> wasmtime::Result<Self> {
        let wasm = wasmtime::Engine::new(&configuration(&limits))?;
        let mut linker = Linker::new(&wasm);
        link_what_is_granted(&mut linker)?;
        start_ticking(&wasm)?;
        Ok(Self {
            wasm,
            linker: Arc::new(linker),
            cache: match cache {
                CompileCache::Directory(directory) => Some(CompiledCache::new(directory)),
                CompileCache::Off => None,
            },
            listener: Arc::new(Deaf),
            limits: Arc::new(limits),
            interrupt: Interrupt::default(),
        })
    }

    /// The same, telling of what is compiled.
    #[must_use]
    pub fn with_listener(mut self, listener: Arc<dyn CompileListener>) -> Self {
        self.listener = listener;
        self
    }

    /// The handle that ends all running plugin calls.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// A store with nothing in it and nothing granted.
    pub(super) fn store(&self) -> Store<Sandbox> {
        Sandbox::store(&self.wasm, &self.limits, self.interrupt.clone())
    }

    /// The limits that every plugin of this engine runs under.
    #[must_use]
    pub fn limits(&self) -> &PluginLimits {
        &self.limits
    }
}

fn configuration(limits: &PluginLimits) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Synchronous calls only: a third of the cost of a call, and none of
        // the asynchronous machinery within reach of a guest.
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        // Verdicts are to be the same on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true);
    config
}

/// Links what a component built by an ordinary toolchain imports and that
/// reaches nothing: streams and standard error (kept for messages), an empty
/// environment, and randomness from a fixed seed.
fn link_what_is_granted(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    sync::io::error::add_to_linker::<Sandbox, Io>(linker, Sandbox::table)?;
    sync::io::poll::add_to_linker::<Sandbox, Io>(linker, Sandbox::table)?;
    sync::io::streams::add_to_linker::<Sandbox, Io>(linker, Sandbox::table)?;

    cli::exit::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::environment::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::stdin::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::stdout::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::stderr::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_input::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_output::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_stdin::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_stdout::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_stderr::add_to_linker::<Sandbox, WasiCli>(linker, Sandbox::cli)?;

    random::random::add_to_linker::<Sandbox, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
    random::insecure::add_to_linker::<Sandbox, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<Sandbox, WasiRandom>(linker, |s| s.ctx().ctx.random())
}

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// Advances the engine's epoch until the engine is gone.
fn start_ticking(engine: &wasmtime::Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("plugin-tick".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })?;
    Ok(())
}
