//! One instance in one store, and the one way to call into it.

use wasmtime::component::InstancePre;
use wasmtime::{Store, Trap};
use wasmtime_wasi::I32Exit;

use super::engine::Engine;
use super::error::Stop;
use super::limits::PluginLimits;
use super::sandbox::{Ended, Sandbox};

/// A store with an instance whose typed exports are `B`.
pub(super) struct Guest<B> {
    engine: Engine,
    store: Store<Sandbox>,
    exports: B,
    state: State,
}

/// Whether the instance can be called again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Usable,
    /// A call is under way, or one did not end well: after a trap the component
    /// model allows no further call, and nothing in the store can be trusted.
    Poisoned,
}

impl<B> Guest<B> {
    /// Makes an instance. `bind` finds the typed exports in it.
    pub(super) fn start(
        engine: &Engine,
        pre: &InstancePre<Sandbox>,
        bind: impl FnOnce(&mut Store<Sandbox>, &wasmtime::component::Instance) -> wasmtime::Result<B>,
    ) -> Result<Self, Stop> {
        let mut store = engine.store();
        Sandbox::arm(&mut store, engine.limits());
        let exports = pre
            .instantiate(&mut store)
            .and_then(|instance| bind(&mut store, &instance))
            .map_err(|error| stop_of(engine, &store, &error))?;
        Ok(Self {
            engine: engine.clone(),
            store,
            exports,
            state: State::Usable,
        })
    }

    /// What the instance runs under.
    pub(super) fn limits(&self) -> &PluginLimits {
        self.engine.limits()
    }

    /// The memory that the instance has, in bytes. It never shrinks.
    pub(super) fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes()
    }

    /// Calls into the instance under its limits.
    pub(super) fn call<R>(
        &mut self,
        call: impl FnOnce(&mut Store<Sandbox>, &B) -> wasmtime::Result<R>,
    ) -> Result<R, Stop> {
        if self.state == State::Poisoned {
            return Err(Stop::Trap {
                trap: "called again after it had stopped".to_owned(),
                stderr: String::new(),
            });
        }
        self.state = State::Poisoned;
        Sandbox::arm(&mut self.store, self.engine.limits());
        let result = call(&mut self.store, &self.exports)
            .map_err(|error| stop_of(&self.engine, &self.store, &error))?;
        self.state = State::Usable;
        Ok(result)
    }
}

/// Finds out from wasmtime's error how a call ended.
fn stop_of(engine: &Engine, store: &Store<Sandbox>, error: &wasmtime::Error) -> Stop {
    if let Some(ended) = error.downcast_ref::<Ended>() {
        return ended.into_stop(engine.limits());
    }
    if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
        return Stop::Trap {
            trap: format!("it ended itself with status {status}"),
            stderr: store.data().take_stderr(),
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => Stop::Trap {
            trap: trap.to_string(),
            stderr: store.data().take_stderr(),
        },
        None => Stop::Result {
            detail: error.root_cause().to_string(),
        },
    }
}
