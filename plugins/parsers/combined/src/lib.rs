//! The common and combined log formats, and others with the time in brackets:
//! i-FILTER's and HAProxy's. A proxy's requests name the whole URL; a web
//! server's only its path, and there the client is the remote side.
//!
//! See <https://httpd.apache.org/docs/2.4/logs.html#accesslog>; i-FILTER Ver.10
//! feature manual, "7-6-2 Access log settings"; HAProxy configuration manual,
//! "8. Logging".

mod ifilter;

use vthost_plugin::contact::{Contact, plausible_address};
use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observations,
};
use vthost_plugin::split::after;
use vthost_plugin::time::{DateOrder, Stamps};

struct Combined {
    stamps: Stamps,
    order: DateOrder,
    /// Whether the first line is one of i-FILTER's: others that look like its
    /// are read as what they are.
    is_ifilter: bool,
}

vthost_plugin::export_parser!(Combined);

impl LineParser for Combined {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "combined",
            version: env!("CARGO_PKG_VERSION"),
            licence: env!("CARGO_PKG_LICENSE"),
            summary: "Common and combined log format of proxies (Squid, Olfeo) and web servers",
            formats: &[
                (
                    "ifilter",
                    "i-FILTER and D-SPA access log (Digital Arts)",
                    "May  1 12:00:00 4872 1000/01/ - 192.0.2.10:443 10.0.0.5 10.0.0.5 - jane [01/May/2024:12:00:00 +0000] 200 0 1207 - 63 87 87/127/151 -1 0 1518 0 group01 - 0 - \"GET https://www.example.com/a HTTP/1.1\" - Chrome text%2Fhtml A667FEFF",
                ),
                (
                    "ifilter-block",
                    "i-FILTER block log (Digital Arts)",
                    "4582 10.0.0.5 jane group 7 01/May/2024:12:00:00 +0000 http://www.example.com/a block 43 3 99 28 0 -1 0 -",
                ),
                (
                    "haproxy",
                    "HAProxy (HTTP and TCP): the client is the remote side",
                    "May  1 12:00:00 lb haproxy[1]: 192.0.2.10:51000 [01/May/2024:12:00:00.000] fe be/srv1 0/0/5 212 -- 0/0/0/0/3 0/0",
                ),
                (
                    "combined-proxy",
                    "Combined log format of a proxy",
                    "10.0.0.5 - jane [01/May/2024:12:00:00 +0000] \"GET http://www.example.com/a HTTP/1.1\" 200 512 \"-\" \"curl/8.0\" TCP_MISS:HIER_DIRECT",
                ),
                (
                    "combined-server",
                    "Combined log format of a web server: the client is the remote side",
                    "192.0.2.10 - - [01/May/2024:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 512 \"-\" \"curl/8.0\"",
                ),
            ],
            settings_schema: "",
        }
    }

    fn detect(input: &Input) -> u8 {
        input.confidence(82, |line| match () {
            () if line.trim_ascii().is_empty() => Fit::Neutral,
            () if ifilter::request(line).is_some() || haproxy_client(line).is_some() => Fit::Yes,
            () => Fit::from(Row::read(line).is_some()),
        })
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
            order: order(input),
            is_ifilter: input
                .lines()
                .find(|line| !line.is_empty())
                .is_some_and(|line| ifilter::request(line).is_some()),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        if self.is_ifilter
            && let Some(request) = ifilter::request(line)
        {
            return request.push(self.stamps, found);
        }
        let Some(row) = Row::read(line) else {
            return self.other(line, found);
        };
        let time_us = self.stamps.any(row.time, self.order);
        let mut words = row.request.split(|byte| *byte == b' ');
        let (method, target) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let is_denied = after(line, b"_DENIED").is_some();
        let contact = Contact {
            time_us,
            action: if is_denied {
                Action::Blocked
            } else {
                Action::Allowed
            },
            ..Contact::default()
        };
        match () {
            () if method == b"CONNECT" => {
                let host = target.strip_prefix(b"https://").unwrap_or(target);
                Contact {
                    host,
                    client: row.client,
                    user: row.user,
                    ..contact
                }
            }
            () if vthost_plugin::contact::split_scheme(target).is_some() => {
                // `https://www.example.com:443` is a tunnel in Olfeo's words.
                Contact {
                    url: target,
                    client: row.client,
                    user: row.user,
                    ..contact
                }
            }
            () => Contact {
                address: row.client,
                action: Action::Unstated,
                ..contact
            },
        }
        .push(found)
    }
}

impl Combined {
    /// A line that has no request behind the time.
    fn other(&self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if let Some(request) = ifilter::request(line) {
            return request.push(self.stamps, found);
        }
        let Some((address, time)) = haproxy_client(line) else {
            return Line::Rejected("not client, time in brackets and request in quotes");
        };
        Contact {
            address,
            time_us: self.stamps.any(time, DateOrder::DayFirst),
            ..Contact::default()
        }
        .push(found)
    }
}

/// The client and the time of `192.0.2.10:51000 [01/May/2024:12:00:00.000]
/// frontend backend/server …`.
fn haproxy_client(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let open = find_from(line, 0, b'[').and_then(|first| match line.get(..first) {
        // `haproxy[1]: …` has brackets of its own.
        Some(before) if before.ends_with(b" ") => Some(first),
        _ => find_from(line, first + 1, b'['),
    })?;
    let close = find_from(line, open, b']')?;
    let client = line[..open]
        .trim_ascii_end()
        .rsplit(|byte| *byte == b' ')
        .next()?;
    let time = &line[open + 1..close];
    let is_time = time.iter().filter(|byte| **byte == b'/').count() == 2 && time.len() > 20;
    let names_ends = client.contains(&b':') && find_from(line, close, b'/').is_some();
    (is_time && names_ends).then_some((client, time))
}

/// Whether days or months come first in dates like `[15/04/2024 12:50:04]`: as
/// the first line shows in which a number is above 12; else months, as `%x` and
/// `%D` of C's `strftime` have it.
fn order(input: &Input) -> DateOrder {
    let number = |digits: &[u8]| str::from_utf8(digits).ok()?.parse::<u8>().ok();
    let shown = input.lines().find_map(|line| {
        let date = &line[find_from(line, 0, b'[')? + 1..];
        let (first, second) = (number(date.get(..2)?)?, number(date.get(3..5)?)?);
        match (first > 12, second > 12) {
            (true, false) => Some(DateOrder::DayFirst),
            (false, true) => Some(DateOrder::MonthFirst),
            _ => None,
        }
    });
    shown.unwrap_or(DateOrder::MonthFirst)
}

/// The parts of a line that are needed.
struct Row<'a> {
    client: &'a [u8],
    user: &'a [u8],
    time: &'a [u8],
    request: &'a [u8],
}

impl<'a> Row<'a> {
    /// Reads `client ident user [time] "request"`; a virtual host or a list of
    /// forwarders may stand before.
    fn read(line: &'a [u8]) -> Option<Self> {
        let open = find_from(line, 0, b'[')?;
        let close = find_from(line, open, b']')?;
        let quote = find_from(line, close, b'"')?;
        if !line[close + 1..quote].iter().all(|byte| *byte == b' ') {
            return None;
        }
        let end = find_from(line, quote + 1, b'"')?;
        let time = &line[open + 1..close];
        if time.iter().filter(|byte| **byte == b'/').count() != 2 {
            return None;
        }
        let words = || {
            let words = line[..open].split(|byte| *byte == b' ');
            words.filter(|word| !word.is_empty())
        };
        let mut last = words().rev();
        let (user, _ident) = (last.next()?, last.next()?);
        let mut addresses = words()
            .map(trimmed)
            .filter(|word| plausible_address(word).is_some());
        Some(Self {
            client: addresses.next().or_else(|| words().next())?,
            user,
            time,
            request: &line[quote + 1..end],
        })
    }
}

/// Without the quotes and commas of a list.
fn trimmed(word: &[u8]) -> &[u8] {
    let word = word.strip_prefix(b"\"").unwrap_or(word);
    let word = word.strip_suffix(b",").unwrap_or(word);
    word.strip_suffix(b"\"").unwrap_or(word)
}

fn find_from(line: &[u8], from: usize, wanted: u8) -> Option<usize> {
    let rest = line.get(from..)?;
    Some(from + rest.iter().position(|byte| *byte == wanted)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    fn check(line: &str, expected: (&str, &str, &str)) {
        let parsed = testing::parse::<Combined>(line.as_bytes(), "{}").unwrap();
        let observed = &parsed.observations[0];
        let found = (
            observed.kind,
            observed.value.as_str(),
            observed.client.as_str(),
        );
        assert_eq!(found, expected, "{line}");
        // 2024-05-01T12:00:00Z.
        assert_eq!(observed.time_us, Some(1_714_564_800_000_000), "{line}");
        assert_eq!(testing::detect::<Combined>(line.as_bytes()), 82, "{line}");
    }

    #[test]
    fn a_whole_url_is_a_proxys_and_a_path_a_servers() {
        for (name, _, example) in Combined::describe().formats {
            check(
                example,
                match *name {
                    "ifilter" => ("url", "https://www.example.com/a", "10.0.0.5"),
                    "haproxy" | "combined-server" => ("ip", "192.0.2.10", ""),
                    _ => ("url", "http://www.example.com/a", "10.0.0.5"),
                },
            );
        }
        check(
            "192.0.2.10:51000 [01/May/2024:12:00:00.000] fe~ be/srv 0/0/0/5/5 200 7500 - - --VN 409/407/0/0/0 0/0 \"GET /a HTTP/1.1\"",
            ("ip", "192.0.2.10", ""),
        );
        check(
            "10.0.0.5 - - [05/01/2024 12:00:00] \"CONNECT www.example.com:443 HTTP/1.1\" 200 - - 1000 News",
            ("domain", "www.example.com", "10.0.0.5"),
        );
        check(
            "www.example.org:80 \"192.0.2.10, 10.0.0.1\" 10.2.1.1 - - [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
            ("ip", "192.0.2.10", ""),
        );
    }

    #[test]
    fn dates_of_numbers_are_read_as_the_input_writes_them() {
        let line = |date: &str| {
            format!(
                "10.0.0.5 - - [{date} 12:00:00] \"CONNECT www.example.com:443 HTTP/1.1\" 200 -\n"
            )
        };
        let check = |log: &str, expected: i64| {
            let parsed = testing::parse::<Combined>(log.as_bytes(), "{}").unwrap();
            assert_eq!(parsed.observations[0].time_us, Some(expected), "{log}");
        };
        // 2024-05-01T12:00:00Z and 2024-01-05T12:00:00Z.
        let (may, january) = (1_714_564_800_000_000, 1_704_456_000_000_000);
        check(&line("05/01/2024"), may);
        check(&line("01/05/2024"), january);
        check(&(line("01/05/2024") + &line("13/05/2024")), may);
    }
}
