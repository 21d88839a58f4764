//! What VirusTotal says of an account: how much it may ask, and how much it has
//! asked. What is not in the ledger was asked by something else.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError};
use crate::clock::UnixMs;
use crate::quota;

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
        let connection = self.lock();
        let own = |from: UnixMs| -> rusqlite::Result<u32> {
            connection.query_row(
                "SELECT count(*) FROM charge WHERE account = ?1 AND sent_ms >= ?2",
                params![account, from],
                |row| row.get(0),
            )
        };
        let (day, month) = (quota::this_day(now), quota::this_month(now));
        let other = |used: Option<u32>, own: u32| used.unwrap_or(0).saturating_sub(own);
        connection.execute(
            "INSERT OR REPLACE INTO account VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                account,
                now,
                told.day_allowed,
                told.month_allowed,
                other(told.day_used, own(day)?),
                other(told.month_used, own(month)?),
            ],
        )?;
        Ok(())
    }

    /// What an account may ask in a day and in a month, as VirusTotal said last.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn allowed(&self, account: &str) -> Result<Told, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT day_allowed, month_allowed FROM account WHERE account = ?1")?;
        let told = statement.query_row([account], |row| {
            Ok(Told {
                day_allowed: row.get(0)?,
                month_allowed: row.get(1)?,
                ..Told::default()
            })
        });
        Ok(told.optional()?.unwrap_or_default())
    }
}

pub(super) fn foreign(
    connection: &Connection,
    account: &str,
    now: UnixMs,
) -> rusqlite::Result<Foreign> {
    let mut statement = connection.prepare_cached(
        "SELECT told_ms, foreign_today, foreign_month FROM account WHERE account = ?1",
    )?;
    let row = statement.query_row([account], |row| {
        Ok((row.get::<_, UnixMs>(0)?, row.get(1)?, row.get(2)?))
    });
    let Some((told_ms, today, this_month)) = row.optional()? else {
        return Ok(Foreign::default());
    };
    let still = |from: UnixMs, count| if told_ms >= from { count } else { 0 };
    Ok(Foreign {
        today: still(quota::this_day(now), today),
        this_month: still(quota::this_month(now), this_month),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Limits;

    const NOON: UnixMs = 1_714_564_800_000;
    const DAY: i64 = 86_400_000;

    #[test]
    fn what_others_asked_counts_until_the_day_and_the_month_end() {
        let store = Store::in_memory().unwrap();
        let limits = Limits::default();
        let used = |now| {
            let usage = store.usage("key", &limits, now).unwrap();
            (usage.today, usage.this_month)
        };
        store.take_slot("key", &limits, NOON).unwrap();
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
    }
}
