//! The ledger: every process charges a request before it sends it. A charge is never refunded.

use super::accounts;
use super::error::StoreError;
use super::executor::Executor;
use super::handle::Store;
use crate::clock::UnixMs;
use crate::quota::{self, Charge, IN_FLIGHT_MS, Limits, Slot, Usage};

/// Older charges are deleted. Limits cover a month at most.
const KEEP_MS: i64 = 62 * 86_400_000;

/// Identifies a charged request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargeId(i64);

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A question or a submission.
    Question,
    /// A poll of an analysis: free of charge for some accounts.
    Poll,
}

/// The result of taking a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotOutcome {
    /// The request is charged and may be sent.
    Charged(ChargeId),
    /// It may not be sent now; never [`Slot::Now`].
    NotYet(Slot),
}

impl Store {
    /// Takes a slot and charges it, if one is available. `account` is the key's fingerprint.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or written.
    pub fn take_slot(
        &self,
        account: &str,
        limits: &Limits,
        purpose: Purpose,
        now: UnixMs,
    ) -> Result<SlotOutcome, StoreError> {
        // No other process reads or charges in between.
        self.database.run_alone(account, &|executor| {
            let usage = read_usage(executor, account, limits.rate.window_ms, now)?;
            let is_free = purpose == Purpose::Poll && accounts::polls_are_free(executor, account)?;
            let (slot, purpose) = match purpose {
                _ if is_free => (quota::next_free_slot(&usage, now, limits), "free-poll"),
                Purpose::Poll => (quota::next_slot(&usage, now, limits), "poll"),
                Purpose::Question => (quota::next_slot(&usage, now, limits), "question"),
            };
            if slot != Slot::Now {
                return Ok(SlotOutcome::NotYet(slot));
            }
            let ids = executor.query(
                "INSERT INTO charge (account, sent_ms, purpose) VALUES (?1, ?2, ?3) RETURNING id",
                &[account.into(), now.into(), purpose.into()],
            )?;
            let id = ids.first().ok_or(StoreError::Damaged { column: 0 })?;
            let id = ChargeId(id.integer(0)?);
            let forgotten_ms = now.saturating_sub(KEEP_MS);
            executor.execute(
                "DELETE FROM charge WHERE sent_ms < ?1",
                &[forgotten_ms.into()],
            )?;
            Ok(SlotOutcome::Charged(id))
        })
    }

    /// Records that the answer to a charged request has arrived, or will not.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
    pub fn settle(&self, charge: ChargeId, now: UnixMs) -> Result<(), StoreError> {
        self.database.execute(
            "UPDATE charge SET settled_ms = ?2 WHERE id = ?1",
            &[charge.0.into(), now.into()],
        )?;
        Ok(())
    }

    /// The requests that count towards the limits of an account.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn usage(&self, account: &str, limits: &Limits, now: UnixMs) -> Result<Usage, StoreError> {
        self.database
            .run(&|executor| read_usage(executor, account, limits.rate.window_ms, now))
    }
}

fn read_usage(
    executor: &mut dyn Executor,
    account: &str,
    window_ms: i64,
    now: UnixMs,
) -> Result<Usage, StoreError> {
    // A request counts from when its answer arrived, which is later than `sent_ms`.
    let rows = executor.query(
        "SELECT sent_ms, settled_ms FROM charge
         WHERE account = ?1 AND (sent_ms + ?2 >= ?3 OR settled_ms >= ?3)",
        &[
            account.into(),
            IN_FLIGHT_MS.into(),
            (now - window_ms).into(),
        ],
    )?;
    let recent = rows.iter().map(|row| {
        Ok(Charge {
            sent_ms: row.integer(0)?,
            settled_ms: row.optional_integer(1)?,
        })
    });
    let recent = recent.collect::<Result<_, StoreError>>()?;
    let today = charged_since(executor, account, quota::this_day(now))?;
    let this_month = charged_since(executor, account, quota::this_month(now))?;
    let other = accounts::other_usage(executor, account, now)?;
    Ok(Usage {
        recent,
        today: today.saturating_add(other.today),
        this_month: this_month.saturating_add(other.this_month),
    })
}

fn charged_since(
    executor: &mut dyn Executor,
    account: &str,
    from: UnixMs,
) -> Result<u32, StoreError> {
    let rows = executor.query(
        "SELECT count(*) FROM charge
         WHERE account = ?1 AND sent_ms >= ?2 AND purpose != 'free-poll'",
        &[account.into(), from.into()],
    )?;
    rows.first().map_or(Ok(0), |row| row.count(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Rate;
    use crate::store::Location;
    use crate::store::testing::on_each;
    use vthost_testing::TestSchema;

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

    fn take(store: &Store, now: UnixMs) -> SlotOutcome {
        store
            .take_slot("key", &limits(2), Purpose::Question, now)
            .unwrap()
    }

    #[test]
    fn slots_are_available_again_after_the_window() {
        on_each(|store| {
            for offset in [0, 100] {
                let SlotOutcome::Charged(id) = take(store, NOON + offset) else {
                    panic!("no slot");
                };
                store.settle(id, NOON + offset + 50).unwrap();
            }
            let at = NOON + 50 + 60_001;
            assert_eq!(take(store, NOON + 200), SlotOutcome::NotYet(Slot::At(at)));
            assert!(matches!(take(store, at), SlotOutcome::Charged(_)));
        });
    }

    #[test]
    fn unanswered_request_is_charged() {
        on_each(|store| {
            for offset in [0, 1] {
                assert!(matches!(
                    take(store, NOON + offset),
                    SlotOutcome::Charged(_)
                ));
            }
            let freed = NOON + IN_FLIGHT_MS + 60_001;
            assert_eq!(
                take(store, NOON + 30_000),
                SlotOutcome::NotYet(Slot::At(freed))
            );
        });
    }

    #[test]
    fn accounts_have_separate_daily_limits() {
        on_each(|store| {
            let limits = Limits {
                per_day: 1,
                ..limits(4)
            };
            let take = |account, now| {
                store
                    .take_slot(account, &limits, Purpose::Question, now)
                    .unwrap()
            };
            assert!(matches!(take("a", NOON), SlotOutcome::Charged(_)));
            assert!(matches!(take("b", NOON), SlotOutcome::Charged(_)));
            let midnight = NOON + 12 * 3_600_000;
            assert_eq!(
                take("a", NOON + 1),
                SlotOutcome::NotYet(Slot::DaySpent {
                    resumes_ms: midnight
                })
            );
            assert!(matches!(take("a", midnight), SlotOutcome::Charged(_)));
        });
    }

    fn charged_by_two_at_once(location: &Location) -> usize {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        // Both threads may create the tables.
                        let store = Store::open(location).unwrap();
                        let take = |now| {
                            store
                                .take_slot("key", &limits(5), Purpose::Question, now)
                                .unwrap()
                        };
                        let taken = (0..20).map(|n| take(NOON + n));
                        taken
                            .filter(|taken| matches!(taken, SlotOutcome::Charged(_)))
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        })
    }

    #[test]
    fn two_processes_share_the_slots() {
        let directory = tempfile::tempdir().unwrap();
        let file = Location::File(directory.path().join("store.sqlite"));
        assert_eq!(charged_by_two_at_once(&file), 5);
        if let Some(schema) = TestSchema::new() {
            let server = schema.url().parse().unwrap();
            assert_eq!(charged_by_two_at_once(&server), 5);
        }
    }
}
