//! The configuration of wasmtime: the features that components may use, and the timer that
//! interrupts them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime::{Config, Store};

use super::access::GuestListener;
use super::cache::CompiledCache;
use super::limits::PluginLimits;
use super::sandbox::Sandbox;
use super::wasi;
use crate::clock::Clock;
use crate::interrupt::Interrupt;

/// The interval at which running plugins check their deadline and Ctrl-C.
const TICK: Duration = Duration::from_millis(10);

/// Compiles and links plugins. Cheap to clone; clones share the compiled code, the
/// timer and the interrupt.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasm: wasmtime::Engine,
    pub(super) linker: Arc<Linker<Sandbox>>,
    pub(super) cache: Option<CompiledCache>,
    pub(super) listener: Arc<dyn CompileListener>,
    guest_listener: Option<Arc<dyn GuestListener>>,
    limits: Arc<PluginLimits>,
    interrupt: Interrupt,
}

/// Is notified before a compilation, which takes seconds for a large plugin.
pub trait CompileListener: Send + Sync {
    /// A plugin of this size will be compiled now.
    fn compiling(&self, source_name: &str, bytes: usize);
}

struct NoListener;

impl CompileListener for NoListener {
    fn compiling(&self, _source_name: &str, _bytes: usize) {}
}

/// Where compiled code is stored between runs.
pub enum CompileCache<'a> {
    /// In a directory.
    Directory {
        /// The directory. Only its owner should be able to write to it.
        path: &'a Path,
        /// Gives the time at which a file is used.
        clock: Arc<dyn Clock>,
    },
    /// Nowhere.
    Off,
}

impl Engine {
    /// An engine whose plugins run under `limits`.
    ///
    /// # Errors
    ///
    /// When wasmtime refuses the configuration on this machine.
    pub fn new(limits: PluginLimits, cache: CompileCache<'_>) -> wasmtime::Result<Self> {
        let wasm = wasmtime::Engine::new(&configuration(&limits))?;
        let mut linker = Linker::new(&wasm);
        wasi::link(&mut linker)?;
        start_ticking(&wasm)?;
        Ok(Self {
            wasm,
            linker: Arc::new(linker),
            cache: match cache {
                CompileCache::Directory { path, clock } => Some(CompiledCache::new(path, clock)),
                CompileCache::Off => None,
            },
            listener: Arc::new(NoListener),
            guest_listener: None,
            limits: Arc::new(limits),
            interrupt: Interrupt::default(),
        })
    }

    /// Replaces the listener.
    #[must_use]
    pub fn with_listener(mut self, listener: Arc<dyn CompileListener>) -> Self {
        self.listener = listener;
        self
    }

    /// Notifies `listener` of what the plugins do.
    #[must_use]
    pub fn with_guest_listener(mut self, listener: Arc<dyn GuestListener>) -> Self {
        self.guest_listener = Some(listener);
        self
    }

    /// A handle that ends all running plugin calls.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// A new store that grants nothing.
    pub(super) fn store(&self) -> Store<Sandbox> {
        let listener = self.guest_listener.clone();
        Sandbox::store(&self.wasm, &self.limits, self.interrupt.clone(), listener)
    }

    /// The limits of every plugin of this engine.
    #[must_use]
    pub fn limits(&self) -> &PluginLimits {
        &self.limits
    }
}

fn configuration(limits: &PluginLimits) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Synchronous calls only: a call costs a third, and guests cannot reach
        // the asynchronous part of wasmtime.
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        // Verdicts must be the same on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true);
    config
}

/// Advances the engine's epoch on a thread until the engine is dropped.
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
