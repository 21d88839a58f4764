//! The results of the engines, as the lines of one text. A policy gets them in this form, because
//! one string crosses the boundary of a component much faster than a list of records.

/// The result of one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineResult<'a> {
    /// The engine's name.
    pub name: &'a str,
    /// `harmless`, `undetected`, `suspicious`, `malicious` or `timeout`.
    pub category: &'a str,
    /// The engine's name for the threat; may be empty.
    pub label: &'a str,
}

/// The results of all engines, those that accuse first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineResults(String);

impl EngineResults {
    /// Orders the results: malicious, then suspicious, then the others, each by name.
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

    /// A line for each engine: name, tab, category, tab, label, line feed. The fields contain no
    /// tabs, line ends or control characters.
    #[must_use]
    pub fn as_lines(&self) -> &str {
        &self.0
    }

    /// The results, one by one.
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

/// Appends a field. Characters that could end a field or a line become spaces.
fn push_field(lines: &mut String, text: &str, end: char) {
    let ends = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    lines.extend(text.chars().map(|c| if ends(c) { ' ' } else { c }));
    lines.push(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accusing_engines_come_first_and_fields_hold_no_separators() {
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
