//! Faults between vthost and VirusTotal: an indicator is retried or unknown with a reason, never good
//! by mistake, and no other indicator is lost.

use std::time::Duration;

use vthost::clock::Clock as _;
use vthost::quota::Limits;
use vthost::store::Store;
use vthost::triage::Share;
use vthost::triage::outcome::{RunEnd, TriageOutcome};
use vthost::verdict::Verdict;
use vthost_simulator::{Effect, Fault, Server, Simulator};

use crate::support::{FastClock, Home, client, lookup, patient, planned, serve, triage};

/// `evil` is bad; every other verdict on it is wrong.
const INDICATORS: [&str; 3] = [
    "before.example.com",
    "evil.example.com",
    "after.example.com",
];

fn run(fault: Effect, times: u32) -> TriageOutcome {
    let mut simulator = Simulator::new(patient());
    simulator.add_fault(Fault::new("domains/evil", times, fault).unwrap());
    ask(simulator)
}

/// Looks up the three indicators in a simulator, over real HTTP and in virtual time.
fn ask(simulator: Simulator) -> TriageOutcome {
    let clock = FastClock::at_noon();
    let simulated = clock.clone();
    let server = Server::start(simulator, 0, move || simulated.now_ms()).unwrap();
    triage(
        &client(&server.url(), Duration::from_millis(300)),
        &Store::in_memory().unwrap(),
        &clock,
        Limits::default(),
        lookup(Share::Hash),
        planned(&INDICATORS),
    )
}

fn verdicts(done: &TriageOutcome) -> Vec<Verdict> {
    done.findings
        .iter()
        .map(|finding| finding.verdict)
        .collect()
}

fn error(status: u16, code: &str) -> Effect {
    Effect::Error {
        status,
        code: code.into(),
        message: "words".into(),
        retry_after_s: None,
    }
}

/// Temporary faults: the indicator gets its verdict.
fn passing() -> Vec<Effect> {
    vec![
        error(400, "NotAvailableYet"),
        error(424, "FailedDependencyError"),
        error(429, "QuotaExceededError"),
        error(429, "TooManyRequestsError"),
        error(503, "TransientError"),
        error(504, "DeadlineExceededError"),
        Effect::Html(403),
        Effect::Html(407),
        Effect::Html(502),
        Effect::Html(200),
        Effect::Body("garbage".into()),
        Effect::Body(r#"{"error":{"code":"X","message":"y"}}"#.into()),
        Effect::Body("{}".into()),
        Effect::TruncatedJson,
        Effect::Empty,
        Effect::Redirect("http://198.51.100.1/".into()),
        Effect::Reset,
        Effect::Cut,
        Effect::Slow { ms: 1_000 },
        Effect::CorruptGzip,
    ]
}

#[test]
fn temporary_fault_is_retried() {
    for effect in passing() {
        let done = run(effect.clone(), 1);
        assert_eq!(
            verdicts(&done),
            [Verdict::Good, Verdict::Bad, Verdict::Good],
            "{effect:?}"
        );
        assert_eq!(done.ended, RunEnd::Done, "{effect:?}");
    }
}

#[test]
fn permanent_fault_makes_one_indicator_unknown() {
    let finals = [
        error(400, "InvalidArgumentError"),
        error(400, "BadRequestError"),
        error(403, "ForbiddenError"),
        error(404, "NotFoundError"),
        error(409, "AlreadyExistsError"),
        Effect::Body(r#"{"data":{"id":"x","type":"domain","attributes":{}}}"#.into()),
        Effect::Body(r#"{"data":{"id":"x","type":"domain","attributes":{"last_analysis_stats":{"harmless":0}}}}"#.into()),
    ];
    let is_quota = |effect: &Effect| matches!(effect, Effect::Error { status: 429, .. });
    let stay = passing()
        .into_iter()
        .filter(|effect| !is_quota(effect))
        .chain(finals);
    for effect in stay {
        let done = run(effect.clone(), 1_000);
        assert_eq!(
            verdicts(&done),
            [Verdict::Good, Verdict::Unknown, Verdict::Good],
            "{effect:?}"
        );
        assert!(!done.findings[1].reason.is_empty(), "{effect:?}");
    }
}

#[test]
fn refused_quota_ends_the_run_without_a_verdict() {
    let done = run(error(429, "QuotaExceededError"), 1_000);
    assert!(matches!(done.ended, RunEnd::QuotaSpent { .. }));
    assert_eq!(done.findings.len(), INDICATORS.len());
    assert_eq!(done.findings[1].verdict, Verdict::Unknown);
    assert_eq!(done.findings[1].cause, vthost::triage::Cause::NotAsked);
}

#[test]
fn analysis_that_never_completes_stays_pending() {
    let clock = FastClock::at_noon();
    let mut options = patient();
    options.stuck = Some("evil".into());
    options.analysis_ms = 1_000;
    options.missing_reads = 1;
    let simulated = clock.clone();
    let server = Server::start(Simulator::new(options), 0, move || simulated.now_ms()).unwrap();
    let client = client(&server.url(), Duration::from_secs(5));
    let store = Store::in_memory().unwrap();
    let values = [
        "http://www.example.com/evil",
        "http://www.example.com/other",
    ];
    let run = || {
        let planned = planned(&values);
        triage(
            &client,
            &store,
            &clock,
            Limits::default(),
            lookup(Share::Submit),
            planned,
        )
    };
    let first = run();
    assert_eq!(verdicts(&first), [Verdict::Unknown, Verdict::Good]);
    assert_eq!(first.findings[0].cause, vthost::triage::Cause::Pending);
    // The next run polls the same analysis and submits nothing again.
    run();
    let posts = server
        .log()
        .iter()
        .filter(|logged| logged.method == "POST")
        .count();
    assert_eq!(posts, 2);
}

#[test]
fn wrong_key_stops_the_run_at_once() {
    let home = Home::new();
    let list = home.write("list.txt", INDICATORS.join("\n"));
    let server = serve(Simulator::default());
    let output = home
        .vthost(&["--vt-url", &server.url(), &list])
        .env("VT_API_KEY", "wrong-but-secret")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("does not accept the API key"), "{stderr}");
    assert!(!stderr.contains("wrong-but-secret"), "{stderr}");
    assert_eq!(server.log().len(), 1);
}

#[test]
fn chunked_bodies_are_read() {
    let mut options = patient();
    options.is_chunked = true;
    let done = ask(Simulator::new(options));
    let expected = [Verdict::Good, Verdict::Bad, Verdict::Good];
    assert_eq!(verdicts(&done), expected);
}

#[test]
fn the_key_does_not_follow_a_redirect() {
    let elsewhere = serve(Simulator::default());
    let done = run(
        Effect::Redirect(format!(
            "{}/api/v3/domains/evil.example.com",
            elsewhere.url()
        )),
        1_000,
    );
    assert_eq!(done.findings[1].verdict, Verdict::Unknown);
    assert!(
        done.findings[1].reason.contains("points to"),
        "{}",
        done.findings[1].reason
    );
    assert!(elsewhere.log().is_empty());
}
