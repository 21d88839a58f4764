//! The checks as a JUnit report.

use std::fmt::Write as _;

use super::Check;

/// The report of one plugin's checks.
pub(super) fn report(plugin: &str, checks: &[Check]) -> String {
    let failed = checks
        .iter()
        .filter(|check| check.failure.is_some())
        .count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">\n",
        escaped(plugin),
        checks.len()
    );
    for check in checks {
        let name = escaped(&check.name);
        // Writing to a String cannot fail.
        let _ = match &check.failure {
            None => writeln!(xml, "  <testcase name=\"{name}\"/>"),
            Some(failure) => writeln!(
                xml,
                "  <testcase name=\"{name}\"><failure>{}</failure></testcase>",
                escaped(failure)
            ),
        };
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// Escapes text for XML 1.0, which allows only three control characters.
fn escaped(text: &str) -> String {
    let mut xml = String::new();
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\t' | '\n' | '\r' => xml.push(c),
            c if c.is_control() => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_reported() {
        let checks = [
            Check::of("passes", Ok(())),
            Check::of("a<b", Err("\"x\" & \u{1b}".to_owned())),
        ];
        assert_eq!(
            report("policy p@1.0.0", &checks),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuite name=\"policy p@1.0.0\" tests=\"2\" failures=\"1\">\n\
             \x20 <testcase name=\"passes\"/>\n\
             \x20 <testcase name=\"a&lt;b\"><failure>&quot;x&quot; &amp; \u{fffd}</failure></testcase>\n\
             </testsuite>\n"
        );
    }
}
