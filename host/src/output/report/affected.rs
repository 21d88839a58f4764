//! Who was affected: the clients and users that contacted bad indicators.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::shown;
use crate::output::finding_row::{ContactRow, FindingRow};

/// The rows of the table.
pub(super) const MAX_AFFECTED: usize = 1_000;

/// The indicators that are named in one row.
const MAX_NAMED: usize = 5;

/// The clients and users that contacted bad indicators.
#[derive(Default)]
pub(super) struct AffectedTable(HashMap<(String, String), Affected>);

/// A client and a user that contacted bad indicators.
#[derive(Default)]
pub(super) struct Affected {
    pub(super) client: String,
    pub(super) user: String,
    /// The first indicators, as they are shown.
    pub(super) named: Vec<String>,
    /// The number of indicators.
    pub(super) indicators: usize,
    pub(super) count: u64,
    pub(super) allowed: u64,
    pub(super) blocked: u64,
    first: Option<String>,
    last: Option<String>,
}

impl AffectedTable {
    /// Adds the contacts of a bad indicator. If they are not known, its clients.
    pub(super) fn add(&mut self, row: &FindingRow<'_>) {
        let indicator = shown::defanged(&row.seen.kind, &row.seen.value);
        for contact in &row.contacts {
            self.add_contact(contact, &indicator);
        }
        if row.contacts.is_empty() {
            for client in row.contacted_by.iter() {
                let contact = ContactRow {
                    client: client.into(),
                    ..ContactRow::default()
                };
                self.add_contact(&contact, &indicator);
            }
        }
    }

    fn add_contact(&mut self, contact: &ContactRow<'_>, indicator: &str) {
        let key = (
            contact.client.clone().into_owned(),
            contact.user.clone().into_owned(),
        );
        let affected = self.0.entry(key).or_insert_with(|| Affected {
            client: shown::text(&contact.client),
            user: shown::text(&contact.user),
            ..Affected::default()
        });
        affected.indicators += 1;
        if affected.named.len() < MAX_NAMED {
            affected.named.push(indicator.to_owned());
        }
        affected.count += contact.count;
        affected.allowed += contact.allowed;
        affected.blocked += contact.blocked;
        if affected.first.is_none() || contact.first.is_some() && contact.first < affected.first {
            affected.first.clone_from(&contact.first);
        }
        if contact.last > affected.last {
            affected.last.clone_from(&contact.last);
        }
    }

    /// All clients and users: first those with the most allowed contacts.
    pub(super) fn sorted(&self) -> Vec<&Affected> {
        let mut sorted: Vec<&Affected> = self.0.values().collect();
        sorted.sort_by_key(|affected| {
            let Affected {
                client,
                user,
                indicators,
                count,
                allowed,
                ..
            } = affected;
            (
                Reverse(*allowed),
                Reverse(*indicators),
                Reverse(*count),
                client,
                user,
            )
        });
        sorted
    }
}

impl Affected {
    /// The first contact.
    pub(super) fn first(&self) -> String {
        shown::time(self.first.as_deref())
    }

    /// The last contact.
    pub(super) fn last(&self) -> String {
        shown::time(self.last.as_deref())
    }

    /// The number of indicators that are not named.
    pub(super) fn more(&self) -> usize {
        self.indicators - self.named.len()
    }
}
