//! The account in a message: ASA writes it in brackets after the address of the client,
//! with a backslash (`(LOCAL\jane)`, `(EXAMPLE\jane, 9999:name)`), and after all of a
//! connection without one (`(jane)`). See "Cisco Secure Firewall ASA Series Syslog
//! Messages", `idfw_user` and `user`.

use vthost_plugin::scan;
use vthost_plugin::split::{after, until};

/// The account of a client, which the text names. Empty if there is none.
pub(crate) fn of_client<'a>(text: &'a [u8], client: &[u8]) -> &'a [u8] {
    let after_client = after(text, client).unwrap_or_default();
    let identity = brackets(of_end(after_client)).find(|inside| inside.contains(&b'\\'));
    identity.or_else(|| of_connection(text)).unwrap_or_default()
}

/// The text about one end: up to the words before the other one.
fn of_end(text: &[u8]) -> &[u8] {
    let ends: [&[u8]; 5] = [b" to ", b" dst ", b" -> ", b" duration ", b" by "];
    let lengths = ends.iter().filter_map(|end| {
        let rest = after(text, end)?;
        Some(text.len() - rest.len() - end.len())
    });
    &text[..lengths.min().unwrap_or(text.len())]
}

/// The text inside each pair of brackets, up to a comma.
fn brackets(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let opened = text.split(|byte| *byte == b'(').skip(1);
    opened.map(|inside| until(inside, b"),"))
}

/// `jane` at the end of a connection built or torn down: `… (192.0.2.10/443) (jane)`.
fn of_connection(text: &[u8]) -> Option<&[u8]> {
    let is_connection = text.starts_with(b"Built ") || text.starts_with(b"Teardown ");
    let text = text.trim_ascii_end();
    let inside = text.strip_suffix(b")").filter(|_| is_connection)?;
    let open = inside.iter().rposition(|byte| *byte == b'(')?;
    let name = &inside[open + 1..];
    let is_name = inside[..open].ends_with(b" ")
        && !name.is_empty()
        && scan::find_any(name, b"/:, ").is_none();
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_is_in_brackets_after_the_client() {
        let check = |text: &str, expected: &str| {
            let found = of_client(text.as_bytes(), b"10.0.0.5");
            assert_eq!(found, expected.as_bytes(), "{text}");
        };
        check(
            r"Built inbound TCP connection 1 for in:10.0.0.5/52232 (10.0.0.5/52232)(LOCAL\jane) to out:192.0.2.10/443 (192.0.2.10/443) (jane)",
            r"LOCAL\jane",
        );
        check(
            r"Built outbound TCP connection 1 for out:192.0.2.10/443 (192.0.2.10/443)(CORP\www) to in:10.0.0.5/1 (198.51.100.1/1) (jane)",
            "jane",
        );
        check(
            r"access-list a permitted tcp in/10.0.0.5(51000)(CORP\jane, 9:x) -> out/192.0.2.10(443) hit-cnt 1",
            r"CORP\jane",
        );
        check(
            r#"Deny tcp src in:10.0.0.5/1 dst srv:192.0.2.10/2(www.example.com) by access-group "x""#,
            "",
        );
        check(
            "Built inbound TCP connection 1 for in:10.0.0.5/1 (198.51.100.8/2) to out:192.0.2.10/443 (192.0.2.10/443)",
            "",
        );
    }
}
