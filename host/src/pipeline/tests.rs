//! The pipeline from logs to files, with built-in plugins, a simulated VirusTotal without a
//! network, and virtual time.

use std::future::{Future, pending};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vthost_simulator::{DEMO_KEY, Options as SimulatorOptions, Request, Simulator};

use super::*;
use crate::clock::{Clock, UnixMs};
use crate::extraction::{ExtractionError, Options, Parsers};
use crate::indicator::scope::InternalSuffixes;
use crate::output::{
    Output, OutputError, OutputSettings, ReportLanguage, Results, VerdictCounts, outputs,
};
use crate::plugin::{
    CompileCache, Engine, Parser, PluginLimits, PluginSettings, PluginSource, Policy,
};
use crate::quota::Limits;
use crate::sightings::FoldBy;
use crate::store::Store;
use crate::triage::lookup::FreshSince;
use crate::triage::outcome::{RunEnd, WhenSpent};
use crate::triage::{Cause, Finding, LookupPlan, Rescan, Share};
use crate::verdict::Verdict;
use crate::virustotal::{Client, HttpReply, HttpRequest, Sending, Transport};

/// A clock that a sleep advances.
struct VirtualClock(AtomicI64);

impl VirtualClock {
    /// 2024-05-01T12:00:00Z.
    fn at_noon() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_714_564_800_000)))
    }
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> UnixMs {
        self.0.load(Ordering::SeqCst)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let ms = i64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(ms, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

/// The simulated VirusTotal without HTTP. Only look-ups are sent here, no forms.
struct Simulated {
    simulator: Mutex<Simulator>,
    clock: Arc<VirtualClock>,
}

impl Transport for Simulated {
    fn send(&self, request: HttpRequest) -> Sending<'_> {
        let request = Request {
            method: "GET".into(),
            path: format!("/api/v3{}", request.path),
            headers: vec![("x-apikey".into(), DEMO_KEY.into())],
            body: Vec::new(),
        };
        let mut simulator = self.simulator.lock().unwrap();
        let reply = simulator.handle(self.clock.now_ms(), &request);
        Box::pin(std::future::ready(Ok(HttpReply {
            status: reply.status,
            content_type: "application/json".into(),
            body: reply.body,
            ..HttpReply::default()
        })))
    }
}

/// A call of an output or a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RecordedCall {
    Found(String),
    Checkpoint { not_asked: u64 },
    Finish { findings: usize },
}

/// An output that records its calls, and fails in `found` if `is_full`.
#[derive(Default)]
struct RecordingOutput {
    calls: Vec<RecordedCall>,
    is_full: bool,
}

impl Output for RecordingOutput {
    fn found(&mut self, finding: &Finding) -> Result<(), OutputError> {
        let name = finding.sightings.display().to_owned();
        self.calls.push(RecordedCall::Found(name));
        if self.is_full {
            let missing = OutputSettings {
                directory: PathBuf::from("/dev/null/results"),
                language: ReportLanguage::En,
            };
            return outputs(&missing).map(drop);
        }
        Ok(())
    }

    fn checkpoint(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        let not_asked = results.summary.unknown_by[&Cause::NotAsked];
        self.calls.push(RecordedCall::Checkpoint { not_asked });
        Ok(())
    }

    fn finish(&mut self, results: &Results<'_>) -> Result<(), OutputError> {
        let findings = results.findings.len();
        self.calls.push(RecordedCall::Finish { findings });
        Ok(())
    }
}

/// Records what a listener is notified of.
#[derive(Default)]
struct RecordingListener {
    totals: Mutex<Vec<(VerdictCounts, usize)>>,
    waits: Mutex<Vec<Waiting>>,
}

impl RunListener for RecordingListener {
    fn found(&self, _finding: &Finding, totals: &VerdictCounts, left: usize) {
        self.totals.lock().unwrap().push((*totals, left));
    }

    fn waiting(&self, waiting: &Waiting) {
        self.waits.lock().unwrap().push(*waiting);
    }

    fn notice(&self, _text: &str) {}
}

/// What a run needs, with one list of indicators as its log.
struct World {
    directory: tempfile::TempDir,
    engine: Engine,
    policies: Vec<Policy>,
    store: Store,
    clock: Arc<VirtualClock>,
    simulated: Arc<Simulated>,
}

impl World {
    fn new(log: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("list.txt"), log).unwrap();
        let engine = Engine::new(PluginLimits::default(), CompileCache::Off).unwrap();
        let strict = PluginSource::BuiltIn("strict".to_owned());
        let policy = Policy::load(&engine, &strict, &PluginSettings::default()).unwrap();
        let clock = VirtualClock::at_noon();
        Self {
            directory,
            engine,
            policies: vec![policy],
            store: Store::in_memory().unwrap(),
            simulated: Arc::new(Simulated {
                simulator: Mutex::new(Simulator::new(SimulatorOptions::default())),
                clock: Arc::clone(&clock),
            }),
            clock,
        }
    }

    fn parser(&self) -> Parsers {
        let list = PluginSource::BuiltIn("list".to_owned());
        let parser = Parser::load(&self.engine, &list, &PluginSettings::default()).unwrap();
        Parsers::Named(Box::new(parser))
    }

    fn fold(&self) -> Result<FoldedLogs, ExtractionError> {
        self.fold_with(&self.parser())
    }

    fn fold_with(&self, parsers: &Parsers) -> Result<FoldedLogs, ExtractionError> {
        self.fold_by(1, 1 << 16, parsers)
    }

    fn fold_by(
        &self,
        workers: usize,
        chunk_bytes: usize,
        parsers: &Parsers,
    ) -> Result<FoldedLogs, ExtractionError> {
        let options = Options {
            workers,
            chunk_bytes,
            utc_offset_minutes: 0,
            now_us: 0,
            unpacking: crate::input::UnpackLimits::default(),
            keeps_duplicates: false,
            max_memory_bytes: 1 << 20,
            progress: Arc::default(),
        };
        let logs = Logs {
            paths: &[self.directory.path().join("list.txt")],
            parsers,
            options: &options,
            interrupt: &self.engine.interrupt(),
        };
        logs.fold(FoldBy::Indicator)
    }

    fn worklist(&self) -> Worklist {
        self.worklist_of(self.fold().unwrap())
    }

    fn worklist_of(&self, logs: FoldedLogs) -> Worklist {
        let FoldedLogs {
            mut folded,
            summary,
            ..
        } = logs;
        let rules = Rules {
            policies: &self.policies,
            internal: &InternalSuffixes::new(&[]),
            now_ms: self.clock.now_ms(),
        };
        Worklist::new(folded.sightings().unwrap(), summary, rules).unwrap()
    }

    fn look_up(
        &self,
        per_day: u32,
        when_spent: WhenSpent,
        outputs: &mut dyn Output,
        listener: &dyn RunListener,
    ) -> Result<RunResult, RunError> {
        let client = Client::new(Arc::clone(&self.simulated) as Arc<dyn Transport>);
        let account = Account {
            client: &client,
            id: "test",
            user: None,
            quota: QuotaSettings {
                rate: Limits::default().rate,
                per_day: Some(per_day),
                per_month: None,
                reserve: 0,
            },
        };
        let lookups = Lookups {
            account,
            store: &self.store,
            clock: &*self.clock,
            logs: None,
            plan: plan(),
            first_poll: Duration::from_secs(60),
            when_spent,
            timeout: Duration::from_secs(60),
        };
        let worklist = self.worklist();
        let run = worklist.look_up(&lookups, outputs, listener, Box::pin(pending()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run)
    }

    fn requests(&self) -> usize {
        self.simulated.simulator.lock().unwrap().log().len()
    }
}

fn plan() -> LookupPlan {
    LookupPlan {
        share: Share::Hash,
        rescan: Rescan::No,
        fresh_since: FreshSince::all(0),
    }
}

/// The simulator reports names with `evil` as bad and others as good. 10.0.0.1 is never sent.
const LOG: &str = "evil.example.com\nfine.example.com\n10.0.0.1\n";

#[test]
fn logs_become_findings_and_files() {
    let world = World::new(LOG);
    let settings = OutputSettings {
        directory: world.directory.path().join("out"),
        language: ReportLanguage::En,
    };
    let listener = RecordingListener::default();
    let mut outputs = outputs(&settings).unwrap();
    let result = world.look_up(500, WhenSpent::End, &mut outputs, &listener);
    let result = result.unwrap();
    assert_eq!(result.ended, RunEnd::Done);
    assert_eq!(result.requests, 2);
    assert_eq!(world.requests(), 2);
    let expected = VerdictCounts {
        bad: 1,
        good: 1,
        unknown: 1,
    };
    assert_eq!(result.judged.summary.verdicts, expected);
    assert_eq!(result.judged.summary.policies.len(), 1);
    let totals = listener.totals.lock().unwrap();
    assert_eq!(totals.last(), Some(&(expected, 0)));
    let read = |name| std::fs::read_to_string(settings.directory.join(name)).unwrap();
    assert!(read("bad-domain.txt").contains(" evil.example.com {"));
    assert!(read("good-domain.txt").contains(" fine.example.com {"));
    assert!(read("unknown-domain.txt").contains(" 10.0.0.1 "));
    assert_eq!(read("results.jsonl").lines().count(), 4);
}

#[test]
fn same_store_logs_and_time_give_the_same_bytes() {
    let line = |number: u32| match number % 3 {
        0 => format!("http://www{}.example.com/{}\n", number % 7, number % 11),
        1 => format!("evil{}.example.net\n", number % 5),
        _ => format!("192.0.2.{}\n", number % 13),
    };
    let world = World::new(&(0..2_000).map(line).collect::<String>());
    let mut output = RecordingOutput::default();
    let listener = RecordingListener::default();
    let first = world.look_up(500, WhenSpent::End, &mut output, &listener);
    assert_eq!(first.unwrap().ended, RunEnd::Done);
    let parsers = world.parser();
    let written = |run: usize| {
        // Threads take chunks in a different order in each run.
        let logs = world.fold_by(4, 1 << 10, &parsers).unwrap();
        let worklist = world.worklist_of(logs);
        let judged = worklist.judge_stored(&plan(), &world.store).unwrap();
        let settings = OutputSettings {
            directory: world.directory.path().join(run.to_string()),
            language: ReportLanguage::En,
        };
        outputs(&settings)
            .unwrap()
            .finish(&judged.results())
            .unwrap();
        let files = std::fs::read_dir(&settings.directory).unwrap();
        let read =
            |file: std::fs::DirEntry| (file.file_name(), std::fs::read(file.path()).unwrap());
        files
            .map(|file| read(file.unwrap()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let expected = written(0);
    assert_eq!(expected.len(), 6);
    for run in 1..20 {
        assert!(written(run) == expected, "run {run} differs");
    }
}

#[test]
fn run_that_waits_for_the_next_day_writes_a_checkpoint() {
    let world = World::new("a.example.com\nb.example.com\n");
    let mut output = RecordingOutput::default();
    let listener = RecordingListener::default();
    let result = world.look_up(1, WhenSpent::Wait, &mut output, &listener);
    assert_eq!(result.unwrap().ended, RunEnd::Done);
    let expected = [
        RecordedCall::Found("a.example.com".to_owned()),
        RecordedCall::Checkpoint { not_asked: 1 },
        RecordedCall::Found("b.example.com".to_owned()),
        RecordedCall::Finish { findings: 2 },
    ];
    assert_eq!(output.calls, expected);
    let waits = listener.waits.lock().unwrap();
    // 2024-05-02T00:00:00Z, when VirusTotal's day begins.
    assert!(waits.iter().all(|wait| wait.until_ms <= 1_714_608_000_000));
    assert!(
        waits
            .iter()
            .all(|wait| wait.left == 1 && wait.totals.good == 1)
    );
}

#[test]
fn run_that_does_not_wait_ends_with_unknown_indicators() {
    let world = World::new("a.example.com\nb.example.com\n");
    let mut output = RecordingOutput::default();
    let listener = RecordingListener::default();
    let result = world.look_up(1, WhenSpent::End, &mut output, &listener);
    let result = result.unwrap();
    assert!(matches!(result.ended, RunEnd::QuotaSpent { .. }));
    assert_eq!(result.judged.summary.unknown_by[&Cause::NotAsked], 1);
    assert_eq!(
        output.calls.last(),
        Some(&RecordedCall::Finish { findings: 2 })
    );
}

#[test]
fn failing_output_does_not_stop_the_lookups() {
    let world = World::new(LOG);
    let mut output = RecordingOutput {
        is_full: true,
        ..RecordingOutput::default()
    };
    let listener = RecordingListener::default();
    let result = world.look_up(500, WhenSpent::End, &mut output, &listener);
    assert!(matches!(result, Err(RunError::Output(_))));
    assert_eq!(world.requests(), 2);
    assert_eq!(
        output.calls.last(),
        Some(&RecordedCall::Finish { findings: 3 })
    );
}

#[test]
fn stored_reports_are_judged_without_a_request() {
    let world = World::new(LOG);
    let judge = || {
        world
            .worklist()
            .judge_stored(&plan(), &world.store)
            .unwrap()
    };
    let before = judge();
    assert_eq!(before.summary.verdicts.unknown, 3);
    assert_eq!(before.summary.unknown_by[&Cause::NotAsked], 2);
    let mut output = RecordingOutput::default();
    let listener = RecordingListener::default();
    world
        .look_up(500, WhenSpent::End, &mut output, &listener)
        .unwrap();
    let requests = world.requests();
    let verdicts: Vec<Verdict> = judge().findings.iter().map(|f| f.verdict).collect();
    let expected = [Verdict::Bad, Verdict::Good, Verdict::Unknown];
    assert_eq!(verdicts, expected);
    assert_eq!(world.requests(), requests);
}

#[test]
fn estimate_counts_requests_and_sends_none() {
    let world = World::new(LOG);
    let mut worklist = world.worklist();
    let estimate = worklist.estimate(&plan(), &world.store).unwrap();
    assert_eq!(estimate.indicators, 3);
    assert_eq!(estimate.requests.len(), 2);
    assert_eq!(world.requests(), 0);
    // Nothing is judged, so the summary has no line about verdicts.
    assert!(!worklist.read().to_string().contains("indicators:"));
}

#[test]
fn interrupt_ends_the_extraction() {
    let world = World::new(LOG);
    // Loading a parser calls it, which an interrupt may stop too.
    let parser = world.parser();
    world.engine.interrupt().raise();
    assert!(matches!(
        world.fold_with(&parser),
        Err(ExtractionError::Interrupted)
    ));
}
