//! The values of a row whose layout is not known yet, and the text between them.

use vthost_plugin::scan;

/// What separates the values of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Strings and numbers of a JSON object.
    Json,
    /// This byte; a run of blanks is one separator.
    Separated(u8),
}

/// The order in which styles are tried: a blank is in other styles, too.
pub(crate) const STYLES: [Style; 6] = [
    Style::Json,
    Style::Separated(b'\t'),
    Style::Separated(b';'),
    Style::Separated(b'|'),
    Style::Separated(b','),
    Style::Separated(b' '),
];

/// A value and the text before it: separator, `key=`, opening quote or bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) before: &'a [u8],
    pub(crate) text: &'a [u8],
}

/// The values of a row, and the text after the last one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tokens<'a> {
    pub(crate) values: Vec<Token<'a>>,
    pub(crate) end: &'a [u8],
}

/// More values than any log has: the line is something else.
const MAX_VALUES: usize = 100;

impl<'a> Tokens<'a> {
    pub(crate) fn of(line: &'a [u8], style: Style) -> Option<Self> {
        let values = match style {
            Style::Json => json_values(line),
            Style::Separated(separator) => separated_values(line, separator),
        };
        let (mut tokens, mut at) = (Self::default(), 0);
        for (start, end) in values {
            tokens.values.push(Token {
                before: &line[at..start],
                text: &line[start..end],
            });
            at = end;
        }
        tokens.end = &line[at..];
        (1..MAX_VALUES)
            .contains(&tokens.values.len())
            .then_some(tokens)
    }
}

/// Where values of a JSON object begin and end: all strings and numbers that are no
/// keys, without quotes.
fn json_values(line: &[u8]) -> Vec<(usize, usize)> {
    let mut values = Vec::new();
    let mut at = scan::find(line, b'{').unwrap_or(line.len());
    while at < line.len() && values.len() < MAX_VALUES {
        match line[at] {
            b'"' => {
                let end = closing_quote(line, at + 1).unwrap_or(line.len());
                let rest = line.get(end + 1..).unwrap_or_default();
                if !rest.trim_ascii_start().starts_with(b":") {
                    values.push((at + 1, end));
                }
                at = end + 1;
            }
            b'0'..=b'9' | b'-' | b'.' => {
                let rest = &line[at..];
                let len = scan::find_other(rest, [b'0'..=b'9', b'-'..=b'.', b'e'..=b'e']);
                let end = at + len.unwrap_or(rest.len());
                values.push((at, end));
                at = end;
            }
            _ => at += 1,
        }
    }
    values
}

/// Where values between separators begin and end, without keys and quotes.
fn separated_values(line: &[u8], separator: u8) -> Vec<(usize, usize)> {
    let mut values = Vec::new();
    let mut at = 0;
    while at <= line.len() && values.len() < MAX_VALUES {
        while separator == b' ' && line.get(at) == Some(&b' ') {
            at += 1;
        }
        let (start, end, next) = value_at(line, at, separator);
        if separator != b' ' || start < line.len() {
            values.push((start, end));
        }
        at = next;
    }
    values
}

/// Where the value at `at` begins and ends, and where the next one is.
fn value_at(line: &[u8], at: usize, separator: u8) -> (usize, usize, usize) {
    let at = at + usize::from(is_spaced(separator) && is_one_blank(&line[at..]));
    let start = at + key(&line[at..]);
    let is_end = |end: usize| line.get(end).is_none_or(|byte| *byte == separator);
    let enclosed = match line.get(start) {
        Some(b'"') => closing_quote(line, start + 1),
        Some(b'[') => line[start..]
            .iter()
            .position(|byte| *byte == b']')
            .map(|len| start + len),
        _ => None,
    };
    if let Some(end) = enclosed.filter(|end| is_end(end + 1)) {
        return (start + 1, end, end + 2);
    }
    let rest = &line[start..];
    let end = start + scan::find(rest, separator).unwrap_or(rest.len());
    let end = match separator {
        b' ' => end_of_time(line, start, end),
        _ => end,
    };
    let is_spaced = is_spaced(separator) && line[start..end].ends_with(b" ");
    (start, end - usize::from(is_spaced), end + 1)
}

/// Whether blanks around this separator are part of it: ` | `.
fn is_spaced(separator: u8) -> bool {
    separator == b'|'
}

/// Whether one blank is in front, and not the padding of a number.
fn is_one_blank(text: &[u8]) -> bool {
    matches!(text, [b' ', next, ..] if *next != b' ')
}

/// How long `key=` at the beginning is.
fn key(text: &[u8]) -> usize {
    let name = [
        b'a'..=b'z',
        b'A'..=b'Z',
        b'0'..=b'9',
        b'_'..=b'_',
        b'-'..=b'.',
    ];
    let end = scan::find_other(text, name).unwrap_or(text.len());
    if end > 0 && text.get(end) == Some(&b'=') {
        end + 1
    } else {
        0
    }
}

/// A date and its time, or a time and its zone, are one value.
///
/// ```text
/// 29/Nov/2026:01:05:40 +0000
/// 2026-11-29 01:05:40 +0000
/// ```
fn end_of_time(line: &[u8], start: usize, end: usize) -> usize {
    let word_after = |end: usize| {
        let rest = line.get(end + 1..).unwrap_or_default();
        &rest[..scan::find(rest, b' ').unwrap_or(rest.len())]
    };
    let colons = |word: &[u8]| word.iter().filter(|byte| **byte == b':').count();
    let is_date = |word: &[u8]| {
        word.len() == 10 && word[0].is_ascii_digit() && matches!(word[4], b'-' | b'/' | b'.')
    };
    let word = &line[start..end];
    let (mut end, mut has_time) = (end, word.len() >= 19 && colons(word) >= 2);
    let next = word_after(end);
    if is_date(word) && colons(next) == 2 {
        end += 1 + next.len();
        has_time = true;
    }
    let next = word_after(end);
    match next {
        [b'+' | b'-', digits @ ..] if has_time && digits.len() == 4 && scan::is_digits(digits) => {
            end + 1 + next.len()
        }
        _ => end,
    }
}

/// The first quote that no backslash escapes.
fn closing_quote(line: &[u8], from: usize) -> Option<usize> {
    let mut is_escaped = false;
    let rest = line.get(from..)?;
    let at = rest.iter().position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    })?;
    Some(from + at)
}
