//! Support for all tests: an isolated home, a simulated VirusTotal, and virtual time.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use vthost::clock::{Clock, SystemClock, UnixMs};
use vthost::indicator::{Indicator, Kind};
use vthost::plugin::{Judgement, Screening};
use vthost::quota::Limits;
use vthost::sightings::Sightings;
use vthost::store::{Claimant, Store};
use vthost::triage::lookup::FreshSince;
use vthost::triage::outcome::{Reporter, TriageOutcome, WhenSpent};
use vthost::triage::run::Triage;
use vthost::triage::{Decision, Finding, Judge, LookupPlan, Planned, Rescan, Share};
use vthost::verdict::{Scope, Verdict};
use vthost::virustotal::report::Report;
use vthost::virustotal::{ApiKey, Client, HttpVersions, ReqwestTransport, TransportOptions};
use vthost_simulator::{DEMO_KEY, Options, QuotaLimits, Server, Simulator};

use vthost_testing::TestSchema;

/// The home directory of one test, isolated from that of the user.
pub(crate) struct Home(tempfile::TempDir);

/// The result of a run of the program.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program in this home, with the demo key. All tests share the cache of compiled plugins.
    pub(crate) fn vthost(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vthost"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .env(
                "XDG_CACHE_HOME",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
            )
            .env("VT_API_KEY", DEMO_KEY);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.vthost(args))
    }

    /// Runs a line in a shell in which `vthost` is this program.
    #[cfg(unix)]
    pub(crate) fn shell(&self, line: &str) -> Ran {
        let program = self.vthost(&[]);
        let directory = Path::new(program.get_program()).parent().unwrap();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", line]).current_dir(self.0.path());
        shell.env_clear().env("PATH", directory);
        shell.envs(
            program
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        Ran::of(&mut shell)
    }
}

/// Runs a test with an SQLite store and with a PostgreSQL store.
pub(crate) fn on_each_store(check: impl Fn(&Store)) {
    check(&Store::in_memory().unwrap());
    if let Some(schema) = TestSchema::new() {
        check(&Store::open(&schema.url().parse().unwrap()).unwrap());
    }
}

/// Runs a test with a `--store` of each kind: a file in the home of the test, and a server.
pub(crate) fn on_each_location(check: impl Fn(&str)) {
    check("store.sqlite");
    if let Some(schema) = TestSchema::new() {
        check(&schema.url());
    }
}

/// URLs without a report, on hosts with a report.
pub(crate) fn new_urls(count: usize) -> Vec<String> {
    let url = |n| format!("http://host{n}.example.com/new");
    (0..count).map(url).collect()
}

/// A plan that submits everything.
pub(crate) fn scanning() -> LookupPlan {
    LookupPlan {
        rescan: Rescan::Yes,
        ..lookup(Share::Submit)
    }
}

/// A simulator that delays only requests that ask for it.
pub(crate) fn patient() -> Options {
    Options {
        limits: QuotaLimits {
            per_window: 1_000_000,
            ..QuotaLimits::default()
        },
        ..Options::default()
    }
}

/// A server with the clock of the machine.
pub(crate) fn serve(simulator: Simulator) -> Server {
    Server::start(simulator, 0, || SystemClock.now_ms()).unwrap()
}

/// A clock that advances only when code waits.
#[derive(Clone)]
pub(crate) struct FastClock(Arc<AtomicI64>);

impl FastClock {
    /// 2024-05-01T12:00:00Z.
    pub(crate) fn at_noon() -> Self {
        Self(Arc::new(AtomicI64::new(1_714_564_800_000)))
    }

    pub(crate) fn advance(&self, duration: Duration) {
        let ms = i64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for FastClock {
    fn now_ms(&self) -> UnixMs {
        self.0.load(Ordering::SeqCst)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }
}

/// The rule of `strict`, without a component.
pub(crate) struct StrictRule;

impl Judge for StrictRule {
    fn screen(
        &mut self,
        _sightings: &Sightings,
    ) -> Result<Screening, vthost::triage::PolicyFailure> {
        Ok(Screening::Ask { priority: 0 })
    }

    fn judge(
        &mut self,
        _sightings: &Sightings,
        _subject: &Indicator,
        _scope: Scope,
        report: &Report,
    ) -> Result<Judgement, vthost::triage::PolicyFailure> {
        let stats = report.stats.unwrap_or_default();
        let is_bad = stats.malicious + stats.suspicious > 0;
        Ok(Judgement {
            verdict: if is_bad { Verdict::Bad } else { Verdict::Good },
            reason: String::new(),
            tags: Vec::new(),
            score: None,
            settles: None,
        })
    }
}

/// A listener that ignores all calls.
pub(crate) struct Silent;

impl Reporter for Silent {
    fn found(&self, _finding: &Finding, _left: usize) {}
    fn waiting(&self, _until_ms: UnixMs, _left: usize) {}
    fn retrying(&self, _reason: &str) {}
    fn spent(&self, _reason: &str, _so_far: &[Finding]) {}
}

/// Sightings of some indicators that are all looked up, in this order.
pub(crate) fn planned(values: &[&str]) -> Vec<Planned> {
    let planned = values.iter().enumerate().map(|(line, value)| Planned {
        sightings: sightings(value, line as u64),
        decision: Decision::Ask { priority: 0 },
        host_rank: line,
    });
    planned.collect()
}

fn sightings(value: &str, line: u64) -> Sightings {
    let kind = if value.contains("://") {
        Kind::Url
    } else {
        Kind::Domain
    };
    Sightings {
        indicator: Indicator::parse(kind, value.as_bytes()).unwrap(),
        written: None,
        count: 1,
        allowed: 1,
        blocked: 0,
        first_us: None,
        last_us: None,
        clients: Vec::new(),
        first_seen: vthost::observation::LogPosition::new(0, line),
    }
}

/// A plan that accepts any stored answer.
pub(crate) fn lookup(share: Share) -> LookupPlan {
    LookupPlan {
        share,
        rescan: Rescan::No,
        fresh_since: FreshSince::all(0),
    }
}

/// A client over real HTTP.
pub(crate) fn client(url: &str, timeout: Duration) -> Client {
    let options = TransportOptions {
        base: url::Url::parse(url).unwrap(),
        ca_file: None,
        proxy: None,
        http: HttpVersions::All,
        timeout,
    };
    let key = ApiKey::new(DEMO_KEY, "a test").unwrap();
    Client::new(Arc::new(ReqwestTransport::new(&key, &options).unwrap()))
}

/// Optional settings of a triage.
#[derive(Clone, Copy, Default)]
pub(crate) struct TriageOptions<'a> {
    pub(crate) user: Option<&'a str>,
    pub(crate) when_spent: WhenSpent,
    pub(crate) reporter: Option<&'a dyn Reporter>,
}

/// Runs a triage to its end, with the rule of `strict`.
pub(crate) fn triage(
    client: &Client,
    store: &Store,
    clock: &dyn Clock,
    limits: Limits,
    lookup: LookupPlan,
    planned: Vec<Planned>,
) -> TriageOutcome {
    let triage_options = TriageOptions::default();
    triage_in(
        triage_options,
        client,
        store,
        clock,
        limits,
        lookup,
        planned,
    )
}

/// Runs a triage as [`triage`] does, with options.
pub(crate) fn triage_in(
    triage_options: TriageOptions<'_>,
    client: &Client,
    store: &Store,
    clock: &dyn Clock,
    limits: Limits,
    lookup: LookupPlan,
    planned: Vec<Planned>,
) -> TriageOutcome {
    let triage = Triage {
        client,
        account: "test",
        store,
        clock,
        limits,
        lookup,
        first_poll: Duration::from_secs(60),
        claimant: Claimant {
            id: 1,
            lease_ms: 61_000,
        },
        user: triage_options.user,
        when_spent: triage_options.when_spent,
        reporter: triage_options.reporter.unwrap_or(&Silent),
    };
    let never = Box::pin(std::future::pending());
    block_on(triage.run(planned, &mut StrictRule, never)).unwrap()
}

/// Blocks on a future.
pub(crate) fn block_on<T>(asking: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(asking)
}

/// Prints how long it took to create, build and test a plugin. There is no limit, because that
/// depends on the machine and on what is installed.
pub(crate) fn print_time(what: &str, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{what}: from nothing to tested in {seconds:.1} s");
}
