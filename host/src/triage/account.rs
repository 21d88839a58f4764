//! What VirusTotal reports on an account's quota.

use crate::clock::UnixMs;
use crate::quota::day_name;
use crate::store::{AccountQuota, PollsUsed, Store, StoreError, polls_since};
use crate::virustotal::{Client, Fault};

/// Asks VirusTotal what the account of `user` has used, and stores it. The requests are free of
/// charge. `account` is the name of the account in the store.
///
/// # Errors
///
/// When the store fails. A failed request is a value.
pub async fn reconcile(
    client: &Client,
    user: &str,
    store: &Store,
    account: &str,
    now: UnixMs,
) -> Result<Result<AccountQuota, Fault>, StoreError> {
    let quotas = match client.overall_quotas(user).await {
        Ok(quotas) => quotas,
        Err(fault) => return Ok(Err(fault)),
    };
    let find = |name: &str| {
        let mut quotas = quotas.iter();
        quotas
            .find(|(quota, _)| quota == name)
            .map(|(_, quota)| *quota)
    };
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let (day, month) = (find("api_requests_daily"), find("api_requests_monthly"));
    // Without an answer the stored knowledge of polls remains.
    let (first, last) = (day_name(polls_since(now)), day_name(now));
    let polls = client.analyses_asked(user, &first, &last).await.ok();
    let reported = AccountQuota {
        day_allowed: day.map(|quota| small(quota.allowed)),
        day_used: day.map(|quota| small(quota.used)),
        month_allowed: month.map(|quota| small(quota.allowed)),
        month_used: month.map(|quota| small(quota.used)),
        polls: polls.map(|(charged, free)| PollsUsed { charged, free }),
    };
    store.reconcile(account, &reported, now)?;
    Ok(Ok(reported))
}
