//! The interfaces of WASI 0.2 that plugins can import. They give access to nothing: streams,
//! standard error (kept for messages), an empty environment, no terminal, no folder, random
//! numbers from a fixed seed, and clocks that do not advance.
//!
//! Toolchains import most of them for code that is never called. So an import is no reason to
//! refuse a plugin; a call that cannot be answered ends the plugin.

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Duration, Instant};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::{self, Datetime};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::p2::bindings::{cli, sync};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiView, async_trait};

use super::access::Access;
use super::sandbox::{HostAbort, Sandbox};

/// The time of the wall clock: 2025-01-01T00:00:00Z. Some runtimes fail at the time 0.
const WALL_CLOCK: Datetime = Datetime {
    seconds: 1_735_689_600,
    nanoseconds: 0,
};

/// The time of the monotonic clock, in nanoseconds.
const MONOTONIC_CLOCK_NS: Instant = 1_000_000_000;

/// The resolution of both clocks, in nanoseconds.
const RESOLUTION_NS: u32 = 1_000;

/// Links every interface that plugins can import. An import of any version 0.2.x is satisfied.
pub(super) fn link(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
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

    random::add_to_linker::<Sandbox, Nothing>(linker, |sandbox| sandbox)?;
    insecure::add_to_linker::<Sandbox, Nothing>(linker, |sandbox| sandbox)?;
    insecure_seed::add_to_linker::<Sandbox, WasiRandom>(linker, |s| s.ctx().ctx.random())?;

    monotonic_clock::add_to_linker::<Sandbox, Nothing>(linker, |sandbox| sandbox)?;
    wall_clock::add_to_linker::<Sandbox, Nothing>(linker, |sandbox| sandbox)?;
    link_timezone(linker)?;

    // Without a folder a plugin has no descriptor, so that it cannot call any other function.
    preopens::add_to_linker::<Sandbox, Nothing>(linker, |sandbox| sandbox)?;
    sync::filesystem::types::add_to_linker::<Sandbox, WasiFilesystem>(linker, Sandbox::filesystem)
}

/// Links `wasi:clocks/timezone`, which wasmtime does not implement: a call ends the plugin.
fn link_timezone(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    let mut timezone = linker.instance("wasi:clocks/timezone@0.2.0")?;
    for (name, function) in [
        ("display", "wasi:clocks/timezone#display"),
        ("utc-offset", "wasi:clocks/timezone#utc-offset"),
    ] {
        let stop = move || HostAbort::Denied {
            function,
            reason: "plugins have no time zone",
            advice: "Use UTC",
        };
        timezone.func_new(name, move |_, _, _, _| Err(stop().into()))?;
    }
    Ok(())
}

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// The interfaces that this module implements.
struct Nothing;

impl HasData for Nothing {
    type Data<'a> = &'a mut Sandbox;
}

/// The error of a function that would wait.
fn waits(function: &'static str) -> wasmtime::Error {
    let abort = HostAbort::Denied {
        function,
        reason: "plugins cannot wait, because their clock does not advance",
        advice: "Remove the sleep or the timeout",
    };
    abort.into()
}

/// A wait that is over when it begins. Go's scheduler polls like this.
struct Due;

#[async_trait]
impl Pollable for Due {
    async fn ready(&mut self) {}
}

impl Sandbox {
    fn due(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let due = self.table().push(Due)?;
        subscribe(self.table(), due)
    }
}

impl monotonic_clock::Host for Sandbox {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        self.accessed(Access::Clock);
        Ok(MONOTONIC_CLOCK_NS)
    }

    fn resolution(&mut self) -> wasmtime::Result<Duration> {
        Ok(RESOLUTION_NS.into())
    }

    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        if when > MONOTONIC_CLOCK_NS {
            return Err(waits("wasi:clocks/monotonic-clock#subscribe-instant"));
        }
        self.due()
    }

    fn subscribe_duration(&mut self, when: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        if when > 0 {
            return Err(waits("wasi:clocks/monotonic-clock#subscribe-duration"));
        }
        self.due()
    }
}

impl wall_clock::Host for Sandbox {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        self.accessed(Access::Clock);
        Ok(WALL_CLOCK)
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        Ok(Datetime {
            seconds: 0,
            nanoseconds: RESOLUTION_NS,
        })
    }
}

impl preopens::Host for Sandbox {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        self.accessed(Access::Files);
        Ok(Vec::new())
    }
}

impl random::Host for Sandbox {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.accessed(Access::Random);
        self.ctx().ctx.random().get_random_bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.accessed(Access::Random);
        self.ctx().ctx.random().get_random_u64()
    }
}

impl insecure::Host for Sandbox {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.accessed(Access::Random);
        self.ctx().ctx.random().get_insecure_random_bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.accessed(Access::Random);
        self.ctx().ctx.random().get_insecure_random_u64()
    }
}
