//! `affected.csv`: the clients that contacted what is bad.

use super::spreadsheet::{CsvTable, time};
use super::{Exported, bad};
use crate::contacts::ContactTally;
use crate::triage::Finding;

const COLUMNS: [&str; 11] = [
    "client",
    "user",
    "kind",
    "value",
    "reason",
    "contacts",
    "allowed",
    "blocked",
    "first",
    "last",
    "clients_of_indicator",
];

/// A row for each client, user and bad indicator, by client. The counts and times are those of
/// the row; they are empty if several clients contacted the indicator and the results have only
/// their sum.
pub(super) fn clients(findings: &[Finding], has_bom: bool) -> Exported {
    let mut rows: Vec<Vec<String>> = bad(findings).into_iter().flat_map(rows).collect();
    rows.sort();
    let mut table = CsvTable::new(has_bom, &COLUMNS);
    for row in rows {
        table.row(row);
    }
    table.finish()
}

fn rows(finding: &Finding) -> Vec<Vec<String>> {
    match &finding.contacts {
        Some(known) => known
            .contacts
            .iter()
            .map(|contact| {
                row(
                    finding,
                    &contact.client,
                    &contact.user,
                    Some(&contact.tally),
                )
            })
            .collect(),
        None => rows_of_clients(finding),
    }
}

/// Rows of results that have the clients of an indicator and their sum.
fn rows_of_clients(finding: &Finding) -> Vec<Vec<String>> {
    let seen = &finding.sightings;
    let sum = ContactTally {
        count: seen.count,
        allowed: seen.allowed,
        blocked: seen.blocked,
        first_us: seen.first_us,
        last_us: seen.last_us,
    };
    let known = (seen.clients.len() <= 1).then_some(&sum);
    let clients = seen.clients.iter();
    clients
        .map(|client| row(finding, client, "", known))
        .collect()
}

fn row(finding: &Finding, client: &str, user: &str, tally: Option<&ContactTally>) -> Vec<String> {
    let seen = &finding.sightings;
    let mut row = vec![client.to_owned(), user.to_owned()];
    row.push(seen.indicator.kind().to_string());
    row.push(seen.indicator.value().to_owned());
    row.push(finding.reason.clone());
    row.extend(match tally {
        Some(tally) => [
            tally.count.to_string(),
            tally.allowed.to_string(),
            tally.blocked.to_string(),
            time(tally.first_us),
            time(tally.last_us),
        ],
        None => Default::default(),
    });
    row.push(seen.clients.len().to_string());
    row
}
