//! Tests of the exports: what each format contains and leaves out.

use super::*;
use crate::output::export::block::{BlockEntry, entries};
use crate::output::summary::Summary;
use crate::sightings::Sightings;
use crate::triage::{Cause, Evidence};
use crate::verdict::Scope;

fn finding(kind: Kind, value: &str, verdict: Verdict, scope: Scope) -> Finding {
    let indicator = Indicator::parse(kind, value.as_bytes()).unwrap();
    let subject = match scope {
        Scope::Exact => indicator.value().to_owned(),
        Scope::Host => indicator.host().value().to_owned(),
    };
    let mut sightings = Sightings::unseen(indicator);
    sightings.count = 1;
    sightings.clients = vec!["10.0.0.5".into()];
    let mut finding = Finding::unknown(sightings, Cause::Judged, "2 engines".into());
    finding.verdict = verdict;
    finding.evidence = Some(Evidence {
        scope,
        subject,
        stats: None,
        analysed_s: Some(1_714_564_800),
        accusers: Vec::new(),
        owner: None,
    });
    finding
}

fn bad_name(value: &str) -> Finding {
    finding(Kind::Domain, value, Verdict::Bad, Scope::Exact)
}

fn exported(format: ExportFormat, findings: &[Finding]) -> Exported {
    let settings = ExportSettings {
        format,
        has_csv_bom: false,
        rpz_zone: "rpz.example.com".into(),
        events: None,
    };
    let mut export = Export::new(settings, None);
    let results = Results {
        findings,
        summary: &Summary::default(),
    };
    export.finish(&results).unwrap();
    export.into_exported()
}

fn text(format: ExportFormat, findings: &[Finding]) -> String {
    String::from_utf8(exported(format, findings).bytes).unwrap()
}

#[test]
fn bad_host_is_blocked_and_bad_page_only_as_url() {
    use {Kind::Url, Scope::*, Verdict::*};
    let found = entries(&[
        finding(Url, "http://bad.example.com/a", Bad, Host),
        finding(Url, "http://bad.example.com/b", Bad, Exact),
        finding(Url, "http://good.example.com/bad", Bad, Exact),
        finding(Url, "http://good.example.com/1", Good, Host),
        finding(Url, "http://unknown.example.com/", Unknown, Host),
        finding(Url, "http://[2001:db8::1]/x", Bad, Host),
        // The verdict of the host itself is not bad.
        finding(Url, "http://other.example.com/x", Bad, Host),
        finding(Kind::Domain, "other.example.com", Unknown, Exact),
    ]);
    let expected = [
        BlockEntry::Name("bad.example.com".into()),
        BlockEntry::Address("2001:db8::1".parse().unwrap()),
        BlockEntry::Url("http://good.example.com/bad".into()),
        BlockEntry::Url("http://other.example.com/x".into()),
    ];
    assert!(found.iter().eq(&expected), "{found:?}");
}

#[test]
fn lists_keep_the_rules_of_their_consumers() {
    let findings = [
        bad_name("bad.example.com"),
        finding(Kind::Ip, "198.51.100.7", Verdict::Bad, Scope::Exact),
        finding(Kind::Ip, "2001:db8::1", Verdict::Bad, Scope::Exact),
        finding(
            Kind::Url,
            "https://b.example.com/x?y*",
            Verdict::Bad,
            Scope::Exact,
        ),
        finding(
            Kind::Url,
            "https://b.example.com/z",
            Verdict::Bad,
            Scope::Exact,
        ),
    ];
    let check = |format, expected: &[&str], left_out: usize| {
        let exported = exported(format, &findings);
        let text = String::from_utf8(exported.bytes).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with(['#', ';']))
            .collect();
        assert_eq!(lines, expected, "{format}");
        assert_eq!(exported.left_out.len(), left_out, "{format}");
    };
    use ExportFormat::*;
    check(Squid, &["bad.example.com"], 4);
    check(Hosts, &["0.0.0.0 bad.example.com"], 4);
    let head = "server:";
    let zone = "    local-zone: \"bad.example.com.\" transparent";
    let a = "    local-data: \"bad.example.com. A 0.0.0.0\"";
    let aaaa = "    local-data: \"bad.example.com. AAAA ::\"";
    check(Unbound, &[head, zone, a, aaaa], 4);
    // 2024-05-01T12:00:00Z is the time of the analyses.
    let soa = "@ SOA localhost. root.localhost. 1714564800 3600 600 604800 300";
    let name = "bad.example.com CNAME .";
    let v4 = "32.7.100.51.198.rpz-ip CNAME .";
    let v6 = "128.1.zz.db8.2001.rpz-ip CNAME .";
    check(Rpz, &["$TTL 300", soa, "@ NS localhost.", name, v4, v6], 2);
    let url = "https://b.example.com/z";
    check(
        Fortigate,
        &["bad.example.com", "198.51.100.7", "[2001:db8::1]", url],
        1,
    );
    let panos = [
        "bad.example.com/",
        "198.51.100.7/",
        "[2001:db8::1]/",
        "b.example.com/z",
    ];
    check(Panos, &panos, 1);
    let star = "https://b.example.com/x?y*";
    check(
        Plain,
        &["bad.example.com", "198.51.100.7", "2001:db8::1", star, url],
        0,
    );
}

#[test]
fn zone_name_counts_in_the_length_of_a_name() {
    let label = "a".repeat(63);
    // 237 octets, the dot and `rpz.example.com` are 253; one octet more is too long.
    let name = |last: usize| format!("{label}.{label}.{label}.{}.example", "b".repeat(last));
    let check = |last, length, left_out| {
        let name = name(last);
        assert_eq!(name.len(), length);
        let exported = exported(ExportFormat::Rpz, &[bad_name(&name)]);
        assert_eq!(exported.left_out.len(), left_out, "{length}");
    };
    check(37, 237, 0);
    check(38, 238, 1);
}

#[test]
fn formulas_are_text() {
    let mut formula = bad_name("bad.example.com");
    for reason in ["=1+1", "+1", "-1", "@SUM(A1)", "  =1+1", "＝1"] {
        formula.reason = reason.into();
        let text = text(ExportFormat::Csv, std::slice::from_ref(&formula));
        assert!(text.contains(&format!("'{reason}")), "{text}");
    }
    formula.reason = "\u{1b}[2J, \"x\"\n\u{202e}".into();
    let text = text(ExportFormat::Csv, &[formula]);
    assert!(
        text.contains("\"\\u{1b}[2J, \"\"x\"\"\\n\\u{202e}\""),
        "{text}"
    );
}

#[test]
fn long_cell_is_cut() {
    let mut long = bad_name("bad.example.com");
    long.reason = "x".repeat(1 << 20);
    let exported = exported(ExportFormat::Csv, &[long]);
    assert!(exported.bytes.len() < 40_000);
    assert_eq!(exported.left_out.len(), 1);
}

/// The identifier is the one that the Python package `stix2` 3.0.2 computes:
/// `stix2.DomainName(value="bad.example.com").id`.
#[test]
fn observables_have_the_identifiers_of_the_specification() {
    let text = text(ExportFormat::Stix, &[bad_name("bad.example.com")]);
    assert!(
        text.contains("domain-name--ad252e7a-f605-5f63-9b85-33d11b2d254e"),
        "{text}"
    );
}

#[test]
fn exports_have_only_what_is_bad() {
    let findings = [
        finding(
            Kind::Domain,
            "good.example.com",
            Verdict::Good,
            Scope::Exact,
        ),
        finding(
            Kind::Domain,
            "unknown.example.com",
            Verdict::Unknown,
            Scope::Exact,
        ),
    ];
    for (format, name, _) in ExportFormat::ALL {
        let text = text(format, &findings);
        let has_all = format == ExportFormat::Csv;
        assert_eq!(text.contains("good.example.com"), has_all, "{name}");
        assert_eq!(text.contains("unknown.example.com"), has_all, "{name}");
    }
}

#[test]
fn shared_formats_have_no_clients() {
    for (format, name, _) in ExportFormat::ALL {
        let text = text(format, &[bad_name("bad.example.com")]);
        let is_internal = matches!(
            format,
            ExportFormat::Csv | ExportFormat::Affected | ExportFormat::Ocsf
        );
        assert_eq!(text.contains("10.0.0.5"), is_internal, "{name}");
    }
}

#[test]
fn order_of_findings_does_not_change_an_export() {
    let mut findings = [
        bad_name("b.example.com"),
        bad_name("a.example.com"),
        finding(
            Kind::Url,
            "http://c.example.com/",
            Verdict::Bad,
            Scope::Exact,
        ),
    ];
    let before = ExportFormat::ALL.map(|(format, ..)| text(format, &findings));
    findings.reverse();
    let after = ExportFormat::ALL.map(|(format, ..)| text(format, &findings));
    // The table of all findings has their order.
    assert_eq!(
        before.iter().skip(1).collect::<Vec<_>>(),
        after.iter().skip(1).collect::<Vec<_>>()
    );
}
