//! Lines of fixed text with values in between, where a value may contain the separator.
//!
//! Splitting at separators puts every later column in the wrong place as soon as
//! one value has a separator in it: a user name with a blank, a URL with a comma.
//! A [`Template`] finds the values by backtracking instead: each ends at the first
//! place from which the rest of the line still fits.
//!
//! ```text
//! template   <time> <client> <user> <result> <url>
//! line       1714564800 10.0.0.5 jane doe TCP_MISS/200 http://www.example.com/
//! first try  .......... ........ jane doe           no: `doe` is not a result
//! second     .......... ........ jane doe TCP_MISS/200 http://www.example.com/
//! ```

/// Fixed text and the values in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// The text before each value. A blank matches one or more blanks.
    before: Vec<Vec<u8>>,
    /// The text after the last value.
    end: Vec<u8>,
}

/// A line that needs more steps does not fit. Lines that fit take about one step a
/// value, and few more for each separator inside one.
const MAX_STEPS: u32 = 4_000;

impl Template {
    /// Adds a value, and the text before it.
    pub fn push(&mut self, before: &[u8]) {
        self.before.push(before.to_vec());
    }

    /// Sets the text after the last value.
    pub fn set_end(&mut self, end: &[u8]) {
        self.end = end.to_vec();
    }

    /// How many values a line has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.before.len()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before.is_empty()
    }

    /// The values of a line, or none if it does not fit. `accepts` decides whether some bytes can be
    /// the value with a number.
    pub fn read<'a>(
        &self,
        line: &'a [u8],
        accepts: &dyn Fn(usize, &[u8]) -> bool,
    ) -> Option<Vec<&'a [u8]>> {
        let mut search = Search {
            template: self,
            line,
            accepts,
            values: Vec::with_capacity(self.before.len()),
            steps: MAX_STEPS,
        };
        search.from(0).then_some(search.values)
    }
}

struct Search<'a, 't> {
    template: &'t Template,
    line: &'a [u8],
    accepts: &'t dyn Fn(usize, &[u8]) -> bool,
    values: Vec<&'a [u8]>,
    steps: u32,
}

impl Search<'_, '_> {
    /// Finds the values that are left, from the byte `at` on.
    fn from(&mut self, at: usize) -> bool {
        let number = self.values.len();
        let Some(before) = self.template.before.get(number) else {
            return self.is_end(at);
        };
        let Some(start) = skip(self.line, at, before) else {
            return false;
        };
        let next = self.template.before.get(number + 1);
        let next = next.unwrap_or(&self.template.end);
        let mut from = start;
        while let Some(end) = find(self.line, from, next) {
            if self.steps == 0 {
                return false;
            }
            self.steps -= 1;
            let value = &self.line[start..end];
            if (self.accepts)(number, value) {
                self.values.push(value);
                if self.from(end) {
                    return true;
                }
                self.values.pop();
            }
            from = end + 1;
        }
        false
    }

    fn is_end(&self, at: usize) -> bool {
        skip(self.line, at, &self.template.end) == Some(self.line.len())
    }
}

/// The end of a text at `at`; none if another text is there.
fn skip(line: &[u8], at: usize, text: &[u8]) -> Option<usize> {
    let mut at = at;
    for byte in text {
        if line.get(at) != Some(byte) {
            return None;
        }
        at += 1;
        while *byte == b' ' && line.get(at) == Some(&b' ') {
            at += 1;
        }
    }
    Some(at)
}

/// The first position of a text at or after `from`. An empty text is found only at the end of the line.
fn find(line: &[u8], from: usize, text: &[u8]) -> Option<usize> {
    let rest = line.get(from..)?;
    match text {
        [] => Some(line.len()),
        [first, ..] => memchr::memchr_iter(*first, rest)
            .map(|at| from + at)
            .find(|at| skip(line, *at, text).is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `<number> <name> <number>`, or with other text around.
    fn read(texts: [&str; 4], line: &str) -> Option<Vec<String>> {
        let [before @ .., end] = texts;
        let mut template = Template::default();
        before
            .iter()
            .for_each(|text| template.push(text.as_bytes()));
        template.set_end(end.as_bytes());
        let is_number = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let values = template.read(line.as_bytes(), &|number, value| {
            number == 1 || is_number(value)
        });
        let text = |value: &&[u8]| String::from_utf8_lossy(value).into_owned();
        values.map(|values| values.iter().map(text).collect())
    }

    #[test]
    fn values_may_hold_the_separator() {
        let check = |line, expected: Option<[&str; 3]>| {
            let expected = expected.map(|values| values.map(str::to_owned).to_vec());
            assert_eq!(read(["", " ", " ", ""], line), expected, "{line}");
        };
        check("1 jane 2", Some(["1", "jane", "2"]));
        check("1 jane doe 2", Some(["1", "jane doe", "2"]));
        check("1   jane  2", Some(["1", "jane", "2"]));
        check("1 2 3 4", Some(["1", "2 3", "4"]));
        check("1 jane doe", None);
        check("1 jane", None);
        check("", None);
    }

    #[test]
    fn text_around_values_is_fixed() {
        let check = |line, expected: Option<[&str; 3]>| {
            let expected = expected.map(|values| values.map(str::to_owned).to_vec());
            assert_eq!(read(["[", "] \"", "\" ", ";"], line), expected, "{line}");
        };
        check("[1] \"a\" b\" 2;", Some(["1", "a\" b", "2"]));
        check("[1] \"\" 2;", Some(["1", "", "2"]));
        check("[1] \"a\" 2", None);
        check("1] \"a\" 2;", None);
    }

    #[test]
    fn a_line_made_to_backtrack_ends() {
        let line = format!("1 {}x", "1 ".repeat(100_000));
        assert_eq!(read(["", " ", " ", ""], &line), None);
    }
}
