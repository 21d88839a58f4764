//! The ledger: every request is charged before it is sent, by whichever process
//! sends it, and never refunded.

use rusqlite::{Connection, TransactionBehavior, params};

use super::{Store, StoreError, accounts};
use crate::clock::UnixMs;
use crate::quota::{self, Charge, IN_FLIGHT_MS, Limits, Slot, Usage};

/// Charges older than this are forgotten; a month is all that counts.
const KEEP_MS: i64 = 62 * 86_400_000;

/// A request that was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargeId(i64);

/// What came of asking for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The request is charged and may go out.
    Charged(ChargeId),
    /// It may not go out now; never [`Slot::Now`].
    NotYet(Slot),
}

impl Store {
    /// Takes a slot, if there is one, and charges it. `account` is the key's
    /// fingerprint.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written.
    pub fn take_slot(
        &self,
        account: &str,
        limits: &Limits,
        now: UnixMs,
    ) -> Result<Taken, StoreError> {
        let mut connection = self.lock();
        // Another process asks and charges either before this or after.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let usage = read_usage(&transaction, account, limits.rate.window_ms, now)?;
        let slot = quota::next_slot(&usage, now, limits);
        if slot != Slot::Now {
            return Ok(Taken::NotYet(slot));
        }
        transaction.execute(
            "INSERT INTO charge (account, sent_ms) VALUES (?1, ?2)",
            params![account, now],
        )?;
        let id = ChargeId(transaction.last_insert_rowid());
        transaction.execute("DELETE FROM charge WHERE sent_ms < ?1", [now - KEEP_MS])?;
        transaction.commit()?;
        Ok(Taken::Charged(id))
    }

    /// Says that the answer to a charged request has arrived, or will not.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn settle(&self, charge: ChargeId, now: UnixMs) -> Result<(), StoreError> {
        self.lock().execute(
            "UPDATE charge SET settled_ms = ?2 WHERE id = ?1",
            params![charge.0, now],
        )?;
        Ok(())
    }

    /// What an account has used.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn usage(&self, account: &str, limits: &Limits, now: UnixMs) -> Result<Usage, StoreError> {
        read_usage(&self.lock(), account, limits.rate.window_ms, now)
    }
}

fn read_usage(
    connection: &Connection,
    account: &str,
    window_ms: i64,
    now: UnixMs,
) -> Result<Usage, StoreError> {
    let since = |from: UnixMs| -> rusqlite::Result<u32> {
        connection
            .prepare_cached("SELECT count(*) FROM charge WHERE account = ?1 AND sent_ms >= ?2")?
            .query_row(params![account, from], |row| row.get(0))
    };
    // A request may count from later than when it was sent, by as long as its
    // answer took.
    let mut statement = connection.prepare_cached(
        "SELECT sent_ms, settled_ms FROM charge
         WHERE account = ?1 AND max(sent_ms + ?2, coalesce(settled_ms, 0)) >= ?3",
    )?;
    let recent = statement.query_map(params![account, IN_FLIGHT_MS, now - window_ms], |row| {
        Ok(Charge {
            sent_ms: row.get(0)?,
            settled_ms: row.get(1)?,
        })
    })?;
    let foreign = accounts::foreign(connection, account, now)?;
    Ok(Usage {
        recent: recent.collect::<Result<_, _>>()?,
        today: since(quota::this_day(now))?.saturating_add(foreign.today),
        this_month: since(quota::this_month(now))?.saturating_add(foreign.this_month),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Rate;

    fn limits(requests: u32) -> Limits {
        Limits {
            rate: Rate {
                requests,
                window_ms: 60_000,
            },
            ..Limits::default()
        }
    }

    const NOON: UnixMs = 1_717_156_800_000; // 2024-05-31T12:00:00Z

    fn take(store: &Store, now: UnixMs) -> Taken {
        store.take_slot("key", &limits(2), now).unwrap()
    }

    #[test]
    fn slots_run_out_and_come_back() {
        let store = Store::in_memory().unwrap();
        for offset in [0, 100] {
            let Taken::Charged(id) = take(&store, NOON + offset) else {
                panic!("there is a slot");
            };
            store.settle(id, NOON + offset + 50).unwrap();
        }
        let at = NOON + 50 + 60_001;
        assert_eq!(take(&store, NOON + 200), Taken::NotYet(Slot::At(at)));
        assert!(matches!(take(&store, at), Taken::Charged(_)));
    }

    #[test]
    fn a_request_that_was_never_answered_is_charged_all_the_same() {
        let store = Store::in_memory().unwrap();
        for offset in [0, 1] {
            assert!(matches!(take(&store, NOON + offset), Taken::Charged(_)));
        }
        let freed = NOON + IN_FLIGHT_MS + 60_001;
        assert_eq!(take(&store, NOON + 30_000), Taken::NotYet(Slot::At(freed)));
    }

    #[test]
    fn accounts_are_apart_and_days_are_counted() {
        let store = Store::in_memory().unwrap();
        let limits = Limits {
            per_day: 1,
            ..limits(4)
        };
        let take = |account, now| store.take_slot(account, &limits, now).unwrap();
        assert!(matches!(take("a", NOON), Taken::Charged(_)));
        assert!(matches!(take("b", NOON), Taken::Charged(_)));
        let midnight = NOON + 12 * 3_600_000;
        assert_eq!(
            take("a", NOON + 1),
            Taken::NotYet(Slot::DaySpent {
                resumes_ms: midnight
            })
        );
        assert!(matches!(take("a", midnight), Taken::Charged(_)));
    }

    #[test]
    fn two_processes_share_the_slots() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.sqlite");
        let charged: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let store = Store::open(&path).unwrap();
                    scope.spawn(move || {
                        let taken =
                            (0..20).map(|n| store.take_slot("key", &limits(5), NOON + n).unwrap());
                        taken
                            .filter(|taken| matches!(taken, Taken::Charged(_)))
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(charged, 5);
    }
}
