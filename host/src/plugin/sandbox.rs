//! The state of a plugin's store: it grants nothing and counts everything.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};
use wasmtime_wasi::{Deterministic, WasiCtx, WasiCtxView, WasiView, async_trait};

use super::access::{Access, GuestListener};
use super::error::Stop;
use super::limits::PluginLimits;
use crate::interrupt::Interrupt;

/// The seed of all random numbers that guests get: equal inputs must give equal
/// verdicts.
const SEED: u64 = 0x7674_686f_7374;

/// The most random bytes in one call, because they cost time and memory of the
/// host. The seed of a hash table needs 16.
const MAX_RANDOM_BYTES: u64 = 64 << 10;

/// The state of one store.
pub(super) struct Sandbox {
    wasi: WasiCtx,
    table: ResourceTable,
    limiter: Limiter,
    stderr: GuestOutput,
    listener: Option<Arc<dyn GuestListener>>,
    /// Whether the last call tried to open a file.
    sought_files: bool,
    /// The time that the current call may take.
    timeout: Duration,
    deadline: Instant,
    interrupt: Interrupt,
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl Sandbox {
    /// A new store that grants nothing.
    pub(super) fn store(
        engine: &wasmtime::Engine,
        limits: &PluginLimits,
        interrupt: Interrupt,
        listener: Option<Arc<dyn GuestListener>>,
    ) -> Store<Self> {
        let stderr = GuestOutput::new(limits.stderr_bytes, listener.clone());
        let mut wasi = WasiCtx::builder();
        wasi.stderr(stderr.clone())
            .secure_random(Deterministic::new(SEED.to_le_bytes().to_vec()))
            .insecure_random(Deterministic::new(SEED.to_le_bytes().to_vec()))
            .insecure_random_seed(u128::from(SEED))
            .max_random_size(MAX_RANDOM_BYTES);
        if listener.is_some() {
            wasi.stdout(GuestOutput::new(limits.stderr_bytes, listener.clone()));
        }
        let state = Self {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            limiter: Limiter::new(limits),
            stderr,
            listener,
            sought_files: false,
            timeout: limits.call_timeout,
            deadline: Instant::now(),
            interrupt,
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_max_component_handles(limits.handles);
        store.epoch_deadline_callback(|context| context.data().on_tick());
        store
    }

    /// Sets the deadline and the limit on the result of the next call.
    pub(super) fn arm(store: &mut Store<Self>, limits: &PluginLimits, timeout: Duration) {
        let state = store.data_mut();
        state.timeout = timeout;
        state.deadline = Instant::now() + timeout;
        state.sought_files = false;
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(limits.result_bytes);
    }

    /// Takes the end of what the guest wrote to standard error.
    pub(super) fn take_stderr(&self) -> String {
        self.stderr.take()
    }

    /// Records a use of an interface that gives the guest nothing.
    pub(super) fn accessed(&mut self, access: Access) {
        self.sought_files |= access == Access::Files;
        if let Some(listener) = &self.listener {
            listener.accessed(access);
        }
    }

    /// What probably caused the failure of the last call.
    pub(super) fn probable_cause(&self) -> Option<Access> {
        self.sought_files.then_some(Access::Files)
    }

    /// The size of the guest's memories in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.limiter.memory_bytes.used
    }

    pub(super) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    fn on_tick(&self) -> wasmtime::Result<UpdateDeadline> {
        if self.interrupt.is_raised() {
            return Err(HostAbort::Interrupted.into());
        }
        if Instant::now() >= self.deadline {
            return Err(HostAbort::Deadline.into());
        }
        Ok(UpdateDeadline::Continue(1))
    }
}

/// Why the host ended a call, as the cause of wasmtime's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HostAbort {
    #[error("the call's deadline passed")]
    Deadline,
    #[error("interrupted")]
    Interrupted,
    #[error("memory limit: {wanted} bytes requested")]
    Memory { wanted: usize },
    #[error("table limit: {wanted} elements requested")]
    Table { wanted: usize },
    #[error("`{function}` was called")]
    Denied {
        function: &'static str,
        reason: &'static str,
        advice: &'static str,
    },
}

impl HostAbort {
    /// Adds the limits, and what the guest wrote to standard error.
    pub(super) fn into_stop(self, limits: &PluginLimits, sandbox: &Sandbox) -> Stop {
        match self {
            Self::Denied {
                function,
                reason,
                advice,
            } => Stop::Denied {
                function,
                reason,
                advice,
                stderr: sandbox.take_stderr(),
            },
            Self::Deadline => Stop::Deadline {
                limit: sandbox.timeout,
            },
            Self::Interrupted => Stop::Interrupted,
            Self::Memory { wanted } => Stop::Memory {
                wanted_bytes: wanted,
                limit_bytes: limits.memory_bytes,
            },
            Self::Table { wanted } => Stop::Table {
                wanted,
                limit: limits.table_elements,
            },
        }
    }
}

/// Limits the sums of all memories and of all tables. Exceeding one ends the call
/// with an error that names the limit; a failed allocation in the guest would not.
struct Limiter {
    memory_bytes: Limited,
    table_elements: Limited,
    instances: usize,
}

/// A sum with a limit.
struct Limited {
    used: usize,
    limit: usize,
}

impl Limited {
    fn to(limit: usize) -> Self {
        Self { used: 0, limit }
    }

    /// Adds the growth. If that exceeds the limit, returns what the sum would be.
    fn grow(&mut self, current: usize, desired: usize) -> Result<(), usize> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            return Err(used);
        }
        self.used = used;
        Ok(())
    }
}

impl Limiter {
    fn new(limits: &PluginLimits) -> Self {
        Self {
            memory_bytes: Limited::to(limits.memory_bytes),
            table_elements: Limited::to(limits.table_elements),
            instances: limits.instances,
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = self.memory_bytes.grow(current, desired);
        grown.map_err(|wanted| HostAbort::Memory { wanted })?;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = self.table_elements.grow(current, desired);
        grown.map_err(|wanted| HostAbort::Table { wanted })?;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}

/// The last bytes that a guest wrote to a stream, up to a limit. A panic's message comes last.
#[derive(Clone)]
struct GuestOutput {
    kept: Arc<Mutex<VecDeque<u8>>>,
    limit: usize,
    listener: Option<Arc<dyn GuestListener>>,
}

impl GuestOutput {
    fn new(limit: usize, listener: Option<Arc<dyn GuestListener>>) -> Self {
        Self {
            kept: Arc::default(),
            limit,
            listener,
        }
    }

    fn take(&self) -> String {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.drain(..).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    /// Not called by components of WASI 0.2.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        if let Some(listener) = &self.listener {
            listener.printed(&bytes);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let tail = bytes.len().saturating_sub(self.limit);
        kept.extend(bytes.iter().skip(tail));
        let excess = kept.len().saturating_sub(self.limit);
        kept.drain(..excess);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(self.limit.max(1))
    }
}

#[async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}
