//! The VirusTotal account that requests are charged to.

use crate::clock::UnixMs;
use crate::quota::{Limits, Rate};
use crate::store::{AccountQuota, Store, StoreError};
use crate::triage::account::reconcile;
use crate::virustotal::{Client, Fault};

/// A VirusTotal account.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// The connection with the account's key.
    pub client: &'a Client,
    /// The key's fingerprint: the name of the account in the store.
    pub id: &'a str,
    /// The user name. If it is known, VirusTotal is asked what is left of the quota.
    pub user: Option<&'a str>,
    /// The quota to keep to.
    pub quota: QuotaSettings,
}

/// The quota as it is configured.
#[derive(Debug, Clone, Copy)]
pub struct QuotaSettings {
    /// Requests in a window of time.
    pub rate: Rate,
    /// Requests in a day of UTC, if configured.
    pub per_day: Option<u32>,
    /// Requests in a month of UTC, if configured.
    pub per_month: Option<u32>,
    /// Requests of each day to leave for others that use the key.
    pub reserve: u32,
}

impl QuotaSettings {
    /// The limits: as configured, else as VirusTotal reported, else those of a free account.
    #[must_use]
    pub fn limits(&self, reported: &AccountQuota) -> Limits {
        let free = Limits::default();
        let per_day = self.per_day.or(reported.day_allowed);
        let per_month = self.per_month.or(reported.month_allowed);
        Limits {
            rate: self.rate,
            per_day: per_day.unwrap_or(free.per_day).saturating_sub(self.reserve),
            per_month: per_month.unwrap_or(free.per_month),
        }
    }
}

impl Account<'_> {
    /// Asks VirusTotal what is left of the quota and stores it. The request is free of charge.
    /// Without a user name nothing is asked.
    ///
    /// # Errors
    ///
    /// If the store fails. A failed request is a value.
    pub async fn reconcile(
        &self,
        store: &Store,
        now: UnixMs,
    ) -> Result<Result<(), Fault>, StoreError> {
        match self.user {
            Some(user) => {
                let reported = reconcile(self.client, user, store, self.id, now).await?;
                Ok(reported.map(drop))
            }
            None => Ok(Ok(())),
        }
    }

    /// The limits, by what the store knows of the account.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn limits(&self, store: &Store) -> Result<Limits, StoreError> {
        Ok(self.quota.limits(&store.account_quota(self.id)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configured_limits_win_over_reported_and_free_ones() {
        let check = |per_day, reserve, reported, expected| {
            let settings = QuotaSettings {
                rate: Limits::default().rate,
                per_day,
                per_month: None,
                reserve,
            };
            let reported = AccountQuota {
                day_allowed: reported,
                ..AccountQuota::default()
            };
            assert_eq!(settings.limits(&reported).per_day, expected);
        };
        // A free account has 500 requests a day (docs/virustotal.md).
        check(None, 0, None, 500);
        check(None, 0, Some(1_000), 1_000);
        check(Some(9), 0, Some(1_000), 9);
        check(None, 100, None, 400);
        check(Some(9), 100, None, 0);
    }
}
