//! What VirusTotal says of an account: how much it may ask, and how much it has
//! asked. What is not in the ledger was asked by something else.

use super::database::Statements;
use super::{Store, StoreError};
use crate::clock::UnixMs;
use crate::quota::{self, IN_FLIGHT_MS};

/// An account as VirusTotal counts it; none for what it did not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Requests allowed in a day.
    pub day_allowed: Option<u32>,
    /// Requests used today.
    pub day_used: Option<u32>,
    /// Requests allowed in a month.
    pub month_allowed: Option<u32>,
    /// Requests used this month.
    pub month_used: Option<u32>,
}

/// Requests that are not in the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Foreign {
    pub(super) today: u32,
    pub(super) this_month: u32,
}

impl Store {
    /// Keeps what VirusTotal says of an account.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written.
    pub fn reconcile(&self, account: &str, told: &Told, now: UnixMs) -> Result<(), StoreError> {
        let (day, month) = (quota::this_day(now), quota::this_month(now));
        let other = |used: Option<u32>, own: u32| used.unwrap_or(0).saturating_sub(own);
        self.database.run_alone(account, &|statements| {
            let today = answered_since(statements, account, day, now)?;
            let this_month = answered_since(statements, account, month, now)?;
            statements.execute(
                "INSERT INTO account
                    (account, told_ms, day_allowed, month_allowed, foreign_today, foreign_month)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (account) DO UPDATE SET
                    told_ms = ?2, day_allowed = ?3, month_allowed = ?4,
                    foreign_today = ?5, foreign_month = ?6",
                &[
                    account.into(),
                    now.into(),
                    told.day_allowed.into(),
                    told.month_allowed.into(),
                    other(told.day_used, today).into(),
                    other(told.month_used, this_month).into(),
                ],
            )?;
            Ok(())
        })
    }

    /// What an account may ask in a day and in a month, as VirusTotal said last.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn allowed(&self, account: &str) -> Result<Told, StoreError> {
        let told = self.database.query(
            "SELECT day_allowed, month_allowed FROM account WHERE account = ?1",
            &[account.into()],
            |row| {
                let number = |column| {
                    let number = row.optional_integer(column)?;
                    Ok::<_, StoreError>(number.and_then(|number| u32::try_from(number).ok()))
                };
                Ok(Told {
                    day_allowed: number(0)?,
                    month_allowed: number(1)?,
                    ..Told::default()
                })
            },
        )?;
        Ok(told.first().copied().unwrap_or_default())
    }
}

/// What was charged since then and had its answer before VirusTotal was asked.
/// Another run's request that was on its way meanwhile may or may not be in
/// what it said: it counts as another's too, to be safe.
fn answered_since(
    statements: &mut dyn Statements,
    account: &str,
    from: UnixMs,
    now: UnixMs,
) -> Result<u32, StoreError> {
    let rows = statements.query(
        "SELECT count(*) FROM charge
         WHERE account = ?1 AND sent_ms >= ?2 AND coalesce(settled_ms, sent_ms + ?3) <= ?4",
        &[account.into(), from.into(), IN_FLIGHT_MS.into(), now.into()],
    )?;
    rows.first().map_or(Ok(0), |row| row.count(0))
}

pub(super) fn foreign(
    statements: &mut dyn Statements,
    account: &str,
    now: UnixMs,
) -> Result<Foreign, StoreError> {
    let rows = statements.query(
        "SELECT told_ms, foreign_today, foreign_month FROM account WHERE account = ?1",
        &[account.into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(Foreign::default());
    };
    let told_ms = row.integer(0)?;
    let still = |from: UnixMs, count| if told_ms >= from { count } else { 0 };
    Ok(Foreign {
        today: still(quota::this_day(now), row.count(1)?),
        this_month: still(quota::this_month(now), row.count(2)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Limits;
    use crate::store::Taken;
    use crate::store::tests::on_each;

    const NOON: UnixMs = 1_714_564_800_000;
    const DAY: i64 = 86_400_000;

    #[test]
    fn what_others_asked_counts_until_the_day_and_the_month_end() {
        on_each(|store| {
            let limits = Limits::default();
            let used = |now| {
                let usage = store.usage("key", &limits, now).unwrap();
                (usage.today, usage.this_month)
            };
            let Taken::Charged(own) = store.take_slot("key", &limits, NOON).unwrap() else {
                panic!("there is a slot");
            };
            store.settle(own, NOON).unwrap();
            let told = Told {
                day_allowed: Some(100),
                day_used: Some(11),
                month_allowed: None,
                month_used: Some(31),
            };
            store.reconcile("key", &told, NOON + 1).unwrap();
            assert_eq!(used(NOON + 2), (11, 31));
            store.take_slot("key", &limits, NOON + 3).unwrap();
            assert_eq!(used(NOON + 4), (12, 32));
            assert_eq!(used(NOON + DAY), (0, 32));
            assert_eq!(used(NOON + 31 * DAY), (0, 0));
            assert_eq!(store.allowed("key").unwrap().day_allowed, Some(100));
            assert_eq!(store.allowed("other").unwrap(), Told::default());
        });
    }
}
