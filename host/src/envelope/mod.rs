//! Envelopes: what collectors wrap around a device's line, and how to remove it.
//!
//! A log often reaches the analyst inside something else: Docker's JSON, a Kubernetes
//! prefix, a cell of a SIEM's CSV export. [`recognise`] finds the envelopes that the head of
//! an input may have, by the structure of most of its lines. [`Envelope::unwrap`] rebuilds a
//! chunk with the device's own lines, so that a parser needs to know no envelope. A map
//! leads from each of them to the line of the file. Nested envelopes are removed one after
//! the other. A line that does not have the envelope stays as it is.
//!
//! JSON documents (arrays, pretty-printed objects) are first split into a line for each
//! record: see [`DocumentReader`].

mod csv;
mod document;
mod export;
mod header;
mod json;
mod lines;
mod object;
mod rows;
mod table;
mod text;
mod time;

pub use document::{Document, DocumentReader};
pub use header::Stamps;
pub use lines::{Origin, Unwrapped};

use csv::CsvLayer;
use lines::Lines;
use object::ObjectLayer;
use rows::RowLayer;
use text::TextLayer;

use crate::input::RecordEnd;

/// Envelopes that are removed from an input, one inside the other.
pub const MAX_LAYERS: usize = 4;

/// The envelopes around the lines of an input, the outermost first.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    layers: Vec<Layer>,
}

/// One envelope.
#[derive(Debug, Clone)]
pub struct Layer {
    name: &'static str,
    is_certain: bool,
    kind: LayerKind,
}

#[derive(Debug, Clone)]
enum LayerKind {
    Object(ObjectLayer),
    Csv(CsvLayer),
    Rows(RowLayer),
    Text(TextLayer),
    Export,
}

/// Lines of the head that decide which envelope it has.
const SAMPLED_LINES: usize = 64;

/// The envelopes that most lines of `head` may have, the most likely first.
#[must_use]
pub fn recognise(head: &[u8], stamps: Stamps) -> Vec<Layer> {
    let mut layers = Vec::new();
    layers.extend(export::recognise(head));
    layers.extend(object::recognise(head));
    layers.extend(rows::recognise(head));
    layers.extend(csv::recognise(head));
    layers.extend(text::recognise(head, stamps));
    layers
}

/// Name and form of each envelope, for `docs/formats.md`.
pub fn list() -> impl Iterator<Item = (&'static str, String)> {
    let objects = table::OBJECTS.iter().map(|entry| {
        let texts = entry
            .texts
            .iter()
            .map(|path| format!("`{}`", path.join(".")));
        let texts: Vec<String> = texts.collect();
        let form = format!("JSON objects, the line in {}", texts.join(", "));
        (entry.name, form)
    });
    let tables = table::CSVS.iter().map(|entry| {
        let texts = entry.texts.iter().map(|column| format!("`{column}`"));
        let texts: Vec<String> = texts.collect();
        (entry.name, format!("a column of CSV: {}", texts.join(", ")))
    });
    let structured = [
        (
            "json document",
            "arrays and pretty-printed objects of the JSON envelopes".to_owned(),
        ),
        (
            "json rows",
            "JSON arrays of cells, as Splunk, Azure and CloudWatch return them".to_owned(),
        ),
        (
            "journald export",
            "`MESSAGE=line` among the fields of a record".to_owned(),
        ),
    ];
    objects.chain(tables).chain(structured).chain(text::list())
}

/// Whether `fits` holds for most of some lines. Blank lines do not count.
fn most<'a>(lines: impl Iterator<Item = &'a [u8]>, mut fits: impl FnMut(&'a [u8]) -> bool) -> bool {
    let (mut all, mut fit) = (0, 0);
    let lines = lines.filter(|line| !line.trim_ascii().is_empty());
    for line in lines.take(SAMPLED_LINES) {
        all += 1;
        fit += usize::from(fits(line));
    }
    fit > 0 && fit * 5 >= all * 3
}

impl Layer {
    /// The name for the user: `docker json`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether no device writes such lines as its own log. Otherwise what is inside decides.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.is_certain
    }

    /// Whether it is certain, and no header that a parser may read.
    #[must_use]
    pub fn is_of_collector(&self) -> bool {
        let is_header = matches!(self.kind, LayerKind::Text(layer) if layer.is_header());
        self.is_certain && !is_header
    }

    /// Whether it is a header that a device may write itself, and its parser reads.
    #[must_use]
    pub fn is_device_header(&self) -> bool {
        !self.is_certain && matches!(self.kind, LayerKind::Text(layer) if layer.is_header())
    }
}

impl Envelope {
    /// The same with another envelope inside the innermost.
    #[must_use]
    pub fn with(&self, layer: Layer) -> Self {
        let mut layers = self.layers.clone();
        layers.push(layer);
        Self { layers }
    }

    /// Whether the innermost is a header that a device may write itself, and its parser reads.
    #[must_use]
    pub fn ends_in_header(&self) -> bool {
        self.layers.last().is_some_and(Layer::is_device_header)
    }

    /// Whether these are the layers of `other` and more inside them.
    #[must_use]
    pub fn is_inside(&self, other: &Self) -> bool {
        let mut names = self.names();
        other.names().all(|name| names.next() == Some(name)) && names.next().is_some()
    }

    /// How many envelopes there are.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// The names of the envelopes, the outermost first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.layers.iter().map(|layer| layer.name)
    }

    /// Where chunks must end so that no record of the outermost envelope is cut; `None`
    /// where each line is a record.
    #[must_use]
    pub fn record_end(&self) -> Option<RecordEnd> {
        match self.layers.first()?.kind {
            LayerKind::Object(ref layer) => layer.record_end(),
            LayerKind::Csv(_) => Some(csv::record_end),
            LayerKind::Rows(_) => None,
            LayerKind::Text(layer) => layer.record_end(),
            LayerKind::Export => Some(export::record_end),
        }
    }

    /// Removes all envelopes from `chunk`, some whole records.
    #[must_use]
    pub fn unwrap(&self, chunk: &[u8]) -> Unwrapped {
        let mut unwrapped = Unwrapped::default();
        for (depth, layer) in self.layers.iter().enumerate() {
            let mut inner = Unwrapped::default();
            let outer = match depth {
                0 => Lines::of_chunk(chunk),
                _ => {
                    inner.structure = unwrapped.structure;
                    Lines::of_unwrapped(&unwrapped)
                }
            };
            inner.bytes.reserve(outer.len());
            layer.unwrap(outer, &mut inner);
            unwrapped = inner;
        }
        unwrapped
    }
}

impl Layer {
    fn unwrap(&self, lines: Lines<'_>, into: &mut Unwrapped) {
        match &self.kind {
            LayerKind::Object(layer) => layer.unwrap(lines, into),
            LayerKind::Csv(layer) => layer.unwrap(lines, into),
            LayerKind::Rows(layer) => layer.unwrap(lines, into),
            LayerKind::Text(layer) => layer.unwrap(lines, into),
            LayerKind::Export => export::unwrap(lines, into),
        }
    }
}
