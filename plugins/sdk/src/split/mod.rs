//! Fields out of lines, sixteen bytes at a time.
//!
//! A splitter for each family of grammars: [`blanks`], [`Columns`] (separated
//! by tabs, commas or another byte, with quotes), [`Pairs`] (`key=value`) and
//! [`Json`]. An author names the fields that the parser wants and gets their
//! values; where fields begin and end is found with bit masks, which on
//! `wasm32` with `simd128` come from vector instructions and elsewhere from
//! plain code of the same meaning.
//!
//! ```
//! use vthost_plugin::split::Pairs;
//! let mut fields = Pairs::new(["srcip", "hostname"]);
//! let [client, host] = fields.pick(br#"srcip=10.0.0.5 hostname="www.example.com""#);
//! assert_eq!((client, host), (&b"10.0.0.5"[..], &b"www.example.com"[..]));
//! ```

mod blanks;
mod columns;
mod json;
mod marks;
mod names;
mod pairs;

pub use blanks::blanks;
pub use columns::{Columns, undoubled};
pub use json::{Json, NotAnObject, unescaped};
pub use pairs::Pairs;

/// What follows the first occurrence of some bytes.
///
/// ```
/// use vthost_plugin::split::after;
/// assert_eq!(after(b"query[A] name", b"] "), Some(&b"name"[..]));
/// ```
#[inline]
#[must_use]
pub fn after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = memchr::memmem::find(text, mark)?;
    text.get(at + mark.len()..)
}

/// What stands before the first of some bytes; all of it without one.
///
/// ```
/// use vthost_plugin::split::until;
/// assert_eq!(until(b"10.0.0.5#53: query", b"#: "), b"10.0.0.5");
/// ```
#[inline]
#[must_use]
pub fn until<'a>(text: &'a [u8], ends: &[u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| ends.contains(byte));
    &text[..end.unwrap_or(text.len())]
}
