//! The report of results that are made here, without a run.

use std::time::Instant;

use super::*;
use crate::contacts::{Contact, ContactTally, IndicatorContacts, LogLine, Timeline};
use crate::extraction::{InputCounts, InputFacts, InputSummary, Outcome};
use crate::indicator::{Indicator, Kind};
use crate::output::jsonl::JsonLines;
use crate::output::run_facts::{RunEnding, RunFile};
use crate::output::summary::Summary;
use crate::plugin::{PluginId, PluginKind};
use crate::sightings::Sightings;
use crate::triage::{Accuser, Cause, Evidence, Finding};
use crate::verdict::{Scope, Verdict};
use crate::virustotal::report::Stats;

/// Values that a report must show and never act on.
const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "[link](http://evil.example.com)",
    "=HYPERLINK(\"http://evil.example.com\")",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "invoice\u{202e}gpj.exe\u{2066}\u{200b}",
    "</style></script></title><!-- ]]>",
    "{{ 7*7 }} {% raw %} {} %s",
    "\u{0}\u{8}\r\n",
    "日本語のとても長い名前",
    "back\\slash `tick` &amp; &lt;",
];

fn plain(kind: Kind, value: &str) -> Finding {
    let sightings = Sightings {
        count: 3,
        allowed: 2,
        blocked: 1,
        first_us: Some(1_714_564_923_352_000),
        last_us: Some(1_714_565_089_076_000),
        clients: vec!["10.0.1.15".into(), "10.0.1.30".into()],
        ..Sightings::unseen(Indicator::from_canonical(kind, value.to_owned()))
    };
    Finding::unknown(sightings, Cause::NotAsked, "no slot".into())
}

fn bad(kind: Kind, value: &str) -> Finding {
    let tally = ContactTally {
        count: 2,
        allowed: 2,
        blocked: 0,
        first_us: Some(1_714_564_923_352_000),
        last_us: Some(1_714_565_089_076_000),
    };
    Finding {
        verdict: Verdict::Bad,
        cause: Cause::Judged,
        reason: "12 of 94 engines report it".into(),
        evidence: Some(Evidence {
            scope: Scope::Exact,
            subject: value.to_owned(),
            stats: Some(Stats {
                harmless: 60,
                malicious: 11,
                suspicious: 1,
                undetected: 22,
                timeout: 0,
            }),
            analysed_s: Some(1_714_000_000),
            accusers: vec![Accuser {
                engine: "Engine A".into(),
                category: "malicious".into(),
                label: "phishing".into(),
            }],
            owner: None,
        }),
        contacts: Some(Box::new(IndicatorContacts {
            contacts: vec![Contact {
                client: "10.0.1.15".into(),
                user: "CORP\\jane".into(),
                tally,
            }],
            samples: vec![LogLine {
                input: "access.log".into(),
                line: 7,
                text: format!("GET {value} - 200"),
            }],
        })),
        ..plain(kind, value)
    }
}

fn good(value: &str) -> Finding {
    Finding {
        verdict: Verdict::Good,
        cause: Cause::Judged,
        contacts: None,
        ..bad(Kind::Domain, value)
    }
}

fn summary(findings: &[Finding]) -> Summary {
    let mut timeline = Timeline::spanning(1_714_564_923_352_000, 1_714_565_089_076_000);
    timeline.observe(Some(1_714_564_923_352_000), Verdict::Bad);
    let mut counts = InputCounts::default();
    (counts.lines, counts.records) = (1_234, 1_234);
    let mut summary = Summary {
        inputs: vec![InputSummary {
            name: "access.log".into(),
            parser: Some(PluginId {
                kind: PluginKind::Parser,
                name: "squid".into(),
                version: "1.0.0".into(),
                digest: "ab".repeat(32),
            }),
            confidence: Some(90),
            envelopes: vec!["docker"],
            outcome: Outcome::Read,
            copy_of: None,
            counts,
            facts: InputFacts {
                first_us: Some(1_714_564_923_352_000),
                last_us: Some(1_714_565_089_076_000),
                bytes: Some(98_765),
                sha256: Some("cd".repeat(32)),
            },
        }],
        timeline: Some(timeline),
        run: RunFacts {
            command: "vthost --out results logs".into(),
            case: vec![("input".into(), "/logs".into())],
            settings: vec![("--utc-offset".into(), "+09:00".into())],
            started: Some("2024-05-01T13:00:00Z".into()),
            written: Some("2024-05-01T13:05:00Z".into()),
            ending: RunEnding::QuotaSpent,
            problem: Some("the day's quota is spent".into()),
            resumes: Some("2024-05-02T00:00:00Z".into()),
            requests: Some(500),
        },
        ..Summary::default()
    };
    summary.count(findings);
    summary
}

/// The report that a run writes, after checking that `vthost report` makes the same of its
/// results.
fn report_in(language: ReportLanguage, findings: &[Finding], summary: &Summary) -> String {
    let directory = tempfile::tempdir().unwrap();
    let results = Results { findings, summary };
    JsonLines::new(directory.path()).finish(&results).unwrap();
    RunFile::new(directory.path()).finish(&results).unwrap();
    HtmlReport::new(directory.path(), language)
        .finish(&results)
        .unwrap();
    let written = std::fs::read_to_string(directory.path().join(REPORT_FILE)).unwrap();
    let again = report_of(&directory.path().join("results.jsonl"), language).unwrap();
    assert!(
        written == again,
        "the report differs from that of its results"
    );
    written
}

fn report(findings: &[Finding]) -> String {
    report_in(ReportLanguage::En, findings, &summary(findings))
}

#[test]
fn report_shows_the_findings() {
    let findings = [
        bad(Kind::Url, "http://evil.example.org/a?token=abc123"),
        plain(Kind::Domain, "left.example.com"),
        good("fine.example.com"),
        Finding {
            cause: Cause::Internal,
            ..plain(Kind::Ip, "10.9.8.7")
        },
    ];
    let html = report(&findings);
    for expected in [
        "hxxp://evil[.]example[.]org/a?token=***",
        "12/94",
        "phishing (1)",
        "6 days before the run",
        "<strong>10.0.1.15</strong><td>CORP\\jane",
        "access.log:7",
        "1,234",
        "98.8 kB",
        "docker → squid (90 %)",
        "<b>1</b><strong>Not asked</strong>",
        "<b>1</b><strong>Not sent</strong>",
        "<b>1</b><strong>Good</strong>",
        "Indicators not asked yet: 1.",
        "available again at 2024-05-02 00:00:00 UTC",
        "vthost --out results logs",
        "read as UTC+09:00",
        "https://www.virustotal.com/gui/url/",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
    assert!(!html.contains("abc123"), "a secret of a URL is shown");
}

#[test]
fn what_is_not_asked_is_not_good() {
    let html = report(&[plain(Kind::Domain, "left.example.com")]);
    assert!(html.contains("<b>0</b><strong>Good</strong>"));
    assert!(html.contains("<b>1</b><strong>Not asked</strong>"));
}

#[test]
fn report_is_in_japanese() {
    let findings = [bad(Kind::Domain, "evil.example.org")];
    let html = report_in(ReportLanguage::Ja, &findings, &summary(&findings));
    assert!(html.contains("<html lang=\"ja\">"));
    assert!(html.contains("悪性の指標 (1)"));
    assert!(!html.contains("Bad indicators"));
}

#[test]
fn hostile_values_are_shown_and_never_acted_on() {
    let mut findings = Vec::new();
    for value in HOSTILE {
        let mut finding = bad(Kind::Url, &format!("http://evil.example.org/{value}"));
        finding.reason = value.to_owned();
        finding.tags = vec![value.to_owned()];
        let evidence = finding.evidence.as_mut().unwrap();
        evidence.owner = Some(value.to_owned());
        evidence.accusers[0].engine = value.to_owned();
        evidence.accusers[0].label = value.to_owned();
        let contacts = finding.contacts.as_mut().unwrap();
        contacts.contacts[0].client = value.to_owned();
        contacts.contacts[0].user = value.to_owned();
        contacts.samples[0].input = value.to_owned();
        contacts.samples[0].text = value.to_owned();
        findings.push(finding);
        // A log's value that no parser should accept as a domain or an address.
        findings.push(bad(Kind::Domain, value));
        findings.push(bad(Kind::Ip, value));
    }
    let mut summary = summary(&findings);
    summary.inputs[0].name = HOSTILE.concat();
    summary.run.command = HOSTILE.concat();
    summary.not_traced = HOSTILE.map(str::to_owned).to_vec();
    let html = report_in(ReportLanguage::En, &findings, &summary);
    let begins = |tag: &str| html.matches(tag).count();
    // The template's own script; no image, and no title or style besides the template's.
    assert_eq!((begins("<script"), begins("</script>")), (1, 1));
    assert_eq!((begins("<img"), begins("<style")), (0, 1));
    assert_eq!(begins("</style>"), 1);
    let is_hidden = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2066}\u{200b}".contains(c);
    assert!(!html.contains(is_hidden));
    // Values are escaped wherever they are, so that no attribute begins in them.
    let links = html
        .match_indices("href=\"")
        .map(|(at, _)| html.split_at(at + 6).1);
    for link in links {
        assert!(
            link.starts_with('#') || link.starts_with("https://www.virustotal.com/gui/"),
            "{}",
            link.chars().take(80).collect::<String>()
        );
    }
    assert!(html.contains("日本語のとても長い名前"));
    assert!(html.contains("\\u{1b}[2J"));
}

#[test]
fn long_values_are_shortened() {
    let url = format!("http://evil.example.org/{}", "a".repeat(1 << 20));
    let name = format!("{}.example.org", ["x".repeat(60).as_str(); 4].join("."));
    let findings = [
        bad(Kind::Url, &url),
        bad(Kind::Domain, &name),
        bad(
            Kind::Url,
            &format!("http://evil.example.org/{}", "日本語".repeat(500)),
        ),
        bad(Kind::Ip, "2001:db8::1"),
        bad(Kind::Domain, "xn--bcher-kva.example.com"),
    ];
    let html = report(&findings);
    assert!(html.len() < 100_000, "{} bytes", html.len());
    assert!(html.contains("2001[:]db8[:][:]1"));
    assert!(html.contains("xn--bcher-kva[.]example[.]com"));
}

/// The bounds of the issue: 2 MB for 10,000 rows, 15 MB for 100,000 indicators.
#[test]
fn large_reports_are_bounded() {
    let check = |bad_count: usize, all: usize, max_bytes: usize| {
        let findings: Vec<Finding> = (0..all)
            .map(|number| match number < bad_count {
                true => bad(
                    Kind::Url,
                    &format!("http://evil{number}.example.org/path/{number}"),
                ),
                false => plain(Kind::Domain, &format!("host{number}.example.com")),
            })
            .collect();
        let summary = summary(&findings);
        let started = Instant::now();
        let html = report_in(ReportLanguage::En, &findings, &summary);
        eprintln!(
            "{all} indicators: {} bytes, {:?}",
            html.len(),
            started.elapsed()
        );
        assert!(html.len() <= max_bytes, "{} bytes", html.len());
        assert_eq!(
            html.contains("`results.jsonl` has all of them"),
            all > 2_000
        );
    };
    check(100, 100, 400_000);
    check(10_000, 10_000, 2_000_000);
    check(1_000, 100_000, 15_000_000);
}

#[test]
fn results_without_a_summary_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("results.jsonl");
    let row = r#"{"type":"indicator","verdict":"bad","kind":"domain","value":"evil.example.org","contacted_by":["10.0.1.15"]}"#;
    std::fs::write(&path, format!("{row}\n")).unwrap();
    let html = report_of(&path, ReportLanguage::En).unwrap();
    assert!(html.contains("<b>1</b><strong>Bad</strong>"));
    assert!(html.contains("<strong>10.0.1.15</strong>"));
    std::fs::write(&path, "nothing\n").unwrap();
    let error = report_of(&path, ReportLanguage::En).unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error}");
}
