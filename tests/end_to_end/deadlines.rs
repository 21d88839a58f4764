//! An endless loop is ended at its deadline, also with more guests at once than cores. The tests
//! print how late; on an idle machine that is less than 100 ms.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use vthost::indicator::{Indicator, Kind};
use vthost::observation::LogPosition;
use vthost::plugin::{
    CompileCache, Engine, InputInfo, Parser, PluginLimits, PluginSettings, PluginSource, Policy,
    Stop,
};
use vthost::sightings::Sightings;
use vthost::verdict::Scope;
use vthost::virustotal::report::Report;

use crate::guests;

const DEADLINE: Duration = Duration::from_millis(300);
/// Generous, because other load delays the end: without a deadline there would be none.
const LATEST: Duration = Duration::from_secs(30);

fn engine() -> Engine {
    let limits = PluginLimits {
        call_timeout: DEADLINE,
        ..PluginLimits::default()
    };
    Engine::new(limits, CompileCache::Off).unwrap()
}

/// Runs this many looping guests at once. `open` returns a call that does not end.
fn all_end_in_time<C: FnOnce() -> Stop>(guests: usize, what: &str, open: impl Fn() -> C + Sync) {
    let latest = latest_of(guests, &open);
    eprintln!("{guests} × {what}: {latest:?} for a deadline of {DEADLINE:?}");
    assert!(latest <= LATEST, "{guests} × {what}: {latest:?}");
}

fn latest_of<C: FnOnce() -> Stop>(guests: usize, open: &(impl Fn() -> C + Sync)) -> Duration {
    let all_open = Barrier::new(guests);
    let spin = || {
        let call = open();
        all_open.wait();
        let started = Instant::now();
        let stop = call();
        let elapsed = started.elapsed();
        assert_eq!(stop, Stop::Deadline { limit: DEADLINE });
        assert!(elapsed >= DEADLINE, "too early: {elapsed:?}");
        elapsed
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..guests).map(|_| scope.spawn(spin)).collect();
        let times = threads.into_iter().map(|thread| thread.join().unwrap());
        times.max().unwrap()
    })
}

#[test]
fn looping_parser_is_ended_at_its_deadline() {
    let engine = engine();
    let input = InputInfo {
        name: "some.log".into(),
        head: Vec::new(),
        utc_offset_minutes: 0,
        reference_time_us: 0,
    };
    // It loops in its own code, or in calls of the host.
    for act in ["loop", "draw-on", "print-on"] {
        let parser = hostile(&engine, act);
        for guests in [1, 8] {
            all_end_in_time(guests, &format!("a parser, {act}"), || {
                let mut session = parser.open(&input).unwrap();
                move || session.parse(b"a line\n", 1).unwrap_err()
            });
        }
    }
}

fn hostile(engine: &Engine, act: &str) -> Parser {
    let source = PluginSource::File(guests::build("parser-hostile"));
    let mut settings = serde_json::Map::new();
    settings.insert("do".into(), act.into());
    Parser::load(engine, &source, &PluginSettings(settings)).unwrap()
}

#[test]
fn looping_policy_is_ended_at_its_deadline() {
    let engine = engine();
    let source = PluginSource::File(guests::build("policy-hostile"));
    let policy = Policy::load(&engine, &source, &PluginSettings::default()).unwrap();
    let sightings = Sightings {
        indicator: Indicator::parse(Kind::Domain, b"loop.example.com").unwrap(),
        written: None,
        count: 1,
        allowed: 0,
        blocked: 0,
        first_us: None,
        last_us: None,
        clients: Vec::new(),
        first_seen: LogPosition::new(0, 0),
    };
    let report = Report::from_attributes("{}");
    for guests in [1, 8] {
        all_end_in_time(guests, "a policy", || {
            let mut session = policy.open().unwrap();
            let (seen, report) = (&sightings, &report);
            move || {
                let judged = session.judge(seen, &seen.indicator, Scope::Exact, report, 0);
                judged.unwrap_err()
            }
        });
    }
}
