//! The rows of a store, a table as CSV.

use std::io::{self, Read};

/// Reads rows as text: `next` appends one or more lines to an empty buffer, or nothing at the
/// end.
pub(super) struct RowReader<F> {
    next: F,
    text: Vec<u8>,
    at: usize,
}

impl<F: FnMut(&mut Vec<u8>) -> io::Result<()>> RowReader<F> {
    pub(super) fn new(next: F) -> Self {
        Self {
            next,
            text: Vec::new(),
            at: 0,
        }
    }
}

impl<F: FnMut(&mut Vec<u8>) -> io::Result<()>> Read for RowReader<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.text.clear();
            self.at = 0;
            (self.next)(&mut self.text)?;
        }
        let rest = &self.text[self.at..];
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

/// Appends a cell of a CSV row (RFC 4180), in quotes where it needs them. Line ends become
/// blanks: a row is a line.
pub(super) fn push_cell(row: &mut Vec<u8>, text: &str) {
    let bytes = text.bytes().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        byte => byte,
    });
    if !text.contains([',', '"']) {
        row.extend(bytes);
        return;
    }
    row.push(b'"');
    for byte in bytes {
        if byte == b'"' {
            row.push(b'"');
        }
        row.push(byte);
    }
    row.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_needed_and_stay_on_their_line() {
        let check = |text: &str, expected: &str| {
            let mut row = Vec::new();
            push_cell(&mut row, text);
            assert_eq!(row, expected.as_bytes());
        };
        check("größe", "größe");
        check("a,b", "\"a,b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
        check("one\r\ntwo", "one  two");
    }
}
