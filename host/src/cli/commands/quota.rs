//! `vthost quota`: what is left of the quota.

use std::fmt::Write as _;

use super::request_runtime;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{AccountTask, Environment};
use crate::quota::{Slot, next_day, next_month, next_slot};

pub(in crate::cli) fn run(
    settings: &AccountTask,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let key = environment.key(&settings.account)?;
    let store = environment.store(settings.store.as_ref())?;
    let id = key.fingerprint();
    let now = store.clock().now_ms();
    let client = settings.account.client(&key)?;
    let account = settings.account.account(&client, &id);
    request_runtime()?.block_on(account.reconcile(&store, now))??;
    let limits = account.limits(&store)?;
    let usage = store.usage(&id, &limits, now)?;
    let used = |used: u32, limit: u32| format!("{used} used, {} left", limit.saturating_sub(used));
    let next = match next_slot(&usage, now, &limits) {
        Slot::Now => "now".to_owned(),
        Slot::At(at) | Slot::DaySpent { resumes_ms: at } | Slot::MonthSpent { resumes_ms: at } => {
            environment.time(at)
        }
    };
    let mut text = format!("key fingerprint: {id}\n");
    writeln!(
        text,
        "today: {}, until {}",
        used(usage.today, limits.per_day),
        environment.time(next_day(now))
    )?;
    writeln!(
        text,
        "this month: {}, until {}",
        used(usage.this_month, limits.per_month),
        environment.time(next_month(now))
    )?;
    writeln!(text, "next request: {next} (at most {})", limits.rate)?;
    if store.polls_are_free(&id)? {
        writeln!(text, "polls of analyses are free of charge for this key")?;
    }
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::Done)
}
