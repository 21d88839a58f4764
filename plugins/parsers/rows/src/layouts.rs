//! Which column of which product means what: the names of the fields are their
//! places, from 0. Sources: the vendors' log references, by the title of each
//! entry.

use vthost_plugin::contact::{Contact, action_of, plausible_address};
use vthost_plugin::dialect::{Dialect, OtherLine, Record, Roles};
use vthost_plugin::parser::{Action, Line, Observations};
use vthost_plugin::time::DateOrder;

use super::barracuda;

/// A format of rows.
pub(crate) struct Layout {
    /// The columns that are marks must not be empty.
    pub(crate) dialect: Dialect,
    pub(crate) separator: u8,
    /// The form of some columns, which are among the marks.
    pub(crate) checks: &'static [(&'static str, Check)],
    /// The reader of a line between the rows that is not a row.
    pub(crate) other: fn(&[u8]) -> Option<OtherLine>,
}

/// Whether a column can be of such a row.
pub(crate) type Check = fn(&[u8]) -> bool;

/// The roles of a transaction of Netskope, however its columns are separated.
const NETSKOPE: Roles = Roles {
    scheme: &["10"],
    host: &["17"],
    port: &["19"],
    path: &["18"],
    address: &["7"],
    client: &["6"],
    user: &["8"],
    date: &["0"],
    clock: &["1"],
    ..Roles::NONE
};

const NETSKOPE_MARKS: &[&str] = &["0", "1", "9", "17", "19", "40"];

const NETSKOPE_CHECKS: &[(&str, Check)] = &[
    ("0", is_date),
    ("1", is_clock),
    ("9", is_method),
    ("17", is_host),
    ("19", is_number),
];

/// The formats. The first of those that fit equally well is taken.
pub(crate) const LAYOUTS: &[Layout] = &[
    Layout {
        dialect: Dialect {
            name: "netskope-transactions",
            title: "Netskope transaction events, without their header",
            example: r#"2024-05-01 12:00:00 33 5937 485 6422 10.0.0.5 192.0.2.10 "jane@example.org" GET https - "Mozilla/5.0 (X11)" "text/html" 204 - www.example.com www.example.com /a 443 - 1 "Client" "Example" "FR" 48.8 2.4 "Paris" "IDF" "75001" "FR" 50.6 3.1 "Roubaix" "HDF" "N/A" "Linux" "Edge" "18" "Device" "example""#,
            marks: NETSKOPE_MARKS,
            roles: NETSKOPE,
            certainty: 88,
            ..Dialect::DEFAULT
        },
        separator: b' ',
        checks: NETSKOPE_CHECKS,
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "netskope-transactions-csv",
            title: "Netskope transaction events (CSV), without their header",
            example: r#"2024-05-01,12:00:00,33,5937,485,6422,10.0.0.5,192.0.2.10,jane@example.org,GET,https,-,Mozilla/5.0,text/html,204,-,www.example.com,www.example.com,/a,443,-,1,Client,Example,FR,48.8,2.4,Paris,IDF,75001,FR,50.6,3.1,Roubaix,HDF,N/A,Linux,Edge,18,Device,example"#,
            marks: NETSKOPE_MARKS,
            roles: NETSKOPE,
            certainty: 88,
            ..Dialect::DEFAULT
        },
        separator: b',',
        checks: NETSKOPE_CHECKS,
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "forcepoint-csv",
            title: "Forcepoint Web Security Cloud (CSV)",
            example: r#""01/05/2024","12:00:00","jane","Not available","News","Allowed","Business Usage","Default","www.example.com/a","10.0.0.5","192.0.2.10","Not available","None","None","curl/8.0","200","Get""#,
            marks: &["0", "1", "5", "8", "9", "10"],
            roles: Roles {
                url: &["8"],
                address: &["10"],
                client: &["9"],
                user: &["2"],
                date: &["0"],
                clock: &["1"],
                action: &["5"],
                ..Roles::NONE
            },
            order: DateOrder::DayFirst,
            certainty: 84,
            ..Dialect::DEFAULT
        },
        separator: b',',
        checks: &[
            ("0", is_date_of_slashes),
            ("1", is_clock),
            ("9", is_end),
            ("10", is_end),
        ],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "zscaler-web-csv",
            title: "Zscaler NSS web log (CSV, default columns)",
            example: r#""Wed May  1 12:00:00 2024","jane@example.org","HTTP","www.example.com/a","Blocked","Example","Consumer Apps","606","17093","Business Use","Internet","News","None","None","0","None","None","GRE","Lab","10.0.0.5","192.0.2.10","GET","403","curl/8.0","None","URL Filtering","Block","Other","None","N/A","N/A","N/A""#,
            marks: &["0", "2", "4", "19", "20", "21"],
            roles: Roles {
                url: &["3"],
                scheme: &["2"],
                address: &["20"],
                client: &["19"],
                user: &["1"],
                stamp: &["0"],
                action: &["4"],
                ..Roles::NONE
            },
            certainty: 88,
            ..Dialect::DEFAULT
        },
        separator: b',',
        checks: &[
            ("0", is_weekday_stamp),
            ("4", is_zscaler_action),
            ("19", is_end),
            ("21", is_method),
        ],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "zscaler-web-csv-times",
            title: "Zscaler NSS web log (CSV, default columns with server and client time)",
            example: r#""Wed May  1 12:00:00 2024","jane@example.org","HTTP","www.example.com/a","Blocked","Example","Consumer Apps","72","14061","0","0","Productivity Loss","Internet","News","None","None","0","None","None","GRE","Lab","10.0.0.5","192.0.2.10","GET","403","curl/8.0","None","FwFilter","Rule","Other","None","NA","NA","N/A""#,
            marks: &["0", "2", "4", "21", "22", "23"],
            roles: Roles {
                url: &["3"],
                scheme: &["2"],
                address: &["22"],
                client: &["21"],
                user: &["1"],
                stamp: &["0"],
                action: &["4"],
                ..Roles::NONE
            },
            certainty: 88,
            ..Dialect::DEFAULT
        },
        separator: b',',
        checks: &[
            ("0", is_weekday_stamp),
            ("4", is_zscaler_action),
            ("21", is_end),
            ("23", is_method),
        ],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "zscaler-firewall-csv",
            title: "Zscaler NSS firewall log (CSV, default columns)",
            example: r#""Wed May  1 12:00:00 2024","jane@example.org","Lab","HQ","443","51000","443","51000","10.0.0.5","192.0.2.10","198.51.100.1","192.0.2.10","198.51.100.2","0","GRE","Drop","No","Yes","No","HTTPS","http","TCP","Other","US","10","Rule","100","200","1","1","1""#,
            marks: &["0", "8", "9", "15"],
            roles: Roles {
                address: &["9"],
                client: &["8"],
                user: &["1"],
                stamp: &["0"],
                action: &["15"],
                ..Roles::NONE
            },
            certainty: 88,
            ..Dialect::DEFAULT
        },
        separator: b',',
        checks: &[
            ("0", is_weekday_stamp),
            ("8", is_end),
            ("9", is_end),
            ("15", is_action),
        ],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "barracuda-firewall-syslog",
            title: "Barracuda CloudGen Firewall (activity log)",
            example: "May  1 12:00:00 gw Info     GW Allow: LOUT|UDP|bond0.603|10.0.0.5|61988|00:00:5E:00:53:01|192.0.2.10|53|domain||RULE|0|198.51.100.1|192.0.2.10|0|1|0|0|0|0||||||",
            marks: &["0", "1", "3", "6", "7"],
            roles: Roles {
                address: &["6"],
                client: &["3"],
                ..Roles::NONE
            },
            push: barracuda::push_row,
            certainty: 84,
            ..Dialect::DEFAULT
        },
        separator: b'|',
        checks: &[("3", is_end), ("6", is_end), ("7", is_number)],
        other: barracuda::event,
    },
    Layout {
        dialect: Dialect {
            name: "aws-alb",
            title: "AWS Application Load Balancer: the client is the remote side",
            example: r#"https 2024-05-01T12:00:00.000000Z app/lb/50dc6c495c0c9188 192.0.2.10:51000 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.org:443/ HTTP/1.1" "curl/8.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2"#,
            marks: &["0", "1", "3", "12"],
            roles: Roles {
                address: &["3"],
                stamp: &["1"],
                ..Roles::NONE
            },
            certainty: 87,
            ..Dialect::DEFAULT
        },
        separator: b' ',
        checks: &[("0", is_balanced), ("1", is_iso), ("3", is_end)],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "aws-elb",
            title: "AWS Classic Load Balancer: the client is the remote side",
            example: r#"2024-05-01T12:00:00.000000Z my-lb 192.0.2.10:51000 10.0.0.1:80 0.000043 0.000785 0.000023 200 200 0 612 "GET http://www.example.org:80/ HTTP/1.1" "curl/8.0" - -"#,
            marks: &["0", "2", "3", "11"],
            roles: Roles {
                address: &["2"],
                stamp: &["0"],
                ..Roles::NONE
            },
            certainty: 87,
            push: push_without_port,
            ..Dialect::DEFAULT
        },
        separator: b' ',
        checks: &[("0", is_iso), ("2", is_end), ("3", is_end_or_none)],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "aws-nlb",
            title: "AWS Network Load Balancer: the client is the remote side",
            example: "tls 2.0 2024-05-01T12:00:00 net/lb/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.10:51341 10.0.0.1:443 5 2 98 246 - arn:aws:acm:us-east-2:1:certificate/1 - ECDHE-RSA-AES128-SHA tlsv12 - www.example.org",
            marks: &["0", "2", "5", "6"],
            roles: Roles {
                address: &["5"],
                stamp: &["2"],
                ..Roles::NONE
            },
            certainty: 87,
            ..Dialect::DEFAULT
        },
        separator: b' ',
        checks: &[("0", is_balanced), ("2", is_iso), ("5", is_end)],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "iis",
            title: "IIS, without its header: the client is the remote side",
            example: "2024-05-01 12:00:00 10.0.0.80 GET /a - 443 - 192.0.2.10 curl/8.0 - 200 0 0 26",
            marks: &["0", "1", "2", "3", "4", "6", "8"],
            roles: Roles {
                address: &["8"],
                date: &["0"],
                clock: &["1"],
                ..Roles::NONE
            },
            certainty: 84,
            ..Dialect::DEFAULT
        },
        separator: b' ',
        checks: &[
            ("0", is_date),
            ("1", is_clock),
            ("2", is_end),
            ("3", is_method),
            ("6", is_number),
            ("8", is_end),
        ],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "iis-all",
            title: "IIS with all fields, without its header: the client is the remote side",
            example: "2024-05-01 12:00:00 W3SVC2 WEB1 10.0.0.80 GET /a - 80 - 192.0.2.10 HTTP/1.1 curl/8.0 - - www.example.org 200 0 0 346 306 0",
            marks: &["0", "1", "4", "5", "6", "8", "10"],
            roles: Roles {
                address: &["10"],
                date: &["0"],
                clock: &["1"],
                ..Roles::NONE
            },
            certainty: 84,
            ..Dialect::DEFAULT
        },
        separator: b' ',
        checks: &[
            ("0", is_date),
            ("1", is_clock),
            ("4", is_end),
            ("5", is_method),
            ("8", is_number),
            ("10", is_end),
        ],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "barracuda-waf",
            title: "Barracuda Web Application Firewall (access log): the client is the remote side",
            example: r#"<134>2024-05-01 12:00:00.959 +0000  waf TR 10.0.0.80 443 192.0.2.10 8210 "-" "-" GET TLSv1.2 www.example.org HTTP/1.1 404 791 293"#,
            marks: &["5", "6", "8", "12"],
            roles: Roles {
                address: &["8"],
                ..Roles::NONE
            },
            certainty: 84,
            ..Dialect::DEFAULT
        },
        separator: b' ',
        checks: &[
            ("5", is_traffic),
            ("6", is_end),
            ("8", is_end),
            ("12", is_method),
        ],
        other: none,
    },
    Layout {
        dialect: Dialect {
            name: "barracuda-waf-network",
            title: "Barracuda Web Application Firewall (network firewall log)",
            example: "<129>2024-05-01 12:00:00.404 +0000  waf NF ALER TCP 10.0.0.5 57296 192.0.2.10 80 DENY RULE MGMT/LAN/WAN interface traffic:deny",
            marks: &["5", "8", "10", "12"],
            roles: Roles {
                address: &["10"],
                client: &["8"],
                action: &["12"],
                ..Roles::NONE
            },
            certainty: 84,
            ..Dialect::DEFAULT
        },
        separator: b' ',
        checks: &[
            ("5", is_network_firewall),
            ("8", is_end),
            ("10", is_end),
            ("12", is_word),
        ],
        other: none,
    },
];

/// No other lines.
fn none(_line: &[u8]) -> Option<OtherLine> {
    None
}

/// `Wed May  1 12:00:00 2024`.
fn is_weekday_stamp(column: &[u8]) -> bool {
    let is_form = matches!(column, [b'A'..=b'Z', _, _, b' ', b'A'..=b'Z', ..]);
    is_form && column.len() == 24 && column[19] == b' '
}

/// The actions of Zscaler's web log.
fn is_zscaler_action(column: &[u8]) -> bool {
    matches!(column, b"Allowed" | b"Blocked" | b"Cautioned" | b"Isolated")
}

/// A word that states what was done.
fn is_action(column: &[u8]) -> bool {
    action_of(column) != Action::Unstated
}

/// `2024-05-01`.
fn is_date(column: &[u8]) -> bool {
    has_form(column, b"####-##-##")
}

/// `01/05/2024`.
fn is_date_of_slashes(column: &[u8]) -> bool {
    has_form(column, b"##/##/####")
}

/// `12:00:00`.
fn is_clock(column: &[u8]) -> bool {
    has_form(column, b"##:##:##")
}

/// `2024-05-01T12:00:00.000000Z`.
fn is_iso(column: &[u8]) -> bool {
    column
        .split_at_checked(19)
        .is_some_and(|(start, _)| has_form(start, b"####-##-##T##:##:##"))
}

/// Digits where the form has `#`, else the same bytes.
fn has_form(column: &[u8], form: &[u8]) -> bool {
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'#' => byte.is_ascii_digit(),
        _ => byte == form,
    };
    column.len() == form.len() && column.iter().zip(form).all(fits)
}

fn is_number(column: &[u8]) -> bool {
    !column.is_empty() && column.iter().all(u8::is_ascii_digit)
}

fn is_word(column: &[u8]) -> bool {
    !column.is_empty() && column.iter().all(u8::is_ascii_alphabetic)
}

/// `GET`, or `-` where it was not seen.
fn is_method(column: &[u8]) -> bool {
    column == b"-"
        || column
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
}

fn is_host(column: &[u8]) -> bool {
    column == b"-" || column.contains(&b'.') || column.contains(&b':')
}

/// A port always follows the address, of IPv6 without brackets: `2001:db8::1:51000`.
fn push_without_port(record: Record<'_>, found: &mut Observations<'_>) -> Line {
    let end = record.contact.address;
    let colon = end.iter().rposition(|byte| *byte == b':');
    Contact {
        address: &end[..colon.unwrap_or(end.len())],
        ..record.contact
    }
    .push(found)
}

/// An address, perhaps with a port.
fn is_end(column: &[u8]) -> bool {
    plausible_address(column).is_some()
}

fn is_end_or_none(column: &[u8]) -> bool {
    column == b"-" || is_end(column)
}

/// The kinds of connections in the logs of load balancers.
fn is_balanced(column: &[u8]) -> bool {
    matches!(
        column,
        b"http" | b"https" | b"h2" | b"grpcs" | b"ws" | b"wss" | b"tls"
    )
}

fn is_traffic(column: &[u8]) -> bool {
    column == b"TR"
}

fn is_network_firewall(column: &[u8]) -> bool {
    column == b"NF"
}
