//! An instance in its own store, and how it is called.

use std::time::Duration;

use wasmtime::component::InstancePre;
use wasmtime::{Store, Trap};
use wasmtime_wasi::I32Exit;

use super::engine::Engine;
use super::error::Stop;
use super::limits::PluginLimits;
use super::sandbox::{HostAbort, Sandbox};

/// A store with an instance whose typed exports are `B`.
pub(super) struct Guest<B> {
    engine: Engine,
    store: Store<Sandbox>,
    exports: B,
    state: InstanceState,
    timeout: Duration,
}

/// Whether the instance can be called again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InstanceState {
    Usable,
    /// A call is running, or one failed. After a trap the component model allows no
    /// further call, and the state of the store is not reliable.
    Poisoned,
}

impl<B> Guest<B> {
    /// Creates an instance. `bind` looks up its typed exports.
    pub(super) fn start(
        engine: &Engine,
        pre: &InstancePre<Sandbox>,
        bind: impl FnOnce(&mut Store<Sandbox>, &wasmtime::component::Instance) -> wasmtime::Result<B>,
    ) -> Result<Self, Stop> {
        let mut store = engine.store();
        let timeout = engine.limits().call_timeout;
        Sandbox::arm(&mut store, engine.limits(), timeout);
        let exports = pre
            .instantiate(&mut store)
            .and_then(|instance| bind(&mut store, &instance))
            .map_err(|error| stop_of(engine, &store, &error))?;
        Ok(Self {
            engine: engine.clone(),
            store,
            exports,
            state: InstanceState::Usable,
            timeout,
        })
    }

    /// Sets the deadline of the calls that follow.
    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// The limits of the instance.
    pub(super) fn limits(&self) -> &PluginLimits {
        self.engine.limits()
    }

    /// The instance's linear memory in bytes. It never shrinks.
    pub(super) fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes()
    }

    /// Forgets what the instance wrote to standard error.
    pub(super) fn discard_stderr(&mut self) {
        drop(self.store.data().take_stderr());
    }

    /// Calls into the instance under its limits.
    pub(super) fn call<R>(
        &mut self,
        call: impl FnOnce(&mut Store<Sandbox>, &B) -> wasmtime::Result<R>,
    ) -> Result<R, Stop> {
        if self.state == InstanceState::Poisoned {
            return Err(Stop::Trap {
                trap: "called again after a failed call".to_owned(),
                stderr: String::new(),
                probable_cause: None,
            });
        }
        self.state = InstanceState::Poisoned;
        Sandbox::arm(&mut self.store, self.engine.limits(), self.timeout);
        let result = call(&mut self.store, &self.exports)
            .map_err(|error| stop_of(&self.engine, &self.store, &error))?;
        self.state = InstanceState::Usable;
        Ok(result)
    }
}

/// The reason of a failed call, from wasmtime's error.
fn stop_of(engine: &Engine, store: &Store<Sandbox>, error: &wasmtime::Error) -> Stop {
    let sandbox = store.data();
    if let Some(abort) = error.downcast_ref::<HostAbort>() {
        return abort.into_stop(engine.limits(), sandbox);
    }
    let trap = if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
        format!("it exited with status {status}")
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        trap.to_string()
    } else {
        return Stop::Result {
            detail: error.root_cause().to_string(),
        };
    };
    Stop::Trap {
        trap,
        stderr: sandbox.take_stderr(),
        probable_cause: sandbox.probable_cause(),
    }
}
