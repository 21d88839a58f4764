//! The order in which indicators were first seen.

use rayon::prelude::*;

use super::table::Table;
use crate::observation::LogPosition;

/// Identifies one indicator of a [`Folded`](super::Folded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SightingId {
    pub(super) table: u32,
    pub(super) entry: u32,
}

/// All indicators in the order in which they were first seen, those of one line by their
/// values. The order consists of slices, which threads can compute independently.
pub struct FirstSeenOrder<'f> {
    tables: &'f [Table],
    /// The entries of each table, in order.
    sorted: Vec<Vec<u32>>,
    /// The first position of each slice after the first.
    bounds: Vec<LogPosition>,
}

/// The approximate number of indicators in a slice.
const SLICE: usize = 1 << 10;

impl<'f> FirstSeenOrder<'f> {
    pub(super) fn new(tables: &'f [Table]) -> Self {
        // A single table means that a single thread was asked for.
        let sorted: Vec<Vec<u32>> = match tables {
            [table] => vec![ids_by_position(table)],
            tables => tables.par_iter().map(ids_by_position).collect(),
        };
        // Each table has an equal share of any part of the logs.
        let share = (SLICE / tables.len()).max(1);
        let longest = (0..tables.len()).max_by_key(|table| sorted[*table].len());
        let bounds = longest.map_or_else(Vec::new, |table| {
            let first_of_slice = sorted[table].iter().step_by(share).skip(1);
            first_of_slice
                .map(|id| tables[table].entry(*id).first_seen())
                .collect()
        });
        Self {
            tables,
            sorted,
            bounds,
        }
    }

    /// All indicators, in order.
    pub fn ids(&self) -> impl Iterator<Item = SightingId> {
        (0..self.slices()).flat_map(|slice| self.slice(slice))
    }

    /// The number of slices.
    #[must_use]
    pub fn slices(&self) -> usize {
        self.bounds.len() + 1
    }

    /// The indicators of one slice, in order.
    #[must_use]
    pub fn slice(&self, slice: usize) -> Vec<SightingId> {
        let from = slice.checked_sub(1).map(|before| self.bounds[before]);
        let to = self.bounds.get(slice).copied();
        let mut ids = Vec::with_capacity(2 * SLICE);
        for (number, (table, sorted)) in (0..).zip(self.tables.iter().zip(&self.sorted)) {
            let position = |id: &u32| table.entry(*id).first_seen();
            let start = sorted.partition_point(|id| from.is_some_and(|from| position(id) < from));
            let end = sorted.partition_point(|id| to.is_none_or(|to| position(id) < to));
            let id = |entry| SightingId {
                table: number,
                entry,
            };
            let with_position = |entry: &u32| (position(entry), id(*entry));
            ids.extend(sorted[start..end].iter().map(with_position));
        }
        let value = |id: SightingId| self.tables[id.table as usize].value(id.entry);
        ids.sort_unstable_by(|(position, id), (other_position, other)| {
            let by_position = position.cmp(other_position);
            by_position.then_with(|| value(*id).cmp(&value(*other)))
        });
        ids.into_iter().map(|(_, id)| id).collect()
    }
}

/// A table's entries in the order in which their values were first seen.
fn ids_by_position(table: &Table) -> Vec<u32> {
    let with_position = |id| (table.entry(id).first_seen(), id);
    let mut ids: Vec<(LogPosition, u32)> = table.ids().map(with_position).collect();
    ids.sort_unstable();
    ids.iter().map(|(_, id)| *id).collect()
}
