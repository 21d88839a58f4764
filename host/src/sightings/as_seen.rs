//! The order in which indicators were first seen.

use rayon::prelude::*;

use super::folded::{Folded, Id};
use super::table::Table;
use crate::observation::LogPosition;

/// The indicators of a [`Folded`] in the order in which they were first seen, in
/// turns that threads can share.
pub struct FirstSeenOrder<'f> {
    folded: &'f Folded,
    /// The entries of each table, in order.
    tables: Vec<Vec<u32>>,
    /// Where the turns begin, without the first.
    bounds: Vec<LogPosition>,
}

/// About how many indicators are a turn.
const TURN: usize = 1 << 10;

impl<'f> FirstSeenOrder<'f> {
    pub(super) fn new(folded: &'f Folded) -> Self {
        // There is one table where one thread was asked for.
        let tables: Vec<Vec<u32>> = match folded.tables.as_slice() {
            [table] => vec![ids_by_place(table)],
            tables => tables.par_iter().map(ids_by_place).collect(),
        };
        // Each table has its share of any stretch of the logs.
        let share = (TURN / tables.len()).max(1);
        let longest = (0..tables.len()).max_by_key(|table| tables[*table].len());
        let bounds = longest.map_or_else(Vec::new, |table| {
            let first_of_turn = tables[table].iter().step_by(share).skip(1);
            first_of_turn
                .map(|id| folded.tables[table].entry(*id).place())
                .collect()
        });
        Self {
            folded,
            tables,
            bounds,
        }
    }

    /// All of them, in order.
    pub fn ids(&self) -> impl Iterator<Item = Id> {
        (0..self.turns()).flat_map(|turn| self.turn(turn))
    }

    /// How many turns there are.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.bounds.len() + 1
    }

    /// The indicators of one turn, in order.
    #[must_use]
    pub fn turn(&self, turn: usize) -> Vec<Id> {
        let from = turn.checked_sub(1).map(|before| self.bounds[before]);
        let to = self.bounds.get(turn).copied();
        let mut ids = Vec::with_capacity(2 * TURN);
        for (number, (table, in_order)) in (0..).zip(self.folded.tables.iter().zip(&self.tables)) {
            let place = |id: &u32| table.entry(*id).place();
            let start = in_order.partition_point(|id| from.is_some_and(|from| place(id) < from));
            let end = in_order.partition_point(|id| to.is_none_or(|to| place(id) < to));
            let id = |entry| Id {
                table: number,
                entry,
            };
            ids.extend(
                in_order[start..end]
                    .iter()
                    .map(|entry| (place(entry), id(*entry))),
            );
        }
        let value = |id: Id| self.folded.tables[id.table as usize].value(id.entry);
        ids.sort_unstable_by(|(place, id), (other_place, other)| {
            let places = place.cmp(other_place);
            places.then_with(|| value(*id).cmp(&value(*other)))
        });
        ids.into_iter().map(|(_, id)| id).collect()
    }
}

/// A table's entries, in the order in which their values were first seen.
fn ids_by_place(table: &Table) -> Vec<u32> {
    let with_place = |id| (table.entry(id).place(), id);
    let mut ids: Vec<(LogPosition, u32)> = table.ids().map(with_place).collect();
    ids.sort_unstable();
    ids.iter().map(|(_, id)| *id).collect()
}
