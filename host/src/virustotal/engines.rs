//! What the engines think, as lines of one text: so it goes to a policy. As
//! records of their own they would cost thirty times as much at the boundary.

/// One engine's opinion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineResult<'a> {
    /// Its name.
    pub name: &'a str,
    /// `harmless`, `undetected`, `suspicious`, `malicious` or `timeout`.
    pub category: &'a str,
    /// What it calls the finding; may be empty.
    pub label: &'a str,
}

/// The opinions of all engines, the accusers first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineResults(String);

impl EngineResults {
    /// Those that say malicious, then the suspicious, then the others, each by
    /// name.
    #[must_use]
    pub fn new(mut engines: Vec<EngineResult<'_>>) -> Self {
        engines.sort_by_key(|engine| (rank_of(engine.category), engine.name));
        let mut lines = String::new();
        for engine in engines {
            push_field(&mut lines, engine.name, '\t');
            push_field(&mut lines, engine.category, '\t');
            push_field(&mut lines, engine.label, '\n');
        }
        Self(lines)
    }

    /// A line for each engine: name, tab, category, tab, label, line feed. No
    /// other tab, line end or control character is in it.
    #[must_use]
    pub fn as_lines(&self) -> &str {
        &self.0
    }

    /// Each engine's opinion.
    pub fn iter(&self) -> impl Iterator<Item = EngineResult<'_>> {
        self.0.lines().filter_map(|line| {
            let mut fields = line.split('\t');
            Some(EngineResult {
                name: fields.next()?,
                category: fields.next()?,
                label: fields.next()?,
            })
        })
    }
}

fn rank_of(category: &str) -> u8 {
    match category {
        "malicious" => 0,
        "suspicious" => 1,
        _ => 2,
    }
}

/// Adds text without what could be taken for the end of a field or a line.
fn push_field(lines: &mut String, text: &str, end: char) {
    let ends = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    lines.extend(text.chars().map(|c| if ends(c) { ' ' } else { c }));
    lines.push(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_lines_with_the_accusers_first() {
        let engine = |name, category, label| EngineResult {
            name,
            category,
            label,
        };
        let engines = EngineResults::new(vec![
            engine("É", "malicious", ""),
            engine("A", "harmless", "clean"),
            engine("B", "suspicious", ""),
            engine("C\tD\u{2028}", "malicious", "two\r\nlines"),
        ]);
        assert_eq!(
            engines.as_lines(),
            "C D \tmalicious\ttwo  lines\nÉ\tmalicious\t\nB\tsuspicious\t\nA\tharmless\tclean\n"
        );
        let read: Vec<EngineResult<'_>> = engines.iter().collect();
        let expected = [
            engine("C D ", "malicious", "two  lines"),
            engine("É", "malicious", ""),
            engine("B", "suspicious", ""),
            engine("A", "harmless", "clean"),
        ];
        assert_eq!(read, expected);
    }
}
