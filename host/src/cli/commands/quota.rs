//! `vthost quota`: what is left.

use std::fmt::Write as _;

use crate::cli::args::QuotaArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::progress::clock_time;
use crate::cli::settings::{self, Environment};
use crate::quota::{self, Slot, next_slot};
use crate::triage::run::reconcile;

pub(in crate::cli) fn run(
    args: &QuotaArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let key = environment.key(&args.limits)?;
    let store = environment.store(args.store.as_ref())?;
    let account = key.fingerprint();
    let now = store.clock().now_ms();
    if let Some(user) = &args.limits.vt_user {
        let client = settings::client(&args.limits, &key)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(reconcile(&client, user, &store, &account, now))??;
    }
    let limits = settings::limits(&args.limits, &store.allowed(&account)?);
    let usage = store.usage(&account, &limits, now)?;
    let next = match next_slot(&usage, now, &limits) {
        Slot::Now => "now".to_owned(),
        Slot::At(at) | Slot::DaySpent { resumes_ms: at } | Slot::MonthSpent { resumes_ms: at } => {
            clock_time(at)
        }
    };
    let mut text = String::new();
    let left = |limit: u32, used: u32| limit.saturating_sub(used);
    writeln!(text, "key {account}")?;
    writeln!(
        text,
        "today: {} used, {} left, until {}",
        usage.today,
        left(limits.per_day, usage.today),
        clock_time(quota::next_day(now))
    )?;
    writeln!(
        text,
        "this month: {} used, {} left, until {}",
        usage.this_month,
        left(limits.per_month, usage.this_month),
        clock_time(quota::next_month(now))
    )?;
    writeln!(text, "next slot: {next} ({})", limits.rate)?;
    if store.polls_are_free(&account)? {
        writeln!(
            text,
            "asking for analyses is free of charge for this account"
        )?;
    }
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::Done)
}
