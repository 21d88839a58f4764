//! i-FILTER and D-SPA of Digital Arts, in their default formats.

use vthost_plugin::contact::{Contact, plausible_address};
use vthost_plugin::parser::{Action, Line, Observations};
use vthost_plugin::split::{after, until};
use vthost_plugin::time::{DateOrder, Stamps};

/// A request that went through the proxy.
pub(crate) struct Request<'a> {
    client: &'a [u8],
    user: &'a [u8],
    time: &'a [u8],
    method: &'a [u8],
    target: &'a [u8],
    action: Action,
}

impl Request<'_> {
    pub(crate) fn push(&self, stamps: Stamps, found: &mut Observations<'_>) -> Line {
        let is_tunnel = self.method == b"CONNECT";
        let host = self.target.strip_prefix(b"https://").unwrap_or(self.target);
        Contact {
            url: if is_tunnel { b"" } else { self.target },
            host: if is_tunnel { host } else { b"" },
            client: self.client,
            user: self.user,
            time_us: stamps.any(self.time, DateOrder::DayFirst),
            action: self.action,
            ..Contact::default()
        }
        .push(found)
    }
}

/// A line of the access log or of the block log.
pub(crate) fn request(line: &[u8]) -> Option<Request<'_>> {
    access(line).or_else(|| block(line))
}

/// `May  1 12:00:00 4872 1000/01/ - 192.0.2.10:443 10.0.0.5 10.0.0.5 - jane
/// [01/May/2024:12:00:00 +0000] 503 0 1207 block … "GET https://www.example.com/
/// HTTP/1.1" …`: process and version, the proxy above, the server, who spoke to
/// i-FILTER, the client, its name and the user; a column that is not set up is
/// missing.
fn access(line: &[u8]) -> Option<Request<'_>> {
    let open = line.windows(2).position(|pair| pair == b" [")? + 1;
    let (before, rest) = (&line[..open], &line[open + 1..]);
    let time = until(rest, b"]");
    let words = || {
        before
            .split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty())
    };
    let version = words().position(is_version)?;
    let client = words()
        .skip(version + 1)
        .filter(|word| plausible_address(word).is_some_and(|address| address.len() == word.len()));
    let request = after(rest, b"\"")?;
    let mut parts = request.split(|byte| *byte == b' ');
    let is_blocked = rest
        .split(|byte| *byte == b' ')
        .any(|word| word == b"block");
    Some(Request {
        client: client.last()?,
        user: words().next_back()?,
        time,
        method: parts.next()?,
        target: until(parts.next()?, b"\""),
        action: if is_blocked {
            Action::Blocked
        } else {
            Action::Allowed
        },
    })
}

/// `1000/01/`: numbers of the version and the revision.
fn is_version(word: &[u8]) -> bool {
    let mut parts = word.split(|byte| *byte == b'/');
    let mut is_number = || {
        let part = parts.next();
        part.is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
    };
    is_number() && is_number() && parts.next() == Some(b"") && parts.next().is_none()
}

/// `4582 10.0.0.5 jane group 7 01/May/2024:12:00:00 +0000 http://www.example.com/
/// block 43 …`: process, client, user, group, reason, time, URL, action.
fn block(line: &[u8]) -> Option<Request<'_>> {
    let mut words = line
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    let process = words.next()?;
    process.iter().all(u8::is_ascii_digit).then_some(())?;
    let (client, user, _group, _reason) =
        (words.next()?, words.next()?, words.next()?, words.next()?);
    let (date, zone, target, action) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_it = plausible_address(client).is_some()
        && zone.len() == 5
        && matches!(zone.first(), Some(b'+' | b'-'))
        && date.iter().filter(|byte| **byte == b'/').count() == 2;
    let start = date.as_ptr() as usize - line.as_ptr() as usize;
    let end = zone.as_ptr() as usize + zone.len() - line.as_ptr() as usize;
    is_it.then(|| Request {
        client,
        user,
        time: &line[start..end],
        method: b"GET",
        target,
        action: match action {
            b"block" => Action::Blocked,
            _ => Action::Allowed,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing;

    fn check(line: &str, expected: (&str, &str, &str, Action)) {
        let parsed = testing::parse::<crate::Combined>(line.as_bytes(), "{}").unwrap();
        let seen = &parsed.observations[0];
        let found = (
            seen.value.as_str(),
            seen.client.as_str(),
            seen.user.as_str(),
            seen.action,
        );
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn older_and_newer_layouts_are_read() {
        check(
            "May  1 12:00:00 4872 1000/01/ - - 10.0.0.1 10.0.0.5 - jane [01/May/2024:12:00:00 +0900] 503 0 1207 block 63 87 87/127/151 -1 0 1518 0 group01 - 0 - \"GET https://www.example.com/sw.js HTTP/1.1\" - Chrome text%2Fhtml A667FEFF",
            (
                "https://www.example.com/sw.js",
                "10.0.0.5",
                "jane",
                Action::Blocked,
            ),
        );
        check(
            "May  1 12:00:00 5207 104/01/ 10.0.0.1:8000 10.0.0.5 - jane [01/May/2024:12:00:00 +0900] \"GET http://www.example.com/ HTTP/1.1\" \"http://www.example.com/search\" Mozilla%2F4.0 200 0 886 - 25",
            (
                "http://www.example.com/",
                "10.0.0.5",
                "jane",
                Action::Allowed,
            ),
        );
        check(
            "May  1 12:00:00 4872 1000/01/ - 192.0.2.10:443 10.0.0.5 10.0.0.5 - - [01/May/2024:12:00:00 +0900] 200 0 1 - 63 \"CONNECT www.example.com:443 HTTP/1.1\" -",
            ("www.example.com", "10.0.0.5", "", Action::Allowed),
        );
    }

    #[test]
    fn versions_have_two_numbers() {
        let check =
            |word: &str, expected| assert_eq!(is_version(word.as_bytes()), expected, "{word}");
        check("1000/01/", true);
        check("104/01/", true);
        check("1000/01", false);
        check("TCP_MISS/200/", false);
        check("1/2/3", false);
    }
}
