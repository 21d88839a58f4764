//! What VirusTotal reports of an account: the requests that it may send and has sent. Requests
//! that are not in the ledger were sent by other programs.

use super::error::StoreError;
use super::executor::Executor;
use super::handle::Store;
use crate::clock::UnixMs;
use crate::quota::{self, IN_FLIGHT_MS};

/// An account as VirusTotal counts it. A number that was not reported is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountQuota {
    /// Requests allowed in a day.
    pub day_allowed: Option<u32>,
    /// Requests used today.
    pub day_used: Option<u32>,
    /// Requests allowed in a month.
    pub month_allowed: Option<u32>,
    /// Requests used this month.
    pub month_used: Option<u32>,
    /// Polls of analyses since [`polls_since`].
    pub polls: Option<PollsUsed>,
}

/// Polls of analyses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollsUsed {
    /// Polls that were charged as requests.
    pub charged: u64,
    /// Polls free of charge, including those that failed.
    pub free: u64,
}

/// The start of the 30 days that VirusTotal reports.
#[must_use]
pub fn polls_since(now: UnixMs) -> UnixMs {
    const DAYS_BEFORE: i64 = 29;
    quota::this_day(now) - DAYS_BEFORE * 86_400_000
}

impl PollsUsed {
    /// Whether polls are free for the account, given the number of polls in the ledger; none
    /// while that is unknown. A failed poll is free for every account, so the free polls must be
    /// at least as many as those in the ledger.
    fn are_free(self, own: u32) -> Option<bool> {
        match self {
            Self { charged: 1.., .. } => Some(false),
            Self { free, .. } => (own > 0 && free >= u64::from(own)).then_some(true),
        }
    }
}

/// Requests that are not in the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OtherUsage {
    pub(super) today: u32,
    pub(super) this_month: u32,
}

impl Store {
    /// Stores what VirusTotal reports of an account.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or written.
    pub fn reconcile(
        &self,
        account: &str,
        reported: &AccountQuota,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let (day, month) = (quota::this_day(now), quota::this_month(now));
        let other = |used: Option<u32>, own: u32| used.unwrap_or(0).saturating_sub(own);
        self.database.run_alone(account, &|executor| {
            let today = answered_since(executor, account, day, now)?;
            let this_month = answered_since(executor, account, month, now)?;
            let own_polls = own_polls(executor, account, now)?;
            let polls_free = reported.polls.and_then(|polls| polls.are_free(own_polls));
            executor.execute(
                "INSERT INTO account
                    (account, told_ms, day_allowed, month_allowed, foreign_today, foreign_month,
                     polls_free)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, coalesce(?7, 0))
                 ON CONFLICT (account) DO UPDATE SET
                    told_ms = ?2, day_allowed = ?3, month_allowed = ?4,
                    foreign_today = ?5, foreign_month = ?6,
                    polls_free = coalesce(?7, account.polls_free)",
                &[
                    account.into(),
                    now.into(),
                    reported.day_allowed.into(),
                    reported.month_allowed.into(),
                    other(reported.day_used, today).into(),
                    other(reported.month_used, this_month).into(),
                    polls_free.map(i64::from).into(),
                ],
            )?;
            Ok(())
        })
    }

    /// The requests of a day and a month that VirusTotal last reported for an account.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn account_quota(&self, account: &str) -> Result<AccountQuota, StoreError> {
        let quotas = self.database.query(
            "SELECT day_allowed, month_allowed FROM account WHERE account = ?1",
            &[account.into()],
            |row| {
                let number = |column| {
                    let number = row.optional_integer(column)?;
                    Ok::<_, StoreError>(number.and_then(|number| u32::try_from(number).ok()))
                };
                Ok(AccountQuota {
                    day_allowed: number(0)?,
                    month_allowed: number(1)?,
                    ..AccountQuota::default()
                })
            },
        )?;
        Ok(quotas.first().copied().unwrap_or_default())
    }

    /// Whether polls of analyses are known to be free of charge for an account.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn polls_are_free(&self, account: &str) -> Result<bool, StoreError> {
        self.database
            .run(&|executor| polls_are_free(executor, account))
    }
}

pub(super) fn polls_are_free(
    executor: &mut dyn Executor,
    account: &str,
) -> Result<bool, StoreError> {
    let rows = executor.query(
        "SELECT polls_free FROM account WHERE account = ?1",
        &[account.into()],
    )?;
    rows.first()
        .map_or(Ok(false), |row| Ok(row.integer(0)? != 0))
}

/// The number of polls in the ledger that were answered.
fn own_polls(executor: &mut dyn Executor, account: &str, now: UnixMs) -> Result<u32, StoreError> {
    let rows = executor.query(
        "SELECT count(*) FROM charge
         WHERE account = ?1 AND sent_ms >= ?2 AND settled_ms <= ?3 AND purpose != 'question'",
        &[account.into(), polls_since(now).into(), now.into()],
    )?;
    rows.first().map_or(Ok(0), |row| row.count(0))
}

/// Requests charged since `from` and answered before `now`. VirusTotal may or may not have
/// counted another run's request that is in flight; not subtracting it is the safe side.
fn answered_since(
    executor: &mut dyn Executor,
    account: &str,
    from: UnixMs,
    now: UnixMs,
) -> Result<u32, StoreError> {
    let rows = executor.query(
        "SELECT count(*) FROM charge
         WHERE account = ?1 AND sent_ms >= ?2 AND coalesce(settled_ms, sent_ms + ?3) <= ?4
           AND purpose != 'free-poll'",
        &[account.into(), from.into(), IN_FLIGHT_MS.into(), now.into()],
    )?;
    rows.first().map_or(Ok(0), |row| row.count(0))
}

/// Requests of other programs today and this month, as far as VirusTotal reported them.
pub(super) fn other_usage(
    executor: &mut dyn Executor,
    account: &str,
    now: UnixMs,
) -> Result<OtherUsage, StoreError> {
    let rows = executor.query(
        "SELECT told_ms, foreign_today, foreign_month FROM account WHERE account = ?1",
        &[account.into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(OtherUsage::default());
    };
    let reported_ms = row.integer(0)?;
    let since = |from: UnixMs, count| if reported_ms >= from { count } else { 0 };
    Ok(OtherUsage {
        today: since(quota::this_day(now), row.count(1)?),
        this_month: since(quota::this_month(now), row.count(2)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::{Limits, Slot};
    use crate::store::testing::on_each;
    use crate::store::{Purpose, SlotOutcome};

    const NOON: UnixMs = 1_714_564_800_000;
    const DAY: i64 = 86_400_000;

    /// Charges a request that is answered at once.
    fn take(store: &Store, purpose: Purpose, now: UnixMs) {
        let taken = store.take_slot("key", &Limits::default(), purpose, now);
        let SlotOutcome::Charged(own) = taken.unwrap() else {
            panic!("no slot");
        };
        store.settle(own, now).unwrap();
    }

    #[test]
    fn requests_of_other_programs_count_until_the_period_ends() {
        on_each(|store| {
            let limits = Limits::default();
            let used = |now| {
                let usage = store.usage("key", &limits, now).unwrap();
                (usage.today, usage.this_month)
            };
            take(store, Purpose::Question, NOON);
            let reported = AccountQuota {
                day_allowed: Some(100),
                day_used: Some(11),
                month_allowed: None,
                month_used: Some(31),
                polls: None,
            };
            store.reconcile("key", &reported, NOON + 1).unwrap();
            assert_eq!(used(NOON + 2), (11, 31));
            take(store, Purpose::Question, NOON + 3);
            assert_eq!(used(NOON + 4), (12, 32));
            assert_eq!(used(NOON + DAY), (0, 32));
            assert_eq!(used(NOON + 31 * DAY), (0, 0));
            assert_eq!(store.account_quota("key").unwrap().day_allowed, Some(100));
            assert_eq!(
                store.account_quota("other").unwrap(),
                AccountQuota::default()
            );
        });
    }

    #[test]
    fn polls_are_free_if_all_of_the_ledger_were() {
        let reported = |charged, free| AccountQuota {
            polls: Some(PollsUsed { charged, free }),
            ..AccountQuota::default()
        };
        on_each(|store| {
            let learn = |reported: &AccountQuota| {
                store.reconcile("key", reported, NOON + 9).unwrap();
                store.polls_are_free("key").unwrap()
            };
            assert!(!learn(&reported(0, 5)), "no poll in the ledger");
            take(store, Purpose::Poll, NOON);
            take(store, Purpose::Poll, NOON + 1);
            assert!(!learn(&reported(0, 1)), "one poll is not reported yet");
            assert!(!learn(&reported(2, 1)), "only failed polls are free");
            assert!(learn(&reported(0, 3)));
            assert!(learn(&AccountQuota::default()), "nothing reported");
            let today = || {
                let limits = Limits::default();
                store.usage("key", &limits, NOON + 9).unwrap().today
            };
            assert_eq!(today(), 2);
            take(store, Purpose::Poll, NOON + 2);
            assert_eq!(today(), 2);
            take(store, Purpose::Question, NOON + 3);
            assert_eq!(today(), 3);
            assert!(!learn(&reported(1, 3)), "polls are charged now");
        });
    }

    #[test]
    fn free_poll_counts_in_the_minute_but_not_in_the_day() {
        let limits = Limits {
            per_day: 1,
            ..Limits::default()
        };
        on_each(|store| {
            let reported = AccountQuota {
                polls: Some(PollsUsed {
                    charged: 0,
                    free: 1,
                }),
                ..AccountQuota::default()
            };
            take(store, Purpose::Poll, NOON);
            store.reconcile("key", &reported, NOON).unwrap();
            let taken = |purpose, now| store.take_slot("key", &limits, purpose, now).unwrap();
            for now in NOON + 1..NOON + 4 {
                assert!(matches!(taken(Purpose::Poll, now), SlotOutcome::Charged(_)));
            }
            let is_full = |taken| matches!(taken, SlotOutcome::NotYet(Slot::At(_)));
            assert!(is_full(taken(Purpose::Poll, NOON + 4)));
            let is_spent = |taken| matches!(taken, SlotOutcome::NotYet(Slot::DaySpent { .. }));
            assert!(is_spent(taken(Purpose::Question, NOON + 4)));
        });
    }
}
