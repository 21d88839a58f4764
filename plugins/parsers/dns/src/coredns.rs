//! CoreDNS: the `log` and `errors` plugins. See <https://coredns.io/plugins/log/>.

use vthost_plugin::split::{after, split_once};
use vthost_plugin::syslog::Syslog;
use vthost_plugin::time::Stamps;

use crate::{Query, Report, action_of_code, is_class};

/// `[INFO] 10.0.0.5:51000 - 1 "A IN NAME. udp 40 false 512" NOERROR qr,rd,ra 100 0.1s`.
pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    let (before, rest) = split_once(line, b" - ")?;
    let client = before.rsplit(|byte| *byte == b' ').next()?;
    let (_id, rest) = split_once(rest, b"\"")?;
    let mut words = rest.split(|byte| *byte == b' ');
    let (_kind, class, name) = (words.next()?, words.next()?, words.next()?);
    if !is_class(class) {
        return None;
    }
    let code = after(rest, b"\" ").unwrap_or_default();
    let action = action_of_code(code.split(|byte| *byte == b' ').next()?);
    let report: Report<'_> = Query::new(name, client).action(action).into();
    Some(report.at(Syslog::time_of(line, stamps)))
}

#[cfg(test)]
mod tests {
    use vthost_plugin::parser::Action::{Blocked, Unstated};

    use crate::tests::check;

    #[test]
    fn queries_name_the_client() {
        for (line, expected) in [
            (
                "[INFO] 10.0.0.5:51000 - 1 \"A IN www.example.com. udp 40 false 512\" NOERROR qr 100 0.1s",
                ("www.example.com.", "10.0.0.5", Unstated),
            ),
            (
                "2024-05-01T12:00:00.250Z [INFO] [2001:db8::5]:51000 - 1 \"A IN www.example.com. udp 40 false 512\" REFUSED qr 100 0.1s",
                ("www.example.com.", "2001:db8::5", Blocked),
            ),
        ] {
            check(line, expected);
        }
    }
}
