//! Tests of the parser as a native program, on tables of each kind.

use super::*;
use vthost_plugin::parser::Action;
use vthost_plugin::testing::{self, Observed, Parsed};

/// 2024-05-01T12:00:00Z.
const NOON_US: i64 = 1_714_564_800_000_000;

fn parse(log: &str) -> Parsed {
    testing::parse::<Csv>(log.as_bytes(), "{}").unwrap()
}

fn text_of(seen: &Observed) -> String {
    let action = match seen.action {
        Action::Allowed => "allowed",
        Action::Blocked => "blocked",
        Action::Unstated => "unstated",
    };
    let seconds = seen.time_us.map(|time_us| (time_us - NOON_US) / 1_000_000);
    format!(
        "{} {} {} {action} {seconds:?}",
        seen.value, seen.client, seen.user
    )
}

/// Checks what a table gives: value, client, user, action, seconds after noon.
fn check(log: &str, expected: &[&str]) {
    let parsed = parse(log);
    let found: Vec<String> = parsed.observations.iter().map(text_of).collect();
    assert_eq!(found, expected, "{log}\n{:?}", parsed.rejected);
    let detected = testing::detect::<Csv>(log.as_bytes());
    assert!(detected > 60, "{detected}: {log}");
}

#[test]
fn headers_of_five_languages_are_read() {
    let expected = [
        "http://www.example.com/a 10.0.0.5 jane allowed Some(0)",
        "https://www.example.net/ 10.0.0.6 joe blocked Some(1)",
    ];
    check(
        "time,client,user,action,url,host,address\n\
         2024-05-01T12:00:00Z,10.0.0.5,jane,allowed,http://www.example.com/a,www.example.com,198.51.100.1\n\
         2024-05-01T12:00:01Z,10.0.0.6,joe,blocked,https://www.example.net/,www.example.net,198.51.100.2\n",
        &expected,
    );
    check(
        "Datum;Uhrzeit;Quell-IP;Benutzername;Aktion;Ziel-URL;Ziel-IP\n\
         01.05.2024;12:00:00;10.0.0.5;jane;zugelassen;http://www.example.com/a;198.51.100.1\n\
         01.05.2024;12:00:01;10.0.0.6;joe;gesperrt;https://www.example.net/;198.51.100.2\n",
        &expected,
    );
    check(
        "URL;Date et heure;Adresse IP source;Utilisateur;Résultat;Adresse IP de destination\n\
         http://www.example.com/a;01/05/2024 12:00:00;10.0.0.5;jane;autorisé;198.51.100.1\n\
         https://www.example.net/;01/05/2024 12:00:01;10.0.0.6;joe;bloqué;198.51.100.2\n",
        &expected,
    );
    check(
        "Fecha y hora\tUsuario\tIP de origen\tEnlace\tAcción\n\
         01/05/2024 12:00:00\tjane\t10.0.0.5\thttp://www.example.com/a\tPermitido\n\
         01/05/2024 12:00:01\tjoe\t10.0.0.6\thttps://www.example.net/\tDenegado\n",
        &expected,
    );
    check(
        "日時\tクライアントIP\tユーザー\t動作\tURL\t宛先ホスト\t宛先IP\n\
         2024年5月1日 12時00分00秒\t10.0.0.5\tjane\t許可\thttp://www.example.com/a\twww.example.com\t198.51.100.1\n\
         2024年5月1日 12時00分01秒\t10.0.0.6\tjoe\t遮断\thttps://www.example.net/\twww.example.net\t198.51.100.2\n",
        &expected,
    );
}

#[test]
fn lines_before_the_header_are_passed_over() {
    let rows = "\"05/01/2024 12:00:00\",\"10.0.0.5\",\"http://www.example.com/a\"\n";
    for title in [
        "#TYPE System.Management.Automation.PSCustomObject\n",
        "sep=,\n",
        "Report of May\n\n",
    ] {
        check(
            &format!("{title}\"time\",\"client\",\"url\"\n{rows}"),
            &["http://www.example.com/a 10.0.0.5  unstated Some(0)"],
        );
    }
    let parsed = parse(&format!("#TYPE X\n\"time\",\"client\",\"url\"\n{rows}"));
    assert_eq!(parsed.ignored, [("header".to_owned(), 2)]);
}

#[test]
fn columns_without_a_known_name_are_found_by_their_cells() {
    check(
        "Nr;Bemerkung;Wert;Stelle\n1;x;http://www.example.com/a;10.0.0.5\n2;y;https://www.example.net/;10.0.0.6\n",
        &[
            "http://www.example.com/a 10.0.0.5  unstated None",
            "https://www.example.net/ 10.0.0.6  unstated None",
        ],
    );
    check(
        "a,b\nwww.example.com,1\nwww.example.net,2\n",
        &[
            "www.example.com   unstated None",
            "www.example.net   unstated None",
        ],
    );
}

#[test]
fn a_table_without_a_header_is_read_by_its_cells() {
    check(
        "2024-05-01 12:00:00,10.0.0.5,198.51.100.1,443\n2024-05-01 12:00:01,10.0.0.6,198.51.100.2,443\n",
        &[
            "198.51.100.1 10.0.0.5  unstated Some(0)",
            "198.51.100.2 10.0.0.6  unstated Some(1)",
        ],
    );
    check(
        "http://www.example.com/a;10.0.0.5;2024-05-01 12:00:00\nhttps://www.example.net/;10.0.0.6;2024-05-01 12:00:01\n",
        &[
            "http://www.example.com/a 10.0.0.5  unstated Some(0)",
            "https://www.example.net/ 10.0.0.6  unstated Some(1)",
        ],
    );
}

#[test]
fn referrers_proxies_and_ports_are_no_contacts() {
    check(
        "Referer,Proxy IP,Client Port,Client IP,URL,User-Agent\n\
         http://www.example.org/,192.0.2.1,4711,10.0.0.5,http://www.example.com/a,Mozilla/5.0 (http://www.example.net/)\n",
        &["http://www.example.com/a 10.0.0.5  unstated None"],
    );
}

#[test]
fn the_dates_decide_whether_the_day_is_first() {
    let second = |date: &str| {
        let log = format!("time,client,host\n{date} 12:00:00,10.0.0.5,www.example.com\n");
        let log = log + "05/01/2024 12:00:00,10.0.0.5,www.example.com\n";
        parse(&log).observations[1].time_us.unwrap()
    };
    let days = (second("30/04/2024") - NOON_US) / 86_400_000_000;
    assert_eq!(days, -117);
    assert_eq!(second("04/30/2024"), NOON_US);
}

#[test]
fn a_cell_does_not_change_how_other_rows_are_read() {
    let table = |agents: [&str; 3]| {
        let row = |second: usize| {
            let agent = agents[second];
            format!(
                "2024-05-01T12:00:0{second}Z,10.0.0.5,{agent},http://www.example.com/{second}\n"
            )
        };
        format!("time,client,agent,url\n{}{}{}", row(0), row(1), row(2))
    };
    let others = |log: &str| {
        let parsed = parse(log);
        let values = parsed.observations.iter().map(|seen| seen.value.clone());
        values
            .filter(|value| value != "http://www.example.com/1")
            .collect::<Vec<_>>()
    };
    for hostile in [
        "\"",
        "\"open",
        "x\"y",
        "a,http://planted.example.net/",
        "#",
        "\"\"",
        "\"a\",\"b\"",
        "time,client,agent,url",
        "",
    ] {
        let log = table(["curl", hostile, "curl"]);
        assert_eq!(
            others(&log),
            ["http://www.example.com/0", "http://www.example.com/2"],
            "{log}"
        );
    }
}

#[test]
fn a_quoted_cell_may_have_several_lines_and_plants_no_row() {
    check(
        "\"time\",\"client\",\"note\",\"url\"\n\
         \"2024-05-01T12:00:00Z\",\"10.0.0.5\",\"one\n2024-05-01T12:00:00Z,10.0.0.9,x,http://planted.example.net/\nthree\",\"http://www.example.com/a\"\n\
         \"2024-05-01T12:00:01Z\",\"10.0.0.6\",\"say \"\"hi\"\"\",\"http://www.example.com/b\"\n",
        &[
            "http://www.example.com/a 10.0.0.5  unstated Some(0)",
            "http://www.example.com/b 10.0.0.6  unstated Some(1)",
        ],
    );
}

#[test]
fn a_row_that_is_cut_off_costs_only_itself() {
    check(
        "\"time\",\"client\",\"url\"\n\
         \"2024-05-01T12:00:00Z\",\"10.0.0.5\",\"http://www.exam\n\
         \"2024-05-01T12:00:01Z\",\"10.0.0.6\",\"http://www.example.com/b\"\n",
        &["http://www.example.com/b 10.0.0.6  unstated Some(1)"],
    );
    let parsed = parse(
        "time,client,url,n\n2024-05-01T12:00:00Z,10.0.0.5,http://www.example.com/a,1\n2024-05-01T12:00:00Z,10.0.0.5,http://www.exam\n",
    );
    assert_eq!(parsed.records, 1);
    let reason = "fewer columns than the table";
    assert_eq!(parsed.rejected, [(reason.to_owned(), 1)]);
}

#[test]
fn commas_of_an_unquoted_url_belong_to_it() {
    check(
        "time,client,url,status\n\
         2024-05-01T12:00:00Z,10.0.0.5,http://www.example.com/a,200\n\
         2024-05-01T12:00:01Z,10.0.0.6,http://www.example.com/b,c,d,404\n\
         2024-05-01T12:00:02Z,10.0.0.6,http://www.example.com/c,200,,\n\
         2024-05-01T12:00:03Z,10.0.0.6,http://www.example.com/d,200\n\
         2024-05-01T12:00:04Z,10.0.0.6,http://www.example.com/e,200\n",
        &[
            "http://www.example.com/a 10.0.0.5  unstated Some(0)",
            "http://www.example.com/b,c,d 10.0.0.6  unstated Some(1)",
            "http://www.example.com/c 10.0.0.6  unstated Some(2)",
            "http://www.example.com/d 10.0.0.6  unstated Some(3)",
            "http://www.example.com/e 10.0.0.6  unstated Some(4)",
        ],
    );
}

#[test]
fn rows_may_have_more_columns_than_the_header() {
    check(
        "time,client,url\n\
         2024-05-01T12:00:00Z,10.0.0.5,http://www.example.com/a,,\n\
         2024-05-01T12:00:01Z,10.0.0.6,http://www.example.com/b,,\n",
        &[
            "http://www.example.com/a 10.0.0.5  unstated Some(0)",
            "http://www.example.com/b 10.0.0.6  unstated Some(1)",
        ],
    );
}

#[test]
fn cells_may_be_formulas_of_excel_and_requests() {
    check(
        "time,client,request\n\
         2024-05-01 12:00:00,\"=\"\"10.0.0.5\"\"\",GET http://www.example.com/a HTTP/1.1\n",
        &["http://www.example.com/a 10.0.0.5  unstated Some(0)"],
    );
}

#[test]
fn settings_name_columns_that_have_another_name() {
    let log = "\"When\"|\"Src\"|\"Dst\"\n01/05/2024 12:00:00|192.0.2.9|198.51.100.7\n";
    let settings = r#"{"time": "When", "client": "Src", "address": "Dst", "day_first": true}"#;
    let parsed = testing::parse::<Csv>(log.as_bytes(), settings).unwrap();
    let found: Vec<String> = parsed.observations.iter().map(text_of).collect();
    assert_eq!(found, ["198.51.100.7 192.0.2.9  unstated Some(0)"]);
    let refused = testing::parse::<Csv>(log.as_bytes(), r#"{"url": "x"}"#).unwrap_err();
    assert_eq!(refused, "its header names no column `x`");
}

#[test]
fn a_table_without_a_target_is_refused() {
    let refused = testing::parse::<Csv>(b"a,b\n1,2\n", "{}").unwrap_err();
    assert!(refused.contains("no column holds URLs"), "{refused}");
    let wide = testing::parse::<Csv>(b"url,x\nx,y\n", r#"{"separator": "\u00e9"}"#);
    assert!(wide.is_err());
}

#[test]
fn other_texts_are_not_detected() {
    let check = |log: &str, expected| {
        assert_eq!(testing::detect::<Csv>(log.as_bytes()), expected, "{log}");
    };
    check("time,client,url\n", 45);
    check("host;user\n", 45);
    check("url\n", 0);
    check("something,else\n", 0);
    check("", 0);
    check(
        "http://www.example.com/a,b\nhttp://www.example.com/c,d\n",
        0,
    );
    check("{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":2}\n", 0);
    check("May  1 12:00:00 gw a, b\nMay  1 12:00:00 gw c, d\n", 0);
}
