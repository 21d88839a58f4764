//! `vthost export`: the findings of a run for other programs.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use super::judged_store;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, ExportSubject, ExportTask};
use crate::output::export::{Export, LeftOut, read_for_export};
use crate::output::{Output as _, Results, counted};

pub(in crate::cli) fn run(
    task: ExportTask,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let is_to_file = task.out.is_some();
    let mut export = Export::new(task.export, task.out);
    match &task.subject {
        ExportSubject::Results(path) => {
            let read = read_for_export(path)?;
            export.finish(&Results {
                findings: &read.findings,
                summary: &read.summary,
            })?;
        }
        ExportSubject::Store(policies, lookup) => {
            export.finish(&judged_store(policies, lookup, environment)?.results())?;
        }
    }
    let exported = export.into_exported();
    if !is_to_file && let Err(error) = printer.data(&exported.bytes) {
        // The reader of the output has closed it: `vthost export … | head`.
        if error.kind() != ErrorKind::BrokenPipe {
            return Err(error.into());
        }
    }
    printer.say(&left_out_text(&exported.left_out));
    Ok(ExitStatus::Done)
}

/// Values that are printed for each reason; the others are counted.
const MAX_SHOWN: usize = 5;
/// The characters that are printed of a value.
const MAX_SHOWN_CHARS: usize = 200;

/// What was left out, by reason.
fn left_out_text(left_out: &[LeftOut]) -> String {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for left in left_out {
        by_reason.entry(left.reason).or_default().push(&left.value);
    }
    let mut text = String::new();
    for (reason, values) in by_reason {
        let count = counted(values.len() as u64, "value", "values");
        text.push_str(&format!("left out {count}: {reason}\n"));
        for value in values.iter().take(MAX_SHOWN) {
            let shown: String = value.chars().take(MAX_SHOWN_CHARS).collect();
            text.push_str(&format!("  {shown}\n"));
        }
        if values.len() > MAX_SHOWN {
            text.push_str(&format!("  and {} more\n", values.len() - MAX_SHOWN));
        }
    }
    text
}
