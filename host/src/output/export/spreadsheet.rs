//! CSV as RFC 4180 defines it, for spreadsheets and scripts.

use super::{Exported, LeftOut, virustotal_page};
use crate::output::api::Results;
use crate::output::summary::Summary;
use crate::output::text::{rfc3339, visible};
use crate::triage::Finding;

/// The characters of the longest cell. LibreOffice and Excel cut or split longer ones, and
/// Python's `csv` refuses a file with a field over 131,072.
const MAX_CELL_CHARS: usize = 32_000;

const CELL_TOO_LONG: &str = "longer than a cell of a spreadsheet; the cell has its beginning";

/// A table with a header row.
pub(super) struct CsvTable {
    text: String,
    left_out: Vec<LeftOut>,
}

impl CsvTable {
    /// A table with these column names.
    pub(super) fn new(has_bom: bool, columns: &[&str]) -> Self {
        let mut table = Self {
            text: if has_bom { "\u{feff}" } else { "" }.to_owned(),
            left_out: Vec::new(),
        };
        table.row(columns.iter().map(ToString::to_string).collect());
        table
    }

    /// Appends a row. Its texts are made safe for a terminal and a spreadsheet.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        let cells: Vec<String> = cells.iter().map(|cell| self.cell(cell)).collect();
        self.text.push_str(&cells.join(","));
        self.text.push_str("\r\n");
    }

    fn cell(&mut self, text: &str) -> String {
        let shown = visible(text);
        let guarded = match starts_a_formula(&shown) {
            true => format!("'{shown}"),
            false => shown.into_owned(),
        };
        let length = guarded.chars().count();
        if length <= MAX_CELL_CHARS {
            return quoted(&guarded);
        }
        let beginning: String = guarded.chars().take(MAX_CELL_CHARS).collect();
        self.left_out.push(LeftOut::new(text, CELL_TOO_LONG));
        quoted(&format!("{beginning}… ({length} characters)"))
    }

    /// The file.
    pub(super) fn finish(self) -> Exported {
        Exported {
            bytes: self.text.into_bytes(),
            left_out: self.left_out,
        }
    }
}

/// A cell in quotes if it needs them. It has no line breaks, because they are made visible.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"']) || cell.trim() != cell {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell.to_owned()
}

/// Whether a spreadsheet may evaluate a cell (OWASP, "CSV Injection"). White space before the
/// sign does not protect it.
fn starts_a_formula(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%'])
}

const COLUMNS: [&str; 25] = [
    "verdict",
    "cause",
    "reason",
    "kind",
    "value",
    "written",
    "host",
    "scope",
    "malicious",
    "suspicious",
    "harmless",
    "undetected",
    "timeout",
    "analysed",
    "score",
    "tags",
    "count",
    "allowed",
    "blocked",
    "first",
    "last",
    "clients",
    "first_input",
    "first_line",
    "virustotal",
];

/// All findings, a row for each.
pub(super) fn findings(results: &Results<'_>, has_bom: bool) -> Exported {
    let mut table = CsvTable::new(has_bom, &COLUMNS);
    for finding in results.findings {
        table.row(row(finding, results.summary));
    }
    table.finish()
}

fn row(finding: &Finding, summary: &Summary) -> Vec<String> {
    let seen = &finding.sightings;
    let evidence = finding.evidence.as_ref();
    let stats = evidence.and_then(|evidence| evidence.stats);
    let engines = |count: fn(crate::virustotal::report::Stats) -> u32| optional(stats.map(count));
    let analysed_s = evidence.and_then(|evidence| evidence.analysed_s);
    let input = summary.inputs.get(seen.first_seen.input());
    vec![
        finding.verdict.to_string(),
        finding.cause.as_str().to_owned(),
        finding.reason.clone(),
        seen.indicator.kind().to_string(),
        seen.indicator.value().to_owned(),
        seen.written.clone().unwrap_or_default(),
        seen.indicator.host().value().to_owned(),
        optional(evidence.map(|evidence| evidence.scope.as_str())),
        engines(|stats| stats.malicious),
        engines(|stats| stats.suspicious),
        engines(|stats| stats.harmless),
        engines(|stats| stats.undetected),
        engines(|stats| stats.timeout),
        time(analysed_s.map(|seconds| seconds.saturating_mul(1_000_000))),
        optional(finding.score),
        finding.tags.join(" "),
        seen.count.to_string(),
        seen.allowed.to_string(),
        seen.blocked.to_string(),
        time(seen.first_us),
        time(seen.last_us),
        seen.clients.join(" "),
        optional(input.map(|input| &input.name)),
        optional(input.map(|_| seen.first_seen.line())),
        virustotal_page(finding).unwrap_or_default(),
    ]
}

/// A value as text; empty if there is none.
fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A time as RFC 3339 in UTC; empty if there is none.
pub(super) fn time(time_us: Option<i64>) -> String {
    time_us.and_then(rfc3339).unwrap_or_default()
}
